//! The fields of a record that are put nowhere: each with its path, as a mapping table spells it, and its text.
//!
//! Objects and lists are opened, so a field is a text, a number or a boolean. What is absent for rules is absent here:
//! `null`, `""`, and what holds nothing else.

use super::exact;
use super::path::spelled;
use super::taken::Taken;
use super::{Fields, Projection};
use crate::json::{Kind, Tree, Value};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::HashSet;

/// How many bytes the names of objects and lists may take before the names of what is in them. A record of long names
/// could become many times as long without a limit. An object or list beyond it is one field, with its JSON as text.
const ROOM: usize = 64 << 10;

/// The same fields with the rest of their record, if the projection asks for it.
pub(crate) fn with_rest<'a>(
    mut fields: Fields<'a>,
    record: &RawValue,
    projection: &Projection,
) -> Fields<'a> {
    let Some(taken) = projection.rest() else { return fields };
    let mut walk = RestWalk::default();
    // The record was checked, and the tree reads the same.
    if let Ok(value) = Tree::default().read(record.get().as_bytes()) {
        walk.object(value, &[taken], "");
    }
    fields.set_rest(walk.found);
    fields
}

/// The same for a record that is a list of names and values; of two with one name the last counts.
pub(crate) fn with_rest_of_pairs<'a>(
    mut fields: Fields<'a>,
    pairs: &[(Cow<'_, str>, Cow<'_, str>)],
    projection: &Projection,
) -> Fields<'a> {
    let Some(taken) = projection.rest() else { return fields };
    let mut walk = RestWalk::default();
    let mut seen = HashSet::new();
    let mut last: Vec<_> = pairs.iter().rev().filter(|(name, _)| seen.insert(&**name)).collect();
    last.reverse();
    for (name, text) in last {
        let below: Vec<&Taken> = taken.keys.get(&**name).into_iter().collect();
        walk.text(text, &first_of(below), spelled(name).into_owned());
    }
    fields.set_rest(walk.found);
    fields
}

/// What is taken of one value where a list may be read: it is a list of one.
fn first_of(mut at: Vec<&Taken>) -> Vec<&Taken> {
    let first: Vec<&Taken> = at.iter().flat_map(|taken| taken.element(0)).collect();
    at.extend(first);
    at
}

/// The fields that were found so far.
struct RestWalk {
    found: Vec<(String, String)>,
    /// How many bytes names may still take.
    room: usize,
}

impl Default for RestWalk {
    fn default() -> RestWalk {
        RestWalk { found: Vec::new(), room: ROOM }
    }
}

impl RestWalk {
    /// Takes what is at the keys of an object.
    fn object(&mut self, value: Value<'_>, at: &[&Taken], name: &str) {
        // Of equal keys the last counts.
        let mut seen = HashSet::new();
        let mut members: Vec<(Cow<'_, str>, Value<'_>)> =
            value.children().map(|member| (member.key(), member)).collect();
        members.reverse();
        members.retain(|(key, _)| seen.insert(key.clone()));
        for (key, member) in members.into_iter().rev() {
            let below = at.iter().filter_map(|taken| taken.keys.get(&*key)).collect();
            let key = spelled(&key);
            let name = if name.is_empty() { key.into_owned() } else { format!("{name}.{key}") };
            self.value(member, below, name);
        }
    }

    fn value(&mut self, value: Value<'_>, at: Vec<&Taken>, name: String) {
        let at = if value.kind() == Kind::Array { at } else { first_of(at) };
        if at.iter().any(|taken| taken.whole) {
            return;
        }
        match value.kind() {
            Kind::Null => {}
            Kind::Object if self.opens(value, &at, &name) => self.object(value, &at, &name),
            Kind::Array if self.opens(value, &at, &name) => {
                // What is absent is not an element.
                let elements = value.children().filter(|element| !matches!(element.raw(), "null" | "\"\""));
                for (number, element) in elements.enumerate() {
                    let below = at.iter().flat_map(|taken| taken.element(number)).collect();
                    self.value(element, below, format!("{name}[{number}]"));
                }
            }
            Kind::Text => self.text(&value.text(), &at, name),
            _ => self.found.push((name, value.raw().to_owned())),
        }
    }

    /// Whether an object or list is opened: always if some of it is taken, else if there is room for the names in it.
    fn opens(&mut self, value: Value<'_>, at: &[&Taken], name: &str) -> bool {
        if !at.is_empty() {
            return true;
        }
        let left = self.room.checked_sub(value.children().count() * name.len());
        self.room = left.unwrap_or(self.room);
        left.is_some()
    }

    fn text(&mut self, text: &str, at: &[&Taken], name: String) {
        if text.is_empty() || at.iter().any(|taken| taken.whole) {
            return;
        }
        if at.iter().any(|taken| taken.is_json) {
            if exact::json_object(text).is_some()
                && let Ok(value) = Tree::default().read(text.as_bytes())
            {
                return self.object(value, at, &name);
            }
            if at.iter().any(|taken| taken.text) {
                return;
            }
        }
        self.found.push((name, text.to_owned()));
    }
}

//! Whose record it is: what says that a record belongs to another log.

use crate::record::exact::{self, Members};
use crate::record::{FieldPath, Projection, Reason, RecordError};
use crate::text::shown;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::{BTreeSet, HashSet};

/// What makes a record a mapping's own. A default one takes every record.
///
/// Texts are compared without regard to the case of ASCII letters.
#[derive(Debug, Clone, Default)]
pub struct Own {
    /// Fields that hold one of these texts where they are present, in a record and in the envelopes
    /// around it.
    pub fields: Vec<(FieldPath, Vec<String>)>,
    /// The same for the envelopes alone.
    pub envelope: Vec<(FieldPath, Vec<String>)>,
    /// A record with a field that is not among `known` has at least one of these. If there are
    /// none, such a record is fine.
    pub any: Vec<FieldPath>,
    /// The keys at a record's top that the mapping knows.
    pub known: BTreeSet<String>,
    /// What the header of a CEF line holds.
    pub header: Vec<(HeaderPart, Vec<String>)>,
}

/// A part of a CEF header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeaderPart {
    /// The device's vendor.
    Vendor,
    /// The device's product.
    Product,
    /// The class of the event, its signature.
    Class,
    /// The event's name.
    Name,
}

impl HeaderPart {
    /// Every part that can be asked for.
    pub const ALL: [HeaderPart; 4] =
        [HeaderPart::Vendor, HeaderPart::Product, HeaderPart::Class, HeaderPart::Name];

    /// Its name in mapping tables.
    pub fn name(self) -> &'static str {
        match self {
            HeaderPart::Vendor => "vendor",
            HeaderPart::Product => "product",
            HeaderPart::Class => "class",
            HeaderPart::Name => "name",
        }
    }

    /// Its place in the header: `CEF:0|vendor|product|version|class|name|severity|`.
    fn place(self) -> usize {
        match self {
            HeaderPart::Vendor => 1,
            HeaderPart::Product => 2,
            HeaderPart::Class => 4,
            HeaderPart::Name => 5,
        }
    }
}

impl Own {
    /// Why the record with these members belongs to another log, if it does.
    pub(crate) fn refuses(&self, members: &Members<'_>, projection: &Projection) -> Option<RecordError> {
        says_other_in(&self.fields, members, projection).or_else(|| {
            let present = |value: &RawValue| exact::scalar(value).map_or(true, |text| text.is_some());
            let has = |path: &FieldPath| exact::find(members, path).is_some_and(present);
            self.stranger(members.iter().map(|(key, value)| (&**key, present(value))), &has)
        })
    }

    /// Whether one of these members is one that the mapping knows.
    pub(crate) fn knows_one(&self, members: &Members<'_>) -> bool {
        members.iter().any(|(key, _)| self.known.contains(&**key))
    }

    /// Why an envelope with these members says that what is in it belongs to another log, if it does.
    pub(crate) fn says_other(&self, members: &Members<'_>, projection: &Projection) -> Option<RecordError> {
        [&self.fields, &self.envelope]
            .into_iter()
            .find_map(|fields| says_other_in(fields, members, projection))
    }

    /// Why a record that is a list of names and values belongs to another log, if it does.
    pub(crate) fn refuses_pairs(&self, pairs: &[(Cow<'_, str>, Cow<'_, str>)]) -> Option<RecordError> {
        let value = |name: &str| {
            let (_, value) = pairs.iter().rev().find(|(known, _)| known == name)?;
            Some(&**value).filter(|value| !value.is_empty())
        };
        let field = |path: &FieldPath| match path.keys() {
            [name] => value(name),
            _ => None,
        };
        self.fields.iter().find_map(|(path, own)| says_other(path, field(path)?, own)).or_else(|| {
            let fields = pairs.iter().map(|(name, value)| (&**name, !value.is_empty()));
            self.stranger(fields, &|path| field(path).is_some())
        })
    }

    /// Why a line with this CEF header, its parts from `CEF:0` on, belongs to another log, if it
    /// does.
    pub(crate) fn refuses_header(&self, header: &[Cow<'_, str>]) -> Option<RecordError> {
        self.header.iter().find_map(|(part, own)| {
            let text = header.get(part.place()).map_or("", |text| &**text);
            let is = |own: &String| own.eq_ignore_ascii_case(text);
            (!own.iter().any(is)).then(|| {
                let found = if text.is_empty() { "empty".to_owned() } else { format!("`{}`", shown(text)) };
                other(format!("the CEF header's {} is {found}, not {}", part.name(), one_of(own)))
            })
        })
    }

    /// The first key with a value that the mapping does not know, where that says something.
    fn stranger<'k>(
        &self,
        fields: impl DoubleEndedIterator<Item = (&'k str, bool)>,
        has: &dyn Fn(&FieldPath) -> bool,
    ) -> Option<RecordError> {
        if self.any.is_empty() || self.any.iter().any(has) {
            return None;
        }
        // Of equal keys the last counts, so they are gone through from the end.
        let mut seen = HashSet::new();
        let unknown = fields.rev().filter(|(key, _)| !self.known.contains(*key) && seen.insert(*key));
        let (key, _) = unknown.filter(|(_, is_present)| *is_present).last()?;
        let any: Vec<String> = self.any.iter().map(|path| format!("`{path}`")).collect();
        let any = any.join(", ");
        Some(other(format!("the mapping does not know `{}`, and none of {any} is present", shown(key))))
    }
}

/// Why one of these fields says that the object with these members belongs to another log, if it does.
fn says_other_in(
    fields: &[(FieldPath, Vec<String>)],
    members: &Members<'_>,
    projection: &Projection,
) -> Option<RecordError> {
    fields.iter().find_map(|(path, own)| {
        match exact::scalar(exact::find(members, path)?) {
            Ok(text) => says_other(path, &text?, own),
            // In a field that is read it is a error of its own.
            Err(_) if projection.slot(path).is_some() => None,
            Err(kind) => Some(other(format!("`{path}` holds {kind}, not {}", one_of(own)))),
        }
    })
}

fn says_other(path: &FieldPath, text: &str, own: &[String]) -> Option<RecordError> {
    let is = |own: &String| own.eq_ignore_ascii_case(text);
    (!own.iter().any(is)).then(|| other(format!("`{path}` is `{}`, not {}", shown(text), one_of(own))))
}

fn other(message: String) -> RecordError {
    RecordError::new(Reason::OtherLog, message)
}

/// "`a`", "`a` or empty".
fn one_of(own: &[String]) -> String {
    let (empty, texts): (Vec<&String>, Vec<&String>) = own.iter().partition(|text| text.is_empty());
    let texts = texts.into_iter().map(|text| format!("`{}`", shown(text)));
    let all: Vec<String> = texts.chain(empty.first().map(|_| "empty".to_owned())).collect();
    all.join(" or ")
}

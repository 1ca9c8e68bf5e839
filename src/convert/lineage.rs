//! Where each field of an event comes from: which rule, which raw field, and what was done to it.
//!
//! This is a second walk of the plan's tree, which keeps reasons instead of writing bytes. That it
//! gives what `event` writes is held by the tests, on every fixture.

use crate::mapping::{
    Choice, Derived, EventMember, EventNode, EventValue, Joined, Plan, TextKind, ValueSource, When, json_text,
};
use crate::record::Fields;
use std::borrow::Cow;
use std::net::IpAddr;

/// What made an event, and what did not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Lineage {
    /// The event's fields, in its order.
    pub(crate) filled: Vec<Filled>,
    /// Rules that gave nothing, in the order of the table.
    pub(crate) skipped: Vec<Skipped>,
}

/// A field of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Filled {
    /// The field, from the event's root, as written there: `security_result[0].summary`.
    pub(crate) path: String,
    /// Its value, as JSON.
    pub(crate) value: String,
    /// The rule, by its place in [`crate::mapping::Mapping::rules`]; nothing for what the
    /// conversion's options add.
    pub(crate) rule: Option<usize>,
    /// The table's line, where a rule has several (the cases of a rule).
    pub(crate) line: Option<usize>,
    /// The raw field, by its place in [`Plan::fields`].
    pub(crate) from: Option<usize>,
    /// What was done, in words.
    pub(crate) how: String,
}

/// A rule that gave nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Skipped {
    /// The rule, by its place in [`crate::mapping::Mapping::rules`].
    pub(crate) rule: usize,
    /// Why, in words.
    pub(crate) why: String,
}

impl Lineage {
    /// The lineage of the event of a record with these fields, which can be converted.
    /// `bad` are the slots of fields that can't be taken.
    pub(super) fn of(plan: &Plan, fields: &Fields<'_>, bad: &[usize]) -> Lineage {
        let mut walk = LineageWalk { plan, fields, bad, skipped: Vec::new() };
        let filled = walk.node(&plan.root, "");
        let mut skipped = walk.skipped;
        skipped.sort_by_key(|skipped| skipped.rule);
        Lineage { filled, skipped }
    }
}

/// A value as JSON, its raw field, what was done, and the line of a case.
type GivenValue = (String, Option<usize>, String, Option<usize>);

struct LineageWalk<'a> {
    plan: &'a Plan,
    fields: &'a Fields<'a>,
    bad: &'a [usize],
    skipped: Vec<Skipped>,
}

impl LineageWalk<'_> {
    /// What a node gives; nothing, if it has no value.
    fn node(&mut self, node: &EventNode, path: &str) -> Vec<Filled> {
        match node {
            EventNode::Object(members) => self.object(members, path),
            EventNode::List(elements) => {
                let (mut filled, mut place) = (Vec::new(), 0);
                for element in elements {
                    for below in self.copies(element, path, &mut place) {
                        filled.extend(below);
                    }
                }
                filled
            }
            EventNode::Value(leaves) => {
                let mut filled: Vec<Filled> = Vec::new();
                for leaf in leaves {
                    if !filled.is_empty() {
                        self.say(leaf.rule, "a rule for the same field came first".to_owned());
                        continue;
                    }
                    match self.leaf(leaf, 0, path) {
                        Ok(fields) => filled = fields,
                        Err(why) => self.say(leaf.rule, why),
                    }
                }
                filled
            }
        }
    }

    /// What the elements give that a node of a list becomes, the first of them at `place`.
    fn copies(&mut self, node: &EventNode, path: &str, place: &mut usize) -> Vec<Vec<Filled>> {
        let each = match node {
            EventNode::Value(leaves) => match &leaves[..] {
                [leaf] => match leaf.value {
                    ValueSource::Each { slot, .. } => Some((leaf, self.fields.count(slot))),
                    ValueSource::RestLabels => Some((leaf, self.fields.rest().len())),
                    _ => None,
                },
                _ => None,
            },
            _ => None,
        };
        let Some((leaf, count @ 2..)) = each else {
            let below = self.node(node, &format!("{path}[{place}]"));
            *place += usize::from(!below.is_empty());
            return vec![below];
        };
        let mut elements = Vec::new();
        for nth in 0..count {
            elements.extend(self.leaf(leaf, nth, &format!("{path}[{}]", *place + elements.len())).ok());
        }
        *place += elements.len();
        if elements.is_empty() {
            let _ = self.leaf(leaf, 0, path).map_err(|why| self.say(leaf.rule, why));
        }
        elements
    }

    fn say(&mut self, rule: Option<usize>, why: String) {
        self.skipped.extend(rule.map(|rule| Skipped { rule, why }));
    }

    fn object(&mut self, members: &[EventMember], path: &str) -> Vec<Filled> {
        let (mut filled, mut hosts) = (Vec::new(), false);
        for member in members {
            let name = &member.name;
            let below = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            let fields = self.node(&member.node, &below);
            hosts |= !member.guest && !fields.is_empty();
            filled.extend(fields);
        }
        if hosts { filled } else { Vec::new() }
    }

    fn leaf(&self, leaf: &EventValue, nth: usize, path: &str) -> Result<Vec<Filled>, String> {
        if let Some(slot) = leaf.only_if.filter(|slot| self.fields[*slot].is_none()) {
            let words = match self.plan.made(slot) {
                Some(Derived::Holds { words, .. }) => words.as_str(),
                _ => "",
            };
            return Err(format!("the condition does not hold: {words}"));
        }
        match leaf.value {
            ValueSource::RestLabels => {
                let rest = self.rest(nth).ok_or_else(String::new)?;
                let key = Filled { path: format!("{path}.key"), value: rest.0, ..rest.2.clone() };
                return Ok(vec![key, Filled { path: format!("{path}.value"), value: rest.1, ..rest.2 }]);
            }
            ValueSource::RestMembers => {
                let member = |nth: usize| {
                    let (_, value, filled) = self.rest(nth)?;
                    let name = self.plan.rest_name(&self.fields.rest()[nth].0);
                    Some(Filled { path: format!("{path}{name}"), value, ..filled })
                };
                let all: Vec<Filled> = (0..self.fields.rest().len()).filter_map(member).collect();
                return if all.is_empty() { Err(String::new()) } else { Ok(all) };
            }
            _ => {}
        }
        let (value, from, how, line) = self.value(&leaf.value, nth)?;
        if value.is_empty() {
            return Err("the enum's zero value is left out".into());
        }
        let field =
            |path: String, value: String, from, how| Filled { path, value, rule: leaf.rule, line, from, how };
        Ok(match &leaf.label {
            None => vec![field(path.to_owned(), value, from, how)],
            Some(label) => {
                // A label is `{"key":"...","value":`.
                let start = String::from_utf8_lossy(label);
                let key = start.strip_prefix("{\"key\":").and_then(|rest| rest.strip_suffix(",\"value\":"));
                vec![
                    field(
                        format!("{path}.key"),
                        key.unwrap_or_default().to_owned(),
                        None,
                        "the rule's label".into(),
                    ),
                    field(format!("{path}.value"), value, from, how),
                ]
            }
        })
    }

    /// The name and the text, as JSON, of the field with this number that no rule takes, and what else is said of it.
    fn rest(&self, nth: usize) -> Option<(String, String, Filled)> {
        let (path, text) = self.fields.rest().get(nth)?;
        let json = |text: &str| {
            let mut out = Vec::new();
            json_text(text, &mut out);
            String::from_utf8_lossy(&out).into_owned()
        };
        let filled = Filled {
            path: String::new(),
            value: String::new(),
            rule: None,
            line: None,
            from: None,
            how: format!("`{path}`, which no rule takes"),
        };
        Some((json(&self.plan.rest_name(path)), json(text), filled))
    }

    /// Whether a text can't be taken, and that is noted.
    fn is_bad(&self, slot: usize, text: &str, kind: TextKind) -> bool {
        self.plan.projection.notes(slot) && kind.refuses(text).is_some()
    }

    /// The value as JSON, its raw field, what was done, and the line of a case.
    fn value(&self, value: &ValueSource, nth: usize) -> Result<GivenValue, String> {
        let json = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        match value {
            ValueSource::Constant(text) => Ok((json(text), None, "the table's fixed value".into(), None)),
            ValueSource::Choices(choices) => match choices.iter().find(|choice| self.fits(choice)) {
                Some(choice) => {
                    let how = format!("the first case that fits: {}", choice.because);
                    Ok((json(&choice.json), None, how, Some(choice.line)))
                }
                None => Err("no case fits".into()),
            },
            ValueSource::Time(time) => {
                let from = &self.plan.times[*time].from;
                for (slot, reading) in from {
                    let Some(text) = &self.fields[*slot] else { continue };
                    // What can't be read is noted, else there is no event.
                    let Ok(instant) = reading.read(text) else { continue };
                    let mut out = Vec::new();
                    json_text(&instant.to_rfc3339(), &mut out);
                    return Ok((json(&out), Some(*slot), format!("read as {reading}"), None));
                }
                Err(format!("{} absent", self.names(from.iter().map(|(slot, _)| *slot))))
            }
            ValueSource::Each { slot, kind } => self.made(*slot, nth, *kind),
            ValueSource::Field { slots, kind, .. } if self.plan.made(slots[0]).is_some() => {
                self.made(slots[0], 0, *kind)
            }
            ValueSource::BadFields if self.bad.is_empty() => Err(String::new()),
            ValueSource::BadFields => {
                let mut out = Vec::new();
                json_text(&self.plan.paths_of(self.bad), &mut out);
                Ok((json(&out), None, "the fields that can't be taken".into(), None))
            }
            ValueSource::RestLabels | ValueSource::RestMembers => Err(String::new()),
            ValueSource::Field { slots, when, kind, default } => {
                let is_taken = |slot: &&usize| {
                    self.fields[**slot].as_deref().is_some_and(|text| !self.is_bad(**slot, text, *kind))
                };
                match (slots.iter().find(is_taken), default) {
                    (Some(slot), _) => {
                        let text = self.fields[*slot].as_deref().unwrap_or_default();
                        let is_ip = text.parse::<IpAddr>().is_ok();
                        let name = &self.plan.projection.paths()[*slot];
                        let how = match when {
                            Some(When::Ip) if !is_ip => return Err(format!("`{name}` is not an IP address")),
                            Some(When::NotIp) if is_ip => return Err(format!("`{name}` is an IP address")),
                            Some(When::Ip) => "as it is, because it is an IP address",
                            Some(When::NotIp) => "as it is, because it is not an IP address",
                            _ => "as it is",
                        };
                        let mut out = Vec::new();
                        kind.json(text, &mut out);
                        Ok((json(&out), Some(*slot), how.into(), None))
                    }
                    (None, Some(text)) => {
                        let absent = self.names(slots.iter().copied());
                        Ok((json(text), None, format!("the table's default: {absent} absent"), None))
                    }
                    (None, None) => Err(format!("{} absent", self.names(slots.iter().copied()))),
                }
            }
        }
    }

    /// A value that a rule makes of fields.
    fn made(&self, slot: usize, nth: usize, kind: TextKind) -> Result<GivenValue, String> {
        let text = match self.plan.made(slot) {
            Some(Derived::Text(text)) => text,
            Some(Derived::Joined(parts)) => {
                let Some(value) = &self.fields[slot] else {
                    let slots = parts.iter().filter_map(|part| match part {
                        Joined::Slot(slot) => Some(*slot).filter(|slot| self.fields[*slot].is_none()),
                        Joined::Text(_) => None,
                    });
                    return Err(format!("{} absent", self.names(slots)));
                };
                let mut out = Vec::new();
                kind.json(value, &mut out);
                let source = self.plan.source(slot, self.fields);
                return Ok((String::from_utf8_lossy(&out).into_owned(), source, "filled in".into(), None));
            }
            _ => return Err(String::new()),
        };
        let source = text.source(self.fields);
        let is_taken = |text: &&Cow<'_, str>| source.is_none_or(|source| !self.is_bad(source, text, kind));
        let value = self.fields.nth(slot, nth).filter(is_taken);
        let Some(value) = value else {
            let Some(source) = source else {
                return Err(format!("{} absent", self.names(text.from.iter().copied())));
            };
            let name = &self.plan.projection.paths()[source];
            let raw = self.fields[source].as_deref().unwrap_or_default();
            return Err(match text.when {
                Some(when) if !when.fits(raw) => format!("`{name}` is {}", when.opposite().words()),
                _ => format!("`{name}` gives nothing{}", text.change),
            });
        };
        let mut out = Vec::new();
        kind.json(value, &mut out);
        let how = match source {
            None => format!("the table's default: {} absent", self.names(text.from.iter().copied())),
            Some(_) => match (text.change.to_string(), text.when) {
                (change, _) if !change.is_empty() => change.trim_start_matches(", ").to_owned(),
                (_, Some(when)) => format!("as it is, because it is {}", when.words()),
                _ => "as it is".to_owned(),
            },
        };
        Ok((String::from_utf8_lossy(&out).into_owned(), source, how, None))
    }

    fn fits(&self, choice: &Choice) -> bool {
        choice.present.iter().all(|slot| self.fields[*slot].is_some())
            && choice.absent.iter().all(|slot| self.fields[*slot].is_none())
    }

    /// "`a` is", "`a`, `b` are".
    fn names(&self, slots: impl Iterator<Item = usize>) -> String {
        let names: Vec<String> =
            slots.map(|slot| format!("`{}`", self.plan.projection.paths()[slot])).collect();
        format!("{} {}", names.join(", "), if names.len() == 1 { "is" } else { "are" })
    }
}

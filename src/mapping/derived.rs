//! Values that a plan makes of fields before it writes an event: what conditions say, and what rules compute.
//!
//! Each has a slot of its own, behind those of the fields. So all that writes or counts events only asks what is in
//! a slot.

use super::condition::Condition;
use super::table::{Change, When};
use super::template::{Template, TemplatePart};
use super::transform;
use crate::record::{FieldPath, Fields, ValueTest};
use std::borrow::Cow;

/// A value that is made of fields.
#[derive(Debug, Clone)]
pub(crate) enum Derived {
    /// Whether all of these slots pass their tests: a text if they do.
    Holds {
        tests: Vec<(usize, ValueTest)>,
        /// The condition in words.
        words: String,
    },
    /// What a rule makes of the first of these slots that has a value.
    Text(Box<DerivedText>),
    /// Texts and the values of slots, if all these have one.
    Joined(Vec<Joined>),
}

/// A part of a text that is put together.
#[derive(Debug, Clone)]
pub(crate) enum Joined {
    Text(String),
    Slot(usize),
}

/// What a rule makes of fields.
#[derive(Debug, Clone)]
pub(crate) struct DerivedText {
    pub(crate) from: Vec<usize>,
    pub(crate) when: Option<When>,
    pub(crate) change: Change,
    pub(crate) default: Option<String>,
    /// A value that is left out: the zero of an enum in a field for one value.
    pub(crate) zero: Option<String>,
}

/// The text of a condition that holds.
const YES: &str = "true";

impl Derived {
    /// The tests of a condition, by slot.
    pub(super) fn holds(condition: &Condition, slot: &mut dyn FnMut(&FieldPath) -> usize) -> Derived {
        let tests = condition.tests.iter().map(|(path, test)| (slot(path), test.clone())).collect();
        Derived::Holds { tests, words: condition.to_string() }
    }

    /// Hands what it is for a record with these fields to `each`.
    pub(super) fn values<'f>(&'f self, fields: &'f Fields<'_>, each: &mut dyn FnMut(Cow<'f, str>)) {
        match self {
            Derived::Holds { tests, .. } => {
                let passes =
                    |(slot, test): &(usize, ValueTest)| test.passes(fields.all(*slot).map(|text| &**text));
                if tests.iter().all(passes) {
                    each(Cow::Borrowed(YES));
                }
            }
            Derived::Text(text) => text.values(fields, each),
            Derived::Joined(parts) => {
                let text = |part: &'f Joined| match part {
                    Joined::Text(text) => Some(text.as_str()),
                    Joined::Slot(slot) => fields[*slot].as_deref(),
                };
                parts
                    .iter()
                    .map(text)
                    .collect::<Option<String>>()
                    .into_iter()
                    .for_each(|text| each(text.into()));
            }
        }
    }

    /// The text that a template makes of fields.
    pub(super) fn joined(template: &Template, slot: &mut dyn FnMut(&FieldPath) -> usize) -> Derived {
        let part = |part: &TemplatePart| match part {
            TemplatePart::Text(text) => Joined::Text(text.clone()),
            TemplatePart::Field(path) => Joined::Slot(slot(path)),
        };
        Derived::Joined(template.parts.iter().map(part).collect())
    }
}

impl DerivedText {
    /// The slot that the value comes from.
    pub(crate) fn source(&self, fields: &Fields<'_>) -> Option<usize> {
        self.from.iter().copied().find(|slot| fields.all(*slot).any(|text| self.counts(text)))
    }

    /// Whether texts are taken as they are.
    pub(crate) fn is_plain(&self) -> bool {
        self.change.is_none() && self.when.is_none() && self.default.is_none() && self.zero.is_none()
    }

    /// Whether a text is not one that stands for nothing.
    pub(crate) fn counts(&self, text: &str) -> bool {
        !self.change.absent.iter().any(|absent| absent == text)
    }

    fn values<'f>(&'f self, fields: &'f Fields<'_>, each: &mut dyn FnMut(Cow<'f, str>)) {
        match self.source(fields) {
            Some(slot) => fields.all(slot).for_each(|text| self.of(text, each)),
            None => self.of_nothing(each),
        }
    }

    /// Hands what is made of one text to `each`.
    pub(crate) fn of<'t>(&'t self, text: &'t str, each: &mut dyn FnMut(Cow<'t, str>)) {
        if !self.counts(text) || self.when.is_some_and(|when| !when.fits(text)) {
            return;
        }
        let mut some = |text: Cow<'t, str>| self.some(text, each);
        transform::apply(&self.change.steps, Cow::Borrowed(text), &mut |text| match &self.change.map {
            None => some(text),
            Some(map) => map.of(&text).into_iter().for_each(|text| some(Cow::Borrowed(text))),
        });
    }

    /// Hands what there is without a text to `each`.
    pub(crate) fn of_nothing<'t>(&'t self, each: &mut dyn FnMut(Cow<'t, str>)) {
        self.default.iter().for_each(|text| self.some(Cow::Borrowed(text), each));
    }

    fn some<'t>(&self, text: Cow<'t, str>, each: &mut dyn FnMut(Cow<'t, str>)) {
        if self.zero.as_deref() != Some(&*text) && !text.is_empty() {
            each(text);
        }
    }
}

impl When {
    /// Whether a value passes the test.
    pub(crate) fn fits(self, text: &str) -> bool {
        let is_ip = || text.parse::<std::net::IpAddr>().is_ok();
        match self {
            When::Ip => is_ip(),
            When::NotIp => !is_ip(),
            When::Phone => transform::is_phone(text),
            When::NotPhone => !transform::is_phone(text),
            When::Email => transform::is_email(text),
            When::NotEmail => !transform::is_email(text),
        }
    }
}

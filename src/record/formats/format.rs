//! The formats in which a mapping's records arrive: which envelopes there are, and how text becomes a record. All of it is
//! data, from a mapping table.

use super::own::Own;
use crate::record::{FieldPath, Projection, ValueTest};
use crate::time::Instant;

/// The formats that a mapping knows besides plain JSON records and arrays of them.
#[derive(Debug, Clone, Default)]
pub struct Formats {
    /// Objects that hold records; the first that fits counts.
    pub envelopes: Vec<EnvelopeRule>,
    /// CEF lines, if they are read.
    pub cef: Option<Cef>,
    /// Lines of key="value" pairs, if they are read.
    pub key_value: Option<KeyValue>,
    /// Which records are the mapping's own.
    pub own: Own,
}

impl Formats {
    /// Keys at the top of an object that say more than a value does that is read: one of them is in every
    /// envelope, and in every record that may belong to another log by a field that `projection` has not.
    pub(crate) fn marks(&self, projection: &Projection) -> Vec<String> {
        let top = |path: &FieldPath| path.keys().first().cloned();
        let is_told = |path: &FieldPath| projection.slot(path).is_some();
        let mut marks = Vec::new();
        for envelope in &self.envelopes {
            let first = envelope.needed().next();
            match (&envelope.holds, first) {
                // Records have it too. But not where an envelope has records.
                (EnvelopeHolds::Records(places), Some(path)) if is_told(path) => {
                    marks.extend(places.iter().filter_map(top));
                }
                (_, path) => marks.extend(path.and_then(top)),
            }
        }
        marks.extend(
            self.own.fields.iter().filter(|(path, _)| !is_told(path)).filter_map(|(path, _)| top(path)),
        );
        marks
    }
}

/// An object that holds records, or an error in their place.
#[derive(Debug, Clone)]
pub struct EnvelopeRule {
    /// What to call it in a message.
    pub name: String,
    /// Fields, and what each must pass. An object or a list passes no test.
    pub when: Vec<(FieldPath, ValueTest)>,
    /// Fields that must be there, with whatever value.
    pub present: Vec<FieldPath>,
    /// What it holds.
    pub holds: EnvelopeHolds,
    /// Whether a text in the place of records is read for the records in it: JSON, or lines as
    /// those of a file.
    pub text: bool,
}

impl EnvelopeRule {
    /// The fields that are in every such object.
    pub(crate) fn needed(&self) -> impl Iterator<Item = &FieldPath> {
        let there = ValueTest::present(true);
        let tested = self.when.iter().filter(move |(_, test)| test.implies(&there)).map(|(path, _)| path);
        tested.chain(&self.present)
    }
}

/// What an [`EnvelopeRule`] holds.
#[derive(Debug, Clone)]
pub enum EnvelopeHolds {
    /// Records: at the first of these fields that holds an array (its elements) or an object (that
    /// one). An object without any of them is not this envelope.
    Records(Vec<FieldPath>),
    /// An error, in the texts at these fields, as far as they are there: code, message, detail.
    Error(Vec<FieldPath>),
}

/// How the fields of a CEF line (ArcSight's Common Event Format) become a record.
#[derive(Debug, Clone, Default)]
pub struct Cef {
    /// Names in CEF (labels where there are labels) and what the record calls them.
    pub rename: Vec<(String, String)>,
    /// Names in CEF whose values are milliseconds since 1970 and become seconds, each with the
    /// earliest time that is one: what lies before looks like seconds.
    pub milliseconds: Vec<(String, Option<Instant>)>,
    /// Values that stand for "nothing".
    pub absent: Vec<String>,
}

/// How a line of key="value" pairs becomes a record.
#[derive(Debug, Clone, Default)]
pub struct KeyValue {
    /// The field that a bare number before the first pair is.
    pub lead: Option<String>,
}

/// The form in which a record was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Format {
    /// An object of its own.
    Plain,
    /// An element of an array.
    Array,
    /// Inside an envelope.
    Envelope,
    /// A CEF line.
    Cef,
    /// A line of key="value" pairs.
    KeyValue,
}

impl Format {
    /// Every form.
    pub const ALL: [Format; 5] =
        [Format::Plain, Format::Array, Format::Envelope, Format::Cef, Format::KeyValue];

    /// The form's name in summaries.
    pub fn name(self) -> &'static str {
        match self {
            Format::Plain => "plain",
            Format::Array => "array",
            Format::Envelope => "envelope",
            Format::Cef => "cef",
            Format::KeyValue => "key-value",
        }
    }
}

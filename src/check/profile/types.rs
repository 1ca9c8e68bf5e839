//! The profile of a log.

use super::amount::Amount;
use serde::Serialize;
use std::collections::BTreeMap;

/// The profile of a log, ready to be shown.
#[derive(Debug, Serialize)]
pub(crate) struct Profile {
    pub(crate) mapping: String,
    pub(crate) inputs: Vec<String>,
    pub(crate) failures: Vec<String>,
    pub(crate) bytes: u64,
    pub(crate) seconds: f64,
    pub(crate) records: u64,
    pub(crate) rejects: BTreeMap<&'static str, u64>,
    pub(crate) formats: BTreeMap<&'static str, u64>,
    /// Which logs are in it, by the tables of a set.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) tables: Vec<TableUse>,
    pub(crate) shapes: Vec<Shape>,
    pub(crate) fields: Vec<Field>,
    /// Values in fields beyond those that are counted one by one.
    pub(crate) fields_not_counted: u64,
    pub(crate) first: Option<String>,
    pub(crate) last: Option<String>,
    pub(crate) unit: &'static str,
    pub(crate) times: Vec<Bucket>,
    /// Records with times before or after these.
    pub(crate) outside: u64,
    pub(crate) changes: Vec<String>,
    pub(crate) rules: Vec<RuleUse>,
    /// Values that are not among the documented ones.
    pub(crate) new_values: Vec<NewValue>,
    /// Rejects by reason, the most frequent first.
    pub(crate) reject_reasons: Vec<RejectReason>,
    /// The inputs with most rejects.
    pub(crate) reject_inputs: Vec<RejectInput>,
    /// How many more inputs have rejects; beyond 10,000 they are not counted.
    pub(crate) more_reject_inputs: u64,
    /// Events by their type, the most frequent first.
    pub(crate) event_types: Vec<EventTypeUse>,
    /// Records by weekday (Monday first) and hour, both in UTC.
    pub(crate) hours: [[u64; 24]; 7],
    /// Days between others without records; nothing, where days are not counted one by one.
    pub(crate) empty_days: Option<EmptyDays>,
    /// What the table has summed up.
    pub(crate) sums: Vec<Sum>,
    /// Names of records that come more than once.
    pub(crate) repeated: Vec<RepeatedNames>,
    /// Which raw fields went into which UDM fields, those of most events first.
    pub(crate) flows: Vec<Flow>,
}

/// Rejects with one reason.
#[derive(Debug, Serialize)]
pub(crate) struct RejectReason {
    pub(crate) reason: &'static str,
    pub(crate) rejects: u64,
    /// For each of [`Profile::times`]. A reject without a time counts with the records around it.
    pub(crate) by_time: Vec<u64>,
    pub(crate) first: Option<RejectExample>,
}

/// The rejects of an input.
#[derive(Debug, Serialize)]
pub(crate) struct RejectInput {
    pub(crate) input: String,
    pub(crate) rejects: u64,
    pub(crate) by_reason: BTreeMap<&'static str, u64>,
    pub(crate) first: Option<RejectExample>,
}

/// A reject, where it is.
#[derive(Debug, Serialize)]
pub(crate) struct RejectExample {
    pub(crate) input: String,
    pub(crate) line: u64,
    /// Why; nothing, if values are left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) message: Option<String>,
}

/// Events of one type.
#[derive(Debug, Serialize)]
pub(crate) struct EventTypeUse {
    pub(crate) event_type: String,
    pub(crate) events: u64,
    /// For each of [`Profile::times`].
    pub(crate) by_time: Vec<u64>,
}

/// Days without records.
#[derive(Debug, Default, Serialize)]
pub(crate) struct EmptyDays {
    pub(crate) days: u64,
    /// The first and the last day of each range.
    pub(crate) ranges: Vec<(String, String)>,
    pub(crate) more_ranges: u64,
}

/// A field of a table that is summed up.
#[derive(Debug, Serialize)]
pub(crate) struct Sum {
    pub(crate) table: String,
    pub(crate) field: String,
    pub(crate) total: Amount,
    /// Records with a number.
    pub(crate) records: u64,
    /// Records with something else in the field.
    pub(crate) not_numbers: u64,
    /// For each of [`Profile::times`].
    pub(crate) by_time: Vec<Amount>,
    /// The days (or months) with the highest sums.
    pub(crate) highest_days: Vec<(String, Amount)>,
    /// The field by which the sums are taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) by: Option<String>,
    /// Its values with the highest sums.
    pub(crate) highest: Vec<SumOf>,
    /// How many values were counted one by one.
    pub(crate) values: u64,
    /// If there were too many: sums may be higher by up to this, and no value with more is missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) missing: Option<Amount>,
    /// Records with values too long to be counted.
    pub(crate) too_long: u64,
}

/// The sum of a value.
#[derive(Debug, Serialize)]
pub(crate) struct SumOf {
    pub(crate) value: String,
    pub(crate) sum: Amount,
    pub(crate) records: u64,
}

/// Names of a table's records that come more than once.
#[derive(Debug, Serialize)]
pub(crate) struct RepeatedNames {
    pub(crate) table: String,
    pub(crate) field: String,
    /// How many come more than once.
    pub(crate) values: u64,
    /// How many records have them.
    pub(crate) records: u64,
    /// There were too many names to look at all: at least these.
    pub(crate) is_lower_bound: bool,
    /// The most frequent ones.
    pub(crate) examples: Vec<(String, u64)>,
}

/// The way of values from a raw field to a UDM field.
#[derive(Debug, Serialize)]
pub(crate) struct Flow {
    pub(crate) from: String,
    pub(crate) to: String,
    /// In how many events.
    pub(crate) events: u64,
}

/// A table of a set, and what of the log belongs to it.
#[derive(Debug, Serialize)]
pub(crate) struct TableUse {
    pub(crate) table: String,
    pub(crate) log_type: String,
    pub(crate) records: u64,
    /// Of all records, from 0 to 1.
    pub(crate) share: f64,
    pub(crate) events: u64,
}

/// A shape of record by the mapping.
#[derive(Debug, Serialize)]
pub(crate) struct Shape {
    pub(crate) name: String,
    pub(crate) records: u64,
    pub(crate) first: Option<String>,
    pub(crate) last: Option<String>,
}

/// A raw field.
#[derive(Debug, Serialize)]
pub(crate) struct Field {
    pub(crate) name: String,
    /// Whether the mapping reads it.
    pub(crate) read: bool,
    pub(crate) present: u64,
    pub(crate) empty: u64,
    pub(crate) types: BTreeMap<&'static str, u64>,
    /// About how many different values; exact up to some thousand.
    pub(crate) distinct: u64,
    pub(crate) shortest: u64,
    pub(crate) longest: u64,
    /// The most frequent values, where there are few different ones.
    pub(crate) values: Vec<(String, u64)>,
}

/// A part of the time that the log spans.
#[derive(Debug, Serialize)]
pub(crate) struct Bucket {
    pub(crate) from: String,
    pub(crate) records: u64,
    /// Records by shape, in the order of [`Profile::shapes`].
    pub(crate) by_shape: Vec<u64>,
}

/// A part of the mapping's table.
#[derive(Debug, Serialize)]
pub(crate) struct RuleUse {
    pub(crate) rule: String,
    pub(crate) events: u64,
}

/// A value that is not documented.
#[derive(Debug, Serialize)]
pub(crate) struct NewValue {
    pub(crate) field: String,
    pub(crate) value: String,
    pub(crate) records: u64,
}

impl Profile {
    /// How many records belong to no table of the set.
    pub(crate) fn in_no_table(&self) -> u64 {
        self.records - self.tables.iter().map(|table| table.records).sum::<u64>()
    }

    /// How many records make no event.
    pub(crate) fn rejected(&self) -> u64 {
        self.rejects.values().sum()
    }
}

//! The profile of a log.

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

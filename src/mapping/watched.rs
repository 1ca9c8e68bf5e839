//! `[profile]`: fields of a log that its profile looks at more closely.

use super::document::{TomlTable, field};
use crate::record::FieldPath;

/// Fields that a profile looks at more closely than at others.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WatchedFields {
    /// What names a record: a value that comes twice is worth a word.
    pub id: Option<FieldPath>,
    /// A number that is summed up, in all and by day.
    pub sum: Option<FieldPath>,
    /// The sums are also taken by what this field holds.
    pub by: Option<FieldPath>,
}

/// Reads the section.
pub(super) fn read(keys: &TomlTable<'_>) -> WatchedFields {
    keys.only(&["id", "sum", "by"]);
    let path = |key: &str| {
        let item = keys.get(key)?;
        field(keys.file(), &item.text()?, &item.at())
    };
    let watched = WatchedFields { id: path("id"), sum: path("sum"), by: path("by") };
    if let (Some(by), None) = (keys.get("by"), keys.get("sum")) {
        by.report("`by` goes only with `sum`: it says by what the sums are taken");
    }
    watched
}

//! The fields of a record that its table [watches](WatchedFields).

use super::amount::Amount;
use super::highest::Highest;
use crate::json::Kind;
use crate::mapping::WatchedFields;

/// The names of the fields that a table watches, by their places.
pub(super) type Watched = [Option<String>; 3];

/// The places of what names a record, of what is summed up, and of what the sums are taken by.
pub(super) const ID: usize = 0;
pub(super) const SUM: usize = 1;
pub(super) const BY: usize = 2;

pub(super) fn names(fields: &WatchedFields) -> Watched {
    [&fields.id, &fields.sum, &fields.by].map(|path| path.as_ref().map(ToString::to_string))
}

/// The sums of a table.
#[derive(Debug, Default)]
pub(super) struct Sums {
    pub(super) total: Amount,
    /// Records with a number.
    pub(super) records: u64,
    /// Records with something else.
    pub(super) not_numbers: u64,
    pub(super) by: Highest,
}

impl Sums {
    pub(super) fn merge(&mut self, other: Sums) {
        self.total += other.total;
        self.records += other.records;
        self.not_numbers += other.not_numbers;
        self.by.merge(other.by);
    }
}

/// The values of a record that its table watches.
#[derive(Debug, Default)]
pub(super) struct WatchedValues {
    table: Option<usize>,
    values: [Option<String>; 3],
}

impl WatchedValues {
    /// Begins with a record of this table.
    pub(super) fn begin(&mut self, table: Option<usize>) {
        self.table = table;
        self.values = [None, None, None];
    }

    /// Takes the value of a field, if it is watched. Of two the last counts.
    pub(super) fn take(&mut self, tables: &[Watched], path: &str, value: &str, kind: Kind) {
        let Some(table) = self.table else { return };
        for (watched, mine) in tables[table].iter().zip(&mut self.values) {
            if watched.as_deref() == Some(path) {
                *mine = (kind != Kind::Null).then(|| value.to_owned());
            }
        }
    }

    pub(super) fn values(&self) -> [Option<&str>; 3] {
        self.values.each_ref().map(Option::as_deref)
    }
}

//! Several tables for one log: to which of them a record belongs.
//!
//! First what its envelopes and its own text say, then its fields, in the order of the tables: `docs/mapping.md` has the
//! rules. A table that is alone takes all records.

use super::format::Formats;
use crate::record::exact::{self, Members};
use crate::record::{FieldPath, Projection, Reason, RecordError, ValueTest};
use crate::text::shown;

/// The most tables of a set: a [`TablesLeft`] has room for no more.
pub(crate) const MOST_TABLES: usize = 64;

/// What is read of records, and how.
pub trait ReadsRecords {
    /// The formats in which they arrive.
    fn formats(&self) -> &Formats;
    /// The fields that are read.
    fn projection(&self) -> &Projection;
}

/// The tables that records are for: one, or a set.
#[derive(Debug, Clone)]
pub struct Tables<T> {
    /// The tables, the first of which decides where several could.
    pub all: Vec<T>,
    /// What makes a record one of theirs; nothing if there is only one.
    pub sorting: Sorting,
}

/// What says to which table a record belongs.
#[derive(Debug, Clone, Default)]
pub struct Sorting {
    /// The fields whose text names the log, in a record or an envelope around it. The first that is present counts.
    pub log_fields: Vec<FieldPath>,
    /// For each table what is its own.
    pub belongs: Vec<Belongs>,
}

/// What makes a record a table's own.
#[derive(Debug, Clone, Default)]
pub struct Belongs {
    /// What its log is called, the case of ASCII letters aside.
    pub log: Vec<String>,
    /// Conditions of which one holds.
    pub own: Vec<Vec<(FieldPath, ValueTest)>>,
}

/// The tables that are left for what is in an envelope.
#[derive(Debug, Clone, Copy)]
pub struct TablesLeft {
    bits: u64,
    /// Whether an envelope was opened.
    is_inside: bool,
}

impl<T> Tables<T> {
    /// A table alone.
    pub fn one(table: T) -> Tables<T> {
        Tables { all: vec![table], sorting: Sorting::default() }
    }

    /// All of them.
    pub fn left(&self) -> TablesLeft {
        let bits = if self.all.len() < MOST_TABLES { (1 << self.all.len()) - 1 } else { u64::MAX };
        TablesLeft { bits, is_inside: false }
    }

    /// Those that are left, with their numbers.
    pub(super) fn these(&self, left: TablesLeft) -> impl Iterator<Item = (usize, &T)> {
        self.all.iter().enumerate().filter(move |(number, _)| left.has(*number))
    }

    /// The table that the record with these members belongs to.
    ///
    /// # Errors
    /// If it belongs to none.
    pub(super) fn of(&self, members: &Members<'_>, left: TablesLeft) -> Result<usize, RecordError> {
        match self.all.len() {
            1 => Ok(0),
            _ => self.sorting.of(members, left),
        }
    }
}

impl TablesLeft {
    /// Whether this table is left.
    pub fn has(self, table: usize) -> bool {
        self.bits >> table & 1 == 1
    }

    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self.bits == 0
    }

    /// No table, to which some are [added](Self::add), inside an envelope.
    pub fn none_inside() -> TablesLeft {
        TablesLeft { bits: 0, is_inside: true }
    }

    /// Adds a table.
    pub fn add(&mut self, table: usize) {
        self.bits |= 1 << table;
    }

    pub(super) fn remove(&mut self, table: usize) {
        self.bits &= !(1 << table);
    }

    /// Whether it is what an envelope left.
    pub fn is_inside(self) -> bool {
        self.is_inside
    }

    /// Leaves this table alone, if it is among them.
    pub(super) fn keep(&mut self, table: usize) {
        self.bits &= 1 << table;
    }
}

impl Sorting {
    /// The table whose log an object's members name, if they name one.
    ///
    /// # Errors
    /// If it is none of those that are left.
    pub(super) fn named(
        &self,
        members: &Members<'_>,
        left: TablesLeft,
    ) -> Result<Option<usize>, RecordError> {
        let named = self.log_fields.iter().find_map(|path| Some((path, exact::find_text(members, path)?)));
        let Some((path, name)) = named else { return Ok(None) };
        let is_called = |belongs: &Belongs| belongs.log.iter().any(|log| log.eq_ignore_ascii_case(&name));
        let refuse = |why: &str| Err(other(format!("`{path}` is `{}`, {why}", shown(&name))));
        match self.belongs.iter().position(is_called) {
            Some(table) if left.has(table) => Ok(Some(table)),
            Some(_) => refuse("but what is around it is of another log"),
            None => refuse("and no table of the set is for a log of that name"),
        }
    }

    fn of(&self, members: &Members<'_>, left: TablesLeft) -> Result<usize, RecordError> {
        if let Some(table) = self.named(members, left)? {
            return Ok(table);
        }
        let holds = |condition: &Vec<(FieldPath, ValueTest)>| {
            condition
                .iter()
                .all(|(path, test)| test.passes(exact::find_text(members, path).as_deref().into_iter()))
        };
        let mut those_left = self.belongs.iter().enumerate().filter(|(table, _)| left.has(*table));
        let own = match left.is_inside && left.bits.count_ones() == 1 {
            true => those_left.next(),
            false => those_left.find(|(_, belongs)| belongs.own.iter().any(holds)),
        };
        own.map(|(table, _)| table).ok_or_else(unknown)
    }
}

fn unknown() -> RecordError {
    other("no table of the set takes the record: nothing in it says which log it is of".to_owned())
}

fn other(message: String) -> RecordError {
    RecordError::new(Reason::OtherLog, message)
}

//! Counts of a conversion: records read, events, and rejects.

use crate::mapping::{Choice, Plan};
use crate::record::Reason;
use crate::record::formats::Format;
use std::collections::BTreeMap;

/// Counts of a conversion, or of a part of one. They always balance: `records` is `events` plus
/// `rejects` plus `outside`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Counts {
    /// Records read.
    pub records: u64,
    /// Events written.
    pub events: u64,
    /// Records that could not be converted.
    pub rejects: u64,
    /// Records whose time is outside of the range that was asked for: neither event nor reject.
    pub outside: u64,
    /// Blank lines.
    pub blank: u64,
    /// Bytes of input, after decompression.
    pub bytes_in: u64,
    /// Bytes of events.
    pub bytes_out: u64,
    /// Rejects by reason.
    pub by_reason: BTreeMap<Reason, u64>,
    /// Records by the form they came in.
    pub by_format: BTreeMap<Format, u64>,
    /// Records by the mapping's shapes; what fits none is `other`, what can't be read `unreadable`.
    pub by_shape: BTreeMap<String, u64>,
    /// Events by the rule that chose their event type.
    pub by_event_type: Vec<EventTypeCount>,
    /// Records that belong to each table of a set, with how many of them became events. Empty for a table that is alone.
    pub by_table: Vec<TableCount>,
    /// Fields that could not be taken in events that were made all the same, by their paths.
    pub bad_fields: BTreeMap<String, u64>,
}

/// How many records belong to a table of a set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableCount {
    /// The table.
    pub table: String,
    /// Records that belong to it.
    pub records: u64,
    /// Events that they became.
    pub events: u64,
}

/// How many events one rule of the table gave their event type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventTypeCount {
    /// The table, if it is one of a set.
    pub table: Option<String>,
    /// The event type.
    pub event_type: String,
    /// The rule's test, in words: "with `host`".
    pub because: String,
    /// The rule's line in the table file.
    pub line: usize,
    /// How many.
    pub events: u64,
}

impl Counts {
    pub(crate) fn new(plans: &[Plan]) -> Counts {
        let count = |(plan, choice): (&Plan, &Choice)| EventTypeCount {
            table: plan.name.clone(),
            event_type: choice.text.clone(),
            because: choice.because.clone(),
            line: choice.line,
            events: 0,
        };
        let choices = plans.iter().flat_map(|plan| plan.event_types.iter().map(move |choice| (plan, choice)));
        let table = |plan: &Plan| Some(TableCount { table: plan.name.clone()?, records: 0, events: 0 });
        Counts {
            by_event_type: choices.map(count).collect(),
            by_table: plans.iter().filter_map(table).collect(),
            ..Counts::default()
        }
    }

    /// Sets every count to nothing.
    pub(crate) fn clear(&mut self) {
        let by_event_type = std::mem::take(&mut self.by_event_type);
        let by_table = std::mem::take(&mut self.by_table);
        *self = Counts { by_event_type, by_table, ..Counts::default() };
        self.by_event_type.iter_mut().for_each(|count| count.events = 0);
        self.by_table.iter_mut().for_each(|count| (count.records, count.events) = (0, 0));
    }

    /// Adds the counts of another part of the same conversion.
    pub fn add(&mut self, other: &Counts) {
        self.records += other.records;
        self.events += other.events;
        self.rejects += other.rejects;
        self.outside += other.outside;
        self.blank += other.blank;
        self.bytes_in += other.bytes_in;
        self.bytes_out += other.bytes_out;
        other.by_reason.iter().for_each(|(reason, n)| *self.by_reason.entry(*reason).or_default() += n);
        other.by_format.iter().for_each(|(format, n)| *self.by_format.entry(*format).or_default() += n);
        for (shape, n) in &other.by_shape {
            match self.by_shape.get_mut(shape) {
                Some(count) => *count += n,
                None => drop(self.by_shape.insert(shape.clone(), *n)),
            }
        }
        for (path, n) in &other.bad_fields {
            match self.bad_fields.get_mut(path) {
                Some(count) => *count += n,
                None => drop(self.bad_fields.insert(path.clone(), *n)),
            }
        }
        for (mine, theirs) in self.by_event_type.iter_mut().zip(&other.by_event_type) {
            mine.events += theirs.events;
        }
        for (mine, theirs) in self.by_table.iter_mut().zip(&other.by_table) {
            mine.records += theirs.records;
            mine.events += theirs.events;
        }
    }

    /// Counts a record of a table and the events that it became, if the table is one of a set.
    pub(crate) fn of_table(&mut self, table: usize, events: u64) {
        if let Some(count) = self.by_table.get_mut(table) {
            count.records += 1;
            count.events += events;
        }
    }

    /// Whether the books balance; they always do, and reports say so.
    pub fn balances(&self) -> bool {
        self.records == self.events + self.rejects + self.outside
            && self.rejects == self.by_reason.values().sum::<u64>()
            && self.records == self.by_format.values().sum::<u64>()
            && self.records == self.by_shape.values().sum::<u64>()
            && self.events == self.by_event_type.iter().map(|count| count.events).sum::<u64>()
    }
}

//! Counts over records, in bounded memory and by many threads: parts are gathered apart and merged.

use super::field::{FieldStat, ValueRoom};
use crate::convert::{Converter, Traced};
use crate::json::{Kind, Tree, Value};
use crate::mapping::Mapping;
use crate::record::each_leaf;
use crate::record::formats::Format;
use crate::text::cut;
use foldhash::fast::FixedState;
use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;

/// How many fields are told apart.
const MOST_FIELDS: usize = 2_000;
/// How many kinds of record (by the fields that they have) are kept with an example.
const MOST_KINDS: usize = 4_096;
/// How many days are told apart; a log that spans more is counted by months.
const MOST_DAYS: usize = 20_000;
const SECONDS_A_DAY: i64 = 86_400;

/// How many bytes a field's name may have.
const LONGEST_NAME: usize = 1_000;
/// How much of a value is kept in an example of a kind: what rules ask for is shorter.
const LONGEST_VALUE: usize = 500;

/// The fields of a record, kept.
type Sample = Vec<Option<String>>;

/// What was counted.
#[derive(Debug, Default)]
pub(crate) struct Gathered {
    pub(crate) records: u64,
    pub(crate) rejects: BTreeMap<&'static str, u64>,
    pub(crate) formats: BTreeMap<&'static str, u64>,
    /// Records by shape, with the first and the last second.
    pub(crate) shapes: BTreeMap<String, (u64, Option<(i64, i64)>)>,
    pub(crate) fields: HashMap<String, FieldStat, FixedState>,
    pub(crate) fields_not_counted: u64,
    /// Records by day and shape.
    pub(crate) days: BTreeMap<i64, BTreeMap<String, u64>>,
    /// Kinds of record by the fields that they have, with how many make an event, and one of them.
    pub(crate) kinds: HashMap<Vec<u8>, (u64, Sample), FixedState>,
    /// Bytes that values may still take.
    room: ValueRoom,
    tree: Tree,
    path: String,
}

impl Gathered {
    /// Counts a record.
    pub(crate) fn add(&mut self, converter: &Converter, mapping: &Mapping, record: &Traced<'_>) {
        self.records += 1;
        *self.formats.entry(record.format.name()).or_default() += 1;
        let fault = match &record.fields {
            Err(fault) => Some(fault.reason),
            Ok(fields) => {
                let shape = converter.shape_of(fields);
                let time = converter.time_of(fields);
                self.shape(shape, time);
                let event = converter.event(fields);
                if event.is_ok() {
                    self.kind(fields);
                }
                event.err().map(|fault| fault.reason)
            }
        };
        if let Some(reason) = fault {
            *self.rejects.entry(reason.code()).or_default() += 1;
        }
        if matches!(record.format, Format::Cef | Format::KeyValue) {
            each_leaf(record.raw, record.format, mapping.formats(), &mut |leaf| {
                self.count(&leaf.path(), &leaf.value, leaf.kind);
            });
        } else {
            let mut tree = std::mem::take(&mut self.tree);
            if let Ok(root) = tree.read(record.raw) {
                self.path.clear();
                self.below(root);
            }
            self.tree = tree;
        }
    }

    fn below(&mut self, value: Value<'_>) {
        for member in value.children() {
            let length = self.path.len();
            // What is below a name that is too long has a name that is.
            if length <= LONGEST_NAME {
                if length > 0 {
                    self.path.push('.');
                }
                let key = member.key();
                if key.contains(['.', '"']) || key.is_empty() {
                    self.path.push_str(&serde_json::Value::from(key.as_ref()).to_string());
                } else {
                    self.path.push_str(&key);
                }
            }
            if member.kind() == Kind::Object && !member.is_empty() {
                self.below(member);
            } else {
                let path = std::mem::take(&mut self.path);
                self.count(&path, &member.text(), member.kind());
                self.path = path;
            }
            self.path.truncate(length);
        }
    }

    fn count(&mut self, path: &str, value: &str, kind: Kind) {
        if path.len() > LONGEST_NAME {
            self.fields_not_counted += 1;
            return;
        }
        let room = self.fields.len() < MOST_FIELDS;
        match self.fields.get_mut(path) {
            Some(stat) => stat.add(value, kind, &mut self.room),
            None if room => {
                let mut stat = FieldStat::default();
                stat.add(value, kind, &mut self.room);
                self.fields.insert(path.to_owned(), stat);
            }
            None => self.fields_not_counted += 1,
        }
    }

    fn shape(&mut self, shape: &str, time: Option<i64>) {
        if !self.shapes.contains_key(shape) {
            self.shapes.insert(shape.to_owned(), (0, None));
        }
        if let Some((n, range)) = self.shapes.get_mut(shape) {
            *n += 1;
            if let Some(time) = time {
                *range = Some(range.map_or((time, time), |(first, last)| (first.min(time), last.max(time))));
            }
        }
        if let Some(time) = time {
            let by_shape = self.days.entry(time.div_euclid(SECONDS_A_DAY)).or_default();
            match by_shape.get_mut(shape) {
                Some(n) => *n += 1,
                None => drop(by_shape.insert(shape.to_owned(), 1)),
            }
            if self.days.len() > MOST_DAYS {
                self.coarsen();
            }
        }
    }

    /// Counts by the first days of months from now on: at most 120,000 of them fit the years.
    fn coarsen(&mut self) {
        for (day, by_shape) in std::mem::take(&mut self.days) {
            let first = self::day(day).map_or(day, |date| day - i64::from(chrono::Datelike::day0(&date)));
            let month = self.days.entry(first).or_default();
            by_shape.into_iter().for_each(|(shape, n)| *month.entry(shape).or_default() += n);
        }
    }

    /// Whether days are those of months.
    pub(crate) fn is_coarse(&self) -> bool {
        self.days.len() > 1
            && self.days.keys().all(|day| self::day(*day).is_some_and(|d| chrono::Datelike::day0(&d) == 0))
    }

    /// Records of one kind take the same way through the mapping.
    fn kind(&mut self, fields: &crate::record::Fields<'_>) {
        let key: Vec<u8> = fields
            .iter()
            .map(|field| match field {
                None => 0,
                Some(text) => 1 + u8::from(text.parse::<IpAddr>().is_ok()),
            })
            .collect();
        let room = self.kinds.len() < MOST_KINDS;
        match self.kinds.get_mut(&key) {
            Some((n, _)) => *n += 1,
            None if room => {
                let kept = |text: &str| cut(text, LONGEST_VALUE).into_owned();
                let sample = fields.iter().map(|field| field.as_deref().map(kept)).collect();
                self.kinds.insert(key, (1, sample));
            }
            None => {}
        }
    }

    /// Adds the counts of another part of the log.
    pub(crate) fn merge(&mut self, other: Gathered) {
        self.records += other.records;
        self.fields_not_counted += other.fields_not_counted;
        other.rejects.into_iter().for_each(|(reason, n)| *self.rejects.entry(reason).or_default() += n);
        other.formats.into_iter().for_each(|(format, n)| *self.formats.entry(format).or_default() += n);
        for (shape, (n, range)) in other.shapes {
            let mine = self.shapes.entry(shape).or_default();
            mine.0 += n;
            mine.1 = match (mine.1, range) {
                (Some((a, b)), Some((c, d))) => Some((a.min(c), b.max(d))),
                (mine, theirs) => mine.or(theirs),
            };
        }
        for (name, stat) in other.fields {
            let room = self.fields.len() < MOST_FIELDS;
            match self.fields.get_mut(&name) {
                Some(mine) => mine.merge(stat, &mut self.room),
                None if room => {
                    let mut mine = FieldStat::default();
                    mine.merge(stat, &mut self.room);
                    self.fields.insert(name, mine);
                }
                None => self.fields_not_counted += stat.present(),
            }
        }
        for (day, by_shape) in other.days {
            let mine = self.days.entry(day).or_default();
            by_shape.into_iter().for_each(|(shape, n)| *mine.entry(shape).or_default() += n);
        }
        if self.days.len() > MOST_DAYS {
            self.coarsen();
        }
        for (key, (n, sample)) in other.kinds {
            let room = self.kinds.len() < MOST_KINDS;
            match self.kinds.get_mut(&key) {
                Some((mine, _)) => *mine += n,
                None if room => drop(self.kinds.insert(key, (n, sample))),
                None => {}
            }
        }
    }
}

/// The date of a day, counted from 1970.
pub(crate) fn day(day: i64) -> Option<chrono::NaiveDate> {
    chrono::DateTime::from_timestamp(day * SECONDS_A_DAY, 0).map(|time| time.date_naive())
}

//! Counts over records, in bounded memory and by many threads: parts are gathered apart and merged.

use super::field::{FieldStat, ValueRoom};
use super::known::{CountedField, KnownRecords, Learning, LogReader};
use crate::check::explain::formats_of;
use crate::convert::Traced;
use crate::json::{Kind, Tree, Value};
use crate::record::formats::Format;
use crate::record::frame::Unit;
use crate::record::{Fields, each_field};
use crate::text::cut;
use foldhash::fast::FixedState;
use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;

/// How many fields are counted one by one.
const MOST_FIELDS: usize = 2_000;
/// How many kinds of record (by the fields that they have) are kept with an example.
const MOST_KINDS: usize = 4_096;
/// How many days are counted one by one; a log that spans more is counted by months.
const MOST_DAYS: usize = 20_000;
const SECONDS_A_DAY: i64 = 86_400;

/// How many bytes a field's name may have.
const LONGEST_NAME: usize = 1_000;
/// How much of a value is kept in an example of a kind: what rules ask for is shorter.
const LONGEST_VALUE: usize = 500;
/// The same where what a value holds decides over an event.
const LONGEST_DECIDING: usize = 1 << 13;

/// The table and the fields of a record, kept.
type Sample = (usize, Fields<'static>);

/// What was counted.
#[derive(Debug, Default)]
pub(crate) struct Gathered {
    pub(crate) records: u64,
    pub(crate) rejects: BTreeMap<&'static str, u64>,
    pub(crate) formats: BTreeMap<&'static str, u64>,
    /// Records by the number of their table, and how many of them make an event.
    pub(crate) tables: BTreeMap<usize, u64>,
    pub(crate) events: BTreeMap<usize, u64>,
    /// Records by shape, with the first and the last second.
    pub(crate) shapes: BTreeMap<String, (u64, Option<(i64, i64)>)>,
    fields: Vec<(String, FieldStat)>,
    /// The places of fields among these.
    field_places: HashMap<String, usize, FixedState>,
    pub(crate) fields_not_counted: u64,
    /// Records by day and shape.
    pub(crate) days: BTreeMap<i64, BTreeMap<String, u64>>,
    /// Kinds of record by the fields that they have, with how many make an event, and one of them.
    pub(crate) kinds: HashMap<Vec<u8>, (u64, Sample), FixedState>,
    /// Bytes that values may still take.
    room: ValueRoom,
    tree: Tree,
    path: String,
    known: KnownRecords,
    /// The fields of the record that is read, if somebody learns from it.
    learning: Option<Learning>,
}

impl Gathered {
    /// Counts the records of a unit.
    pub(super) fn add(&mut self, log: &LogReader<'_>, unit: &Unit, bytes: &[u8]) {
        log.converter.trace_unit(unit, bytes, &mut |record| {
            let learns = log.learns && record.raw.len() == bytes.len() && record.format == Format::Plain;
            self.add_record(log, record, learns);
        });
    }

    /// Counts a unit that is a record which looks like an earlier one; whether it is.
    pub(super) fn add_known(&mut self, log: &LogReader<'_>, unit: &[u8]) -> bool {
        let mut known = std::mem::take(&mut self.known);
        let is_known = known.read(unit, &mut |record, text, values| {
            self.records += 1;
            *self.formats.entry(Format::Plain.name()).or_default() += 1;
            self.outcome(log, 0, &record.shape, &record.fields(text, values));
            for CountedField { place, kind, value } in &record.counted {
                let value = value.text(text, values);
                match place.and_then(|place| self.fields.get_mut(place)) {
                    Some((_, stat)) => stat.add(value, *kind, &mut self.room),
                    None => self.fields_not_counted += 1,
                }
            }
        });
        self.known = known;
        is_known
    }

    /// Counts what becomes of a record with these fields.
    fn outcome(&mut self, log: &LogReader<'_>, table: usize, shape: &str, fields: &Fields<'_>) {
        let (time, error) = log.converter.time_and_error(table, fields, log.only_times[table]);
        self.shape(shape, time);
        match error {
            Some(error) => *self.rejects.entry(error.reason.code()).or_default() += 1,
            None => {
                *self.events.entry(table).or_default() += 1;
                self.kind(log, table, fields);
            }
        }
    }

    /// Counts a record; `learns` says that others may look like it.
    pub(super) fn add_record(&mut self, log: &LogReader<'_>, record: &Traced<'_>, learns: bool) {
        self.records += 1;
        *self.formats.entry(record.format.name()).or_default() += 1;
        if let Some(table) = record.table {
            *self.tables.entry(table).or_default() += 1;
        }
        match &record.fields {
            Err(error) => *self.rejects.entry(error.reason.code()).or_default() += 1,
            Ok(fields) => {
                // A record with fields has a table.
                let table = record.table.unwrap_or_default();
                self.outcome(log, table, log.converter.shape_of(table, fields), fields);
            }
        }
        if matches!(record.format, Format::Cef | Format::KeyValue) {
            each_field(record.raw, record.format, formats_of(&log.tables, record), &mut |leaf| {
                self.count(&leaf.path(), &leaf.value, leaf.kind);
            });
            return;
        }
        let mut tree = std::mem::take(&mut self.tree);
        if let Ok(root) = tree.read(record.raw) {
            self.path.clear();
            self.learning =
                (learns && record.fields.is_ok() && self.known.wants(record.raw)).then(Learning::default);
            self.below(log, root);
            if let (Some(learning), Ok(fields)) = (self.learning.take(), &record.fields) {
                self.known.learn(log, root, fields, learning);
            }
        }
        self.tree = tree;
    }

    fn below(&mut self, log: &LogReader<'_>, value: Value<'_>) {
        for member in value.children() {
            let length = self.path.len();
            if let Some(learning) = self.learning.as_mut().filter(|_| length == 0) {
                learning.begin(log, &member.key());
            }
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
                self.below(log, member);
            } else {
                let path = std::mem::take(&mut self.path);
                let place = self.count(&path, &member.text(), member.kind());
                if let Some(learning) = &mut self.learning {
                    learning.add(place, member);
                }
                self.path = path;
            }
            self.path.truncate(length);
        }
    }

    /// Counts a value; the place of its field, if it is counted one by one.
    fn count(&mut self, path: &str, value: &str, kind: Kind) -> Option<usize> {
        let place = if path.len() > LONGEST_NAME { None } else { self.place(path) };
        match place.and_then(|place| self.fields.get_mut(place)) {
            Some((_, stat)) => stat.add(value, kind, &mut self.room),
            None => self.fields_not_counted += 1,
        }
        place
    }

    /// The place of a field, if there is room for it.
    fn place(&mut self, path: &str) -> Option<usize> {
        if let Some(place) = self.field_places.get(path) {
            return Some(*place);
        }
        let new = self.fields.len();
        (new < MOST_FIELDS).then(|| {
            self.fields.push((path.to_owned(), FieldStat::default()));
            self.field_places.insert(path.to_owned(), new);
            new
        })
    }

    /// The fields that were counted, in no order.
    pub(crate) fn fields(&self) -> impl Iterator<Item = (&String, &FieldStat)> {
        self.fields.iter().map(|(name, stat)| (name, stat))
    }

    /// The field of this name.
    pub(crate) fn field(&self, name: &str) -> Option<&FieldStat> {
        self.fields.get(*self.field_places.get(name)?).map(|(_, stat)| stat)
    }

    fn shape(&mut self, shape: &str, time: Option<i64>) {
        let add = |(n, range): &mut (u64, Option<(i64, i64)>)| {
            *n += 1;
            if let Some(time) = time {
                *range = Some(range.map_or((time, time), |(first, last)| (first.min(time), last.max(time))));
            }
        };
        match self.shapes.get_mut(shape) {
            Some(counts) => add(counts),
            None => add(self.shapes.entry(shape.to_owned()).or_default()),
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
    fn kind(&mut self, log: &LogReader<'_>, table: usize, fields: &Fields<'_>) {
        let may_be_address =
            |text: &str| text.bytes().all(|byte| byte.is_ascii_hexdigit() || matches!(byte, b'.' | b':'));
        let plan = &log.converter.plans()[table];
        let all = plan.derive(fields);
        let mut key = vec![table as u8];
        key.extend(all.iter().map(|field| match field {
            None => 0,
            Some(text) => 1 + u8::from(may_be_address(text) && text.parse::<IpAddr>().is_ok()),
        }));
        key.extend(plan.chosen(&all).flat_map(|text| text.bytes().chain([0])));
        // What decides over an event may be at the end of a long value.
        let longest = if plan.is_extended() { LONGEST_DECIDING } else { LONGEST_VALUE };
        let room = self.kinds.len() < MOST_KINDS;
        match self.kinds.get_mut(&key) {
            Some((n, _)) => *n += 1,
            None if room => {
                let sample = fields.clone().with(|text| match text.len() > longest {
                    true => cut(&text, longest).into_owned().into(),
                    false => text,
                });
                self.kinds.insert(key, (1, (table, sample)));
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
        other.tables.into_iter().for_each(|(table, n)| *self.tables.entry(table).or_default() += n);
        other.events.into_iter().for_each(|(table, n)| *self.events.entry(table).or_default() += n);
        for (shape, (n, range)) in other.shapes {
            let mine = self.shapes.entry(shape).or_default();
            mine.0 += n;
            mine.1 = match (mine.1, range) {
                (Some((a, b)), Some((c, d))) => Some((a.min(c), b.max(d))),
                (mine, theirs) => mine.or(theirs),
            };
        }
        for (name, stat) in other.fields {
            match self.place(&name) {
                Some(place) => self.fields[place].1.merge(stat, &mut self.room),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::mutated;
    use crate::convert::{Converter, Engine, Options};
    use crate::mapping::Mapping;
    use crate::record::frame::ChunkBody;

    /// Everything that was counted.
    fn shown(gathered: &Gathered) -> String {
        let Gathered { records, rejects, formats, shapes, fields_not_counted, days, .. } = gathered;
        let mut fields: Vec<String> = gathered
            .fields()
            .map(|(name, stat)| {
                let mut values: Vec<_> = stat.values().collect();
                values.sort_unstable();
                format!("{:?} {values:?}", stat.field(name.clone(), true, true))
            })
            .collect();
        fields.sort_unstable();
        let mut kinds: Vec<_> = gathered.kinds.iter().map(|(key, (n, _))| (key, n)).collect();
        kinds.sort_unstable();
        format!(
            "{records} {rejects:?} {formats:?} {shapes:?} {fields_not_counted} {days:?} {kinds:?} {fields:#?}"
        )
    }

    /// That a record looks like an earlier one changes nothing that is counted.
    #[test]
    fn known_records_count_as_others() {
        let telephony = "v2=6,v1=6,awkward=2,shuffled=1,broken=1,wrapped=1";
        let authentication = "authentication=6,awkward=1,broken=1";
        for (table, mix) in [
            ("duo_telephony", telephony),
            ("duo_telephony_extended", telephony),
            ("duo_auth", authentication),
            ("duo_admin", authentication),
        ] {
            let mapping = Mapping::builtin(table).unwrap();
            let options = Options { engine: Engine::Exact, ..Options::default() };
            let converter = Converter::new(&mapping, &options);
            for only_times in [true, false] {
                let mut log = LogReader::new(&mapping, &converter);
                log.only_times[0] &= only_times;
                let (mut fast, mut slow, mut known) = (Gathered::default(), Gathered::default(), 0);
                for line in (0..3).flat_map(|seed| mutated::records(seed, mix, 500)) {
                    let body = ChunkBody::Lines { offset: 0, line: 1, end: line.len() };
                    let mut unit = |unit: &Unit, bytes: &[u8], is_cut: bool| {
                        let is_known = !is_cut && fast.add_known(&log, bytes);
                        known += usize::from(is_known);
                        if is_cut {
                            fast.add(&log, unit, bytes);
                        }
                        is_known || is_cut
                    };
                    body.known_units(&line, converter.max_record_bytes(), &mut unit, &mut 0);
                    let mut unit = |unit: &Unit, bytes: &[u8]| {
                        let mut each = |record: &Traced<'_>| slow.add_record(&log, record, false);
                        log.converter.trace_unit(unit, bytes, &mut each);
                    };
                    body.units(&line, converter.max_record_bytes(), &mut unit, &mut 0);
                }
                assert_eq!(shown(&fast), shown(&slow));
                let is_learnt = !mapping.name().ends_with("admin");
                assert!((known > 300) == is_learnt, "{table} {known}");
            }
        }
    }
}

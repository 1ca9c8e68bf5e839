//! Counts over records, in bounded memory and by many threads: parts are gathered apart and merged.

mod merge;

use super::amount::Amount;
use super::days::{Counted, Days, SECONDS_A_DAY};
use super::field::{FieldStat, ValueRoom};
use super::known::{CountedField, KnownRecords, Learning, LogReader};
use super::names::Names;
use super::rejected::{Rejected, TextAt};
use super::watch::{SUM, Sums, WatchedValues};
use crate::check::explain::formats_of;
use crate::convert::Traced;
use crate::json::{Kind, Tree, Value};
use crate::record::formats::Format;
use crate::record::frame::Unit;
use crate::record::{Fields, Reason, RecordError, each_field};
use crate::text::cut;
use foldhash::fast::FixedState;
use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;

/// How many fields are counted one by one.
const MOST_FIELDS: usize = 2_000;
/// How many kinds of record (by the fields that they have) are kept with an example.
const MOST_KINDS: usize = 4_096;
/// How many bytes a field's name may have.
const LONGEST_NAME: usize = 1_000;
/// How much of a value is kept in an example of a kind: what rules ask for is shorter.
const LONGEST_VALUE: usize = 500;
/// The same where what a value holds decides over an event.
const LONGEST_DECIDING: usize = 1 << 13;

/// The table and the fields of a record, kept.
type Sample = (usize, Fields<'static>);

/// A kind of record: how many make an event, of which type, and one of them.
#[derive(Debug)]
pub(super) struct RecordKind {
    pub(super) events: u64,
    event_type: u16,
    pub(super) sample: Sample,
}

/// What was counted.
#[derive(Debug, Default)]
pub(crate) struct Gathered {
    pub(crate) records: u64,
    pub(super) rejected: Rejected,
    pub(crate) formats: BTreeMap<&'static str, u64>,
    /// Records by the number of their table, and how many of them make an event.
    pub(crate) tables: BTreeMap<usize, u64>,
    pub(crate) events: BTreeMap<usize, u64>,
    /// The shapes of records, and how many have each, with the first and the last second.
    pub(super) shape_names: Names,
    pub(super) shapes: Vec<(u64, Option<(i64, i64)>)>,
    pub(super) event_types: Names,
    fields: Vec<(String, FieldStat)>,
    /// The places of fields among these.
    field_places: HashMap<String, usize, FixedState>,
    pub(crate) fields_not_counted: u64,
    pub(super) days: Days,
    /// Records by weekday, Monday first, and hour.
    pub(super) hours: [[u64; 24]; 7],
    /// Sums of the tables that have some.
    pub(super) sums: BTreeMap<u16, Sums>,
    /// Kinds of record by the fields that they have.
    pub(super) kinds: HashMap<Vec<u8>, RecordKind, FixedState>,
    /// Bytes that values may still take.
    room: ValueRoom,
    tree: Tree,
    path: String,
    /// The key of a kind.
    key: Vec<u8>,
    known: KnownRecords,
    /// The fields of the record that is read, if somebody learns from it.
    learning: Option<Learning>,
    /// The values of the record that is read which its table watches.
    watched: WatchedValues,
    /// The text that is read.
    text: Option<TextAt>,
    /// The day of the last record of this chunk that has one.
    day: Option<i64>,
    /// Rejects of this chunk that came before it.
    undated: Vec<(Reason, u64)>,
}

impl Gathered {
    /// Begins with a chunk of a text.
    pub(super) fn begin(&mut self, text: TextAt) {
        (self.text, self.day) = (Some(text), None);
    }

    /// Ends the chunk. Rejects without any day around them are not counted by day.
    pub(super) fn end(&mut self) {
        self.undated.clear();
    }

    /// Counts the records of a unit.
    pub(super) fn add(&mut self, log: &LogReader<'_>, unit: &Unit, bytes: &[u8]) {
        log.converter.trace_unit(unit, bytes, &mut |record| {
            let learns = log.learns && record.raw.len() == bytes.len() && record.format == Format::Plain;
            self.add_record(log, record, learns);
        });
    }

    /// Counts a unit that is a record which looks like an earlier one; whether it is.
    pub(super) fn add_known(&mut self, log: &LogReader<'_>, unit: &Unit, bytes: &[u8]) -> bool {
        let mut known = std::mem::take(&mut self.known);
        let is_known = known.read(bytes, &mut |record, text, values| {
            self.records += 1;
            *self.formats.entry(Format::Plain.name()).or_default() += 1;
            let place = (unit.line, unit.offset);
            let time = self.outcome(log, 0, &record.shape, &record.fields(text, values), place);
            for CountedField { place, kind, value } in &record.counted {
                let value = value.text(text, values);
                match place.and_then(|place| self.fields.get_mut(place)) {
                    Some((_, stat)) => stat.add(value, *kind, &mut self.room),
                    None => self.fields_not_counted += 1,
                }
            }
            let watched = record.watched.map(|field| {
                let CountedField { kind, value, .. } = &record.counted[field?];
                (*kind != Kind::Null).then(|| value.text(text, values))
            });
            self.watch(log, 0, watched, time);
        });
        self.known = known;
        is_known
    }

    /// Counts what becomes of a record with these fields; its time, if it has one.
    fn outcome(
        &mut self,
        log: &LogReader<'_>,
        table: usize,
        shape: &str,
        fields: &Fields<'_>,
        place: (u64, u64),
    ) -> Option<i64> {
        let (time, error) = log.converter.time_and_error(table, fields, log.only_times[table]);
        self.shape(shape, time);
        match error {
            Some(error) => self.reject(&error, place),
            None => {
                *self.events.entry(table).or_default() += 1;
                let event_type = self.kind(log, table, fields);
                if let (Some(time), Some(event_type)) = (time, event_type) {
                    let day = self.days.of(time.div_euclid(SECONDS_A_DAY));
                    day.add(Counted::EventType(event_type), 1);
                }
            }
        }
        time
    }

    /// Counts a reject, on the day of the records around it.
    fn reject(&mut self, error: &RecordError, place: (u64, u64)) {
        if let Some(text) = &self.text {
            self.rejected.add(text, place, error);
        }
        match self.day {
            Some(day) => self.days.of(day).add(Counted::Reject(error.reason as u16), 1),
            None => match self.undated.iter_mut().find(|(reason, _)| *reason == error.reason) {
                Some((_, n)) => *n += 1,
                None => self.undated.push((error.reason, 1)),
            },
        }
    }

    /// Counts a record; `learns` says that others may look like it.
    pub(super) fn add_record(&mut self, log: &LogReader<'_>, record: &Traced<'_>, learns: bool) {
        self.records += 1;
        *self.formats.entry(record.format.name()).or_default() += 1;
        if let Some(table) = record.table {
            *self.tables.entry(table).or_default() += 1;
        }
        let place = (record.line, record.offset);
        let time = match &record.fields {
            Err(error) => {
                self.reject(error, place);
                None
            }
            Ok(fields) => {
                // A record with fields has a table.
                let table = record.table.unwrap_or_default();
                self.outcome(log, table, log.converter.shape_of(table, fields), fields, place)
            }
        };
        self.watched.begin(record.table);
        self.add_fields(log, record, learns);
        if let Some(table) = record.table {
            let watched = std::mem::take(&mut self.watched);
            self.watch(log, table, watched.values(), time);
            self.watched = watched;
        }
    }

    fn add_fields(&mut self, log: &LogReader<'_>, record: &Traced<'_>, learns: bool) {
        if matches!(record.format, Format::Cef | Format::KeyValue) {
            each_field(record.raw, record.format, formats_of(&log.tables, record), &mut |leaf| {
                self.count(log, &leaf.path(), &leaf.value, leaf.kind);
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
                let watched = log.watched[0].each_ref().map(|path| {
                    let place = self.field_places.get(path.as_deref()?)?;
                    learning.place_of(*place)
                });
                self.known.learn(log, root, fields, learning, watched);
            }
        }
        self.tree = tree;
    }

    /// Takes the values of a record that its table watches.
    fn watch(
        &mut self,
        log: &LogReader<'_>,
        table: usize,
        [id, sum, by]: [Option<&str>; 3],
        time: Option<i64>,
    ) {
        if let Some(id) = id.filter(|id| !id.is_empty()) {
            log.repeated[table].see(id);
        }
        if log.watched[table][SUM].is_none() {
            return;
        }
        let Some(text) = sum.filter(|sum| !sum.is_empty()) else { return };
        let sums = self.sums.entry(table as u16).or_default();
        let Some(amount) = Amount::read(text) else {
            sums.not_numbers += 1;
            return;
        };
        sums.total += amount;
        sums.records += 1;
        if let Some(by) = by.filter(|by| !by.is_empty()) {
            sums.by.add(by, amount);
        }
        if let Some(time) = time {
            self.days.of(time.div_euclid(SECONDS_A_DAY)).add_sum(table as u16, amount);
        }
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
                let place = self.count(log, &path, &member.text(), member.kind());
                if let Some(learning) = &mut self.learning {
                    learning.add(place, member);
                }
                self.path = path;
            }
            self.path.truncate(length);
        }
    }

    /// Counts a value; the place of its field, if it is counted one by one.
    fn count(&mut self, log: &LogReader<'_>, path: &str, value: &str, kind: Kind) -> Option<usize> {
        self.watched.take(&log.watched, path, value, kind);
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

    /// How many records were rejected for each reason.
    #[cfg(feature = "serve")]
    pub(crate) fn rejects(&self) -> BTreeMap<&'static str, u64> {
        self.rejected.counts()
    }

    /// The names of the records' shapes.
    #[cfg(feature = "serve")]
    pub(crate) fn shapes(&self) -> impl Iterator<Item = &str> {
        self.shape_names.iter().map(|(_, name)| name)
    }

    /// The fields that were counted, in no order.
    pub(crate) fn fields(&self) -> impl Iterator<Item = (&String, &FieldStat)> {
        self.fields.iter().map(|(name, stat)| (name, stat))
    }

    /// How many events are of the type with this number: each has a time.
    pub(super) fn events_of(&self, event_type: u16) -> u64 {
        self.days.sorted().iter().map(|(_, day)| day.count(Counted::EventType(event_type))).sum()
    }

    /// The field of this name.
    pub(crate) fn field(&self, name: &str) -> Option<&FieldStat> {
        self.fields.get(*self.field_places.get(name)?).map(|(_, stat)| stat)
    }

    fn shape(&mut self, shape: &str, time: Option<i64>) {
        let number = self.shape_names.number(shape);
        if self.shapes.len() <= usize::from(number) {
            self.shapes.resize(usize::from(number) + 1, (0, None));
        }
        let (n, range) = &mut self.shapes[usize::from(number)];
        *n += 1;
        let Some(time) = time else { return };
        *range = Some(range.map_or((time, time), |(first, last)| (first.min(time), last.max(time))));
        let day = time.div_euclid(SECONDS_A_DAY);
        // The first day of 1970 was a Thursday.
        let hour = time.rem_euclid(SECONDS_A_DAY) / 3600;
        self.hours[(day + 3).rem_euclid(7) as usize][hour as usize] += 1;
        let counts = self.days.of(day);
        counts.add(Counted::Shape(number), 1);
        if self.day.replace(day).is_none() {
            for (reason, n) in self.undated.drain(..) {
                counts.add(Counted::Reject(reason as u16), n);
            }
        }
    }

    /// Records of one kind take the same way through the mapping. The number of the type of their events.
    fn kind(&mut self, log: &LogReader<'_>, table: usize, fields: &Fields<'_>) -> Option<u16> {
        let is_address = |text: &str| {
            // Most texts are not: that is seen at once.
            text.bytes().any(|byte| matches!(byte, b'.' | b':'))
                && text.bytes().all(|byte| byte.is_ascii_hexdigit() || matches!(byte, b'.' | b':'))
                && text.parse::<IpAddr>().is_ok()
        };
        let plan = &log.converter.plans()[table];
        let all = plan.derive(fields);
        let key = &mut self.key;
        key.clear();
        key.push(table as u8);
        key.extend(all.iter().map(|field| match field {
            None => 0,
            Some(text) => 1 + u8::from(is_address(text)),
        }));
        key.extend(plan.chosen(&all).flat_map(|text| text.bytes().chain([0])));
        // What decides over an event may be at the end of a long value.
        let longest = if plan.is_extended() { LONGEST_DECIDING } else { LONGEST_VALUE };
        if let Some(kind) = self.kinds.get_mut(&key[..]) {
            kind.events += 1;
            return Some(kind.event_type);
        }
        let event_type = self.event_types.number(log.converter.event_type(table, &all)?);
        if self.kinds.len() < MOST_KINDS {
            let sample = fields.clone().with(|text| match text.len() > longest {
                true => cut(&text, longest).into_owned().into(),
                false => text,
            });
            self.kinds.insert(key.clone(), RecordKind { events: 1, event_type, sample: (table, sample) });
        }
        Some(event_type)
    }
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
        let Gathered { records, rejected, formats, shapes, fields_not_counted, hours, .. } = gathered;
        let (days, sums) = (gathered.days.sorted(), &gathered.sums);
        let sums: Vec<String> =
            sums.values().map(|it| format!("{} {} {:?}", it.total, it.records, it.by.top(99))).collect();
        let mut fields: Vec<String> = gathered
            .fields()
            .map(|(name, stat)| {
                let mut values: Vec<_> = stat.values().collect();
                values.sort_unstable();
                format!("{:?} {values:?}", stat.field(name.clone(), true, true))
            })
            .collect();
        fields.sort_unstable();
        let mut kinds: Vec<_> = gathered.kinds.iter().map(|(key, kind)| (key, kind.events)).collect();
        kinds.sort_unstable();
        format!(
            "{records} {rejected:?} {formats:?} {shapes:?} {fields_not_counted} {days:?} {hours:?} {sums:?} {kinds:?} \
             {fields:#?}"
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
                let [mut log, slow_log] = [(); 2].map(|()| LogReader::new(&mapping, &converter));
                log.only_times[0] &= only_times;
                let (mut fast, mut slow, mut known) = (Gathered::default(), Gathered::default(), 0);
                for (number, line) in (0..3).flat_map(|seed| mutated::records(seed, mix, 500)).enumerate() {
                    for gathered in [&mut fast, &mut slow] {
                        gathered.begin((number / 9, "log".into()));
                    }
                    let body = ChunkBody::Lines { offset: 0, line: 1, end: line.len() };
                    let mut unit = |unit: &Unit, bytes: &[u8], is_cut: bool| {
                        let is_known = !is_cut && fast.add_known(&log, unit, bytes);
                        known += usize::from(is_known);
                        if is_cut {
                            fast.add(&log, unit, bytes);
                        }
                        is_known || is_cut
                    };
                    body.known_units(&line, converter.max_record_bytes(), &mut unit, &mut 0);
                    let mut unit = |unit: &Unit, bytes: &[u8]| {
                        let mut each = |record: &Traced<'_>| slow.add_record(&slow_log, record, false);
                        log.converter.trace_unit(unit, bytes, &mut each);
                    };
                    body.units(&line, converter.max_record_bytes(), &mut unit, &mut 0);
                }
                assert_eq!(shown(&fast), shown(&slow));
                let repeated = |log: &LogReader<'_>| format!("{:?}", log.repeated[0].found(99));
                assert_eq!(repeated(&log), repeated(&slow_log));
                let is_learnt = !mapping.name().ends_with("admin");
                assert!((known > 300) == is_learnt, "{table} {known}");
            }
        }
    }
}

//! The reference: records read by serde_json, their events written from the plan's tree.

use super::batch::Batch;
use super::event::{self, Written};
use super::program::{self, Known};
use super::range::TimeRange;
use crate::columns::Layouts;
use crate::mapping::Plan;
use crate::record::formats::{self, Format, FoundRecord, Tables, TablesLeft};
use crate::record::frame::{self, ChunkBody, RecordPlaces, Unit};
use crate::record::{Fields, Reason};

/// What a conversion does with a record, one after the other.
#[derive(Debug, Clone)]
pub(super) struct Exact {
    /// The plans of the tables.
    pub(super) tables: Tables<Plan>,
    /// What is written before an event.
    pub(super) before: &'static [u8],
    /// What is written after an event.
    pub(super) after: &'static [u8],
    pub(super) max_record_bytes: usize,
    pub(super) range: TimeRange,
    /// For each table where its event types begin among the counts.
    pub(super) first_event_types: Vec<usize>,
}

impl Exact {
    /// The plan of the table with this number.
    pub(super) fn plan(&self, table: usize) -> &Plan {
        &self.tables.all[table]
    }

    /// Converts the units that lie at the beginning of `bytes`, whose records are for these tables.
    pub(super) fn units(&self, bytes: &[u8], body: &ChunkBody, left: TablesLeft, batch: &mut Batch) {
        let mut blank = 0;
        body.units(
            bytes,
            self.max_record_bytes,
            &mut |item, bytes| self.unit(item, bytes, left, batch),
            &mut blank,
        );
        batch.counts.blank += blank;
    }

    /// Converts one line.
    pub(super) fn line(&self, line: &[u8], offset: u64, number: u64, batch: &mut Batch) {
        let mut blank = 0;
        let mut unit = |item: &Unit, bytes: &[u8], is_cut: bool| {
            if is_cut {
                self.unit(item, bytes, self.tables.left(), batch);
            }
            is_cut
        };
        frame::line(line, offset, number, self.max_record_bytes, &mut unit, &mut blank);
        batch.counts.blank += blank;
    }

    fn unit(&self, item: &Unit, bytes: &[u8], left: TablesLeft, batch: &mut Batch) {
        let mut records = 0;
        if let Some(error) = item.error(bytes, self.max_record_bytes) {
            records = 1;
            batch.reject(error, Format::Plain, None, item, bytes);
        } else {
            let mut places = RecordPlaces::new(item, bytes);
            formats::records(bytes, &self.tables, left, &mut |found| {
                records += 1;
                self.found(&found, &mut places, bytes, batch);
            });
        }
        batch.uneven |= records != 1 || !item.alone;
    }

    fn found(&self, found: &FoundRecord<'_>, places: &mut RecordPlaces, bytes: &[u8], batch: &mut Batch) {
        let raw = &bytes[found.range.clone()];
        let place = places.of(&found.range);
        match &found.fields {
            // A record with fields has a table.
            Ok(fields) => self.record(found.table.unwrap_or_default(), fields, found, &place, raw, batch),
            Err(error) => {
                // These could be read, but are of no shape that the mapping names.
                let is_read = matches!(error.reason, Reason::OtherLog | Reason::BadTimestamp);
                let other = || found.table.map_or("other", |table| &self.plan(table).other);
                let shape = is_read.then(other);
                batch.reject(place.place(error.clone(), raw), found.format, shape, &place, raw);
                self.note_table(found, batch);
            }
        }
    }

    /// Notes with the last reject to which tables it may belong, if there are several.
    fn note_table(&self, found: &FoundRecord<'_>, batch: &mut Batch) {
        let Some(reject) = batch.rejects.last_mut().filter(|_| self.tables.all.len() > 1) else { return };
        if let Some(table) = found.table {
            batch.counts.of_table(table, 0);
        }
        let is_left = |table: usize| match found.table {
            Some(own) => own == table,
            None => found.left.is_inside() && found.left.has(table),
        };
        let names = self.tables.all.iter().enumerate().filter(|(table, _)| is_left(*table));
        let names: Vec<&str> = names.filter_map(|(_, plan)| plan.name.as_deref()).collect();
        reject.table = (!names.is_empty()).then(|| names.join(","));
    }

    /// The tables with these names, as a reject has them; all, if it names none.
    #[cfg(feature = "bucket")]
    pub(super) fn left(&self, names: Option<&str>) -> TablesLeft {
        let mut left = TablesLeft::none_inside();
        for name in names.unwrap_or_default().split(',') {
            let is_called = |plan: &Plan| plan.name.as_deref() == Some(name);
            self.tables.all.iter().position(is_called).into_iter().for_each(|table| left.add(table));
        }
        if left.is_empty() { self.tables.left() } else { left }
    }

    fn record(
        &self,
        table: usize,
        fields: &Fields<'_>,
        found: &FoundRecord<'_>,
        place: &Unit,
        raw: &[u8],
        batch: &mut Batch,
    ) {
        let (start, format) = (batch.events.len(), found.format);
        let plan = self.plan(table);
        let fields = &*plan.derive(fields);
        let shape = self.shape(table, &|slot| fields[slot].is_some());
        batch.events.extend_from_slice(self.before);
        match event::write(plan, fields, self.range, &mut batch.events) {
            Ok(None) => {
                batch.events.truncate(start);
                batch.count(format, Some(shape), 1);
                batch.counts.outside += 1;
                batch.counts.of_table(table, 0);
                // Nothing comes of its line.
                batch.uneven = true;
            }
            Ok(Some(Written { event_type, bad })) => {
                batch.events.extend_from_slice(self.after);
                if let Some(layouts) = &mut batch.layouts {
                    let is_ip = |slot: usize| event::is_ip(fields[slot].as_deref().unwrap_or_default());
                    let (present, ips) =
                        (bits(fields.len(), &|slot| fields[slot].is_some()), bits(fields.len(), &is_ip));
                    let slots = plan.slots_in_all();
                    let rest = [(slots, fields.rest().len()), (slots + 1, bad.len().min(1))];
                    let more = fields.more().chain(rest).filter(|(_, more)| *more > 0);
                    let more = more.map(|(slot, more)| (slot as u64) << 32 | more as u64).collect();
                    self.lay_out(table, layouts, &[present, ips, more].concat(), batch.events.len());
                }
                batch.count(format, Some(shape), 1);
                batch.counts.events += 1;
                batch.counts.by_event_type[self.first_event_types[table] + event_type].events += 1;
                batch.counts.of_table(table, 1);
                let paths = bad.iter().filter_map(|slot| plan.projection.paths().get(*slot));
                paths.for_each(|path| *batch.counts.bad_fields.entry(path.to_string()).or_default() += 1);
            }
            Err(error) => {
                batch.events.truncate(start);
                batch.reject(error, format, Some(shape), place, raw);
                self.note_table(found, batch);
            }
        }
    }

    /// Notes what the event looks like that ends at `end`. `fields` are the slots that are present, as bits, and then
    /// those that are addresses, which is asked of some of them only; then of lists how many more elements they have than
    /// one, each with its slot. Two slots behind all others have how many fields are put nowhere, and whether some can't
    /// be taken.
    #[inline]
    pub(super) fn lay_out(&self, table: usize, layouts: &mut Layouts, fields: &[u64], end: usize) {
        let plan = self.plan(table);
        let words = plan.slots_in_all().div_ceil(64).max(1);
        let (present, rest) = fields.split_at(words);
        let (ips, more) = rest.split_at(words);
        let has = |bits: &[u64], slot: usize| bits[slot / 64] >> (slot % 64) & 1 == 1;
        // The same bits mean other fields in another table: its number is behind them, where no slot's is.
        let of_table;
        let key = match self.tables.all.len() {
            1 => fields,
            _ => {
                of_table = [fields, &[u64::MAX - table as u64]].concat();
                &of_table
            }
        };
        layouts.add(key, end, || {
            let (present, is_ip) = (|slot| has(present, slot), |slot| has(ips, slot));
            let more =
                |slot: usize| more.iter().find(|it| **it >> 32 == slot as u64).map_or(0, |it| *it as u32);
            let count = |slot: usize| 1 + more(slot) as usize;
            let slots = plan.slots_in_all();
            let (rest, has_bad) = (more(slots) as usize, more(slots + 1) > 0);
            let known = Known { present: &present, is_ip: &is_ip, count: &count, rest, has_bad };
            program::sample(plan, known, self.before, self.after)
        });
    }

    /// The name of the first of the table's shapes that the record has.
    pub(super) fn shape(&self, table: usize, present: &dyn Fn(usize) -> bool) -> &str {
        let has = |slots: &[usize]| slots.iter().all(|slot| present(*slot));
        let plan = self.plan(table);
        plan.shapes.iter().find(|(_, slots)| has(slots)).map_or(&plan.other, |(name, _)| name)
    }
}

/// The slots for which this is so, as bits.
fn bits(slots: usize, is: &dyn Fn(usize) -> bool) -> Vec<u64> {
    let mut bits = vec![0; slots.div_ceil(64).max(1)];
    (0..slots).filter(|slot| is(*slot)).for_each(|slot| bits[slot / 64] |= 1 << (slot % 64));
    bits
}

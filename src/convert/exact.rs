//! The reference: records read by serde_json, their events written from the plan's tree.

use super::batch::Batch;
use super::event::{self, Written};
use super::program::{self, Known};
use super::range::TimeRange;
use crate::columns::Layouts;
use crate::mapping::Plan;
use crate::record::formats::{self, Format};
use crate::record::frame::{self, ChunkBody, RecordPlaces, Unit};
use crate::record::{Fields, Reason};

/// What a conversion does with a record, one after the other.
#[derive(Debug, Clone)]
pub(super) struct Exact {
    pub(super) plan: Plan,
    /// What is written before an event.
    pub(super) before: &'static [u8],
    /// What is written after an event.
    pub(super) after: &'static [u8],
    pub(super) max_record_bytes: usize,
    pub(super) range: TimeRange,
}

impl Exact {
    /// Converts the units that lie at the beginning of `bytes`.
    pub(super) fn units(&self, bytes: &[u8], body: &ChunkBody, batch: &mut Batch) {
        let mut blank = 0;
        body.units(
            bytes,
            self.max_record_bytes,
            &mut |item, bytes| self.unit(item, bytes, batch),
            &mut blank,
        );
        batch.counts.blank += blank;
    }

    /// Converts one line.
    pub(super) fn line(&self, line: &[u8], offset: u64, number: u64, batch: &mut Batch) {
        let mut blank = 0;
        let mut unit = |item: &Unit, bytes: &[u8], is_cut: bool| {
            if is_cut {
                self.unit(item, bytes, batch);
            }
            is_cut
        };
        frame::line(line, offset, number, self.max_record_bytes, &mut unit, &mut blank);
        batch.counts.blank += blank;
    }

    fn unit(&self, item: &Unit, bytes: &[u8], batch: &mut Batch) {
        let mut records = 0;
        if let Some(error) = item.error(bytes, self.max_record_bytes) {
            records = 1;
            batch.reject(error, Format::Plain, None, item, bytes);
        } else {
            let mut places = RecordPlaces::new(item, bytes);
            formats::records(bytes, &self.plan.formats, &self.plan.projection, &mut |found| {
                let raw = &bytes[found.range.clone()];
                records += 1;
                let place = places.of(&found.range);
                match &found.fields {
                    Ok(fields) => self.record(fields, found.format, &place, raw, batch),
                    Err(error) => {
                        // These could be read, but are of no shape that the mapping names.
                        let is_read = matches!(error.reason, Reason::OtherLog | Reason::BadTimestamp);
                        let shape = is_read.then_some("other");
                        batch.reject(place.place(error.clone(), raw), found.format, shape, &place, raw);
                    }
                }
            });
        }
        batch.uneven |= records != 1 || !item.alone;
    }

    fn record(&self, fields: &Fields<'_>, format: Format, place: &Unit, raw: &[u8], batch: &mut Batch) {
        let start = batch.events.len();
        let fields = &*self.plan.derive(fields);
        let shape = self.shape(&|slot| fields[slot].is_some());
        batch.events.extend_from_slice(self.before);
        match event::write(&self.plan, fields, self.range, &mut batch.events) {
            Ok(None) => {
                batch.events.truncate(start);
                batch.count(format, Some(shape), 1);
                batch.counts.outside += 1;
                // Nothing comes of its line.
                batch.uneven = true;
            }
            Ok(Some(Written { event_type, bad })) => {
                batch.events.extend_from_slice(self.after);
                if let Some(layouts) = &mut batch.layouts {
                    let is_ip = |slot: usize| event::is_ip(fields[slot].as_deref().unwrap_or_default());
                    let (present, ips) =
                        (bits(fields.len(), &|slot| fields[slot].is_some()), bits(fields.len(), &is_ip));
                    let slots = self.plan.slots_in_all();
                    let rest = [(slots, fields.rest().len()), (slots + 1, bad.len().min(1))];
                    let more = fields.more().chain(rest).filter(|(_, more)| *more > 0);
                    let more = more.map(|(slot, more)| (slot as u64) << 32 | more as u64).collect();
                    self.lay_out(layouts, &[present, ips, more].concat(), batch.events.len());
                }
                batch.count(format, Some(shape), 1);
                batch.counts.events += 1;
                batch.counts.by_event_type[event_type].events += 1;
                let paths = bad.iter().filter_map(|slot| self.plan.projection.paths().get(*slot));
                paths.for_each(|path| *batch.counts.bad_fields.entry(path.to_string()).or_default() += 1);
            }
            Err(error) => {
                batch.events.truncate(start);
                batch.reject(error, format, Some(shape), place, raw);
            }
        }
    }

    /// Notes what the event looks like that ends at `end`. `fields` are the slots that are present, as bits, and then
    /// those that are addresses, which is asked of some of them only; then of lists how many more elements they have than
    /// one, each with its slot. Two slots behind all others have how many fields are put nowhere, and whether some can't
    /// be taken.
    #[inline]
    pub(super) fn lay_out(&self, layouts: &mut Layouts, fields: &[u64], end: usize) {
        let words = self.plan.slots_in_all().div_ceil(64).max(1);
        let (present, rest) = fields.split_at(words);
        let (ips, more) = rest.split_at(words);
        let has = |bits: &[u64], slot: usize| bits[slot / 64] >> (slot % 64) & 1 == 1;
        layouts.add(fields, end, || {
            let (present, is_ip) = (|slot| has(present, slot), |slot| has(ips, slot));
            let more =
                |slot: usize| more.iter().find(|it| **it >> 32 == slot as u64).map_or(0, |it| *it as u32);
            let count = |slot: usize| 1 + more(slot) as usize;
            let slots = self.plan.slots_in_all();
            let (rest, has_bad) = (more(slots) as usize, more(slots + 1) > 0);
            let known = Known { present: &present, is_ip: &is_ip, count: &count, rest, has_bad };
            program::sample(&self.plan, known, self.before, self.after)
        });
    }

    /// The name of the first shape that the record has.
    pub(super) fn shape(&self, present: &dyn Fn(usize) -> bool) -> &str {
        let has = |slots: &[usize]| slots.iter().all(|slot| present(*slot));
        self.plan.shapes.iter().find(|(_, slots)| has(slots)).map_or("other", |(name, _)| name)
    }
}

/// The slots for which this is so, as bits.
fn bits(slots: usize, is: &dyn Fn(usize) -> bool) -> Vec<u64> {
    let mut bits = vec![0; slots.div_ceil(64).max(1)];
    (0..slots).filter(|slot| is(*slot)).for_each(|slot| bits[slot / 64] |= 1 << (slot % 64));
    bits
}

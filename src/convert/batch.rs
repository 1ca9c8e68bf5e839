//! One chunk of input converted: events, rejects and counts.

use super::fast::{Fast, Lines};
use super::{Converter, Reject, Stop, Tally, event};
use crate::record::formats::{self, Format};
use crate::record::frame::{self, Chunk, ChunkBody, RecordPlaces, Unit};
use crate::record::{Fault, Fields, Reason};

/// What a part of the input became, in the order of the input.
#[derive(Debug, Clone)]
pub struct Batch {
    /// The events, one a line, each ended by a newline.
    pub events: Vec<u8>,
    /// The records that could not be converted.
    pub rejects: Vec<Reject>,
    /// The counts of this part.
    pub tally: Tally,
    /// Where in its input this part ends, in bytes after decompression.
    pub end: u64,
    /// How many lines are to be added to the line numbers of what comes behind it.
    pub(super) lines: u64,
    /// Whether a line that is not blank gave anything but one record.
    pub(super) uneven: bool,
    /// What the fast path has learnt; it goes from batch to batch.
    pub(super) fast: Option<Box<Fast>>,
}

impl Converter {
    /// Converts everything in `input`.
    ///
    /// The result is the same as that of reading `input` as a stream.
    pub fn convert(&self, input: &[u8]) -> Batch {
        let mut batch = self.batch();
        self.chunks(input, &mut batch, &mut |_| Ok(()));
        batch.tally.bytes_in = input.len() as u64;
        batch.end = batch.tally.bytes_in;
        batch
    }

    /// Converts everything in `input` on the caller's thread, and hands what becomes of it to
    /// `consume`, part by part in order, until that answers [`Stop`].
    pub fn convert_slice(&self, input: &[u8], consume: &mut dyn FnMut(&Batch) -> Result<(), Stop>) -> Tally {
        let mut tally = self.tally();
        let mut batch = self.batch();
        let read = self.chunks(input, &mut batch, &mut |batch| {
            tally.add(&batch.tally);
            let answer = consume(batch);
            batch.clear();
            answer
        });
        tally.bytes_in = read;
        tally
    }

    /// Converts `input` into `batch`, chunk by chunk, until `each` answers [`Stop`]; how far that
    /// was.
    fn chunks(
        &self,
        input: &[u8],
        batch: &mut Batch,
        each: &mut dyn FnMut(&mut Batch) -> Result<(), Stop>,
    ) -> u64 {
        let mut framer = self.framer();
        let mut buffer = Vec::new();
        let mut lines = 0;
        loop {
            let known = batch.rejects.len();
            let start = framer.position() as usize;
            // Lines are converted where they are; what is no line, and the end, is copied.
            let body = if batch.fast.is_some() { framer.lines_in(input) } else { None };
            if let Some(body) = body {
                self.convert_units(&input[start..], &body, batch);
            } else {
                let mut rest = &input[framer.bytes_read() as usize..];
                // Reading from a slice can't fail.
                let Ok(Some(chunk)) = framer.next(&mut rest, buffer) else { break };
                self.convert_chunk(&chunk, batch);
                buffer = chunk.bytes;
            }
            batch.number(known, &mut lines);
            if each(batch).is_err() {
                return batch.end;
            }
        }
        input.len() as u64
    }

    /// An empty batch.
    pub(super) fn batch(&self) -> Batch {
        Batch {
            events: Vec::new(),
            rejects: Vec::new(),
            tally: self.tally(),
            end: 0,
            lines: 0,
            uneven: false,
            fast: self.fast.clone(),
        }
    }

    /// Converts a chunk, adding to `batch`. Bytes read are for the framer's owner to count.
    pub(super) fn convert_chunk(&self, chunk: &Chunk, batch: &mut Batch) {
        self.convert_units(&chunk.bytes, &chunk.body, batch);
    }

    /// Converts the units that lie at the beginning of `bytes`.
    pub(super) fn convert_units(&self, bytes: &[u8], body: &ChunkBody, batch: &mut Batch) {
        let before = batch.events.len();
        batch.lines = match (body, batch.fast.take()) {
            (&ChunkBody::Lines { offset, line, end }, Some(mut fast)) => {
                let lines =
                    Lines { fast: &mut fast, converter: self, bytes, end, offset, line, batch }.convert();
                batch.fast = Some(fast);
                lines
            }
            (_, fast) => {
                batch.fast = fast;
                let mut blank = 0;
                let limit = self.max_record_bytes;
                let mut unit = |item: &Unit, bytes: &[u8]| self.unit(item, bytes, batch);
                body.units(bytes, limit, &mut unit, &mut blank);
                batch.tally.blank += blank;
                0
            }
        };
        batch.tally.bytes_out += (batch.events.len() - before) as u64;
        batch.end = body.end();
    }

    /// Converts one line the exact way.
    pub(super) fn line(&self, line: &[u8], offset: u64, number: u64, batch: &mut Batch) {
        let mut blank = 0;
        let limit = self.max_record_bytes;
        frame::line(
            line,
            offset,
            number,
            limit,
            &mut |item, bytes| self.unit(item, bytes, batch),
            &mut blank,
        );
        batch.tally.blank += blank;
    }

    fn unit(&self, item: &Unit, bytes: &[u8], batch: &mut Batch) {
        let mut records = 0;
        if let Some(fault) = item.fault(bytes, self.max_record_bytes) {
            records = 1;
            batch.reject(fault, Format::Plain, None, item, bytes);
        } else {
            let mut places = RecordPlaces::new(item, bytes);
            formats::records(bytes, &self.plan.formats, &self.plan.projection, &mut |found| {
                let raw = &bytes[found.range.clone()];
                records += 1;
                let place = places.of(&found.range);
                match &found.fields {
                    Ok(fields) => self.record(fields, found.format, &place, raw, batch),
                    Err(fault) => {
                        // These could be read, but are of no shape that the mapping names.
                        let is_read = matches!(fault.reason, Reason::OtherLog | Reason::BadTimestamp);
                        let shape = is_read.then_some("other");
                        batch.reject(place.place(fault.clone(), raw), found.format, shape, &place, raw);
                    }
                }
            });
        }
        batch.uneven |= records != 1 || !item.alone;
    }

    fn record(&self, fields: &Fields<'_>, format: Format, place: &Unit, raw: &[u8], batch: &mut Batch) {
        let start = batch.events.len();
        let shape = self.shape(&|slot| fields[slot].is_some());
        batch.events.extend_from_slice(self.before);
        match event::write(&self.plan, fields, &mut batch.events) {
            Ok(event_type) => {
                batch.events.extend_from_slice(self.after);
                batch.count(format, Some(shape), 1);
                batch.tally.events += 1;
                batch.tally.by_event_type[event_type].events += 1;
            }
            Err(fault) => {
                batch.events.truncate(start);
                batch.reject(fault, format, Some(shape), place, raw);
            }
        }
    }

    /// The name of the first shape that the record has.
    pub(super) fn shape(&self, present: &dyn Fn(usize) -> bool) -> &str {
        let has = |slots: &[usize]| slots.iter().all(|slot| present(*slot));
        self.plan.shapes.iter().find(|(_, slots)| has(slots)).map_or("other", |(name, _)| name)
    }
}

impl Batch {
    /// Numbers the lines of the rejects from this one on, when the batch's turn has come: `before`
    /// lines went before it.
    pub(super) fn number(&mut self, from: usize, before: &mut u64) {
        self.rejects[from..].iter_mut().for_each(|reject| reject.line += *before);
        *before += std::mem::take(&mut self.lines);
    }

    /// Empties the batch, keeping its buffers.
    pub(super) fn clear(&mut self) {
        self.events.clear();
        self.rejects.clear();
        self.tally.clear();
        self.uneven = false;
    }

    /// Counts so many records of this form and shape.
    pub(super) fn count(&mut self, format: Format, shape: Option<&str>, records: u64) {
        self.tally.records += records;
        *self.tally.by_format.entry(format).or_default() += records;
        let shape = shape.unwrap_or("unreadable");
        match self.tally.by_shape.get_mut(shape) {
            Some(count) => *count += records,
            None => drop(self.tally.by_shape.insert(shape.to_owned(), records)),
        }
    }

    pub(super) fn reject(
        &mut self,
        fault: Fault,
        format: Format,
        shape: Option<&str>,
        place: &Unit,
        raw: &[u8],
    ) {
        self.count(format, shape, 1);
        self.tally.rejects += 1;
        *self.tally.by_reason.entry(fault.reason).or_default() += 1;
        self.rejects.push(Reject {
            reason: fault.reason,
            message: fault.message,
            line: place.line,
            offset: place.offset,
            length: place.length,
            raw: raw.to_vec(),
        });
    }
}

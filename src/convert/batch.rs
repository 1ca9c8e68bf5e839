//! One chunk of input converted: events, rejects and counts.

use super::{Converter, Reject, Tally, event};
use crate::record::forms::{self, Form, Found};
use crate::record::frame::{Chunk, Item, ItemState};
use crate::record::{Fault, Fields, Reason};

/// What a part of the input became, in the order of the input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// The events, one a line, each ended by a newline.
    pub events: Vec<u8>,
    /// The records that could not be converted.
    pub rejects: Vec<Reject>,
    /// The counts of this part.
    pub tally: Tally,
    /// Where in its input this part ends, in bytes after decompression.
    pub end: u64,
}

impl Converter {
    /// Converts everything in `input`.
    ///
    /// The result is the same as that of reading `input` as a stream.
    pub fn convert(&self, input: &[u8]) -> Batch {
        let mut framer = self.framer();
        let mut batch = self.batch();
        let mut rest = input;
        let mut buffer = Vec::new();
        // Reading from a slice can't fail.
        while let Ok(Some(chunk)) = framer.next(&mut rest, buffer) {
            self.convert_chunk(&chunk, &mut batch);
            buffer = chunk.bytes;
        }
        batch.tally.bytes_in = input.len() as u64;
        batch.end = input.len() as u64;
        batch
    }

    /// An empty batch.
    pub(super) fn batch(&self) -> Batch {
        Batch { events: Vec::new(), rejects: Vec::new(), tally: self.tally(), end: 0 }
    }

    /// Converts a chunk, adding to `batch`. Bytes read are for the framer's owner to count.
    pub(super) fn convert_chunk(&self, chunk: &Chunk, batch: &mut Batch) {
        let before = batch.events.len();
        let mut blank = 0;
        chunk.units(self.max_record_bytes, &mut |item, bytes| self.unit(item, bytes, batch), &mut blank);
        batch.tally.blank += blank;
        batch.tally.bytes_out += (batch.events.len() - before) as u64;
        batch.end = chunk.end();
    }

    fn unit(&self, item: &Item, bytes: &[u8], batch: &mut Batch) {
        let broken = |reason, message: &str| Fault::new(reason, message);
        let fault = match item.state {
            ItemState::Whole => {
                let place = |found: &Found<'_>| Item {
                    line: item.line + memchr::memchr_iter(b'\n', &bytes[..found.range.start]).count() as u64,
                    offset: item.offset + found.range.start as u64,
                    length: found.range.len() as u64,
                    ..item.clone()
                };
                return forms::records(bytes, &self.plan.forms, &self.plan.wanted, &mut |found| {
                    let raw = &bytes[found.range.clone()];
                    match &found.fields {
                        Ok(fields) => self.record(fields, found.form, &|| place(&found), raw, batch),
                        Err(fault) => batch.reject(fault.clone(), found.form, None, &place(&found), raw),
                    }
                });
            }
            ItemState::TooLong => {
                let limit = self.max_record_bytes;
                broken(
                    Reason::TooLong,
                    &format!("{} bytes, over the limit of {limit} for a record", item.length),
                )
            }
            ItemState::Broken(why) => broken(Reason::InvalidJson, why),
        };
        batch.reject(fault, Form::Bare, None, item, bytes);
    }

    fn record(
        &self,
        fields: &Fields<'_>,
        form: Form,
        place: &dyn Fn() -> Item,
        raw: &[u8],
        batch: &mut Batch,
    ) {
        let start = batch.events.len();
        let shape = self.shape(fields);
        batch.events.extend_from_slice(self.before);
        match event::write(&self.plan, fields, &mut batch.events) {
            Ok(event_type) => {
                batch.events.extend_from_slice(self.after);
                batch.count(form, Some(shape));
                batch.tally.events += 1;
                batch.tally.by_event_type[event_type].events += 1;
            }
            Err(fault) => {
                batch.events.truncate(start);
                batch.reject(fault, form, Some(shape), &place(), raw);
            }
        }
    }

    /// The name of the first shape that the record has.
    fn shape(&self, fields: &Fields<'_>) -> &str {
        let has = |slots: &[usize]| slots.iter().all(|slot| fields[*slot].is_some());
        self.plan.shapes.iter().find(|(_, slots)| has(slots)).map_or("other", |(name, _)| name)
    }
}

impl Batch {
    /// Empties the batch, keeping its buffers.
    pub(super) fn clear(&mut self) {
        self.events.clear();
        self.rejects.clear();
        self.tally.clear();
    }

    fn count(&mut self, form: Form, shape: Option<&str>) {
        self.tally.records += 1;
        *self.tally.by_form.entry(form).or_default() += 1;
        let shape = shape.unwrap_or("unreadable");
        match self.tally.by_shape.get_mut(shape) {
            Some(count) => *count += 1,
            None => drop(self.tally.by_shape.insert(shape.to_owned(), 1)),
        }
    }

    fn reject(&mut self, fault: Fault, form: Form, shape: Option<&str>, place: &Item, raw: &[u8]) {
        self.count(form, shape);
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

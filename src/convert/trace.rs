//! Records one by one, the exact way, for whoever wants to know what became of each.

use super::{Converter, Lineage, event};
use crate::record::formats::{self, Format, Found};
use crate::record::frame::{ChunkBody, RecordPlaces, Unit};
use crate::record::{Fault, Fields};
use crate::time;

/// A record where it was found.
#[derive(Debug)]
pub struct Traced<'a> {
    /// The line of its stream on which it begins, from 1.
    pub line: u64,
    /// Where it begins in its stream, in bytes.
    pub offset: u64,
    /// Its bytes.
    pub raw: &'a [u8],
    /// How it was wrapped.
    pub format: Format,
    /// Its wanted fields, or why they can't be had.
    pub fields: Result<Fields<'a>, Fault>,
}

impl Converter {
    /// Hands every record of a chunk to `each`, in order.
    pub fn trace(&self, chunk: &[u8], body: &ChunkBody, each: &mut dyn FnMut(&Traced<'_>)) {
        let limit = self.max_record_bytes;
        let mut unit = |item: &Unit, bytes: &[u8]| {
            if let Some(fault) = item.fault(bytes, limit) {
                let Unit { line, offset, .. } = *item;
                return each(&Traced { line, offset, raw: bytes, format: Format::Plain, fields: Err(fault) });
            }
            let (known, projection) = (&self.plan.formats, &self.plan.projection);
            let mut places = RecordPlaces::new(item, bytes);
            formats::records(bytes, known, projection, &mut |Found { range, format, fields }| {
                let place = places.of(&range);
                let raw = &bytes[range];
                let fields = fields.map_err(|fault| place.place(fault, raw));
                each(&Traced { line: place.line, offset: place.offset, raw, format, fields });
            });
        };
        body.units(chunk, limit, &mut unit, &mut 0);
    }

    /// The event of a record with these fields, bare, without a newline.
    ///
    /// # Errors
    /// A [`Fault`] when the record can't be converted.
    pub fn event(&self, fields: &Fields<'_>) -> Result<Vec<u8>, Fault> {
        let mut out = Vec::new();
        event::write(&self.plan, fields, &mut out)?;
        Ok(out)
    }

    /// The event's time that a record with these fields has: seconds since 1970. Nothing, if it has
    /// none that can be read.
    pub fn time_of(&self, fields: &Fields<'_>) -> Option<i64> {
        let time = self.plan.times.iter().find(|time| time.required)?;
        let (text, reading) =
            time.from.iter().find_map(|(slot, read)| Some((fields[*slot].as_deref()?, *read)))?;
        time::read(text, reading).ok().map(|instant| instant.seconds())
    }

    /// Where each field of the event of a record with these fields comes from.
    ///
    /// # Errors
    /// A [`Fault`] when the record can't be converted.
    pub fn lineage(&self, fields: &Fields<'_>) -> Result<Lineage, Fault> {
        // What can't be converted has no lineage.
        self.event(fields)?;
        Ok(Lineage::of(&self.plan, fields))
    }

    /// The name of the first of the mapping's shapes that a record with these fields has; `other`
    /// for none.
    pub fn shape_of(&self, fields: &Fields<'_>) -> &str {
        self.shape(&|slot| fields[slot].is_some())
    }
}

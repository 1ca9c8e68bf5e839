//! Records one by one, read the exact way, with the outcome of each.

use super::converter::Converter;
use super::event;
use super::lineage::Lineage;
use super::range::TimeRange;
use crate::record::formats::{self, Format, FoundRecord};
use crate::record::frame::{ChunkBody, RecordPlaces, Unit};
use crate::record::{Fields, RecordError};

/// A record where it was found.
#[derive(Debug)]
pub(crate) struct Traced<'a> {
    /// The line of its stream on which it begins, from 1.
    pub(crate) line: u64,
    /// Where it begins in its stream, in bytes.
    pub(crate) offset: u64,
    /// Its bytes.
    pub(crate) raw: &'a [u8],
    /// How it was wrapped.
    pub(crate) format: Format,
    /// The number of the table that it belongs to, if that is known; if it has fields it is.
    pub(crate) table: Option<usize>,
    /// Its mapped fields, or why they can't be read.
    pub(crate) fields: Result<Fields<'a>, RecordError>,
}

impl Converter {
    /// Hands every record of a chunk to `each`, in order.
    pub(crate) fn trace(&self, chunk: &[u8], body: &ChunkBody, each: &mut dyn FnMut(&Traced<'_>)) {
        let limit = self.exact.max_record_bytes;
        body.units(chunk, limit, &mut |unit, bytes| self.trace_unit(unit, bytes, each), &mut 0);
    }

    /// Hands every record of a unit to `each`, in order.
    pub(crate) fn trace_unit(&self, unit: &Unit, bytes: &[u8], each: &mut dyn FnMut(&Traced<'_>)) {
        if let Some(error) = unit.error(bytes, self.exact.max_record_bytes) {
            let Unit { line, offset, .. } = *unit;
            let (format, table) = (Format::Plain, (self.plans().len() == 1).then_some(0));
            return each(&Traced { line, offset, raw: bytes, format, table, fields: Err(error) });
        }
        let mut places = RecordPlaces::new(unit, bytes);
        let tables = &self.exact.tables;
        formats::records(bytes, tables, tables.left(), &mut |found| {
            let FoundRecord { range, format, table, fields, .. } = found;
            let place = places.of(&range);
            let raw = &bytes[range];
            let fields = fields.map_err(|error| place.place(error, raw));
            each(&Traced { line: place.line, offset: place.offset, raw, format, table, fields });
        });
    }

    /// The longest record that is read, in bytes.
    #[cfg(feature = "cli")]
    pub(crate) fn max_record_bytes(&self) -> usize {
        self.exact.max_record_bytes
    }

    /// The event's time that a record with these fields has, as [`Converter::time_of`] gives it, and why no event comes
    /// of the record, if none does. `only_times` says that nothing but a time can be the reason.
    #[cfg(feature = "cli")]
    pub(crate) fn time_and_error(
        &self,
        table: usize,
        fields: &Fields<'_>,
        only_times: bool,
    ) -> (Option<i64>, Option<RecordError>) {
        let plan = self.exact.plan(table);
        match event::times(plan, fields, &mut Vec::new()) {
            Err(error) => (self.time_of(table, fields), Some(error)),
            Ok(times) => {
                let own = plan.times.iter().zip(times).find(|(time, _)| time.required);
                let own = own.and_then(|(_, own)| own).map(|own| own.seconds());
                (own, if only_times { None } else { self.event(table, fields).err() })
            }
        }
    }

    /// The type of the event of a record of a table with these fields, and what is made of them; nothing, if no event
    /// comes of it.
    #[cfg(feature = "cli")]
    pub(crate) fn event_type(&self, table: usize, derived: &Fields<'_>) -> Option<&str> {
        let plan = self.exact.plan(table);
        let written = event::write(plan, derived, TimeRange::default(), &mut Vec::new()).ok()??;
        plan.event_types.get(written.event_type).map(|choice| choice.text.as_str())
    }

    /// The event of a record of a table with these fields, bare, without a newline.
    ///
    /// # Errors
    /// A [`RecordError`] when the record can't be converted.
    pub(crate) fn event(&self, table: usize, fields: &Fields<'_>) -> Result<Vec<u8>, RecordError> {
        let (plan, mut out) = (self.exact.plan(table), Vec::new());
        event::write(plan, &plan.derive(fields), TimeRange::default(), &mut out)?;
        Ok(out)
    }

    /// The event's time that a record of a table with these fields has: seconds since 1970. Nothing, if it has
    /// none that can be read.
    pub fn time_of(&self, table: usize, fields: &Fields<'_>) -> Option<i64> {
        let time = self.exact.plan(table).times.iter().find(|time| time.required)?;
        let (text, reading) =
            time.from.iter().find_map(|(slot, read)| Some((fields[*slot].as_deref()?, read)))?;
        reading.read(text).ok().map(|instant| instant.seconds())
    }

    /// Where each field of the event of a record with these fields comes from.
    ///
    /// # Errors
    /// A [`RecordError`] when the record can't be converted.
    pub(crate) fn lineage(&self, table: usize, fields: &Fields<'_>) -> Result<Lineage, RecordError> {
        let plan = self.exact.plan(table);
        let fields = plan.derive(fields);
        // What can't be converted has no lineage.
        let written = event::write(plan, &fields, TimeRange::default(), &mut Vec::new())?;
        let bad = written.map(|written| written.bad).unwrap_or_default();
        Ok(Lineage::of(plan, &fields, &bad))
    }

    /// The name of the first of the table's shapes that a record with these fields has; `other`
    /// for none.
    pub fn shape_of(&self, table: usize, fields: &Fields<'_>) -> &str {
        self.exact.shape(table, &|slot| fields[slot].is_some())
    }
}

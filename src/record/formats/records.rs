//! The records in one unit.
//!
//! A unit is a line, or a JSON value. It holds a plain record, an array of records, an envelope
//! around records, JSON behind a header like syslog's, CEF, or key="value" pairs; of these perhaps
//! several.

use super::format::{EnvelopeHolds, EnvelopeRule, Format, Formats};
use super::parts::{self, LinePart};
use super::text;
use crate::record::exact::{self, Members};
use crate::record::{FieldPath, Fields, Projection, Reason, RecordError, rest};
use crate::text::shown;
use serde_json::value::RawValue;
use std::ops::Range;

/// How many texts may lie in each other.
const MOST_TEXTS: usize = 4;
/// White space around a unit.
const BLANK: [char; 4] = [' ', '\t', '\r', '\n'];

/// A record, or what should have been one.
#[derive(Debug)]
pub struct FoundRecord<'a> {
    /// Its bytes, as a range of the unit.
    pub range: Range<usize>,
    /// How it was wrapped.
    pub format: Format,
    /// Its mapped fields, or why they can't be read.
    pub fields: Result<Fields<'a>, RecordError>,
}

/// Finds the records in `unit`, which has no white space around it and is not empty, and hands
/// each to `found`, in order.
pub fn records<'a>(
    unit: &'a [u8],
    formats: &Formats,
    projection: &Projection,
    found: &mut dyn FnMut(FoundRecord<'a>),
) {
    records_in(unit, formats, projection, 0, found);
}

/// The same for a unit inside this many texts.
fn records_in<'a>(
    unit: &'a [u8],
    formats: &Formats,
    projection: &Projection,
    texts: usize,
    found: &mut dyn FnMut(FoundRecord<'a>),
) {
    let walk = UnitReader { unit, formats, projection, texts };
    let text = if matches!(unit[0], b'{' | b'[') { None } else { std::str::from_utf8(unit).ok() };
    let Some(text) = text else { return walk.json(0..unit.len(), found) };
    match parts::cut(text, formats) {
        Err(error) => found(FoundRecord { range: 0..unit.len(), format: Format::Plain, fields: Err(error) }),
        Ok(parts) => parts.into_iter().for_each(|part| match part {
            LinePart::Json(range) => walk.json(range, found),
            LinePart::Text(range) => match text::record(&text[range.clone()], formats, projection) {
                Some((format, fields)) => found(FoundRecord { range, format, fields }),
                None => walk.json(range, found),
            },
        }),
    }
}

/// What does not change on the way down into envelopes.
struct UnitReader<'a, 'f> {
    unit: &'a [u8],
    formats: &'f Formats,
    projection: &'f Projection,
    /// How many texts are around the unit.
    texts: usize,
}

impl<'a> UnitReader<'a, '_> {
    /// The records in a part of the unit that should be a JSON text.
    fn json(&self, range: Range<usize>, found: &mut dyn FnMut(FoundRecord<'a>)) {
        match exact::check(&self.unit[range.clone()]) {
            Ok(value) => match exact::elements(value) {
                Some(elements) => elements.into_iter().for_each(|e| self.value(e, Format::Array, found)),
                None => self.value(value, Format::Plain, found),
            },
            Err(error) => found(FoundRecord { range, format: Format::Plain, fields: Err(error) }),
        }
    }

    fn value(&self, value: &'a RawValue, format: Format, found: &mut dyn FnMut(FoundRecord<'a>)) {
        let Some(members) = exact::members(value) else {
            let message = format!("the record is {}, not an object", exact::kind(value));
            return self.found(value, format, Err(RecordError::new(Reason::NotObject, message)), found);
        };
        let own = &self.formats.own;
        for envelope in self.formats.envelopes.iter().filter(|envelope| fits(envelope, &members)) {
            match &envelope.holds {
                EnvelopeHolds::Error(parts) => {
                    return self.found(value, format, Err(reported(envelope, parts, &members)), found);
                }
                EnvelopeHolds::Records(places) => {
                    for place in places.iter().filter_map(|path| exact::find(&members, path)) {
                        let is_text = |value: &RawValue| self.opens(envelope, value);
                        // Whatever is there, unless the object has a field of a record itself.
                        let is_envelope = place.get().starts_with(['{', '[']) || is_text(place);
                        if (is_envelope || !own.knows_one(&members))
                            && let Some(error) = own.says_other(&members, self.projection)
                        {
                            return self.found(value, format, Err(error), found);
                        }
                        if let Some(elements) = exact::elements(place) {
                            return elements.into_iter().for_each(|element| match is_text(element) {
                                true => self.text(element, element, found),
                                false => self.value(element, Format::Envelope, found),
                            });
                        }
                        if is_text(place) {
                            return self.text(value, place, found);
                        }
                        if place.get().starts_with('{') {
                            return self.value(place, Format::Envelope, found);
                        }
                    }
                }
            }
        }
        let fields = match own.refuses(&members, self.projection) {
            Some(error) => Err(error),
            None => exact::fields(&members, self.projection)
                .map(|fields| rest::with_rest(fields, value, self.projection)),
        };
        self.found(value, format, fields, found);
    }

    /// Whether `value` is a text that is read for the records in it.
    fn opens(&self, envelope: &EnvelopeRule, value: &RawValue) -> bool {
        envelope.text && value.get().starts_with('"') && self.texts < MOST_TEXTS
    }

    /// The records in a text: one JSON value, or lines. Their place is that of the object around
    /// the text, from which the record can be had again, or that of the text if it holds several.
    fn text(&self, around: &'a RawValue, text: &'a RawValue, found: &mut dyn FnMut(FoundRecord<'a>)) {
        let inner = exact::string(text.get());
        let whole = inner.trim_matches(BLANK);
        let is_one = !whole.contains('\n') || exact::check(whole.as_bytes()).is_ok();
        let units: Vec<&str> = if is_one { vec![whole] } else { whole.split('\n').collect() };
        let mut all = Vec::new();
        for unit in units.iter().map(|unit| unit.trim_matches(BLANK)).filter(|unit| !unit.is_empty()) {
            // The unit is a part of the text, so the difference of the addresses is its offset.
            let start = unit.as_ptr() as usize - inner.as_ptr() as usize;
            records_in(unit.as_bytes(), self.formats, self.projection, self.texts + 1, &mut |record| {
                all.push(match record.fields {
                    Ok(fields) => Ok(fields.into_owned()),
                    Err(error) => {
                        let at = start + record.range.start + 1;
                        Err(RecordError::new(
                            error.reason,
                            format!("{} (from byte {at} of the text on)", error.message),
                        ))
                    }
                });
            });
        }
        let place = if all.len() == 1 { around } else { text };
        all.into_iter().for_each(|fields| self.found(place, Format::Envelope, fields, found));
    }

    fn found(
        &self,
        value: &'a RawValue,
        format: Format,
        fields: Result<Fields<'a>, RecordError>,
        found: &mut dyn FnMut(FoundRecord<'a>),
    ) {
        let text = value.get();
        // The value is a part of the unit, so the difference of the addresses is its offset.
        let start = text.as_ptr() as usize - self.unit.as_ptr() as usize;
        found(FoundRecord { range: start..start + text.len(), format, fields });
    }
}

fn fits(envelope: &EnvelopeRule, members: &Members<'_>) -> bool {
    envelope.present.iter().all(|path| exact::find(members, path).is_some())
        && envelope.when.iter().all(|(path, test)| {
            let text = exact::find(members, path).map_or(Ok(None), exact::scalar);
            text.is_ok_and(|text| test.passes(text.as_deref().into_iter()))
        })
}

fn reported(envelope: &EnvelopeRule, parts: &[FieldPath], members: &Members<'_>) -> RecordError {
    let texts: Vec<String> =
        parts.iter().filter_map(|path| exact::find_text(members, path)).map(|text| shown(&text)).collect();
    let said = if texts.is_empty() { "nothing more".to_owned() } else { texts.join(": ") };
    RecordError::new(Reason::ApiError, format!("{} reports an error: {said}", envelope.name))
}

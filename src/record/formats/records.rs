//! The records in one unit.
//!
//! A unit is a line, or a JSON value. It holds a plain record, an array of records, an envelope
//! around records, JSON behind a header like syslog's, CEF, or key="value" pairs; of these perhaps
//! several.

use super::format::{EnvelopeHolds, EnvelopeRule, Format, Formats};
use super::parts::{self, LinePart};
use super::tables::{ReadsRecords, Tables, TablesLeft};
use super::text;
use crate::record::exact::{self, Members};
use crate::record::{FieldPath, Fields, Reason, RecordError, rest};
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
    /// The number of the table that it belongs to. If it has fields there is one.
    pub table: Option<usize>,
    /// The tables that were left where it was found.
    pub left: TablesLeft,
    /// Its mapped fields, or why they can't be read.
    pub fields: Result<Fields<'a>, RecordError>,
}

/// Finds the records in `unit`, which has no white space around it and is not empty, and hands
/// each to `found`, in order. They are for the tables that are `left`, mostly [all](Tables::left).
pub fn records<'a, T: ReadsRecords>(
    unit: &'a [u8],
    tables: &Tables<T>,
    left: TablesLeft,
    found: &mut dyn FnMut(FoundRecord<'a>),
) {
    records_in(unit, tables, left, 0, found);
}

/// The same for a unit inside this many texts.
fn records_in<'a, T: ReadsRecords>(
    unit: &'a [u8],
    tables: &Tables<T>,
    left: TablesLeft,
    texts: usize,
    found: &mut dyn FnMut(FoundRecord<'a>),
) {
    let walk = UnitReader { unit, tables, texts };
    let text = if matches!(unit[0], b'{' | b'[') { None } else { std::str::from_utf8(unit).ok() };
    let Some(text) = text else { return walk.json(0..unit.len(), left, found) };
    let formats = || tables.these(left).map(|(_, table)| table.formats());
    let reads_cef = formats().any(|formats| formats.cef.is_some());
    match parts::cut(text, reads_cef, formats().find_map(|formats| formats.key_value.as_ref())) {
        Err(error) => walk.rejected(0..unit.len(), Format::Plain, error, left, found),
        Ok(parts) => parts.into_iter().for_each(|part| match part {
            LinePart::Json(range) => walk.json(range, left, found),
            LinePart::Text(range) => match walk.line(&text[range.clone()], left) {
                Some((format, table, fields)) => found(FoundRecord { range, format, table, left, fields }),
                None => walk.json(range, left, found),
            },
        }),
    }
}

/// A record that is not JSON: its form, its table, and its fields.
type TextRecord<'a> = (Format, Option<usize>, Result<Fields<'a>, RecordError>);

/// What does not change on the way down into envelopes.
struct UnitReader<'a, 'f, T> {
    unit: &'a [u8],
    tables: &'f Tables<T>,
    /// How many texts are around the unit.
    texts: usize,
}

/// What an object is to a table.
enum Holds<'a, 'f> {
    /// An envelope around this, which is a text with records or JSON.
    Records(&'a RawValue, bool),
    /// An error.
    Error(&'f EnvelopeRule, &'f [FieldPath]),
    /// An envelope around what holds no record, in an object that has no field of a record itself.
    Nothing,
    /// A record.
    Itself,
}

/// A place in an envelope that holds records.
struct OpenedPlace<'a> {
    value: &'a RawValue,
    is_text: bool,
    /// The tables that read the records there.
    left: TablesLeft,
}

impl<'a, T: ReadsRecords> UnitReader<'a, '_, T> {
    /// The records in a part of the unit that should be a JSON text.
    fn json(&self, range: Range<usize>, left: TablesLeft, found: &mut dyn FnMut(FoundRecord<'a>)) {
        match exact::check(&self.unit[range.clone()]) {
            Ok(value) => match exact::elements(value) {
                Some(elements) => {
                    elements.into_iter().for_each(|e| self.value(e, Format::Array, left, found));
                }
                None => self.value(value, Format::Plain, left, found),
            },
            Err(error) => self.rejected(range, Format::Plain, error, left, found),
        }
    }

    /// A record in one of the text formats. It is the first table's that reads the form and does not refuse the record.
    fn line(&self, line: &'a str, left: TablesLeft) -> Option<TextRecord<'a>> {
        let mut first = None;
        for (number, table) in self.tables.these(left) {
            let Some((format, fields)) = text::record(line, table.formats(), table.projection()) else {
                continue;
            };
            let is_refused = matches!(&fields, Err(error) if error.reason == Reason::OtherLog);
            if !is_refused || self.tables.all.len() == 1 {
                return Some((format, Some(number), fields));
            }
            first.get_or_insert((format, None, fields));
        }
        first
    }

    fn value(
        &self,
        value: &'a RawValue,
        format: Format,
        left: TablesLeft,
        found: &mut dyn FnMut(FoundRecord<'a>),
    ) {
        let Some(members) = exact::members(value) else {
            let message = format!("the record is {}, not an object", exact::kind(value));
            return self.refused(value, format, RecordError::new(Reason::NotObject, message), left, found);
        };
        // Those for which it is a record, if it is not an envelope.
        let mut takers = left;
        let (mut opened, mut refusal, mut failure) = (Vec::<OpenedPlace<'_>>::new(), None, None);
        for (number, table) in self.tables.these(left) {
            match self.holds(table.formats(), &members) {
                Holds::Itself => {}
                Holds::Error(envelope, parts) => {
                    failure.get_or_insert((envelope, parts));
                }
                Holds::Nothing => {
                    if let Some(error) = table.formats().own.says_other(&members, table.projection()) {
                        takers.remove(number);
                        refusal.get_or_insert(error);
                    }
                }
                Holds::Records(place, is_text) => {
                    if let Some(error) = table.formats().own.says_other(&members, table.projection()) {
                        takers.remove(number);
                        refusal.get_or_insert(error);
                        continue;
                    }
                    let is_same = |known: &&mut OpenedPlace<'_>| std::ptr::eq(known.value, place);
                    match opened.iter_mut().find(is_same) {
                        Some(known) => {
                            known.left.add(number);
                            known.is_text |= is_text;
                        }
                        None => {
                            let mut left = TablesLeft::none_inside();
                            left.add(number);
                            opened.push(OpenedPlace { value: place, is_text, left });
                        }
                    }
                }
            }
        }
        if !opened.is_empty() {
            return self.open(value, &members, opened, format, left, found);
        }
        if let Some((envelope, parts)) = failure {
            return self.refused(value, format, reported(envelope, parts, &members), left, found);
        }
        if let (true, Some(error)) = (takers.is_empty(), refusal) {
            return self.refused(value, format, error, left, found);
        }
        let number = match self.tables.of(&members, takers) {
            Ok(number) => number,
            Err(error) => return self.refused(value, format, error, left, found),
        };
        let table = &self.tables.all[number];
        let fields = match table.formats().own.refuses(&members, table.projection()) {
            Some(error) => Err(error),
            None => exact::fields(&members, table.projection())
                .map(|fields| rest::with_rest(fields, value, table.projection())),
        };
        self.found(value, format, (Some(number), left), fields, found);
    }

    /// What the object with these members is by the envelopes of a table: the first that fits counts.
    fn holds<'t>(&self, formats: &'t Formats, members: &Members<'a>) -> Holds<'a, 't> {
        let mut holds_nothing = false;
        for envelope in formats.envelopes.iter().filter(|envelope| fits(envelope, members)) {
            match &envelope.holds {
                EnvelopeHolds::Error(parts) => return Holds::Error(envelope, parts),
                EnvelopeHolds::Records(places) => {
                    for place in places.iter().filter_map(|path| exact::find(members, path)) {
                        let is_text = self.opens(envelope, place);
                        if is_text || place.get().starts_with(['{', '[']) {
                            return Holds::Records(place, envelope.text);
                        }
                        holds_nothing = true;
                    }
                }
            }
        }
        if holds_nothing && !formats.own.knows_one(members) { Holds::Nothing } else { Holds::Itself }
    }

    /// The records in an envelope, by the tables that read each place in it.
    fn open(
        &self,
        around: &'a RawValue,
        members: &Members<'a>,
        mut opened: Vec<OpenedPlace<'a>>,
        format: Format,
        left: TablesLeft,
        found: &mut dyn FnMut(FoundRecord<'a>),
    ) {
        // What is deeper says more.
        let range = |place: &OpenedPlace<'_>| place.value.get().as_bytes().as_ptr_range();
        let ranges: Vec<_> = opened.iter().map(range).collect();
        let is_around = |outer: &Range<*const u8>, inner: &Range<*const u8>| {
            outer != inner && outer.start <= inner.start && inner.end <= outer.end
        };
        opened.retain(|place| !ranges.iter().any(|inner| is_around(&range(place), inner)));
        opened.sort_by_key(|place| range(place).start);
        match self.tables.sorting.named(members, left) {
            Ok(None) => {}
            Ok(Some(table)) => opened.iter_mut().for_each(|place| place.left.keep(table)),
            Err(error) => return self.refused(around, format, error, left, found),
        }
        opened.retain(|place| !place.left.is_empty());
        if opened.is_empty() {
            let message = "the table that the envelope names does not read the records in it".to_owned();
            return self.refused(around, format, RecordError::new(Reason::OtherLog, message), left, found);
        }
        for OpenedPlace { value, is_text, left } in opened {
            // A text among records is read, too, if a text with records is.
            let opens = |value: &RawValue| is_text && self.is_open_text(value);
            match exact::elements(value) {
                Some(elements) => elements.into_iter().for_each(|element| match opens(element) {
                    true => self.text(element, element, left, found),
                    false => self.value(element, Format::Envelope, left, found),
                }),
                None if opens(value) => self.text(around, value, left, found),
                None => self.value(value, Format::Envelope, left, found),
            }
        }
    }

    /// Whether `value` is a text that is read for the records in it.
    fn opens(&self, envelope: &EnvelopeRule, value: &RawValue) -> bool {
        envelope.text && self.is_open_text(value)
    }

    fn is_open_text(&self, value: &RawValue) -> bool {
        value.get().starts_with('"') && self.texts < MOST_TEXTS
    }

    /// The records in a text: one JSON value, or lines. Their place is that of the object around
    /// the text, from which the record can be had again, or that of the text if it holds several.
    fn text(
        &self,
        around: &'a RawValue,
        text: &'a RawValue,
        left: TablesLeft,
        found: &mut dyn FnMut(FoundRecord<'a>),
    ) {
        let inner = exact::string(text.get());
        let whole = inner.trim_matches(BLANK);
        let is_one = !whole.contains('\n') || exact::check(whole.as_bytes()).is_ok();
        let units: Vec<&str> = if is_one { vec![whole] } else { whole.split('\n').collect() };
        let mut all = Vec::new();
        for unit in units.iter().map(|unit| unit.trim_matches(BLANK)).filter(|unit| !unit.is_empty()) {
            // The unit is a part of the text, so the difference of the addresses is its offset.
            let start = unit.as_ptr() as usize - inner.as_ptr() as usize;
            records_in(unit.as_bytes(), self.tables, left, self.texts + 1, &mut |record| {
                let fields = match record.fields {
                    Ok(fields) => Ok(fields.into_owned()),
                    Err(error) => {
                        let at = start + record.range.start + 1;
                        Err(RecordError::new(
                            error.reason,
                            format!("{} (from byte {at} of the text on)", error.message),
                        ))
                    }
                };
                all.push(((record.table, record.left), fields));
            });
        }
        let place = if all.len() == 1 { around } else { text };
        let each = |(table, fields)| self.found(place, Format::Envelope, table, fields, found);
        all.into_iter().for_each(each);
    }

    /// A record, or what should have been one, that can't be told to be of a table.
    fn refused(
        &self,
        value: &'a RawValue,
        format: Format,
        error: RecordError,
        left: TablesLeft,
        found: &mut dyn FnMut(FoundRecord<'a>),
    ) {
        self.found(value, format, (self.only(), left), Err(error), found);
    }

    /// The same for a part of the unit.
    fn rejected(
        &self,
        range: Range<usize>,
        format: Format,
        error: RecordError,
        left: TablesLeft,
        found: &mut dyn FnMut(FoundRecord<'a>),
    ) {
        found(FoundRecord { range, format, table: self.only(), left, fields: Err(error) });
    }

    /// The table, if there is only one.
    fn only(&self) -> Option<usize> {
        (self.tables.all.len() == 1).then_some(0)
    }

    fn found(
        &self,
        value: &'a RawValue,
        format: Format,
        (table, left): (Option<usize>, TablesLeft),
        fields: Result<Fields<'a>, RecordError>,
        found: &mut dyn FnMut(FoundRecord<'a>),
    ) {
        let text = value.get();
        // The value is a part of the unit, so the difference of the addresses is its offset.
        let start = text.as_ptr() as usize - self.unit.as_ptr() as usize;
        found(FoundRecord { range: start..start + text.len(), format, table, left, fields });
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

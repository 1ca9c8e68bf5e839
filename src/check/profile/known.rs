//! Records that look like an earlier one: their values are counted, but not looked for.

use super::repeated::Repeated;
use super::watch::{self, Watched};
use crate::convert::Converter;
use crate::json::{Kind, Shapes, Value, may_vary};
use crate::mapping::{Mapping, Plan};
use crate::record::Fields;
use std::borrow::Cow;
use std::collections::HashSet;
use std::ops::Range;

/// Takes what is known of a record, its text, and where its values are.
type Each<'a> = dyn FnMut(&KnownRecord, &str, &[Range<usize>]) + 'a;

/// What reads a log.
#[derive(Debug)]
pub(super) struct LogReader<'m> {
    /// The mapping's tables.
    pub(super) tables: Vec<&'m Mapping>,
    pub(super) converter: &'m Converter,
    /// For each table whether nothing but a time can be why a record makes no event.
    pub(super) only_times: Vec<bool>,
    /// Whether records may be read by what is known of others that look alike.
    pub(super) learns: bool,
    /// For each table the fields that it watches, and the names of its records.
    pub(super) watched: Vec<Watched>,
    pub(super) repeated: Vec<Repeated>,
    /// Keys at the top of a record that say more than what is in a field.
    marks: Vec<String>,
    /// Keys at the top of a record whose values may say that it is of another log.
    told: HashSet<String>,
}

impl<'m> LogReader<'m> {
    pub(super) fn new(mapping: &'m Mapping, converter: &'m Converter) -> LogReader<'m> {
        let (plans, formats) = (converter.plans(), mapping.formats());
        let own = &formats.own;
        let told =
            own.fields.iter().chain(&own.envelope).filter_map(|(path, _)| path.keys().first().cloned());
        let tables = mapping.tables();
        LogReader {
            watched: tables.iter().map(|table| watch::names(table.watched())).collect(),
            repeated: tables.iter().map(|_| Repeated::default()).collect(),
            tables,
            converter,
            only_times: plans.iter().map(Plan::takes_any_text).collect(),
            // Of several tables, or where there is more in a value, records that look alike may still differ.
            learns: matches!(plans, [plan] if !plan.projection.is_more_than_values()),
            marks: plans.first().map(|plan| formats.marks(&plan.projection)).unwrap_or_default(),
            told: told.collect(),
        }
    }
}

/// Shapes of records that were read.
#[derive(Debug, Default)]
pub(super) struct KnownRecords {
    shapes: Shapes<KnownRecord>,
    /// Where the values of a record are.
    places: Vec<Range<usize>>,
}

/// What is known of a record's shape.
#[derive(Debug)]
pub(super) struct KnownRecord {
    /// The mapping's name for it.
    pub(super) shape: String,
    /// The fields that the mapping reads, by slot; of lists all elements.
    fields: Vec<Vec<ValueFrom>>,
    /// All fields that hold no other.
    pub(super) counted: Vec<CountedField>,
    /// Which of these the table watches.
    pub(super) watched: [Option<usize>; 3],
}

/// A field that is counted.
#[derive(Debug)]
pub(super) struct CountedField {
    /// Its place among those that are counted one by one.
    pub(super) place: Option<usize>,
    pub(super) kind: Kind,
    pub(super) value: ValueFrom,
}

/// Where a value comes from.
#[derive(Debug)]
pub(super) enum ValueFrom {
    /// It is this one of the record's values that may vary.
    Varying(usize),
    /// It is the same in all records of the shape.
    Fixed(String),
}

impl ValueFrom {
    pub(super) fn text<'t>(&'t self, record: &'t str, values: &[Range<usize>]) -> &'t str {
        match self {
            ValueFrom::Varying(number) => &record[values[*number].clone()],
            ValueFrom::Fixed(text) => text,
        }
    }
}

impl KnownRecord {
    /// The mapped fields of a record of this shape.
    pub(super) fn fields<'t>(&'t self, record: &'t str, values: &[Range<usize>]) -> Fields<'t> {
        let mut fields = Fields::absent(self.fields.len());
        for (slot, all) in self.fields.iter().enumerate() {
            all.iter().for_each(|value| fields.push(slot, Cow::Borrowed(value.text(record, values))));
        }
        fields
    }
}

/// The fields of a record that others may look like.
#[derive(Debug, Default)]
pub(super) struct Learning {
    varying: Vec<(Range<usize>, Kind)>,
    counted: Vec<CountedField>,
    /// Whether what comes next is below a key that is [told](LogReader::told).
    is_told: bool,
}

impl Learning {
    /// Takes a field at the top of the record, before all that is in it.
    pub(super) fn begin(&mut self, log: &LogReader<'_>, key: &str) {
        self.is_told = log.told.contains(key);
    }

    /// Takes a field that was counted at this place.
    pub(super) fn add(&mut self, place: Option<usize>, member: Value<'_>) {
        let value = match may_vary(member).filter(|_| !self.is_told) {
            Some(range) => {
                self.varying.push((range, member.kind()));
                ValueFrom::Varying(self.varying.len() - 1)
            }
            None => ValueFrom::Fixed(member.text().into_owned()),
        };
        self.counted.push(CountedField { place, kind: member.kind(), value });
    }

    /// The last of the fields that were counted at this place.
    pub(super) fn place_of(&self, place: usize) -> Option<usize> {
        self.counted.iter().rposition(|field| field.place == Some(place))
    }

    /// Where a mapped field comes from; nothing, if that can't be said.
    fn source(&self, record: &str, field: &str) -> Option<ValueFrom> {
        // It is a part of the record, so the difference of the addresses is its offset.
        let start = (field.as_ptr() as usize).checked_sub(record.as_ptr() as usize)?;
        let range = start..start + field.len();
        let same = self.varying.iter().position(|(varying, _)| *varying == range);
        let apart = |(other, _): &(Range<usize>, Kind)| other.end <= range.start || range.end <= other.start;
        match same {
            Some(number) => Some(ValueFrom::Varying(number)),
            None if range.end <= record.len() && self.varying.iter().all(apart) => {
                Some(ValueFrom::Fixed(field.to_owned()))
            }
            None => None,
        }
    }
}

impl KnownRecords {
    /// Whether a record that is not known is to be learnt from. Asked once for each.
    pub(super) fn wants(&mut self, record: &[u8]) -> bool {
        self.shapes.wants(record)
    }

    /// Hands a record that looks like an earlier one to `each`, with what is known of it, its text, and where its values
    /// are; whether it does.
    pub(super) fn read(&mut self, record: &[u8], each: &mut Each<'_>) -> bool {
        let Some((text, number)) = self.shapes.fit(record, &mut self.places) else { return false };
        each(self.shapes.known(number), text, &self.places);
        true
    }

    /// Learns from a record with these mapped fields.
    pub(super) fn learn(
        &mut self,
        log: &LogReader<'_>,
        record: Value<'_>,
        fields: &Fields<'_>,
        learning: Learning,
        watched: [Option<usize>; 3],
    ) {
        if record.children().any(|member| log.marks.iter().any(|mark| *mark == member.key())) {
            return;
        }
        let source = |text: &Cow<'_, str>| learning.source(record.raw(), text);
        let all = |slot: usize| fields.all(slot).map(source).collect::<Option<Vec<ValueFrom>>>();
        let Some(sources) = (0..fields.len()).map(all).collect::<Option<Vec<_>>>() else { return };
        let Learning { varying, counted, .. } = learning;
        let shape = log.converter.shape_of(0, fields).to_owned();
        let known = KnownRecord { shape, fields: sources, counted, watched };
        self.shapes.learn(record.raw().as_bytes(), varying.into_iter(), known);
    }
}

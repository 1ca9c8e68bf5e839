//! Makes the profile of a log.

use super::days::Counted;
use super::field::FieldStat;
use super::flows::Flows;
use super::gather::Gathered;
use super::known::LogReader;
use super::rejects::{reject_inputs, reject_reasons};
use super::sums::{repeated, sums};
use super::times::{Span, changes};
use super::types::{EventTypeUse, Field, NewValue, Profile, RuleUse, Shape, TableUse};
use crate::check::coverage::Coverage;
use crate::check::mistaken::Mistaken;
use crate::check::reading::Reading;
use crate::convert::pipeline::{Framed, Piece};
use crate::convert::{Converter, Engine, Options};
use crate::mapping::{Mapping, Plan, SetTable};
use crate::record::FieldPath;
#[cfg(feature = "serve")]
use crate::record::frame::Chunk;
use crate::record::frame::Unit;
use crate::store::Source;
use chrono::{DateTime, SecondsFormat};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Reads `sources` and says what is in them, and what `mapping` makes of it. Inputs that can't be read are among the
/// profile's failures. `mistaken` sees what is not a raw log.
///
/// # Errors
/// When threads can't be started.
pub(crate) fn profile(
    mapping: &Mapping,
    sources: &[Source],
    reading: &Reading,
    with_values: bool,
    mistaken: &Mistaken,
) -> anyhow::Result<Profile> {
    let converter = Converter::new(mapping, &Options { engine: Engine::Exact, ..Options::default() });
    let log = LogReader::new(mapping, &converter);
    let work = |gathered: &mut Gathered, chunk: Framed<'_>| {
        mistaken.look((chunk.text.number, &chunk.text.name), chunk.bytes, chunk.body, reading.limit);
        gathered.begin((chunk.text.number, Arc::clone(&chunk.text.name)));
        let mut add = |unit: &Unit, bytes: &[u8], is_cut: bool| match is_cut {
            false => gathered.add_known(&log, unit, bytes),
            true => {
                gathered.add(&log, unit, bytes);
                true
            }
        };
        chunk.body.known_units(chunk.bytes, converter.max_record_bytes(), &mut add, &mut 0);
        gathered.end();
    };
    let (mut failures, mut total) = (Vec::new(), 0);
    let parts = reading.run(sources, &Gathered::default, &work, &mut |piece| {
        match piece {
            Piece::Failed(_, error) => failures.push(error.to_string()),
            Piece::End(_, bytes) => total += bytes,
            Piece::Part(..) => {}
        }
        Ok(())
    })?;
    let mut parts = parts.into_iter();
    let mut gathered = parts.next().unwrap_or_default();
    parts.for_each(|part| gathered.merge(part));
    let mut profile = of_gathered(&gathered, &log, mapping, with_values);
    profile.inputs = sources.iter().map(|source| source.name().to_owned()).collect();
    (profile.bytes, profile.failures) = (total, failures);
    Ok(profile)
}

/// The same for chunks that are in memory, whose records `converter` reads the exact way. `each` sees what is in each
/// record, and its number, until it says `false`.
#[cfg(feature = "serve")]
pub(crate) fn profile_chunks<'c>(
    mapping: &Mapping,
    converter: &Converter,
    chunks: impl Iterator<Item = &'c Chunk>,
    each: &mut dyn FnMut(u64, &Gathered) -> bool,
) -> Profile {
    let log = LogReader::new(mapping, converter);
    let (mut gathered, mut number, mut goes_on) = (Gathered::default(), 0, true);
    let name: Arc<str> = Arc::default();
    for chunk in chunks {
        converter.trace(&chunk.bytes, &chunk.body, &mut |record| {
            if goes_on {
                let mut one = Gathered::default();
                one.begin((0, Arc::clone(&name)));
                one.add_record(&log, record, false);
                goes_on = each(number, &one);
                gathered.merge(one);
            }
            number += 1;
        });
        if !goes_on {
            break;
        }
    }
    of_gathered(&gathered, &log, mapping, true)
}

fn of_gathered(gathered: &Gathered, log: &LogReader<'_>, mapping: &Mapping, with_values: bool) -> Profile {
    let converter = log.converter;
    let time = |seconds: i64| {
        DateTime::from_timestamp(seconds, 0).unwrap_or_default().to_rfc3339_opts(SecondsFormat::Secs, true)
    };
    let mut shapes: Vec<_> = gathered
        .shape_names
        .iter()
        .zip(&gathered.shapes)
        .map(|((number, name), (n, range))| (number, name, *n, *range))
        .collect();
    shapes.sort_by_key(|(_, name, n, _)| (std::cmp::Reverse(*n), *name));
    let range =
        shapes.iter().filter_map(|(_, _, _, range)| *range).reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)));

    let wanted = converter.plans().iter().flat_map(Plan::fields);
    let names: BTreeSet<String> = wanted.map(ToString::to_string).collect();
    let is_read = |name: &str| {
        // A list or a text may hold what is read.
        let inside =
            |inner: &str, outer: &str| inner.strip_prefix(outer).is_some_and(|r| r.starts_with(['.', '[']));
        names.iter().any(|read| name == read || inside(name, read) || inside(read, name))
    };
    let mut fields: Vec<(&String, &FieldStat)> = gathered.fields().collect();
    fields.sort_by_key(|(name, stat)| (std::cmp::Reverse(stat.present()), *name));
    let fields: Vec<Field> =
        fields.into_iter().map(|(name, stat)| stat.field(name.clone(), is_read(name), with_values)).collect();

    let mut new_values = Vec::new();
    for (name, known) in known_values(mapping, converter) {
        let stat = gathered.field(&name);
        for (value, records) in stat.iter().flat_map(|stat| stat.values()) {
            if !known.iter().any(|known| *known == value) {
                new_values.push(NewValue { field: name.clone(), value: value.to_owned(), records });
            }
        }
    }
    new_values.sort_by(|a, b| {
        (&a.field, std::cmp::Reverse(a.records), &a.value).cmp(&(
            &b.field,
            std::cmp::Reverse(b.records),
            &b.value,
        ))
    });

    let mut coverage = Coverage::new(mapping, converter);
    let mut flows = Flows::default();
    for kind in gathered.kinds.values() {
        let (table, sample) = &kind.sample;
        if let Ok(lineage) = converter.lineage(*table, sample) {
            coverage.add(*table, &lineage, kind.events);
            flows.add(mapping, converter, *table, &lineage, kind.events);
        }
    }
    let order: Vec<&str> = shapes.iter().map(|(_, name, ..)| *name).collect();
    let span = Span::of(&gathered.days);
    let counted: Vec<Counted> = shapes.iter().map(|(number, ..)| Counted::Shape(*number)).collect();
    let times = span.buckets(&counted);
    let (reject_inputs, more_reject_inputs) = reject_inputs(&gathered.rejected, with_values);
    Profile {
        mapping: mapping.name().to_owned(),
        inputs: Vec::new(),
        failures: Vec::new(),
        bytes: 0,
        seconds: 0.0,
        records: gathered.records,
        rejects: gathered.rejected.counts(),
        formats: gathered.formats.clone(),
        tables: tables(gathered, mapping),
        changes: changes(&times, &order),
        shapes: shapes
            .iter()
            .map(|(_, name, records, range)| Shape {
                name: (*name).to_owned(),
                records: *records,
                first: range.map(|(first, _)| time(first)),
                last: range.map(|(_, last)| time(last)),
            })
            .collect(),
        fields,
        fields_not_counted: gathered.fields_not_counted,
        first: range.map(|(first, _)| time(first)),
        last: range.map(|(_, last)| time(last)),
        unit: span.unit,
        times,
        outside: span.outside(),
        rules: coverage.parts().map(|(rule, events)| RuleUse { rule: rule.to_owned(), events }).collect(),
        new_values,
        reject_reasons: reject_reasons(&gathered.rejected, &span, with_values),
        reject_inputs,
        more_reject_inputs,
        event_types: event_types(gathered, &span),
        hours: gathered.hours,
        empty_days: span.empty_days(),
        sums: sums(gathered, log, &span, with_values),
        repeated: repeated(log, with_values),
        flows: flows.listed(),
    }
}

/// Events by their type.
fn event_types(gathered: &Gathered, span: &Span<'_>) -> Vec<EventTypeUse> {
    let of = |(number, name): (u16, &str)| {
        let counted = Counted::EventType(number);
        let events = gathered.events_of(number);
        let by_time = span.by_part(&|day| day.count(counted));
        EventTypeUse { event_type: name.to_owned(), events, by_time }
    };
    let mut types: Vec<EventTypeUse> = gathered.event_types.iter().map(of).collect();
    types.sort_by(|a, b| (b.events, &a.event_type).cmp(&(a.events, &b.event_type)));
    types
}

/// How many records belong to each table of a set.
fn tables(gathered: &Gathered, mapping: &Mapping) -> Vec<TableUse> {
    let Some(set) = mapping.set() else { return Vec::new() };
    let count = |counts: &BTreeMap<usize, u64>, table| counts.get(&table).copied().unwrap_or(0);
    let table = |(number, table): (usize, &SetTable)| TableUse {
        table: table.mapping.name().to_owned(),
        log_type: table.mapping.log_type().to_owned(),
        records: count(&gathered.tables, number),
        share: count(&gathered.tables, number) as f64 / gathered.records.max(1) as f64,
        events: count(&gathered.events, number),
    };
    set.tables.iter().enumerate().map(table).collect()
}

/// The documented values by field. Where several tables read a field, they are those of all; if one of these names none,
/// no value can be told to be new.
fn known_values<'m>(mapping: &'m Mapping, converter: &Converter) -> BTreeMap<String, Vec<&'m String>> {
    let mut all: BTreeMap<String, Vec<&String>> = BTreeMap::new();
    let mut undocumented = BTreeSet::new();
    for (mapping, plan) in mapping.tables().into_iter().zip(converter.plans()) {
        for known in mapping.known() {
            all.entry(known.from.to_string()).or_default().extend(&known.values);
        }
        let is_known = |path: &&FieldPath| mapping.known().iter().any(|known| known.from == **path);
        undocumented.extend(plan.fields().iter().filter(|path| !is_known(path)).map(ToString::to_string));
    }
    if mapping.set().is_some() {
        all.retain(|field, _| !undocumented.contains(field));
    }
    all
}

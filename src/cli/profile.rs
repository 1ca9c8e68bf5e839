//! `udmap profile`: what is in a log.

use super::coverage::Coverage;
use super::many::{self, Piece, Reading};
use super::nothing::{self, AllowEmpty};
use super::outputs::Outputs;
use super::reports::{print_all, print_data, print_failures};
use super::{DONE, FAILED, mappings};
use crate::convert::{Converter, Engine, MAX_RECORD_BYTES, Options};
use crate::mapping::Mapping;
use crate::record::frame::Chunk;
use crate::report::profile::{
    Bucket, Field, FieldStat, Gathered, NewValue, Profile, RuleUse, Shape, day, page, text,
};
use crate::report::summary::bytes;
use crate::store::store_error;
use crate::store::{self, Sink};
use crate::text::escaped_json;
use chrono::{DateTime, SecondsFormat};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::Write as _;
use std::time::Instant;

/// Show what is in a log: shapes, fields with types and values, times, and what the mapping uses of it.
///
/// Memory stays small whatever the log's size: distinct values beyond 500 a field are estimated (within some 2%).
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Exit status:
  0  done, whatever is in the log
  2  could not do it: usage, mapping, or input
  3  there is not one record (`--allow-empty` makes it 0)

Examples:
  udmap profile telephony.ndjson
  udmap profile 'dump/**/*.gz' --html profile.html
  udmap profile dump/ --json | jq '.fields[] | select(.read == false) | .name'")]
pub(super) struct Args {
    /// Files, folders, glob patterns, or `-` for stdin.
    #[arg(value_name = "INPUT", required = true)]
    inputs: Vec<String>,

    /// The mapping table: a built-in one's name, or a file.
    #[arg(long, value_name = "NAME|FILE", default_value = "duo_telephony")]
    mapping: String,

    /// Write a page with charts to this file; it needs no network.
    #[arg(long, value_name = "FILE")]
    html: Option<String>,

    /// Print JSON instead of tables.
    #[arg(long)]
    json: bool,

    /// Leave out the fields' values, which may be personal data.
    #[arg(long)]
    no_values: bool,

    /// How many threads read [default: the number of cores].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,

    #[command(flatten)]
    allow_empty: AllowEmpty,

    /// No tables on stdout and no summary on stderr.
    #[arg(short, long)]
    quiet: bool,
}

pub(super) fn run(args: &Args) -> anyhow::Result<u8> {
    let mapping = mappings::load(&args.mapping)?;
    let converter = Converter::new(&mapping, &Options { engine: Engine::Exact, ..Options::default() });
    let start = Instant::now();
    let mut outputs = Outputs::default();
    outputs.add_if("--html", args.html.as_deref())?;
    outputs.add_if("--json", args.json.then_some("-"))?;
    outputs.spare("--mapping", &args.mapping)?;
    let sources = outputs.list("INPUT", &args.inputs)?.sources;
    let reading = Reading { threads: many::threads(args.threads), limit: MAX_RECORD_BYTES, members: true };
    let work = |gathered: &mut Gathered, _: usize, chunk: &Chunk| {
        converter.trace(&chunk.bytes, &chunk.body, &mut |record| gathered.add(&converter, &mapping, record));
    };
    let (mut failures, mut total) = (Vec::new(), 0);
    let parts = reading.run(&sources, &Gathered::default, &work, &mut |piece| {
        match piece {
            Piece::Failed(error) => failures.push(error.to_string()),
            Piece::End(_, bytes) => total += bytes,
            Piece::Part(..) | Piece::Member(_) => {}
        }
        Ok(())
    })?;
    let mut gathered = Gathered::default();
    parts.into_iter().for_each(|part| gathered.merge(part));
    let inputs = sources.iter().map(|source| source.name().to_owned()).collect();
    let seconds = start.elapsed().as_secs_f64();
    let mut profile = profile(&gathered, &converter, &mapping, !args.no_values)?;
    (profile.inputs, profile.bytes, profile.seconds) = (inputs, total, seconds);
    profile.failures = failures;
    if let Some(file) = &args.html {
        let mut sink = Sink::create(file)?;
        sink.write_all(page(&profile).as_bytes()).map_err(store_error)?;
        sink.finish()?;
    }
    if args.json {
        print_data(&escaped_json(serde_json::to_string_pretty(&profile)? + "\n"))?;
    } else if !args.quiet && !args.html.as_deref().is_some_and(store::is_stdout) {
        print_all(&text(&profile))?;
    }
    print_failures(&profile.failures);
    if !args.quiet {
        let rate = bytes((total as f64 / seconds.max(1e-9)) as u64);
        say!("read {} in {seconds:.2} s, {rate}/s", bytes(total));
    }
    let exit_status = match (profile.failures.is_empty(), profile.records) {
        (false, _) => FAILED,
        (true, 0) => args.allow_empty.status(),
        (true, _) => DONE,
    };
    nothing::warn(exit_status, &format!("there is no record in {}", nothing::named(&args.inputs)));
    Ok(exit_status)
}

fn profile(
    gathered: &Gathered,
    converter: &Converter,
    mapping: &Mapping,
    with_values: bool,
) -> anyhow::Result<Profile> {
    let time = |seconds: i64| {
        DateTime::from_timestamp(seconds, 0).unwrap_or_default().to_rfc3339_opts(SecondsFormat::Secs, true)
    };
    let mut shapes: Vec<_> = gathered.shapes.iter().collect();
    shapes.sort_by_key(|(name, (n, _))| (std::cmp::Reverse(*n), *name));
    let range =
        shapes.iter().filter_map(|(_, (_, range))| *range).reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)));

    let wanted = converter.plan().fields();
    let names: Vec<String> = wanted.iter().map(ToString::to_string).collect();
    let is_read = |name: &str| {
        names
            .iter()
            .any(|read| name == read || name.strip_prefix(read.as_str()).is_some_and(|r| r.starts_with('.')))
    };
    let mut fields: Vec<(&String, &FieldStat)> = gathered.fields.iter().collect();
    fields.sort_by_key(|(name, stat)| (std::cmp::Reverse(stat.present()), *name));
    let fields: Vec<Field> =
        fields.into_iter().map(|(name, stat)| stat.field(name.clone(), is_read(name), with_values)).collect();

    let mut new_values = Vec::new();
    for known in mapping.known() {
        let name = known.from.to_string();
        let stat = gathered.fields.get(&name);
        for (value, records) in stat.iter().flat_map(|stat| stat.values()) {
            if !known.values.iter().any(|known| known == value) {
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

    let mut coverage = Coverage::new(mapping, names);
    for (events, sample) in gathered.kinds.values() {
        let fields = sample.iter().map(|field| field.as_deref().map(Cow::Borrowed)).collect();
        if let Ok(lineage) = converter.lineage(&fields) {
            coverage.add(&lineage, *events);
        }
    }
    let order: Vec<&str> = shapes.iter().map(|(name, _)| name.as_str()).collect();
    let (unit, times, outside) = buckets(gathered, &order);
    Ok(Profile {
        mapping: mapping.name().to_owned(),
        inputs: Vec::new(),
        failures: Vec::new(),
        bytes: 0,
        seconds: 0.0,
        records: gathered.records,
        rejects: gathered.rejects.clone(),
        formats: gathered.formats.clone(),
        changes: changes(&times, &order),
        shapes: shapes
            .iter()
            .map(|(name, (records, range))| Shape {
                name: (*name).clone(),
                records: *records,
                first: range.map(|(first, _)| time(first)),
                last: range.map(|(_, last)| time(last)),
            })
            .collect(),
        fields,
        fields_not_counted: gathered.fields_not_counted,
        first: range.map(|(first, _)| time(first)),
        last: range.map(|(_, last)| time(last)),
        unit,
        times,
        outside,
        rules: coverage.parts().map(|(rule, events)| RuleUse { rule: rule.to_owned(), events }).collect(),
        new_values,
    })
}

/// Records by day, or, if there are more than some two months of days, by month; empty ones between
/// others too.
fn buckets(gathered: &Gathered, shapes: &[&str]) -> (&'static str, Vec<Bucket>, u64) {
    const MOST_DAYS: i64 = 70;
    let Some((first, last)) = middle(gathered) else { return ("day", Vec::new(), 0) };
    let by_days = last - first < MOST_DAYS && !gathered.is_coarse();
    let name = |number: i64| match day(number) {
        Some(date) if by_days => date.format("%Y-%m-%d").to_string(),
        Some(date) => date.format("%Y-%m").to_string(),
        None => String::new(),
    };
    let mut counts: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    // A gap is as telling as a peak; but a stray time must not make thousands of empty months.
    const MOST_MONTHS: i64 = 1_200;
    if last - first < MOST_MONTHS * 30 {
        (first..=last).for_each(|number| {
            counts.entry(name(number)).or_insert_with(|| vec![0; shapes.len()]);
        });
    }
    let mut outside = 0;
    for (number, by_shape) in &gathered.days {
        if !(first..=last).contains(number) {
            outside += by_shape.values().sum::<u64>();
            continue;
        }
        let sums = counts.entry(name(*number)).or_insert_with(|| vec![0; shapes.len()]);
        for (sum, shape) in sums.iter_mut().zip(shapes) {
            *sum += by_shape.get(*shape).copied().unwrap_or(0);
        }
    }
    let bucket =
        |(from, by_shape): (String, Vec<u64>)| Bucket { from, records: by_shape.iter().sum(), by_shape };
    (if by_days { "day" } else { "month" }, counts.into_iter().map(bucket).collect(), outside)
}

/// The first and the last day without the outermost thousandth of the records at either end: stray
/// times must not hide the others.
fn middle(gathered: &Gathered) -> Option<(i64, i64)> {
    let count = |by_shape: &BTreeMap<String, u64>| by_shape.values().sum::<u64>();
    let most = gathered.days.values().map(count).sum::<u64>() / 1000;
    let end = |days: &mut dyn Iterator<Item = (&i64, &BTreeMap<String, u64>)>| {
        let mut passed = 0;
        for (day, by_shape) in days {
            passed += count(by_shape);
            if passed > most {
                return Some(*day);
            }
        }
        None
    };
    Some((end(&mut gathered.days.iter())?, end(&mut gathered.days.iter().rev())?))
}

/// When one shape took the place of another as the most frequent.
fn changes(times: &[Bucket], shapes: &[&str]) -> Vec<String> {
    const MOST: usize = 20;
    let mut changes = Vec::new();
    let mut before: Option<usize> = None;
    // A few stray records make no change.
    let least = (times.iter().map(|bucket| bucket.records).sum::<u64>() / 1000).max(1);
    for bucket in times.iter().filter(|bucket| bucket.records >= least) {
        let Some(most) =
            (0..shapes.len()).max_by_key(|shape| (bucket.by_shape[*shape], std::cmp::Reverse(*shape)))
        else {
            continue;
        };
        if let Some(before) = before
            && before != most
            && bucket.by_shape[most] > bucket.by_shape[before]
        {
            changes.push(format!(
                "from {} on, most records are {} ({} before)",
                bucket.from, shapes[most], shapes[before]
            ));
        }
        before = Some(most);
    }
    if changes.len() > MOST {
        let more = changes.len() - MOST;
        changes.truncate(MOST);
        changes.push(format!("and {more} more changes"));
    }
    changes
}

//! The closing summary of a conversion: for a person on stderr, for a machine as JSON.

use super::reject_sources;

pub(super) use super::layout::{DIM, RED, duration, row, share};
pub(crate) use super::layout::{amount, bytes, counted, grouped};
use crate::convert::{Counts, Reject, RejectSources};
use crate::record::Reason;
use crate::text::{escaped, escaped_json};
use anstyle::Style;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

/// How many rejects of one reason are shown.
const MOST_EXAMPLES: usize = 3;

const BOLD: Style = Style::new().bold();

/// Everything that is known at the end of a conversion.
#[derive(Debug)]
pub(crate) struct Summary {
    pub(crate) mapping: String,
    pub(crate) inputs: usize,
    /// Bytes of the inputs as they are stored.
    pub(crate) stored_bytes: u64,
    pub(crate) counts: Counts,
    pub(crate) examples: Examples,
    pub(crate) reject_sources: RejectSources,
    /// Inputs that could not be read (to the end), a sentence each.
    pub(crate) failures: Vec<String>,
    pub(crate) elapsed: Duration,
    /// Where the events went.
    pub(crate) output: String,
    /// Where the rejects went, if they are kept.
    pub(crate) rejects_to: Option<String>,
    pub(crate) exit_status: u8,
}

/// The first few rejects of each reason.
#[derive(Debug, Default)]
pub(crate) struct Examples(BTreeMap<Reason, Vec<String>>);

impl Examples {
    /// Examples that were picked already.
    pub(crate) fn of(picked: BTreeMap<Reason, Vec<String>>) -> Examples {
        Examples(picked)
    }

    pub(crate) fn add(&mut self, source: &str, rejects: &[Reject]) {
        for reject in rejects {
            let shown = self.0.entry(reject.reason).or_default();
            if shown.len() < MOST_EXAMPLES {
                shown.push(escaped(&format!("{source}:{}: {}", reject.line, reject.message)).into_owned());
            }
        }
    }
}

impl Summary {
    /// The summary for a person, with colours.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a string can't fail.
        let _ = self.write_text(&mut text);
        text
    }

    fn write_text(&self, to: &mut String) -> std::fmt::Result {
        let counts = &self.counts;
        let seconds = self.elapsed.as_secs_f64();
        let outside = match counts.outside {
            0 => String::new(),
            n => format!(", {} outside of the range", grouped(n)),
        };
        writeln!(
            to,
            "{BOLD}{} -> {}, {}{outside}{BOLD:#}  {DIM}in {}, {}/s{DIM:#}",
            counted(counts.records, "record"),
            counted(counts.events, "event"),
            counted(counts.rejects, "reject"),
            duration(seconds),
            bytes((counts.bytes_in as f64 / seconds.max(1e-9)) as u64),
        )?;
        let stored = if self.stored_bytes == counts.bytes_in {
            String::new()
        } else {
            format!(" ({} as stored)", bytes(self.stored_bytes))
        };
        let blank = if counts.blank == 0 {
            String::new()
        } else {
            format!(", {}", counted(counts.blank, "blank line"))
        };
        let inputs = counted(self.inputs as u64, "input");
        row(to, "read", &format!("{inputs}, {}{stored}{blank}", bytes(counts.bytes_in)))?;
        for (i, count) in counts.by_table.iter().filter(|count| count.records > 0).enumerate() {
            let label = if i == 0 { "tables" } else { "" };
            let (n, events) = (grouped(count.records), counted(count.events, "event"));
            row(to, label, &format!("{:24} {n:>11}  {DIM}{events}{DIM:#}", escaped(&count.table)))?;
        }
        row(to, "shapes", &escaped(&listed(counts.by_shape.iter().map(|(name, n)| (name.as_str(), *n)))))?;
        row(to, "formats", &listed(counts.by_format.iter().map(|(format, n)| (format.name(), *n))))?;
        let kinds: Vec<_> = counts.by_event_type.iter().filter(|count| count.events > 0).collect();
        let wide = kinds.iter().map(|count| count.event_type.len()).max().unwrap_or(0);
        for (i, count) in kinds.iter().enumerate() {
            let label = if i == 0 { "events" } else { "" };
            let n = grouped(count.events);
            let table = count.table.as_ref().map_or(String::new(), |table| format!("{table}: "));
            let because = format!("{table}{}", count.because);
            let (kind, because) = (escaped(&count.event_type), escaped(&because));
            let line = format!("{kind:wide$} {n:>11}  {DIM}{because}{DIM:#}");
            row(to, label, &line)?;
        }
        if !counts.bad_fields.is_empty() {
            let bad = counts.bad_fields.iter().map(|(path, n)| (path.as_str(), *n));
            row(to, "bad fields", &escaped(&listed(bad)))?;
        }
        for (i, (reason, n)) in counts.by_reason.iter().enumerate() {
            let label = if i == 0 { "rejects" } else { "" };
            row(to, label, &format!("{RED}{:15}{RED:#} {:>11}", reason.code(), grouped(*n)))?;
            if self.rejects_to.is_some() {
                continue;
            }
            let examples = self.examples.0.get(reason).map(Vec::as_slice).unwrap_or_default();
            for example in examples {
                row(to, "", &format!("  {DIM}{example}{DIM:#}"))?;
            }
            if *n > examples.len() as u64 {
                row(to, "", &format!("  {DIM}... and {} more{DIM:#}", grouped(n - examples.len() as u64)))?;
            }
        }
        reject_sources::text(to, &self.reject_sources, self.rejects_to.as_deref())?;
        row(to, "to", &escaped(&self.output))?;
        match &self.rejects_to {
            Some(rejects) => row(to, "rejects to", &escaped(rejects))?,
            None if counts.rejects > 0 => writeln!(to, "hint: keep the rejects with `--rejects FILE`")?,
            None => {}
        }
        Ok(())
    }

    /// The summary for a machine: one JSON object.
    pub(crate) fn json(&self) -> Vec<u8> {
        // Numbers and texts always serialize.
        let text = serde_json::to_string_pretty(&self.value()).unwrap_or_default();
        escaped_json(text + "\n").into_bytes()
    }

    /// The summary for a machine.
    pub(super) fn value(&self) -> impl Serialize + '_ {
        #[derive(Serialize)]
        struct EventType<'a> {
            #[serde(skip_serializing_if = "Option::is_none")]
            table: Option<&'a str>,
            event_type: &'a str,
            because: &'a str,
            line: usize,
            events: u64,
        }
        #[derive(Serialize)]
        struct Table<'a> {
            table: &'a str,
            records: u64,
            events: u64,
        }
        #[derive(Serialize)]
        struct Json<'a, R> {
            udmap: &'static str,
            mapping: &'a str,
            inputs: usize,
            stored_bytes: u64,
            bytes_in: u64,
            bytes_out: u64,
            records: u64,
            events: u64,
            rejects: u64,
            outside: u64,
            blank: u64,
            balances: bool,
            by_reason: BTreeMap<&'static str, u64>,
            by_format: BTreeMap<&'static str, u64>,
            by_shape: &'a BTreeMap<String, u64>,
            by_event_type: Vec<EventType<'a>>,
            #[serde(skip_serializing_if = "Vec::is_empty")]
            by_table: Vec<Table<'a>>,
            #[serde(skip_serializing_if = "BTreeMap::is_empty")]
            bad_fields: &'a BTreeMap<String, u64>,
            reject_sources: R,
            failures: &'a [String],
            seconds: f64,
            exit_status: u8,
        }
        let counts = &self.counts;
        Json {
            udmap: env!("CARGO_PKG_VERSION"),
            mapping: &self.mapping,
            inputs: self.inputs,
            stored_bytes: self.stored_bytes,
            bytes_in: counts.bytes_in,
            bytes_out: counts.bytes_out,
            records: counts.records,
            events: counts.events,
            rejects: counts.rejects,
            outside: counts.outside,
            blank: counts.blank,
            balances: counts.balances(),
            by_reason: counts.by_reason.iter().map(|(reason, n)| (reason.code(), *n)).collect(),
            by_format: counts.by_format.iter().map(|(format, n)| (format.name(), *n)).collect(),
            by_shape: &counts.by_shape,
            by_event_type: counts
                .by_event_type
                .iter()
                .map(|c| EventType {
                    table: c.table.as_deref(),
                    event_type: &c.event_type,
                    because: &c.because,
                    line: c.line,
                    events: c.events,
                })
                .collect(),
            by_table: counts
                .by_table
                .iter()
                .map(|c| Table { table: &c.table, records: c.records, events: c.events })
                .collect(),
            bad_fields: &counts.bad_fields,
            reject_sources: reject_sources::value(&self.reject_sources),
            failures: &self.failures,
            seconds: self.elapsed.as_secs_f64(),
            exit_status: self.exit_status,
        }
    }
}

fn listed<'a>(counts: impl Iterator<Item = (&'a str, u64)>) -> String {
    let all: Vec<String> = counts.map(|(name, n)| format!("{name} {}", grouped(n))).collect();
    all.join(", ")
}

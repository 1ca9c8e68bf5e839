//! The closing summary of a conversion: for a person on stderr, for a machine as JSON.

use super::reject_sources;
use crate::convert::{Counts, Reject, RejectSources};
use crate::record::Reason;
use crate::text::{escaped, escaped_json};
use anstyle::{AnsiColor, Style};
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

/// How many rejects of one reason are shown.
const MOST_EXAMPLES: usize = 3;

const BOLD: Style = Style::new().bold();
pub(super) const DIM: Style = Style::new().dimmed();
pub(super) const RED: Style = AnsiColor::Red.on_default();

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
        row(to, "shapes", &escaped(&listed(counts.by_shape.iter().map(|(name, n)| (name.as_str(), *n)))))?;
        row(to, "formats", &listed(counts.by_format.iter().map(|(format, n)| (format.name(), *n))))?;
        let kinds: Vec<_> = counts.by_event_type.iter().filter(|count| count.events > 0).collect();
        let wide = kinds.iter().map(|count| count.event_type.len()).max().unwrap_or(0);
        for (i, count) in kinds.iter().enumerate() {
            let label = if i == 0 { "events" } else { "" };
            let n = grouped(count.events);
            let (kind, because) = (escaped(&count.event_type), escaped(&count.because));
            let line = format!("{kind:wide$} {n:>11}  {DIM}{because}{DIM:#}");
            row(to, label, &line)?;
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
            event_type: &'a str,
            because: &'a str,
            line: usize,
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
                    event_type: &c.event_type,
                    because: &c.because,
                    line: c.line,
                    events: c.events,
                })
                .collect(),
            reject_sources: reject_sources::value(&self.reject_sources),
            failures: &self.failures,
            seconds: self.elapsed.as_secs_f64(),
            exit_status: self.exit_status,
        }
    }
}

pub(super) fn row(to: &mut String, label: &str, what: &str) -> std::fmt::Result {
    if what.is_empty() { Ok(()) } else { writeln!(to, "  {label:10} {what}") }
}

fn listed<'a>(counts: impl Iterator<Item = (&'a str, u64)>) -> String {
    let all: Vec<String> = counts.map(|(name, n)| format!("{name} {}", grouped(n))).collect();
    all.join(", ")
}

/// `1 record`, `12,345 records`.
pub(crate) fn counted(n: u64, what: &str) -> String {
    format!("{} {what}{}", grouped(n), if n == 1 { "" } else { "s" })
}

/// `12,345`.
pub(crate) fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1.5 MB`, in powers of ten.
pub(crate) fn bytes(n: u64) -> String {
    let units = ["kB", "MB", "GB", "TB", "PB"];
    let mut value = n as f64;
    let mut unit = "bytes";
    for next in units {
        if value < 1000.0 {
            break;
        }
        value /= 1000.0;
        unit = next;
    }
    if unit == "bytes" { format!("{n} bytes") } else { format!("{value:.1} {unit}") }
}

/// `12.3%`: `n` of `all`, which is never rounded to nothing or to all.
pub(super) fn share(n: u64, all: u64) -> String {
    let share = if all == 0 { 0.0 } else { n as f64 * 100.0 / all as f64 };
    match share {
        s if n > 0 && s < 0.1 => "<0.1%".into(),
        s if n < all && s > 99.9 => ">99.9%".into(),
        s => format!("{s:.1}%"),
    }
}

pub(super) fn duration(seconds: f64) -> String {
    match seconds {
        s if s < 10.0 => format!("{s:.2} s"),
        s if s < 60.0 => format!("{s:.1} s"),
        // Whole minutes fit u64 for any run.
        s => format!("{} min {} s", (s / 60.0) as u64, (s % 60.0) as u64),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        for (n, text) in [(0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(grouped(n), text);
        }
        for (n, text) in [(0, "0 bytes"), (999, "999 bytes"), (1500, "1.5 kB"), (2_000_000_000, "2.0 GB")] {
            assert_eq!(bytes(n), text);
        }
        assert_eq!(duration(75.0), "1 min 15 s");
        assert_eq!(counted(1, "record"), "1 record");
        assert_eq!(counted(0, "record"), "0 records");
    }
}

//! What a measurement found: for a person as tables, for a machine as JSON, with the same numbers.

use super::summary::{bytes, counted, grouped};
use crate::convert::Counts;
use crate::text::{escaped, escaped_json};
use anstyle::{AnsiColor, Style};
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt::Write as _;

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
const YELLOW: Style = AnsiColor::Yellow.on_default();

/// How many times the median the slowest run may take before a report remarks on it.
const CALM: f64 = 1.3;
/// How many inputs are named.
const MOST_NAMES: usize = 3;

/// A measurement. All rates are of wall-clock time; MB are millions of bytes.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) udmap: &'static str,
    pub(crate) mapping: String,
    /// The engine at work, which names the instruction set.
    pub(crate) engine: &'static str,
    pub(crate) cpu: String,
    /// How many threads the system runs at once.
    pub(crate) cores: usize,
    pub(crate) input: Input,
    /// How often the input was converted in one run; all seconds are for once.
    pub(crate) passes: usize,
    pub(crate) runs: usize,
    pub(crate) memory: Vec<Row>,
    /// Nothing where the input is not (only) files.
    pub(crate) files: Option<Files>,
}

/// The input, and the outcome of its conversion.
#[derive(Debug, Serialize)]
pub(crate) struct Input {
    /// Nothing for the user's own logs.
    pub(crate) synthetic: Option<Synthetic>,
    pub(crate) names: Vec<String>,
    pub(crate) compressions: Vec<&'static str>,
    /// Whether there was more of it.
    pub(crate) cut: bool,
    pub(crate) records: u64,
    pub(crate) events: u64,
    pub(crate) rejects: u64,
    pub(crate) blank: u64,
    /// After decompression.
    pub(crate) bytes_in: u64,
    pub(crate) bytes_out: u64,
    pub(crate) by_reason: BTreeMap<&'static str, u64>,
    pub(crate) mostly_rejects: bool,
}

/// How to make the input again.
#[derive(Debug, Serialize)]
pub(crate) struct Synthetic {
    pub(crate) seed: u64,
    pub(crate) mix: String,
}

/// The times of an odd number of runs.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Seconds {
    pub(crate) median: f64,
    pub(crate) min: f64,
    pub(crate) max: f64,
}

impl Seconds {
    /// Nothing if there are no times.
    pub(crate) fn new(times: &[f64]) -> Option<Seconds> {
        let mut times = times.to_vec();
        times.sort_by(f64::total_cmp);
        let (min, max) = (*times.first()?, *times.last()?);
        Some(Seconds { median: times[times.len() / 2], min, max })
    }

    /// How much was done a second, in the median.
    fn per(self, amount: u64) -> f64 {
        amount as f64 / self.median.max(f64::MIN_POSITIVE)
    }
}

/// How fast input was gone through.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Rate {
    pub(crate) seconds: Seconds,
    pub(crate) mb_per_second_in: f64,
}

impl Rate {
    pub(crate) fn new(seconds: Seconds, bytes: u64) -> Rate {
        Rate { seconds, mb_per_second_in: seconds.per(bytes) / 1e6 }
    }

    /// `2,650  (2,601..2,688)`: MB/s, and that of the slowest and the fastest run.
    fn cells(&self) -> [String; 2] {
        let at = |seconds: f64| whole(self.mb_per_second_in * self.seconds.median / seconds);
        let Seconds { median, min, max } = self.seconds;
        [at(median), format!("({}..{})", at(max), at(min))]
    }
}

/// What the machine can do at best.
#[derive(Debug, Serialize)]
pub(crate) struct Bound {
    #[serde(flatten)]
    rate: Rate,
    /// The bound's time as a part of the conversion's: 1 would be as fast as the machine.
    share: f64,
}

impl Bound {
    pub(crate) fn new(bound: Seconds, taken: Seconds, bytes: u64) -> Bound {
        Bound { rate: Rate::new(bound, bytes), share: bound.median / taken.median.max(f64::MIN_POSITIVE) }
    }
}

/// The conversion with one number of threads.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    threads: usize,
    #[serde(flatten)]
    rate: Rate,
    mb_per_second_out: f64,
    records_per_second: f64,
    /// Wall-clock time, so two threads that share the work halve it.
    ns_per_record: f64,
    /// How many times as fast as one thread; nothing if one was not measured.
    speedup: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bound: Option<Bound>,
}

impl Row {
    /// `one` is what one thread took.
    pub(crate) fn new(
        threads: usize,
        seconds: Seconds,
        one: Option<Seconds>,
        counts: &Counts,
        bound: Option<Bound>,
    ) -> Row {
        Row {
            threads,
            rate: Rate::new(seconds, counts.bytes_in),
            mb_per_second_out: seconds.per(counts.bytes_out) / 1e6,
            records_per_second: seconds.per(counts.records),
            ns_per_record: 1e9 / seconds.per(counts.records),
            speedup: one.map(|one| one.median / seconds.median.max(f64::MIN_POSITIVE)),
            bound,
        }
    }

    fn cells(&self) -> Vec<String> {
        let [rate, spread] = self.rate.cells();
        let mut cells = vec![
            self.threads.to_string(),
            whole(self.records_per_second),
            format!("{:.1}", self.ns_per_record),
            rate,
            spread,
            whole(self.mb_per_second_out),
            self.speedup.map_or("-".to_owned(), |speedup| format!("{speedup:.2}")),
        ];
        if let Some(bound) = &self.bound {
            cells.extend(bound.rate.cells());
            cells.push(format!("{:.0}%", bound.share * 100.0));
        }
        cells
    }
}

/// The whole way from files to nowhere.
#[derive(Debug, Serialize)]
pub(crate) struct Files {
    pub(crate) rows: Vec<Row>,
    /// Reading and decompressing alone, on one thread.
    pub(crate) reading: Rate,
}

impl Report {
    /// The measurement for a machine: one JSON object.
    pub(crate) fn json(&self) -> Vec<u8> {
        // Numbers and texts always serialize.
        let text = serde_json::to_string_pretty(self).unwrap_or_default();
        escaped_json(text + "\n").into_bytes()
    }

    /// The measurement for a person, with colours.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a string can't fail.
        let _ = self.write_text(&mut text);
        text
    }

    fn write_text(&self, to: &mut String) -> std::fmt::Result {
        let input = &self.input;
        let cores = counted(self.cores as u64, "core");
        writeln!(
            to,
            "{BOLD}{}: {} -> {}, {}{BOLD:#}  {DIM}{} -> {}{DIM:#}",
            escaped(&self.mapping),
            counted(input.records, "record"),
            counted(input.events, "event"),
            counted(input.rejects, "reject"),
            bytes(input.bytes_in),
            bytes(input.bytes_out),
        )?;
        writeln!(
            to,
            "  machine    {}, {cores}, engine {} (udmap {})",
            escaped(&self.cpu),
            self.engine,
            self.udmap
        )?;
        writeln!(to, "  input      {}", escaped(&input.describe()))?;
        if input.rejects > 0 {
            let reasons = input.by_reason.iter().map(|(reason, n)| format!("{reason} {}", grouped(*n)));
            let share = 100.0 * input.rejects as f64 / input.records as f64;
            writeln!(to, "  rejects    {share:.1}%: {}", reasons.collect::<Vec<_>>().join(", "))?;
        }
        let passes = if self.passes == 1 { String::new() } else { format!(", {} times each", self.passes) };
        writeln!(
            to,
            "  runs       {} in turns{passes}, after a warm-up: medians (slowest..fastest)",
            self.runs
        )?;
        let note = |to: &mut String, what: &str| writeln!(to, "{YELLOW}note{YELLOW:#}: {what}");
        if input.mostly_rejects {
            note(to, "most records are rejects: this measures rejecting, not converting")?;
        }
        if self.passes > 1 {
            note(
                to,
                "the input is small: it stays in the cache, and starting counts; 16 MB or more tell more",
            )?;
        }
        let seconds =
            |row: &Row| [Some(row.rate.seconds), row.bound.as_ref().map(|bound| bound.rate.seconds)];
        let worst =
            self.memory.iter().flat_map(seconds).flatten().map(|s| s.max / s.median).fold(0.0, f64::max);
        if worst > CALM {
            let what =
                format!("a run took {worst:.1} times its median: something else keeps the machine busy");
            note(to, &what)?;
        }

        let head = ["threads", "records/s", "ns/record", "MB/s in", "", "MB/s out", "speed-up"];
        let bound = ["bound, MB/s in", "", "of bound"];
        writeln!(to, "\n{BOLD}in memory{BOLD:#}")?;
        table(to, &[&head[..], &bound].concat(), self.memory.iter().map(Row::cells).collect())?;
        writeln!(
            to,
            "  {DIM}bound: reading the input once and writing as many bytes as the events, on as many threads{DIM:#}"
        )?;
        if let Some(files) = &self.files {
            let packed = !input.compressions.is_empty();
            let (how, alone) =
                if packed { (", decompressed", "reading and decompressing") } else { ("", "reading") };
            writeln!(to, "\n{BOLD}from files in the page cache{how}, to /dev/null{BOLD:#}")?;
            table(to, &head, files.rows.iter().map(Row::cells).collect())?;
            let [rate, spread] = files.reading.cells();
            writeln!(to, "  {DIM}{alone} alone, on one thread: {rate} MB/s {spread}{DIM:#}")?;
        }
        Ok(())
    }
}

impl Input {
    fn describe(&self) -> String {
        if let Some(Synthetic { seed, mix }) = &self.synthetic {
            return format!("synthetic, {mix}, seed {seed}");
        }
        let mut text = self.names.iter().take(MOST_NAMES).cloned().collect::<Vec<_>>().join(", ");
        if let Some(more @ 1..) = self.names.len().checked_sub(MOST_NAMES) {
            let _ = write!(text, " and {}", counted(more as u64, "other"));
        }
        if !self.compressions.is_empty() {
            let _ = write!(text, " ({})", self.compressions.join(", "));
        }
        if self.cut {
            let _ = write!(text, ", only the first {}: `--megabytes` takes more", bytes(self.bytes_in));
        }
        text
    }
}

/// Rows under a head, all aligned to the right.
fn table(to: &mut String, head: &[&str], rows: Vec<Vec<String>>) -> std::fmt::Result {
    let wide = |column: usize| {
        let cells = rows.iter().map(|row| row.get(column).map_or(0, String::len));
        cells.chain([head[column].len()]).max().unwrap_or(0)
    };
    let mut line = |style: Style, cells: &[&str]| -> std::fmt::Result {
        let cells: Vec<String> =
            cells.iter().enumerate().map(|(i, cell)| format!("{cell:>width$}", width = wide(i))).collect();
        writeln!(to, "  {style}{}{style:#}", cells.join("  ").trim_end())
    };
    line(DIM, head)?;
    rows.iter().try_for_each(|row| line(Style::new(), &row.iter().map(String::as_str).collect::<Vec<_>>()))
}

/// `12,345`; small ones with a digit behind the point.
fn whole(n: f64) -> String {
    // No rate comes near the end of u64.
    if n < 100.0 { format!("{n:.1}") } else { grouped(n.round() as u64) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_an_odd_number_is_one_of_them() {
        let seconds = Seconds::new(&[3.0, 1.0, 2.0, 9.0, 0.5]).expect("times");
        assert_eq!((seconds.median, seconds.min, seconds.max), (2.0, 0.5, 9.0));
        assert!(Seconds::new(&[]).is_none());
    }

    #[test]
    fn tables_are_aligned() {
        let mut text = String::new();
        let rows = vec![vec!["1".into(), "(2..3)".into(), "44".into()], vec!["12345".into()]];
        table(&mut text, &["abc", "", "d"], rows).expect("written");
        let text = anstream::adapter::strip_str(&text).to_string();
        assert_eq!(text, "    abc           d\n      1  (2..3)  44\n  12345\n");
    }

    #[test]
    fn rates_read_well() {
        for (n, text) in [(0.0, "0.0"), (99.94, "99.9"), (100.4, "100"), (12345.6, "12,346")] {
            assert_eq!(whole(n), text);
        }
    }
}

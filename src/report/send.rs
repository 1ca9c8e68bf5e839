//! What a run of `udmap send` did: for a person on stderr, for a machine as JSON.

use super::layout::{DIM, RED, bytes, counted, duration, grouped, row};
use crate::jobs::send::Report;
use crate::text::{escaped, escaped_json};
use anstyle::Style;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

const BOLD: Style = Style::new().bold();
/// How many inputs of a kind are named.
const MOST_NAMED: usize = 20;

/// Everything that is known at the end of a run.
#[derive(Debug)]
pub(crate) struct Sending<'r> {
    pub(crate) report: &'r Report,
    /// Whether nothing was sent in earnest.
    pub(crate) is_dry: bool,
    /// Why it ended early.
    pub(crate) error: Option<String>,
    pub(crate) elapsed: Duration,
    /// The file of rejects.
    pub(crate) rejects_to: Option<&'r str>,
    pub(crate) exit_status: u8,
}

/// One line for a log: `sent 1,200 events in 2 requests, 1 reject (refused)`.
pub(crate) fn line(report: &Report) -> String {
    let mut line =
        format!("sent {} in {}", counted(report.accepted, "event"), counted(report.requests, "request"));
    if report.rejected() > 0 {
        let reasons: Vec<&str> = report.rejects.keys().copied().collect();
        line.push_str(&format!(", {} ({})", counted(report.rejected(), "reject"), reasons.join(", ")));
    }
    if report.repeats > 0 {
        let (repeats, events) =
            (counted(report.repeats, "request"), counted(report.repeated_events, "event"));
        line.push_str(&format!("; {repeats} sent again: {events} may be there twice"));
    }
    for (n, what) in [(report.old, "older than 180 days"), (report.ahead, "more than a day ahead")] {
        if n > 0 {
            line.push_str(&format!("; {} {what}", counted(n, "event")));
        }
    }
    line
}

impl Sending<'_> {
    /// The summary for a person, with colours.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a string can't fail.
        let _ = self.write_text(&mut text);
        text
    }

    fn write_text(&self, to: &mut String) -> std::fmt::Result {
        let Report {
            lines, done_before, accepted, requests, repeats, repeated_events, splits, waited, ..
        } = self.report;
        let seconds = self.elapsed.as_secs_f64();
        let verb = if self.is_dry { "would be sent" } else { "accepted" };
        writeln!(
            to,
            "{BOLD}{} {verb}, {}{BOLD:#}  {DIM}in {}, {} events/s{DIM:#}",
            counted(*accepted, "event"),
            counted(self.report.rejected(), "reject"),
            duration(seconds),
            grouped((*accepted as f64 / seconds.max(1e-9)) as u64),
        )?;
        let before = match done_before {
            0 => String::new(),
            n => format!(", {} of them sent before", grouped(*n)),
        };
        row(
            to,
            "read",
            &format!("{}, {}{before}", counted(self.report.inputs, "input"), counted(*lines, "line")),
        )?;
        let split = match splits {
            0 => String::new(),
            n => format!(", {} refused and split", grouped(*n)),
        };
        let sent = format!("{}, {}{split}", counted(*requests, "request"), bytes(self.report.bytes));
        row(to, "requests", &sent)?;
        if *repeats > 0 {
            let what = format!(
                "{} with {} sent again after a lost answer: SecOps leaves out what it has, but these may be there twice",
                counted(*repeats, "request"),
                counted(*repeated_events, "event")
            );
            row(to, "repeats", &what)?;
        }
        if waited.as_secs() > 0 {
            row(to, "waited", &duration(waited.as_secs_f64()))?;
        }
        for (i, (reason, n)) in self.report.rejects.iter().enumerate() {
            let label = if i == 0 { "rejects" } else { "" };
            row(to, label, &format!("{RED}{reason:20}{RED:#} {:>11}", grouped(*n)))?;
        }
        if let Some(rejects) = self.rejects_to.filter(|_| self.report.rejected() > 0 && !self.is_dry) {
            row(to, "rejects to", &escaped(rejects))?;
        }
        for (n, what) in
            [(self.report.old, "older than 180 days"), (self.report.ahead, "more than a day ahead")]
        {
            if n > 0 {
                let what = format!(
                    "{} {what}: Google does not say what becomes of such events",
                    counted(n, "event")
                );
                row(to, "times", &what)?;
            }
        }
        for name in self.report.unfinished.iter().take(MOST_NAMED) {
            let what = "its last line is not finished yet, and is left for the next run";
            row(to, "left", &format!("`{}`: {what}", escaped(name)))?;
        }
        Ok(())
    }

    /// The summary for a machine: one JSON object.
    pub(crate) fn json(&self) -> Vec<u8> {
        #[derive(Serialize)]
        struct Json<'a> {
            udmap: &'static str,
            dry_run: bool,
            inputs: u64,
            lines: u64,
            done_before: u64,
            accepted: u64,
            rejected: u64,
            by_reason: &'a BTreeMap<&'static str, u64>,
            requests: u64,
            repeats: u64,
            may_be_there_twice: u64,
            splits: u64,
            bytes: u64,
            waited_seconds: f64,
            old: u64,
            ahead: u64,
            unfinished: &'a [String],
            failures: Vec<String>,
            error: Option<&'a str>,
            seconds: f64,
            exit_status: u8,
        }
        let report = self.report;
        let json = Json {
            udmap: env!("CARGO_PKG_VERSION"),
            dry_run: self.is_dry,
            inputs: report.inputs,
            lines: report.lines,
            done_before: report.done_before,
            accepted: report.accepted,
            rejected: report.rejected(),
            by_reason: &report.rejects,
            requests: report.requests,
            repeats: report.repeats,
            may_be_there_twice: report.repeated_events,
            splits: report.splits,
            bytes: report.bytes,
            waited_seconds: report.waited.as_secs_f64(),
            old: report.old,
            ahead: report.ahead,
            unfinished: &report.unfinished,
            failures: report.failures.iter().map(ToString::to_string).collect(),
            error: self.error.as_deref(),
            seconds: self.elapsed.as_secs_f64(),
            exit_status: self.exit_status,
        };
        // Numbers and texts always serialize.
        let text = serde_json::to_string_pretty(&json).unwrap_or_default();
        escaped_json(text + "\n").into_bytes()
    }
}

//! What a run did: counts, gaps, and how it ended.

use super::Error;
use super::clock::{shown, span};
use super::state::Gap;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::error;
use std::fmt;
use std::time::Duration;

/// What a run did.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// How it ended.
    pub outcome: Outcome,
    /// How long it took.
    pub took: Duration,
    /// There was no state before it.
    pub first: bool,
    /// Requests to Duo, repeated ones too.
    pub requests: u64,
    /// Pages received.
    pub pages: u64,
    /// Records received; with those that were known already.
    pub records: u64,
    /// Records written to new objects.
    pub delivered: u64,
    /// Objects written, without derived ones.
    pub objects: u64,
    /// Bytes of these objects.
    pub bytes: u64,
    /// Objects found that an earlier attempt or another run had written.
    pub adopted: u64,
    /// Items of Duo's answers that are not objects, so no records: they are not delivered.
    pub foreign: u64,
    /// The first of them.
    pub(super) first_foreign: Option<String>,
    /// It is in the notes that the clock is off.
    pub(super) clock_told: bool,
    /// Lines made by the derivation, by target.
    pub derived: BTreeMap<&'static str, u64>,
    /// Times that were lost to us, newly found.
    pub gaps: Vec<Gap>,
    /// Up to here everything is collected, in ms since 1970.
    pub watermark: Option<i64>,
    /// How far behind the present the last page was, in ms.
    pub behind: Option<i64>,
    /// How many records the state remembers.
    pub remembered: u64,
    /// What somebody should know: lower-case, without a full stop.
    pub notes: Vec<String>,
}

/// How a run ended that did not fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Outcome {
    /// Everything that there was is collected.
    #[default]
    Done,
    /// Another run has moved the state: it does the work.
    Busy,
    /// There was no time for one more page.
    Deadline,
    /// It had as many pages as it may.
    MaxPages,
    /// It was asked to stop.
    Stopped,
}

/// A run that failed, with what it had done before.
#[derive(Debug)]
pub struct Failure {
    /// Why.
    pub error: Error,
    /// What was done; that stays.
    pub report: Report,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl error::Error for Failure {}

impl Report {
    /// Counts items that are not records.
    pub(super) fn tell_foreign(&mut self, items: &[Cow<'_, str>]) {
        self.foreign += items.len() as u64;
        if let (None, Some(first)) = (&self.first_foreign, items.first()) {
            // Only its beginning is ever shown.
            self.first_foreign = Some(first.chars().take(100).collect());
        }
    }

    /// One line for a log: `delivered 1,200 records in 2 objects, 15 known; collected up to ...`.
    pub fn line(&self) -> String {
        let mut line =
            format!("delivered {} in {}", plural(self.delivered, "record"), plural(self.objects, "object"));
        for (target, lines) in &self.derived {
            line.push_str(&format!(", {lines} {target}"));
        }
        line.push_str(&format!(" from {}", plural(self.pages, "page")));
        if self.adopted > 0 {
            line.push_str(&format!(", found {} of an earlier attempt", plural(self.adopted, "object")));
        }
        let retries = self.requests.saturating_sub(self.pages);
        if retries > 0 {
            line.push_str(&format!(
                ", asked {} again",
                if retries == 1 { "once".into() } else { format!("{retries} times") }
            ));
        }
        if let Some(watermark) = self.watermark {
            line.push_str(&format!("; collected up to {}", shown(watermark)));
        }
        let behind = self.behind.map_or(String::new(), |ms| format!(", {} behind", span(ms)));
        match self.outcome {
            Outcome::Done => {}
            Outcome::Busy => line.push_str("; another run is at work, and goes on"),
            Outcome::Deadline => line.push_str(&format!("; out of time{behind}: the next run goes on")),
            Outcome::MaxPages => {
                line.push_str(&format!("; as many pages as allowed{behind}: the next run goes on"))
            }
            Outcome::Stopped => line.push_str("; stopped: the next run goes on"),
        }
        line
    }
}

/// `1 page`, `2 pages`.
pub(super) fn plural(n: u64, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

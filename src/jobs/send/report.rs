//! What a run did.

use super::Error;
use super::counts::Counts;
use super::event::Ages;
use super::reader::Passed;
use crate::sync::lock;
use std::collections::BTreeMap;
use std::error;
use std::fmt;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

/// What a run did.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// Inputs that were read to their end.
    pub inputs: u64,
    /// Lines read that are not blank.
    pub lines: u64,
    /// Lines that earlier runs had done.
    pub done_before: u64,
    /// Events that SecOps accepted in this run.
    pub accepted: u64,
    /// Rejects of this run, by reason.
    pub rejects: BTreeMap<&'static str, u64>,
    /// How many lines were rejected in all runs of the state.
    pub rejected_in_all: u64,
    /// Requests, repeated ones too.
    pub requests: u64,
    /// Requests that were sent again without knowing whether they had been taken.
    pub repeats: u64,
    /// The events in those.
    pub repeated_events: u64,
    /// Requests that were refused and split.
    pub splits: u64,
    /// Bytes of the bodies of requests, before compression.
    pub bytes: u64,
    /// How long requests waited, added up.
    pub waited: Duration,
    /// Events of this run that are older than 180 days.
    pub old: u64,
    /// Events of this run that are more than a day ahead of this machine's clock.
    pub ahead: u64,
    /// Inputs that could not be read, or are not what they were.
    pub failures: Vec<Error>,
    /// Inputs whose last line is still being written.
    pub unfinished: Vec<String>,
    /// What else is to be known.
    pub notes: Vec<String>,
    /// Whether it was stopped before its end.
    pub is_stopped: bool,
}

/// A run that could not do its work, and what it did before.
#[derive(Debug)]
pub struct Failure {
    /// Why.
    pub error: Error,
    /// What it did.
    pub report: Box<Report>,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl error::Error for Failure {}

impl Report {
    /// How many lines were rejected in this run.
    pub fn rejected(&self) -> u64 {
        self.rejects.values().sum()
    }

    /// Adds an input that was read.
    pub(super) fn passed(&mut self, source: &str, result: Result<Passed, Error>, ages: Ages) {
        self.old += ages.old;
        self.ahead += ages.ahead;
        match result {
            Ok(passed) => {
                self.inputs += 1;
                self.lines += passed.lines;
                self.done_before += passed.done;
                if passed.is_unfinished {
                    self.unfinished.push(source.to_owned());
                }
            }
            Err(error) => self.failures.push(error),
        }
    }

    pub(super) fn count(&mut self, counts: &Counts) {
        let read = |from: &std::sync::atomic::AtomicU64| from.load(Relaxed);
        self.accepted = read(&counts.accepted);
        self.requests = read(&counts.requests);
        self.repeats = read(&counts.repeats);
        self.repeated_events = read(&counts.repeated_events);
        self.splits = read(&counts.splits);
        self.bytes = read(&counts.bytes);
        self.waited = Duration::from_millis(read(&counts.waited));
        self.rejects = lock(&counts.rejects).clone();
    }
}

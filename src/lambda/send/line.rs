//! What the function says: a line of JSON for each object, and one for the invocation.

use crate::jobs::send::Report;
use crate::text::escaped;
use serde::Serialize;

/// How many errors the invocation's line holds.
const MOST_SHOWN: usize = 10;

/// The outcome of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Outcome {
    /// They are in SecOps or among the rejects.
    Sent,
    /// They were before.
    Known,
    /// It is not wanted.
    Left,
    Failed,
}

/// Counts of an object, or of all objects of an invocation.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(super) struct Counted {
    /// Events that SecOps accepted.
    pub(super) accepted: u64,
    /// Records of the objects that have no event, whenever that was found out.
    pub(super) rejects: u64,
    /// Events that are not in SecOps but among the rejects, whenever that was found out.
    pub(super) refused: u64,
    pub(super) requests: u64,
    /// Requests that were sent again without knowing whether they had been taken.
    pub(super) repeats: u64,
    /// The events in those.
    pub(super) repeated_events: u64,
}

impl Counted {
    pub(super) fn of(report: &Report) -> Counted {
        Counted {
            accepted: report.accepted,
            rejects: 0,
            refused: report.rejected_in_all,
            requests: report.requests,
            repeats: report.repeats,
            repeated_events: report.repeated_events,
        }
    }

    fn add(&mut self, more: &Counted) {
        self.accepted += more.accepted;
        self.rejects += more.rejects;
        self.refused += more.refused;
        self.requests += more.requests;
        self.repeats += more.repeats;
        self.repeated_events += more.repeated_events;
    }

    fn is_odd(&self) -> bool {
        self.rejects + self.refused + self.repeats > 0
    }
}

/// An object in one line.
#[derive(Debug, Serialize)]
pub(super) struct ObjectLine {
    level: &'static str,
    event: &'static str,
    object: String,
    pub(super) outcome: Outcome,
    #[serde(flatten)]
    counted: Counted,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) error: Option<String>,
}

impl ObjectLine {
    /// `result` is its outcome, or why it failed.
    pub(super) fn new(object: &str, result: Result<Outcome, String>, counted: Counted) -> ObjectLine {
        let (outcome, error) = match result {
            Ok(outcome) => (outcome, None),
            Err(error) => (Outcome::Failed, Some(escaped(&error).into_owned())),
        };
        let level = level(error.is_some(), counted.is_odd());
        ObjectLine {
            level,
            event: "send-object",
            object: escaped(object).into_owned(),
            outcome,
            counted,
            error,
        }
    }

    pub(super) fn json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// An invocation in one line.
#[derive(Debug, Default, Serialize)]
pub(super) struct SendLine {
    level: &'static str,
    event: &'static str,
    objects: u64,
    sent: u64,
    known: u64,
    left: u64,
    failed: u64,
    #[serde(flatten)]
    counted: Counted,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) errors: Vec<String>,
}

impl SendLine {
    pub(super) fn new() -> SendLine {
        SendLine { event: "send", ..SendLine::default() }
    }

    pub(super) fn add(&mut self, line: &ObjectLine) {
        self.objects += 1;
        *match line.outcome {
            Outcome::Sent => &mut self.sent,
            Outcome::Known => &mut self.known,
            Outcome::Left => &mut self.left,
            Outcome::Failed => &mut self.failed,
        } += 1;
        self.counted.add(&line.counted);
        line.error.iter().for_each(|error| self.say(error));
    }

    /// Adds an error, if there is still room.
    pub(super) fn say(&mut self, error: &str) {
        if self.errors.len() < MOST_SHOWN {
            self.errors.push(escaped(error).into_owned());
        }
    }

    /// The level follows from all that was added.
    pub(super) fn finish(mut self) -> SendLine {
        self.level = level(!self.errors.is_empty(), self.counted.is_odd() || self.objects == 0);
        self
    }
}

fn level(is_bad: bool, is_odd: bool) -> &'static str {
    match (is_bad, is_odd) {
        (true, _) => "error",
        (false, true) => "warning",
        (false, false) => "info",
    }
}

//! Everything that a check found, as reports tell it.

use crate::check::validate::Severity;
use serde::Serialize;
use std::collections::BTreeMap;

/// Something that was found.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Issue {
    #[serde(serialize_with = "severity_name")]
    pub(crate) severity: Severity,
    /// The kind of finding; stable.
    pub(crate) code: &'static str,
    /// The UDM path; empty for an event, record or file as a whole.
    pub(crate) path: String,
    /// The input.
    pub(crate) source: String,
    /// The line, from 1; 0 for the input as a whole.
    pub(crate) line: u64,
    /// The byte after decompression, from 0.
    pub(crate) byte: u64,
    /// Which event of the input it is in, from 1; 0 for none.
    pub(crate) event: u64,
    pub(crate) message: String,
    /// What SecOps does with it.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub(crate) effect: &'static str,
    /// What to do.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub(crate) advice: &'static str,
}

impl Issue {
    /// A difference, which needs no advice: its place is this source, line and byte.
    pub(crate) fn difference(code: &'static str, path: &str, at: (&str, u64, u64), message: String) -> Issue {
        let (source, line, byte) = at;
        Issue {
            severity: Severity::Error,
            code,
            path: path.to_owned(),
            source: source.to_owned(),
            line,
            byte,
            event: 0,
            message,
            effect: "",
            advice: "",
        }
    }
}

fn severity_name<S: serde::Serializer>(severity: &Severity, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(severity.name())
}

/// A thing that was checked as a whole: an input, or a test case.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Case {
    pub(crate) name: String,
    /// The findings that are its own, as places in the list.
    #[serde(skip)]
    pub(crate) issues: std::ops::Range<usize>,
    /// How many of the findings in it are errors.
    pub(crate) errors: u64,
    pub(crate) seconds: f64,
}

/// How much of what is found can still be kept.
#[derive(Debug, Clone)]
pub(crate) struct Room {
    items: usize,
    bytes: usize,
}

/// How many bytes of text findings may have in all: what comes from outside decides over the length of each.
const MOST_BYTES: usize = 32 << 20;

impl Room {
    /// Room for this many items.
    pub(crate) fn new(items: usize) -> Room {
        Room { items, bytes: MOST_BYTES }
    }

    /// Takes room for an item with so much text; whether there was enough. What does not fit is the end: the first are
    /// kept, not the shortest.
    pub(crate) fn take(&mut self, bytes: usize) -> bool {
        match (self.items.checked_sub(1), self.bytes.checked_sub(bytes)) {
            (Some(items), Some(bytes)) => {
                *self = Room { items, bytes };
                true
            }
            _ => {
                self.items = 0;
                false
            }
        }
    }
}

/// Everything that a checking command found.
#[derive(Debug)]
pub(crate) struct Findings {
    /// `validate`, `test` or `diff`.
    pub(crate) command: &'static str,
    /// The first of what was found.
    pub(crate) issues: Vec<Issue>,
    room: Room,
    /// All that was found.
    pub(crate) counts: BTreeMap<(Severity, &'static str), u64>,
    pub(crate) cases: Vec<Case>,
    /// Inputs that could not be read (to the end), a sentence each.
    pub(crate) failures: Vec<String>,
    pub(crate) events: u64,
    pub(crate) seconds: f64,
    pub(crate) exit_status: u8,
    /// What only one command has to say, for the JSON report.
    pub(crate) extra: serde_json::Map<String, serde_json::Value>,
}

impl Findings {
    /// Nothing found yet; at most `most` findings are kept.
    pub(crate) fn new(command: &'static str, most: usize) -> Findings {
        Findings {
            command,
            issues: Vec::new(),
            room: Room::new(most),
            counts: BTreeMap::new(),
            cases: Vec::new(),
            failures: Vec::new(),
            events: 0,
            seconds: 0.0,
            exit_status: 0,
            extra: serde_json::Map::new(),
        }
    }

    /// Counts a finding, and keeps it if there is room; whether it was kept.
    pub(crate) fn add(&mut self, issue: Issue) -> bool {
        self.count(issue.severity, issue.code, 1);
        let kept = self.room.take(issue.path.len() + issue.source.len() + issue.message.len());
        if kept {
            self.issues.push(issue);
        }
        kept
    }

    /// Counts findings that nobody kept.
    pub(crate) fn count(&mut self, severity: Severity, code: &'static str, n: u64) {
        *self.counts.entry((severity, code)).or_default() += n;
    }

    /// How many findings have this severity.
    pub(crate) fn of(&self, severity: Severity) -> u64 {
        self.counts.iter().filter(|((s, _), _)| *s == severity).map(|(_, n)| n).sum()
    }

    /// How many findings are not among the items.
    pub(crate) fn omitted(&self) -> u64 {
        self.counts.values().sum::<u64>() - self.issues.len() as u64
    }
}

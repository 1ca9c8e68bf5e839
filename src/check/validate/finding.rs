//! A finding, and where findings go.

use super::codes::Code;
use super::severities::Severities;
use super::severity::Severity;

/// For how many unknown names of one text the nearest known name is looked up.
const MOST_SUGGESTIONS: usize = 200;

/// Something that is wrong with an event, or may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What it is.
    pub code: Code,
    /// How bad it is.
    pub severity: Severity,
    /// Where in the event: names as the proto has them, elements counted from 0, such as
    /// `security_result[0].summary`; empty for the event as a whole. Names come from the event, cut at 200 characters.
    pub path: String,
    /// What was found, in a sentence without a full stop.
    pub message: String,
    /// The byte of the text that it is about, from 0.
    pub at: usize,
    /// Which event of the text it is in, from 0.
    pub event: u64,
}

/// A finding with its place in a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    /// What was found.
    pub finding: Finding,
    /// The line, from 1.
    pub line: u64,
    /// Where on the line, in characters from 1. Where a line holds several values, what is before the value counts in
    /// bytes.
    pub column: u64,
    /// The byte, from 0, after decompression.
    pub byte: u64,
    /// Which event it is in, from 1.
    pub event: u64,
}

/// Takes findings of one text, and leaves out those that are off.
pub(super) struct Reporter<'a> {
    severities: &'a Severities,
    pub(super) event: u64,
    suggestions: usize,
    found: &'a mut dyn FnMut(Finding),
}

impl<'a> Reporter<'a> {
    pub(super) fn new(severities: &'a Severities, found: &'a mut dyn FnMut(Finding)) -> Reporter<'a> {
        Reporter { severities, event: 0, suggestions: 0, found }
    }

    /// Whether one more unknown name is looked up; counts it.
    pub(super) fn suggests(&mut self) -> bool {
        self.suggestions += 1;
        self.suggestions <= MOST_SUGGESTIONS
    }

    pub(super) fn add(&mut self, code: Code, path: String, message: String, at: usize) {
        let severity = self.severities.of(code, &path);
        if severity != Severity::Off {
            (self.found)(Finding { code, severity, path, message, at, event: self.event });
        }
    }
}

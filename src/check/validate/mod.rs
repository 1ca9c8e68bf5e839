//! Whether UDM events are valid: against the schema, and by the rules beyond it.
//!
//! ```
//! use udmap::check::validate::Validator;
//!
//! let event = br#"{"metadata":{"event_timestamp":"2024-01-01T00:00:00Z","event_type":"STATUS_UPDATE"},
//!     "principal":{"ip":"10.0.0.1"}}"#;
//! let mut findings = Vec::new();
//! let events = Validator::default().check(event, &mut |finding| findings.push(finding));
//! assert_eq!(events, 1);
//! assert_eq!((findings[0].code.name(), findings[0].path.as_str()), ("list-expected", "principal.ip"));
//! ```

mod codes;
mod formats;
mod needs;
mod severity;
mod walk;

pub use codes::{About, Code};
pub(crate) use severity::bare;
pub use severity::{Severities, Severity};

use super::events::{self, Found};
use crate::json::{JsonError, Tree};
use crate::text::shown_up_to;

/// How many characters of a parser's error are shown: the cause comes last.
pub(crate) const MOST_OF_AN_ERROR: usize = 1 << 16;
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
    /// The byte of the text at which it stands, from 0.
    pub at: usize,
    /// Which event of the text it is in, from 0.
    pub event: u64,
}

/// Checks events. It keeps its memory, so one is best used for many texts.
#[derive(Debug, Default)]
pub struct Validator {
    severities: Severities,
    tree: Tree,
}

impl Validator {
    /// A validator with these severities.
    pub fn new(severities: Severities) -> Validator {
        Validator { severities, tree: Tree::default() }
    }

    /// Checks the events in one JSON text, in any of the [known wrappings](events), and hands every
    /// finding that is not [`Severity::Off`] to `found`; the number of events.
    pub fn check(&mut self, text: &[u8], found: &mut dyn FnMut(Finding)) -> u64 {
        let mut report = Report { severities: &self.severities, event: 0, suggestions: 0, found };
        match self.tree.read(text) {
            Err(JsonError { at, what, too_deep }) => {
                let code = if too_deep { Code::TooDeep } else { Code::InvalidJson };
                report.add(code, String::new(), what.to_owned(), at);
                1
            }
            Ok(value) => {
                events::find(value, &mut |found| {
                    match found {
                        Found::Event(event) => walk::event(event, &mut report),
                        Found::NoEvent(value) => {
                            let message = format!("{} where an event should be", value.kind().name());
                            report.add(Code::NoEvent, String::new(), message, value.start());
                        }
                        Found::Nothing(result) => {
                            let message = "the parser gave neither events nor an error".to_owned();
                            report.add(Code::NoEvent, String::new(), message, result.start());
                        }
                        Found::ParserError(error) => {
                            let message = shown_up_to(error.raw(), MOST_OF_AN_ERROR);
                            report.add(Code::ParserError, String::new(), message, error.start());
                        }
                    }
                    report.event += 1;
                });
                report.event
            }
        }
    }

    /// A finding about a text that could not be read as a whole, by whoever cut the stream.
    pub fn unreadable(&self, code: Code, message: String) -> Finding {
        Finding {
            code,
            severity: self.severities.of(code, ""),
            path: String::new(),
            message,
            at: 0,
            event: 0,
        }
    }
}

/// Where findings go.
struct Report<'a> {
    severities: &'a Severities,
    event: u64,
    suggestions: usize,
    found: &'a mut dyn FnMut(Finding),
}

impl Report<'_> {
    /// Whether one more unknown name is looked up; counts it.
    fn suggests(&mut self) -> bool {
        self.suggestions += 1;
        self.suggestions <= MOST_SUGGESTIONS
    }

    fn add(&mut self, code: Code, path: String, message: String, at: usize) {
        let severity = self.severities.of(code, &path);
        if severity != Severity::Off {
            (self.found)(Finding { code, severity, path, message, at, event: self.event });
        }
    }
}

#[cfg(test)]
mod tests;

//! Checks the events of a text, or of a whole stream.

use super::codes::Code;
use super::finding::{Finding, Placed, Reporter};
use super::known::KnownTexts;
use super::severities::Severities;
use super::severity::Severity;
use super::walk;
use crate::check::events::{self, Candidate, MOST_OF_AN_ERROR};
#[cfg(feature = "cli")]
use crate::check::yaml::{self, YamlPlace};
use crate::convert::CHUNK_BYTES;
use crate::json::{JsonError, Tree};
use crate::record::frame::{ChunkBody, Framer, Unit};
use crate::text::{LineIndex, shown_up_to};
use std::io::{self, Read};

/// Checks events. It keeps its memory, so one is best used for many texts.
#[derive(Debug, Default)]
pub struct Validator {
    severities: Severities,
    tree: Tree,
    known: KnownTexts,
}

impl Validator {
    /// A validator with these severities.
    pub fn new(severities: Severities) -> Validator {
        Validator { severities, ..Validator::default() }
    }

    /// Checks what follows with other severities.
    #[cfg(feature = "cli")]
    pub(crate) fn set_severities(&mut self, severities: Severities) {
        self.severities = severities;
    }

    /// Checks the events in one JSON text, in any of the [known wrappings](events), and hands every
    /// finding that is not [`Severity::Off`] to `found`. Returns the number of events.
    pub fn check(&mut self, text: &[u8], found: &mut dyn FnMut(Finding)) -> u64 {
        self.check_known(text, found).unwrap_or_else(|| self.check_new(text, found))
    }

    /// The same for a text that looks like an earlier one; nothing for others.
    fn check_known(&mut self, text: &[u8], found: &mut dyn FnMut(Finding)) -> Option<u64> {
        self.known.check(text, &mut Reporter::new(&self.severities, text, found))
    }

    /// The same for any other text.
    fn check_new(&mut self, text: &[u8], found: &mut dyn FnMut(Finding)) -> u64 {
        let mut reporter = Reporter::new(&self.severities, text, found);
        let learns = self.known.wants(text);
        reporter.kept = learns.then(Vec::new);
        let mut values = learns.then(Vec::new);
        match self.tree.read(text) {
            Err(JsonError { at, what, too_deep }) => {
                let code = if too_deep { Code::TooDeep } else { Code::InvalidJson };
                reporter.add(code, String::new(), what.to_owned(), at);
                1
            }
            Ok(value) => {
                events::find(value, &mut |candidate| {
                    let at = candidate.value().start();
                    match (candidate.event(), candidate) {
                        (Ok(event), _) => walk::event(event, &mut reporter, &mut values),
                        (Err(_), Candidate::ParserError(error)) => {
                            let message = shown_up_to(error.raw(), MOST_OF_AN_ERROR);
                            reporter.add(Code::ParserError, String::new(), message, at);
                        }
                        (Err(message), _) => reporter.add(Code::NoEvent, String::new(), message, at),
                    }
                    reporter.event += 1;
                });
                if let (Some(found), Some(values)) = (reporter.kept, values) {
                    self.known.learn(text, reporter.event, &values, found);
                }
                reporter.event
            }
        }
    }

    /// Whether the findings in a text are known from one that looks like it.
    #[cfg(all(test, feature = "cli"))]
    pub(super) fn knows(&mut self, text: &[u8]) -> bool {
        self.check_known(text, &mut |_| {}).is_some()
    }

    /// Checks all events of a stream of JSON texts of at most `limit` bytes each, such as NDJSON or one array. Hands
    /// every finding that is not [`Severity::Off`] to `found`, and returns the number of events.
    ///
    /// # Errors
    /// When `input` fails.
    pub fn stream(
        &mut self,
        input: &mut dyn Read,
        limit: usize,
        found: &mut dyn FnMut(Placed),
    ) -> io::Result<u64> {
        let mut framer = Framer::new(limit, CHUNK_BYTES);
        let (mut events, mut buffer) = (0, Vec::new());
        while let Some(chunk) = framer.next(input, buffer)? {
            events += self.chunk(&chunk.bytes, &chunk.body, limit, &mut |placed| {
                found(Placed { event: events + placed.event, ..placed });
            });
            buffer = chunk.bytes;
        }
        Ok(events)
    }

    /// Checks the events of a YAML file, of at most `limit` bytes. Places are those of the file.
    #[cfg(feature = "cli")]
    pub(crate) fn yaml(&mut self, text: &[u8], limit: usize, found: &mut dyn FnMut(Placed)) -> u64 {
        match yaml::read(text, limit) {
            Ok(yaml) => self.check(&yaml.json, &mut |finding| {
                let YamlPlace { line, column, byte } = yaml.place_of(finding.at);
                found(Placed { line, column, byte, event: 1 + finding.event, finding });
            }),
            Err(error) => {
                let code = if error.too_long { Code::TooLong } else { Code::InvalidYaml };
                let YamlPlace { line, column, byte } = error.place;
                Reporter::new(&self.severities, b"", &mut |finding| {
                    found(Placed { finding, line, column, byte, event: 1 });
                })
                .add(code, String::new(), error.message, 0);
                1
            }
        }
    }

    /// Checks the events of a part of a stream. Events count from the part's beginning.
    pub(crate) fn chunk(
        &mut self,
        bytes: &[u8],
        body: &ChunkBody,
        limit: usize,
        found: &mut dyn FnMut(Placed),
    ) -> u64 {
        let mut events = 0;
        let mut unit = |unit: &Unit, bytes: &[u8], is_cut: bool| {
            let first = events + 1;
            if let Some(error) = unit.error(bytes, limit) {
                let code = Code::of_reject(error.reason);
                let severity = self.severities.of(code, "");
                if severity != Severity::Off {
                    let (path, message) = (String::new(), error.message);
                    let finding = Finding { code, severity, path, message, at: 0, event: 0, about: 0 };
                    let Unit { line, column, offset: byte, .. } = *unit;
                    found(Placed { finding, line, column, byte, event: first });
                }
                events += 1;
                return true;
            }
            let lines = LineIndex::of(bytes);
            let mut place = |finding: Finding| {
                let (ends, characters) = lines.line_and_characters(finding.at);
                found(Placed {
                    line: unit.line + ends,
                    column: characters + if ends == 0 { unit.column } else { 1 },
                    byte: unit.offset + finding.at as u64,
                    event: first + finding.event,
                    finding,
                });
            };
            let checked = match is_cut {
                false => self.check_known(bytes, &mut place),
                true => Some(self.check_new(bytes, &mut place)),
            };
            events += checked.unwrap_or(0);
            checked.is_some()
        };
        body.known_units(bytes, limit, &mut unit, &mut 0);
        events
    }
}

//! What bindings to other languages need beyond the library: the command's explanations and findings,
//! as data.

use crate::check::validate::{Code, Finding, Severities, Severity, Validator};
use crate::convert::{Converter, Engine, MAX_RECORD_BYTES, Options};
use crate::mapping::Mapping;
use crate::record::frame::{Framer, Unit};
use crate::report::explain::Explained;
use crate::text::LineIndex;
use std::io::{self, Read};

/// A finding, and where the event is.
#[derive(Debug)]
pub struct Found {
    /// What was found.
    pub finding: Finding,
    /// The line on which it stands, from 1.
    pub line: u64,
    /// The byte at which it stands, from 0, after decompression.
    pub byte: u64,
    /// Which event it is in, from 1.
    pub event: u64,
}

/// Explains the first `most` records of `input`: the lines of `udmap explain --json`.
///
/// # Errors
/// When `input` fails.
pub fn explain(
    mapping: &Mapping,
    options: &Options,
    source: &str,
    input: &mut dyn Read,
    most: usize,
) -> io::Result<Vec<String>> {
    let converter = Converter::new(mapping, &Options { engine: Engine::Exact, ..options.clone() });
    let mut framer = Framer::new(MAX_RECORD_BYTES, 128 * 1024);
    let mut records = Vec::new();
    while records.len() < most
        && let Some(chunk) = framer.next(input, Vec::new())?
    {
        converter.trace(&chunk.bytes, &chunk.body, &mut |record| {
            if records.len() < most {
                let explained = Explained::of(&converter, mapping, source, record.line, record);
                // Texts and numbers always serialize.
                records.push(serde_json::to_string(&explained).unwrap_or_default());
            }
        });
    }
    Ok(records)
}

/// Checks the events of `input`, texts of at most `limit` bytes each; the number of events.
///
/// # Errors
/// When `input` fails.
pub fn validate(
    severities: Severities,
    limit: usize,
    input: &mut dyn Read,
    each: &mut dyn FnMut(Found),
) -> io::Result<u64> {
    let mut validator = Validator::new(severities);
    let mut framer = Framer::new(limit, 128 * 1024);
    let mut events = 0;
    while let Some(chunk) = framer.next(input, Vec::new())? {
        let mut unit = |unit: &Unit, bytes: &[u8]| {
            let first = events + 1;
            let Some(fault) = unit.fault(bytes, limit) else {
                let lines_of = LineIndex::of(bytes);
                events += validator.check(bytes, &mut |finding| {
                    each(Found {
                        line: unit.line + lines_of.before(finding.at),
                        byte: unit.offset + finding.at as u64,
                        event: first + finding.event,
                        finding,
                    });
                });
                return;
            };
            let finding = validator.unreadable(Code::of_unreadable(fault.reason.code()), fault.message);
            if finding.severity != Severity::Off {
                each(Found { finding, line: unit.line, byte: unit.offset, event: first });
            }
            events += 1;
        };
        chunk.body.units(&chunk.bytes, limit, &mut unit, &mut 0);
    }
    Ok(events)
}

//! Checks the events of many inputs, on many threads.

use super::codes::Code;
use super::finding::{Finding, Placed};
use super::severities::Severities;
use super::severity::Severity;
use super::validator::Validator;
use crate::check::findings::{Case, Findings, Issue, Room};
use crate::check::reading::Reading;
use crate::convert::pipeline::{Framed, Piece};
use crate::store::Source;
use std::collections::BTreeMap;
use std::time::Instant;

/// What was found in a chunk.
struct CheckedPart {
    /// The first of what was found, as far as there is room.
    findings: Vec<Placed>,
    room: Room,
    /// How often what was found beyond that.
    others: BTreeMap<(Severity, Code), u64>,
    events: u64,
}

impl CheckedPart {
    fn of(validator: &mut Validator, chunk: Framed<'_>, limit: usize, most: usize) -> CheckedPart {
        let room = Room::new(most);
        let mut part = CheckedPart { findings: Vec::new(), room, others: BTreeMap::new(), events: 0 };
        part.events = validator.chunk(chunk.bytes, chunk.body, limit, &mut |placed| {
            let Finding { code, severity, path, message, .. } = &placed.finding;
            if part.room.take(path.len() + message.len()) {
                part.findings.push(placed);
            } else {
                *part.others.entry((*severity, *code)).or_default() += 1;
            }
        });
        part
    }
}

/// Checks all events of `sources` and adds what is found to `findings`, a case an input. `each` gets the findings that
/// are kept, at most `most`. Returns the bytes that were read.
///
/// # Errors
/// Those of `each`, and when threads can't be started. Inputs that fail are among the findings.
pub(crate) fn check_inputs(
    reading: &Reading,
    sources: &[Source],
    severities: &Severities,
    most: usize,
    findings: &mut Findings,
    each: &mut (dyn FnMut(&Issue) -> anyhow::Result<()> + Send),
) -> anyhow::Result<u64> {
    let (mut events, mut errors, mut total) = (0, 0, 0);
    let mut begun = Instant::now();
    let mut first = 0;
    let limit = reading.limit;
    let work = |validator: &mut Validator, chunk: Framed<'_>| CheckedPart::of(validator, chunk, limit, most);
    let make = || Validator::new(severities.clone());
    reading.run(sources, &make, &work, &mut |piece| {
        match piece {
            Piece::Failed(_, error) => findings.failures.push(error.to_string()),
            Piece::End(text, bytes) => {
                let seconds = begun.elapsed().as_secs_f64();
                let issues = first..findings.issues.len();
                first = issues.end;
                findings.cases.push(Case { name: text.name.to_string(), issues, errors, seconds });
                findings.events += events;
                total += bytes;
                (events, errors, begun) = (0, 0, Instant::now());
            }
            Piece::Part(text, part) => {
                for placed in part.findings.drain(..) {
                    errors += u64::from(placed.finding.severity == Severity::Error);
                    if findings.add(issue(placed, events, &text.name))
                        && let Some(issue) = findings.issues.last()
                    {
                        each(issue)?;
                    }
                }
                for ((severity, code), n) in std::mem::take(&mut part.others) {
                    errors += if severity == Severity::Error { n } else { 0 };
                    findings.count(severity, code.name(), n);
                }
                events += part.events;
            }
        }
        Ok(())
    })?;
    Ok(total)
}

/// A finding behind this many events of its input.
fn issue(Placed { finding, line, byte, event }: Placed, events: u64, source: &str) -> Issue {
    let about = finding.code.about();
    Issue {
        severity: finding.severity,
        code: about.name,
        path: finding.path,
        source: source.to_owned(),
        line,
        byte,
        event: events + event,
        message: finding.message,
        effect: about.effect,
        advice: about.advice,
    }
}

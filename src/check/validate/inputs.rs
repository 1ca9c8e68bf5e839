//! Checks the events of many inputs, on many threads.

use super::codes::Code;
use super::finding::{Finding, Placed, Reporter};
use super::severities::Severities;
use super::severity::Severity;
use super::validator::Validator;
use crate::check::findings::{Counted, Findings, Issue};
use crate::check::fingerprint::Fingerprint;
use crate::check::groups::GroupKey;
use crate::check::mistaken::Mistaken;
use crate::check::paths::general;
use crate::check::reading::Reading;
use crate::check::room::Room;
use crate::check::yaml::is_yaml;
use crate::convert::pipeline::{Framed, Piece, Text};
use crate::store::Source;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::{self, Read as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Instant;

/// Of how many contents the findings in a chunk are counted one by one.
const MOST_COUNTED: usize = 50_000;

/// Checks chunks, which may be of several inputs.
struct Checker<'s> {
    severities: &'s Severities,
    /// Which input, or member of an archive, the validator is for.
    name: Option<Arc<str>>,
    validator: Validator,
}

/// What was found in a chunk.
struct CheckedPart {
    /// The first of what was found, as far as there is room.
    findings: Vec<Placed>,
    room: Room,
    /// What was found beyond that, and how often.
    counted: BTreeMap<Counted, u64>,
    counted_room: Room,
    /// How often what was found even beyond that.
    unlisted: BTreeMap<(Severity, Code), u64>,
    events: u64,
}

impl Checker<'_> {
    /// What `check` finds in a part of a text, at most `most` with their places; it returns how many events there are.
    fn check(
        &mut self,
        text: &Text,
        most: usize,
        check: impl FnOnce(&mut Validator, &mut dyn FnMut(Placed)) -> u64,
    ) -> CheckedPart {
        if self.name.as_ref() != Some(&text.name) {
            self.name = Some(Arc::clone(&text.name));
            self.validator.set_severities(self.severities.in_file(&text.name));
        }
        let mut part = CheckedPart {
            findings: Vec::new(),
            room: Room::new(most),
            counted: BTreeMap::new(),
            counted_room: Room::new(MOST_COUNTED),
            unlisted: BTreeMap::new(),
            events: 0,
        };
        part.events = check(&mut self.validator, &mut |placed| part.add(placed));
        part
    }
}

impl CheckedPart {
    fn add(&mut self, placed: Placed) {
        let finding = &placed.finding;
        let bytes = finding.path.len() + finding.message.len();
        if self.room.take(bytes) {
            return self.findings.push(placed);
        }
        let key = key(finding);
        let counted = Counted { fingerprint: fingerprint(finding), message: finding.message.clone(), key };
        if let Some(count) = self.counted.get_mut(&counted) {
            *count += 1;
        } else if self.counted_room.take(bytes) {
            self.counted.insert(counted, 1);
        } else {
            *self.unlisted.entry((finding.severity, finding.code)).or_default() += 1;
        }
    }
}

/// Checks all events of `sources` and adds what is found to `findings`, a case an input. Of a chunk at most `most`
/// findings keep their places. `mistaken` sees what is not events. Returns the bytes that were read.
///
/// # Errors
/// When threads can't be started. Inputs that fail are among the findings.
pub(crate) fn check_inputs(
    reading: &Reading,
    sources: &[Source],
    severities: &Severities,
    most: usize,
    mistaken: &Mistaken,
    findings: &mut Findings,
) -> anyhow::Result<u64> {
    let (mut events, mut total) = (0, 0);
    let mut begun: Option<Instant> = None;
    sources.iter().for_each(|source| findings.checked.add(source.name()));
    let limit = reading.limit;
    // Where the sources begin that are read together.
    let first = AtomicUsize::new(0);
    let work = |checker: &mut Checker<'_>, chunk: Framed<'_>| {
        if is_yaml(&chunk.text.name) {
            // A member of an archive: `take` says so, once.
            return checker.check(chunk.text, most, |_, _| 0);
        }
        let text = (first.load(Relaxed) + chunk.text.number, &*chunk.text.name);
        mistaken.look(text, chunk.bytes, chunk.body, limit);
        checker.check(chunk.text, most, |validator, found| {
            validator.chunk(chunk.bytes, chunk.body, limit, found)
        })
    };
    let make = || Checker { severities, name: None, validator: Validator::new(Severities::default()) };
    let mut member: Option<Arc<str>> = None;
    let mut take = |piece: Piece<'_, CheckedPart>| {
        let mut begin = |findings: &mut Findings, input: usize| {
            if begun.is_none() {
                let name = sources[first.load(Relaxed) + input].name();
                begun = Some(Instant::now());
                findings.begin(name, name);
            }
        };
        match piece {
            Piece::Failed(_, error) => findings.failures.push(error.to_string()),
            Piece::End(text, bytes) => {
                begin(findings, text.input);
                findings.end(begun.take().map_or(0.0, |begun| begun.elapsed().as_secs_f64()));
                findings.events += events;
                total += bytes;
                if events == 0 {
                    findings.without_event.add(sources[first.load(Relaxed) + text.input].name());
                }
                events = 0;
            }
            Piece::Part(text, part) => {
                begin(findings, text.input);
                let in_archive = !is_yaml(sources[first.load(Relaxed) + text.input].name());
                if in_archive && is_yaml(&text.name) && member.as_ref() != Some(&text.name) {
                    member = Some(Arc::clone(&text.name));
                    if let Some(placed) = unread_member(severities, &text.name) {
                        findings.add(issue(placed, events, &text.name));
                        events += 1;
                    }
                }
                for placed in part.findings.drain(..) {
                    findings.add(issue(placed, events, &text.name));
                }
                for (counted, count) in std::mem::take(&mut part.counted) {
                    findings.add_counted(counted, &text.name, count);
                }
                for ((severity, code), count) in std::mem::take(&mut part.unlisted) {
                    let path = "(other fields)".to_owned();
                    findings.add_unlisted(GroupKey { severity, code: code.name(), path }, count);
                }
                events += part.events;
            }
        }
        Ok(())
    };
    for group in sources.chunk_by(|a, b| !is_yaml(a.name()) && !is_yaml(b.name())) {
        if let [source] = group
            && is_yaml(source.name())
        {
            check_yaml(source, &mut make(), limit, most, &mut take)?;
        } else {
            reading.run(group, &make, &work, &mut take)?;
        }
        first.fetch_add(group.len(), Relaxed);
    }
    Ok(total)
}

/// What is found in a YAML file in an archive, of which nothing is read.
fn unread_member(severities: &Severities, name: &str) -> Option<Placed> {
    let mut found = None;
    Reporter::new(&severities.in_file(name), &[], &mut |finding| {
        found = Some(Placed { finding, line: 1, column: 1, byte: 0, event: 1 });
    })
    .add(Code::InvalidYaml, String::new(), MEMBER.to_owned(), 0);
    found
}

const MEMBER: &str = "YAML in an archive is not read: unpack the archive, and check the folder";

/// Checks the events of a YAML file, which is read as a whole.
fn check_yaml(
    source: &Source,
    checker: &mut Checker<'_>,
    limit: usize,
    most: usize,
    take: &mut dyn FnMut(Piece<'_, CheckedPart>) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let text = Text { input: 0, number: 0, name: source.name().into() };
    let mut bytes = Vec::new();
    let read = source.open(Arc::default(), Arc::default()).map_err(io::Error::from);
    let read = read.and_then(|input| input.take(limit as u64 + 1).read_to_end(&mut bytes));
    if read.is_ok() {
        let mut part = checker.check(&text, most, |validator, found| validator.yaml(&bytes, limit, found));
        take(Piece::Part(&text, &mut part))?;
    }
    take(Piece::End(&text, bytes.len() as u64))?;
    read.map_or_else(|error| take(Piece::Failed(&text, error)), |_| Ok(()))
}

fn key(finding: &Finding) -> GroupKey {
    GroupKey { severity: finding.severity, code: finding.code.name(), path: general(&finding.path) }
}

fn fingerprint(finding: &Finding) -> Fingerprint {
    // Most are about an object.
    const NOTHING: &str = "00000000000000000000000000000000";
    let about = match finding.about {
        0 => Cow::Borrowed(NOTHING),
        about => Cow::Owned(format!("{about:032x}")),
    };
    Fingerprint::of(finding.code.name(), &general(&finding.path), &[&finding.message, &about])
}

/// A finding behind this many events of its input.
fn issue(Placed { finding, line, column, byte, event }: Placed, events: u64, source: &str) -> Issue {
    let about = finding.code.about();
    Issue {
        severity: finding.severity,
        code: about.name,
        fingerprint: fingerprint(&finding),
        path: finding.path,
        source: source.to_owned(),
        line,
        column,
        byte,
        event: events + event,
        message: finding.message,
        effect: about.effect,
        advice: about.advice.into(),
        case: 0,
    }
}

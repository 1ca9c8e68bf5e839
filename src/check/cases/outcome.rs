//! One case: what the mapping or the parser gives, and what was expected.

use super::case_files::CaseFiles;
use super::layouts::{MOST, TestCase};
use crate::check::compare::{Meaning, Rules, Side};
use crate::check::coverage::Coverage;
use crate::check::diff::{Matched, match_up};
use crate::check::events;
use crate::convert::{CHUNK_BYTES, Converter, MAX_RECORD_BYTES};
use crate::json::Tree;
use crate::record::frame::{Framer, Unit};
use crate::text::LineIndex;
use crate::text::escaped;
use anyhow::{Context as _, bail};
use serde_json::Value;
use std::collections::{BTreeSet, HashSet};
use twox_hash::XxHash3_128;

/// A reject, as far as cases name it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Rejected {
    pub(crate) line: u64,
    pub(crate) offset: u64,
    pub(crate) length: u64,
    pub(crate) reason: String,
}

/// An event with the line of its file.
#[derive(Debug)]
pub(crate) struct Event {
    pub(crate) line: u64,
    pub(crate) text: String,
}

impl Event {
    fn log_type(&self) -> Option<String> {
        let event: Value = serde_json::from_str(&self.text).unwrap_or_default();
        let metadata = &event["metadata"];
        [&metadata["logType"], &metadata["log_type"]]
            .iter()
            .find_map(|log_type| log_type.as_str())
            .map(str::to_owned)
    }

    /// The event with this log type, if it has none.
    fn with_log_type(&self, log_type: &str) -> Option<String> {
        let mut event: Value = serde_json::from_str(&self.text).ok()?;
        event.get_mut("metadata")?.as_object_mut()?.insert("log_type".into(), log_type.into());
        Some(event.to_string()).filter(|_| self.log_type().is_none())
    }
}

/// A parser need not set it, and Google's expected files often lack it.
const LOG_TYPE: &str = "metadata.log_type";
const EVENT_TIME: &str = "metadata.event_timestamp";

/// What a mapping or a parser makes of a case.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// What the mapping gives, a list for each of the case's logs.
    pub(crate) got: Vec<Vec<Event>>,
    /// The same in camelCase.
    pub(crate) camel: Vec<Vec<String>>,
    pub(crate) expected: Vec<Event>,
    pub(crate) rejects: Vec<Rejected>,
    /// Digests of their records.
    records: Vec<u128>,
    /// Rejects that should be there; nothing, if the layout does not say.
    pub(crate) expected_rejects: Option<Vec<Rejected>>,
    /// Whether there is nothing that it could be compared with.
    pub(crate) unchecked: bool,
    /// Differences between expected (A) and given (B) events.
    pub(crate) differences: Vec<Matched>,
    /// What else is known if a parser was run.
    pub(crate) parsed: Option<Parsed>,
}

/// What is known of a parser's run on a case, other than its events. Their lines are the numbers of their logs.
#[derive(Debug, Default)]
#[cfg_attr(not(feature = "parser"), allow(dead_code, reason = "only parsers need it"))]
pub(crate) struct Parsed {
    /// The parser's file.
    pub(crate) parser: String,
    /// Logs that gave no event.
    pub(crate) eventless: Vec<Eventless>,
    /// Of each event, whether its time is that of the run: neither the log nor its file has one.
    pub(crate) from_clock: Vec<bool>,
}

/// A log that gave no event.
#[derive(Debug)]
#[cfg_attr(not(feature = "parser"), allow(dead_code, reason = "only parsers need it"))]
pub(crate) struct Eventless {
    /// Its number, from 1.
    pub(crate) log: u64,
    pub(crate) end: LogEnd,
    /// Why. Escaped.
    pub(crate) message: String,
    /// Line and column of the parser's statement.
    pub(crate) at: Option<(u32, u32)>,
}

/// How a log ended that gave no event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(not(feature = "parser"), allow(dead_code, reason = "only parsers need it"))]
pub(crate) enum LogEnd {
    Failed,
    Dropped,
    NoOutput,
}

impl LogEnd {
    /// The code of the finding.
    pub(crate) fn code(self) -> &'static str {
        match self {
            LogEnd::Failed => "log-failed",
            LogEnd::Dropped => "log-dropped",
            LogEnd::NoOutput => "log-no-output",
        }
    }
}

impl Outcome {
    /// What a case expects; nothing is given yet.
    pub(crate) fn new(case: &TestCase) -> anyhow::Result<Outcome> {
        let mut outcome = Outcome {
            got: Vec::new(),
            camel: Vec::new(),
            expected: Vec::new(),
            rejects: Vec::new(),
            records: Vec::new(),
            expected_rejects: None,
            unchecked: case.is_unchecked(),
            differences: Vec::new(),
            parsed: None,
        };
        for text in case.expected()? {
            events_of(&text, &case.expected.to_string_lossy(), &mut outcome.expected)?;
        }
        Ok(outcome)
    }

    pub(crate) fn of(
        case: &TestCase,
        [snake, camel]: [&Converter; 2],
        rules: &Rules,
        coverage: &mut Coverage,
    ) -> anyhow::Result<Outcome> {
        let mut outcome = Outcome::new(case)?;
        for log in case.logs()? {
            outcome.convert(&log, [snake, camel], coverage)?;
        }
        if let Some(file) = case.rejects() {
            outcome.expected_rejects = Some(expected_rejects(&case.files, &file)?);
        }
        outcome.compare(rules)?;
        Ok(outcome)
    }

    /// Compares what is given with what is expected.
    pub(crate) fn compare(&mut self, rules: &Rules) -> anyhow::Result<()> {
        let mut rules = rules.clone();
        if let Some(parsed) = &self.parsed {
            // It is compared only where both have it. Given events have the one of the parser, or their own.
            let given: BTreeSet<Option<String>> = self.got.iter().flatten().map(Event::log_type).collect();
            match (given.first(), given.len()) {
                (Some(Some(log_type)), 1) => {
                    for event in &mut self.expected {
                        event.text = event.with_log_type(log_type).unwrap_or_else(|| event.text.clone());
                    }
                }
                _ if self.expected.iter().all(|event| event.log_type().is_some())
                    && !given.contains(&None) => {}
                _ => rules.ignore(LOG_TYPE),
            }
            if parsed.from_clock.iter().all(|from_clock| *from_clock) {
                rules.ignore(EVENT_TIME);
            }
        }
        let meanings = |events: &mut dyn Iterator<Item = &Event>| -> anyhow::Result<Vec<Meaning>> {
            let mut tree = Tree::default();
            events.map(|event| Ok(Meaning::of(tree.read(event.text.as_bytes())?, &rules))).collect()
        };
        let expected = meanings(&mut self.expected.iter())?;
        self.differences = match_up(&expected, &meanings(&mut self.got.iter().flatten())?)?;
        if let Some(parsed) = &self.parsed {
            self.differences.retain_mut(|matched| {
                let Matched::Pair { b, differences, .. } = matched else { return true };
                differences.retain(|difference| match difference.path.as_str() {
                    LOG_TYPE => difference.a.is_some() && difference.b.is_some(),
                    EVENT_TIME => !parsed.from_clock.get(*b).is_some_and(|from_clock| *from_clock),
                    _ => true,
                });
                !differences.is_empty()
            });
        }
        Ok(())
    }

    /// Logs without events that are a part of what is wrong: those that failed, and if events are missing, all.
    pub(crate) fn faulty_logs(&self) -> Vec<&Eventless> {
        let is_missing = |matched: &Matched| {
            matches!(matched, Matched::Only { side: Side::A, .. } | Matched::Copy { side: Side::A, .. })
        };
        let misses = self.expected.len() > self.given().len() || self.differences.iter().any(is_missing);
        let is_faulty = |log: &&Eventless| misses || log.end == LogEnd::Failed;
        let logs = self.parsed.iter().flat_map(|parsed| &parsed.eventless);
        logs.filter(|log| !self.differences.is_empty() && is_faulty(log)).collect()
    }

    fn convert(
        &mut self,
        log: &[u8],
        [snake, camel]: [&Converter; 2],
        coverage: &mut Coverage,
    ) -> anyhow::Result<()> {
        let mut framer = Framer::new(MAX_RECORD_BYTES, CHUNK_BYTES);
        let mut input = log;
        let (mut got, mut spelled) = (Vec::new(), Vec::new());
        while let Some(chunk) = framer.next(&mut input, Vec::new())? {
            snake.trace(&chunk.bytes, &chunk.body, &mut |record| {
                // A record with fields has a table.
                let table = record.table.unwrap_or_default();
                let event = record.fields.as_ref().map_err(Clone::clone).and_then(|fields| {
                    let lineage = snake.lineage(table, fields)?;
                    Ok((snake.event(table, fields)?, camel.event(table, fields)?, lineage))
                });
                let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
                match event {
                    Ok((event, in_camel, lineage)) => {
                        coverage.add(table, &lineage, 1);
                        got.push(Event { line: record.line, text: text(event) });
                        spelled.push(text(in_camel));
                    }
                    Err(fault) => {
                        self.records.push(XxHash3_128::oneshot(record.raw));
                        self.rejects.push(Rejected {
                            line: record.line,
                            offset: record.offset,
                            length: record.raw.len() as u64,
                            reason: fault.reason.code().to_owned(),
                        });
                    }
                }
            });
        }
        self.got.push(got);
        self.camel.push(spelled);
        Ok(())
    }

    /// Rejects that are expected but not given, and those that are given but not expected.
    pub(crate) fn other_rejects(&self) -> [Vec<&Rejected>; 2] {
        let expected = self.expected_rejects.as_deref().unwrap_or_default();
        let sets = [expected, &self.rejects].map(|rejects| rejects.iter().collect::<HashSet<_>>());
        [
            expected.iter().filter(|reject| !sets[1].contains(reject)).collect(),
            self.rejects.iter().filter(|reject| !sets[0].contains(reject)).collect(),
        ]
    }

    /// A digest of the record that is rejected.
    pub(crate) fn record_of(&self, reject: &Rejected) -> String {
        let place = self.rejects.iter().position(|one| one == reject);
        place.map_or(String::new(), |place| format!("{:032x}", self.records[place]))
    }

    /// Whether the rejects are the expected ones.
    pub(crate) fn rejects_agree(&self) -> bool {
        match &self.expected_rejects {
            Some(expected) => *expected == self.rejects,
            // A layout without a place for rejects expects none, unless nothing at all is expected.
            None => self.rejects.is_empty(),
        }
    }

    pub(crate) fn passes(&self) -> bool {
        !self.unchecked && self.differences.is_empty() && self.rejects_agree()
    }

    /// What the mapping gives, in one list.
    pub(crate) fn given(&self) -> Vec<&Event> {
        self.got.iter().flatten().collect()
    }
}

/// Adds the events in a file.
fn events_of(text: &[u8], name: &str, to: &mut Vec<Event>) -> anyhow::Result<()> {
    const LONGEST: usize = 1 << 30;
    let mut framer = Framer::new(LONGEST, CHUNK_BYTES);
    let (mut input, mut tree) = (text, Tree::default());
    let mut failed = None;
    while let Some(chunk) = framer.next(&mut input, Vec::new())? {
        let mut unit = |unit: &Unit, bytes: &[u8]| {
            let line = unit.line;
            let value = match unit.error(bytes, LONGEST) {
                None => tree.read(bytes).map_err(|error| error.to_string()),
                Some(fault) => Err(fault.message),
            };
            match value {
                Err(why) => failed = failed.take().or(Some((line, why))),
                Ok(value) => {
                    let lines_of = LineIndex::of(bytes);
                    events::find(value, &mut |candidate| match candidate.event() {
                        Ok(event) => {
                            let line = line + lines_of.before(event.start());
                            to.push(Event { line, text: event.raw().to_owned() });
                        }
                        Err(why) => failed = failed.take().or(Some((line, why))),
                    });
                }
            }
        };
        chunk.body.units(&chunk.bytes, LONGEST, &mut unit, &mut 0);
    }
    match failed {
        Some((line, why)) => bail!("`{}`, line {line}: {}", escaped(name), escaped(&why)),
        None => Ok(()),
    }
}

fn expected_rejects(files: &CaseFiles, file: &std::path::Path) -> anyhow::Result<Vec<Rejected>> {
    if !files.exists(file) {
        return Ok(Vec::new());
    }
    let name = file.to_string_lossy();
    let name = escaped(&name);
    let text = files.read_text(file, MOST)?;
    let reject = |(place, line): (usize, &str)| {
        let value: Value =
            serde_json::from_str(line).with_context(|| format!("`{name}`, line {}", place + 1))?;
        let number = |key: &str| {
            value[key].as_u64().with_context(|| format!("`{name}`, line {}: no `{key}`", place + 1))
        };
        Ok(Rejected {
            line: number("line")?,
            offset: number("offset")?,
            length: number("length")?,
            reason: value["reason"].as_str().unwrap_or_default().to_owned(),
        })
    };
    text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()).map(reject).collect()
}

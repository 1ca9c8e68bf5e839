//! Parsers against test cases. Each is loaded once, and notes which of its parts any case has reached.

use super::logs::{self, Chunk, LogForm, RawLog};
use crate::cbn::{Outcome as Ending, Parser, ReadError, RunOptions, Runner};
use crate::check::cases::{Event, Eventless, Layout, LogEnd, Outcome, Parsed, TestCase};
use crate::check::compare::Rules;
use crate::check::events;
use crate::check::findings::Issue;
use crate::convert::FieldNames;
use crate::json::Tree;
use crate::text::{escaped, shown_up_to};
use crate::time::Instant;
use anyhow::{Context as _, bail};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The most bytes of a parser's text, and of a case's events.
const MOST_OF_PARSER: u64 = 16 << 20;
const MOST_OF_EVENTS: usize = 1 << 30;

/// The parsers of cases.
#[derive(Debug)]
pub(crate) struct TestedParsers {
    receipt: Receipt,
    loaded: BTreeMap<PathBuf, Result<TestedParser, ReadError>>,
}

/// When logs were received that don't say so themselves.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Receipt {
    /// At this time.
    At(Instant),
    /// Now. What an event's time would have been at another time says whether it comes from the clock.
    Now { now: Instant, other: Instant },
}

#[derive(Debug)]
struct TestedParser {
    parser: Parser,
    text: String,
    reached: Vec<bool>,
}

/// How much of a parser its cases have reached.
#[derive(Debug)]
pub(crate) struct ParserCoverage {
    /// The parser's file.
    pub(crate) parser: String,
    /// How many plugins were reached, and how many there are.
    pub(crate) statements: [usize; 2],
    /// The same of branches and loops.
    pub(crate) branches: [usize; 2],
    /// What was never reached: its place and its text. What is inside of a branch that was never reached is only counted.
    pub(crate) unreached: Vec<String>,
}

impl TestedParsers {
    /// No parser is loaded yet.
    pub(crate) fn new(receipt: Receipt) -> TestedParsers {
        TestedParsers { receipt, loaded: BTreeMap::new() }
    }

    /// Runs a case by its parser; the finding, if that does not load.
    ///
    /// # Errors
    /// When a file can't be read, or is not what it should be.
    pub(crate) fn outcome(
        &mut self,
        case: &TestCase,
        rules: &Rules,
    ) -> anyhow::Result<Result<Outcome, Box<Issue>>> {
        let [file] = &case.parsers[..] else { return Ok(Err(Box::new(several(case)))) };
        let rejects = case.expected.with_file_name("rejects.ndjson");
        if case.layout == Layout::Folder && case.files.exists(&rejects) {
            bail!("`{}`: a parser's case has no rejects", escaped(&rejects.to_string_lossy()));
        }
        if !self.loaded.contains_key(file) {
            let text = case.files.read_text(file, MOST_OF_PARSER)?;
            let parser = Parser::read(&text);
            let loaded = parser.map(|parser| TestedParser {
                reached: vec![false; parser.parts().len()],
                parser,
                text,
            });
            self.loaded.insert(file.clone(), loaded);
        }
        let name = file.to_string_lossy();
        match self.loaded.get_mut(file) {
            Some(Ok(tested)) => Ok(Ok(tested.run(case, &name, rules, self.receipt)?)),
            Some(Err(error)) => Ok(Err(Box::new(not_loaded(&name, error)))),
            None => bail!("`{}` was not loaded", escaped(&name)),
        }
    }

    /// How much of each parser was reached.
    pub(crate) fn coverage(&self) -> Vec<ParserCoverage> {
        let loaded = self.loaded.iter().filter_map(|(file, loaded)| Some((file, loaded.as_ref().ok()?)));
        loaded.map(|(file, tested)| tested.coverage(file)).collect()
    }
}

fn several(case: &TestCase) -> Issue {
    let name = case.parsers.first().map(|file| file.to_string_lossy()).unwrap_or_default();
    let message = format!(
        "there are {} parsers in this folder, and it is not clear which one `{}` belongs to",
        case.parsers.len(),
        escaped(&case.name)
    );
    let issue = Issue::difference("not-loaded", "", (&name, 0, 0), message.clone(), &[&message]);
    Issue { advice: "call one of them `parser.conf`".into(), ..issue }
}

fn not_loaded(name: &str, error: &ReadError) -> Issue {
    let message = error.message.clone();
    let line = u64::from(error.at.line);
    let issue = Issue::difference("not-loaded", "", (name, line, 0), message, &[&error.message]);
    Issue { column: u64::from(error.at.column), advice: error.hint.unwrap_or("").into(), ..issue }
}

impl TestedParser {
    fn run(
        &mut self,
        case: &TestCase,
        name: &str,
        rules: &Rules,
        receipt: Receipt,
    ) -> anyhow::Result<Outcome> {
        let mut options =
            RunOptions { field_names: FieldNames::Camel, log_type: case.log_type(), ..RunOptions::default() };
        let mut other_runner = self.parser.runner(&options);
        let (received, other) = match receipt {
            Receipt::At(time) => (time, None),
            Receipt::Now { now, other } => (now, Some(other)),
        };
        options.notes_reached = true;
        let mut run = CaseRun {
            runner: self.parser.runner(&options),
            outcome: Outcome::new(case)?,
            parsed: Parsed { parser: name.to_owned(), ..Parsed::default() },
            bytes: 0,
        };
        let form = match case.layout {
            Layout::ContentHub => LogForm::ContentHub,
            Layout::Toolkit => LogForm::Text,
            Layout::Folder => LogForm::Auto,
        };
        let text = case.files.read(&case.raw, crate::check::cases::MOST)?;
        let mut failed = None;
        logs::read(&mut &text[..], form, &mut |chunk| {
            for (at, raw) in chunk.logs.iter().enumerate() {
                let number = chunk.first + at as u64;
                let other = other.filter(|_| raw.received.is_none()).map(|time| (&mut other_runner, time));
                let strips = case.layout == Layout::Toolkit;
                let result = run.log(&chunk, (number, raw), strips, received, other);
                failed = failed.take().or(result.err());
            }
            failed.is_none()
        })
        .with_context(|| format!("`{}`", escaped(&case.raw.to_string_lossy())))?;
        for (all, new) in self.reached.iter_mut().zip(run.runner.reached()) {
            *all |= new;
        }
        if let Some(error) = failed {
            return Err(error.context(format!("`{}`", escaped(&case.raw.to_string_lossy()))));
        }
        let mut outcome = run.outcome;
        outcome.parsed = Some(run.parsed);
        outcome.compare(rules)?;
        Ok(outcome)
    }

    fn coverage(&self, file: &Path) -> ParserCoverage {
        let (mut statements, mut branches, mut unreached) = ([0; 2], [0; 2], Vec::new());
        let file = file.to_string_lossy();
        let lines: Vec<&str> = self.text.lines().collect();
        // Parts up to here are inside of one that was told.
        let mut told = 0;
        for (number, (part, reached)) in self.parser.parts().iter().zip(&self.reached).enumerate() {
            let counts = if part.is_branch { &mut branches } else { &mut statements };
            counts[0] += usize::from(*reached);
            counts[1] += 1;
            if *reached || number < told {
                continue;
            }
            told = number + 1 + part.inside;
            let line = lines.get((part.at.line as usize).saturating_sub(1)).map_or("", |line| line.trim());
            let inside =
                if part.inside > 0 { format!(" (with {} inside)", part.inside) } else { String::new() };
            unreached.push(format!("{file}:{}: {}{inside}", part.at, shown_up_to(line, 80)));
        }
        ParserCoverage { parser: file.into_owned(), statements, branches, unreached }
    }
}

/// A case that is being run.
struct CaseRun {
    runner: Runner,
    outcome: Outcome,
    parsed: Parsed,
    /// How long its events are.
    bytes: usize,
}

impl CaseRun {
    fn log(
        &mut self,
        chunk: &Chunk,
        (number, raw): (u64, &RawLog),
        strips: bool,
        received: Instant,
        other: Option<(&mut Runner, Instant)>,
    ) -> anyhow::Result<()> {
        let mut given = Vec::new();
        let mut end = |end, message: String, at| {
            self.parsed.eventless.push(Eventless { log: number, end, message, at });
        };
        match raw.text(chunk) {
            Err(message) => end(LogEnd::Failed, message.into(), None),
            Ok(text) => {
                let text = if strips { text.trim() } else { &text };
                match self.runner.run(&raw.log(text, received), &mut given) {
                    Ending::Events(_) => {}
                    Ending::Dropped(tag) => {
                        let tag = if tag.is_empty() { "no tag".into() } else { escaped(&tag).into_owned() };
                        end(LogEnd::Dropped, format!("the parser drops the log ({tag})"), None);
                    }
                    Ending::NoOutput => end(LogEnd::NoOutput, "the log gives no output".into(), None),
                    Ending::Failed(failed) => {
                        let at = failed.at.map(|at| (at.line, at.column));
                        end(LogEnd::Failed, failed.message, at);
                        given.clear();
                    }
                }
                let mut others = Vec::new();
                let has_other = other.is_some();
                if let Some((runner, received)) = other {
                    runner.run(&raw.log(text, received), &mut others);
                }
                let mut others = times(&others).into_iter();
                self.parsed.from_clock.extend(times(&given).into_iter().map(|time| {
                    let other = others.next().flatten();
                    has_other && other != time
                }));
            }
        }
        self.bytes += given.len();
        if self.bytes > MOST_OF_EVENTS {
            bail!("its logs give more than {} MiB of events", MOST_OF_EVENTS >> 20);
        }
        self.take(&given, number)
    }

    /// Takes the events of a log.
    fn take(&mut self, given: &[u8], number: u64) -> anyhow::Result<()> {
        let (mut texts, mut tree) = (Vec::new(), Tree::default());
        for line in lines_of(given) {
            events::find(tree.read(line)?, &mut |found| texts.push(found.value().raw().to_owned()));
        }
        let event = |text: &String| Event { line: number, text: text.clone() };
        self.outcome.got.push(texts.iter().map(event).collect());
        self.outcome.camel.push(texts);
        Ok(())
    }
}

fn lines_of(events: &[u8]) -> impl Iterator<Item = &[u8]> {
    events.split(|byte| *byte == b'\n').filter(|line| !line.is_empty())
}

/// The time of each event.
fn times(events: &[u8]) -> Vec<Option<String>> {
    let time = |line: &[u8]| {
        let event: Value = serde_json::from_slice(line).ok()?;
        event["metadata"]["eventTimestamp"].as_str().map(str::to_owned)
    };
    lines_of(events).map(time).collect()
}

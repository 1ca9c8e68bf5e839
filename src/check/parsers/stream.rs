//! A parser run on the logs of many inputs, with many threads, in order and in bounded memory.

use super::logs::{self, Chunk, LogForm, RawLog};
use crate::cbn::{Failed, Outcome, Parser, Position, RunOptions, Runner};
use crate::check::validate::{Code, Finding, Severities, Severity, Validator};
use crate::store::Source;
use crate::sync::{lock, wait};
use crate::time::Instant;
use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Condvar, Mutex};

/// What is wanted of a run.
#[derive(Debug)]
pub(crate) struct Wanted {
    pub(crate) form: LogForm,
    pub(crate) threads: usize,
    /// When logs were received whose input does not say so.
    pub(crate) received: Instant,
    /// Whether events are validated.
    pub(crate) validates: bool,
    /// Whether logs with an error of validation fail.
    pub(crate) is_strict: bool,
}

/// A run that is under way.
#[derive(Debug)]
pub(crate) struct Run<'r> {
    pub(crate) parser: &'r Parser,
    pub(crate) options: &'r RunOptions,
    pub(crate) wanted: &'r Wanted,
    /// Grows by what was read of the inputs.
    pub(crate) read: Arc<AtomicU64>,
    /// Ends the run.
    pub(crate) stop: Arc<AtomicBool>,
}

/// The outcome of some logs, in order.
#[derive(Debug, Default)]
pub(crate) struct Part {
    /// Which of the inputs they are of.
    pub(crate) source: usize,
    /// Events, a line each.
    pub(crate) events: Vec<u8>,
    pub(crate) logs: u64,
    pub(crate) with_events: u64,
    pub(crate) event_count: u64,
    pub(crate) without_output: u64,
    /// How many logs were dropped, by tag.
    pub(crate) dropped: BTreeMap<String, u64>,
    pub(crate) failed: Vec<FailedLog>,
    /// What validation found: how often, and an example.
    pub(crate) findings: BTreeMap<(Severity, &'static str), (u64, String)>,
    /// What `statedump` has shown.
    pub(crate) dumped: String,
    /// Which statements set the fields of the events.
    pub(crate) explained: Vec<Event>,
    /// Why the input could not be read further.
    pub(crate) error: Option<io::Error>,
}

/// An event, with where its fields come from.
#[derive(Debug)]
pub(crate) struct Event {
    /// The number of its log, from 1.
    pub(crate) log: u64,
    pub(crate) json: String,
    pub(crate) fields: Vec<(String, Position)>,
}

/// A log that gave no events because it failed.
#[derive(Debug)]
pub(crate) struct FailedLog {
    /// Its number in its input, from 1.
    pub(crate) log: u64,
    pub(crate) message: String,
    /// The statement that failed.
    pub(crate) at: Option<Position>,
    pub(crate) raw: Vec<u8>,
}

/// How many bytes of events a worker holds before it waits for its turn.
const HELD: usize = 16 << 20;

/// Whose turn it is.
struct Turn {
    number: Mutex<u64>,
    changed: Condvar,
}

/// What a worker takes: the logs of an input, or why there are no more of it.
type Work = (u64, usize, Result<Chunk, io::Error>);

impl Run<'_> {
    /// Runs the parser on the logs of all `sources`, and hands what becomes of them to `take`, in order, until it fails.
    ///
    /// # Errors
    /// What `take` returns, or that threads can't be started.
    pub(crate) fn run(
        &self,
        sources: &[Source],
        take: &mut dyn FnMut(Part) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let threads = self.wanted.threads.max(1);
        // Chunks on their way, from reading to `take`: each needs a pass.
        let passes = 4 * threads;
        let (give_pass, take_pass) = sync_channel(passes);
        (0..passes).try_for_each(|_| give_pass.send(()))?;
        let (give_work, take_work) = sync_channel::<Work>(passes);
        let (give_part, take_part) = sync_channel::<(u64, Part, bool)>(passes);
        let take_work = Mutex::new(take_work);
        let turn = Turn { number: Mutex::new(0), changed: Condvar::new() };
        let ended = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let (turn, ended, take_work) = (&turn, &ended, &take_work);
            let reader = std::thread::Builder::new().name("read".into());
            reader.spawn_scoped(scope, move || self.read(sources, &take_pass, &give_work, ended))?;
            for worker in 0..threads {
                let give_part = give_part.clone();
                let name = format!("worker {worker}");
                let work = move || self.work(take_work, &give_part, turn, ended);
                std::thread::Builder::new().name(name).spawn_scoped(scope, work)?;
            }
            drop(give_part);
            let result = collect(&take_part, &give_pass, turn, take);
            ended.store(true, Relaxed);
            self.stop.fetch_or(result.is_err(), Relaxed);
            // Those who wait look again.
            drop((give_pass, take_part));
            drop(lock(&turn.number));
            turn.changed.notify_all();
            result
        })
    }

    fn read(&self, sources: &[Source], passes: &Receiver<()>, give: &SyncSender<Work>, ended: &AtomicBool) {
        let mut number = 0;
        for (at, source) in sources.iter().enumerate() {
            let mut hand_on = |chunk| {
                let goes_on =
                    passes.recv().is_ok() && !ended.load(Relaxed) && give.send((number, at, chunk)).is_ok();
                number += 1;
                goes_on
            };
            let mut goes_on = true;
            let input = source.open(Arc::clone(&self.read), Arc::clone(&self.stop));
            let result = input.map_err(io::Error::other).and_then(|input| {
                logs::read(&mut input.with_members(), self.wanted.form, &mut |chunk| {
                    goes_on = hand_on(Ok(chunk));
                    goes_on
                })
            });
            if let Err(error) = result {
                goes_on = hand_on(Err(error));
            }
            if !goes_on || self.stop.load(Relaxed) {
                return;
            }
        }
    }

    fn work(
        &self,
        take: &Mutex<Receiver<Work>>,
        give: &SyncSender<(u64, Part, bool)>,
        turn: &Turn,
        ended: &AtomicBool,
    ) {
        let mut runner = self.parser.runner(self.options);
        let mut severities = Severities::default();
        // SecOps has this field, and the public schema lacks it.
        severities.allow(Code::UnknownField, "network.http.parsed_user_agent");
        if !self.options.adds_platform_fields {
            severities.allow(Code::NoTimestamp, "metadata.event_timestamp");
        }
        let mut validator = Validator::new(severities);
        loop {
            let Ok((number, source, chunk)) = lock(take).recv() else { return };
            crate::panics::provoke("work");
            let mut part = Part { source, ..Part::default() };
            let chunk = match chunk {
                Ok(chunk) => chunk,
                Err(error) => {
                    part.error = Some(error);
                    Chunk::default()
                }
            };
            for (at, log) in chunk.logs.iter().enumerate() {
                self.parse(&mut runner, &mut validator, &chunk, log, chunk.first + at as u64, &mut part);
                if part.events.len() + part.dumped.len() > HELD {
                    let mut now = lock(&turn.number);
                    while *now != number && !ended.load(Relaxed) {
                        now = wait(&turn.changed, now);
                    }
                    drop(now);
                    let full = std::mem::replace(&mut part, Part { source, ..Part::default() });
                    if give.send((number, full, false)).is_err() {
                        return;
                    }
                }
            }
            if give.send((number, part, true)).is_err() {
                return;
            }
        }
    }

    fn parse(
        &self,
        runner: &mut Runner,
        validator: &mut Validator,
        chunk: &Chunk,
        raw: &RawLog,
        number: u64,
        part: &mut Part,
    ) {
        part.logs += 1;
        let bytes = &chunk.bytes[raw.range.clone()];
        let fail = |part: &mut Part, message: String, at| {
            part.failed.push(FailedLog { log: number, message, at, raw: bytes.to_vec() });
        };
        let text = match raw.text(chunk) {
            Ok(text) => text,
            Err(message) => return fail(part, message.into(), None),
        };
        let log = raw.log(&text, self.wanted.received);
        let start = part.events.len();
        let outcome = runner.run(&log, &mut part.events);
        if !runner.dumped().is_empty() {
            part.dumped.push_str(runner.dumped());
        }
        match outcome {
            Outcome::Dropped(tag) => *part.dropped.entry(tag).or_default() += 1,
            Outcome::NoOutput => part.without_output += 1,
            Outcome::Failed(failed) => fail(part, failed.message, failed.at),
            Outcome::Events(count) => {
                if self.wanted.validates
                    && let Some(failed) = validate(validator, start, part)
                    && self.wanted.is_strict
                {
                    part.events.truncate(start);
                    return fail(part, failed.message, failed.at);
                }
                part.with_events += 1;
                part.event_count += count;
                if self.options.explains {
                    let events = String::from_utf8_lossy(&part.events[start..]).into_owned();
                    for (json, fields) in events.lines().zip(runner.lines()) {
                        part.explained.push(Event { log: number, json: json.to_owned(), fields });
                    }
                }
            }
        }
    }
}

/// Hands parts on in order.
fn collect(
    parts: &Receiver<(u64, Part, bool)>,
    passes: &SyncSender<()>,
    turn: &Turn,
    take: &mut dyn FnMut(Part) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let mut early: BTreeMap<u64, Part> = BTreeMap::new();
    let mut due = 0;
    while let Ok((number, part, is_last)) = parts.recv() {
        if number != due {
            // One that waits for its turn is whole.
            early.insert(number, part);
            continue;
        }
        take(part)?;
        if !is_last {
            continue;
        }
        loop {
            due += 1;
            // Nobody may want it any more.
            let _ = passes.try_send(());
            match early.remove(&due) {
                Some(part) => take(part)?,
                None => break,
            }
        }
        *lock(&turn.number) = due;
        turn.changed.notify_all();
    }
    Ok(())
}

/// Checks the events from `start` on; how the first error is reported.
fn validate(validator: &mut Validator, start: usize, part: &mut Part) -> Option<Failed> {
    let mut error = None;
    let findings = &mut part.findings;
    let events = part.events[start..].split(|byte| *byte == b'\n').filter(|event| !event.is_empty());
    for (number, event) in events.enumerate() {
        // Of entities there are no rules.
        if event.starts_with(b"{\"idm\":{\"entity\"") {
            continue;
        }
        validator.check(event, &mut |finding: Finding| {
            let words = || match finding.path.as_str() {
                "" => finding.message.clone(),
                path => format!("{path}: {}", finding.message),
            };
            let known = findings.entry((finding.severity, finding.code.about().name));
            known.or_insert_with(|| (0, words())).0 += 1;
            if finding.severity == Severity::Error && error.is_none() {
                let words = format!("udm validation failed: {}", words());
                error = Some(Failed::invalid(number, &words));
            }
        });
    }
    error
}

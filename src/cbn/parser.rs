//! A parser, and what runs it.

use super::build::Build;
use super::output::{self, Events, Platform};
use super::pattern::{Captures, Pattern};
use super::plugin::Tools;
use super::position::{Position, ReadError};
use super::program::{self, ParserPart, Program};
use super::read;
use super::run::{self, End};
use super::state::State;
use super::value::{Shape, Value};
use super::warning::{Code, Warning};
use super::xml::Documents;
use crate::convert::FieldNames;
use crate::json::Tree;
use crate::text::{escaped, shown};
use crate::time::Instant;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// A parser that was read.
#[derive(Debug, Clone)]
pub struct Parser {
    program: Arc<Program>,
    warnings: Vec<Warning>,
    regexes: Vec<(Arc<Pattern>, Position)>,
}

/// How a parser runs.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct RunOptions {
    /// How field names of events are spelled.
    pub field_names: FieldNames,
    /// Whether events get what the platform adds to them: addresses in `asset`, the log type, a time.
    pub adds_platform_fields: bool,
    /// The log type: what `metadata.log_type` is, whatever the parser says.
    pub log_type: Option<String>,
    /// The most bytes that the tokens of a log may take, about; and its events.
    pub most_bytes: usize,
    /// The most steps that a log may take: one for each statement and each turn of a loop, and one for each 256 bytes
    /// of text that they look at.
    pub most_steps: u64,
    /// Ends a log early, once it is set: it fails.
    pub stop: Option<Arc<AtomicBool>>,
    /// Whether `statedump` shows its tokens.
    pub dumps: bool,
    /// Whether it is noted which statement set each field.
    pub explains: bool,
    /// Whether it is noted which of the parser's parts logs reach.
    pub notes_reached: bool,
}

impl Default for RunOptions {
    fn default() -> RunOptions {
        RunOptions {
            field_names: FieldNames::default(),
            adds_platform_fields: true,
            log_type: None,
            most_bytes: 64 << 20,
            most_steps: 50_000_000,
            stop: None,
            dumps: false,
            explains: false,
            notes_reached: false,
        }
    }
}

/// A log to be parsed.
#[derive(Debug, Clone, Copy)]
pub struct Log<'l> {
    /// Its text.
    pub text: &'l str,
    /// When it was received: events without a time get it, and `rebase` takes its year.
    pub received: Instant,
    /// When it was collected, if that is known.
    pub collected: Option<Instant>,
    /// The time that the collector gave it, if it did.
    pub timestamp: Option<Instant>,
}

impl<'l> Log<'l> {
    /// A log with its text and the time when it was received.
    pub fn new(text: &'l str, received: Instant) -> Log<'l> {
        Log { text, received, collected: None, timestamp: None }
    }
}

/// The outcome of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It gave this many events, at least one.
    Events(u64),
    /// `drop` ended it, with this tag, which may be empty.
    Dropped(String),
    /// Nothing was merged into `@output`.
    NoOutput,
    /// It failed.
    Failed(Failed),
}

/// Why a log failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Failed {
    /// In Google's words, where they are known. Escaped.
    pub message: String,
    /// The statement, if one failed.
    pub at: Option<Position>,
}

impl Failed {
    /// An event that is not valid, by its number from 0 among those of its log. `words` are escaped.
    pub(crate) fn invalid(number: usize, words: &str) -> Failed {
        let message = format!(
            "generic::unknown: invalid event {number}: LOG_PARSING_GENERATED_INVALID_EVENT: \
             \"generic::invalid_argument: {words}\""
        );
        Failed { message, at: None }
    }
}

impl Parser {
    /// Reads a parser's text.
    ///
    /// # Errors
    /// Where it can't be understood, and what was expected there.
    pub fn read(text: &str) -> Result<Parser, ReadError> {
        let statements = read::read(text)?;
        let mut build = Build::default();
        let program = program::compile(&statements, &mut build)?;
        Ok(Parser { program: Arc::new(program), warnings: build.warnings, regexes: build.regexes })
    }

    /// What most likely does not do what it should, in the order of the text. All regexes are compiled for it.
    pub fn warnings(&self) -> Vec<Warning> {
        let mut warnings = self.warnings.clone();
        for (pattern, at) in &self.regexes {
            if let Some(why) = pattern.problem() {
                let message =
                    format!("`{}` is not a regex that RE2 takes: {}", shown(&pattern.source), escaped(&why));
                warnings.push(Warning { at: *at, code: Code::BadRegex, message });
            }
        }
        warnings.sort_by_key(|warning| warning.at);
        warnings
    }

    /// Its plugins, branches and loops, in the order of the text.
    pub fn parts(&self) -> &[ParserPart] {
        &self.program.parts
    }

    /// What runs it on logs, one after the other.
    pub fn runner(&self, options: &RunOptions) -> Runner {
        let program = Arc::clone(&self.program);
        let state = State::new(&program.symbols, &program.texts, options.most_bytes);
        let tools = Tools {
            captures: Captures::default(),
            tree: Tree::default(),
            documents: Documents::default(),
            stop: options.stop.clone(),
            is_dated: false,
            received: Instant::EPOCH,
            dumped: None,
            reached: vec![false; if options.notes_reached { program.parts.len() } else { 0 }],
        };
        Runner { program, options: options.clone(), state, tools, dumped: String::new(), lines: Vec::new() }
    }
}

/// Runs a parser on logs, one after the other. It keeps its memory from log to log.
#[derive(Debug)]
pub struct Runner {
    program: Arc<Program>,
    options: RunOptions,
    state: State,
    tools: Tools,
    dumped: String,
    lines: Vec<output::Lines>,
}

impl Runner {
    /// Parses a log, and writes its events behind what is in `events`, a line each.
    pub fn run(&mut self, log: &Log<'_>, events: &mut Vec<u8>) -> Outcome {
        self.begin(log);
        let program = Arc::clone(&self.program);
        let end = run::run(&program, &mut self.state, &mut self.tools);
        self.dumped.clear();
        if let Some(dumped) = &mut self.tools.dumped {
            std::mem::swap(&mut self.dumped, dumped);
        }
        match end {
            End::Dropped(tag) => Outcome::Dropped(tag.to_owned()),
            End::Failed(number, failure) => {
                let ParserPart { name, at, .. } = &program.parts[number as usize];
                let words = escaped(&failure.words()).into_owned();
                let message = format!(
                    "generic::{}: pipeline failed: filter {} ({number}) failed: {words}",
                    failure.code(),
                    shown(name)
                );
                Outcome::Failed(Failed { message, at: Some(*at) })
            }
            End::Done => self.write(log, events),
        }
    }

    /// Which of the parser's parts any log has reached; empty, unless [`RunOptions::notes_reached`].
    pub fn reached(&self) -> &[bool] {
        &self.tools.reached
    }

    /// What `statedump` has shown of the last log.
    pub fn dumped(&self) -> &str {
        &self.dumped
    }

    /// For each event of the last log, the fields of UDM with the places of the statements that set them.
    pub fn lines(&self) -> Vec<Vec<(String, Position)>> {
        let place = |number: u32| {
            self.program.parts.get(number as usize).map_or_else(Position::default, |part| part.at)
        };
        let event = |lines: &'_ output::Lines| -> Vec<(String, Position)> {
            lines.iter().map(|(path, number)| (path.clone(), place(*number))).collect()
        };
        self.lines.iter().map(event).collect()
    }

    fn begin(&mut self, log: &Log<'_>) {
        let Runner { program, state, tools, options, .. } = self;
        state.clear(options.most_steps);
        tools.documents.clear();
        tools.is_dated = false;
        tools.received = log.received;
        tools.dumped = options.dumps.then(String::new);
        self.lines.clear();
        let own = &program.own;
        state.setter = 0;
        let message = state.keep(log.text);
        own.message.set(state, Value::Text(message));
        let time = |time: Instant| Value::Time { seconds: time.seconds(), nanos: time.nanos() };
        own.created.set(state, time(log.received));
        if let Some(collected) = log.collected {
            own.collected.set(state, time(collected));
        }
        if let Some(timestamp) = log.timestamp {
            own.timestamp.set(state, time(timestamp));
        }
        let empty = state.keep("");
        own.timezone.set(state, Value::Text(empty));
        own.errors.set(state, Value::Number(0.0));
        own.loops.set(state, Value::Bool(true));
        let output = state.make(Shape::List);
        own.output.set(state, Value::Container(output));
    }

    fn write(&mut self, log: &Log<'_>, events: &mut Vec<u8>) -> Outcome {
        let (state, own) = (&self.state, &self.program.own);
        let timestamp = match (own.timestamp.get(state), own.plain_timestamp.get(state)) {
            (Value::Time { seconds, nanos }, _) if self.tools.is_dated => (seconds, nanos),
            (_, Value::Time { seconds, nanos }) => (seconds, nanos),
            _ => (log.received.seconds(), log.received.nanos()),
        };
        let platform = Platform { log_type: self.options.log_type.as_deref(), time: timestamp };
        let mut written = Events {
            out: events,
            style: self.options.field_names,
            most_bytes: self.options.most_bytes,
            lines: self.options.explains.then_some(&mut self.lines),
        };
        let platform = self.options.adds_platform_fields.then_some(&platform);
        match output::write(state, own.output.get(state), platform, &mut written) {
            Ok(0) => Outcome::NoOutput,
            Ok(count) => Outcome::Events(count),
            Err((number, error)) => Outcome::Failed(Failed::invalid(number, &error.words())),
        }
    }
}

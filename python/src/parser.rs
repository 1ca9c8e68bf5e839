//! Google SecOps' parsers, run on the logs that Python hands on.

use crate::convert::one_of;
use crate::errors;
use crate::part::{Parsed, Part};
use crate::run::{Fed, Finish, Message, Run};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use std::io::Read as _;
use std::sync::Arc;
use udmap::cbn::{self, Log, Outcome, RunOptions, Runner, log_text};
use udmap::convert::FieldNames;
use udmap::store;
use udmap::time::{Instant, Reading, read};

/// The most bytes of a parser's text.
const MOST_OF_A_PARSER: u64 = 16 << 20;
/// About how many bytes of results are handed to Python at once.
const HELD: usize = 1 << 20;

/// code, line, column, message
type Warning = (&'static str, u32, u32, String);

/// A parser that has been read.
#[pyclass(frozen, module = "udmap._native")]
pub(crate) struct Parser(cbn::Parser);

#[pymethods]
impl Parser {
    /// Reads a parser's text; `name` is that of its file.
    #[new]
    fn new(py: Python<'_>, text: &str, name: Option<&str>) -> PyResult<Parser> {
        let parser = py.detach(|| cbn::Parser::read(text));
        parser.map(Parser).map_err(|error| errors::parser(py, name, &error))
    }

    fn warnings(&self, py: Python<'_>) -> Vec<Warning> {
        let warnings = py.detach(|| self.0.warnings());
        let warning = |it: cbn::Warning| (it.code.name(), it.at.line, it.at.column, it.message);
        warnings.into_iter().map(warning).collect()
    }

    /// Starts a run that is fed with logs, each behind its length in four bytes, the lowest first.
    #[expect(clippy::too_many_arguments, reason = "they are Python's named arguments")]
    fn run(
        &self,
        log_type: Option<String>,
        received: &str,
        field_names: &str,
        platform_fields: bool,
        explain: bool,
        statedump: bool,
        max_bytes: usize,
        max_steps: u64,
    ) -> PyResult<Run> {
        let wrong = |text: String| PyValueError::new_err(text);
        let received = read(received, Reading::Iso8601)
            .map_err(|_| wrong(format!("received: expected a time, found `{received}`")))?;
        if !(1..=1 << 30).contains(&max_bytes) {
            return Err(wrong(format!("max_bytes is from 1 to {}, not {max_bytes}", 1 << 30)));
        }
        let mut options = RunOptions::default();
        options.field_names = one_of("field_names", field_names, &FieldNames::ALL)?;
        options.adds_platform_fields = platform_fields;
        options.log_type = log_type;
        options.most_bytes = max_bytes;
        options.most_steps = max_steps;
        options.dumps = statedump;
        options.explains = explain;
        let parser = self.0.clone();
        Run::start(
            true,
            Box::new(move |shared, fed, messages| {
                let mut runner = parser.runner(&options);
                let hand_on = |parsed: Vec<Parsed>| {
                    messages.send(Message::Part(Part::Parsed(parsed))).map_err(|_| errors::stopped())
                };
                let mut fed = fed;
                while let Some(piece) = fed.as_mut().map_or(Ok(None), Fed::piece)? {
                    let (mut parsed, mut held) = (Vec::new(), 0);
                    for log in logs(&piece) {
                        if shared.is_stopped() {
                            return Err(errors::stopped());
                        }
                        let outcome = parse(&mut runner, log, received, explain);
                        held += size(&outcome);
                        parsed.push(outcome);
                        if held >= HELD {
                            hand_on(std::mem::take(&mut parsed))?;
                            held = 0;
                        }
                    }
                    // Before more is read: the source of the logs may wait for these.
                    hand_on(parsed)?;
                }
                Ok(Box::new(|py: Python<'_>| Ok(py.None())) as Finish)
            }),
        )
    }
}

/// The logs of a piece.
fn logs(mut piece: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let (length, rest) = piece.split_first_chunk::<4>()?;
        let (log, rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
        piece = rest;
        Some(log)
    })
}

/// The outcome of a log.
fn parse(runner: &mut Runner, log: &[u8], received: Instant, explain: bool) -> Parsed {
    let text = match log_text(log) {
        Ok(text) => text,
        Err(why) => {
            return ("failed", Vec::new(), None, Some(why.to_owned()), None, Vec::new(), String::new());
        }
    };
    let mut events = Vec::new();
    let outcome = runner.run(&Log::new(text, received), &mut events);
    let dumped = runner.dumped().to_owned();
    let (mut tag, mut message, mut at, mut lines) = (None, None, None, Vec::new());
    let outcome = match outcome {
        Outcome::Events(_) => {
            if explain {
                let event = |fields: Vec<(String, cbn::Position)>| {
                    fields.into_iter().map(|(path, at)| (path, (at.line, at.column))).collect()
                };
                lines = runner.lines().into_iter().map(event).collect();
            }
            "events"
        }
        Outcome::Dropped(its) => {
            tag = Some(its);
            "dropped"
        }
        Outcome::NoOutput => "no-output",
        Outcome::Failed(failed) => {
            message = Some(failed.message);
            at = failed.at.map(|at| (at.line, at.column));
            "failed"
        }
    };
    (outcome, events, tag, message, at, lines, dumped)
}

/// About how many bytes the outcome of a log takes.
fn size((_, events, tag, message, _, lines, dumped): &Parsed) -> usize {
    let text = |text: &Option<String>| text.as_ref().map_or(0, String::len);
    let paths: usize = lines.iter().flatten().map(|(path, _)| path.len() + 64).sum();
    256 + events.len() + text(tag) + text(message) + paths + dumped.len()
}

/// The text of a parser's file.
#[pyfunction]
pub(crate) fn parser_text(py: Python<'_>, path: &str) -> PyResult<String> {
    let wrong = |why: &str| errors::InputError::new_err(format!("`{path}` {why}"));
    py.detach(|| {
        let sources = store::list(&[path.to_owned()], &[]).map_err(|error| errors::listing(&error))?.sources;
        let [source] = &sources[..] else {
            return Err(wrong(&format!("is {} files: expected one parser", sources.len())));
        };
        let mut bytes = Vec::new();
        let input = source.open(Arc::default(), Arc::default()).map_err(|error| errors::listing(&error))?;
        input.take(MOST_OF_A_PARSER + 1).read_to_end(&mut bytes).map_err(errors::input)?;
        if bytes.len() as u64 > MOST_OF_A_PARSER {
            return Err(wrong(&format!(
                "is larger than {} MiB: it can't be a parser",
                MOST_OF_A_PARSER >> 20
            )));
        }
        String::from_utf8(bytes).map_err(|_| wrong("is not UTF-8"))
    })
}

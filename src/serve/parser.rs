//! A parser, run on one record.

use super::answer::Refusal;
use super::places::{Place, Utf16};
use super::pretty::Pretty;
use super::state::State;
use super::table::Complaint;
use crate::cbn::{Log, Outcome, Parser, RunOptions};
use crate::json::Tree;
use serde::Serialize;

/// The most bytes of a parser's text.
pub(super) const MOST: usize = 4 << 20;
/// The most steps of a log: a page waits for it.
const MOST_STEPS: u64 = 5_000_000;
/// The most events that are shown.
const MOST_EVENTS: usize = 100;

/// What is wrong with a parser.
#[derive(Debug, Serialize)]
pub(super) struct ParserChecked {
    errors: Vec<Complaint>,
    warnings: Vec<Complaint>,
}

/// What a parser makes of a record.
#[derive(Debug, Default, Serialize)]
pub(super) struct ParserRun {
    outcome: &'static str,
    message: String,
    /// The statement that failed.
    at: Option<Place>,
    event_text: Option<String>,
    events: Vec<serde_json::Value>,
    lines: Vec<LineView>,
}

/// Which statement set a field of the first event.
#[derive(Debug, Serialize)]
struct LineView {
    path: String,
    line: u32,
    column: u32,
    from: Option<usize>,
    to: Option<usize>,
}

impl ParserRun {
    /// The first event.
    pub(super) fn text(&self) -> Option<&str> {
        self.event_text.as_deref()
    }
}

pub(super) fn run(
    state: &State,
    text: &str,
    raw: &[u8],
) -> Result<(ParserChecked, Option<ParserRun>), Refusal> {
    if text.len() > MOST {
        return Err(Refusal::bad(format!("the parser has more than {} MiB", MOST >> 20)));
    }
    let complaint = |at: crate::cbn::Position, message: String, hint: Option<&str>| {
        // Lines and characters of a text that is in memory.
        let place = Place::of_word(text, at.line as usize, at.column as usize);
        Complaint { place, message, hint: hint.map(str::to_owned), fix: None }
    };
    let mut checked = ParserChecked { errors: Vec::new(), warnings: Vec::new() };
    let parser = match Parser::read(text) {
        Ok(parser) => parser,
        Err(error) => {
            checked.errors.push(complaint(error.at, error.message, error.hint));
            return Ok((checked, None));
        }
    };
    checked.warnings = parser.warnings().into_iter().map(|w| complaint(w.at, w.message, None)).collect();
    if raw.is_empty() {
        return Ok((checked, None));
    }
    let Ok(log) = std::str::from_utf8(raw) else {
        let message = "the log is not UTF-8".to_owned();
        return Ok((checked, Some(ParserRun { outcome: "failed", message, ..ParserRun::default() })));
    };
    let options = RunOptions { most_steps: MOST_STEPS, explains: true, ..RunOptions::default() };
    let mut runner = parser.runner(&options);
    let mut events = Vec::new();
    let outcome = runner.run(&Log::new(log, state.received), &mut events);
    let mut run = ParserRun::default();
    match outcome {
        Outcome::Events(_) => run.outcome = "events",
        Outcome::Dropped(tag) => (run.outcome, run.message) = ("dropped", tag),
        Outcome::NoOutput => run.outcome = "no-output",
        Outcome::Failed(failed) => {
            run.outcome = "failed";
            run.at = failed.at.map(|at| Place::of_word(text, at.line as usize, at.column as usize));
            run.message = failed.message;
        }
    }
    let lines = runner.lines();
    for (number, event) in events.split(|byte| *byte == b'\n').filter(|event| !event.is_empty()).enumerate() {
        let mut tree = Tree::default();
        if let (0, Ok(value)) = (number, tree.read(event)) {
            let pretty = Pretty::of(value);
            let units = Utf16::of(&pretty.text);
            run.lines = lines.first().map_or_else(Vec::new, |lines| {
                let line = |(path, at): &(String, crate::cbn::Position)| {
                    let range = pretty.at(path);
                    LineView {
                        path: path.clone(),
                        line: at.line,
                        column: at.column,
                        from: range.as_ref().map(|range| units.at(range.start)),
                        to: range.as_ref().map(|range| units.at(range.end)),
                    }
                };
                lines.iter().map(line).collect()
            });
            run.event_text = Some(pretty.text);
        }
        if number < MOST_EVENTS {
            run.events.extend(serde_json::from_slice(event));
        }
    }
    Ok((checked, Some(run)))
}

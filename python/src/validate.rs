//! Checks of UDM events.

use crate::errors;
use crate::input::{self, Data, Source};
use crate::run::{Finish, Run, Shared};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use std::collections::BTreeMap;
use std::io::{self, Read};
use std::sync::atomic::Ordering;
use udmap::check::validate::{Code, Placed, Severities, Validator};

/// severity, code, path, message, source, line, column, byte, event, effect, advice
type Finding =
    (&'static str, &'static str, String, String, String, u64, u64, u64, u64, &'static str, &'static str);
/// severity, code, path with `[]` for indexes, how often, places of samples among the findings
type Group = (&'static str, &'static str, String, u64, Vec<usize>);

/// How many findings of a group are kept whatever else was found.
const SAMPLES: usize = 3;
/// How many groups there are at most: unknown names could be without end.
const MOST_GROUPS: usize = 10_000;

/// Starts a run that checks events: how many there were, what was found, and how often what.
#[pyfunction]
pub(crate) fn validate(
    data: Option<Data>,
    name: String,
    severities: Vec<(String, String)>,
    strict: bool,
    max_event_bytes: usize,
    max_findings: usize,
) -> PyResult<Run> {
    let mut validator = Validator::new(read(&severities, strict)?);
    let fed = data.is_none();
    Run::start(
        fed,
        Box::new(move |shared, fed, _| {
            let sources = input::sources(data, name, fed, &[], shared).map_err(|e| errors::listing(&e))?;
            let mut found = Found { room: max_findings, ..Found::default() };
            for Source { name, open } in sources {
                let mut each = |placed: Placed| found.add(&name, placed);
                let limit = max_event_bytes.max(1);
                let events = open()
                    .and_then(|input| validator.stream(&mut Stoppable { input, shared }, limit, &mut each))
                    .map_err(errors::input)?;
                found.events += events;
                shared.records.store(found.events, Ordering::Relaxed);
            }
            Ok(Box::new(move |py: Python<'_>| {
                let groups: Vec<Group> = found.groups.into_values().collect();
                Ok((found.events, found.findings, groups).into_pyobject(py)?.into_any().unbind())
            }) as Finish)
        }),
    )
}

/// What was found.
#[derive(Default)]
struct Found {
    events: u64,
    room: usize,
    findings: Vec<Finding>,
    groups: BTreeMap<(&'static str, &'static str, String), Group>,
}

impl Found {
    fn add(&mut self, source: &str, placed: Placed) {
        let Placed { finding, line, column, byte, event } = placed;
        let (about, severity) = (finding.code.about(), finding.severity.name());
        let mut key = (severity, about.name, general(&finding.path));
        if self.groups.len() >= MOST_GROUPS && !self.groups.contains_key(&key) {
            key.2 = "(other fields)".to_owned();
        }
        let new = |key: &(_, _, String)| (severity, about.name, key.2.clone(), 0, Vec::new());
        let group = self.groups.entry(key).or_insert_with_key(new);
        group.3 += 1;
        let is_sample = group.4.len() < SAMPLES;
        if is_sample {
            group.4.push(self.findings.len());
        } else if self.room == 0 {
            return;
        }
        self.room = self.room.saturating_sub(1);
        let (path, message, source) = (finding.path, finding.message, source.to_owned());
        let (effect, advice) = (about.effect, about.advice);
        self.findings
            .push((severity, about.name, path, message, source, line, column, byte, event, effect, advice));
    }
}

/// A path with `[]` for every index.
fn general(path: &str) -> String {
    let mut inside = false;
    let stays = |c: &char| {
        inside &= *c != ']';
        let stays = !inside;
        inside |= *c == '[';
        stays
    };
    path.chars().filter(stays).collect()
}

/// An input whose reading ends when nobody wants the result.
struct Stoppable<'s, R> {
    input: R,
    shared: &'s Shared,
}

impl<R: Read> Read for Stoppable<'_, R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.shared.is_stopped() {
            return Err(io::Error::other("reading was stopped"));
        }
        self.input.read(out)
    }
}

/// Every code that a check gives: its name, severity, what it means, what SecOps does, what to do.
#[pyfunction]
pub(crate) fn codes() -> Vec<(&'static str, &'static str, &'static str, &'static str, &'static str)> {
    let about = Code::all().map(Code::about);
    about.map(|it| (it.name, it.severity.name(), it.title, it.effect, it.advice)).collect()
}

fn read(given: &[(String, String)], strict: bool) -> PyResult<Severities> {
    let mut severities = Severities::default();
    for (name, level) in given {
        let known = || Ok::<_, String>((name.parse()?, level.parse()?));
        let (code, severity) = known().map_err(PyValueError::new_err)?;
        severities.set(code, severity);
    }
    if strict {
        severities.strict();
    }
    Ok(severities)
}

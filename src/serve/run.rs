//! What a table makes of a sample, and of one of its records: asked at each key stroke.

use super::answer::Refusal;
use super::compared::Compared;
#[cfg(feature = "parser")]
use super::compared::Golden;
use super::index;
#[cfg(feature = "parser")]
use super::parser::{ParserChecked, ParserRun};
use super::places::Utf16;
use super::pretty::Pretty;
use super::record::{LookedAt, RecordView, record};
#[cfg(feature = "parser")]
use super::sample::Sample;
use super::state::State;
use super::table::Complaint;
use super::work::Work;
use crate::check::validate::Validator;
use serde::{Deserialize, Serialize};

/// What is asked.
#[derive(Debug, Deserialize)]
pub(super) struct Asked {
    pub(super) mapping: String,
    #[cfg(feature = "parser")]
    #[serde(default)]
    parser: Option<String>,
    sample: String,
    #[serde(default)]
    record: u64,
    #[serde(default)]
    golden: Option<String>,
}

/// The answer.
#[derive(Debug, Serialize)]
pub(super) struct Ran {
    pub(super) table: TableView,
    #[cfg(feature = "parser")]
    parser: Option<ParserChecked>,
    counts: Option<index::Shown>,
    record: Option<RecordView>,
    pub(super) findings: Vec<FindingView>,
    #[cfg(feature = "parser")]
    parser_run: Option<ParserRun>,
    pub(super) diff: Option<Compared>,
    golden_error: Option<String>,
    elapsed_ms: f64,
}

#[derive(Debug, Serialize)]
pub(super) struct TableView {
    pub(super) errors: Vec<Complaint>,
    warnings: Vec<Complaint>,
}

/// What `udmap validate` says of the event.
#[derive(Debug, Serialize)]
pub(super) struct FindingView {
    pub(super) path: String,
    pub(super) code: &'static str,
    pub(super) severity: &'static str,
    pub(super) message: String,
    /// What SecOps does with such an event.
    pub(super) outcome: &'static str,
    advice: &'static str,
    from: Option<usize>,
    to: Option<usize>,
}

impl Ran {
    /// The event's text.
    pub(super) fn event_text(&self) -> Option<&str> {
        self.record.as_ref().and_then(RecordView::event_text)
    }
}

pub(super) fn run(state: &State, asked: &Asked, work: &Work) -> Result<Ran, Refusal> {
    looked_at(state, asked, work).map(|(ran, _)| ran)
}

/// The same, with the record that it is about.
pub(super) fn looked_at(state: &State, asked: &Asked, work: &Work) -> Result<(Ran, LookedAt), Refusal> {
    let sample = state.sample(&asked.sample)?;
    let table = state.table(&asked.mapping)?;
    let mut ran = Ran {
        table: TableView { errors: table.errors.clone(), warnings: table.warnings.clone() },
        #[cfg(feature = "parser")]
        parser: None,
        counts: None,
        record: None,
        findings: Vec::new(),
        #[cfg(feature = "parser")]
        parser_run: None,
        diff: None,
        golden_error: None,
        elapsed_ms: 0.0,
    };
    let mut looked = LookedAt::default();
    if let Some(rules) = &table.rules {
        let index = rules.index(&sample, work)?;
        let number = asked.record.min(index.counts.records.saturating_sub(1));
        ran.counts = Some(index.shown(number));
        if let Some((chunk, nth)) = index.place_of(number) {
            looked = record(rules, &sample, &sample.chunks[chunk], nth, number).unwrap_or_default();
            ran.findings = looked.event.as_ref().map_or_else(Vec::new, findings);
        }
    }
    #[cfg(feature = "parser")]
    if let Some(text) = &asked.parser {
        if table.rules.is_none() {
            looked.raw = raw_by_last_table(state, &sample, asked.record, work)?;
        }
        let (checked, parsed) = super::parser::run(state, text, &looked.raw)?;
        ran.parser = Some(checked);
        ran.parser_run = parsed;
    }
    if let Some(event) = &looked.event {
        match asked.golden.as_deref().map(|text| state.golden(text)) {
            Some(Ok(golden)) => ran.diff = Some(golden.compare(&event.text, "golden")?),
            Some(Err(why)) => ran.golden_error = Some(why),
            None =>
            {
                #[cfg(feature = "parser")]
                if let Some(theirs) = ran.parser_run.as_ref().and_then(ParserRun::text) {
                    ran.diff = Golden::read(theirs)
                        .ok()
                        .map(|golden| golden.compare(&event.text, "parser"))
                        .transpose()?;
                }
            }
        }
    }
    ran.record = looked.explanation.is_some().then(|| std::mem::take(&mut looked.view));
    ran.elapsed_ms = work.elapsed_ms();
    Ok((ran, looked))
}

/// A record's bytes, which a parser takes also while the table has errors.
#[cfg(feature = "parser")]
fn raw_by_last_table(state: &State, sample: &Sample, number: u64, work: &Work) -> Result<Vec<u8>, Refusal> {
    let table = state.last_right();
    let Some(rules) = table.as_ref().and_then(|table| table.rules.as_ref()) else { return Ok(Vec::new()) };
    let index = rules.index(sample, work)?;
    let place = index.place_of(number.min(index.counts.records.saturating_sub(1)));
    let raw = place.and_then(|(chunk, nth)| {
        index::look_at(&rules.exact, &sample.chunks[chunk], nth, |record| record.raw.to_vec())
    });
    Ok(raw.unwrap_or_default())
}

fn findings(event: &Pretty) -> Vec<FindingView> {
    let (mut all, units) = (Vec::new(), Utf16::of(&event.text));
    Validator::default().check(event.text.as_bytes(), &mut |finding| {
        let about = finding.code.about();
        let range = event.from(finding.at);
        all.push(FindingView {
            path: finding.path,
            code: about.name,
            severity: finding.severity.name(),
            message: finding.message,
            outcome: about.effect,
            advice: about.advice,
            from: range.as_ref().map(|range| units.at(range.start)),
            to: range.as_ref().map(|range| units.at(range.end)),
        });
    });
    all
}

//! One record: its text, what the table makes of it, and which bytes each value comes from.

use super::forms::words;
use super::index::look_at;
use super::places::Utf16;
use super::pretty::Pretty;
use super::sample::{Sample, SampleChunk};
use super::table::Compiled;
use crate::check::explain::{Explanation, RawField};
use crate::convert::Traced;
use crate::json::Tree;
use crate::record::frame::ChunkBody;
use crate::text::cut;
use serde::Serialize;
use serde_json::Value;

/// How many bytes of a record's text are sent.
const MOST_RAW: usize = 64 << 10;
/// How many characters of a raw value are sent apart from the text.
const MOST_VALUE: usize = 1_000;

/// A record, as the page shows it.
#[derive(Debug, Default, Serialize)]
pub(super) struct RecordView {
    pub(super) index: u64,
    pub(super) source: String,
    pub(super) line: u64,
    pub(super) offset: u64,
    pub(super) length: u64,
    format: &'static str,
    form_words: &'static str,
    /// The record's text, or its beginning.
    raw: String,
    cut: bool,
    shape: Option<String>,
    table: Option<String>,
    reject: Option<RejectView>,
    event: Option<Value>,
    event_text: Option<String>,
    values: Vec<ValueView>,
    skipped: Vec<SkippedView>,
    /// What no rule reads.
    left: Vec<RawView>,
    /// What rules read, but take nothing from.
    unused: Vec<RawView>,
    omitted: u64,
}

#[derive(Debug, Serialize)]
struct RejectView {
    reason: &'static str,
    message: String,
}

/// A value of the event.
#[derive(Debug, Serialize)]
struct ValueView {
    path: String,
    /// Where it is in the event's text.
    from: Option<usize>,
    to: Option<usize>,
    value: Value,
    rule: Option<RuleView>,
    raw: Option<RawView>,
    how: String,
}

#[derive(Debug, Serialize)]
struct RuleView {
    udm: String,
    file: String,
    line: usize,
    /// Whether the line is one of the table that is written, and not of one that it builds on.
    here: bool,
    text: String,
}

#[derive(Debug, Serialize)]
struct SkippedView {
    udm: String,
    file: String,
    line: usize,
    here: bool,
    why: String,
}

/// A raw field, and where its value is in the record's text.
#[derive(Debug, Serialize)]
struct RawView {
    field: String,
    value: String,
    from: Option<usize>,
    to: Option<usize>,
}

impl RecordView {
    pub(super) fn event_text(&self) -> Option<&str> {
        self.event_text.as_deref()
    }
}

/// A record with what else is asked about it.
#[derive(Debug, Default)]
pub(super) struct LookedAt {
    pub(super) view: RecordView,
    /// Its bytes.
    pub(super) raw: Vec<u8>,
    pub(super) event: Option<Pretty>,
    pub(super) explanation: Option<Explanation>,
}

/// The record of a sample that is `number` in its chunk, and `index` in all.
pub(super) fn record(
    rules: &Compiled,
    sample: &Sample,
    chunk: &SampleChunk,
    number: u64,
    index: u64,
) -> Option<LookedAt> {
    let mut looked = look_at(&rules.exact, chunk, number, |traced| looked_at(rules, sample, chunk, traced))?;
    looked.view.index = index;
    Some(looked)
}

/// As much of a text as is sent.
fn beginning(text: &str) -> &str {
    let mut end = text.len().min(MOST_RAW);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

fn looked_at(rules: &Compiled, sample: &Sample, chunk: &SampleChunk, traced: &Traced<'_>) -> LookedAt {
    let source = sample.source(chunk);
    let explanation = Explanation::of(&rules.exact, &rules.mapping, source, traced);
    let text = std::str::from_utf8(traced.raw);
    let (raw, units) = match text {
        Ok(text) => {
            let raw = beginning(text);
            (raw.to_owned(), Some(Utf16::of(raw)))
        }
        // Where bytes are not text, no place can be shown.
        Err(_) => (String::from_utf8_lossy(&traced.raw[..traced.raw.len().min(MOST_RAW)]).into_owned(), None),
    };
    let sent = raw.len();
    let raw_view = |field: &RawField| {
        let range = field.offset.zip(field.length).and_then(|(offset, length)| {
            let from = usize::try_from(offset.checked_sub(traced.offset)?).ok()?;
            Some(from..from + usize::try_from(length).ok()?)
        });
        // A place must be within what is sent.
        let range = range.filter(|range| range.end <= sent).zip(units.as_ref());
        RawView {
            field: field.field.clone(),
            value: cut(&field.value, MOST_VALUE).into_owned(),
            from: range.as_ref().map(|(range, units)| units.at(range.start)),
            to: range.as_ref().map(|(range, units)| units.at(range.end)),
        }
    };
    let fields = explanation.event.is_some().then_some(traced.fields.as_ref()).and_then(Result::ok);
    let event = fields.and_then(|fields| rules.exact.event(traced.table.unwrap_or_default(), fields).ok());
    let mut tree = Tree::default();
    let event = event.and_then(|event| tree.read(&event).map(Pretty::of).ok());
    let event_units = event.as_ref().map(|event| Utf16::of(&event.text));
    let values = explanation.fields.iter().map(|field| {
        let range = event.as_ref().and_then(|event| event.at(&field.path)).zip(event_units.as_ref());
        ValueView {
            path: field.path.clone(),
            from: range.as_ref().map(|(range, units)| units.at(range.start)),
            to: range.as_ref().map(|(range, units)| units.at(range.end)),
            value: field.value.clone(),
            rule: field.rule.as_ref().map(|rule| RuleView {
                udm: rule.udm.clone(),
                file: rule.file.clone(),
                line: rule.line,
                here: rule.file == rules.name,
                text: rule.text.clone(),
            }),
            raw: field.from.as_ref().map(raw_view),
            how: field.how.clone(),
        }
    });
    let skipped = explanation.skipped.iter().map(|skipped| SkippedView {
        udm: skipped.rule.udm.clone(),
        file: skipped.rule.file.clone(),
        line: skipped.rule.line,
        here: skipped.rule.file == rules.name,
        why: skipped.why.clone(),
    });
    let are_lines = matches!(chunk.chunk.body, ChunkBody::Lines { .. });
    let view = RecordView {
        index: 0,
        source: source.to_owned(),
        line: explanation.line,
        offset: explanation.offset,
        length: explanation.length,
        format: explanation.format,
        form_words: words(traced.format, are_lines),
        cut: traced.raw.len() > MOST_RAW,
        raw,
        shape: explanation.shape.clone(),
        table: explanation.table.clone(),
        reject: explanation
            .reject
            .as_ref()
            .map(|reject| RejectView { reason: reject.reason, message: reject.message.clone() }),
        event: explanation.event.clone(),
        event_text: event.as_ref().map(|event| event.text.clone()),
        values: values.collect(),
        skipped: skipped.collect(),
        left: explanation.left.iter().map(raw_view).collect(),
        unused: explanation.unused.iter().map(raw_view).collect(),
        omitted: explanation.omitted,
    };
    LookedAt { view, raw: traced.raw.to_vec(), event, explanation: Some(explanation) }
}

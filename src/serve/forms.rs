//! What a sample was taken for, in words.

use super::index::Index;
use super::sample::Sample;
use crate::record::formats::Format;
use crate::record::frame::ChunkBody;
use serde::Serialize;

/// A sample, as the page shows it.
#[derive(Debug, Serialize)]
pub(super) struct Shown<'s> {
    id: &'s str,
    name: &'s str,
    bytes: usize,
    truncated: bool,
    records: u64,
    /// The form of most records, and how they were wrapped.
    form: String,
    forms: Vec<FormCount>,
    /// The texts that it holds: files, members of an archive, logs of a file of raw logs.
    texts: usize,
    failures: &'s [String],
}

#[derive(Debug, Serialize)]
struct FormCount {
    form: &'static str,
    count: u64,
}

impl<'s> Shown<'s> {
    /// A sample, and what was found in it.
    pub(super) fn of(sample: &'s Sample, index: &Index) -> Shown<'s> {
        let are_lines = sample.chunks.iter().all(|chunk| matches!(chunk.chunk.body, ChunkBody::Lines { .. }));
        let unreadable = index.counts.by_shape.get("unreadable").copied().unwrap_or(0);
        let mut forms: Vec<FormCount> = Vec::new();
        for (format, count) in &index.counts.by_format {
            // What can't be read at all counts as plain.
            let count = if *format == Format::Plain { count.saturating_sub(unreadable) } else { *count };
            forms.push(FormCount { form: words(*format, are_lines), count });
        }
        forms.push(FormCount { form: "text in a form that this table does not read", count: unreadable });
        forms.retain(|form| form.count > 0);
        forms.sort_by_key(|form| std::cmp::Reverse(form.count));
        let mut form = forms.first().map_or("nothing: there is not one record", |form| form.form).to_owned();
        if forms.len() > 1 {
            form.push_str(", and other forms");
        }
        for wrap in &sample.wraps {
            form.push_str(match *wrap {
                "content-hub" => ", in content-hub's file of raw logs",
                "base64" => ", in base64",
                "tar" => ", in a tar archive",
                _ => ", compressed",
            });
        }
        Shown {
            id: &sample.id,
            name: &sample.name,
            bytes: sample.bytes,
            truncated: sample.truncated,
            records: index.counts.records,
            form,
            forms,
            texts: sample.texts.len(),
            failures: &sample.failures,
        }
    }
}

/// A form of records, in words; `are_lines` says that no record takes several lines.
pub(super) fn words(format: Format, are_lines: bool) -> &'static str {
    match (format, are_lines) {
        (Format::Plain, true) => "NDJSON: a JSON object on each line",
        (Format::Plain, false) => "JSON objects over several lines",
        (Format::Array, _) => "a JSON array of records",
        (Format::Envelope, _) => "records in an envelope, such as an API's answer",
        (Format::Cef, _) => "CEF lines",
        (Format::KeyValue, _) => "lines of key=value pairs",
    }
}

//! The differences between two sets of events, for a machine and for a person.

use crate::check::diff::Report;
use crate::check::groups::GroupKey;
use crate::report::summary::{counted, grouped};
use crate::text::{escaped, shown_up_to};
use anstyle::{AnsiColor, Style};
use serde_json::json;
use std::fmt::Write as _;

/// How many characters of a value are shown.
const MOST_SHOWN: usize = 200;

/// Everything for a machine.
pub(crate) fn json(report: &Report) -> serde_json::Map<String, serde_json::Value> {
    let mut fields = report.fields.sorted();
    fields.sort_by_key(|(key, _)| (&key.path, key.code));
    let fields: Vec<_> = fields
        .iter()
        .map(|(GroupKey { path, code, .. }, differences)| {
            let samples: Vec<_> = differences
                .samples
                .iter()
                .map(|sample| {
                    let side = |side: usize| {
                        sample.sides[side].as_ref().map(|(value, place)| json!({"value": value, "at": place}))
                    };
                    json!({"path": sample.path, "a": side(0), "b": side(1)})
                })
                .collect();
            json!({"path": path, "code": code, "count": differences.count, "samples": samples})
        })
        .collect();
    let all = json!({
        "events_a": report.events[0], "events_b": report.events[1], "equal": report.equal,
        "pairs_that_differ": report.pairs, "fields": fields,
    });
    all.as_object().cloned().unwrap_or_default()
}

/// Everything for a person, the most frequent first.
pub(crate) fn text(report: &Report) -> String {
    let (bold, dim) = (Style::new().bold(), Style::new().dimmed());
    let (red, green) = (AnsiColor::Red.on_default(), AnsiColor::Green.on_default());
    let mut text = String::new();
    for (GroupKey { path, code, .. }, differences) in report.fields.sorted() {
        // Writing to a string can't fail.
        let count = counted(differences.count, "time");
        let _ = writeln!(text, "{bold}{}{bold:#}  {code}  {count}", escaped(path));
        for sample in &differences.samples {
            if sample.path != *path {
                let _ = writeln!(text, "  {dim}{}{dim:#}", escaped(&sample.path));
            }
            for (mark, style, side) in [('-', red, &sample.sides[0]), ('+', green, &sample.sides[1])] {
                if let Some((value, place)) = side {
                    // What a parser says comes to its cause in the end.
                    let most = if *code == "no-event" { usize::MAX } else { MOST_SHOWN };
                    let (value, place) = (shown_up_to(value, most), escaped(place));
                    let _ = writeln!(text, "  {style}{mark} {value}{style:#}  {dim}{place}{dim:#}");
                }
            }
        }
        if differences.count > differences.samples.len() as u64 {
            let _ = writeln!(
                text,
                "  {dim}... and {} more{dim:#}",
                grouped(differences.count - differences.samples.len() as u64)
            );
        }
    }
    text
}

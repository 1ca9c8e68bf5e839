//! Rejects by reason, over time and by input, each with an example.

use super::shared::{counts, over_time, section};
use crate::check::profile::{Profile, RejectExample};
use crate::report::html::{Column, Series, Table, code, escaped};
use crate::report::summary::{counted, grouped, share};
use std::fmt::Write as _;

/// How many inputs are shown.
const MOST_INPUTS: usize = 20;

pub(super) fn rejects(profile: &Profile, to: &mut String) -> std::fmt::Result {
    if profile.reject_reasons.is_empty() {
        return Ok(());
    }
    let series: Vec<Series<'_>> = profile
        .reject_reasons
        .iter()
        .map(|it| Series { name: it.reason, values: counts(&it.by_time) })
        .collect();
    let mut body = over_time(profile, "rejects", &series);
    let dated: u64 = profile.reject_reasons.iter().flat_map(|it| &it.by_time).sum();
    let undated = profile.rejected() - dated.min(profile.rejected());
    body.push_str(
        "<p class=note>A reject without a time of its own counts on the day of the records around it",
    );
    match undated {
        0 => body.push_str(".</p>\n"),
        n => writeln!(body, "; {} have none in this range.</p>", grouped(n))?,
    }
    let mut table = Table::new(&[
        Column::Text("reason", 18),
        Column::Number("rejects", 12),
        Column::Number("share", 12),
        Column::Text("the first one", 58),
    ]);
    for it in &profile.reject_reasons {
        table.row(&[
            escaped(it.reason),
            grouped(it.rejects),
            share(it.rejects, profile.records),
            it.first.as_ref().map_or(String::new(), example),
        ]);
    }
    body += &table.html();
    body.push_str("<h3>By input</h3>\n");
    let mut table = Table::new(&[
        Column::Text("input", 30),
        Column::Number("rejects", 12),
        Column::Text("reasons", 22),
        Column::Text("the first one", 36),
    ]);
    for it in profile.reject_inputs.iter().take(MOST_INPUTS) {
        let reasons: Vec<String> =
            it.by_reason.iter().map(|(reason, n)| format!("{reason} {}", grouped(*n))).collect();
        let first = it
            .first
            .as_ref()
            .map_or(String::new(), |first| format!("line {}{}", grouped(first.line), message(first)));
        table.row(&[code(&it.input), grouped(it.rejects), reasons.join(", "), first]);
    }
    body += &table.html();
    let more = profile.reject_inputs.len().saturating_sub(MOST_INPUTS) as u64 + profile.more_reject_inputs;
    if more > 0 {
        writeln!(body, "<p class=note>and {} with fewer rejects</p>", counted(more, "more input"))?;
    }
    section(to, "Records that make no event", &body);
    Ok(())
}

fn example(first: &RejectExample) -> String {
    format!("{}{}", code(&format!("{}:{}", first.input, first.line)), message(first))
}

fn message(first: &RejectExample) -> String {
    first.message.as_ref().map_or(String::new(), |message| format!(": {}", escaped(message)))
}

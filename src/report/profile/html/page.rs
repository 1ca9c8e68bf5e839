//! The page of a profile.

use super::shared::section;
use super::{fields, rejects, sums, times};
use crate::check::profile::Profile;
use crate::report::html::{About, Column, Table, code, document, escaped, flows};
use crate::report::summary::{bytes, grouped, share};
use std::fmt::Write as _;

/// How many of the ways from raw to UDM fields are drawn, and how many are listed.
const MOST_DRAWN: usize = 40;
const MOST_LISTED: usize = 200;

/// A page of its own, made at this time.
pub(crate) fn page(profile: &Profile, made: &str) -> String {
    let about =
        About { title: "What is in the log", inputs: &profile.inputs, mapping: &profile.mapping, made };
    let range = match (&profile.first, &profile.last) {
        (Some(first), Some(last)) => format!("{first} to {last}"),
        _ => "no times".into(),
    };
    let mut body = about.header(&[("records from", range)]);
    // Writing to a string can't fail.
    let _ = write(profile, &mut body);
    document("udmap profile", &body)
}

fn write(profile: &Profile, to: &mut String) -> std::fmt::Result {
    tiles(profile, to)?;
    times::times(profile, to)?;
    tables(profile, to);
    shapes(profile, to)?;
    times::event_types(profile, to)?;
    rejects::rejects(profile, to)?;
    times::weekdays(profile, to)?;
    sums::sums(profile, to)?;
    sums::repeated(profile, to)?;
    fields::fields(profile, to)?;
    ways(profile, to)?;
    rules(profile, to);
    Ok(())
}

fn tiles(profile: &Profile, to: &mut String) -> std::fmt::Result {
    writeln!(to, "<div class=tiles>")?;
    for (label, value) in [
        ("records", grouped(profile.records)),
        ("make no event", grouped(profile.rejected())),
        ("read", bytes(profile.bytes)),
        ("inputs", grouped(profile.inputs.len() as u64)),
        ("fields", grouped(profile.fields.len() as u64)),
    ] {
        writeln!(to, "<div class=tile><b>{value}</b>{label}</div>")?;
    }
    writeln!(to, "</div>")?;
    profile.failures.iter().try_for_each(|failure| writeln!(to, "<p class=bad>{}</p>", escaped(failure)))
}

fn tables(profile: &Profile, to: &mut String) {
    if profile.tables.is_empty() {
        return;
    }
    let mut table = Table::new(&[
        Column::Text("table", 30),
        Column::Text("log type", 28),
        Column::Number("records", 14),
        Column::Number("share", 12),
        Column::Number("events", 16),
    ]);
    for used in &profile.tables {
        table.row(&[
            escaped(&used.table),
            escaped(&used.log_type),
            grouped(used.records),
            share(used.records, profile.records),
            grouped(used.events),
        ]);
    }
    let none = profile.in_no_table();
    let empty = String::new;
    table.row(&["of none of these".into(), empty(), grouped(none), share(none, profile.records), empty()]);
    section(to, "Logs", &table.html());
}

fn shapes(profile: &Profile, to: &mut String) -> std::fmt::Result {
    let mut table = Table::new(&[
        Column::Text("shape", 28),
        Column::Number("records", 14),
        Column::Number("share", 12),
        Column::Text("first", 23),
        Column::Text("last", 23),
    ]);
    let time = |time: &Option<String>| time.as_deref().map_or(String::new(), escaped);
    for shape in &profile.shapes {
        let records = shape.records;
        let (name, share) = (escaped(&shape.name), share(records, profile.records));
        table.row(&[name, grouped(records), share, time(&shape.first), time(&shape.last)]);
    }
    let mut body = table.html();
    for change in &profile.changes {
        writeln!(body, "<p>{}</p>", escaped(change))?;
    }
    if !profile.formats.is_empty() {
        let mut table = Table::new(&[
            Column::Text("format", 50),
            Column::Number("records", 24),
            Column::Number("share", 20),
        ]);
        for (name, n) in &profile.formats {
            table.row(&[escaped(name), grouped(*n), share(*n, profile.records)]);
        }
        write!(body, "<h3>By format</h3>\n{}", table.html())?;
    }
    section(to, "Shapes", &body);
    Ok(())
}

/// Where the values of raw fields went.
fn ways(profile: &Profile, to: &mut String) -> std::fmt::Result {
    if profile.flows.is_empty() {
        return Ok(());
    }
    let drawn: Vec<(&str, &str, u64)> =
        profile.flows.iter().take(MOST_DRAWN).map(|it| (&*it.from, &*it.to, it.events)).collect();
    let mut body = flows("From raw fields to UDM fields; the table below has the numbers", &drawn);
    let mut table = Table::new(&[
        Column::Text("raw field", 36),
        Column::Text("UDM field", 44),
        Column::Number("events", 20),
    ]);
    for flow in profile.flows.iter().take(MOST_LISTED) {
        table.row(&[code(&flow.from), code(&flow.to), grouped(flow.events)]);
    }
    body += &table.html();
    if let Some(more @ 1..) = profile.flows.len().checked_sub(MOST_LISTED) {
        writeln!(body, "<p class=note>and {more} more; <code>--json</code> has up to 1,000</p>")?;
    }
    section(to, "From raw fields to UDM fields", &body);
    Ok(())
}

fn rules(profile: &Profile, to: &mut String) {
    let mut table = Table::new(&[Column::Number("events", 16), Column::Text("rule", 84)]);
    for rule in &profile.rules {
        let n = if rule.events == 0 { "<span class=bad>never</span>".into() } else { grouped(rule.events) };
        table.row(&[n, code(&rule.rule)]);
    }
    section(to, "What the mapping uses", &table.html());
}

//! A profile for a terminal.

use crate::check::profile::Profile;
use crate::report::summary::{bytes, counted, grouped, share};
use crate::text::{escaped, shown};
use anstyle::{AnsiColor, Style};
use std::fmt::Write as _;

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
const BAR: Style = AnsiColor::Blue.on_default();
const BAD: Style = AnsiColor::Yellow.on_default().bold();

/// How many buckets of time are shown.
const MOST_BUCKETS: usize = 40;
/// How long a bar is.
const BAR_LENGTH: u64 = 40;

/// The profile, with colours.
pub(crate) fn text(profile: &Profile) -> String {
    let mut text = String::new();
    // Writing to a string can't fail.
    let _ = write(profile, &mut text);
    text
}

fn write(profile: &Profile, to: &mut String) -> std::fmt::Result {
    let all = profile.records;
    writeln!(
        to,
        "{BOLD}{}{BOLD:#} in {}, {}; {} make no event by `{}`",
        counted(all, "record"),
        counted(profile.inputs.len() as u64, "input"),
        bytes(profile.bytes),
        grouped(profile.rejected()),
        escaped(&profile.mapping)
    )?;
    if let (Some(first), Some(last)) = (&profile.first, &profile.last) {
        writeln!(to, "from {first} to {last}")?;
    }
    let counts = |counts: &std::collections::BTreeMap<&'static str, u64>| {
        counts.iter().map(|(name, n)| format!("{name} {}", grouped(*n))).collect::<Vec<_>>().join(", ")
    };
    writeln!(to, "formats  {}", counts(&profile.formats))?;
    if !profile.rejects.is_empty() {
        writeln!(to, "rejects  {BAD}{}{BAD:#}", counts(&profile.rejects))?;
    }

    if !profile.tables.is_empty() {
        writeln!(to, "\n{BOLD}logs{BOLD:#}")?;
        let wide = profile.tables.iter().map(|table| table.table.len()).max().unwrap_or(0);
        for table in &profile.tables {
            let (n, part) = (grouped(table.records), share(table.records, all));
            let events = counted(table.events, "event");
            writeln!(to, "  {:wide$} {n:>13} {part:>7}  {DIM}{events}{DIM:#}", escaped(&table.table))?;
        }
        let (none, what) = (profile.in_no_table(), "of none of these");
        writeln!(to, "  {what:wide$} {:>13} {:>7}", grouped(none), share(none, all))?;
    }

    writeln!(to, "\n{BOLD}shapes{BOLD:#}")?;
    let wide = profile.shapes.iter().map(|shape| shape.name.chars().count()).max().unwrap_or(0).clamp(12, 48);
    for shape in &profile.shapes {
        let range = match (&shape.first, &shape.last) {
            (Some(first), Some(last)) => format!("{first} .. {last}"),
            _ => "no time".into(),
        };
        let (n, part) = (grouped(shape.records), share(shape.records, all));
        writeln!(to, "  {:wide$} {n:>13} {part:>7}  {DIM}{range}{DIM:#}", escaped(&shape.name))?;
    }
    for change in &profile.changes {
        writeln!(to, "  {}", escaped(change))?;
    }

    writeln!(to, "\n{BOLD}fields{BOLD:#}")?;
    let wide = profile.fields.iter().map(|field| field.name.chars().count()).max().unwrap_or(0).clamp(5, 48);
    writeln!(
        to,
        "  {DIM}{:wide$} {:>7} {:>7} {:>11} {:>9}  types{DIM:#}",
        "", "present", "empty", "distinct", "length"
    )?;
    for field in &profile.fields {
        let types: Vec<String> = field
            .types
            .iter()
            .map(|(name, n)| {
                if *n == field.present {
                    (*name).to_owned()
                } else {
                    format!("{name} {}", share(*n, field.present))
                }
            })
            .collect();
        let length = if field.shortest == field.longest {
            field.longest.to_string()
        } else {
            format!("{}..{}", field.shortest, field.longest)
        };
        let unread = if field.read { "" } else { "  (no rule reads it)" };
        let (present, empty) = (share(field.present, all), share(field.empty, field.present));
        writeln!(
            to,
            "  {BOLD}{:wide$}{BOLD:#} {present:>7} {empty:>7} {:>11} {length:>9}  {}{DIM}{unread}{DIM:#}",
            shown(&field.name),
            grouped(field.distinct),
            types.join(", ")
        )?;
        if !field.values.is_empty() {
            let values: Vec<String> = field
                .values
                .iter()
                .take(5)
                .map(|(value, n)| format!("{} {}", shown(value), share(*n, field.present)))
                .collect();
            writeln!(to, "  {:wide$} {DIM}{}{DIM:#}", "", values.join(", "))?;
        }
    }
    if profile.fields_not_counted > 0 {
        writeln!(
            to,
            "  {BAD}and {} more values in further fields{BAD:#}",
            grouped(profile.fields_not_counted)
        )?;
    }
    for new in &profile.new_values {
        let (n, value) = (counted(new.records, "record"), shown(&new.value));
        writeln!(to, "  {BAD}not documented:{BAD:#} `{}` = \"{value}\", {n}", shown(&new.field))?;
    }

    times(profile, to)?;

    writeln!(to, "\n{BOLD}the mapping{BOLD:#}")?;
    for rule in &profile.rules {
        let style = if rule.events == 0 { BAD } else { DIM };
        let n = if rule.events == 0 { "never".into() } else { grouped(rule.events) };
        writeln!(to, "  {style}{n:>13}{style:#}  {}", escaped(&rule.rule))?;
    }
    Ok(())
}

fn times(profile: &Profile, to: &mut String) -> std::fmt::Result {
    if profile.times.is_empty() {
        return Ok(());
    }
    writeln!(to, "\n{BOLD}records by {}{BOLD:#}", profile.unit)?;
    let most = profile.times.iter().map(|bucket| bucket.records).max().unwrap_or(1).max(1);
    let skipped = profile.times.len().saturating_sub(MOST_BUCKETS);
    if skipped > 0 {
        writeln!(
            to,
            "  {DIM}the first {} are left out; `--html` has them all{DIM:#}",
            grouped(skipped as u64)
        )?;
    }
    for bucket in &profile.times[skipped..] {
        let bar = "█".repeat((bucket.records * BAR_LENGTH).div_ceil(most) as usize);
        let shapes: Vec<String> = profile
            .shapes
            .iter()
            .zip(&bucket.by_shape)
            .filter(|(_, n)| **n > 0)
            .map(|(shape, n)| format!("{} {}", escaped(&shape.name), share(*n, bucket.records)))
            .collect();
        writeln!(
            to,
            "  {} {:>11} {BAR}{bar:width$}{BAR:#} {DIM}{}{DIM:#}",
            bucket.from,
            grouped(bucket.records),
            shapes.join(", "),
            width = BAR_LENGTH as usize
        )?;
    }
    if profile.outside > 0 {
        writeln!(to, "  {DIM}and {} with times before or after{DIM:#}", counted(profile.outside, "record"))?;
    }
    Ok(())
}

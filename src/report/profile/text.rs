//! A profile for a terminal.

use crate::check::profile::Profile;
use crate::report::summary::{amount, bytes, counted, grouped, share};
use crate::text::{escaped, shown};
use anstyle::{AnsiColor, Style};
use std::fmt::Write as _;

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
const BAR: Style = AnsiColor::Blue.on_default();
const BAD: Style = AnsiColor::Yellow.on_default().bold();

/// How many buckets of time are shown.
const MOST_BUCKETS: usize = 40;
/// How many days, values, names and inputs are shown.
const MOST_LISTED: usize = 5;
/// How long a bar is.
const BAR_LENGTH: u64 = 40;

/// How much of a line is needed for what comes behind the name of a field.
const BEHIND_NAME: usize = 46;

/// The profile, with colours, for lines of this many columns.
pub(crate) fn text(profile: &Profile, width: usize) -> String {
    let mut text = String::new();
    // Writing to a string can't fail.
    let _ = write(profile, width, &mut text);
    text
}

fn write(profile: &Profile, width: usize, to: &mut String) -> std::fmt::Result {
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
    if !profile.event_types.is_empty() {
        let types: Vec<String> = profile
            .event_types
            .iter()
            .map(|it| format!("{} {}", escaped(&it.event_type), grouped(it.events)))
            .collect();
        writeln!(to, "events   {}", types.join(", "))?;
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
    let most = width.saturating_sub(BEHIND_NAME).clamp(12, 48);
    let names = profile.fields.iter().map(|field| shown(&field.name).chars().count());
    let wide = names.filter(|name| *name <= most).max().unwrap_or(0).clamp(5, most);
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
        let mut name = shown(&field.name);
        if name.chars().count() > wide {
            // A line of its own, so that the columns stay where they are.
            writeln!(to, "  {BOLD}{name}{BOLD:#}")?;
            name = String::new();
        }
        writeln!(
            to,
            "  {BOLD}{name:wide$}{BOLD:#} {present:>7} {empty:>7} {:>11} {length:>9}  {}{DIM}{unread}{DIM:#}",
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
    watched(profile, to)?;
    rejects(profile, to)?;

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
    if let Some(empty) = profile.empty_days.as_ref().filter(|empty| empty.days > 0) {
        let range = |(first, last): &(String, String)| match first == last {
            true => first.clone(),
            false => format!("{first} to {last}"),
        };
        let ranges: Vec<String> = empty.ranges.iter().take(MOST_LISTED).map(range).collect();
        let more = if empty.ranges.len() > MOST_LISTED { ", ..." } else { "" };
        let days = counted(empty.days, "day");
        writeln!(to, "  {BAD}{days} without records{BAD:#} {DIM}{}{more}{DIM:#}", ranges.join(", "))?;
    }
    Ok(())
}

/// What the table has summed up, and names that come more than once.
fn watched(profile: &Profile, to: &mut String) -> std::fmt::Result {
    for sum in &profile.sums {
        let (field, total) = (escaped(&sum.field), amount(sum.total));
        writeln!(to, "\n{BOLD}sum of `{field}`{BOLD:#}  {total} in {}", counted(sum.records, "record"))?;
        let days = sum.highest_days.iter().take(MOST_LISTED);
        for (day, sum) in days {
            writeln!(to, "  {:>13}  on {day}", amount(*sum))?;
        }
        let by = sum.by.as_deref().map_or(String::new(), |by| format!("{} ", escaped(by)));
        for it in sum.highest.iter().take(MOST_LISTED) {
            let (value, records) = (shown(&it.value), counted(it.records, "record"));
            let least = if sum.missing.is_some() { "at least " } else { "" };
            writeln!(
                to,
                "  {:>13}  {by}{BOLD}{value}{BOLD:#} {DIM}{least}in {records}{DIM:#}",
                amount(it.sum)
            )?;
        }
    }
    for it in profile.repeated.iter().filter(|it| it.values > 0) {
        let least = if it.is_lower_bound { "at least " } else { "" };
        let (values, records) = (counted(it.values, "value"), counted(it.records, "record"));
        let field = escaped(&it.field);
        writeln!(to, "\n{BAD}repeated `{field}`{BAD:#}  {least}{values} in {records}")?;
        for (value, n) in it.examples.iter().take(MOST_LISTED) {
            writeln!(to, "  {:>13}  {}", grouped(*n), shown(value))?;
        }
    }
    Ok(())
}

/// The first reject of each reason, and the inputs with most of them.
fn rejects(profile: &Profile, to: &mut String) -> std::fmt::Result {
    if profile.reject_reasons.is_empty() {
        return Ok(());
    }
    writeln!(to, "\n{BOLD}rejects{BOLD:#}")?;
    for it in &profile.reject_reasons {
        let first = it.first.as_ref().map_or(String::new(), |first| {
            let message = first.message.as_ref().map_or(String::new(), |text| format!(": {}", escaped(text)));
            format!("{}:{}{message}", escaped(&first.input), first.line)
        });
        writeln!(to, "  {:>13}  {}  {DIM}{first}{DIM:#}", grouped(it.rejects), it.reason)?;
    }
    if profile.reject_inputs.len() > 1 {
        for it in profile.reject_inputs.iter().take(MOST_LISTED) {
            writeln!(to, "  {:>13}  in {}", grouped(it.rejects), escaped(&it.input))?;
        }
    }
    Ok(())
}

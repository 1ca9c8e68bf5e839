//! A profile as a page, with charts.

use crate::check::profile::Profile;
use crate::report::html::{document, escaped};
use crate::report::summary::{bytes, grouped, share};
use std::fmt::Write as _;

/// A page of its own.
pub(crate) fn page(profile: &Profile) -> String {
    let mut body = String::new();
    // Writing to a string can't fail.
    let _ = write(profile, &mut body);
    document("udmap profile", &body)
}

fn write(profile: &Profile, to: &mut String) -> std::fmt::Result {
    let all = profile.records;
    let range = match (&profile.first, &profile.last) {
        (Some(first), Some(last)) => format!("{first} to {last}"),
        _ => "no times".into(),
    };
    writeln!(
        to,
        "<header><h1>What is in the log</h1><p class=note>{}, by the mapping <code>{}</code></p></header>",
        range,
        escaped(&profile.mapping)
    )?;
    writeln!(to, "<div class=tiles>")?;
    for (label, value) in [
        ("records", grouped(all)),
        ("make no event", grouped(profile.rejected())),
        ("read", bytes(profile.bytes)),
        ("inputs", grouped(profile.inputs.len() as u64)),
        ("fields", grouped(profile.fields.len() as u64)),
    ] {
        writeln!(to, "<div class=tile><b>{value}</b>{label}</div>")?;
    }
    writeln!(to, "</div>")?;
    for failure in &profile.failures {
        writeln!(to, "<p class=bad>{}</p>", escaped(failure))?;
    }

    writeln!(to, "<section id=times><h2>Records by {}</h2>", profile.unit)?;
    chart(profile, to)?;
    writeln!(to, "</section>")?;

    if !profile.tables.is_empty() {
        writeln!(
            to,
            "<section><h2>Logs</h2><div class=scroll><table><thead><tr><th>table<th>log type<th class=n>records<th class=n>share<th class=n>events</tr></thead><tbody>"
        )?;
        for table in &profile.tables {
            writeln!(
                to,
                "<tr><td>{}<td>{}<td class=n>{}<td class=n>{}<td class=n>{}</tr>",
                escaped(&table.table),
                escaped(&table.log_type),
                grouped(table.records),
                share(table.records, all),
                grouped(table.events)
            )?;
        }
        let none = profile.in_no_table();
        writeln!(
            to,
            "<tr><td>of none of these<td><td class=n>{}<td class=n>{}<td></tr></tbody></table></div></section>",
            grouped(none),
            share(none, all)
        )?;
    }

    writeln!(
        to,
        "<section><h2>Shapes</h2><div class=scroll><table><thead><tr><th>shape<th class=n>records<th class=n>share<th>first<th>last</tr></thead><tbody>"
    )?;
    for shape in &profile.shapes {
        writeln!(
            to,
            "<tr><td>{}<td class=n>{}<td class=n>{}<td>{}<td>{}</tr>",
            escaped(&shape.name),
            grouped(shape.records),
            share(shape.records, all),
            shape.first.as_deref().unwrap_or(""),
            shape.last.as_deref().unwrap_or("")
        )?;
    }
    writeln!(to, "</tbody></table></div>")?;
    for change in &profile.changes {
        writeln!(to, "<p>{}</p>", escaped(change))?;
    }
    for (what, counts) in [("format", &profile.formats), ("reject", &profile.rejects)] {
        if !counts.is_empty() {
            writeln!(to, "<h3>By {what}</h3><div class=scroll><table><tbody>")?;
            for (name, n) in counts {
                writeln!(to, "<tr><td>{name}<td class=n>{}<td class=n>{}</tr>", grouped(*n), share(*n, all))?;
            }
            writeln!(to, "</tbody></table></div>")?;
        }
    }
    writeln!(to, "</section>")?;

    fields(profile, to)?;

    writeln!(
        to,
        "<section><h2>What the mapping uses</h2><div class=scroll><table><thead><tr><th class=n>events<th>rule</tr></thead><tbody>"
    )?;
    for rule in &profile.rules {
        let n = if rule.events == 0 { "<span class=bad>never</span>".into() } else { grouped(rule.events) };
        writeln!(to, "<tr><td class=n>{n}<td><code>{}</code></tr>", escaped(&rule.rule))?;
    }
    writeln!(to, "</tbody></table></div></section>")
}

fn fields(profile: &Profile, to: &mut String) -> std::fmt::Result {
    let all = profile.records;
    writeln!(
        to,
        "<section><h2>Fields</h2><div class=scroll><table><thead><tr><th>field<th>present<th class=n>empty<th>types<th class=n>distinct<th class=n>length<th>values</tr></thead><tbody>"
    )?;
    for field in &profile.fields {
        let types: Vec<String> =
            field.types.iter().map(|(name, n)| format!("{name} {}", share(*n, field.present))).collect();
        let values: Vec<String> = field
            .values
            .iter()
            .take(8)
            .map(|(value, n)| {
                format!("<code>{}</code> {}", escaped(&crate::text::shown(value)), share(*n, field.present))
            })
            .collect();
        let unread = if field.read { "" } else { "<br><span class=note>no rule reads it</span>" };
        let width = if all == 0 { 0.0 } else { field.present as f64 * 6.0 / all as f64 };
        writeln!(
            to,
            "<tr><td><code>{}</code>{unread}<td><span class=bar style=\"width:{width:.2}rem\"></span> {}<td class=n>{}<td>{}<td class=n>{}<td class=n>{}..{}<td>{}</tr>",
            escaped(&field.name),
            share(field.present, all),
            share(field.empty, field.present),
            types.join(", "),
            grouped(field.distinct),
            field.shortest,
            field.longest,
            values.join(", ")
        )?;
    }
    writeln!(to, "</tbody></table></div>")?;
    if !profile.new_values.is_empty() {
        writeln!(to, "<h3>Values that are not documented</h3><ul>")?;
        for new in &profile.new_values {
            let value = escaped(&crate::text::shown(&new.value));
            writeln!(
                to,
                "<li><code>{}</code> = <code>{value}</code>, {}</li>",
                escaped(&new.field),
                grouped(new.records)
            )?;
        }
        writeln!(to, "</ul>")?;
    }
    writeln!(to, "</section>")
}

/// Bars by time, each made of its shapes.
fn chart(profile: &Profile, to: &mut String) -> std::fmt::Result {
    if profile.times.is_empty() {
        return writeln!(to, "<p class=note>No record has a time that can be read.</p>");
    }
    const COLOURS: usize = 5;
    const MOST_BARS: usize = 180;
    let (width, height, left, bottom) = (900.0, 220.0, 60.0, 24.0);
    // Where bars would be too narrow to be seen, several buckets are drawn together.
    let together = profile.times.len().div_ceil(MOST_BARS);
    let bars: Vec<(&str, u64, Vec<u64>)> = profile
        .times
        .chunks(together)
        .map(|buckets| {
            let mut by_shape = vec![0; profile.shapes.len()];
            for bucket in buckets {
                by_shape.iter_mut().zip(&bucket.by_shape).for_each(|(sum, n)| *sum += n);
            }
            (buckets[0].from.as_str(), by_shape.iter().sum(), by_shape)
        })
        .collect();
    let most = bars.iter().map(|(_, n, _)| *n).max().unwrap_or(1).max(1);
    let step = (width - left) / bars.len() as f64;
    writeln!(
        to,
        "<svg viewBox=\"0 0 {width} {height}\" role=\"img\" aria-label=\"records by {}\">",
        profile.unit
    )?;
    for part in [0.0, 0.5, 1.0] {
        let y = (height - bottom) - part * (height - bottom - 12.0);
        let label = grouped((most as f64 * part) as u64);
        writeln!(to, "<line class=\"axis\" x1=\"{left}\" x2=\"{width}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>")?;
        writeln!(to, "<text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{label}</text>", left - 6.0, y + 4.0)?;
    }
    for (place, (from, n, by_shape)) in bars.iter().enumerate() {
        let x = left + place as f64 * step;
        let mut y = height - bottom;
        writeln!(to, "<g><title>{from}: {}</title>", grouped(*n))?;
        for (shape, n) in by_shape.iter().enumerate().filter(|(_, n)| **n > 0) {
            let tall = *n as f64 * (height - bottom - 12.0) / most as f64;
            y -= tall;
            let colour = shape.min(COLOURS - 1) + 1;
            let wide = (step * 0.86).clamp(0.5, 60.0);
            writeln!(
                to,
                "<rect x=\"{x:.2}\" y=\"{y:.2}\" width=\"{wide:.2}\" height=\"{tall:.2}\" fill=\"var(--c{colour})\"/>"
            )?;
        }
        writeln!(to, "</g>")?;
        // As many labels as there is room for.
        let every = bars.len().div_ceil(9);
        if place % every == 0 {
            writeln!(to, "<text x=\"{x:.1}\" y=\"{:.1}\">{from}</text>", height - 8.0)?;
        }
    }
    writeln!(to, "</svg><p class=note>")?;
    for (shape, colour) in profile.shapes.iter().zip(1..) {
        let colour = colour.min(COLOURS);
        writeln!(
            to,
            "<span class=key style=\"background:var(--c{colour})\"></span>{}",
            escaped(&shape.name)
        )?;
    }
    if together > 1 {
        writeln!(to, " (each bar is {together} {}s)", profile.unit)?;
    }
    if profile.outside > 0 {
        writeln!(to, " and {} with times before or after", grouped(profile.outside))?;
    }
    writeln!(to, "</p>")
}

//! An explanation for a terminal.

use crate::check::explain::{Explanation, RawField, Rule};
use crate::report::summary::counted;
use crate::text::{escaped, shown, shown_up_to};
use anstyle::{AnsiColor, Style};
use std::fmt::Write as _;

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
const GREEN: Style = AnsiColor::Green.on_default();
const RED: Style = AnsiColor::Red.on_default().bold();

/// How many characters of a value or a field's name are shown.
const MOST: usize = 1_000;

/// The explanation, with colours.
pub(crate) fn text(record: &Explanation) -> String {
    let mut text = String::new();
    // Writing to a string can't fail.
    let _ = write(record, &mut text);
    text
}

fn write(record: &Explanation, to: &mut String) -> std::fmt::Result {
    let end = record.offset + record.length;
    let (shape, table) = (record.shape.as_ref(), record.table.as_ref());
    let shape = shape.map(|shape| format!(", shape {}", escaped(shape)));
    let shape = shape.or_else(|| Some(format!(", table {}", escaped(table?)))).unwrap_or_default();
    writeln!(
        to,
        "{BOLD}{}:{}{BOLD:#}  {DIM}bytes {}..{end}, {}{shape}{DIM:#}",
        escaped(&record.source),
        record.line,
        record.offset,
        record.format
    )?;
    if let Some(reject) = &record.reject {
        writeln!(to, "  {RED}rejected: {}{RED:#}: {}", reject.reason, escaped(&reject.message))?;
    }
    for field in &record.fields {
        let (path, value) = (escaped(&field.path), shown_up_to(&field.value.to_string(), MOST));
        writeln!(to, "  {BOLD}{path}{BOLD:#} = {GREEN}{value}{GREEN:#}")?;
        match &field.from {
            Some(raw) => writeln!(to, "      from {}, {}", place(raw), escaped(&field.how))?,
            None => writeln!(to, "      {}", escaped(&field.how))?,
        }
        match &field.rule {
            Some(rule) => writeln!(to, "      {DIM}{}{DIM:#}", line(rule))?,
            None => writeln!(to, "      {DIM}an option of this run{DIM:#}")?,
        }
    }
    if !record.skipped.is_empty() {
        writeln!(to, "  {BOLD}rules that gave nothing{BOLD:#}")?;
        for skipped in &record.skipped {
            let (udm, why) = (escaped(&skipped.rule.udm), escaped(&skipped.why));
            writeln!(to, "    {udm}: {why}  {DIM}{}{DIM:#}", line(&skipped.rule))?;
        }
    }
    for (what, fields) in [
        ("raw fields that were read, but not taken", &record.unused),
        ("raw fields that no rule reads", &record.left),
    ] {
        if !fields.is_empty() {
            writeln!(to, "  {BOLD}{what}{BOLD:#}")?;
        }
        for raw in fields {
            writeln!(to, "    {}", place(raw))?;
        }
    }
    if record.omitted > 0 {
        writeln!(to, "    {DIM}... and {} more{DIM:#}", counted(record.omitted, "raw field"))?;
    }
    Ok(())
}

fn place(raw: &RawField) -> String {
    let bytes = match (raw.offset, raw.length) {
        (Some(offset), Some(length)) => format!(" {DIM}(bytes {offset}..{}){DIM:#}", offset + length),
        _ => String::new(),
    };
    format!("`{}` {}{bytes}", shown_up_to(&raw.field, MOST), shown(&raw.value))
}

fn line(rule: &Rule) -> String {
    escaped(&format!("{}:{}  {} <- {}", rule.file, rule.line, rule.udm, rule.text)).into_owned()
}

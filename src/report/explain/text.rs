//! An explanation for a terminal.

use super::{Explained, Raw, Rule};
use crate::text::shown;
use anstyle::{AnsiColor, Style};
use std::fmt::Write as _;

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
const GREEN: Style = AnsiColor::Green.on_default();
const RED: Style = AnsiColor::Red.on_default().bold();

/// The explanation, with colours.
pub(crate) fn text(record: &Explained) -> String {
    let mut text = String::new();
    // Writing to a string can't fail.
    let _ = write(record, &mut text);
    text
}

fn write(record: &Explained, to: &mut String) -> std::fmt::Result {
    let end = record.offset + record.length;
    let shape = record.shape.as_ref().map_or(String::new(), |shape| format!(", shape {shape}"));
    writeln!(
        to,
        "{BOLD}{}:{}{BOLD:#}  {DIM}bytes {}..{end}, {}{shape}{DIM:#}",
        record.source, record.line, record.offset, record.form
    )?;
    if let Some(reject) = &record.reject {
        writeln!(to, "  {RED}rejected: {}{RED:#}: {}", reject.reason, reject.message)?;
    }
    for field in &record.fields {
        writeln!(to, "  {BOLD}{}{BOLD:#} = {GREEN}{}{GREEN:#}", field.path, field.value)?;
        match &field.from {
            Some(raw) => writeln!(to, "      from {}, {}", place(raw), field.how)?,
            None => writeln!(to, "      {}", field.how)?,
        }
        match &field.rule {
            Some(rule) => writeln!(to, "      {DIM}{}{DIM:#}", line(rule))?,
            None => writeln!(to, "      {DIM}an option of this run{DIM:#}")?,
        }
    }
    if !record.silent.is_empty() {
        writeln!(to, "  {BOLD}rules that gave nothing{BOLD:#}")?;
        for silent in &record.silent {
            writeln!(to, "    {}: {}  {DIM}{}{DIM:#}", silent.rule.udm, silent.why, line(&silent.rule))?;
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
    Ok(())
}

fn place(raw: &Raw) -> String {
    let bytes = match (raw.offset, raw.length) {
        (Some(offset), Some(length)) => format!(" {DIM}(bytes {offset}..{}){DIM:#}", offset + length),
        _ => String::new(),
    };
    format!("`{}` {}{bytes}", raw.field, shown(&raw.value))
}

fn line(rule: &Rule) -> String {
    format!("{}:{}  {} <- {}", rule.file, rule.line, rule.udm, rule.text)
}

//! An explanation as a page.

use super::{Explained, Raw};
use crate::report::html::{document, escaped};
use std::fmt::Write as _;

/// A page of its own with these records.
pub(crate) fn page(records: &[Explained], mapping: &str, more: bool) -> String {
    let mut body = String::new();
    // Writing to a string can't fail.
    let _ = write(records, mapping, more, &mut body);
    document("udmap explain", &body)
}

fn write(records: &[Explained], mapping: &str, more: bool, to: &mut String) -> std::fmt::Result {
    writeln!(
        to,
        "<header><h1>Where each field comes from</h1><p>Mapping table <code>{}</code></p></header>",
        escaped(mapping)
    )?;
    for record in records {
        let end = record.offset + record.length;
        writeln!(
            to,
            "<section><h2>{}:{}</h2><p class=note>bytes {}..{end}, {}{}</p><pre>{}</pre>",
            escaped(&record.source),
            record.line,
            record.offset,
            record.form,
            record.shape.as_ref().map_or(String::new(), |shape| format!(", shape {}", escaped(shape))),
            escaped(&record.raw)
        )?;
        if let Some(reject) = &record.reject {
            writeln!(to, "<p class=bad>rejected: {}: {}</p>", reject.reason, escaped(&reject.message))?;
        }
        if !record.fields.is_empty() {
            writeln!(
                to,
                "<div class=scroll><table><thead><tr><th>UDM field<th>value<th>raw field<th>what was done<th>rule</tr></thead><tbody>"
            )?;
            for field in &record.fields {
                writeln!(
                    to,
                    "<tr><td><code>{}</code><td><code>{}</code><td>{}<td>{}<td>{}</tr>",
                    escaped(&field.path),
                    escaped(&field.value.to_string()),
                    field.from.as_ref().map_or(String::new(), place),
                    escaped(&field.how),
                    field.rule.as_ref().map_or("an option".into(), |r| format!(
                        "{}:{}",
                        escaped(&r.file),
                        r.line
                    ))
                )?;
            }
            writeln!(to, "</tbody></table></div>")?;
        }
        if !record.silent.is_empty() {
            writeln!(to, "<h3>Rules that gave nothing</h3><div class=scroll><table><tbody>")?;
            for silent in &record.silent {
                writeln!(
                    to,
                    "<tr><td><code>{}</code><td>{}<td>{}:{}</tr>",
                    escaped(&silent.rule.udm),
                    escaped(&silent.why),
                    escaped(&silent.rule.file),
                    silent.rule.line
                )?;
            }
            writeln!(to, "</tbody></table></div>")?;
        }
        if !record.left.is_empty() {
            writeln!(to, "<h3>Raw fields that no rule reads</h3><ul>")?;
            for raw in &record.left {
                writeln!(to, "<li>{}</li>", place(raw))?;
            }
            writeln!(to, "</ul>")?;
        }
        writeln!(to, "</section>")?;
    }
    if more {
        writeln!(to, "<p class=note>There are more records; name a line to see its own.</p>")?;
    }
    Ok(())
}

fn place(raw: &Raw) -> String {
    let bytes = match (raw.offset, raw.length) {
        (Some(offset), Some(length)) => {
            format!(" <span class=note>bytes {offset}..{}</span>", offset + length)
        }
        _ => String::new(),
    };
    format!("<code>{}</code> {}{bytes}", escaped(&raw.field), escaped(&raw.value))
}

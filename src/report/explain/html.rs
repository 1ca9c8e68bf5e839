//! An explanation as a page.

use super::{Explained, Raw};
use crate::report::html::{document, escaped};
use crate::report::summary::counted;
use std::fmt::Write as _;

/// A page of its own with these sections.
pub(crate) fn page(sections: &str, mapping: &str, more: bool) -> String {
    let more =
        if more { "<p class=note>There are more records; name a line to see its own.</p>\n" } else { "" };
    let body = format!(
        "<header><h1>Where each field comes from</h1><p>Mapping table <code>{}</code></p></header>\n{sections}{more}",
        escaped(mapping)
    );
    document("udmap explain", &body)
}

/// The part of the page that is about one record.
pub(crate) fn section(record: &Explained) -> String {
    let mut html = String::new();
    // Writing to a string can't fail.
    let _ = write(record, &mut html);
    html
}

fn write(record: &Explained, to: &mut String) -> std::fmt::Result {
    let end = record.offset + record.length;
    writeln!(
        to,
        "<section><h2>{}:{}</h2><p class=note>bytes {}..{end}, {}{}</p><pre>{}</pre>",
        escaped(&record.source),
        record.line,
        record.offset,
        record.format,
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
    for (what, fields) in [
        ("Raw fields that were read, but not taken", &record.unused),
        ("Raw fields that no rule reads", &record.left),
    ] {
        if fields.is_empty() {
            continue;
        }
        writeln!(to, "<h3>{what}</h3><ul>")?;
        for raw in fields {
            writeln!(to, "<li>{}</li>", place(raw))?;
        }
        writeln!(to, "</ul>")?;
    }
    if record.omitted > 0 {
        writeln!(to, "<p class=note>and {} more</p>", counted(record.omitted, "raw field"))?;
    }
    writeln!(to, "</section>")
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

//! An explanation as a page.

use crate::check::explain::{Explanation, RawField};
use crate::report::html::{About, Column, Table, code, document, escaped};
use crate::report::summary::counted;
use std::fmt::Write as _;

/// A page of its own with these sections, of records of these inputs, made at this time.
pub(crate) fn page(sections: &str, mapping: &str, inputs: &[String], made: &str, more: bool) -> String {
    let about = About { title: "Where each field comes from", inputs, mapping, made };
    let more =
        if more { "<p class=note>There are more records; name a line to see its own.</p>\n" } else { "" };
    document("udmap explain", &format!("{}{sections}{more}", about.header(&[])))
}

/// The part of the page that is about one record.
pub(crate) fn section(record: &Explanation) -> String {
    let mut html = String::new();
    // Writing to a string can't fail.
    let _ = write(record, &mut html);
    html
}

fn write(record: &Explanation, to: &mut String) -> std::fmt::Result {
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
        let mut table = Table::new(&[
            Column::Text("UDM field", 24),
            Column::Text("value", 22),
            Column::Text("raw field", 22),
            Column::Text("how", 16),
            Column::Text("rule", 16),
        ]);
        for field in &record.fields {
            let rule = |rule: &crate::check::explain::Rule| format!("{}:{}", escaped(&rule.file), rule.line);
            table.row(&[
                code(&field.path),
                code(&field.value.to_string()),
                field.from.as_ref().map_or(String::new(), place),
                escaped(&field.how),
                field.rule.as_ref().map_or("an option".into(), rule),
            ]);
        }
        to.push_str(&table.html());
    }
    if !record.skipped.is_empty() {
        to.push_str("<h3>Rules that gave nothing</h3>\n");
        let mut table =
            Table::new(&[Column::Text("UDM field", 40), Column::Text("why", 40), Column::Text("rule", 20)]);
        for skipped in &record.skipped {
            let rule = format!("{}:{}", escaped(&skipped.rule.file), skipped.rule.line);
            table.row(&[code(&skipped.rule.udm), escaped(&skipped.why), rule]);
        }
        to.push_str(&table.html());
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

fn place(raw: &RawField) -> String {
    let bytes = match (raw.offset, raw.length) {
        (Some(offset), Some(length)) => {
            format!(" <span class=note>bytes {offset}..{}</span>", offset + length)
        }
        _ => String::new(),
    };
    format!("{} {}{bytes}", code(&raw.field), escaped(&raw.value))
}

//! A page for others: a record, its event and the table in one file, which needs no server and runs no script.

use super::answer::Refusal;
use super::run::{self, Ran};
use super::state::State;
use super::work::Work;
use crate::report::explain::section;
use crate::report::html::{document, escaped};
use serde::Serialize;
use std::fmt::Write as _;

#[derive(Debug, Serialize)]
pub(super) struct Answer {
    name: &'static str,
    html: String,
}

/// The page about what a run shows.
///
/// # Errors
/// If the run can't be made.
pub(super) fn share(state: &State, asked: &run::Asked, work: &Work) -> Result<Answer, Refusal> {
    let (ran, looked) = run::looked_at(state, asked, work)?;
    let mut body = String::new();
    // Writing to a string can't fail.
    let _ = write(asked, &ran, looked.explanation.as_ref().map(section).as_deref(), &mut body);
    Ok(Answer { name: "udmap.html", html: document("udmap: a record and its event", &body) })
}

fn write(asked: &run::Asked, ran: &Ran, section: Option<&str>, to: &mut String) -> std::fmt::Result {
    writeln!(to, "<header><h1>A record and its event</h1></header>")?;
    if let Some(section) = section {
        to.push_str(section);
    }
    if let Some(event) = ran.event_text() {
        writeln!(to, "<h2>The event</h2><pre>{}</pre>", escaped(event))?;
    }
    if !ran.findings.is_empty() {
        writeln!(to, "<h2>What <code>udmap validate</code> says</h2><ul>")?;
        for finding in &ran.findings {
            writeln!(
                to,
                "<li>{}: <code>{}</code> {}: {}. {}</li>",
                finding.severity,
                escaped(&finding.path),
                finding.code,
                escaped(&finding.message),
                escaped(finding.outcome)
            )?;
        }
        writeln!(to, "</ul>")?;
    }
    if let Some(diff) = &ran.diff {
        let same = if diff.same { ": the same" } else { "" };
        writeln!(
            to,
            "<h2>Compared with the {}{same}</h2>",
            if diff.against == "golden" { "expected event" } else { "parser's event" }
        )?;
        if !diff.differences.is_empty() {
            writeln!(
                to,
                "<div class=scroll><table><thead><tr><th>UDM field<th>the table's<th>the other</tr></thead><tbody>"
            )?;
            for difference in &diff.differences {
                let side =
                    |side: &Option<String>| side.as_deref().map_or_else(|| "nothing".to_owned(), escaped);
                writeln!(
                    to,
                    "<tr><td><code>{}</code><td>{}<td>{}</tr>",
                    escaped(&difference.path),
                    side(&difference.ours),
                    side(&difference.theirs)
                )?;
            }
            writeln!(to, "</tbody></table></div>")?;
        }
    }
    let errors = &ran.table.errors;
    if !errors.is_empty() {
        writeln!(to, "<h2>What is wrong with the table</h2><ul>")?;
        for error in errors {
            writeln!(to, "<li class=bad>line {}: {}</li>", error.place.line, escaped(&error.message))?;
        }
        writeln!(to, "</ul>")?;
    }
    writeln!(to, "<h2>The table</h2><pre>{}</pre>", escaped(&asked.mapping))
}

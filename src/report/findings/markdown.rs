//! Findings as Markdown, for the summary of a job or a comment.

use super::Findings;
use crate::report::summary::{counted, grouped};
use crate::udm::validate::Severity;
use std::fmt::Write as _;

/// How many findings are shown.
const MOST: usize = 50;

pub(super) fn text(findings: &Findings) -> String {
    let mut text = String::new();
    let errors = findings.of(Severity::Error);
    let verdict = if errors == 0 && findings.failures.is_empty() { "passed" } else { "failed" };
    // Writing to a string can't fail.
    let _ = writeln!(
        text,
        "## udmap {}: {verdict}\n\n{}, {}, {}\n",
        findings.command,
        counted(findings.events, "event"),
        counted(errors, "error"),
        counted(findings.of(Severity::Warning), "warning"),
    );
    for failure in &findings.failures {
        let _ = writeln!(text, "- **{}**", cell(failure));
    }
    if !findings.counts.is_empty() {
        text.push_str("| severity | code | count |\n|---|---|--:|\n");
        for ((severity, code), n) in findings.counts.iter().rev() {
            let _ = writeln!(text, "| {severity} | `{code}` | {} |", grouped(*n));
        }
        text.push_str("\n| where | severity | code | UDM path | what |\n|---|---|---|---|---|\n");
    }
    for item in findings.items.iter().take(MOST) {
        let _ = writeln!(
            text,
            "| {}:{} | {} | `{}` | {} | {} |",
            cell(&item.source),
            item.line,
            item.severity,
            item.code,
            if item.path.is_empty() { String::new() } else { format!("`{}`", item.path.replace('`', "'")) },
            cell(&item.message)
        );
    }
    let all: u64 = findings.counts.values().sum();
    if all > MOST as u64 {
        let _ = writeln!(text, "\n... and {} more", grouped(all - MOST as u64));
    }
    text
}

/// `text` inside a cell of a table.
fn cell(text: &str) -> String {
    text.replace('\\', "\\\\").replace('|', "\\|").replace('<', "&lt;").replace(['\n', '\r'], " ")
}

//! Findings as workflow commands, which GitHub shows as annotations.

use crate::check::findings::Findings;
use crate::check::validate::Severity;
use crate::report::findings::shared::{in_checkout, sentence};
use crate::text::escaped;

/// GitHub shows ten annotations of each severity and step; more only lengthen the log.
const MOST: usize = 10;

/// Annotations for the log of a workflow.
pub(crate) fn text(findings: &Findings) -> String {
    let mut text = String::new();
    let shown = findings.shown();
    for (severity, command) in
        [(Severity::Error, "error"), (Severity::Warning, "warning"), (Severity::Info, "notice")]
    {
        for (issue, count) in shown.iter().filter(|(issue, _)| issue.severity == severity).take(MOST) {
            let column = if issue.column > 0 { format!(",col={}", issue.column) } else { String::new() };
            // Each line by itself, so that each is escaped.
            let mut lines = vec![data(&sentence(issue))];
            if !issue.advice.is_empty() {
                lines.push(data(&format!("to do: {}", issue.advice)));
            }
            if *count > 1 {
                lines.push(data(&format!("{count} findings of this kind")));
            }
            text += &format!(
                "::{command} file={},line={}{column},title={}::{}\n",
                property(&in_checkout(&issue.source)),
                issue.line.max(1),
                property(&format!("udmap {} {}", findings.command, issue.code)),
                lines.join("%0A")
            );
        }
    }
    for failure in &findings.failures {
        text += &format!("::error title=udmap {}::{}\n", findings.command, data(failure));
    }
    text
}

fn data(text: &str) -> String {
    escaped(text).replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

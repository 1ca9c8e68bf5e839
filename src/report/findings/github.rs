//! Findings as workflow commands, which GitHub shows as annotations.

use crate::check::findings::Findings;
use crate::check::validate::Severity;
use crate::text::escaped;

/// GitHub shows ten annotations of each severity and step; more only lengthen the log.
const MOST: usize = 10;

/// Annotations for the log of a workflow.
pub(crate) fn text(findings: &Findings) -> String {
    let mut text = String::new();
    for (severity, command) in
        [(Severity::Error, "error"), (Severity::Warning, "warning"), (Severity::Info, "notice")]
    {
        for issue in findings.issues.iter().filter(|issue| issue.severity == severity).take(MOST) {
            let path = if issue.path.is_empty() { String::new() } else { format!("{}: ", issue.path) };
            text += &format!(
                "::{command} file={},line={},title={}::{}\n",
                property(&issue.source),
                issue.line.max(1),
                property(&format!("udmap {} {}", findings.command, issue.code)),
                data(&format!("{path}{}", issue.message))
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

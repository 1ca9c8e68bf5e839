//! Findings for a person.

use crate::check::findings::Issue;
use crate::check::validate::Severity;
use crate::text::escaped;
use anstyle::{AnsiColor, Style};

/// A finding: where, what, and, the first time that its code is shown, what follows from it.
pub(crate) fn lines(issue: &Issue, first: bool) -> String {
    let style = match issue.severity {
        Severity::Error => AnsiColor::Red.on_default().bold(),
        Severity::Warning => AnsiColor::Yellow.on_default().bold(),
        _ => AnsiColor::Cyan.on_default().bold(),
    };
    let (bold, dim) = (Style::new().bold(), Style::new().dimmed());
    let path = if issue.path.is_empty() { "(the whole)".into() } else { escaped(&issue.path) };
    let event = if issue.event == 0 { String::new() } else { format!(", event {}", issue.event) };
    let mut text = format!(
        "{style}{}[{}]{style:#} {bold}{path}{bold:#}: {}\n  {dim}-->{dim:#} {}:{} {dim}(byte {}{event}){dim:#}\n",
        issue.severity,
        issue.code,
        escaped(&issue.message),
        escaped(&issue.source),
        issue.line,
        issue.byte,
    );
    if first {
        for (label, what) in [("SecOps", issue.effect), ("to do", issue.advice)] {
            if !what.is_empty() {
                text += &format!("  {dim}= {label}:{dim:#} {what}\n");
            }
        }
    }
    text
}

//! Findings for a person.

use super::Item;
use crate::check::validate::Severity;
use crate::text::escaped;
use anstyle::{AnsiColor, Style};

/// A finding: where, what, and, the first time that its code is shown, what follows from it.
pub(crate) fn lines(item: &Item, first: bool) -> String {
    let style = match item.severity {
        Severity::Error => AnsiColor::Red.on_default().bold(),
        Severity::Warning => AnsiColor::Yellow.on_default().bold(),
        _ => AnsiColor::Cyan.on_default().bold(),
    };
    let (bold, dim) = (Style::new().bold(), Style::new().dimmed());
    let path = if item.path.is_empty() { "(the whole)".into() } else { escaped(&item.path) };
    let event = if item.event == 0 { String::new() } else { format!(", event {}", item.event) };
    let mut text = format!(
        "{style}{}[{}]{style:#} {bold}{path}{bold:#}: {}\n  {dim}-->{dim:#} {}:{} {dim}(byte {}{event}){dim:#}\n",
        item.severity,
        item.code,
        escaped(&item.message),
        escaped(&item.source),
        item.line,
        item.byte,
    );
    if first {
        for (label, what) in [("SecOps", item.effect), ("to do", item.advice)] {
            if !what.is_empty() {
                text += &format!("  {dim}= {label}:{dim:#} {what}\n");
            }
        }
    }
    text
}

//! Findings for a person.

use crate::check::findings::{Findings, Issue, SAMPLES};
use crate::check::groups::{Group, GroupKey};
use crate::check::validate::Severity;
use crate::report::summary::{counted, grouped};
use crate::text::escaped;
use anstyle::{AnsiColor, Style};
use std::collections::HashSet;

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();

/// All findings that were kept, or the kinds of findings with some samples of each.
pub(crate) fn text(findings: &Findings) -> String {
    let mut told = HashSet::new();
    if findings.all {
        return findings.issues.iter().map(|issue| one(issue, told.insert(issue.code))).collect();
    }
    let mut text = String::new();
    for (key, group) in findings.groups.sorted() {
        text += &match group.samples.as_slice() {
            [issue] if group.count == 1 => one(issue, told.insert(issue.code)),
            _ => many(key, group, told.insert(key.code)),
        };
    }
    text
}

/// A finding: where, what, and, the first time that its code is shown, what follows from it.
fn one(issue: &Issue, first: bool) -> String {
    let head = head(issue.severity, issue.code, &issue.path);
    let mut text = format!("{head}: {}\n  {}", escaped(&issue.message), place(issue));
    if first {
        text += &advice(issue);
    }
    text
}

/// Findings of one kind: how many, and where the first are.
fn many(key: &GroupKey, group: &Group<Issue>, first: bool) -> String {
    let mut text = format!("{}  {}\n", head(key.severity, key.code, &key.path), counted(group.count, "time"));
    let mut message = None;
    let samples = if group.count == group.samples.len() as u64 { group.samples.len() } else { SAMPLES };
    let samples = &group.samples[..samples.min(group.samples.len())];
    for issue in samples {
        let what = (&issue.path, &issue.message);
        if message != Some(what) {
            message = Some(what);
            let path = if issue.path == key.path { String::new() } else { format!("{}: ", issue.path) };
            text += &format!("  {}\n", escaped(&format!("{path}{}", issue.message)));
        }
        text += &format!("    {}", place(issue));
    }
    if let Some(more @ 1..) = group.count.checked_sub(samples.len() as u64) {
        text += &format!("    {DIM}... and {} more{DIM:#}\n", grouped(more));
    }
    if let (true, Some(issue)) = (first, group.samples.first()) {
        text += &advice(issue);
    }
    text
}

fn head(severity: Severity, code: &str, path: &str) -> String {
    let style = match severity {
        Severity::Error => AnsiColor::Red.on_default().bold(),
        Severity::Warning => AnsiColor::Yellow.on_default().bold(),
        _ => AnsiColor::Cyan.on_default().bold(),
    };
    let path = if path.is_empty() { "(the whole)".into() } else { escaped(path) };
    format!("{style}{severity}[{code}]{style:#} {BOLD}{path}{BOLD:#}")
}

fn place(issue: &Issue) -> String {
    let event = if issue.event == 0 { String::new() } else { format!(", event {}", issue.event) };
    let (source, line, byte) = (escaped(&issue.source), issue.line, issue.byte);
    format!("{DIM}-->{DIM:#} {source}:{line} {DIM}(byte {byte}{event}){DIM:#}\n")
}

/// What follows from a finding, and what to do.
fn advice(issue: &Issue) -> String {
    let mut text = String::new();
    for (label, what) in [("SecOps", issue.effect), ("to do", &*issue.advice)] {
        if !what.is_empty() {
            text += &format!("  {DIM}= {label}:{DIM:#} {}\n", escaped(what));
        }
    }
    text
}

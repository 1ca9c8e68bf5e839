//! Findings for other tools: JUnit, SARIF, JSON, Markdown, GitLab's code quality and GitHub's annotations; and for a
//! person.

mod github;
mod gitlab;
mod json;
mod junit;
mod markdown;
mod sarif;
mod text;

pub(crate) use github::text as annotations;
pub(crate) use text::text as for_people;

use crate::check::findings::{Findings, Issue};
use std::collections::HashMap;

/// A report for another tool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Junit,
    Sarif,
    Json,
    Markdown,
    Gitlab,
}

impl Kind {
    pub(crate) const ALL: [(&'static str, Kind); 5] = [
        ("junit", Kind::Junit),
        ("sarif", Kind::Sarif),
        ("json", Kind::Json),
        ("markdown", Kind::Markdown),
        ("gitlab", Kind::Gitlab),
    ];

    pub(crate) fn text(self, findings: &Findings) -> String {
        match self {
            Kind::Junit => junit::text(findings),
            Kind::Sarif => sarif::text(findings),
            Kind::Json => json::text(findings),
            Kind::Markdown => markdown::text(findings),
            Kind::Gitlab => gitlab::text(findings),
        }
    }
}

/// What was found, with the path before it.
fn sentence(issue: &Issue) -> String {
    if issue.path.is_empty() { issue.message.clone() } else { format!("{}: {}", issue.path, issue.message) }
}

/// Fingerprints that no two findings of a report have in common: what a finding is about, its file, and the how many-th
/// of its like in that file it is.
#[derive(Default)]
struct Occurrences<'f>(HashMap<(String, &'f str), u64>);

impl<'f> Occurrences<'f> {
    fn of(&mut self, issue: &'f Issue) -> String {
        let fingerprint = issue.fingerprint.to_string();
        let number = self.0.entry((fingerprint.clone(), &issue.source)).or_default();
        *number += 1;
        let file = crate::check::fingerprint::Fingerprint::of("", "", &[&issue.source]).to_string();
        format!("{fingerprint}:{}:{number}", &file[..8])
    }
}

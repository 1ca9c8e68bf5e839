//! Findings for other tools: JUnit, SARIF, JSON, Markdown, GitLab's code quality and GitHub's annotations; and for a
//! person.

mod github;
mod gitlab;
mod json;
mod junit;
mod markdown;
mod sarif;
mod shared;
mod text;

pub(crate) use github::text as annotations;
pub(crate) use text::text as for_people;

use crate::check::findings::Findings;

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

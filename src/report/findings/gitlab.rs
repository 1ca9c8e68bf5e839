//! Findings as GitLab's code quality report, which is a part of Code Climate's format.

use crate::check::findings::Findings;
use crate::check::validate::Severity;
use crate::report::findings::shared::{Occurrences, in_checkout, sentence};
use crate::text::{escaped, escaped_json};
use serde_json::{Value, json};

pub(super) fn text(findings: &Findings) -> String {
    let mut occurrences = Occurrences::default();
    let mut all: Vec<Value> = findings
        .shown()
        .into_iter()
        .map(|(issue, count)| {
            let mut description = sentence(issue);
            if !issue.advice.is_empty() {
                description += &format!("; to do: {}", issue.advice);
            }
            if count > 1 {
                description += &format!(" ({count} of this kind)");
            }
            json!({
                "description": escaped(&description),
                "check_name": issue.code,
                "fingerprint": occurrences.of(issue),
                "severity": severity(issue.severity),
                "location": {
                    "path": escaped(&in_checkout(&issue.source)),
                    "lines": { "begin": issue.line.max(1) },
                },
            })
        })
        .collect();
    all.extend(findings.failures.iter().enumerate().map(|(place, failure)| {
        json!({
            "description": escaped(failure),
            "check_name": "input",
            "fingerprint": format!("input-{place}"),
            "severity": "blocker",
            "location": { "path": ".", "lines": { "begin": 1 } },
        })
    }));
    escaped_json(format!("{:#}\n", Value::Array(all)))
}

fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "major",
        Severity::Warning => "minor",
        Severity::Info | Severity::Off => "info",
    }
}

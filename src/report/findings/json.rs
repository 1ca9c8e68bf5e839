//! Findings as JSON.

use crate::check::findings::{Findings, SAMPLES};
use serde_json::json;

pub(super) fn text(findings: &Findings) -> String {
    let counts: Vec<_> = findings
        .counts
        .iter()
        .map(|((severity, code), n)| json!({"severity": severity.name(), "code": code, "count": n}))
        .collect();
    let groups: Vec<_> = findings
        .groups
        .sorted()
        .into_iter()
        .map(|(key, group)| {
            json!({
                "severity": key.severity.name(), "code": key.code, "path": key.path, "count": group.count,
                "samples": &group.samples[..group.samples.len().min(SAMPLES)],
            })
        })
        .collect();
    let mut report = json!({
        "udmap": env!("CARGO_PKG_VERSION"),
        "command": findings.command,
        "events": findings.events,
        "findings": findings.issues,
        "omitted": findings.omitted(),
        "known": findings.known,
        "counts": counts,
        "groups": groups,
        "cases": findings.cases,
        "failures": findings.failures,
        "seconds": findings.seconds,
        "exit_status": findings.exit_status,
    });
    if let Some(report) = report.as_object_mut() {
        report.extend(findings.extra.clone());
    }
    crate::text::escaped_json(format!("{report:#}\n"))
}

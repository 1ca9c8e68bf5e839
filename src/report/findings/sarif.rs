//! Findings as SARIF 2.1.0, for GitHub's code scanning and other viewers.

use super::Findings;
use crate::check::validate::{Code, Severity};
use crate::text::{escaped, escaped_json, percent_encoded_path};
use serde_json::{Value, json};

pub(super) fn text(findings: &Findings) -> String {
    let mut codes: Vec<&str> = findings.counts.keys().map(|(_, code)| *code).collect();
    codes.sort_unstable();
    codes.dedup();
    let place = |code: &str| codes.iter().position(|other| *other == code).unwrap_or(0);
    let results: Vec<Value> = findings
        .items
        .iter()
        .map(|item| {
            let path = if item.path.is_empty() { String::new() } else { format!("{}: ", item.path) };
            let mut result = json!({
                "ruleId": item.code,
                "ruleIndex": place(item.code),
                "level": level(item.severity),
                "message": { "text": message(&format!("{path}{}", item.message)) },
                "locations": [{
                    "physicalLocation": {
                        "artifactLocation": { "uri": uri(&item.source) },
                        // A line that is not known is left to the viewer; bytes are after decompression.
                        "region": { "startLine": item.line.max(1), "byteOffset": item.byte },
                    },
                }],
            });
            if !item.path.is_empty() {
                let logical = json!([{ "fullyQualifiedName": escaped(&item.path), "kind": "member" }]);
                result["locations"][0]["logicalLocations"] = logical;
            }
            result
        })
        .collect();
    let notifications: Vec<Value> = findings
        .failures
        .iter()
        .map(|failure| json!({ "level": "error", "message": { "text": message(failure) } }))
        .collect();
    let report = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "udmap",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": codes.iter().map(|code| rule(code)).collect::<Vec<_>>(),
            }},
            "invocations": [{
                "executionSuccessful": findings.failures.is_empty(),
                "exitCode": findings.exit_status,
                "toolExecutionNotifications": notifications,
            }],
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    });
    escaped_json(format!("{report:#}\n"))
}

/// A message as SARIF reads it: `{0}` stands for an argument and `[text](target)` for a link, unless they are written
/// otherwise (3.11.5, 3.11.6).
fn message(text: &str) -> String {
    let text = escaped(text);
    let links_end = text.rfind("](").unwrap_or(0);
    let digit = |c: char| c.is_ascii_digit();
    let mut message = String::with_capacity(text.len());
    for (at, c) in text.char_indices() {
        let inner = |part: &str, rest: &str| part.len() < rest.len();
        match c {
            // Braces around digits are doubled.
            '{' => {
                let rest = &text[at + 1..];
                let behind = rest.trim_start_matches(digit);
                message.push_str(if inner(behind, rest) && behind.starts_with('}') { "{{" } else { "{" });
            }
            '}' => {
                let rest = &text[..at];
                let before = rest.trim_end_matches(digit);
                message.push_str(if inner(before, rest) && before.ends_with('{') { "}}" } else { "}" });
            }
            '[' if at < links_end => message.push_str("\\["),
            c => message.push(c),
        }
    }
    message
}

fn rule(code: &str) -> Value {
    let Some(code) = Code::named(code) else {
        return json!({ "id": code, "shortDescription": { "text": code.replace('-', " ") } });
    };
    let about = code.about();
    json!({
        "id": about.name,
        "shortDescription": { "text": about.title },
        "fullDescription": { "text": format!("{}. In SecOps: {}", about.title, about.effect) },
        "help": { "text": format!("{} ({})", about.advice, about.source) },
        "defaultConfiguration": { "level": level(about.severity) },
    })
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "note",
        Severity::Off => "none",
    }
}

/// A path as a URI reference.
fn uri(path: &str) -> String {
    if cfg!(windows) { percent_encoded_path(&path.replace('\\', "/")) } else { percent_encoded_path(path) }
}

#[cfg(test)]
mod tests {
    use super::message;

    #[test]
    fn a_message_has_no_arguments_and_no_links() {
        for (text, written) in [
            ("ip[0]: `x`", "ip[0]: `x`"),
            ("{0} {a} {} {12}", "{{0}} {a} {} {{12}}"),
            ("[x](http://h) [y]", "\\[x](http://h) [y]"),
            ("a\nb", "a\\nb"),
        ] {
            assert_eq!(message(text), written);
        }
    }
}

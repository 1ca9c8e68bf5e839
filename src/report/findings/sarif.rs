//! Findings as SARIF 2.1.0, for GitHub's code scanning and other viewers.

use crate::check::findings::Findings;
use crate::check::validate::{Code, Severity};
use crate::report::findings::shared::{Occurrences, in_checkout, sentence};
use crate::text::{escaped, escaped_json, percent_encoded_path};
use serde_json::{Value, json};

pub(super) fn text(findings: &Findings) -> String {
    let mut codes: Vec<&str> = findings.counts.keys().map(|(_, code)| *code).collect();
    codes.sort_unstable();
    codes.dedup();
    let place = |code: &str| codes.iter().position(|other| *other == code).unwrap_or(0);
    let mut occurrences = Occurrences::default();
    let results: Vec<Value> = findings
        .shown()
        .into_iter()
        .map(|(issue, count)| {
            let mut text = sentence(issue);
            if !issue.advice.is_empty() {
                text += &format!("\nTo do: {}", issue.advice);
            }
            if count > 1 {
                text += &format!("\n{count} findings of this kind.");
            }
            // Each line by itself, so that each is escaped.
            let text = text.lines().map(message).collect::<Vec<_>>().join("\n");
            let fingerprint = occurrences.of(issue);
            let mut result = json!({
                "ruleId": issue.code,
                "ruleIndex": place(issue.code),
                "level": level(issue.severity),
                "message": { "text": text },
                "locations": [{
                    "physicalLocation": {
                        "artifactLocation": { "uri": uri(&in_checkout(&issue.source)) },
                        // A line that is not known is left to the viewer; bytes are after decompression.
                        "region": { "startLine": issue.line.max(1), "byteOffset": issue.byte },
                    },
                }],
                // The first is the one that GitHub reads.
                "partialFingerprints": { "primaryLocationLineHash": fingerprint, "udmap/v1": fingerprint },
                "properties": { "count": count },
            });
            if issue.column > 0 {
                result["locations"][0]["physicalLocation"]["region"]["startColumn"] = json!(issue.column);
            }
            if !issue.path.is_empty() {
                let logical = json!([{ "fullyQualifiedName": escaped(&issue.path), "kind": "member" }]);
                result["locations"][0]["logicalLocations"] = logical;
            }
            result
        })
        .collect();
    let notifications: Vec<Value> = findings
        .failures
        .iter()
        .map(|failure| ("error", failure))
        .chain(findings.left_out.iter().map(|line| ("note", line)))
        .map(|(level, text)| json!({ "level": level, "message": { "text": message(text) } }))
        .collect();
    let report = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "udmap",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "informationUri": env!("CARGO_PKG_REPOSITORY"),
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

/// A message as SARIF reads it: `{0}` is an argument and `[text](target)` for a link, unless they are written
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
        let text = code.replace('-', " ");
        return json!({ "id": code, "shortDescription": { "text": text }, "helpUri": help("in-ci") });
    };
    let about = code.about();
    json!({
        "id": about.name,
        "shortDescription": { "text": about.title },
        "fullDescription": { "text": format!("{}. In SecOps: {}", about.title, about.effect) },
        "helpUri": help("codes"),
        "help": { "text": format!("{} ({})", about.advice, about.source) },
        "defaultConfiguration": { "level": level(about.severity) },
    })
}

/// Where a part of the documentation is.
fn help(part: &str) -> String {
    concat!(env!("CARGO_PKG_REPOSITORY"), "/blob/v", env!("CARGO_PKG_VERSION"), "/docs/checks.md#").to_owned()
        + part
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "note",
        Severity::Off => "none",
    }
}

/// A path as a URI reference; a URL stays one.
fn uri(path: &str) -> String {
    let path = crate::text::without_passwords(path);
    if let Some((scheme, rest)) = path.split_once("://") {
        return format!("{scheme}://{}", percent_encoded_path(rest));
    }
    if cfg!(windows) { percent_encoded_path(&path.replace('\\', "/")) } else { percent_encoded_path(&path) }
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

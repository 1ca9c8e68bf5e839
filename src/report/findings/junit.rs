//! Findings as JUnit XML, as Jenkins and GitLab read it: a test case for each input or case, which
//! fails if an error was found in it.

use crate::check::findings::{Findings, Issue, SAMPLES};
use crate::check::validate::Severity;
use crate::report::findings::shared::{in_checkout, sentence};
use crate::text::escaped;
use std::collections::HashMap;
use std::fmt::Write as _;

pub(super) fn text(findings: &Findings) -> String {
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let failed = findings.cases.iter().filter(|case| case.errors > 0).count();
    let (tests, errors) = (findings.cases.len() + findings.failures.len(), findings.failures.len());
    let name = format!("udmap {}", findings.command);
    let head = format!(
        "tests=\"{tests}\" failures=\"{failed}\" errors=\"{errors}\" time=\"{:.3}\"",
        findings.seconds
    );
    // Writing to a string can't fail.
    let _ = writeln!(xml, "<testsuites name=\"{name}\" {head}>\n  <testsuite name=\"{name}\" {head}>");
    let mut of_case: Vec<Vec<&Issue>> = vec![Vec::new(); findings.cases.len()];
    for issue in &findings.issues {
        if let Some(issues) = of_case.get_mut(issue.case) {
            issues.push(issue);
        }
    }
    for (place, case) in findings.cases.iter().enumerate() {
        let _ = write!(
            xml,
            "    <testcase classname=\"udmap.{}\" name=\"{}\" file=\"{}\" time=\"{:.3}\"",
            findings.command,
            xml_of(&case.name),
            xml_of(&in_checkout(&case.file)),
            case.seconds
        );
        let (errors, others): (Vec<&Issue>, Vec<&Issue>) =
            of_case[place].iter().partition(|issue| issue.severity == Severity::Error);
        if case.errors == 0 && others.is_empty() {
            xml.push_str("/>\n");
            continue;
        }
        xml.push_str(">\n");
        if case.errors > 0 {
            let kind = errors.first().map_or("error", |issue| issue.code);
            let message =
                if case.errors == 1 { "1 error".to_owned() } else { format!("{} errors", case.errors) };
            let _ = write!(xml, "      <failure type=\"{kind}\" message=\"{message}\">");
            lines(&errors, case.errors, findings.all, &mut xml);
            xml.push_str("</failure>\n");
        }
        if !others.is_empty() {
            xml.push_str("      <system-out>");
            lines(&others, others.len() as u64, findings.all, &mut xml);
            xml.push_str("</system-out>\n");
        }
        xml.push_str("    </testcase>\n");
    }
    for failure in &findings.failures {
        let failure = xml_of(failure);
        let _ = writeln!(
            xml,
            "    <testcase classname=\"udmap.{}\" name=\"{failure}\" time=\"0\">\n      \
             <error type=\"input\" message=\"{failure}\"/>\n    </testcase>",
            findings.command
        );
    }
    if !findings.left_out.is_empty() {
        xml.push_str("    <system-out>");
        for line in &findings.left_out {
            let _ = writeln!(xml, "{}", xml_of(line));
        }
        xml.push_str("</system-out>\n");
    }
    xml.push_str("  </testsuite>\n</testsuites>\n");
    xml
}

/// The findings of a case: all, or three of each kind. `count` of them were found.
fn lines(issues: &[&Issue], count: u64, all: bool, xml: &mut String) {
    let (mut kinds, mut shown) = (HashMap::new(), 0);
    for issue in issues {
        let kind: &mut u64 = kinds.entry(issue.key()).or_default();
        *kind += 1;
        if all || *kind <= SAMPLES as u64 {
            shown += 1;
            let (place, what) = (format!("{}:{}", issue.source, issue.line), sentence(issue));
            let advice = if issue.advice.is_empty() {
                "".into()
            } else {
                xml_of(&format!("; to do: {}", issue.advice))
            };
            let _ = writeln!(
                xml,
                "{}: {}[{}] {}{advice}",
                xml_of(&place),
                issue.severity,
                issue.code,
                xml_of(&what)
            );
        }
    }
    if count > shown {
        let _ = writeln!(xml, "... and {} more", count - shown);
    }
}

/// `text` on one line as it can stand in XML 1.0, which has no way to write most control characters.
fn xml_of(text: &str) -> String {
    let mut xml = String::with_capacity(text.len());
    for c in escaped(text).chars() {
        match c {
            '&' => xml.push_str("&amp;"),
            '<' => xml.push_str("&lt;"),
            '>' => xml.push_str("&gt;"),
            '"' => xml.push_str("&quot;"),
            ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'.. => xml.push(c),
            _ => xml.push('\u{fffd}'),
        }
    }
    xml
}

//! Findings as Markdown, for the summary of a job or a comment.

use crate::check::findings::{Findings, SAMPLES};
use crate::check::validate::Severity;
use crate::report::summary::{counted, grouped};
use crate::text::escaped;
use std::fmt::Write as _;

/// How many kinds of findings are shown.
const MOST: usize = 50;

pub(super) fn text(findings: &Findings) -> String {
    let mut text = String::new();
    let errors = findings.of(Severity::Error);
    let verdict = if errors == 0 && findings.failures.is_empty() { "passed" } else { "failed" };
    // Writing to a string can't fail.
    let _ = writeln!(
        text,
        "## udmap {}: {verdict}\n\n{}, {}, {}\n",
        findings.command,
        counted(findings.events, "event"),
        counted(errors, "error"),
        counted(findings.of(Severity::Warning), "warning"),
    );
    for failure in &findings.failures {
        let _ = writeln!(text, "- {}", code(failure));
    }
    for line in &findings.left_out {
        let _ = writeln!(text, "- {}", code(line));
    }
    if !(findings.failures.is_empty() && findings.left_out.is_empty()) {
        text.push('\n');
    }
    if findings.known > 0 {
        let _ =
            writeln!(text, "{} in the baseline are left out.\n", counted(findings.known, "known finding"));
    }
    let groups = findings.groups.sorted();
    if !groups.is_empty() {
        text.push_str("| severity | code | UDM path | count | what | where |\n|---|---|---|--:|---|---|\n");
    }
    for (key, group) in groups.iter().take(MOST) {
        let places =
            group.samples.iter().take(SAMPLES).map(|issue| code(&format!("{}:{}", issue.source, issue.line)));
        let what = group.samples.first().map_or(String::new(), |issue| code(&issue.message));
        let (severity, count) = (key.severity, grouped(group.count));
        let _ = writeln!(
            text,
            "| {severity} | `{}` | {} | {count} | {what} | {} |",
            key.code,
            code(&key.path),
            places.collect::<Vec<_>>().join(" ")
        );
    }
    if let Some(more @ 1..) = groups.len().checked_sub(MOST) {
        let _ = writeln!(text, "\n... and {} more kinds", grouped(more as u64));
    }
    if findings.all && !findings.issues.is_empty() {
        text.push_str("\n| where | severity | code | UDM path | what |\n|---|---|---|---|---|\n");
        for issue in &findings.issues {
            let _ = writeln!(
                text,
                "| {} | {} | `{}` | {} | {} |",
                code(&format!("{}:{}", issue.source, issue.line)),
                issue.severity,
                issue.code,
                code(&issue.path),
                code(&issue.message)
            );
        }
        if findings.omitted() > 0 {
            let _ = writeln!(text, "\n... and {} more", grouped(findings.omitted()));
        }
    }
    text
}

/// `text` as code, in which nothing is markup: no link, image, mention or end of a cell.
fn code(text: &str) -> String {
    if text.is_empty() {
        return String::new();
    }
    let text = escaped(text);
    if !text.contains(['`', '|', '\\']) {
        return format!("`{text}`");
    }
    // Between backticks there is no way to write these three in a table.
    let mut html = String::from("<code>");
    for c in text.chars() {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            // Punctuation may begin markup; as an entity none does.
            '!' | '#' | '$' | '*' | '[' | ']' | '(' | ')' | '\\' | '^' | '_' | '`' | '{' | '|' | '}'
            | '~' | '@' | ':' => {
                let _ = write!(html, "&#{};", u32::from(c));
            }
            c => html.push(c),
        }
    }
    html + "</code>"
}

#[cfg(test)]
mod tests {
    use super::code;

    #[test]
    fn nothing_in_code_is_markup() {
        for (text, markdown) in [
            ("", ""),
            ("principal.ip[0]", "`principal.ip[0]`"),
            ("<b>![x](http://h)", "`<b>![x](http://h)`"),
            ("a\nb", "<code>a&#92;nb</code>"),
            ("`x` | \\| @y", "<code>&#96;x&#96; &#124; &#92;&#124; &#64;y</code>"),
            ("`<b>", "<code>&#96;&lt;b&gt;</code>"),
        ] {
            assert_eq!(code(text), markdown);
        }
    }
}

//! What is wrong with a case, as findings.

use super::layouts::TestCase;
use super::outcome::{Event, Outcome};
use crate::check::compare::Side;
use crate::check::diff::Matched;
use crate::check::findings::Issue;
use crate::text::shown;

/// A case's differences as findings. Their place is in the expected file, where that has an event for them.
pub(crate) fn issues(case: &TestCase, outcome: &Outcome) -> Vec<Issue> {
    let expected = case.expected.to_string_lossy().into_owned();
    let raw = case.raw.to_string_lossy().into_owned();
    let issue = |code, path: &str, source: &str, line, byte, message: String, content: &str| {
        Issue::difference(code, path, (source, line, byte), message, &[content])
    };
    let given = outcome.given();
    let mut issues = Vec::new();
    if outcome.unchecked {
        let message = format!("there is no `{expected}` that says what the case expects");
        issues.push(issue("no-expected", "", &raw, 0, 0, message, ""));
    }
    for log in outcome.faulty_logs() {
        let parser = outcome.parsed.as_ref().map_or("", |parsed| parsed.parser.as_str());
        let message = format!("log {}: {}", log.log, log.message);
        let (source, (line, column)) = match log.at {
            Some(at) => (parser, at),
            None => (raw.as_str(), (0, 0)),
        };
        let found = issue(log.end.code(), "", source, u64::from(line), 0, message, &log.message);
        issues.push(Issue { column: u64::from(column), ..found });
    }
    // A log of a parser has a number, which need not be its line.
    let given_line = |event: &Event| if outcome.parsed.is_some() { 0 } else { event.line };
    let of_log = |event: &Event| match outcome.parsed {
        Some(_) => format!(" of log {}", event.line),
        None => String::new(),
    };
    for matched in &outcome.differences {
        match matched {
            Matched::Pair { a, differences, .. } => {
                for difference in differences {
                    let side = |value: &Option<String>| value.as_deref().map_or("nothing".into(), shown);
                    let message = format!("expected {}, given {}", side(&difference.a), side(&difference.b));
                    let line = outcome.expected[*a].line;
                    let (code, path) = (difference.how.name(), &difference.path);
                    let content = format!("{:?}", (&difference.a, &difference.b));
                    issues.push(issue(code, path, &expected, line, 0, message, &content));
                }
            }
            Matched::Copy { side, place, in_a, in_b } => {
                let message = format!("the event is expected {in_a} times and given {in_b} times");
                let (source, line, event) = match side {
                    Side::A => (&expected, outcome.expected[*place].line, &outcome.expected[*place]),
                    Side::B => (&raw, given_line(given[*place]), given[*place]),
                };
                issues.push(issue("doubled", "event", source, line, 0, message, &event.text));
            }
            Matched::Only { side: Side::A, place } => {
                let event = &outcome.expected[*place];
                let message = "no such event is given".into();
                issues.push(issue("only-in-a", "event", &expected, event.line, 0, message, &event.text));
            }
            Matched::Only { side: Side::B, place } => {
                let event = given[*place];
                let message = format!("no such event{} is expected", of_log(event));
                issues.push(issue("only-in-b", "event", &raw, given_line(event), 0, message, &event.text));
            }
        }
    }
    if !outcome.rejects_agree() {
        let [missing, others] = outcome.other_rejects();
        for reject in missing {
            let message = format!("no reject `{}` is given here", reject.reason);
            let content = message.clone();
            issues.push(issue("reject", "", &raw, reject.line, reject.offset, message, &content));
        }
        for reject in others {
            let message = format!("the record is rejected: {}", reject.reason);
            let content = format!("{message} {}", outcome.record_of(reject));
            issues.push(issue("reject", "", &raw, reject.line, reject.offset, message, &content));
        }
    }
    issues
}

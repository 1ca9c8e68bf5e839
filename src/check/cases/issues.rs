//! What is wrong with a case, as findings.

use super::layouts::TestCase;
use super::outcome::Outcome;
use crate::check::compare::Side;
use crate::check::diff::Matched;
use crate::check::findings::Issue;
use crate::text::shown;

/// A case's differences as findings. Their place is in the expected file, where that has an event for them.
pub(crate) fn issues(case: &TestCase, outcome: &Outcome) -> Vec<Issue> {
    let expected = case.expected.to_string_lossy().into_owned();
    let raw = case.raw.to_string_lossy().into_owned();
    let issue = |code, path: &str, source: &str, line, byte, message: String| {
        Issue::difference(code, path, (source, line, byte), message)
    };
    let given = outcome.given();
    let mut issues = Vec::new();
    if outcome.unchecked {
        let message = format!("there is no `{expected}` that says what the case expects");
        issues.push(issue("no-expected", "", &raw, 0, 0, message));
    }
    for matched in &outcome.differences {
        match matched {
            Matched::Pair { a, differences, .. } => {
                for difference in differences {
                    let side = |value: &Option<String>| value.as_deref().map_or("nothing".into(), shown);
                    let message = format!("expected {}, given {}", side(&difference.a), side(&difference.b));
                    let line = outcome.expected[*a].line;
                    issues.push(issue(difference.how.name(), &difference.path, &expected, line, 0, message));
                }
            }
            Matched::Copy { side, place, in_a, in_b } => {
                let message = format!("the event is expected {in_a} times and given {in_b} times");
                let (source, line) = match side {
                    Side::A => (&expected, outcome.expected[*place].line),
                    Side::B => (&raw, given[*place].line),
                };
                issues.push(issue("doubled", "event", source, line, 0, message));
            }
            Matched::Only { side: Side::A, place } => {
                let line = outcome.expected[*place].line;
                issues.push(issue("only-in-a", "event", &expected, line, 0, "no such event is given".into()));
            }
            Matched::Only { side: Side::B, place } => {
                let line = given[*place].line;
                issues.push(issue("only-in-b", "event", &raw, line, 0, "no such event is expected".into()));
            }
        }
    }
    if !outcome.rejects_agree() {
        let [missing, others] = outcome.other_rejects();
        for reject in missing {
            let message = format!("no reject `{}` is given here", reject.reason);
            issues.push(issue("reject", "", &raw, reject.line, reject.offset, message));
        }
        for reject in others {
            let message = format!("the record is rejected: {}", reject.reason);
            issues.push(issue("reject", "", &raw, reject.line, reject.offset, message));
        }
    }
    issues
}

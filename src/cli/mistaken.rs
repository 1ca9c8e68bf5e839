//! One hint where a raw log is given for events, or events for a raw log: what it is, and what to do.

use crate::check::cases::TestCase;
use crate::check::mistaken::{LogOrEvents, Mistaken, MistakenInput};
use crate::text::escaped;

/// Says that an input is not events, where a command reads only events.
pub(super) fn hint_no_events(found: Option<MistakenInput>) {
    let Some(found) = found else { return };
    match found.content {
        LogOrEvents::CaseLogs => say!("hint: {}: {}", not_events(&found), TO_CASES),
        _ => {
            let file = argument(&found.name);
            say!("hint: {}: convert it first, `udmap convert {file} | udmap validate -`", not_events(&found));
        }
    }
}

/// Says that an input is not a raw log, where a command reads only raw logs.
pub(super) fn hint_no_raw_log(found: Option<MistakenInput>) {
    let Some(found) = found else { return };
    match found.content {
        LogOrEvents::CaseLogs => say!("hint: {} {}: {}", named(&found), CASE_LOGS, TO_CASES),
        _ => say!("hint: {}: `udmap validate {}` checks events", not_raw_log(&found), argument(&found.name)),
    }
}

/// Says what the two sets of a comparison are, if that is not what was expected; A is expected to be a raw log if `raw`.
pub(super) fn hint_sets([a, b]: [Option<MistakenInput>; 2], raw: bool) {
    let case_logs =
        |set: &Option<MistakenInput>| set.as_ref().is_some_and(|set| set.content == LogOrEvents::CaseLogs);
    if let Some(set) = a.iter().chain(&b).find(|set| set.content == LogOrEvents::CaseLogs)
        && (case_logs(&a) || case_logs(&b))
    {
        say!("hint: {} {}: {}", named(set), CASE_LOGS, TO_CASES);
        return;
    }
    match (a, b, raw) {
        (None, None, _) => {}
        (Some(a), None, false) => {
            say!(
                "hint: {}: with `--raw`, A is a raw log, and what the mapping makes of it is compared",
                not_events(&a)
            );
        }
        (None, Some(b), _) => {
            let (what, file) = (not_events(&b), argument(&b.name));
            let advice = if raw { "" } else { ", or give it as A with `--raw`" };
            say!("hint: B: {what}: convert it first, `udmap convert {file} -o events.ndjson`{advice}");
        }
        (Some(a), Some(_), false) => {
            say!("hint: A and B: {} and so does B: convert both first (`udmap convert`)", not_events(&a));
        }
        (Some(a), None, true) => say!("hint: A: {}: leave out `--raw`", not_raw_log(&a)),
        (Some(a), Some(b), true) => {
            say!(
                "hint: {}, and {}: give the raw log as A and the events as B",
                not_raw_log(&a),
                not_events(&b)
            );
        }
    }
}

/// Sees which cases of `udmap test` have their log or their events in the wrong place.
#[derive(Debug)]
pub(super) struct MistakenCases {
    logs: Mistaken,
    expected: Mistaken,
    looks: usize,
}

impl Default for MistakenCases {
    fn default() -> MistakenCases {
        MistakenCases { logs: Mistaken::for_raw_logs(), expected: Mistaken::for_events(), looks: 0 }
    }
}

impl MistakenCases {
    /// Looks at a case that fails, unless many have.
    pub(super) fn look(&mut self, case: &TestCase) {
        const MOST: usize = 20;
        self.looks += 1;
        if self.looks > MOST {
            return;
        }
        // What can't be read has been reported.
        for log in case.logs().unwrap_or_default().iter().take(1) {
            self.logs.look_into(&case.raw.to_string_lossy(), log);
        }
        for text in case.expected().unwrap_or_default().iter().take(1) {
            self.expected.look_into(&case.expected.to_string_lossy(), text);
        }
    }

    /// Says what was seen.
    pub(super) fn hint(&self) {
        hint_case(self.logs.found(), self.expected.found());
    }
}

fn hint_case(log: Option<MistakenInput>, expected: Option<MistakenInput>) {
    match (log, expected) {
        (None, None) => {}
        (Some(log), None) => say!("hint: the log of a case: {}", not_raw_log(&log)),
        (None, Some(file)) => say!("hint: the expected file of a case: {}", not_events(&file)),
        (Some(log), Some(file)) => {
            say!(
                "hint: a case's log and its expected file are the other way round: {}, and {}",
                not_raw_log(&log),
                not_events(&file)
            );
        }
    }
}

const CASE_LOGS: &str = "is a case's raw logs, as content-hub keeps them";
const TO_CASES: &str =
    "`udmap test DIR` converts them and compares the events, where DIR is the parser's folder";

fn not_events(found: &MistakenInput) -> String {
    match found.content {
        LogOrEvents::CaseLogs => format!("{} {CASE_LOGS}, not UDM events", named(found)),
        _ => format!("{} looks like a raw log, not UDM events", named(found)),
    }
}

fn not_raw_log(found: &MistakenInput) -> String {
    format!("{} holds UDM events, not a raw log", named(found))
}

/// The input, and how many more there are like it.
fn named(found: &MistakenInput) -> String {
    let name = if found.name == "-" { "stdin".to_owned() } else { format!("`{}`", escaped(&found.name)) };
    match found.others {
        0 => name,
        1 => format!("{name} (and 1 more input like it)"),
        n => format!("{name} (and {n} more inputs like it)"),
    }
}

/// The input as an argument of a command, or a word for it.
fn argument(name: &str) -> &str {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:@%+,=".contains(&byte);
    if name.len() <= 200 && name.bytes().all(plain) { name } else { "FILE" }
}

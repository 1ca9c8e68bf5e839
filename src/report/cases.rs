//! The differences of a case: expected and given, side by side.

use crate::check::cases::{LogEnd, Outcome};
use crate::check::compare::{Difference, How, Side};
use crate::check::diff::Matched;
use crate::check::findings::{Findings, Issue};
#[cfg(feature = "parser")]
use crate::check::parsers::ParserCoverage;
use crate::check::paths::general;
use crate::report::summary::counted;
use crate::text::{escaped, shown_up_to};
use anstyle::{AnsiColor, Style};
use std::collections::{HashMap, VecDeque};
use std::fmt::Write as _;

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
const RED: Style = AnsiColor::Red.on_default();
const GREEN: Style = AnsiColor::Green.on_default();

/// How many differences of one kind are shown, in all cases together.
const SAMPLES: u64 = 3;

/// How many differences of each kind were shown.
#[derive(Debug)]
pub(crate) struct Shown {
    all: bool,
    /// Whether each of the next case's differences is new, in their order.
    pub(crate) new: VecDeque<bool>,
    counts: HashMap<(&'static str, String), u64>,
    /// How many were not shown, because enough of their kind were.
    pub(crate) left_out: u64,
}

impl Shown {
    /// None were shown yet; `all` are to be, or three of each kind.
    pub(crate) fn new(all: bool) -> Shown {
        Shown { all, new: VecDeque::new(), counts: HashMap::new(), left_out: 0 }
    }

    /// Whether the next difference, which is of this kind, is shown.
    fn takes(&mut self, code: &'static str, path: &str) -> bool {
        if !self.new.pop_front().unwrap_or(true) {
            return false;
        }
        let count = self.counts.entry((code, general(path))).or_default();
        *count += 1;
        let takes = self.all || *count <= SAMPLES;
        self.left_out += u64::from(!takes);
        takes
    }
}

/// The case's differences as text of at most `width` columns; of each kind no more than are still to be shown.
pub(crate) fn text(outcome: &Outcome, width: usize, shown: &mut Shown) -> String {
    let (mut text, before) = (String::new(), shown.left_out);
    // Writing to a string can't fail.
    let _ = write(outcome, width, shown, &mut text);
    if let Some(more @ 1..) = shown.left_out.checked_sub(before) {
        let _ = writeln!(text, "    {DIM}... and {more} more like those above (`--all` shows them){DIM:#}");
    }
    text
}

/// How many differences there are of each kind.
pub(crate) fn kinds(findings: &Findings) -> String {
    let mut text = String::from("differences by kind:\n");
    for (key, group) in findings.groups.sorted() {
        let count = counted(group.count, "time");
        let _ = writeln!(text, "  {}  {}  {count}", key.code, escaped(&key.path));
    }
    text
}

/// What a parser's logs without events did, behind a case that passes all the same.
pub(crate) fn eventless(outcome: &Outcome) -> String {
    let logs = outcome.parsed.iter().flat_map(|parsed| &parsed.eventless);
    let [mut failed, mut dropped, mut without] = [0; 3];
    for log in logs {
        match log.end {
            LogEnd::Failed => failed += 1,
            LogEnd::Dropped => dropped += 1,
            LogEnd::NoOutput => without += 1,
        }
    }
    let parts = [(failed, "failed"), (dropped, "dropped"), (without, "without output")];
    let parts = parts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}"));
    let parts = parts.collect::<Vec<_>>().join(", ");
    if parts.is_empty() { parts } else { format!("  (logs without an event: {parts})") }
}

/// Why a parser does not load, in lines.
pub(crate) fn of_parser(issue: &Issue) -> String {
    let Issue { line, column, message, advice, .. } = issue;
    let at = if *line > 0 { format!(":{line}:{column}") } else { String::new() };
    let hint = if advice.is_empty() { String::new() } else { format!("    hint: {advice}\n") };
    format!("    {}{at}: {message}\n{hint}", escaped(&issue.source))
}

/// How much of a parser was reached, and with `all`, what was not.
#[cfg(feature = "parser")]
pub(crate) fn coverage_of_parser(coverage: &ParserCoverage, all: bool) -> String {
    let ParserCoverage { parser, statements: [reached, count], branches: [taken, ways], unreached } =
        coverage;
    let mut text = format!(
        "coverage of `{}`: {reached} of {count} statements, {taken} of {ways} branches\n",
        escaped(parser)
    );
    for part in unreached.iter().filter(|_| all) {
        let _ = writeln!(text, "  never reached: {}", escaped(part));
    }
    text
}

/// The same for the JSON report.
#[cfg(feature = "parser")]
pub(crate) fn json_of_parser(coverage: &ParserCoverage) -> serde_json::Value {
    let counts = |[reached, all]: [usize; 2]| serde_json::json!({"reached": reached, "all": all});
    serde_json::json!({
        "parser": coverage.parser,
        "statements": counts(coverage.statements),
        "branches": counts(coverage.branches),
        "never_reached": coverage.unreached,
    })
}

fn write(outcome: &Outcome, width: usize, shown: &mut Shown, to: &mut String) -> std::fmt::Result {
    if outcome.unchecked && shown.takes("no-expected", "") {
        writeln!(to, "    there is no file that says what the case expects")?;
    }
    for log in outcome.faulty_logs() {
        if !shown.takes(log.end.code(), "") {
            continue;
        }
        writeln!(to, "  {BOLD}log {}{BOLD:#}", log.log)?;
        let parser = outcome.parsed.as_ref().map_or("", |parsed| parsed.parser.as_str());
        let at =
            log.at.map_or(String::new(), |(line, column)| format!("{}:{line}:{column}: ", escaped(parser)));
        writeln!(to, "    {at}{}", escaped(&log.message))?;
    }
    let record = if outcome.parsed.is_some() { "log" } else { "record of line" };
    let given = outcome.given();
    let paths = outcome.differences.iter().flat_map(|matched| match matched {
        Matched::Pair { differences, .. } => differences.as_slice(),
        _ => &[],
    });
    let longest = paths.map(|difference| difference.path.chars().count()).max().unwrap_or(0);
    let first = longest.clamp(10, (width / 2).max(10));
    let column = (width.saturating_sub(first + 8) / 2).max(16);
    let row = |to: &mut String, path: &str, a: &str, b: &str| {
        let (cells_a, cells_b) = (wrapped(a, column), wrapped(b, column));
        for line in 0..cells_a.len().max(cells_b.len()) {
            let (a, b) = (cells_a.get(line), cells_b.get(line));
            let path = if line == 0 { escaped(path) } else { "".into() };
            let (a, b) = (a.map_or("", String::as_str), b.map_or("", String::as_str));
            writeln!(to, "    {path:first$}  {RED}{a:column$}{RED:#}  {GREEN}{b}{GREEN:#}")?;
        }
        Ok(())
    };
    if !outcome.differences.is_empty() {
        writeln!(to, "    {DIM}{:first$}  {:column$}  given{DIM:#}", "UDM path", "expected")?;
    }
    for matched in &outcome.differences {
        match matched {
            Matched::Pair { a, b, differences } => {
                let shown = |d: &&Difference| shown.takes(d.how.name(), &d.path);
                let differences: Vec<&Difference> = differences.iter().filter(shown).collect();
                if differences.is_empty() {
                    continue;
                }
                let (expected, given) = (outcome.expected[*a].line, given[*b].line);
                writeln!(to, "  {BOLD}expected line {expected}, {record} {given}{BOLD:#}")?;
                for difference in differences {
                    let side = |value: &Option<String>| value.clone().unwrap_or_else(|| "(nothing)".into());
                    let (a, b) = (side(&difference.a), side(&difference.b));
                    row(to, &difference.path, &a, &b)?;
                    if difference.how == How::Order {
                        writeln!(to, "    {:first$}  {DIM}(the same elements in another order){DIM:#}", "")?;
                    }
                }
            }
            Matched::Copy { .. } if !shown.takes("doubled", "event") => {}
            Matched::Copy { side, place, in_a, in_b } => {
                let (what, line) = match side {
                    Side::A => ("line", outcome.expected[*place].line),
                    Side::B if outcome.parsed.is_some() => ("log", given[*place].line),
                    Side::B => ("line", given[*place].line),
                };
                writeln!(
                    to,
                    "  {BOLD}{what} {line}{BOLD:#}: the event is expected {in_a} times and given {in_b} times"
                )?;
            }
            Matched::Only { side: Side::A, .. } if !shown.takes("only-in-a", "event") => {}
            Matched::Only { side: Side::B, .. } if !shown.takes("only-in-b", "event") => {}
            Matched::Only { side: Side::A, place } => {
                let event = &outcome.expected[*place];
                writeln!(to, "  {BOLD}expected line {}{BOLD:#}: no such event is given", event.line)?;
                row(to, "event", &event.text, "(nothing)")?;
            }
            Matched::Only { side: Side::B, place } => {
                writeln!(to, "  {BOLD}{record} {}{BOLD:#}: no such event is expected", given[*place].line)?;
                row(to, "event", "(nothing)", &given[*place].text)?;
            }
        }
    }
    if !outcome.rejects_agree() {
        let [expected, given] = outcome.other_rejects();
        writeln!(to, "  {BOLD}rejects{BOLD:#}")?;
        for (mark, style, rejects) in [('-', RED, expected), ('+', GREEN, given)] {
            for reject in rejects.into_iter().filter(|_| shown.takes("reject", "")) {
                let (line, offset, reason) = (reject.line, reject.offset, escaped(&reject.reason));
                writeln!(to, "    {style}{mark} line {line}, byte {offset}: {reason}{style:#}")?;
            }
        }
    }
    Ok(())
}

/// `text` in lines of at most `width` characters, broken between words where that is possible; at most six of them.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    const MOST: usize = 6;
    let text: Vec<char> = shown_up_to(text, MOST * width).chars().collect();
    // A line may begin with what was in the middle of the text.
    let line = |line: &[char]| escaped(&line.iter().collect::<String>()).into_owned();
    let (mut lines, mut rest) = (Vec::new(), &text[..]);
    while rest.len() > width {
        // A line that would be half empty is broken inside of a word.
        let space = rest[..width].iter().rposition(|c| *c == ' ').filter(|at| *at > width / 2);
        let (first, others) = rest.split_at(space.map_or(width, |at| at + 1));
        lines.push(line(first));
        rest = others;
    }
    if !rest.is_empty() {
        lines.push(line(rest));
    }
    if lines.len() > MOST {
        lines.truncate(MOST);
        if let Some(last) = lines.last_mut() {
            last.pop();
            last.push('…');
        }
    }
    if lines.is_empty() { vec![String::new()] } else { lines }
}

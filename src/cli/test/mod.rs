//! `udmap test`: a mapping against cases.

mod bless;
mod layouts;
mod outcome;
mod show;

use super::coverage::Coverage;
use super::diff::RuleArgs;
use super::reports::{Reports, print_all};
use super::{DONE, REJECTS, mappings};
use crate::convert::{Converter, Engine, FieldNames, Options};
use crate::report::findings::{Case as Checked, Findings, Item};
use crate::report::summary::counted;
use crate::udm::compare::{Matched, Side};
use layouts::Case;
use outcome::Outcome;
use std::time::Instant;

/// Run a mapping over cases and compare the events with the expected ones, by meaning.
///
/// DIR holds cases in any of three layouts, at any depth: CASE/input.* with CASE/events.ndjson (and rejects.ndjson);
/// content-hub's raw_logs/CASE_log.json with expected_events/CASE_events.json; secops-toolkit's logs/CASE.txt with
/// events/CASE.yaml. Expected files are rewritten only with --bless.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Exit status:
  0  every case gives what it expects
  1  a case differs, or, with --full-coverage, a part of the table is never exercised
  2  could not do it: usage, mapping, no cases, or an unreadable file

Examples:
  udmap test fixtures
  udmap test parsers/DUO_TELEPHONY --mapping mine.toml --report junit=junit.xml
  udmap test fixtures --bless && git diff")]
pub(super) struct Args {
    /// The folder with the cases.
    #[arg(value_name = "DIR")]
    folder: String,

    /// The mapping table: a built-in one's name, or a file.
    #[arg(long, value_name = "NAME|FILE", default_value = "duo_telephony")]
    mapping: String,

    #[command(flatten)]
    rules: RuleArgs,

    /// Rewrite the expected files of the cases that differ.
    #[arg(long)]
    bless: bool,

    /// Fail if a part of the table is never exercised by any case.
    #[arg(long)]
    full_coverage: bool,

    #[command(flatten)]
    reports: Reports,

    /// Say nothing of cases that pass and nothing of coverage.
    #[arg(short, long)]
    quiet: bool,
}

pub(super) fn run(args: &Args) -> anyhow::Result<u8> {
    let mut outputs = args.reports.outputs()?;
    outputs.spare("--mapping", &args.mapping)?;
    let mapping = mappings::load(&args.mapping)?;
    let converter = |field_names| {
        Converter::new(&mapping, &Options { field_names, engine: Engine::Exact, ..Options::default() })
    };
    let (snake, camel) = (converter(FieldNames::Snake), converter(FieldNames::Camel));
    let fields = snake.plan().fields().iter().map(ToString::to_string).collect();
    let (mut coverage, rules) = (Coverage::new(&mapping, fields), args.rules.rules());
    let cases = layouts::find(&args.folder)?;
    if args.bless {
        for case in &cases {
            outputs.add("--bless", &case.expected.to_string_lossy())?;
            outputs
                .add_if("--bless", case.rejects().as_ref().map(|file| file.to_string_lossy()).as_deref())?;
        }
    }
    for case in &cases {
        outputs.spare("a case's log", &case.raw.to_string_lossy())?;
        if !args.bless {
            outputs.spare("a case's events", &case.expected.to_string_lossy())?;
        }
    }
    let start = Instant::now();
    let mut findings = Findings::new("test", args.reports.max_findings);
    let say = |text: &str| if args.reports.on_stdout() { Ok(()) } else { print_all(text) };
    let (mut failed, mut blessed) = (0, 0);
    for case in &cases {
        let begun = Instant::now();
        let outcome = Outcome::of(case, [&snake, &camel], &rules, &mut coverage)?;
        findings.events += outcome.given().len() as u64;
        if !outcome.passes() && args.bless {
            bless::bless(case, &outcome)?;
            blessed += 1;
            say(&format!("blessed {}\n", case.name))?;
        }
        let first = findings.items.len();
        let mut errors = 0;
        if !outcome.passes() && !args.bless {
            failed += 1;
            let style = super::RED;
            say(&format!("{style}FAIL{style:#} {}\n{}", case.name, show::text(&outcome, width())))?;
            for item in items(case, &outcome) {
                errors += 1;
                findings.add(item);
            }
        } else if outcome.passes() && !args.quiet {
            say(&format!("ok   {}\n", case.name))?;
        }
        let seconds = begun.elapsed().as_secs_f64();
        let items = first..findings.items.len();
        findings.cases.push(Checked { name: case.name.clone(), items, errors, seconds });
    }
    let unused: Vec<String> = coverage.unused().into_iter().map(str::to_owned).collect();
    if !args.quiet {
        let used = coverage.all() - unused.len();
        say(&format!("coverage of `{}`: {used} of {} parts\n", mapping.name(), coverage.all()))?;
        for part in &unused {
            say(&format!("  never exercised: {part}\n"))?;
        }
    }
    findings
        .extra
        .insert("coverage".into(), serde_json::json!({"parts": coverage.all(), "never_exercised": unused}));
    findings.seconds = start.elapsed().as_secs_f64();
    let uncovered = args.full_coverage && !unused.is_empty();
    findings.exit_status = if failed > 0 || uncovered { REJECTS } else { DONE };
    args.reports.write(&findings)?;
    let blessed = if blessed > 0 { format!(", {blessed} blessed") } else { String::new() };
    anstream::eprintln!("{}, {failed} failed{blessed}", counted(cases.len() as u64, "case"));
    if failed > 0 {
        anstream::eprintln!("hint: if the new events are right, `--bless` rewrites the expected files");
    }
    Ok(findings.exit_status)
}

/// How wide the terminal is.
fn width() -> usize {
    let columns = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    columns.unwrap_or(120).clamp(60, 240)
}

/// A case's differences as findings. They stand in the expected file, where there is an event for them.
fn items(case: &Case, outcome: &Outcome) -> Vec<Item> {
    let expected = case.expected.to_string_lossy().into_owned();
    let raw = case.raw.to_string_lossy().into_owned();
    let item = |code, path: &str, source: &str, line, byte, message: String| {
        Item::difference(code, path, (source, line, byte), message)
    };
    let given = outcome.given();
    let mut items = Vec::new();
    for matched in &outcome.differences {
        match matched {
            Matched::Pair { a, differences, .. } => {
                for difference in differences {
                    let side = |value: &Option<String>| {
                        value.as_deref().map_or("nothing".into(), crate::text::shown)
                    };
                    let message = format!("expected {}, given {}", side(&difference.a), side(&difference.b));
                    let line = outcome.expected[*a].line;
                    items.push(item(difference.how.name(), &difference.path, &expected, line, 0, message));
                }
            }
            Matched::Copy { side, place, in_a, in_b } => {
                let message = format!("the event is expected {in_a} times and given {in_b} times");
                let (source, line) = match side {
                    Side::A => (&expected, outcome.expected[*place].line),
                    Side::B => (&raw, given[*place].line),
                };
                items.push(item("doubled", "event", source, line, 0, message));
            }
            Matched::Only { side: Side::A, place } => {
                let line = outcome.expected[*place].line;
                items.push(item("only-in-a", "event", &expected, line, 0, "no such event is given".into()));
            }
            Matched::Only { side: Side::B, place } => {
                let line = given[*place].line;
                items.push(item("only-in-b", "event", &raw, line, 0, "no such event is expected".into()));
            }
        }
    }
    if !outcome.rejects_agree() {
        let expected = outcome.expected_rejects.as_deref().unwrap_or_default();
        for reject in expected.iter().filter(|reject| !outcome.rejects.contains(reject)) {
            let message = format!("no reject `{}` is given here", reject.reason);
            items.push(item("reject", "", &raw, reject.line, reject.offset, message));
        }
        for reject in outcome.rejects.iter().filter(|reject| !expected.contains(reject)) {
            let message = format!("the record is rejected: {}", reject.reason);
            items.push(item("reject", "", &raw, reject.line, reject.offset, message));
        }
    }
    items
}

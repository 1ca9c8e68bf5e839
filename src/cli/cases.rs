//! `udmap test`: a mapping against cases.

use super::baselines::BaselineArgs;
use super::diff::RuleArgs;
use super::inputs::InputOptions;
use super::mistaken::MistakenCases;
use super::nothing::{self, AllowEmpty};
use super::reports::{Reports, print_all};
use super::{DONE, REJECTS, case_inputs, mappings};
use crate::check::cases::{self, Cases, Outcome, WantedCases};
use crate::check::coverage::Coverage;
use crate::check::findings::Issue;
use crate::convert::{Converter, Engine, FieldNames, Options};
use crate::report::cases as report;
use crate::report::summary::counted;
use crate::text::escaped;
use std::collections::BTreeMap;
use std::time::Instant;

/// Run a mapping over cases and compare the values of its events with the expected ones.
///
/// DIR is a folder, the URL of a prefix (s3://bucket/prefix/) or a tar archive, and holds cases in any of three layouts,
/// at any depth: CASE/input.* with CASE/events.ndjson (and rejects.ndjson); content-hub's raw_logs/CASE_log.json with expected_events/CASE_events.json; secops-toolkit's logs/CASE.txt with
/// events/CASE.yaml. Cases of a parser whose metadata names another log type are left out. Expected files are rewritten
/// only with --bless.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Exit status:
  0  every case gives what it expects
  1  a case differs, a log or an expected file is alone, or, with --full-coverage, a part of the table is never
     exercised
  2  could not do it: usage, mapping, or an unreadable file
  3  there is no case, or nothing in any (`--allow-empty` makes it 0)

Examples:
  udmap test fixtures
  udmap test parsers/DUO_TELEPHONY --mapping mine.toml --report junit=junit.xml
  udmap test fixtures --bless && git diff")]
pub(super) struct Args {
    /// The folders with the cases, patterns over folders, URLs of prefixes, or tar archives of such folders.
    #[arg(value_name = "DIR", required = true)]
    folders: Vec<String>,

    #[command(flatten)]
    wanted: InputOptions,

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

    #[command(flatten)]
    baselines: BaselineArgs,

    #[command(flatten)]
    allow_empty: AllowEmpty,

    /// Say nothing of cases that pass and nothing of coverage.
    #[arg(short, long)]
    quiet: bool,
}

pub(super) fn run(args: &Args) -> anyhow::Result<u8> {
    let mut outputs = args.reports.outputs()?;
    outputs.spare("--mapping", &args.mapping)?;
    let (configuration, mut findings) = args.baselines.begin("test", &args.reports, &mut outputs)?;
    let mapping = mappings::load(&args.mapping)?;
    let converter = |field_names| {
        Converter::new(&mapping, &Options { field_names, engine: Engine::Exact, ..Options::default() })
    };
    let (snake, camel) = (converter(FieldNames::Snake), converter(FieldNames::Camel));
    let (mut coverage, rules) = (Coverage::new(&mapping, &snake), args.rules.rules());
    // The cases of a set are those of its tables, and its own.
    let log_types = match mapping.set() {
        Some(_) => format!("{},{}", mapping.name(), mapping.log_type()),
        None => mapping.log_type().to_owned(),
    };
    let wanted = WantedCases { filter: &args.wanted.list_options().filter, log_type: &log_types };
    let (Cases { cases, orphans, others, filtered }, roots) =
        case_inputs::find(&args.folders, &args.wanted, &wanted, &outputs, args.bless)?;
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
    roots.iter().for_each(|root| findings.checked.add(root.trim_end_matches('/')));
    let mut shown = report::Shown::new(args.reports.all);
    let say = |text: &str| if args.reports.on_stdout() { Ok(()) } else { print_all(text) };
    let (mut failed, mut blessed, mut records) = (0, 0, 0);
    let mut mistaken = MistakenCases::default();
    for case in &cases {
        let begun = Instant::now();
        let outcome = Outcome::of(case, [&snake, &camel], &rules, &mut coverage);
        if !outcome.as_ref().is_ok_and(Outcome::passes) {
            mistaken.look(case);
        }
        let outcome = outcome.inspect_err(|_| mistaken.hint())?;
        findings.events += outcome.given().len() as u64;
        records += outcome.given().len() + outcome.rejects.len() + outcome.expected.len();
        if !outcome.passes() && args.bless {
            cases::bless(case, &outcome)?;
            blessed += 1;
            say(&format!("blessed {}\n", escaped(&case.name)))?;
        }
        findings.begin(&case.name, &case.expected.to_string_lossy());
        let mut passes = outcome.passes();
        // Some layouts have no place for rejects: blessing does not help them.
        let is_left = |issue: &Issue| !args.bless || (case.rejects().is_none() && issue.code == "reject");
        let issues: Vec<Issue> = cases::issues(case, &outcome);
        if !passes && issues.iter().any(is_left) {
            shown.new.clear();
            for issue in issues {
                let new = is_left(&issue) && findings.add_decided(issue);
                shown.new.push_back(new);
            }
            passes = findings.end(begun.elapsed().as_secs_f64()) == 0;
            if !passes {
                failed += 1;
                let style = super::RED;
                let text = report::text(&outcome, width(), &mut shown);
                say(&format!("{style}FAIL{style:#} {}\n{text}", escaped(&case.name)))?;
            }
        }
        findings.end(begun.elapsed().as_secs_f64());
        if passes && !args.quiet {
            let known = if outcome.passes() { "" } else { "  (its differences are in the baseline)" };
            say(&format!("ok   {}{known}\n", escaped(&case.name)))?;
        }
    }
    let mut alone = 0;
    for orphan in &orphans {
        let name = orphan.to_string_lossy();
        findings.begin(&name, &name);
        if findings.add_decided(Issue::difference("no-log", "", (&name, 0, 0), NO_LOG.to_owned(), &[&name])) {
            alone += 1;
            let style = super::RED;
            say(&format!("{style}FAIL{style:#} {}\n    {NO_LOG}\n", escaped(&name)))?;
        }
    }
    findings.finish();
    if shown.left_out > 0 {
        say(&report::kinds(&findings))?;
    }
    let unused: Vec<String> = coverage.unused().into_iter().map(str::to_owned).collect();
    if !args.quiet && !cases.is_empty() {
        let used = coverage.all() - unused.len();
        let name = escaped(mapping.name());
        say(&format!("coverage of `{name}`: {used} of {} parts\n", coverage.all()))?;
        for part in &unused {
            say(&format!("  never exercised: {}\n", escaped(part)))?;
        }
    }
    findings
        .extra
        .insert("coverage".into(), serde_json::json!({"parts": coverage.all(), "never_exercised": unused}));
    findings.extra.insert("left_out".into(), serde_json::json!(others));
    if !others.is_empty() {
        findings.left_out.push(left_out(&others));
    }
    findings.seconds = start.elapsed().as_secs_f64();
    let uncovered = args.full_coverage && !unused.is_empty();
    let differs = (failed > 0 || alone > 0) && !args.baselines.accepts();
    findings.exit_status = if differs || uncovered {
        REJECTS
    } else if records == 0 {
        args.allow_empty.status()
    } else {
        DONE
    };
    args.reports.write(&findings)?;
    args.baselines.write(&findings)?;
    let blessed = if blessed > 0 { format!(", {blessed} blessed") } else { String::new() };
    let orphans = match alone {
        0 => String::new(),
        n => format!(", {} without a log", counted(n, "expected file")),
    };
    say!("{}, {failed} failed{blessed}{orphans}", counted(cases.len() as u64, "case"));
    findings.left_out.iter().for_each(|line| say!("{}", escaped(line)));
    if !args.quiet {
        args.baselines.tell(&configuration, &findings);
    }
    if failed > 0 {
        say!("hint: if the new events are right, `--bless` rewrites the expected files");
        mistaken.hint();
    }
    let folders = nothing::named(&args.folders);
    let what = if cases.is_empty() && !others.is_empty() {
        format!("the cases in {folders} are all of other log types than {}", mapping.log_type())
    } else if cases.is_empty() && filtered > 0 {
        format!(
            "none of the {} in {folders} is wanted by `--include` and `--exclude`",
            counted(filtered, "case")
        )
    } else if cases.is_empty() {
        format!(
            "no cases in {folders}: known are CASE/input.* with CASE/events.ndjson, raw_logs/CASE_log.json with \
             expected_events/CASE_events.json, and logs/CASE.txt with events/CASE.yaml"
        )
    } else {
        format!("the cases in {folders} hold no record and no event")
    };
    nothing::warn(findings.exit_status, &what);
    Ok(findings.exit_status)
}

/// Which cases were left out, in a line with the first of the log types.
fn left_out(others: &BTreeMap<String, u64>) -> String {
    const MOST: usize = 5;
    let types: Vec<&str> = others.keys().take(MOST).map(String::as_str).collect();
    let more = if others.len() > MOST { ", ..." } else { "" };
    let (count, types) = (counted(others.values().sum(), "case"), types.join(", "));
    format!("left out: {count} of other log types ({types}{more})")
}

/// What is wrong with an expected file that no case has.
const NO_LOG: &str = "the file says what a case expects, but there is no log for it";

/// How wide the terminal is.
fn width() -> usize {
    let columns = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    columns.unwrap_or(120).clamp(60, 240)
}

//! Cases, run by a mapping or by the parsers that they belong to: what `udmap test` and `udmap parser test` share.

use super::baselines::BaselineArgs;
use super::config::Configuration;
use super::diff::RuleArgs;
use super::inputs::InputOptions;
use super::mistaken::MistakenCases;
use super::nothing::{self, AllowEmpty};
use super::outputs::Outputs;
use super::reports::{Reports, print_all};
use super::{DONE, REJECTS, case_inputs, terminal};
use crate::check::cases::{self, ByParser, Cases, Outcome, TestCase, WantedCases};
use crate::check::compare::Rules;
use crate::check::coverage::Coverage;
use crate::check::findings::{Findings, Issue};
#[cfg(feature = "parser")]
use crate::check::parsers::{Receipt, TestedParsers};
use crate::convert::{Converter, Engine, FieldNames, Options};
use crate::mapping::Mapping;
use crate::report::cases as report;
use crate::report::summary::counted;
use crate::text::escaped;
use serde_json::json;
use std::collections::BTreeMap;
use std::time::Instant;

/// Which cases, and what is done with them.
#[derive(Debug, clap::Args)]
pub(super) struct CaseArgs {
    /// The folders with the cases, patterns over folders, URLs of prefixes, or tar archives of such folders.
    #[arg(value_name = "DIR", required = true)]
    folders: Vec<String>,

    #[command(flatten)]
    wanted: InputOptions,

    #[command(flatten)]
    rules: RuleArgs,

    /// When a parser's logs were received that don't say so themselves: a time such as 2026-01-02T03:04:05Z. Without
    /// it, times of events that come from the clock are not compared.
    #[cfg(feature = "parser")]
    #[arg(long, value_name = "TIME", value_parser = instant)]
    receipt_time: Option<crate::time::Instant>,

    /// Rewrite the expected files of the cases that differ.
    #[arg(long)]
    bless: bool,

    /// List the lines of parsers that no case reaches.
    #[cfg(feature = "parser")]
    #[arg(long)]
    coverage: bool,

    /// Fail if a part of the table is never exercised by any case; in `udmap parser test`, a part of a parser.
    #[arg(long)]
    full_coverage: bool,

    #[command(flatten)]
    pub(super) reports: Reports,

    #[command(flatten)]
    pub(super) baselines: BaselineArgs,

    #[command(flatten)]
    allow_empty: AllowEmpty,

    /// Say nothing of cases that pass and nothing of coverage.
    #[arg(short, long)]
    quiet: bool,
}

/// Reads the time of an option.
#[cfg(feature = "parser")]
pub(super) fn instant(text: &str) -> Result<crate::time::Instant, String> {
    use crate::time::{Reading, read};
    read(text, Reading::Iso8601).map_err(|_| "expected a time such as 2026-01-02T03:04:05Z".into())
}

/// A mapping table that is tested.
pub(super) struct Table<'m> {
    mapping: &'m Mapping,
    converters: [Converter; 2],
    coverage: Coverage,
}

impl<'m> Table<'m> {
    pub(super) fn new(mapping: &'m Mapping) -> Table<'m> {
        let converter = |field_names| {
            Converter::new(mapping, &Options { field_names, engine: Engine::Exact, ..Options::default() })
        };
        let converters = [converter(FieldNames::Snake), converter(FieldNames::Camel)];
        Table { mapping, coverage: Coverage::new(mapping, &converters[0]), converters }
    }

    /// The cases of a set are those of its tables, and its own.
    fn log_types(&self) -> String {
        match self.mapping.set() {
            Some(_) => format!("{},{}", self.mapping.name(), self.mapping.log_type()),
            None => self.mapping.log_type().to_owned(),
        }
    }
}

/// What cases are run by.
struct Tested<'m> {
    table: Option<Table<'m>>,
    #[cfg(feature = "parser")]
    parsers: TestedParsers,
    rules: Rules,
}

impl Tested<'_> {
    /// Runs a case; or says why its parser can't.
    fn outcome(&mut self, case: &TestCase) -> anyhow::Result<Result<Outcome, Box<Issue>>> {
        #[cfg(feature = "parser")]
        if !case.parsers.is_empty() {
            return self.parsers.outcome(case, &self.rules);
        }
        let Some(table) = &mut self.table else {
            anyhow::bail!("`{}` has no parser", escaped(&case.name));
        };
        let [snake, camel] = &table.converters;
        Outcome::of(case, [snake, camel], &self.rules, &mut table.coverage).map(Ok)
    }
}

/// Runs the cases, tells what differs, and writes the reports.
pub(super) fn run(
    args: &CaseArgs,
    by_parser: ByParser,
    table: Option<Table<'_>>,
    mut outputs: Outputs,
    (configuration, mut findings): (Configuration, Findings),
) -> anyhow::Result<u8> {
    let log_types = table.as_ref().map(Table::log_types).unwrap_or_default();
    let filter = &args.wanted.list_options().filter;
    let wanted = WantedCases { filter, log_type: &log_types, by_parser };
    let (Cases { cases, orphans, others, filtered, without_parser, extensions, without_case }, roots) =
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
    #[cfg(feature = "parser")]
    for case in &cases {
        for parser in &case.parsers {
            outputs.spare("a case's parser", &parser.to_string_lossy())?;
        }
    }
    let mut tested = Tested {
        table,
        #[cfg(feature = "parser")]
        parsers: TestedParsers::new(args.receipt()?),
        rules: args.rules.rules(),
    };
    let start = Instant::now();
    roots.iter().for_each(|root| findings.checked.add(root.trim_end_matches('/')));
    let mut shown = report::Shown::new(args.reports.all);
    let say = |text: &str| if args.reports.on_stdout() { Ok(()) } else { print_all(text) };
    let (mut failed, mut blessed, mut records, mut from_clock) = (0, 0, 0, 0);
    let mut mistaken = MistakenCases::default();
    for case in &cases {
        let begun = Instant::now();
        let outcome = tested.outcome(case);
        let passes = matches!(&outcome, Ok(Ok(outcome)) if outcome.passes());
        if !passes && case.parsers.is_empty() {
            mistaken.look(case);
        }
        let outcome = match outcome.inspect_err(|_| mistaken.hint())? {
            Ok(outcome) => outcome,
            Err(issue) => {
                records += 1;
                findings.begin(&case.name, &issue.source);
                let text = report::of_parser(&issue);
                let new = findings.add_decided(*issue);
                findings.end(begun.elapsed().as_secs_f64());
                if new {
                    failed += 1;
                    let style = super::RED;
                    say(&format!("{style}FAIL{style:#} {}\n{text}", escaped(&case.name)))?;
                }
                continue;
            }
        };
        if let Some(parsed) = &outcome.parsed {
            records += parsed.eventless.len();
            from_clock += parsed.from_clock.iter().filter(|from_clock| **from_clock).count() as u64;
        }
        findings.events += outcome.given().len() as u64;
        records += outcome.given().len() + outcome.rejects.len() + outcome.expected.len();
        if !outcome.passes() && args.bless {
            cases::bless(case, &outcome)?;
            blessed += 1;
            say(&format!("blessed {}{}\n", escaped(&case.name), report::eventless(&outcome)))?;
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
            let known =
                if outcome.passes() || args.bless { "" } else { "  (its differences are in the baseline)" };
            let ended = report::eventless(&outcome);
            say(&format!("ok   {}{known}{ended}\n", escaped(&case.name)))?;
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
    let by_parsers = cases.iter().filter(|case| !case.parsers.is_empty()).count();
    let is_told = !args.quiet && !cases.is_empty();
    let mut uncovered = false;
    if let Some(Table { mapping, coverage, .. }) = &tested.table {
        let unused: Vec<String> = coverage.unused().into_iter().map(str::to_owned).collect();
        let is_used = by_parsers < cases.len() || cases.is_empty();
        uncovered |= is_used && !unused.is_empty();
        if is_told && is_used {
            let used = coverage.all() - unused.len();
            let name = escaped(mapping.name());
            say(&format!("coverage of `{name}`: {used} of {} parts\n", coverage.all()))?;
            for part in &unused {
                say(&format!("  never exercised: {}\n", escaped(part)))?;
            }
        }
        let parts = json!({"parts": coverage.all(), "never_exercised": unused});
        findings.extra.insert("coverage".into(), parts);
    }
    #[cfg(feature = "parser")]
    {
        let mut parsers = Vec::new();
        for coverage in tested.parsers.coverage() {
            // Next to a table, it is the table that is to be covered.
            uncovered |= tested.table.is_none() && !coverage.unreached.is_empty();
            if is_told {
                say(&report::coverage_of_parser(&coverage, args.coverage))?;
            }
            parsers.push(report::json_of_parser(&coverage));
        }
        if by_parsers > 0 {
            findings.extra.insert("parsers".into(), parsers.into());
        }
    }
    findings.extra.insert("left_out".into(), json!(others));
    findings.left_out.extend(left_out(&others, without_parser));
    if from_clock > 0 {
        findings.left_out.push(format!(
            "not compared: the times of {} whose logs have none (`--receipt-time` says when they were received)",
            counted(from_clock, "event")
        ));
    }
    for extension in &extensions {
        let name = extension.to_string_lossy();
        findings.left_out.push(format!("not run: `{name}`, because extensions are not run yet"));
    }
    findings.seconds = start.elapsed().as_secs_f64();
    let uncovered = args.full_coverage && uncovered;
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
    if by_parsers > 0 && tested.table.is_some() {
        say!("tested with their parsers: {}", counted(by_parsers as u64, "case"));
    }
    if by_parser == ByParser::Only && !without_case.is_empty() {
        say!("without a case: {}", counted(without_case.len() as u64, "parser"));
    }
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
        format!("the cases in {folders} are all of other log types than {log_types}")
    } else if cases.is_empty() && without_parser > 0 {
        format!(
            "the cases in {folders} have no parser: it is content-hub's cbn/*.conf, or secops-toolkit's parser.conf"
        )
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

#[cfg(feature = "parser")]
impl CaseArgs {
    /// When logs were received that don't say so.
    fn receipt(&self) -> anyhow::Result<Receipt> {
        if let Some(time) = self.receipt_time {
            return Ok(Receipt::At(time));
        }
        // In another year, month and day.
        let now = chrono::Utc::now();
        let times = [now, now - chrono::Duration::days(500)].map(crate::time::Instant::of);
        let [Some(now), Some(other)] = times else { anyhow::bail!("this machine's clock is wrong") };
        Ok(Receipt::Now { now, other })
    }
}

/// Which cases were left out, in a line with the first of the log types.
fn left_out(others: &BTreeMap<String, u64>, without_parser: u64) -> Vec<String> {
    const MOST: usize = 5;
    let mut lines = Vec::new();
    if !others.is_empty() {
        let types: Vec<&str> = others.keys().take(MOST).map(String::as_str).collect();
        let more = if others.len() > MOST { ", ..." } else { "" };
        let (count, types) = (counted(others.values().sum(), "case"), types.join(", "));
        lines.push(format!("left out: {count} of other log types ({types}{more})"));
    }
    if without_parser > 0 {
        lines.push(format!("left out: {} without a parser", counted(without_parser, "case")));
    }
    lines
}

/// What is wrong with an expected file that no case has.
const NO_LOG: &str = "the file says what a case expects, but there is no log for it";

/// How wide differences are shown: as the terminal is, or 120 columns.
fn width() -> usize {
    terminal::stdout_width().unwrap_or(120).clamp(40, 240)
}

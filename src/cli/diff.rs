//! `udmap diff`: two sets of events, by their values.

use super::baselines::BaselineArgs;
use super::config::Configuration;
use super::inputs::{InputOptions, ListedInputs};
use super::mistaken::hint_sets;
use super::nothing::{self, AllowEmpty};
use super::reading::ReadingOptions;
use super::reports::{Reports, print_all, print_failures};
use super::{DONE, FAILED, REJECTS, mappings};
use crate::check::compare::Rules;
use crate::check::diff::{self as check, EventSource, Report};
use crate::check::mistaken::Mistaken;
use crate::convert::{Converter, Engine, Options};
use crate::report::diff as report;
use crate::report::summary::{bytes, counted, grouped};
use crate::text::without_passwords;
use std::time::Instant;

/// Compare two sets of UDM events: which differ, in which fields, how often.
///
/// A and B are files, folders, patterns (in quotes) or URLs of events, in any of the forms that `validate` reads, or `-`
/// for stdin. Values are compared, not spelling: `.198Z` equals `.198000Z`. The order of events does not matter; copies are
/// counted. Events are matched by their content. Memory stays small whatever the size, with temporary files.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Exit status:
  0  the same
  1  they differ
  2  could not do it: usage, mapping, or input
  3  there is not one event on either side (`--allow-empty` makes it 0)

Examples:
  udmap diff before.ndjson after.ndjson
  udmap diff --raw telephony.ndjson parser-output.json --ignore metadata.id --ignore metadata.ingested_timestamp
  udmap diff a.ndjson.gz b.ndjson.gz --set principal.ip --report json=diff.json")]
pub(super) struct Args {
    /// The first set; with `--raw`, raw logs.
    a: String,

    /// The second set.
    b: String,

    /// A is raw logs: compare what the mapping makes of them with B, what a parser gave.
    #[arg(long)]
    raw: bool,

    /// The mapping table for `--raw`: a built-in one's name, or a file.
    #[arg(long, value_name = "NAME|FILE", default_value = "duo_telephony", requires = "raw")]
    mapping: String,

    #[command(flatten)]
    wanted: InputOptions,

    #[command(flatten)]
    rules: RuleArgs,

    /// How many samples of each difference are shown.
    #[arg(long, value_name = "N", default_value_t = 3)]
    samples: usize,

    #[command(flatten)]
    reports: Reports,

    #[command(flatten)]
    baselines: BaselineArgs,

    #[command(flatten)]
    allow_empty: AllowEmpty,

    #[command(flatten)]
    reading: ReadingOptions,

    /// No differences on stdout and no summary on stderr.
    #[arg(short, long)]
    quiet: bool,
}

/// What is compared.
#[derive(Debug, clap::Args)]
pub(super) struct RuleArgs {
    /// Leave out this field and all below it: a UDM path without indexes. May be given several times.
    #[arg(long, value_name = "PATH")]
    ignore: Vec<String>,

    /// Compare the list at this path as a set, in any order; `all` for every list. May be given several times.
    #[arg(long, value_name = "PATH")]
    set: Vec<String>,
}

impl RuleArgs {
    pub(super) fn rules(&self) -> Rules {
        let mut rules = Rules::default();
        self.ignore.iter().for_each(|path| rules.ignore(path));
        for path in &self.set {
            if path == "all" { rules.all_sets() } else { rules.set(path) }
        }
        rules
    }
}

pub(super) fn run(args: &Args) -> anyhow::Result<u8> {
    let mut outputs = args.reports.outputs()?;
    outputs.spare("--mapping", &args.mapping)?;
    let (configuration, mut findings) = args.baselines.begin("diff", &args.reports, &mut outputs)?;
    // One case: all its findings are its own, whichever file they name.
    findings.begin(&without_passwords(&format!("{} {}", args.a, args.b)), &without_passwords(&args.b));
    if args.a == "-" && args.b == "-" {
        anyhow::bail!("stdin can be only one of the two sets");
    }
    let start = Instant::now();
    let reading = args.reading.reading();
    let limit = reading.limit;
    let converter = if args.raw {
        let mapping = mappings::load(&args.mapping)?;
        let options = Options { engine: Engine::Exact, max_record_bytes: limit, ..Options::default() };
        Some(Converter::new(&mapping, &options))
    } else {
        None
    };
    let list = |what, set| args.wanted.list(&outputs, what, std::slice::from_ref(set));
    let (a, b) = (list("A", &args.a)?, list("B", &args.b)?);
    if !args.quiet {
        ListedInputs::tell_skipped(&[&a, &b]);
    }
    let nothing = ListedInputs::nothing_in(&[&a, &b], "event to compare");
    let a = EventSource::new(a.sources, converter, limit)?;
    let b = EventSource::new(b.sources, None, limit)?;
    let options = check::Options {
        rules: args.rules.rules(),
        reading,
        samples: if args.reports.all { usize::MAX } else { args.samples },
        mistaken: [
            if args.raw { Mistaken::for_raw_logs() } else { Mistaken::for_events() },
            Mistaken::for_events(),
        ],
    };
    let report = check::diff(&a, &b, &options, findings)?;
    let exit_status = end(args, report, start, &configuration, &nothing)?;
    if !args.quiet {
        hint_sets(options.mistaken.each_ref().map(Mistaken::found), args.raw);
    }
    Ok(exit_status)
}

fn end(
    args: &Args,
    mut report: Report,
    start: Instant,
    configuration: &Configuration,
    nothing: &str,
) -> anyhow::Result<u8> {
    let findings = &mut report.findings;
    let found = findings.total();
    findings.end(start.elapsed().as_secs_f64());
    findings.seconds = start.elapsed().as_secs_f64();
    findings.events = report.events[0] + report.events[1];
    findings.exit_status = match (findings.failures.is_empty(), found) {
        (false, _) => FAILED,
        (true, 0) if findings.events == 0 => args.allow_empty.status(),
        (true, 0) => DONE,
        (true, _) if args.baselines.accepts() => DONE,
        (true, _) => REJECTS,
    };
    report.findings.extra = report::json(&report);
    if !args.quiet && !args.reports.on_stdout() {
        print_all(&report::text(&report))?;
    }
    args.reports.write(&report.findings)?;
    args.baselines.write(&report.findings)?;
    print_failures(&report.findings.failures);
    if !args.quiet {
        let [in_a, in_b] = report.events;
        say!(
            "A: {}, B: {}; {} in both, {} that differ, {}  in {:.2} s, {}/s",
            counted(in_a, "event"),
            counted(in_b, "event"),
            grouped(report.equal),
            counted(report.pairs, "pair"),
            counted(found, "difference"),
            report.findings.seconds,
            bytes((report.bytes as f64 / report.findings.seconds.max(1e-9)) as u64),
        );
        args.baselines.tell(configuration, &report.findings);
    }
    nothing::warn(report.findings.exit_status, nothing);
    Ok(report.findings.exit_status)
}

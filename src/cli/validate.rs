//! `udmap validate`: UDM events against the schema and the rules beyond it.

use super::baselines::BaselineArgs;
use super::inputs::{InputOptions, ListedInputs};
use super::mistaken::hint_no_events;
use super::nothing::{self, AllowEmpty};
use super::reading::ReadingOptions;
use super::reports::{Reports, print_all, print_failures};
use super::{DONE, FAILED, REJECTS, severities};
use crate::check::findings::{Files, Findings};
use crate::check::kinds::leave_out;
use crate::check::mistaken::Mistaken;
use crate::check::validate::{Code, Severity, check_inputs};
use crate::report::findings::for_people;
use crate::report::summary::{bytes, counted, grouped};
use crate::text::escaped;
use std::time::Instant;

/// Check UDM events against UDM's schema and the rules per event type.
///
/// Inputs are what `udmap convert` takes: files, folders, glob patterns, `-` for stdin, and URLs of objects and prefixes
/// (s3://bucket/prefix/); plain or compressed, or a tar archive of such files. A file holds events of any parser:
/// NDJSON, arrays, {"event":{"idm":{"read_only_udm":...}}} envelopes, expected files of content-hub (JSON) and
/// secops-toolkit (YAML), answers of runParser, bodies of events:import; in snake_case, camelCase, or both. What is
/// plainly something else in a folder (raw logs, code, settings) is named and left out. Nothing is sent anywhere.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Exit status:
  0  no errors (warnings and infos are none)
  1  done, with errors
  2  could not do it: usage, configuration, or input
  3  there is not one event (`--allow-empty` makes it 0)

Examples:
  udmap validate events.ndjson
  udmap convert log.ndjson -q | udmap validate -
  udmap validate expected_events/ --strict --report junit=junit.xml,sarif=udmap.sarif
  udmap validate events.json --severity unknown-field=error --severity invalid-url=off
  udmap validate parsers/ --write-baseline known.json    # then: --baseline known.json
  udmap validate --explain invalid-ip")]
pub(super) struct Args {
    /// Files, folders, glob patterns, or `-` for stdin; s3://bucket/prefix/ and its like.
    #[arg(value_name = "INPUT", required_unless_present = "explain")]
    inputs: Vec<String>,

    #[command(flatten)]
    wanted: InputOptions,

    /// Explain a code and do nothing else; `all` lists them.
    #[arg(long, value_name = "CODE")]
    explain: Option<String>,

    #[command(flatten)]
    severities: severities::Options,

    #[command(flatten)]
    reports: Reports,

    #[command(flatten)]
    baselines: BaselineArgs,

    #[command(flatten)]
    allow_empty: AllowEmpty,

    #[command(flatten)]
    reading: ReadingOptions,

    /// No findings on stdout and no summary on stderr, but how many files were left out.
    #[arg(short, long)]
    quiet: bool,
}

pub(super) fn run(args: &Args) -> anyhow::Result<u8> {
    if let Some(code) = &args.explain {
        return explain(code);
    }
    let mut outputs = args.reports.outputs()?;
    let (configuration, mut findings) = args.baselines.begin("validate", &args.reports, &mut outputs)?;
    let severities = args.severities.read(&configuration)?;
    let start = Instant::now();
    let mut inputs = args.wanted.list(&outputs, "INPUT", &args.inputs)?;
    if !args.quiet {
        ListedInputs::tell_skipped(&[&inputs]);
    }
    let left_out = leave_out(&mut inputs.sources, &args.inputs);
    let reading = args.reading.reading();
    let most = args.reports.max_findings;
    let mistaken = Mistaken::for_events();
    let total = check_inputs(&reading, &inputs.sources, &severities, most, &mistaken, &mut findings)?;
    findings.finish();
    findings.seconds = start.elapsed().as_secs_f64();
    findings.exit_status = if !findings.failures.is_empty() {
        FAILED
    } else if findings.of(Severity::Error) > 0 && !args.baselines.accepts() {
        REJECTS
    } else if findings.events == 0 {
        args.allow_empty.status()
    } else {
        DONE
    };
    findings.extra.insert("left_out".into(), left_out.json());
    findings.left_out = left_out.lines().collect();
    // Among others, a file without an event is not a fault, but it may be one that was cut.
    let Files { count, first } = &findings.without_event;
    if *count > 0 && findings.events > 0 {
        let more = if *count > first.len() as u64 { ", ..." } else { "" };
        findings.left_out.push(format!(
            "no event in {} ({}{more})",
            counted(*count, "file"),
            first.join(", ")
        ));
    }
    if !args.quiet && !args.reports.on_stdout() {
        print_all(&for_people(&findings))?;
    }
    args.reports.write(&findings)?;
    args.baselines.write(&findings)?;
    print_failures(&findings.failures);
    if !args.quiet {
        summary(&findings, total);
        findings.left_out.iter().for_each(|line| say!("{}", escaped(line)));
        args.baselines.tell(&configuration, &findings);
        hint_no_events(mistaken.found());
    } else if !left_out.is_empty() {
        say!("left out: {} of other kinds", counted(left_out.count(), "file"));
    }
    let others = if left_out.is_empty() { "" } else { ": only files of other kinds" };
    nothing::warn(findings.exit_status, &format!("{}{others}", inputs.nothing("event")));
    Ok(findings.exit_status)
}

fn summary(findings: &Findings, total: u64) {
    let severity = |severity| counted(findings.of(severity), severity_word(severity));
    say!(
        "{}: {}, {}, {}  in {:.2} s, {}/s",
        counted(findings.events, "event"),
        severity(Severity::Error),
        severity(Severity::Warning),
        severity(Severity::Info),
        findings.seconds,
        bytes((total as f64 / findings.seconds.max(1e-9)) as u64),
    );
    for ((severity, code), n) in findings.counts.iter().rev() {
        say!("  {:7} {code:20} {}", severity.name(), grouped(*n));
    }
    if findings.omitted() > 0 {
        say!("  {} are counted but not shown (`--max-findings`)", counted(findings.omitted(), "finding"));
    }
    if !findings.counts.is_empty() {
        say!("hint: `udmap validate --explain CODE` says what a code means");
    }
}

fn severity_word(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        _ => "info",
    }
}

/// Prints what a code means.
fn explain(name: &str) -> anyhow::Result<u8> {
    if name == "all" {
        for code in Code::all() {
            let about = code.about();
            print_all(&format!("{:20} {:7}  {}\n", about.name, about.severity.name(), about.title))?;
        }
        return Ok(DONE);
    }
    let about = name.parse::<Code>().map_err(|error| anyhow::anyhow!(error))?.about();
    print_all(&format!(
        "{} ({})\n  {}\n\n  in SecOps: {}\n  to do:     {}\n  source:    {}\n\n  Set it: `--severity {}=error|warning|info|off`, or in `udmap.toml`:\n    [severity]\n    {} = \"off\"\n",
        about.name,
        about.severity,
        about.title,
        about.effect,
        about.advice,
        about.source,
        about.name,
        about.name
    ))?;
    Ok(DONE)
}

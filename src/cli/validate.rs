//! `udmap validate`: UDM events against the schema and the rules beyond it.

use super::many::{self, Piece, Reading};
use super::reports::{Reports, print_all};
use super::{DONE, FAILED, REJECTS, severities};
use crate::record::frame::{Chunk, Item as Unit};
use crate::report::findings::{Case, Findings, Item, lines};
use crate::report::summary::{bytes, counted};
use crate::store::Source;
use crate::udm::validate::{Code, Finding, Severities, Severity, Validator};
use std::collections::HashSet;
use std::time::Instant;

/// Check UDM events against UDM's schema and the rules per event type.
///
/// Inputs are files, folders, glob patterns, and `-` for stdin, plain or compressed. A file holds events of any parser:
/// NDJSON, arrays, {"event":{"idm":{"read_only_udm":...}}} envelopes, expected files of content-hub, answers of
/// runParser, bodies of events:import; in snake_case, camelCase, or both. Nothing is sent anywhere.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Exit status:
  0  no errors (warnings and infos are none)
  1  done, with errors
  2  could not do it: usage, configuration, or input

Examples:
  udmap validate events.ndjson
  udmap convert log.ndjson -q | udmap validate -
  udmap validate expected_events/ --strict --report junit=junit.xml,sarif=udmap.sarif
  udmap validate events.json --severity unknown-field=error --severity invalid-url=off
  udmap validate --explain invalid-ip")]
pub(super) struct Args {
    /// Files, folders, glob patterns, or `-` for stdin.
    #[arg(value_name = "INPUT", required_unless_present = "explain")]
    inputs: Vec<String>,

    /// Explain a code and do nothing else; `all` lists them.
    #[arg(long, value_name = "CODE")]
    explain: Option<String>,

    #[command(flatten)]
    severities: severities::Options,

    #[command(flatten)]
    reports: Reports,

    /// How many threads check [default: the number of cores].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,

    /// The longest JSON value that is read at once, in bytes: a line, or a file that is one value.
    #[arg(long, value_name = "N", default_value_t = 64 << 20,
          value_parser = clap::value_parser!(u64).range(1..=1 << 30))]
    max_event_bytes: u64,

    /// No findings on stdout and no summary on stderr.
    #[arg(short, long)]
    quiet: bool,
}

pub(super) fn run(args: &Args) -> anyhow::Result<u8> {
    if let Some(code) = &args.explain {
        return explain(code);
    }
    let severities = args.severities.read()?;
    args.reports.check()?;
    let start = Instant::now();
    let sources = many::sources(&args.inputs)?;
    let reading = Reading { threads: many::threads(args.threads), limit: args.max_event_bytes as usize };
    let mut findings = Findings::new("validate", args.reports.max_findings);
    let show = !args.quiet && !args.reports.on_stdout();
    let mut shown = HashSet::new();
    let total = check(&reading, &sources, &severities, &mut findings, &mut |item| {
        if show { print_all(&lines(item, shown.insert(item.code))) } else { Ok(()) }
    })?;
    findings.seconds = start.elapsed().as_secs_f64();
    findings.exit_status = if !findings.failures.is_empty() {
        FAILED
    } else if findings.of(Severity::Error) > 0 {
        REJECTS
    } else {
        DONE
    };
    args.reports.write(&findings)?;
    for failure in &findings.failures {
        anstream::eprintln!("{}error{:#}: {failure}", super::RED, super::RED);
    }
    if !args.quiet {
        summary(&findings, total);
    }
    Ok(findings.exit_status)
}

/// What became of a chunk.
#[derive(Default)]
struct Part {
    findings: Vec<(Finding, Place)>,
    events: u64,
    lines: u64,
}

/// Where a finding's unit is, and its event.
struct Place {
    line: u64,
    byte: u64,
    event: u64,
}

/// Checks all events of `sources`; `each` gets the findings that are kept. The bytes that were read.
pub(super) fn check(
    reading: &Reading,
    sources: &[Source],
    severities: &Severities,
    findings: &mut Findings,
    each: &mut dyn FnMut(&Item) -> anyhow::Result<()>,
) -> anyhow::Result<u64> {
    let (mut lines, mut events, mut errors, mut total) = (0, 0, 0, 0);
    let mut begun = Instant::now();
    let mut first = 0;
    let limit = reading.limit;
    let work = |validator: &mut Validator, _: usize, chunk: &Chunk| chunk_of(validator, chunk, limit);
    let make = || Validator::new(severities.clone());
    reading.run(sources, &make, &work, &mut |piece| {
        match piece {
            Piece::Failed(error) => findings.failures.push(error.to_string()),
            Piece::End(source, bytes) => {
                let seconds = begun.elapsed().as_secs_f64();
                let items = first..findings.items.len();
                first = items.end;
                findings.cases.push(Case { name: sources[source].name().to_owned(), items, errors, seconds });
                findings.events += events;
                total += bytes;
                (lines, events, errors, begun) = (0, 0, 0, Instant::now());
            }
            Piece::Part(source, part) => {
                for (finding, place) in part.findings {
                    errors += u64::from(finding.severity == Severity::Error);
                    let item = item(finding, &place, lines, events, sources[source].name());
                    if findings.add(item)
                        && let Some(item) = findings.items.last()
                    {
                        each(item)?;
                    }
                }
                lines += part.lines;
                events += part.events;
            }
        }
        Ok(())
    })?;
    Ok(total)
}

fn item(finding: Finding, place: &Place, lines: u64, events: u64, source: &str) -> Item {
    let about = finding.code.about();
    Item {
        severity: finding.severity,
        code: about.name,
        path: finding.path,
        source: source.to_owned(),
        line: place.line + lines,
        byte: place.byte,
        event: place.event + events + 1,
        message: finding.message,
        effect: about.effect,
        advice: about.advice,
    }
}

fn chunk_of(validator: &mut Validator, chunk: &Chunk, limit: usize) -> Part {
    let mut part = Part::default();
    let mut blank = 0;
    let mut unit = |unit: &Unit, bytes: &[u8]| {
        let (findings, events) = (&mut part.findings, &mut part.events);
        match unit.fault(bytes, limit) {
            Some(fault) => {
                let code = Code::of_unreadable(fault.reason.code());
                let finding = validator.unreadable(code, fault.message);
                if finding.severity != Severity::Off {
                    findings.push((finding, Place { line: unit.line, byte: unit.offset, event: *events }));
                }
                *events += 1;
            }
            None => {
                let first = *events;
                *events += validator.check(bytes, &mut |finding| {
                    let before = &bytes[..finding.at.min(bytes.len())];
                    let place = Place {
                        line: unit.line + memchr::memchr_iter(b'\n', before).count() as u64,
                        byte: unit.offset + finding.at as u64,
                        event: first + finding.event,
                    };
                    findings.push((finding, place));
                });
            }
        }
    };
    part.lines = chunk.body.units(&chunk.bytes, limit, &mut unit, &mut blank);
    part
}

fn summary(findings: &Findings, total: u64) {
    let severity = |severity| counted(findings.of(severity), severity_word(severity));
    anstream::eprintln!(
        "{}: {}, {}, {}  in {:.2} s, {}/s",
        counted(findings.events, "event"),
        severity(Severity::Error),
        severity(Severity::Warning),
        severity(Severity::Info),
        findings.seconds,
        bytes((total as f64 / findings.seconds.max(1e-9)) as u64),
    );
    for ((severity, code), n) in findings.counts.iter().rev() {
        anstream::eprintln!("  {:7} {code:20} {}", severity.name(), crate::report::summary::grouped(*n));
    }
    if findings.omitted() > 0 {
        anstream::eprintln!(
            "  {} are counted but not shown (`--max-findings`)",
            counted(findings.omitted(), "finding")
        );
    }
    if !findings.counts.is_empty() {
        anstream::eprintln!("hint: `udmap validate --explain CODE` says what a code means");
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
    let about = severities::code(name).map_err(|error| anyhow::anyhow!(error))?.about();
    print_all(&format!(
        "{} ({})\n  {}\n\n  in SecOps: {}\n  to do:     {}\n  source:    {}\n\n  Set it: `--severity {}=error|warning|info|off`, or in the file of `--config`:\n    [severity]\n    {} = \"off\"\n",
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

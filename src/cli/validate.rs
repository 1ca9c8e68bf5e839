//! `udmap validate`: UDM events against the schema and the rules beyond it.

use super::many::{self, Piece, Reading};
use super::nothing::{self, AllowEmpty};
use super::reports::{Reports, print_all, print_failures};
use super::{DONE, FAILED, REJECTS, severities};
use crate::check::validate::{Code, Finding, Severities, Severity, Validator};
use crate::record::frame::{Chunk, Unit};
use crate::report::findings::{Case, Findings, Item, Room, lines};
use crate::report::summary::{bytes, counted};
use crate::store::Source;
use crate::text::LineIndex;
use std::collections::{BTreeMap, HashSet};
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
  3  there is not one event (`--allow-empty` makes it 0)

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

    #[command(flatten)]
    allow_empty: AllowEmpty,

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
    let outputs = args.reports.outputs()?;
    args.severities.file().map_or(Ok(()), |file| outputs.spare("--config", file))?;
    let severities = args.severities.read()?;
    let start = Instant::now();
    let sources = outputs.list("INPUT", &args.inputs)?.sources;
    let reading =
        Reading { threads: many::threads(args.threads), limit: args.max_event_bytes as usize, members: true };
    let mut findings = Findings::new("validate", args.reports.max_findings);
    let show = !args.quiet && !args.reports.on_stdout();
    let mut shown = HashSet::new();
    let most = args.reports.max_findings;
    let total = check(&reading, &sources, &severities, most, &mut findings, &mut |item| {
        if show { print_all(&lines(item, shown.insert(item.code))) } else { Ok(()) }
    })?;
    findings.seconds = start.elapsed().as_secs_f64();
    findings.exit_status = if !findings.failures.is_empty() {
        FAILED
    } else if findings.of(Severity::Error) > 0 {
        REJECTS
    } else if findings.events == 0 {
        args.allow_empty.status()
    } else {
        DONE
    };
    args.reports.write(&findings)?;
    print_failures(&findings.failures);
    if !args.quiet {
        summary(&findings, total);
    }
    nothing::warn(findings.exit_status, &format!("there is no event in {}", nothing::named(&args.inputs)));
    Ok(findings.exit_status)
}

/// What became of a chunk.
struct Part {
    /// The first of what was found, as far as there is room.
    findings: Vec<(Finding, Place)>,
    room: Room,
    /// How often what was found beyond that.
    others: BTreeMap<(Severity, Code), u64>,
    events: u64,
}

impl Part {
    fn add(&mut self, finding: Finding, place: Place) {
        if self.room.take(finding.path.len() + finding.message.len()) {
            self.findings.push((finding, place));
        } else {
            *self.others.entry((finding.severity, finding.code)).or_default() += 1;
        }
    }
}

/// Where a finding's unit is, and its event.
struct Place {
    line: u64,
    byte: u64,
    event: u64,
}

/// Checks all events of `sources`; `each` gets the findings that are kept, at most `most`. The bytes that were read.
fn check(
    reading: &Reading,
    sources: &[Source],
    severities: &Severities,
    most: usize,
    findings: &mut Findings,
    each: &mut dyn FnMut(&Item) -> anyhow::Result<()>,
) -> anyhow::Result<u64> {
    let (mut events, mut errors, mut total) = (0, 0, 0);
    let mut begun = Instant::now();
    let mut first = 0;
    let mut member = None;
    let limit = reading.limit;
    let work = |validator: &mut Validator, _: usize, chunk: &Chunk| chunk_of(validator, chunk, limit, most);
    let make = || Validator::new(severities.clone());
    reading.run(sources, &make, &work, &mut |piece| {
        let name = |source: usize| member.as_deref().unwrap_or(sources[source].name()).to_owned();
        match piece {
            Piece::Member(name) => member = Some(name),
            Piece::Failed(error) => findings.failures.push(error.to_string()),
            Piece::End(source, bytes) => {
                let seconds = begun.elapsed().as_secs_f64();
                let items = first..findings.items.len();
                first = items.end;
                findings.cases.push(Case { name: name(source), items, errors, seconds });
                member = None;
                findings.events += events;
                total += bytes;
                (events, errors, begun) = (0, 0, Instant::now());
            }
            Piece::Part(source, part) => {
                let name = name(source);
                for (finding, place) in part.findings {
                    errors += u64::from(finding.severity == Severity::Error);
                    let item = item(finding, &place, events, &name);
                    if findings.add(item)
                        && let Some(item) = findings.items.last()
                    {
                        each(item)?;
                    }
                }
                for ((severity, code), n) in part.others {
                    errors += if severity == Severity::Error { n } else { 0 };
                    findings.count(severity, code.name(), n);
                }
                events += part.events;
            }
        }
        Ok(())
    })?;
    Ok(total)
}

fn item(finding: Finding, place: &Place, events: u64, source: &str) -> Item {
    let about = finding.code.about();
    Item {
        severity: finding.severity,
        code: about.name,
        path: finding.path,
        source: source.to_owned(),
        line: place.line,
        byte: place.byte,
        event: place.event + events + 1,
        message: finding.message,
        effect: about.effect,
        advice: about.advice,
    }
}

fn chunk_of(validator: &mut Validator, chunk: &Chunk, limit: usize, most: usize) -> Part {
    let (findings, room) = (Vec::new(), Room::new(most));
    let mut part = Part { findings, room, others: BTreeMap::new(), events: 0 };
    let mut blank = 0;
    let mut unit = |unit: &Unit, bytes: &[u8]| {
        let first = part.events;
        let unreadable = match unit.fault(bytes, limit) {
            Some(fault) => (Code::of_unreadable(fault.reason.code()), fault.message),
            None => {
                let lines = LineIndex::of(bytes);
                part.events += validator.check(bytes, &mut |finding| {
                    let place = Place {
                        line: unit.line + lines.before(finding.at),
                        byte: unit.offset + finding.at as u64,
                        event: first + finding.event,
                    };
                    part.add(finding, place);
                });
                return;
            }
        };
        let finding = validator.unreadable(unreadable.0, unreadable.1);
        if finding.severity != Severity::Off {
            part.add(finding, Place { line: unit.line, byte: unit.offset, event: first });
        }
        part.events += 1;
    };
    chunk.body.units(&chunk.bytes, limit, &mut unit, &mut blank);
    part
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
        say!("  {:7} {code:20} {}", severity.name(), crate::report::summary::grouped(*n));
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

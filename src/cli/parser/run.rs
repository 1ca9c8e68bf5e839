//! `udmap parser run`: raw logs in, UDM events out, by a parser.

use super::load::load;
use crate::cbn::RunOptions;
use crate::check::cases::log_type_next_to;
use crate::check::parsers::{Event, FailedLog, LogForm, Part, Run, Wanted};
use crate::check::validate::Severity;
use crate::cli::case_run::instant;
use crate::cli::inputs::{InputOptions, ListedInputs};
use crate::cli::nothing::{self, AllowEmpty};
use crate::cli::outputs::Outputs;
use crate::cli::progress::{self, Progress};
use crate::cli::{DONE, FAILED, RED, REJECTS, YELLOW, heed_signals};
use crate::convert::FieldNames;
use crate::jobs::settings::one_of;
use crate::report::summary::{counted, grouped};
use crate::store::{Output, is_stdout, is_stopped, store_error};
use crate::text::{escaped, escaped_lines};
use crate::time::Instant;
use anyhow::bail;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use serde_json::json;
use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// Run a parser on raw logs, and write the UDM events that it makes, one a line.
///
/// LOGS are lines of text, content-hub's raw-log files, or with `--logs jsonl` JSON strings; files, folders, glob
/// patterns, `-` for stdin, and URLs of objects and prefixes; compressed or not. Each log gives events, is dropped, gives
/// no output, or fails; the summary counts all four. Events come in the order of the logs.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Exit status:
  0  done: each log gave events, was dropped by the parser, or gave no output
  1  done, with logs that failed
  2  could not do it: the parser does not load, usage, input or output, interrupted
  3  there is not one log (`--allow-empty` makes it 0)

Examples:
  udmap parser run default_okta.conf logs.txt -o events.ndjson --rejects failed.ndjson
  udmap parser run default_okta.conf raw_logs/ --log-type OKTA
  udmap parser run mine.conf logs.txt --explain
  udmap parser run mine.conf logs.txt --statedump 2> states.txt")]
pub(super) struct Args {
    /// The parser.
    #[arg(value_name = "CONF")]
    parser: String,

    /// Files, folders, glob patterns, or `-` for stdin; s3://bucket/prefix/ and its like.
    #[arg(value_name = "LOGS", required = true)]
    logs: Vec<String>,

    #[command(flatten)]
    wanted: InputOptions,

    /// In which form logs are: auto (content-hub's files, else lines), text, jsonl (a JSON string a line), content-hub.
    #[arg(long = "logs", value_name = "FORM", default_value = "auto", value_parser = log_form())]
    form: LogForm,

    /// Where the events go: a file (.gz and .zst are compressed), or `-` for stdout.
    #[arg(short, long, value_name = "FILE", default_value = "-")]
    output: String,

    /// Where logs go that fail, as NDJSON with place, message and the log.
    #[arg(long, value_name = "FILE")]
    rejects: Option<String>,

    /// The log type: what `metadata.log_type` is, whatever the parser says [default: that of metadata.json next to CONF].
    #[arg(long, value_name = "TYPE")]
    log_type: Option<String>,

    /// When logs were received that don't say so themselves: a time such as 2026-01-02T03:04:05Z [default: now].
    #[arg(long, value_name = "TIME", value_parser = instant)]
    receipt_time: Option<Instant>,

    /// Whose events: `platform` adds what SecOps adds to a parser's events (assets, log type, time), `parser` does not.
    #[arg(long = "as", value_name = "WHO", default_value = "platform", value_parser = ["platform", "parser"])]
    whose: String,

    /// How field names are spelled: `event_type` or `eventType`.
    #[arg(long, value_name = "STYLE", default_value = "snake", value_parser = field_names())]
    field_names: FieldNames,

    /// Logs fail whose events `udmap validate` calls invalid. Otherwise that is a warning.
    #[arg(long)]
    strict: bool,

    /// Show for each event which line of the parser set each field, instead of the event.
    #[arg(long)]
    explain: bool,

    /// Show on stderr what `statedump` shows.
    #[arg(long)]
    statedump: bool,

    /// The most steps of a log: one for each statement and each turn of a loop, and one for each 256 bytes of text that
    /// they look at.
    #[arg(long, value_name = "N", default_value_t = RunOptions::default().most_steps)]
    max_steps: u64,

    /// About the most memory that the tokens of a log may take, in MiB.
    #[arg(long, value_name = "MIB", default_value_t = 64, value_parser = clap::value_parser!(u64).range(1..=1024))]
    max_state: u64,

    /// Threads [default: one for each core].
    #[arg(short = 'j', long, value_name = "N")]
    threads: Option<std::num::NonZeroUsize>,

    /// Whether to show progress on stderr: on a terminal, always, or never.
    #[arg(long, value_enum, value_name = "WHEN", default_value = "auto")]
    progress: progress::When,

    #[command(flatten)]
    allow_empty: AllowEmpty,

    /// No summary on stderr.
    #[arg(short, long)]
    quiet: bool,
}

/// How many logs that failed are told one by one.
const MOST_TOLD: u64 = 20;

fn log_form() -> impl TypedValueParser<Value = LogForm> {
    let parser = PossibleValuesParser::new(LogForm::ALL.iter().map(|(name, _)| *name));
    parser.try_map(|given| one_of(&given, &LogForm::ALL))
}

fn field_names() -> impl TypedValueParser<Value = FieldNames> {
    let parser = PossibleValuesParser::new(FieldNames::ALL.iter().map(|(name, _)| *name));
    parser.try_map(|given| one_of(&given, &FieldNames::ALL))
}

/// The outcome of all logs.
#[derive(Default)]
struct Totals {
    logs: u64,
    with_events: u64,
    events: u64,
    without_output: u64,
    failed: u64,
    dropped: BTreeMap<String, u64>,
    findings: BTreeMap<(Severity, &'static str), (u64, String)>,
    failures: Vec<String>,
    is_stopped: bool,
}

pub(super) fn run(args: &Args) -> anyhow::Result<u8> {
    let mut outputs = Outputs::default();
    outputs.add("--output", &args.output)?;
    outputs.add_if("--rejects", args.rejects.as_deref())?;
    outputs.spare("CONF", &args.parser)?;
    let parser = load(&args.parser)?;
    let inputs = args.wanted.list(&outputs, "LOGS", &args.logs)?;
    if !args.quiet {
        ListedInputs::tell_skipped(&[&inputs]);
    }
    let stop = Arc::new(AtomicBool::new(false));
    let options = RunOptions {
        field_names: args.field_names,
        adds_platform_fields: args.whose == "platform",
        log_type: args.log_type.clone().or_else(|| log_type_next_to(Path::new(&args.parser))),
        // At most 1024.
        most_bytes: (args.max_state as usize) << 20,
        most_steps: args.max_steps,
        dumps: args.statedump,
        explains: args.explain,
        notes_reached: false,
        stop: Some(Arc::clone(&stop)),
    };
    let threads = args.threads.or_else(|| std::thread::available_parallelism().ok());
    let now = || Instant::of(chrono::Utc::now());
    let Some(received) = args.receipt_time.or_else(now) else { bail!("this machine's clock is wrong") };
    let wanted = Wanted {
        form: args.form,
        threads: threads.map_or(1, std::num::NonZeroUsize::get),
        received,
        validates: true,
        is_strict: args.strict,
    };
    let mut output = Output::create(&args.output)?.on_threads(wanted.threads);
    let mut rejects = args.rejects.as_deref().map(Output::create).transpose()?;
    heed_signals(&stop)?;
    let total = inputs.sources.iter().map(crate::store::Source::size).sum::<Option<u64>>();
    let mut progress = Progress::new(args.progress, total, is_stdout(&args.output));
    let run = Run { parser: &parser, options: &options, wanted: &wanted, read: Arc::default(), stop };
    let mut totals = Totals::default();
    let taken = run.run(&inputs.sources, &mut |part| {
        let name = inputs.sources[part.source].name();
        if args.explain {
            for event in &part.explained {
                output.write_all(explained(name, &args.parser, event).as_bytes()).map_err(store_error)?;
            }
        } else {
            output.write_all(&part.events).map_err(store_error)?;
        }
        if let Some(rejects) = &mut rejects {
            for failed in &part.failed {
                rejects.write_all(&reject(name, failed)).map_err(store_error)?;
            }
        }
        totals.take(name, &args.parser, part, args.quiet, &progress);
        progress.update(run.read.load(Relaxed), totals.logs, totals.failed);
        Ok(())
    });
    progress.clear();
    taken?;
    if totals.is_stopped || run.stop.load(Relaxed) {
        let kept = if is_stdout(&args.output) { "only a part of the events" } else { "nothing" };
        bail!("interrupted: {kept} was written");
    }
    output.finish()?;
    if let Some(rejects) = rejects {
        rejects.finish()?;
    }
    let status = match () {
        () if !totals.failures.is_empty() => FAILED,
        () if totals.failed > 0 => REJECTS,
        () if totals.logs == 0 => args.allow_empty.status(),
        () => DONE,
    };
    for failure in &totals.failures {
        say!("{RED}error{RED:#}: {}", escaped(failure));
    }
    if !args.quiet {
        totals.tell(args.rejects.is_some());
    }
    nothing::warn(status, &inputs.nothing("log"));
    Ok(status)
}

fn explained(source: &str, parser: &str, event: &Event) -> String {
    let mut text = format!("{} log {}\n", escaped(source), event.log);
    let value: serde_json::Value = serde_json::from_str(&event.json).unwrap_or_default();
    for (path, at) in &event.fields {
        let found = found(&value, path).map_or_else(String::new, ToString::to_string);
        text.push_str(&format!("  {path} = {}  {}:{}\n", escaped(&found), escaped(parser), at.line));
    }
    text
}

/// The value at a path such as `principal.ip[0]`, in either spelling of names.
fn found<'v>(value: &'v serde_json::Value, path: &str) -> Option<&'v serde_json::Value> {
    let mut at = value;
    for step in path.split('.') {
        let (name, number) = step.split_once('[').map_or((step, None), |(name, number)| (name, Some(number)));
        let camel = || {
            let object = at.as_object()?;
            object.iter().find(|(key, _)| key.to_lowercase() == name.replace('_', "")).map(|(_, value)| value)
        };
        at = at.get(name).or_else(camel)?;
        if let Some(number) = number {
            at = at.get(number.trim_end_matches(']').parse::<usize>().ok()?)?;
        }
    }
    Some(at)
}

fn reject(source: &str, failed: &FailedLog) -> Vec<u8> {
    let mut line = json!({ "source": source, "log": failed.log, "message": failed.message });
    if let Some(at) = failed.at {
        line["parser_line"] = at.line.into();
    }
    match std::str::from_utf8(&failed.raw) {
        Ok(raw) => line["raw"] = raw.into(),
        Err(_) => {
            use base64::Engine as _;
            line["raw_base64"] = base64::prelude::BASE64_STANDARD.encode(&failed.raw).into();
        }
    }
    let mut line = line.to_string().into_bytes();
    line.push(b'\n');
    line
}

impl Totals {
    fn take(&mut self, name: &str, parser: &str, part: Part, is_quiet: bool, progress: &Progress) {
        self.logs += part.logs;
        self.with_events += part.with_events;
        self.events += part.event_count;
        self.without_output += part.without_output;
        for (tag, count) in part.dropped {
            *self.dropped.entry(tag).or_default() += count;
        }
        for (key, (count, example)) in part.findings {
            self.findings.entry(key).or_insert((0, example)).0 += count;
        }
        if !part.dumped.is_empty() {
            progress.clear();
            say!("{}", escaped_lines(part.dumped.trim_end()));
        }
        for failed in part.failed {
            self.failed += 1;
            if self.failed <= MOST_TOLD && !is_quiet {
                progress.clear();
                let at = failed.at.map_or_else(String::new, |at| format!("{}:{at}: ", escaped(parser)));
                say!("{} log {}: {at}{}", escaped(name), failed.log, escaped(&failed.message));
            }
        }
        if let Some(error) = part.error {
            self.is_stopped |= is_stopped(&error);
            self.failures.push(format!("{}: {error}", escaped(name)));
        }
    }

    fn tell(&self, has_rejects: bool) {
        if self.failed > MOST_TOLD {
            let more = if has_rejects { "" } else { "; `--rejects FILE` keeps all" };
            say!("... and {} more that failed{more}", grouped(self.failed - MOST_TOLD));
        }
        let dropped: u64 = self.dropped.values().sum();
        say!(
            "{}: {} with {}, {} dropped, {} without output, {} failed",
            counted(self.logs, "log"),
            grouped(self.with_events),
            counted(self.events, "event"),
            grouped(dropped),
            grouped(self.without_output),
            grouped(self.failed)
        );
        for (tag, count) in &self.dropped {
            let tag = if tag.is_empty() { "(no tag)".into() } else { escaped(tag) };
            say!("  dropped  {tag} {}", grouped(*count));
        }
        for ((severity, code), (count, example)) in self.findings.iter().rev() {
            if *severity >= Severity::Warning {
                let color = if *severity == Severity::Error { RED } else { YELLOW };
                let word = severity.name();
                let places = counted(*count, "place");
                say!("{color}{word}{color:#}: {code}: {places}, such as {}", escaped(example));
            }
        }
    }
}

//! `udmap send`: UDM events into Google SecOps.

use super::dump_outputs::current_events;
use super::environment::from_environment;
use super::errors::report_sending;
use super::inputs::{InputOptions, ListedInputs};
use super::nothing::{self, AllowEmpty};
use super::outputs::Outputs;
use super::progress::{self, Progress};
use super::send_to::SendTo;
use super::{DONE, FAILED, REJECTS, looked, terminal};
use crate::jobs::send::{
    Counts, Error, Failure, Method, RawLogs, Report, Settings, Stop, check, dry_run, plain_name, send, times,
};
use crate::jobs::settings::{label, switch};
use crate::report::send::Sending;
use crate::store::{Output, Source, store_error};
use crate::text::escaped;
use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// Send UDM events into Google SecOps, each once as far as that can be promised.
///
/// Inputs are what `udmap convert` writes: NDJSON, an event a line; plain or compressed; files, folders, glob patterns,
/// `-` for stdin, and URLs of objects and prefixes (s3://bucket/prefix/). Events go as they are. What `udmap validate`
/// finds wrong is rejected without a request; what SecOps refuses is found by splitting requests, and rejected.
///
/// The state says what is done, so that a second run sends only what is new. A request whose answer was lost is sent
/// again with the same bytes, because SecOps leaves out a request that equals an earlier one.
///
/// Credentials are found as by Google's own tools: `--credentials`, GOOGLE_APPLICATION_CREDENTIALS, gcloud's file, or the
/// metadata server of the machine. Every option can be given by the environment, too: `--rate` is UDMAP_SEND_RATE.
#[derive(Debug, clap::Args)]
#[command(mut_args(required), mut_args(from_environment))]
#[command(after_long_help = "Exit status:
  0  all sent
  1  all sent, but for rejects
  2  could not send all: run it again, it continues where it stopped
  3  there is not one event (`--allow-empty` makes it 0)

Examples:
  udmap send events.ndjson --project P --location us --instance ID --state send.json --rejects refused.ndjson
  udmap convert log.ndjson | udmap send - --project P --location us --instance ID --state send.json --rejects refused.ndjson
  udmap send s3://bucket/udm/ --project P --location eu --instance ID --state s3://bucket/send.json --rejects refused.ndjson
  udmap send --manifest s3://bucket/udm/ --project P --location eu --instance ID --state s3://bucket/send.json --rejects refused.ndjson
  udmap send events.ndjson --project P --location us --instance ID --state send.json --dry-run
  udmap send --check --project P --location us --instance ID --state send.json
  udmap send logs/ --log-type DUO_AUTH --project P --location us --instance ID --state logs.json --rejects refused.ndjson")]
pub(super) struct Args {
    /// Files, folders, glob patterns, or `-` for stdin; s3://bucket/prefix/ and its like.
    #[arg(value_name = "EVENTS", required_unless_present_any = ["check", "manifest"])]
    events: Vec<String>,

    /// Send what the manifest of a dump names, instead: each output once, without those that later ones have superseded.
    #[arg(long, value_name = "URL|DIR", env = "UDMAP_SEND_MANIFEST", conflicts_with = "events")]
    manifest: Option<String>,

    #[command(flatten)]
    wanted: InputOptions,

    #[command(flatten)]
    to: SendTo,

    /// Send raw logs of this type by logs:import instead of events: each line as it is, with the time that the built-in
    /// table of the type finds in it.
    #[arg(long, value_name = "TYPE", env = "UDMAP_SEND_LOG_TYPE", value_parser = plain_name)]
    log_type: Option<String>,

    /// The namespace of raw logs.
    #[arg(long, value_name = "NAME", env = "UDMAP_SEND_NAMESPACE", requires = "log_type")]
    namespace: Option<String>,

    /// A label of raw logs. May be given several times.
    #[arg(long, value_name = "KEY=VALUE", env = "UDMAP_SEND_LABEL", value_parser = label,
          requires = "log_type")]
    label: Vec<(String, String)>,

    /// The ID of the forwarder that raw logs are said to come from.
    #[arg(long, value_name = "ID", env = "UDMAP_SEND_FORWARDER", value_parser = plain_name, requires = "log_type")]
    forwarder: Option<String>,

    /// Send nothing and write nothing: say how many events and requests there are, and what would be rejected.
    #[arg(long, env = "UDMAP_SEND_DRY_RUN", value_parser = switch)]
    dry_run: bool,

    /// Only look whether everything is in place, and say what to do where it is not. It looks at the instance, and asks to
    /// import nothing, so that no data can come of it.
    #[arg(long, conflicts_with = "dry_run")]
    check: bool,

    /// Where the summary goes, as JSON.
    #[arg(long, value_name = "FILE", env = "UDMAP_SEND_SUMMARY")]
    summary: Option<String>,

    /// Whether to show progress on stderr: on a terminal, always, or never.
    #[arg(long, value_enum, value_name = "WHEN", env = "UDMAP_SEND_PROGRESS", default_value = "auto")]
    progress: progress::When,

    /// No summary on stderr.
    #[arg(short, long, env = "UDMAP_SEND_QUIET", value_parser = switch)]
    quiet: bool,

    #[command(flatten)]
    allow_empty: AllowEmpty,
}

/// How often it is said why requests wait.
const BETWEEN_NOTES: Duration = Duration::from_secs(60);

impl Args {
    fn settings(&self) -> Result<Settings, Error> {
        let method = self.log_type.clone().map_or(Method::Events, |log_type| {
            Method::Logs(RawLogs {
                log_type,
                namespace: self.namespace.clone(),
                labels: self.label.clone(),
                forwarder: self.forwarder.clone(),
            })
        });
        let times = self.log_type.as_deref().and_then(times);
        Ok(Settings { times, ..self.to.settings(method)? })
    }
}

/// What has to be given.
fn required(option: clap::Arg) -> clap::Arg {
    match option.get_id().as_str() {
        "send_project" | "send_location" | "send_instance" | "send_state" => option.required(true),
        "send_rejects" => option.required_unless_present_any(["dry_run", "check"]),
        _ => option,
    }
}

pub(super) fn run(args: &Args) -> anyhow::Result<u8> {
    let settings = args.settings()?;
    if args.check {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let found = runtime.block_on(check(&settings));
        return looked::print(&found.into_iter().map(|finding| (String::new(), finding)).collect::<Vec<_>>());
    }
    let mut outputs = Outputs::default();
    outputs.add_if("--state", Some(&*settings.state).filter(|state| !state.contains("://")))?;
    outputs.add_if("--rejects", args.to.rejects())?;
    outputs.add_if("--summary", args.summary.as_deref())?;
    let inputs = match &args.manifest {
        None => args.wanted.list(&outputs, "EVENTS", &args.events)?,
        Some(manifest) => {
            let anonymous = args.wanted.list_options().anonymous;
            args.wanted.list(&outputs, "--manifest", &current_events(manifest, anonymous)?)?
        }
    };
    if !args.quiet {
        ListedInputs::tell_skipped(&[&inputs]);
    }
    let summary = args.summary.as_deref().map(Output::create).transpose()?;
    let start = Instant::now();
    let result = with_progress(args, &settings, &inputs.sources)?;
    let (report, error) = match result {
        Ok(report) => (report, None),
        Err(Failure { error, report }) => (*report, Some(error)),
    };
    let status = match &error {
        Some(_) => FAILED,
        None if report.is_stopped || !report.failures.is_empty() || !report.unfinished.is_empty() => FAILED,
        None if report.rejected() > 0 => REJECTS,
        None if report.lines == 0 => args.allow_empty.status(),
        None => DONE,
    };
    let sending = Sending {
        report: &report,
        is_dry: args.dry_run,
        error: error.as_ref().map(ToString::to_string),
        elapsed: start.elapsed(),
        rejects_to: args.to.rejects(),
        exit_status: status,
    };
    if let Some(mut summary) = summary {
        summary.write_all(&sending.json()).map_err(store_error)?;
        summary.finish()?;
    }
    // Where nothing was begun, there is nothing to sum up.
    let was_begun = error.is_none() || report.requests > 0 || report.lines > 0;
    if !args.quiet && was_begun {
        terminal::say_text(&sending.text());
        report.notes.iter().for_each(|note| say!("note: {note}"));
    }
    if args.quiet {
        for name in &report.unfinished {
            say!(
                "warning: the last line of `{}` is not finished yet, and is left for the next run",
                escaped(name)
            );
        }
    }
    for error in report.failures.iter().chain(&error) {
        report_sending("", error);
    }
    if report.is_stopped {
        say!("interrupted: what was accepted is in the state, and the next run continues there");
    }
    nothing::warn(status, &inputs.nothing("event"));
    Ok(status)
}

/// Sends, and shows on another thread how far it is.
fn with_progress(
    args: &Args,
    settings: &Settings,
    sources: &[Source],
) -> anyhow::Result<Result<Report, Failure>> {
    let (stop, counts, done) = (Stop::new(), Arc::new(Counts::default()), AtomicBool::new(false));
    let asked = stop.clone();
    super::signals::ask_by(move || asked.stop());
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let total = sources.iter().map(Source::size).sum::<Option<u64>>();
    Ok(std::thread::scope(|scope| {
        scope.spawn(|| {
            crate::panics::provoke("progress");
            let mut progress = Progress::new(args.progress, total, false);
            let mut told: Option<Instant> = None;
            while !done.load(Relaxed) {
                std::thread::sleep(Duration::from_millis(50));
                let (read, accepted, rejected) = counts.progress();
                progress.update(read, accepted + rejected, rejected);
                if !args.quiet
                    && told.is_none_or(|told| told.elapsed() >= BETWEEN_NOTES)
                    && let Some(why) = counts.take_waiting()
                {
                    say!("note: {}", escaped(&why));
                    told = Some(Instant::now());
                }
            }
            progress.clear();
        });
        let result = runtime.block_on(async {
            if args.dry_run {
                dry_run(settings, sources, &stop, &counts).await
            } else {
                send(settings, sources, &stop, &counts).await
            }
        });
        done.store(true, Relaxed);
        result
    }))
}

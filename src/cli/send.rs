//! `udmap send`: UDM events into Google SecOps.

use super::dump_outputs::current_events;
use super::environment::from_environment;
use super::inputs::{InputOptions, ListedInputs};
use super::nothing::{self, AllowEmpty};
use super::outputs::Outputs;
use super::progress::{self, Progress};
use super::{DONE, FAILED, RED, REJECTS, looked};
use crate::jobs::send::{
    Counts, Error, Failure, GivenCredentials, Method, Patience, Rate, RawLogs, RejectsTo, Report, Settings,
    Stop, Target, api_url, batch_bytes, check, dry_run, period, plain_name, rate, send, times,
};
use crate::jobs::settings::{label, switch, time, whole};
use crate::report::send::Sending;
use crate::store::{Output, Source, store_error};
use crate::text::escaped;
use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};
use url::Url;

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
#[command(mut_args(from_environment))]
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

    /// The Google Cloud project that the SecOps instance belongs to.
    #[arg(long, value_name = "ID", env = "UDMAP_SEND_PROJECT")]
    project: String,

    /// The location of the instance: us, eu, europe-west2, asia-southeast1, ...
    #[arg(long, value_name = "NAME", env = "UDMAP_SEND_LOCATION")]
    location: String,

    /// The instance: SecOps' customer ID.
    #[arg(long, value_name = "ID", env = "UDMAP_SEND_INSTANCE")]
    instance: String,

    /// Credentials: a file of JSON [default: as Google's own tools find them].
    #[arg(long, value_name = "FILE", env = "UDMAP_SEND_CREDENTIALS")]
    credentials: Option<String>,

    /// The API's address [default: chronicle.LOCATION.rep.googleapis.com].
    #[arg(long, value_name = "URL", env = "UDMAP_SEND_API_URL", value_parser = api_url)]
    api_url: Option<Url>,

    /// The API's version: v1, v1beta or v1alpha.
    #[arg(long, value_name = "VERSION", env = "UDMAP_SEND_API_VERSION", default_value = "v1")]
    api_version: String,

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

    /// What is done: a file, or s3://bucket/key (gs://, az://).
    #[arg(long, value_name = "FILE|URL", env = "UDMAP_SEND_STATE")]
    state: String,

    /// Where the events go that can't be sent, as NDJSON with place, reason and bytes. It only grows.
    #[arg(long, value_name = "FILE", env = "UDMAP_SEND_REJECTS", required_unless_present_any = ["dry_run", "check"])]
    rejects: Option<String>,

    /// The most events of a request; the first run decides [default: 1000].
    #[arg(long, value_name = "N", env = "UDMAP_SEND_BATCH_EVENTS", value_parser = |text: &str| whole(text, 1, 100_000))]
    batch_events: Option<u64>,

    /// The most bytes of a request, up to 4MB; the first run decides [default: 2MB].
    #[arg(long, value_name = "SIZE", env = "UDMAP_SEND_BATCH_BYTES", value_parser = batch_bytes)]
    batch_bytes: Option<u64>,

    /// How many requests are under way at once.
    #[arg(long, value_name = "N", env = "UDMAP_SEND_PARALLEL", default_value = "4",
          value_parser = |text: &str| whole(text, 1, 64))]
    parallel: u64,

    /// The most bytes a second, or `none`: SecOps' limit depends on what the tenant has bought.
    #[arg(long, value_name = "SIZE/s", env = "UDMAP_SEND_RATE", default_value = "5MB/s", value_parser = rate)]
    rate: Rate,

    /// How long an answer may take. SecOps itself takes up to 120 s.
    #[arg(long, value_name = "TIME", env = "UDMAP_SEND_TIMEOUT", default_value = "150s", value_parser = period)]
    timeout: Duration,

    /// The first wait after a failure; it doubles each time. After "too many requests" it is 30 times that, or what SecOps
    /// asks for.
    #[arg(long, value_name = "TIME", env = "UDMAP_SEND_RETRY_WAIT", default_value = "1s", value_parser = time)]
    retry_wait: Duration,

    /// How long a request is repeated before the run ends.
    #[arg(long, value_name = "TIME", env = "UDMAP_SEND_GIVE_UP", default_value = "1h", value_parser = time)]
    give_up: Duration,

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
        let target = Target::new(
            &self.project,
            &self.location,
            &self.instance,
            &self.api_version,
            self.api_url.as_ref(),
        )?;
        let method = self.log_type.clone().map_or(Method::Events, |log_type| {
            Method::Logs(RawLogs {
                log_type,
                namespace: self.namespace.clone(),
                labels: self.label.clone(),
                forwarder: self.forwarder.clone(),
            })
        });
        Ok(Settings {
            target,
            method,
            times: self.log_type.as_deref().and_then(times),
            credentials: self.credentials.clone().map(GivenCredentials::File),
            state: self.state.clone(),
            rejects: RejectsTo::File(self.rejects.clone().unwrap_or_default()),
            batch_events: self.batch_events,
            batch_bytes: self.batch_bytes,
            // At most 64.
            parallel: self.parallel as usize,
            rate: self.rate.0,
            patience: Patience { timeout: self.timeout, retry_wait: self.retry_wait, give_up: self.give_up },
        })
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
    if !args.state.contains("://") {
        outputs.add("--state", &args.state)?;
    }
    outputs.add_if("--rejects", args.rejects.as_deref())?;
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
        rejects_to: args.rejects.as_deref(),
        exit_status: status,
    };
    if let Some(mut summary) = summary {
        summary.write_all(&sending.json()).map_err(store_error)?;
        summary.finish()?;
    }
    // Where nothing was begun, there is nothing to sum up.
    let was_begun = error.is_none() || report.requests > 0 || report.lines > 0;
    if !args.quiet && was_begun {
        let _ = anstream::stderr().write_all(sending.text().as_bytes());
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
        tell(error);
    }
    if report.is_stopped {
        say!("interrupted: what was accepted is in the state, and the next run continues there");
    }
    nothing::warn(status, &inputs.nothing("event"));
    Ok(status)
}

fn tell(error: &Error) {
    say!("{RED}error{RED:#}: {error}");
    if let Some(hint) = error.hint() {
        say!("hint: {hint}");
    }
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

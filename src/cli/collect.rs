//! `udmap collect`: Duo's logs from its API into a bucket or a folder.

use super::collecting::Collecting;
use super::environment::from_environment;
#[cfg(feature = "send")]
use super::sending::Sending;
use super::spelling::Spelling;
use super::{DONE, FAILED, REJECTS, looked, mappings};
use crate::convert::Converter;
use crate::jobs::collect::sign::Signature;
use crate::jobs::collect::{
    self, Collector, Derive, Error, Failure, Finding, Limits, Log, Outcome, Report, Settings, Stop, When,
    settings,
};
use crate::jobs::events::Events;
use crate::jobs::settings::{compression, switch, time, when};
use crate::store::Compression;
use clap::builder::{PossibleValue, PossibleValuesParser};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use url::Url;

/// Collect Duo's logs from its Admin API into a bucket or a folder, each record exactly once.
///
/// Several logs are collected side by side in one process, each into a place of its own, with a state of its own: put
/// `{log}` where its name goes. Without a name it is the telephony log.
///
/// A run finishes what an earlier one left open, and collects what came since. Keys come from the environment:
/// DUO_IKEY, DUO_SKEY and DUO_API_HOST, or the files that DUO_IKEY_FILE, DUO_SKEY_FILE and DUO_API_HOST_FILE name; those
/// of a bucket by their usual names (AWS_ACCESS_KEY_ID, AWS_REGION, AWS_ENDPOINT_URL, ...). Every option can be given by
/// the environment, too: `--page-size` is UDMAP_PAGE_SIZE.
#[derive(Debug, clap::Args)]
#[cfg_attr(feature = "send", command(mut_args(super::send_to::with_prefix)))]
#[command(mut_args(from_environment))]
#[command(after_long_help = "Exit status:
  0  done, or another run does it, or out of time or pages: the next run goes on
  1  done, with records that `--convert` rejected, items of Duo's that are not records, or events that SecOps refused
  2  could not do it; what was delivered before stays so, and the next run continues from there
  With `--every`, that of the last run when it is stopped, or 1 if one before had rejects
  Of several logs the worst counts; one that fails does not stop the others

Examples:
  udmap collect --check --to s3://bucket/duo-telephony/ --state s3://bucket/state/duo-telephony.json
  udmap collect duo-telephony --to s3://bucket/duo-telephony/ --state s3://bucket/state/duo-telephony.json --since 30d
  udmap collect duo-telephony --to /var/lib/duo/logs --state /var/lib/duo/state.json --every 1h
  udmap collect duo-telephony --to logs --state state.json --convert --udm-to events --rejects-to rejects
  udmap collect duo-telephony --to logs --state state.json --convert --send --send-project P --send-location us --send-instance ID --send-state send.json --send-rejects refused.ndjson
  udmap collect telephony authentication activity --to s3://bucket/duo-{log}/ --state s3://bucket/state/duo-{log}.json")]
pub(super) struct Args {
    /// Which logs [default: telephony].
    #[arg(value_name = "LOG", env = "UDMAP_LOGS", value_delimiter = ',', value_parser = names())]
    logs: Vec<String>,

    /// Where the records go: s3://bucket/prefix, or a folder [else: S3_BUCKET and S3_PREFIX]; `{log}` is the log's name.
    #[arg(long, value_name = "URL|DIR", env = "UDMAP_TO")]
    to: Option<String>,

    /// The state: s3://bucket/key, or a file; outside of `--to` [else: S3_BUCKET and STATE_KEY]; `{log}` as there.
    #[arg(long, value_name = "URL|FILE", env = "UDMAP_STATE")]
    state: Option<String>,

    /// Where the very first run begins: a time, or how long ago [default: 24h].
    #[arg(long, value_name = "WHEN", env = "UDMAP_SINCE", value_parser = when)]
    since: Option<When>,

    /// Collect nothing later: a time, or how long ago.
    #[arg(long, value_name = "WHEN", env = "UDMAP_UNTIL", value_parser = when)]
    until: Option<When>,

    /// How far each run looks back for records that came late [default: 10m].
    #[arg(long, value_name = "TIME", env = "UDMAP_OVERLAP", value_parser = time)]
    overlap: Option<Duration>,

    /// Add `host`, `eventtype` and `timestamp` to records, as Duo's Python client does.
    #[arg(long, env = "UDMAP_DECORATE", value_parser = switch)]
    decorate: bool,

    /// How objects are compressed: gzip, gzip:small, zstd, zstd:N (1 to 19) or none [default: gzip].
    #[arg(long, value_name = "HOW", env = "UDMAP_COMPRESS", value_parser = compression)]
    compress: Option<Compression>,

    /// Write UDM events, too.
    #[arg(long, env = "UDMAP_CONVERT", value_parser = switch)]
    convert: bool,

    /// The mapping table of `--convert`: a built-in one's name, or a file [default: each log's own, as duo_telephony].
    #[arg(long, value_name = "NAME|FILE", env = "UDMAP_MAPPING")]
    mapping: Option<String>,

    /// Where the events go [default: next to `--to`, with `udm-` before the last part].
    #[arg(long, value_name = "URL|DIR", env = "UDMAP_UDM_TO")]
    udm_to: Option<String>,

    /// Where records go that can't be converted [default: next to `--to`, with `rejects-`].
    #[arg(long, value_name = "URL|DIR", env = "UDMAP_REJECTS_TO")]
    rejects_to: Option<String>,

    #[command(flatten)]
    spelling: Spelling,

    #[cfg(feature = "send")]
    #[command(flatten)]
    sending: Sending,

    /// Run again and again, until SIGTERM.
    #[arg(long, value_name = "TIME", value_parser = period)]
    every: Option<Duration>,

    /// Only look whether everything is in place, and say what to do where it is not.
    #[arg(long)]
    check: bool,

    /// End a run after this many pages [else: MAX_ITERATIONS].
    #[arg(long, value_name = "N", env = "UDMAP_MAX_PAGES", value_parser = settings::max_pages)]
    max_pages: Option<u64>,

    /// End a run in this time: no page is begun that may not be done by then.
    #[arg(long, value_name = "TIME", value_parser = time)]
    deadline: Option<Duration>,

    /// The most records of a page, 1 to 1000 [default: 1000].
    #[arg(long, value_name = "N", env = "UDMAP_PAGE_SIZE", value_parser = settings::page_size)]
    page_size: Option<u32>,

    /// The pause between two requests; at most 5s while more than 2h behind [default: 60s].
    #[arg(long, value_name = "TIME", env = "UDMAP_REQUEST_INTERVAL", value_parser = time)]
    request_interval: Option<Duration>,

    /// The first wait after a failure; it doubles each time [default: 1s].
    #[arg(long, value_name = "TIME", env = "UDMAP_RETRY_WAIT", value_parser = time)]
    retry_wait: Option<Duration>,

    /// How requests are signed: v5, v2-sha512 or v2-sha1 [default: v5].
    #[arg(long, value_name = "HOW", env = "UDMAP_SIGNATURE", value_parser = settings::signature)]
    signature: Option<Signature>,

    /// Ask another service than the API host.
    #[arg(long, value_name = "URL", env = "UDMAP_API_URL", value_parser = settings::api_url)]
    api_url: Option<Url>,

    /// Send the signature also to a host that is not Duo's.
    #[arg(long, env = "UDMAP_ALLOW_ANY_HOST", value_parser = switch)]
    allow_any_host: bool,

    /// Trust these certificate authorities, too: a PEM file.
    #[arg(long, value_name = "FILE", env = "DUO_CA_FILE")]
    ca_file: Option<String>,

    /// Say nothing of runs that went well.
    #[arg(short, long)]
    quiet: bool,
}

/// The logs' names; each may begin with `duo-`.
fn names() -> PossibleValuesParser {
    PossibleValuesParser::new(
        Log::all().iter().map(|log| PossibleValue::new(log.name).alias(format!("duo-{log}"))),
    )
}

fn period(text: &str) -> Result<Duration, String> {
    match time(text)? {
        Duration::ZERO => Err("must be greater than zero".into()),
        period => Ok(period),
    }
}

impl Args {
    fn settings(&self) -> Result<Settings, Error> {
        let base = Settings::inherited(&|name| std::env::var(name).ok())?;
        let logs: Result<Vec<&Log>, String> = self.logs.iter().map(|name| Log::named(name)).collect();
        let logs = logs.map_err(Error::config)?;
        Ok(Settings {
            logs: if logs.is_empty() { base.logs } else { logs },
            api_url: self.api_url.clone(),
            allow_any_host: self.allow_any_host,
            ca_file: self.ca_file.clone().or(base.ca_file),
            signature: self.signature.unwrap_or(base.signature),
            to: self.to.clone().or(base.to),
            state: self.state.clone().or(base.state),
            convert: self.convert,
            udm_to: self.udm_to.clone(),
            rejects_to: self.rejects_to.clone(),
            since: self.since.unwrap_or(base.since),
            until: self.until,
            overlap: self.overlap.unwrap_or(base.overlap),
            page_size: self.page_size.unwrap_or(base.page_size),
            compression: self.compress.unwrap_or(base.compression),
            decorate: self.decorate,
            request_interval: self.request_interval.unwrap_or(base.request_interval),
            retry_wait: self.retry_wait.unwrap_or(base.retry_wait),
            max_pages: self.max_pages.or(base.max_pages),
            ..base
        })
    }

    fn derive(&self, log: &Log) -> anyhow::Result<Arc<dyn Derive>> {
        let mapping = mappings::load(self.mapping.as_deref().unwrap_or(log.table))?;
        Ok(Arc::new(Events(Converter::new(&mapping, &self.spelling.options()))))
    }
}

pub(super) fn run(args: &Args) -> anyhow::Result<u8> {
    let settings = args.settings()?;
    let derive = |log: &'static Log| settings.convert.then(|| args.derive(log)).transpose();
    let mut collectors = settings.open(derive)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let several = collectors.len() > 1;
    #[cfg(feature = "send")]
    let senders = args.sending.senders(&settings, &collectors)?;
    if args.check {
        let found = runtime.block_on(check(&collectors));
        #[cfg(feature = "send")]
        let found = {
            let mut found = found;
            for (log, sender) in &senders {
                let which = if several { format!("{log}: ") } else { String::new() };
                let more = runtime.block_on(sender.check());
                found.extend(more.into_iter().map(|finding| (which.clone(), finding)));
            }
            found
        };
        return looked::print(&found);
    }
    let stop = Stop::new();
    let asked = stop.clone();
    super::signals::ask_by(move || asked.stop());
    let collecting = Collecting::new(collectors.iter().map(Collector::log), args.quiet);
    let listener = collecting.listener();
    let limits = Limits { deadline: args.deadline, max_pages: settings.max_pages, stop, listener };
    let ends: RefCell<BTreeMap<&str, Ends>> = RefCell::default();
    let after = async |log: &'static Log, result: Result<Report, Failure>| {
        collecting.ended(log);
        let at = || {
            let mut at = String::new();
            if args.every.is_some() {
                at = chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Secs, true) + " ";
            }
            if several {
                at += &format!("{log}: ");
            }
            at
        };
        #[cfg(feature = "send")]
        let took = result.as_ref().map_or_else(|failure| failure.report.took, |report| report.took);
        let collected = tell(args, result, &at());
        #[cfg(feature = "send")]
        let sent = match senders.get(log.name) {
            // However the run ended: an earlier one may have left something.
            Some(sender) => {
                let time = args.deadline.map(|deadline| deadline.saturating_sub(took));
                sender.send(&limits.stop, time, &at, args.quiet).await
            }
            None => Some(DONE),
        };
        #[cfg(not(feature = "send"))]
        let sent = Some(DONE);
        ends.borrow_mut().entry(log.name).or_default().add([collected, sent], args.every.is_some());
    };
    runtime.block_on(collect::run_and(&mut collectors, args.every, &limits, &after));
    let ends = ends.into_inner();
    let failed: Vec<&str> =
        ends.iter().filter(|(_, ends)| ends.last == FAILED).map(|(name, _)| *name).collect();
    if several && !failed.is_empty() {
        say!("{} of {} logs failed: {}", failed.len(), collectors.len(), failed.join(", "));
    }
    Ok(match ends.values().any(|ends| ends.rejects) {
        _ if !failed.is_empty() => FAILED,
        true => REJECTS,
        false => DONE,
    })
}

/// How the runs of a log ended.
#[derive(Default)]
struct Ends {
    /// The last one.
    last: u8,
    /// One of them had rejects.
    rejects: bool,
}

impl Ends {
    /// Adds a run by the exit statuses of its steps; a step without one was stopped.
    fn add(&mut self, steps: [Option<u8>; 2], is_daemon: bool) {
        self.rejects |= steps.contains(&Some(REJECTS));
        self.last = match steps.iter().flatten().max() {
            Some(&FAILED) => FAILED,
            // To be stopped in the middle is how a daemon ends: the run before says whether it went well.
            _ if steps.contains(&None) && is_daemon => self.last,
            _ if steps.contains(&None) => FAILED,
            worst => worst.copied().unwrap_or(DONE),
        };
    }
}

/// Says how a run went, and what its exit status is, if it was not stopped.
fn tell(args: &Args, result: Result<Report, Failure>, at: &str) -> Option<u8> {
    let (report, error) = match result {
        Ok(report) => (report, None),
        Err(Failure { error, report }) => (report, Some(error)),
    };
    for note in &report.notes {
        say!("{at}warning: {note}");
    }
    for gap in &report.gaps {
        say!("{at}warning: nothing could be collected from {}: Duo keeps 180 days", gap.shown());
    }
    if let Some(error) = error {
        if report.delivered > 0 {
            say!("{at}{}", report.line());
        }
        say!("{at}{}error{:#}: {error}", super::RED, super::RED);
        if let Some(hint) = error.hint() {
            say!("hint: {hint}");
        }
        return Some(FAILED);
    }
    if !args.quiet {
        say!("{at}{}", report.line());
    }
    match report.outcome {
        Outcome::Stopped => None,
        _ if report.foreign > 0 || report.derived.get("rejects").is_some_and(|rejects| *rejects > 0) => {
            Some(REJECTS)
        }
        _ => Some(DONE),
    }
}

async fn check(collectors: &[Collector]) -> Vec<(String, Finding)> {
    let mut all = Vec::new();
    for collector in collectors {
        let which = if collectors.len() > 1 { format!("{}: ", collector.log()) } else { String::new() };
        all.extend(collector.check().await.into_iter().map(|finding| (which.clone(), finding)));
    }
    all
}

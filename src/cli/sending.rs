//! `udmap collect --send`: after each run of a log, what of its events is not in SecOps yet is sent there.
//!
//! The objects below the place of events are the inputs, as of `udmap send`, with a state of the log's own. So it does not
//! matter which run wrote an object, or how that run ended: the state says what is done.

use super::errors::report_sending;
use super::outputs::Outputs;
use super::send_to::{SendTo, given};
use super::{DONE, FAILED, REJECTS};
use crate::jobs::collect::{self, Collector, Finding};
use crate::jobs::send::{Counts, Error, Failure, Method, RejectsTo, Report, Settings, Stop, check, send};
use crate::jobs::settings::switch;
use crate::report::send::line;
use crate::store::objects::StorePath;
use crate::store::{self, ListOptions, Source};
use crate::text::escaped;
use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Whether and where to send.
#[derive(Debug, clap::Args)]
pub(super) struct Sending {
    /// Send the events into SecOps, too, as `udmap send` does: after each run, all that are below `--udm-to` and not sent
    /// yet. The options below are those of `udmap send`, with the same variables.
    #[arg(long, env = "UDMAP_SEND", value_parser = switch)]
    send: bool,

    #[command(flatten)]
    to: SendTo,
}

/// Sends the events of one log.
#[derive(Debug)]
pub(super) struct Sender {
    settings: Settings,
    /// Where the collector writes them.
    events: StorePath,
}

/// How often it is looked whether requests wait, and how often it is said why.
const LOOK: Duration = Duration::from_millis(500);
const BETWEEN_NOTES: Duration = Duration::from_secs(60);
/// How long the answers of requests under way may take, once a run is to end.
const LAST: Duration = Duration::from_secs(10);

impl Sending {
    /// Who sends the events of each log, by its name; nobody, if nothing is to be sent.
    ///
    /// # Errors
    /// If something is missing or wrong, or is the same for several logs.
    pub(super) fn senders(
        &self,
        settings: &collect::Settings,
        collectors: &[Collector],
    ) -> anyhow::Result<BTreeMap<&'static str, Sender>> {
        let mut senders = BTreeMap::new();
        if !self.send {
            return Ok(senders);
        }
        let mut outputs = Outputs::default();
        for collector in collectors {
            let log = collector.log();
            let Some(events) = collector.derived("events") else {
                let error = Error::new("`--send` sends the events that `--convert` makes");
                return Err(error
                    .with_hint("give `--convert`, too; `udmap send --log-type` sends raw logs")
                    .into());
            };
            let mut own = self.to.settings(Method::Events)?;
            let rejects = given(self.to.rejects(), "UDMAP_SEND_REJECTS")?;
            own.state = settings.own_place(log, &own.state, "UDMAP_SEND_STATE")?;
            let rejects = settings.own_place(log, rejects, "UDMAP_SEND_REJECTS")?;
            outputs.add_if("--send-state", Some(&*own.state).filter(|state| !state.contains("://")))?;
            outputs.add("--send-rejects", &rejects)?;
            for (option, name) in [("--send-state", &own.state), ("--send-rejects", &rejects)] {
                outside(option, &StorePath::object(name)?, collectors)?;
            }
            own.rejects = RejectsTo::File(rejects);
            senders.insert(log.name, Sender { settings: own, events: events.clone() });
        }
        Ok(senders)
    }
}

/// Refuses what is written where objects are collected: it would be read as one of them.
fn outside(option: &str, file: &StorePath, collectors: &[Collector]) -> Result<(), Error> {
    match collectors.iter().flat_map(Collector::outputs).find(|place| place.holds(file)) {
        None => Ok(()),
        Some(place) => {
            let error = Error::new(format!("`{option}` is inside `{}`: `{}`", place.name(""), file.name("")));
            Err(error.with_hint("everything below that place is read: give the file another one"))
        }
    }
}

impl Sender {
    /// Looks whether everything is in place.
    pub(super) async fn check(&self) -> Vec<Finding> {
        check(&self.settings).await
    }

    /// Sends what is not sent yet, until `stop` is asked or the time is up, and says so; `at` says what each line begins
    /// with. The exit status, if it was not stopped.
    pub(super) async fn send(
        &self,
        stop: &Stop,
        time: Option<Duration>,
        at: &dyn Fn() -> String,
        quiet: bool,
    ) -> Option<u8> {
        if stop.is_asked() {
            return None;
        }
        let sources = match listed(&self.events).await {
            Ok(sources) => sources,
            Err(error) => {
                report_sending(&at(), &Error::new(format!("nothing is sent: {error:#}")));
                return Some(FAILED);
            }
        };
        let (halt, counts) = (Stop::new(), Arc::new(Counts::default()));
        let end = time.map(|time| Instant::now() + time.saturating_sub(LAST));
        let mut told: Option<Instant> = None;
        let result = {
            let mut sent = pin!(send(&self.settings, &sources, &halt, &counts));
            loop {
                let is_late = end.is_some_and(|end| Instant::now() >= end);
                if is_late || stop.is_asked() {
                    halt.stop();
                }
                tokio::select! {
                    biased;
                    result = &mut sent => break result,
                    () = stop.asked(), if !halt.is_asked() => {}
                    () = tokio::time::sleep(LOOK) => {}
                }
                if !quiet
                    && told.is_none_or(|told| told.elapsed() >= BETWEEN_NOTES)
                    && let Some(why) = counts.take_waiting()
                {
                    say!("{}note: {}", at(), escaped(&why));
                    told = Some(Instant::now());
                }
            }
        };
        let (report, error) = match result {
            Ok(report) => (report, None),
            Err(Failure { error, report }) => (*report, Some(error)),
        };
        let failed = error.is_some() || !report.failures.is_empty() || !report.unfinished.is_empty();
        self.tell(&report, error.as_ref(), &at(), quiet);
        match report.rejected() {
            _ if failed => Some(FAILED),
            _ if report.is_stopped && stop.is_asked() => None,
            0 => Some(DONE),
            _ => Some(REJECTS),
        }
    }

    fn tell(&self, report: &Report, error: Option<&Error>, at: &str, quiet: bool) {
        for note in &report.notes {
            say!("{at}note: {note}");
        }
        for name in &report.unfinished {
            say!("{at}warning: the last line of `{}` is not finished yet, and is not sent", escaped(name));
        }
        // Where nothing was begun, there is nothing to sum up.
        if !quiet && (error.is_none() || report.requests > 0) {
            let more = if report.is_stopped { "; stopped: the next run sends the rest" } else { "" };
            say!("{at}{}{more}", line(report));
        }
        if report.rejected() > 0 {
            say!(
                "{at}warning: what SecOps does not take is in `{}`",
                escaped(&self.settings.rejects.to_string())
            );
        }
        report.failures.iter().chain(error).for_each(|error| report_sending(at, error));
    }
}

/// The objects below a place, in the order of their keys.
async fn listed(place: &StorePath) -> anyhow::Result<Vec<Source>> {
    let place = place.clone();
    let list = move || -> anyhow::Result<Vec<Source>> {
        // A folder is made with its first object.
        let folder = Path::new(place.store.root()).symlink_metadata();
        if !place.store.is_remote() && folder.is_err_and(|error| error.kind() == ErrorKind::NotFound) {
            return Ok(Vec::new());
        }
        let listing = store::list_with(&[place.name("")], &[], &ListOptions::default())?;
        // The collector creates objects, and changes none.
        Ok(listing.sources.into_iter().map(Source::settled).collect())
    };
    tokio::task::spawn_blocking(list).await?
}

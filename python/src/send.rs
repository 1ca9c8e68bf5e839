//! Events sent into SecOps.

use crate::errors::{self, Failures};
use crate::run::{Finish, Run, Shared};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use std::fmt::Display;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::Duration;
use udmap::jobs::send::{
    self as sending, Counts, Failure, GivenCredentials, Method, Patience, RawLogs, RejectsTo, Report,
    Settings, Stop, Target,
};
use udmap::store::{self, Source};

/// How often it is looked whether anyone still wants the run, and told how far it is.
const LOOK: Duration = Duration::from_millis(50);

/// The options by which messages name them, and which are arguments here.
const OPTIONS: [&str; 8] = [
    "--project",
    "--location",
    "--instance",
    "--api-version",
    "--credentials",
    "--state",
    "--rejects",
    "--give-up",
];

type Pairs = Vec<(&'static str, u64)>;
/// counts, rejects by reason, seconds waited, unfinished inputs, notes, whether it was stopped, why it failed
type Sent = (Pairs, Pairs, f64, Vec<String>, Vec<String>, bool, Option<String>);

/// What Python gives: texts mean what they mean for the command.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub(crate) struct Given {
    project: String,
    location: String,
    instance: String,
    state: String,
    rejects: String,
    credentials: Option<String>,
    log_type: Option<String>,
    namespace: Option<String>,
    labels: Vec<(String, String)>,
    forwarder: Option<String>,
    api_url: Option<String>,
    api_version: String,
    batch_events: Option<u64>,
    batch_bytes: Option<String>,
    parallel: usize,
    rate: String,
    timeout: String,
    retry_wait: String,
    give_up: String,
}

/// Starts a run that sends what is in files and objects, or says what it would send.
#[pyfunction]
pub(crate) fn send(paths: Vec<String>, given: Given, dry_run: bool) -> PyResult<Run> {
    let is_file = |name: &&String| !name.contains("://");
    let outputs: Vec<PathBuf> =
        [&given.state, &given.rejects].into_iter().filter(is_file).map(PathBuf::from).collect();
    let settings = given.settings()?;
    Run::start(
        false,
        Box::new(move |shared, _, _| {
            let sources = store::list(&paths, &outputs).map_err(|error| errors::listing(&error))?.sources;
            if let Some(total) = sources.iter().map(Source::size).sum::<Option<u64>>() {
                shared.total.store(total, Ordering::Relaxed);
            }
            let sent = told(run(&settings, &sources, dry_run, shared)?);
            Ok(Box::new(move |py: Python<'_>| Ok(sent.into_pyobject(py)?.into_any().unbind())) as Finish)
        }),
    )
}

impl Given {
    fn settings(self) -> PyResult<Settings> {
        let wrong = |name: &str, why: &dyn Display| PyValueError::new_err(format!("{name}: {why}"));
        let api_url = self.api_url.as_deref().map(sending::api_url).transpose();
        let target = Target::new(
            &self.project,
            &self.location,
            &self.instance,
            &self.api_version,
            api_url.map_err(|why| wrong("api_url", &why))?.as_ref(),
        );
        let named = |name: &'static str, text: Option<String>| {
            text.as_deref().map(sending::plain_name).transpose().map_err(|why| wrong(name, &why))
        };
        let log_type = named("log_type", self.log_type)?;
        let forwarder = named("forwarder", self.forwarder)?;
        let limits =
            [("batch_events", self.batch_events, 100_000), ("parallel", Some(self.parallel as u64), 64)];
        for (name, number, most) in limits {
            if number.is_some_and(|number| !(1..=most).contains(&number)) {
                return Err(wrong(name, &format!("expected a whole number from 1 to {most}")));
            }
        }
        if self.labels.iter().any(|(key, value)| key.is_empty() || value.is_empty()) {
            return Err(wrong("labels", &"a label has a key and a value, neither of them empty"));
        }
        let is_of_logs = self.namespace.is_some() || forwarder.is_some() || !self.labels.is_empty();
        let batch_bytes = self.batch_bytes.as_deref().map(sending::batch_bytes).transpose();
        Ok(Settings {
            target: target.map_err(|error| PyValueError::new_err(words(&error)))?,
            times: log_type.as_deref().and_then(sending::times),
            method: match log_type {
                Some(log_type) => Method::Logs(RawLogs {
                    log_type,
                    namespace: self.namespace,
                    labels: self.labels,
                    forwarder,
                }),
                None if is_of_logs => {
                    return Err(wrong(
                        "namespace, labels, forwarder",
                        &"these are for raw logs: give `log_type`, too",
                    ));
                }
                None => Method::Events,
            },
            credentials: self.credentials.map(GivenCredentials::File),
            state: self.state,
            rejects: RejectsTo::File(self.rejects),
            batch_events: self.batch_events,
            batch_bytes: batch_bytes.map_err(|why| wrong("batch_bytes", &why))?,
            parallel: self.parallel,
            rate: sending::rate(&self.rate).map_err(|why| wrong("rate", &why))?.0,
            patience: Patience {
                timeout: sending::period(&self.timeout).map_err(|why| wrong("timeout", &why))?,
                retry_wait: udmap::time::duration(&self.retry_wait)
                    .map_err(|why| wrong("retry_wait", &why))?,
                give_up: udmap::time::duration(&self.give_up).map_err(|why| wrong("give_up", &why))?,
            },
        })
    }
}

/// Sends, and on another thread says how far it is and looks whether it is to stop.
fn run(
    settings: &Settings,
    sources: &[Source],
    dry_run: bool,
    shared: &Shared,
) -> PyResult<Result<Report, Failure>> {
    let (stop, counts, done) = (Stop::new(), Arc::new(Counts::default()), AtomicBool::new(false));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let tell = || {
        let (read, accepted, rejected) = counts.progress();
        shared.read.store(read, Ordering::Relaxed);
        shared.records.store(accepted + rejected, Ordering::Relaxed);
        shared.rejects.store(rejected, Ordering::Relaxed);
        if let Some(why) = counts.take_waiting() {
            *shared.waiting.lock().unwrap_or_else(PoisonError::into_inner) = Some(why);
        }
    };
    let result = std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                if shared.is_stopped() {
                    stop.stop();
                }
                tell();
                std::thread::sleep(LOOK);
            }
        });
        let result = runtime.block_on(async {
            if dry_run {
                sending::dry_run(settings, sources, &stop, &counts).await
            } else {
                sending::send(settings, sources, &stop, &counts).await
            }
        });
        done.store(true, Ordering::Relaxed);
        result
    });
    tell();
    Ok(result)
}

/// A run's result as Python gets it.
fn told(result: Result<Report, Failure>) -> Sent {
    let (report, error) = match result {
        Ok(report) => (report, None),
        Err(Failure { error, report }) => (*report, Some(error)),
    };
    let mut failures = Failures::default();
    report.failures.iter().chain(&error).for_each(|error| failures.add(&words(error)));
    let counts = vec![
        ("inputs", report.inputs),
        ("lines", report.lines),
        ("done_before", report.done_before),
        ("accepted", report.accepted),
        ("requests", report.requests),
        ("repeats", report.repeats),
        ("may_be_there_twice", report.repeated_events),
        ("splits", report.splits),
        ("bytes", report.bytes),
        ("old", report.old),
        ("ahead", report.ahead),
    ];
    let reasons = report.rejects.into_iter().collect();
    let waited = report.waited.as_secs_f64();
    (counts, reasons, waited, report.unfinished, report.notes, report.is_stopped, failures.words())
}

/// An error with its hint, if it has one. Options have the names of arguments.
fn words(error: &sending::Error) -> String {
    let text = match error.hint() {
        Some(hint) => format!("{error}\nhint: {hint}"),
        None => error.to_string(),
    };
    OPTIONS.iter().fold(text, |text, option| {
        let argument = option.trim_start_matches('-').replace('-', "_");
        text.replace(&format!("`{option}`"), &format!("`{argument}`"))
            .replace(&format!("({option})"), &format!("({argument})"))
    })
}

//! Several logs in one process: side by side, each at its own pace and with its own state. None waits for another, and
//! one that fails does not stop the others.

use super::logs::Log;
use super::{Collector, Error, Failure, Limits, Report};
use crate::jobs::settings::named;
use futures_util::future::join_all;
use std::sync::Mutex;
use std::time::Duration;

/// What stands for a log's name in a place.
pub(super) const PLACE: &str = "{log}";

/// Runs each collector once, or every `every` until it is asked to stop. `told` hears of each run as it ends.
pub async fn run(
    collectors: &mut [Collector],
    every: Option<Duration>,
    limits: &Limits,
    told: &mut (dyn FnMut(&'static Log, Result<Report, Failure>) + Send),
) {
    let told = Mutex::new(told);
    let tell = async |log, result| {
        // The lock is held for a call, and only a panic in one could spoil it.
        if let Ok(mut told) = told.lock() {
            told(log, result);
        }
    };
    run_and(collectors, every, limits, &tell).await;
}

/// The same, and `after` is done after each run of a log and before its next one: it hears how the run ended. Other logs
/// don't wait for it.
pub async fn run_and(
    collectors: &mut [Collector],
    every: Option<Duration>,
    limits: &Limits,
    after: &impl AsyncFn(&'static Log, Result<Report, Failure>),
) {
    join_all(collectors.iter_mut().map(|collector| async move {
        let log = collector.log();
        match every {
            None => after(log, collector.run(limits).await).await,
            Some(period) => {
                let after = async |result| after(log, result).await;
                collector.every(period, limits, &after).await;
            }
        }
    }))
    .await;
}

/// A place as this log has it, one of `all`.
///
/// # Errors
/// If it is the same for several.
pub(super) fn own_place(log: &Log, all: &[&Log], place: &str, name: &str) -> Result<String, Error> {
    if all.iter().any(|other| *other != log) && !place.contains(PLACE) {
        let error = Error::config(format!("{} is one place for several logs: `{place}`", named(name)));
        return Err(error.with_hint(format!(
            "put `{PLACE}` where each log's name goes: `--to s3://bucket/duo-{PLACE}/ --state \
             s3://bucket/udmap-state/duo-{PLACE}.json`"
        )));
    }
    Ok(place.replace(PLACE, log.name))
}

/// Whether nothing of a log lies where a feed reads another.
///
/// # Errors
/// If something does.
pub(super) fn apart(collectors: &[Collector]) -> Result<(), Error> {
    for (i, reader) in collectors.iter().enumerate() {
        for (j, other) in collectors.iter().enumerate().filter(|(j, _)| *j != i) {
            for read in reader.outputs() {
                if let Some(inside) = other.outputs().chain([&other.state]).find(|place| read.holds(place)) {
                    let error = Error::config(format!(
                        "`{}` of the {} log is inside `{}` of the {} log",
                        inside.name(""),
                        collectors[j].log(),
                        read.name(""),
                        reader.log()
                    ));
                    return Err(error.with_hint(
                        "a feed reads everything below its prefix: give each a place of its own",
                    ));
                }
            }
        }
    }
    Ok(())
}

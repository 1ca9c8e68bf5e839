//! AWS Lambda functions in one program: the collector, the conversion of objects (`objects`), and their sending into
//! Google SecOps (`send`). `UDMAP_FUNCTION` says which; it is the collector by default.
//!
//! Of the collector, one invocation is one run of each log, until shortly before its deadline.
//!
//! Settings come from the environment, by the same names as everywhere; Duo's keys from there or, with `DUO_SECRET_ARN`,
//! from Secrets Manager. A run that fails is an invocation that fails: Lambda counts it, repeats it, and an alarm can ring.

mod convert;
mod failed;
mod line;
mod objects;
mod secret;
mod send;

use crate::jobs::collect::{self, Collector, Error, Failure, Limits, Report, Settings};
use crate::jobs::settings::Environment;
use failed::{FAULT, Failed};
use lambda_runtime::{LambdaEvent, service_fn};
use line::{Line, Run};
use secret::Keys;
use serde::de::IgnoredAny;
use std::time::{Duration, Instant, SystemTime};

/// What is left for the end of a run when the deadline comes: to write an object and the state, and to say so.
const MARGIN: Duration = Duration::from_secs(10);
/// When a run is given up that has not ended by itself, so that Lambda hears of it instead of ending the process.
const LAST_MOMENT: Duration = Duration::from_secs(1);

/// Answers invocations for as long as Lambda lets the process live.
///
/// # Errors
/// If Lambda can't be spoken with, or if `UDMAP_FUNCTION` names no function.
pub async fn serve() -> Result<(), lambda_runtime::Error> {
    // The process goes on: an invocation looks whether there was one while it ran.
    crate::panics::watch(|| ());
    match std::env::var("UDMAP_FUNCTION").unwrap_or_default().trim() {
        "" | "collect" => lambda_runtime::run(service_fn(invoked)).await,
        "convert" => lambda_runtime::run(service_fn(objects::invoked)).await,
        "send" => lambda_runtime::run(service_fn(send::invoked)).await,
        other => Err(format!(
            "`{}` (UDMAP_FUNCTION) is not a function, expected one of: collect, convert, send",
            crate::text::shown(other)
        )
        .into()),
    }
}

/// One invocation. What the event says is of no interest: it only says when.
async fn invoked(event: LambdaEvent<IgnoredAny>) -> Result<Line, Failed> {
    let left = event.context.deadline().duration_since(SystemTime::now()).unwrap_or_default();
    let panics = crate::panics::happened();
    let mut runs = Vec::new();
    let work = run(left.saturating_sub(MARGIN), &mut runs);
    let ended = tokio::time::timeout(left.saturating_sub(LAST_MOMENT), work).await;
    match ended {
        Ok(_) if crate::panics::happened() > panics => runs.push((None, Err(failure(Error::config(FAULT))))),
        Ok(Ok(())) => {}
        Ok(Err(error)) => runs.push((None, Err(failure(error)))),
        Err(_) => runs.push((None, Err(failure(too_late(left))))),
    }
    if runs.len() > 1 {
        for run in &runs {
            println!("{}", Line::new(run).of_several().json());
        }
    }
    // The line that alarms are made of (docs/deploy.md).
    let line = Line::whole(runs.iter().map(Line::new).collect());
    println!("{}", line.json());
    match Failed::of(runs) {
        Some(failed) => Err(failed),
        None => Ok(line),
    }
}

/// One run of each log that ends in this time. Settings and keys are read afresh, so that a key that was replaced is used
/// at once.
async fn run(time: Duration, runs: &mut Vec<Run>) -> Result<(), Error> {
    crate::panics::provoke("collect");
    let begun = Instant::now();
    let (mut collectors, max_pages) = open().await?;
    // Keys that were slow to come are paid for with pages, not with the end.
    let deadline = Some(time.saturating_sub(begun.elapsed()));
    let limits = Limits { deadline, max_pages, ..Limits::default() };
    let several = collectors.len() > 1;
    let told = &mut |log, result| runs.push((Some(log).filter(|_| several), result));
    collect::run(&mut collectors, None, &limits, told).await;
    Ok(())
}

async fn open() -> Result<(Vec<Collector>, Option<u64>), Error> {
    let variable = |name: &str| std::env::var(name).ok();
    let env = Environment(&variable);
    let keys = match env.text("DUO_SECRET_ARN") {
        Some(arn) => Keys::fetch(&arn, env).await?,
        None => Keys::default(),
    };
    let settings = Settings::read(&|name| keys.get(name).or_else(|| variable(name)))?;
    let derive = |log| settings.convert.then(|| convert::derivation(env, log)).transpose();
    Ok((settings.open(derive)?, settings.max_pages))
}

fn too_late(left: Duration) -> Error {
    Error::config(format!("no end of the run within the {:.0} s that Lambda gives it", left.as_secs_f64()))
        .with_hint("raise the function's timeout; what was delivered stays, and the next run goes on")
}

fn failure(error: Error) -> Failure {
    Failure { error, report: Report::default() }
}

//! Objects sent into Google SecOps by an AWS Lambda function that is called for each as it arrives: converted first,
//! or as the UDM events that they are. docs/deploy.md says how to deploy it.
//!
//! Each version of an object has a state of its own, so that one that is told of again is not sent again, and one that
//! is too large for an invocation is continued by the next.

mod line;
mod object;
mod settings;
mod shared;

use crate::jobs::send::{GivenCredentials, Settings, Stop};
use crate::jobs::settings::Environment;
use crate::lambda::failed::{FAULT, Failed};
use crate::lambda::objects::again;
use crate::lambda::objects::event::{self, Asked, Task};
use crate::lambda::secret;
use lambda_runtime::LambdaEvent;
use line::{ObjectLine, SendLine};
use serde_json::Value;
use settings::SECRET;
use shared::Shared;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, SystemTime};

/// What is left of an invocation's time when sending is stopped: a request that is under way is waited for, and what
/// came of it is noted.
const MARGIN: Duration = Duration::from_secs(20);

/// One invocation: what a queue, or another caller, is answered.
pub(in crate::lambda) async fn invoked(event: LambdaEvent<Value>) -> Result<Value, Failed> {
    let left = event.context.deadline().duration_since(SystemTime::now()).unwrap_or_default();
    let Asked { queue, tasks } = event::read(&event.payload);
    // Stores block, so they have a thread of their own.
    let opened =
        tokio::task::spawn_blocking(shared::open).await.map_err(|error| Failed::new("Panic", error))?;
    let shared = opened.map_err(|error| Failed::new("Config", error))?;
    shared.access.stop().store(false, Relaxed);
    let settings = Settings { credentials: credentials(shared).await?, ..shared.settings.clone() };
    let stop = Stop::new();
    let (line, failed) = {
        let mut work = std::pin::pin!(run(shared, &settings, &tasks, &stop));
        tokio::select! {
            ended = &mut work => ended,
            () = tokio::time::sleep(left.saturating_sub(MARGIN)) => {
                shared.access.stop().store(true, Relaxed);
                stop.stop();
                work.await
            }
        }
    };
    println!("{}", serde_json::to_string(&line).unwrap_or_default());
    if queue {
        return Ok(again(tasks.into_iter().map(|task| task.message).collect(), &failed));
    }
    if failed.contains(&true) {
        return Err(Failed::new("ObjectsFailed", line.errors.join("; ")));
    }
    serde_json::to_value(line).map_err(|error| Failed::new("Panic", error))
}

/// Credentials of the secret, if one is named. It is read afresh, so that a key that was replaced is used at once.
async fn credentials(shared: &Shared) -> Result<Option<GivenCredentials>, Failed> {
    let env = Environment(&|name| std::env::var(name).ok());
    let Some(arn) = &shared.secret else {
        // A file in the function's package or in a layer.
        return Ok(env.text("UDMAP_SEND_CREDENTIALS").map(GivenCredentials::File));
    };
    let json = secret::fetch(SECRET, arn, env).await?;
    Ok(Some(GivenCredentials::Json { json, from: format!("the secret `{arn}` ({SECRET})") }))
}

/// Sends the objects of all tasks, one after the other: the rate is that of all of them. Which of the tasks failed.
async fn run(
    shared: &'static Shared,
    settings: &Settings,
    tasks: &[Task],
    stop: &Stop,
) -> (SendLine, Vec<bool>) {
    let (mut whole, mut failed) = (SendLine::new(), Vec::new());
    for task in tasks {
        let mut has_failed = false;
        match &task.objects {
            Ok(objects) => {
                for named in objects {
                    let panics = crate::panics::happened();
                    let (mut result, counted) = if stop.is_asked() {
                        let error = format!("no time left for `{}`: it was not begun", named.url());
                        (Err(error), line::Counted::default())
                    } else {
                        object::deliver(shared, settings, named, stop).await
                    };
                    if crate::panics::happened() > panics {
                        // Perhaps on a thread that nobody waits for.
                        result = Err(FAULT.to_owned());
                    }
                    let line = ObjectLine::new(&named.url(), result, counted);
                    println!("{}", line.json());
                    has_failed |= line.error.is_some();
                    whole.add(&line);
                }
            }
            Err(error) => {
                whole.say(error);
                has_failed = true;
            }
        }
        failed.push(has_failed);
    }
    (whole.finish(), failed)
}

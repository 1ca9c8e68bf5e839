//! Objects converted by an AWS Lambda function that is called for each: by S3's notifications through
//! SQS, or by a Distributed Map of Step Functions. docs/scale.md says how to deploy it.
//!
//! A failing message goes back to the queue alone, and in the end to its dead-letter queue; a failing
//! batch of a Distributed Map fails, and is tried again. What was converted is then known.

pub(in crate::lambda) mod event;
pub(in crate::lambda) mod settings;

use crate::convert::Converter;
use crate::jobs::dump::{OnDemand, Outcome, Progress, Settings};
use crate::jobs::settings::Environment;
use crate::lambda::failed::{FAULT, Failed, with_hint};
use crate::store::objects::Access;
use crate::sync::{into_inner, lock};
use crate::text::escaped;
use event::{Asked, Named, Task};
use lambda_runtime::LambdaEvent;
use serde::Serialize;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, SystemTime};

/// What is left of an invocation's time when reading is stopped.
const MARGIN: Duration = Duration::from_secs(5);
/// How many errors are told.
const MOST_SHOWN: usize = 10;

/// What invocations of one process share.
struct Shared {
    on_demand: OnDemand<'static>,
    access: Access,
    jobs: usize,
}

/// An invocation in one line, for logs and metrics.
#[derive(Debug, Default, Serialize)]
struct ObjectsLine {
    level: &'static str,
    event: &'static str,
    objects: u64,
    converted: u64,
    /// Converted before.
    known: u64,
    /// Not there any more.
    gone: u64,
    /// Not wanted.
    left: u64,
    failed: u64,
    records: u64,
    events: u64,
    rejects: u64,
    /// Fields that could not be taken in events that were made all the same.
    #[serde(skip_serializing_if = "is_zero")]
    bad_fields: u64,
    /// Rejects of what was converted before.
    known_rejects: u64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<String>,
}

fn is_zero(n: &u64) -> bool {
    *n == 0
}

/// One invocation: what a queue, or another caller, is answered.
pub(in crate::lambda) async fn invoked(event: LambdaEvent<Value>) -> Result<Value, Failed> {
    let left = event.context.deadline().duration_since(SystemTime::now()).unwrap_or_default();
    let Asked { queue, tasks } = event::read(&event.payload);
    // Stores block, so they have a thread of their own.
    let opened = tokio::task::spawn_blocking(shared).await.map_err(|error| Failed::new("Panic", error))?;
    let shared = opened.map_err(|error| Failed::new("Config", error))?;
    shared.access.stop().store(false, Relaxed);
    let panics = crate::panics::happened();
    let names: Vec<Option<String>> = tasks.iter().map(|task| task.message.clone()).collect();
    let mut work = tokio::task::spawn_blocking(move || shared.run(&tasks));
    let ended = tokio::select! {
        ended = &mut work => ended,
        () = tokio::time::sleep(left.saturating_sub(MARGIN)) => {
            shared.access.stop().store(true, Relaxed);
            work.await
        }
    };
    let (line, failed) = ended.map_err(|error| Failed::new("Panic", error))?;
    if crate::panics::happened() > panics {
        // On a thread that nobody waits for.
        return Err(Failed::new("Panic", FAULT));
    }
    println!("{}", serde_json::to_string(&line).unwrap_or_default());
    if queue {
        return Ok(again(names, &failed));
    }
    if failed.iter().any(|failed| *failed) {
        return Err(Failed::new("ObjectsFailed", line.errors.join("; ")));
    }
    serde_json::to_value(line).map_err(|error| Failed::new("Panic", error))
}

/// What a queue is answered: the messages that it must hand out again.
pub(in crate::lambda) fn again(names: Vec<Option<String>>, failed: &[bool]) -> Value {
    let again = names.into_iter().zip(failed).filter(|(_, failed)| **failed);
    let again: Vec<Value> = again.map(|(id, _)| json!({ "itemIdentifier": id })).collect();
    json!({ "batchItemFailures": again })
}

/// Opens everything once a process: settings don't change in it.
fn shared() -> Result<&'static Shared, String> {
    static SHARED: OnceLock<Result<Shared, String>> = OnceLock::new();
    let open = || {
        let (settings, converter) = settings::read(Environment(&|name| std::env::var(name).ok()))?;
        // They live as long as the process.
        let (settings, converter): (&Settings, &Converter) =
            (Box::leak(Box::new(settings)), Box::leak(Box::new(converter)));
        let progress: &Progress = Box::leak(Box::default());
        let access = Access::new(false, Arc::default()).map_err(|error| error.to_string())?;
        let on_demand =
            OnDemand::new(settings, converter, &access, progress).map_err(|error| error.to_string())?;
        Ok(Shared { on_demand, access, jobs: settings.jobs })
    };
    SHARED.get_or_init(open).as_ref().map_err(Clone::clone)
}

impl Shared {
    /// Converts the objects of all tasks; which of the tasks failed.
    fn run(&self, tasks: &[Task]) -> (ObjectsLine, Vec<bool>) {
        let line = Mutex::new(ObjectsLine { event: "convert", ..ObjectsLine::default() });
        let failed = Mutex::new(vec![false; tasks.len()]);
        let fail = |task: usize, error: String| {
            let mut line = lock(&line);
            if line.errors.len() < MOST_SHOWN {
                line.errors.push(escaped(&error).into_owned());
            }
            lock(&failed)[task] = true;
        };
        let mut objects: Vec<(usize, &Named)> = Vec::new();
        for (at, task) in tasks.iter().enumerate() {
            match &task.objects {
                Ok(named) => objects.extend(named.iter().map(|named| (at, named))),
                Err(error) => fail(at, error.clone()),
            }
        }
        let next = AtomicUsize::new(0);
        let work = || {
            while let Some((task, named)) = objects.get(next.fetch_add(1, Relaxed)) {
                crate::panics::provoke("object");
                let root = format!("s3://{}", named.bucket);
                let outcome = self.on_demand.convert(&root, &named.key);
                let mut count = lock(&line);
                let error = match outcome {
                    Ok(outcome) => count.add(&outcome, named),
                    Err(error) => Some(with_hint(&error, error.hint())),
                };
                count.failed += u64::from(error.is_some());
                drop(count);
                if let Some(error) = error {
                    fail(*task, error);
                }
            }
        };
        std::thread::scope(|scope| {
            (1..self.jobs.min(objects.len())).for_each(|_| drop(scope.spawn(work)));
            work();
        });
        let mut line = into_inner(line);
        let failed = into_inner(failed);
        line.objects = objects.len() as u64;
        // Records that were lost to rejects, objects that were not there, or none at all: worth a look.
        let odd = line.gone + line.rejects + line.bad_fields + line.known_rejects > 0 || objects.is_empty();
        line.level = match (failed.contains(&true), odd) {
            (true, _) => "error",
            (false, true) => "warning",
            (false, false) => "info",
        };
        (line, failed)
    }
}

impl ObjectsLine {
    /// Counts what outcome of an object; why it is a failure, if it is one.
    fn add(&mut self, outcome: &Outcome, named: &Named) -> Option<String> {
        match outcome {
            Outcome::Converted(line) => {
                self.converted += 1;
                self.records += line.records;
                self.events += line.events;
                self.rejects += line.rejects;
                self.bad_fields += line.bad_fields;
            }
            Outcome::Known(line) => {
                self.known += 1;
                self.known_rejects += line.rejects;
            }
            Outcome::Gone => self.gone += 1,
            Outcome::Left => self.left += 1,
            Outcome::Stopped => {
                return Some(format!("no time left for `{}`: raise the function's timeout", named.url()));
            }
        }
        None
    }
}

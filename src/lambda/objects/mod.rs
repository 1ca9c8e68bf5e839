//! Objects converted by an AWS Lambda function that is called for each: by S3's notifications through
//! SQS, or by a Distributed Map of Step Functions. docs/scale.md says how to deploy it.
//!
//! A failing message goes back to the queue alone, and in the end to its dead-letter queue; a failing
//! batch of a Distributed Map fails, and is tried again. What was converted is then known.

mod event;
mod settings;

use crate::convert::{Converter, Session};
use crate::jobs::dump::{Account, Became, Settings, Singles};
use crate::store::objects::Access;
use crate::sync::{into_inner, lock};
use crate::text::escaped;
use event::{Asked, Named, Task};
use lambda_runtime::{Diagnostic, LambdaEvent};
use serde::Serialize;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, SystemTime};

/// What is left of an invocation's time when reading is stopped.
const MARGIN: Duration = Duration::from_secs(5);
/// So many errors are told.
const MOST_SHOWN: usize = 10;

/// What invocations of one process share.
struct Shared {
    singles: Singles<'static>,
    converter: &'static Converter,
    access: Access,
    jobs: usize,
    sessions: Mutex<Vec<Session>>,
}

/// An invocation in one line, for logs and metrics.
#[derive(Debug, Default, Serialize)]
struct Line {
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
    /// Rejects of what was converted before.
    known_rejects: u64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<String>,
}

/// One invocation: what a queue, or whoever called, is answered.
pub(super) async fn invoked(event: LambdaEvent<Value>) -> Result<Value, Failed> {
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
        return Err(Failed::new("Panic", super::FAULT));
    }
    println!("{}", serde_json::to_string(&line).unwrap_or_default());
    if queue {
        let again = names.into_iter().zip(failed).filter(|(_, failed)| *failed);
        let again: Vec<Value> = again.map(|(id, _)| json!({ "itemIdentifier": id })).collect();
        return Ok(json!({ "batchItemFailures": again }));
    }
    if failed.iter().any(|failed| *failed) {
        return Err(Failed::new("ObjectsFailed", line.errors.join("; ")));
    }
    serde_json::to_value(line).map_err(|error| Failed::new("Panic", error))
}

/// Opens everything once a process: settings don't change in it.
fn shared() -> Result<&'static Shared, String> {
    static SHARED: OnceLock<Result<Shared, String>> = OnceLock::new();
    let env = |name: &str| std::env::var(name).ok().filter(|text| !text.trim().is_empty());
    let open = || {
        let (settings, converter) = settings::read(&env)?;
        // They live as long as the process.
        let (settings, converter): (&Settings, &Converter) =
            (Box::leak(Box::new(settings)), Box::leak(Box::new(converter)));
        let account: &Account = Box::leak(Box::default());
        let access = Access::new(false, Arc::default()).map_err(|error| error.to_string())?;
        let singles =
            Singles::new(settings, converter, &access, account).map_err(|error| error.to_string())?;
        let (jobs, sessions) = (settings.jobs, Mutex::default());
        Ok(Shared { singles, converter, access, jobs, sessions })
    };
    SHARED.get_or_init(open).as_ref().map_err(Clone::clone)
}

impl Shared {
    /// Converts the objects of all tasks; which of the tasks failed.
    fn run(&self, tasks: &[Task]) -> (Line, Vec<bool>) {
        let line = Mutex::new(Line { event: "convert", ..Line::default() });
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
            let mut session = self.session();
            while let Some((task, named)) = objects.get(next.fetch_add(1, Relaxed)) {
                crate::panics::provoke("object");
                let root = format!("s3://{}", named.bucket);
                let became = self.singles.convert(&mut session, &root, &named.key);
                let mut count = lock(&line);
                let error = match became {
                    Ok(became) => count.add(&became, named),
                    Err(error) => {
                        let hint = error.hint().map(|hint| format!(" (hint: {hint})")).unwrap_or_default();
                        Some(format!("{error}{hint}"))
                    }
                };
                count.failed += u64::from(error.is_some());
                drop(count);
                if let Some(error) = error {
                    fail(*task, error);
                }
            }
            lock(&self.sessions).push(session);
        };
        std::thread::scope(|scope| {
            (1..self.jobs.min(objects.len())).for_each(|_| drop(scope.spawn(work)));
            work();
        });
        let mut line = into_inner(line);
        let failed = into_inner(failed);
        line.objects = objects.len() as u64;
        // Records that were lost to rejects, objects that were not there, or none at all: worth a look.
        let odd = line.gone + line.rejects + line.known_rejects > 0 || objects.is_empty();
        line.level = match (failed.contains(&true), odd) {
            (true, _) => "error",
            (false, true) => "warning",
            (false, false) => "info",
        };
        (line, failed)
    }

    fn session(&self) -> Session {
        let kept = lock(&self.sessions).pop();
        kept.unwrap_or_else(|| self.converter.session())
    }
}

impl Line {
    /// Counts what became of an object; why it is a failure, if it is one.
    fn add(&mut self, became: &Became, named: &Named) -> Option<String> {
        match became {
            Became::Converted(line) => {
                self.converted += 1;
                self.records += line.records;
                self.events += line.events;
                self.rejects += line.rejects;
            }
            Became::Known(line) => {
                self.known += 1;
                self.known_rejects += line.rejects;
            }
            Became::Gone => self.gone += 1,
            Became::Left => self.left += 1,
            Became::Stopped => {
                let Named { bucket, key } = named;
                return Some(format!("no time left for `s3://{bucket}/{key}`: raise the function's timeout"));
            }
        }
        None
    }
}

/// Why an invocation failed, as Lambda shows it.
#[derive(Debug)]
pub(super) struct Failed {
    kind: &'static str,
    why: String,
}

impl Failed {
    fn new(kind: &'static str, why: impl ToString) -> Failed {
        Failed { kind, why: why.to_string() }
    }
}

impl From<Failed> for Diagnostic {
    fn from(Failed { kind, why }: Failed) -> Diagnostic {
        Diagnostic { error_type: kind.to_owned(), error_message: why }
    }
}

//! A run: ranges are read on one thread, and sent by several tasks. What is noted is saved before what rests on it.

use super::Error;
use super::client::{Client, Ended, Patience, Sent};
use super::counts::Counts;
use super::credentials::{Credentials, GivenCredentials};
use super::event::EventMaker;
use super::hint::{Hints, Role};
use super::inputs::{self, Read};
use super::keeper::{self, Keeper, Wanted};
use super::log::LogMaker;
use super::maker::Maker;
use super::piece::Piece;
use super::reader::Limits;
use super::rejects::RejectsTo;
use super::report::{Failure, Report};
use super::target::{Method, Target};
use crate::convert::Converter;
use crate::jobs::waiting::Stop;
use crate::store::Source;
use crate::store::objects::StorePath;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;

/// What to send where, and how.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The instance.
    pub target: Target,
    /// Events, or raw logs.
    pub method: Method,
    /// Reads the times of raw logs' records, if there is a table for them.
    pub times: Option<Arc<Converter>>,
    /// Credentials, if they are given and not found.
    pub credentials: Option<GivenCredentials>,
    /// The state's place.
    pub state: String,
    /// Where rejects go.
    pub rejects: RejectsTo,
    /// The most events of a request; frozen by the first run.
    pub batch_events: Option<u64>,
    /// The most bytes of a request; frozen by the first run.
    pub batch_bytes: Option<u64>,
    /// How many requests are under way at once.
    pub parallel: usize,
    /// Bytes a second, if there is a limit.
    pub rate: Option<u64>,
    /// How requests are repeated.
    pub patience: Patience,
}

impl Settings {
    pub(super) fn wanted(&self) -> Wanted {
        Wanted { batch_events: self.batch_events, batch_bytes: self.batch_bytes }
    }

    /// What a request begins with.
    pub(super) fn head(&self) -> Vec<u8> {
        self.maker(0).head().to_vec()
    }

    /// Makes requests of lines; `begun` is when the first run began.
    fn maker(&self, begun: i64) -> Maker {
        match &self.method {
            Method::Events => Maker::Events(EventMaker::new()),
            Method::Logs(logs) => Maker::Logs(LogMaker::new(logs, &self.target, begun, self.times.clone())),
        }
    }

    pub(super) fn place(&self) -> Result<StorePath, Error> {
        StorePath::object(&self.state).map_err(|error| Error::store(&error))
    }

    pub(super) fn find_credentials(&self) -> Result<Credentials, Error> {
        Credentials::find(self.credentials.as_ref(), &|name| std::env::var(name).ok())
    }
}

/// What all tasks share.
struct Shared {
    client: Client,
    keeper: Keeper,
    halt: Stop,
    hints: Hints,
    /// Until something was accepted, one range at a time is split.
    splits: Semaphore,
}

/// Sends what `sources` hold and earlier runs have not sent. `counts` can be looked at meanwhile.
///
/// # Errors
/// If not all could be sent, apart from single inputs, which are in the report.
pub async fn send(
    settings: &Settings,
    sources: &[Source],
    stop: &Stop,
    counts: &Arc<Counts>,
) -> Result<Report, Failure> {
    let mut report = Report::default();
    let shared = match begin(settings, counts, &mut report).await {
        Ok(shared) => Arc::new(shared),
        Err(error) => return Err(Failure { error, report: Box::new(report) }),
    };
    let (give, take) = mpsc::channel(1);
    let stop_reading = Arc::new(AtomicBool::new(false));
    let reading = {
        let (sources, shared, stop) = (sources.to_vec(), Arc::clone(&shared), Arc::clone(&stop_reading));
        let (maker, read_bytes) = (settings.maker(shared.keeper.begun()), Arc::clone(&counts.read));
        let read = move || {
            crate::panics::provoke("send");
            let (events, bytes) = shared.keeper.limits();
            let state = |name: &str| shared.keeper.input(name);
            inputs::read(
                &sources,
                maker,
                Limits { events, bytes },
                &state,
                &read_bytes,
                &stop,
                &mut |read| give.blocking_send(read).is_ok(),
            );
        };
        std::thread::Builder::new().name("send".into()).spawn(read)
    };
    let mut failed = None;
    if let Err(error) = &reading {
        failed = Some(Error::new(format!("cannot start a thread: {error}")));
    } else {
        failed = deliver_all(settings.parallel, &shared, take, stop, &mut report).await.or(failed);
    }
    stop_reading.store(true, Relaxed);
    if let Ok(thread) = reading {
        // It ends with the next line or piece. The command ends where it panics, but a program that embeds this may go
        // on: what was not read must not pass for sent.
        if !matches!(tokio::task::spawn_blocking(move || thread.join()).await, Ok(Ok(()))) {
            failed.get_or_insert(Error::new("udmap failed: reading the inputs panicked"));
        }
    }
    report.is_stopped = stop.is_asked();
    if failed.is_none() && !report.is_stopped {
        shared.keeper.settle().await;
    }
    let saved = shared.keeper.save().await;
    report.rejected_in_all = shared.keeper.rejected();
    report.count(counts);
    match failed.or(saved.err()) {
        Some(error) => Err(Failure { error, report: Box::new(report) }),
        None => Ok(report),
    }
}

async fn begin(settings: &Settings, counts: &Arc<Counts>, report: &mut Report) -> Result<Shared, Error> {
    let Settings { target, method, .. } = settings;
    let credentials = settings.find_credentials()?;
    let halt = Stop::new();
    let client = Client::new(
        method,
        target,
        credentials,
        settings.rate,
        &settings.patience,
        halt.clone(),
        Arc::clone(counts),
    )?;
    // Without a token nothing is begun, and nobody waits for one that never comes.
    client.credentials.token().await.map_err(|no| no.error)?;
    let place = settings.place()?;
    let wanted = settings.wanted();
    let keeper = Keeper::take(&place, target, method, wanted, &settings.rejects, Arc::clone(counts)).await?;
    let (events, bytes) = keeper.limits();
    if wanted.batch_events.is_some_and(|wanted| wanted != events)
        || wanted.batch_bytes.is_some_and(|wanted| wanted != bytes)
    {
        report.notes.push(format!(
            "the limits of requests stay those of the first run with this state: {events} events, {bytes} bytes"
        ));
    }
    Ok(Shared { client, keeper, halt, hints: Hints::default(), splits: Semaphore::new(1) })
}

/// Has pieces delivered, this many at once. What failed, if something did.
async fn deliver_all(
    parallel: usize,
    shared: &Arc<Shared>,
    take: mpsc::Receiver<Read>,
    stop: &Stop,
    report: &mut Report,
) -> Option<Error> {
    let mut take = Some(take);
    let mut tasks = JoinSet::new();
    let mut failed = None;
    loop {
        if shared.halt.is_asked() {
            take = None;
        }
        if take.is_none() && tasks.is_empty() {
            return failed;
        }
        let has_room = tasks.len() < parallel;
        let next = async {
            match &mut take {
                Some(take) if has_room => take.recv().await,
                _ => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            () = stop.asked(), if !shared.halt.is_asked() => shared.halt.stop(),
            read = next => match read {
                Some(Read::Piece(piece)) => {
                    tasks.spawn(deliver(Arc::clone(shared), *piece));
                }
                Some(Read::Passed(source, result, ages)) => report.passed(&source, result, ages),
                None => take = None,
            },
            Some(ended) = tasks.join_next() => {
                let error = match ended {
                    Ok(Ok(()) | Err(Ended::Stopped)) => continue,
                    Ok(Err(Ended::Failed(error))) => error,
                    Err(error) => Error::new(format!("udmap failed: {error}")),
                };
                failed.get_or_insert(error);
                shared.halt.stop();
            }
        }
    }
}

/// Sends a piece, and its parts if it is refused, the first part first.
async fn deliver(shared: Arc<Shared>, piece: Piece) -> Result<(), Ended> {
    let Shared { client, keeper, halt, hints, splits } = &*shared;
    if piece.is_end {
        keeper.note_end(&piece);
        keeper.save().await?;
    }
    let all = 0..piece.events.len();
    if all.is_empty() {
        keeper.note_accepted(&piece, &all).await;
        return Ok(keeper.save().await?);
    }
    let (mut permit, mut again) = (None, piece.again);
    let mut open = vec![(all, Role::Any)];
    while let Some((part, role)) = open.pop() {
        if halt.is_asked() {
            return Err(Ended::Stopped);
        }
        let (body, count) = (piece.body_of(&part), part.len() as u64);
        let (reason, why) = match client.send(&body, count, again).await? {
            Sent::Accepted => {
                hints.accepted(role);
                keeper.note_accepted(&piece, &part).await;
                permit = None;
                keeper.save().await?;
                continue;
            }
            Sent::Refused(why) => ("refused", why),
            Sent::TooLarge(why) => ("too-large", why),
        };
        // What is refused as a whole was never taken, and an earlier run sent no part of it.
        again = false;
        let mut accepted = keeper.accepted();
        if permit.is_none() && !*accepted.borrow() {
            // Otherwise the search for bad events could take many requests before it shows that all are refused.
            tokio::select! {
                biased;
                () = halt.asked() => return Err(Ended::Stopped),
                _ = accepted.wait_for(|accepted| *accepted) => {}
                got = splits.acquire() => permit = got.ok(),
            }
        }
        if part.len() > 1 {
            let (size, first, second) = hints.cut(part.len(), role, &why);
            let middle = part.start + size;
            let line = piece.events.get(middle).map_or(piece.lines.start, |event| event.line);
            keeper.note_split(&piece, line);
            open.push((middle..part.end, second));
            open.push((part.start..middle, first));
        } else {
            keeper.note_refused(&piece, part.start, reason, &why).await?;
        }
        keeper.save().await?;
    }
    drop(permit);
    Ok(())
}

/// Says what a run would do, without a request and without a trace.
///
/// # Errors
/// If the state can't be read.
pub async fn dry_run(
    settings: &Settings,
    sources: &[Source],
    stop: &Stop,
    counts: &Arc<Counts>,
) -> Result<Report, Failure> {
    let mut report = Report::default();
    let place = settings.place();
    let loaded = match &place {
        Ok(place) => keeper::load(place, &settings.target, &settings.method, settings.wanted()).await,
        Err(error) => Err(error.clone()),
    };
    let (state, _) = loaded.map_err(|error| Failure { error, report: Box::default() })?;
    let limits = Limits { events: state.batch_events, bytes: state.batch_bytes };
    let input = |name: &str| state.inputs.get(name).cloned().unwrap_or_default();
    let stop_reading = Arc::new(AtomicBool::new(false));
    // Objects are read by blocking calls, which a thread of the runtime must not make.
    std::thread::scope(|scope| {
        scope.spawn(|| {
            inputs::read(
                sources,
                settings.maker(state.begun),
                limits,
                &input,
                &counts.read,
                &stop_reading,
                &mut |read| {
                    match read {
                        Read::Piece(piece) => {
                            let rejects = piece.rejects.iter().map(|reject| reject.reason);
                            counts.plan(piece.events.len(), piece.body.len(), rejects);
                        }
                        Read::Passed(source, result, ages) => report.passed(&source, result, ages),
                    }
                    !stop.is_asked()
                },
            );
        });
    });
    report.is_stopped = stop.is_asked();
    report.count(counts);
    Ok(report)
}

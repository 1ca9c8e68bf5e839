//! The state as a run holds it: what is noted goes to its place before anything that rests on it.

use super::Error;
use super::counts::{Counts, add};
use super::piece::{Piece, Reject};
use super::rejects::{Rejects, RejectsTo};
use super::state::{InputState, Known, MOST_BYTES, State};
use super::target::{Method, Target};
use crate::jobs::waiting::random;
use crate::store::objects::{Created, Replaced, StorePath, Version};
use crate::sync::lock;
use bytes::Bytes;
use chrono::Utc;
use std::fs::{File, TryLockError};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use tokio::sync::watch;

/// This many single events may be refused before one is accepted: then the fault is not theirs.
const MOST_SUSPECTS: usize = 32;

/// A state that this run has taken.
pub(super) struct Keeper {
    place: StorePath,
    noted: Mutex<Noted>,
    saved: tokio::sync::Mutex<Saved>,
    counts: Arc<Counts>,
    /// Whether something was ever accepted.
    accepted: watch::Sender<bool>,
    /// Held as long as the process lives.
    _lock: Option<File>,
}

/// What is noted, and not yet saved.
struct Noted {
    state: State,
    revision: u64,
    rejects: Vec<u8>,
    /// Single events that were refused before anything was accepted.
    suspects: Vec<Suspect>,
}

struct Suspect {
    input: String,
    source: String,
    lines: Range<u64>,
    known: Known,
    rejects: Vec<Reject>,
}

struct Saved {
    version: Option<Version>,
    /// What was read or written last.
    bytes: Bytes,
    revision: u64,
    rejects: Rejects,
    /// Why rejects could not be appended. Then nothing is saved any more, which would take them for written.
    failed: Option<Error>,
}

/// What is asked for, where there is no state yet.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted {
    pub(super) batch_events: Option<u64>,
    pub(super) batch_bytes: Option<u64>,
}

/// How often a state is written anew that somebody rewrote without a change.
const TRIES: u32 = 3;
/// The limits where nobody asks for others.
const BATCH_EVENTS: u64 = 1000;
const BATCH_BYTES: u64 = 2_000_000;

impl std::fmt::Debug for Keeper {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keeper").field("place", &self.place.name("")).finish_non_exhaustive()
    }
}

/// Reads the state of a place, or begins one.
pub(super) async fn load(
    place: &StorePath,
    target: &Target,
    method: &Method,
    wanted: Wanted,
) -> Result<(State, Option<Version>), Error> {
    let read = place.store.read(&place.prefix, MOST_BYTES).await.map_err(|error| Error::store(&error))?;
    Ok(match read {
        Some(object) => {
            (State::read(&object.bytes, &place.name(""), &target.path(), method)?, Some(object.version))
        }
        None => {
            let (events, bytes) = (wanted.batch_events, wanted.batch_bytes);
            let now = Utc::now().timestamp_millis();
            let (events, bytes) = (events.unwrap_or(BATCH_EVENTS), bytes.unwrap_or(BATCH_BYTES));
            (State::new(target.path(), method, events, bytes, now), None)
        }
    })
}

impl Keeper {
    /// Takes the state for this run: another one at work on it is noticed, or notices.
    pub(super) async fn take(
        place: &StorePath,
        target: &Target,
        method: &Method,
        wanted: Wanted,
        rejects: &RejectsTo,
        counts: Arc<Counts>,
    ) -> Result<Keeper, Error> {
        let lock = if place.store.is_remote() { None } else { lock_file(place)? };
        let (mut state, version) = load(place, target, method, wanted).await?;
        let bytes = Bytes::from(state.write());
        let rejects = Rejects::open(rejects, state.rejects_bytes).await?;
        state.writer = format!("{:016x}", random());
        let keeper = Keeper {
            place: place.clone(),
            accepted: watch::Sender::new(state.accepted > 0),
            noted: Mutex::new(Noted { state, revision: 1, rejects: Vec::new(), suspects: Vec::new() }),
            saved: tokio::sync::Mutex::new(Saved { version, bytes, revision: 0, rejects, failed: None }),
            counts,
            _lock: lock,
        };
        keeper.save().await?;
        Ok(keeper)
    }

    /// The limits that are frozen: events and bytes of a request.
    pub(super) fn limits(&self) -> (u64, u64) {
        let noted = lock(&self.noted);
        (noted.state.batch_events, noted.state.batch_bytes)
    }

    /// When the first run began, in ms.
    pub(super) fn begun(&self) -> i64 {
        lock(&self.noted).state.begun
    }

    /// What is known of an input.
    pub(super) fn input(&self, name: &str) -> InputState {
        lock(&self.noted).state.inputs.get(name).cloned().unwrap_or_default()
    }

    /// How many events were rejected, in all runs.
    pub(super) fn rejected(&self) -> u64 {
        lock(&self.noted).state.rejected
    }

    /// Tells when something was accepted.
    pub(super) fn accepted(&self) -> watch::Receiver<bool> {
        self.accepted.subscribe()
    }

    /// Notes that the input ends behind a piece, so that it is never filled up.
    pub(super) fn note_end(&self, piece: &Piece) {
        self.note(|state| {
            state.inputs.entry(piece.input.clone()).or_default().end(&piece.known, piece.version.as_deref())
        });
    }

    /// Notes that a piece is split before a line.
    pub(super) fn note_split(&self, piece: &Piece, line: u64) {
        add(&self.counts.splits, 1);
        self.note(|state| state.inputs.entry(piece.input.clone()).or_default().cut(line));
    }

    /// Notes that a part of a piece is in SecOps; and that there never was anything to send in it, if it has no events.
    pub(super) async fn note_accepted(&self, piece: &Piece, events: &Range<usize>) {
        let lines = piece.lines_of(events);
        let suspects = {
            let mut noted = lock(&self.noted);
            noted.state.accepted += events.len() as u64;
            add(&self.counts.accepted, events.len() as u64);
            if events.is_empty() { Vec::new() } else { std::mem::take(&mut noted.suspects) }
        };
        if !events.is_empty() {
            self.accepted.send_replace(true);
        }
        self.reject_all(suspects).await;
        let rejects = rejects_of(piece, &lines).collect();
        let (input, source, known) = (piece.input.clone(), piece.source.clone(), piece.known.clone());
        self.reject_all(vec![Suspect { input, source, lines, known, rejects }]).await;
    }

    /// Notes that SecOps refuses a single event. As long as nothing was accepted, it is only suspected.
    ///
    /// # Errors
    /// If that was one too many.
    pub(super) async fn note_refused(
        &self,
        piece: &Piece,
        at: usize,
        reason: &'static str,
        message: &str,
    ) -> Result<(), Error> {
        let lines = piece.lines_of(&(at..at + 1));
        let mut rejects: Vec<Reject> = rejects_of(piece, &lines).collect();
        if let Some(event) = piece.events.get(at) {
            let raw = piece.raw(event);
            let (line, length, message) = (event.line, raw.len() as u64, message.to_owned());
            rejects.push(Reject { line, length, reason, message, raw });
        }
        rejects.sort_by_key(|reject| reject.line);
        let (input, source, known) = (piece.input.clone(), piece.source.clone(), piece.known.clone());
        let suspect = Suspect { input, source, lines, known, rejects };
        if !*self.accepted.borrow() {
            let mut noted = lock(&self.noted);
            noted.suspects.push(suspect);
            if noted.suspects.len() >= MOST_SUSPECTS {
                let error = Error::new(format!(
                    "SecOps refused {MOST_SUSPECTS} single events and accepted none, so the fault is not the events': {message}"
                ));
                return Err(error.with_hint(
                    "nobody was rejected; check project, location, instance and API version, and send one event that is \
                     known to be good",
                ));
            }
            return Ok(());
        }
        self.reject_all(vec![suspect]).await;
        Ok(())
    }

    /// At the end of all inputs, what is still suspected is refused.
    pub(super) async fn settle(&self) {
        let suspects = std::mem::take(&mut lock(&self.noted).suspects);
        self.reject_all(suspects).await;
        self.saved.lock().await.rejects.settle();
        self.note(|_| {});
    }

    async fn reject_all(&self, done: Vec<Suspect>) {
        if done.is_empty() {
            return;
        }
        let mut saved = self.saved.lock().await;
        let mut noted = lock(&self.noted);
        for Suspect { input, source, lines, known, rejects } in done {
            noted.state.inputs.entry(input).or_default().done(lines, &known);
            noted.state.rejected += rejects.len() as u64;
            for reject in rejects {
                self.counts.reject(reject.reason);
                if !saved.rejects.took(&source, reject.line) {
                    reject.write(&source, &mut noted.rejects);
                }
            }
        }
        noted.revision += 1;
    }

    fn note(&self, change: impl FnOnce(&mut State)) {
        let mut noted = lock(&self.noted);
        change(&mut noted.state);
        noted.revision += 1;
    }

    /// Brings all that was noted before to the state's place. What several note meanwhile goes in one.
    ///
    /// # Errors
    /// If that can't be done, or if another run has taken the state.
    pub(super) async fn save(&self) -> Result<(), Error> {
        let wanted = lock(&self.noted).revision;
        let mut saved = self.saved.lock().await;
        if saved.revision >= wanted {
            return Ok(());
        }
        if let Some(error) = &saved.failed {
            return Err(error.clone());
        }
        let rejects = std::mem::take(&mut lock(&self.noted).rejects);
        if !rejects.is_empty()
            && let Err(error) = saved.rejects.append(rejects).await
        {
            saved.failed = Some(error.clone());
            return Err(error);
        }
        {
            let mut noted = lock(&self.noted);
            noted.state.rejects_bytes = saved.rejects.to_note(noted.state.rejects_bytes);
        }
        let (bytes, revision) = {
            let noted = lock(&self.noted);
            (Bytes::from(noted.state.write()), noted.revision)
        };
        if bytes.len() as u64 > MOST_BYTES {
            let error = Error::new(format!("the state `{}` would be too large", self.place.name("")));
            return Err(error.with_hint("send the inputs in parts, each with a state of its own"));
        }
        let version = self.put(&saved, &bytes).await?;
        (saved.version, saved.revision, saved.bytes) = (Some(version), revision, bytes);
        Ok(())
    }
}

impl Keeper {
    /// Writes the state, if it is still what was written last. A check and whatever copies objects writes the same anew.
    async fn put(&self, saved: &Saved, bytes: &Bytes) -> Result<Version, Error> {
        let (store, key) = (&self.place.store, &self.place.prefix);
        let failed = |error| Error::store(&error);
        let mut known = saved.version.clone();
        for _ in 0..TRIES {
            let found = match &known {
                Some(version) => match store.replace(key, bytes.clone(), version).await.map_err(failed)? {
                    Replaced::Done(version) => return Ok(version),
                    Replaced::Changed => store.read(key, MOST_BYTES).await.map_err(failed)?,
                },
                None => match store.create(key, bytes.clone()).await.map_err(failed)? {
                    Created::New(version) => return Ok(version),
                    // Ours, written by an attempt whose answer was lost: the writer's number is in it.
                    Created::Exists(object) if object.bytes == bytes => return Ok(object.version),
                    Created::Exists(_) => None,
                },
            };
            match found {
                Some(object) if object.bytes == saved.bytes => known = Some(object.version),
                _ => break,
            }
        }
        Err(busy(&self.place))
    }
}

/// The lines that are not sent, within these.
fn rejects_of<'p>(piece: &'p Piece, lines: &Range<u64>) -> impl Iterator<Item = Reject> + use<'p> {
    let lines = lines.clone();
    piece.rejects.iter().filter(move |reject| lines.contains(&reject.line)).cloned()
}

fn busy(place: &StorePath) -> Error {
    let error = Error::new(format!("another run is at work with the state `{}`", place.name("")));
    error.with_hint("let it finish, or give each run a state of its own")
}

/// Locks a state on a disk. The lock ends with the process, however that ends.
pub(super) fn lock_file(place: &StorePath) -> Result<Option<File>, Error> {
    let path = PathBuf::from(place.store.root()).join(&place.prefix);
    let path = std::fs::canonicalize(&path).unwrap_or(path);
    let failed =
        |error: std::io::Error| Error::new(format!("cannot lock the state `{}`: {error}", path.display()));
    let folder = path.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder).map_err(failed)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let lock = folder.join(format!(".{name}.run.lock"));
    let file = File::options().create(true).truncate(false).write(true).open(lock).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Err(busy(place)),
        // A file system without locks: another run is noticed when the state is replaced.
        Err(TryLockError::Error(_)) => Ok(None),
    }
}

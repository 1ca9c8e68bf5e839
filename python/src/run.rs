//! Work on a thread of its own, which never runs Python.
//!
//! Python's thread asks again and again how far the work is. In between it reads from Python's files and iterables,
//! reports progress, and notices Ctrl-C. So what a user wrote runs on the user's thread, and nothing else takes the GIL.

use crate::part::Part;
use pyo3::prelude::*;
use std::io::{self, Read};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How many parts may wait for Python: with those in the works they are the memory that a run takes.
const WAITING: usize = 2;
/// How long Python waits for a thread that was told to end. It ends by itself, but a device may keep it waiting.
const LONGEST_GOODBYE: Duration = Duration::from_secs(5);

/// No size is known.
const UNKNOWN: u64 = u64::MAX;

/// What both threads see.
pub(crate) struct Shared {
    /// Bytes read, as they are stored.
    pub(crate) read: Arc<AtomicU64>,
    /// How many there are in all.
    pub(crate) total: AtomicU64,
    pub(crate) records: AtomicU64,
    pub(crate) rejects: AtomicU64,
    /// Why it had to wait, until that is told.
    pub(crate) waiting: Mutex<Option<String>>,
    /// Whether nobody wants the result any more.
    pub(crate) stop: Arc<AtomicBool>,
}

impl Shared {
    pub(crate) fn new() -> Shared {
        Shared {
            read: Arc::default(),
            total: UNKNOWN.into(),
            records: AtomicU64::new(0),
            rejects: AtomicU64::new(0),
            waiting: Mutex::default(),
            stop: Arc::default(),
        }
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

/// What a run says.
pub(crate) enum Message {
    /// It needs more of what Python reads.
    Wants,
    /// A part of the result.
    Part(Part),
}

/// Makes Python's result of what a run gave.
pub(crate) type Finish = Box<dyn FnOnce(Python<'_>) -> PyResult<Py<PyAny>> + Send>;

/// What a run has to do: with what it is fed and where parts go.
pub(crate) type Job = Box<dyn FnOnce(&Shared, Option<Fed>, SyncSender<Message>) -> PyResult<Finish> + Send>;

/// What Python hands on, piece by piece; an empty piece is the end.
pub(crate) struct Fed {
    wants: SyncSender<Message>,
    pieces: Receiver<Vec<u8>>,
    piece: io::Cursor<Vec<u8>>,
    ended: bool,
}

impl Fed {
    /// The next piece as it was handed on; nothing at the end.
    ///
    /// # Errors
    /// If nobody feeds any more. Nobody sees these errors: the other side has set `Shared::stop` before it hung up.
    pub(crate) fn piece(&mut self) -> io::Result<Option<Vec<u8>>> {
        let gone = || io::Error::other("reading was stopped");
        if self.ended {
            return Ok(None);
        }
        self.wants.send(Message::Wants).map_err(|_| gone())?;
        let piece = self.pieces.recv().map_err(|_| gone())?;
        self.ended = piece.is_empty();
        Ok(Some(piece).filter(|piece| !piece.is_empty()))
    }
}

impl Read for Fed {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.piece.position() == self.piece.get_ref().len() as u64
            && let Some(piece) = self.piece()?
        {
            self.piece = io::Cursor::new(piece);
        }
        self.piece.read(out)
    }
}

struct Live {
    messages: Receiver<Message>,
    pieces: SyncSender<Vec<u8>>,
    thread: JoinHandle<PyResult<Finish>>,
    part: Option<Part>,
}

/// A run that is under way, or has ended.
#[pyclass(frozen, module = "udmap._native")]
pub(crate) struct Run {
    live: Mutex<Option<Live>>,
    shared: Arc<Shared>,
}

impl Run {
    /// Starts a run. If it is `fed`, Python hands on what it reads.
    pub(crate) fn start(fed: bool, job: Job) -> PyResult<Run> {
        let shared = Arc::new(Shared::new());
        let (to_python, messages) = sync_channel(WAITING);
        let (pieces, from_python) = sync_channel(1);
        let theirs = Arc::clone(&shared);
        let work = move || {
            let fed = fed.then(|| Fed {
                wants: to_python.clone(),
                pieces: from_python,
                piece: io::Cursor::default(),
                ended: false,
            });
            // As long as this is there, Python takes the run to be under way.
            let under_way = to_python.clone();
            let result = job(&theirs, fed, to_python);
            drop(under_way);
            result
        };
        let thread = std::thread::Builder::new().name("udmap".to_owned()).spawn(work)?;
        let live = Mutex::new(Some(Live { messages, pieces, thread, part: None }));
        Ok(Run { live, shared })
    }

    fn live(&self) -> MutexGuard<'_, Option<Live>> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Nobody waits for the thread here, for this may be anywhere: it ends when it notices.
impl Drop for Run {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
    }
}

#[pymethods]
impl Run {
    /// Waits for what the run says, at most this many seconds: `working`, `wants`, `part` or `ended`.
    fn wait(&self, py: Python<'_>, seconds: f64) -> &'static str {
        py.detach(|| {
            let mut live = self.live();
            let Some(live) = live.as_mut() else { return "ended" };
            match live.messages.recv_timeout(Duration::from_secs_f64(seconds)) {
                Ok(Message::Wants) => "wants",
                Ok(Message::Part(part)) => {
                    live.part = Some(part);
                    "part"
                }
                Err(RecvTimeoutError::Timeout) => "working",
                Err(RecvTimeoutError::Disconnected) => "ended",
            }
        })
    }

    /// Hands on a piece that was wanted; an empty one is the end.
    fn feed(&self, py: Python<'_>, piece: &[u8]) {
        let piece = piece.to_vec();
        // There is room for the one that was wanted. A run that has ended needs none.
        py.detach(|| self.live().as_ref().map(|live| live.pieces.send(piece)));
    }

    /// The part that the run gave: events, and rejects by their place among all.
    fn part(&self, py: Python<'_>) -> Option<Part> {
        py.detach(|| self.live().as_mut().and_then(|live| live.part.take()))
    }

    /// The result, once the run has ended.
    fn result(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let ended = py.detach(|| self.live().take().map(|live| live.thread.join()));
        match ended {
            Some(Ok(result)) => result?(py),
            Some(Err(panic)) => std::panic::resume_unwind(panic),
            None => Ok(py.None()),
        }
    }

    /// Asks the run to end early. Its result says how far it came.
    fn ask_to_stop(&self) {
        self.shared.stop.store(true, Ordering::Relaxed);
    }

    /// Ends the run early; its thread is gone afterwards, and no file was written.
    fn stop(&self, py: Python<'_>) {
        self.shared.stop.store(true, Ordering::Relaxed);
        py.detach(|| {
            let Some(Live { messages, pieces, thread, .. }) = self.live().take() else { return };
            drop((messages, pieces));
            let start = Instant::now();
            while !thread.is_finished() && start.elapsed() < LONGEST_GOODBYE {
                std::thread::sleep(Duration::from_millis(1));
            }
            if thread.is_finished() {
                // Its result is of no use, but the system's thread is to be gone, too.
                let _ = thread.join();
            }
        });
    }

    /// Bytes read and, if that is known, how many there are; records; rejects; why it had to wait, told once.
    fn progress(&self) -> (u64, Option<u64>, u64, u64, Option<String>) {
        let get = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let Shared { read, total, records, rejects, waiting, .. } = &*self.shared;
        let total = Some(get(total)).filter(|total| *total != UNKNOWN);
        let waiting = waiting.lock().unwrap_or_else(PoisonError::into_inner).take();
        (get(read), total, get(records), get(rejects), waiting)
    }
}

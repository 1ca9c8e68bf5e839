//! Results of many workers, handed to one consumer in their order.

use super::{Batch, Piece, Stop, Tally};
use crate::sync::{into_inner, lock, wait};
use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Condvar, Mutex};

/// What a worker puts.
pub(super) enum Handed {
    Batch(Arc<str>, Box<Done>),
    End(u64),
    Failed(Arc<str>, io::Error),
}

/// A converted chunk, with its buffer to be used again by the same worker.
pub(super) struct Done {
    pub(super) worker: usize,
    pub(super) batch: Batch,
    pub(super) buffer: Vec<u8>,
}

/// Gets the results in order.
pub(super) struct Consumer<'a> {
    pub(super) consume: &'a mut (dyn FnMut(Piece<'_>) -> Result<(), Stop> + Send),
    pub(super) tally: Tally,
    /// Lines of the input that went before.
    pub(super) lines: u64,
}

impl Consumer<'_> {
    /// Hands on one result; the buffers that are free afterwards, if there were any.
    fn take(&mut self, result: Handed) -> (Result<(), Stop>, Option<Box<Done>>) {
        match result {
            Handed::End(bytes) => {
                self.tally.bytes_in += bytes;
                self.lines = 0;
                (Ok(()), None)
            }
            Handed::Failed(source, error) => ((self.consume)(Piece::Failed { source: &source, error }), None),
            Handed::Batch(source, mut done) => {
                done.batch.number(0, &mut self.lines);
                self.tally.add(&done.batch.tally);
                let answer = (self.consume)(Piece::Batch { source: &source, batch: &done.batch });
                done.batch.clear();
                (answer, Some(done))
            }
        }
    }
}

/// Results on their way to the consumer, by their numbers.
pub(super) struct Queue<'a> {
    state: Mutex<State>,
    /// Told when there is room.
    room: Condvar,
    /// Held only by whoever has set [`State::consuming`].
    consumer: Mutex<Consumer<'a>>,
}

struct State {
    /// The results from the next one on, as many as there is room for.
    results: VecDeque<Option<Handed>>,
    /// The number of the next.
    next: u64,
    /// Whether somebody hands on results.
    consuming: bool,
    /// How many wait for room.
    waiting: usize,
    stopped: bool,
    /// Buffers to be used again, by worker.
    #[allow(clippy::vec_box, reason = "they are moved often")]
    spare: Vec<Vec<Box<Done>>>,
}

impl<'a> Queue<'a> {
    pub(super) fn new(workers: usize, consumer: Consumer<'a>) -> Queue<'a> {
        let results = (0..3 * workers).map(|_| None).collect();
        let spare = (0..workers).map(|_| Vec::new()).collect();
        let state = State { results, next: 0, consuming: false, waiting: 0, stopped: false, spare };
        Queue { state: Mutex::new(state), room: Condvar::new(), consumer: Mutex::new(consumer) }
    }

    /// Puts a result at its place, once there is room, and hands on what is due.
    pub(super) fn put(&self, number: u64, result: Handed) -> Result<(), Stop> {
        let mut state = lock(&self.state);
        // Who has the next result always finds room, so this ends. But a result whose turn is over would wait for ever:
        // then some were lost, and it is better to end at once.
        let due = state.next;
        assert!(state.stopped || number >= due, "result {number} comes after its turn: {due} is due");
        while !state.stopped && number.saturating_sub(state.next) >= state.results.len() as u64 {
            state.waiting += 1;
            state = wait(&self.room, state);
            state.waiting -= 1;
        }
        if state.stopped {
            return Err(Stop);
        }
        let place = (number - state.next) as usize;
        let before = state.results[place].replace(result);
        assert!(before.is_none(), "result {number} takes the place of another");
        if state.consuming {
            // Who consumes looks for more afterwards.
            return Ok(());
        }
        state.consuming = true;
        while let Some(result) = state.results[0].take() {
            state.results.rotate_left(1);
            state.next += 1;
            if state.waiting > 0 {
                self.room.notify_all();
            }
            drop(state);
            let (answer, free) = lock(&self.consumer).take(result);
            state = lock(&self.state);
            state.stopped |= answer.is_err();
            if let Some(done) = free {
                let worker = done.worker;
                state.spare[worker].push(done);
            }
            if state.stopped {
                self.room.notify_all();
                return Err(Stop);
            }
        }
        state.consuming = false;
        Ok(())
    }

    /// Lets everybody go who waits, and takes nothing more.
    pub(super) fn stop(&self) {
        lock(&self.state).stopped = true;
        self.room.notify_all();
    }

    /// The counts of all that was handed on, which is as much as was taken from the source.
    pub(super) fn tally(self, taken: u64) -> Tally {
        let state = into_inner(self.state);
        assert!(state.stopped || state.next == taken, "{} of {taken} results were handed on", state.next);
        into_inner(self.consumer).tally
    }

    /// A worker's own buffers that are free.
    pub(super) fn spare(&self, worker: usize) -> Option<Box<Done>> {
        lock(&self.state).spare[worker].pop()
    }
}

/// Ends it all when a worker panics: nobody can put what it had taken.
pub(super) struct Leaves<'a, 'b>(pub(super) &'a Queue<'b>);

impl Drop for Leaves<'_, '_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.stop();
        }
    }
}

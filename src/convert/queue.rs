//! Results of many workers, handed on in their order.

use super::inputs::Text;
use crate::sync::{into_inner, lock, wait};
use std::collections::VecDeque;
use std::io;
use std::ops::ControlFlow;
use std::sync::{Condvar, Mutex};

/// What a worker puts.
pub(super) enum Outcome<T> {
    Part { worker: usize, part: T, buffer: Vec<u8> },
    End(u64),
    Failed(io::Error),
}

/// What the receiver of results gets.
pub(crate) enum Piece<'a, T> {
    /// The outcome of a chunk of the text. The worker uses what is left in it again.
    Part(&'a Text, &'a mut T),
    /// The text has ended; its size in bytes.
    End(
        #[cfg_attr(not(feature = "cli"), allow(dead_code, reason = "only the checks ask for it"))] &'a Text,
        u64,
    ),
    /// The text could not be opened, or not be read further. Its end came first, the other texts follow.
    Failed(&'a Text, io::Error),
}

/// Takes results in order, until it breaks.
pub(super) type Take<'a, T, B> = dyn FnMut(Piece<'_, T>) -> ControlFlow<B> + Send + 'a;

/// Results on their way to the receiver, by their numbers.
pub(super) struct Queue<'a, T, B> {
    state: Mutex<QueueState<T>>,
    /// Told when there is room.
    room: Condvar,
    /// Held only by the worker that has set [`QueueState::handing`].
    receiver: Mutex<Receiver<'a, T, B>>,
}

struct Receiver<'a, T, B> {
    take: &'a mut Take<'a, T, B>,
    broke: Option<B>,
}

struct QueueState<T> {
    /// The results from the next one on, as many as there is room for.
    results: VecDeque<Option<(Text, Outcome<T>)>>,
    /// The number of the next.
    next: u64,
    /// Whether a worker hands on results.
    handing: bool,
    /// How many workers may still put something.
    working: usize,
    /// How many of them have waited for room since the last result was handed on.
    waiting: usize,
    stopped: bool,
    /// Parts and buffers to be used again, by worker.
    spare: Vec<Vec<(T, Vec<u8>)>>,
}

/// Nobody wants more results.
pub(super) struct Stopped;

impl<'a, T, B> Queue<'a, T, B> {
    pub(super) fn new(workers: usize, take: &'a mut Take<'a, T, B>) -> Queue<'a, T, B> {
        let state = QueueState {
            results: (0..3 * workers).map(|_| None).collect(),
            next: 0,
            handing: false,
            working: workers,
            waiting: 0,
            stopped: false,
            spare: (0..workers).map(|_| Vec::new()).collect(),
        };
        let receiver = Mutex::new(Receiver { take, broke: None });
        Queue { state: Mutex::new(state), room: Condvar::new(), receiver }
    }

    /// Puts a result at its place, once there is room, and hands on what is due.
    pub(super) fn put(&self, number: u64, text: Text, result: Outcome<T>) -> Result<(), Stopped> {
        let mut state = lock(&self.state);
        let mut waits_since = None;
        while !state.stopped {
            let due = state.next;
            assert!(number >= due, "result {number} comes after its turn: {due} is due");
            if number - due < state.results.len() as u64 {
                break;
            }
            // A worker may wake up for no reason: it is counted once for each result that is due.
            if waits_since.replace(due) != Some(due) {
                state.waiting += 1;
                Self::assert_due_can_come(&state);
            }
            state = wait(&self.room, state);
        }
        if state.stopped {
            return Err(Stopped);
        }
        let place = (number - state.next) as usize;
        let before = state.results[place].replace((text, result));
        assert!(before.is_none(), "result {number} takes the place of another");
        if state.handing {
            // The worker that does looks for more afterwards.
            return Ok(());
        }
        state.handing = true;
        while let Some((text, result)) = state.results[0].take() {
            state.results.rotate_left(1);
            state.next += 1;
            if state.waiting > 0 {
                state.waiting = 0;
                self.room.notify_all();
            }
            drop(state);
            let (answer, spare) = lock(&self.receiver).hand_on(&text, result);
            state = lock(&self.state);
            state.stopped |= answer.is_err();
            if let Some((worker, part, buffer)) = spare {
                state.spare[worker].push((part, buffer));
            }
            if state.stopped {
                self.room.notify_all();
                return Err(Stopped);
            }
        }
        state.handing = false;
        Ok(())
    }

    /// The worker puts nothing more.
    pub(super) fn leave(&self) {
        let mut state = lock(&self.state);
        state.working -= 1;
        Self::assert_due_can_come(&state);
    }

    /// When all wait for the result that is due, none can bring it: it was lost, and they would wait without end.
    fn assert_due_can_come(state: &QueueState<T>) {
        let lost = !state.stopped && !state.handing && state.waiting > 0 && state.waiting >= state.working;
        assert!(!lost, "result {} was lost", state.next);
    }

    /// Lets all go that wait, and takes nothing more.
    pub(super) fn stop(&self) {
        lock(&self.state).stopped = true;
        self.room.notify_all();
    }

    /// What the receiver broke off with, if it did; else all that was taken from the inputs was handed on.
    pub(super) fn end(self, taken: u64) -> Option<B> {
        let state = into_inner(self.state);
        assert!(state.stopped || state.next == taken, "{} of {taken} results were handed on", state.next);
        into_inner(self.receiver).broke
    }

    /// One of a worker's own parts that are free, with a buffer.
    pub(super) fn spare(&self, worker: usize) -> Option<(T, Vec<u8>)> {
        lock(&self.state).spare[worker].pop()
    }
}

impl<T, B> Receiver<'_, T, B> {
    /// Hands on one result; what is free afterwards, and its worker.
    #[allow(clippy::type_complexity, reason = "it is used once")]
    fn hand_on(
        &mut self,
        text: &Text,
        result: Outcome<T>,
    ) -> (Result<(), Stopped>, Option<(usize, T, Vec<u8>)>) {
        let mut spare = None;
        let answer = match result {
            Outcome::End(bytes) => (self.take)(Piece::End(text, bytes)),
            Outcome::Failed(error) => (self.take)(Piece::Failed(text, error)),
            Outcome::Part { worker, mut part, buffer } => {
                let answer = (self.take)(Piece::Part(text, &mut part));
                spare = Some((worker, part, buffer));
                answer
            }
        };
        match answer {
            ControlFlow::Continue(()) => (Ok(()), spare),
            ControlFlow::Break(why) => {
                self.broke = Some(why);
                (Err(Stopped), spare)
            }
        }
    }
}

/// Ends it all when a worker panics: nobody can put what it had taken.
pub(super) struct StopOnPanic<'a, 'b, T, B>(pub(super) &'a Queue<'b, T, B>);

impl<T, B> Drop for StopOnPanic<'_, '_, T, B> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.stop();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::mpsc::channel;
    use std::time::Duration;

    /// What a run gives whose workers put results of these numbers: the results handed on, or a panic's message. It
    /// must come to an end.
    fn run(numbers: [Vec<u64>; 2]) -> Result<Vec<u64>, String> {
        let (done, end) = channel();
        std::thread::spawn(move || {
            let mut handed = Vec::new();
            let taken = numbers.iter().map(Vec::len).sum::<usize>() as u64;
            let mut take = |piece: Piece<'_, u64>| -> ControlFlow<()> {
                if let Piece::Part(_, number) = piece {
                    handed.push(*number);
                }
                ControlFlow::Continue(())
            };
            let queue = Queue::new(2, &mut take);
            let work = |worker: usize, numbers: Vec<u64>| {
                let _stops = StopOnPanic(&queue);
                for number in numbers {
                    let text = Text { input: 0, number: 0, name: Arc::from("x") };
                    let outcome = Outcome::Part { worker, part: number, buffer: Vec::new() };
                    if queue.put(number, text, outcome).is_err() {
                        break;
                    }
                }
                queue.leave();
            };
            let ended = std::thread::scope(|scope| {
                let handles: Vec<_> =
                    numbers.into_iter().enumerate().map(|(n, it)| scope.spawn(move || work(n, it))).collect();
                let ends: Vec<_> = handles.into_iter().map(|handle| handle.join()).collect();
                ends.into_iter().collect::<Result<Vec<()>, _>>()
            });
            let ended = ended.and_then(|_| {
                std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| queue.end(taken).map_or((), drop)))
            });
            let message = |panic: Box<dyn std::any::Any + Send>| {
                panic.downcast_ref::<String>().cloned().unwrap_or_default()
            };
            let _ = done.send(ended.map(|()| handed).map_err(message));
        });
        end.recv_timeout(Duration::from_secs(60)).expect("it ends")
    }

    #[test]
    fn results_come_in_order_and_a_lost_one_is_a_panic_and_no_wait_without_end() {
        let even = |from: u64| (from..200).step_by(2).collect::<Vec<_>>();
        for _ in 0..50 {
            assert_eq!(run([even(0), even(1)]), Ok((0..200).collect()));
            // Lost before others, far ahead of others, and at the end.
            for lost in [0, 6, 100, 198] {
                let some: Vec<u64> = even(0).into_iter().filter(|number| *number != lost).collect();
                let error = run([some.clone(), even(1)]).expect_err("one is lost");
                let whole = ["lost", "were handed on"].iter().any(|words| error.contains(words));
                assert!(whole && (lost > 190 || error.contains(&lost.to_string())), "{lost}: {error}");
            }
            let twice = run([vec![0, 1, 2, 1], Vec::new()]).expect_err("one comes twice");
            assert!(twice.contains("after its turn"), "{twice}");
        }
    }
}

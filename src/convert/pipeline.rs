//! Inputs read in chunks that are worked on by many threads, with results in the order of the input.
//!
//! Each worker takes the next chunk (one at a time may read), works on it where it is still warm, and
//! puts the result at its place. The worker that puts the one that is due hands it on, and those that
//! wait behind it. None may be far ahead, so memory is bounded whatever the input: a slow receiver
//! stops the workers. The caller is one of the workers; with one thread it is all.
//!
//! The workers are threads of their own and none of a pool's: they wait for each other, and what the
//! receiver does may itself need the pool that it is called on.

pub(crate) use super::inputs::{Framed, Text};
pub(crate) use super::queue::Piece;

use super::inputs::{Input, Inputs, Taken};
use super::queue::{Outcome, Queue, StopOnPanic, Take};
use crate::record::frame::Framer;
use crate::sync::{into_inner, lock, lock_busy};
use std::io;
use std::ops::ControlFlow;
use std::sync::Mutex;

/// What the workers had at the end, in no order.
pub(crate) type WorkersKept<S, T> = Vec<(S, Spare<T>)>;

/// What is done with each chunk.
pub(crate) struct Job<'a, S, T> {
    /// Makes the framer of a text.
    pub(crate) framer: &'a (dyn Fn() -> Framer + Sync),
    /// Makes what a worker keeps from chunk to chunk.
    pub(crate) worker: &'a (dyn Fn() -> (S, Spare<T>) + Sync),
    /// Makes a part of the result from a chunk. A part that was handed on before comes back to be used again.
    pub(crate) work: &'a (dyn Fn(&mut S, Framed<'_>, Option<T>) -> T + Sync),
}

/// What a worker uses again.
#[derive(Debug)]
pub(crate) struct Spare<T> {
    pub(crate) part: Option<T>,
    pub(crate) buffer: Vec<u8>,
}

impl<T> Default for Spare<T> {
    fn default() -> Spare<T> {
        Spare { part: None, buffer: Vec::new() }
    }
}

impl<S: Send, T: Send> Job<'_, S, T> {
    /// Reads `inputs` one after the other, works on their chunks on `threads` threads, and hands the parts of the
    /// result to `take`, in order, until it breaks. At the end the workers' states come back, in no order.
    ///
    /// `take` is called on any of the threads, one at a time.
    ///
    /// # Errors
    /// When threads can't be started.
    ///
    /// # Panics
    /// When a worker or `take` does, and when a result is lost.
    pub(crate) fn run<B: Send>(
        &self,
        inputs: Vec<Input<'_>>,
        threads: usize,
        take: &mut Take<'_, T, B>,
    ) -> io::Result<ControlFlow<B, WorkersKept<S, T>>> {
        let inputs = Inputs::new(inputs, self.framer);
        if threads <= 1 {
            return Ok(self.on_this_thread(inputs, take));
        }
        let inputs = Mutex::new(inputs);
        let queue = Queue::new(threads, take);
        let states = Mutex::new(Vec::new());
        std::thread::scope(|scope| {
            let (inputs, queue, states) = (&inputs, &queue, &states);
            let work = move |worker| {
                let state = self.work(worker, inputs, queue);
                lock(states).push(state);
            };
            let mut workers = Vec::new();
            for worker in 1..threads {
                let name = format!("worker {worker}");
                match std::thread::Builder::new().name(name).spawn_scoped(scope, move || work(worker)) {
                    Ok(handle) => workers.push(handle),
                    Err(error) => {
                        queue.stop();
                        return Err(error);
                    }
                }
            }
            work(0);
            for worker in workers {
                worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            }
            Ok(())
        })?;
        let taken = into_inner(inputs).taken();
        let states = into_inner(states);
        Ok(queue.end(taken).map_or(ControlFlow::Continue(states), ControlFlow::Break))
    }

    /// Works on chunks until there are no more, or nobody wants them.
    fn work<B>(
        &self,
        worker: usize,
        inputs: &Mutex<Inputs<'_, '_>>,
        queue: &Queue<'_, T, B>,
    ) -> (S, Spare<T>) {
        let _stops = StopOnPanic(queue);
        let (mut state, Spare { part: mut spare, mut buffer }) = (self.worker)();
        loop {
            let taken = take_next(&mut lock_busy(inputs), &mut buffer);
            let Some((number, text, taken)) = taken else { break };
            let outcome = match taken {
                Taken::End(bytes) => Outcome::End(bytes),
                Taken::Failed(error) => Outcome::Failed(error),
                Taken::Chunk(held) => {
                    crate::panics::provoke("work");
                    let (bytes, body) = held.parts();
                    let part = (self.work)(&mut state, Framed { text: &text, bytes, body }, spare.take());
                    if let Some((part, old)) = queue.spare(worker) {
                        (spare, buffer) = (Some(part), old);
                    }
                    Outcome::Part { worker, part, buffer: held.into_buffer() }
                }
            };
            if queue.put(number, text, outcome).is_err() {
                break;
            }
        }
        queue.leave();
        (state, Spare { part: spare, buffer })
    }

    fn on_this_thread<B>(
        &self,
        mut inputs: Inputs<'_, '_>,
        take: &mut Take<'_, T, B>,
    ) -> ControlFlow<B, WorkersKept<S, T>> {
        let (mut state, Spare { part: mut spare, mut buffer }) = (self.worker)();
        while let Some((_, text, taken)) = take_next(&mut inputs, &mut buffer) {
            match taken {
                Taken::End(bytes) => take(Piece::End(&text, bytes))?,
                Taken::Failed(error) => take(Piece::Failed(&text, error))?,
                Taken::Chunk(held) => {
                    crate::panics::provoke("work");
                    let (bytes, body) = held.parts();
                    let mut part = (self.work)(&mut state, Framed { text: &text, bytes, body }, spare.take());
                    take(Piece::Part(&text, &mut part))?;
                    spare = Some(part);
                    buffer = held.into_buffer();
                }
            }
        }
        ControlFlow::Continue(vec![(state, Spare { part: spare, buffer })])
    }
}

fn take_next<'a>(inputs: &mut Inputs<'a, '_>, buffer: &mut Vec<u8>) -> Option<(u64, Text, Taken<'a>)> {
    crate::panics::provoke("read");
    inputs.take(buffer)
}

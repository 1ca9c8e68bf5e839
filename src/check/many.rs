//! Inputs read in chunks that are worked on by many threads, with results in the order of the
//! input and in bounded memory: what the commands share that look at records or events and write
//! none.

use crate::record::frame::{Chunk, Framer};
use crate::store::Source;
use crate::text::NextText;
use rayon::ThreadPoolBuilder;
use std::io;
use std::sync::mpsc::{Receiver, channel, sync_channel};
use std::sync::{Arc, Mutex};

/// About how many bytes a chunk has.
const CHUNK_BYTES: usize = 128 * 1024;

/// How inputs are read.
#[derive(Debug)]
pub(crate) struct Reading {
    pub(crate) threads: usize,
    /// The longest unit, in bytes.
    pub(crate) limit: usize,
    /// Whether the members of archives are read.
    pub(crate) members: bool,
}

/// A piece of the result, in the order of the input.
#[derive(Debug)]
pub(crate) enum Piece<T> {
    /// A member of an archive begins, with this name; its end follows, and then perhaps another member.
    Member(String),
    /// What became of a chunk of the source of this number.
    Part(usize, T),
    /// A source could not be read, or not be read further; its end follows.
    Failed(io::Error),
    /// The source, or a member of it, is at its end; so many bytes came out of it.
    End(usize, u64),
}

enum Ticket<T> {
    Member(String),
    Part(usize, Receiver<T>),
    Failed(io::Error),
    End(usize, u64),
}

impl Reading {
    /// Reads `sources` one after the other and has each chunk worked on. `take` gets the results in
    /// order; when it fails, reading stops. A worker's state, made by `make`, goes from chunk to
    /// chunk; the states come back at the end, in no order.
    pub(crate) fn run<S: Send, T: Send>(
        &self,
        sources: &[Source],
        make: &(dyn Fn() -> S + Sync),
        work: &(dyn Fn(&mut S, usize, &Chunk) -> T + Sync),
        take: &mut dyn FnMut(Piece<T>) -> anyhow::Result<()>,
    ) -> anyhow::Result<Vec<S>> {
        let pool = ThreadPoolBuilder::new().num_threads(self.threads).build()?;
        let (tickets, queue) = sync_channel::<Ticket<T>>(2 * self.threads);
        let states = Mutex::new(Vec::<S>::new());
        let buffers = Mutex::new(Vec::<Vec<u8>>::new());
        let mut answer = Ok(());
        pool.in_place_scope(|scope| {
            std::thread::scope(|threads| {
                let (states, buffers) = (&states, &buffers);
                threads.spawn(move || {
                    crate::panics::provoke("read");
                    for (number, source) in sources.iter().enumerate() {
                        let mut framer = Framer::new(self.limit, CHUNK_BYTES);
                        let tell = |ticket| tickets.send(ticket).is_ok();
                        let mut input = match source.open(Arc::default(), Arc::default()) {
                            Ok(input) if self.members => input.with_members(),
                            Ok(input) => input,
                            Err(error) => {
                                if tell(Ticket::Failed(error.into())) && tell(Ticket::End(number, 0)) {
                                    continue;
                                }
                                return;
                            }
                        };
                        // The first member of an archive begins where its first text would.
                        let mut archive = false;
                        loop {
                            let buffer = pop(buffers).unwrap_or_default();
                            let next = match framer.next(&mut input, buffer) {
                                Ok(Some(chunk)) => {
                                    let (to, from) = channel();
                                    if !tell(Ticket::Part(number, from)) {
                                        return;
                                    }
                                    scope.spawn(move |_| {
                                        crate::panics::provoke("check");
                                        let mut state = pop(states).unwrap_or_else(make);
                                        let part = work(&mut state, number, &chunk);
                                        push(states, state);
                                        push(buffers, chunk.bytes);
                                        // Whoever has stopped no longer listens.
                                        let _ = to.send(part);
                                    });
                                    continue;
                                }
                                Ok(None) => None,
                                Err(error) => Some(NextText::of(error)),
                            };
                            let (next, failed) = match next {
                                None => (None, None),
                                Some(Ok(NextText { name, failed })) => (Some(name), failed),
                                Some(Err(error)) => (None, Some(error)),
                            };
                            let ended = archive || next.is_none();
                            let told = failed.is_none_or(|error| tell(Ticket::Failed(error)))
                                && (!ended || tell(Ticket::End(number, framer.bytes_read())));
                            if !told {
                                return;
                            }
                            let Some(name) = next else { break };
                            if !tell(Ticket::Member(name)) {
                                return;
                            }
                            framer = Framer::new(self.limit, CHUNK_BYTES);
                            archive = true;
                        }
                    }
                });
                for ticket in queue {
                    let piece = match ticket {
                        // A worker that panicked gives nothing; the scope passes the panic on.
                        Ticket::Part(source, part) => match part.recv() {
                            Ok(part) => Piece::Part(source, part),
                            Err(_) => break,
                        },
                        Ticket::Member(name) => Piece::Member(name),
                        Ticket::Failed(error) => Piece::Failed(error),
                        Ticket::End(source, bytes) => Piece::End(source, bytes),
                    };
                    answer = take(piece);
                    if answer.is_err() {
                        break;
                    }
                }
                // The queue is dropped here, so the reader stops at its next chunk.
            });
        });
        answer?;
        Ok(states.into_inner().unwrap_or_default())
    }
}

fn pop<T>(from: &Mutex<Vec<T>>) -> Option<T> {
    from.lock().ok().and_then(|mut all| all.pop())
}

fn push<T>(to: &Mutex<Vec<T>>, it: T) {
    if let Ok(mut all) = to.lock() {
        all.push(it);
    }
}

/// How many threads there are to be.
pub(crate) fn threads(wanted: Option<u16>) -> usize {
    wanted.map_or_else(|| std::thread::available_parallelism().map_or(1, usize::from), usize::from)
}

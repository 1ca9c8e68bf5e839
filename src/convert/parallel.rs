//! Many chunks at once: a reader, workers, and what they give back in the order of the input.
//!
//! One thread reads and cuts chunks, a rayon pool converts them, and the caller's thread takes the
//! results in order. The queue between them is short, so memory is bounded whatever the input: a
//! slow consumer stops the reader.

use super::{Batch, Converter, Tally};
use crate::record::frame::Chunk;
use rayon::ThreadPoolBuilder;
use std::io::{self, Read};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};

/// An input: its name for messages, and how to open it when its turn comes.
pub struct Input<'a> {
    /// The name that rejects carry as their source.
    pub name: String,
    /// Gives the bytes, decompressed.
    pub open: Box<dyn FnOnce() -> io::Result<Box<dyn Read + Send + 'a>> + Send + 'a>,
}

impl std::fmt::Debug for Input<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Input").field("name", &self.name).finish_non_exhaustive()
    }
}

/// A piece of a conversion's result. Pieces come in the order of the input.
#[derive(Debug)]
pub enum Piece<'a> {
    /// A part of the input named `source` was converted.
    Batch {
        /// The input's name.
        source: &'a str,
        /// What became of it.
        batch: &'a Batch,
    },
    /// The input named `source` could not be opened, or not be read further. What was read before
    /// came first; the inputs behind it follow.
    Failed {
        /// The input's name.
        source: &'a str,
        /// Why.
        error: io::Error,
    },
}

/// What the consumer of [`Piece`]s answers to stop a conversion early.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stop;

/// A piece on its way from the reader to the consumer.
enum Ticket {
    /// The result will come through here.
    Batch(usize, Receiver<Done>),
    Failed(usize, io::Error),
    /// The bytes of input that the source held.
    End(u64),
}

/// A converted chunk, with its buffer to be used again.
struct Done {
    batch: Batch,
    buffer: Vec<u8>,
}

impl Converter {
    /// Converts `inputs` one after the other, on `threads` threads, and hands what becomes of them
    /// to `consume`, in order, until it answers [`Stop`].
    ///
    /// The pieces' boundaries may differ between runs; the events and rejects in them don't. With
    /// one thread everything runs on the caller's.
    ///
    /// # Errors
    /// When threads can't be started. Failing inputs are [`Piece::Failed`].
    pub fn convert_inputs(
        &self,
        inputs: Vec<Input<'_>>,
        threads: usize,
        consume: &mut dyn FnMut(Piece<'_>) -> Result<(), Stop>,
    ) -> io::Result<Tally> {
        let names: Vec<String> = inputs.iter().map(|input| input.name.clone()).collect();
        if threads <= 1 {
            return Ok(self.one_thread(inputs, consume));
        }
        let pool = ThreadPoolBuilder::new().num_threads(threads).build().map_err(io::Error::other)?;
        let (tickets, queue) = sync_channel::<Ticket>(2 * threads);
        let spare = Mutex::new(Vec::<Done>::new());
        let mut tally = self.tally();
        let mut lines = 0;
        pool.in_place_scope(|scope| {
            std::thread::scope(|threads| {
                let spare = &spare;
                let reader = move || {
                    let reuse = || {
                        let spare = spare.lock().ok().and_then(|mut spare| spare.pop());
                        spare.unwrap_or_else(|| Done { batch: self.batch(), buffer: Vec::new() })
                    };
                    let spawn = |chunk: Chunk, mut batch: Batch, to: Sender<Done>| {
                        scope.spawn(move |_| {
                            self.convert_chunk(&chunk, &mut batch);
                            // A consumer that has stopped no longer listens.
                            let _ = to.send(Done { batch, buffer: chunk.bytes });
                        });
                    };
                    read(self, inputs, &tickets, &reuse, &spawn);
                };
                threads.spawn(reader);
                for ticket in queue {
                    let piece = match ticket {
                        Ticket::End(bytes) => {
                            tally.bytes_in += bytes;
                            lines = 0;
                            continue;
                        }
                        Ticket::Failed(source, error) => {
                            consume(Piece::Failed { source: &names[source], error })
                        }
                        Ticket::Batch(source, done) => {
                            // A worker that panicked gives nothing; the scope passes the panic on.
                            let Ok(mut done) = done.recv() else { break };
                            done.batch.number(0, &mut lines);
                            tally.add(&done.batch.tally);
                            let answer = consume(Piece::Batch { source: &names[source], batch: &done.batch });
                            done.batch.clear();
                            if let Ok(mut spare) = spare.lock() {
                                spare.push(done);
                            }
                            answer
                        }
                    };
                    if piece.is_err() {
                        break;
                    }
                }
                // The queue is dropped here, so the reader stops at its next chunk.
            });
        });
        Ok(tally)
    }

    fn one_thread(
        &self,
        inputs: Vec<Input<'_>>,
        consume: &mut dyn FnMut(Piece<'_>) -> Result<(), Stop>,
    ) -> Tally {
        let mut tally = self.tally();
        let mut batch = self.batch();
        let mut buffer = Vec::new();
        for input in inputs {
            let mut framer = self.framer();
            let mut lines = 0;
            let failed = match (input.open)() {
                Err(error) => Some(error),
                Ok(mut reader) => loop {
                    match framer.next(&mut *reader, std::mem::take(&mut buffer)) {
                        Ok(Some(chunk)) => {
                            self.convert_chunk(&chunk, &mut batch);
                            batch.number(0, &mut lines);
                            tally.add(&batch.tally);
                            let answer = consume(Piece::Batch { source: &input.name, batch: &batch });
                            batch.clear();
                            buffer = chunk.bytes;
                            if answer.is_err() {
                                tally.bytes_in += framer.bytes_read();
                                return tally;
                            }
                        }
                        Ok(None) => break None,
                        Err(error) => break Some(error),
                    }
                },
            };
            tally.bytes_in += framer.bytes_read();
            if let Some(error) = failed
                && consume(Piece::Failed { source: &input.name, error }).is_err()
            {
                return tally;
            }
        }
        tally
    }
}

/// Reads the inputs in order and has each chunk converted, until nobody listens any more.
fn read(
    converter: &Converter,
    inputs: Vec<Input<'_>>,
    tickets: &SyncSender<Ticket>,
    reuse: &dyn Fn() -> Done,
    spawn: &dyn Fn(Chunk, Batch, Sender<Done>),
) {
    for (source, input) in inputs.into_iter().enumerate() {
        let mut framer = converter.framer();
        let failed = match (input.open)() {
            Err(error) => Some(error),
            Ok(mut reader) => loop {
                let Done { batch, buffer } = reuse();
                match framer.next(&mut *reader, buffer) {
                    Ok(Some(chunk)) => {
                        let (to, from) = channel();
                        if tickets.send(Ticket::Batch(source, from)).is_err() {
                            return;
                        }
                        spawn(chunk, batch, to);
                    }
                    Ok(None) => break None,
                    Err(error) => break Some(error),
                }
            },
        };
        let failed = failed.map(|error| Ticket::Failed(source, error));
        for ticket in [Ticket::End(framer.bytes_read())].into_iter().chain(failed) {
            if tickets.send(ticket).is_err() {
                return;
            }
        }
    }
}

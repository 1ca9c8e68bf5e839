//! Many chunks at once, and what becomes of them in the order of the input.
//!
//! Each worker takes the next chunk (one at a time may read), converts it where it is still warm, and
//! puts the result at its place. Whoever puts the one whose turn it is hands it to the consumer, and
//! those that wait behind it. Nobody may be far ahead, so memory is bounded whatever the input: a
//! slow consumer stops the workers.
//!
//! The workers are threads of their own and none of a pool's: they wait for each other, and what the
//! consumer does may itself need the pool that it is called on.

use super::queue::{Consumer, Done, Handed, Leaves, Queue};
use super::source::{Source, Taken};
use super::{Batch, Converter, Tally};
use crate::sync::{into_inner, lock};
use std::io::{self, Read};
use std::sync::Mutex;

/// An input: its name for messages, and how to open it when its turn comes.
pub struct Input<'a> {
    /// The name that rejects carry as their source. Members of an archive carry their own (`a.tar!b.json`).
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

impl Converter {
    /// Converts `inputs` one after the other, on `threads` threads, and hands what becomes of them
    /// to `consume`, in order, until it answers [`Stop`].
    ///
    /// The pieces' boundaries may differ between runs; the events and rejects in them don't. The
    /// caller's thread is one of the threads; `consume` is called on any of them, one at a time.
    ///
    /// # Errors
    /// When threads can't be started. Failing inputs are [`Piece::Failed`].
    pub fn convert_inputs(
        &self,
        inputs: Vec<Input<'_>>,
        threads: usize,
        consume: &mut (dyn FnMut(Piece<'_>) -> Result<(), Stop> + Send),
    ) -> io::Result<Tally> {
        if threads <= 1 {
            return Ok(self.one_thread(inputs, consume));
        }
        let source = Mutex::new(Source::new(inputs));
        let queue = Queue::new(threads, Consumer { consume, tally: self.tally(), lines: 0 });
        std::thread::scope(|scope| {
            let (source, queue) = (&source, &queue);
            let mut workers = Vec::new();
            for worker in 1..threads {
                let name = format!("convert {worker}");
                let work = move || self.work(worker, source, queue);
                match std::thread::Builder::new().name(name).spawn_scoped(scope, work) {
                    Ok(handle) => workers.push(handle),
                    Err(error) => {
                        queue.stop();
                        return Err(error);
                    }
                }
            }
            self.work(0, source, queue);
            for worker in workers {
                worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            }
            Ok(())
        })?;
        let taken = into_inner(source).taken();
        Ok(queue.tally(taken))
    }

    /// Converts chunks until there are no more, or nobody wants them.
    fn work(&self, worker: usize, source: &Mutex<Source<'_>>, queue: &Queue<'_>) {
        let _leaves = Leaves(queue);
        // What one worker has learnt stays with it.
        let mut fast = self.fast.clone();
        let new = || Box::new(Done { worker, batch: self.batch(), buffer: Vec::new() });
        let mut spare = new();
        loop {
            let taken = lock(source).take(self, std::mem::take(&mut spare.buffer));
            let (number, result) = match taken {
                None => break,
                Some((number, Taken::Chunk(input, chunk))) => {
                    crate::panics::provoke("convert");
                    let mut done = spare;
                    done.batch.fast = fast;
                    self.convert_chunk(&chunk, &mut done.batch);
                    fast = done.batch.fast.take();
                    done.buffer = chunk.bytes;
                    spare = queue.spare(worker).unwrap_or_else(new);
                    (number, Handed::Batch(input, done))
                }
                Some((number, Taken::End(bytes))) => (number, Handed::End(bytes)),
                Some((number, Taken::Failed(input, error))) => (number, Handed::Failed(input, error)),
            };
            if queue.put(number, result).is_err() {
                break;
            }
        }
    }

    fn one_thread(
        &self,
        inputs: Vec<Input<'_>>,
        consume: &mut dyn FnMut(Piece<'_>) -> Result<(), Stop>,
    ) -> Tally {
        let mut tally = self.tally();
        let mut session = self.session();
        for Input { name, open } in inputs {
            let answer = match open() {
                Err(error) => consume(Piece::Failed { source: &name, error }),
                Ok(mut reader) => {
                    let (read, answer) = self.convert_texts(&mut session, &name, &mut *reader, consume);
                    tally.add(&read);
                    answer
                }
            };
            if answer.is_err() {
                break;
            }
        }
        tally
    }
}

#[cfg(test)]
mod tests {
    use crate::convert::{Converter, Input, Options, Piece, Stop};
    use crate::mapping::Mapping;
    use std::io::{self, Read};
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::time::Duration;

    const RECORD: &[u8] = br#"{"phone":"+1","type":"sms","ts":"2023-03-21T22:34:49Z"}
"#;

    /// Gives records without end, or fails or panics after so many bytes; counts what was read.
    struct Endless<'a> {
        read: &'a AtomicU64,
        until: u64,
        panics: bool,
    }

    impl Read for Endless<'_> {
        fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
            let at = self.read.load(Ordering::Relaxed);
            if at >= self.until {
                assert!(!self.panics, "the reader panics");
                return Err(io::Error::other("the reader fails"));
            }
            for (i, byte) in buf.iter_mut().enumerate() {
                *byte = RECORD[(at as usize + i) % RECORD.len()];
            }
            self.read.store(at + buf.len() as u64, Ordering::Relaxed);
            Ok(buf.len())
        }
    }

    fn converter() -> Converter {
        let options = Options { chunk_bytes: 4096, ..Options::default() };
        Converter::new(&Mapping::builtin("duo_telephony").unwrap(), &options)
    }

    fn input<'a>(name: &str, reader: impl Read + Send + 'a) -> Input<'a> {
        Input { name: name.into(), open: Box::new(move || Ok(Box::new(reader))) }
    }

    #[test]
    fn a_slow_consumer_stops_the_readers_and_one_that_has_enough_ends_it() {
        for threads in [1, 2, 4] {
            let read = AtomicU64::new(0);
            let reader = Endless { read: &read, until: u64::MAX, panics: false };
            let mut pieces = 0;
            let mut farthest = 0;
            let mut consume = |piece: Piece<'_>| {
                let Piece::Batch { batch, .. } = piece else { panic!() };
                std::thread::sleep(Duration::from_millis(2));
                farthest = farthest.max(read.load(Ordering::Relaxed) - batch.end);
                pieces += 1;
                if pieces == 40 { Err(Stop) } else { Ok(()) }
            };
            converter().convert_inputs(vec![input("endless", reader)], threads, &mut consume).unwrap();
            assert_eq!(pieces, 40);
            // Three places a thread, the chunk that each has in its hands, and what is read ahead.
            assert!(farthest < 5 * threads as u64 * 4096 + 128 * 1024, "{threads}: {farthest}");
        }
    }

    #[test]
    fn pieces_come_in_order_and_a_failing_input_does_not_end_the_others() {
        for threads in [1, 2, 3, 8] {
            let counts = [AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0)];
            let endless =
                |i: usize| Endless { read: &counts[i], until: 100_000 * (3 - i as u64), panics: false };
            let mut inputs: Vec<Input<'_>> = (0..3).map(|i| input(&i.to_string(), endless(i))).collect();
            let refused = || Err(io::Error::other("no such thing"));
            inputs.insert(1, Input { name: "refused".into(), open: Box::new(refused) });
            let mut seen: Vec<(String, u64)> = Vec::new();
            let mut consume = |piece: Piece<'_>| {
                match piece {
                    Piece::Failed { source, error } => seen.push((format!("{source}: {error}"), 0)),
                    Piece::Batch { source, batch } => match seen.last_mut() {
                        Some((last, end)) if last == source => {
                            assert!(batch.end > *end);
                            *end = batch.end;
                        }
                        _ => seen.push((source.to_owned(), batch.end)),
                    },
                }
                Ok(())
            };
            let tally = converter().convert_inputs(inputs, threads, &mut consume).unwrap();
            let read: Vec<u64> = counts.iter().map(|count| count.load(Ordering::Relaxed)).collect();
            assert_eq!(tally.bytes_in, read.iter().sum::<u64>());
            let fails = |name: &str| (format!("{name}: the reader fails"), 0);
            let expected = [
                ("0".to_owned(), read[0]),
                fails("0"),
                ("refused: no such thing".to_owned(), 0),
                ("1".to_owned(), read[1]),
                fails("1"),
                ("2".to_owned(), read[2]),
                fails("2"),
            ];
            assert_eq!(seen, expected, "{threads}");
        }
    }

    #[test]
    fn panics_are_passed_on() {
        for threads in [1, 2, 4] {
            for (panics, name) in [(true, "the reader panics"), (false, "the consumer panics")] {
                let read = AtomicU64::new(0);
                let reader = Endless { read: &read, until: 200_000, panics };
                let mut consume = |piece: Piece<'_>| {
                    assert!(!matches!(piece, Piece::Failed { .. }), "the consumer panics");
                    Ok(())
                };
                let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                    converter().convert_inputs(vec![input("x", reader)], threads, &mut consume)
                }));
                let message = caught.unwrap_err();
                assert_eq!(message.downcast_ref::<&str>(), Some(&name), "{threads}");
            }
        }
    }
}

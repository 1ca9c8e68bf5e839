//! Any number of inputs converted on many threads.

use super::batch::Batch;
use super::converter::Converter;
use super::counts::Counts;
use super::inputs::Input;
use super::pipeline::{self, Job};
use std::io;
use std::ops::ControlFlow;

/// A piece of a conversion's result. Pieces come in the order of the input.
#[derive(Debug)]
pub enum Piece<'a> {
    /// A part of the input named `source` was converted.
    Batch {
        /// The input's name. Members of an archive have their own (`a.tar!b.json`).
        source: &'a str,
        /// Its events and rejects.
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

impl Converter {
    /// Converts `inputs` one after the other, on `threads` threads, and hands what becomes of them
    /// to `sink`, in order, until it breaks.
    ///
    /// The pieces' boundaries may differ between runs; the events and rejects in them don't. The
    /// caller's thread is one of the threads; `sink` is called on any of them, one at a time. The counts are those of
    /// what was handed to it.
    ///
    /// # Errors
    /// When threads can't be started. Failing inputs are [`Piece::Failed`].
    pub fn run<'i>(
        &self,
        inputs: impl IntoIterator<Item = Input<'i>>,
        threads: usize,
        mut sink: impl FnMut(Piece<'_>) -> ControlFlow<()> + Send,
    ) -> io::Result<Counts> {
        let mut counts = self.counts();
        // Lines counted in the text, and the byte up to which it was handed on.
        let (mut lines, mut reached) = (0, 0);
        let job = Job {
            framer: &|| self.framer(),
            worker: &|| (self.learnt(), self.spare()),
            work: &|learnt, chunk, spare| {
                let mut batch: Batch = spare.unwrap_or_else(|| self.batch());
                batch.clear();
                self.convert_units(learnt, chunk.bytes, chunk.body, &mut batch);
                batch
            },
        };
        let ended = job.run(inputs.into_iter().collect(), threads, &mut |piece| match piece {
            pipeline::Piece::Part(text, batch) => {
                batch.number(0, &mut lines);
                counts.add(&batch.counts);
                reached = batch.end;
                sink(Piece::Batch { source: &text.name, batch })
            }
            pipeline::Piece::End(_, bytes) => {
                counts.bytes_in += bytes;
                (lines, reached) = (0, 0);
                ControlFlow::Continue(())
            }
            pipeline::Piece::Failed(text, error) => sink(Piece::Failed { source: &text.name, error }),
        })?;
        // Whether it broke off, the sink knows.
        if let ControlFlow::Continue(workers) = ended {
            workers.into_iter().for_each(|(_, spare)| self.keep(spare));
        }
        // Of a text that was left early.
        counts.bytes_in += reached;
        Ok(counts)
    }
}

#[cfg(test)]
mod tests {
    use crate::convert::{Converter, Input, Options, Piece};
    use crate::mapping::Mapping;
    use std::io::{self, Read};
    use std::ops::ControlFlow;
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::time::Duration;

    const RECORD: &[u8] = br#"{"phone":"+1","type":"sms","ts":"2023-03-21T22:34:49Z"}
"#;

    /// Gives records without end, or fails or panics after this many bytes; counts what was read.
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

    #[test]
    fn a_slow_consumer_stops_the_readers_and_one_that_has_enough_ends_it() {
        for threads in [1, 2, 4] {
            let read = AtomicU64::new(0);
            let reader = Endless { read: &read, until: u64::MAX, panics: false };
            let mut pieces = 0;
            let (mut farthest, mut reached) = (0, 0);
            let mut consume = |piece: Piece<'_>| {
                let Piece::Batch { batch, .. } = piece else { panic!() };
                std::thread::sleep(Duration::from_millis(2));
                reached = batch.end;
                farthest = farthest.max(read.load(Ordering::Relaxed) - batch.end);
                pieces += 1;
                if pieces == 40 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            };
            let counts = converter().run([Input::reader("endless", reader)], threads, &mut consume).unwrap();
            assert_eq!((pieces, counts.bytes_in), (40, reached));
            // Three places a thread, the chunk that each has in its hands, and what is read ahead.
            assert!(farthest < 5 * threads as u64 * 4096 + 128 * 1024, "{threads}: {farthest}");
        }
    }

    #[test]
    fn pieces_come_in_order_and_a_failing_input_does_not_end_the_others() {
        for threads in [1, 2, 3, 8] {
            let offsets = [AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0)];
            let endless =
                |i: usize| Endless { read: &offsets[i], until: 100_000 * (3 - i as u64), panics: false };
            let mut inputs: Vec<Input<'_>> =
                (0..3).map(|i| Input::reader(i.to_string(), endless(i))).collect();
            let refused = || Err::<&[u8], _>(io::Error::other("no such thing"));
            inputs.insert(1, Input::open("refused", refused));
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
                ControlFlow::Continue(())
            };
            let counts = converter().run(inputs, threads, &mut consume).unwrap();
            let read: Vec<u64> = offsets.iter().map(|offset| offset.load(Ordering::Relaxed)).collect();
            assert_eq!(counts.bytes_in, read.iter().sum::<u64>());
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

    /// Events and rejects of these inputs, with the places of the rejects.
    fn converted(converter: &Converter, inputs: &[&[u8]], threads: usize) -> (Vec<u8>, Vec<(u64, u64)>) {
        let (mut events, mut rejects) = (Vec::new(), Vec::new());
        let inputs: Vec<Input<'_>> = inputs.iter().map(|input| Input::reader("x", *input)).collect();
        let take = |piece: Piece<'_>| {
            let Piece::Batch { batch, .. } = piece else { panic!() };
            events.extend_from_slice(&batch.events);
            rejects.extend(batch.rejects.iter().map(|reject| (reject.line, reject.offset)));
            ControlFlow::Continue(())
        };
        converter.run(inputs, threads, take).unwrap();
        (events, rejects)
    }

    #[test]
    fn what_is_left_in_buffers_that_are_kept_changes_nothing() {
        let line = |length| [&b"{\"x\":\""[..], &b"y".repeat(length), b"\"}\n", RECORD].concat();
        let (many, long, marked) =
            (RECORD.repeat(300), line(100_000), [&b"\xef\xbb\xbf"[..], RECORD].concat());
        let wide = b"{\n  \"phone\": \"+1\",\n  \"type\": \"sms\",\n  \"ts\": \"2023-03-21T22:34:49Z\"\n}\n";
        let inputs: [&[u8]; 9] = [
            &many,
            RECORD,
            b"",
            &many[..many.len() - 30],
            wide,
            &long,
            b"{}\n",
            &marked,
            &RECORD[..RECORD.len() - 1],
        ];
        let alone = inputs.map(|input| (input, converted(&converter(), &[input], 1)));
        let kept = converter();
        for threads in [1, 2] {
            for ((first, one), (second, two)) in alone.iter().flat_map(|a| alone.iter().map(move |b| (a, b)))
            {
                assert_eq!(converted(&kept, &[first], threads), *one);
                let both = converted(&kept, &[second, first], threads);
                assert_eq!(both.0, [&two.0[..], &one.0].concat());
                assert_eq!(both.1, [&two.1[..], &one.1].concat());
            }
        }
        let spares = || kept.spares.lock().unwrap().iter().map(|it| it.buffer.capacity()).collect::<Vec<_>>();
        assert!((1..=2).contains(&spares().len()), "{:?}", spares());
        // What a large record needed is not kept.
        converted(&kept, &[&line(1 << 20)], 1);
        assert!(spares().iter().all(|capacity| *capacity <= 8 * 4096), "{:?}", spares());
    }

    #[test]
    fn panics_are_passed_on() {
        for threads in [1, 2, 4] {
            for (panics, name) in [(true, "the reader panics"), (false, "the consumer panics")] {
                let read = AtomicU64::new(0);
                let reader = Endless { read: &read, until: 200_000, panics };
                let consume = |piece: Piece<'_>| {
                    assert!(!matches!(piece, Piece::Failed { .. }), "the consumer panics");
                    ControlFlow::Continue(())
                };
                let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                    converter().run([Input::reader("x", reader)], threads, consume)
                }));
                let message = caught.unwrap_err();
                assert_eq!(message.downcast_ref::<&str>(), Some(&name), "{threads}");
            }
        }
    }
}

//! The inputs of a conversion, chunk by chunk, in order.

use super::{Converter, Input};
use crate::record::frame::{Chunk, Framer};
use std::io::{self, Read};

/// What a worker takes.
pub(super) enum Taken {
    /// A chunk of the input of this number.
    Chunk(usize, Chunk),
    /// The bytes of input that the source held.
    End(u64),
    Failed(usize, io::Error),
}

/// The inputs, of which one is open.
pub(super) struct Source<'a> {
    inputs: std::vec::IntoIter<Input<'a>>,
    open: Option<Open<'a>>,
    /// How many inputs were opened, and how many things taken.
    opened: usize,
    taken: u64,
}

struct Open<'a> {
    framer: Framer,
    reader: Box<dyn Read + Send + 'a>,
    /// It has ended; why, if not by itself.
    ended: Option<Option<io::Error>>,
}

impl<'a> Source<'a> {
    pub(super) fn new(inputs: Vec<Input<'a>>) -> Source<'a> {
        Source { inputs: inputs.into_iter(), open: None, opened: 0, taken: 0 }
    }

    /// How many things were taken.
    pub(super) fn taken(&self) -> u64 {
        self.taken
    }

    /// The next thing, and its number. Nothing if there are no more.
    pub(super) fn take(&mut self, converter: &Converter, buffer: Vec<u8>) -> Option<(u64, Taken)> {
        let number = self.taken;
        let taken = loop {
            let input = self.opened.wrapping_sub(1);
            match &mut self.open {
                None => {
                    let next = self.inputs.next()?;
                    self.opened += 1;
                    match (next.open)() {
                        Ok(reader) => {
                            self.open = Some(Open { framer: converter.framer(), reader, ended: None });
                        }
                        Err(error) => break Taken::Failed(input.wrapping_add(1), error),
                    }
                }
                Some(Open { ended: Some(error), .. }) => {
                    let error = error.take();
                    self.open = None;
                    if let Some(error) = error {
                        break Taken::Failed(input, error);
                    }
                }
                Some(Open { framer, reader, ended }) => {
                    let failed = match framer.next(&mut **reader, buffer) {
                        Ok(Some(chunk)) => break Taken::Chunk(input, chunk),
                        Ok(None) => None,
                        Err(error) => Some(error),
                    };
                    *ended = Some(failed);
                    break Taken::End(framer.bytes_read());
                }
            }
        };
        self.taken += 1;
        Some((number, taken))
    }
}

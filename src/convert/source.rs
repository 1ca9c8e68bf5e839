//! The inputs of a conversion, chunk by chunk, in order.

use super::{Converter, Input};
use crate::record::frame::{Chunk, Framer};
use crate::text::NextText;
use std::io::{self, Read};
use std::sync::Arc;

/// What a worker takes.
pub(super) enum Taken {
    /// A chunk of the text of this name.
    Chunk(Arc<str>, Chunk),
    /// The bytes of input that the text held.
    End(u64),
    Failed(Arc<str>, io::Error),
}

/// The inputs, of which one is open.
pub(super) struct Source<'a> {
    inputs: std::vec::IntoIter<Input<'a>>,
    open: Option<Open<'a>>,
    /// How many things were taken.
    taken: u64,
}

struct Open<'a> {
    /// The input, or a text that it holds.
    name: Arc<str>,
    framer: Framer,
    reader: Box<dyn Read + Send + 'a>,
    /// It has ended; why, if not by itself.
    ended: Option<Option<io::Error>>,
}

impl<'a> Source<'a> {
    pub(super) fn new(inputs: Vec<Input<'a>>) -> Source<'a> {
        Source { inputs: inputs.into_iter(), open: None, taken: 0 }
    }

    /// How many things were taken.
    pub(super) fn taken(&self) -> u64 {
        self.taken
    }

    /// The next thing, and its number. Nothing if there are no more.
    pub(super) fn take(&mut self, converter: &Converter, buffer: Vec<u8>) -> Option<(u64, Taken)> {
        let number = self.taken;
        let taken = loop {
            match &mut self.open {
                None => {
                    let next = self.inputs.next()?;
                    let name = next.name.into();
                    match (next.open)() {
                        Ok(reader) => {
                            self.open = Some(Open { name, framer: converter.framer(), reader, ended: None });
                        }
                        Err(error) => break Taken::Failed(name, error),
                    }
                }
                Some(Open { ended: Some(error), name, framer, .. }) => {
                    let name = Arc::clone(name);
                    let failed = match error.take().map(NextText::of) {
                        Some(Ok(next)) => {
                            *framer = converter.framer();
                            if let Some(Open { name, ended, .. }) = &mut self.open {
                                (*name, *ended) = (next.name.into(), None);
                            }
                            next.failed
                        }
                        Some(Err(error)) => {
                            self.open = None;
                            Some(error)
                        }
                        None => {
                            self.open = None;
                            None
                        }
                    };
                    if let Some(error) = failed {
                        break Taken::Failed(name, error);
                    }
                }
                Some(Open { name, framer, reader, ended }) => {
                    let failed = match framer.next(&mut **reader, buffer) {
                        Ok(Some(chunk)) => break Taken::Chunk(Arc::clone(name), chunk),
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

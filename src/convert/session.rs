//! Many streams one after another on one thread, with what was learnt from each kept for the next.

use super::rows::Block;
use super::{Batch, Converter, Piece, Stop, Tally};
use crate::text::NextText;
use std::io::{self, Read};

/// What a thread keeps from stream to stream: buffers, and the shapes that it has seen.
#[derive(Debug)]
pub struct Session {
    pub(super) batch: Batch,
    pub(super) buffer: Vec<u8>,
    /// Rows that are converted together.
    pub(super) block: Block,
}

impl Converter {
    /// A new session.
    pub fn session(&self) -> Session {
        Session { batch: self.batch(), buffer: Vec::new(), block: Block::default() }
    }

    /// Converts what `input` gives on the caller's thread, and hands what becomes of it to
    /// `consume`, part by part in order, until that answers [`Stop`].
    ///
    /// The result is that of [`Converter::convert_inputs`] for the same bytes. The error is that of
    /// `input`; what was read before it came first.
    pub fn convert_reader(
        &self,
        session: &mut Session,
        input: &mut dyn Read,
        consume: &mut dyn FnMut(&Batch) -> Result<(), Stop>,
    ) -> (Tally, io::Result<()>) {
        let Session { batch, buffer, .. } = session;
        let mut framer = self.framer();
        let mut tally = self.tally();
        let mut lines = 0;
        let ended = loop {
            match framer.next(input, std::mem::take(buffer)) {
                Ok(Some(chunk)) => {
                    self.convert_chunk(&chunk, batch);
                    batch.number(0, &mut lines);
                    tally.add(&batch.tally);
                    let answer = consume(batch);
                    batch.clear();
                    *buffer = chunk.bytes;
                    if answer.is_err() {
                        break Ok(());
                    }
                }
                Ok(None) => break Ok(()),
                Err(error) => break Err(error),
            }
        };
        tally.bytes_in = framer.bytes_read();
        (tally, ended)
    }

    /// Converts what `input`, called `name`, gives on the caller's thread: one text, or several. What becomes of it,
    /// errors too, goes to `consume`, in order, until that answers [`Stop`], which then is the result.
    pub(crate) fn convert_texts(
        &self,
        session: &mut Session,
        name: &str,
        input: &mut dyn Read,
        consume: &mut dyn FnMut(Piece<'_>) -> Result<(), Stop>,
    ) -> (Tally, Result<(), Stop>) {
        let mut tally = self.tally();
        let mut name = name.to_owned();
        loop {
            let mut answer = Ok(());
            let (read, ended) = self.convert_reader(session, input, &mut |batch| {
                answer = consume(Piece::Batch { source: &name, batch });
                answer
            });
            tally.add(&read);
            let next = ended.err().map(NextText::of);
            let (next, failed) = match next {
                _ if answer.is_err() => return (tally, answer),
                None => return (tally, Ok(())),
                Some(Ok(NextText { name, failed })) => (Some(name), failed),
                Some(Err(error)) => (None, Some(error)),
            };
            if let Some(error) = failed {
                answer = consume(Piece::Failed { source: &name, error });
            }
            match next {
                Some(next) if answer.is_ok() => name = next,
                _ => return (tally, answer),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::convert::Options;
    use crate::mapping::Mapping;

    #[test]
    fn sessions_give_what_single_runs_give() {
        let mapping = Mapping::builtin("duo_telephony").unwrap();
        let converter = Converter::new(&mapping, &Options { chunk_bytes: 50, ..Options::default() });
        let mut session = converter.session();
        let line = r#"{"context":"x","ts":"2024-01-01T00:00:00Z","credits":1}"#;
        for text in
            [format!("{line}\n{{}}\n{line}"), String::new(), format!("{line}\nno\n\n{line}\n").repeat(20)]
        {
            let (mut events, mut rejects) = (Vec::new(), Vec::new());
            let (tally, ended) = converter.convert_reader(&mut session, &mut text.as_bytes(), &mut |batch| {
                events.extend_from_slice(&batch.events);
                rejects.extend_from_slice(&batch.rejects);
                Ok(())
            });
            ended.unwrap();
            let whole = converter.convert(text.as_bytes());
            assert_eq!((events, rejects, &tally), (whole.events, whole.rejects, &whole.tally));
        }
    }
}

//! Records of a reader, one by one.

use super::batch::{At, Batch};
use super::converter::{Converter, Learnt};
use super::counts::Counts;
use super::reject::Reject;
use crate::record::frame::Framer;
use std::io::{self, Read};

/// What each record of a reader becomes, in order: see [`Converter::records`].
#[derive(Debug)]
pub struct Records<'c, R> {
    converter: &'c Converter,
    reader: R,
    framer: Framer,
    buffer: Vec<u8>,
    learnt: Learnt<'c>,
    batch: Batch,
    at: At,
    lines: u64,
    counts: Counts,
}

impl Converter {
    /// Reads `reader`, and gives what each record becomes, in order: an event without a newline, or a [`Reject`].
    ///
    /// Events are copied for that; [`Converter::run`] is faster. An error of the reader is the last item.
    ///
    /// ```
    /// use udmap::convert::{Converter, Options};
    /// use udmap::mapping::Mapping;
    ///
    /// let mapping = Mapping::builtin("duo_telephony").expect("the table comes with udmap");
    /// let converter = Converter::new(&mapping, &Options::default());
    /// let log = &b"{\"ts\":\"2024-01-01T00:00:00Z\",\"context\":\"sms\"}\n{}\n"[..];
    /// let (mut events, mut rejects) = (0, 0);
    /// for record in converter.records(log) {
    ///     match record? {
    ///         Ok(_event) => events += 1,
    ///         Err(_reject) => rejects += 1,
    ///     }
    /// }
    /// assert_eq!((events, rejects), (1, 1));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn records<R: Read>(&self, reader: R) -> Records<'_, R> {
        Records {
            converter: self,
            reader,
            framer: self.framer(),
            buffer: Vec::new(),
            learnt: self.learnt(),
            batch: self.batch(),
            at: At::default(),
            lines: 0,
            counts: self.counts(),
        }
    }
}

#[cfg(feature = "serve")]
impl Converter {
    /// Converts a chunk of a stream, by a framer that counts lines.
    pub(crate) fn convert_chunk(&self, chunk: &crate::record::frame::Chunk) -> Batch {
        let mut batch = self.batch();
        self.convert_units(&mut self.learnt(), &chunk.bytes, &chunk.body, &mut batch);
        batch
    }
}

impl<R> Records<'_, R> {
    /// The counts of all that was read so far, which may be more than was given.
    pub fn counts(&self) -> &Counts {
        &self.counts
    }
}

impl<R: Read> Iterator for Records<'_, R> {
    type Item = io::Result<Result<Vec<u8>, Reject>>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(record) = self.batch.record(&mut self.at) {
                return Some(Ok(record.map(<[u8]>::to_vec).map_err(Clone::clone)));
            }
            self.batch.clear();
            self.at = At::default();
            let next = self.framer.next(&mut self.reader, std::mem::take(&mut self.buffer));
            self.counts.bytes_in = self.framer.bytes_read();
            match next {
                Ok(Some(chunk)) => {
                    self.converter.convert_units(
                        &mut self.learnt,
                        &chunk.bytes,
                        &chunk.body,
                        &mut self.batch,
                    );
                    self.batch.number(0, &mut self.lines);
                    self.counts.add(&self.batch.counts);
                    self.buffer = chunk.bytes;
                }
                Ok(None) => return None,
                Err(error) => return Some(Err(error)),
            }
        }
    }
}

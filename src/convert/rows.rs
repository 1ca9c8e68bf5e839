//! Rows of a table converted: each is an input of its own, and what becomes of it bears its number.
//!
//! Rows that are one line each, nearly all, are joined to a block of lines, which is converted at
//! once. If each line of a block gave one event or one reject, their order says whose they are. If
//! not, the rows of the block are converted one by one.

use super::{Batch, Converter, Reject, Session, Tally};
use crate::record::boundaries::is_space;
use crate::record::frame::{ChunkBody, PAD};

/// Rows that wait to be converted together.
#[derive(Debug, Default)]
pub(super) struct Block {
    /// Their lines, and in the end room behind them.
    text: Vec<u8>,
    /// Their numbers, and where their lines end.
    rows: Vec<(u64, usize)>,
}

/// Takes what becomes of rows: the row's number, and an event without its newline, or a reject.
pub type Each<'a> = &'a mut dyn FnMut(u64, Result<&[u8], &Reject>);

impl Converter {
    /// Converts `rows`, each with its number, and hands every event and reject to `each` with the
    /// number of its row, in the order of the rows.
    ///
    /// A row gives what [`Converter::convert`] gives for its bytes: nothing if it is blank, several
    /// events if it is an array, an envelope, or several lines. Of such a row, rejects follow the
    /// events. The places in rejects count from the row's start.
    pub fn convert_rows<'r>(
        &self,
        session: &mut Session,
        rows: impl IntoIterator<Item = (u64, &'r [u8])>,
        each: Each<'_>,
    ) -> Tally {
        let mut tally = self.tally();
        let mut bytes = 0;
        let mut block = std::mem::take(&mut session.block);
        for (number, row) in rows {
            if row.is_empty() {
                continue;
            }
            bytes += row.len() as u64;
            let line = row.strip_suffix(b"\n").unwrap_or(row);
            if self.is_plain(line) {
                block.text.extend_from_slice(line);
                block.text.push(b'\n');
                block.rows.push((number, block.text.len()));
                if block.text.len() >= self.chunk_bytes {
                    self.block(&mut session.batch, &mut block, &mut tally, each);
                }
                continue;
            }
            self.block(&mut session.batch, &mut block, &mut tally, each);
            let mut rejects = Vec::new();
            let (read, _) = self.convert_reader(session, &mut &row[..], &mut |batch| {
                events(batch).for_each(|event| each(number, Ok(event)));
                rejects.extend_from_slice(&batch.rejects);
                Ok(())
            });
            rejects.iter().for_each(|reject| each(number, Err(reject)));
            tally.add(&Tally { bytes_in: 0, ..read });
        }
        self.block(&mut session.batch, &mut block, &mut tally, each);
        session.block = block;
        tally.bytes_in = bytes;
        tally
    }

    /// Whether a row is the same as a line among others.
    fn is_plain(&self, line: &[u8]) -> bool {
        line.len() <= self.max_record_bytes
            && memchr::memchr(b'\n', line).is_none()
            && !line.starts_with(b"\xef\xbb\xbf")
    }

    /// Converts a block, and empties it.
    fn block(&self, batch: &mut Batch, block: &mut Block, tally: &mut Tally, each: Each<'_>) {
        let Block { text, rows } = block;
        let end = text.len();
        text.resize(end + PAD, 0);
        self.lines(text, end, batch);
        if is_one_each(batch, rows.len()) {
            hand_out(batch, text, rows, each);
            tally.add(&batch.tally);
        } else {
            let mut start = 0;
            for (number, end) in rows.iter() {
                batch.clear();
                self.lines(&text[start..], end - start, batch);
                events(batch).for_each(|event| each(*number, Ok(event)));
                batch.rejects.iter().for_each(|reject| each(*number, Err(reject)));
                tally.add(&batch.tally);
                start = *end;
            }
        }
        batch.clear();
        text.clear();
        rows.clear();
    }

    fn lines(&self, text: &[u8], end: usize, batch: &mut Batch) {
        self.convert_units(text, &ChunkBody::Lines { offset: 0, line: 1, end }, batch);
        batch.lines = 0;
    }
}

/// Whether each line that is not blank gave one record.
fn is_one_each(batch: &Batch, lines: usize) -> bool {
    let Tally { records, blank, .. } = &batch.tally;
    !batch.uneven && records + blank == lines as u64
}

/// Hands out what each line gave: a reject knows its line, a blank line gave nothing, and the others
/// are the events.
fn hand_out(batch: &mut Batch, text: &[u8], rows: &[(u64, usize)], each: Each<'_>) {
    let Batch { events: bytes, rejects, tally, .. } = batch;
    let mut events = split(bytes);
    let mut rejects = rejects.iter_mut().peekable();
    let mut start = 0;
    for (at, (number, end)) in rows.iter().enumerate() {
        let line = &text[start..*end];
        let is_reject = |reject: &&mut Reject| reject.line == at as u64 + 1;
        if let Some(reject) = rejects.next_if(is_reject) {
            reject.line = 1;
            reject.offset -= start as u64;
            each(*number, Err(reject));
        } else if tally.blank == 0 || !line.iter().all(|byte| is_space(*byte)) {
            events.next().into_iter().for_each(|event| each(*number, Ok(event)));
        }
        start = *end;
    }
}

fn events(batch: &Batch) -> impl Iterator<Item = &[u8]> {
    split(&batch.events)
}

/// The lines of `bytes`, without their newlines.
fn split(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut start = 0;
    memchr::memchr_iter(b'\n', bytes).map(move |end| {
        let line = &bytes[start..end];
        start = end + 1;
        line
    })
}

//! Rows of a table converted: each is an input of its own, and what becomes of it bears its number.
//!
//! Rows that are one line each, nearly all, are joined to a block of lines, which is converted at
//! once. If each line of a block gave one event or one reject, their order says whose they are. If
//! not, the rows of the block are converted one by one.

use super::batch::Batch;
use super::converter::{Converter, Learnt};
use super::counts::Counts;
use super::reject::Reject;
use crate::record::boundaries::is_space;
use crate::record::frame::{ChunkBody, PAD};

/// Takes what becomes of rows: the row's number, and an event without its newline, or a reject.
type Each<'a> = &'a mut dyn FnMut(u64, Result<&[u8], &Reject>);

impl Converter {
    /// Converts `rows`, each with its number, and hands every event (without its newline) and reject to `each` with
    /// the number of its row, in the order of the rows.
    ///
    /// A row gives what [`Converter::convert`] gives for its bytes: nothing if it is blank, several
    /// events if it is an array, an envelope, or several lines. Of such a row, rejects follow the events. The places in
    /// rejects count from the row's start.
    pub fn convert_rows<'r>(
        &self,
        rows: impl IntoIterator<Item = (u64, &'r [u8])>,
        mut each: impl FnMut(u64, Result<&[u8], &Reject>),
    ) -> Counts {
        let (mut counts, mut bytes) = (self.counts(), 0);
        let mut block = Block {
            converter: self,
            learnt: self.learnt(),
            batch: self.batch(),
            text: Vec::new(),
            rows: Vec::new(),
        };
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
                if block.text.len() >= self.chunk_bytes() {
                    block.convert(&mut counts, &mut each);
                }
            } else {
                block.convert(&mut counts, &mut each);
                self.convert_into(&mut block.learnt, row, &mut block.batch);
                all(&block.batch, number, &mut each);
                counts.add(&block.batch.counts);
                block.batch.clear();
            }
        }
        block.convert(&mut counts, &mut each);
        counts.bytes_in = bytes;
        counts
    }

    /// Whether a row is the same as a line among others.
    fn is_plain(&self, line: &[u8]) -> bool {
        line.len() <= self.exact.max_record_bytes
            && memchr::memchr(b'\n', line).is_none()
            && !line.starts_with(b"\xef\xbb\xbf")
    }
}

/// Hands out what one row gave.
fn all(batch: &Batch, number: u64, each: Each<'_>) {
    batch.records().filter(Result::is_ok).for_each(|event| each(number, event));
    batch.rejects.iter().for_each(|reject| each(number, Err(reject)));
}

/// Rows that are converted together.
struct Block<'c> {
    converter: &'c Converter,
    learnt: Learnt<'c>,
    batch: Batch,
    /// Their lines, and in the end room behind them.
    text: Vec<u8>,
    /// Their numbers, and where their lines end.
    rows: Vec<(u64, usize)>,
}

impl Block<'_> {
    /// Converts the rows, and empties the block.
    fn convert(&mut self, counts: &mut Counts, each: Each<'_>) {
        let end = self.text.len();
        self.text.resize(end + PAD, 0);
        self.lines(0, end);
        let Counts { records, blank, .. } = &self.batch.counts;
        if !self.batch.uneven && records + blank == self.rows.len() as u64 {
            self.hand_out(each);
            counts.add(&self.batch.counts);
        } else {
            let mut start = 0;
            for (number, end) in std::mem::take(&mut self.rows) {
                self.batch.clear();
                self.lines(start, end - start);
                all(&self.batch, number, each);
                counts.add(&self.batch.counts);
                start = end;
            }
        }
        self.batch.clear();
        self.text.clear();
        self.rows.clear();
    }

    fn lines(&mut self, start: usize, end: usize) {
        let body = ChunkBody::Lines { offset: 0, line: 1, end };
        self.converter.convert_units(&mut self.learnt, &self.text[start..], &body, &mut self.batch);
        self.batch.lines = 0;
    }

    /// Hands out what each line gave: nothing if it is blank, else one record.
    fn hand_out(&self, each: Each<'_>) {
        let mut records = self.batch.records();
        let mut start = 0;
        for (number, end) in &self.rows {
            let is_blank =
                self.batch.counts.blank > 0 && self.text[start..*end].iter().all(|byte| is_space(*byte));
            let record = if is_blank { None } else { records.next() };
            match record {
                Some(Err(reject)) => {
                    let reject = Reject { line: 1, offset: reject.offset - start as u64, ..reject.clone() };
                    each(*number, Err(&reject));
                }
                Some(event) => each(*number, event),
                None => {}
            }
            start = *end;
        }
    }
}

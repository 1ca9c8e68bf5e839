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

/// Takes what becomes of rows: for each record of a batch the number of its row.
type Each<'a> = &'a mut dyn FnMut(&[u64], &Batch);

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
        self.convert_row_batches(rows, |numbers, batch| {
            numbers.iter().zip(batch.records()).for_each(|(number, record)| each(*number, record));
        })
    }

    /// The same, but many rows at once: `each` takes the numbers of the rows of a batch's
    /// [records](Batch::records), and the batch.
    pub fn convert_row_batches<'r>(
        &self,
        rows: impl IntoIterator<Item = (u64, &'r [u8])>,
        mut each: impl FnMut(&[u64], &Batch),
    ) -> Counts {
        let (mut counts, mut bytes) = (self.counts(), 0);
        let mut block = Block {
            converter: self,
            learnt: self.learnt(),
            batch: self.batch(),
            text: Vec::new(),
            rows: Vec::new(),
            numbers: Vec::new(),
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
                block.hand_out_one(number, &mut counts, &mut each);
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

/// Rows that are converted together.
struct Block<'c> {
    converter: &'c Converter,
    learnt: Learnt<'c>,
    batch: Batch,
    /// Their lines, and in the end room behind them.
    text: Vec<u8>,
    /// Their numbers, and where their lines end.
    rows: Vec<(u64, usize)>,
    /// The numbers of the records' rows.
    numbers: Vec<u64>,
}

impl Block<'_> {
    /// Converts the rows, and empties the block.
    fn convert(&mut self, counts: &mut Counts, each: Each<'_>) {
        let end = self.text.len();
        self.text.resize(end + PAD, 0);
        self.lines(0, end);
        let Counts { records, blank, .. } = &self.batch.counts;
        if !self.batch.uneven && records + blank == self.rows.len() as u64 {
            self.number();
            self.hand_out(counts, each);
        } else {
            let mut start = 0;
            for (number, end) in std::mem::take(&mut self.rows) {
                self.batch.clear();
                self.lines(start, end - start);
                self.hand_out_one(number, counts, each);
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

    /// Numbers what each line gave: nothing if it is blank, else one record.
    fn number(&mut self) {
        let Block { batch, text, rows, numbers, .. } = self;
        let mut start = 0;
        for (number, end) in rows.iter() {
            let is_blank = batch.counts.blank > 0 && text[start..*end].iter().all(|byte| is_space(*byte));
            if !is_blank {
                numbers.push(*number);
            }
            start = *end;
        }
        for reject in &mut batch.rejects {
            let row = rows.partition_point(|(_, end)| *end as u64 <= reject.offset);
            let start = if row == 0 { 0 } else { rows[row - 1].1 };
            (reject.line, reject.offset) = (1, reject.offset - start as u64);
        }
    }

    /// Hands out what one row gave.
    fn hand_out_one(&mut self, number: u64, counts: &mut Counts, each: Each<'_>) {
        self.batch.put_rejects_last();
        let Counts { events, rejects, .. } = &self.batch.counts;
        self.numbers.resize((events + rejects) as usize, number);
        self.hand_out(counts, each);
    }

    fn hand_out(&mut self, counts: &mut Counts, each: Each<'_>) {
        each(&self.numbers, &self.batch);
        counts.add(&self.batch.counts);
        self.numbers.clear();
        self.batch.clear();
    }
}

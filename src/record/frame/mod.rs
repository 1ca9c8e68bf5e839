//! Cuts a stream into chunks of whole units, in bounded memory.
//!
//! A stream is lines, one unit a line, unless it begins with a JSON value that is whole only over
//! several lines; then it is a sequence of JSON values. That is decided once, at the start. A
//! chunk of lines is the stream's own bytes; a chunk of items lists its units one by one (values,
//! elements of an array, lines beyond the limit).

mod chunk;
mod long;
mod probe;
#[cfg(test)]
mod tests;
mod units;

pub(crate) use chunk::line;
pub use chunk::{Body, Chunk, Item, ItemState};

use long::{Finished, LongLine};
use probe::{Layout, Probe};
use std::io::{self, Read};
use units::Units;

/// How many bytes of a unit beyond the limit are kept.
pub const HEAD: usize = 4096;

/// Cuts one stream into [`Chunk`]s.
#[derive(Debug)]
pub struct Framer {
    limit: usize,
    target: usize,
    mode: Mode,
    /// Bytes read and not yet looked at (in [`Mode::Lines`]: not yet given out).
    carry: Vec<u8>,
    /// Where in the stream `carry` begins.
    offset: u64,
    /// The line on which `carry` begins; kept up to date where lines are counted here.
    line: u64,
    total: u64,
    ended: bool,
    failed: Option<io::Error>,
}

#[derive(Debug)]
enum Mode {
    /// Nothing is decided yet.
    Start,
    Lines,
    /// Inside a line that is longer than the limit, or may be.
    Long(LongLine),
    Values(Units),
    Done,
}

impl Framer {
    /// A framer for units of at most `limit` bytes, in chunks of about `target` bytes.
    pub fn new(limit: usize, target: usize) -> Framer {
        Framer {
            limit,
            target: target.max(1),
            mode: Mode::Start,
            carry: Vec::new(),
            offset: 0,
            line: 1,
            total: 0,
            ended: false,
            failed: None,
        }
    }

    /// Bytes read from the stream so far.
    pub fn bytes_read(&self) -> u64 {
        self.total
    }

    /// The next chunk; nothing at the end. `bytes` is an old buffer to use again.
    ///
    /// # Errors
    /// When `input` fails. Everything that was read before is given out first.
    pub fn next(&mut self, input: &mut dyn Read, mut bytes: Vec<u8>) -> io::Result<Option<Chunk>> {
        bytes.clear();
        let mut chunk = Chunk { bytes, body: Body::Items { items: Vec::new(), blank: 0 } };
        loop {
            let whole = match std::mem::replace(&mut self.mode, Mode::Done) {
                Mode::Start => self.start(input),
                Mode::Lines => self.lines(input, &mut chunk),
                Mode::Long(line) => self.long(line, input, &mut chunk),
                Mode::Values(units) => self.values(units, input, &mut chunk),
                Mode::Done => return self.failed.take().map_or(Ok(None), Err),
            };
            if whole {
                return Ok(Some(chunk));
            }
        }
    }

    /// Reads up to `most` bytes of the stream behind `self.carry`.
    fn read(&mut self, input: &mut dyn Read, most: usize) {
        let before = self.carry.len();
        self.carry.resize(before + most, 0);
        let mut filled = before;
        while !self.ended && filled < self.carry.len() {
            match input.read(&mut self.carry[filled..]) {
                Ok(0) => self.ended = true,
                Ok(n) => filled += n,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => {
                    self.failed = Some(e);
                    self.ended = true;
                }
            }
        }
        self.carry.truncate(filled);
        self.total += (filled - before) as u64;
    }

    /// Decides what the stream is. No chunk comes of it.
    fn start(&mut self, input: &mut dyn Read) -> bool {
        while self.carry.len() < 3 && !self.ended {
            self.read(input, self.target.max(3));
        }
        if self.carry.starts_with(b"\xef\xbb\xbf") {
            self.carry.drain(..3);
            self.offset = 3;
        }
        let mut probe = Probe::default();
        let mut seen = 0;
        let layout = loop {
            // Never a byte beyond the limit, so that the decision does not depend on the blocks.
            let until = self.carry.len().min(self.limit + 1);
            if let Some(layout) = probe.feed(&self.carry[seen..until]) {
                break layout;
            }
            seen = until;
            if seen > self.limit {
                break probe.beyond_limit();
            }
            if self.ended {
                break Layout::Lines;
            }
            self.read(input, self.target);
        };
        self.mode = match layout {
            Layout::Lines => Mode::Lines,
            Layout::Values => Mode::Values(Units::new(self.limit, true, self.offset, self.line)),
        };
        false
    }

    /// Whole lines, as they stand.
    fn lines(&mut self, input: &mut dyn Read, chunk: &mut Chunk) -> bool {
        let mut searched = 0;
        let end = loop {
            if self.ended {
                break self.carry.len();
            }
            if self.carry.len() >= self.target {
                if let Some(at) = memchr::memrchr(b'\n', &self.carry[searched..]) {
                    break searched + at + 1;
                }
                searched = self.carry.len();
                if searched > self.limit {
                    self.mode = Mode::Long(LongLine::default());
                    return false;
                }
            }
            let missing = self.target.saturating_sub(self.carry.len());
            self.read(input, missing.max(self.target.min(64 * 1024)));
        };
        self.mode = if end == self.carry.len() && self.ended { Mode::Done } else { Mode::Lines };
        if end == 0 {
            return false;
        }
        // The buffer with the lines goes out; what is left of the last line goes into the other.
        chunk.bytes.extend_from_slice(&self.carry[end..]);
        std::mem::swap(&mut chunk.bytes, &mut self.carry);
        chunk.bytes.truncate(end);
        chunk.body = Body::Lines { offset: self.offset, line: self.line };
        self.offset += end as u64;
        self.line += memchr::memchr_iter(b'\n', &chunk.bytes).count() as u64;
        true
    }

    /// A line beyond the limit, or, as it may turn out, not quite.
    fn long(&mut self, mut line: LongLine, input: &mut dyn Read, chunk: &mut Chunk) -> bool {
        let Body::Items { items, blank } = &mut chunk.body else { return false };
        loop {
            if self.carry.is_empty() && !self.ended {
                self.read(input, self.target);
            }
            // A block at a time, so that a chunk stays small when a whole array is read again.
            let block = self.carry.len().min(self.target);
            let newline = memchr::memchr(b'\n', &self.carry[..block]);
            let end = newline.unwrap_or(block);
            let again =
                line.feed(&self.carry[..end], self.offset, self.line, self.limit, &mut chunk.bytes, items);
            if let Some(again) = again {
                self.offset = self.offset + end as u64 - again.len() as u64;
                self.carry.splice(..end, again);
                continue;
            }
            self.skip(end);
            if newline.is_some() || (self.ended && self.carry.is_empty()) {
                match line.finish(self.line, self.limit, &mut chunk.bytes, items) {
                    Finished::Blank => *blank += 1,
                    Finished::Units => {}
                }
                if newline.is_some() {
                    self.skip(1);
                    self.line += 1;
                }
                let done = self.ended && self.carry.is_empty();
                self.mode = if done { Mode::Done } else { Mode::Lines };
                return true;
            }
            if chunk.bytes.len() >= self.target {
                self.mode = Mode::Long(line);
                return true;
            }
        }
    }

    /// Values and elements of arrays.
    fn values(&mut self, mut units: Units, input: &mut dyn Read, chunk: &mut Chunk) -> bool {
        let Body::Items { items, .. } = &mut chunk.body else { return false };
        loop {
            if self.carry.is_empty() && !self.ended {
                self.read(input, self.target);
            }
            units.feed(&self.carry, self.offset, &mut chunk.bytes, items);
            self.skip(self.carry.len());
            if self.ended {
                units.finish(&mut chunk.bytes, items);
                return !items.is_empty();
            }
            if chunk.bytes.len() >= self.target {
                self.mode = Mode::Values(units);
                return true;
            }
        }
    }

    fn skip(&mut self, bytes: usize) {
        self.carry.drain(..bytes);
        self.offset += bytes as u64;
    }
}

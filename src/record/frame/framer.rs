//! Reads a stream block by block, decides what it is, and gives it out in chunks.

use super::PAD;
use super::chunk::{Chunk, ChunkBody};
use super::collector::{Cutter, UnitCollector};
use super::detector::{LayoutDetector, LayoutVerdict};
use super::head::{self, StreamLayout};
use super::long::LongLine;
use super::split::Splitter;
use crate::record::boundaries::BYTE_ORDER_MARK;
use std::io::{self, Read};

/// Lines longer than this are read block by block, and no more is looked at to decide what a stream
/// is: so neither takes much memory, whatever the limit is.
const LONG: usize = 1 << 20;

/// Cuts one stream into [`Chunk`]s.
#[derive(Debug)]
pub struct Framer {
    limit: usize,
    target: usize,
    mode: Mode,
    /// Bytes read and not yet looked at (in [`Mode::Lines`]: not yet given out), the first `filled`;
    /// what follows is room to read into.
    carry: Vec<u8>,
    filled: usize,
    /// Where in the stream `carry` begins.
    offset: u64,
    /// The line on which `carry` begins; without those given out as chunks of lines, if they are not counted.
    line: u64,
    counts: bool,
    total: u64,
    ended: bool,
    failed: Option<io::Error>,
}

#[derive(Debug)]
enum Mode {
    /// Nothing is decided yet.
    Start,
    Lines,
    /// Inside a long line.
    Long(LongLine),
    Values(UnitCollector),
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
            filled: 0,
            offset: 0,
            line: 1,
            counts: true,
            total: 0,
            ended: false,
            failed: None,
        }
    }

    /// A framer that leaves counting to those who look at each line anyway: a chunk of lines tells its lines as if no
    /// chunk of lines had come before.
    pub(crate) fn without_lines(self) -> Framer {
        Framer { counts: false, ..self }
    }

    /// The buffer that it has, to be used again.
    pub(crate) fn into_buffer(self) -> Vec<u8> {
        self.carry
    }

    /// Bytes read from the stream so far.
    pub fn bytes_read(&self) -> u64 {
        self.total
    }

    /// The next chunk; nothing at the end. `buffer` is an old one to use again.
    ///
    /// # Errors
    /// When `input` fails. Everything that was read before is given out first.
    pub fn next(&mut self, input: &mut dyn Read, mut buffer: Vec<u8>) -> io::Result<Option<Chunk>> {
        loop {
            let mode = std::mem::replace(&mut self.mode, Mode::Done);
            let no_units = || ChunkBody::Units { units: Vec::new(), blank: 0, end: 0 };
            let mut chunk = match mode {
                Mode::Start => {
                    // Small streams need no other one.
                    self.carry = std::mem::take(&mut buffer);
                    self.start(input);
                    continue;
                }
                Mode::Lines => match self.lines(input, &mut buffer) {
                    Some(chunk) => return Ok(Some(chunk)),
                    None => continue,
                },
                Mode::Long(_) | Mode::Values(_) => {
                    buffer.clear();
                    Chunk { bytes: std::mem::take(&mut buffer), body: no_units() }
                }
                Mode::Done => {
                    if self.carry.capacity() < buffer.capacity() {
                        self.carry = buffer;
                    }
                    return self.failed.take().map_or(Ok(None), Err);
                }
            };
            let whole = match mode {
                Mode::Long(line) => self.long(line, input, &mut chunk),
                Mode::Values(collector) => self.values(collector, input, &mut chunk),
                _ => false,
            };
            if whole {
                if let ChunkBody::Units { end, .. } = &mut chunk.body {
                    *end = self.offset;
                }
                return Ok(Some(chunk));
            }
            buffer = chunk.bytes;
        }
    }

    /// In a stream that is all there, the next chunk of lines, which begins where
    /// [`Framer::position`] was. Nothing where [`Framer::next`] must go on.
    pub fn lines_in(&mut self, stream: &[u8]) -> Option<ChunkBody> {
        if !matches!(self.mode, Mode::Lines) {
            return None;
        }
        // What was read ahead is read again, the stream's end too.
        self.total = self.offset;
        self.filled = 0;
        self.ended = false;
        // It fits usize, being within the slice. The end is left to `next`, which has room there.
        let rest = &stream[self.offset as usize..];
        let end = memchr::memrchr(b'\n', rest.get(..self.target + PAD)?.get(..self.target)?)? + 1;
        Some(self.body(&rest[..end]))
    }

    /// Where in the stream the next chunk begins.
    pub fn position(&self) -> u64 {
        self.offset
    }

    /// The body of a chunk of lines, which are then behind.
    fn body(&mut self, lines: &[u8]) -> ChunkBody {
        let body = ChunkBody::Lines { offset: self.offset, line: self.line, end: lines.len() };
        self.offset += lines.len() as u64;
        if self.counts {
            self.line += memchr::memchr_iter(b'\n', lines).count() as u64;
        }
        body
    }

    /// Reads up to `most` bytes of the stream behind `self.carry`.
    fn read(&mut self, input: &mut dyn Read, most: usize) {
        let before = self.filled;
        let end = before + most;
        if self.carry.len() < end + PAD {
            self.carry.resize(end + PAD, 0);
        }
        while !self.ended && self.filled < end {
            match input.read(&mut self.carry[self.filled..end]) {
                Ok(0) => self.ended = true,
                Ok(n) => self.filled += n,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => {
                    self.failed = Some(e);
                    self.ended = true;
                }
            }
        }
        self.total += (self.filled - before) as u64;
    }

    /// Decides what the stream is.
    fn start(&mut self, input: &mut dyn Read) {
        while self.filled < 3 && !self.ended {
            self.read(input, self.target.max(3));
        }
        if self.carry[..self.filled].starts_with(BYTE_ORDER_MARK) {
            self.skip(3);
        }
        let most = self.limit.min(LONG) + 1;
        let mut detector = LayoutDetector::default();
        let (mut seen, mut enough) = (0, 0);
        let mut verdict = None;
        let layout = loop {
            // Never a byte beyond the limit, so that the decision does not depend on the blocks.
            let until = self.filled.min(most);
            let is_all = until == most || self.ended;
            if verdict.is_none() {
                verdict = detector.feed(&self.carry[seen..until]);
                verdict = verdict.or_else(|| is_all.then(|| detector.finish(until < most)));
                seen = until;
            }
            let decided = match verdict {
                // A closer look begins at the beginning: not before there is twice as much to see.
                Some(LayoutVerdict::Unclear) if is_all || until >= enough => {
                    enough = 2 * until;
                    head::layout(&self.carry[..until], is_all, until < most)
                }
                verdict => verdict.and_then(LayoutVerdict::layout),
            };
            if let Some(layout) = decided {
                break layout;
            }
            self.read(input, self.target);
        };
        self.mode = match layout {
            StreamLayout::Lines => Mode::Lines,
            StreamLayout::Values { head } => {
                let span = head::span(&self.carry[..head], self.offset, self.line);
                let (offset, bytes) = (self.offset + head as u64, &self.carry[..head]);
                let line = self.line + memchr::memchr_iter(b'\n', bytes).count() as u64;
                let splitter = Splitter::new(self.limit as u64, offset, line, span.is_some());
                let mut collector = UnitCollector::new(Cutter::Values(splitter), self.limit);
                if let Some(span) = span {
                    let start = (span.start - self.offset) as usize;
                    collector.begin_with(span, &bytes[start..]);
                }
                self.line = line;
                self.skip(head);
                Mode::Values(collector)
            }
        };
    }

    /// Whole lines, as they stand.
    fn lines(&mut self, input: &mut dyn Read, buffer: &mut Vec<u8>) -> Option<Chunk> {
        let mut searched = 0;
        let end = loop {
            if self.ended {
                break self.filled;
            }
            if self.filled >= self.target {
                if let Some(at) = memchr::memrchr(b'\n', &self.carry[searched..self.filled]) {
                    break searched + at + 1;
                }
                searched = self.filled;
                if searched > self.limit.min(LONG) {
                    self.mode = Mode::Long(LongLine::new(self.limit, self.offset, self.line));
                    return None;
                }
            }
            let missing = self.target.saturating_sub(self.filled);
            self.read(input, missing.max(self.target.min(64 * 1024)));
        };
        self.mode = if end == self.filled && self.ended { Mode::Done } else { Mode::Lines };
        if end == 0 {
            return None;
        }
        // The buffer with the lines goes out; what is left of the last line goes into the other.
        let left = &self.carry[end..self.filled];
        self.filled = left.len();
        if buffer.len() < left.len() {
            buffer.resize(left.len(), 0);
        }
        buffer[..left.len()].copy_from_slice(left);
        let bytes = std::mem::replace(&mut self.carry, std::mem::take(buffer));
        let body = self.body(&bytes[..end]);
        Some(Chunk { bytes, body })
    }

    /// A part of a long line.
    fn long(&mut self, mut line: LongLine, input: &mut dyn Read, chunk: &mut Chunk) -> bool {
        let Chunk { bytes, body: ChunkBody::Units { units, blank, .. } } = chunk else { return false };
        loop {
            if !line.reread(self.target, self.offset, bytes, units) {
                if self.filled == 0 && !self.ended {
                    self.read(input, self.target);
                }
                // A block at a time, so that a chunk stays small when a whole array is read again.
                let block = self.filled.min(self.target);
                let newline = memchr::memchr(b'\n', &self.carry[..block]);
                let end = newline.unwrap_or(block);
                if !line.feed(&self.carry[..end], self.offset, bytes, units) {
                    continue;
                }
                self.skip(end);
                if newline.is_some() || (self.ended && self.filled == 0) {
                    *blank += u64::from(line.finish(bytes, units));
                    if newline.is_some() {
                        self.skip(1);
                        self.line += 1;
                    }
                    let done = self.ended && self.filled == 0;
                    self.mode = if done { Mode::Done } else { Mode::Lines };
                    return true;
                }
            }
            if bytes.len() + units.len() >= self.target {
                self.mode = Mode::Long(line);
                return true;
            }
        }
    }

    /// Values and elements of arrays.
    fn values(&mut self, mut collector: UnitCollector, input: &mut dyn Read, chunk: &mut Chunk) -> bool {
        let ChunkBody::Units { units, .. } = &mut chunk.body else { return false };
        loop {
            if self.filled == 0 && !self.ended {
                self.read(input, self.target);
            }
            // Of values nothing is read again.
            collector.feed(&self.carry[..self.filled], self.offset, &mut chunk.bytes, units);
            self.skip(self.filled);
            if self.ended {
                collector.finish(&mut chunk.bytes, units);
                return !units.is_empty();
            }
            // Some units have no bytes, but all of them take room.
            if chunk.bytes.len() + units.len() >= self.target {
                self.mode = Mode::Values(collector);
                return true;
            }
        }
    }

    fn skip(&mut self, bytes: usize) {
        if bytes == 0 {
            return;
        }
        self.carry.copy_within(bytes..self.filled, 0);
        self.filled -= bytes;
        self.offset += bytes as u64;
    }
}

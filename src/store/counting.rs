//! The bytes of an object as they are stored, buffered, with a count of what was taken.

use std::fmt;
use std::io::{self, BufRead, Read};

/// How much is read from an object at once: few system calls, and still small beside a window.
pub(super) const BUFFER: usize = 256 * 1024;

/// A reader asked for less than this goes through the buffer; for more, straight to the object.
const STRAIGHT: usize = 32 * 1024;

/// A buffered reader that knows its offset and how its last read ended.
///
/// A `BufReader` would do but for three things: it can't hold on to some bytes while it gets more
/// (as recognising a format in a pipe needs), it has no offset, and behind a decoder that returns
/// its errors as one type there is no telling whether the object or the stream is at fault.
pub(super) struct CountingReader {
    object: Box<dyn Read + Send>,
    buffer: Box<[u8]>,
    start: usize,
    end: usize,
    taken: u64,
    /// The object has no more bytes.
    ended: bool,
    /// A `read` found no more bytes: a decoder wanted some where the object ends.
    starved: bool,
    /// Reading the object failed: an error that comes out of a decoder is not the stream's fault.
    failed: bool,
}

impl CountingReader {
    /// Reads `object` in pieces of up to `size` bytes.
    pub(super) fn new(object: Box<dyn Read + Send>, size: usize) -> CountingReader {
        let buffer = vec![0; size.max(64)].into_boxed_slice();
        CountingReader {
            object,
            buffer,
            start: 0,
            end: 0,
            taken: 0,
            ended: false,
            starved: false,
            failed: false,
        }
    }

    /// The offset in the object of the next byte.
    pub(super) fn offset(&self) -> u64 {
        self.taken
    }

    /// What is buffered.
    pub(super) fn buffered(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    /// Whether nothing comes after what is buffered.
    pub(super) fn ended(&self) -> bool {
        self.ended
    }

    /// Whether a decoder found no more bytes where it wanted some.
    pub(super) fn starved(&self) -> bool {
        self.starved
    }

    /// Whether reading the object failed.
    pub(super) fn failed(&self) -> bool {
        self.failed
    }

    /// Adds to what is buffered, unless that fills the buffer.
    pub(super) fn more(&mut self) -> io::Result<()> {
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
        }
        if !self.ended && self.end < self.buffer.len() {
            let read = self.object.read(&mut self.buffer[self.end..]);
            self.failed = read.is_err();
            let read = read?;
            self.ended = read == 0;
            self.end += read;
        }
        Ok(())
    }
}

impl BufRead for CountingReader {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.start == self.end {
            self.more()?;
        }
        Ok(self.buffered())
    }

    fn consume(&mut self, count: usize) {
        self.start += count;
        self.taken += count as u64;
        debug_assert!(self.start <= self.end);
    }
}

impl Read for CountingReader {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.start == self.end && out.len() >= STRAIGHT && !self.ended {
            let read = self.object.read(out);
            self.failed = read.is_err();
            let read = read?;
            self.ended = read == 0;
            self.starved |= self.ended;
            self.taken += read as u64;
            return Ok(read);
        }
        let mut from = self.fill_buf()?;
        let read = from.read(out)?;
        self.consume(read);
        self.starved |= read == 0 && !out.is_empty();
        Ok(read)
    }
}

impl fmt::Debug for CountingReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let CountingReader { start, end, taken, ended, failed, .. } = self;
        write!(f, "CountingReader {{ {start}..{end}, taken: {taken}, ended: {ended}, failed: {failed} }}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_and_ends() {
        let text: Vec<u8> = (0..100_000u32).map(|i| i as u8).collect();
        for (size, step) in [(64, 1), (64, 63), (1000, 64), (1000, 5000), (BUFFER, 33_000), (64, 50_000)] {
            let mut raw = CountingReader::new(Box::new(io::Cursor::new(text.clone())), size);
            raw.more().unwrap();
            assert_eq!(raw.buffered(), &text[..size.min(text.len())]);
            let (mut got, mut piece) = (Vec::new(), vec![0; step]);
            loop {
                let read = raw.read(&mut piece).unwrap();
                got.extend_from_slice(&piece[..read]);
                assert_eq!(raw.offset(), got.len() as u64);
                if read == 0 {
                    break;
                }
                assert!(!raw.starved());
            }
            assert!(raw.ended() && raw.starved() && !raw.failed());
            assert_eq!(got, text);
        }
    }
}

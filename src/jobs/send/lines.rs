//! The lines of a stream, in bounded memory, with a digest of all that was read.

use std::io::{self, Read};
use twox_hash::XxHash3_128;

/// How much is read at once.
const BLOCK: usize = 256 << 10;
/// The longest line that is kept.
pub(super) const MOST_LINE: usize = 16 << 20;
/// How much is kept of a longer one.
const HEAD: usize = 4096;

/// A line, without its end. Its bytes are those of [`Lines::bytes`] until the next one is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    /// Its length in bytes.
    pub(super) length: u64,
    /// Where in the stream it begins.
    pub(super) start: u64,
    /// Whether it has an end of line.
    pub(super) ended: bool,
    /// Whether only its first 4 KiB were kept: it is longer than 16 MiB.
    pub(super) is_long: bool,
    from: usize,
}

impl Line {
    /// Where in the stream its content ends.
    pub(super) fn content_end(&self) -> u64 {
        self.start + self.length
    }
}

/// A stream, cut into lines.
pub(super) struct Lines<R> {
    input: R,
    buffer: Vec<u8>,
    /// The bytes of `buffer` that are not yet given out.
    from: usize,
    filled: usize,
    /// Where in the stream `from` is.
    at: u64,
    digest: XxHash3_128,
    /// How much of the stream is in the digest: at most up to `at`. What is between is still in `buffer`.
    digested: u64,
    /// The beginning of the last long line.
    head: Vec<u8>,
    /// Where it begins, and the digest up to there.
    before_long: (u64, u128),
    is_over: bool,
}

impl<R: Read> Lines<R> {
    pub(super) fn new(input: R) -> Lines<R> {
        Lines {
            input,
            buffer: vec![0; BLOCK],
            from: 0,
            filled: 0,
            at: 0,
            digest: XxHash3_128::new(),
            digested: 0,
            head: Vec::new(),
            before_long: (u64::MAX, 0),
            is_over: false,
        }
    }

    /// The bytes of the line that was read last.
    pub(super) fn bytes(&self, line: &Line) -> &[u8] {
        if line.is_long { &self.head } else { &self.buffer[line.from..line.from + line.length as usize] }
    }

    /// A digest of the stream up to the beginning, the content's end or the end of the last line: not before an earlier
    /// one.
    pub(super) fn digest_at(&mut self, byte: u64) -> u128 {
        if byte == self.before_long.0 {
            return self.before_long.1;
        }
        self.digest_up_to(byte);
        self.digest.finish_128()
    }

    fn digest_up_to(&mut self, byte: u64) {
        let new = byte.min(self.at).saturating_sub(self.digested) as usize;
        let start = self.from - (self.at - self.digested) as usize;
        self.digest.write(&self.buffer[start..start + new]);
        self.digested += new as u64;
    }

    /// The next line; nothing at the end.
    pub(super) fn next(&mut self) -> io::Result<Option<Line>> {
        let start = self.at;
        let mut searched = 0;
        let found = loop {
            let rest = &self.buffer[self.from + searched..self.filled];
            if let Some(end) = memchr::memchr(b'\n', rest) {
                break Some(searched + end);
            }
            searched = self.filled - self.from;
            if searched > MOST_LINE {
                return self.long(start).map(Some);
            }
            if !self.fill()? {
                break None;
            }
        };
        let (from, length) = (self.from, found.unwrap_or(self.filled - self.from));
        if found.is_none() && length == 0 {
            return Ok(None);
        }
        self.pass(length + usize::from(found.is_some()));
        Ok(Some(Line { length: length as u64, start, ended: found.is_some(), is_long: false, from }))
    }

    /// The rest of a line that is too long, which goes into the digest and nowhere else.
    fn long(&mut self, start: u64) -> io::Result<Line> {
        self.digest_up_to(start);
        self.before_long = (start, self.digest.finish_128());
        self.head = self.buffer[self.from..self.from + HEAD].to_vec();
        let ended = loop {
            let rest = &self.buffer[self.from..self.filled];
            if let Some(end) = memchr::memchr(b'\n', rest) {
                self.pass(end);
                self.digest_up_to(self.at);
                self.pass(1);
                break true;
            }
            self.pass(rest.len());
            self.digest_up_to(self.at);
            if !self.fill()? {
                break false;
            }
        };
        let length = self.at - start - u64::from(ended);
        Ok(Line { length, start, ended, is_long: true, from: 0 })
    }

    fn pass(&mut self, bytes: usize) {
        self.from += bytes;
        self.at += bytes as u64;
    }

    /// Reads on; whether there was more.
    fn fill(&mut self) -> io::Result<bool> {
        if self.is_over {
            return Ok(false);
        }
        if self.filled == self.buffer.len() {
            self.digest_up_to(self.at);
            self.buffer.copy_within(self.from..self.filled, 0);
            self.filled -= self.from;
            self.from = 0;
            if self.buffer.len() - self.filled < BLOCK / 2 {
                self.buffer.resize(self.buffer.len() * 2, 0);
            }
        }
        let read = loop {
            match self.input.read(&mut self.buffer[self.filled..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => break read?,
            }
        };
        self.filled += read;
        self.is_over = read == 0;
        Ok(read > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives a few bytes at a time.
    struct Slow<'a>(&'a [u8], usize);

    impl Read for Slow<'_> {
        fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
            let n = self.1.min(self.0.len()).min(out.len());
            out[..n].copy_from_slice(&self.0[..n]);
            self.0 = &self.0[n..];
            Ok(n)
        }
    }

    #[test]
    fn lines_and_digests_are_the_same_however_the_bytes_arrive() {
        let mut text = b"a\n\nbc\r\n".to_vec();
        text.extend(b"x".repeat(BLOCK * 3));
        text.extend(b"\nlast");
        for step in [1, 2, 7, BLOCK, usize::MAX] {
            // A byte at a time takes its time.
            let text = if step < 7 { &text[..9000] } else { &text[..] };
            let mut lines = Lines::new(Slow(text, step));
            let (mut all, mut at) = (Vec::new(), 0);
            while let Some(line) = lines.next().unwrap() {
                assert_eq!((line.start, lines.bytes(&line).len() as u64), (at, line.length));
                assert_eq!(lines.digest_at(at), XxHash3_128::oneshot(&text[..at as usize]));
                all.extend_from_slice(lines.bytes(&line));
                let content = line.content_end();
                if line.ended {
                    all.push(b'\n');
                }
                at = all.len() as u64;
                assert_eq!(lines.digest_at(content), XxHash3_128::oneshot(&text[..content as usize]));
                assert_eq!(lines.digest_at(at), XxHash3_128::oneshot(&text[..all.len()]));
            }
            assert!(all == text);
        }
    }

    #[test]
    fn a_line_without_end_takes_no_memory() {
        let length = MOST_LINE * 2 + 5;
        let mut text = b"1\n".to_vec();
        text.extend(b"y".repeat(length));
        text.extend(b"\n2\n");
        let mut lines = Lines::new(Slow(&text, BLOCK));
        let line = lines.next().unwrap().unwrap();
        assert_eq!(lines.bytes(&line), b"1");
        let line = lines.next().unwrap().unwrap();
        assert_eq!((line.length, line.ended, line.is_long), (length as u64, true, true));
        assert_eq!(lines.bytes(&line), b"y".repeat(HEAD));
        assert_eq!(lines.digest_at(2), XxHash3_128::oneshot(b"1\n"));
        assert_eq!(lines.digest_at(line.content_end()), XxHash3_128::oneshot(&text[..text.len() - 3]));
        assert_eq!(lines.digest_at(text.len() as u64 - 2), XxHash3_128::oneshot(&text[..text.len() - 2]));
        let line = lines.next().unwrap().unwrap();
        assert_eq!(lines.bytes(&line), b"2");
        assert!(lines.next().unwrap().is_none());
        assert!(lines.buffer.len() < 3 * MOST_LINE);
        assert_eq!(lines.digest_at(u64::MAX), XxHash3_128::oneshot(&text));
    }
}

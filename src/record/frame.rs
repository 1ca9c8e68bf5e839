//! Cuts a stream into chunks of whole units, in bounded memory.
//!
//! A stream is lines, one unit a line, unless it begins with a JSON value that is whole only over
//! several lines; then it is a sequence of JSON values. That is decided once, at the start. A
//! chunk of lines is the stream's own bytes; a chunk of items lists its units one by one (values,
//! elements of an array, lines beyond the limit).

use super::split::{Flaw, Piece, Splitter};
use super::syntax::{Step, Syntax, is_space, trim};
use std::io::{self, Read};
use std::ops::Range;

/// How many bytes of a unit beyond the limit are kept.
pub const HEAD: usize = 4096;

/// A part of a stream that holds whole units.
#[derive(Debug, Default)]
pub struct Chunk {
    /// The bytes that the units lie in.
    pub bytes: Vec<u8>,
    /// Where the units are.
    pub body: Body,
}

/// Where a [`Chunk`]'s units are.
#[derive(Debug)]
pub enum Body {
    /// Each line is a unit; blank ones hold nothing.
    Lines {
        /// Where in the stream the chunk begins.
        offset: u64,
        /// The number of its first line, from 1.
        line: u64,
    },
    /// These are the units.
    Items {
        /// The units, in order.
        items: Vec<Item>,
        /// Blank lines that were passed.
        blank: u64,
    },
}

impl Chunk {
    /// Where in the stream the last unit ends.
    pub fn end(&self) -> u64 {
        match &self.body {
            Body::Lines { offset, .. } => offset + self.bytes.len() as u64,
            Body::Items { items, .. } => items.last().map_or(0, |item| item.offset + item.length),
        }
    }

    /// Hands each unit with its bytes to `unit`, in order; adds blank lines to `blank`. `limit` is
    /// the framer's.
    pub fn units(&self, limit: usize, unit: &mut dyn FnMut(&Item, &[u8]), blank: &mut u64) {
        match &self.body {
            Body::Items { items, blank: passed } => {
                *blank += passed;
                items.iter().for_each(|item| unit(item, &self.bytes[item.range.clone()]));
            }
            Body::Lines { offset, line } => self.lines(limit, *offset, *line, unit, blank),
        }
    }

    fn lines(
        &self,
        limit: usize,
        offset: u64,
        first: u64,
        unit: &mut dyn FnMut(&Item, &[u8]),
        blank: &mut u64,
    ) {
        let mut start = 0;
        let mut number = first;
        while start < self.bytes.len() {
            let rest = &self.bytes[start..];
            let end = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
            let line = &rest[..end];
            let leading = line.iter().take_while(|b| is_space(**b)).count();
            let line = &line[leading..];
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            let at = start + leading;
            if line.is_empty() {
                *blank += 1;
            } else if line.len() > limit {
                let (mut bytes, mut items) = (Vec::new(), Vec::new());
                let length = line.len() as u64;
                long_line(line, length, offset + at as u64, number, limit, &mut bytes, &mut items);
                items.iter().for_each(|item| unit(item, &bytes[item.range.clone()]));
            } else {
                let line = trim(line);
                let item = Item {
                    range: at..at + line.len(),
                    offset: offset + at as u64,
                    length: line.len() as u64,
                    line: number,
                    state: ItemState::Whole,
                };
                unit(&item, line);
            }
            start += end + 1;
            number += 1;
        }
    }
}

impl Default for Body {
    fn default() -> Body {
        Body::Lines { offset: 0, line: 1 }
    }
}

/// A unit on its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Its bytes in the chunk; the first [`HEAD`] of them if it is too long.
    pub range: Range<usize>,
    /// Where in the stream it begins.
    pub offset: u64,
    /// Its length in the stream, in bytes.
    pub length: u64,
    /// The line on which it begins, from 1.
    pub line: u64,
    /// Whether it can be read.
    pub state: ItemState,
}

/// Whether an [`Item`] can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ItemState {
    /// It is whole.
    Whole,
    /// It is longer than the limit.
    TooLong,
    /// It is no JSON where it stands; a sentence says why.
    Broken(&'static str),
}

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

/// The units that a splitter finds, with their bytes collected.
#[derive(Debug)]
struct Units {
    splitter: Splitter,
    limit: usize,
    /// The beginning of the unit that has not ended, as much of it as may be wanted.
    kept: Vec<u8>,
    kept_at: u64,
    pieces: Vec<Piece>,
}

impl Units {
    fn new(limit: usize, recovers: bool, offset: u64, line: u64) -> Units {
        let splitter = Splitter::new(limit as u64, recovers, offset, line);
        Units { splitter, limit, kept: Vec::new(), kept_at: offset, pieces: Vec::new() }
    }

    /// Takes a block of the stream that begins at `offset`.
    fn feed(&mut self, block: &[u8], offset: u64, bytes: &mut Vec<u8>, items: &mut Vec<Item>) {
        self.splitter.feed(block, &mut self.pieces);
        self.collect(block, offset, bytes, items);
        match self.splitter.pending() {
            None => self.kept.clear(),
            Some(start) if start >= offset => {
                self.kept.clear();
                // Both offsets are within the block, whose length fits usize.
                self.kept.extend_from_slice(&block[(start - offset) as usize..]);
                self.kept_at = start;
            }
            Some(_) => self.kept.extend_from_slice(block),
        }
        self.kept.truncate(self.limit.max(HEAD));
    }

    fn finish(&mut self, bytes: &mut Vec<u8>, items: &mut Vec<Item>) {
        self.splitter.finish(&mut self.pieces);
        self.collect(&[], self.splitter.offset(), bytes, items);
    }

    /// Makes items of the pieces that have ended in `block` or in what was kept from before it.
    fn collect(&mut self, block: &[u8], offset: u64, bytes: &mut Vec<u8>, items: &mut Vec<Item>) {
        for piece in self.pieces.drain(..) {
            let start = bytes.len();
            let wanted = match piece.flaw {
                Some(Flaw::TooLong) => piece.start + HEAD as u64,
                _ => piece.end,
            };
            let wanted = wanted.min(piece.end);
            // What lies before the block is in `kept`, so far as it is wanted.
            if piece.start < offset {
                let kept = &self.kept[(piece.start - self.kept_at) as usize..];
                let from_kept = (wanted - piece.start).min(kept.len() as u64) as usize;
                bytes.extend_from_slice(&kept[..from_kept]);
            }
            if wanted > offset && piece.start.max(offset) <= wanted {
                let from = (piece.start.max(offset) - offset) as usize;
                let to = (wanted - offset) as usize;
                bytes.extend_from_slice(&block[from..to]);
            }
            items.push(Item {
                range: start..bytes.len(),
                offset: piece.start,
                length: piece.end - piece.start,
                line: piece.line,
                state: match piece.flaw {
                    None => ItemState::Whole,
                    Some(Flaw::TooLong) => ItemState::TooLong,
                    Some(Flaw::Broken(why)) => ItemState::Broken(why),
                },
            });
        }
    }
}

/// A line beyond the limit: an array is opened, its elements are the units; anything else is too
/// long. Only what may still be wanted of it is kept.
#[derive(Debug, Default)]
struct LongLine {
    /// Where its first byte that is not white space stands.
    start: Option<u64>,
    length: u64,
    kept: Vec<u8>,
    array: Option<Units>,
    ends_with_return: bool,
}

enum Finished {
    Blank,
    Units,
}

impl LongLine {
    /// Takes a part of the line, without its newline, that begins at `offset`. Where that shows the
    /// line to be an array beyond the limit, gives back all of it, to be fed again from the start.
    fn feed(
        &mut self,
        part: &[u8],
        offset: u64,
        number: u64,
        limit: usize,
        bytes: &mut Vec<u8>,
        items: &mut Vec<Item>,
    ) -> Option<Vec<u8>> {
        let mut part = part;
        let mut offset = offset;
        if self.start.is_none() {
            let leading = part.iter().position(|b| !is_space(*b))?;
            part = &part[leading..];
            offset += leading as u64;
            self.start = Some(offset);
        }
        if let Some(units) = &mut self.array {
            units.feed(part, offset, bytes, items);
            return None;
        }
        self.ends_with_return = *part.last()? == b'\r';
        self.length += part.len() as u64;
        self.kept.extend_from_slice(part);
        // One more byte than the limit may be a carriage return.
        if self.length > limit as u64 + 1 {
            if self.kept.first() == Some(&b'[') {
                self.array = Some(Units::new(limit, false, self.start.unwrap_or(offset), number));
                return Some(std::mem::take(&mut self.kept));
            }
            self.kept.truncate(HEAD);
        }
        None
    }

    fn finish(self, number: u64, limit: usize, bytes: &mut Vec<u8>, items: &mut Vec<Item>) -> Finished {
        let Some(start) = self.start else { return Finished::Blank };
        if let Some(mut units) = self.array {
            units.finish(bytes, items);
            return Finished::Units;
        }
        let length = self.length - u64::from(self.ends_with_return);
        if length <= limit as u64 {
            let at = bytes.len();
            bytes.extend_from_slice(trim(&self.kept));
            let length = (bytes.len() - at) as u64;
            items.push(Item {
                range: at..bytes.len(),
                offset: start,
                length,
                line: number,
                state: ItemState::Whole,
            });
        } else {
            // Exactly one byte over the limit: nothing was decided on the way.
            long_line(&self.kept, length, start, number, limit, bytes, items);
        }
        Finished::Units
    }
}

/// The units of a line of `length` bytes that is longer than the limit, of which `kept` is the
/// beginning (all of it, if it is an array). Their bytes go to the end of `bytes`.
pub(crate) fn long_line(
    kept: &[u8],
    length: u64,
    offset: u64,
    number: u64,
    limit: usize,
    bytes: &mut Vec<u8>,
    items: &mut Vec<Item>,
) {
    if kept.first() == Some(&b'[') {
        let mut units = Units::new(limit, false, offset, number);
        units.feed(kept, offset, bytes, items);
        return units.finish(bytes, items);
    }
    let at = bytes.len();
    let head = (HEAD as u64).min(length).min(kept.len() as u64) as usize;
    bytes.extend_from_slice(&kept[..head]);
    items.push(Item { range: at..bytes.len(), offset, length, line: number, state: ItemState::TooLong });
}

/// What a stream is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Layout {
    Lines,
    Values,
}

/// Tells from a stream's beginning which [`Layout`] it has.
#[derive(Debug, Default)]
struct Probe {
    state: ProbeState,
    /// A newline has been seen since the first value began.
    over_lines: bool,
    /// In an array: the element that is being read began, or went on, on a later line.
    later: bool,
}

#[derive(Debug, Default)]
enum ProbeState {
    #[default]
    Before,
    Object(Syntax),
    /// In an array, between elements; a comma, an element or the end may come.
    Between {
        after: bool,
        comma: bool,
    },
    Element(Syntax),
}

impl Probe {
    /// Takes more of the stream; the layout, once it is certain.
    ///
    /// An object decides by its end: on its first line or on a later one. An array decides as
    /// soon as an element that touches a later line is whole and a comma or the end follows, so
    /// that neither a long array nor one that is cut short must be read to its end first.
    fn feed(&mut self, bytes: &[u8]) -> Option<Layout> {
        let by_lines = |over| if over { Layout::Values } else { Layout::Lines };
        for &byte in bytes {
            if byte == b'\n' && !matches!(self.state, ProbeState::Before) {
                self.over_lines = true;
                self.later = true;
            }
            match &mut self.state {
                ProbeState::Before => match byte {
                    _ if is_space(byte) => {}
                    b'[' => self.state = ProbeState::Between { after: false, comma: false },
                    b'{' => {
                        let mut syntax = Syntax::new();
                        syntax.push(byte);
                        self.state = ProbeState::Object(syntax);
                    }
                    _ => return Some(Layout::Lines),
                },
                ProbeState::Object(syntax) => match syntax.push(byte) {
                    Step::More => {}
                    Step::End | Step::EndBefore => return Some(by_lines(self.over_lines)),
                    Step::Bad => return Some(Layout::Lines),
                },
                ProbeState::Element(syntax) => match syntax.push(byte) {
                    Step::More => {}
                    Step::Bad => return Some(Layout::Lines),
                    Step::End => self.state = ProbeState::Between { after: true, comma: false },
                    Step::EndBefore => {
                        self.state = ProbeState::Between { after: true, comma: false };
                        if let Some(layout) = self.between(byte, true, false) {
                            return Some(layout);
                        }
                    }
                },
                ProbeState::Between { after, comma } => {
                    let (after, comma) = (*after, *comma);
                    if let Some(layout) = self.between(byte, after, comma) {
                        return Some(layout);
                    }
                }
            }
        }
        None
    }

    fn between(&mut self, byte: u8, after: bool, comma: bool) -> Option<Layout> {
        match byte {
            _ if is_space(byte) => return None,
            b']' if comma => return Some(Layout::Lines),
            b']' => return Some(if self.over_lines { Layout::Values } else { Layout::Lines }),
            b',' if after && self.later => return Some(Layout::Values),
            b',' if after => self.state = ProbeState::Between { after: false, comma: true },
            _ if after => return Some(Layout::Lines),
            _ => {
                let mut syntax = Syntax::new();
                if syntax.push(byte) == Step::Bad {
                    return Some(Layout::Lines);
                }
                self.later = self.over_lines;
                self.state = ProbeState::Element(syntax);
            }
        }
        None
    }

    /// The layout of a stream whose first value does not end within the limit: over several lines
    /// already, and right so far, it is no line.
    fn beyond_limit(&self) -> Layout {
        if self.over_lines { Layout::Values } else { Layout::Lines }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives its bytes in pieces of a fixed size.
    struct Dribble<'a>(&'a [u8], usize);

    impl Read for Dribble<'_> {
        fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
            let n = self.1.min(to.len()).min(self.0.len());
            to[..n].copy_from_slice(&self.0[..n]);
            self.0 = &self.0[n..];
            Ok(n)
        }
    }

    /// Every unit of `text` as `line:offset+length state bytes`, blank lines counted at the end.
    fn framed(text: &[u8], limit: usize, target: usize, piece: usize) -> Vec<String> {
        let mut framer = Framer::new(limit, target);
        let mut input = Dribble(text, piece);
        let (mut units, mut blanks) = (Vec::new(), 0);
        while let Some(chunk) = framer.next(&mut input, Vec::new()).unwrap() {
            chunk.units(
                limit,
                &mut |item: &Item, bytes: &[u8]| {
                    let state = match item.state {
                        ItemState::Whole => "",
                        ItemState::TooLong => "too-long ",
                        ItemState::Broken(_) => "broken ",
                    };
                    let bytes = String::from_utf8_lossy(bytes);
                    units.push(format!("{}:{}+{} {state}{bytes}", item.line, item.offset, item.length));
                },
                &mut blanks,
            );
        }
        assert_eq!(framer.bytes_read(), text.len() as u64);
        if blanks > 0 {
            units.push(format!("{blanks} blank"));
        }
        units
    }

    fn all_ways(text: &str, expected: &[&str]) {
        for target in [1, 2, 3, 7, 16, 1000] {
            for piece in [1, 2, 5, 1000] {
                assert_eq!(
                    framed(text.as_bytes(), 16, target, piece),
                    expected,
                    "{text:?} by {target}, {piece}"
                );
            }
        }
    }

    #[test]
    fn lines() {
        all_ways("", &[]);
        all_ways("\n", &["1 blank"]);
        all_ways("{}\n{}\n", &["1:0+2 {}", "2:3+2 {}"]);
        all_ways("\u{feff}{}\r\n \t{} \r\n\r\n{}", &["1:3+2 {}", "2:9+2 {}", "4:16+2 {}", "1 blank"]);
        all_ways("{\"a\":1,\n{\"b\":2}\n}", &["1:0+7 {\"a\":1,", "2:8+7 {\"b\":2}", "3:16+1 }"]);
        all_ways("x\n[{},\n", &["1:0+1 x", "2:2+4 [{},"]);
        // What could be the start of something longer but is not.
        all_ways("{\"a\":\n{\"b\":2}\n", &["1:0+5 {\"a\":", "2:6+7 {\"b\":2}"]);
        all_ways("[\n{}\n{}\n", &["1:0+1 [", "2:2+2 {}", "3:5+2 {}"]);
        all_ways("[{},\n{}\n{}\n", &["1:0+4 [{},", "2:5+2 {}", "3:8+2 {}"]);
        all_ways("[{}]\n{}\n", &["1:0+4 [{}]", "2:5+2 {}"]);
        all_ways("{} {}\n{}", &["1:0+5 {} {}", "2:6+2 {}"]);
    }

    #[test]
    fn long_lines() {
        all_ways("0123456789abcdef\r\n{}", &["1:0+16 0123456789abcdef", "2:18+2 {}"]);
        all_ways("  0123456789abcdefg\n{}", &["1:2+17 too-long 0123456789abcdefg", "2:20+2 {}"]);
        all_ways("0123456789abcdefg\r\n{}", &["1:0+17 too-long 0123456789abcdefg", "2:19+2 {}"]);
        all_ways("                         \n{}", &["2:26+2 {}", "1 blank"]);
        all_ways(
            "[{\"a\":1},{\"b\":2}, 7]\n{}",
            &["1:1+7 {\"a\":1}", "1:9+7 {\"b\":2}", "1:18+1 7", "2:21+2 {}"],
        );
        all_ways(
            "[{\"a\":1},{\"b\":2}, 7 \n{}",
            &["1:1+7 {\"a\":1}", "1:9+7 {\"b\":2}", "1:18+1 7", "1:20+0 broken ", "2:21+2 {}"],
        );
        all_ways(
            "[{\"a\":1},{\"b\":,2},{}]\n{}",
            &["1:1+7 {\"a\":1}", "1:9+12 broken {\"b\":,2},{}]", "2:22+2 {}"],
        );
        let long = format!("x{}\n{{}}\n", "y".repeat(3 * HEAD));
        for target in [1, 100, 100_000] {
            let units = framed(long.as_bytes(), 16, target, 4000);
            assert_eq!(units[0], format!("1:0+{} too-long x{}", 3 * HEAD + 1, "y".repeat(HEAD - 1)));
            assert_eq!(units[1], format!("2:{}+2 {{}}", 3 * HEAD + 2));
        }
    }

    #[test]
    fn values_over_lines() {
        all_ways("{\n\"a\":1}\n{}", &["1:0+8 {\n\"a\":1}", "3:9+2 {}"]);
        all_ways("\n\n[\n{},\n{}\n]\n{}", &["4:4+2 {}", "5:8+2 {}", "7:13+2 {}"]);
        all_ways("[{},\n{}]", &["1:1+2 {}", "2:5+2 {}"]);
        all_ways("[{},{}\n]", &["1:1+2 {}", "1:4+2 {}"]);
        all_ways("[\n{},\n", &["2:2+2 {}", "3:6+0 broken "]);
        all_ways("[\n{},\n{\"a", &["2:2+2 {}", "3:6+3 broken {\"a"]);
        all_ways("[\n]", &[]);
        all_ways(
            "{\n\"a\":\"0123456789abcdef\"}\n{}",
            &["1:0+25 too-long {\n\"a\":\"0123456789abcdef\"}", "3:26+2 {}"],
        );
    }

    #[test]
    fn what_was_read_before_an_error_is_given_out_first() {
        struct Fails<'a>(&'a [u8]);
        impl Read for Fails<'_> {
            fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
                match self.0.read(to) {
                    Ok(0) => Err(io::Error::other("gone")),
                    other => other,
                }
            }
        }
        for text in ["{}\n{\"a\"", "[\n{},\n{\"a\"", "{}\n0123456789abcdefghijklmnop"] {
            let mut framer = Framer::new(16, 4);
            let mut input = Fails(text.as_bytes());
            let mut units = 0;
            let error = loop {
                match framer.next(&mut input, Vec::new()) {
                    Ok(Some(chunk)) => chunk.units(16, &mut |_, _| units += 1, &mut 0),
                    Ok(None) => panic!("the error is lost"),
                    Err(error) => break error,
                }
            };
            assert_eq!((units, error.to_string().as_str()), (2, "gone"), "{text}");
            assert!(framer.next(&mut input, Vec::new()).unwrap().is_none());
        }
    }
}

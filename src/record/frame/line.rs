//! Cuts one line into units: JSON values one after the other, or a text.
//!
//! Between values may stand white space, 0x1E and byte order marks. Whatever else follows a value
//! belongs to it, and makes it a broken one: it may be the rest of a record that was damaged. A broken
//! value ends where a bracket is closed and the next one opened, which inside of a value never
//! happens; 0x1E ends everything.

use super::span::{DEEP_KEPT, UnitSpan, defect_of};
use super::split::Splitter;
use crate::record::boundaries::{Automaton, ByteStep, Gap, RECORD_MARK, gap, is_space};

/// Cuts a line; feed it the line without its newline, block by block.
#[derive(Debug)]
pub(super) struct LineCutter {
    limit: u64,
    number: u64,
    line_start: u64,
    at: u64,
    gap: Gap,
    /// Whether nothing but a gap has come.
    is_blank: bool,
    state: LineState,
}

#[derive(Debug)]
enum LineState {
    Between,
    /// Something that is not an object or array: it goes on to the end of the line.
    Text {
        start: u64,
        solid: u64,
    },
    /// In a value; the last byte that is not white space, and where it ends.
    Value {
        start: u64,
        array: bool,
        automaton: Automaton,
        last: u8,
        solid: u64,
    },
    /// Behind a value.
    After {
        start: u64,
        end: u64,
        array: bool,
        deep: bool,
    },
    Broken {
        start: u64,
        array: bool,
        deep: bool,
        solid: u64,
        hunt: Hunt,
    },
    /// In an array beyond the limit, whose elements are units.
    Opened(Splitter),
}

impl LineCutter {
    /// A cutter for the line of this number, which begins at `offset`.
    pub(super) fn new(limit: usize, offset: u64, number: u64) -> LineCutter {
        LineCutter {
            limit: limit as u64,
            number,
            line_start: offset,
            at: offset,
            gap: Gap::default(),
            is_blank: true,
            state: LineState::Between,
        }
    }

    /// Whether there has been nothing but white space, marks of records, and byte order marks.
    pub(super) fn is_blank(&self) -> bool {
        self.is_blank && self.gap.begun() == 0
    }

    /// Where the bytes begin that may be part of a unit that has not ended yet.
    pub(super) fn pending(&self) -> Option<u64> {
        match &self.state {
            LineState::Between if self.gap.begun() > 0 => Some(self.at - self.gap.begun()),
            LineState::Between => None,
            LineState::Text { start, .. }
            | LineState::Value { start, .. }
            | LineState::After { start, .. }
            | LineState::Broken { start, .. } => Some(*start),
            LineState::Opened(splitter) => splitter.pending(),
        }
    }

    /// Where the next unit begins, if the pending one turns out to have ended before it.
    pub(super) fn next(&self) -> Option<u64> {
        match &self.state {
            LineState::Broken { hunt, .. } => hunt.opened.map(|(start, _)| start),
            _ => None,
        }
    }

    /// How many bytes of the pending unit may be wanted.
    pub(super) fn keeps(&self) -> u64 {
        let is_deep = match &self.state {
            LineState::Opened(splitter) => return splitter.keeps(),
            LineState::Value { automaton, array, .. } => !array && automaton.is_too_deep(),
            LineState::Broken { deep, array, .. } => !array && *deep,
            _ => false,
        };
        if is_deep { self.limit.min(DEEP_KEPT) } else { self.limit }
    }

    pub(super) fn offset(&self) -> u64 {
        match &self.state {
            LineState::Opened(splitter) => splitter.offset(),
            _ => self.at,
        }
    }

    /// Takes the next bytes and adds the units that end in them. Where they show an array to be
    /// beyond the limit, gives where that begins: the line is to be fed again from there.
    pub(super) fn feed(&mut self, bytes: &[u8], spans: &mut Vec<UnitSpan>) -> Option<u64> {
        let mut rest = bytes;
        loop {
            if let LineState::Opened(splitter) = &mut self.state {
                let taken = splitter.feed(rest, spans);
                self.at = splitter.offset();
                rest = &rest[taken..];
                if rest.is_empty() && !splitter.has_ended() {
                    return None;
                }
                self.state = LineState::Between;
            }
            // At the end of the block there is nothing to be fed again.
            let (byte, behind) = rest.split_first()?;
            self.byte(*byte, spans);
            self.at += 1;
            rest = behind;
            let array = match &self.state {
                LineState::Value { start, array: true, automaton, .. } => {
                    Some((*start, automaton.is_too_deep()))
                }
                LineState::Broken { start, array: true, deep, .. } => Some((*start, *deep)),
                _ => None,
            };
            if let Some((start, deep)) = array
                && defect_of(self.at - start, deep, self.limit).is_some()
            {
                self.at = start;
                let array = Splitter::of_array(self.limit, self.at, self.number, self.line_start);
                self.state = LineState::Opened(array);
                return Some(self.at);
            }
        }
    }

    /// Ends the line.
    pub(super) fn finish(&mut self, spans: &mut Vec<UnitSpan>) {
        match std::mem::replace(&mut self.state, LineState::Between) {
            LineState::Between => {
                let begun = self.gap.begun();
                if begun > 0 {
                    spans.push(self.span(self.at - begun, self.at, false));
                }
            }
            LineState::Text { start, solid } => spans.push(self.span(start, solid, false)),
            LineState::Value { start, automaton, solid, .. } => {
                spans.push(self.span(start, solid, automaton.is_too_deep()));
            }
            LineState::After { start, end, deep, .. } => spans.push(self.span(start, end, deep)),
            LineState::Broken { start, deep, solid, .. } => spans.push(self.span(start, solid, deep)),
            LineState::Opened(mut splitter) => splitter.finish(spans),
        }
    }

    /// That a unit of the line is broken is for its reader to say, who can say why.
    fn span(&self, start: u64, end: u64, too_deep: bool) -> UnitSpan {
        let defect = defect_of(end - start, too_deep, self.limit);
        UnitSpan { start, end, line: self.number, column: start - self.line_start + 1, defect }
    }

    fn byte(&mut self, byte: u8, spans: &mut Vec<UnitSpan>) {
        let at = self.at;
        if byte == RECORD_MARK {
            self.finish(spans);
            return;
        }
        match &mut self.state {
            LineState::Between => match self.gap.pass(byte) {
                Ok(()) => {}
                Err(bytes) => {
                    self.is_blank = false;
                    self.state = begun(byte, at - bytes, at);
                }
            },
            LineState::Text { solid, .. } => {
                if !is_space(byte) {
                    *solid = at + 1;
                }
            }
            LineState::Value { start, array, automaton, last, solid } => {
                let (start, array) = (*start, *array);
                match automaton.push(byte) {
                    ByteStep::More if is_space(byte) => {}
                    ByteStep::More => (*last, *solid) = (byte, at + 1),
                    ByteStep::End => {
                        let deep = automaton.is_too_deep();
                        self.state = LineState::After { start, end: at + 1, array, deep };
                    }
                    // A value that begins with a bracket does not end before a byte.
                    ByteStep::Bad | ByteStep::EndBefore => {
                        let deep = automaton.is_too_deep();
                        let mut hunt = Hunt::of(automaton, *last, *solid, byte);
                        hunt.push(byte, at);
                        let solid = if is_space(byte) { *solid } else { at + 1 };
                        self.state = LineState::Broken { start, array, deep, solid, hunt };
                    }
                }
            }
            LineState::After { start, end, array, deep } => match self.gap.pass(byte) {
                Ok(()) => {}
                Err(0) if matches!(byte, b'{' | b'[') => {
                    let (start, end, deep) = (*start, *end, *deep);
                    spans.push(self.span(start, end, deep));
                    self.state = begun(byte, at, at);
                }
                Err(_) => {
                    let mut hunt = Hunt::default();
                    hunt.push(byte, at);
                    self.state =
                        LineState::Broken { start: *start, array: *array, deep: *deep, solid: at + 1, hunt };
                }
            },
            LineState::Broken { start, deep, solid, hunt, .. } => {
                if let Some(Resume { end, start: next, opener }) = hunt.push(byte, at) {
                    let (start, deep) = (*start, *deep);
                    spans.push(self.span(start, end, deep));
                    self.state = begun(opener, next, next);
                    // Only white space stood behind the bracket.
                    self.byte(byte, spans);
                } else if !is_space(byte) {
                    *solid = at + 1;
                }
            }
            // Fed as a whole.
            LineState::Opened(_) => {}
        }
    }
}

/// The state at the first byte of a unit that begins at `start`; the byte is at `at`.
fn begun(byte: u8, start: u64, at: u64) -> LineState {
    if start < at || !matches!(byte, b'{' | b'[') {
        return LineState::Text { start, solid: at + 1 };
    }
    let mut automaton = Automaton::new();
    automaton.push(byte);
    LineState::Value { start, array: byte == b'[', automaton, last: byte, solid: at + 1 }
}

/// The most white space behind a bracket at which a broken value may have ended, in bytes.
const MOST_BLANKS: u64 = 64;

/// Looks for the place behind a broken value where the next begins: behind a bracket that is closed.
#[derive(Debug, Default)]
struct Hunt {
    /// How many brackets are open, seen loosely. Elements of a broken array are not values of their own.
    open: i64,
    /// Whether that does not matter, because more is wrong than a comma that is missing in an array.
    free: bool,
    /// Where the closed bracket ends, behind which nothing has come yet.
    closed: Option<u64>,
    /// The bracket that was opened behind it.
    opened: Option<(u64, u8)>,
}

struct Resume {
    /// Where the broken value ends.
    end: u64,
    /// Where the next begins, and its bracket.
    start: u64,
    opener: u8,
}

impl Hunt {
    /// The hunt for the end of a value whose syntax was this and that `byte` broke; `last` was the last
    /// byte before it that is not white space.
    fn of(automaton: &Automaton, last: u8, solid: u64, byte: u8) -> Hunt {
        let closed = matches!(last, b'}' | b']').then_some(solid);
        let lacks_comma = closed.is_some() && matches!(byte, b'{' | b'[') && !automaton.in_object();
        Hunt { open: automaton.depth() as i64, free: !lacks_comma, closed, opened: None }
    }

    fn push(&mut self, byte: u8, at: u64) -> Option<Resume> {
        // A byte order mark may stand there, too.
        if is_space(byte) || matches!(byte, 0xef | 0xbb | 0xbf) {
            // So that what may be the next value is never long before it is one.
            if self.opened.is_some_and(|(start, _)| at - start > MOST_BLANKS) {
                (self.opened, self.closed) = (None, None);
            }
            return None;
        }
        if let (Some((start, opener)), Some(end)) = (self.opened.take(), self.closed) {
            // In a text that holds JSON quotes would be escaped.
            let begins = match opener {
                b'{' => matches!(byte, b'"' | b'}'),
                _ => matches!(byte, b'{' | b']'),
            };
            if begins {
                return Some(Resume { end, start, opener });
            }
            self.closed = None;
        }
        match byte {
            b'}' | b']' => {
                self.open -= 1;
                self.closed = Some(at + 1);
            }
            b'{' | b'[' => {
                if self.closed.is_some() && (self.free || self.open <= 0) {
                    self.opened = Some((at, byte));
                } else {
                    self.closed = None;
                }
                self.open += 1;
            }
            _ => self.closed = None,
        }
        None
    }
}

/// Whether a line that begins and ends with no white space is one unit. Says no where it takes a
/// [`LineCutter`] to know.
pub(super) fn is_one_unit(line: &[u8]) -> bool {
    if gap(line) > 0 {
        return false;
    }
    memchr::memchr3_iter(b'}', b']', RECORD_MARK, line).all(|at| {
        let behind = &line[at + 1..];
        // Mostly a comma, another bracket, or nothing follows.
        let blanks = behind.iter().take_while(|byte| is_space(**byte)).count();
        line[at] != RECORD_MARK && !matches!(behind.get(blanks), Some(b'{' | b'[' | 0xef))
    })
}

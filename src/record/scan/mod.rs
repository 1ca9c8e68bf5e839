//! The fast reader of records that are lines: the same fields as [`super::exact`], or none.
//!
//! Four layers, each of which hands on what it is not sure of:
//! 1. [`index`] finds, for a window of lines at once, every byte that matters to the grammar of
//!    texts: quotes, backslashes, control characters, newlines (the *marks*);
//! 2. [`shape`] compares a record with what records before it looked like, all literal pieces of it
//!    and each number;
//! 3. [`walk`] parses a record of any shape along its marks;
//! 4. what is left is [`Outcome::Exact`], a line for the exact reader.
//!
//! No layer rejects anything: a record is either read in full and right, or handed on.

mod index;
mod keys;
mod shape;
mod value;
mod walk;

use super::wanted::Wanted;
use crate::raw::{Cpu, Input, WIDE};
use index::{Index, Line};
use keys::Keys;
use shape::Shapes;
use walk::{Found, walk};

/// The most slots that this reader can fill.
pub(crate) const MOST_SLOTS: usize = 64;
/// How many bytes are indexed at a time, if lines are no longer.
const WINDOW: usize = 32 * 1024;

/// A value of a record: where its text is, as JSON without quotes.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Span {
    pub(crate) start: u32,
    pub(crate) len: u32,
}

/// What became of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// A record, in which these slots are present.
    Record { present: u64 },
    /// White space.
    Blank,
    /// Something for the exact reader.
    Exact,
}

/// Reads records, and remembers what they look like.
#[derive(Debug, Clone)]
pub(crate) struct Scanner {
    keys: Keys,
    shapes: Shapes,
    index: Index,
    found: Found,
    /// The line that comes next, and its number in the window.
    start: usize,
    first: usize,
    number: usize,
    /// The first block of high bytes that is not behind.
    high: usize,
}

impl Scanner {
    /// A scanner for these fields; records with one of the keys in `exact` at their top go to the
    /// exact reader. Nothing if there are more fields than it can hold.
    pub(crate) fn new(wanted: &Wanted, exact: &[String]) -> Option<Scanner> {
        Some(Scanner {
            keys: Keys::new(wanted, exact)?,
            shapes: Shapes::new(),
            index: Index::default(),
            found: Found::default(),
            start: 0,
            first: 0,
            number: 0,
            high: 0,
        })
    }

    /// Prepares for the lines that begin at `start` and end before `end`, as many as fit a window.
    /// Where no line ends, there will be none.
    #[inline(always)]
    pub(crate) fn window<C: Cpu>(&mut self, cpu: C, input: Input<'_>, start: usize, end: usize) {
        let mut size = WINDOW;
        loop {
            let to = end.min(start.saturating_add(size));
            self.index.fill(cpu, input.bytes(), start, to);
            if self.index.lines() > 0 || to == end {
                break;
            }
            size *= 4;
        }
        (self.start, self.first, self.number, self.high) = (start, 0, 0, 0);
    }

    /// Reads the next line of the window; it begins where the last one ended, and ends, with its
    /// newline, where this says.
    #[inline(always)]
    pub(crate) fn line<C: Cpu>(&mut self, cpu: C, input: Input<'_>) -> Option<(usize, Outcome)> {
        if self.number == self.index.lines() {
            return None;
        }
        let line = self.index.line(self.number, self.start, self.first);
        // The next window's bytes come while this one's are looked at.
        for at in (line.start..line.end).step_by(WIDE) {
            cpu.prefetch(input.bytes(), at + WINDOW);
        }
        let outcome = self.read(cpu, input, line);
        self.number += 1;
        (self.start, self.first) = (line.end, line.last);
        Some((line.end, outcome))
    }

    /// Whether the window held no line: `at` is where it began.
    pub(crate) fn is_at(&self, at: usize) -> bool {
        self.number == 0 && self.start == at
    }

    #[inline(always)]
    fn read<C: Cpu>(&mut self, cpu: C, input: Input<'_>, line: Line) -> Outcome {
        // Blocks are read from anywhere in the line.
        if line.end > input.last() {
            return Outcome::Exact;
        }
        let bytes = input.bytes();
        let Scanner { keys, shapes, index, found, .. } = self;
        let marks = index.marks.as_slice();
        if shapes.fit(cpu, input, marks, line, found).is_none() {
            let learn = shapes.wants();
            if walk(cpu, keys, input, marks, line, learn, found).is_none() {
                let blank =
                    bytes[line.start..line.end].iter().all(|b| matches!(b, b' ' | b'\t' | b'\r' | b'\n'));
                return if blank { Outcome::Blank } else { Outcome::Exact };
            }
            if found.learnable {
                shapes.learn(bytes, marks, line, found);
            }
        }
        if index.has_high(line.start, line.end, &mut self.high)
            && std::str::from_utf8(&bytes[line.start..line.end]).is_err()
        {
            return Outcome::Exact;
        }
        Outcome::Record { present: found.present }
    }

    /// Where the value of a slot that is present is: in the input or, where it had escapes, in
    /// [`Scanner::respelled`], spelled as the output spells it.
    #[inline(always)]
    pub(crate) fn span(&self, slot: usize) -> Span {
        self.found.spans[slot]
    }

    /// The texts that had escapes, and the slots that they are in.
    #[inline(always)]
    pub(crate) fn respelled(&self) -> (&[u8], u64) {
        (&self.found.scratch, self.found.respelled)
    }
}

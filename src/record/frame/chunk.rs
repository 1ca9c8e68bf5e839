//! What the framer gives: a part of a stream, and where the units in it are.

use super::long::long_line;
use crate::record::syntax::{is_space, trim};
use std::ops::Range;

/// A part of a stream that holds whole units.
#[derive(Debug, Default)]
pub struct Chunk {
    /// The bytes that the units lie in, and room behind them.
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
        /// The number of its first line, from 1 (see [`Body::units`]).
        line: u64,
        /// Where in the chunk the last line ends.
        end: usize,
    },
    /// These are the units.
    Items {
        /// The units, in order.
        items: Vec<Item>,
        /// Blank lines that were passed.
        blank: u64,
    },
}

impl Body {
    /// Where in the stream the last unit ends.
    pub fn end(&self) -> u64 {
        match self {
            Body::Lines { offset, end, .. } => offset + *end as u64,
            Body::Items { items, .. } => items.last().map_or(0, |item| item.offset + item.length),
        }
    }

    /// Hands each unit with its bytes, which lie in `chunk`, to `unit`, in order; adds blank lines
    /// to `blank`. `limit` is the framer's.
    ///
    /// Gives the number of lines that are to be added to the line numbers of all later chunks: to
    /// find where a chunk of lines may end, they need not be counted, so whoever looks at each does.
    pub fn units(
        &self,
        chunk: &[u8],
        limit: usize,
        unit: &mut dyn FnMut(&Item, &[u8]),
        blank: &mut u64,
    ) -> u64 {
        match self {
            Body::Items { items, blank: passed } => {
                *blank += passed;
                items.iter().for_each(|item| unit(item, &chunk[item.range.clone()]));
                0
            }
            Body::Lines { offset, line, end } => {
                let (mut offset, mut number) = (*offset, *line);
                for part in chunk[..*end].split_inclusive(|b| *b == b'\n') {
                    self::line(part, offset, number, limit, unit, blank);
                    offset += part.len() as u64;
                    number += 1;
                }
                number - line
            }
        }
    }
}

/// Hands the units of one line, which begins at `offset` and has this number, to `unit`: none if it
/// is blank, the elements of an array if it is one beyond the limit.
pub(crate) fn line(
    line: &[u8],
    offset: u64,
    number: u64,
    limit: usize,
    unit: &mut dyn FnMut(&Item, &[u8]),
    blank: &mut u64,
) {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let leading = line.iter().take_while(|b| is_space(**b)).count();
    let offset = offset + leading as u64;
    let line = &line[leading..];
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let length = line.len() as u64;
    if line.is_empty() {
        *blank += 1;
    } else if line.len() > limit {
        let (mut bytes, mut items) = (Vec::new(), Vec::new());
        long_line(line, length, offset, number, limit, &mut bytes, &mut items);
        items.iter().for_each(|item| unit(item, &bytes[item.range.clone()]));
    } else {
        let line = trim(line);
        let length = line.len() as u64;
        unit(&Item { range: 0..line.len(), offset, length, line: number, state: ItemState::Whole }, line);
    }
}

impl Default for Body {
    fn default() -> Body {
        Body::Lines { offset: 0, line: 1, end: 0 }
    }
}

/// A unit on its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Its bytes in the chunk; the first [`HEAD`](super::HEAD) of them if it is too long.
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

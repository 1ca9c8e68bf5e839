//! What records look like, learnt from those that were walked.
//!
//! A [`Shape`] is a record with its texts and numbers taken out: what is left are literal pieces,
//! each of which can be found in another record by the number of one of its marks. If all pieces
//! stand where they must, from the line's first byte to its newline, and what lies between two of
//! them is a text (no mark is in it, since marks are counted) or a number (that is checked), then
//! the record is JSON as the walked one was, and has the same fields.

use super::MOST_SLOTS;
use super::Span;
use super::index::Line;
use super::value;
use super::walk::{Found, Value};
use crate::raw::{BLOCK, Cpu, Input};

/// How many shapes are remembered, in sets of [`WAYS`].
const SETS: usize = 64;
const WAYS: usize = 4;
/// The most pieces of a shape.
const MOST_PIECES: usize = 128;
/// How many records a shape must fit before a newcomer can't displace it any more.
const SETTLED: u32 = 64;

/// What one kind of record looks like.
#[derive(Debug, Clone, PartialEq)]
struct Shape {
    pieces: Vec<Piece>,
    /// The values that matter: those that fill slots, and all numbers.
    values: Vec<Between>,
    /// Where the last piece ends.
    end: Place,
    marks: usize,
    present: u64,
}

/// A literal that is to stand at a place.
#[derive(Debug, Clone, PartialEq)]
struct Piece {
    literal: [u8; BLOCK],
    /// 0xff for the bytes of the literal, 0 behind it.
    mask: [u8; BLOCK],
    at: Place,
}

/// A place in a record: so many bytes from the mark of this number.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Place {
    mark: u16,
    from_mark: i32,
}

/// A value: what stands between two pieces.
#[derive(Debug, Clone, PartialEq)]
struct Between {
    start: Place,
    end: Place,
    is_text: bool,
    /// The slot that it fills, or [`MOST_SLOTS`].
    slot: u8,
}

/// The shapes that are known.
#[derive(Debug, Clone)]
pub(super) struct Shapes {
    /// Sets of candidates, by what can be seen of a record at a glance; the best first.
    sets: Vec<Vec<(Shape, u32)>>,
    /// Records until the next is learnt from: there are many in logs where none is like another.
    patience: u32,
    wait: u32,
    /// Tries since one was right.
    misses: u32,
}

impl Shapes {
    pub(super) fn new() -> Shapes {
        Shapes { sets: vec![Vec::new(); SETS], patience: 0, wait: 0, misses: 0 }
    }

    /// The set of a line: all records of one shape have the same number of marks and, since the
    /// first value comes no earlier, the same first four bytes.
    #[inline(always)]
    fn set(bytes: &[u8], line: Line) -> usize {
        let head = bytes[line.start..].first_chunk::<4>().map_or(0, |head| u32::from_le_bytes(*head));
        let mixed = (head ^ (line.last - line.first) as u32).wrapping_mul(0x9e37_79b9);
        mixed as usize >> 26 & (SETS - 1)
    }

    /// Fills `found` if the record on `line` has a known shape.
    #[inline(always)]
    pub(super) fn fit<C: Cpu>(
        &mut self,
        cpu: C,
        input: Input<'_>,
        marks: &[u32],
        line: Line,
        found: &mut Found,
    ) -> Option<()> {
        // Where no shape fits for long, only every sixteenth record is tried.
        if self.misses > 64 {
            self.misses += 1;
            if !self.misses.is_multiple_of(16) {
                return None;
            }
        }
        let set = &mut self.sets[Self::set(input.bytes(), line)];
        let marks = marks.get(line.first..line.last)?;
        for i in 0..set.len() {
            let (shape, hits) = &mut set[i];
            if shape.fits(cpu, input, marks, line, &mut found.spans).is_some() {
                found.present = shape.present;
                found.respelled = 0;
                *hits += 1;
                self.misses = 0;
                if i > 0 && set[i - 1].1 < set[i].1 {
                    set.swap(i - 1, i);
                }
                return Some(());
            }
        }
        self.misses += 1;
        None
    }

    /// Whether the next record that no shape fits is to be learnt from.
    #[inline(always)]
    pub(super) fn wants(&mut self) -> bool {
        self.wait = self.wait.saturating_sub(1);
        self.wait == 0
    }

    /// Learns from a record that was walked.
    #[cold]
    #[inline(never)]
    pub(super) fn learn(&mut self, bytes: &[u8], marks: &[u32], line: Line, found: &Found) {
        // Slower from time to time: the first hundred shapes at once, then ever fewer.
        self.patience = (self.patience + 1).min(4096);
        self.wait = self.patience.saturating_sub(96) * 8;
        let Some(marks) = marks.get(line.first..line.last) else { return };
        let Some(shape) = Shape::of(bytes, marks, line, found) else { return };
        let set = &mut self.sets[Self::set(bytes, line)];
        if set.iter().any(|(known, _)| *known == shape) {
            return;
        }
        if set.len() < WAYS {
            set.push((shape, 0));
        } else if let Some(last) = set.last_mut() {
            // A shape that fits often stays; one that does not makes room, in the end.
            if last.1 < SETTLED {
                *last = (shape, 0);
            } else {
                last.1 /= 2;
            }
        }
    }
}

impl Place {
    /// Where that is in a record with these marks. Nothing if it has no such mark; any number if
    /// the record has another shape.
    #[inline(always)]
    fn of(self, marks: &[u32]) -> Option<usize> {
        let mark = *marks.get(usize::from(self.mark))?;
        Some((mark as usize).wrapping_add_signed(self.from_mark as isize))
    }
}

impl Shape {
    /// The shape of a record that was walked; nothing if it can't be told by its marks.
    fn of(bytes: &[u8], marks: &[u32], line: Line, found: &Found) -> Option<Shape> {
        let mut shape = Shape {
            pieces: Vec::new(),
            values: Vec::new(),
            end: Place { mark: 0, from_mark: 0 },
            marks: marks.len(),
            present: found.present,
        };
        let mut before: Option<(Place, &Value)> = None;
        let mut start = line.start;
        // Behind the last value comes the line's end.
        for value in found.values.iter().map(Some).chain([None]) {
            let end = value.map_or(line.end, |value| value.start);
            // The first mark in the literal is that by which it is found.
            let number = marks.partition_point(|at| (*at as usize) < start);
            let mark = *marks.get(number)? as usize;
            if mark >= end {
                return None;
            }
            let number = u16::try_from(number).ok()?;
            let place = |at: usize| {
                // Both are places in the input.
                let from_mark = i32::try_from(at as i64 - mark as i64).ok()?;
                Some(Place { mark: number, from_mark })
            };
            if let Some((from, Value { is_text, slot, .. })) = before
                && (*slot < MOST_SLOTS || !is_text)
            {
                let (end, slot) = (place(start)?, *slot as u8);
                shape.values.push(Between { start: from, end, is_text: *is_text, slot });
            }
            for (i, literal) in bytes[start..end].chunks(BLOCK).enumerate() {
                let mut piece =
                    Piece { literal: [0; BLOCK], mask: [0; BLOCK], at: place(start + i * BLOCK)? };
                piece.literal[..literal.len()].copy_from_slice(literal);
                piece.mask[..literal.len()].fill(0xff);
                shape.pieces.push(piece);
            }
            shape.end = place(end)?;
            if let Some(value) = value {
                before = Some((shape.end, value));
                start = value.end;
            }
            if shape.pieces.len() > MOST_PIECES {
                return None;
            }
        }
        // The four bytes that choose the set must be literal.
        (shape.pieces[0].mask[3] == 0xff).then_some(shape)
    }

    /// Whether the record on `line`, which has these marks, has this shape. `spans` become those
    /// of its values.
    ///
    /// A piece's marks are counted from its first, and the pieces' marks follow each other without
    /// a gap. So between the opening quote of a text, which ends a piece, and the closing one,
    /// which begins the next, there is no other mark: no quote, no escape, no control character.
    #[inline(always)]
    fn fits<C: Cpu>(
        &self,
        cpu: C,
        input: Input<'_>,
        marks: &[u32],
        line: Line,
        spans: &mut [Span; MOST_SLOTS],
    ) -> Option<()> {
        if marks.len() != self.marks || self.end.of(marks)? != line.end {
            return None;
        }
        if self.pieces.first()?.at.of(marks)? != line.start {
            return None;
        }
        for piece in &self.pieces {
            if cpu.differs(input.block(piece.at.of(marks)?)?, &piece.literal, &piece.mask) {
                return None;
            }
        }
        for value in &self.values {
            let (start, end) = (value.start.of(marks)?, value.end.of(marks)?);
            let len = end.wrapping_sub(start);
            let right = if value.is_text { len != 0 } else { value::number(cpu, input, start) == Some(end) };
            if !right {
                return None;
            }
            if let Some(span) = spans.get_mut(usize::from(value.slot)) {
                *span = Span { start: start as u32, len: len as u32 };
            }
        }
        Some(())
    }
}

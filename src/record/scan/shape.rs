//! What records look like, learnt from those that were walked.
//!
//! A [`Shape`] is a record with its texts and numbers taken out. What is left are literals. If all
//! of them stand in another record where they must, from its first byte to its newline, and what
//! lies between two of them is plain text (no quote, no backslash, no control character, no byte of
//! 0x80 and above) or a number, then the other record is JSON as the walked one was, and has the
//! same fields.
//!
//! The end of a value says where the literal behind it stands, so one must be found after the
//! other. But most texts have one length in all records. When that was seen, they become part of
//! what is compared at once: blocks in which some bytes must be these, and others plain text.

use super::MOST_SLOTS;
use super::value;
use super::walk::{Found, Kind, Value};
use crate::raw::{BLOCK, Cpu, Input, Pattern, Span, VALUES};
use std::ops::Range;

/// How many shapes are remembered, in sets of [`WAYS`].
const SETS: usize = 64;
const WAYS: usize = 4;
/// The most values of a shape, and the longest record that has one.
const MOST_VALUES: usize = 256;
const MOST_BYTES: usize = 16 * 1024;
/// How many records a shape must fit before a newcomer can't displace it any more.
const SETTLED: u32 = 64;
/// How many records say which texts always have the same length.
const SAMPLES: u32 = 16;

/// What one kind of record looks like.
#[derive(Debug, Clone)]
struct Shape {
    /// The record that it was learnt from, and its values.
    record: Vec<u8>,
    values: Vec<Value>,
    present: u64,
    /// For texts of any length.
    loose: Layout,
    /// For texts of the lengths that were always seen; nothing until some were.
    tight: Option<Layout>,
    /// The values whose lengths differed.
    varies: Vec<bool>,
    /// How many records only the loose layout fits, until another tight one is made.
    patience: u32,
    waits: u32,
    hits: u32,
}

/// How a record is compared.
#[derive(Debug, Clone, PartialEq)]
struct Layout {
    parts: Vec<Part>,
    /// What follows the first pattern of parts longer than a block.
    patterns: Vec<Pattern>,
    fixed: Vec<Fixed>,
}

/// A part that has the same length in all records, and the value behind it that has not.
#[derive(Debug, Clone, PartialEq)]
struct Part {
    first: Pattern,
    /// How many more patterns it has, and how many fixed values.
    more: u16,
    fixed: u16,
    len: u32,
    behind: Behind,
    /// The number of the value behind it, and the place among [`VALUES`] that it fills.
    number: u16,
    place: u8,
    /// The least length of a text: one that is empty fills no slot.
    least: u8,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Behind {
    Text,
    Number,
    /// The next record.
    End,
}

/// A value inside a part; one that fills no slot is only there to be checked.
#[derive(Debug, Clone, PartialEq)]
struct Fixed {
    /// Where in the part it begins.
    at: u32,
    len: u32,
    is_number: bool,
    place: u8,
}

/// The place of values that fill no slot: nobody looks at it.
const NO_PLACE: u8 = VALUES as u8 - 1;
const _: () = assert!(MOST_SLOTS < NO_PLACE as usize);

fn place(slot: usize) -> u8 {
    if slot < MOST_SLOTS { slot as u8 } else { NO_PLACE }
}

/// The shapes that are known.
#[derive(Debug, Clone)]
pub(super) struct Shapes {
    /// Sets of candidates, by how a record begins; the best first.
    sets: Vec<Vec<Shape>>,
    /// Records until the next is learnt from: there are many in logs where none is like another.
    patience: u32,
    wait: u32,
    /// Records since a shape fitted one.
    misses: u32,
    /// Records that no tight layout fitted.
    tries: u32,
}

impl Shapes {
    pub(super) fn new() -> Shapes {
        Shapes { sets: vec![Vec::new(); SETS], patience: 0, wait: 0, misses: 0, tries: 0 }
    }

    /// The set of a record: the first value comes no earlier than behind its first four bytes.
    #[inline(always)]
    fn set(bytes: &[u8], start: usize) -> usize {
        let head = bytes[start..].first_chunk::<4>().map_or(0, |head| u32::from_le_bytes(*head));
        (head.wrapping_mul(0x9e37_79b9) >> 26) as usize & (SETS - 1)
    }

    /// Fills `found` if the record at `start` has a known shape; where it ends.
    #[inline(always)]
    pub(super) fn fit<C: Cpu>(
        &mut self,
        cpu: C,
        input: Input<'_>,
        start: usize,
        found: &mut Found,
    ) -> Option<usize> {
        // Where no shape fits for long, only every sixteenth record is tried.
        if self.misses > 64 {
            self.misses += 1;
            if !self.misses.is_multiple_of(16) {
                return None;
            }
        }
        let set = &mut self.sets[Self::set(input.bytes(), start)];
        for i in 0..set.len() {
            let shape = &mut set[i];
            let Some(layout) = &shape.tight else { continue };
            if let Some(end) = layout.fits(cpu, input, start, &mut found.spans, |_, _| {}) {
                shape.hits = shape.hits.saturating_add(1);
                found.present = shape.present;
                self.misses = 0;
                if i > 0 && set[i - 1].hits < set[i].hits {
                    set.swap(i - 1, i);
                }
                return Some(end);
            }
        }
        // That a text has another length than always is rare: then the record is walked, and only
        // sometimes looked at once more, to learn from it.
        self.tries = self.tries.wrapping_add(1);
        let again = self.tries.is_multiple_of(4);
        for shape in set.iter_mut().filter(|shape| again || shape.tight.is_none()) {
            if let Some(end) = shape.fits_loosely(cpu, input, start, &mut found.spans) {
                found.present = shape.present;
                self.misses = 0;
                return Some(end);
            }
        }
        self.misses = self.misses.saturating_add(1);
        None
    }

    /// Whether the next record that no shape fits is to be learnt from.
    #[inline(always)]
    pub(super) fn wants(&mut self) -> bool {
        self.wait = self.wait.saturating_sub(1);
        self.wait == 0
    }

    /// Learns from the record on this line, which was walked.
    #[cold]
    #[inline(never)]
    pub(super) fn learn(&mut self, bytes: &[u8], line: Range<usize>, found: &Found) {
        // Slower from time to time: the first hundred shapes at once, then ever fewer.
        self.patience = (self.patience + 1).min(4096);
        self.wait = self.patience.saturating_sub(96) * 8;
        let set = Self::set(bytes, line.start);
        let Some(shape) = Shape::of(bytes, line, found) else { return };
        let set = &mut self.sets[set];
        if set.iter().any(|known| known.loose == shape.loose) {
            return;
        }
        if set.len() < WAYS {
            set.push(shape);
        } else if let Some(last) = set.last_mut() {
            // A shape that fits often stays; one that does not makes room, in the end.
            if last.hits < SETTLED {
                *last = shape;
            } else {
                last.hits /= 2;
            }
        }
    }
}

impl Shape {
    /// The shape of a record that was walked; nothing if it is too large for one.
    fn of(bytes: &[u8], line: Range<usize>, found: &Found) -> Option<Shape> {
        if found.values.len() > MOST_VALUES || line.len() > MOST_BYTES {
            return None;
        }
        let record = bytes[line.clone()].to_vec();
        let moved =
            |value: &Value| Value { start: value.start - line.start, end: value.end - line.start, ..*value };
        let values: Vec<Value> = found.values.iter().map(moved).collect();
        // The four bytes that choose the set must be literal.
        if values.first().map_or(record.len(), |value| value.start) < 4 {
            return None;
        }
        let varies = vec![false; values.len()];
        let loose = Layout::new(&record, &values, &vec![true; values.len()]);
        let present = found.present;
        let waits = SAMPLES;
        Some(Shape { record, values, present, loose, tight: None, varies, patience: waits, waits, hits: 0 })
    }

    /// As [`Layout::fits`], with texts of any length; learns from that which lengths differ.
    #[inline(always)]
    fn fits_loosely<C: Cpu>(
        &mut self,
        cpu: C,
        input: Input<'_>,
        start: usize,
        spans: &mut [Span; VALUES],
    ) -> Option<usize> {
        let Shape { loose, values, varies, .. } = self;
        let end = loose.fits(cpu, input, start, spans, |number, len| {
            if let (Some(value), Some(varies)) = (values.get(number), varies.get_mut(number)) {
                *varies |= value.end - value.start != len;
            }
        })?;
        self.hits = self.hits.saturating_add(1);
        self.waits -= 1;
        if self.waits == 0 {
            self.tighten();
        }
        Some(end)
    }

    #[cold]
    #[inline(never)]
    fn tighten(&mut self) {
        let tight = Layout::new(&self.record, &self.values, &self.varies);
        if self.tight.as_ref() == Some(&tight) {
            // Nothing new was learnt: it will take longer.
            self.patience = self.patience.saturating_mul(2);
        }
        self.waits = self.patience;
        self.tight = Some(tight);
    }
}

impl Layout {
    /// How records like this one are compared, if these of its values have any length, and the
    /// others that of this record.
    fn new(record: &[u8], values: &[Value], varies: &[bool]) -> Layout {
        let mut layout = Layout { parts: Vec::new(), patterns: Vec::new(), fixed: Vec::new() };
        let mut start = 0;
        let mut fixed = Vec::new();
        for (number, (value, varies)) in values.iter().zip(varies).enumerate() {
            if !varies || value.kind == Kind::Word {
                fixed.push(value);
                continue;
            }
            let behind = if value.kind == Kind::Text { Behind::Text } else { Behind::Number };
            let part = layout.part(record, start..value.start, &fixed);
            part.behind = behind;
            part.number = number as u16;
            part.place = place(value.slot);
            part.least = u8::from(value.slot < MOST_SLOTS);
            fixed.clear();
            start = value.end;
        }
        layout.part(record, start..record.len(), &fixed);
        layout
    }

    /// Adds the part for this range of the record, with these values in it, before the record's end.
    fn part(&mut self, record: &[u8], range: Range<usize>, fixed: &[&Value]) -> &mut Part {
        // What is compared as it is; a word is.
        let mut literals = vec![true; range.len()];
        for value in fixed.iter().filter(|value| value.kind != Kind::Word) {
            literals[value.start - range.start..value.end - range.start].fill(false);
        }
        let bytes = record[range.clone()].iter().zip(literals);
        let bytes: Vec<Option<u8>> = bytes.map(|(byte, literal)| literal.then_some(*byte)).collect();
        let mut patterns = bytes.chunks(BLOCK).map(|bytes| Pattern::new(bytes.iter().copied()));
        let first = patterns.next().unwrap_or_else(|| Pattern::new([]));
        let known = self.patterns.len();
        self.patterns.extend(patterns);
        let more = (self.patterns.len() - known) as u16;
        // Plain texts and words that fill no slot are done with: the patterns hold them.
        let known = self.fixed.len();
        let looked_at = fixed.iter().filter(|value| value.slot < MOST_SLOTS || value.kind == Kind::Number);
        self.fixed.extend(looked_at.map(|value| Fixed {
            at: (value.start - range.start) as u32,
            len: (value.end - value.start) as u32,
            is_number: value.kind == Kind::Number,
            place: place(value.slot),
        }));
        let fixed = (self.fixed.len() - known) as u16;
        let len = range.len() as u32;
        let behind = Behind::End;
        self.parts.push(Part { first, more, fixed, len, behind, number: 0, place: NO_PLACE, least: 0 });
        let last = self.parts.len() - 1;
        &mut self.parts[last]
    }

    /// Whether the record at `start` is like that; where it ends. `spans` become those of its values,
    /// and `seen` is told the length of each that may have any.
    #[inline(always)]
    fn fits<C: Cpu>(
        &self,
        cpu: C,
        input: Input<'_>,
        start: usize,
        spans: &mut [Span; VALUES],
        mut seen: impl FnMut(usize, usize),
    ) -> Option<usize> {
        let mut at = start;
        let mut patterns = &self.patterns[..];
        let mut fixed = &self.fixed[..];
        for part in &self.parts {
            if cpu.differs(input.block(at)?, &part.first) {
                return None;
            }
            if part.more > 0 {
                let (more, rest) = patterns.split_at_checked(usize::from(part.more))?;
                patterns = rest;
                let mut at = at;
                for pattern in more {
                    at += BLOCK;
                    if cpu.differs(input.block(at)?, pattern) {
                        return None;
                    }
                }
            }
            if part.fixed > 0 {
                let (values, rest) = fixed.split_at_checked(usize::from(part.fixed))?;
                fixed = rest;
                for value in values {
                    let start = at + value.at as usize;
                    let len = value.len as usize;
                    if value.is_number && value::number(cpu, input, start) != Some(start + len) {
                        return None;
                    }
                    spans[usize::from(value.place) % VALUES] = Span::of_input(start, len);
                }
            }
            at += part.len as usize;
            let end = match part.behind {
                Behind::Text => value::plain_text(cpu, input, at)?,
                Behind::Number => value::number(cpu, input, at)?,
                Behind::End => return Some(at),
            };
            let len = end - at;
            if len < usize::from(part.least) {
                return None;
            }
            spans[usize::from(part.place) % VALUES] = Span::of_input(at, len);
            seen(usize::from(part.number), len);
            at = end;
        }
        None
    }
}

//! What records look like, learnt from those that were walked.
//!
//! A [`Shape`] is a record with its texts and numbers taken out. What is left are literals. If all
//! of them stand in another record where they must, from its first byte to its newline, and what
//! lies between two of them is plain text (no quote, no backslash, no control character, no byte of
//! 0x80 and above) or a number, then the other record is JSON as the walked one was, and has the
//! same fields.
//!
//! Most texts have one length in all records of a shape. So each shape has two layouts: a loose one
//! for texts of any length and, once it was seen which always have the same, a tight one.

use super::layout::{self, Part, Tree};
use super::walk::{Found, Value};
use crate::simd::{Cpu, Input, Span, VALUES};
use std::ops::Range;

/// How many shapes are remembered, and how many parts of them: each takes some 200 bytes.
const MOST_SHAPES: usize = 128;
const MOST_PARTS: usize = 12 * 1024;
/// The most values of a shape, and the longest record that has one.
const MOST_VALUES: usize = 256;
const MOST_BYTES: usize = 16 * 1024;
/// How many shapes are learnt without a pause.
const AT_ONCE: u32 = 64;
/// So few shapes are put in order of their hits at once.
const FEW: usize = 16;
/// How many records say which texts always have the same length.
const SAMPLES: u32 = 16;

/// What one kind of record looks like.
#[derive(Debug, Clone)]
struct Shape {
    /// The record that it was learnt from, and its values.
    record: Vec<u8>,
    values: Vec<Value>,
    present: u64,
    /// The values whose lengths differed.
    varies: Vec<bool>,
    /// Those whose lengths had differed when the tight layout was made, if it was.
    tight: Option<Vec<bool>>,
    /// How many records only the loose layout fits, until another tight one is made.
    patience: u32,
    waits: u32,
    hits: u32,
}

/// The shapes that are known.
#[derive(Debug, Clone)]
pub(super) struct Shapes {
    shapes: Vec<Shape>,
    tight: Tree,
    loose: Tree,
    /// The lengths of a record's values.
    lens: Vec<usize>,
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
        Shapes {
            shapes: Vec::new(),
            tight: Tree::new(),
            loose: Tree::new(),
            lens: Vec::new(),
            patience: 0,
            wait: 0,
            misses: 0,
            tries: 0,
        }
    }

    /// Fills `spans` if the record at `start` has a known shape; where it ends, and the slots that
    /// are present.
    #[inline(always)]
    pub(super) fn fit<C: Cpu>(
        &mut self,
        cpu: C,
        input: Input<'_>,
        start: usize,
        spans: &mut [Span; VALUES],
    ) -> Option<(usize, u64)> {
        // Where no shape fits for long, only every sixteenth record is tried.
        if self.misses > 64 {
            self.misses += 1;
            if !self.misses.is_multiple_of(16) {
                return None;
            }
        }
        if let Some((end, shape)) = self.tight.fit(cpu, input, start, spans, |_| {}) {
            let shape = &mut self.shapes[shape];
            shape.hits = shape.hits.saturating_add(1);
            self.misses = 0;
            return Some((end, shape.present));
        }
        // That a text has another length than always is rare: then the record is walked, and only
        // sometimes looked at once more, to learn from it.
        self.tries = self.tries.wrapping_add(1);
        if self.tries.is_multiple_of(2) {
            let lens = &mut self.lens;
            lens.clear();
            // All values but words, in order.
            let fit = self.loose.fit(cpu, input, start, spans, |len| lens.push(len));
            if let Some((end, shape)) = fit {
                self.misses = 0;
                let present = self.shapes[shape].present;
                self.seen(shape);
                return Some((end, present));
            }
        }
        self.misses = self.misses.saturating_add(1);
        None
    }

    /// Learns which lengths differ from one more record of the shape of this number. The shapes may
    /// have other numbers afterwards.
    #[cold]
    #[inline(never)]
    fn seen(&mut self, number: usize) {
        let shape = &mut self.shapes[number];
        let mut lens = self.lens.iter();
        for (value, varies) in shape.values.iter().zip(&mut shape.varies) {
            if value.varies() {
                *varies |= lens.next().is_some_and(|len| value.end - value.start != *len);
            }
        }
        shape.hits = shape.hits.saturating_add(1);
        shape.waits -= 1;
        if shape.waits > 0 {
            return;
        }
        if shape.tight.as_ref() == Some(&shape.varies) {
            // Nothing new was learnt: it will take longer.
            shape.patience = shape.patience.saturating_mul(2);
            shape.waits = shape.patience;
            return;
        }
        shape.waits = shape.patience;
        // The layout before it may stay in the tree: what fits it is right.
        self.tight.add(&shape.parts(&shape.varies), number);
        shape.tight = Some(shape.varies.clone());
        if self.shapes.len() <= FEW {
            self.plant();
        }
    }

    /// Makes the trees anew, what is met most often first.
    fn plant(&mut self) {
        (self.tight, self.loose) = (Tree::new(), Tree::new());
        self.shapes.sort_by_key(|shape| std::cmp::Reverse(shape.hits));
        for (number, shape) in self.shapes.iter().enumerate() {
            self.loose.add(&shape.loose(), number);
            if let Some(varies) = &shape.tight {
                self.tight.add(&shape.parts(varies), number);
            }
        }
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
        // The first shapes at once, then ever more slowly: to learn one costs as much as to walk a
        // hundred records.
        self.patience = (self.patience + 1).min(4096);
        let late = self.patience.saturating_sub(AT_ONCE);
        self.wait = late * late;
        let Some(shape) = Shape::of(bytes, line, found) else { return };
        if self.shapes.len() == MOST_SHAPES || self.tight.len() + self.loose.len() > MOST_PARTS {
            // Those that fit often stay, if they still do; the others make room.
            self.shapes.sort_by_key(|shape| std::cmp::Reverse(shape.hits));
            self.shapes.truncate(self.shapes.len() / 2);
            self.shapes.iter_mut().for_each(|shape| shape.hits /= 2);
            self.plant();
        }
        if self.loose.add(&shape.loose(), self.shapes.len()) {
            self.shapes.push(shape);
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
        let varies = vec![false; values.len()];
        let (present, waits) = (found.present, SAMPLES);
        Some(Shape { record, values, present, varies, tight: None, patience: waits, waits, hits: 0 })
    }

    fn parts(&self, varies: &[bool]) -> Vec<Part> {
        layout::parts(&self.record, &self.values, varies)
    }

    fn loose(&self) -> Vec<Part> {
        self.parts(&vec![true; self.values.len()])
    }
}

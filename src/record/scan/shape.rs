//! What records look like, learnt from those that were walked.
//!
//! A [`RecordShape`] is a record with its texts and numbers taken out. What is left are literals. If all
//! of them stand in another record where they must, from its first byte to its newline, and what
//! lies between two of them is plain text (no quote, no backslash, no control character, no byte of
//! 0x80 and above) or a number, then the other record is JSON as the walked one was, and has the
//! same fields.
//!
//! Most texts have one length in all records of a shape, so in the beginning each value has the
//! length that it had in the records that the shape was learnt from. Where a record is like it in all
//! but lengths, there is a second shape in which those may be any; and so on, until all have one.

use super::MOST_SLOTS;
use super::layout::{self, Fit, LayoutPart, LayoutTree, Others};
use super::walk::{ScalarKind, Scanned, ScannedValue};
use crate::simd::{ByteSpan, Cpu, PaddedInput, VALUES};
use crate::time::iso_form;
use std::cmp::Reverse;
use std::ops::Range;

/// How many shapes are remembered, and how many parts of them: each takes some 200 bytes.
const MOST_SHAPES: usize = 128;
const MOST_PARTS: usize = 12 * 1024;
/// The most values of a shape, and the longest record that has one.
const MOST_VALUES: usize = 256;
const MOST_BYTES: usize = 16 * 1024;
/// How many shapes are learnt without a pause.
const AT_ONCE: u32 = 64;
/// If there are so few shapes, they are put in order of their hits at once.
const FEW: usize = 16;
/// This many records that look alike make a shape.
const SIGHTINGS: u32 = 4;
/// A shape goes that fits fewer records than one of this many: to compare with it costs all of them.
const RARE: u64 = 128;

/// What one kind of record looks like.
#[derive(Debug, Clone)]
pub(super) struct RecordShape {
    /// The record that it was learnt from, and its values.
    record: Vec<u8>,
    values: Vec<ScannedValue>,
    /// The values that may have any length.
    varies: Vec<bool>,
    /// How many records it was learnt from; once they are enough, others are compared with it.
    sightings: u32,
    hits: u64,
    /// How many records there had been when it was learnt.
    since: u64,
    /// The slots that are present.
    pub(super) present: u64,
    /// The slots whose values are numbers or times that have one length and form.
    pub(super) formed: u64,
    /// Whatever the caller wants to remember of it; 0 at first.
    pub(super) note: u32,
}

/// The shapes that are known.
#[derive(Debug, Clone)]
pub(super) struct Shapes {
    read: u64,
    shapes: Vec<RecordShape>,
    tree: LayoutTree,
    others: Others,
    /// Records until the next is learnt from: there are many in logs where none is like another.
    patience: u32,
    wait: u32,
    /// Records since a shape fitted one.
    misses: u32,
    /// All records, and how many there were when the tree was made.
    records: u64,
    planted: u64,
}

impl Shapes {
    /// No shapes. Of their values, those in the slots in `read` are looked at.
    pub(super) fn new(read: u64) -> Shapes {
        Shapes {
            read,
            shapes: Vec::new(),
            tree: LayoutTree::new(),
            others: Others::default(),
            patience: 0,
            wait: 0,
            misses: 0,
            records: 0,
            planted: 0,
        }
    }

    /// Fills `spans` if the record at `start` has a known shape; where it ends, and the shape's number.
    #[inline(always)]
    pub(super) fn fit<C: Cpu>(
        &mut self,
        cpu: C,
        input: PaddedInput<'_>,
        start: usize,
        spans: &mut [ByteSpan; VALUES],
    ) -> Option<(usize, usize)> {
        self.records += 1;
        // Where no shape fits for long, only every sixteenth record is tried.
        if self.misses > 64 {
            self.misses += 1;
            if !self.misses.is_multiple_of(16) {
                return None;
            }
        }
        let Some((end, shape)) =
            cpu.apart(Fit { tree: &self.tree, input, start, spans, others: &mut self.others })
        else {
            self.misses = self.misses.saturating_add(1);
            return None;
        };
        self.misses = 0;
        Some((end, shape))
    }

    /// The shape of this number, which a record has that was just read.
    #[inline(always)]
    pub(super) fn hit(&mut self, number: usize) -> &mut RecordShape {
        let shape = &mut self.shapes[number];
        shape.hits += 1;
        shape
    }

    /// Makes the tree anew, what is met most often first, without what is rare.
    fn plant(&mut self) {
        self.planted = self.records;
        let is_rare = |shape: &RecordShape| shape.hits * RARE + 8 * RARE < self.records - shape.since;
        self.shapes.retain(|shape| !shape.is_known() || !is_rare(shape));
        self.tree = LayoutTree::new();
        self.shapes.sort_by_key(|shape| Reverse(shape.hits));
        for (number, shape) in self.shapes.iter().enumerate().filter(|(_, shape)| shape.is_known()) {
            self.tree.add(&shape.parts(self.read), number);
        }
    }

    /// Adds the shape of this number to the tree. To make it anew takes long if there are many.
    fn enter(&mut self, number: usize) {
        if self.shapes.len() <= FEW || self.records > 2 * self.planted {
            self.plant();
        } else {
            self.tree.add(&self.shapes[number].parts(self.read), number);
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
    pub(super) fn learn(&mut self, bytes: &[u8], line: Range<usize>, found: &Scanned) {
        let Some(mut shape) = RecordShape::of(bytes, line, found, self.records) else { return };
        let late = self.patience.saturating_sub(AT_ONCE);
        let alike = |known: &RecordShape| known.is_like(&shape);
        if let Some(number) = self.shapes.iter().position(|known| !known.is_known() && alike(known)) {
            let known = &mut self.shapes[number];
            known.vary_as(&shape);
            known.sightings += 1;
            self.wait = late;
            if known.is_known() {
                self.enter(number);
            }
            return;
        }
        let known = (0..self.shapes.len()).filter(|number| alike(&self.shapes[*number]));
        if let Some(number) = known.max_by_key(|number| self.shapes[*number].freedom()) {
            let known = &self.shapes[number];
            shape.vary_as(known);
            shape.sightings = SIGHTINGS;
            self.wait = late;
            let kinds = |shape: &RecordShape| shape.values.iter().map(|value| value.kind).collect::<Vec<_>>();
            if known.varies == shape.varies && kinds(known) == kinds(&shape) {
                return;
            }
            if known.hits <= RARE {
                // Hardly any record is like that. Its layout may stay: what fits it fits this one.
                self.shapes[number] = shape;
                return self.enter(number);
            }
        }
        // The first shapes at once, then ever more slowly: to learn one costs as much as to walk a
        // hundred records.
        self.patience = (self.patience + 1).min(4096);
        self.wait = late * late;
        let number = self.shapes.len();
        if self.shapes.len() >= MOST_SHAPES || self.tree.len() > MOST_PARTS {
            // Those that fit often stay; the others make room.
            self.shapes.sort_by_key(|shape| Reverse(shape.hits));
            self.shapes.truncate(MOST_SHAPES / 2);
            self.shapes.push(shape);
            self.plant();
            return;
        }
        let is_known = shape.is_known();
        self.shapes.push(shape);
        if is_known {
            self.enter(number);
        }
    }
}

impl RecordShape {
    /// The shape of a record that was walked; nothing if it is too large for one.
    fn of(bytes: &[u8], line: Range<usize>, found: &Scanned, since: u64) -> Option<RecordShape> {
        if found.values.len() > MOST_VALUES || line.len() > MOST_BYTES {
            return None;
        }
        let record = bytes[line.clone()].to_vec();
        let moved = |value: &ScannedValue| ScannedValue {
            start: value.start - line.start,
            end: value.end - line.start,
            ..*value
        };
        let values: Vec<ScannedValue> = found.values.iter().map(moved).collect();
        let text = |value: &ScannedValue| &record[value.start..value.end];
        // A text that is not ASCII and a list fit only what may have any length.
        let varies = values.iter().map(|value| match value.kind {
            ScalarKind::Text => !text(value).is_ascii(),
            kind => matches!(kind, ScalarKind::Texts(_)),
        });
        let varies = varies.collect();
        let mut shape = RecordShape {
            record,
            values,
            varies,
            sightings: 1,
            hits: 0,
            since,
            present: found.present,
            formed: 0,
            note: 0,
        };
        shape.formed = shape.formed();
        Some(shape)
    }

    /// Whether records are compared with it.
    fn is_known(&self) -> bool {
        self.sightings >= SIGHTINGS
    }

    /// How many of its values vary.
    fn freedom(&self) -> usize {
        self.varies.iter().filter(|varies| **varies).count()
    }

    /// The slots of numbers and times that do not vary.
    fn formed(&self) -> u64 {
        let values = self.values.iter().zip(&self.varies).filter(|(value, varies)| {
            let has_form = match value.kind {
                ScalarKind::Number => true,
                ScalarKind::Text => iso_form(self.text(value)).is_some(),
                ScalarKind::Word | ScalarKind::Texts(_) | ScalarKind::Any => false,
            };
            value.slot < MOST_SLOTS && !**varies && has_form
        });
        values.fold(0, |formed, (value, _)| formed | 1 << value.slot)
    }

    fn text(&self, value: &ScannedValue) -> &[u8] {
        &self.record[value.start..value.end]
    }

    /// What is between the values, and the values that are part of what a record looks like.
    fn literals(&self) -> impl Iterator<Item = &[u8]> {
        let starts = [0].into_iter().chain(self.values.iter().map(|value| value.whole().end));
        let ends = self.values.iter().map(|value| value.whole().start).chain([self.record.len()]);
        let between = starts.zip(ends).map(|(start, end)| &self.record[start..end]);
        let is_word = |value: &&ScannedValue| value.kind == ScalarKind::Word && !value.is_aside;
        between.chain(self.values.iter().filter(is_word).map(|value| self.text(value)))
    }

    /// Whether the other differs in values alone.
    fn is_like(&self, other: &RecordShape) -> bool {
        let same = |(a, b): (&ScannedValue, &ScannedValue)| {
            (a.kind, a.slot) == (b.kind, b.slot) || a.is_aside && b.is_aside
        };
        self.present == other.present
            && self.values.len() == other.values.len()
            && self.values.iter().zip(&other.values).all(same)
            && self.literals().eq(other.literals())
    }

    /// Lets vary what varies in a shape like this one, and what differs between them.
    fn vary_as(&mut self, other: &RecordShape) {
        for n in 0..self.values.len() {
            let like = |shape: &RecordShape| layout::like(shape.text(&shape.values[n]), shape.values[n].kind);
            let differs = like(self) != like(other);
            self.varies[n] |= other.varies[n] || differs;
            let value = &mut self.values[n];
            if value.kind != other.values[n].kind || differs && value.kind == ScalarKind::Word {
                let Range { start, end } = value.whole();
                *value = ScannedValue { start, end, kind: ScalarKind::Any, ..*value };
            }
        }
        self.formed = self.formed();
    }

    fn parts(&self, read: u64) -> Vec<LayoutPart> {
        layout::parts(&self.record, &self.values, &self.varies, read)
    }
}

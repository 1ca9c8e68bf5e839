//! How a record is compared with others: literals, and between them values.
//!
//! The end of a value says where the literal behind it is, so one must be found after the
//! other. But what always has one length is compared at once: blocks in which each byte may be
//! some: the one that a literal has there, a digit, a byte of a plain text.
//!
//! Many kinds of records begin alike. So the layouts of all of them are one [`LayoutTree`]: where a part
//! does not fit, the part in its place in another kind is tried.

use super::value::{self, Scalar, Texts};
use super::walk::{ScalarKind, ScannedValue, rare};
use super::{MOST_SLOTS, NO_PLACE};
use crate::simd::{Allowed, ByteSpan, Cpu, PaddedInput, Pattern, VALUES, Work};
use crate::time::iso_form;
use std::ops::Range;

/// A part that has the same length in all records, and the value behind it that has not.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct LayoutPart {
    pattern: Pattern,
    /// The values inside the part that fill slots.
    fixed: Vec<Fixed>,
    len: u32,
    behind: Behind,
    /// The place among [`VALUES`] that the value behind it fills.
    place: u8,
    /// The least length of a text: one that is empty fills no slot.
    least: u8,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Behind {
    Text,
    Number,
    /// Texts of a list. The first and the last fill these places.
    Texts([u8; 2]),
    Any,
    /// The next record.
    End,
}

/// A value inside a part.
#[derive(Debug, Clone, PartialEq)]
struct Fixed {
    /// Where in the part it begins.
    at: u32,
    len: u16,
    place: u8,
}

fn place(slot: usize) -> u8 {
    if slot < MOST_SLOTS { slot as u8 } else { NO_PLACE }
}

/// The parts of records like this one, if these of its values have any length, and the others that
/// of this record. Of those that have one, the ones in the slots in `read` are looked at.
pub(super) fn parts(record: &[u8], values: &[ScannedValue], varies: &[bool], read: u64) -> Vec<LayoutPart> {
    let mut parts = Vec::new();
    let mut start = 0;
    let mut fixed = Vec::new();
    for (value, varies) in values.iter().zip(varies) {
        if !*varies {
            fixed.push(value);
            continue;
        }
        parts.push(LayoutPart {
            behind: match value.kind {
                ScalarKind::Text => Behind::Text,
                ScalarKind::Number => Behind::Number,
                ScalarKind::Texts(last) => Behind::Texts([place(value.slot), last]),
                ScalarKind::Word | ScalarKind::Any => Behind::Any,
            },
            place: if matches!(value.kind, ScalarKind::Texts(_)) { NO_PLACE } else { place(value.slot) },
            least: u8::from(value.slot < MOST_SLOTS),
            ..LayoutPart::last(record, start..value.start, &fixed, read)
        });
        fixed.clear();
        start = value.end;
    }
    parts.push(LayoutPart::last(record, start..record.len(), &fixed, read));
    parts
}

/// What the bytes of values may be that are as long as this one and of its kind. Of times, and of
/// numbers, more than that is the same: where their digits are.
pub(super) fn like(value: &[u8], kind: ScalarKind) -> Vec<Allowed> {
    let literal = |byte: &u8| Allowed::From(*byte, *byte);
    match kind {
        ScalarKind::Word | ScalarKind::Texts(_) | ScalarKind::Any => value.iter().map(literal).collect(),
        ScalarKind::Text => match iso_form(value) {
            Some(form) => {
                let up_to = |most: &u8| {
                    if most.is_ascii_digit() { Allowed::From(b'0', *most) } else { literal(most) }
                };
                form.iter().map(up_to).collect()
            }
            None => vec![Allowed::Text; value.len()],
        },
        ScalarKind::Number => {
            let digit =
                |byte: &u8| if byte.is_ascii_digit() { Allowed::From(b'0', b'9') } else { literal(byte) };
            let mut bytes: Vec<Allowed> = value.iter().map(digit).collect();
            // A whole part of more than one digit does not begin with a zero.
            let first = usize::from(value.first() == Some(&b'-'));
            if value.get(first + 1).is_some_and(u8::is_ascii_digit) {
                bytes[first] = Allowed::From(b'1', b'9');
            }
            bytes
        }
    }
}

impl LayoutPart {
    /// The part for this range of the record, with these values in it, as if it were the last.
    fn last(record: &[u8], range: Range<usize>, fixed: &[&ScannedValue], read: u64) -> LayoutPart {
        let mut bytes: Vec<Allowed> =
            record[range.clone()].iter().map(|byte| Allowed::From(*byte, *byte)).collect();
        for value in fixed {
            let at = value.start - range.start..value.end - range.start;
            bytes[at].copy_from_slice(&like(&record[value.start..value.end], value.kind));
        }
        let is_read = |value: &&&ScannedValue| value.slot < MOST_SLOTS && read >> value.slot & 1 == 1;
        let fixed = fixed.iter().filter(is_read).map(|value| Fixed {
            at: (value.start - range.start) as u32,
            // Longer records are not learnt from.
            len: (value.end - value.start) as u16,
            place: place(value.slot),
        });
        LayoutPart {
            pattern: Pattern::new(&bytes),
            fixed: fixed.collect(),
            len: range.len() as u32,
            behind: Behind::End,
            place: NO_PLACE,
            least: 0,
        }
    }

    /// Whether the part is at `start`; where it ends. `spans` become those of its values.
    #[inline(always)]
    fn fits<C: Cpu>(
        &self,
        cpu: C,
        input: PaddedInput<'_>,
        start: usize,
        spans: &mut [ByteSpan; VALUES],
    ) -> Option<usize> {
        if !input.is(cpu, start, &self.pattern) {
            return None;
        }
        for value in &self.fixed {
            spans[usize::from(value.place)] =
                ByteSpan::of_input(start + value.at as usize, usize::from(value.len));
        }
        Some(start + self.len as usize)
    }
}

/// Compares the record at `start` with what a tree has.
pub(super) struct Fit<'a> {
    pub(super) tree: &'a LayoutTree,
    pub(super) input: PaddedInput<'a>,
    pub(super) start: usize,
    pub(super) spans: &'a mut [ByteSpan; VALUES],
    pub(super) others: &'a mut Others,
}

impl Work for Fit<'_> {
    type Output = Option<(usize, usize)>;

    #[inline(always)]
    fn run<C: Cpu>(self, cpu: C) -> Option<(usize, usize)> {
        self.tree.fit(cpu, self.input, self.start, self.spans, self.others)
    }
}

/// The layouts of several kinds of records.
#[derive(Debug, Clone)]
pub(super) struct LayoutTree {
    nodes: Vec<LayoutNode>,
    first: usize,
}

#[derive(Debug, Clone)]
struct LayoutNode {
    part: LayoutPart,
    /// The part to try if this one does not fit.
    instead: usize,
    /// The part behind its value; the kind's number if it is the last.
    then: usize,
}

/// The number of no node.
const NONE: usize = usize::MAX;
/// How many other ways are remembered.
const OTHERS: usize = 16;
/// Room for other ways: where each begins, and its first part.
pub(super) type Others = [(usize, usize); OTHERS];

impl LayoutTree {
    pub(super) fn new() -> LayoutTree {
        LayoutTree { nodes: Vec::new(), first: NONE }
    }

    /// How many parts it has.
    pub(super) fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Adds the layout of the kind of this number, if there is none like it.
    pub(super) fn add(&mut self, parts: &[LayoutPart], kind: usize) {
        // The node that leads to the next, and whether by `instead`.
        let mut from: Option<(usize, bool)> = None;
        let mut is_new = false;
        for part in parts {
            let mut at = match from {
                None => self.first,
                Some((node, _)) => self.nodes[node].then,
            };
            while at != NONE && self.nodes[at].part != *part {
                from = Some((at, true));
                at = self.nodes[at].instead;
            }
            if at == NONE {
                is_new = true;
                at = self.nodes.len();
                self.nodes.push(LayoutNode { part: part.clone(), instead: NONE, then: NONE });
                match from {
                    None => self.first = at,
                    Some((node, true)) => self.nodes[node].instead = at,
                    Some((node, false)) => self.nodes[node].then = at,
                }
            }
            from = Some((at, false));
        }
        if is_new && let Some((last, _)) = from {
            self.nodes[last].then = kind;
        }
    }

    /// Where the record at `start` ends, and its kind, if it is one of the tree's. `spans` become
    /// those of its values.
    #[inline(always)]
    fn fit<C: Cpu>(
        &self,
        cpu: C,
        input: PaddedInput<'_>,
        start: usize,
        spans: &mut [ByteSpan; VALUES],
        others: &mut Others,
    ) -> Option<(usize, usize)> {
        let nodes = &self.nodes[..];
        let (mut at, mut next) = (start, self.first);
        // How many other ways there are: what follows a part that fits need not. Each part is met once at most.
        let mut kept = 0;
        loop {
            let Some(LayoutNode { part, instead, then }) = nodes.get(next) else {
                if kept == 0 {
                    return None;
                }
                kept -= 1;
                (at, next) = others[kept % OTHERS];
                continue;
            };
            next = *instead;
            let Some(start) = part.fits(cpu, input, at, spans) else { continue };
            let end = match part.behind {
                Behind::Text => value::plain_text(cpu, input, start),
                Behind::Number => value::number(cpu, input, start),
                Behind::End => return Some((start, *then)),
                Behind::Texts(places) => cpu.apart(Texts { input, start, places, spans }),
                Behind::Any => cpu.apart(Scalar { input, start }),
            };
            let Some(end) = end else { continue };
            let len = end - start;
            if len < usize::from(part.least) {
                continue;
            }
            if *instead != NONE && kept < OTHERS {
                rare();
                others[kept] = (at, *instead);
                kept += 1;
            }
            spans[usize::from(part.place)] = ByteSpan::of_input(start, len);
            (at, next) = (end, *then);
        }
    }
}

//! How a record is compared with others: literals, and between them values.
//!
//! The end of a value says where the literal behind it is, so one must be found after the
//! other. But what always has one length is compared at once: blocks in which some bytes must be
//! these, and others plain text.
//!
//! Many kinds of records begin alike. So the layouts of all of them are one [`Tree`]: where a part
//! does not fit, the part in its place in another kind is tried.

use super::value;
use super::walk::{Kind, Value};
use super::{MOST_SLOTS, NO_PLACE};
use crate::simd::{BLOCK, Cpu, Input, Pattern, Span, VALUES};
use std::ops::Range;

/// A part that has the same length in all records, and the value behind it that has not.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Part {
    first: Pattern,
    /// The patterns behind the first, if the part is longer than a block.
    more: Vec<Pattern>,
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

fn place(slot: usize) -> u8 {
    if slot < MOST_SLOTS { slot as u8 } else { NO_PLACE }
}

/// The parts of records like this one, if these of its values have any length, and the others that
/// of this record.
pub(super) fn parts(record: &[u8], values: &[Value], varies: &[bool]) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut start = 0;
    let mut fixed = Vec::new();
    for (value, varies) in values.iter().zip(varies) {
        if !(*varies && value.varies()) {
            fixed.push(value);
            continue;
        }
        parts.push(Part {
            behind: if value.kind == Kind::Text { Behind::Text } else { Behind::Number },
            place: place(value.slot),
            least: u8::from(value.slot < MOST_SLOTS),
            ..Part::last(record, start..value.start, &fixed)
        });
        fixed.clear();
        start = value.end;
    }
    parts.push(Part::last(record, start..record.len(), &fixed));
    parts
}

impl Part {
    /// The part for this range of the record, with these values in it, as if it were the last.
    fn last(record: &[u8], range: Range<usize>, fixed: &[&Value]) -> Part {
        // What is compared as it is; a word is.
        let mut literals = vec![true; range.len()];
        for value in fixed.iter().filter(|value| value.varies()) {
            literals[value.start - range.start..value.end - range.start].fill(false);
        }
        let bytes = record[range.clone()].iter().zip(literals);
        let bytes: Vec<Option<u8>> = bytes.map(|(byte, literal)| literal.then_some(*byte)).collect();
        let mut patterns = bytes.chunks(BLOCK).map(|bytes| Pattern::new(bytes.iter().copied()));
        let first = patterns.next().unwrap_or_else(|| Pattern::new([]));
        // Plain texts and words that fill no slot are done with: the patterns hold them.
        let looked_at = fixed.iter().filter(|value| value.slot < MOST_SLOTS || value.kind == Kind::Number);
        let fixed = looked_at.map(|value| Fixed {
            at: (value.start - range.start) as u32,
            len: (value.end - value.start) as u32,
            is_number: value.kind == Kind::Number,
            place: place(value.slot),
        });
        Part {
            first,
            more: patterns.collect(),
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
        input: Input<'_>,
        start: usize,
        spans: &mut [Span; VALUES],
    ) -> Option<usize> {
        if cpu.differs(input.block(start)?, &self.first) {
            return None;
        }
        let mut at = start;
        for pattern in &self.more {
            at += BLOCK;
            if cpu.differs(input.block(at)?, pattern) {
                return None;
            }
        }
        for value in &self.fixed {
            let start = start + value.at as usize;
            let len = value.len as usize;
            if value.is_number && value::number(cpu, input, start) != Some(start + len) {
                return None;
            }
            spans[usize::from(value.place) % VALUES] = Span::of_input(start, len);
        }
        Some(start + self.len as usize)
    }
}

/// The layouts of several kinds of records.
#[derive(Debug, Clone)]
pub(super) struct Tree {
    nodes: Vec<Node>,
    first: usize,
}

#[derive(Debug, Clone)]
struct Node {
    part: Part,
    /// The part to try if this one does not fit.
    instead: usize,
    /// The part behind its value; the kind's number if it is the last.
    then: usize,
}

/// The number of no node.
const NONE: usize = usize::MAX;

impl Tree {
    pub(super) fn new() -> Tree {
        Tree { nodes: Vec::new(), first: NONE }
    }

    /// How many parts it has.
    pub(super) fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Adds the layout of the kind of this number; `false` if there is one like it.
    pub(super) fn add(&mut self, parts: &[Part], kind: usize) -> bool {
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
                self.nodes.push(Node { part: part.clone(), instead: NONE, then: NONE });
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
        is_new
    }

    /// Where the record at `start` ends, and its kind, if it is one of the tree's. `spans` become
    /// those of its values, and `seen` is told the length of each that may have any, in order.
    #[inline(always)]
    pub(super) fn fit<C: Cpu>(
        &self,
        cpu: C,
        input: Input<'_>,
        start: usize,
        spans: &mut [Span; VALUES],
        mut seen: impl FnMut(usize),
    ) -> Option<(usize, usize)> {
        let mut at = start;
        let mut next = self.first;
        loop {
            let Node { part, instead, then } = self.nodes.get(next)?;
            next = *instead;
            let Some(start) = part.fits(cpu, input, at, spans) else { continue };
            let end = match part.behind {
                Behind::Text => value::plain_text(cpu, input, start)?,
                Behind::Number => match value::number(cpu, input, start) {
                    Some(end) => end,
                    None => continue,
                },
                Behind::End => return Some((start, *then)),
            };
            let len = end - start;
            if len < usize::from(part.least) {
                continue;
            }
            spans[usize::from(part.place) % VALUES] = Span::of_input(start, len);
            seen(len);
            (at, next) = (end, *then);
        }
    }
}

//! The fast reader: records by learned pieces.
//!
//! A *piece* is what stands between two scalar values of a record: `{"context":"`, then (behind
//! the text) `","credits":`, and so on to `"}` and the newline. What a piece means, which key it
//! leads to, which objects it opens and closes, depends on two things alone: its bytes, and the
//! containers that are open where it begins. So each piece is parsed once, strictly
//! ([`piece::parse`]), and remembered as a [`Node`]; when the same bytes come again in the same
//! place, comparing them is proof enough. Each node also remembers which pieces followed it, so
//! that the next one is found by one comparison, mostly.
//!
//! The values between the pieces are checked every time: texts for bytes that need care, numbers
//! by JSON's grammar. Whatever is unusual ends in [`Outcome::Careful`], and the line goes to the
//! exact reader. This reader never rejects anything and never guesses.

mod piece;
mod value;

use super::wanted::Wanted;
use crate::raw::{BLOCK, Cpu};
use piece::{Frame, Keys, Leads, Piece};
use std::collections::HashMap;

/// The most slots that this reader can fill.
pub(crate) const MOST_SLOTS: usize = 64;
/// How long a piece may be to be remembered.
const MOST_PIECE: usize = 2 * BLOCK;
/// How many pieces and places are remembered.
const MOST_NODES: usize = 2048;
/// How many followers of a piece are remembered.
const FOLLOWERS: usize = 6;

/// The node before the first piece of a record.
const START: u32 = 0;
/// The node of a piece that can't be remembered.
const PASSING: u32 = 1;
const NONE: u32 = u32::MAX;

/// A value of the record: where its text is, in the input or, where it had escapes, spelled anew
/// for JSON in the scanner's scratch.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Span {
    pub(crate) start: u32,
    pub(crate) len: u32,
}

/// What became of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// A record; it ends, with its newline, before this byte. These slots are present.
    Record { end: usize, present: u64 },
    /// A blank line that ends, with its newline, before this byte.
    Blank { end: usize },
    /// Something for the exact reader.
    Careful,
}

/// A remembered piece.
#[derive(Debug, Clone)]
struct Node {
    literal: [u8; MOST_PIECE],
    mask: [u32; 2],
    len: u32,
    leads: Leads,
    /// The slot of the value that follows, or [`MOST_SLOTS`].
    slot: u8,
    /// Wanted slots and objects whose keys stand in the piece.
    sets: u128,
    /// The place behind the value that follows.
    place: u32,
    next: [u32; FOLLOWERS],
}

/// Reads records, and remembers what they look like.
#[derive(Debug, Clone)]
pub(crate) struct Scanner {
    keys: Keys,
    nodes: Vec<Node>,
    /// Nodes by the place where they begin and their bytes.
    by_bytes: HashMap<(u32, Vec<u8>), u32>,
    /// The places: which containers are open, and whether a text ends there.
    places: Vec<(Vec<Frame>, bool)>,
    by_place: HashMap<(Vec<Frame>, bool), u32>,
    pub(crate) spans: [Span; MOST_SLOTS],
    /// Texts of this record that had escapes.
    pub(crate) scratch: Vec<u8>,
    /// The slots whose texts lie there.
    pub(crate) rewritten: u64,
}

impl Scanner {
    /// A scanner for these fields; records with one of the keys in `careful` at their top go to the
    /// exact reader. Nothing if there are more fields than it can hold.
    pub(crate) fn new(wanted: &Wanted, careful: &[String]) -> Option<Scanner> {
        let keys = Keys::new(wanted, careful)?;
        let empty = Node {
            literal: [0; MOST_PIECE],
            mask: [0; 2],
            len: 0,
            leads: Leads::End,
            slot: MOST_SLOTS as u8,
            sets: 0,
            place: 0,
            next: [NONE; FOLLOWERS],
        };
        let root = (Vec::new(), false);
        Some(Scanner {
            keys,
            nodes: vec![empty.clone(), empty],
            by_bytes: HashMap::new(),
            by_place: HashMap::from([(root.clone(), 0)]),
            places: vec![root],
            spans: [Span::default(); MOST_SLOTS],
            scratch: Vec::new(),
            rewritten: 0,
        })
    }

    /// Reads the line that begins at `start`.
    #[inline(always)]
    pub(crate) fn line<C: Cpu>(&mut self, cpu: C, bytes: &[u8], start: usize) -> Outcome {
        let mut at = start;
        let mut node = START;
        let mut seen = 0u128;
        let mut present = 0u64;
        let mut high = 0u32;
        self.scratch.clear();
        self.rewritten = 0;
        loop {
            let Some(window) = bytes.get(at..).and_then(|rest| rest.first_chunk::<MOST_PIECE>()) else {
                return Outcome::Careful;
            };
            node = match self.predicted(cpu, node, window) {
                Some(next) => next,
                None => match self.unknown(bytes, at, node) {
                    Met::Node(next) => next,
                    Met::Blank(end) if at == start => return Outcome::Blank { end },
                    _ => return Outcome::Careful,
                },
            };
            let Node { len, leads, slot, sets, .. } = self.nodes[node as usize];
            if seen & sets != 0 {
                return Outcome::Careful;
            }
            seen |= sets;
            at += len as usize;
            let slot = usize::from(slot);
            match leads {
                Leads::Text => {
                    let Some(text) = value::text(cpu, bytes, at, &mut high) else { return Outcome::Careful };
                    if text.escaped && slot < MOST_SLOTS {
                        let Some(span) = value::rewrite(&bytes[at - 1..text.end + 1], &mut self.scratch)
                        else {
                            return Outcome::Careful;
                        };
                        self.spans[slot] = span;
                        self.rewritten |= 1 << slot;
                        present |= u64::from(span.len > 0) << slot;
                    } else if text.escaped {
                        if !value::is_text(&bytes[at - 1..text.end + 1]) {
                            return Outcome::Careful;
                        }
                    } else if slot < MOST_SLOTS {
                        let len = text.end - at;
                        self.spans[slot] = Span { start: at as u32, len: len as u32 };
                        present |= u64::from(len > 0) << slot;
                    }
                    at = text.end;
                }
                Leads::Number => {
                    let Some(end) = value::number(bytes, at) else { return Outcome::Careful };
                    if slot < MOST_SLOTS {
                        self.spans[slot] = Span { start: at as u32, len: (end - at) as u32 };
                        present |= 1 << slot;
                    }
                    at = end;
                }
                Leads::End => break,
            }
        }
        if high != 0 && std::str::from_utf8(&bytes[start..at]).is_err() {
            return Outcome::Careful;
        }
        Outcome::Record { end: at, present }
    }

    /// The remembered piece that followed `node` before and stands in `window` now.
    #[inline(always)]
    fn predicted<C: Cpu>(&self, cpu: C, node: u32, window: &[u8; MOST_PIECE]) -> Option<u32> {
        let [first, second] = window.as_chunks::<BLOCK>().0 else { return None };
        for &next in &self.nodes[node as usize].next {
            if next == NONE {
                return None;
            }
            let known = &self.nodes[next as usize];
            let [a, b] = known.literal.as_chunks::<BLOCK>().0 else { return None };
            if !cpu.equal(first, a) & known.mask[0] == 0
                && (known.mask[1] == 0 || !cpu.equal(second, b) & known.mask[1] == 0)
            {
                return Some(next);
            }
        }
        None
    }

    /// Parses the piece at `at`, which did not follow `node` before, and remembers it.
    #[cold]
    #[inline(never)]
    fn unknown(&mut self, bytes: &[u8], at: usize, node: u32) -> Met {
        let place = self.nodes[node as usize].place;
        let (frames, text) = &self.places[place as usize];
        let mut frames = frames.clone();
        let piece = match piece::parse(&self.keys, &mut frames, *text, bytes, at) {
            piece::Met::Piece(piece) => piece,
            piece::Met::Blank(end) => return Met::Blank(end),
            piece::Met::Careful => return Met::Careful,
        };
        let literal = &bytes[at..at + piece.len];
        let after = (frames, piece.leads == Leads::Text);
        let known = self.by_bytes.get(&(place, literal.to_vec())).copied();
        let next = match known {
            Some(next) => next,
            None => self.remember(place, literal, &piece, after),
        };
        if node != PASSING && next != PASSING {
            let followers = &mut self.nodes[node as usize].next;
            // The newest takes the place of the last, if all are taken.
            let free = followers.iter().position(|f| *f == NONE).unwrap_or(FOLLOWERS - 1);
            followers[free] = next;
        }
        Met::Node(next)
    }

    fn remember(&mut self, place: u32, literal: &[u8], piece: &Piece, after: (Vec<Frame>, bool)) -> u32 {
        let room = self.nodes.len() < MOST_NODES && self.places.len() < MOST_NODES;
        let after = match self.by_place.get(&after) {
            Some(after) => *after,
            None if room => {
                let id = self.places.len() as u32;
                self.places.push(after.clone());
                self.by_place.insert(after, id);
                id
            }
            // A place of its own for the moment, behind all that are remembered.
            None => {
                self.places.truncate(MOST_NODES);
                self.places.push(after);
                self.places.len() as u32 - 1
            }
        };
        let mut node = Node {
            literal: [0; MOST_PIECE],
            mask: [0; 2],
            len: piece.len as u32,
            leads: piece.leads,
            slot: piece.slot.unwrap_or(MOST_SLOTS) as u8,
            sets: piece.sets,
            place: after,
            next: [NONE; FOLLOWERS],
        };
        if !room || literal.len() > MOST_PIECE {
            self.nodes[PASSING as usize] = node;
            return PASSING;
        }
        node.literal[..literal.len()].copy_from_slice(literal);
        let mask = if literal.len() == MOST_PIECE { u64::MAX } else { (1 << literal.len()) - 1 };
        node.mask = [mask as u32, (mask >> 32) as u32];
        let id = self.nodes.len() as u32;
        self.nodes.push(node);
        self.by_bytes.insert((place, literal.to_vec()), id);
        id
    }
}

/// What stands where no known piece does.
enum Met {
    Node(u32),
    Blank(usize),
    Careful,
}

//! One record of any shape, walked from its first byte to its newline.
//!
//! Everything is checked here by RFC 8259, and UTF-8. Where in doubt, the walk gives up, and the
//! record is one for the exact reader.

use super::keys::{HEAD, KeyTable, NO_LIST, Wants, WantsKind};
use super::value::{self, Texts};
use super::{MOST_SLOTS, OWN_BYTES, STRANGER};
use crate::simd::{BLOCK, ByteSpan, Cpu, PaddedInput, VALUES, Work};
use std::ops::Range;

/// How deep containers may nest: as deep as the exact reader lets them.
const MOST_DEPTH: usize = 127;
/// In the place of an object's list: an array.
const ARRAY: u8 = NO_LIST - 1;

/// What a record holds, by slot.
#[derive(Debug, Clone)]
pub(super) struct Scanned {
    /// Where the values are: in the input or, where they were spelled anew, in the scratch.
    pub(super) spans: [ByteSpan; VALUES],
    /// The slots that have a value.
    pub(super) present: u64,
    pub(super) scratch: Vec<u8>,
    /// Whether another record can be told to be like this one ([`super::shape`]).
    pub(super) learnable: bool,
    /// The scalar values that may differ in a record like this one. Kept only if that was asked.
    pub(super) values: Vec<ScannedValue>,
    /// The slots whose texts are part of what the record looks like.
    telling: u64,
}

/// What a [`ScannedValue`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ScalarKind {
    /// A text without escapes.
    Text,
    Number,
    /// Part of what the record looks like: `true`, `false`, `null`, or a text that tells something.
    Word,
    /// All texts of a list, without its brackets; the last is in this place.
    Texts(u8),
    /// Any of these but a list: with its quotes, if it is a text.
    Any,
}

/// A scalar value, by its place.
#[derive(Debug, Clone, Copy)]
pub(super) struct ScannedValue {
    /// Without the quotes.
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) kind: ScalarKind,
    /// The slot that it fills, or [`MOST_SLOTS`].
    pub(super) slot: usize,
    /// Whether nobody asks what it is, nor whether there is one.
    pub(super) is_aside: bool,
}

impl ScannedValue {
    /// All of it, with its quotes.
    pub(super) fn whole(&self) -> Range<usize> {
        match self.kind {
            ScalarKind::Text => self.start - 1..self.end + 1,
            _ => self.start..self.end,
        }
    }
}

impl Scanned {
    pub(super) fn new(telling: u64) -> Scanned {
        Scanned {
            spans: [ByteSpan::default(); VALUES],
            present: 0,
            scratch: vec![0; OWN_BYTES],
            learnable: false,
            values: Vec::new(),
            telling,
        }
    }
}

/// Walks the record at `start`; where its line ends. Nothing if it is one for the exact reader.
pub(super) struct RecordWalk<'a> {
    pub(super) keys: &'a KeyTable,
    pub(super) input: PaddedInput<'a>,
    pub(super) start: usize,
    /// Whether somebody wants to learn from the record.
    pub(super) learn: bool,
    pub(super) found: &'a mut Scanned,
}

impl Work for RecordWalk<'_> {
    type Output = Option<usize>;

    #[inline(always)]
    fn run<C: Cpu>(self, cpu: C) -> Option<usize> {
        let RecordWalk { keys, input, start, learn, found } = self;
        let Scanned { spans, scratch, values, telling, .. } = found;
        scratch.truncate(OWN_BYTES);
        values.clear();
        let mut walker = Walker {
            cpu,
            keys,
            input,
            at: start,
            high: 0,
            given: 0,
            present: 0,
            wrong: 0,
            learnable: learn,
            telling: *telling,
            spans,
            scratch,
            values,
        };
        let end = walker.record();
        let (high, present, learnable) = (walker.high, walker.present, walker.learnable);
        let end = end?;
        if high != 0 {
            std::str::from_utf8(&input.bytes()[start..end]).ok()?;
        }
        (found.present, found.learnable) = (present, learnable);
        Some(end)
    }
}

/// The state of a walk. What the methods that are not inlined get is never all of it, so that most
/// of it stays in registers.
struct Walker<'a, C> {
    cpu: C,
    keys: &'a KeyTable,
    input: PaddedInput<'a>,
    at: usize,
    /// Not zero if a text had bytes of 0x80 and above, or what is near to it.
    high: u32,
    /// The slots whose keys were met.
    given: u64,
    /// The slots that have a value.
    present: u64,
    /// The slots that hold containers.
    wrong: u64,
    learnable: bool,
    telling: u64,
    spans: &'a mut [ByteSpan; VALUES],
    scratch: &'a mut Vec<u8>,
    values: &'a mut Vec<ScannedValue>,
}

impl<'a, C: Cpu> Walker<'a, C> {
    #[inline(always)]
    fn byte(&self) -> Option<u8> {
        self.input.bytes().get(self.at).copied()
    }

    /// The next byte that is not white space, but for newlines.
    #[inline(always)]
    fn solid(&mut self) -> Option<u8> {
        loop {
            let byte = self.byte()?;
            // Mostly there is none, and one comparison shows it.
            if byte > b' ' || !matches!(byte, b' ' | b'\t' | b'\r') {
                return Some(byte);
            }
            self.at += 1;
        }
    }

    /// From the record's first byte to its newline; where that ends.
    #[inline(always)]
    fn record(&mut self) -> Option<usize> {
        if self.solid()? != b'{' {
            return None;
        }
        self.tree()?;
        // A container is a value of a key that is not known, but not of one that is.
        self.present |= self.wrong & STRANGER;
        // Only white space may follow.
        if self.wrong & !STRANGER != 0 || self.solid()? != b'\n' {
            return None;
        }
        Some(self.at + 1)
    }

    /// The record, from its first byte to its last.
    #[inline(always)]
    fn tree(&mut self) -> Option<()> {
        // The lists of the containers around, and of the one that the walk is in.
        let mut stack = [0u8; MOST_DEPTH + 1];
        let mut depth = 0;
        let mut list = NO_LIST;
        // What the value that comes next is wanted for.
        let mut wants = &Wants::ROOT;
        let mut byte = self.byte()?;
        loop {
            match byte {
                b'"' => self.text(wants)?,
                b'0'..=b'9' | b'-' => self.number(wants)?,
                b'[' if matches!(wants.kind, WantsKind::Texts(_)) => self.texts(wants)?,
                b'{' | b'[' => {
                    self.wrong |= wants.slot;
                    depth += 1;
                    *stack.get_mut(depth)? = list;
                    list = if byte == b'{' { wants.list } else { ARRAY };
                    self.at += 1;
                    let first = self.solid()?;
                    // Two behind the opening, in ASCII, is the closing, which is passed below.
                    if first != byte + 2 {
                        if list == ARRAY {
                            (wants, byte) = (&Wants::NOTHING, first);
                        } else {
                            (wants, byte) = self.key(first, list)?;
                        }
                        continue;
                    }
                }
                b'n' => {
                    let start = self.at;
                    self.word(b"null")?;
                    if self.learnable && wants.is_aside() {
                        self.keep(wants, start, self.at, ScalarKind::Word);
                    }
                }
                b't' | b'f' => {
                    let start = self.at;
                    self.word(if byte == b't' { b"true" } else { b"false" })?;
                    self.fill(wants, start, self.at, ScalarKind::Word);
                }
                _ => return None,
            }
            // Behind a value: the ends of containers, or a comma. Mostly the next key follows at once.
            loop {
                if list != ARRAY && self.input.pair(self.at)? == *b",\"" {
                    self.at += 1;
                    (wants, byte) = self.key(b'"', list)?;
                    break;
                }
                let end = self.solid()?;
                self.at += 1;
                if end == b',' {
                    let first = self.solid()?;
                    if list == ARRAY {
                        (wants, byte) = (&Wants::NOTHING, first);
                    } else {
                        (wants, byte) = self.key(first, list)?;
                    }
                    break;
                }
                if end != if list == ARRAY { b']' } else { b'}' } {
                    return None;
                }
                list = *stack.get(depth)?;
                depth -= 1;
                if depth == 0 {
                    return Some(());
                }
            }
        }
    }

    /// Passes the key that begins with this byte, and its colon: what it leads to, and the first
    /// byte behind.
    #[inline(always)]
    fn key(&mut self, first: u8, list: u8) -> Option<(&'a Wants, u8)> {
        if first != b'"' {
            return None;
        }
        let start = self.at + 1;
        let block = self.input.block(start)?;
        let (end, plain) = self.text_end(start, block)?;
        self.at = end + 1;
        let wants = if !plain {
            self.learnable = false;
            let key = &self.input.bytes()[start..end];
            escaped_key(self.keys, self.scratch, list, key)?
        } else if end - start <= HEAD {
            self.keys.short(list, block, end - start)
        } else {
            self.keys.long(list, &self.input.bytes()[start..end])
        };
        // Of two equal keys the last counts: all of it.
        let slots = wants.slot | wants.below;
        if self.given & slots != 0 {
            rare();
            // Another key may be a stranger, too.
            if slots & STRANGER != 0 {
                return None;
            }
            self.learnable = false;
            self.present &= !slots;
            self.wrong &= !slots;
        }
        self.given |= wants.slot & !STRANGER;
        if wants.kind != WantsKind::Usual {
            return self.list_value(wants);
        }
        // Mostly without white space.
        let [colon, value] = self.input.pair(self.at)?;
        if colon == b':' && value > b' ' {
            self.at += 1;
            return Some((wants, value));
        }
        if self.solid()? != b':' {
            return None;
        }
        self.at += 1;
        Some((wants, self.solid()?))
    }

    /// The same behind the key of a list of texts. Anything but a list is for the exact reader.
    #[cold]
    fn list_value(&mut self, wants: &'a Wants) -> Option<(&'a Wants, u8)> {
        if self.solid()? != b':' || wants.kind == WantsKind::Exact {
            return None;
        }
        self.given |= wants.below;
        self.at += 1;
        let value = self.solid()?;
        matches!(value, b'[' | b'n').then_some((wants, value))
    }

    /// Passes a list of texts. The spans of the first and the last are in these places.
    #[inline(always)]
    fn texts(&mut self, wants: &Wants) -> Option<()> {
        let WantsKind::Texts(last) = wants.kind else { return None };
        let places = [wants.place, last];
        let start = self.at + 1;
        self.at = start;
        if self.byte()? != b']' {
            self.at = self.cpu.apart(Texts { input: self.input, start, places, spans: self.spans })?;
            self.present |= (1 << places[0]) | (1 << places[1]);
            if self.learnable {
                let (kind, slot) = (ScalarKind::Texts(places[1]), usize::from(places[0]));
                keep(self.values, ScannedValue { start, end: self.at, kind, slot, is_aside: false });
            }
        }
        self.at += 1;
        Some(())
    }

    /// Where the text ends whose first block this is, and whether it has no escapes.
    #[inline(always)]
    fn text_end(&mut self, start: usize, mut block: &'a [u8; BLOCK]) -> Option<(usize, bool)> {
        let mut at = start;
        loop {
            let stops = self.cpu.stops(block);
            let first = stops.trailing_zeros() as usize;
            // Without a stop this is the first byte, which is not a quote.
            if block[first % BLOCK] == b'"' {
                return Some((at + first, true));
            }
            if stops != 0 {
                break;
            }
            at += BLOCK;
            block = self.input.block(at)?;
        }
        let (end, plain, high) = self.cpu.apart(OddText { input: self.input, at })?;
        self.high |= high;
        Some((end, plain))
    }

    /// Passes a text.
    #[inline(always)]
    fn text(&mut self, wants: &Wants) -> Option<()> {
        let start = self.at + 1;
        let block = self.input.block(start)?;
        let (end, plain) = self.text_end(start, block)?;
        self.at = end + 1;
        if !plain {
            self.learnable = false;
            let text = &self.input.bytes()[start..end];
            self.spans[usize::from(wants.place)] = escaped_text(self.scratch, text)?;
            self.present |= wants.slot;
            return Some(());
        }
        self.spans[usize::from(wants.place)] = ByteSpan::of_input(start, end - start);
        // A mapped text that is empty is nothing, as `null` is: part of what the record looks like.
        let is_empty = start == end;
        self.present |= if is_empty { 0 } else { wants.slot };
        if self.learnable && !(is_empty && wants.slot != 0) {
            let tells = self.telling & wants.slot != 0;
            self.keep(wants, start, end, if tells { ScalarKind::Word } else { ScalarKind::Text });
        }
        Some(())
    }

    #[inline(always)]
    fn number(&mut self, wants: &Wants) -> Option<()> {
        let start = self.at;
        self.at = value::number(self.cpu, self.input, start)?;
        self.fill(wants, start, self.at, ScalarKind::Number);
        Some(())
    }

    #[inline(always)]
    fn word(&mut self, word: &[u8]) -> Option<()> {
        if !self.input.bytes()[self.at..].starts_with(word) {
            return None;
        }
        self.at += word.len();
        Some(())
    }

    #[inline(always)]
    fn fill(&mut self, wants: &Wants, start: usize, end: usize, kind: ScalarKind) {
        self.spans[usize::from(wants.place)] = ByteSpan::of_input(start, end - start);
        self.present |= wants.slot;
        if self.learnable {
            let tells = self.telling & wants.slot != 0;
            self.keep(wants, start, end, if tells { ScalarKind::Word } else { kind });
        }
    }

    /// Keeps a value for the one who learns from it.
    #[inline(always)]
    fn keep(&mut self, wants: &Wants, start: usize, end: usize, kind: ScalarKind) {
        let slot = usize::from(wants.place).min(MOST_SLOTS);
        keep(self.values, ScannedValue { start, end, kind, slot, is_aside: wants.is_aside() });
    }
}

/// Looks for the end of a text that has escapes or high bytes, from a place before them on: where it is,
/// whether it has no escapes, and what is not zero if it may have high bytes.
struct OddText<'a> {
    input: PaddedInput<'a>,
    at: usize,
}

impl Work for OddText<'_> {
    type Output = Option<(usize, bool, u32)>;

    #[inline(always)]
    fn run<C: Cpu>(self, cpu: C) -> Self::Output {
        let OddText { input, mut at } = self;
        let (mut plain, mut all) = (true, 0);
        loop {
            let (marks, high) = cpu.marks(input.block(at)?);
            all |= high;
            if marks == 0 {
                at += BLOCK;
                continue;
            }
            at += marks.trailing_zeros() as usize;
            match input.bytes()[at] {
                b'"' => return Some((at, plain, all)),
                b'\\' => plain = false,
                _ => return None,
            }
            // The byte behind a backslash is part of the escape, a mark or not.
            at += 2;
        }
    }
}

/// Where this is called, the compiler takes the branch for one that is rarely taken.
#[cold]
pub(super) fn rare() {}

#[cold]
#[inline(never)]
fn keep(values: &mut Vec<ScannedValue>, value: ScannedValue) {
    values.push(value);
}

/// What a key that has escapes leads to.
#[cold]
#[inline(never)]
fn escaped_key<'a>(keys: &'a KeyTable, scratch: &mut Vec<u8>, list: u8, key: &[u8]) -> Option<&'a Wants> {
    let kept = scratch.len();
    value::respell(key, scratch)?;
    let wants = match &scratch[kept..] {
        // What still has escapes has characters that no mapped key has.
        spelled if memchr::memchr(b'\\', spelled).is_some() => keys.unknown(list),
        spelled if spelled.len() > HEAD => keys.long(list, spelled),
        spelled => {
            let mut block = [0; BLOCK];
            block[..spelled.len()].copy_from_slice(spelled);
            keys.short(list, &block, spelled.len())
        }
    };
    scratch.truncate(kept);
    Some(wants)
}

/// Keeps a text that has escapes, spelled as the output spells it.
#[cold]
#[inline(never)]
fn escaped_text(scratch: &mut Vec<u8>, text: &[u8]) -> Option<ByteSpan> {
    let kept = scratch.len();
    value::respell(text, scratch)?;
    Some(ByteSpan::of_scratch(kept, scratch.len() - kept))
}

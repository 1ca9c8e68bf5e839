//! One record of any shape, walked from its first byte to its newline.
//!
//! Everything is checked here by RFC 8259, and UTF-8. Where in doubt, the walk gives up, and the
//! record is one for the exact reader.

use super::keys::{Keys, NO_LIST, Wants};
use super::value;
use super::{MOST_SLOTS, OWN_BYTES};
use crate::raw::{BLOCK, Cpu, Input, Span, VALUES};

/// How deep containers may nest: as deep as the exact reader lets them.
const MOST_DEPTH: usize = 127;
/// In the place of an object's list: an array.
const ARRAY: u8 = NO_LIST - 1;

/// What a record holds, by slot.
#[derive(Debug, Clone)]
pub(super) struct Found {
    /// Where the values are: in the input or, where they were spelled anew, in the scratch.
    pub(super) spans: [Span; VALUES],
    /// The slots that have a value.
    pub(super) present: u64,
    pub(super) scratch: Vec<u8>,
    /// Whether another record can be told to be like this one ([`super::shape`]).
    pub(super) learnable: bool,
    /// The scalar values that may differ in a record like this one. Kept only if that was asked.
    pub(super) values: Vec<Value>,
}

/// What a [`Value`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A text without escapes.
    Text,
    Number,
    /// `true` or `false`, part of what the record looks like.
    Word,
}

/// A scalar value, where it stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Value {
    /// Without the quotes.
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) kind: Kind,
    /// The slot that it fills, or [`MOST_SLOTS`].
    pub(super) slot: usize,
}

impl Value {
    /// Whether its length may differ from record to record.
    pub(super) fn varies(&self) -> bool {
        self.kind != Kind::Word
    }
}

impl Default for Found {
    fn default() -> Found {
        Found {
            spans: [Span::default(); VALUES],
            present: 0,
            scratch: vec![0; OWN_BYTES],
            learnable: false,
            values: Vec::new(),
        }
    }
}

/// Walks the record at `start`; where its line ends. Nothing if it is one for the exact reader.
#[inline(always)]
pub(super) fn walk<C: Cpu>(
    cpu: C,
    keys: &Keys,
    input: Input<'_>,
    start: usize,
    learn: bool,
    found: &mut Found,
) -> Option<usize> {
    found.present = 0;
    found.scratch.truncate(OWN_BYTES);
    found.values.clear();
    found.learnable = learn;
    let bytes = input.bytes();
    let mut walk = Walk { cpu, keys, input, bytes, at: start, high: 0, given: 0, wrong: 0, found };
    walk.space();
    if walk.byte()? != b'{' {
        return None;
    }
    walk.values()?;
    if walk.wrong != 0 {
        return None;
    }
    // Only white space may follow.
    walk.space();
    if walk.byte()? != b'\n' {
        return None;
    }
    let end = walk.at + 1;
    if walk.high != 0 {
        found.learnable = false;
        std::str::from_utf8(&bytes[start..end]).ok()?;
    }
    Some(end)
}

struct Walk<'a, C> {
    cpu: C,
    keys: &'a Keys,
    input: Input<'a>,
    bytes: &'a [u8],
    at: usize,
    /// Not zero once a text had bytes of 0x80 and above.
    high: u32,
    /// The slots whose keys were met.
    given: u64,
    /// The slots that hold containers.
    wrong: u64,
    found: &'a mut Found,
}

impl<C: Cpu> Walk<'_, C> {
    #[inline(always)]
    fn byte(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    /// Passes white space, but for newlines.
    #[inline(always)]
    fn space(&mut self) {
        // Mostly there is none, and one comparison shows it.
        while let Some(byte) = self.byte()
            && byte <= b' '
            && matches!(byte, b' ' | b'\t' | b'\r')
        {
            self.at += 1;
        }
    }

    /// The record, from its first byte to its last.
    #[inline(always)]
    fn values(&mut self) -> Option<()> {
        let mut stack = [0u8; MOST_DEPTH + 1];
        let mut depth = 0;
        // What the value that comes next is wanted for.
        let mut wants = Wants::List(0);
        loop {
            let slot = if let Wants::Slot(slot) = wants { usize::from(slot) } else { MOST_SLOTS };
            match self.byte()? {
                b'"' => self.text(slot)?,
                b'{' => {
                    let list = if let Wants::List(list) = wants { list } else { NO_LIST };
                    depth = self.open(&mut stack, depth, list, slot)?;
                    if self.byte()? == b'}' {
                        self.at += 1;
                        depth -= 1;
                    } else {
                        wants = self.key(list)?;
                        continue;
                    }
                }
                b'[' => {
                    depth = self.open(&mut stack, depth, ARRAY, slot)?;
                    if self.byte()? == b']' {
                        self.at += 1;
                        depth -= 1;
                    } else {
                        wants = Wants::Nothing;
                        continue;
                    }
                }
                b'n' => self.word(b"null")?,
                byte @ (b't' | b'f') => {
                    let start = self.at;
                    self.word(if byte == b't' { b"true" } else { b"false" })?;
                    if slot < MOST_SLOTS {
                        self.fill(slot, start, self.at);
                        self.keep(start, self.at, Kind::Word, slot);
                    }
                }
                _ => self.number(slot)?,
            }
            // Behind a value: the ends of containers, or a comma.
            loop {
                if depth == 0 {
                    return Some(());
                }
                self.space();
                let byte = self.byte()?;
                self.at += 1;
                let list = stack[depth];
                match byte {
                    b',' => {
                        self.space();
                        wants = if list == ARRAY { Wants::Nothing } else { self.key(list)? };
                        break;
                    }
                    b'}' if list != ARRAY => depth -= 1,
                    b']' if list == ARRAY => depth -= 1,
                    _ => return None,
                }
            }
        }
    }

    /// Goes into a container.
    #[inline(always)]
    fn open(
        &mut self,
        stack: &mut [u8; MOST_DEPTH + 1],
        depth: usize,
        list: u8,
        slot: usize,
    ) -> Option<usize> {
        if slot < MOST_SLOTS {
            self.wrong |= 1 << slot;
        }
        *stack.get_mut(depth + 1)? = list;
        self.at += 1;
        self.space();
        Some(depth + 1)
    }

    /// Passes a key and its colon.
    #[inline(always)]
    fn key(&mut self, list: u8) -> Option<Wants> {
        if self.byte()? != b'"' {
            return None;
        }
        let start = self.at + 1;
        let mark = self.mark(start)?;
        let end = self.text_end(mark)?;
        self.at = end + 1;
        let wants = if mark == end {
            self.keys.find(list, self.bytes, start, end)
        } else {
            self.escaped_key(list, start, end)?
        };
        match wants {
            Wants::Nothing => {}
            // Of two equal keys the last counts: all of it.
            Wants::Slot(slot) => {
                self.forget(1 << slot);
                self.given |= 1 << slot;
            }
            Wants::List(list) => self.forget(self.keys.below(list)),
            Wants::Exact => return None,
        }
        self.space();
        if self.byte()? != b':' {
            return None;
        }
        self.at += 1;
        self.space();
        Some(wants)
    }

    /// Forgets what was found for these slots, if their keys were met.
    #[inline(always)]
    fn forget(&mut self, slots: u64) {
        if self.given & slots != 0 {
            self.found.learnable = false;
            self.found.present &= !slots;
            self.wrong &= !slots;
        }
    }

    /// Where the first mark at or behind `at` is.
    #[inline(always)]
    fn mark(&mut self, mut at: usize) -> Option<usize> {
        loop {
            let (marks, high) = self.cpu.marks(self.input.block(at)?);
            if marks != 0 {
                self.high |= high & (marks - 1) & !marks;
                return Some(at + marks.trailing_zeros() as usize);
            }
            self.high |= high;
            at += BLOCK;
        }
    }

    /// Where the closing quote of a text is whose first mark is at `mark`.
    #[inline(always)]
    fn text_end(&mut self, mut mark: usize) -> Option<usize> {
        loop {
            match self.bytes[mark] {
                b'"' => return Some(mark),
                // The byte behind a backslash is part of the escape, a mark or not.
                b'\\' => mark = self.mark(mark + 2)?,
                _ => return None,
            }
        }
    }

    /// What a key that has escapes leads to.
    #[cold]
    #[inline(never)]
    fn escaped_key(&mut self, list: u8, start: usize, end: usize) -> Option<Wants> {
        let key = &self.bytes[start..end];
        self.found.learnable = false;
        let kept = self.found.scratch.len();
        value::respell(key, &mut self.found.scratch)?;
        let len = self.found.scratch.len() - kept;
        // What still has escapes has characters that no wanted key has.
        let spelled = &self.found.scratch[kept..];
        let wants = if list == NO_LIST || memchr::memchr(b'\\', spelled).is_some() {
            Wants::Nothing
        } else {
            self.found.scratch.extend_from_slice(&[0; 16]);
            self.keys.find(list, &self.found.scratch, kept, kept + len)
        };
        self.found.scratch.truncate(kept);
        Some(wants)
    }

    /// Passes a text.
    #[inline(always)]
    fn text(&mut self, slot: usize) -> Option<()> {
        let start = self.at + 1;
        let mark = self.mark(start)?;
        let end = self.text_end(mark)?;
        self.at = end + 1;
        if mark != end {
            return self.escaped_text(slot, start, end);
        }
        if slot < MOST_SLOTS {
            if start < end {
                self.fill(slot, start, end);
            } else {
                // Nothing, as `null` is: part of what the record looks like.
                return Some(());
            }
        }
        self.keep(start, end, Kind::Text, slot);
        Some(())
    }

    /// Keeps a text that has escapes.
    #[cold]
    #[inline(never)]
    fn escaped_text(&mut self, slot: usize, start: usize, end: usize) -> Option<()> {
        self.found.learnable = false;
        let scratch = &mut self.found.scratch;
        let kept = scratch.len();
        value::respell(&self.bytes[start..end], scratch)?;
        if slot == MOST_SLOTS {
            scratch.truncate(kept);
            return Some(());
        }
        let len = scratch.len() - kept;
        self.found.spans[slot] = Span::of_scratch(kept, len);
        self.found.present |= 1 << slot;
        Some(())
    }

    #[inline(always)]
    fn number(&mut self, slot: usize) -> Option<()> {
        let start = self.at;
        self.at = value::number(self.cpu, self.input, start)?;
        if slot < MOST_SLOTS {
            self.fill(slot, start, self.at);
        }
        self.keep(start, self.at, Kind::Number, slot);
        Some(())
    }

    #[inline(always)]
    fn word(&mut self, word: &[u8]) -> Option<()> {
        if !self.bytes[self.at..].starts_with(word) {
            return None;
        }
        self.at += word.len();
        Some(())
    }

    #[inline(always)]
    fn fill(&mut self, slot: usize, start: usize, end: usize) {
        self.found.spans[slot] = Span::of_input(start, end - start);
        self.found.present |= 1 << slot;
    }

    /// Keeps a value for the one who learns from it.
    #[inline(always)]
    fn keep(&mut self, start: usize, end: usize, kind: Kind, slot: usize) {
        if self.found.learnable {
            self.found.values.push(Value { start, end, kind, slot });
        }
    }
}

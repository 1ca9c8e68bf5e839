//! The bytes that are read, and where in them things are.

use super::cpu::{BLOCK, Cpu, Pattern, WIDE};

/// Bytes of which whole blocks can be read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PaddedInput<'a> {
    pub(super) bytes: &'a [u8],
    /// The place before which a wide block begins.
    pub(super) end: usize,
}

impl<'a> PaddedInput<'a> {
    /// The first 2 GiB of `bytes`, so that a [`ByteSpan`] can say where things are.
    pub(crate) fn new(bytes: &'a [u8]) -> PaddedInput<'a> {
        let bytes = &bytes[..bytes.len().min(i32::MAX as usize)];
        PaddedInput { bytes, end: bytes.len().saturating_sub(WIDE - 1) }
    }

    /// All of it.
    #[inline(always)]
    pub(crate) fn bytes(self) -> &'a [u8] {
        self.bytes
    }

    /// The block that begins at `at`; nothing if a wide one would reach behind the end.
    #[inline(always)]
    pub(crate) fn block(self, at: usize) -> Option<&'a [u8; BLOCK]> {
        self.wide(at).map(|wide| &wide.as_chunks::<BLOCK>().0[0])
    }

    /// The wide block that begins at `at`; nothing if it would reach behind the end.
    #[inline(always)]
    pub(crate) fn wide(self, at: usize) -> Option<&'a [u8; WIDE]> {
        if at >= self.end {
            return None;
        }
        // SAFETY: `at < self.end`, so that `at + WIDE` is at most the length of the bytes.
        Some(unsafe { &*self.bytes.as_ptr().add(at).cast::<[u8; WIDE]>() })
    }

    /// Whether the wide blocks from `at` on are as these patterns have them.
    #[inline(always)]
    pub(crate) fn is<C: Cpu>(self, cpu: C, mut at: usize, patterns: &[Pattern]) -> bool {
        if at >= self.end || self.end - at <= WIDE * patterns.len().saturating_sub(1) {
            return false;
        }
        for pattern in patterns {
            // SAFETY: the last of the blocks begins before `self.end`, so that it ends within the bytes.
            let block = unsafe { &*self.bytes.as_ptr().add(at).cast::<[u8; WIDE]>() };
            if cpu.differs(block, pattern) {
                return false;
            }
            at += WIDE;
        }
        true
    }
}

/// Where a text is: in the input, or in a scratch next to it.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct ByteSpan {
    /// The top bit says which.
    pub(super) start: u32,
    pub(super) len: u32,
}

pub(super) const IN_SCRATCH: u32 = 1 << 31;

impl ByteSpan {
    /// `start..start + len` of the input.
    #[inline(always)]
    pub(crate) fn of_input(start: usize, len: usize) -> ByteSpan {
        ByteSpan { start: start as u32, len: len as u32 }
    }

    /// `start..start + len` of the scratch.
    #[inline(always)]
    pub(crate) fn of_scratch(start: usize, len: usize) -> ByteSpan {
        ByteSpan { start: start as u32 | IN_SCRATCH, len: len as u32 }
    }

    /// The block of the input that begins with the text.
    #[inline(always)]
    pub(crate) fn block<'a>(self, input: PaddedInput<'a>) -> Option<&'a [u8; BLOCK]> {
        // What lies in the scratch is behind the end of any input.
        input.block(self.start as usize)
    }

    /// The text.
    #[inline(always)]
    pub(crate) fn text<'a>(self, input: PaddedInput<'a>, scratch: &'a [u8]) -> &'a [u8] {
        self.text_behind(input, 0, scratch)
    }

    /// The text, where only what is behind `skipped` bytes of the scratch is at hand.
    #[inline(always)]
    pub(crate) fn text_behind<'a>(
        self,
        input: PaddedInput<'a>,
        skipped: usize,
        scratch: &'a [u8],
    ) -> &'a [u8] {
        let (from, start) = match self.start & IN_SCRATCH {
            0 => (input.bytes, self.start as usize),
            _ => (scratch, (self.start & !IN_SCRATCH) as usize - skipped),
        };
        &from[start..start + self.len as usize]
    }
}

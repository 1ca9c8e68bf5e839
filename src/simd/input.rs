//! The bytes that are read, and where in them things are.

use super::cpu::{BLOCK, Cpu, Pattern, WIDE, WidePattern};

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

    /// Says that what is at `at` will be read soon.
    #[inline(always)]
    pub(crate) fn fetch(self, at: usize) {
        #[cfg(target_arch = "x86_64")]
        if at < self.end {
            use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
            // SAFETY: all of these lines begin in the bytes, or at most as far behind them.
            unsafe {
                let line = self.bytes.as_ptr().add(at).cast::<i8>();
                _mm_prefetch(line, _MM_HINT_T0);
                _mm_prefetch(line.wrapping_add(64), _MM_HINT_T0);
                _mm_prefetch(line.wrapping_add(128), _MM_HINT_T0);
                _mm_prefetch(line.wrapping_add(192), _MM_HINT_T0);
            }
        }
        #[cfg(not(target_arch = "x86_64"))]
        let _ = at;
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

    /// The two bytes at `at`; nothing if a wide block there would reach behind the end.
    #[inline(always)]
    pub(crate) fn pair(self, at: usize) -> Option<[u8; 2]> {
        self.wide(at).map(|wide| [wide[0], wide[1]])
    }

    /// Whether what is at `at` is as the pattern has it.
    #[inline(always)]
    pub(crate) fn is<C: Cpu>(self, cpu: C, mut at: usize, pattern: &Pattern) -> bool {
        // As many blocks as are compared by code of their own.
        const MOST: usize = 8;
        let (mut patterns, mut left) = (pattern.wide.as_ptr(), pattern.blocks);
        // SAFETY: a pattern has a wide one for every two of its blocks, rounded up, and `left` of the
        // blocks are those from `patterns` on.
        unsafe {
            if left == 1 {
                return self.is_known::<C, 1>(cpu, at, patterns);
            }
            while left > MOST {
                if !self.is_known::<C, MOST>(cpu, at, patterns) {
                    return false;
                }
                (at, patterns, left) = (at + MOST * BLOCK, patterns.add(MOST / 2), left - MOST);
            }
            match left {
                1 => self.is_known::<C, 1>(cpu, at, patterns),
                2 => self.is_known::<C, 2>(cpu, at, patterns),
                3 => self.is_known::<C, 3>(cpu, at, patterns),
                4 => self.is_known::<C, 4>(cpu, at, patterns),
                5 => self.is_known::<C, 5>(cpu, at, patterns),
                6 => self.is_known::<C, 6>(cpu, at, patterns),
                7 => self.is_known::<C, 7>(cpu, at, patterns),
                8 => self.is_known::<C, 8>(cpu, at, patterns),
                _ => true,
            }
        }
    }

    /// Whether this many blocks at `at` are as the patterns have them.
    ///
    /// # Safety
    /// There are as many patterns as that takes.
    #[inline(always)]
    unsafe fn is_known<C: Cpu, const BLOCKS: usize>(
        self,
        cpu: C,
        at: usize,
        patterns: *const WidePattern,
    ) -> bool {
        // The last of the wide blocks begins before the end.
        if at >= self.end || self.end - at <= (BLOCKS.div_ceil(2) - 1) * WIDE {
            return false;
        }
        // SAFETY: all of the blocks lie in the bytes, as was just seen.
        unsafe { !cpu.differ::<BLOCKS>(self.bytes.as_ptr().add(at).cast(), patterns) }
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

    /// Adds the text to the scratch.
    pub(crate) fn add_to(self, input: PaddedInput<'_>, scratch: &mut Vec<u8>) {
        let (start, len) = ((self.start & !IN_SCRATCH) as usize, self.len as usize);
        match self.is_in_scratch() {
            true => scratch.extend_from_within(start..start + len),
            false => scratch.extend_from_slice(&input.bytes[start..start + len]),
        }
    }

    /// Whether it is in the scratch.
    #[inline(always)]
    pub(crate) fn is_in_scratch(self) -> bool {
        self.start & IN_SCRATCH != 0
    }

    /// From the quote before this text of the input to the quote behind `last`, which is the same or a later one.
    #[inline(always)]
    pub(crate) fn quoted_to(self, last: ByteSpan) -> Option<ByteSpan> {
        let start = self.start.checked_sub(1)?;
        let end = last.start.checked_add(last.len)?.checked_add(1)?;
        (end & IN_SCRATCH == 0).then_some(())?;
        Some(ByteSpan { start, len: end.checked_sub(start)? })
    }

    /// The first `len` bytes, no more than there are.
    #[inline(always)]
    pub(crate) fn cut(self, len: usize) -> ByteSpan {
        ByteSpan { len: len as u32, ..self }
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

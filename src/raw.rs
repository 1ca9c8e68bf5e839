//! The one module with `unsafe`: vector instructions and unchecked copies, behind safe functions.
//!
//! Each variant of [`Cpu`] computes the same answers; which one runs is chosen once, by
//! [`Level::best`]. The portable variant is plain Rust, so that it runs under Miri.
#![allow(unsafe_code)]

/// How many bytes are compared or copied at a time.
pub(crate) const BLOCK: usize = 32;
/// How many bytes are searched at a time: as many as a mask has bits.
pub(crate) const WIDE: usize = 64;

/// A set of vector instructions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    /// None: plain integers.
    Portable,
    /// AVX2.
    Avx2,
    /// AVX-512 with byte masks and byte compression (F, BW, VL, VBMI2).
    Avx512,
}

impl Level {
    /// The best that this machine has.
    pub(crate) fn best() -> Level {
        #[cfg(all(target_arch = "x86_64", not(miri)))]
        {
            let avx2 = is_x86_feature_detected!("avx2")
                && is_x86_feature_detected!("bmi1")
                && is_x86_feature_detected!("bmi2")
                && is_x86_feature_detected!("lzcnt")
                && is_x86_feature_detected!("popcnt");
            let avx512 = is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512bw")
                && is_x86_feature_detected!("avx512vl")
                && is_x86_feature_detected!("avx512vbmi2");
            if avx2 {
                return if avx512 { Level::Avx512 } else { Level::Avx2 };
            }
        }
        Level::Portable
    }

    /// Every level that this machine has.
    #[cfg(test)]
    pub(crate) fn all() -> Vec<Level> {
        let levels = [Level::Portable, Level::Avx2, Level::Avx512];
        levels.into_iter().filter(|level| *level <= Level::best()).collect()
    }
}

/// Which bytes of a wide block are of a kind. Bit i stands for byte i.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Masks {
    /// Quotes, backslashes, and all below 0x20: what ends or breaks a JSON string.
    pub(crate) marks: u64,
    /// Newlines.
    pub(crate) newlines: u64,
    /// Bytes of 0x80 and above.
    pub(crate) high: u64,
}

/// What the reader asks of blocks of bytes.
pub(crate) trait Cpu: Copy {
    /// Sorts the bytes of a wide block.
    fn masks(self, block: &[u8; WIDE]) -> Masks;
    /// Appends the positions of a mask's bits, each with `base` added.
    fn positions(self, mask: u64, base: u32, to: &mut Positions);
    /// Whether `a` and `b` differ in a byte where `mask` is 0xff. A mask's bytes are 0 or 0xff.
    fn differs(self, a: &[u8; BLOCK], b: &[u8; BLOCK], mask: &[u8; BLOCK]) -> bool;
    /// How many digits the block begins with.
    fn digits(self, block: &[u8; BLOCK]) -> usize;
    /// Asks for `bytes[at]`, which need not be there, to be brought near.
    fn prefetch(self, bytes: &[u8], at: usize);
}

/// A growing list of numbers, to which as many can be added at once as a mask has bits.
#[derive(Debug, Clone, Default)]
pub(crate) struct Positions {
    /// All that follows the first `len` is room.
    items: Vec<u32>,
    len: usize,
}

impl Positions {
    pub(crate) fn clear(&mut self) {
        self.len = 0;
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn as_slice(&self) -> &[u32] {
        &self.items[..self.len]
    }

    /// Appends a number, if it counts: without a branch.
    #[inline(always)]
    pub(crate) fn push_if(&mut self, counts: bool, number: u32) {
        self.room()[0] = number;
        self.len += usize::from(counts);
    }

    /// The room behind the last number.
    #[inline(always)]
    fn room(&mut self) -> &mut [u32; WIDE] {
        if self.items.len() - self.len < WIDE {
            self.grow();
        }
        match self.items[self.len..].first_chunk_mut() {
            Some(room) => room,
            None => unreachable!("made just above"),
        }
    }

    #[cold]
    #[inline(never)]
    fn grow(&mut self) {
        self.items.resize(self.items.len() * 2 + 16 * WIDE, 0);
    }
}

/// One position after the other.
#[inline(always)]
fn one_by_one(mask: u64, base: u32, to: &mut Positions) {
    let count = mask.count_ones() as usize;
    let room = to.room();
    let mut rest = mask;
    let mut next = |slot: &mut u32| {
        // Behind the last bit this is 64 and more: written into the room, and overwritten.
        *slot = base.wrapping_add(rest.trailing_zeros());
        rest &= rest.wrapping_sub(1);
    };
    room[..8].iter_mut().for_each(&mut next);
    if count > 8 {
        room[8..16].iter_mut().for_each(&mut next);
        if count > 16 {
            room[16..count].iter_mut().for_each(&mut next);
        }
    }
    to.len += count;
}

/// Plain integers, eight bytes at a time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Portable;

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = 0x8080_8080_8080_8080;

/// The top bit of each byte that is zero in `x`. Exact for every byte.
#[inline(always)]
fn zero_bytes(x: u64) -> u64 {
    !(((x & !HIGHS).wrapping_add(!HIGHS)) | x | !HIGHS)
}

/// The top bits of the eight bytes as eight bits.
#[inline(always)]
fn gather(tops: u64) -> u64 {
    // Each top bit, moved to the bottom of its byte, is multiplied into its place in the top byte.
    ((tops >> 7).wrapping_mul(0x0102_0408_1020_4080)) >> 56
}

impl Cpu for Portable {
    #[inline(always)]
    fn masks(self, block: &[u8; WIDE]) -> Masks {
        let mut masks = Masks { marks: 0, newlines: 0, high: 0 };
        for (i, bytes) in block.as_chunks::<8>().0.iter().enumerate() {
            let x = u64::from_le_bytes(*bytes);
            let quote = zero_bytes(x ^ (ONES * 0x22));
            let backslash = zero_bytes(x ^ (ONES * 0x5c));
            let control = zero_bytes(x & (ONES * 0xe0));
            masks.marks |= gather(quote | backslash | control) << (8 * i);
            let newline = zero_bytes(x ^ (ONES * 0x0a));
            if newline != 0 {
                masks.newlines |= gather(newline) << (8 * i);
            }
            masks.high |= (x & HIGHS) >> 7;
        }
        if masks.high != 0 {
            masks.high = 0;
            for (i, byte) in block.iter().enumerate() {
                masks.high |= u64::from(*byte >= 0x80) << i;
            }
        }
        masks
    }

    #[inline(always)]
    fn positions(self, mask: u64, base: u32, to: &mut Positions) {
        one_by_one(mask, base, to);
    }

    #[inline(always)]
    fn differs(self, a: &[u8; BLOCK], b: &[u8; BLOCK], mask: &[u8; BLOCK]) -> bool {
        let (a, b, mask) = (a.as_chunks::<8>().0, b.as_chunks::<8>().0, mask.as_chunks::<8>().0);
        let mut rest = 0;
        for i in 0..BLOCK / 8 {
            let word = |bytes: &[[u8; 8]]| u64::from_le_bytes(bytes[i]);
            rest |= (word(a) ^ word(b)) & word(mask);
        }
        rest != 0
    }

    #[inline(always)]
    fn prefetch(self, _: &[u8], _: usize) {}

    #[inline(always)]
    fn digits(self, block: &[u8; BLOCK]) -> usize {
        for (i, bytes) in block.as_chunks::<8>().0.iter().enumerate() {
            let x = u64::from_le_bytes(*bytes) ^ (ONES * 0x30);
            // Digits have become 0 to 9; what is more carries into the top bit, or has it.
            let others = ((x & !HIGHS).wrapping_add(ONES * (0x80 - 10)) | x) & HIGHS;
            if others != 0 {
                return 8 * i + others.trailing_zeros() as usize / 8;
            }
        }
        BLOCK
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::{BLOCK, Cpu, Masks, Positions, WIDE, one_by_one};
    use std::arch::x86_64::*;

    /// AVX2. Made only by [`super::with_cpu`], where the machine has it.
    #[derive(Debug, Clone, Copy)]
    pub(crate) struct Avx2(pub(super) ());

    /// AVX-512 F, BW, VL and VBMI2. Made only by [`super::with_cpu`], where the machine has them.
    #[derive(Debug, Clone, Copy)]
    pub(crate) struct Avx512(pub(super) ());

    /// Loads a block.
    #[inline(always)]
    fn load(block: &[u8; BLOCK]) -> __m256i {
        // SAFETY: the array has 32 readable bytes; the load needs no alignment. Callers hold an
        // `Avx2` or `Avx512`, so the machine has AVX.
        unsafe { _mm256_loadu_si256(block.as_ptr().cast()) }
    }

    /// How many digits a block begins with.
    #[inline(always)]
    fn digits(block: &[u8; BLOCK]) -> usize {
        let x = load(block);
        // SAFETY: callers hold an `Avx2` or `Avx512`, so the machine has AVX2.
        let others = unsafe {
            // '0' to '9' become 0 to 9, all others more: the larger of both is 9.
            let x = _mm256_sub_epi8(x, _mm256_set1_epi8(0x30));
            let nine = _mm256_set1_epi8(9);
            !(_mm256_movemask_epi8(_mm256_cmpeq_epi8(_mm256_max_epu8(x, nine), nine)) as u32)
        };
        others.trailing_zeros() as usize
    }

    #[inline(always)]
    fn prefetch(bytes: &[u8], at: usize) {
        // SAFETY: a prefetch reads nothing that the program can see, and any address will do.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(bytes.as_ptr().wrapping_add(at).cast()) }
    }

    impl Cpu for Avx2 {
        #[inline(always)]
        fn masks(self, block: &[u8; WIDE]) -> Masks {
            let mut masks = Masks { marks: 0, newlines: 0, high: 0 };
            for (i, half) in block.as_chunks::<BLOCK>().0.iter().enumerate() {
                let x = load(half);
                // SAFETY: an `Avx2` exists only where the machine has AVX2.
                let [marks, newlines, high] = unsafe {
                    let quote = _mm256_cmpeq_epi8(x, _mm256_set1_epi8(0x22));
                    let backslash = _mm256_cmpeq_epi8(x, _mm256_set1_epi8(0x5c));
                    // Unsigned x <= 0x1f: the larger of both is 0x1f.
                    let limit = _mm256_set1_epi8(0x1f);
                    let control = _mm256_cmpeq_epi8(_mm256_max_epu8(x, limit), limit);
                    let marks = _mm256_or_si256(_mm256_or_si256(quote, backslash), control);
                    let newline = _mm256_cmpeq_epi8(x, _mm256_set1_epi8(0x0a));
                    [marks, newline, x].map(|mask| u64::from(_mm256_movemask_epi8(mask) as u32))
                };
                masks.marks |= marks << (BLOCK * i);
                masks.newlines |= newlines << (BLOCK * i);
                masks.high |= high << (BLOCK * i);
            }
            masks
        }

        #[inline(always)]
        fn positions(self, mask: u64, base: u32, to: &mut Positions) {
            one_by_one(mask, base, to);
        }

        #[inline(always)]
        fn differs(self, a: &[u8; BLOCK], b: &[u8; BLOCK], mask: &[u8; BLOCK]) -> bool {
            // SAFETY: an `Avx2` exists only where the machine has AVX2.
            unsafe { _mm256_testz_si256(_mm256_xor_si256(load(a), load(b)), load(mask)) == 0 }
        }

        #[inline(always)]
        fn digits(self, block: &[u8; BLOCK]) -> usize {
            digits(block)
        }

        #[inline(always)]
        fn prefetch(self, bytes: &[u8], at: usize) {
            prefetch(bytes, at);
        }
    }

    impl Cpu for Avx512 {
        #[inline(always)]
        fn masks(self, block: &[u8; WIDE]) -> Masks {
            // SAFETY: an `Avx512` exists only where the machine has AVX-512 F and BW; the array has
            // 64 readable bytes, and the load needs no alignment.
            unsafe {
                let x = _mm512_loadu_si512(block.as_ptr().cast());
                Masks {
                    marks: _mm512_cmpeq_epi8_mask(x, _mm512_set1_epi8(0x22))
                        | _mm512_cmpeq_epi8_mask(x, _mm512_set1_epi8(0x5c))
                        | _mm512_cmplt_epu8_mask(x, _mm512_set1_epi8(0x20)),
                    newlines: _mm512_cmpeq_epi8_mask(x, _mm512_set1_epi8(0x0a)),
                    high: _mm512_movepi8_mask(x),
                }
            }
        }

        #[inline(always)]
        fn positions(self, mask: u64, base: u32, to: &mut Positions) {
            const IOTA: [u8; WIDE] = {
                let mut iota = [0; WIDE];
                let mut i = 0;
                while i < WIDE {
                    iota[i] = i as u8;
                    i += 1;
                }
                iota
            };
            let count = mask.count_ones() as usize;
            let [first, more @ ..] = to.room().as_chunks_mut::<16>().0 else { return };
            // SAFETY: an `Avx512` exists only where the machine has AVX-512 F, BW and VBMI2; `IOTA`
            // has 64 readable bytes and each part of the room 64 writable ones (16 numbers), and
            // neither needs alignment.
            unsafe {
                let packed = _mm512_maskz_compress_epi8(mask, _mm512_loadu_si512(IOTA.as_ptr().cast()));
                let base = _mm512_set1_epi32(base as i32);
                let put = |part: __m128i, to: &mut [u32; 16]| {
                    let positions = _mm512_add_epi32(_mm512_cvtepu8_epi32(part), base);
                    _mm512_storeu_si512(to.as_mut_ptr().cast(), positions);
                };
                put(_mm512_castsi512_si128(packed), first);
                if count > 16
                    && let [second, third, fourth] = more
                {
                    put(_mm512_extracti32x4_epi32::<1>(packed), second);
                    put(_mm512_extracti32x4_epi32::<2>(packed), third);
                    put(_mm512_extracti32x4_epi32::<3>(packed), fourth);
                }
            }
            to.len += count;
        }

        #[inline(always)]
        fn differs(self, a: &[u8; BLOCK], b: &[u8; BLOCK], mask: &[u8; BLOCK]) -> bool {
            // SAFETY: an `Avx512` exists only where the machine has AVX-512 BW and VL.
            unsafe { _mm256_test_epi8_mask(_mm256_xor_si256(load(a), load(b)), load(mask)) != 0 }
        }

        #[inline(always)]
        fn digits(self, block: &[u8; BLOCK]) -> usize {
            digits(block)
        }

        #[inline(always)]
        fn prefetch(self, bytes: &[u8], at: usize) {
            prefetch(bytes, at);
        }
    }
}

/// Work that is compiled once for each [`Cpu`].
pub(crate) trait Work {
    /// What it gives.
    type Output;
    /// Does it. Marked `inline(always)`, so that it is compiled with the caller's instructions.
    fn run<C: Cpu>(self, cpu: C) -> Self::Output;
}

/// Does `work` with the instructions of `level`, or the best below it that the machine has.
pub(crate) fn with_cpu<W: Work>(level: Level, work: W) -> W::Output {
    #[cfg(target_arch = "x86_64")]
    {
        #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi2,avx2,bmi1,bmi2,lzcnt,popcnt")]
        fn avx512<W: Work>(work: W) -> W::Output {
            work.run(x86::Avx512(()))
        }
        #[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
        fn avx2<W: Work>(work: W) -> W::Output {
            work.run(x86::Avx2(()))
        }
        match level.min(Level::best()) {
            // SAFETY: `Level::best` has found these instructions on this machine.
            Level::Avx512 => return unsafe { avx512(work) },
            // SAFETY: as above.
            Level::Avx2 => return unsafe { avx2(work) },
            Level::Portable => {}
        }
    }
    let _ = level;
    work.run(Portable)
}

/// Bytes of which whole blocks can be read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Input<'a> {
    bytes: &'a [u8],
    /// The last place at which a wide block begins.
    last: usize,
}

impl<'a> Input<'a> {
    /// Nothing if there is not even one wide block.
    pub(crate) fn new(bytes: &'a [u8]) -> Option<Input<'a>> {
        Some(Input { bytes, last: bytes.len().checked_sub(WIDE)? })
    }

    /// All of it.
    pub(crate) fn bytes(self) -> &'a [u8] {
        self.bytes
    }

    /// The last place at which a block can be read.
    pub(crate) fn last(self) -> usize {
        self.last
    }

    /// The block that begins at `at`; nothing if that is behind [`Input::last`].
    #[inline(always)]
    pub(crate) fn block(self, at: usize) -> Option<&'a [u8; BLOCK]> {
        if at > self.last {
            return None;
        }
        // SAFETY: `at + BLOCK <= self.last + WIDE`, which is the length of the bytes.
        Some(unsafe { &*self.bytes.as_ptr().add(at).cast::<[u8; BLOCK]>() })
    }
}

/// Constant pieces and, between them, values: the text of events that have the same fields.
#[derive(Debug, Clone, Default)]
pub(crate) struct Template {
    /// All constants, one after the other, and a wide block more.
    constants: Vec<u8>,
    steps: Vec<Step>,
}

/// A constant, and the value behind it.
#[derive(Debug, Clone, Copy)]
struct Step {
    start: u32,
    len: u32,
    value: u32,
}

impl Template {
    /// A constant before each value, and a last one.
    pub(crate) fn new(pieces: &[(&[u8], usize)], last: &[u8]) -> Template {
        let mut template = Template::default();
        for (constant, value) in pieces {
            let start = template.constants.len() as u32;
            template.constants.extend_from_slice(constant);
            template.steps.push(Step { start, len: constant.len() as u32, value: *value as u32 });
        }
        let start = template.constants.len() as u32;
        template.constants.extend_from_slice(last);
        template.steps.push(Step { start, len: last.len() as u32, value: 0 });
        template.constants.extend_from_slice(&[0; WIDE]);
        template
    }

    /// Appends the constants with the values between them to `out`. A value is given as the bytes
    /// from its first on, and its length: where there is a whole block of bytes, it is faster.
    #[inline(always)]
    pub(crate) fn write<'v>(&self, out: &mut Vec<u8>, value: impl Fn(usize) -> (&'v [u8], usize)) {
        let Some((last, steps)) = self.steps.split_last() else { return };
        // Room for all constants, a block for each value, and what is written past the end.
        let room = self.constants.len() + steps.len() * BLOCK + WIDE;
        out.reserve(room);
        let mut end = out.len();
        let mut to = out.as_mut_ptr();
        for step in steps {
            // SAFETY: see `constant`.
            end = unsafe { self.constant(step, to, end) };
            let (from, len) = value(step.value as usize);
            if len <= BLOCK && from.len() >= BLOCK {
                // SAFETY: a block can be read from `from`, and the room has a block for each value
                // besides the constants.
                unsafe { std::ptr::copy_nonoverlapping(from.as_ptr(), to.add(end), BLOCK) };
                end += len;
            } else {
                // SAFETY: everything up to `end` was written, and `end` is within the capacity.
                unsafe { out.set_len(end) };
                out.extend_from_slice(&from[..len]);
                // For the rest, as if it were the whole.
                out.reserve(room);
                end = out.len();
                to = out.as_mut_ptr();
            }
        }
        // SAFETY: see `constant`; then everything up to `end` has been written, which is within
        // the capacity.
        unsafe {
            end = self.constant(last, to, end);
            out.set_len(end);
        }
    }

    /// Copies a step's constant to `to`, behind `end`; where that ends.
    ///
    /// # Safety
    /// `to` has room for the constants from this step's on, and a wide block, behind `end`.
    #[inline(always)]
    unsafe fn constant(&self, step: &Step, to: *mut u8, end: usize) -> usize {
        let len = step.len as usize;
        // SAFETY: the step is one of `new`'s, so its constant lies within the constants, behind
        // which there is a wide block: so can be read what rounding up adds. What is written is at
        // most a wide block more than the constant, for which there is room.
        unsafe {
            let from = self.constants.as_ptr().add(step.start as usize);
            let to = to.add(end);
            std::ptr::copy_nonoverlapping(from, to, WIDE);
            let mut done = WIDE;
            while done < len {
                std::ptr::copy_nonoverlapping(from.add(done), to.add(done), WIDE);
                done += WIDE;
            }
        }
        end + len
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a level says of blocks.
    struct Asked<'a>(&'a [u8; WIDE], &'a [u8; BLOCK], &'a [u8; BLOCK], &'a [u8; BLOCK]);

    impl Work for Asked<'_> {
        type Output = (Masks, Vec<u32>, bool, usize);
        #[inline(always)]
        fn run<C: Cpu>(self, cpu: C) -> Self::Output {
            let mut positions = Positions::default();
            let masks = cpu.masks(self.0);
            cpu.positions(masks.marks, 1000, &mut positions);
            cpu.positions(masks.high, 2000, &mut positions);
            let differs = cpu.differs(self.1, self.2, self.3);
            (masks, positions.as_slice().to_vec(), differs, cpu.digits(self.1))
        }
    }

    #[test]
    fn every_level_sees_the_same() {
        let mask = |test: &dyn Fn(usize) -> bool| (0..WIDE).fold(0, |m, i| m | (u64::from(test(i)) << i));
        let steps = if cfg!(miri) { 37 } else { 1 };
        for byte in (0..=255u8).step_by(steps) {
            for fill in [0u8, 0x0a, 0x1f, 0x20, 0x22, 0x2f, 0x30, 0x39, 0x3a, 0x5c, 0x80, 0xb0, 0xff] {
                for at in [0, 1, 7, 8, 15, 30, 31] {
                    let mut wide = [fill; WIDE];
                    wide[at] = byte;
                    wide[WIDE - 1 - at] = byte;
                    let mut a = [fill; BLOCK];
                    a[at] = byte;
                    let b = [fill; BLOCK];
                    let mut masked = [0; BLOCK];
                    masked[..8].fill(0xff);
                    let masks = Masks {
                        marks: mask(&|i| matches!(wide[i], b'"' | b'\\' | 0..=0x1f)),
                        newlines: mask(&|i| wide[i] == b'\n'),
                        high: mask(&|i| wide[i] >= 0x80),
                    };
                    let bits = |mask: u64, base| {
                        (0..64u32).filter(move |i| mask >> i & 1 == 1).map(move |i| base + i)
                    };
                    let positions = bits(masks.marks, 1000).chain(bits(masks.high, 2000)).collect();
                    let digits = a.iter().take_while(|b| b.is_ascii_digit()).count();
                    let expected = (masks, positions, a[..8] != b[..8], digits);
                    for level in Level::all() {
                        let got = with_cpu(level, Asked(&wide, &a, &b, &masked));
                        assert_eq!(got, expected, "{level:?} {byte} {fill} {at}");
                    }
                }
            }
        }
    }

    #[test]
    fn templates_write_constants_and_values() {
        let text: Vec<u8> = (0..=255).collect();
        for len in (0..=100).step_by(if cfg!(miri) { 9 } else { 1 }) {
            for slack in [0, 1, 31, 32, 64] {
                let (a, b, c) = (&text[100..100 + len], &text[..2 * len % 90], &text[7..7 + len / 3]);
                let template = Template::new(&[(a, 0), (b, 1), (b"", 0), (c, 1)], a);
                let mut out = b"ab".to_vec();
                let values = [(&text[..len + slack], len), (&text[50..], 3)];
                for _ in 0..3 {
                    template.write(&mut out, |value| values[value]);
                }
                let (v, w) = (&text[..len], &text[50..53]);
                let once = [a, v, b, w, v, c, w, a].concat();
                assert_eq!(out, [b"ab", &once[..], &once, &once].concat());
            }
        }
    }

    #[test]
    fn blocks_end_with_the_input() {
        let bytes: Vec<u8> = (0..100).collect();
        assert!(Input::new(&bytes[..63]).is_none());
        let input = Input::new(&bytes).unwrap();
        assert_eq!(input.block(36).unwrap()[31], 67);
        assert!(input.block(37).is_none() && input.block(usize::MAX).is_none());
    }
}

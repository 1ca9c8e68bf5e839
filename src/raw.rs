//! The one module with `unsafe`: vector instructions and unchecked copies, behind safe functions.
//!
//! Each variant of [`Cpu`] computes the same answers; which one runs is chosen once, by
//! [`Level::best`]. The portable variant is plain Rust, so that it runs under Miri.
#![allow(unsafe_code)]

/// How many bytes a vector operation looks at.
pub(crate) const BLOCK: usize = 32;

/// A set of vector instructions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    /// None: plain integers.
    Portable,
    /// AVX2.
    Avx2,
    /// AVX-512 with byte masks (F, BW, VL).
    Avx512,
}

impl Level {
    /// The best that this machine has.
    pub(crate) fn best() -> Level {
        #[cfg(all(target_arch = "x86_64", not(miri)))]
        {
            if is_x86_feature_detected!("avx512bw") && is_x86_feature_detected!("avx512vl") && has_avx2() {
                return Level::Avx512;
            }
            if has_avx2() {
                return Level::Avx2;
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

#[cfg(all(target_arch = "x86_64", not(miri)))]
fn has_avx2() -> bool {
    is_x86_feature_detected!("avx2") && is_x86_feature_detected!("bmi1") && is_x86_feature_detected!("bmi2")
}

/// What the scanner asks of a block of bytes. Bit i of a mask stands for byte i.
pub(crate) trait Cpu: Copy {
    /// The bytes that end or break a JSON string: quote, backslash, below 0x20.
    fn stops(self, block: &[u8; BLOCK]) -> u32;
    /// The bytes of 0x80 and above.
    fn high(self, block: &[u8; BLOCK]) -> u32;
    /// The bytes that are equal in both.
    fn equal(self, a: &[u8; BLOCK], b: &[u8; BLOCK]) -> u32;
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
fn gather(tops: u64) -> u32 {
    // Each top bit, moved to the bottom of its byte, is multiplied into its place in the top byte.
    (((tops >> 7).wrapping_mul(0x0102_0408_1020_4080)) >> 56) as u32
}

#[inline(always)]
fn words(block: &[u8; BLOCK], mut mask: impl FnMut(u64, usize) -> u64) -> u32 {
    let mut bits = 0;
    for (i, bytes) in block.as_chunks::<8>().0.iter().enumerate() {
        bits |= gather(mask(u64::from_le_bytes(*bytes), i)) << (8 * i);
    }
    bits
}

impl Cpu for Portable {
    #[inline(always)]
    fn stops(self, block: &[u8; BLOCK]) -> u32 {
        words(block, |x, _| {
            let quote = zero_bytes(x ^ (ONES * 0x22));
            let backslash = zero_bytes(x ^ (ONES * 0x5c));
            let control = zero_bytes(x & (ONES * 0xe0));
            quote | backslash | control
        })
    }

    #[inline(always)]
    fn high(self, block: &[u8; BLOCK]) -> u32 {
        words(block, |x, _| x & HIGHS)
    }

    #[inline(always)]
    fn equal(self, a: &[u8; BLOCK], b: &[u8; BLOCK]) -> u32 {
        let b = b.as_chunks::<8>().0;
        words(a, |x, i| zero_bytes(x ^ u64::from_le_bytes(b[i])))
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::{BLOCK, Cpu};
    use std::arch::x86_64::*;

    /// AVX2. Made only by [`super::with_cpu`], where the machine has it.
    #[derive(Debug, Clone, Copy)]
    pub(crate) struct Avx2(pub(super) ());

    /// AVX-512 BW and VL. Made only by [`super::with_cpu`], where the machine has them.
    #[derive(Debug, Clone, Copy)]
    pub(crate) struct Avx512(pub(super) ());

    /// Loads a block.
    #[inline(always)]
    fn load(block: &[u8; BLOCK]) -> __m256i {
        // SAFETY: the array has 32 readable bytes; the load needs no alignment. Callers hold an
        // `Avx2` or `Avx512`, so the machine has AVX.
        unsafe { _mm256_loadu_si256(block.as_ptr().cast()) }
    }

    impl Cpu for Avx2 {
        #[inline(always)]
        fn stops(self, block: &[u8; BLOCK]) -> u32 {
            let x = load(block);
            // SAFETY: an `Avx2` exists only where the machine has AVX2.
            unsafe {
                let quote = _mm256_cmpeq_epi8(x, _mm256_set1_epi8(0x22));
                let backslash = _mm256_cmpeq_epi8(x, _mm256_set1_epi8(0x5c));
                // Unsigned x <= 0x1f: the larger of both is 0x1f.
                let limit = _mm256_set1_epi8(0x1f);
                let control = _mm256_cmpeq_epi8(_mm256_max_epu8(x, limit), limit);
                let any = _mm256_or_si256(_mm256_or_si256(quote, backslash), control);
                _mm256_movemask_epi8(any) as u32
            }
        }

        #[inline(always)]
        fn high(self, block: &[u8; BLOCK]) -> u32 {
            // SAFETY: an `Avx2` exists only where the machine has AVX2.
            unsafe { _mm256_movemask_epi8(load(block)) as u32 }
        }

        #[inline(always)]
        fn equal(self, a: &[u8; BLOCK], b: &[u8; BLOCK]) -> u32 {
            // SAFETY: an `Avx2` exists only where the machine has AVX2.
            unsafe { _mm256_movemask_epi8(_mm256_cmpeq_epi8(load(a), load(b))) as u32 }
        }
    }

    impl Cpu for Avx512 {
        #[inline(always)]
        fn stops(self, block: &[u8; BLOCK]) -> u32 {
            let x = load(block);
            // SAFETY: an `Avx512` exists only where the machine has AVX-512 BW and VL.
            unsafe {
                _mm256_cmpeq_epi8_mask(x, _mm256_set1_epi8(0x22))
                    | _mm256_cmpeq_epi8_mask(x, _mm256_set1_epi8(0x5c))
                    | _mm256_cmplt_epu8_mask(x, _mm256_set1_epi8(0x20))
            }
        }

        #[inline(always)]
        fn high(self, block: &[u8; BLOCK]) -> u32 {
            // SAFETY: an `Avx512` exists only where the machine has AVX-512 BW and VL.
            unsafe { _mm256_movepi8_mask(load(block)) }
        }

        #[inline(always)]
        fn equal(self, a: &[u8; BLOCK], b: &[u8; BLOCK]) -> u32 {
            // SAFETY: an `Avx512` exists only where the machine has AVX-512 BW and VL.
            unsafe { _mm256_cmpeq_epi8_mask(load(a), load(b)) }
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
        #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx2,bmi1,bmi2,lzcnt,popcnt")]
        fn avx512<W: Work>(work: W) -> W::Output {
            work.run(x86::Avx512(()))
        }
        #[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
        fn avx2<W: Work>(work: W) -> W::Output {
            work.run(x86::Avx2(()))
        }
        match level.min(Level::best()) {
            // SAFETY: `Level::best` has found these instructions on this machine (every processor
            // with AVX2 has lzcnt and popcnt).
            Level::Avx512 => return unsafe { avx512(work) },
            // SAFETY: as above.
            Level::Avx2 => return unsafe { avx2(work) },
            Level::Portable => {}
        }
    }
    let _ = level;
    work.run(Portable)
}

/// A growing output that takes whole blocks: what is written past the end is overwritten by the
/// next piece.
#[derive(Debug, Default)]
pub(crate) struct Out {
    bytes: Vec<u8>,
}

impl Out {
    /// Goes on behind `bytes`.
    pub(crate) fn new(bytes: Vec<u8>) -> Out {
        Out { bytes }
    }

    /// What was written.
    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// Makes room for `len` bytes and the rest of a block.
    #[inline(always)]
    pub(crate) fn reserve(&mut self, len: usize) {
        self.bytes.reserve(len + BLOCK);
    }

    /// Appends the first `len` bytes of `from`. Fast if a whole number of blocks can be read from
    /// `from`, and there is room for them.
    #[inline(always)]
    pub(crate) fn push(&mut self, from: &[u8], len: usize) {
        let whole = len.next_multiple_of(BLOCK);
        let end = self.bytes.len();
        if from.len() < whole || self.bytes.capacity() - end < whole {
            return self.bytes.extend_from_slice(&from[..len]);
        }
        let mut done = 0;
        while done < whole {
            // SAFETY: `done + BLOCK <= whole`, so this reads within `from` and writes within the
            // vector's capacity, both checked above; the two can't overlap, since the vector is
            // borrowed mutably.
            unsafe {
                let source = from.as_ptr().add(done);
                std::ptr::copy_nonoverlapping(source, self.bytes.as_mut_ptr().add(end + done), BLOCK);
            }
            done += BLOCK;
        }
        // SAFETY: `end + len <= end + whole <= capacity`, and the bytes up to there were written.
        unsafe { self.bytes.set_len(end + len) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Masks<'a>(&'a [u8; BLOCK], &'a [u8; BLOCK]);

    impl Work for Masks<'_> {
        type Output = [u32; 3];
        #[inline(always)]
        fn run<C: Cpu>(self, cpu: C) -> [u32; 3] {
            [cpu.stops(self.0), cpu.high(self.0), cpu.equal(self.0, self.1)]
        }
    }

    #[test]
    fn every_level_sees_the_same() {
        let mask = |test: &dyn Fn(usize) -> bool| (0..BLOCK).fold(0, |m, i| m | (u32::from(test(i)) << i));
        for byte in 0..=255u8 {
            for fill in [0u8, 0x1f, 0x20, 0x21, 0x22, 0x5b, 0x5c, 0x7f, 0x80, 0xa2, 0xdc, 0xff] {
                for at in [0, 1, 7, 8, 15, 30, 31] {
                    let mut a = [fill; BLOCK];
                    a[at] = byte;
                    let b = [byte; BLOCK];
                    let expected = [
                        mask(&|i| matches!(a[i], b'"' | b'\\' | 0..=0x1f)),
                        mask(&|i| a[i] >= 0x80),
                        mask(&|i| a[i] == b[i]),
                    ];
                    for level in Level::all() {
                        assert_eq!(with_cpu(level, Masks(&a, &b)), expected, "{level:?} {byte} {fill} {at}");
                    }
                }
            }
        }
    }

    #[test]
    fn pushes_append_whatever_there_is_room_for() {
        let text: Vec<u8> = (0..200).collect();
        for len in 0..=100 {
            for slack in [0, 1, 31, 32, 64] {
                for room in [0, 10, 200] {
                    let mut out = Out::new(b"ab".to_vec());
                    out.reserve(room);
                    out.push(&text[..len + slack], len);
                    out.push(&text, 3);
                    assert_eq!(out.into_bytes(), [b"ab", &text[..len], &text[..3]].concat());
                }
            }
        }
    }
}

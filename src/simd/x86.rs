//! AVX2 and AVX-512.

use super::cpu::{BLOCK, Cpu, WIDE, WidePattern, Work};
use std::arch::x86_64::*;

/// AVX2. Made only by [`super::level::with_cpu`], where the machine has it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Avx2(pub(super) ());

/// AVX-512 F, BW and VL. Made only by [`super::level::with_cpu`], where the machine has them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Avx512(pub(super) ());

/// Loads a block.
#[inline(always)]
fn load(block: &[u8; BLOCK]) -> __m256i {
    // SAFETY: the array has 32 readable bytes; the load needs no alignment. Callers hold an
    // `Avx2` or `Avx512`, so the machine has AVX.
    unsafe { _mm256_loadu_si256(block.as_ptr().cast()) }
}

/// Loads the first or the second half.
#[inline(always)]
fn half(block: &[u8; WIDE], which: usize) -> __m256i {
    load(&block.as_chunks::<BLOCK>().0[which])
}

/// Loads a wide block.
#[inline(always)]
fn wide(block: &[u8; WIDE]) -> __m512i {
    // SAFETY: the array has 64 readable bytes; the load needs no alignment. Callers hold an
    // `Avx512`, so the machine has AVX-512 F.
    unsafe { _mm512_loadu_si512(block.as_ptr().cast()) }
}

/// 0xff for quotes and backslashes.
#[inline(always)]
fn ends(x: __m256i) -> __m256i {
    // SAFETY: callers hold an `Avx2` or `Avx512`, so the machine has AVX2.
    unsafe {
        let quote = _mm256_cmpeq_epi8(x, _mm256_set1_epi8(0x22));
        _mm256_or_si256(quote, _mm256_cmpeq_epi8(x, _mm256_set1_epi8(0x5c)))
    }
}

/// 0xff for control characters and high bytes: those below 0x20, if there is a sign.
#[inline(always)]
fn outside(x: __m256i) -> __m256i {
    // SAFETY: callers hold an `Avx2` or `Avx512`, so the machine has AVX2.
    unsafe { _mm256_cmpgt_epi8(_mm256_set1_epi8(0x20), x) }
}

/// Writes four numbers at once.
#[inline(always)]
fn write(numbers: [u64; 4], to: &mut [u8; BLOCK]) {
    let [a, b, c, d] = numbers.map(u64::cast_signed);
    // SAFETY: the array has 32 writable bytes; the store needs no alignment. Callers hold an `Avx2` or
    // `Avx512`, so the machine has AVX.
    unsafe { _mm256_storeu_si256(to.as_mut_ptr().cast(), _mm256_set_epi64x(d, c, b, a)) }
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

#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
#[inline(never)]
pub(super) fn avx2<W: Work>(work: W) -> W::Output {
    work.run(Avx2(()))
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx2,bmi1,bmi2,lzcnt,popcnt")]
#[inline(never)]
pub(super) fn avx512<W: Work>(work: W) -> W::Output {
    work.run(Avx512(()))
}

impl Cpu for Avx2 {
    #[inline(always)]
    fn marks(self, block: &[u8; BLOCK]) -> (u32, u32) {
        let x = load(block);
        // SAFETY: an `Avx2` exists only where the machine has AVX2.
        unsafe {
            let quote = _mm256_cmpeq_epi8(x, _mm256_set1_epi8(0x22));
            let backslash = _mm256_cmpeq_epi8(x, _mm256_set1_epi8(0x5c));
            // Unsigned x <= 0x1f: the larger of both is 0x1f.
            let limit = _mm256_set1_epi8(0x1f);
            let control = _mm256_cmpeq_epi8(_mm256_max_epu8(x, limit), limit);
            let marks = _mm256_or_si256(_mm256_or_si256(quote, backslash), control);
            (_mm256_movemask_epi8(marks) as u32, _mm256_movemask_epi8(x) as u32)
        }
    }

    #[inline(always)]
    fn stops(self, block: &[u8; BLOCK]) -> u32 {
        let x = load(block);
        // SAFETY: an `Avx2` exists only where the machine has AVX2.
        unsafe { _mm256_movemask_epi8(_mm256_or_si256(ends(x), outside(x))) as u32 }
    }

    #[inline(always)]
    unsafe fn differ<const BLOCKS: usize>(
        self,
        from: *const [u8; WIDE],
        patterns: *const WidePattern,
    ) -> bool {
        // SAFETY: an `Avx2` exists only where the machine has AVX2. The caller has as many blocks.
        unsafe {
            let mut wrong = _mm256_setzero_si256();
            for n in 0..BLOCKS {
                let (block, pattern) = (&*from.add(n / 2), &*patterns.add(n / 2));
                let x = half(block, n % 2);
                let over = _mm256_sub_epi8(x, half(&pattern.least, n % 2));
                let over = _mm256_subs_epu8(over, half(&pattern.span, n % 2));
                let ends = _mm256_and_si256(ends(x), half(&pattern.text, n % 2));
                wrong = _mm256_or_si256(wrong, _mm256_or_si256(over, ends));
            }
            _mm256_testz_si256(wrong, wrong) == 0
        }
    }

    #[inline(always)]
    fn digits(self, block: &[u8; BLOCK]) -> usize {
        digits(block)
    }

    #[inline(always)]
    fn write(self, numbers: [u64; 4], to: &mut [u8; BLOCK]) {
        write(numbers, to);
    }

    #[inline(always)]
    fn apart<W: Work>(self, work: W) -> W::Output {
        // SAFETY: an `Avx2` exists only where the machine has these instructions.
        unsafe { avx2(work) }
    }
}

impl Cpu for Avx512 {
    #[inline(always)]
    fn marks(self, block: &[u8; BLOCK]) -> (u32, u32) {
        let x = load(block);
        // SAFETY: an `Avx512` exists only where the machine has AVX-512 BW and VL.
        unsafe {
            let marks = _mm256_cmpeq_epi8_mask(x, _mm256_set1_epi8(0x22))
                | _mm256_cmpeq_epi8_mask(x, _mm256_set1_epi8(0x5c))
                | _mm256_cmplt_epu8_mask(x, _mm256_set1_epi8(0x20));
            (marks, _mm256_movepi8_mask(x))
        }
    }

    #[inline(always)]
    fn stops(self, block: &[u8; BLOCK]) -> u32 {
        let x = load(block);
        // SAFETY: an `Avx512` exists only where the machine has AVX-512 BW and VL.
        unsafe {
            _mm256_cmpeq_epi8_mask(x, _mm256_set1_epi8(0x22))
                | _mm256_cmpeq_epi8_mask(x, _mm256_set1_epi8(0x5c))
                // Signed: control characters, and high bytes, which are negative.
                | _mm256_cmplt_epi8_mask(x, _mm256_set1_epi8(0x20))
        }
    }

    #[inline(always)]
    unsafe fn differ<const BLOCKS: usize>(
        self,
        from: *const [u8; WIDE],
        patterns: *const WidePattern,
    ) -> bool {
        // SAFETY: an `Avx512` exists only where the machine has AVX-512 F and BW. The caller has as
        // many blocks.
        unsafe {
            let mut wrong = 0;
            for n in 0..BLOCKS.div_ceil(2) {
                let pattern = &*patterns.add(n);
                let x = wide(&*from.add(n));
                let over = _mm512_sub_epi8(x, wide(&pattern.least));
                let text = _mm512_movepi8_mask(wide(&pattern.text));
                wrong |= _mm512_cmpgt_epu8_mask(over, wide(&pattern.span))
                    | _mm512_mask_cmpeq_epi8_mask(text, x, _mm512_set1_epi8(0x22))
                    | _mm512_mask_cmpeq_epi8_mask(text, x, _mm512_set1_epi8(0x5c));
            }
            wrong != 0
        }
    }

    #[inline(always)]
    fn digits(self, block: &[u8; BLOCK]) -> usize {
        digits(block)
    }

    #[inline(always)]
    fn write(self, numbers: [u64; 4], to: &mut [u8; BLOCK]) {
        write(numbers, to);
    }

    #[inline(always)]
    fn apart<W: Work>(self, work: W) -> W::Output {
        // SAFETY: an `Avx512` exists only where the machine has these instructions.
        unsafe { avx512(work) }
    }
}

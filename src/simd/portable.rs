//! Plain integers, for machines without the vector instructions that [`super::x86`] has.

use super::cpu::{BLOCK, Cpu, WIDE, WidePattern, Work};

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

/// The top bit of each byte that is a mark.
#[inline(always)]
fn mark_bytes(x: u64) -> u64 {
    zero_bytes(x ^ (ONES * 0x22)) | zero_bytes(x ^ (ONES * 0x5c)) | zero_bytes(x & (ONES * 0xe0))
}

/// The top bits of the eight bytes as eight bits.
#[inline(always)]
fn gather(tops: u64) -> u32 {
    // Each top bit, moved to the bottom of its byte, is multiplied into its place in the top byte.
    (((tops & HIGHS) >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56) as u32
}

/// The eight bytes of this number in a block.
#[inline(always)]
fn word(block: &[u8; BLOCK], i: usize) -> u64 {
    u64::from_le_bytes(block.as_chunks::<8>().0[i])
}

impl Cpu for Portable {
    #[inline(always)]
    fn marks(self, block: &[u8; BLOCK]) -> (u32, u32) {
        let (mut marks, mut high) = (0, 0);
        for i in 0..BLOCK / 8 {
            let x = word(block, i);
            marks |= gather(mark_bytes(x)) << (8 * i);
            high |= gather(x) << (8 * i);
        }
        (marks, high)
    }

    #[inline(always)]
    fn stops(self, block: &[u8; BLOCK]) -> u32 {
        let (marks, high) = self.marks(block);
        marks | high
    }

    #[inline(always)]
    unsafe fn differ<const BLOCKS: usize>(
        self,
        from: *const [u8; WIDE],
        patterns: *const WidePattern,
    ) -> bool {
        // Without a branch, so that it becomes whatever vector instructions there are.
        let differs = |wrong: u8, n: usize| {
            // SAFETY: the caller has as many.
            let (block, pattern) = unsafe { (&*from.add(n / 2), &*patterns.add(n / 2)) };
            (n % 2 * BLOCK..(n % 2 + 1) * BLOCK).fold(wrong, |wrong, i| {
                let byte = block[i];
                let outside = u8::from(byte.wrapping_sub(pattern.least[i]) > pattern.span[i]);
                let ends = (u8::from(byte == b'"') | u8::from(byte == b'\\')) & pattern.text[i];
                wrong | outside | ends
            })
        };
        (0..BLOCKS).fold(0, differs) != 0
    }

    #[inline(always)]
    fn digits(self, block: &[u8; BLOCK]) -> usize {
        for i in 0..BLOCK / 8 {
            let x = word(block, i) ^ (ONES * 0x30);
            // Digits have become 0 to 9; what is more carries into the top bit, or has it.
            let others = ((x & !HIGHS).wrapping_add(ONES * (0x80 - 10)) | x) & HIGHS;
            if others != 0 {
                return 8 * i + others.trailing_zeros() as usize / 8;
            }
        }
        BLOCK
    }

    #[inline(always)]
    fn write(self, numbers: [u64; 4], to: &mut [u8; BLOCK]) {
        for (to, number) in to.as_chunks_mut().0.iter_mut().zip(numbers) {
            *to = number.to_le_bytes();
        }
    }

    #[inline(never)]
    fn apart<W: Work>(self, work: W) -> W::Output {
        work.run(self)
    }
}

//! The one module with `unsafe`: vector instructions and unchecked copies, behind safe functions.
//!
//! Each variant of [`Cpu`] computes the same answers; which one runs is chosen once, by
//! [`Level::best`]. Miri has those that are enabled when it compiles, so it can run all of them.
#![allow(unsafe_code)]

/// How many bytes are looked at, compared or copied at a time.
pub(crate) const BLOCK: usize = 32;
/// How many bytes of a constant are copied at a time.
const WIDE: usize = 64;

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
        #[cfg(target_arch = "x86_64")]
        {
            let avx2 = is_x86_feature_detected!("avx2")
                && is_x86_feature_detected!("bmi1")
                && is_x86_feature_detected!("bmi2")
                && is_x86_feature_detected!("lzcnt")
                && is_x86_feature_detected!("popcnt");
            let avx512 = is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512bw")
                && is_x86_feature_detected!("avx512vl");
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

/// What a block of a record is to be: some of its bytes these, some of them plain text.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Pattern {
    literal: [u8; BLOCK],
    /// 0xff for the bytes that must be the literal's, and 0.
    is_literal: [u8; BLOCK],
    /// 0xff for the bytes that must be text without marks or high bytes, and 0.
    is_text: [u8; BLOCK],
}

impl Pattern {
    /// A pattern of at most a block, byte by byte: a literal byte, or nothing for any of a text.
    pub(crate) fn new(bytes: impl IntoIterator<Item = Option<u8>>) -> Pattern {
        let mut pattern = Pattern { literal: [0; BLOCK], is_literal: [0; BLOCK], is_text: [0; BLOCK] };
        for (i, byte) in bytes.into_iter().enumerate().take(BLOCK) {
            match byte {
                Some(byte) => (pattern.literal[i], pattern.is_literal[i]) = (byte, 0xff),
                None => pattern.is_text[i] = 0xff,
            }
        }
        pattern
    }
}

/// What the reader asks of blocks of bytes. Bit i of a mask stands for byte i.
pub(crate) trait Cpu: Copy {
    /// The *marks*, which end or break a JSON text (quotes, backslashes, and all below 0x20), and
    /// the high bytes, of 0x80 and above.
    fn marks(self, block: &[u8; BLOCK]) -> (u32, u32);
    /// Whether the block is not as the pattern has it.
    fn differs(self, block: &[u8; BLOCK], pattern: &Pattern) -> bool;
    /// How many digits the block begins with.
    fn digits(self, block: &[u8; BLOCK]) -> usize;
    /// Does `work` with these instructions in a function of its own, so that the registers are its.
    fn apart<W: Work>(self, work: W) -> W::Output;
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
    fn differs(self, block: &[u8; BLOCK], pattern: &Pattern) -> bool {
        let mut wrong = 0;
        for i in 0..BLOCK / 8 {
            let x = word(block, i);
            wrong |= (x ^ word(&pattern.literal, i)) & word(&pattern.is_literal, i);
            wrong |= (mark_bytes(x) | x) & HIGHS & word(&pattern.is_text, i);
        }
        wrong != 0
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

    #[inline(never)]
    fn apart<W: Work>(self, work: W) -> W::Output {
        work.run(self)
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::{BLOCK, Cpu, Pattern, Work};
    use std::arch::x86_64::*;

    /// AVX2. Made only by [`super::with_cpu`], where the machine has it.
    #[derive(Debug, Clone, Copy)]
    pub(crate) struct Avx2(pub(super) ());

    /// AVX-512 F, BW and VL. Made only by [`super::with_cpu`], where the machine has them.
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
        fn differs(self, block: &[u8; BLOCK], pattern: &Pattern) -> bool {
            let x = load(block);
            // SAFETY: an `Avx2` exists only where the machine has AVX2.
            unsafe {
                let other =
                    _mm256_and_si256(_mm256_xor_si256(x, load(&pattern.literal)), load(&pattern.is_literal));
                let quote = _mm256_cmpeq_epi8(x, _mm256_set1_epi8(0x22));
                let backslash = _mm256_cmpeq_epi8(x, _mm256_set1_epi8(0x5c));
                // Signed x < 0x20: control characters, and high bytes, which are negative.
                let outside = _mm256_cmpgt_epi8(_mm256_set1_epi8(0x20), x);
                let stops = _mm256_or_si256(_mm256_or_si256(quote, backslash), outside);
                let wrong = _mm256_or_si256(other, _mm256_and_si256(stops, load(&pattern.is_text)));
                _mm256_testz_si256(wrong, wrong) == 0
            }
        }

        #[inline(always)]
        fn digits(self, block: &[u8; BLOCK]) -> usize {
            digits(block)
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
        fn differs(self, block: &[u8; BLOCK], pattern: &Pattern) -> bool {
            let x = load(block);
            // SAFETY: an `Avx512` exists only where the machine has AVX-512 BW and VL.
            unsafe {
                let other = _mm256_xor_si256(x, load(&pattern.literal));
                let other = _mm256_test_epi8_mask(other, load(&pattern.is_literal));
                let text = _mm256_movepi8_mask(load(&pattern.is_text));
                let stops = _mm256_mask_cmpeq_epi8_mask(text, x, _mm256_set1_epi8(0x22))
                    | _mm256_mask_cmpeq_epi8_mask(text, x, _mm256_set1_epi8(0x5c))
                    // Signed: control characters, and high bytes, which are negative.
                    | _mm256_mask_cmplt_epi8_mask(text, x, _mm256_set1_epi8(0x20));
                other | stops != 0
            }
        }

        #[inline(always)]
        fn digits(self, block: &[u8; BLOCK]) -> usize {
            digits(block)
        }

        #[inline(always)]
        fn apart<W: Work>(self, work: W) -> W::Output {
            // SAFETY: an `Avx512` exists only where the machine has these instructions.
            unsafe { avx512(work) }
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
        match level.min(Level::best()) {
            // SAFETY: `Level::best` has found these instructions on this machine.
            Level::Avx512 => return unsafe { x86::avx512(work) },
            // SAFETY: as above.
            Level::Avx2 => return unsafe { x86::avx2(work) },
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
    /// The last place at which a block begins.
    last: usize,
}

impl<'a> Input<'a> {
    /// The first 2 GiB of `bytes`, so that a [`Span`] can say where things are. Nothing if there is
    /// not even one block.
    pub(crate) fn new(bytes: &'a [u8]) -> Option<Input<'a>> {
        let bytes = &bytes[..bytes.len().min(i32::MAX as usize)];
        Some(Input { bytes, last: bytes.len().checked_sub(BLOCK)? })
    }

    /// All of it.
    pub(crate) fn bytes(self) -> &'a [u8] {
        self.bytes
    }

    /// The block that begins at `at`; nothing if it would reach behind the end.
    #[inline(always)]
    pub(crate) fn block(self, at: usize) -> Option<&'a [u8; BLOCK]> {
        if at > self.last {
            return None;
        }
        // SAFETY: `at + BLOCK <= self.last + BLOCK`, which is the length of the bytes.
        Some(unsafe { &*self.bytes.as_ptr().add(at).cast::<[u8; BLOCK]>() })
    }
}

/// Where a text is: in the input, or in a scratch next to it.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Span {
    /// The top bit says which.
    start: u32,
    len: u32,
}

const IN_SCRATCH: u32 = 1 << 31;

impl Span {
    /// `start..start + len` of the input.
    #[inline(always)]
    pub(crate) fn of_input(start: usize, len: usize) -> Span {
        Span { start: start as u32, len: len as u32 }
    }

    /// `start..start + len` of the scratch.
    #[inline(always)]
    pub(crate) fn of_scratch(start: usize, len: usize) -> Span {
        Span { start: start as u32 | IN_SCRATCH, len: len as u32 }
    }

    /// The text.
    #[inline(always)]
    pub(crate) fn text<'a>(self, input: Input<'a>, scratch: &'a [u8]) -> &'a [u8] {
        self.text_behind(input, 0, scratch)
    }

    /// The text, where only what is behind `skipped` bytes of the scratch is at hand.
    #[inline(always)]
    pub(crate) fn text_behind<'a>(self, input: Input<'a>, skipped: usize, scratch: &'a [u8]) -> &'a [u8] {
        let (from, start) = match self.start & IN_SCRATCH {
            0 => (input.bytes, self.start as usize),
            _ => (scratch, (self.start & !IN_SCRATCH) as usize - skipped),
        };
        &from[start..start + self.len as usize]
    }
}

/// How many values a template can choose from.
pub(crate) const VALUES: usize = 128;

/// Constant pieces and, between them, values: the text of events that have the same fields.
#[derive(Debug, Clone, Default)]
pub(crate) struct Template {
    /// All constants, one after the other, and a wide block more.
    constants: Vec<u8>,
    steps: Vec<Step>,
    /// The length of the constant behind the last step.
    last: usize,
    /// The most that one event takes, if its values are no longer than a block, and a wide block
    /// that is written past its end.
    room: usize,
}

/// A constant, and the value behind it.
#[derive(Debug, Clone, Copy)]
struct Step {
    len: u32,
    value: u32,
}

impl Template {
    /// A constant before each value, which is one of [`VALUES`], and a last one.
    pub(crate) fn new(pieces: &[(&[u8], usize)], last: &[u8]) -> Template {
        let mut constants = Vec::new();
        let mut steps = Vec::new();
        for (constant, value) in pieces {
            constants.extend_from_slice(constant);
            steps.push(Step { len: constant.len() as u32, value: (value % VALUES) as u32 });
        }
        constants.extend_from_slice(last);
        let room = constants.len() + steps.len() * BLOCK + WIDE;
        constants.extend_from_slice(&[0; WIDE]);
        Template { constants, steps, last: last.len(), room }
    }

    /// Appends the constants with the values between them to `out`.
    #[inline(always)]
    fn append(&self, out: &mut Vec<u8>, input: Input<'_>, scratch: &[u8], values: &[Span; VALUES]) {
        // What values lie in, by the top bit of their start, and the place before which a whole block
        // can be read. A scratch that is shorter than a block has none, not even at 0.
        let froms = [input.bytes.as_ptr(), scratch.as_ptr()];
        let ends = [input.last + 1, scratch.len().saturating_sub(BLOCK - 1)];
        out.reserve(self.room);
        // SAFETY: the place behind the last byte.
        let mut to = unsafe { out.as_mut_ptr().add(out.len()) };
        let mut constant = self.constants.as_ptr();
        for step in &self.steps {
            let len = step.len as usize;
            // SAFETY: `constant` is where this step's constant begins, since all before it have
            // been passed by their lengths; a wide block can be read behind the last one. From
            // `to` on there is `room` for all that is written from here on.
            unsafe {
                copy_wide(constant, to, len);
                constant = constant.add(len);
                to = to.add(len);
            }
            let span = values[step.value as usize % VALUES];
            let len = span.len as usize;
            let start = (span.start & !IN_SCRATCH) as usize;
            let at = (span.start >> 31) as usize;
            if len <= BLOCK && start < ends[at] {
                // SAFETY: a block can be read before its end, and `room` has a block for each value
                // besides the constants.
                unsafe {
                    std::ptr::copy_nonoverlapping(froms[at].add(start), to, BLOCK);
                    to = to.add(len);
                }
            } else {
                // SAFETY: `to` lies in the vector's buffer.
                let end = unsafe { to.offset_from_unsigned(out.as_ptr()) };
                // SAFETY: everything up to `end` was written, and `end` is within the capacity.
                unsafe { out.set_len(end) };
                to = self.long_value(out, span.text(input, scratch));
            }
        }
        // SAFETY: as above; then everything up to `to` and the last constant has been written, which
        // is within the capacity.
        unsafe {
            copy_wide(constant, to, self.last);
            out.set_len(to.offset_from_unsigned(out.as_ptr()) + self.last);
        }
    }

    /// Appends a value of any length, and makes room for the rest as if it were the whole; the place
    /// behind the value.
    #[cold]
    #[inline(never)]
    fn long_value(&self, out: &mut Vec<u8>, value: &[u8]) -> *mut u8 {
        out.extend_from_slice(value);
        out.reserve(self.room);
        // SAFETY: the place behind the last byte.
        unsafe { out.as_mut_ptr().add(out.len()) }
    }
}

/// Appends a template's constants, with the values between them, to `out`.
#[derive(Debug)]
pub(crate) struct Write<'a> {
    pub(crate) template: &'a Template,
    pub(crate) out: &'a mut Vec<u8>,
    pub(crate) input: Input<'a>,
    pub(crate) scratch: &'a [u8],
    pub(crate) values: &'a [Span; VALUES],
}

impl Work for Write<'_> {
    type Output = ();

    #[inline(always)]
    fn run<C: Cpu>(self, _: C) {
        self.template.append(self.out, self.input, self.scratch, self.values);
    }
}

/// Copies `len` bytes, rounded up to whole wide blocks.
///
/// # Safety
/// Up to a wide block more than `len` can be read from `from` and written to `to`.
#[inline(always)]
unsafe fn copy_wide(from: *const u8, to: *mut u8, len: usize) {
    // SAFETY: what begins at or before `len` ends within a wide block of it.
    unsafe { std::ptr::copy_nonoverlapping(from, to, WIDE) };
    let mut at = WIDE;
    while at < len {
        // SAFETY: as above.
        unsafe { std::ptr::copy_nonoverlapping(from.add(at), to.add(at), WIDE) };
        at += WIDE;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a level says of a block: its marks and high bytes, its digits, and whether it is as each
    /// of the patterns has it.
    struct Asked<'a>(&'a [u8; BLOCK], &'a [Pattern]);

    impl Work for Asked<'_> {
        type Output = ((u32, u32), usize, Vec<bool>);
        #[inline(always)]
        fn run<C: Cpu>(self, cpu: C) -> Self::Output {
            let differs = self.1.iter().map(|pattern| cpu.differs(self.0, pattern)).collect();
            (cpu.marks(self.0), cpu.digits(self.0), differs)
        }
    }

    #[test]
    fn every_level_sees_the_same() {
        let is_mark = |b: &u8| matches!(b, b'"' | b'\\' | 0..=0x1f);
        let fills = [0u8, 0x0a, 0x1f, 0x20, 0x22, 0x2f, 0x30, 0x39, 0x3a, 0x5c, 0x80, 0xb0, 0xff];
        // Miri looks at each step, so it gets few.
        let (bytes, fills, places): (usize, &[u8], &[usize]) =
            if cfg!(miri) { (60, &[0x22, 0x39], &[0, 31]) } else { (1, &fills, &[0, 1, 7, 8, 15, 30, 31]) };
        for byte in (0..=255u8).step_by(bytes) {
            for &fill in fills {
                for &at in places {
                    let mut block = [fill; BLOCK];
                    block[at] = byte;
                    let mask = |test: &dyn Fn(&u8) -> bool| {
                        block.iter().enumerate().fold(0, |m, (i, b)| m | (u32::from(test(b)) << i))
                    };
                    // Texts in a range, and elsewhere the block's bytes, or others.
                    let pattern = |text: std::ops::Range<usize>, off: u8| {
                        let part = |i| if text.contains(&i) { None } else { Some(block[i] ^ off) };
                        Pattern::new((0..BLOCK).map(part))
                    };
                    let stop = |b: &u8| is_mark(b) || *b >= 0x80;
                    let patterns = [
                        (Pattern::new([]), false),
                        (Pattern::new(block.map(Some)), false),
                        (Pattern::new(block.map(|b| Some(b ^ 0x80))), true),
                        (Pattern::new((0..=at).map(|i| Some(block[i] ^ u8::from(i == at)))), true),
                        (Pattern::new((0..at).map(|i| Some(block[i]))), false),
                        (Pattern::new([None; BLOCK]), block.iter().any(stop)),
                        (pattern(at..at + 1, 0), stop(&byte)),
                        (pattern(0..at, 0), block[..at].iter().any(stop)),
                        (pattern(at..BLOCK, 0), block[at..].iter().any(stop)),
                        (pattern(at..at + 1, 4), true),
                    ];
                    let (patterns, differ): (Vec<Pattern>, Vec<bool>) = patterns.into_iter().unzip();
                    let digits = block.iter().take_while(|b| b.is_ascii_digit()).count();
                    let expected = ((mask(&is_mark), mask(&|b| *b >= 0x80)), digits, differ);
                    for level in Level::all() {
                        let got = with_cpu(level, Asked(&block, &patterns));
                        assert_eq!(got, expected, "{level:?} {byte} {fill} {at}");
                    }
                }
            }
        }
    }

    #[test]
    fn templates_write_constants_and_values() {
        let text: Vec<u8> = (0..=255).chain(0..=255).collect();
        for len in (0..=100).step_by(if cfg!(miri) { 9 } else { 1 }) {
            for slack in [0, 1, 31, 32, 64] {
                let (a, b, c) = (&text[100..100 + len], &text[..2 * len % 90], &text[7..7 + len / 3]);
                let template = Template::new(&[(a, 0), (b, 1), (b"", 0), (c, 127)], a);
                let mut out = b"ab".to_vec();
                // The values lie near the ends of what they lie in.
                let (input, scratch) = (&text[..150 + len + slack], &text[..53 + slack]);
                let input = Input::new(input).unwrap();
                let mut values = [Span::default(); VALUES];
                values[0] = Span::of_input(150, len);
                values[1] = Span::of_scratch(50, 3);
                values[127] = Span::of_scratch(0, 53);
                for _ in 0..3 {
                    template.append(&mut out, input, scratch, &values);
                }
                let (v, w, x) = (&text[150..150 + len], &text[50..53], &text[..53]);
                assert_eq!((values[0].text(input, scratch), values[1].text(input, scratch)), (v, w));
                let once = [a, v, b, w, v, c, x, a].concat();
                assert_eq!(out, [b"ab", &once[..], &once, &once].concat());
            }
        }
    }

    #[test]
    fn blocks_end_with_the_input() {
        let bytes: Vec<u8> = (0..100).collect();
        assert!(Input::new(&bytes[..31]).is_none());
        let input = Input::new(&bytes).unwrap();
        assert_eq!(input.block(68).unwrap()[31], 99);
        assert!(input.block(69).is_none() && input.block(usize::MAX).is_none());
    }
}

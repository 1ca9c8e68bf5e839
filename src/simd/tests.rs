//! Every level against the plainest code for the same.

use super::cpu::WIDE;
use super::*;

/// What a level says of a block: its marks and high bytes, those together, its digits, whether
/// it is as each of the patterns has it, and how it is written.
struct Asked<'a>(&'a [u8; WIDE], &'a [Pattern]);

impl Work for Asked<'_> {
    type Output = ((u32, u32), u32, usize, Vec<bool>, [u8; BLOCK]);
    #[inline(always)]
    fn run<C: Cpu>(self, cpu: C) -> Self::Output {
        let input = PaddedInput::new(self.0);
        let differs = self.1.iter().map(|pattern| !input.is(cpu, 0, pattern)).collect();
        let block = &self.0.as_chunks::<BLOCK>().0[0];
        let mut written = [0; BLOCK];
        cpu.write(std::array::from_fn(|i| u64::from_le_bytes(block.as_chunks().0[i])), &mut written);
        (cpu.marks(block), cpu.stops(block), cpu.digits(block), differs, written)
    }
}

/// Those that a machine has are tested on it, and it has not less than the compiler counts on.
#[test]
fn levels_are_those_of_the_machine() {
    let levels = CpuLevel::all();
    assert_eq!(levels[0], CpuLevel::Portable);
    #[cfg(target_arch = "x86_64")]
    {
        assert_eq!(levels.contains(&CpuLevel::Avx2), is_x86_feature_detected!("avx2"));
        let has_512 = is_x86_feature_detected!("avx512bw") && is_x86_feature_detected!("avx512vl");
        assert_eq!(levels.contains(&CpuLevel::Avx512), has_512);
    }
    println!("levels that were tested: {levels:?}");
}

#[test]
fn every_level_sees_the_same() {
    let is_mark = |b: &u8| matches!(b, b'"' | b'\\' | 0..=0x1f);
    let fills = [0u8, 0x0a, 0x1f, 0x20, 0x22, 0x2f, 0x30, 0x39, 0x3a, 0x5c, 0x80, 0xb0, 0xff];
    // Miri looks at each step, so it gets few.
    let (bytes, fills, places): (usize, &[u8], &[usize]) = if cfg!(miri) {
        (60, &[0x22, 0x39], &[0, 31, 63])
    } else {
        (1, &fills, &[0, 1, 7, 8, 15, 30, 31, 32, 33, 62, 63])
    };
    for byte in (0..=255u8).step_by(bytes) {
        for &fill in fills {
            for &at in places {
                let mut block = [fill; WIDE];
                block[at] = byte;
                let half = &block[..BLOCK];
                let mask = |test: &dyn Fn(&u8) -> bool| {
                    half.iter().enumerate().fold(0, |m, (i, b)| m | (u32::from(test(b)) << i))
                };
                let same = |i: usize| Allowed::From(block[i], block[i]);
                let off = |i: usize, by: u8| Allowed::From(block[i] ^ by, block[i] ^ by);
                let of = |bytes: &mut dyn Iterator<Item = Allowed>| Pattern::new(&bytes.collect::<Vec<_>>());
                // Texts in a range, and elsewhere the block's bytes.
                let pattern = |text: std::ops::Range<usize>| {
                    of(&mut (0..WIDE).map(|i| if text.contains(&i) { Allowed::Text } else { same(i) }))
                };
                let stop = |b: &u8| is_mark(b) || *b >= 0x80;
                let digit = |b: &u8| b.is_ascii_digit();
                let patterns = [
                    (Pattern::new(&[]), false),
                    (of(&mut (0..WIDE).map(same)), false),
                    (of(&mut (0..WIDE).map(|i| off(i, 0x80))), true),
                    (of(&mut (0..=at).map(|i| off(i, u8::from(i == at)))), true),
                    (of(&mut (0..at).map(same)), false),
                    (Pattern::new(&[Allowed::Text; WIDE]), block.iter().any(stop)),
                    (Pattern::new(&[Allowed::Text; BLOCK]), half.iter().any(stop)),
                    (pattern(at..at + 1), stop(&byte)),
                    (pattern(0..at), block[..at].iter().any(stop)),
                    (pattern(at..WIDE), block[at..].iter().any(stop)),
                    (Pattern::new(&[Allowed::From(b'0', b'9'); WIDE]), !block.iter().all(digit)),
                    (Pattern::new(&[Allowed::From(b'0', b'9'); BLOCK]), !half.iter().all(digit)),
                    (Pattern::new(&[Allowed::From(0, 0xff); WIDE]), false),
                    (
                        Pattern::new(&[Allowed::From(b'1', b'8'); WIDE]),
                        !block.iter().all(|b| (b'1'..=b'8').contains(b)),
                    ),
                ];
                let (patterns, differ): (Vec<Pattern>, Vec<bool>) = patterns.into_iter().unzip();
                let digits = half.iter().take_while(|b| digit(b)).count();
                let (marks, high) = (mask(&is_mark), mask(&|b| *b >= 0x80));
                let expected = ((marks, high), marks | high, digits, differ, half.try_into().unwrap());
                for level in CpuLevel::all() {
                    let got = with_cpu(level, Asked(&block, &patterns));
                    assert_eq!(got, expected, "{level:?} {byte} {fill} {at}");
                }
            }
        }
    }
}

/// Whether some bytes of an input are as a pattern has them.
struct Is<'a>(PaddedInput<'a>, usize, &'a Pattern);

impl Work for Is<'_> {
    type Output = bool;
    #[inline(always)]
    fn run<C: Cpu>(self, cpu: C) -> bool {
        self.0.is(cpu, self.1, self.2)
    }
}

/// Pieces of every length, up to the input's end; each byte of them counts.
#[test]
fn pieces_are_compared_to_their_ends() {
    let text: Vec<u8> = (0..700).map(|i| b'a' + (i % 26) as u8).collect();
    for len in (0..600).step_by(if cfg!(miri) { 41 } else { 1 }) {
        let allowed: Vec<Allowed> = text[7..7 + len].iter().map(|byte| Allowed::From(*byte, *byte)).collect();
        let pattern = Pattern::new(&allowed);
        let mut changed = text.clone();
        for level in CpuLevel::all() {
            let is = |text: &[u8], at| with_cpu(level, Is(PaddedInput::new(text), at, &pattern));
            assert!(is(&text, 7), "{level:?} {len}");
            assert!(is(&text[..7 + len.next_multiple_of(WIDE)], 7), "{level:?} {len}");
            // Whole wide blocks must be there.
            assert!(len == 0 || !is(&text[..6 + len.next_multiple_of(WIDE)], 7), "{level:?} {len}");
            assert!(len == 0 || (!is(&text, 8) && !is(&text, usize::MAX)), "{level:?} {len}");
            for at in (0..len).step_by(if cfg!(miri) { 63 } else { 13 }).chain(len.checked_sub(1)) {
                changed[7 + at] = b'A';
                assert!(!is(&changed, 7), "{level:?} {len} {at}");
                changed[7 + at] = text[7 + at];
            }
            changed[7 + len] = b'A';
            assert!(is(&changed, 7), "{level:?} {len}");
            changed[7 + len] = text[7 + len];
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
            let input = PaddedInput::new(input);
            let mut values = [ByteSpan::default(); VALUES];
            values[0] = ByteSpan::of_input(150, len);
            values[1] = ByteSpan::of_scratch(50, 3);
            values[127] = ByteSpan::of_scratch(0, 53);
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
    assert!(PaddedInput::new(&bytes[..63]).wide(0).is_none());
    let input = PaddedInput::new(&bytes);
    assert_eq!((input.wide(36).unwrap()[63], input.block(36).unwrap()[31]), (99, 67));
    assert!(input.wide(37).is_none() && input.block(37).is_none() && input.block(usize::MAX).is_none());
    assert!(ByteSpan::of_input(36, 1).block(input).is_some());
    assert!(ByteSpan::of_input(37, 1).block(input).is_none());
    assert!(ByteSpan::of_scratch(0, 1).block(input).is_none());
}

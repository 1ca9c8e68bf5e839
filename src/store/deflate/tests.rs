//! Round trips through other decoders, sizes, and codes at their limits.

use std::io::Read as _;

use super::codes::Code;
use super::*;

/// Numbers that look random, the same each time.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 32
    }

    fn below(&mut self, limit: usize) -> usize {
        self.next() as usize % limit
    }
}

/// How much text a test takes: under Miri, little.
fn amount(bytes: usize) -> usize {
    if cfg!(miri) { bytes.min(3_000) } else { bytes }
}

/// Lines of JSON that differ from each other in some values.
fn events(bytes: usize) -> Vec<u8> {
    let mut dice = Dice(1);
    let mut text = Vec::new();
    while text.len() < bytes {
        let kind = ["sms", "phone", "push"][dice.below(3)];
        let (phone, credits, ms) = (dice.below(10_000_000), dice.below(20), dice.below(1_000_000));
        let line = format!(
            "{{\"metadata\":{{\"event_timestamp\":\"2026-03-10T12:00:00.{ms:06}Z\",\"event_type\":\"GENERIC_EVENT\",\
             \"vendor_name\":\"Duo\"}},\"principal\":{{\"user\":{{\"userid\":\"+1555{phone:07}\",\"phone_numbers\":\
             [\"+1555{phone:07}\"]}}}},\"security_result\":[{{\"summary\":\"{kind}\",\"action\":[\"ALLOW\"],\
             \"detection_fields\":[{{\"key\":\"credits\",\"value\":\"{credits}\"}}]}}]}}\n"
        );
        text.extend_from_slice(line.as_bytes());
    }
    text.truncate(bytes);
    text
}

/// `bytes` of what `each` adds, time and again.
fn filled(bytes: usize, mut each: impl FnMut(&mut Dice, &mut Vec<u8>)) -> Vec<u8> {
    let (mut dice, mut text) = (Dice(2), Vec::new());
    while text.len() < bytes {
        each(&mut dice, &mut text);
    }
    text.truncate(bytes);
    text
}

fn random(bytes: usize) -> Vec<u8> {
    filled(bytes, |dice, text| text.push(dice.next() as u8))
}

fn base64(bytes: usize) -> Vec<u8> {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    filled(bytes, |dice, text| text.push(DIGITS[dice.below(64)]))
}

/// Words without a quote, some of them much oftener than others.
fn prose(bytes: usize) -> Vec<u8> {
    filled(bytes, |dice, text| {
        let word = dice.below(40) * dice.below(40);
        text.extend_from_slice(format!("{:x}th ", word * 7919).as_bytes());
    })
}

/// The same words, each in quotes.
fn words(bytes: usize) -> Vec<u8> {
    filled(bytes, |dice, text| {
        let word = dice.below(40) * dice.below(40);
        text.extend_from_slice(format!("\"{:x}\",", word * 7919).as_bytes());
    })
}

fn quotes(bytes: usize) -> Vec<u8> {
    filled(bytes, |dice, text| text.push(if dice.below(3) == 0 { b'"' } else { b'a' }))
}

fn deflated(text: &[u8]) -> Vec<u8> {
    let bytes = Deflater::default().deflate(text, b"before".to_vec()).unwrap();
    assert!(bytes.starts_with(b"before"));
    // A last block with nothing in it.
    [&bytes[6..], &[3, 0]].concat()
}

/// Compresses and gets the text back by zlib-rs, miniz_oxide and libdeflate; how many bytes it takes.
fn round_trip(text: &[u8]) -> usize {
    let bytes = deflated(text);
    let mut back = Vec::new();
    let mut decoder = flate2::bufread::DeflateDecoder::new(&bytes[..]);
    decoder.read_to_end(&mut back).unwrap();
    assert!(back == text && decoder.into_inner().is_empty(), "zlib-rs: {} bytes", text.len());
    assert!(
        miniz_oxide::inflate::decompress_to_vec(&bytes).unwrap() == text,
        "miniz_oxide: {} bytes",
        text.len()
    );
    #[cfg(not(miri))]
    {
        let mut back = vec![0; text.len()];
        let length = libdeflater::Decompressor::new().deflate_decompress(&bytes, &mut back).unwrap();
        assert!(length == text.len() && back == text, "libdeflate: {} bytes", text.len());
    }
    assert!(bytes.len() <= text.len() + text.len() / 1000 + 64, "{} bytes of {}", bytes.len(), text.len());
    bytes.len()
}

fn by_zlib(text: &[u8]) -> usize {
    let mut bytes = Vec::new();
    zlib(text, &mut bytes).unwrap();
    bytes.len()
}

#[test]
fn text_of_any_kind_comes_back_and_is_as_small_as_it_should_be() {
    let size = amount(700_000);
    let zeros = vec![0; size];
    // In percent of what zlib makes of it, the rest of a block included.
    let kinds: [(&str, Vec<u8>, usize); 9] = [
        ("events", events(size), 114),
        ("random bytes", random(size), 101),
        ("base64", base64(size), 101),
        ("prose", prose(size), 112),
        ("words", words(size), 112),
        ("quotes", quotes(size), 112),
        ("zeros", zeros, 300),
        ("empty lines", b"\n".repeat(size), 300),
        ("pairs", b"\"\"".repeat(size / 2), 130),
    ];
    for (name, text, most) in &kinds {
        let (own, zlib) = (round_trip(text), by_zlib(text));
        assert!(own * 100 <= zlib * most + 10_000, "{name}: {own} bytes, by zlib {zlib}");
    }
    // One nature after another, in both orders.
    for (_, a, _) in &kinds {
        for (_, b, _) in &kinds[..6] {
            let text = [&a[..a.len() / 5], b, &a[..a.len() / 3]].concat();
            let (own, zlib) = (round_trip(&text), by_zlib(&text));
            assert!(own * 100 <= zlib * 114 + 10_000, "{own} bytes, by zlib {zlib}");
        }
    }
}

#[test]
fn lengths_around_every_border() {
    for length in (0..70).chain([250, 257, 258, 259, 260, 261, 262, 300, 515, 516, 517, 1_000]) {
        round_trip(&vec![b'a'; length]);
        round_trip(&random(length));
        round_trip(&events(length));
    }
    let borders = [1 << 15, PIECE, 65_535, 2 * PIECE, 1 << 20];
    for length in borders.into_iter().filter(|_| !cfg!(miri)).flat_map(|border| border - 2..border + 3) {
        round_trip(&events(length));
        round_trip(&random(length));
        // As far as a copy may reach, and farther.
        let far = [&events(1_000)[..], &random(length), &events(1_000)].concat();
        round_trip(&far);
    }
}

#[test]
fn the_same_bytes_whatever_was_compressed_before() {
    let (a, b) = (events(amount(300_000)), prose(amount(300_000)));
    let mut deflater = Deflater::default();
    let fresh = [&a, &b].map(|text| Deflater::default().deflate(text, Vec::new()).unwrap());
    for _ in 0..2 {
        for (text, fresh) in [&a, &b].into_iter().zip(&fresh) {
            assert!(deflater.deflate(text, Vec::new()).unwrap() == *fresh);
        }
    }
}

/// Every length and distance that deflate knows.
#[test]
fn each_length_and_distance() {
    let lengths = (3..=258).step_by(if cfg!(miri) { 60 } else { 1 });
    let ranges = symbols::DISTANCE_RANGES.iter();
    let distances = ranges.flat_map(|range| [range.first, range.first + ((1u16 << range.extra) - 1)]);
    let before = random(1 << 15);
    let mut text = before.clone();
    let mut sequences = vec![Sequence { literals: text.len() as u32, length: 0, distance: 0 }];
    for (at, distance) in distances.enumerate() {
        for length in lengths.clone().skip(at % 3) {
            if !cfg!(miri) && (length + at) % 7 > 0 && ![3, 257, 258].contains(&length) {
                continue;
            }
            for _ in 0..length {
                text.push(text[text.len() - usize::from(distance)]);
            }
            sequences.push(Sequence { literals: 0, length: length as u16, distance });
        }
    }
    let mut out = BitWriter::behind(Vec::new());
    let block = Block::new(&text, &sequences);
    block.write(&mut out);
    out.bytes(&[3, 0]);
    let bytes = out.finish();
    // What it takes was known before: up to the byte's end, an empty stored block, and the last block.
    let most = block.bits().div_ceil(8) + 1 + 4 + 2;
    assert!((most - 1..=most).contains(&(bytes.len() as u64)), "{} bytes, {most} expected", bytes.len());
    assert!(miniz_oxide::inflate::decompress_to_vec(&bytes).unwrap() == text);
}

/// Whether a code uses all its bits, none twice, and no more than the limit; and its cost.
fn checked<const N: usize>(counts: [u32; N], limit: usize) -> u64 {
    let code = Code::new(&counts, limit);
    let longest = usize::from(*code.lengths.iter().max().unwrap());
    assert!(longest <= limit, "{longest} bits");
    let used: u64 =
        code.lengths.iter().filter(|bits| **bits > 0).map(|bits| 1u64 << (limit - usize::from(*bits))).sum();
    assert_eq!(used, 1 << limit, "all bits, none twice: {counts:?} {:?}", code.lengths);
    for (symbol, count) in counts.iter().enumerate() {
        assert!(*count == 0 || code.lengths[symbol] > 0, "symbol {symbol} has no code");
        assert!(usize::from(code.lengths[symbol]) == 0 || code.bits[symbol] >> code.lengths[symbol] == 0);
    }
    code.cost(&counts)
}

#[test]
fn codes_at_their_limits() {
    // No symbol, one, two.
    assert_eq!(checked([0; 19], 7), 0);
    assert_eq!(checked([0, 0, 5, 0], 7), 5);
    assert_eq!(checked([u32::MAX, 0, 1, 0], 15), u64::from(u32::MAX) + 1);
    // All alike.
    assert_eq!(checked([3; 256], 15), 256 * 8 * 3);
    // Fibonacci's numbers make the longest codes: one bit more for each symbol.
    let mut fibonacci = [1u32; 30];
    for at in 2..30 {
        fibonacci[at] = fibonacci[at - 1] + fibonacci[at - 2];
    }
    let best = |symbols: &[u32]| -> u64 {
        let deepest = symbols.len() as u64 - 1;
        symbols.iter().zip(0..).map(|(count, at)| u64::from(*count) * (deepest + 1 - at).min(deepest)).sum()
    };
    let few: [u32; 16] = std::array::from_fn(|at| fibonacci[at]);
    assert_eq!(checked(few, 15), best(&few));
    let (limited, tight, best) = (checked(fibonacci, 15), checked(fibonacci, 5), best(&fibonacci));
    assert!(best < limited && limited < best + best / 100 && limited < tight, "{best} {limited} {tight}");
    // More symbols than the limit leaves room for otherwise.
    let mut counts = [1u32; 128];
    counts[0] = 1 << 30;
    checked(counts, 7);
}

#[test]
fn codes_of_random_counts() {
    let mut dice = Dice(3);
    for _ in 0..if cfg!(miri) { 20 } else { 5_000 } {
        let mut counts = [0u32; 30];
        for count in &mut counts {
            *count = if dice.below(4) == 0 { 0 } else { (dice.next() as u32) >> dice.below(32) };
        }
        for limit in [5, 7, 15] {
            checked(counts, limit);
        }
    }
}

#[cfg(not(miri))]
mod any {
    use super::*;
    use proptest::prelude::*;

    /// Texts that repeat themselves, with quotes.
    fn texts() -> impl Strategy<Value = Vec<u8>> {
        let piece = prop_oneof![
            3 => proptest::collection::vec(prop_oneof![Just(b'"'), Just(b','), any::<u8>()], 0..40),
            1 => proptest::collection::vec(any::<u8>(), 0..400),
        ];
        (proptest::collection::vec(piece, 1..8), proptest::collection::vec((0usize..8, 0usize..400), 0..120))
            .prop_map(|(pieces, turns)| {
                let mut text = Vec::new();
                for (which, length) in turns {
                    let piece = &pieces[which % pieces.len()];
                    text.extend_from_slice(&piece[..length.min(piece.len())]);
                }
                text
            })
    }

    proptest! {
        #[test]
        fn comes_back(text in texts()) {
            round_trip(&text);
        }
    }
}

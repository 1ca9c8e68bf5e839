//! deflate's symbols: which lengths and distances each stands for (RFC 1951, 3.2.5).

/// Literals, the end of a block, and lengths.
pub(super) const LITERALS: usize = 286;
pub(super) const DISTANCES: usize = 30;
/// The symbol that ends a block.
pub(super) const END: usize = 256;
/// The shortest and the longest copy, and the farthest.
pub(super) const SHORTEST: usize = 3;
pub(super) const LONGEST: usize = 258;
pub(super) const FARTHEST: usize = 1 << 15;

/// A range of lengths or distances with one symbol: its first one, and how many bits say which.
#[derive(Debug, Clone, Copy)]
pub(super) struct Range {
    pub(super) first: u16,
    pub(super) extra: u8,
}

/// By symbol, from 257 on.
pub(super) const LENGTH_RANGES: [Range; 29] = length_ranges();
/// By symbol.
pub(super) const DISTANCE_RANGES: [Range; DISTANCES] = distance_ranges();
/// By length: which of [`LENGTH_RANGES`].
pub(super) const LENGTH_SYMBOLS: [u8; LONGEST + 1] = length_symbols();
/// For distances to 256 by distance - 1; for larger ones behind these by the 128 that it lies in.
const DISTANCE_SYMBOLS: [u8; 512] = distance_symbols();

/// Which of [`DISTANCE_RANGES`] holds a distance of 1 to [`FARTHEST`].
#[inline(always)]
pub(super) fn distance_symbol(distance: usize) -> usize {
    let before = distance.wrapping_sub(1);
    let at = if before < 256 { before } else { 256 + (before >> 7) };
    usize::from(DISTANCE_SYMBOLS[at & 511])
}

/// Ranges of which the first `alike` have no extra bits, and then `alike` / 2 each have one more.
const fn ranges<const N: usize>(first: u16, alike: usize) -> [Range; N] {
    let mut ranges = [Range { first, extra: 0 }; N];
    let mut symbol = 1;
    while symbol < N {
        let before = ranges[symbol - 1];
        let extra = if symbol < alike { 0 } else { (symbol / (alike / 2) - 1) as u8 };
        ranges[symbol] = Range { first: before.first + (1 << before.extra), extra };
        symbol += 1;
    }
    ranges
}

const fn length_ranges() -> [Range; 29] {
    let mut ranges = ranges(SHORTEST as u16, 8);
    ranges[28] = Range { first: LONGEST as u16, extra: 0 };
    ranges
}

const fn distance_ranges() -> [Range; DISTANCES] {
    ranges(1, 4)
}

const fn length_symbols() -> [u8; LONGEST + 1] {
    let mut symbols = [0; LONGEST + 1];
    let (mut length, mut symbol) = (SHORTEST, 0);
    while length <= LONGEST {
        if symbol < 28 && LENGTH_RANGES[symbol + 1].first as usize <= length {
            symbol += 1;
        }
        symbols[length] = symbol as u8;
        length += 1;
    }
    symbols
}

const fn distance_symbols() -> [u8; 512] {
    let mut symbols = [0; 512];
    let (mut at, mut symbol) = (0, 0);
    while at < 512 {
        let distance = if at < 256 { at + 1 } else { ((at - 256) << 7) + 1 };
        if at == 256 {
            symbol = 0;
        }
        while symbol < DISTANCES - 1 && DISTANCE_RANGES[symbol + 1].first as usize <= distance {
            symbol += 1;
        }
        symbols[at] = symbol as u8;
        at += 1;
    }
    symbols
}

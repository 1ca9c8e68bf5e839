//! A deflate block from sequences: counted, given codes of its own, written (RFC 1951, 3.2.7).

use super::bits::BitWriter;
use super::codes::Code;
use super::matcher::Sequence;
use super::symbols::{
    DISTANCE_RANGES, DISTANCES, END, LENGTH_RANGES, LENGTH_SYMBOLS, LITERALS, LONGEST, distance_symbol,
};

/// How often each symbol occurs.
#[derive(Debug)]
struct Counts {
    literals: [u32; LITERALS],
    distances: [u32; DISTANCES],
}

impl Counts {
    fn of(text: &[u8], sequences: &[Sequence]) -> Counts {
        let mut literals = [0; LITERALS];
        let mut distances = [0; DISTANCES];
        literals[END] = 1;
        let mut rest = text;
        for sequence in sequences {
            let (own, behind) = rest.split_at_checked(sequence.literals as usize).unwrap_or((rest, &[]));
            for &byte in own {
                literals[usize::from(byte)] += 1;
            }
            let length = usize::from(sequence.length);
            if length > 0 {
                literals[END + 1 + usize::from(LENGTH_SYMBOLS[length])] += 1;
                distances[distance_symbol(usize::from(sequence.distance))] += 1;
            }
            rest = behind.get(length..).unwrap_or(&[]);
        }
        Counts { literals, distances }
    }
}

/// A block that can be written.
#[derive(Debug)]
pub(super) struct Block<'a> {
    text: &'a [u8],
    sequences: &'a [Sequence],
    literals: Code<LITERALS>,
    distances: Code<DISTANCES>,
    header: Header,
    bits: u64,
}

impl<'a> Block<'a> {
    /// For `text`, of which `sequences` say how it repeats itself and what is before it.
    pub(super) fn new(text: &'a [u8], sequences: &'a [Sequence]) -> Block<'a> {
        let counts = Counts::of(text, sequences);
        let literals = Code::new(&counts.literals, 15);
        let distances = Code::new(&counts.distances, 15);
        let header = Header::new(&literals.lengths, &distances.lengths);
        let lengths = counts.literals[END + 1..].iter().zip(&LENGTH_RANGES);
        let extra: u64 = lengths
            .chain(counts.distances.iter().zip(&DISTANCE_RANGES))
            .map(|(&count, range)| u64::from(count) * u64::from(range.extra))
            .sum();
        let bits =
            3 + header.bits() + extra + literals.cost(&counts.literals) + distances.cost(&counts.distances);
        Block { text, sequences, literals, distances, header, bits }
    }

    /// How many bits it takes.
    pub(super) fn bits(&self) -> u64 {
        self.bits
    }

    /// Writes it, not as the last one.
    pub(super) fn write(&self, out: &mut BitWriter) {
        out.reserve(self.bits);
        out.put(0b100, 3);
        self.header.write(out);

        // A length's or distance's code with the bits behind it that say which of its range it is.
        let lengths: [(u32, u8); LONGEST + 1] = std::array::from_fn(|length| {
            let symbol = usize::from(LENGTH_SYMBOLS[length]);
            let range = LENGTH_RANGES[symbol];
            let code = self.literals.lengths[END + 1 + symbol];
            let which = (length as u32).saturating_sub(u32::from(range.first));
            (u32::from(self.literals.bits[END + 1 + symbol]) | which << code, code + range.extra)
        });
        let literals: [(u16, u8); 256] =
            std::array::from_fn(|byte| (self.literals.bits[byte], self.literals.lengths[byte]));
        let mut rest = self.text;
        for sequence in self.sequences {
            let (own, behind) = rest.split_at_checked(sequence.literals as usize).unwrap_or((rest, &[]));
            let mut threes = own.chunks_exact(3);
            for three in threes.by_ref() {
                for &byte in three {
                    let (bits, count) = literals[usize::from(byte)];
                    out.put(bits.into(), count.into());
                }
                out.flush();
            }
            // At most 7 + 2 * 15 bits; with a copy's 20 and 28 too many for one flush.
            for &byte in threes.remainder() {
                let (bits, count) = literals[usize::from(byte)];
                out.put(bits.into(), count.into());
            }
            out.flush();
            let length = usize::from(sequence.length);
            if length > 0 {
                let (bits, count) = lengths[length.min(LONGEST)];
                out.put(bits.into(), count.into());
                let distance = usize::from(sequence.distance);
                let symbol = distance_symbol(distance);
                let range = DISTANCE_RANGES[symbol];
                out.put(self.distances.bits[symbol].into(), self.distances.lengths[symbol].into());
                out.put((distance - usize::from(range.first)) as u64, range.extra.into());
                out.flush();
            }
            rest = behind.get(length..).unwrap_or(&[]);
        }
        // Anything else would come out as another text.
        assert!(rest.is_empty(), "the sequences are of another text");
        out.put(self.literals.bits[END].into(), self.literals.lengths[END].into());
        out.flush();
    }
}

/// The order in which the lengths of the code of lengths come.
const ORDER: [usize; 19] = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

/// What says how long all codes are.
#[derive(Debug)]
struct Header {
    literals: usize,
    distances: usize,
    /// Symbols of the code of lengths, with their extra bits and how many these are.
    symbols: Vec<(u8, u8, u8)>,
    code: Code<19>,
    /// How many of the code's own lengths are written.
    written: usize,
    bits: u64,
}

impl Header {
    fn new(literals: &[u8; LITERALS], distances: &[u8; DISTANCES]) -> Header {
        let used = |lengths: &[u8]| lengths.iter().rposition(|&length| length > 0).map_or(0, |last| last + 1);
        let (literals_used, distances_used) = (used(literals).max(257), used(distances).max(1));
        let symbols = runs(literals[..literals_used].iter().chain(&distances[..distances_used]).copied());
        let mut counts = [0; 19];
        for &(symbol, _, _) in &symbols {
            counts[usize::from(symbol)] += 1;
        }
        let code = Code::new(&counts, 7);
        let written =
            ORDER.iter().rposition(|&symbol| code.lengths[symbol] > 0).map_or(4, |last| (last + 1).max(4));
        let extra: u64 = symbols.iter().map(|&(_, _, extra)| u64::from(extra)).sum();
        let bits = 14 + 3 * written as u64 + code.cost(&counts) + extra;
        Header { literals: literals_used, distances: distances_used, symbols, code, written, bits }
    }

    fn bits(&self) -> u64 {
        self.bits
    }

    fn write(&self, out: &mut BitWriter) {
        out.put(self.literals as u64 - 257, 5);
        out.put(self.distances as u64 - 1, 5);
        out.put(self.written as u64 - 4, 4);
        out.flush();
        for &symbol in &ORDER[..self.written] {
            out.put(self.code.lengths[symbol].into(), 3);
            out.flush();
        }
        for &(symbol, extra, count) in &self.symbols {
            let symbol = usize::from(symbol);
            out.put(self.code.bits[symbol].into(), self.code.lengths[symbol].into());
            out.put(extra.into(), count.into());
            out.flush();
        }
    }
}

/// Lengths with their repetitions.
fn runs(lengths: impl Iterator<Item = u8>) -> Vec<(u8, u8, u8)> {
    let lengths: Vec<u8> = lengths.collect();
    let mut symbols = Vec::with_capacity(lengths.len());
    for run in lengths.chunk_by(|a, b| a == b) {
        let (length, mut left) = (run[0], run.len());
        if length > 0 {
            symbols.push((length, 0, 0));
            left -= 1;
        }
        while left >= 3 {
            let (most, symbol) = match (length, left) {
                (0, 11..) => (left.min(138), (18, (left.min(138) - 11) as u8, 7)),
                (0, _) => (left, (17, (left - 3) as u8, 3)),
                _ => (left.min(6), (16, (left.min(6) - 3) as u8, 2)),
            };
            symbols.push(symbol);
            left -= most;
        }
        symbols.extend(std::iter::repeat_n((length, 0, 0), left));
    }
    symbols
}

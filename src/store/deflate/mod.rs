//! A deflate compressor for text in which lines differ from earlier ones in a few quoted values, as events do: several
//! times as fast as zlib, and nearly as small.
//!
//! What it gives depends on the text alone. Text of another kind goes to zlib, a piece at a time.

mod bits;
mod block;
mod codes;
mod matcher;
mod symbols;
#[cfg(test)]
mod tests;

use std::io;

use bits::BitWriter;
use block::Block;
use flate2::{Compress, FlushCompress};
use matcher::{Matcher, Sequence};

/// So much text is looked at before a decision.
const PIECE: usize = 1 << 16;
/// How far a decision for zlib reaches.
const REACH: usize = 8 * PIECE;
/// This many sequences make a block of deflate.
const MOST: usize = 1 << 15;
/// zlib is preferred if this goes to its size, in percent.
const WORSE: u64 = 112;

/// Compresses one text after another, with the same memory.
#[derive(Debug, Default)]
pub(super) struct Deflater {
    matcher: Matcher,
    sequences: Vec<Sequence>,
}

impl Deflater {
    /// Compresses `text` behind `bytes`, which end with a byte, as these do then: into blocks that refer to nothing
    /// before them, and of which none is the last of a stream.
    ///
    /// # Errors
    /// If zlib fails.
    pub(super) fn deflate(&mut self, text: &[u8], bytes: Vec<u8>) -> io::Result<Vec<u8>> {
        let mut out = BitWriter::behind(bytes);
        self.matcher.clear();
        self.sequences.clear();
        // Up to `written` all is in `out`, up to `at` in sequences.
        let (mut written, mut at) = (0, 0);
        // The piece of which zlib was seen to make hardly less.
        let mut fine = None;
        while at < text.len() {
            let (from, before) = (at, self.sequences.len());
            at = self.matcher.find(text, from, (from + PIECE).min(text.len()), &mut self.sequences);
            let (earlier, found) = self.sequences.split_at(before);
            let looks = Looks::of(at - from, found);
            if looks.doubtful() && !fine.is_some_and(|fine| looks.is_like(fine)) {
                let mut zlib = Zlib::new();
                let mut bytes = Vec::new();
                zlib.add(&text[from..at], FlushCompress::Sync, &mut bytes)?;
                if bytes.len() as u64 * 8 * WORSE / 100 < Block::new(&text[from..at], found).bits() {
                    write(&text[written..from], earlier, &mut out);
                    let end = (at + REACH).min(text.len());
                    zlib.add(&text[at..end], FlushCompress::Sync, &mut bytes)?;
                    out.bytes(&bytes);
                    (written, at) = (end, end);
                    self.sequences.clear();
                } else {
                    fine = Some(looks);
                }
            }
            if self.sequences.len() >= MOST {
                write(&text[written..at], &self.sequences, &mut out);
                written = at;
                self.sequences.clear();
            }
        }
        write(&text[written..], &self.sequences, &mut out);
        out.bytes(&[]);
        Ok(out.finish())
    }
}

/// What a piece of text is like: how many literals and sequences there are in 64 KiB of it.
#[derive(Debug, Clone, Copy)]
struct Looks {
    literals: usize,
    sequences: usize,
}

impl Looks {
    fn of(length: usize, sequences: &[Sequence]) -> Looks {
        let literals: usize = sequences.iter().map(|sequence| sequence.literals as usize).sum();
        let of_piece = |count: usize| count * PIECE / length.max(1);
        Looks { literals: of_piece(literals), sequences: of_piece(sequences.len()) }
    }

    /// Whether zlib might make much less of the text. Of events it never would.
    fn doubtful(self) -> bool {
        self.literals * 6 + self.sequences * 20 > PIECE * 8 / 6
    }

    /// Whether what holds for the other piece holds for this one.
    fn is_like(self, other: Looks) -> bool {
        let near = |a: usize, b: usize| a.abs_diff(b) <= a.max(b) / 4 + PIECE / 256;
        near(self.literals, other.literals) && near(self.sequences, other.sequences)
    }
}

/// Writes a text, of which this is how it repeats itself and what is before it.
fn write(text: &[u8], sequences: &[Sequence], out: &mut BitWriter) {
    if text.is_empty() {
        return;
    }
    let block = Block::new(text, sequences);
    if block.bits() < text.len() as u64 * 8 {
        block.write(out);
    } else {
        out.stored(text);
    }
}

/// Compresses `text` behind `bytes` in the same way with zlib, as small as the command `gzip` does.
///
/// # Errors
/// If zlib fails.
pub(super) fn zlib(text: &[u8], bytes: &mut Vec<u8>) -> io::Result<()> {
    bytes.reserve(text.len() / 4 + 64);
    Zlib::new().add(text, FlushCompress::Full, bytes)
}

/// zlib's state.
struct Zlib(Compress);

impl Zlib {
    fn new() -> Zlib {
        Zlib(Compress::new(flate2::Compression::new(6), false))
    }

    /// Compresses more of a text, up to the end of a byte.
    fn add(&mut self, text: &[u8], flush: FlushCompress, bytes: &mut Vec<u8>) -> io::Result<()> {
        let (start, end) = (self.0.total_in(), self.0.total_in() + text.len() as u64);
        loop {
            bytes.reserve(64);
            let used = usize::try_from(self.0.total_in() - start).unwrap_or(text.len());
            self.0.compress_vec(&text[used..], bytes, flush)?;
            // All taken, and nothing left inside.
            if self.0.total_in() == end && bytes.len() < bytes.capacity() {
                return Ok(());
            }
            bytes.reserve(bytes.capacity().max(64));
        }
    }
}

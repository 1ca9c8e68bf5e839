//! Compression of what is written: with which checks, as a stream, at once, or in blocks on many threads.
//!
//! The same text becomes the same bytes, whatever the number of threads: no time or name goes into them.

#[cfg(feature = "bucket")]
use std::borrow::Cow;
use std::collections::VecDeque;
use std::fmt;
#[cfg(feature = "bucket")]
use std::io::Read as _;
use std::io::{self, Write};
use std::sync::mpsc::{Receiver, channel};

use flate2::Crc;
use zstd::stream::write::Encoder as ZstdEncoder;

use super::compression::Compression;
use super::deflate::{Deflater, zlib};

/// So much text is compressed on its own: enough that the start of a block costs nothing to speak
/// of, and little enough to be held some times over.
const BLOCK: usize = 1 << 20;
/// No name, no time, no system.
const GZIP_HEADER: &[u8] = &[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
/// A last deflate block with nothing in it.
const GZIP_LAST: &[u8] = &[3, 0];

/// Compresses into `out` as a frame.
///
/// # Errors
/// If there is no memory for it.
fn zstd<W: Write>(out: W, level: i32) -> io::Result<ZstdEncoder<'static, W>> {
    let mut encoder = ZstdEncoder::new(out, level)?;
    // As the command zstd does: otherwise hardly any damage would be noticed.
    encoder.include_checksum(true)?;
    Ok(encoder)
}

impl Compression {
    /// Compresses a whole text.
    ///
    /// # Errors
    /// If there is no memory for it.
    #[cfg(feature = "bucket")]
    pub(crate) fn encode(self, text: Cow<'_, [u8]>) -> io::Result<Vec<u8>> {
        if self == Compression::None {
            return Ok(text.into_owned());
        }
        let mut blocks = BlockCompressor::new(Vec::new(), self, 1);
        blocks.write_all(&text)?;
        blocks.finish()
    }

    /// The text of an object, which has at most `most` bytes.
    ///
    /// # Errors
    /// If it is damaged, or has more.
    #[cfg(feature = "bucket")]
    pub(crate) fn decode(self, bytes: &[u8], most: usize) -> io::Result<Vec<u8>> {
        let mut text = Vec::new();
        let limit = most as u64 + 1;
        match self {
            Compression::None => text.extend_from_slice(bytes),
            Compression::Gzip | Compression::GzipSmall => {
                flate2::read::MultiGzDecoder::new(bytes).take(limit).read_to_end(&mut text)?;
            }
            Compression::Zstd(_) => {
                zstd::Decoder::new(bytes)?.take(limit).read_to_end(&mut text)?;
            }
        }
        if text.len() > most {
            return Err(io::Error::other(format!("it has more than {most} bytes")));
        }
        Ok(text)
    }
}

/// Compresses what is written to it into `out`. gzip becomes one member, zstd a frame a block.
pub struct BlockCompressor<W> {
    out: W,
    compression: Compression,
    threads: usize,
    block: Block,
    waiting: VecDeque<Receiver<io::Result<Block>>>,
    /// Blocks that are done with, for their memory.
    spare: Vec<Block>,
    sum: Crc,
    any: bool,
}

/// A piece of text, and what becomes of it.
#[derive(Default)]
struct Block {
    text: Vec<u8>,
    bytes: Vec<u8>,
    sum: Crc,
    deflater: Option<Deflater>,
}

impl Block {
    /// Compresses the text.
    fn compress(mut self, compression: Compression) -> io::Result<Block> {
        self.bytes.clear();
        match compression {
            Compression::Gzip => {
                let bytes = std::mem::take(&mut self.bytes);
                self.bytes = self.deflater.get_or_insert_default().deflate(&self.text, bytes)?;
            }
            Compression::GzipSmall => zlib(&self.text, &mut self.bytes)?,
            Compression::Zstd(level) => {
                let mut encoder = zstd(std::mem::take(&mut self.bytes), level)?;
                encoder.write_all(&self.text)?;
                self.bytes = encoder.finish()?;
            }
            Compression::None => self.bytes.extend_from_slice(&self.text),
        }
        if is_gzip(compression) {
            self.sum.reset();
            self.sum.update(&self.text);
        }
        self.text.clear();
        Ok(self)
    }
}

fn is_gzip(compression: Compression) -> bool {
    matches!(compression, Compression::Gzip | Compression::GzipSmall)
}

impl<W: Write> BlockCompressor<W> {
    /// Compresses on `threads` threads of rayon's pool; with one, on the caller's.
    pub fn new(out: W, compression: Compression, threads: usize) -> BlockCompressor<W> {
        BlockCompressor {
            out,
            compression,
            threads,
            block: Block::default(),
            waiting: VecDeque::new(),
            spare: Vec::new(),
            sum: Crc::new(),
            any: false,
        }
    }

    /// From here on on this many threads.
    pub(super) fn on_threads(&mut self, threads: usize) {
        self.threads = threads;
    }

    /// From here on at another level of the same kind.
    pub(super) fn at_level(&mut self, compression: Compression) {
        self.compression = compression;
    }

    /// Compresses the rest; what was written to.
    ///
    /// # Errors
    /// If that fails.
    pub fn finish(mut self) -> io::Result<W> {
        let nothing = !self.any && self.waiting.is_empty();
        if !self.block.text.is_empty() || matches!(self.compression, Compression::Zstd(_)) && nothing {
            self.next()?;
        }
        while let Some(done) = self.waiting.pop_front() {
            self.take(received(&done)?)?;
        }
        if is_gzip(self.compression) {
            if !self.any {
                self.out.write_all(GZIP_HEADER)?;
            }
            self.out.write_all(GZIP_LAST)?;
            self.out.write_all(&self.sum.sum().to_le_bytes())?;
            self.out.write_all(&self.sum.amount().to_le_bytes())?;
        }
        Ok(self.out)
    }

    /// Has the block compressed.
    fn next(&mut self) -> io::Result<()> {
        let block = std::mem::take(&mut self.block);
        let compression = self.compression;
        if self.threads <= 1 {
            self.take(block.compress(compression)?)?;
        } else {
            let (to, from) = channel();
            rayon::spawn(move || {
                crate::panics::provoke("compress");
                // Who has failed no longer listens.
                let _ = to.send(block.compress(compression));
            });
            self.waiting.push_back(from);
            if self.waiting.len() > self.threads
                && let Some(done) = self.waiting.pop_front()
            {
                self.take(received(&done)?)?;
            }
        }
        self.block = self.spare.pop().unwrap_or_default();
        Ok(())
    }

    fn take(&mut self, block: Block) -> io::Result<()> {
        if is_gzip(self.compression) {
            if !self.any {
                self.out.write_all(GZIP_HEADER)?;
            }
            self.sum.combine(&block.sum);
        }
        self.any = true;
        self.out.write_all(&block.bytes)?;
        self.spare.push(block);
        Ok(())
    }
}

fn received(from: &Receiver<io::Result<Block>>) -> io::Result<Block> {
    from.recv().unwrap_or_else(|_| Err(io::Error::other("the compressor has stopped")))
}

impl<W: Write> Write for BlockCompressor<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.compression == Compression::None {
            self.out.write_all(bytes)?;
            return Ok(bytes.len());
        }
        let text = &mut self.block.text;
        let taken = bytes.len().min(BLOCK - text.len());
        text.extend_from_slice(&bytes[..taken]);
        if text.len() == BLOCK {
            self.next()?;
        }
        Ok(taken)
    }

    /// What is in an unfinished block stays there: blocks don't depend on how bytes arrive.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<W> fmt::Debug for BlockCompressor<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BlockCompressor").field("compression", &self.compression).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_bytes_for_any_threads_and_back() {
        let mut text = Vec::new();
        let mut seed = 7u64;
        while text.len() < 3 * BLOCK + 12_345 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            text.extend_from_slice(format!("{{\"n\":{}}}\n", seed >> 40).as_bytes());
        }
        let pack = |text: &[u8], compression, threads, piece: usize| {
            let mut blocks = BlockCompressor::new(Vec::new(), compression, threads);
            text.chunks(piece).for_each(|piece| blocks.write_all(piece).unwrap());
            blocks.finish().unwrap()
        };
        let exact = 2 * BLOCK;
        let all = [Compression::GzipSmall, Compression::Zstd(3)].into_iter().chain(Compression::KINDS);
        for text in [&text[..], &text[..exact], &text[..100], b""] {
            for compression in all.clone() {
                let packed = pack(text, compression, 1, 1000);
                assert!(packed == pack(text, compression, 3, 77_777), "{compression:?} {}", text.len());
                let mut back = Vec::new();
                match compression {
                    // One member: a reader that knows no others gets everything.
                    Compression::Gzip | Compression::GzipSmall => {
                        let mut decoder = flate2::bufread::GzDecoder::new(&packed[..]);
                        std::io::Read::read_to_end(&mut decoder, &mut back).unwrap();
                        assert!(decoder.into_inner().is_empty());
                    }
                    Compression::Zstd(_) => back = zstd::decode_all(&packed[..]).unwrap(),
                    Compression::None => back.clone_from(&packed),
                }
                assert!(back == text, "{compression:?}");
                let small = compression == Compression::None || packed.len() < text.len() / 2 + 64;
                assert!(small, "{compression:?} {}", packed.len());
            }
        }
    }

    #[cfg(feature = "bucket")]
    #[test]
    fn the_same_bytes_at_once_and_back() {
        let lines = b"{\"a\":1}\n".repeat(1000);
        for compression in Compression::KINDS {
            let packed = compression.encode(Cow::Borrowed(&lines)).unwrap();
            assert_eq!(packed, compression.encode(Cow::Borrowed(&lines)).unwrap());
            assert_eq!(compression.decode(&packed, lines.len()).unwrap(), lines);
            assert!(compression == Compression::None || packed.len() < lines.len() / 10);
            assert!(compression.decode(&packed, lines.len() - 1).is_err());
            assert_eq!(Compression::of(compression.extension()), Some(compression));
        }
        assert!(Compression::Gzip.decode(b"{}", 10).is_err());
    }
}

//! Compression of what is written: how much, with which checks, as a stream, at once, or in blocks on many threads.
//!
//! The same text becomes the same bytes, whatever the number of threads: no time or name goes into them.

use flate2::write::GzEncoder;
use flate2::{Compress, Crc, FlushCompress};
#[cfg(feature = "bucket")]
use std::borrow::Cow;
use std::collections::VecDeque;
use std::fmt;
#[cfg(feature = "bucket")]
use std::io::Read as _;
use std::io::{self, Write};
use std::sync::mpsc::{Receiver, channel};
use zstd::stream::write::Encoder as ZstdEncoder;

/// So much text is compressed on its own: enough that the start of a block costs nothing to speak
/// of, and little enough to be held some times over.
const BLOCK: usize = 1 << 20;
/// As `gzip` and `zstd` do by default.
const GZIP_LEVEL: flate2::Compression = flate2::Compression::new(6);
const ZSTD_LEVEL: i32 = 3;
/// No name, no time, no system.
const GZIP_HEADER: &[u8] = &[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
/// A last deflate block with nothing in it.
const GZIP_LAST: &[u8] = &[3, 0];

/// How objects are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Compression {
    /// gzip: what every feed reads.
    #[default]
    Gzip,
    /// Zstandard.
    Zstd,
    /// Not at all.
    None,
}

impl Compression {
    /// Each compression with its name in settings.
    pub const ALL: [(&'static str, Compression); 3] =
        [("gzip", Compression::Gzip), ("zstd", Compression::Zstd), ("none", Compression::None)];

    /// What an object's key ends with.
    pub fn extension(self) -> &'static str {
        match self {
            Compression::Gzip => ".ndjson.gz",
            Compression::Zstd => ".ndjson.zst",
            Compression::None => ".ndjson",
        }
    }

    /// The compression that an extension stands for.
    pub fn of(extension: &str) -> Option<Compression> {
        Compression::ALL.into_iter().map(|(_, it)| it).find(|it| it.extension() == extension)
    }
}

/// Compresses into `out` as a stream.
pub(super) fn gzip<W: Write>(out: W) -> GzEncoder<W> {
    GzEncoder::new(out, GZIP_LEVEL)
}

/// Compresses into `out` as a stream.
///
/// # Errors
/// If there is no memory for it.
pub(super) fn zstd<W: Write>(out: W) -> io::Result<ZstdEncoder<'static, W>> {
    let mut encoder = ZstdEncoder::new(out, ZSTD_LEVEL)?;
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
        match self {
            Compression::None => Ok(text.into_owned()),
            Compression::Gzip => {
                let mut encoder = gzip(Vec::new());
                encoder.write_all(&text)?;
                encoder.finish()
            }
            Compression::Zstd => zstd_whole(&text),
        }
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
            Compression::Gzip => {
                flate2::read::MultiGzDecoder::new(bytes).take(limit).read_to_end(&mut text)?;
            }
            Compression::Zstd => {
                zstd::Decoder::new(bytes)?.take(limit).read_to_end(&mut text)?;
            }
        }
        if text.len() > most {
            return Err(io::Error::other(format!("it has more than {most} bytes")));
        }
        Ok(text)
    }
}

fn zstd_whole(text: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = zstd(Vec::new())?;
    encoder.write_all(text)?;
    encoder.finish()
}

/// Compresses what is written to it into `out`. gzip becomes one member, zstd a frame a block.
pub struct BlockCompressor<W> {
    out: W,
    compression: Compression,
    threads: usize,
    block: Vec<u8>,
    waiting: VecDeque<Receiver<io::Result<Done>>>,
    sum: Crc,
    any: bool,
}

/// A compressed block, with its buffer to be used again.
struct Done {
    bytes: Vec<u8>,
    sum: Crc,
    text: Vec<u8>,
}

impl<W: Write> BlockCompressor<W> {
    /// Compresses on `threads` threads of rayon's pool; with one, on the caller's.
    pub fn new(out: W, compression: Compression, threads: usize) -> BlockCompressor<W> {
        let (block, waiting) = (Vec::new(), VecDeque::new());
        BlockCompressor { out, compression, threads, block, waiting, sum: Crc::new(), any: false }
    }

    /// Compresses the rest; what was written to.
    ///
    /// # Errors
    /// If that fails.
    pub fn finish(mut self) -> io::Result<W> {
        let nothing = !self.any && self.waiting.is_empty();
        if !self.block.is_empty() || self.compression == Compression::Zstd && nothing {
            self.next()?;
        }
        while let Some(done) = self.waiting.pop_front() {
            self.take(received(&done)?)?;
        }
        if self.compression == Compression::Gzip {
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
        let text = std::mem::take(&mut self.block);
        let compression = self.compression;
        if self.threads <= 1 {
            return self.take(compress(compression, text)?);
        }
        let (to, from) = channel();
        rayon::spawn(move || {
            crate::panics::provoke("compress");
            // Who has failed no longer listens.
            let _ = to.send(compress(compression, text));
        });
        self.waiting.push_back(from);
        if self.waiting.len() > self.threads
            && let Some(done) = self.waiting.pop_front()
        {
            self.take(received(&done)?)?;
        }
        Ok(())
    }

    fn take(&mut self, done: Done) -> io::Result<()> {
        if self.compression == Compression::Gzip {
            if !self.any {
                self.out.write_all(GZIP_HEADER)?;
            }
            self.sum.combine(&done.sum);
        }
        self.any = true;
        self.out.write_all(&done.bytes)?;
        if self.block.capacity() == 0 {
            self.block = done.text;
            self.block.clear();
        }
        Ok(())
    }
}

fn received(from: &Receiver<io::Result<Done>>) -> io::Result<Done> {
    from.recv().unwrap_or_else(|_| Err(io::Error::other("the compressor has stopped")))
}

fn compress(compression: Compression, text: Vec<u8>) -> io::Result<Done> {
    let mut sum = Crc::new();
    let bytes = match compression {
        Compression::Gzip => {
            sum.update(&text);
            deflate(&text)?
        }
        Compression::Zstd => zstd_whole(&text)?,
        Compression::None => text.clone(),
    };
    Ok(Done { bytes, sum, text })
}

/// A run of deflate blocks that ends with a byte, and refers to nothing before it.
fn deflate(text: &[u8]) -> io::Result<Vec<u8>> {
    let mut state = Compress::new(GZIP_LEVEL, false);
    let mut bytes = Vec::with_capacity(text.len() / 4 + 64);
    loop {
        let rest = &text[usize::try_from(state.total_in()).unwrap_or(text.len())..];
        state.compress_vec(rest, &mut bytes, FlushCompress::Full)?;
        // All taken, and nothing left inside.
        if state.total_in() == text.len() as u64 && bytes.len() < bytes.capacity() {
            return Ok(bytes);
        }
        bytes.reserve(bytes.capacity().max(64));
    }
}

impl<W: Write> Write for BlockCompressor<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.compression == Compression::None {
            self.out.write_all(bytes)?;
            return Ok(bytes.len());
        }
        let taken = bytes.len().min(BLOCK - self.block.len());
        self.block.extend_from_slice(&bytes[..taken]);
        if self.block.len() == BLOCK {
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
        for text in [&text[..], &text[..exact], &text[..100], b""] {
            for (_, compression) in Compression::ALL {
                let packed = pack(text, compression, 1, 1000);
                assert!(packed == pack(text, compression, 3, 77_777), "{compression:?} {}", text.len());
                let mut back = Vec::new();
                match compression {
                    // One member: a reader that knows no others gets everything.
                    Compression::Gzip => {
                        let mut decoder = flate2::bufread::GzDecoder::new(&packed[..]);
                        std::io::Read::read_to_end(&mut decoder, &mut back).unwrap();
                        assert!(decoder.into_inner().is_empty());
                    }
                    Compression::Zstd => back = zstd::decode_all(&packed[..]).unwrap(),
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
        for (_, compression) in Compression::ALL {
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

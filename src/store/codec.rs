//! One decoder for each compressed format: a member, stream or frame from its first byte to its last.
//!
//! The crates' own readers drop what a call had produced before it met damage. Those of gzip,
//! zstd, bzip2 and xz are therefore driven a step at a time here: first everything before the
//! damage, then the damage.

use std::fmt;
use std::io::{self, BufRead, Read};

use liblzma::stream as xz;
use zstd::stream::raw::{DParameter, InBuffer, Operation, OutBuffer};

use super::counting::CountingReader;
use super::sniff::Other;

/// The largest zstd window, as a power of two: 128 MiB, what `zstd -d` takes by default.
const ZSTD_WINDOW_LOG: u32 = 27;
/// What xz may use; `xz -9` needs 65 MiB to decompress.
const XZ_MEMORY: u64 = 256 << 20;
/// The same within another compressed stream, so that several layers do not need several times as much: enough for
/// `zstd -19` and `xz -9`.
const INNER_ZSTD_WINDOW_LOG: u32 = 23;
const INNER_XZ_MEMORY: u64 = 80 << 20;

/// A compressed format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Gzip,
    Zstd,
    Bzip2,
    Xz,
    Lz4,
    Snappy,
}

impl Format {
    /// The name in messages.
    pub(super) fn name(self) -> &'static str {
        match self {
            Format::Gzip => "gzip",
            Format::Zstd => "zstd",
            Format::Bzip2 => "bzip2",
            Format::Xz => "xz",
            Format::Lz4 => "lz4",
            Format::Snappy => "snappy",
        }
    }

    /// Decodes the member that begins at the next byte of `raw`; `inner` if that is what another stream holds.
    pub(super) fn start(self, raw: CountingReader, inner: bool) -> Result<Box<dyn CompressedMember>, Fault> {
        // The end of the compressed bytes has been consumed when `ended` is reported, not more.
        fn stream<C: Codec + 'static>(raw: CountingReader, codec: C) -> Box<dyn CompressedMember> {
            Box::new(Stream { raw, codec, more: false, ended: false, fault: None })
        }
        Ok(match self {
            Format::Gzip => stream(raw, flate2::Decompress::new_gzip(15)),
            Format::Zstd => stream(
                raw,
                Zstd::new(if inner { INNER_ZSTD_WINDOW_LOG } else { ZSTD_WINDOW_LOG })
                    .map_err(Fault::Object)?,
            ),
            Format::Bzip2 => stream(raw, bzip2::Decompress::new(false)),
            Format::Xz => stream(raw, Xz::new(if inner { INNER_XZ_MEMORY } else { XZ_MEMORY })?),
            Format::Lz4 => Box::new(lz4_flex::frame::FrameDecoder::new(raw)),
            Format::Snappy => Box::new(snap::read::FrameDecoder::new(raw)),
        })
    }
}

/// Why there is no more text.
#[derive(Debug)]
pub(super) enum Fault {
    /// The object could not be read.
    Object(io::Error),
    /// The stream ends too early.
    CutShort,
    /// The stream is not what it should be, for this reason.
    Corrupt(String),
    /// The stream asks for more memory than this many MiB.
    TooBig(u64),
    /// It is compressed more than this many times over.
    TooDeep(usize),
    /// It is something that holds no log as text.
    Other(&'static Other),
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Fault {
        Fault::Object(error)
    }
}

/// A compressed member being read.
pub(super) trait CompressedMember: Send {
    /// Like [`Read::read`]; `Ok(0)` is the member's end, which is never that of cut data.
    fn read(&mut self, out: &mut [u8]) -> Result<usize, Fault>;
    /// The object, for its offset.
    fn raw(&self) -> &CountingReader;
    /// The object, right behind the member.
    fn raw_mut(&mut self) -> &mut CountingReader;
    /// Makes it ready for another member, which comes next in the object; false if it can't be used again.
    fn again(&mut self) -> bool;
    /// The object, right behind the member.
    fn into_raw(self: Box<Self>) -> CountingReader;
}

/// A decoder that takes and gives what it can at every call.
trait Codec: Send {
    fn step(&mut self, input: &[u8], out: &mut [u8]) -> Step;

    /// Makes it ready for another member; false if it can't be used again.
    fn reset(&mut self) -> bool {
        false
    }
}

/// What a call of a [`Codec`] did, whether it failed or not.
struct Step {
    used: usize,
    made: usize,
    /// Whether the member has ended.
    ended: Result<bool, Fault>,
}

struct Stream<C> {
    raw: CountingReader,
    codec: C,
    /// The decoder may hold more than the last output had room for.
    more: bool,
    ended: bool,
    /// To be returned after the bytes that came before it.
    fault: Option<Fault>,
}

impl<C: Codec> CompressedMember for Stream<C> {
    fn read(&mut self, out: &mut [u8]) -> Result<usize, Fault> {
        if let Some(fault) = self.fault.take() {
            return Err(fault);
        }
        while !self.ended {
            // Empty what the decoder holds before waiting for more: a pipe may be silent for hours.
            let input = if self.more { self.raw.buffered() } else { self.raw.fill_buf()? };
            let (given, waiting) = (input.len(), self.more);
            let Step { used, made, ended } = self.codec.step(input, out);
            self.raw.consume(used);
            self.more = made == out.len();
            match ended {
                Ok(ended) => self.ended = ended,
                Err(fault) if made == 0 => return Err(fault),
                Err(fault) => self.fault = Some(fault),
            }
            if made > 0 {
                return Ok(made);
            }
            if used == 0 && !self.ended && !waiting {
                return Err(match given {
                    0 => Fault::CutShort,
                    _ => Fault::Corrupt("the decoder is stuck".into()),
                });
            }
        }
        Ok(0)
    }

    fn raw(&self) -> &CountingReader {
        &self.raw
    }

    fn raw_mut(&mut self) -> &mut CountingReader {
        &mut self.raw
    }

    fn again(&mut self) -> bool {
        (self.more, self.ended, self.fault) = (false, false, None);
        self.codec.reset()
    }

    fn into_raw(self: Box<Self>) -> CountingReader {
        self.raw
    }
}

impl Codec for flate2::Decompress {
    fn step(&mut self, input: &[u8], out: &mut [u8]) -> Step {
        let (used, made) = (self.total_in(), self.total_out());
        let ended = match self.decompress(input, out, flate2::FlushDecompress::None) {
            Ok(status) => Ok(status == flate2::Status::StreamEnd),
            Err(error) => Err(Fault::Corrupt(error.message().unwrap_or("invalid data").to_owned())),
        };
        Step { used: (self.total_in() - used) as usize, made: (self.total_out() - made) as usize, ended }
    }
}

impl Codec for bzip2::Decompress {
    fn step(&mut self, input: &[u8], out: &mut [u8]) -> Step {
        let (used, made) = (self.total_in(), self.total_out());
        let ended = match self.decompress(input, out) {
            Ok(bzip2::Status::MemNeeded) => Err(Fault::Object(io::ErrorKind::OutOfMemory.into())),
            Ok(status) => Ok(status == bzip2::Status::StreamEnd),
            Err(error) => Err(corrupt("bzip2: ", error)),
        };
        Step { used: (self.total_in() - used) as usize, made: (self.total_out() - made) as usize, ended }
    }
}

struct Xz {
    decoder: xz::Stream,
    /// How many bytes it may use.
    memory: u64,
}

impl Xz {
    fn new(memory: u64) -> io::Result<Xz> {
        Ok(Xz { decoder: xz::Stream::new_stream_decoder(memory, 0).map_err(io::Error::from)?, memory })
    }
}

impl Codec for Xz {
    fn step(&mut self, input: &[u8], out: &mut [u8]) -> Step {
        let (used, made) = (self.decoder.total_in(), self.decoder.total_out());
        let ended = match self.decoder.process(input, out, xz::Action::Run) {
            Ok(status) => Ok(status == xz::Status::StreamEnd),
            Err(xz::Error::MemLimit) => Err(Fault::TooBig(self.memory >> 20)),
            Err(xz::Error::Mem) => Err(Fault::Object(io::ErrorKind::OutOfMemory.into())),
            Err(error) => Err(corrupt("", error)),
        };
        Step {
            used: (self.decoder.total_in() - used) as usize,
            made: (self.decoder.total_out() - made) as usize,
            ended,
        }
    }
}

struct Zstd {
    decoder: zstd::stream::raw::Decoder<'static>,
    /// The largest window, as a power of two.
    window: u32,
    /// How many bytes zstd wants next.
    wanted: usize,
    /// The last output was filled: there may be more inside.
    full: bool,
}

impl Zstd {
    fn new(window: u32) -> io::Result<Zstd> {
        let mut decoder = zstd::stream::raw::Decoder::new()?;
        decoder.set_parameter(DParameter::WindowLogMax(window))?;
        Ok(Zstd { decoder, window, wanted: FIRST, full: false })
    }
}

/// zstd asks for a block and the header of the next one.
const BLOCK_HEADER: usize = 3;
/// The least that a frame's header has.
const FIRST: usize = BLOCK_HEADER + 5;

impl Codec for Zstd {
    fn step(&mut self, input: &[u8], out: &mut [u8]) -> Step {
        // A call that fails doesn't tell what it wrote before, so that a call must not both write
        // out a good block and look at the one behind it: it gets one block and no header, and
        // nothing while the last block is still being written out.
        let most = match self.wanted {
            _ if self.full => 0,
            wanted if wanted > BLOCK_HEADER => wanted - BLOCK_HEADER,
            wanted => wanted,
        };
        let mut input = InBuffer::around(&input[..input.len().min(most)]);
        let room = out.len();
        let mut out = OutBuffer::around(out);
        let result = self.decoder.run(&mut input, &mut out);
        let (used, made) = (input.pos(), out.pos());
        self.full = made == room;
        let ended = match result {
            Ok(wanted) => {
                self.wanted = wanted;
                Ok(wanted == 0)
            }
            Err(error) if error.to_string().contains("too much memory") => {
                Err(Fault::TooBig(1 << (self.window - 20)))
            }
            Err(error) => Err(corrupt("", error)),
        };
        Step { used, made, ended }
    }

    fn reset(&mut self) -> bool {
        (self.wanted, self.full) = (FIRST, false);
        self.decoder.reinit().is_ok()
    }
}

/// lz4_flex and snap read whole blocks, so that one call never mixes the good and the bad.
macro_rules! member_of_blocks {
    ($decoder:ty, $cut_at_end:expr) => {
        impl CompressedMember for $decoder {
            fn read(&mut self, out: &mut [u8]) -> Result<usize, Fault> {
                match Read::read(self, out) {
                    Ok(0) if $cut_at_end && self.get_ref().starved() => Err(Fault::CutShort),
                    Ok(read) => Ok(read),
                    Err(error) if self.get_ref().failed() => Err(Fault::Object(error)),
                    Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Err(Fault::CutShort),
                    Err(error) => Err(corrupt("snappy: ", error)),
                }
            }

            fn raw(&self) -> &CountingReader {
                self.get_ref()
            }

            fn raw_mut(&mut self) -> &mut CountingReader {
                self.get_mut()
            }

            /// Behind a member, both look for another one by themselves.
            fn again(&mut self) -> bool {
                true
            }

            fn into_raw(self: Box<Self>) -> CountingReader {
                self.into_inner()
            }
        }
    };
}

// lz4_flex takes a missing end mark for the end; only that it looked for one gives it away.
member_of_blocks!(lz4_flex::frame::FrameDecoder<CountingReader>, true);
// The framing format of snappy has no end mark: a stream cut between two chunks is whole to it.
member_of_blocks!(snap::read::FrameDecoder<CountingReader>, false);

/// The decoder's own words, without a prefix that the message has already.
fn corrupt(prefix: &str, error: impl fmt::Display) -> Fault {
    let text = error.to_string();
    Fault::Corrupt(text.strip_prefix(prefix).map(str::to_owned).unwrap_or(text))
}

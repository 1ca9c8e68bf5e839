//! Recognises compressed bytes and gives them decompressed: any number of members, one after another.

use std::fmt;
use std::io::{self, BufRead};

use super::codec::{CompressedMember, Fault, Format};
use super::counting::CountingReader;
use super::wide::Encoding;

/// The first bytes of each format, but for bzip2 and skippable frames.
const MAGIC: [(Format, &[u8]); 5] = [
    (Format::Gzip, b"\x1f\x8b"),
    (Format::Zstd, b"\x28\xb5\x2f\xfd"),
    (Format::Xz, b"\xfd7zXZ\0"),
    (Format::Lz4, b"\x04\x22\x4d\x18"),
    (Format::Snappy, b"\xff\x06\0\0sNaPpY"),
];
/// `BZh1` to `BZh9` may begin a line of text; with what a block, or the end of no blocks, begins
/// with, they do not.
const BZIP2: [&[u8]; 2] = [b"BZh?\x31\x41\x59\x26\x53\x59", b"BZh?\x17\x72\x45\x38\x50\x90"];
/// Behind a first byte of 0x50 to 0x5f: a frame of user data among those of zstd or lz4.
const SKIPPABLE: &[u8] = b"?\x2a\x4d\x18";
/// So much of a longer magic is enough to know a file by that was cut within it.
const ENOUGH: usize = 4;

/// What the first bytes say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sniffed {
    Compressed(Format),
    Skippable,
    Plain,
    /// Too early to say.
    Unsure,
}

/// Recognises `head`, the first bytes; `whole` if there are no others.
pub(super) fn sniff(head: &[u8], whole: bool) -> Sniffed {
    let magics = MAGIC.into_iter().chain(BZIP2.map(|magic| (Format::Bzip2, magic)));
    let all = magics.map(|(format, magic)| (Sniffed::Compressed(format), magic));
    for (sniffed, magic) in all.chain([(Sniffed::Skippable, SKIPPABLE)]) {
        let fits = magic.iter().zip(head).enumerate().all(|(at, (&want, &is))| match (want, at) {
            (b'?', 0) => is & 0xf0 == 0x50,
            (b'?', _) => matches!(is, b'1'..=b'9'),
            _ => is == want,
        });
        if fits && (head.len() >= magic.len() || whole && head.len() >= ENOUGH) {
            return sniffed;
        }
        if fits && !whole {
            return Sniffed::Unsure;
        }
    }
    Sniffed::Plain
}

/// What it is that can't be read (further).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    /// The object as it is.
    Object,
    Stream(Format),
    Tar,
    Wide(Encoding),
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            What::Object => f.write_str("object"),
            What::Stream(format) => write!(f, "{} stream", format.name()),
            What::Tar => f.write_str("tar archive"),
            What::Wide(encoding) => write!(f, "{} text", encoding.name()),
        }
    }
}

/// Why there is no more text, with the place.
#[derive(Debug)]
pub(super) struct Stopped {
    pub(super) fault: Fault,
    /// What was being read.
    pub(super) what: What,
    /// The compressed stream that it lies in.
    pub(super) within: Option<What>,
    /// The offset in what it lies in: a stream, or the object.
    pub(super) offset: u64,
    /// The number of bytes of text given before.
    pub(super) given: u64,
}

impl Stopped {
    pub(super) fn new(fault: Fault, what: What, offset: u64) -> Stopped {
        Stopped { fault, what, within: None, offset, given: 0 }
    }

    /// Where a layer could not be read because of one below it: what stopped that one.
    fn first(self) -> Stopped {
        match self.fault {
            Fault::Object(error) => match error.downcast::<Stopped>() {
                Ok(below) => below.first(),
                Err(error) => Stopped { fault: Fault::Object(error), ..self },
            },
            _ => self,
        }
    }
}

impl From<Stopped> for io::Error {
    fn from(stopped: Stopped) -> io::Error {
        io::Error::other(stopped)
    }
}

impl From<io::Error> for Stopped {
    fn from(error: io::Error) -> Stopped {
        Stopped::new(Fault::Object(error), What::Object, 0).first()
    }
}

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the {} could not be read", self.what)
    }
}

impl std::error::Error for Stopped {}

/// The decompressed bytes of an object.
pub(super) struct Decoder {
    state: DecoderState,
    /// The format of the member being read, or else of the last one.
    format: Option<Format>,
    /// The stream that all of it lies in.
    within: Option<What>,
}

enum DecoderState {
    /// At the first byte.
    Start(CountingReader),
    /// Behind a member.
    Behind(Box<dyn CompressedMember>),
    Plain(CountingReader),
    Member(Box<dyn CompressedMember>),
    End,
}

impl Decoder {
    /// Decompresses `raw`, or gives it as it is if its first bytes are of no known format. `within` is the stream that
    /// `raw` itself comes out of.
    pub(super) fn new(raw: CountingReader, within: Option<What>) -> Decoder {
        Decoder { state: DecoderState::Start(raw), format: None, within }
    }

    /// What is compressed at present, if anything.
    pub(super) fn format(&self) -> Option<Format> {
        self.format
    }

    /// Like [`Read::read`](std::io::Read::read), but everything before an error has been given
    /// before it. After an error there is nothing to be had.
    pub(super) fn read(&mut self, out: &mut [u8]) -> Result<usize, Stopped> {
        if out.is_empty() {
            return Ok(0);
        }
        loop {
            let (read, offset) = match &mut self.state {
                DecoderState::Plain(raw) => (io::Read::read(raw, out).map_err(Fault::Object), raw.offset()),
                DecoderState::Member(member) => (member.read(out), member.raw().offset()),
                DecoderState::Start(_) | DecoderState::Behind(_) => (Ok(0), 0),
                DecoderState::End => return Ok(0),
            };
            match read {
                Ok(0) => {}
                Ok(read) => return Ok(read),
                Err(fault) => return Err(self.stop(fault, offset)),
            }
            self.state = match std::mem::replace(&mut self.state, DecoderState::End) {
                DecoderState::Start(raw) => self.next(raw)?,
                DecoderState::Behind(member) => self.another(member)?,
                DecoderState::Member(member) => DecoderState::Behind(member),
                DecoderState::Plain(_) | DecoderState::End => DecoderState::End,
            };
        }
    }

    fn stop(&mut self, fault: Fault, offset: u64) -> Stopped {
        self.state = DecoderState::End;
        let what = self.format.map_or(What::Object, What::Stream);
        Stopped { fault, what, within: self.within, offset, given: 0 }.first()
    }

    /// Starts what comes behind a member. One more of its format needs no other decoder, so that many small ones do
    /// not take longer than a large one.
    fn another(&mut self, mut member: Box<dyn CompressedMember>) -> Result<DecoderState, Stopped> {
        let begun = begin(member.raw_mut(), false);
        if matches!(begun, Ok(Some(Sniffed::Compressed(format))) if Some(format) == self.format)
            && member.again()
        {
            return Ok(DecoderState::Member(member));
        }
        self.next(member.into_raw())
    }

    /// Starts what comes next in the object.
    fn next(&mut self, mut raw: CountingReader) -> Result<DecoderState, Stopped> {
        loop {
            let first = raw.offset() == 0;
            let skipped = match begin(&mut raw, first) {
                Ok(None) => return Ok(DecoderState::End),
                Ok(Some(Sniffed::Plain)) if first => return Ok(DecoderState::Plain(raw)),
                Ok(Some(Sniffed::Plain | Sniffed::Unsure)) => {
                    let what = "what follows is neither its continuation nor compressed";
                    Err(Fault::Corrupt(what.into()))
                }
                Ok(Some(Sniffed::Skippable)) => {
                    // zstd's by right; lz4 borrowed them.
                    self.format = self.format.or(Some(Format::Zstd));
                    skip_frame(&mut raw)
                }
                Ok(Some(Sniffed::Compressed(format))) => {
                    self.format = Some(format);
                    let offset = raw.offset();
                    let started = format.start(raw, self.within.is_some());
                    return started.map(DecoderState::Member).map_err(|fault| self.stop(fault, offset));
                }
                Err(fault) => Err(fault),
            };
            skipped.map_err(|fault| self.stop(fault, raw.offset()))?;
        }
    }
}

/// Recognises what comes next; `None` at the end.
fn begin(raw: &mut CountingReader, first: bool) -> Result<Option<Sniffed>, Fault> {
    if !first {
        skip_zeros(raw)?;
    }
    loop {
        match sniff(raw.buffered(), raw.ended()) {
            _ if raw.buffered().is_empty() && raw.ended() => return Ok(None),
            Sniffed::Unsure => raw.more()?,
            sniffed => return Ok(Some(sniffed)),
        }
    }
}

/// Reads over padding: gzip and xz have zeros (to the end of a tape's block, or of 4 bytes), and
/// nothing is lost by reading over them behind the other formats.
fn skip_zeros(raw: &mut CountingReader) -> io::Result<()> {
    loop {
        let buffered = raw.fill_buf()?;
        let zeros = buffered.iter().take_while(|&&byte| byte == 0).count();
        if zeros == 0 {
            return Ok(());
        }
        raw.consume(zeros);
    }
}

/// Reads over a magic number, a length and as many bytes.
fn skip_frame(raw: &mut CountingReader) -> Result<(), Fault> {
    while raw.buffered().len() < 8 && !raw.ended() {
        raw.more()?;
    }
    let Some(&[_, _, _, _, a, b, c, d]) = raw.buffered().first_chunk() else {
        return Err(Fault::CutShort);
    };
    let mut left = 8 + u64::from(u32::from_le_bytes([a, b, c, d]));
    while left > 0 {
        let buffered = raw.fill_buf()?.len() as u64;
        if buffered == 0 {
            return Err(Fault::CutShort);
        }
        raw.consume(buffered.min(left) as usize);
        left -= buffered.min(left);
    }
    Ok(())
}

#[cfg(test)]
mod tests;

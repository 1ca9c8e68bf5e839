//! Recognises compressed bytes and gives them decompressed: any number of members, one after another.

use std::io::{self, BufRead};

use super::codec::{Fault, Format, Member};
use super::raw::Raw;

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
enum Sniffed {
    Compressed(Format),
    Skippable,
    Plain,
    /// Too early to say.
    Unsure,
}

/// Recognises `head`, the first bytes; `whole` if there are no others.
fn sniff(head: &[u8], whole: bool) -> Sniffed {
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

/// Why there is no more text, with the place.
#[derive(Debug)]
pub(super) struct Stopped {
    pub(super) fault: Fault,
    /// What was being decoded; nothing while the object was read as it is.
    pub(super) format: Option<Format>,
    /// The offset in the object.
    pub(super) offset: u64,
    /// The number of decompressed bytes given before.
    pub(super) given: u64,
}

/// The decompressed bytes of an object.
pub(super) struct Decoder {
    state: State,
    /// The format of the member being read, or else of the last one.
    format: Option<Format>,
    given: u64,
}

enum State {
    /// At the first byte, or behind a member.
    Between(Raw),
    Plain(Raw),
    Member(Box<dyn Member>),
    End,
}

impl Decoder {
    /// Decompresses `raw`, or gives it as it is if its first bytes are of no known format.
    pub(super) fn new(raw: Raw) -> Decoder {
        Decoder { state: State::Between(raw), format: None, given: 0 }
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
                State::Plain(raw) => (io::Read::read(raw, out).map_err(Fault::Object), raw.offset()),
                State::Member(member) => (member.read(out), member.raw().offset()),
                State::Between(_) => (Ok(0), 0),
                State::End => return Ok(0),
            };
            match read {
                Ok(0) => {}
                Ok(read) => {
                    self.given += read as u64;
                    return Ok(read);
                }
                Err(fault) => return Err(self.stop(fault, offset)),
            }
            self.state = match std::mem::replace(&mut self.state, State::End) {
                State::Between(raw) => self.next(raw)?,
                State::Member(member) => State::Between(member.into_raw()),
                State::Plain(_) | State::End => State::End,
            };
        }
    }

    fn stop(&mut self, fault: Fault, offset: u64) -> Stopped {
        self.state = State::End;
        Stopped { fault, format: self.format, offset, given: self.given }
    }

    /// Starts what comes next in the object.
    fn next(&mut self, mut raw: Raw) -> Result<State, Stopped> {
        let first = raw.offset() == 0;
        match begin(&mut raw, first) {
            Ok(None) => Ok(State::End),
            Ok(Some(Sniffed::Plain)) if first => Ok(State::Plain(raw)),
            Ok(Some(Sniffed::Plain | Sniffed::Unsure)) => {
                let what = "what follows is neither its continuation nor compressed";
                Err(self.stop(Fault::Corrupt(what.into()), raw.offset()))
            }
            Ok(Some(Sniffed::Skippable)) => {
                // zstd's by right; lz4 borrowed them.
                self.format = self.format.or(Some(Format::Zstd));
                match skip_frame(&mut raw) {
                    Ok(()) => Ok(State::Between(raw)),
                    Err(fault) => Err(self.stop(fault, raw.offset())),
                }
            }
            Ok(Some(Sniffed::Compressed(format))) => {
                self.format = Some(format);
                let offset = raw.offset();
                format.start(raw).map(State::Member).map_err(|fault| self.stop(fault, offset))
            }
            Err(fault) => Err(self.stop(fault, raw.offset())),
        }
    }
}

/// Recognises what comes next; `None` at the end.
fn begin(raw: &mut Raw, first: bool) -> Result<Option<Sniffed>, Fault> {
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
fn skip_zeros(raw: &mut Raw) -> io::Result<()> {
    loop {
        let buffered = raw.fill_buf()?;
        let zeros = buffered.iter().take_while(|&&byte| byte == 0).count();
        if zeros == 0 {
            return Ok(());
        }
        raw.consume(zeros);
    }
}

/// Reads over a magic number, a length and so many bytes.
fn skip_frame(raw: &mut Raw) -> Result<(), Fault> {
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

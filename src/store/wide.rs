//! UTF-16 and UTF-32, read as UTF-8.
//!
//! Nothing is replaced: half of a surrogate pair becomes the three bytes that UTF-8 would have for it, which are not
//! UTF-8, so that the record which holds it is seen to be broken.

/// An encoding whose units are wider than a byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    Utf16Le,
    Utf16Be,
    Utf32Le,
    Utf32Be,
}

use Encoding::{Utf16Be, Utf16Le, Utf32Be, Utf32Le};

/// More bytes are needed.
pub(super) struct TooShort;

impl Encoding {
    /// The name in messages.
    pub(super) fn name(self) -> &'static str {
        match self {
            Utf16Le | Utf16Be => "UTF-16",
            Utf32Le | Utf32Be => "UTF-32",
        }
    }

    /// How many bytes a unit has.
    fn width(self) -> usize {
        match self {
            Utf16Le | Utf16Be => 2,
            Utf32Le | Utf32Be => 4,
        }
    }

    /// The unit in `bytes`, of which there are as many as it has.
    fn unit(self, bytes: &[u8]) -> u32 {
        let little = matches!(self, Utf16Le | Utf32Le);
        let add = |unit, byte: &u8| unit << 8 | u32::from(*byte);
        if little { bytes.iter().rev().fold(0, add) } else { bytes.iter().fold(0, add) }
    }

    /// By the byte order mark that `head` begins with, if any.
    pub(super) fn by_mark(head: &[u8], whole: bool) -> Result<Option<Encoding>, TooShort> {
        // The mark of UTF-32 begins with that of UTF-16 and comes first.
        for encoding in [Utf32Le, Utf32Be, Utf16Le, Utf16Be] {
            let width = encoding.width();
            let mark: &[u8] = match encoding {
                Utf32Le => b"\xff\xfe\0\0",
                Utf32Be => b"\0\0\xfe\xff",
                Utf16Le => b"\xff\xfe",
                Utf16Be => b"\xfe\xff",
            };
            if head.starts_with(mark) {
                return Ok(Some(encoding));
            }
            if !whole && head.len() < width && mark.starts_with(head) {
                return Err(TooShort);
            }
        }
        Ok(None)
    }

    /// By the zeros between the first two characters, if these are plain ASCII as in every log.
    pub(super) fn by_pattern(head: &[u8]) -> Option<Encoding> {
        [Utf16Le, Utf16Be, Utf32Le, Utf32Be].into_iter().find(|encoding| {
            let mut units = head.chunks_exact(encoding.width()).take(2).map(|bytes| encoding.unit(bytes));
            let mut plain = || units.next().is_some_and(|unit| matches!(unit, 9 | 10 | 13 | 0x20..=0x7e));
            plain() && plain()
        })
    }

    #[cfg(test)]
    pub(super) fn encode(self, text: &str) -> Vec<u8> {
        let units: Vec<u32> = match self.width() {
            2 => text.encode_utf16().map(u32::from).collect(),
            _ => text.chars().map(u32::from).collect(),
        };
        units.into_iter().flat_map(|unit| self.bytes(unit)).collect()
    }

    #[cfg(test)]
    fn bytes(self, unit: u32) -> Vec<u8> {
        let all = unit.to_be_bytes();
        let mut bytes = all[4 - self.width()..].to_vec();
        if matches!(self, Utf16Le | Utf32Le) {
            bytes.reverse();
        }
        bytes
    }
}

/// How much is taken at once.
const PIECE: usize = 16 * 1024;

/// Turns what it is given into UTF-8, piece by piece.
#[derive(Debug)]
pub(super) struct Transcoder {
    encoding: Encoding,
    /// What was given and is not yet turned: less than a unit, but for the moment.
    pending: Vec<u8>,
    /// The first half of a surrogate pair.
    high: Option<u16>,
    /// Text that is ready, and how much of it was taken.
    ready: Vec<u8>,
    taken: usize,
    /// How many bytes were turned.
    offset: u64,
    begun: bool,
    ended: bool,
    /// To be returned when what is ready has been taken.
    malformed: Option<Malformed>,
}

/// Why there is no more text: what is wrong at which byte of what was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Malformed {
    pub(super) offset: u64,
    pub(super) why: &'static str,
}

impl Transcoder {
    pub(super) fn new(encoding: Encoding) -> Transcoder {
        Transcoder {
            encoding,
            pending: Vec::new(),
            high: None,
            ready: Vec::new(),
            taken: 0,
            offset: 0,
            begun: false,
            ended: false,
            malformed: None,
        }
    }

    pub(super) fn encoding(&self) -> Encoding {
        self.encoding
    }

    /// Fills `out` with text, taking from `source` what that needs. `Ok(0)` is the end.
    pub(super) fn read<E>(
        &mut self,
        source: &mut dyn FnMut(&mut [u8]) -> Result<usize, E>,
        out: &mut [u8],
    ) -> Result<Result<usize, Malformed>, E> {
        while self.taken == self.ready.len() {
            if let Some(malformed) = &self.malformed {
                return Ok(Err(malformed.clone()));
            }
            if self.ended {
                return Ok(Ok(0));
            }
            let before = self.pending.len();
            self.pending.resize(before + PIECE, 0);
            let read = source(&mut self.pending[before..]);
            self.pending.truncate(before + *read.as_ref().unwrap_or(&0));
            self.ready.clear();
            self.taken = 0;
            if read? == 0 {
                self.flush();
                self.ended = true;
                if !self.pending.is_empty() {
                    self.malformed = Some(self.malformed("it ends in the middle of a character"));
                }
            } else {
                self.malformed = self.turn().err();
            }
        }
        let count = out.len().min(self.ready.len() - self.taken);
        out[..count].copy_from_slice(&self.ready[self.taken..self.taken + count]);
        self.taken += count;
        Ok(Ok(count))
    }

    fn malformed(&self, why: &'static str) -> Malformed {
        Malformed { offset: self.offset, why }
    }

    /// Turns all whole units that are pending, up to one that is none.
    fn turn(&mut self) -> Result<(), Malformed> {
        let width = self.encoding.width();
        let pending = std::mem::take(&mut self.pending);
        let mut result = Ok(());
        let mut used = 0;
        for bytes in pending.chunks_exact(width) {
            let unit = self.encoding.unit(bytes);
            let first = !std::mem::replace(&mut self.begun, true);
            // The byte order mark is not part of the text.
            if !(first && unit == 0xfeff) {
                if width == 2 {
                    self.unit16(unit as u16);
                } else if unit <= 0x10_ffff {
                    self.put(unit);
                } else {
                    result = Err(self.malformed("there is no such character"));
                    break;
                }
            }
            used += width;
            self.offset += width as u64;
        }
        self.pending = pending;
        self.pending.drain(..used);
        result
    }

    fn unit16(&mut self, unit: u16) {
        match (self.high.take(), unit) {
            (Some(high), 0xdc00..=0xdfff) => {
                self.put(0x1_0000 + ((u32::from(high) - 0xd800) << 10) + (u32::from(unit) - 0xdc00));
            }
            (high, 0xd800..=0xdbff) => {
                self.high = high;
                self.flush();
                self.high = Some(unit);
            }
            (high, _) => {
                self.high = high;
                self.flush();
                self.put(unit.into());
            }
        }
    }

    /// Half a pair that no other half followed.
    fn flush(&mut self) {
        if let Some(high) = self.high.take() {
            self.put(high.into());
        }
    }

    /// Adds a character as UTF-8, or half of a surrogate pair as what UTF-8 would have for it.
    fn put(&mut self, code: u32) {
        match char::from_u32(code) {
            Some(c) => self.ready.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
            None => {
                let six = |shift: u32| 0x80 | (code >> shift & 0x3f) as u8;
                self.ready.extend_from_slice(&[0xe0 | (code >> 12) as u8, six(6), six(0)]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What comes out, reading and giving in pieces of these sizes.
    fn all(encoding: Encoding, bytes: &[u8], give: usize, take: usize) -> (Vec<u8>, Option<Malformed>) {
        let mut rest = bytes;
        let mut source = |out: &mut [u8]| -> Result<usize, ()> {
            let count = give.min(out.len()).min(rest.len());
            out[..count].copy_from_slice(&rest[..count]);
            rest = &rest[count..];
            Ok(count)
        };
        let (mut transcoder, mut text, mut out) = (Transcoder::new(encoding), Vec::new(), vec![0; take]);
        loop {
            match transcoder.read(&mut source, &mut out).unwrap() {
                Ok(0) => return (text, None),
                Ok(read) => text.extend_from_slice(&out[..read]),
                Err(malformed) => return (text, Some(malformed)),
            }
        }
    }

    const ALL: [Encoding; 4] = [Utf16Le, Utf16Be, Utf32Le, Utf32Be];
    const SIZES: [(usize, usize); 4] = [(1, 1), (3, 7), (1 << 20, 5), (4096, 1 << 20)];

    #[test]
    fn text_comes_out_as_it_was() {
        let text =
            "{\"name\":\"Zo\u{eb} \u{20ac} \u{1f600}\u{10ffff}\",\"bom\":\"\u{feff}\"}\r\n".repeat(2000);
        for encoding in ALL {
            for mark in ["", "\u{feff}"] {
                let bytes = encoding.encode(&format!("{mark}{text}"));
                for (give, take) in SIZES {
                    let (got, end) = all(encoding, &bytes, give, take);
                    assert!(got == text.as_bytes() && end.is_none(), "{encoding:?} {give} {take}: {end:?}");
                }
            }
        }
    }

    #[test]
    fn half_a_pair_is_kept_and_is_not_utf8() {
        let units = [0x61, 0xd83d, 0x62, 0xde00, 0xd83d, 0xd83d, 0xde00, 0xd800];
        let bytes: Vec<u8> = units.iter().flat_map(|unit| Utf16Be.bytes(*unit)).collect();
        let want = b"a\xed\xa0\xbdb\xed\xb8\x80\xed\xa0\xbd\xf0\x9f\x98\x80\xed\xa0\x80";
        for (give, take) in SIZES {
            assert_eq!(all(Utf16Be, &bytes, give, take), (want.to_vec(), None));
        }
    }

    #[test]
    fn what_is_no_character_ends_the_text() {
        for (give, take) in SIZES {
            for encoding in ALL {
                let mut bytes = encoding.encode("abc");
                let offset = bytes.len() as u64;
                bytes.push(0x61);
                let why = "it ends in the middle of a character";
                assert_eq!(
                    all(encoding, &bytes, give, take),
                    (b"abc".to_vec(), Some(Malformed { offset, why }))
                );
            }
            let bytes = [Utf32Le.encode("ab"), vec![0, 0, 0x11, 0], Utf32Le.encode("c")].concat();
            let malformed = Malformed { offset: 8, why: "there is no such character" };
            assert_eq!(all(Utf32Le, &bytes, give, take), (b"ab".to_vec(), Some(malformed)));
        }
    }
}

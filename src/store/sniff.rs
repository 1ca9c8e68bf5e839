//! Recognises what an object's first bytes are: text, compressed, an archive, or no log at all.
//!
//! What is decided never depends on how the bytes arrive: each rule looks at a fixed number of bytes, or at the first
//! line. No rule waits for more than a reader of lines would wait for, unless the first line is not clean text.

use super::wide::Encoding;
use tar::Header;

/// How many bytes are looked at, at the most.
pub(super) const HEAD: usize = 4096;
/// A first line with this many bytes or more that is clean text makes the object text.
const LINE: usize = 8;
/// A block of a tar archive.
const BLOCK: usize = 512;

/// What the first bytes of an object, or of what was decompressed, are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Text in UTF-8, or what is to be read as such, line by line.
    Text,
    /// Text in another encoding.
    Wide(Encoding),
    Tar,
    /// Something that is not a log.
    Other(&'static Other),
    /// Too early to say.
    Unsure,
}

/// Files that hold no log as text.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Other {
    magic: &'static [u8],
    /// With its article.
    pub(super) name: &'static str,
    /// How to get at what is in it.
    pub(super) hint: Option<&'static str>,
}

const fn other(magic: &'static [u8], name: &'static str, hint: &'static str) -> Other {
    Other { magic, name, hint: if hint.is_empty() { None } else { Some(hint) } }
}

const UNZIP: &str = "unpack it first, for example with `unzip -p FILE | udmap convert -`";
const UNPACK: &str = "unpack it first";
const EXPORT: &str = "export its rows as JSON lines first";
const DECRYPT: &str = "decrypt it first";

/// Magic bytes that no text begins with.
static CERTAIN: [Other; 33] = [
    other(b"PK\x03\x04", "a zip archive", UNZIP),
    other(b"PK\x05\x06", "an empty zip archive", ""),
    other(b"PK\x07\x08", "a part of a zip archive", UNZIP),
    other(
        b"7z\xbc\xaf\x27\x1c",
        "a 7z archive",
        "unpack it first, for example with `7z x -so FILE | udmap convert -`",
    ),
    other(b"Rar!\x1a\x07", "a RAR archive", UNPACK),
    other(b"!<arch>\n", "an ar archive", UNPACK),
    other(b"MSCF\0\0\0\0", "a cabinet archive", UNPACK),
    other(
        b"\x1f\x9d",
        "compressed by `compress`",
        "unpack it first, for example with `uncompress -c FILE | udmap convert -`",
    ),
    other(
        b"\x02\x21\x4c\x18",
        "compressed by `lz4 -l`",
        "unpack it first, for example with `lz4 -dc FILE | udmap convert -`",
    ),
    other(
        b"LZIP\x01",
        "compressed by lzip",
        "unpack it first, for example with `lzip -dc FILE | udmap convert -`",
    ),
    other(
        b"\x89LZO\0",
        "compressed by lzop",
        "unpack it first, for example with `lzop -dc FILE | udmap convert -`",
    ),
    other(
        b"\x5d\0\0",
        "compressed by lzma",
        "unpack it first, for example with `xz -dc --format=lzma FILE | udmap convert -`",
    ),
    other(b"Obj\x01", "an Avro file", EXPORT),
    other(b"ARROW1\0\0", "an Arrow file", EXPORT),
    other(b"\xff\xff\xff\xff", "binary data, perhaps an Arrow stream", ""),
    other(b"SQLite format 3\0", "an SQLite database", EXPORT),
    other(b"\x89HDF\r\n\x1a\n", "an HDF5 file", EXPORT),
    other(b"ElfFile\0", "a Windows event log", "export its events first"),
    other(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Office document", EXPORT),
    other(b"%PDF-", "a PDF document", ""),
    other(b"\x7fELF", "a program (ELF)", ""),
    other(b"\xfe\xed\xfa\xce", "a program (Mach-O)", ""),
    other(b"\xfe\xed\xfa\xcf", "a program (Mach-O)", ""),
    other(b"\xce\xfa\xed\xfe", "a program (Mach-O)", ""),
    other(b"\xcf\xfa\xed\xfe", "a program (Mach-O)", ""),
    other(b"\xca\xfe\xba\xbe", "a program", ""),
    other(b"\x89PNG\r\n\x1a\n", "an image (PNG)", ""),
    other(b"\xff\xd8\xff", "an image (JPEG)", ""),
    other(b"\xd4\xc3\xb2\xa1", "a packet capture", ""),
    other(b"\xa1\xb2\xc3\xd4", "a packet capture", ""),
    other(b"\0\x05\x16\x07\0\x02\0\0", "a macOS attribute file (AppleDouble)", ""),
    other(b"age-encryption.org/v1\n", "encrypted by age", DECRYPT),
    other(b"-----BEGIN PGP MESSAGE-----", "encrypted by PGP", DECRYPT),
];

/// Magic bytes that a line of text might begin with: they count only where the first line is not clean text and holds
/// control characters.
static LIKELY: [Other; 8] = [
    other(b"070701", "a cpio archive", UNPACK),
    other(b"Salted__", "encrypted by OpenSSL", DECRYPT),
    other(b"\n\r\r\n", "a packet capture", ""),
    other(b"PAR1", "a Parquet file", EXPORT),
    other(b"ORC", "an ORC file", EXPORT),
    other(b"FEA1", "a Feather file", EXPORT),
    other(b"MZ", "a program (Windows)", ""),
    other(b"GIF8", "an image (GIF)", ""),
];

/// For readers that take no members of archives.
pub(super) static TAR: Other =
    other(b"", "a tar archive", "unpack it first, for example with `tar -xOf FILE | udmap ... -`");
/// What a member of an archive must not be.
pub(super) static NESTED_TAR: Other = other(b"", "a tar archive within a tar archive", UNPACK);
pub(super) static SPARSE: Other = other(b"", "a sparse file, of which the archive holds a part", UNPACK);

static BINARY: Other = other(b"", "binary data", "");

/// Recognises `head`, the first bytes; `whole` if there are no others, or enough to decide.
pub(super) fn recognise(head: &[u8], whole: bool) -> Kind {
    let whole = whole || head.len() >= HEAD;
    for it in &CERTAIN {
        if head.starts_with(it.magic) {
            return Kind::Other(it);
        }
        if !whole && it.magic.starts_with(head) {
            return Kind::Unsure;
        }
    }
    match Encoding::by_mark(head, whole) {
        Ok(Some(encoding)) => return Kind::Wide(encoding),
        Ok(None) => {}
        Err(_) => return Kind::Unsure,
    }
    if (head.len() >= 2 * LINE || whole)
        && let Some(encoding) = Encoding::by_pattern(head)
    {
        return Kind::Wide(encoding);
    }
    let line = match head.iter().skip(LINE).position(|&byte| byte == b'\n') {
        Some(at) => &head[..LINE + at],
        None if whole => head,
        None => return Kind::Unsure,
    };
    if is_clean(line) {
        return Kind::Text;
    }
    if !whole {
        return Kind::Unsure;
    }
    if is_tar(head) {
        return Kind::Tar;
    }
    if line.iter().any(|&byte| is_control(byte))
        && let Some(it) = LIKELY.iter().find(|it| head.starts_with(it.magic))
    {
        return Kind::Other(it);
    }
    if is_binary(head) { Kind::Other(&BINARY) } else { Kind::Text }
}

/// A control character that logs do not hold: not a blank, a form feed, an escape or a record separator.
fn is_control(byte: u8) -> bool {
    matches!(byte, 0..=8 | 0x0b | 0x0e..=0x1a | 0x1c | 0x1d | 0x1f | 0x7f)
}

/// UTF-8, but for a character that is cut at the end, and no control characters.
fn is_clean(line: &[u8]) -> bool {
    let utf8 = std::str::from_utf8(line).map_or_else(|error| error.error_len().is_none(), |_| true);
    utf8 && !line.iter().any(|&byte| is_control(byte))
}

/// Whether more than half of the lines hold control characters, and these are at least a twentieth of all bytes.
///
/// Zeros at the beginning do not count: a log that was emptied while its writer went on (`copytruncate`) begins with
/// them, and what follows is a log.
fn is_binary(head: &[u8]) -> bool {
    let start = head.iter().position(|&byte| byte != 0).unwrap_or(head.len());
    let head = &head[start..];
    let controls = head.iter().filter(|&&byte| is_control(byte)).count();
    let (mut lines, mut bad) = (0, 0);
    for line in head.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()) {
        lines += 1;
        bad += usize::from(line.iter().any(|&byte| is_control(byte)));
    }
    controls >= 16 && controls * 20 >= head.len() && bad * 2 > lines
}

/// Whether it begins with a header of a tar archive.
fn is_tar(head: &[u8]) -> bool {
    let Some(block) = head.first_chunk::<BLOCK>() else { return false };
    block[257..262] == *b"ustar" || is_header(block)
}

/// Whether a block is the header of a tar archive's member: its checksum is right.
pub(super) fn is_header(block: &[u8; BLOCK]) -> bool {
    let header = Header::from_byte_slice(block);
    // The sum counts its own field as blanks.
    let sum = |bytes: &[u8]| bytes.iter().map(|&byte| u32::from(byte)).sum::<u32>();
    header.cksum().is_ok_and(|sum_of| sum_of == sum(&block[..148]) + 8 * 32 + sum(&block[156..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is decided, which must be the same however much of it has arrived.
    fn kind(bytes: &[u8]) -> Kind {
        let last = recognise(&bytes[..bytes.len().min(HEAD)], true);
        for most in 0..bytes.len().min(HEAD) {
            let kind = recognise(&bytes[..most], false);
            assert!(kind == Kind::Unsure || kind == last, "{kind:?} after {most} bytes, then {last:?}");
        }
        last
    }

    #[test]
    fn text_is_text() {
        let record = r#"{"ts":"2024-01-01T00:00:00Z","phone":"+1"}"#;
        let cases: &[&[u8]] = &[
            b"",
            b"\n",
            b"{",
            b"P",
            b"PK",
            b"PK and more, a line\n",
            b"PAR1 is a word\n",
            b"ORC, MZ and others\n\0\0\0\0",
            b"Obj 1\n",
            b"7zip\n",
            b"GIF8\n",
            b"MZ",
            b"%PDF",
            b"070701 12:00:00 a time of old\n",
            b"\n\r\r\n\r\n",
            b"Salted__ is a word\n",
            b"Rar! it says\n",
            b"BZh91 is not bzip2\n",
            b"SQLite format 3 of it\n",
            "é wie ein Text ohne Zeilenende".as_bytes(),
            b"\xe9 in Latin-1, a line\nand another\n",
            b"\xef\xbb\xbf{\"a\":1}\n",
            b"\x1e{\"a\":\"a record behind a separator\"}\n",
            b"{\"a\":\"one stray \0 byte\"}\n{\"a\":1}\n",
            b"\0\0\0\0",
        ];
        for case in cases {
            assert_eq!(kind(case), Kind::Text, "{:?}", String::from_utf8_lossy(case));
        }
        // A log that was emptied while its writer went on; zeros without end; a broken record among good ones.
        assert_eq!(kind(format!("{}{record}\n{record}\n", "\0".repeat(1000)).as_bytes()), Kind::Text);
        assert_eq!(kind(&[0; 2 * HEAD]), Kind::Text);
        let broken = format!("{}\n{}", "\u{1}x".repeat(400), format!("{record}\n").repeat(20));
        assert_eq!(kind(broken.as_bytes()), Kind::Text);
    }

    #[test]
    fn what_is_no_log_has_a_name() {
        let zeros = [0u8; 64];
        let name = |bytes: &[u8]| match kind(bytes) {
            Kind::Other(it) => it.name,
            other => panic!("{other:?}"),
        };
        for it in CERTAIN.iter().chain(&LIKELY) {
            assert_eq!(name(&[it.magic, &zeros].concat()), it.name);
        }
        let mut state = 1u64;
        for _ in 0..200 {
            let noise: Vec<u8> = std::iter::repeat_with(|| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                (state >> 56) as u8
            })
            .take(HEAD + 100)
            .collect();
            assert!(matches!(kind(&noise), Kind::Other(_)), "{:?}", &noise[..20]);
        }
    }

    #[test]
    fn encodings_are_seen_with_and_without_a_mark() {
        use Encoding::{Utf16Be, Utf16Le, Utf32Be, Utf32Le};
        let text = "{\"a\":\"\u{e9}\u{1f600}\"}\r\n";
        for encoding in [Utf16Le, Utf16Be, Utf32Le, Utf32Be] {
            for mark in ["", "\u{feff}"] {
                let bytes = encoding.encode(&format!("{mark}{text}"));
                assert_eq!(kind(&bytes), Kind::Wide(encoding), "{encoding:?} {mark:?}");
            }
            assert_eq!(kind(&encoding.encode("\u{feff}")), Kind::Wide(encoding));
        }
    }
}

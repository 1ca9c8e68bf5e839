//! What a text that is not JSON looks like, for the person who has to find out what went wrong.

use super::boundaries::{BYTE_ORDER_MARK, RECORD_MARK, trim};
use super::formats;

/// What `text` looks like, which is not JSON from the byte `at` on; nothing if it looks like nothing
/// in particular.
pub(super) fn looks(text: &[u8], at: usize) -> Option<&'static str> {
    here(text, at.min(text.len())).or_else(|| begins(trim(text)))
}

/// What is where the JSON goes wrong.
fn here(text: &[u8], at: usize) -> Option<&'static str> {
    let here = &text[at..];
    let before = trim(&text[..at]).last();
    let word = |word: &str| {
        here.starts_with(word.as_bytes()) && !here.get(word.len()).is_some_and(u8::is_ascii_alphanumeric)
    };
    let any = |words: &[&str]| words.iter().any(|w| word(w));
    Some(match here.first()? {
        0xef if here.starts_with(BYTE_ORDER_MARK) => "there is a byte order mark",
        &RECORD_MARK => "there is a byte 0x1E, which separates records",
        0 => "there are NUL bytes, as in a file that was not written to its end",
        b'\'' if before != Some(&b'"') => "single quotes: this looks like a Python dict",
        b'N' | b'T' | b'F' if any(&["None", "True", "False"]) => "this looks like a Python dict",
        b'N' | b'I' | b'-' if any(&["NaN", "Infinity", "-Infinity"]) => "JSON has no such number",
        // A reader that has taken the sign for a number goes wrong behind it.
        b'I' if before == Some(&b'-') => "JSON has no such number",
        b'}' | b']' if before == Some(&b',') => "there is a comma before the closing bracket",
        b'/' | b'#' => "this looks like a comment",
        b'\\' if here.starts_with(b"\\\"") => "the quotes are escaped, as in a JSON text inside of another",
        b'{' | b'[' if matches!(before, Some(b'}' | b']')) => "a comma may be missing between two values",
        _ => return None,
    })
}

/// What a text begins like.
fn begins(text: &[u8]) -> Option<&'static str> {
    const MAGIC: [(&[u8], &str); 9] = [
        (b"\x1f\x8b", "this looks like gzip data"),
        (b"\x28\xb5\x2f\xfd", "this looks like zstd data"),
        (b"PK\x03\x04", "this looks like a zip archive"),
        (b"BZh", "this looks like bzip2 data"),
        (b"\xfd7zXZ", "this looks like xz data"),
        (b"Obj\x01", "this looks like an Avro file"),
        (b"PAR1", "this looks like a Parquet file"),
        (b"\xff\xfe", "this looks like UTF-16"),
        (b"\xfe\xff", "this looks like UTF-16"),
    ];
    if let Some((_, what)) = MAGIC.iter().find(|(magic, _)| text.starts_with(magic)) {
        return Some(what);
    }
    let head = &text[..text.len().min(512)];
    if head.iter().filter(|byte| **byte == 0).count() > head.len() / 4 {
        return Some("this looks like UTF-16 or binary data");
    }
    if head.iter().filter(|byte| **byte < 0x20 && !byte.is_ascii_whitespace()).count() > head.len() / 8 {
        return Some("this looks like binary data");
    }
    if matches!(text.first(), Some(b'{' | b'[' | b'"')) {
        return None;
    }
    if formats::begins_with_header(text) {
        return Some("this looks like a syslog line without a known record");
    }
    if text.starts_with(b"<") {
        return Some("this looks like XML or HTML");
    }
    if memchr::memmem::find(head, b"LEEF:").is_some() {
        return Some("this looks like a LEEF line");
    }
    if memchr::memmem::find(head, b"CEF:").is_some() {
        return Some("this looks like a CEF line");
    }
    let is_text = std::str::from_utf8(text).is_ok();
    match (is_text, table(text)) {
        (true, Some(what)) => return Some(what),
        (true, None) => {}
        (false, _) => return None,
    }
    let name = text.iter().take_while(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(byte)).count();
    match text.get(name..) {
        Some([b'=', ..]) if name > 0 => Some("this looks like key=value pairs, whose values need quotes"),
        Some([b':'] | [b':', b' ', ..]) if name > 0 => Some("this looks like YAML"),
        _ if text.starts_with(b"---") || text.starts_with(b"- ") => Some("this looks like YAML"),
        _ => None,
    }
}

/// Whether a text is cells with separators between them, and the cells names.
fn table(text: &[u8]) -> Option<&'static str> {
    let separator =
        *[b',', b';', b'\t'].iter().find(|byte| memchr::memchr_iter(**byte, text).nth(1).is_some())?;
    let is_cell = |cell: &[u8]| cell.iter().all(|byte| !b"{}[]=".contains(byte)) && cell.len() < 256;
    let is_name = |cell: &[u8]| {
        let cell = trim(cell);
        let cell = cell.strip_prefix(b"\"").and_then(|cell| cell.strip_suffix(b"\"")).unwrap_or(cell);
        let named = |byte: &u8| byte.is_ascii_alphanumeric() || b"_. -".contains(byte);
        cell.first().is_some_and(u8::is_ascii_alphabetic) && cell.iter().all(named)
    };
    let mut cells = text.split(|byte| *byte == separator);
    if cells.clone().all(is_name) {
        return Some("this looks like a CSV header");
    }
    cells.all(is_cell).then_some("this looks like a CSV line")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_things_look_like() {
        for (text, at, part) in [
            ("timestamp,phone,type", 0, "CSV header"),
            ("\"Time\";\"Phone\";\"Type\"", 0, ""),
            ("Time\tPhone\tType", 0, "CSV header"),
            ("2023-03-21,+15035550101,sms", 0, "CSV line"),
            ("---", 0, "YAML"),
            ("phone: \"+1\"", 0, "YAML"),
            ("- phone: 1", 0, "YAML"),
            ("<?xml version=\"1.0\"?>", 0, "XML or HTML"),
            ("<html>", 0, "XML or HTML"),
            ("<134>Apr 18 17:21:32 host duo: hello", 0, "syslog"),
            ("Apr 18 17:21:32 host duo: hello", 0, "syslog"),
            ("LEEF:1.0|a|b|c|d|", 0, "LEEF"),
            ("phone=1 type=sms", 0, "key=value"),
            ("{'a':1}", 1, "Python"),
            ("{\"a\":None}", 5, "Python"),
            ("{\"a\":NaN}", 5, "no such number"),
            ("{\"a\":-Infinity}", 6, "no such number"),
            ("{\"a\":1,}", 7, "comma before"),
            ("{\"a\":1}//", 7, "comment"),
            ("{\\\"a\\\":1}", 1, "escaped"),
            ("{\"a\":1}\u{feff}", 7, "byte order mark"),
            ("{\"a\u{1e}", 3, "0x1E"),
            ("\0\0\0\0", 0, "NUL"),
            ("PK\u{3}\u{4}", 0, "zip"),
            ("hello", 0, ""),
            ("", 0, ""),
            ("{\"a\" 1}", 5, ""),
        ] {
            let found = looks(text.as_bytes(), at).unwrap_or_default();
            assert!(found.contains(part) && found.is_empty() == part.is_empty(), "{text}: {found}");
        }
        assert_eq!(looks(b"\x1f\x8b\x08\x00", 0), Some("this looks like gzip data"));
        assert_eq!(
            looks(b"{\0\"\0a\0", 1),
            Some("there are NUL bytes, as in a file that was not written to its end")
        );
    }
}

//! Whether a text holds events, by its words.

use memchr::memmem;
use std::io::{self, Read};

/// How many bytes are looked at together.
const PIECE_BYTES: usize = 64 << 10;
/// The longest word that is looked for, and what may be between a key and its colon.
const OVERLAP: usize = 64;

/// A text without what may be before it: blanks, a byte order mark, zeros.
pub(super) fn beginning(head: &[u8]) -> &[u8] {
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    let start = head.iter().position(|byte| !matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0 | 0x1e));
    &head[start.unwrap_or(head.len())..]
}

/// Whether a text begins as an object or as a list of objects; not as a section of settings or a template does.
pub(super) fn begins_as_json(text: &[u8]) -> bool {
    let mut text = text;
    while let Some(rest) = text.strip_prefix(b"[") {
        text = rest.trim_ascii_start();
    }
    match text.strip_prefix(b"{").map(<[u8]>::trim_ascii_start) {
        Some(rest) => matches!(rest.first(), Some(b'"' | b'}') | None),
        None => false,
    }
}

/// Whether JSON in a text has the names of at least two of an event's parts; its beginning may be lost.
pub(super) fn has_events(text: &[u8]) -> bool {
    let has = |word: &&str| memmem::find(text, word.as_bytes()).is_some();
    let parts: [&[&str]; 7] = [
        &["\"metadata\""],
        &["\"event_timestamp\"", "\"eventTimestamp\""],
        &["\"event_type\"", "\"eventType\""],
        &["\"vendor_name\"", "\"vendorName\""],
        &["\"product_name\"", "\"productName\""],
        &["\"principal\""],
        &["\"security_result\"", "\"securityResult\""],
    ];
    ["\"read_only_udm\"", "\"readOnlyUdm\""].iter().any(has)
        || parts.iter().filter(|names| names.iter().any(has)).count() > 1
}

/// Whether a YAML file has the names of an event's parts as keys: its `head`, and the `rest` behind that.
pub(super) fn yaml_has_events(head: &[u8], rest: &mut dyn Read) -> io::Result<bool> {
    let mut window = head.to_vec();
    let (mut metadata, mut kind, mut events) = (false, false, false);
    loop {
        let key = |names: &[&str]| names.iter().any(|name| has_key(&window, name));
        metadata |= key(&["metadata"]);
        kind |= key(&["event_type", "eventType"]);
        events |= is_list_of_events(&window);
        let certain = key(&["read_only_udm", "readOnlyUdm", "event_timestamp", "eventTimestamp"]);
        if certain || (metadata && kind) || events {
            return Ok(true);
        }
        window.drain(..window.len().saturating_sub(OVERLAP));
        let before = window.len();
        if rest.take(PIECE_BYTES as u64).read_to_end(&mut window)? == 0 && before == window.len() {
            return Ok(false);
        }
    }
}

/// Whether `name` is in a text as a key, in quotes or not: with a colon behind it.
fn has_key(text: &[u8], name: &str) -> bool {
    memmem::find_iter(text, name.as_bytes()).any(|at| {
        let before = at.checked_sub(1).map(|before| text[before]);
        let behind = &text[at + name.len()..];
        let behind = behind.strip_prefix(b"\"").or(behind.strip_prefix(b"'")).unwrap_or(behind);
        !before.is_some_and(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'))
            && behind.trim_ascii_start().starts_with(b":")
    })
}

/// Whether there is an `events:` with a first element `- event:`, as `udmap test --bless` writes it.
fn is_list_of_events(text: &[u8]) -> bool {
    memmem::find_iter(text, b"events:").any(|at| {
        let behind = text[at + b"events:".len()..].trim_ascii_start();
        behind.strip_prefix(b"-").is_some_and(|element| element.trim_ascii_start().starts_with(b"event:"))
    })
}

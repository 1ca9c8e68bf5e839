//! Whether a text holds events, by its words.

use memchr::memmem;
use std::io::{self, Read};

/// How many bytes are looked at together.
const PIECE_BYTES: usize = 64 << 10;
/// How many of them are looked at again with the next: parts of an event are close to each other.
const OVERLAP: usize = 4 << 10;

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

/// Whether a text has the names of an event's parts as keys, in JSON or in YAML; its beginning may be lost. It is looked
/// through to its end: its `head`, and the `rest` behind that.
pub(super) fn has_events(head: &[u8], rest: &mut dyn Read) -> io::Result<bool> {
    let mut window = head.to_vec();
    loop {
        if has_parts(&window) {
            return Ok(true);
        }
        window.drain(..window.len().saturating_sub(OVERLAP));
        let before = window.len();
        if rest.take(PIECE_BYTES as u64).read_to_end(&mut window)? == 0 && before == window.len() {
            return Ok(false);
        }
    }
}

/// Whether there is a key that nothing but an event has.
pub(super) fn has_certain(text: &[u8]) -> bool {
    let certain = ["read_only_udm", "readOnlyUdm", "event_timestamp", "eventTimestamp"];
    certain.iter().any(|name| keys(text, name).next().is_some())
}

/// Whether there are parts of an event close to each other: one that nothing else has, or two.
fn has_parts(text: &[u8]) -> bool {
    const PARTS: [&[&str]; 8] = [
        &["metadata"],
        &["vendor_name", "vendorName"],
        &["product_name", "productName"],
        &["product_event_type", "productEventType"],
        &["product_log_id", "productLogId"],
        &["log_type", "logType"],
        &["principal"],
        &["security_result", "securityResult"],
    ];
    let has = |names: &[&str]| names.iter().any(|name| keys(text, name).next().is_some());
    let has_type = || {
        let values = ["event_type", "eventType"].into_iter().flat_map(|name| keys(text, name));
        values.into_iter().any(is_udm_type)
    };
    let parts = || PARTS.iter().filter(|names| has(names)).count() + usize::from(has_type());
    has_certain(text)
        || is_list_of_events(text)
        || ["principal", "security_result", "securityResult"]
            .iter()
            .any(|name| keys(text, name).any(|value| matches!(value.first(), Some(b'{' | b'['))))
        || parts() > 1
}

/// What is behind each `name` that is in a text as a key, in quotes or not, and its colon.
fn keys<'t>(text: &'t [u8], name: &str) -> impl Iterator<Item = &'t [u8]> {
    memmem::find_iter(text, name.as_bytes()).collect::<Vec<_>>().into_iter().filter_map({
        let length = name.len();
        move |at| {
            let before = at.checked_sub(1).map(|before| text[before]);
            let behind = &text[at + length..];
            let behind = behind.strip_prefix(b"\"").or(behind.strip_prefix(b"'")).unwrap_or(behind);
            let is_part = before.is_some_and(|byte| {
                byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'$')
            });
            let value = behind.trim_ascii_start().strip_prefix(b":").filter(|_| !is_part)?;
            Some(value.trim_ascii_start())
        }
    })
}

/// Whether a value may be one of UDM's types, not one such as `DetectionSummaryEvent`.
fn is_udm_type(value: &[u8]) -> bool {
    let value = value.strip_prefix(b"\"").or(value.strip_prefix(b"'")).unwrap_or(value);
    !value.iter().take_while(|byte| byte.is_ascii_alphanumeric()).any(u8::is_ascii_lowercase)
}

/// Whether there is an `events:` with a first element `- event:`, as `udmap test --bless` writes it, or `- principal:`.
fn is_list_of_events(text: &[u8]) -> bool {
    keys(text, "events").any(|value| {
        let element = value.strip_prefix(b"-").map(<[u8]>::trim_ascii_start);
        element.is_some_and(|element| element.starts_with(b"event:") || element.starts_with(b"principal:"))
    })
}

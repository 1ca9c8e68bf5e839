//! The scalar values between pieces: texts and numbers, checked every time.

use super::Span;
use crate::raw::{BLOCK, Cpu};

/// Where a text ends.
#[derive(Debug, Clone, Copy)]
pub(super) struct Text {
    /// Its closing quote.
    pub(super) end: usize,
    /// It has escapes, which nobody has checked.
    pub(super) escaped: bool,
}

/// Finds the end of the text that begins at `start`, behind its opening quote. `high` gathers
/// whether there are bytes of 0x80 and above, whose UTF-8 nobody has checked. Nothing if the text
/// holds a control character, or comes too near to the end of the bytes.
#[inline(always)]
pub(super) fn text<C: Cpu>(cpu: C, bytes: &[u8], start: usize, high: &mut u32) -> Option<Text> {
    let mut at = start;
    loop {
        let block = bytes.get(at..)?.first_chunk::<BLOCK>()?;
        let stops = cpu.stops(block);
        let tops = cpu.high(block);
        if stops == 0 {
            *high |= tops;
            at += BLOCK;
            continue;
        }
        // The bytes up to the first stop.
        *high |= tops & (stops ^ (stops - 1));
        let end = at + stops.trailing_zeros() as usize;
        return match bytes[end] {
            b'"' => Some(Text { end, escaped: false }),
            b'\\' => escaped(bytes, end, high),
            _ => None,
        };
    }
}

/// The end of a text that has its first backslash at `at`.
#[cold]
#[inline(never)]
fn escaped(bytes: &[u8], at: usize, high: &mut u32) -> Option<Text> {
    let mut at = at;
    loop {
        match *bytes.get(at)? {
            b'"' => return Some(Text { end: at, escaped: true }),
            b'\\' => at += 2,
            0..=0x1f => return None,
            byte => {
                *high |= u32::from(byte >= 0x80);
                at += 1;
            }
        }
    }
}

/// Whether `quoted`, a text with its quotes, is a JSON text.
#[cold]
pub(super) fn is_text(quoted: &[u8]) -> bool {
    serde_json::from_slice::<String>(quoted).is_ok()
}

/// Adds a text that has escapes to `scratch`, spelled as the output spells it (without quotes).
#[cold]
pub(super) fn rewrite(quoted: &[u8], scratch: &mut Vec<u8>) -> Option<Span> {
    let text: String = serde_json::from_slice(quoted).ok()?;
    let start = scratch.len();
    serde_json::to_writer(&mut *scratch, &text).ok()?;
    // Without the quotes; the closing one may stay behind.
    Some(Span { start: start as u32 + 1, len: (scratch.len() - start - 2) as u32 })
}

/// Where the number that begins at `start` ends, if it is one by JSON's grammar.
#[inline(always)]
pub(super) fn number(bytes: &[u8], start: usize) -> Option<usize> {
    let mut at = start;
    if *bytes.get(at)? == b'-' {
        at += 1;
    }
    let digits = |from: usize| {
        let mut at = from;
        while bytes.get(at).is_some_and(u8::is_ascii_digit) {
            at += 1;
        }
        at
    };
    let whole = digits(at);
    if whole == at || (bytes[at] == b'0' && whole > at + 1) {
        return None;
    }
    at = whole;
    if bytes.get(at) == Some(&b'.') {
        let end = digits(at + 1);
        if end == at + 1 {
            return None;
        }
        at = end;
    }
    if matches!(bytes.get(at), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(at + 1), Some(b'+' | b'-')));
        let end = digits(at + 1 + sign);
        if end == at + 1 + sign {
            return None;
        }
        at = end;
    }
    Some(at)
}

//! The scalar values: numbers and texts with escapes.

use crate::simd::{BLOCK, ByteSpan, Cpu, PaddedInput, VALUES, Work};

/// Where the text that begins at `start` ends, if it has no escapes: before the closing quote, if it is one,
/// or whatever else can't be in a text.
#[inline(always)]
pub(super) fn plain_text<C: Cpu>(cpu: C, input: PaddedInput<'_>, start: usize) -> Option<usize> {
    let mut at = start;
    loop {
        let block = input.block(at)?;
        let stops = cpu.stops(block);
        if stops != 0 {
            let first = stops.trailing_zeros() as usize;
            at += first;
            // Mostly it is the quote.
            return if block[first % BLOCK] < 0x80 { Some(at) } else { wide_text(input.bytes(), start, at) };
        }
        at += BLOCK;
    }
}

/// The same from the first byte of 0x80 and above on.
#[cold]
#[inline(never)]
fn wide_text(bytes: &[u8], start: usize, wide: usize) -> Option<usize> {
    let ends = |byte: &u8| matches!(byte, 0..=0x1f | b'"' | b'\\');
    let end = wide + bytes[wide..].iter().position(ends)?;
    std::str::from_utf8(&bytes[start..end]).ok()?;
    Some(end)
}

/// Where the list of texts ends whose first is at `start`: before its bracket. It has some, none is empty or has
/// escapes, and they follow each other as the output spells that. Two of the `spans` become those of the first and the
/// last.
pub(super) struct Texts<'a> {
    pub(super) input: PaddedInput<'a>,
    pub(super) start: usize,
    /// Where in the spans the first is, and the last.
    pub(super) places: [u8; 2],
    pub(super) spans: &'a mut [ByteSpan; VALUES],
}

impl Work for Texts<'_> {
    type Output = Option<usize>;

    #[inline(always)]
    fn run<C: Cpu>(self, cpu: C) -> Option<usize> {
        let Texts { input, start, places: [first, last], spans } = self;
        let bytes = input.bytes();
        let mut at = start;
        loop {
            if *bytes.get(at)? != b'"' {
                return None;
            }
            let end = plain_text(cpu, input, at + 1)?;
            if bytes[end] != b'"' || end == at + 1 {
                return None;
            }
            let span = ByteSpan::of_input(at + 1, end - at - 1);
            spans[usize::from(last)] = span;
            if at == start {
                spans[usize::from(first)] = span;
            }
            at = end + 1;
            match bytes.get(at)? {
                b',' => at += 1,
                b']' => return Some(at),
                _ => return None,
            }
        }
    }
}

/// Where the number, word, or text without escapes ends that begins at `start`.
pub(super) struct Scalar<'a> {
    pub(super) input: PaddedInput<'a>,
    pub(super) start: usize,
}

impl Work for Scalar<'_> {
    type Output = Option<usize>;

    #[inline(always)]
    fn run<C: Cpu>(self, cpu: C) -> Option<usize> {
        let Scalar { input, start } = self;
        let bytes = input.bytes();
        let is = |word: &[u8]| bytes[start..].starts_with(word).then_some(start + word.len());
        match bytes.get(start)? {
            b'"' => {
                let end = plain_text(cpu, input, start + 1)?;
                (bytes[end] == b'"').then_some(end + 1)
            }
            b't' => is(b"true"),
            b'f' => is(b"false"),
            b'n' => is(b"null"),
            _ => number(cpu, input, start),
        }
    }
}

/// Where the number that begins at `start` ends, if it is one by JSON's grammar. What follows it
/// is not looked at.
#[inline(always)]
pub(super) fn number<C: Cpu>(cpu: C, input: PaddedInput<'_>, start: usize) -> Option<usize> {
    let window = input.block(start)?;
    let digits = cpu.digits(window);
    // Mostly a whole number, and not long. What the digits are is not foreseen, so there is no branch.
    let next = window[digits % BLOCK];
    let plain = (digits.wrapping_sub(1) < BLOCK - 1)
        & ((window[0] != b'0') | (digits == 1))
        & (next != b'.')
        & (next | 0x20 != b'e');
    if plain { Some(start + digits) } else { any_number(input.bytes(), start) }
}

#[cold]
#[inline(never)]
fn any_number(bytes: &[u8], start: usize) -> Option<usize> {
    let mut at = start + usize::from(*bytes.get(start)? == b'-');
    let digits =
        |from: usize| from + bytes[from.min(bytes.len())..].iter().take_while(|b| b.is_ascii_digit()).count();
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

/// Adds a text, given without its quotes and with its escapes, to `out`, with only those escapes
/// that JSON must have, as the output spells them. Nothing if an escape is wrong, or one half of a
/// surrogate pair. UTF-8 is not looked at.
pub(super) fn respell(text: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let mut rest = text;
    while let Some(at) = memchr::memchr(b'\\', rest) {
        out.extend_from_slice(&rest[..at]);
        let escape = *rest.get(at + 1)?;
        rest = &rest[at + 2..];
        match escape {
            b'/' => out.push(b'/'),
            b'"' | b'\\' | b'b' | b'f' | b'n' | b'r' | b't' => out.extend_from_slice(&[b'\\', escape]),
            b'u' => {
                let mut code = hex(rest)?;
                rest = &rest[4..];
                if (0xd800..0xdc00).contains(&code) {
                    let low = hex(rest.strip_prefix(b"\\u")?)?;
                    if !(0xdc00..0xe000).contains(&low) {
                        return None;
                    }
                    rest = &rest[6..];
                    code = 0x1_0000 + ((code - 0xd800) << 10) + (low - 0xdc00);
                }
                spell(char::from_u32(code)?, out);
            }
            _ => return None,
        }
    }
    out.extend_from_slice(rest);
    Some(())
}

/// The number that four hexadecimal digits are.
fn hex(text: &[u8]) -> Option<u32> {
    text.first_chunk::<4>()?.iter().try_fold(0, |n, b| Some(16 * n + char::from(*b).to_digit(16)?))
}

/// Adds a character, escaped if it must be.
fn spell(c: char, out: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let short = match c {
        '"' | '\\' => c as u8,
        '\u{8}' => b'b',
        '\u{c}' => b'f',
        '\n' => b'n',
        '\r' => b'r',
        '\t' => b't',
        '\0'..='\x1f' => {
            out.extend_from_slice(b"\\u00");
            return out.extend_from_slice(&[HEX[c as usize >> 4], HEX[c as usize & 15]]);
        }
        _ => return out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
    };
    out.extend_from_slice(&[b'\\', short]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_spelled_as_serde_json_does() {
        let pieces = [
            "a",
            "é",
            "\\\"",
            "\\\\",
            "\\/",
            "\\b",
            "\\f",
            "\\n",
            "\\r",
            "\\t",
            "\\u0000",
            "\\u001F",
            "\\u0041",
            "\\u00e9",
            "\\u2028",
            "\\ud83d\\ude00",
            "\\uD83D",
            "\\uDE00",
            "\\u12",
            "\\x",
            "\\U0041",
            "\\u00g1",
            "\\ud83d\\u0041",
            "\\ud83d\\n",
            "\\u0022",
            "\\u005c",
            "\\u+041",
            "😀",
            "\\uffff",
        ];
        // Miri looks at each step, so it gets few.
        let most = if cfg!(miri) { 1 } else { pieces.len() };
        for a in pieces {
            for b in pieces.into_iter().take(most) {
                for c in pieces.into_iter().take(most) {
                    let text = format!("{a}{b}{c}");
                    let expected = serde_json::from_str::<String>(&format!("\"{text}\"")).ok();
                    let expected = expected.map(|text| {
                        let json = serde_json::to_string(&text).unwrap();
                        json[1..json.len() - 1].to_owned()
                    });
                    let mut out = Vec::new();
                    let got = respell(text.as_bytes(), &mut out).map(|()| String::from_utf8(out).unwrap());
                    assert_eq!(got, expected, "{text}");
                }
            }
        }
    }
}

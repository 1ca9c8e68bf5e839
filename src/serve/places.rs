//! Places of a text as a page counts them: in UTF-16 code units, not in bytes.

use serde::Serialize;

/// Which UTF-16 code unit each byte of a text belongs to.
#[derive(Debug)]
pub(super) struct Utf16 {
    /// Nothing where both are the same.
    units: Option<Vec<u32>>,
    bytes: usize,
}

impl Utf16 {
    pub(super) fn of(text: &str) -> Utf16 {
        let units = (!text.is_ascii()).then(|| {
            let (mut units, mut at) = (Vec::with_capacity(text.len() + 1), 0);
            for c in text.chars() {
                units.extend(std::iter::repeat_n(at, c.len_utf8()));
                // One or two.
                at += c.len_utf16() as u32;
            }
            units.push(at);
            units
        });
        Utf16 { units, bytes: text.len() }
    }

    /// The unit at a byte; that at the end for bytes behind it.
    pub(super) fn at(&self, byte: usize) -> usize {
        let byte = byte.min(self.bytes);
        self.units.as_ref().map_or(byte, |units| units[byte] as usize)
    }
}

/// A range of a text, as lines and columns from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(super) struct Place {
    pub(super) line: usize,
    pub(super) column: usize,
    pub(super) end_line: usize,
    pub(super) end_column: usize,
}

impl Place {
    /// The place of a range of bytes.
    pub(super) fn of(text: &str, range: std::ops::Range<usize>) -> Place {
        let (line, column) = line_and_column(text, range.start);
        let (end_line, end_column) = line_and_column(text, range.end.max(range.start));
        Place { line, column, end_line, end_column }
    }

    /// The place of the word at a line and a character of it, both from 1.
    #[cfg_attr(not(feature = "parser"), allow(dead_code, reason = "only parsers need it"))]
    pub(super) fn of_word(text: &str, line: usize, character: usize) -> Place {
        let at = byte_of(text, line, character);
        let word = text[at..].find(|c: char| !c.is_alphanumeric() && !matches!(c, '_' | '-' | '.' | '@'));
        let length = word.unwrap_or(text.len() - at).max(text[at..].chars().next().map_or(0, char::len_utf8));
        Place::of(text, at..at + length)
    }
}

fn line_and_column(text: &str, byte: usize) -> (usize, usize) {
    let mut byte = byte.min(text.len());
    while !text.is_char_boundary(byte) {
        byte -= 1;
    }
    let before = &text[..byte];
    let start = before.rfind('\n').map_or(0, |end| end + 1);
    let line = memchr::memchr_iter(b'\n', before.as_bytes()).count() + 1;
    (line, before[start..].encode_utf16().count() + 1)
}

/// The byte of a character of a line, both from 1; where there is none, the end of the line or of the text.
#[cfg_attr(not(feature = "parser"), allow(dead_code, reason = "only parsers need it"))]
fn byte_of(text: &str, line: usize, character: usize) -> usize {
    let ends = memchr::memchr_iter(b'\n', text.as_bytes());
    let start = if line < 2 { 0 } else { ends.map(|end| end + 1).nth(line - 2).unwrap_or(text.len()) };
    let rest = text[start..].split('\n').next().unwrap_or_default();
    start + rest.char_indices().nth(character.saturating_sub(1)).map_or(rest.len(), |(at, _)| at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_become_utf_16_units() {
        let text = "aé😀b";
        let units = Utf16::of(text);
        assert_eq!([0, 1, 2, 3, 6, 7, 8, 99].map(|byte| units.at(byte)), [0, 1, 1, 2, 2, 4, 5, 5]);
        assert_eq!([0, 3, 9].map(|byte| Utf16::of("abc").at(byte)), [0, 3, 3]);
        for (at, c) in text.char_indices() {
            let before = text[..at].encode_utf16().count();
            assert_eq!((units.at(at), units.at(at + c.len_utf8())), (before, before + c.len_utf16()));
        }
    }

    #[test]
    fn places_are_lines_and_columns() {
        let text = "a = 1\n# 😀 é\nkey = 'x'\n";
        let at = text.find("key").unwrap();
        let place = |range| {
            let Place { line, column, end_line, end_column } = Place::of(text, range);
            [line, column, end_line, end_column]
        };
        assert_eq!(place(at..at + 3), [3, 1, 3, 4]);
        assert_eq!(place(0..text.len() + 9), [1, 1, 4, 1]);
        // The emoji is two units.
        let e = text.find('é').unwrap();
        assert_eq!(place(e..e + 2), [2, 6, 2, 7]);
        // Within a character.
        assert_eq!(place(e + 1..e + 2), [2, 6, 2, 7]);
        let word = |line, character| {
            let Place { line, column, end_line, end_column } = Place::of_word(text, line, character);
            [line, column, end_line, end_column]
        };
        assert_eq!(word(3, 1), [3, 1, 3, 4]);
        assert_eq!(word(2, 5), [2, 6, 2, 7]);
        assert_eq!(word(9, 9), [4, 1, 4, 1]);
    }
}

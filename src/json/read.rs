//! Reads a JSON text into nodes.

use super::node::{JsonError, Kind, Node};

/// How deep objects and arrays may nest; serde_json's own limit.
const DEEPEST: u32 = 127;

pub(super) fn read(text: &[u8], nodes: &mut Vec<Node>) -> Result<(), JsonError> {
    let mut reader = TreeReader { text, at: 0, nodes, depth: 0 };
    if u32::try_from(text.len()).is_err() {
        return Err(reader.error("a text of 4 GiB or more"));
    }
    reader.space();
    reader.value((0, 0), false)?;
    reader.space();
    if reader.at < text.len() { Err(reader.error("something follows the end of the value")) } else { Ok(()) }
}

struct TreeReader<'a> {
    text: &'a [u8],
    at: usize,
    nodes: &'a mut Vec<Node>,
    depth: u32,
}

impl TreeReader<'_> {
    fn error(&self, what: &'static str) -> JsonError {
        JsonError { at: self.at, what, too_deep: false }
    }

    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    #[inline]
    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn value(&mut self, key: (u32, u32), key_escaped: bool) -> Result<(), JsonError> {
        let node = self.nodes.len();
        // Both fit: the text's length does.
        let start = self.at as u32;
        let first = self.peek().ok_or_else(|| self.error("expected a value"))?;
        let kind = match first {
            b'"' => Kind::Text,
            b'{' => Kind::Object,
            b'[' => Kind::Array,
            b't' | b'f' => Kind::Bool,
            b'n' => Kind::Null,
            b'-' | b'0'..=b'9' => Kind::Number,
            _ => return Err(self.error("expected a value")),
        };
        self.nodes.push(Node { kind, escaped: false, key_escaped, key, start, end: 0, next: 0 });
        match kind {
            Kind::Text => self.nodes[node].escaped = self.string()?,
            Kind::Number => self.number()?,
            Kind::Bool if first == b't' => self.word(b"true")?,
            Kind::Bool => self.word(b"false")?,
            Kind::Null => self.word(b"null")?,
            Kind::Object => self.nested(|reader| reader.members())?,
            Kind::Array => self.nested(|reader| reader.elements())?,
        }
        let next = self.nodes.len() as u32;
        let done = &mut self.nodes[node];
        done.end = self.at as u32;
        done.next = next;
        Ok(())
    }

    fn nested(&mut self, inside: impl FnOnce(&mut Self) -> Result<(), JsonError>) -> Result<(), JsonError> {
        if self.depth == DEEPEST {
            return Err(JsonError {
                at: self.at,
                what: "objects and lists nest deeper than 127",
                too_deep: true,
            });
        }
        self.depth += 1;
        self.at += 1;
        self.space();
        inside(self)?;
        self.depth -= 1;
        Ok(())
    }

    fn members(&mut self) -> Result<(), JsonError> {
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(());
        }
        loop {
            if self.peek() != Some(b'"') {
                return Err(self.error("expected a key in quotes"));
            }
            let start = self.at as u32 + 1;
            let escaped = self.string()?;
            let key = (start, self.at as u32 - 1);
            self.space();
            if self.peek() != Some(b':') {
                return Err(self.error("expected `:`"));
            }
            self.at += 1;
            self.space();
            self.value(key, escaped)?;
            self.space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => {
                    self.at += 1;
                    return Ok(());
                }
                _ => return Err(self.error("expected `,` or `}`")),
            }
            self.space();
        }
    }

    fn elements(&mut self) -> Result<(), JsonError> {
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(());
        }
        loop {
            self.value((0, 0), false)?;
            self.space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b']') => {
                    self.at += 1;
                    return Ok(());
                }
                _ => return Err(self.error("expected `,` or `]`")),
            }
            self.space();
        }
    }

    fn word(&mut self, word: &[u8]) -> Result<(), JsonError> {
        if !self.text[self.at..].starts_with(word) {
            return Err(self.error("expected a value"));
        }
        self.at += word.len();
        Ok(())
    }

    fn number(&mut self) -> Result<(), JsonError> {
        let digits = |reader: &mut Self| {
            let start = reader.at;
            while matches!(reader.peek(), Some(b'0'..=b'9')) {
                reader.at += 1;
            }
            if reader.at == start { Err(reader.error("expected a digit")) } else { Ok(()) }
        };
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        if self.peek() == Some(b'0') {
            self.at += 1;
        } else {
            digits(self)?;
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            digits(self)?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            digits(self)?;
        }
        Ok(())
    }

    /// Reads a string with its quotes; whether it has escapes.
    #[inline]
    fn string(&mut self) -> Result<bool, JsonError> {
        self.at += 1;
        let mut escaped = false;
        loop {
            self.at = plain(self.text, self.at);
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(escaped);
                }
                Some(b'\\') => {
                    escaped = true;
                    self.escape()?;
                }
                Some(_) => return Err(self.error("a control character in a text must be escaped")),
                None => return Err(self.error("the text ends inside quotes")),
            }
        }
    }

    fn escape(&mut self) -> Result<(), JsonError> {
        match self.text.get(self.at + 1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.at += 2,
            Some(b'u') => match self.unit()? {
                0xd800..0xdc00 => {
                    let alone = self.error("half of a surrogate pair is alone");
                    if !self.text[self.at..].starts_with(b"\\u") || !(0xdc00..0xe000).contains(&self.unit()?)
                    {
                        return Err(alone);
                    }
                }
                0xdc00..0xe000 => return Err(self.error("half of a surrogate pair is alone")),
                _ => {}
            },
            _ => return Err(self.error("not an escape that JSON has")),
        }
        Ok(())
    }

    /// Reads `\uXXXX`.
    fn unit(&mut self) -> Result<u32, JsonError> {
        let digits = self.text.get(self.at + 2..self.at + 6);
        let unit = digits
            .filter(|digits| digits.iter().all(u8::is_ascii_hexdigit))
            .and_then(|digits| u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok());
        let unit = unit.ok_or_else(|| self.error("expected four hexadecimal digits after `\\u`"))?;
        self.at += 6;
        Ok(unit)
    }
}

/// Whether a text stays the same between the quotes of a JSON string.
#[cfg(feature = "parser")]
pub(crate) fn is_plain(text: &str) -> bool {
    plain(text.as_bytes(), 0) == text.len()
}

/// The first byte from `at` on that ends or interrupts a string, eight at a time.
#[inline]
pub(super) fn plain(text: &[u8], mut at: usize) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGHS: u64 = 0x8080_8080_8080_8080;
    while let Some(block) = text.get(at..at + 8).and_then(|block| <[u8; 8]>::try_from(block).ok()) {
        let block = u64::from_le_bytes(block);
        // A byte of 0 becomes 0x80 here. What a borrow adds lies above the first such byte.
        let zero = |x: u64| x.wrapping_sub(ONES) & !x & HIGHS;
        let control = block.wrapping_sub(ONES * 0x20) & !block & HIGHS;
        let hits = zero(block ^ (ONES * u64::from(b'"'))) | zero(block ^ (ONES * u64::from(b'\\'))) | control;
        if hits != 0 {
            return at + (hits.trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
    while text.get(at).is_some_and(|b| *b != b'"' && *b != b'\\' && *b >= 0x20) {
        at += 1;
    }
    at
}

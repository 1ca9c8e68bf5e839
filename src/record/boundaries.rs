//! Where a JSON value ends, byte by byte: a small automaton over brackets, commas and quotes.
//!
//! It follows the structure strictly and the scalars loosely (a number is a run of bytes that are
//! not structure). That is enough to cut values out of a stream; whether a value is really JSON is
//! for the exact reader to say.

/// How deep objects and arrays may nest in a record: serde_json's own limit.
pub(crate) const DEEPEST: u64 = 127;

/// The automaton; feed it the bytes of one value. Its size does not depend on them.
#[derive(Debug, Clone)]
pub(crate) struct Automaton {
    /// Which of the open containers are objects, the innermost in the lowest bit, as far as they are
    /// not too deep.
    objects: u128,
    /// How many containers are open.
    depth: u64,
    too_deep: bool,
    state: AutomatonState,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum AutomatonState {
    Value,
    FirstElement,
    FirstKey,
    Key,
    Colon,
    CommaOrEnd,
    Scalar,
    Text {
        key: bool,
        escaped: bool,
    },
    /// Deeper than any record: brackets are counted until the value is back at [`DEEPEST`].
    Deep,
    DeepText {
        escaped: bool,
    },
}

/// What a byte did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ByteStep {
    /// The value goes on.
    More,
    /// The value ends with this byte.
    End,
    /// The value has ended before this byte.
    EndBefore,
    /// This byte can't come here.
    Bad,
}

/// What comes before each value of a JSON text sequence (RFC 7464), and inside none.
pub(crate) const RECORD_MARK: u8 = 0x1e;
/// The byte order mark, in UTF-8.
pub(crate) const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Passes what may stand between values and is part of none: white space, [`RECORD_MARK`]s, byte
/// order marks.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Gap {
    /// How many bytes of a byte order mark were passed.
    begun: u8,
}

impl Gap {
    /// Takes the next byte; whether it is part of the gap. If not, this many bytes before it were none
    /// either: they only began like a byte order mark.
    #[inline]
    pub(crate) fn pass(&mut self, byte: u8) -> Result<(), u64> {
        if self.begun == 0 && (is_space(byte) || byte == RECORD_MARK) {
            return Ok(());
        }
        if byte == BYTE_ORDER_MARK[usize::from(self.begun)] {
            self.begun = (self.begun + 1) % 3;
            return Ok(());
        }
        Err(u64::from(std::mem::take(&mut self.begun)))
    }

    /// How many bytes were passed that are part of the gap only if a byte order mark is complete.
    pub(crate) fn begun(&self) -> u64 {
        u64::from(self.begun)
    }
}

/// How many bytes of `text` are a gap that it begins with.
pub(crate) fn gap(text: &[u8]) -> usize {
    let mut at = 0;
    loop {
        match text.get(at) {
            Some(byte) if is_space(*byte) || *byte == RECORD_MARK => at += 1,
            Some(_) if text[at..].starts_with(BYTE_ORDER_MARK) => at += 3,
            _ => return at,
        }
    }
}

/// White space between JSON tokens.
pub(crate) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

/// Without the white space around it.
pub(crate) fn trim(bytes: &[u8]) -> &[u8] {
    let Some(start) = bytes.iter().position(|b| !is_space(*b)) else { return &[] };
    let end = bytes.iter().rposition(|b| !is_space(*b)).map_or(start, |i| i + 1);
    &bytes[start..end]
}

impl Automaton {
    pub(crate) fn new() -> Automaton {
        Automaton { objects: 0, depth: 0, too_deep: false, state: AutomatonState::Value }
    }

    /// How many containers are open.
    pub(crate) fn depth(&self) -> u64 {
        self.depth
    }

    /// Whether the value nests deeper than any record may.
    pub(crate) fn is_too_deep(&self) -> bool {
        self.too_deep
    }

    /// Whether the innermost open container is an object.
    pub(crate) fn in_object(&self) -> bool {
        self.depth > 0 && self.objects & 1 == 1
    }

    /// Takes the next byte. After anything but [`ByteStep::More`] the automaton is spent.
    #[inline]
    pub(crate) fn push(&mut self, byte: u8) -> ByteStep {
        match self.state {
            AutomatonState::Text { key, escaped } => self.in_text(byte, key, escaped),
            AutomatonState::Scalar
                if !matches!(byte, b',' | b'}' | b']' | b':' | b'{' | b'[' | b'"' | RECORD_MARK)
                    && !is_space(byte) =>
            {
                ByteStep::More
            }
            AutomatonState::Scalar => {
                if self.depth == 0 {
                    return ByteStep::EndBefore;
                }
                self.state = AutomatonState::CommaOrEnd;
                self.structure(byte)
            }
            AutomatonState::Deep | AutomatonState::DeepText { .. } => self.deep(byte),
            _ => self.structure(byte),
        }
    }

    fn deep(&mut self, byte: u8) -> ByteStep {
        match (self.state, byte) {
            (AutomatonState::DeepText { .. }, 0..=0x1f) | (_, RECORD_MARK) => return ByteStep::Bad,
            (AutomatonState::DeepText { escaped: true }, _) => {
                self.state = AutomatonState::DeepText { escaped: false }
            }
            (AutomatonState::DeepText { .. }, b'\\') => {
                self.state = AutomatonState::DeepText { escaped: true }
            }
            (AutomatonState::DeepText { .. }, b'"') => self.state = AutomatonState::Deep,
            (AutomatonState::DeepText { .. }, _) => {}
            (_, b'"') => self.state = AutomatonState::DeepText { escaped: false },
            (_, b'{' | b'[') => self.depth += 1,
            (_, b'}' | b']') => {
                self.depth -= 1;
                if self.depth <= DEEPEST {
                    self.state = AutomatonState::CommaOrEnd;
                }
            }
            _ => {}
        }
        ByteStep::More
    }

    fn open(&mut self, object: bool) {
        self.depth += 1;
        if self.depth > DEEPEST {
            self.too_deep = true;
            self.state = AutomatonState::Deep;
        } else {
            self.objects = self.objects << 1 | u128::from(object);
            self.state = if object { AutomatonState::FirstKey } else { AutomatonState::FirstElement };
        }
    }

    fn in_text(&mut self, byte: u8, key: bool, escaped: bool) -> ByteStep {
        match byte {
            0..=0x1f => return ByteStep::Bad,
            _ if escaped => self.state = AutomatonState::Text { key, escaped: false },
            b'\\' => self.state = AutomatonState::Text { key, escaped: true },
            b'"' if key => self.state = AutomatonState::Colon,
            b'"' => return self.after_value(),
            _ => {}
        }
        ByteStep::More
    }

    fn structure(&mut self, byte: u8) -> ByteStep {
        if is_space(byte) {
            return ByteStep::More;
        }
        match (self.state, byte) {
            (AutomatonState::FirstElement, b']') | (AutomatonState::FirstKey, b'}') => return self.close(),
            (AutomatonState::Value | AutomatonState::FirstElement, b'{' | b'[') => self.open(byte == b'{'),
            (AutomatonState::Value | AutomatonState::FirstElement, b'"') => {
                self.state = AutomatonState::Text { key: false, escaped: false }
            }
            (
                AutomatonState::Value | AutomatonState::FirstElement,
                b',' | b':' | b']' | b'}' | RECORD_MARK,
            ) => {
                return ByteStep::Bad;
            }
            (AutomatonState::Value | AutomatonState::FirstElement, _) => self.state = AutomatonState::Scalar,
            (AutomatonState::FirstKey | AutomatonState::Key, b'"') => {
                self.state = AutomatonState::Text { key: true, escaped: false }
            }
            (AutomatonState::Colon, b':') => self.state = AutomatonState::Value,
            (AutomatonState::CommaOrEnd, b',') => {
                self.state = if self.in_object() { AutomatonState::Key } else { AutomatonState::Value };
            }
            (AutomatonState::CommaOrEnd, b'}') if self.in_object() => return self.close(),
            (AutomatonState::CommaOrEnd, b']') if self.depth > 0 && !self.in_object() => return self.close(),
            _ => return ByteStep::Bad,
        }
        ByteStep::More
    }

    fn close(&mut self) -> ByteStep {
        self.objects >>= 1;
        self.depth -= 1;
        self.after_value()
    }

    fn after_value(&mut self) -> ByteStep {
        self.state = AutomatonState::CommaOrEnd;
        if self.depth == 0 { ByteStep::End } else { ByteStep::More }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many bytes the first value of `text` takes; nothing if it is bad or does not end.
    fn len(text: &str) -> Option<usize> {
        let mut automaton = Automaton::new();
        for (i, byte) in text.bytes().enumerate() {
            match automaton.push(byte) {
                ByteStep::More => {}
                ByteStep::End => return Some(i + 1),
                ByteStep::EndBefore => return Some(i),
                ByteStep::Bad => return None,
            }
        }
        None
    }

    #[test]
    fn depth_takes_no_memory_and_does_not_hide_the_end() {
        for levels in [1, 126, 127, 128, 129, 500, 100_000] {
            let mut automaton = Automaton::new();
            let text = ["[{\"a\":".repeat(levels / 2), "[".repeat(levels % 2), "\"]}\"".into()].concat();
            assert!(text.bytes().all(|byte| automaton.push(byte) == ByteStep::More));
            assert_eq!((automaton.depth(), automaton.is_too_deep()), (levels as u64, levels > 127));
            let ends = ["]".repeat(levels % 2), "}]".repeat(levels / 2)].concat();
            for (i, byte) in ends.bytes().enumerate() {
                let step = if i + 1 == levels { ByteStep::End } else { ByteStep::More };
                assert_eq!(automaton.push(byte), step, "{levels}, {i}");
            }
        }
        assert!(size_of::<Automaton>() <= 64);
    }

    #[test]
    fn gaps() {
        for (text, length) in
            [("", 0), (" \r\n\t\u{1e}\u{feff}{", 8), ("\u{feff}\u{feff}", 6), ("\u{fefe}", 0), ("x ", 0)]
        {
            assert_eq!(gap(text.as_bytes()), length, "{text:?}");
            let mut gap = Gap::default();
            let passed = text.bytes().take_while(|byte| gap.pass(*byte).is_ok()).count();
            assert!(passed == length || text == "\u{fefe}", "{text:?}");
        }
    }

    #[test]
    fn values_end_where_they_end() {
        for (text, end) in [
            ("{}x", 2),
            ("[]", 2),
            (" {\"a\":[1,{\"b\":\"}]\\\"\\\\\"}],\"c\":null} ", 34),
            ("12 ", 2),
            ("12,", 2),
            ("\"a\\\"b\"c", 6),
            ("[[],[{}],\"\"]", 12),
            ("true\n", 4),
        ] {
            assert_eq!(len(text), Some(end), "{text}");
        }
        for text in [
            "{",
            "[1,]",
            "{\"a\":1,}",
            "{,}",
            "[,]",
            "{\"a\"}",
            "{\"a\":}",
            "{1:2}",
            "}",
            "[}",
            "{]",
            "[1}",
            "\"a\nb\"",
            "[1 2]",
            "{\"a\":1 \"b\"",
            "{\"a\":1{",
        ] {
            assert_eq!(len(text), None, "{text}");
        }
    }
}

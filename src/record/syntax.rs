//! Where a JSON value ends, byte by byte: a small automaton over brackets, commas and quotes.
//!
//! It follows the structure strictly and the scalars loosely (a number is a run of bytes that are
//! not structure). That is enough to cut values out of a stream; whether a value is really JSON is
//! for the exact reader to say.

/// The automaton; feed it the bytes of one value.
#[derive(Debug, Clone)]
pub(crate) struct Syntax {
    /// The open containers: `true` for an object.
    open: Vec<bool>,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Value,
    FirstElement,
    FirstKey,
    Key,
    Colon,
    CommaOrEnd,
    Scalar,
    Text { key: bool, escaped: bool },
}

/// What a byte did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// The value goes on.
    More,
    /// The value ends with this byte.
    End,
    /// The value has ended before this byte.
    EndBefore,
    /// This byte can't stand here.
    Bad,
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

impl Syntax {
    pub(crate) fn new() -> Syntax {
        Syntax { open: Vec::new(), state: State::Value }
    }

    /// Takes the next byte. After anything but [`Step::More`] the automaton is spent.
    pub(crate) fn push(&mut self, byte: u8) -> Step {
        match self.state {
            State::Text { key, escaped } => self.in_text(byte, key, escaped),
            State::Scalar
                if !matches!(byte, b',' | b'}' | b']' | b':' | b'{' | b'[' | b'"') && !is_space(byte) =>
            {
                Step::More
            }
            State::Scalar => {
                if self.open.is_empty() {
                    return Step::EndBefore;
                }
                self.state = State::CommaOrEnd;
                self.structure(byte)
            }
            _ => self.structure(byte),
        }
    }

    fn in_text(&mut self, byte: u8, key: bool, escaped: bool) -> Step {
        match byte {
            0..=0x1f => return Step::Bad,
            _ if escaped => self.state = State::Text { key, escaped: false },
            b'\\' => self.state = State::Text { key, escaped: true },
            b'"' if key => self.state = State::Colon,
            b'"' => return self.after_value(),
            _ => {}
        }
        Step::More
    }

    fn structure(&mut self, byte: u8) -> Step {
        if is_space(byte) {
            return Step::More;
        }
        match (self.state, byte) {
            (State::FirstElement, b']') | (State::FirstKey, b'}') => return self.close(),
            (State::Value | State::FirstElement, b'{') => {
                self.open.push(true);
                self.state = State::FirstKey;
            }
            (State::Value | State::FirstElement, b'[') => {
                self.open.push(false);
                self.state = State::FirstElement;
            }
            (State::Value | State::FirstElement, b'"') => {
                self.state = State::Text { key: false, escaped: false }
            }
            (State::Value | State::FirstElement, b',' | b':' | b']' | b'}') => return Step::Bad,
            (State::Value | State::FirstElement, _) => self.state = State::Scalar,
            (State::FirstKey | State::Key, b'"') => self.state = State::Text { key: true, escaped: false },
            (State::Colon, b':') => self.state = State::Value,
            (State::CommaOrEnd, b',') => {
                let object = self.open.last() == Some(&true);
                self.state = if object { State::Key } else { State::Value };
            }
            (State::CommaOrEnd, b'}') if self.open.last() == Some(&true) => return self.close(),
            (State::CommaOrEnd, b']') if self.open.last() == Some(&false) => return self.close(),
            _ => return Step::Bad,
        }
        Step::More
    }

    fn close(&mut self) -> Step {
        self.open.pop();
        self.after_value()
    }

    fn after_value(&mut self) -> Step {
        self.state = State::CommaOrEnd;
        if self.open.is_empty() { Step::End } else { Step::More }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many bytes the first value of `text` takes; nothing if it is bad or does not end.
    fn len(text: &str) -> Option<usize> {
        let mut syntax = Syntax::new();
        for (i, byte) in text.bytes().enumerate() {
            match syntax.push(byte) {
                Step::More => {}
                Step::End => return Some(i + 1),
                Step::EndBefore => return Some(i),
                Step::Bad => return None,
            }
        }
        None
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

//! The letters of a parser's text: space, comments, texts, names, and where each is.

use super::position::{Position, ReadError, Word};
use crate::text::shown;

/// A place in a text that moves forward.
#[derive(Debug, Clone)]
pub(super) struct Scanner<'t> {
    text: &'t str,
    at: usize,
    position: Position,
}

/// Whether a bare name may begin with it.
fn begins_name(c: char) -> bool {
    c.is_ascii_alphabetic() || matches!(c, '_' | '@')
}

/// Whether a bare name, path or number may hold it.
pub(super) fn is_bare(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '@' | '.' | '-')
}

impl<'t> Scanner<'t> {
    pub(super) fn new(text: &'t str) -> Scanner<'t> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        Scanner { text, at: 0, position: Position { line: 1, column: 1 } }
    }

    pub(super) fn position(&self) -> Position {
        self.position
    }

    pub(super) fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    pub(super) fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += c.len_utf8();
        if c == '\n' {
            self.position = Position { line: self.position.line + 1, column: 1 };
        } else {
            self.position.column += 1;
        }
        Some(c)
    }

    /// Passes space and comments.
    pub(super) fn space(&mut self) {
        while let Some(c) = self.peek() {
            if c == '#' {
                while self.peek().is_some_and(|c| c != '\n') {
                    self.next();
                }
            } else if c.is_whitespace() {
                self.next();
            } else {
                return;
            }
        }
    }

    /// The next character behind space, which stays.
    pub(super) fn ahead(&mut self) -> Option<char> {
        self.space();
        self.peek()
    }

    /// Takes `text` if it comes next, behind space.
    pub(super) fn take(&mut self, text: &str) -> bool {
        self.space();
        let found = self.rest().starts_with(text);
        if found {
            text.chars().for_each(|_| {
                self.next();
            });
        }
        found
    }

    /// Takes the word `word` if it comes next and ends there.
    pub(super) fn take_word(&mut self, word: &str) -> bool {
        self.space();
        let ends = self.rest().strip_prefix(word).is_some_and(|rest| !rest.starts_with(is_bare));
        ends && self.take(word)
    }

    /// What was expected, and what is there instead.
    pub(super) fn expected(&mut self, what: &str) -> ReadError {
        let found = match self.ahead() {
            None => "the end of the text".to_owned(),
            Some('\n') => "the end of the line".to_owned(),
            Some(c) if is_bare(c) => {
                let end = self.rest().find(|c| !is_bare(c)).unwrap_or(self.rest().len());
                format!("`{}`", shown(&self.rest()[..end]))
            }
            Some(c) => format!("`{}`", shown(c.encode_utf8(&mut [0; 4]))),
        };
        ReadError::new(self.position, format!("expected {what}, found {found}"))
    }

    /// A character that must come next.
    pub(super) fn require(&mut self, text: &str, what: &str) -> Result<(), ReadError> {
        if self.take(text) { Ok(()) } else { Err(self.expected(what)) }
    }

    /// A name: a plugin's, an option's, a variable's.
    pub(super) fn name(&mut self) -> Option<Word> {
        self.ahead().filter(|c| begins_name(*c))?;
        self.bare()
    }

    /// A bare word: a name, a path, a number.
    pub(super) fn bare(&mut self) -> Option<Word> {
        self.ahead().filter(|c| is_bare(*c))?;
        let (start, at) = (self.at, self.position);
        while self.peek().is_some_and(is_bare) {
            self.next();
        }
        Some(Word { text: self.text[start..self.at].to_owned(), at })
    }

    /// A text in quotes, if one comes next: a backslash goes, and the character behind it stays, whatever it is.
    ///
    /// # Errors
    /// If it does not end.
    pub(super) fn quoted(&mut self) -> Result<Option<Word>, ReadError> {
        let Some(quote @ ('"' | '\'')) = self.ahead() else { return Ok(None) };
        let at = self.position;
        self.next();
        let mut text = String::new();
        loop {
            match self.next() {
                Some('\\') => text.extend(self.next()),
                Some(c) if c == quote => return Ok(Some(Word { text, at })),
                Some(c) => text.push(c),
                None => {
                    let error = ReadError::new(at, format!("a text that begins with {quote} does not end"));
                    return Err(error.with_hint("a quote inside a text is written `\\\"`"));
                }
            }
        }
    }

    /// The text up to `end`, which goes with it, if it comes on this line. A backslash before `end` goes.
    pub(super) fn until(&mut self, end: char) -> Option<String> {
        let mut text = String::new();
        loop {
            match self.next()? {
                '\n' => return None,
                c if c == end => return Some(text),
                '\\' if self.peek() == Some(end) => text.extend(self.next()),
                '\\' => {
                    text.push('\\');
                    text.extend(self.next());
                }
                c => text.push(c),
            }
        }
    }
}

/// Reads the escapes of a text once more, as conditions do.
pub(super) fn unescaped(text: &str) -> String {
    let mut chars = text.chars();
    let mut out = String::with_capacity(text.len());
    while let Some(c) = chars.next() {
        if c == '\\' {
            out.extend(chars.next());
        } else {
            out.push(c);
        }
    }
    out
}

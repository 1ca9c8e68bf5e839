//! Places in a parser's text, and what is wrong there.

use std::fmt;

/// A place in a parser's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Position {
    /// The line, from 1.
    pub line: u32,
    /// The character in the line, from 1.
    pub column: u32,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// Why a parser does not load: what was expected, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{at}: {message}")]
pub struct ReadError {
    /// Where.
    pub at: Position,
    /// What was expected and what was found, or what can't be done. Escaped.
    pub message: String,
    /// What to write instead, if that is known.
    pub hint: Option<&'static str>,
}

impl ReadError {
    pub(super) fn new(at: Position, message: impl Into<String>) -> ReadError {
        ReadError { at, message: message.into(), hint: None }
    }

    pub(super) fn with_hint(self, hint: &'static str) -> ReadError {
        ReadError { hint: Some(hint), ..self }
    }
}

/// A word of a parser's text, with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Word {
    pub(super) text: String,
    pub(super) at: Position,
}

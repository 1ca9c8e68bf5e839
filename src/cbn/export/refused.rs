//! What a parser can't say.

use crate::text::escaped;
use std::fmt;

/// A part of a table that the language has no words for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// The table's file and line, if the part has one.
    pub at: Option<(String, usize)>,
    /// What can't be said, and why.
    pub message: String,
}

impl Refused {
    pub(super) fn table(message: impl Into<String>) -> Refused {
        Refused { at: None, message: message.into() }
    }
}

impl std::error::Error for Refused {}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some((file, line)) = &self.at {
            write!(f, "{}:{line}: ", escaped(file))?;
        }
        f.write_str(&escaped(&self.message))
    }
}

//! What a look before the first run finds.

use crate::text::escaped;

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// How it is.
    pub level: Level,
    /// What was found: lower-case, without a full stop.
    pub what: String,
    /// What to do about it.
    pub hint: Option<String>,
}

/// How a thing is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// As it should be.
    Good,
    /// It works, but should be changed.
    Warning,
    /// A run would fail.
    Bad,
}

/// What was found.
pub(crate) fn finding(level: Level, what: String, hint: Option<&str>) -> Finding {
    Finding { level, what: escaped(&what).into_owned(), hint: hint.map(|hint| escaped(hint).into_owned()) }
}

/// A thing that is as it should be.
pub(crate) fn good(what: String) -> Finding {
    finding(Level::Good, what, None)
}

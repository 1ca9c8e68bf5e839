//! Why a run could not do its work, and what to do about it.

use crate::store;
use crate::text::escaped;
use std::error;
use std::fmt;

/// A run could not do its work. What it had delivered before stays delivered, and the state says so:
/// the next run continues there.
#[derive(Debug)]
pub struct Error(Box<Inner>);

#[derive(Debug)]
struct Inner {
    kind: ErrorKind,
    message: String,
    hint: Option<String>,
}

/// What sort of error an [`Error`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A setting is missing or wrong.
    Config,
    /// Duo refuses the request, and would refuse it again: keys, permission, clock, parameters.
    Refused,
    /// Duo could not be reached or did not answer rightly, however often it was asked.
    Unavailable,
    /// Duo's answer is not what the API promises.
    Answer,
    /// The state can't be read or written, or is not this collector's.
    State,
    /// An object can't be read or written.
    Store,
    /// What `--convert` does failed.
    Derive,
}

impl Error {
    /// Whatever the message quotes is escaped here: names, values, and words of services.
    pub(super) fn new(kind: ErrorKind, message: impl AsRef<str>) -> Error {
        Error(Box::new(Inner { kind, message: escaped(message.as_ref()).into_owned(), hint: None }))
    }

    /// A setting is missing or wrong.
    pub fn config(message: impl AsRef<str>) -> Error {
        Error::new(ErrorKind::Config, message)
    }

    pub(super) fn store(kind: ErrorKind, error: &store::Error) -> Error {
        let made = Error::new(kind, error.to_string());
        match error.hint() {
            Some(hint) => made.with_hint(hint),
            None => made,
        }
    }

    /// The same error with advice: one line, lower-case, without a full stop.
    pub fn with_hint(mut self, hint: impl AsRef<str>) -> Error {
        self.0.hint = Some(escaped(hint.as_ref()).into_owned());
        self
    }

    /// What sort of error it is.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// What the user could do about it: one line, lower-case, without a full stop.
    pub fn hint(&self) -> Option<&str> {
        self.0.hint.as_deref()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl error::Error for Error {}

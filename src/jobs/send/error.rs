//! Why a run could not do its work, and what to do about it.

use crate::store;
use crate::text::escaped;
use std::error;
use std::fmt;

/// A run could not do its work. What SecOps had accepted before is in the state: the next run continues there.
#[derive(Debug, Clone)]
pub struct Error(Box<Inner>);

#[derive(Debug, Clone)]
struct Inner {
    message: String,
    hint: Option<String>,
}

impl Error {
    /// Whatever the message quotes is escaped here: names, values, and words of services.
    pub(crate) fn new(message: impl AsRef<str>) -> Error {
        Error(Box::new(Inner { message: escaped(message.as_ref()).into_owned(), hint: None }))
    }

    pub(super) fn store(error: &store::Error) -> Error {
        let made = Error::new(error.to_string());
        match error.hint() {
            Some(hint) => made.with_hint(hint),
            None => made,
        }
    }

    /// The same error with advice: one line, lower-case, without a full stop.
    #[must_use]
    pub(crate) fn with_hint(mut self, hint: impl AsRef<str>) -> Error {
        self.0.hint = Some(escaped(hint.as_ref()).into_owned());
        self
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

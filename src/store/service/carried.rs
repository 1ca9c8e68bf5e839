//! An error of our own finding that travels through the object_store crate, and comes out as it went in.

use crate::store::error::ErrorKind;
use object_store::client::{HttpError, HttpErrorKind};
use std::error::Error as _;
use std::fmt;

/// What is wrong and what to do: made below the crate, shown above it.
#[derive(Debug, Clone)]
pub(crate) struct CarriedError {
    pub(crate) kind: ErrorKind,
    pub(crate) why: String,
    pub(crate) hint: Option<String>,
}

impl CarriedError {
    pub(super) fn new(kind: ErrorKind, why: impl Into<String>) -> CarriedError {
        CarriedError { kind, why: why.into(), hint: None }
    }

    pub(super) fn with_hint(mut self, hint: impl Into<String>) -> CarriedError {
        self.hint = Some(hint.into());
        self
    }

    /// As the failure of a request, which is not tried again.
    pub(super) fn http(self) -> HttpError {
        HttpError::new(HttpErrorKind::Decode, self)
    }

    /// The one inside an error of the crate, if there is one.
    pub(super) fn within(error: &object_store::Error) -> Option<&CarriedError> {
        let mut next: Option<&(dyn std::error::Error + 'static)> = error.source();
        while let Some(error) = next {
            if let Some(told) = error.downcast_ref() {
                return Some(told);
            }
            next = error.source();
        }
        None
    }
}

impl From<CarriedError> for object_store::Error {
    fn from(told: CarriedError) -> object_store::Error {
        object_store::Error::Generic { store: "object", source: Box::new(told) }
    }
}

impl fmt::Display for CarriedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.why)
    }
}

impl std::error::Error for CarriedError {}

//! A read that ends because it was told to, which is not a failure.

use std::error;
use std::fmt;
use std::io;

/// The error of a read that was told to stop.
#[cfg(feature = "bucket")]
pub(in crate::store) fn stopped() -> io::Error {
    StopRequested.into()
}

/// Whether a read returned this error because it was told to stop.
pub fn is_stopped(error: &io::Error) -> bool {
    error.get_ref().is_some_and(|inner| inner.is::<StopRequested>())
}

/// Who reads no longer wants to.
#[derive(Debug)]
pub(super) struct StopRequested;

impl From<StopRequested> for io::Error {
    fn from(stop: StopRequested) -> io::Error {
        io::Error::other(stop)
    }
}

impl fmt::Display for StopRequested {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("reading was stopped")
    }
}

impl error::Error for StopRequested {}

//! Times as raw records hold them, and as UDM has them: an RFC 3339 text in UTC.

mod copier;
#[cfg(feature = "bucket")]
mod duration;
mod format;
mod instant;
mod read;

pub(crate) use copier::{SECONDS_BYTES, TIME_BYTES, TimeForm, TimestampCopier, iso_form};
#[cfg(feature = "bucket")]
pub use duration::duration;
pub use format::{TimeFormat, TimeReading};
pub use instant::Instant;
pub use read::{Reading, TimeError, read, read_rfc3339};

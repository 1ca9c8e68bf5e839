//! From bytes to records: where a record begins and ends, and the fields of it that a mapping reads.
//!
//! Three layers, each ignorant of the one above:
//! 1. [`frame`] cuts a stream into chunks of whole units (a line, or a JSON value);
//! 2. [`formats`] finds the records in a unit: a plain record, the elements of an array or of an
//!    envelope, JSON behind a header like syslog's, CEF, key="value" pairs;
//! 3. [`exact`] reads a record's mapped fields with serde_json, strictly.
//!
//! Nothing here knows UDM, a file, a clock or a thread. Which keys matter, which envelopes there
//! are and what they are called is data, given from outside.

mod all_fields;
pub(crate) mod boundaries;
mod condition;
mod error;
pub mod exact;
pub mod formats;
pub mod frame;
mod looks;
pub(crate) mod notation;
mod path;
mod projection;
mod rest;
pub(crate) mod scan;
mod taken;

pub use all_fields::{RawField, each_field};
pub use condition::{TestPart, ValueTest};
pub use error::{Reason, RecordError};
pub use path::{FieldPath, FieldPathError, ListStep};
pub use projection::{Fields, Overlap, Projection};
pub(crate) use taken::Taken;

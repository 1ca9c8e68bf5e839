//! The forms in which records arrive inside one unit, and the records found there.

mod cef;
mod format;
mod header;
mod own;
mod pairs;
mod parts;
mod records;
#[cfg(test)]
mod tests;
mod text;

pub use format::{Cef, Envelope, Format, Formats, Holds, KeyValue};
pub(crate) use header::is_begun as begins_with_header;
pub use own::{HeaderPart, Own};
pub use records::{Found, records};
pub(crate) use text::all_pairs;

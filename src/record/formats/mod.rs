//! The formats in which records arrive inside one unit, and the records found there.

mod cef;
mod format;
mod header;
mod own;
mod pairs;
mod parts;
mod records;
mod tables;
#[cfg(test)]
mod tests;
mod text;

pub use format::{Cef, EnvelopeHolds, EnvelopeRule, Format, Formats, KeyValue};
pub(crate) use header::is_begun as begins_with_header;
pub use own::{HeaderPart, Own};
pub use records::{FoundRecord, records};
pub(crate) use tables::MOST_TABLES;
pub use tables::{Belongs, ReadsRecords, Sorting, Tables, TablesLeft};
pub(crate) use text::all_pairs;

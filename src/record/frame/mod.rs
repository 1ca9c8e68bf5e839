//! Cuts a stream into chunks of whole units, in bounded memory.
//!
//! A stream is lines, unless it begins with a JSON value that is whole only over several lines, or in
//! the middle of one; then it is a sequence of JSON values. That is decided once, at the start. A line
//! is one unit, or several: JSON values one after the other. A chunk of lines is the stream's own
//! bytes; a chunk of items lists its units one by one (values, elements of an array, long lines).

mod chunk;
mod collector;
mod detector;
mod framer;
mod head;
mod line;
mod long;
mod span;
mod split;
#[cfg(test)]
mod tests;
mod unit;

pub use chunk::{Chunk, ChunkBody};
pub(crate) use chunk::{blank_lines, line};
pub use framer::Framer;
pub(crate) use unit::RecordPlaces;
pub use unit::{Unit, UnitState};

/// How many bytes may be read behind a chunk's lines, whatever they are: readers look at whole
/// blocks.
pub(crate) const PAD: usize = 64;
/// How many bytes of a unit beyond the limit are kept.
pub const HEAD: usize = 4096;

//! Cuts a stream into chunks of whole units, in bounded memory.
//!
//! A stream is lines, unless it begins with a JSON value that is whole only over several lines, or in
//! the middle of one; then it is a sequence of JSON values. That is decided once, at the start. A line
//! is one unit, or several: JSON values one after the other. A chunk of lines is the stream's own
//! bytes; a chunk of items lists its units one by one (values, elements of an array, long lines).

mod chunk;
mod detector;
mod framer;
mod head;
mod item;
mod line;
mod long;
mod piece;
mod split;
#[cfg(test)]
mod tests;
mod units;

pub use chunk::{Body, Chunk};
pub(crate) use chunk::{blank_lines, line};
pub use framer::Framer;
pub(crate) use item::Places;
pub use item::{Item, ItemState};

/// How many bytes may be read behind a chunk's lines, whatever they are: readers look at whole
/// blocks.
pub(crate) const PAD: usize = 64;
/// How many bytes of a unit beyond the limit are kept.
pub const HEAD: usize = 4096;

//! A JSON text as a flat tree in which every value knows its place in the text.
//!
//! A checker must say where a text is wrong, must see a key that is given twice, and must
//! keep a number as it is written. [`Tree`] does: its nodes are ranges of the text, in the order
//! of the text, and nothing is copied. It reads exactly what `serde_json` reads as strict JSON
//! (RFC 8259, no lone surrogates, at most 127 levels), which the tests hold.

mod node;
mod read;
mod shapes;
#[cfg(test)]
mod tests;
mod tree;

pub use node::{JsonError, Kind};
#[cfg(feature = "parser")]
pub(crate) use read::is_plain;
use read::plain;
pub(crate) use shapes::{Shapes, may_vary};
pub use tree::{Children, Tree, Value};

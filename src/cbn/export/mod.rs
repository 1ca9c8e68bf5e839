//! Mapping tables written as parsers.
//!
//! `tokens` makes texts of the raw fields, `conditions` and `values` are a rule's parts, `places` knows where in the event
//! its value goes, and `write` puts all together.

mod conditions;
mod places;
mod refused;
mod text;
mod tokens;
mod values;
mod write;

pub use refused::Refused;
pub use write::export;

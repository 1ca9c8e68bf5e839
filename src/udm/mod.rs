//! What UDM knows: its messages, fields, types and enums, as facts taken from Google's own package,
//! and what follows from them for an event: whether it is [valid](validate), and how it differs
//! from another ([`compare`]).
//!
//! Google SecOps' Unified Data Model is a protobuf schema (`google.backstory.UDM`). A mapping table
//! names fields of it, so a table can be checked, when it is loaded, against what really exists.

pub mod compare;
pub mod events;
mod index;
mod path;
mod scalar;
mod schema;
pub mod validate;

pub use path::{Index, Path, PathError, Segment};
pub use schema::{Cardinality, Enum, Field, Message, Type, enumeration, message, nearest};

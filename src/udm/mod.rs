//! What UDM knows: its messages, fields, types and enums, as facts taken from Google's own package.
//!
//! Google SecOps' Unified Data Model is a protobuf schema (`google.backstory.UDM`). A mapping table
//! names fields of it, so a table can be checked, when it is loaded, against what really exists.

pub(crate) mod index;
mod path;
pub(crate) mod scalar;
pub(crate) mod schema;
mod search;

pub use path::{Index, Path, PathError, Segment};
pub(crate) use schema::is_label;
pub use schema::{Cardinality, Enum, Field, Message, Type, enumeration, message, nearest};
pub use search::{FoundField, search};

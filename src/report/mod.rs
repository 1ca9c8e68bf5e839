//! What a person or a machine is told about a conversion.

pub(crate) mod bench;
#[cfg(feature = "dump")]
pub(crate) mod dump;
pub(crate) mod summary;

//! What a person or a machine is told about a conversion.

pub(crate) mod bench;
pub(crate) mod findings;
pub(crate) mod summary;

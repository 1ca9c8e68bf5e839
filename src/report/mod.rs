//! What a person or a machine is told about a conversion.

pub(crate) mod summary;

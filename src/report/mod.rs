//! What a person or a machine is told: of a conversion, of findings, of where things come from.

pub(crate) mod bench;
#[cfg(feature = "dump")]
pub(crate) mod dump;
pub(crate) mod explain;
pub(crate) mod findings;
pub(crate) mod html;
pub(crate) mod summary;

//! What a person or a machine is told: of a conversion, of findings, of where things come from.

#[cfg(feature = "cli")]
pub(crate) mod bench;
#[cfg(feature = "cli")]
pub(crate) mod dump;
pub(crate) mod explain;
#[cfg(feature = "cli")]
pub(crate) mod findings;
#[cfg(feature = "cli")]
pub(crate) mod html;
#[cfg(feature = "cli")]
pub(crate) mod profile;
#[cfg(feature = "cli")]
pub(crate) mod summary;

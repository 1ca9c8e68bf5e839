//! What can be asked of events and logs, without a network: whether events are [valid](validate), how they differ
//! ([`compare`]), and where their fields [come from](mod@explain).
//!
//! The command asks more: whether a mapping passes its test cases, how two sets of events differ, and what is in a log.

#[cfg(feature = "cli")]
pub(crate) mod baseline;
#[cfg(feature = "cli")]
pub(crate) mod cases;
pub mod compare;
#[cfg(feature = "cli")]
pub(crate) mod coverage;
#[cfg(feature = "cli")]
pub(crate) mod diff;
pub mod events;
pub mod explain;
#[cfg(feature = "cli")]
pub(crate) mod findings;
#[cfg(feature = "cli")]
pub(crate) mod fingerprint;
#[cfg(feature = "cli")]
pub(crate) mod groups;
#[cfg(feature = "cli")]
pub(crate) mod kinds;
#[cfg(feature = "cli")]
pub(crate) mod mistaken;
#[cfg(all(test, feature = "cli"))]
mod mutated;
#[cfg(feature = "cli")]
pub(crate) mod own_tests;
#[cfg(all(feature = "cli", feature = "parser"))]
pub(crate) mod parsers;
pub(crate) mod paths;
#[cfg(feature = "cli")]
pub(crate) mod profile;
#[cfg(feature = "cli")]
pub(crate) mod reading;
#[cfg(feature = "cli")]
pub(crate) mod room;
pub mod validate;
#[cfg(feature = "cli")]
pub(crate) mod whole_file;
#[cfg(feature = "cli")]
pub(crate) mod yaml;

//! What is in a log: shapes, fields, values, times, and what a mapping makes of it.

mod field;
mod gather;
mod known;
mod run;
mod times;
mod types;

#[cfg(feature = "serve")]
pub(crate) use gather::Gathered;
pub(crate) use run::profile;
#[cfg(feature = "serve")]
pub(crate) use run::profile_chunks;
pub(crate) use types::Profile;

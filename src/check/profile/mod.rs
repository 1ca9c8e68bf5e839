//! What is in a log: shapes, fields, values, times, and what a mapping makes of it.

mod amount;
mod days;
mod field;
mod flows;
mod gather;
mod highest;
mod known;
mod names;
mod rejected;
mod rejects;
mod repeated;
mod run;
mod sums;
mod times;
mod types;
mod watch;

pub(crate) use amount::Amount;
#[cfg(feature = "serve")]
pub(crate) use gather::Gathered;
pub(crate) use run::profile;
#[cfg(feature = "serve")]
pub(crate) use run::profile_chunks;
pub(crate) use types::{Profile, RejectExample, Sum};

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
pub(crate) use run::profile;
pub(crate) use types::{Profile, RejectExample, Sum};

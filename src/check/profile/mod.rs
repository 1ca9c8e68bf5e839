//! What is in a log: shapes, fields, values, times, and what a mapping makes of it.

mod field;
mod gather;
mod known;
mod run;
mod times;
mod types;

pub(crate) use run::profile;
pub(crate) use types::Profile;

//! The commands that check: validate, test, diff, explain, profile, and their reports.

mod agreement;
mod baseline;
mod bounds;
mod browser;
mod cases;
mod diff;
mod explain;
mod hostile;
pub(crate) mod kinds;
mod nothing;
mod on_disk;
#[cfg(feature = "parser")]
mod parser_cases;
mod profile;
mod reports;
mod validate;

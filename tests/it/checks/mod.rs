//! The commands that check: validate, test, diff, explain, profile, and their reports.

mod agreement;
mod browser;
mod cases;
mod diff;
mod explain;
mod profile;
mod reports;
mod validate;

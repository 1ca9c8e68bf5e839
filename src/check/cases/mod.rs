//! A mapping against cases: logs with the events that are expected of them.

mod bless;
mod issues;
mod layouts;
mod outcome;

pub(crate) use bless::bless;
pub(crate) use issues::issues;
pub(crate) use layouts::{Cases, find};
pub(crate) use outcome::Outcome;

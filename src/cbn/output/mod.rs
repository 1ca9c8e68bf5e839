//! Events: what a parser has merged into `@output`, as UDM in protobuf's JSON.

mod additional;
mod error;
mod events;
mod platform;
mod scalar;
mod user_agent;
mod writer;

pub(super) use events::{Events, write};
pub(super) use platform::Platform;
pub(super) use writer::Lines;

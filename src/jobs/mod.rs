//! Long work that may be killed at any moment and run again: whole dumps converted ([`dump`]), Duo's logs collected
//! ([`collect`]), and events sent into SecOps ([`send`]).

pub mod collect;
pub mod dump;
#[cfg(any(feature = "cli", feature = "lambda"))]
pub(crate) mod events;
pub(crate) mod finding;
#[cfg(feature = "send")]
pub mod send;
// The command and Lambda read more kinds of values than the collector alone.
#[cfg_attr(not(feature = "cli"), allow(dead_code))]
pub(crate) mod settings;
pub(crate) mod waiting;

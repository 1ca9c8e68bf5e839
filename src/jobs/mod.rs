//! Long work that may be killed at any moment and run again: whole dumps converted ([`dump`]), and Duo's logs
//! collected ([`collect`]).

pub mod collect;
pub mod dump;
#[cfg(any(feature = "cli", feature = "lambda"))]
pub(crate) mod events;
pub(crate) mod settings;

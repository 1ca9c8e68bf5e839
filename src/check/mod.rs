//! What can be asked of events, without a network: whether they are [valid](validate), and how they differ
//! ([`compare`]).

pub mod compare;
pub mod events;
pub mod validate;

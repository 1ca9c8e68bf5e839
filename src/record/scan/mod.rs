//! The fast reader of records that are lines: the same fields as [`super::exact`], or none.
//!
//! Three layers, each of which hands on what it is not sure of:
//! 1. [`shape`] compares a record with what records before it looked like ([`layout`]), all literals
//!    of it and each number;
//! 2. [`walk`] parses a record of any shape;
//! 3. what is left is a line for the exact reader.
//!
//! No layer rejects anything: a record is either read in full and right, or handed on.

mod keys;
mod layout;
mod scanner;
mod shape;
mod value;
mod walk;

pub(crate) use keys::{ListSlots, TopKeys};
pub(crate) use scanner::{RecordFound, Scanner};

/// The most slots that this reader can fill.
pub(crate) const MOST_SLOTS: usize = 63;
/// One of the slots, for all keys at the top that are not known: present if one has a value.
pub(crate) const STRANGER: u64 = 1 << MOST_SLOTS;
/// The place among the values of those that fill no slot: nobody looks at it.
const NO_PLACE: u8 = u8::MAX;
/// How much of the scratch is left to the caller.
pub(crate) const OWN_BYTES: usize = 128;

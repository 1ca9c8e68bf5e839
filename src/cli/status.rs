//! Exit statuses: few, and the same for all commands.

/// All converted.
pub(super) const DONE: u8 = 0;
/// Done, with rejects.
pub(super) const REJECTS: u8 = 1;
/// Could not do it, or not all of it.
pub(super) const FAILED: u8 = 2;
/// Nothing was found to work on: no object, no file, no record.
pub(super) const NOTHING: u8 = 3;

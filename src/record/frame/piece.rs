//! A unit as it is found: where it is, and why it can't be read.

/// A unit in the stream, by absolute offsets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Piece {
    pub(crate) start: u64,
    pub(crate) end: u64,
    /// The line on which it begins.
    pub(crate) line: u64,
    /// Where on that line it begins, in bytes, from 1.
    pub(crate) column: u64,
    pub(crate) flaw: Option<Flaw>,
}

/// Why a unit can't be read at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// Longer than the limit.
    TooLong,
    /// Nested too deeply, and long.
    TooDeep,
    /// Not JSON in the place where it stands; a sentence says why.
    Broken(&'static str),
}

/// Of this nothing is known but that it is so.
pub(crate) const BREAKS_OFF: &str = "the JSON value breaks off or goes wrong before its end";

/// So much is kept of a unit that is nested too deeply, if it is no longer.
pub(crate) const DEEP_KEPT: u64 = 1 << 20;

/// Why a unit of this length that is not broken can't be read, if so.
pub(crate) fn flaw_of(length: u64, too_deep: bool, limit: u64) -> Option<Flaw> {
    if too_deep && length > limit.min(DEEP_KEPT) {
        Some(Flaw::TooDeep)
    } else {
        (length > limit).then_some(Flaw::TooLong)
    }
}

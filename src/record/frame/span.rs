//! A unit as it is found: where it is, and why it can't be read.

/// A unit in the stream, by absolute offsets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UnitSpan {
    pub(crate) start: u64,
    pub(crate) end: u64,
    /// The line on which it begins.
    pub(crate) line: u64,
    /// Where on that line it begins, in bytes, from 1.
    pub(crate) column: u64,
    pub(crate) defect: Option<Defect>,
}

/// Why a unit can't be read at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Defect {
    /// Longer than the limit.
    TooLong,
    /// Nested too deeply, and long.
    TooDeep,
    /// Not JSON in its place; a sentence says why.
    Broken(&'static str),
}

/// Of this nothing is known but that it is so.
pub(crate) const BREAKS_OFF: &str = "the JSON value breaks off or goes wrong before its end";

/// How many bytes are kept of a unit that is nested too deeply, if it has no more.
pub(crate) const DEEP_KEPT: u64 = 1 << 20;

/// Why a unit of this length that is not broken can't be read, if so.
pub(crate) fn defect_of(length: u64, too_deep: bool, limit: u64) -> Option<Defect> {
    if too_deep && length > limit.min(DEEP_KEPT) {
        Some(Defect::TooDeep)
    } else {
        (length > limit).then_some(Defect::TooLong)
    }
}

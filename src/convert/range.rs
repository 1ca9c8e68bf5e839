//! Which records are converted, by their own time.

use crate::time::Instant;

/// A range of time, from an instant on and before another; without limits, all of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct TimeRange {
    pub(crate) since: Option<Instant>,
    pub(crate) until: Option<Instant>,
}

impl TimeRange {
    /// Whether everything is in it.
    pub(crate) fn is_all(self) -> bool {
        self == TimeRange::default()
    }

    pub(super) fn holds(self, time: Instant) -> bool {
        self.since.is_none_or(|since| since <= time) && self.until.is_none_or(|until| time < until)
    }
}

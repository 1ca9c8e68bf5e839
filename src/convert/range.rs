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

    /// The same for times as events have them.
    pub(super) fn text(self) -> TextRange {
        let text = |limit: Instant| {
            let mut text = limit.to_rfc3339().into_bytes();
            text.pop();
            text
        };
        TextRange { since: self.since.map(text), until: self.until.map(text) }
    }
}

/// A [`TimeRange`] for texts, without their last letter, `Z`. Those are in the order of time: years
/// have four digits, and a fraction follows its second, with as few digits as hold it.
#[derive(Debug, Clone)]
pub(super) struct TextRange {
    since: Option<Vec<u8>>,
    until: Option<Vec<u8>>,
}

impl TextRange {
    pub(super) fn holds(&self, time: &[u8]) -> bool {
        self.since.as_deref().is_none_or(|since| since <= time)
            && self.until.as_deref().is_none_or(|until| time < until)
    }
}

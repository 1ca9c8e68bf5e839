//! Time zones: IANA's names, and offsets.

use chrono::{FixedOffset, NaiveDateTime, Offset as _, TimeZone as _};
use chrono_tz::Tz;

/// Where a clock hangs.
#[derive(Debug, Clone, Copy)]
pub(super) enum Zone {
    Fixed(FixedOffset),
    Named(Tz),
}

impl Zone {
    pub(super) fn utc() -> Zone {
        Zone::Named(Tz::UTC)
    }

    /// The zone of this name, or with this offset. As in Go, no name is UTC.
    pub(super) fn named(name: &str) -> Option<Zone> {
        let name = name.trim();
        if name.is_empty() {
            return Some(Zone::utc());
        }
        if let Some((offset, "")) = offset_ahead(name) {
            return FixedOffset::east_opt(offset).map(Zone::Fixed);
        }
        name.parse::<Tz>().ok().map(Zone::Named)
    }

    /// Its offset at a local time, in seconds. A time that comes twice is the first one; one that never comes has the
    /// offset from before.
    pub(super) fn offset_at(&self, local: NaiveDateTime) -> i32 {
        match self {
            Zone::Fixed(offset) => offset.local_minus_utc(),
            Zone::Named(zone) => {
                let found = zone.offset_from_local_datetime(&local).earliest();
                let before = || zone.offset_from_utc_datetime(&local);
                found.unwrap_or_else(before).fix().local_minus_utc()
            }
        }
    }
}

/// An offset that comes next: `Z`, `+01`, `+0100`, `+01:00`; in seconds, and what is behind it.
pub(super) fn offset_ahead(text: &str) -> Option<(i32, &str)> {
    if let Some(rest) = text.strip_prefix(['Z', 'z']) {
        return Some((0, rest));
    }
    let sign = if text.starts_with('-') { -1 } else { 1 };
    let rest = text.strip_prefix(['+', '-'])?;
    let number = |text: &str| {
        let digits = text.get(..2)?;
        digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse::<i32>().ok())?
    };
    let hours = number(rest).filter(|hours| *hours <= 23)?;
    let rest = &rest[2..];
    let behind = rest.strip_prefix(':').unwrap_or(rest);
    let (minutes, rest) = match number(behind) {
        Some(minutes) if minutes <= 59 => (minutes, &behind[2..]),
        _ => (0, rest),
    };
    Some((sign * (hours * 3600 + minutes * 60), rest))
}

//! A point in time.

use chrono::{DateTime, SecondsFormat, Utc};

/// 0001-01-01T00:00:00Z.
const MIN_SECONDS: i64 = -62_135_596_800;
/// 9999-12-31T23:59:59Z.
const MAX_SECONDS: i64 = 253_402_300_799;

/// A point in time to the nanosecond, within the years 1 to 9999.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Instant {
    pub(super) seconds: i64,
    pub(super) nanos: u32,
}

impl Instant {
    /// 1970-01-01T00:00:00Z.
    pub const EPOCH: Instant = Instant { seconds: 0, nanos: 0 };

    /// A point in time as chrono has it; nothing outside of the years 1 to 9999.
    pub fn of(time: DateTime<Utc>) -> Option<Instant> {
        // A leap second, which chrono has and this has not, is the end of its minute.
        let nanos = time.timestamp_subsec_nanos().min(999_999_999);
        Instant { seconds: time.timestamp(), nanos }.in_range()
    }

    /// Whole seconds since 1970-01-01T00:00:00Z, rounded down.
    pub fn seconds(self) -> i64 {
        self.seconds
    }

    /// Nanoseconds since that second.
    pub fn nanos(self) -> u32 {
        self.nanos
    }

    /// Whole microseconds since 1970-01-01T00:00:00Z, rounded down.
    pub fn micros(self) -> i64 {
        // In range by construction, so it fits.
        self.seconds * 1_000_000 + i64::from(self.nanos / 1000)
    }

    /// The text in protobuf's JSON form: UTC, `Z`, 0, 3, 6 or 9 fractional digits, the fewest
    /// that hold the value.
    pub fn to_rfc3339(self) -> String {
        // In range by construction, so chrono has it.
        let time = DateTime::from_timestamp(self.seconds, self.nanos).unwrap_or_default();
        time.to_rfc3339_opts(SecondsFormat::AutoSi, true)
    }

    /// The same, if it is within the years 1 to 9999.
    pub(super) fn in_range(self) -> Option<Instant> {
        (MIN_SECONDS..=MAX_SECONDS).contains(&self.seconds).then_some(self)
    }
}

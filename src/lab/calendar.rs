//! A range of time in which records come as people work: most of them in working hours, few at night and at weekends.

use crate::time::Instant;

const SECOND: i64 = 1_000_000;
const HOUR: i64 = 3_600 * SECOND;
const DAY: i64 = 24 * HOUR;
const WEEK: i64 = 7 * DAY;
/// From Monday, 1969-12-29 to Thursday, 1970-01-01.
const TO_MONDAY: i64 = 3 * DAY;

/// How many records come in an hour of a working day, compared with an hour of the night.
const WORKING_DAY: [i64; 24] =
    [1, 1, 1, 1, 1, 1, 3, 8, 16, 24, 24, 24, 16, 24, 24, 24, 24, 16, 8, 3, 3, 3, 1, 1];
/// The same at weekends.
const WEEKEND: [i64; 24] = [1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1, 1, 1, 1];

/// The weights of the hours of a week from Monday on, and their sums before each.
const HOURS: ([i64; 168], [i64; 169]) = {
    let (mut weights, mut sums) = ([0; 168], [0; 169]);
    let mut hour = 0;
    while hour < 168 {
        weights[hour] = if hour < 120 { WORKING_DAY[hour % 24] } else { WEEKEND[hour % 24] };
        sums[hour + 1] = sums[hour] + weights[hour];
        hour += 1;
    }
    (weights, sums)
};
/// The weight of a week.
const OF_WEEK: i64 = HOURS.1[168] * HOUR;

/// A range of time with working hours.
///
/// | local time | records in an hour, compared with the night |
/// |---|---|
/// | Monday to Friday, 9 to 12 and 13 to 17 | 24 |
/// | at 8, 12 and 17 | 16 |
/// | at 7 and 18 | 8 |
/// | at 6 and 19 to 22 | 3 |
/// | weekends, 8 to 20 | 2 |
/// | otherwise | 1 |
///
/// So four of five records come in the ten hours from 8 to 18 of a working day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Calendar {
    /// What the range begins with, as weight since a Monday.
    start: i64,
    /// The weight of all of it.
    weight: u64,
    /// Local time is this much ahead of UTC.
    ahead: i64,
}

impl Calendar {
    /// From an instant on and before another, with local time this many seconds ahead of UTC. Nothing if the range is
    /// shorter than a second: the times of v1 have no fractions.
    pub fn new(from: Instant, until: Instant, ahead_seconds: i32) -> Option<Calendar> {
        let ahead = i64::from(ahead_seconds) * SECOND;
        let (from, until) = (from.micros(), until.micros());
        if until - from < SECOND {
            return None;
        }
        let whole = from + (-from).rem_euclid(SECOND);
        let start = weight_before(whole + ahead);
        let weight = u64::try_from(weight_before(until + ahead) - start).ok()?;
        (weight > 0).then_some(Calendar { start, weight, ahead })
    }

    /// The weight of all of it: where a record is in its share is a number below that.
    pub(super) fn weight(&self) -> u64 {
        self.weight
    }

    /// The time of record `n` of `records`, in microseconds since 1970: somewhere in its own share of the weight, so that
    /// records are in order.
    pub(super) fn time(&self, n: u64, records: u64, luck: u64) -> i64 {
        let records = u128::from(records.max(1));
        let share =
            |n: u64, luck: u64| (u128::from(n) * u128::from(self.weight) + u128::from(luck)) / records;
        let time = self.at(share(n, luck));
        let second = time.div_euclid(SECOND);
        // If the next record may be in the same second, it may have no fraction and would be before this one.
        let next = self.at(share(n + 1, 0)).div_euclid(SECOND);
        if next > second { time } else { second * SECOND }
    }

    /// The time before which there is this much weight.
    fn at(&self, share: u128) -> i64 {
        // Not more than all of the weight, so it fits.
        let weight = self.start + i64::try_from(share).unwrap_or_default();
        let (weeks, rest) = (weight.div_euclid(OF_WEEK), weight.rem_euclid(OF_WEEK));
        let hour = HOURS.1.partition_point(|sum| sum * HOUR <= rest) - 1;
        let micros = (rest - HOURS.1[hour] * HOUR) / HOURS.0[hour];
        weeks * WEEK + hour as i64 * HOUR + micros - TO_MONDAY - self.ahead
    }
}

/// The weight of everything from that Monday to a local time in microseconds since 1970; of the years 1 to 9999, it is
/// below 2^62.
fn weight_before(local: i64) -> i64 {
    let local = local + TO_MONDAY;
    let (weeks, rest) = (local.div_euclid(WEEK), local.rem_euclid(WEEK));
    // Fewer than 168.
    let hour = (rest / HOUR) as usize;
    weeks * OF_WEEK + HOURS.1[hour] * HOUR + rest % HOUR * HOURS.0[hour]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::{Reading, read};

    /// Each record is in the range and after the one before it, whatever the range.
    #[test]
    fn times_are_in_order_and_in_the_range() {
        let at = |text: &str| read(text, Reading::Iso8601).unwrap();
        for (from, until, hours) in [
            ("2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z", 1),
            ("0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z", -12),
            ("1969-12-31T23:59:58.999999Z", "1970-01-01T00:00:01Z", 14),
            ("2026-03-07T03:00:00Z", "2026-03-07T03:00:01.000003Z", 0),
            ("2026-03-07T03:00:00.999999Z", "2026-03-07T03:00:01.999999Z", 0),
        ] {
            let (from, until) = (at(from), at(until));
            let calendar = Calendar::new(from, until, hours * 3600).unwrap();
            let mut last = from.micros();
            for n in 0..5_000 {
                let time = calendar.time(n, 5_000, n.wrapping_mul(0x9e37_79b9_7f4a_7c15) % calendar.weight());
                // Whether it has its fraction or, as in v1, not.
                for time in [time, time.div_euclid(SECOND) * SECOND] {
                    assert!((last..until.micros()).contains(&time), "{n}: {time} after {last}");
                }
                last = time;
            }
            assert_eq!(Calendar::new(until, from, 0), None);
            assert_eq!(Calendar::new(from, from, 0), None);
            let late = at("2026-03-07T03:00:00.000001Z");
            assert_eq!(Calendar::new(late, at("2026-03-07T03:00:01Z"), 0), None);
        }
    }
}

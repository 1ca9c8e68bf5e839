//! Reads the times of events. Most are of the day of the one before, so the calendar is asked once a day.

use crate::time::{Instant, read_rfc3339};

/// Reads times, and remembers the day of the last one.
#[derive(Debug, Default)]
pub(super) struct Times {
    /// `2024-01-31`
    day: [u8; 10],
    /// When it begins, in microseconds since 1970.
    start: i64,
}

impl Times {
    /// A time of an event, in microseconds since 1970, rounded down.
    pub(super) fn micros(&mut self, text: &str) -> Option<i64> {
        let (day, of_day) = text.as_bytes().split_first_chunk::<10>()?;
        let of_day = micros_of_day(of_day);
        if let Some(of_day) = of_day
            && *day == self.day
        {
            return Some(self.start + of_day);
        }
        let micros = read_rfc3339(text).map(Instant::micros)?;
        if let Some(of_day) = of_day {
            (self.day, self.start) = (*day, micros - of_day);
        }
        Some(micros)
    }
}

/// The microseconds of `T12:34:56.789Z`; nothing for anything else.
fn micros_of_day(text: &[u8]) -> Option<i64> {
    let (time, rest) = text.split_first_chunk::<9>()?;
    let [b'T', h, hh, b':', m, mm, b':', s, ss] = *time else { return None };
    let two = |tens: u8, ones: u8, limit: i64| {
        let (tens, ones) = (tens.wrapping_sub(b'0'), ones.wrapping_sub(b'0'));
        let number = i64::from(tens) * 10 + i64::from(ones);
        (tens < 10 && ones < 10 && number < limit).then_some(number)
    };
    let seconds = (two(h, hh, 24)? * 60 + two(m, mm, 60)?) * 60 + two(s, ss, 60)?;
    let digits = match rest {
        b"Z" => b"",
        [b'.', digits @ .., b'Z'] if (1..=9).contains(&digits.len()) => digits,
        _ => return None,
    };
    let mut micros = 0;
    for digit in digits.iter().take(6) {
        micros = micros * 10 + i64::from(digit.wrapping_sub(b'0'));
    }
    if !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let missing = 6 - digits.len().min(6);
    Some(seconds * 1_000_000 + micros * 10_i64.pow(missing as u32))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_the_calendar() {
        let days = [
            "0001-01-01",
            "1969-12-31",
            "1970-01-01",
            "2024-02-29",
            "9999-12-31",
            "2023-02-29",
            "2023-0x-01",
        ];
        let times = [
            "T00:00:00Z",
            "T23:59:59.999999999Z",
            "T12:34:56.1Z",
            "T12:34:56.070Z",
            "T12:34:56.123456Z",
            "T12:34:56.1234567891Z",
            "T12:34:56.Z",
            "T12:34:56.12x4Z",
            "T12:34:56+01:00",
            "T24:00:00Z",
            "T12:60:00Z",
            "T12:34:60Z",
            "T1:234:56Z",
            "t12:34:56Z",
            "T12:34:56",
            "",
        ];
        let mut reader = Times::default();
        for day in days {
            for time in times.iter().chain(times.iter().rev()) {
                let text = format!("{day}{time}");
                assert_eq!(reader.micros(&text), read_rfc3339(&text).map(Instant::micros), "{text}");
            }
        }
        assert_eq!(reader.micros("\u{e9}"), None);
    }
}

//! Times of events as numbers.

use chrono::DateTime;

/// The days of a year before each month, without a leap day.
const BEFORE: [i64; 12] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];

/// Microseconds since 1970 of a time as events have it, `2024-01-01T00:00:00.5Z`; what is finer is
/// cut. Nothing if it is no time.
pub(super) fn micros(text: &str) -> Option<i64> {
    plain(text.as_bytes())
        .or_else(|| DateTime::parse_from_rfc3339(text).ok().map(|time| time.timestamp_micros()))
}

/// The same for the usual spelling alone.
fn plain(text: &[u8]) -> Option<i64> {
    let (head, rest) = text.split_at_checked(19)?;
    let number = |range: std::ops::Range<usize>| {
        head[range].iter().try_fold(0i64, |number, byte| {
            byte.is_ascii_digit().then(|| number * 10 + i64::from(byte - b'0'))
        })
    };
    if [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')].iter().any(|(at, mark)| head[*at] != *mark)
    {
        return None;
    }
    let (year, month, day) = (number(0..4)?, number(5..7)?, number(8..10)?);
    let (hour, minute, second) = (number(11..13)?, number(14..16)?, number(17..19)?);
    // The 28th is in every month; whether a later day is, the calendar says.
    if year == 0 || !(1..=12).contains(&month) || !(1..=28).contains(&day) {
        return None;
    }
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let leap = |year: i64| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let past = year - 1;
    let days = past * 365 + past / 4 - past / 100
        + past / 400
        + BEFORE[month as usize - 1]
        + i64::from(month > 2 && leap(year))
        + day
        - 1
        - 719_162;
    let fraction = match rest {
        b"Z" => 0,
        [b'.', digits @ .., b'Z']
            if (1..=9).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit) =>
        {
            let six = (0..6).map(|at| digits.get(at).map_or(0, |digit| i64::from(digit - b'0')));
            six.fold(0, |number, digit| number * 10 + digit)
        }
        _ => return None,
    };
    Some(((days * 24 + hour) * 60 + minute) * 60_000_000 + second * 1_000_000 + fraction)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_the_calendar() {
        let fractions = ["", ".5", ".123456789", ".999999", ".0000001"];
        for day in (-719_162i64..2_932_897).step_by(37).chain([-719_162, -1, 0, 59, 789, 2_932_896]) {
            let time = DateTime::from_timestamp(day * 86_400 + day.rem_euclid(86_400), 0).unwrap();
            let fraction = fractions[day.rem_euclid(5) as usize];
            let text = format!("{}{fraction}Z", time.format("%Y-%m-%dT%H:%M:%S"));
            let judge = DateTime::parse_from_rfc3339(&text).unwrap().timestamp_micros();
            assert_eq!(micros(&text), Some(judge), "{text}");
            assert!(plain(text.as_bytes()).is_none_or(|plain| plain == judge));
        }
        for (text, known) in [
            ("2024-02-29T00:00:00Z", true),
            ("2023-02-29T00:00:00Z", false),
            ("2023-02-2xT00:00:00Z", false),
            ("2024-01-01T00:00:00+01:00", true),
            ("2024-01-01T24:00:00Z", false),
            ("2024-01-01", false),
            ("", false),
        ] {
            assert_eq!(micros(text).is_some(), known, "{text}");
        }
    }
}

//! Reads times.
//!
//! Calendar arithmetic is chrono's; the grammar is here, because it is wider than RFC 3339 on one side (a space, a comma,
//! `+hhmm`, no offset) and narrower on the other (no leap seconds: protobuf's Timestamp has none).

use super::instant::Instant;
use crate::text::shown;
use chrono::NaiveDate;

/// How a field's text is read as a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// Seconds since 1970-01-01T00:00:00Z: a JSON number of any form.
    EpochSeconds,
    /// Milliseconds since 1970-01-01T00:00:00Z: a JSON number of any form.
    EpochMilliseconds,
    /// Microseconds since 1970-01-01T00:00:00Z: a JSON number of any form.
    EpochMicroseconds,
    /// Nanoseconds since 1970-01-01T00:00:00Z: a JSON number of any form.
    EpochNanoseconds,
    /// ISO 8601 / RFC 3339: `2023-03-21T22:34:49.466370+00:00`. Between date and time `T`, `t` or
    /// a space; before the fraction `.` or `,`; `Z`, `z`, `+hh:mm`, `+hhmm`, `+hh`, or nothing for UTC.
    Iso8601,
}

impl Reading {
    /// Each reading with its name in mapping tables.
    pub const ALL: [(&'static str, Reading); 5] = [
        ("epoch-seconds", Reading::EpochSeconds),
        ("epoch-milliseconds", Reading::EpochMilliseconds),
        ("epoch-microseconds", Reading::EpochMicroseconds),
        ("epoch-nanoseconds", Reading::EpochNanoseconds),
        ("iso8601", Reading::Iso8601),
    ];

    /// Its name in mapping tables.
    pub fn name(self) -> &'static str {
        Reading::ALL.iter().find(|(_, reading)| *reading == self).map_or("", |(name, _)| name)
    }
}

/// Why a text is not an [`Instant`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TimeError {
    /// Not a time at all; a clause that says why.
    NotATime(String),
    /// A time, but outside the years 1 to 9999; a clause that says more.
    OutOfRange(String),
}

/// Decimal digits of the last second's number: a number of seconds with more is out of range.
const MOST_DIGITS: i64 = 12;

/// Reads `text`. What is finer than a nanosecond is cut, toward the past.
///
/// # Errors
/// A [`TimeError`].
pub fn read(text: &str, reading: Reading) -> Result<Instant, TimeError> {
    match reading {
        Reading::EpochSeconds => epoch(text, 0),
        Reading::EpochMilliseconds => epoch(text, 3),
        Reading::EpochMicroseconds => epoch(text, 6),
        Reading::EpochNanoseconds => epoch(text, 9),
        Reading::Iso8601 => iso(text.as_bytes())
            .and_then(|instant| {
                instant.in_range().ok_or_else(|| TimeError::OutOfRange(format!("`{}` is", shown(text))))
            })
            .map_err(|error| match error {
                TimeError::NotATime(why) => {
                    TimeError::NotATime(format!("`{}` is not an ISO 8601 date and time: {why}", shown(text)))
                }
                TimeError::OutOfRange(_) => TimeError::OutOfRange(format!("`{}` is", shown(text))),
            }),
    }
}

/// Reads an RFC 3339 time as protobuf writes it, and as events hold it: `T` and `Z` in capitals, at most nine digits of
/// a fraction, an offset. Nothing for any other text, and outside the years 1 to 9999.
pub fn read_rfc3339(text: &str) -> Option<Instant> {
    let bytes = text.as_bytes();
    let mut rest = bytes.get(19..).filter(|_| bytes[10] == b'T')?;
    if let Some(fraction) = rest.strip_prefix(b".") {
        let digits = fraction.iter().take_while(|byte| byte.is_ascii_digit()).count();
        rest = &fraction[digits..];
        if digits > 9 {
            return None;
        }
    }
    if !matches!(rest, b"Z" | [b'+' | b'-', _, _, b':', _, _]) {
        return None;
    }
    iso(bytes).ok()?.in_range()
}

/// A JSON number taken apart: its digits without the point, and how many stand before it.
struct Decimal {
    negative: bool,
    /// Without leading zeros.
    digits: Vec<u8>,
    /// Where the point is, counted from the first digit; may lie outside the digits.
    point: i64,
}

/// Reads a number by JSON's grammar.
fn decimal(text: &str) -> Option<Decimal> {
    let (negative, rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (mantissa, exponent) = match rest.find(['e', 'E']) {
        Some(at) => (&rest[..at], Some(&rest[at + 1..])),
        None => (rest, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    let all_digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
    if !all_digits(whole) || (whole.len() > 1 && whole.starts_with('0')) || !fraction.is_none_or(all_digits) {
        return None;
    }
    let exponent = match exponent {
        None => 0,
        Some(text) => {
            let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
            if !all_digits(unsigned) {
                return None;
            }
            // An exponent too large for i64 is as good as this one.
            let size = unsigned.parse::<i64>().unwrap_or(i64::MAX).min(1 << 60);
            if text.starts_with('-') { -size } else { size }
        }
    };
    let mut digits: Vec<u8> = whole.bytes().chain(fraction.unwrap_or("").bytes()).collect();
    let zeros = digits.iter().take_while(|d| **d == b'0').count();
    digits.drain(..zeros);
    // Lengths fit i64.
    Some(Decimal { negative, digits, point: whole.len() as i64 - zeros as i64 + exponent })
}

/// A number of 10^-`scale` seconds since 1970.
fn epoch(text: &str, scale: i64) -> Result<Instant, TimeError> {
    let Some(number) = decimal(text) else {
        let unit = match scale {
            0 => "seconds",
            3 => "milliseconds",
            6 => "microseconds",
            _ => "nanoseconds",
        };
        let why = format!("`{}` is not a number of {unit} since 1970-01-01T00:00:00Z", shown(text));
        return Err(TimeError::NotATime(why));
    };
    if number.digits.is_empty() {
        return Ok(Instant { seconds: 0, nanos: 0 });
    }
    let out_of_range = || {
        let unit = match number.point {
            13 if scale == 0 => "`, which looks like milliseconds, is",
            16 if scale == 0 => "`, which looks like microseconds, is",
            19 if scale == 0 => "`, which looks like nanoseconds, is",
            _ => "` is",
        };
        TimeError::OutOfRange(format!("`{}{unit}", shown(text)))
    };
    let point = number.point - scale;
    if point > MOST_DIGITS {
        return Err(out_of_range());
    }
    // The digits down to a nanosecond, as one whole number: at most 12 + 9 of them.
    let kept = usize::try_from(point + 9).unwrap_or(0);
    let mut nanos: i128 = 0;
    for i in 0..kept {
        nanos = nanos * 10 + i128::from(number.digits.get(i).map_or(0, |d| d - b'0'));
    }
    let cut = number.digits.iter().skip(kept).any(|d| *d != b'0');
    if number.negative {
        nanos = -nanos - i128::from(cut);
    }
    let seconds = i64::try_from(nanos.div_euclid(1_000_000_000)).map_err(|_| out_of_range())?;
    // A remainder by 10^9 fits u32.
    let nanos = nanos.rem_euclid(1_000_000_000) as u32;
    Instant { seconds, nanos }.in_range().ok_or_else(out_of_range)
}

/// Reads ISO 8601; the range is not checked, and the error holds only why.
fn iso(text: &[u8]) -> Result<Instant, TimeError> {
    let fail = |why: &str| TimeError::NotATime(why.to_owned());
    let number = |at: usize, len: usize| -> Option<u32> {
        let digits = text.get(at..at + len)?;
        digits.iter().try_fold(0, |n, d| d.is_ascii_digit().then(|| n * 10 + u32::from(d - b'0')))
    };
    let is = |at: usize, set: &[u8]| text.get(at).is_some_and(|b| set.contains(b));
    let form = || fail("expected YYYY-MM-DDTHH:MM:SS, with or without a fraction and an offset");

    if !(is(4, b"-") && is(7, b"-") && is(10, b"Tt ") && is(13, b":") && is(16, b":")) {
        return Err(form());
    }
    let parts = (number(0, 4), number(5, 2), number(8, 2), number(11, 2), number(14, 2), number(17, 2));
    let (Some(year), Some(month), Some(day), Some(hour), Some(minute), Some(second)) = parts else {
        return Err(form());
    };
    let mut at = 19;
    let mut nanos = 0;
    if is(at, b".,") {
        let digits = text[at + 1..].iter().take_while(|b| b.is_ascii_digit()).count();
        if digits == 0 {
            return Err(fail("expected digits in the fraction"));
        }
        nanos =
            (0..9).fold(0, |n, i| n * 10 + if i < digits { u32::from(text[at + 1 + i] - b'0') } else { 0 });
        at += 1 + digits;
    }
    let offset = match &text[at..] {
        [] | [b'Z' | b'z'] => 0,
        [sign @ (b'+' | b'-'), rest @ ..] => {
            let minutes = match rest {
                [_, _, b':', _, _] => number(at + 4, 2),
                [_, _, _, _] => number(at + 3, 2),
                [_, _] => Some(0),
                _ => None,
            };
            match (number(at + 1, 2), minutes) {
                (Some(hours @ 0..=23), Some(minutes @ 0..=59)) => {
                    let seconds = i64::from(hours * 3600 + minutes * 60);
                    if *sign == b'-' { -seconds } else { seconds }
                }
                _ => return Err(fail("expected an offset such as Z, +hh:mm, +hhmm or +hh")),
            }
        }
        _ => return Err(fail("expected nothing, a fraction or an offset after the time")),
    };
    if second == 60 {
        return Err(fail("UDM's timestamps have no leap seconds"));
    }
    // A year of four digits fits i32.
    let time = NaiveDate::from_ymd_opt(year as i32, month, day)
        .ok_or_else(|| fail("there is no such day"))?
        .and_hms_nano_opt(hour, minute, second, nanos)
        .ok_or_else(|| fail("there is no such time of day"))?
        .and_utc();
    Ok(Instant { seconds: time.timestamp() - offset, nanos })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `given -> expected`; `!` not a time, `<>` out of range.
    fn table(reading: Reading, cases: &[(&str, &str)]) {
        for (given, expected) in cases {
            let got = match read(given, reading) {
                Ok(instant) => instant.to_rfc3339(),
                Err(TimeError::NotATime(_)) => "!".into(),
                Err(TimeError::OutOfRange(_)) => "<>".into(),
            };
            assert_eq!(got, *expected, "{reading:?} of `{given}`");
        }
    }

    #[test]
    fn finer_epochs() {
        table(
            Reading::EpochMicroseconds,
            &[
                ("1683648435123456", "2023-05-09T16:07:15.123456Z"),
                ("1.5", "1970-01-01T00:00:00.000001500Z"),
                ("x", "!"),
            ],
        );
        table(
            Reading::EpochNanoseconds,
            &[
                ("1683648435123456789", "2023-05-09T16:07:15.123456789Z"),
                ("-1", "1969-12-31T23:59:59.999999999Z"),
            ],
        );
    }

    #[test]
    fn epoch_seconds() {
        table(
            Reading::EpochSeconds,
            &[
                ("1683648435", "2023-05-09T16:07:15Z"),
                ("0", "1970-01-01T00:00:00Z"),
                ("-0", "1970-01-01T00:00:00Z"),
                ("0e999999999999999999999", "1970-01-01T00:00:00Z"),
                ("1.5", "1970-01-01T00:00:01.500Z"),
                ("1.000", "1970-01-01T00:00:01Z"),
                ("1.0000010", "1970-01-01T00:00:01.000001Z"),
                ("1.0000000019", "1970-01-01T00:00:01.000000001Z"),
                ("-0.5", "1969-12-31T23:59:59.500Z"),
                ("-0.0000000001", "1969-12-31T23:59:59.999999999Z"),
                ("-1e-400", "1969-12-31T23:59:59.999999999Z"),
                ("1e-99999999999999999999", "1970-01-01T00:00:00Z"),
                ("1.683648435E9", "2023-05-09T16:07:15Z"),
                ("168364843500e-2", "2023-05-09T16:07:15Z"),
                ("16836484350000000000000000000000000000000001e-34", "2023-05-09T16:07:15Z"),
                ("253402300799.999999999", "9999-12-31T23:59:59.999999999Z"),
                ("253402300799.9999999999999", "9999-12-31T23:59:59.999999999Z"),
                ("253402300800", "<>"),
                ("-62135596800", "0001-01-01T00:00:00Z"),
                ("-62135596800.0000000001", "<>"),
                ("-62135596801", "<>"),
                ("1683648435000", "<>"),
                ("1e999999999999999999999999", "<>"),
                ("-1e30", "<>"),
            ],
        );
        for not in [
            "", " 1", "1 ", "+1", "01", "-", "1.", ".5", "1e", "1e+", "0x10", "NaN", "true", "1,5", "1_0",
            "--1", "1e1.5", "１",
        ] {
            table(Reading::EpochSeconds, &[(not, "!")]);
        }
        let Err(TimeError::OutOfRange(why)) = read("1683648435000", Reading::EpochSeconds) else { panic!() };
        assert!(why.contains("milliseconds"), "{why}");
    }

    #[test]
    fn epoch_milliseconds() {
        table(
            Reading::EpochMilliseconds,
            &[
                ("1683648435000", "2023-05-09T16:07:15Z"),
                ("1683648435123.4567891", "2023-05-09T16:07:15.123456789Z"),
                ("-1", "1969-12-31T23:59:59.999Z"),
                ("0.0001", "1970-01-01T00:00:00.000000100Z"),
                ("253402300799999", "9999-12-31T23:59:59.999Z"),
                ("253402300800000", "<>"),
                ("None", "!"),
            ],
        );
    }

    #[test]
    fn iso8601() {
        table(
            Reading::Iso8601,
            &[
                ("2023-03-21T22:34:49.466370+00:00", "2023-03-21T22:34:49.466370Z"),
                ("2023-03-21T22:34:49", "2023-03-21T22:34:49Z"),
                ("2023-03-21t22:34:49z", "2023-03-21T22:34:49Z"),
                ("2023-03-21 22:34:49,5Z", "2023-03-21T22:34:49.500Z"),
                ("2023-03-21T22:34:49.070000Z", "2023-03-21T22:34:49.070Z"),
                ("2023-03-21T22:34:49.000000+00:00", "2023-03-21T22:34:49Z"),
                ("2023-03-21T22:34:49.1234567899999Z", "2023-03-21T22:34:49.123456789Z"),
                ("2023-03-21T22:34:49.1+05:30", "2023-03-21T17:04:49.100Z"),
                ("2023-03-21T22:34:49-0330", "2023-03-22T02:04:49Z"),
                ("2023-03-21T22:34:49-00:00", "2023-03-21T22:34:49Z"),
                ("2023-03-21 22:34:49.46637+00", "2023-03-21T22:34:49.466370Z"),
                ("2023-03-21T22:34:49-00", "2023-03-21T22:34:49Z"),
                ("2023-03-21T22:34:49+05", "2023-03-21T17:34:49Z"),
                ("2023-03-21T22:34:49-23", "2023-03-22T21:34:49Z"),
                ("2024-02-29T00:00:00Z", "2024-02-29T00:00:00Z"),
                ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"),
                ("9999-12-31T23:59:59.999999999Z", "9999-12-31T23:59:59.999999999Z"),
                ("0001-01-01T00:00:00+00:01", "<>"),
                ("9999-12-31T23:59:59-00:01", "<>"),
                ("0000-06-01T00:00:00Z", "<>"),
                ("0000-12-31T23:59:59-00:01", "0001-01-01T00:00:59Z"),
            ],
        );
        for not in [
            "",
            "2023",
            "2023-03-21",
            "2023-03-21T22:34Z",
            "2023-03-21T22:34:4",
            "2023-03-21T22:34:49.Z",
            "2023-3-21T22:34:49Z",
            "2023-02-29T00:00:00Z",
            "2023-13-01T00:00:00Z",
            "2023-00-01T00:00:00Z",
            "2023-01-00T00:00:00Z",
            "2023-01-01T24:00:00Z",
            "2023-01-01T00:60:00Z",
            "2016-12-31T23:59:60Z",
            "2023-01-01T00:00:61Z",
            "2023-01-01T00:00:00+24:00",
            "2023-01-01T00:00:00+00:60",
            "2023-01-01T00:00:00+5",
            "2023-01-01T00:00:00+24",
            "2023-01-01T00:00:00+",
            "2023-01-01T00:00:00+05:",
            "2023-01-01T00:00:00+053",
            "2023-01-01T00:00:00+05:3",
            "2023-01-01T00:00:00ZZ",
            "2023-01-01T00:00:00 Z",
            " 2023-01-01T00:00:00Z",
            "2023-01-01T00:00:00Z ",
            "20230101T000000Z",
            "2023-01-01_00:00:00Z",
            "+2023-01-01T00:00:00Z",
            "10000-01-01T00:00:00Z",
            "1683648435",
            "２023-01-01T00:00:00Z",
        ] {
            table(Reading::Iso8601, &[(not, "!")]);
        }
    }

    #[test]
    fn rfc3339_as_protobuf_writes_it() {
        for (text, seconds, nanos) in [
            ("1970-01-01T00:00:00Z", 0, 0),
            ("2023-05-09T16:07:15.250+02:30", 1_683_639_435, 250_000_000),
            ("2024-02-29T23:59:59.000000001Z", 1_709_251_199, 1),
            ("0001-01-01T00:00:00Z", -62_135_596_800, 0),
            ("9999-12-31T23:59:59-00:00", 253_402_300_799, 0),
        ] {
            let read = read_rfc3339(text).map(|time| (time.seconds(), time.nanos()));
            assert_eq!(read, Some((seconds, nanos)), "{text}");
        }
        for text in [
            "",
            "2023-05-09",
            "2023-05-09T16:07:15",
            "2023-05-09t16:07:15Z",
            "2023-05-09T16:07:15z",
            "2023-02-29T00:00:00Z",
            "2023-13-01T00:00:00Z",
            "2023-05-09T24:00:00Z",
            "2023-05-09T16:07:60Z",
            "2023-05-09T16:07:15.Z",
            "2023-05-09T16:07:15.1234567890Z",
            "2023-05-09T16:07:15+0230",
            "0001-01-01T00:00:00+01:00",
            "9999-12-31T23:59:59-01:00",
            "2023-05-09 16:07:15Z",
            "2023-05-09T16:07:15Z ",
            "0000-01-01T00:00:00Z",
        ] {
            assert_eq!(read_rfc3339(text), None, "{text}");
        }
        let chronos =
            |text: &str| chrono::DateTime::parse_from_rfc3339(text).ok().map(|time| time.timestamp_micros());
        let fractions = ["", ".5", ".123456789", ".999999", ".0000001"];
        for year in [1, 4, 100, 400, 1600, 1900, 1969, 1970, 1999, 2000, 2100, 9999] {
            for (month, day) in [(1, 1), (2, 28), (2, 29), (3, 1), (12, 31)] {
                for fraction in fractions {
                    let text = format!("{year:04}-{month:02}-{day:02}T01:02:03{fraction}Z");
                    assert_eq!(read_rfc3339(&text).map(Instant::micros), chronos(&text), "{text}");
                }
            }
        }
    }
}

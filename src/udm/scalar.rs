//! The value of a field, read by protobuf's JSON rules: what it means, however it is spelled.

use super::index::{Below, Entry, index};
use super::schema::Type;
use crate::check::validate::Code;
use crate::json::{Kind, Value};
use crate::text::shown;
use base64::Engine as _;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use std::borrow::Cow;

/// What a value means.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Scalar<'t> {
    Text(Cow<'t, str>),
    Bytes(Vec<u8>),
    Bool(bool),
    Integer(i128),
    Float(f64),
    Enum(i32),
    /// Seconds since 1970 and nanoseconds.
    Time(i64, u32),
    /// Nanoseconds.
    Duration(i128),
}

/// Why a value is none of its field's.
#[derive(Debug)]
pub(crate) struct Wrong {
    pub(crate) code: Code,
    pub(crate) message: String,
}

fn wrong<T>(code: Code, message: String) -> Result<T, Wrong> {
    Err(Wrong { code, message })
}

/// Reads a value of a field that holds no message.
pub(crate) fn read<'t>(value: Value<'t>, entry: &Entry) -> Result<Scalar<'t>, Wrong> {
    let of_type =
        |wanted: &str| wrong(Code::WrongType, format!("{} where UDM has {wanted}", value.kind().name()));
    match (entry.field.kind, value.kind()) {
        (Type::String, Kind::Text) => Ok(Scalar::Text(value.text())),
        (Type::String, _) => of_type("a text"),
        (Type::Bool, Kind::Bool) => Ok(Scalar::Bool(value.raw() == "true")),
        (Type::Bool, _) => of_type("true or false"),
        (Type::Bytes, Kind::Text) => bytes(&value.text()).map(Scalar::Bytes),
        (Type::Bytes, _) => of_type("bytes, written as a text in base64"),
        (Type::Integer { min, max, .. }, Kind::Number | Kind::Text) => integer(value, min, max),
        (Type::Integer { .. }, _) => of_type("a whole number"),
        (Type::Float { single }, Kind::Number | Kind::Text) => float(value, single),
        (Type::Float { .. }, _) => of_type("a number"),
        (Type::Enum(_), Kind::Number | Kind::Text) => enumeration(value, entry),
        (Type::Enum(name), _) => of_type(&format!("a value of the enum {name}")),
        (Type::Timestamp, Kind::Text) => {
            let text = value.text();
            match time(&text) {
                Some((seconds, nanos)) => Ok(Scalar::Time(seconds, nanos)),
                None => wrong(
                    Code::InvalidTimestamp,
                    format!("`{}` is no RFC 3339 time of the years 1 to 9999", shown(&text)),
                ),
            }
        }
        (Type::Timestamp, _) => of_type("a time, written as a text"),
        (Type::Foreign(_), Kind::Text) => {
            let text = value.text();
            match duration(&text) {
                Some(nanos) => Ok(Scalar::Duration(nanos)),
                None => {
                    wrong(Code::InvalidDuration, format!("`{}` is no duration such as `1.5s`", shown(&text)))
                }
            }
        }
        (Type::Foreign(_), _) => of_type("a duration, written as a text"),
        // Messages are not read here.
        (Type::Message(_), _) => of_type("an object"),
    }
}

/// A whole number, perhaps with an empty fraction or an exponent, perhaps in quotes.
fn integer<'t>(value: Value<'t>, min: i128, max: i128) -> Result<Scalar<'t>, Wrong> {
    let text = value.text();
    let quoted = value.kind() == Kind::Text;
    let digits = text.strip_prefix('-').unwrap_or(&text);
    let plain = !digits.is_empty() && digits.len() <= 39 && digits.bytes().all(|b| b.is_ascii_digit());
    let number = if plain {
        text.parse().ok()
    } else if quoted {
        None
    } else {
        // `1.0` and `1e3` are whole numbers; beyond 2^53 they are not exact, and protobuf takes them all the same.
        let float = text.parse::<f64>().ok().filter(|f| f.fract() == 0.0 && f.abs() < 1e30);
        float.map(|f| f as i128)
    };
    match number {
        Some(n) if (min..=max).contains(&n) => Ok(Scalar::Integer(n)),
        Some(_) => wrong(Code::OutOfRange, format!("{} is not between {min} and {max}", shown(&text))),
        None => wrong(Code::WrongType, format!("`{}` where UDM has a whole number", shown(&text))),
    }
}

fn float<'t>(value: Value<'t>, single: bool) -> Result<Scalar<'t>, Wrong> {
    let text = value.text();
    let quoted = value.kind() == Kind::Text;
    if quoted && matches!(text.as_ref(), "NaN" | "Infinity" | "-Infinity") {
        return Ok(Scalar::Float(text.parse().unwrap_or(f64::NAN)));
    }
    let plausible = !quoted || text.bytes().all(|b| b.is_ascii_digit() || b"+-.eE".contains(&b));
    let Some(number) = text.parse::<f64>().ok().filter(|_| plausible) else {
        return wrong(Code::WrongType, format!("`{}` where UDM has a number", shown(&text)));
    };
    if !number.is_finite() || (single && number.abs() > f64::from(f32::MAX)) {
        return wrong(Code::OutOfRange, format!("{} is too large for the field", shown(&text)));
    }
    Ok(Scalar::Float(if single { f64::from(number as f32) } else { number }))
}

/// An enum's value by name, by number, or by number in quotes.
fn enumeration<'t>(value: Value<'t>, entry: &Entry) -> Result<Scalar<'t>, Wrong> {
    let Below::Enum(id) = entry.below else { return wrong(Code::WrongType, "no value fits".into()) };
    let values = index().values(id);
    let text = value.text();
    if let (Kind::Text, Some(number)) = (value.kind(), values.number(&text)) {
        return Ok(Scalar::Enum(number));
    }
    match text.parse::<i32>() {
        Ok(number) if values.name(number).is_some() => Ok(Scalar::Enum(number)),
        Ok(number) => wrong(Code::UnknownEnumNumber, format!("{} has no value {number}", values.of.name)),
        Err(_) if value.kind() == Kind::Number => {
            wrong(Code::WrongType, format!("{} is no value of the enum {}", shown(&text), values.of.name))
        }
        Err(_) => {
            let near = super::nearest(&text, values.of.values.iter().map(|(name, _)| *name));
            let near = near.map_or(String::new(), |near| format!("; the nearest is `{near}`"));
            wrong(Code::UnknownEnum, format!("{} has no value `{}`{near}", values.of.name, shown(&text)))
        }
    }
}

/// Base64, in the usual or the URL's alphabet, with its padding or without.
fn bytes(text: &str) -> Result<Vec<u8>, Wrong> {
    const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    let alphabet =
        if text.contains(['-', '_']) { base64::alphabet::URL_SAFE } else { base64::alphabet::STANDARD };
    let decoded = GeneralPurpose::new(&alphabet, LENIENT).decode(text);
    decoded.or_else(|error| wrong(Code::InvalidBase64, format!("`{}` is no base64: {error}", shown(text))))
}

/// An RFC 3339 time as protobuf writes it: `T` and `Z` in capitals, at most nine digits of a fraction.
pub(crate) fn time(text: &str) -> Option<(i64, u32)> {
    let bytes = text.as_bytes();
    let number = |from: usize, to: usize| -> Option<i64> {
        let digits = bytes.get(from..to)?;
        digits
            .iter()
            .all(u8::is_ascii_digit)
            .then(|| digits.iter().fold(0, |n, d| n * 10 + i64::from(d - b'0')))
    };
    let is = |at: usize, byte: u8| bytes.get(at) == Some(&byte);
    if !(is(4, b'-') && is(7, b'-') && is(10, b'T') && is(13, b':') && is(16, b':')) {
        return None;
    }
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        1..=12 => 31,
        _ => return None,
    };
    if !(1..=days).contains(&day) || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let mut rest = &bytes[19..];
    let mut nanos = 0;
    if let Some(fraction) = rest.strip_prefix(b".") {
        let digits = fraction.iter().take_while(|b| b.is_ascii_digit()).count();
        if digits == 0 || digits > 9 {
            return None;
        }
        nanos = (0..9).fold(0, |n, i| n * 10 + if i < digits { u32::from(fraction[i] - b'0') } else { 0 });
        rest = &fraction[digits..];
    }
    let offset = match rest {
        b"Z" => 0,
        [sign @ (b'+' | b'-'), a, b, b':', c, d] if [a, b, c, d].iter().all(|d| d.is_ascii_digit()) => {
            let two = |x: u8, y: u8| i64::from(x - b'0') * 10 + i64::from(y - b'0');
            let (hours, minutes) = (two(*a, *b), two(*c, *d));
            if hours > 23 || minutes > 59 {
                return None;
            }
            (hours * 60 + minutes) * if *sign == b'-' { -60 } else { 60 }
        }
        _ => return None,
    };
    // Days since 1970 of the Gregorian calendar, by years that begin in March.
    let (y, m) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days =
        y * 365 + y.div_euclid(4) - y.div_euclid(100) + y.div_euclid(400) + (m * 153 + 2) / 5 + day - 719_469;
    let seconds = days * 86_400 + hour * 3600 + minute * 60 + second - offset;
    // 0001-01-01 to 9999-12-31.
    (-62_135_596_800..=253_402_300_799).contains(&seconds).then_some((seconds, nanos))
}

/// A duration as protobuf writes it, in nanoseconds.
fn duration(text: &str) -> Option<i128> {
    let (negative, text) = match text.strip_prefix('-') {
        Some(text) => (true, text),
        None => (false, text),
    };
    let text = text.strip_suffix('s')?;
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |text: &str, most: usize| {
        (1..=most).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit())
    };
    if !digits(whole, 12) || !digits(fraction, 9) {
        return None;
    }
    let seconds: i128 = whole.parse().ok()?;
    let nanos = seconds * 1_000_000_000 + format!("{fraction:0<9}").parse::<i128>().ok()?;
    (seconds <= 315_576_000_000).then_some(if negative { -nanos } else { nanos })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times() {
        for (text, seconds, nanos) in [
            ("1970-01-01T00:00:00Z", 0, 0),
            ("2023-05-09T16:07:15.250+02:30", 1_683_639_435, 250_000_000),
            ("2024-02-29T23:59:59.000000001Z", 1_709_251_199, 1),
            ("0001-01-01T00:00:00Z", -62_135_596_800, 0),
            ("9999-12-31T23:59:59-00:00", 253_402_300_799, 0),
        ] {
            assert_eq!(time(text), Some((seconds, nanos)), "{text}");
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
            assert_eq!(time(text), None, "{text}");
        }
        let days = |text: &str| time(text).map(|(seconds, _)| seconds);
        let chronos = |text: &str| chrono::DateTime::parse_from_rfc3339(text).ok().map(|t| t.timestamp());
        for year in [1, 4, 100, 400, 1600, 1900, 1999, 2000, 2100, 9999] {
            for (month, day) in [(1, 1), (2, 28), (2, 29), (3, 1), (12, 31)] {
                let text = format!("{year:04}-{month:02}-{day:02}T01:02:03Z");
                assert_eq!(days(&text), chronos(&text), "{text}");
            }
        }
    }

    #[test]
    fn durations() {
        assert_eq!(duration("1.5s"), Some(1_500_000_000));
        assert_eq!(duration("-0.000000001s"), Some(-1));
        for text in ["", "s", "1", "1.s", ".5s", "1.0000000000s", "+1s", "315576000001s", "--1s", "1 s"] {
            assert_eq!(duration(text), None, "{text}");
        }
    }
}

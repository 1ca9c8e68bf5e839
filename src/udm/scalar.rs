//! The value of a field, read by protobuf's JSON rules: what it means, however it is spelled.

use super::index::{Below, Entry, index};
use super::schema::Type;
use crate::json::{Kind, Value};
use crate::text::shown;
use crate::time::read_rfc3339;
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

/// Why a value does not fit its field.
#[derive(Debug)]
pub(crate) struct ScalarError {
    pub(crate) kind: ScalarErrorKind,
    /// What was found, in a sentence without a full stop.
    pub(crate) message: String,
}

/// What is wrong with a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ScalarErrorKind {
    WrongType,
    OutOfRange,
    UnknownEnum,
    UnknownEnumNumber,
    InvalidTimestamp,
    InvalidDuration,
    InvalidBase64,
}

fn error<T>(kind: ScalarErrorKind, message: String) -> Result<T, ScalarError> {
    Err(ScalarError { kind, message })
}

/// Reads a value of a field that holds no message.
pub(crate) fn read<'t>(value: Value<'t>, entry: &Entry) -> Result<Scalar<'t>, ScalarError> {
    read_text(value.kind(), value.text(), entry)
}

/// Reads a value of this kind; a text without quotes and escapes, anything else as it is written.
pub(crate) fn read_text<'t>(
    kind: Kind,
    text: Cow<'t, str>,
    entry: &Entry,
) -> Result<Scalar<'t>, ScalarError> {
    let of_type =
        |wanted: &str| error(ScalarErrorKind::WrongType, format!("{} where UDM has {wanted}", kind.name()));
    match (entry.field.kind, kind) {
        (Type::String, Kind::Text) => Ok(Scalar::Text(text)),
        (Type::String, _) => of_type("a text"),
        (Type::Bool, Kind::Bool) => Ok(Scalar::Bool(text == "true")),
        (Type::Bool, _) => of_type("true or false"),
        (Type::Bytes, Kind::Text) => bytes(&text).map(Scalar::Bytes),
        (Type::Bytes, _) => of_type("bytes, written as a text in base64"),
        (Type::Integer { min, max, .. }, Kind::Number | Kind::Text) => integer(kind, &text, min, max),
        (Type::Integer { .. }, _) => of_type("a whole number"),
        (Type::Float { single }, Kind::Number | Kind::Text) => float(kind, &text, single),
        (Type::Float { .. }, _) => of_type("a number"),
        (Type::Enum(_), Kind::Number | Kind::Text) => enumeration(kind, &text, entry),
        (Type::Enum(name), _) => of_type(&format!("a value of the enum {name}")),
        (Type::Timestamp, Kind::Text) => match read_rfc3339(&text) {
            Some(time) => Ok(Scalar::Time(time.seconds(), time.nanos())),
            None => error(
                ScalarErrorKind::InvalidTimestamp,
                format!("`{}` is not an RFC 3339 time of the years 1 to 9999", shown(&text)),
            ),
        },
        (Type::Timestamp, _) => of_type("a time, written as a text"),
        (Type::Foreign(_), Kind::Text) => match duration(&text) {
            Some(nanos) => Ok(Scalar::Duration(nanos)),
            None => error(
                ScalarErrorKind::InvalidDuration,
                format!("`{}` is not a duration such as `1.5s`", shown(&text)),
            ),
        },
        (Type::Foreign(_), _) => of_type("a duration, written as a text"),
        // Messages are not read here.
        (Type::Message(_), _) => of_type("an object"),
    }
}

/// A whole number, perhaps with an empty fraction or an exponent, perhaps in quotes.
fn integer<'t>(kind: Kind, text: &str, min: i128, max: i128) -> Result<Scalar<'t>, ScalarError> {
    let quoted = kind == Kind::Text;
    let digits = text.strip_prefix('-').unwrap_or(text);
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
        Some(_) => {
            error(ScalarErrorKind::OutOfRange, format!("{} is not between {min} and {max}", shown(text)))
        }
        None => error(ScalarErrorKind::WrongType, format!("`{}` where UDM has a whole number", shown(text))),
    }
}

fn float<'t>(kind: Kind, text: &str, single: bool) -> Result<Scalar<'t>, ScalarError> {
    let quoted = kind == Kind::Text;
    if quoted && matches!(text, "NaN" | "Infinity" | "-Infinity") {
        return Ok(Scalar::Float(text.parse().unwrap_or(f64::NAN)));
    }
    let plausible = !quoted || text.bytes().all(|b| b.is_ascii_digit() || b"+-.eE".contains(&b));
    let Some(number) = text.parse::<f64>().ok().filter(|_| plausible) else {
        return error(ScalarErrorKind::WrongType, format!("`{}` where UDM has a number", shown(text)));
    };
    if !number.is_finite() || (single && number.abs() > f64::from(f32::MAX)) {
        return error(ScalarErrorKind::OutOfRange, format!("{} is too large for the field", shown(text)));
    }
    Ok(Scalar::Float(if single { f64::from(number as f32) } else { number }))
}

/// An enum's value by name, by number, or by number in quotes.
fn enumeration<'t>(kind: Kind, text: &str, entry: &Entry) -> Result<Scalar<'t>, ScalarError> {
    let Below::Enum(id) = entry.below else {
        return error(ScalarErrorKind::WrongType, "no value fits".into());
    };
    let values = index().values(id);
    if let (Kind::Text, Some(number)) = (kind, values.number(text)) {
        return Ok(Scalar::Enum(number));
    }
    match text.parse::<i32>() {
        Ok(number) if values.name(number).is_some() => Ok(Scalar::Enum(number)),
        Ok(number) => {
            error(ScalarErrorKind::UnknownEnumNumber, format!("{} has no value {number}", values.of.name))
        }
        Err(_) if kind == Kind::Number => error(
            ScalarErrorKind::WrongType,
            format!("{} is not a value of the enum {}", shown(text), values.of.name),
        ),
        Err(_) => {
            let near = super::nearest(text, values.of.values.iter().map(|(name, _)| *name));
            let near = near.map_or(String::new(), |near| format!("; the nearest is `{near}`"));
            error(
                ScalarErrorKind::UnknownEnum,
                format!("{} has no value `{}`{near}", values.of.name, shown(text)),
            )
        }
    }
}

/// Base64, in the usual or the URL's alphabet, with its padding or without.
fn bytes(text: &str) -> Result<Vec<u8>, ScalarError> {
    const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    let alphabet =
        if text.contains(['-', '_']) { base64::alphabet::URL_SAFE } else { base64::alphabet::STANDARD };
    let decoded = GeneralPurpose::new(&alphabet, LENIENT).decode(text);
    decoded.or_else(|cause| {
        error(ScalarErrorKind::InvalidBase64, format!("`{}` is not base64: {cause}", shown(text)))
    })
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
    fn durations() {
        assert_eq!(duration("1.5s"), Some(1_500_000_000));
        assert_eq!(duration("-0.000000001s"), Some(-1));
        for text in ["", "s", "1", "1.s", ".5s", "1.0000000000s", "+1s", "315576000001s", "--1s", "1 s"] {
            assert_eq!(duration(text), None, "{text}");
        }
    }
}

//! Single values of UDM's fields.

use super::error::OutputError;
use crate::cbn::state::State;
use crate::cbn::template::kind;
use crate::cbn::value::Value;
use crate::text::shown;
use crate::udm::Type;
use crate::udm::index::{Below, Entry, index};
use std::borrow::Cow;
use std::io::Write as _;

/// Writes a value; whether it was the default of its type, with nothing written if `keeps_default` is not set.
pub(super) fn write(
    state: &State,
    entry: &Entry,
    value: Value,
    keeps_default: bool,
    out: &mut Vec<u8>,
) -> Result<bool, OutputError> {
    let start = out.len();
    let is_default = match entry.field.kind {
        Type::String | Type::Bytes => text(state, value, out)?,
        Type::Bool => boolean(state, value, out)?,
        Type::Integer { min, max, quoted } => integer(state, value, (min, max, quoted), out)?,
        Type::Float { .. } => float(state, value, out)?,
        Type::Enum(_) => enumeration(state, value, entry, out)?,
        Type::Timestamp => time(state, value, out)?,
        Type::Foreign("google.protobuf.Duration") => duration(state, value, out)?,
        Type::Message(name) | Type::Foreign(name) => {
            return Err(OutputError::new(format!("values of {name} can't be set by a parser")));
        }
    };
    if is_default && !keeps_default {
        out.truncate(start);
    }
    Ok(is_default)
}

fn wrong(state: &State, value: Value, expected: &str) -> OutputError {
    let found: Cow<'_, str> = match value {
        Value::Text(text) => format!("`{}`", shown(state.text(text))).into(),
        value => kind(state, value).into(),
    };
    OutputError::new(format!("expected {expected}, found {found}"))
}

/// A text as JSON.
pub(super) fn quoted(text: &str, out: &mut Vec<u8>) {
    if crate::json::is_plain(text) {
        out.push(b'"');
        out.extend_from_slice(text.as_bytes());
        out.push(b'"');
    } else {
        // Writing to memory can't fail.
        let _ = serde_json::to_writer(&mut *out, text);
    }
}

fn text(state: &State, value: Value, out: &mut Vec<u8>) -> Result<bool, OutputError> {
    let Value::Text(text) = value else {
        let hint = match value {
            Value::Number(_)
            | Value::Integer(_)
            | Value::Unsigned(_)
            | Value::Counter(_)
            | Value::Bool(_) => "a text (convert it to a string first)",
            _ => "a text",
        };
        return Err(wrong(state, value, hint));
    };
    quoted(state.text(text), out);
    Ok(text.is_empty())
}

pub(super) fn boolean(state: &State, value: Value, out: &mut Vec<u8>) -> Result<bool, OutputError> {
    let found = match value {
        Value::Bool(found) => found,
        Value::Text(text) => match state.text(text) {
            "true" => true,
            "false" | "" => false,
            _ => return Err(wrong(state, value, "true or false")),
        },
        value => return Err(wrong(state, value, "true or false")),
    };
    out.extend_from_slice(if found { b"true" } else { b"false" });
    Ok(!found)
}

fn integer(
    state: &State,
    value: Value,
    (min, max, is_quoted): (i128, i128, bool),
    out: &mut Vec<u8>,
) -> Result<bool, OutputError> {
    let number = match value {
        Value::Text(text) => match state.text(text) {
            "" => Some(0),
            text => {
                let digits = text.strip_prefix('-').unwrap_or(text);
                let plain =
                    !digits.is_empty() && digits.len() < 30 && digits.bytes().all(|b| b.is_ascii_digit());
                plain.then(|| text.parse().ok()).flatten()
            }
        },
        Value::Integer(number) => Some(number.into()),
        Value::Unsigned(number) => Some(number.into()),
        value => {
            let number = value.number().filter(|number| number.fract() == 0.0 && number.abs() < 1e30);
            number.map(|number| number as i128)
        }
    };
    let number = number.ok_or_else(|| wrong(state, value, "a whole number"))?;
    if !(min..=max).contains(&number) {
        return Err(OutputError::new(format!("{number} is not between {min} and {max}")));
    }
    // Writing to memory can't fail.
    let _ = if is_quoted { write!(out, "\"{number}\"") } else { write!(out, "{number}") };
    Ok(number == 0)
}

pub(super) fn float(state: &State, value: Value, out: &mut Vec<u8>) -> Result<bool, OutputError> {
    let number = match value {
        Value::Text(text) => match state.text(text) {
            "" => Some(0.0),
            text => {
                text.parse::<f64>().ok().filter(|_| text.bytes().all(|b| b"+-.eE0123456789".contains(&b)))
            }
        },
        value => value.number(),
    };
    let number = number.filter(|number| number.is_finite());
    let number = number.ok_or_else(|| wrong(state, value, "a number"))?;
    let _ = write!(out, "{number}");
    Ok(number == 0.0)
}

fn enumeration(state: &State, value: Value, entry: &Entry, out: &mut Vec<u8>) -> Result<bool, OutputError> {
    let Below::Enum(id) = entry.below else { return Err(OutputError::new("no value fits")) };
    let values = index().values(id);
    let number = match value {
        Value::Text(text) => match state.text(text) {
            "" => Some(0),
            name => values.number(name).or_else(|| name.parse().ok().filter(|n| values.name(*n).is_some())),
        },
        value => {
            let number = value.number().filter(|number| number.fract() == 0.0);
            number.map(|number| number as i32).filter(|number| values.name(*number).is_some())
        }
    };
    let Some(number) = number else {
        let mut error = wrong(state, value, &format!("a value of the enum {}", values.of.name));
        if let Value::Text(text) = value
            && let Some(near) =
                crate::udm::nearest(state.text(text), values.of.values.iter().map(|(name, _)| *name))
        {
            error.add(&format!("; the nearest is `{near}`"));
        }
        return Err(error);
    };
    match values.name(number) {
        Some(name) => quoted(name, out),
        None => {
            let _ = write!(out, "{number}");
        }
    }
    Ok(number == 0)
}

/// The seconds and nanoseconds of an object.
fn seconds_and_nanos(state: &State, value: Value) -> Option<(i64, i64)> {
    let Value::Container(id) = value else { return None };
    let part = |name: &str| {
        let value = state.named(id, name);
        match value {
            Value::Unset => Some(0),
            Value::Text(text) if text.is_empty() => Some(0),
            Value::Text(text) => state.text(text).parse().ok(),
            Value::Integer(number) => Some(number),
            Value::Unsigned(number) => i64::try_from(number).ok(),
            value => value.number().filter(|n| n.fract() == 0.0 && n.abs() < 1e15).map(|n| n as i64),
        }
    };
    let known = |name: &str| matches!(name, "seconds" | "nanos");
    let only =
        state.container(id).members().all(|(key, ..)| key.is_some_and(|key| known(state.symbols.name(key))));
    if only { Some((part("seconds")?, part("nanos")?)) } else { None }
}

fn time(state: &State, value: Value, out: &mut Vec<u8>) -> Result<bool, OutputError> {
    let found = match value {
        Value::Time { seconds, nanos } => Some((seconds, i64::from(nanos))),
        Value::Text(text) if text.is_empty() => return Ok(true),
        value => seconds_and_nanos(state, value),
    };
    let (seconds, nanos) = found.ok_or_else(|| wrong(state, value, "a time"))?;
    write_time(seconds, nanos, out).ok_or_else(|| wrong(state, value, "a time of the years 0 to 9999"))?;
    Ok(false)
}

/// Writes a time in RFC 3339; nothing if it is outside of the years 0 to 9999.
pub(super) fn write_time(seconds: i64, nanos: i64, out: &mut Vec<u8>) -> Option<()> {
    let nanos = u32::try_from(nanos).ok()?;
    let time = chrono::DateTime::from_timestamp(seconds, nanos)?;
    let year = chrono::Datelike::year(&time);
    if !(0..=9999).contains(&year) || nanos > 999_999_999 {
        return None;
    }
    let _ = write!(out, "\"{}\"", time.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true));
    Some(())
}

fn duration(state: &State, value: Value, out: &mut Vec<u8>) -> Result<bool, OutputError> {
    if matches!(value, Value::Text(text) if text.is_empty()) {
        return Ok(true);
    }
    let found = seconds_and_nanos(state, value).filter(|(_, nanos)| nanos.abs() < 1_000_000_000);
    let (seconds, nanos) = found.ok_or_else(|| wrong(state, value, "a duration of `seconds` and `nanos`"))?;
    let sign = if seconds < 0 || nanos < 0 { "-" } else { "" };
    let (seconds, nanos) = (seconds.unsigned_abs(), nanos.unsigned_abs());
    let digits = format!("{nanos:09}");
    let digits = match digits.trim_end_matches('0').len() {
        0 => String::new(),
        1..=3 => format!(".{}", &digits[..3]),
        4..=6 => format!(".{}", &digits[..6]),
        _ => format!(".{digits}"),
    };
    let _ = write!(out, "\"{sign}{seconds}{digits}s\"");
    Ok(false)
}

//! `convert`: makes a token something else.

use super::pairs::pairs_of;
use crate::cbn::build::Build;
use crate::cbn::failure::Failure;
use crate::cbn::number;
use crate::cbn::place::Place;
use crate::cbn::plugin::{Action, Tools};
use crate::cbn::position::ReadError;
use crate::cbn::state::State;
use crate::cbn::syntax::Literal;
use crate::cbn::template::kind;
use crate::cbn::user_agent;
use crate::cbn::value::Value;
use crate::cbn::warning::Code;
use crate::text::shown;
use crate::udm::nearest;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::net::IpAddr;

#[derive(Debug)]
struct Convert {
    pairs: Vec<(Place, Option<Kind>)>,
}

/// What a token is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    String,
    Integer,
    Unsigned,
    Float,
    Boolean,
    IpAddress,
    MacAddress,
    Bytes,
    HexToAscii,
    HexToDec,
    Hash,
    BytesToHex,
    BytesToIp,
    MilliToSecs,
    MilliToNanos,
    UserAgent,
}

/// The kinds by name, with what a value of it is, for messages.
const KINDS: [(&str, Kind, &str); 16] = [
    ("string", Kind::String, "a text"),
    ("integer", Kind::Integer, "a whole number"),
    ("uinteger", Kind::Unsigned, "a whole number from 0 on"),
    ("float", Kind::Float, "a number"),
    ("boolean", Kind::Boolean, "`true` or `false`"),
    ("ipaddress", Kind::IpAddress, "an IP address"),
    ("macaddress", Kind::MacAddress, "a MAC address"),
    ("bytes", Kind::Bytes, "bytes"),
    ("hextoascii", Kind::HexToAscii, "text in hexadecimal digits"),
    ("hextodec", Kind::HexToDec, "a hexadecimal number"),
    ("hash", Kind::Hash, "a hash"),
    ("bytestohex", Kind::BytesToHex, "bytes"),
    ("bytestoip", Kind::BytesToIp, "the bytes of an IP address"),
    ("millitosecs", Kind::MilliToSecs, "a number of milliseconds"),
    ("millitonanos", Kind::MilliToNanos, "a number of milliseconds"),
    ("parseduseragent", Kind::UserAgent, "a user agent"),
];

pub(super) fn compile(value: &Literal, build: &mut Build) -> Result<Box<dyn Action>, ReadError> {
    let mut pairs = Vec::new();
    for (token, name) in pairs_of("convert", value)? {
        let kind = KINDS.iter().find(|(known, ..)| *known == name.text).map(|(_, kind, _)| *kind);
        if kind.is_none() {
            let near = nearest(&name.text, KINDS.iter().map(|(known, ..)| *known));
            let near = near.map_or(String::new(), |near| format!("; the nearest is `{near}`"));
            let message = format!("`convert` does not know `{}`, so it fails{near}", shown(&name.text));
            build.warn(name.at, Code::BadValue, message);
        }
        pairs.push((Place::source(&token.text, build), kind));
    }
    Ok(Box::new(Convert { pairs }))
}

impl Action for Convert {
    fn run<'p>(&'p self, state: &mut State, _: &mut Tools) -> Result<(), Failure<'p>> {
        for (place, wanted) in &self.pairs {
            let value = place.get(state, "convert")?;
            if !value.is_set() {
                return Err(Failure::NoSource { source: place.text() });
            }
            let Some(wanted) = *wanted else {
                return Err(Failure::Other("convert failure: unknown type".into()));
            };
            if let Value::Text(text) = value {
                state.spend(text.len as usize);
            }
            state.check()?;
            match convert(state, value, wanted) {
                Ok(value) => place.set(state, "convert", value)?,
                Err(()) => {
                    let name = KINDS.iter().find(|(_, kind, _)| *kind == wanted).map_or("", |row| row.2);
                    let value = match value {
                        Value::Text(text) => format!("`{}`", shown(state.text(text))),
                        value => kind(state, value).to_owned(),
                    };
                    return Err(Failure::Convert { field: place.text(), wanted: name, value: value.into() });
                }
            }
        }
        Ok(())
    }
}

fn convert(state: &mut State, value: Value, wanted: Kind) -> Result<Value, ()> {
    // `convert` of a number reads it as its text reads.
    let text = match value {
        Value::Text(text) => Some(text),
        _ => None,
    };
    let words = text.map(|text| state.text(text));
    let new: Option<String> = match wanted {
        Kind::String => return to_text(state, value),
        Kind::Integer => {
            return to_integer(state, value, i64::MIN, |n| Value::Integer(n as i64), i64::MAX as u64);
        }
        Kind::Unsigned => return to_integer(state, value, 0, |n| Value::Unsigned(n as u64), u64::MAX),
        Kind::Float => {
            let number = match (words, value.number()) {
                (Some(words), _) => float(words),
                (None, number) => number,
            };
            return number.map(Value::Number).ok_or(());
        }
        Kind::Boolean => {
            return match (value, words) {
                (Value::Bool(_), _) => Ok(value),
                (_, Some("true" | "True" | "TRUE" | "t" | "T" | "1")) => Ok(Value::Bool(true)),
                (_, Some("false" | "False" | "FALSE" | "f" | "F" | "0")) => Ok(Value::Bool(false)),
                _ => Err(()),
            };
        }
        Kind::IpAddress => {
            return words.filter(|words| words.parse::<IpAddr>().is_ok()).map(|_| value).ok_or(());
        }
        Kind::MacAddress => return words.filter(|words| is_mac(words)).map(|_| value).ok_or(()),
        // A field of bytes takes the text as it is.
        Kind::Bytes | Kind::Hash => return words.map(|_| value).ok_or(()),
        Kind::UserAgent => {
            let agent = words.ok_or(())?.to_owned();
            return Ok(user_agent::parse(state, &agent));
        }
        Kind::HexToAscii => words.and_then(hex).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()),
        Kind::HexToDec => words
            .map(|words| words.strip_prefix("0x").or(words.strip_prefix("0X")).unwrap_or(words))
            .and_then(|digits| u64::from_str_radix(digits, 16).ok())
            .map(|number| number.to_string()),
        Kind::BytesToHex => words
            .and_then(|words| STANDARD.decode(words).ok())
            .map(|bytes| bytes.iter().map(|byte| format!("{byte:02x}")).collect()),
        Kind::BytesToIp => words.and_then(|words| STANDARD.decode(words).ok()).and_then(|bytes| {
            let four = <[u8; 4]>::try_from(&bytes[..]).map(IpAddr::from);
            four.or_else(|_| <[u8; 16]>::try_from(&bytes[..]).map(IpAddr::from)).ok().map(|ip| ip.to_string())
        }),
        Kind::MilliToSecs | Kind::MilliToNanos => {
            let millis = whole(words, value).ok_or(())?;
            let number = if wanted == Kind::MilliToSecs {
                Some(millis.div_euclid(1000))
            } else {
                Some(millis.rem_euclid(1000) * 1_000_000)
            };
            return number.and_then(|number| i64::try_from(number).ok()).map(Value::Integer).ok_or(());
        }
    };
    new.map(|new| Value::Text(state.keep(&new))).ok_or(())
}

fn to_text(state: &mut State, value: Value) -> Result<Value, ()> {
    match value {
        Value::Text(_) => Ok(value),
        Value::Bool(value) => Ok(Value::Text(state.keep(if value { "true" } else { "false" }))),
        value => number::keep(state, value).map(Value::Text).ok_or(()),
    }
}

fn to_integer(
    state: &State,
    value: Value,
    least: i64,
    made: impl Fn(i128) -> Value,
    most: u64,
) -> Result<Value, ()> {
    let words = match value {
        Value::Text(text) => Some(state.text(text)),
        _ => None,
    };
    let number = whole(words, value).ok_or(())?;
    if (i128::from(least)..=i128::from(most)).contains(&number) { Ok(made(number)) } else { Err(()) }
}

/// A whole number: a text of digits, or a number without its fraction.
fn whole(words: Option<&str>, value: Value) -> Option<i128> {
    match (words, value) {
        (Some(words), _) => {
            let digits = words.strip_prefix(['-', '+']).unwrap_or(words);
            let all = !digits.is_empty() && digits.len() < 30 && digits.bytes().all(|b| b.is_ascii_digit());
            all.then(|| words.parse().ok()).flatten()
        }
        (None, Value::Integer(number)) => Some(number.into()),
        (None, Value::Unsigned(number)) => Some(number.into()),
        (None, value) => value.number().filter(|number| number.abs() < 1e30).map(|number| number as i128),
    }
}

fn float(words: &str) -> Option<f64> {
    let plain = !words.is_empty() && words.bytes().all(|b| b.is_ascii_digit() || b"+-.eE".contains(&b));
    plain.then(|| words.parse().ok()).flatten().filter(|number: &f64| number.is_finite())
}

fn hex(words: &str) -> Option<Vec<u8>> {
    let digits = words.strip_prefix("0x").unwrap_or(words).as_bytes();
    if digits.is_empty() || !digits.len().is_multiple_of(2) || !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    let nibble = |digit: u8| char::from(digit).to_digit(16).unwrap_or_default() as u8;
    Some(digits.chunks_exact(2).map(|pair| nibble(pair[0]) << 4 | nibble(pair[1])).collect())
}

fn is_mac(words: &str) -> bool {
    let parts: Vec<&str> = words.split([':', '-']).collect();
    parts.len() == 6
        && parts.iter().all(|part| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

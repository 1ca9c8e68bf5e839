//! CEF, ArcSight's Common Event Format: `CEF:0|vendor|product|version|class|name|severity|key=value ...`.

use super::format::Cef;
use super::pairs::Pairs;
use crate::record::{Fault, Reason};
use crate::text::shown;
use crate::time::{self, Instant, Reading};
use std::borrow::Cow;
use std::collections::HashMap;

/// Where `CEF:<digits>|` begins.
pub(super) fn starts(unit: &[u8]) -> Vec<usize> {
    let is_start = |at: &usize| {
        let rest = &unit[at + 4..];
        let digits = rest.iter().take_while(|b| b.is_ascii_digit()).count();
        digits > 0 && rest.get(digits) == Some(&b'|')
    };
    memchr::memmem::find_iter(unit, b"CEF:").filter(is_start).collect()
}

/// The parts of a CEF line's header, from `CEF:0` on.
pub(super) fn header(line: &str) -> Vec<Cow<'_, str>> {
    let mut start = 0;
    let parts = unescaped(line.as_bytes(), b'|').take(7).map(|end| {
        let part = unescape(&line[start..end]);
        start = end + 1;
        part
    });
    parts.collect()
}

/// The fields of a CEF line's extension, under the names that `cef` gives them, and those of them
/// that are not the times that they should be.
pub(super) fn pairs<'a>(line: &'a str, cef: &Cef) -> Result<(Pairs<'a>, Vec<(usize, Fault)>), Fault> {
    let bytes = line.as_bytes();
    let mut pipes = unescaped(bytes, b'|');
    let Some(end) = pipes.nth(6) else {
        let why = "a CEF header has seven parts, each ended by `|`, before the extension";
        return Err(Fault::new(Reason::InvalidJson, format!("neither JSON nor CEF: {why}")));
    };
    let extension = &line[end + 1..];
    // A key is a word before an unescaped `=`, at the start or after a space; its value runs to
    // the space before the next key.
    let bytes = extension.as_bytes();
    let mut keys: Vec<(usize, usize)> = Vec::new();
    for equals in unescaped(bytes, b'=') {
        let word =
            bytes[..equals].iter().rev().take_while(|b| b.is_ascii_alphanumeric() || b"_.-".contains(b));
        let start = equals - word.count();
        if start < equals && (start == 0 || bytes[start - 1] == b' ') {
            keys.push((start, equals));
        }
    }
    let ends = keys.iter().skip(1).map(|(start, _)| *start).chain([extension.len() + 1]);
    let values: Vec<(&str, &str)> = keys
        .iter()
        .zip(ends)
        .map(|((start, equals), end)| {
            let value = &extension[*equals + 1..(end - 1).max(*equals + 1)];
            (&extension[*start..*equals], value.trim_end_matches(' '))
        })
        .collect();
    // Of two equal keys the last counts.
    let by_key: HashMap<&str, &str> = values.iter().copied().collect();
    let labels = values.iter().filter_map(|(key, _)| key.strip_suffix("Label"));
    let labels: HashMap<&str, &str> =
        labels.filter_map(|key| Some((key, *by_key.get(format!("{key}Label").as_str())?))).collect();
    let label = |key: &str| labels.get(key).copied();
    let is_label = |key: &str| key.strip_suffix("Label").is_some_and(|key| by_key.contains_key(key));
    let mut pairs = Pairs::new();
    let mut wrong = Vec::new();
    for (key, value) in &values {
        if is_label(key) {
            continue;
        }
        let name = label(key).unwrap_or(key);
        let mut value = unescape(value);
        if cef.absent.iter().any(|a| *a == value) {
            value = Cow::Borrowed("");
        } else if let Some((_, earliest)) = cef.milliseconds.iter().find(|(m, _)| m == name)
            && !value.is_empty()
        {
            match seconds(name, &value, *earliest) {
                Ok(seconds) => value = Cow::Owned(seconds),
                Err(fault) => wrong.push((pairs.len(), fault)),
            }
        }
        let name = match cef.rename.iter().find(|(from, _)| from == name) {
            Some((_, to)) => Cow::Owned(to.clone()),
            None => unescape(name),
        };
        pairs.push((name, value));
    }
    Ok((pairs, wrong))
}

/// Where `mark` is without an odd number of backslashes before it.
fn unescaped(bytes: &[u8], mark: u8) -> impl Iterator<Item = usize> {
    let mut escaped = false;
    bytes.iter().enumerate().filter_map(move |(i, b)| {
        let hit = *b == mark && !escaped;
        escaped = *b == b'\\' && !escaped;
        hit.then_some(i)
    })
}

fn unescape(value: &str) -> Cow<'_, str> {
    if !value.contains('\\') {
        return Cow::Borrowed(value);
    }
    let mut text = String::with_capacity(value.len());
    let mut chars = value.chars();
    while let Some(c) = chars.next() {
        match (c, chars.clone().next()) {
            ('\\', Some(next @ ('\\' | '=' | '|' | 'n' | 'r'))) => {
                chars.next();
                text.push(match next {
                    'n' => '\n',
                    'r' => '\r',
                    other => other,
                });
            }
            _ => text.push(c),
        }
    }
    Cow::Owned(text)
}

/// The milliseconds of the field `name` as seconds.
fn seconds(name: &str, text: &str, earliest: Option<Instant>) -> Result<String, Fault> {
    let wrong =
        |why: String| Fault::new(Reason::BadTimestamp, format!("`{}`: `{}` {why}", shown(name), shown(text)));
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", text),
    };
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(wrong("is not a whole number of milliseconds since 1970-01-01T00:00:00Z".into()));
    }
    // The point moves three digits to the left.
    let padded = format!("{:0>4}", digits.trim_start_matches('0'));
    let (whole, milliseconds) = padded.split_at(padded.len() - 3);
    let seconds = format!("{sign}{whole}.{milliseconds}");
    let Some(earliest) = earliest else { return Ok(seconds) };
    let is_before = match time::read(&seconds, Reading::EpochSeconds) {
        Ok(instant) => instant < earliest,
        // What is too late for a time is said where times are read.
        Err(_) => sign == "-",
    };
    if is_before {
        let earliest = earliest.to_rfc3339();
        return Err(wrong(format!("as milliseconds is before {earliest}; it looks like seconds")));
    }
    Ok(seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn milliseconds() {
        let read = |text| seconds("rt", text, None).ok();
        for (given, expected) in [("1", "0.001"), ("1234", "1.234"), ("-5", "-0.005"), ("0001234", "1.234")] {
            assert_eq!(read(given).as_deref(), Some(expected));
        }
        for text in ["-", "1.5", "1e3", "soon", "+1", " 1"] {
            assert_eq!(read(text), None, "{text}");
        }
        let earliest = time::read("631152000", Reading::EpochSeconds).ok();
        for (given, is_right) in [
            ("631152000000", true),
            ("631151999999", false),
            ("1683648435", false),
            ("0", false),
            ("-5", false),
        ] {
            let read = seconds("rt", given, earliest);
            assert_eq!(read.is_ok(), is_right, "{given}");
            assert!(is_right || read.is_err_and(|fault| fault.message.ends_with("it looks like seconds")));
        }
    }
}

//! What a rule does to the text that it reads: `capture`, then `split`, then `read`.

use super::condition;
use super::document::{TomlTable, list};
use crate::text::shown;
use regex::Regex;
use serde_json::{Value, json};
use std::borrow::Cow;
use std::fmt;

/// A step from a text to others: none, one, or several.
#[derive(Debug, Clone)]
pub enum Transform {
    /// What the group of a regular expression holds.
    Capture(Regex),
    /// The parts between separators, or the one with a number.
    Split {
        /// The separator.
        by: String,
        /// The number of the only part that is taken, from 0.
        element: Option<usize>,
    },
    /// In small letters.
    Lower,
    /// In capital letters.
    Upper,
    /// Without white space at its ends.
    Trim,
    /// A phone number without blanks and `.()-`; nothing of any other text.
    Phone,
    /// The value of a distinguished name's first part: `jdoe` of `CN=jdoe,OU=people`.
    FirstRdn,
}

/// Those that `read` names.
const NAMED: [(&str, Transform); 5] = [
    ("lower", Transform::Lower),
    ("upper", Transform::Upper),
    ("trim", Transform::Trim),
    ("phone", Transform::Phone),
    ("first-rdn", Transform::FirstRdn),
];

impl Transform {
    /// Whether it may give several texts.
    pub(super) fn is_many(&self) -> bool {
        matches!(self, Transform::Split { element: None, .. })
    }

    /// Hands what it makes of `text` to `each`.
    fn apply<'t>(&self, text: Cow<'t, str>, each: &mut dyn FnMut(Cow<'t, str>)) {
        match self {
            Transform::Capture(regex) => {
                let group = regex.captures(&text).and_then(|found| found.get(1)).map(|group| group.range());
                group.into_iter().for_each(|range| each(part(&text, range)));
            }
            Transform::Split { by, element: None } => {
                parts(&text, by).for_each(|range| each(part(&text, range)));
            }
            Transform::Split { by, element: Some(n) } => {
                let range = parts(&text, by).nth(*n);
                range.into_iter().for_each(|range| each(part(&text, range)));
            }
            Transform::Lower => each(text.to_lowercase().into()),
            Transform::Upper => each(text.to_uppercase().into()),
            Transform::Trim => {
                let start = text.len() - text.trim_start().len();
                each(part(&text, start..start + text.trim().len()));
            }
            Transform::Phone => phone(&text).into_iter().for_each(|phone| each(phone.into())),
            Transform::FirstRdn => first_rdn(&text).into_iter().for_each(|range| each(part(&text, range))),
        }
    }

    pub(super) fn json(&self) -> Value {
        match self {
            Transform::Capture(regex) => json!({ "capture": regex.as_str() }),
            Transform::Split { by, element } => json!({ "split": by, "element": element }),
            named => json!(named.to_string()),
        }
    }
}

impl fmt::Display for Transform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Transform::Capture(regex) => write!(f, "captured by `{}`", shown(regex.as_str())),
            Transform::Split { by, element: None } => write!(f, "split by `{}`", shown(by)),
            Transform::Split { by, element: Some(n) } => write!(f, "part {n} of it split by `{}`", shown(by)),
            Transform::Lower => f.write_str("lower"),
            Transform::Upper => f.write_str("upper"),
            Transform::Trim => f.write_str("trim"),
            Transform::Phone => f.write_str("phone"),
            Transform::FirstRdn => f.write_str("first-rdn"),
        }
    }
}

/// Hands what the steps make of `text`, one after the other, to `each`; nothing that is empty.
pub(super) fn apply<'t>(steps: &[Transform], text: Cow<'t, str>, each: &mut dyn FnMut(Cow<'t, str>)) {
    match steps.split_first() {
        _ if text.is_empty() => {}
        None => each(text),
        Some((first, rest)) => first.apply(text, &mut |text| apply(rest, text, each)),
    }
}

/// A part of a text, borrowed if that is.
fn part<'t>(text: &Cow<'t, str>, range: std::ops::Range<usize>) -> Cow<'t, str> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(&text[range]),
        Cow::Owned(text) => Cow::Owned(text[range].to_owned()),
    }
}

/// The parts of `text` between `by`.
fn parts<'t>(text: &'t str, by: &'t str) -> impl Iterator<Item = std::ops::Range<usize>> + 't {
    let mut start = Some(0);
    std::iter::from_fn(move || {
        let begin = start?;
        let end = text[begin..].find(by).map(|length| begin + length);
        start = end.map(|end| end + by.len());
        Some(begin..end.unwrap_or(text.len()))
    })
}

/// A phone number without what only groups its digits: `+`, if it has one, and 7 to 15 digits.
pub(crate) fn phone(text: &str) -> Option<String> {
    is_phone(text).then(|| text.chars().filter(|c| !groups_digits(*c)).collect())
}

/// Whether a text is a phone number.
pub(crate) fn is_phone(text: &str) -> bool {
    let mut digits = 0;
    let mut number = text.chars().filter(|c| !groups_digits(*c)).enumerate();
    number.all(|(n, c)| {
        digits += usize::from(c.is_ascii_digit());
        digits <= 15 && (c.is_ascii_digit() || (n == 0 && c == '+'))
    }) && digits >= 7
}

/// Whether a character only groups a phone number's digits.
fn groups_digits(c: char) -> bool {
    c.is_whitespace() || matches!(c, '.' | '(' | ')' | '-')
}

/// Whether `text` looks like an e-mail address: something on both sides of one `@`.
pub(crate) fn is_email(text: &str) -> bool {
    let sides = text.split_once('@');
    sides.is_some_and(|(name, host)| !name.is_empty() && !host.is_empty() && !host.contains('@'))
        && !text.contains(char::is_whitespace)
}

/// From the first `=` to the first comma that has no backslash before it.
fn first_rdn(text: &str) -> Option<std::ops::Range<usize>> {
    let start = text.find('=')? + 1;
    let value = &text[start..];
    let is_end = |(at, _): &(usize, &str)| !value[..*at].ends_with('\\');
    let end = value.match_indices(',').find(is_end).map_or(value.len(), |(at, _)| at);
    Some(start..start + end)
}

/// The steps that a rule's keys name.
pub(super) fn read(keys: &TomlTable<'_>) -> Vec<Transform> {
    let mut steps = Vec::new();
    if let Some(item) = keys.get("capture")
        && let Some(regex) = condition::pattern(keys, &item, false)
    {
        match regex.captures_len() {
            2 => steps.push(Transform::Capture(regex)),
            _ => {
                let problem = item.at().problem("expected exactly one group, which says what is taken");
                keys.report(problem.hint("groups that only hold together are written `(?:...)`"));
            }
        }
    }
    if let Some(item) = keys.get("split") {
        let table = item.is_table().then(|| item.table()).flatten();
        let (by, element) = match &table {
            Some(table) => {
                table.only(&["by", "element"]);
                let element = table.get("element").and_then(|item| {
                    let number = item.integer().and_then(|n| usize::try_from(n).ok());
                    if number.is_none() {
                        keys.report(item.at().problem("expected the number of a part, from 0"));
                    }
                    number
                });
                (Some(table.required("by")), element)
            }
            None => (item.text(), None),
        };
        match by {
            Some(by) if by.is_empty() => keys.report(item.at().problem("expected what is between the parts")),
            Some(by) => steps.push(Transform::Split { by, element }),
            None => {}
        }
    }
    let names = NAMED.map(|(name, _)| name);
    for (text, at) in keys.texts("read") {
        match NAMED.iter().find(|(name, _)| *name == text) {
            Some((_, step)) => steps.push(step.clone()),
            None => {
                let message =
                    format!("unknown `read`: `{}`; expected one of: {}", shown(&text), list(&names));
                keys.report(at.problem(message).nearest(&text, names));
            }
        }
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(steps: &[Transform], text: &str) -> Vec<String> {
        let mut all = Vec::new();
        apply(steps, text.into(), &mut |text| all.push(text.into_owned()));
        all
    }

    #[test]
    fn phone_numbers_and_addresses_are_told_by_their_form() {
        for (text, number) in [
            ("+1 (734) 555-0100", Some("+17345550100")),
            ("734.555.0100", Some("7345550100")),
            ("123456", None),
            ("1234567", Some("1234567")),
            ("+123456789012345", Some("+123456789012345")),
            ("+1234567890123456", None),
            ("iPhone 12", None),
            ("++12345678", None),
            ("", None),
        ] {
            assert_eq!(phone(text).as_deref(), number, "{text}");
        }
        assert!(is_email("a@b") && is_email("a.b@c.d"));
        for text in ["a", "@b", "a@", "a@b@c", "a @b"] {
            assert!(!is_email(text), "{text}");
        }
    }

    #[test]
    fn steps_follow_each_other() {
        use Transform::{FirstRdn, Lower, Split, Trim, Upper};
        let capture = Transform::Capture(Regex::new("<(.*)>").unwrap());
        let split = Split { by: ",".into(), element: None };
        assert_eq!(all(&[capture, split, Trim, Upper], "x <a, b,,\u{e9} > y"), ["A", "B", "É"]);
        assert_eq!(all(&[Split { by: "::".into(), element: Some(1) }, Lower], "a::B::c"), ["b"]);
        assert_eq!(all(&[Split { by: "/".into(), element: Some(3) }], "a/b"), [""; 0]);
        assert_eq!(all(&[FirstRdn], "CN=Doe\\, John,OU=x"), ["Doe\\, John"]);
        assert_eq!(all(&[FirstRdn], "uid=jdoe"), ["jdoe"]);
        for text in ["jdoe", "cn=,ou=x", ""] {
            assert_eq!(all(&[FirstRdn], text), [""; 0], "{text}");
        }
    }
}

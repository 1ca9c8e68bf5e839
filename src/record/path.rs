//! Where a field is in a raw record: `phone`, `access_device.ip`, `labels."a.b"`.

use super::notation;
use crate::text::shown;
use std::borrow::Cow;
use std::fmt;

/// The most keys of a path: records nest no deeper.
const MOST_KEYS: usize = 127;

/// The most digits of an element's number.
const MOST_DIGITS: usize = 4;

/// The keys that lead from a record's root to one of its fields, and into lists on the way.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FieldPath {
    keys: Vec<String>,
    /// What is read of the lists at some of the keys, by the key's place.
    lists: Vec<(usize, ListStep)>,
}

/// What is read of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ListStep {
    /// `name[3]`: the fourth element.
    At(usize),
    /// `name[]`: every element.
    Each,
}

/// Why a text is not a [`FieldPath`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is not a field: {why}", shown(text))]
pub struct FieldPathError {
    text: String,
    why: &'static str,
    hint: String,
}

impl FieldPathError {
    /// What to write instead, in words.
    pub fn hint(&self) -> String {
        let quoted = FieldPath::of(vec![self.text.clone()]).to_string();
        let quoted = format!("if that is the key's real name, put it in double quotes: `{}`", shown(&quoted));
        if self.hint.is_empty() { quoted } else { format!("{}; {quoted}", shown(&self.hint)) }
    }
}

impl FieldPath {
    /// Reads a path: keys joined by dots, a key in double quotes where it holds a dot, a quote,
    /// blanks at its ends or one of the signs that other notations use (`\"` and `\\` inside quotes).
    ///
    /// # Errors
    /// When a key is empty, a quote is not closed, the text is in another tool's notation or leads into a
    /// list, or there are more than 127 keys.
    pub fn parse(text: &str) -> Result<FieldPath, FieldPathError> {
        FieldPath::read(text, false)
    }

    /// The same for a path that may lead into lists: `groups[]`, `groups[].name`, `groups[0].name`.
    ///
    /// # Errors
    /// As for [`FieldPath::parse`], lists aside.
    pub fn parse_in_lists(text: &str) -> Result<FieldPath, FieldPathError> {
        FieldPath::read(text, true)
    }

    fn read(text: &str, in_lists: bool) -> Result<FieldPath, FieldPathError> {
        let fail = |why| FieldPathError { text: text.to_owned(), why, hint: String::new() };
        let foreign = || {
            let notation = notation::of_field(text)?;
            Some(FieldPathError { text: text.to_owned(), why: notation.why, hint: notation.hint })
        };
        let (mut keys, mut lists) = (Vec::new(), Vec::new());
        let mut rest = text;
        loop {
            let key;
            if let Some(quoted) = rest.strip_prefix('"') {
                let mut unescaped = String::new();
                let mut chars = quoted.char_indices();
                rest = loop {
                    match chars.next().ok_or_else(|| fail("a quote is not closed"))? {
                        (i, '"') => break &quoted[i + 1..],
                        (_, '\\') => match chars.next() {
                            Some((_, c @ ('"' | '\\'))) => unescaped.push(c),
                            _ => return Err(fail("expected `\"` or `\\` after `\\`")),
                        },
                        (_, c) => unescaped.push(c),
                    }
                };
                key = unescaped;
            } else {
                let end = rest.find('.').unwrap_or(rest.len());
                let end = if in_lists { rest[..end].find('[').unwrap_or(end) } else { end };
                key = rest[..end].to_owned();
                if key.contains('"') {
                    return Err(fail("a key that contains a quote must be quoted as a whole"));
                }
                if !notation::is_plain(&key) {
                    let why = if key.is_empty() {
                        "a key is empty"
                    } else {
                        "a key has characters that need quotes"
                    };
                    return Err(foreign().unwrap_or_else(|| fail(why)));
                }
                rest = &rest[end..];
            }
            if let Some(inner) = rest.strip_prefix('[').filter(|_| in_lists) {
                let (number, behind) = inner.split_once(']').ok_or_else(|| fail("expected `]`"))?;
                let is_number = number.len() <= MOST_DIGITS && number.bytes().all(|b| b.is_ascii_digit());
                let step = match number.parse() {
                    _ if number.is_empty() => ListStep::Each,
                    Ok(n) if is_number => ListStep::At(n),
                    _ => {
                        let why = "expected `[]` for every element of a list, or a number as in `[0]`";
                        return Err(
                            foreign().map_or_else(|| fail(why), |error| FieldPathError { why, ..error })
                        );
                    }
                };
                lists.push((keys.len(), step));
                rest = behind;
            }
            keys.push(key);
            if keys.len() > MOST_KEYS {
                return Err(fail("it has more than 127 keys, and records nest no deeper"));
            }
            match rest.strip_prefix('.') {
                Some(more) => rest = more,
                None if rest.is_empty() => return Ok(FieldPath { keys, lists }),
                None => return Err(fail("expected a dot after the key")),
            }
        }
    }

    /// The path of these keys, from the root.
    pub(crate) fn of(keys: Vec<String>) -> FieldPath {
        FieldPath { keys, lists: Vec::new() }
    }

    /// The keys, from the root; never empty.
    pub fn keys(&self) -> &[String] {
        &self.keys
    }

    /// What is read of the list at the key with this place, if one is expected there.
    pub(crate) fn list(&self, key: usize) -> Option<ListStep> {
        self.lists.iter().find(|(place, _)| *place == key).map(|(_, step)| *step)
    }

    /// Whether it leads into lists.
    pub(crate) fn has_lists(&self) -> bool {
        !self.lists.is_empty()
    }

    /// Whether it may lead to several values.
    pub(crate) fn is_many(&self) -> bool {
        self.lists.iter().any(|(_, step)| *step == ListStep::Each)
    }

    /// The path of its first keys, `whole` with what is read of a list at the last of them.
    pub(crate) fn first(&self, keys: usize, whole: bool) -> FieldPath {
        let is_before = |(place, _): &&(usize, ListStep)| *place + usize::from(!whole) < keys;
        FieldPath {
            keys: self.keys[..keys].to_vec(),
            lists: self.lists.iter().filter(is_before).copied().collect(),
        }
    }
}

/// A key as it is spelled in a path: in quotes, if it needs them.
pub(super) fn spelled(key: &str) -> Cow<'_, str> {
    match notation::is_plain(key) {
        true => Cow::Borrowed(key),
        false => quoted(key).into(),
    }
}

/// A key in quotes.
fn quoted(key: &str) -> String {
    format!("\"{}\"", key.replace('\\', "\\\\").replace('"', "\\\""))
}

impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, key) in self.keys.iter().enumerate() {
            if i > 0 {
                f.write_str(".")?;
            }
            f.write_str(&spelled(key))?;
            match self.list(i) {
                None => {}
                Some(ListStep::Each) => f.write_str("[]")?,
                Some(ListStep::At(n)) => write!(f, "[{n}]")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_read_and_print() {
        for (text, keys) in [
            ("phone", vec!["phone"]),
            ("a.b c.d", vec!["a", "b c", "d"]),
            ("labels.\"a.b\".c", vec!["labels", "a.b", "c"]),
            ("\"q\\\"\"", vec!["q\""]),
        ] {
            let path = FieldPath::parse(text).unwrap();
            assert_eq!(path.keys(), keys);
            assert_eq!(path.to_string(), text);
        }
        let deep = ["a"; 128].join(".");
        for text in ["", ".", "a.", ".a", "\"a", "\"a\"b", "a\"b", "\"\\n\"", "a[0]", "a. b", "a.b ", &deep] {
            assert!(FieldPath::parse(text).is_err(), "{text}");
        }
        assert!(FieldPath::parse(&deep[2..]).is_ok());
    }

    #[test]
    fn paths_lead_into_lists_where_they_may() {
        use ListStep::{At, Each};
        for (text, keys, lists) in [
            ("groups[]", vec!["groups"], vec![(0, Each)]),
            ("a.groups[].key", vec!["a", "groups", "key"], vec![(1, Each)]),
            ("groups[0].name", vec!["groups", "name"], vec![(0, At(0))]),
            ("\"a.b\"[12].\"c\"[]", vec!["a.b", "c"], vec![(0, At(12)), (1, Each)]),
            ("a.b", vec!["a", "b"], vec![]),
        ] {
            let path = FieldPath::parse_in_lists(text).unwrap();
            assert_eq!(
                (path.keys(), &path.lists),
                (&keys.iter().map(|k| (*k).to_owned()).collect::<Vec<_>>()[..], &lists)
            );
            assert_eq!(FieldPath::parse_in_lists(&path.to_string()), Ok(path.clone()), "{path}");
            assert_eq!(FieldPath::parse(text).is_ok(), lists.is_empty(), "{text}");
        }
        for text in
            ["a[*]", "a[-1]", "a[0", "a[]b", "a[][]", "[0]", "a[00000]", "$['a']", "a | b[0]", "a[0] | b"]
        {
            assert!(FieldPath::parse_in_lists(text).is_err(), "{text}");
        }
    }

    #[test]
    fn any_key_can_be_named_in_quotes() {
        for key in ["a[0]", "$.a", "${a}", " a ", "", "a | b", "/a", "a.b", "\"", "\\", "a, b"] {
            let path = FieldPath::of(vec!["o".to_owned(), key.to_owned()]);
            assert_eq!(FieldPath::parse(&path.to_string()).as_ref(), Ok(&path), "{path}");
        }
        let hint = FieldPath::parse("ips[0]").unwrap_err().hint();
        assert!(hint.contains("`\"ips[0]\"`"), "{hint}");
    }
}

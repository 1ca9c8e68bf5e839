//! Where a field is in a raw record: `phone`, `access_device.ip`, `labels."a.b"`.

use super::notation;
use crate::text::shown;
use std::fmt;

/// The most keys of a path: records nest no deeper.
const MOST_KEYS: usize = 127;

/// The keys that lead from a record's root to one of its fields.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FieldPath {
    keys: Vec<String>,
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
    /// When a key is empty, a quote is not closed, the text is in another tool's notation, or there
    /// are more than 127 keys.
    pub fn parse(text: &str) -> Result<FieldPath, FieldPathError> {
        let fail = |why| FieldPathError { text: text.to_owned(), why, hint: String::new() };
        let foreign = || {
            let notation = notation::of_field(text)?;
            Some(FieldPathError { text: text.to_owned(), why: notation.why, hint: notation.hint })
        };
        let mut keys = Vec::new();
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
            keys.push(key);
            if keys.len() > MOST_KEYS {
                return Err(fail("it has more than 127 keys, and records nest no deeper"));
            }
            match rest.strip_prefix('.') {
                Some(more) => rest = more,
                None if rest.is_empty() => return Ok(FieldPath { keys }),
                None => return Err(fail("expected a dot after the quoted key")),
            }
        }
    }

    /// The path of these keys, from the root.
    pub(crate) fn of(keys: Vec<String>) -> FieldPath {
        FieldPath { keys }
    }

    /// The keys, from the root; never empty.
    pub fn keys(&self) -> &[String] {
        &self.keys
    }
}

impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, key) in self.keys.iter().enumerate() {
            if i > 0 {
                f.write_str(".")?;
            }
            if !notation::is_plain(key) {
                write!(f, "\"{}\"", key.replace('\\', "\\\\").replace('"', "\\\""))?;
            } else {
                f.write_str(key)?;
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
    fn any_key_can_be_named_in_quotes() {
        for key in ["a[0]", "$.a", "${a}", " a ", "", "a | b", "/a", "a.b", "\"", "\\", "a, b"] {
            let path = FieldPath::of(vec!["o".to_owned(), key.to_owned()]);
            assert_eq!(FieldPath::parse(&path.to_string()).as_ref(), Ok(&path), "{path}");
        }
        let hint = FieldPath::parse("ips[0]").unwrap_err().hint();
        assert!(hint.contains("`\"ips[0]\"`"), "{hint}");
    }
}

//! Where a field stands in a raw record: `phone`, `access_device.ip`, `labels."a.b"`.

use std::fmt;

/// The keys that lead from a record's root to one of its fields.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FieldPath {
    keys: Vec<String>,
}

/// Why a text is not a [`FieldPath`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a field: {why}")]
pub struct FieldPathError {
    text: String,
    why: &'static str,
}

impl FieldPath {
    /// Reads a path: keys joined by dots, a key in double quotes where it holds a dot or a quote
    /// (`\"` and `\\` inside quotes).
    ///
    /// # Errors
    /// When a key is empty or a quote is not closed.
    pub fn parse(text: &str) -> Result<FieldPath, FieldPathError> {
        let fail = |why| FieldPathError { text: text.to_owned(), why };
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
                            _ => return Err(fail("after `\\` comes `\"` or `\\`")),
                        },
                        (_, c) => unescaped.push(c),
                    }
                };
                key = unescaped;
            } else {
                let end = rest.find('.').unwrap_or(rest.len());
                key = rest[..end].to_owned();
                if key.is_empty() {
                    return Err(fail("a key is empty"));
                }
                if key.contains('"') {
                    return Err(fail("a key with a quote stands in quotes as a whole"));
                }
                rest = &rest[end..];
            }
            keys.push(key);
            match rest.strip_prefix('.') {
                Some(more) => rest = more,
                None if rest.is_empty() => return Ok(FieldPath { keys }),
                None => return Err(fail("after a quoted key comes a dot")),
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
            if key.is_empty() || key.contains(['.', '"']) {
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
        for text in ["", ".", "a.", ".a", "\"a", "\"a\"b", "a\"b", "\"\\n\""] {
            assert!(FieldPath::parse(text).is_err(), "{text}");
        }
    }
}

//! A UDM path as mapping tables write it: `security_result[0].detection_fields[]`.

use std::fmt;

/// A path into a UDM event, from the event's root.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Path {
    /// The steps, from the root; never empty.
    pub segments: Vec<Segment>,
}

/// The most steps of a path: a deeper event is none that protobuf reads.
const MOST_STEPS: usize = 64;

/// One step of a [`Path`]: a field's name and, for a repeated field, which of its elements.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Segment {
    /// The field's name in snake_case, as the proto has it; in a free structure any name.
    pub name: String,
    /// Nothing for a singular field.
    pub index: Option<Index>,
}

/// Which element of a repeated field a [`Segment`] means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Index {
    /// `name[3]`: the fourth element.
    At(u16),
    /// `name[]`: one more element at the end.
    Append,
}

/// Why a text is not a [`Path`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is not a UDM path: {why}", crate::text::shown(text))]
pub struct PathError {
    text: String,
    why: &'static str,
}

impl Path {
    /// Reads a path.
    ///
    /// # Errors
    /// When a step is empty, has a character other than letters, digits and `_` and no double quotes around it, or an
    /// index that is neither `[]` nor `[N]` with N up to 99; or when there are more than 64 steps.
    pub fn parse(text: &str) -> Result<Path, PathError> {
        let fail = |why| PathError { text: text.to_owned(), why };
        let mut segments = Vec::new();
        let mut rest = Some(text);
        while let Some(text) = rest {
            if let Some(quoted) = text.strip_prefix('"') {
                let (name, behind) = quoted.split_once('"').ok_or_else(|| fail("a quote is not closed"))?;
                if name.is_empty() || name.contains(char::is_control) {
                    return Err(fail("a name in quotes is empty or has control characters"));
                }
                segments.push(Segment { name: name.to_owned(), index: None });
                rest = match behind.strip_prefix('.') {
                    None if !behind.is_empty() => return Err(fail("expected a dot after the quoted name")),
                    more => more,
                };
                if segments.len() > MOST_STEPS {
                    return Err(fail("it has more than 64 steps"));
                }
                continue;
            }
            let (step, more) = text.split_once('.').map_or((text, None), |(step, more)| (step, Some(more)));
            rest = more;
            let (name, index) = match step.split_once('[') {
                None => (step, None),
                Some((name, rest)) => {
                    let inner =
                        rest.strip_suffix(']').ok_or_else(|| fail("expected `]` at the end of the index"))?;
                    let index = if inner.is_empty() {
                        Index::Append
                    } else if inner.len() <= 2 && inner.bytes().all(|b| b.is_ascii_digit()) {
                        Index::At(inner.parse().map_err(|_| fail("expected a number as the index"))?)
                    } else {
                        return Err(fail("expected an index from `[0]` to `[99]`, or `[]`"));
                    };
                    (name, Some(index))
                }
            };
            if name.is_empty() {
                return Err(fail("a step is empty"));
            }
            if !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
                return Err(fail("expected a field's name: letters, digits and `_`"));
            }
            segments.push(Segment { name: name.to_owned(), index });
            if segments.len() > MOST_STEPS {
                return Err(fail("it has more than 64 steps"));
            }
        }
        Ok(Path { segments })
    }

    /// The path without its indexes: `security_result.detection_fields`.
    pub fn bare(&self) -> String {
        let names: Vec<&str> = self.segments.iter().map(|s| s.name.as_str()).collect();
        names.join(".")
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, segment) in self.segments.iter().enumerate() {
            if i > 0 {
                f.write_str(".")?;
            }
            match segment.name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
                true => f.write_str(&segment.name)?,
                false => write!(f, "\"{}\"", segment.name)?,
            }
            match segment.index {
                None => {}
                Some(Index::Append) => f.write_str("[]")?,
                Some(Index::At(n)) => write!(f, "[{n}]")?,
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
        for text in [
            "metadata.event_type",
            "principal.ip[]",
            "security_result[0].summary",
            "a[12].b[].c",
            "additional.\"a.b c\"",
        ] {
            assert_eq!(Path::parse(text).unwrap().to_string(), text);
        }
        for text in [
            "", "a..b", "a.", "a[", "a[x]", "a[-1]", "a[100]", "a b", "a[0]b", "a.b-c", "é", "a.\"b",
            "a.\"\"", "a.\"b\"c",
        ] {
            assert!(Path::parse(text).is_err(), "{text}");
        }
    }
}

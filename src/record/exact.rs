//! The reference reader: a JSON text's mapped fields, by serde_json, strictly and without hurry.
//!
//! Strict means RFC 8259 as serde_json's `Value` has it, numbers of any size included: every
//! string is unescaped (so that a lone surrogate is refused even where nobody looks), nesting
//! ends at 127. The fields come from a second look at the same text through `RawValue`, because
//! that keeps a number's source text, which `Number` rewrites (`1E5` to `1e+5`).

use super::looks::looks;
use super::projection::{Below, Branch};
use super::{Fault, FieldPath, Fields, Projection, Reason};
use crate::json::Tree;
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;

/// Checks that `unit` is one strict JSON text and gives it back as such.
///
/// # Errors
/// A [`Fault`] with [`Reason::InvalidUtf8`], [`Reason::TooDeep`] or [`Reason::InvalidJson`].
pub fn check(unit: &[u8]) -> Result<&RawValue, Fault> {
    let text = std::str::from_utf8(unit).map_err(|error| {
        let at = error.valid_up_to();
        let looks = looks(unit, at).map_or_else(String::new, |looks| format!("; {looks}"));
        Fault { at: Some(at), ..Fault::new(Reason::InvalidUtf8, format!("not UTF-8{looks}")) }
    })?;
    serde_json::from_str::<Strict>(text).map_err(|error| json_fault(&error, unit))?;
    serde_json::from_str(text).map_err(|error| json_fault(&error, unit))
}

fn json_fault(error: &serde_json::Error, unit: &[u8]) -> Fault {
    let text = error.to_string();
    // serde_json has no kind for it; a test below holds the wording.
    if text.starts_with("recursion limit exceeded") {
        return Fault::too_deep();
    }
    // The tree reads the same, and says where it goes wrong; were it to read more, this would.
    let (what, at) = match Tree::default().read(unit) {
        Err(flaw) if flaw.at == unit.len() && flaw.what.starts_with("expected") => {
            (format!("{}, found the end", flaw.what), flaw.at)
        }
        Err(flaw) => (flaw.what.to_owned(), flaw.at),
        Ok(_) => (text, 0),
    };
    let looks = looks(unit, at).map_or_else(String::new, |looks| format!("; {looks}"));
    Fault { at: Some(at), ..Fault::new(Reason::InvalidJson, format!("not valid JSON: {what}{looks}")) }
}

/// An object's keys and values in order, duplicates included.
pub(crate) type Members<'a> = Vec<(Cow<'a, str>, &'a RawValue)>;

/// The mapped fields of a record, given by its members.
///
/// # Errors
/// A [`Fault`] with [`Reason::FieldType`] when a mapped field holds an object or an array; it
/// names the first such field in the order of the slots.
pub(crate) fn fields<'a>(members: &Members<'a>, projection: &Projection) -> Result<Fields<'a>, Fault> {
    let mut fields = vec![None; projection.paths().len()];
    let mut wrong = None;
    fill(projection.root(), members, &mut fields, &mut wrong);
    match wrong {
        None => Ok(fields),
        Some((slot, kind)) => {
            let path = &projection.paths()[slot];
            Err(Fault::new(
                Reason::FieldType,
                format!("`{path}` holds {kind}, not a text, number or boolean"),
            ))
        }
    }
}

/// Fills the slots below `branches`; `wrong` becomes the lowest slot that holds a container.
fn fill<'a>(
    branches: &[Branch],
    members: &Members<'a>,
    fields: &mut Fields<'a>,
    wrong: &mut Option<(usize, &'static str)>,
) {
    for branch in branches {
        let Some(value) = last(members, &branch.key) else { continue };
        match &branch.below {
            Below::Keys(below) => {
                if let Some(members) = self::members(value) {
                    fill(below, &members, fields, wrong);
                }
            }
            Below::Slot(slot) => match scalar(value) {
                Ok(text) => fields[*slot] = text,
                Err(kind) if wrong.is_none_or(|(least, _)| *slot < least) => *wrong = Some((*slot, kind)),
                Err(_) => {}
            },
        }
    }
}

/// The value's text; nothing for `null` and `""`; for an object or array, which of them it is.
pub(crate) fn scalar(value: &RawValue) -> Result<Option<Cow<'_, str>>, &'static str> {
    let text = value.get();
    match text.as_bytes()[0] {
        b'{' | b'[' => Err(kind(value)),
        b'n' => Ok(None),
        b'"' => Ok(Some(string(text)).filter(|s| !s.is_empty())),
        _ => Ok(Some(Cow::Borrowed(text))),
    }
}

/// The members of an object; nothing for any other value.
pub(crate) fn members(value: &RawValue) -> Option<Members<'_>> {
    if !value.get().starts_with('{') {
        return None;
    }
    serde_json::from_str::<Object<'_>>(value.get()).ok().map(|object| object.0)
}

/// The value of `key`: of two equal keys the last counts.
pub(crate) fn last<'a>(members: &Members<'a>, key: &str) -> Option<&'a RawValue> {
    members.iter().rev().find(|(k, _)| k == key).map(|(_, value)| *value)
}

/// The elements of an array; nothing for any other value.
pub(crate) fn elements(value: &RawValue) -> Option<Vec<&RawValue>> {
    if !value.get().starts_with('[') {
        return None;
    }
    serde_json::from_str(value.get()).ok()
}

/// The value at `path` below an object, whatever it is.
pub(crate) fn find<'a>(members: &Members<'a>, path: &FieldPath) -> Option<&'a RawValue> {
    let (first, rest) = path.keys().split_first()?;
    rest.iter().try_fold(last(members, first)?, |value, key| last(&self::members(value)?, key))
}

/// The text at `path`, if a text, number or boolean is there.
pub(crate) fn find_text<'a>(members: &Members<'a>, path: &FieldPath) -> Option<Cow<'a, str>> {
    scalar(find(members, path)?).ok().flatten()
}

/// What `value` is, with its article.
pub(crate) fn kind(value: &RawValue) -> &'static str {
    match value.get().as_bytes()[0] {
        b'{' => "an object",
        b'[' => "an array",
        b'"' => "a text",
        b't' | b'f' => "a boolean",
        b'n' => "null",
        _ => "a number",
    }
}

/// A JSON string's value.
pub(crate) fn string(text: &str) -> Cow<'_, str> {
    // The text was checked, so it can't fail; were it to, the field would count as absent.
    serde_json::from_str::<Text<'_>>(text).map(|t| t.0).unwrap_or_default()
}

/// A string, borrowed where it has no escapes.
struct Text<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Text<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct V;
        impl<'de> Visitor<'de> for V {
            type Value = Text<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }
            fn visit_borrowed_str<E>(self, s: &'de str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Borrowed(s)))
            }
            fn visit_str<E>(self, s: &str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(s.to_owned())))
            }
        }
        deserializer.deserialize_str(V)
    }
}

/// An object, for serde.
struct Object<'a>(Members<'a>);

impl<'de> Deserialize<'de> for Object<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct V;
        impl<'de> Visitor<'de> for V {
            type Value = Object<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object<'de>, A::Error> {
                let mut members = Vec::new();
                while let Some((key, value)) = map.next_entry::<Text<'de>, &'de RawValue>()? {
                    members.push((key.0, value));
                }
                Ok(Object(members))
            }
        }
        deserializer.deserialize_map(V)
    }
}

/// Any JSON value, read in full and forgotten.
struct Strict;

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct V;
        impl<'de> Visitor<'de> for V {
            type Value = Strict;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("JSON")
            }
            fn visit_bool<E>(self, _: bool) -> Result<Strict, E> {
                Ok(Strict)
            }
            fn visit_i64<E>(self, _: i64) -> Result<Strict, E> {
                Ok(Strict)
            }
            fn visit_u64<E>(self, _: u64) -> Result<Strict, E> {
                Ok(Strict)
            }
            fn visit_f64<E>(self, _: f64) -> Result<Strict, E> {
                Ok(Strict)
            }
            fn visit_str<E>(self, _: &str) -> Result<Strict, E> {
                Ok(Strict)
            }
            fn visit_unit<E>(self) -> Result<Strict, E> {
                Ok(Strict)
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Strict, A::Error> {
                while seq.next_element::<Strict>()?.is_some() {}
                Ok(Strict)
            }
            // Numbers come this way too, as a map with one text: it holds what `Number` would.
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Strict, A::Error> {
                while map.next_entry::<Strict, Strict>()?.is_some() {}
                Ok(Strict)
            }
        }
        deserializer.deserialize_any(V)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(text: &[u8]) -> Option<Reason> {
        check(text).err().map(|fault| fault.reason)
    }

    #[test]
    fn strictness() {
        let nested = |n: usize| [vec![b'['; n], vec![b']'; n]].concat();
        assert_eq!(reason(&nested(127)), None);
        assert_eq!(reason(&nested(128)), Some(Reason::TooDeep));
        for text in [
            r#"{"a":1e999,"b":-0,"c":123456789012345678901234567890,"d":1E+5}"#,
            r#"{"a":"\ud83d\ude00","\u0061":null}"#,
            " \t\r\n{}\n",
            r#"{"$serde_json::private::Number":"x","$serde_json::private::RawValue":"{"}"#,
            "\"\u{7f}\u{2028}\"",
        ] {
            assert_eq!(reason(text.as_bytes()), None, "{text}");
        }
        for text in [
            "",
            " ",
            "{",
            "{}}",
            "{} {}",
            "{\"a\":1,}",
            "[1,]",
            "{\"a\":01}",
            "{\"a\":+1}",
            "{\"a\":1.}",
            "{\"a\":.5}",
            "{\"a\":NaN}",
            "{\"a\":Infinity}",
            "{'a':1}",
            "{\"a\":\"\t\"}",
            "{\"a\":\"\\x\"}",
            "{\"a\":tru}",
            "{\"a\":\"\\ud800\"}",
            "{\"a\":\"\\udc00\"}",
            "{\"a\":\"\\ud800\\u0041\"}",
            "{\"\\ud800\":1}",
            "{\"a\":[{\"b\":\"\\udfff\"}]}",
            "{a:1}",
            "{\"a\" 1}",
            "{\"a\":1 \"b\":2}",
            "\u{feff}{}",
            "{\"a\":1}//",
        ] {
            assert_eq!(reason(text.as_bytes()), Some(Reason::InvalidJson), "{text}");
        }
        for bytes in [&b"\"\xff\""[..], b"\"\xc0\xaf\"", b"\"\xed\xa0\x80\"", b"\"\xe2\x82\"", b"\x80"] {
            assert_eq!(reason(bytes), Some(Reason::InvalidUtf8), "{bytes:?}");
        }
    }

    #[test]
    fn fields_by_slot() {
        let mut projection = Projection::default();
        for path in ["a", "b", "o.x", "o.p.y"] {
            projection.add(&FieldPath::parse(path).unwrap()).unwrap();
        }
        let cases: &[(&str, [Option<&str>; 4])] = &[
            (r#"{"a":1.50,"b":"t"}"#, [Some("1.50"), Some("t"), None, None]),
            (r#"{"a":1E5,"b":true}"#, [Some("1E5"), Some("true"), None, None]),
            (r#"{"a":null,"b":""}"#, [None, None, None, None]),
            (r#"{"a":1,"a":2,"b":"x","b":null}"#, [Some("2"), None, None, None]),
            (r#"{"a":{},"a":2}"#, [Some("2"), None, None, None]),
            (r#"{"\u0061":"\u00e9\n\ud83d\ude00"}"#, [Some("é\n😀"), None, None, None]),
            (r#"{"o":{"x":1,"p":{"y":2}}}"#, [None, None, Some("1"), Some("2")]),
            (r#"{"o":{"x":1},"o":{"p":{"y":2}}}"#, [None, None, None, Some("2")]),
            (r#"{"o":{"x":1},"o":7}"#, [None, None, None, None]),
            (r#"{"o":[{"x":1}]}"#, [None, None, None, None]),
        ];
        for (text, expected) in cases {
            let raw = check(text.as_bytes()).unwrap();
            let fields = fields(&members(raw).unwrap(), &projection).unwrap();
            let got: Vec<Option<&str>> = fields.iter().map(|f| f.as_deref()).collect();
            assert_eq!(got, expected, "{text}");
        }
        for (text, reason, words) in [
            (r#"{"b":[],"a":{}}"#, Reason::FieldType, "`a` holds an object"),
            (r#"{"o":{"p":{"y":[]}}}"#, Reason::FieldType, "`o.p.y` holds an array"),
        ] {
            let fault = fields(&members(check(text.as_bytes()).unwrap()).unwrap(), &projection).unwrap_err();
            assert_eq!(fault.reason, reason, "{text}");
            assert!(fault.message.contains(words), "{text}: {}", fault.message);
        }
    }
}

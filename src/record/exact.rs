//! The reference reader: a JSON text's mapped fields, by serde_json, strictly and without hurry.
//!
//! Strict means RFC 8259 as serde_json's `Value` has it, numbers of any size included: every
//! string is unescaped (so that a lone surrogate is refused even where nobody looks), nesting
//! ends at 127. The fields come from a second look at the same text through `RawValue`, because
//! that keeps a number's source text, which `Number` rewrites (`1E5` to `1e+5`).

use super::looks::looks;
use super::path::ListStep;
use super::projection::{Branch, BranchTarget};
use super::{FieldPath, Fields, Projection, Reason, RecordError};
use crate::json::Tree;
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;

/// Checks that `unit` is one strict JSON text and gives it back as such.
///
/// # Errors
/// A [`RecordError`] with [`Reason::InvalidUtf8`], [`Reason::TooDeep`] or [`Reason::InvalidJson`].
pub fn check(unit: &[u8]) -> Result<&RawValue, RecordError> {
    let text = std::str::from_utf8(unit).map_err(|error| {
        let at = error.valid_up_to();
        let looks = looks(unit, at).map_or_else(String::new, |looks| format!("; {looks}"));
        RecordError { at: Some(at), ..RecordError::new(Reason::InvalidUtf8, format!("not UTF-8{looks}")) }
    })?;
    serde_json::from_str::<Strict>(text).map_err(|error| json_error(&error, unit))?;
    serde_json::from_str(text).map_err(|error| json_error(&error, unit))
}

fn json_error(error: &serde_json::Error, unit: &[u8]) -> RecordError {
    let text = error.to_string();
    // serde_json has no kind for it; a test below holds the wording.
    if text.starts_with("recursion limit exceeded") {
        return RecordError::too_deep();
    }
    // The tree reads the same, and says where it goes wrong; were it to read more, this would.
    let (what, at) = match Tree::default().read(unit) {
        Err(error) if error.at == unit.len() && error.what.starts_with("expected") => {
            (format!("{}, found the end", error.what), error.at)
        }
        Err(error) => (error.what.to_owned(), error.at),
        Ok(_) => (text, 0),
    };
    let looks = looks(unit, at).map_or_else(String::new, |looks| format!("; {looks}"));
    RecordError {
        at: Some(at),
        ..RecordError::new(Reason::InvalidJson, format!("not valid JSON: {what}{looks}"))
    }
}

/// An object's keys and values in order, duplicates included.
pub(crate) type Members<'a> = Vec<(Cow<'a, str>, &'a RawValue)>;

/// The mapped fields of a record, given by its members.
///
/// # Errors
/// A [`RecordError`] with [`Reason::FieldType`] when a mapped field holds an object or an array; it
/// names the first such field in the order of the slots.
pub(crate) fn fields<'a>(members: &Members<'a>, projection: &Projection) -> Result<Fields<'a>, RecordError> {
    let mut found = FoundFields::new(projection);
    found.keys(projection.root(), members);
    found.checked()
}

/// The mapped fields of a record that is a flat list of names and values; of two with one name the last counts.
///
/// # Errors
/// As for [`fields`], which only what is inside of JSON texts can be.
pub(crate) fn fields_of_pairs<'a>(
    pairs: &[(Cow<'a, str>, Cow<'a, str>)],
    projection: &Projection,
) -> Result<Fields<'a>, RecordError> {
    let mut found = FoundFields::new(projection);
    for branch in projection.root() {
        if let Some((_, value)) = pairs.iter().rev().find(|(name, _)| *name == branch.key) {
            found.text(&branch.below, value.clone());
        }
    }
    found.checked()
}

/// The fields that were found so far.
struct FoundFields<'a, 'p> {
    projection: &'p Projection,
    fields: Fields<'a>,
    /// The lowest slot that holds an object or array, and which of them.
    wrong: Option<(usize, &'static str)>,
}

impl<'a, 'p> FoundFields<'a, 'p> {
    fn new(projection: &'p Projection) -> FoundFields<'a, 'p> {
        FoundFields { projection, fields: Fields::absent(projection.paths().len()), wrong: None }
    }

    fn checked(self) -> Result<Fields<'a>, RecordError> {
        let Some((slot, kind)) = self.wrong else { return Ok(self.fields) };
        let path = &self.projection.paths()[slot];
        let message = format!("`{path}` holds {kind}, not a text, number or boolean");
        Err(RecordError::new(Reason::FieldType, message))
    }

    /// Takes what is at the keys of an object.
    fn keys(&mut self, branches: &[Branch], members: &Members<'a>) {
        for branch in branches {
            if let Some(value) = last(members, &branch.key) {
                self.value(&branch.below, value);
            }
        }
    }

    fn value(&mut self, target: &BranchTarget, value: &'a RawValue) {
        match target {
            BranchTarget::Keys(below) => {
                if let Some(members) = members(value) {
                    self.keys(below, &members);
                }
            }
            BranchTarget::List(steps) => {
                // One value where a list is read is a list of one.
                let mut elements = elements(value).unwrap_or_else(|| vec![value]);
                // What is absent is not an element.
                elements.retain(|element| !matches!(element.get(), "null" | "\"\""));
                for (step, target) in steps {
                    match step {
                        ListStep::Each => elements.iter().for_each(|element| self.value(target, element)),
                        ListStep::At(n) => {
                            elements.get(*n).into_iter().for_each(|element| self.value(target, element));
                        }
                    }
                }
            }
            BranchTarget::Json { keys, objects: true, .. } if value.get().starts_with('{') => {
                if let Some(members) = members(value) {
                    self.keys(keys, &members);
                }
            }
            BranchTarget::Slot(slot) | BranchTarget::Json { slot, .. } => match scalar(value) {
                Ok(Some(text)) => self.text(target, text),
                Ok(None) => {}
                Err(_) if self.projection.notes(*slot) => self.fields.note_bad(*slot),
                Err(kind) if self.wrong.is_none_or(|(least, _)| *slot < least) => {
                    self.wrong = Some((*slot, kind));
                }
                Err(_) => {}
            },
        }
    }

    /// Takes a value that is a text.
    fn text(&mut self, target: &BranchTarget, text: Cow<'a, str>) {
        match target {
            _ if text.is_empty() => {}
            BranchTarget::Keys(_) => {}
            BranchTarget::Slot(slot) => self.fields.push(*slot, text),
            BranchTarget::List(steps) => {
                for (_, target) in
                    steps.iter().filter(|(step, _)| matches!(step, ListStep::Each | ListStep::At(0)))
                {
                    self.text(target, text.clone());
                }
            }
            BranchTarget::Json { slot, keys: below, .. } => {
                let text = match text {
                    Cow::Borrowed(text) => match json_object(text) {
                        Some(members) => return self.keys(below, &members),
                        None => Cow::Borrowed(text),
                    },
                    // What is in a text that was respelled lives no longer than that.
                    Cow::Owned(text) => {
                        let Some(members) = json_object(&text) else {
                            return self.fields.push(*slot, Cow::Owned(text));
                        };
                        let mut inner = FoundFields::new(self.projection);
                        inner.keys(below, &members);
                        if let Some((slot, kind)) = inner.wrong
                            && self.wrong.is_none_or(|(least, _)| slot < least)
                        {
                            self.wrong = Some((slot, kind));
                        }
                        return self.fields.take(inner.fields.into_owned());
                    }
                };
                self.fields.push(*slot, text);
            }
        }
    }
}

/// The members of the object that a text holds as strict JSON.
pub(super) fn json_object(text: &str) -> Option<Members<'_>> {
    // Most texts are none, and this says so at once.
    let is_possible = text.trim_start_matches([' ', '\t', '\r', '\n']).starts_with('{');
    is_possible.then(|| members(check(text.as_bytes()).ok()?)).flatten()
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
    serde_json::from_str::<MemberList<'_>>(value.get()).ok().map(|object| object.0)
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
    serde_json::from_str::<JsonString<'_>>(text).map(|t| t.0).unwrap_or_default()
}

/// A string, borrowed where it has no escapes.
struct JsonString<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for JsonString<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct V;
        impl<'de> Visitor<'de> for V {
            type Value = JsonString<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }
            fn visit_borrowed_str<E>(self, s: &'de str) -> Result<JsonString<'de>, E> {
                Ok(JsonString(Cow::Borrowed(s)))
            }
            fn visit_str<E>(self, s: &str) -> Result<JsonString<'de>, E> {
                Ok(JsonString(Cow::Owned(s.to_owned())))
            }
        }
        deserializer.deserialize_str(V)
    }
}

/// An object, for serde.
struct MemberList<'a>(Members<'a>);

impl<'de> Deserialize<'de> for MemberList<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct V;
        impl<'de> Visitor<'de> for V {
            type Value = MemberList<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<MemberList<'de>, A::Error> {
                let mut members = Vec::new();
                while let Some((key, value)) = map.next_entry::<JsonString<'de>, &'de RawValue>()? {
                    members.push((key.0, value));
                }
                Ok(MemberList(members))
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
        check(text).err().map(|error| error.reason)
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
            let error = fields(&members(check(text.as_bytes()).unwrap()).unwrap(), &projection).unwrap_err();
            assert_eq!(error.reason, reason, "{text}");
            assert!(error.message.contains(words), "{text}: {}", error.message);
        }
    }
}

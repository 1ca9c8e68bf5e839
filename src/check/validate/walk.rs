//! An event against the schema: every name, type and number of values.

use super::codes::Code;
use super::finding::Reporter;
use super::{formats, needs};
use crate::json::{Kind, Value};
use crate::text::{add_to_path, shown};
use crate::udm::index::{Below, Entry, Known, index};
use crate::udm::scalar::{self, ScalarErrorKind};
use crate::udm::schema::{Cardinality, nearest};
use std::borrow::Cow;

/// How deep messages may nest: the limit of protobuf's JSON reading.
const DEEPEST: usize = 100;

/// Checks one event. If `values` are asked for, they become those of its values that were read, with their fields.
pub(super) fn event<'t>(
    event: Value<'t>,
    reporter: &mut Reporter<'_>,
    values: &mut Option<Vec<(Value<'t>, &'static Entry)>>,
) {
    EventWalk { reporter, values }.message(event, index().root(), &Crumb::Root, 1);
    needs::check(event, reporter);
}

/// Checks a value of a field that holds no message.
pub(super) fn scalar(kind: Kind, text: Cow<'_, str>, entry: &Entry) -> Result<(), (Code, String)> {
    let scalar = scalar::read_text(kind, text, entry).map_err(|error| (code(error.kind), error.message))?;
    let is_element = entry.field.cardinality == Cardinality::Repeated;
    let wrong = entry.format.and_then(|format| formats::check(format, &scalar, is_element));
    wrong.map_or(Ok(()), Err)
}

/// The way to a value, from the event's root.
pub(super) enum Crumb<'c> {
    Root,
    Field(&'c Crumb<'c>, &'c str),
    Element(&'c Crumb<'c>, usize),
    Key(&'c Crumb<'c>, &'c str),
}

impl Crumb<'_> {
    fn path(&self) -> String {
        let mut path = String::new();
        self.write(&mut path);
        path
    }

    fn write(&self, to: &mut String) {
        match self {
            Crumb::Root => {}
            Crumb::Field(above, name) => {
                above.write(to);
                let dot = if to.is_empty() { "" } else { "." };
                add_to_path(to, format_args!("{dot}{name}"));
            }
            Crumb::Element(above, place) => {
                above.write(to);
                add_to_path(to, format_args!("[{place}]"));
            }
            Crumb::Key(above, key) => {
                above.write(to);
                add_to_path(to, format_args!("[\"{key}\"]"));
            }
        }
    }
}

struct EventWalk<'w, 'r, 't> {
    reporter: &'w mut Reporter<'r>,
    values: &'w mut Option<Vec<(Value<'t>, &'static Entry)>>,
}

impl<'t> EventWalk<'_, '_, 't> {
    fn add(&mut self, code: Code, path: &Crumb<'_>, message: String, at: usize) {
        self.reporter.add(code, path.path(), message, at);
    }

    fn message(&mut self, value: Value<'t>, known: &'static Known, path: &Crumb<'_>, depth: usize) {
        if value.kind() != Kind::Object {
            let message = format!("{} where UDM has an object", value.kind().name());
            return self.add(Code::WrongType, path, message, value.start());
        }
        if depth > DEEPEST {
            let message = format!("messages nest deeper than {DEEPEST}");
            return self.add(Code::TooDeep, path, message, value.start());
        }
        let (mut seen, mut filled) = (0_u128, 0_u128);
        for member in value.children() {
            let key = key(member);
            let Some(entry) = known.field(&key) else {
                self.unknown(member, &key, known, path);
                continue;
            };
            let here = Crumb::Field(path, entry.field.name);
            let bit = 1 << entry.place;
            if seen & bit != 0 {
                let message = format!("`{key}` is given twice");
                self.add(Code::DuplicateField, &here, message, member.key_start());
            }
            seen |= bit;
            if member.kind() == Kind::Null {
                continue;
            }
            if filled & entry.rivals != 0 {
                let message =
                    format!("only one field of `{}` can be there", entry.field.oneof.unwrap_or_default());
                self.add(Code::OneofConflict, &here, message, member.key_start());
            }
            filled |= bit;
            if entry.field.deprecated {
                let message = format!("`{}` is deprecated", entry.field.name);
                self.add(Code::DeprecatedField, &here, message, member.key_start());
            }
            self.field(member, entry, &here, depth);
        }
    }

    fn unknown(&mut self, member: Value<'_>, key: &str, known: &Known, path: &Crumb<'_>) {
        let near = self.reporter.suggests().then(|| nearest(key, known.fields.iter().map(|e| e.field.name)));
        let near = near.flatten().map_or(String::new(), |near| format!("; the nearest is `{near}`"));
        let message = format!("UDM has no field `{}` here{near}", shown(key));
        self.add(Code::UnknownField, &Crumb::Field(path, key), message, member.key_start());
    }

    /// A field's value, or values.
    fn field(&mut self, value: Value<'t>, entry: &'static Entry, path: &Crumb<'_>, depth: usize) {
        match (entry.field.cardinality, value.kind()) {
            (Cardinality::Singular, Kind::Array) => {
                let message = format!("a list where UDM has one value of `{}`", entry.field.name);
                self.add(Code::ListUnexpected, path, message, value.start());
            }
            (Cardinality::Singular, _) => self.value(value, entry, path, depth),
            (Cardinality::Repeated, Kind::Array) => {
                for (place, element) in value.children().enumerate() {
                    let here = Crumb::Element(path, place);
                    if element.kind() == Kind::Null {
                        self.add(Code::NullInList, &here, "`null` in a list".into(), element.start());
                    } else {
                        self.value(element, entry, &here, depth);
                    }
                }
            }
            (Cardinality::Repeated, kind) => {
                let message = format!("{} where UDM has a list", kind.name());
                self.add(Code::ListExpected, path, message, value.start());
            }
            (Cardinality::Map, Kind::Object) => self.map(value, entry, path, depth),
            (Cardinality::Map, kind) => {
                let message = format!("{} where UDM has an object of names and values", kind.name());
                self.add(Code::WrongType, path, message, value.start());
            }
        }
    }

    fn map(&mut self, value: Value<'t>, entry: &'static Entry, path: &Crumb<'_>, depth: usize) {
        self.twice(value, path);
        for member in value.children() {
            let key = key(member);
            let here = Crumb::Key(path, &key);
            if member.kind() == Kind::Null {
                self.add(Code::NullInList, &here, "`null` as the value of a map".into(), member.start());
            } else {
                self.value(member, entry, &here, depth);
            }
        }
    }

    fn value(&mut self, value: Value<'t>, entry: &'static Entry, path: &Crumb<'_>, depth: usize) {
        match entry.below {
            Below::Message(id) => self.message(value, index().message(id), path, depth + 1),
            Below::Struct if value.kind() == Kind::Object => self.free(value, path),
            Below::Struct => {
                let message = format!("{} where UDM has an object of any content", value.kind().name());
                self.add(Code::WrongType, path, message, value.start());
            }
            Below::Scalar | Below::Enum(_) => match self::scalar(value.kind(), value.text(), entry) {
                Err((code, message)) => self.add(code, path, message, value.start()),
                Ok(()) => self.values.iter_mut().for_each(|values| values.push((value, entry))),
            },
        }
    }

    /// A value of `google.protobuf.Struct`: any JSON, but no name twice and no number without end.
    fn free(&mut self, value: Value<'_>, path: &Crumb<'_>) {
        match value.kind() {
            Kind::Object => {
                self.twice(value, path);
                for member in value.children() {
                    let key = key(member);
                    self.free(member, &Crumb::Field(path, &key));
                }
            }
            Kind::Array => {
                for (place, element) in value.children().enumerate() {
                    self.free(element, &Crumb::Element(path, place));
                }
            }
            Kind::Number if value.raw().parse::<f64>().is_ok_and(f64::is_infinite) => {
                let message = format!("{} is too large for a number", shown(value.raw()));
                self.add(Code::OutOfRange, path, message, value.start());
            }
            _ => {}
        }
    }

    /// Finds names that an object has twice.
    fn twice(&mut self, value: Value<'_>, path: &Crumb<'_>) {
        let mut keys: Vec<(Cow<'_, str>, usize)> =
            value.children().map(|m| (key(m), m.key_start())).collect();
        keys.sort();
        for pair in keys.windows(2) {
            if let [(first, _), (second, at)] = pair
                && first == second
            {
                let message = format!("`{}` is given twice", shown(second));
                self.add(Code::DuplicateField, &Crumb::Field(path, second), message, *at);
            }
        }
    }
}

/// The code of what is wrong with a scalar.
fn code(kind: ScalarErrorKind) -> Code {
    match kind {
        ScalarErrorKind::WrongType => Code::WrongType,
        ScalarErrorKind::OutOfRange => Code::OutOfRange,
        ScalarErrorKind::UnknownEnum => Code::UnknownEnum,
        ScalarErrorKind::UnknownEnumNumber => Code::UnknownEnumNumber,
        ScalarErrorKind::InvalidTimestamp => Code::InvalidTimestamp,
        ScalarErrorKind::InvalidDuration => Code::InvalidDuration,
        ScalarErrorKind::InvalidBase64 => Code::InvalidBase64,
    }
}

/// A member's key; escapes in keys are rare.
fn key(member: Value<'_>) -> Cow<'_, str> {
    if member.key_is_escaped() { member.key() } else { Cow::Borrowed(member.raw_key()) }
}

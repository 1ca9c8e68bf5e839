//! UDM's schema as a table of facts: messages, their fields, and enums.
//!
//! The facts stand in `schema/*.tsv`, made by `schema/make.py` from PyPI `google-backstory`.

use std::collections::HashMap;
use std::sync::OnceLock;

const FIELDS: &str = include_str!("../../schema/udm_fields.tsv");
const ENUMS: &str = include_str!("../../schema/udm_enums.tsv");

/// A message of UDM, by its short proto name (`Noun`, `SecurityResult`).
#[derive(Debug)]
pub struct Message {
    /// The message's name inside package `google.backstory`.
    pub name: &'static str,
    /// Its fields, in the order of the proto file.
    pub fields: Vec<Field>,
}

/// A field of a [`Message`].
#[derive(Debug)]
pub struct Field {
    /// The proto's own name, snake_case.
    pub name: &'static str,
    /// The name in protobuf's canonical JSON, camelCase.
    pub json_name: &'static str,
    /// What it holds.
    pub kind: Type,
    /// How many it holds.
    pub cardinality: Cardinality,
    /// Whether Google marks it as deprecated.
    pub deprecated: bool,
    /// Whether being there without a value differs from being absent (proto3's `optional`).
    pub optional: bool,
    /// The group of fields of which only one can be there, if it belongs to one.
    pub oneof: Option<&'static str>,
}

/// What a [`Field`] holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    /// Text.
    String,
    /// Bytes, base64 in JSON.
    Bytes,
    /// `true` or `false`.
    Bool,
    /// A whole number with its range, both ends included.
    Integer {
        /// The least value.
        min: i128,
        /// The greatest value.
        max: i128,
        /// Whether protobuf's JSON writes it in quotes (64-bit numbers).
        quoted: bool,
    },
    /// A number with a fraction.
    Float {
        /// Whether it is a `float` and no `double`.
        single: bool,
    },
    /// An enum, by its name for [`enumeration`].
    Enum(&'static str),
    /// Another message of UDM, by its name for [`message`].
    Message(&'static str),
    /// `google.protobuf.Timestamp`: an RFC 3339 text in JSON.
    Timestamp,
    /// A message from outside UDM (`google.protobuf.Struct`, `google.type.LatLng`, ...).
    Foreign(&'static str),
}

/// How many values a [`Field`] holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cardinality {
    /// At most one.
    Singular,
    /// A list.
    Repeated,
    /// A map from text.
    Map,
}

/// An enum of UDM.
#[derive(Debug)]
pub struct Enum {
    /// The enum's name, with the message it belongs to: `Metadata.EventType`.
    pub name: &'static str,
    /// Value names and numbers, in the order of the proto file.
    pub values: Vec<(&'static str, i32)>,
}

/// The message named `name`, such as `UDM`, the root of every event.
pub fn message(name: &str) -> Option<&'static Message> {
    table().get(name)
}

/// Every message, in no order.
pub(crate) fn messages() -> impl Iterator<Item = &'static Message> {
    table().values()
}

fn table() -> &'static HashMap<&'static str, Message> {
    static MESSAGES: OnceLock<HashMap<&'static str, Message>> = OnceLock::new();
    MESSAGES.get_or_init(read_messages)
}

/// The enum named `name`, such as `Metadata.EventType`.
pub fn enumeration(name: &str) -> Option<&'static Enum> {
    static TABLE: OnceLock<HashMap<&'static str, Enum>> = OnceLock::new();
    TABLE.get_or_init(read_enums).get(name)
}

impl Message {
    /// The field called `name`, in snake_case.
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|f| f.name == name)
    }
}

/// Whether the message of this name is a text with its key.
pub(crate) fn is_label(name: &str) -> bool {
    let text = |field| {
        let field = message(name).and_then(|message| message.field(field));
        field.is_some_and(|field| field.kind == Type::String && field.cardinality == Cardinality::Singular)
    };
    text("key") && text("value")
}

/// The one of `names` that `wanted` was most likely meant to be, if any is near enough. No name is near to a text of more
/// than 100 bytes.
pub fn nearest<'a>(wanted: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // Likeness takes time by the product of the lengths.
    if wanted.len() > 100 {
        return None;
    }
    let fold = |s: &str| s.to_ascii_lowercase().replace(['_', '-'], "");
    // A text of this length is not a mistyped name.
    if wanted.len() > 100 {
        return None;
    }
    let folded = fold(wanted);
    names
        .into_iter()
        .map(|name| (strsim::jaro_winkler(&folded, &fold(name)), name))
        .filter(|(likeness, _)| *likeness > 0.75)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, name)| name)
}

/// The rows of an embedded table, without its heading.
pub(crate) fn rows(table: &'static str) -> impl Iterator<Item = Vec<&'static str>> {
    table.lines().skip(1).map(|line| line.split('\t').collect())
}

fn read_messages() -> HashMap<&'static str, Message> {
    let mut messages: HashMap<&'static str, Message> = HashMap::new();
    for row in rows(FIELDS) {
        let [name, field, json_name, _number, kind, cardinality, reference, flags] = row[..] else {
            continue;
        };
        messages.entry(name).or_insert_with(|| Message { name, fields: Vec::new() }).fields.push(Field {
            name: field,
            json_name,
            kind: kind_of(kind, reference),
            cardinality: match cardinality {
                "repeated" => Cardinality::Repeated,
                "map" => Cardinality::Map,
                _ => Cardinality::Singular,
            },
            deprecated: flags.contains("deprecated"),
            optional: cardinality == "optional",
            oneof: cardinality.strip_prefix("oneof:"),
        });
    }
    messages
}

fn kind_of(kind: &'static str, reference: &'static str) -> Type {
    let integer = |min, max, quoted| Type::Integer { min, max, quoted };
    match kind {
        "string" => Type::String,
        "bytes" => Type::Bytes,
        "bool" => Type::Bool,
        "int32" => integer(i32::MIN.into(), i32::MAX.into(), false),
        "uint32" => integer(0, u32::MAX.into(), false),
        "int64" => integer(i64::MIN.into(), i64::MAX.into(), true),
        "uint64" => integer(0, u64::MAX.into(), true),
        "float" => Type::Float { single: true },
        "double" => Type::Float { single: false },
        "enum" => Type::Enum(reference),
        _ if reference == "google.protobuf.Timestamp" => Type::Timestamp,
        _ if reference.starts_with("google.") => Type::Foreign(reference),
        _ => Type::Message(reference),
    }
}

fn read_enums() -> HashMap<&'static str, Enum> {
    let mut enums: HashMap<&'static str, Enum> = HashMap::new();
    for row in rows(ENUMS) {
        let [name, value, number, ..] = row[..] else { continue };
        let Ok(number) = number.parse() else { continue };
        enums.entry(name).or_insert_with(|| Enum { name, values: Vec::new() }).values.push((value, number));
    }
    enums
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_read_and_every_reference_leads_somewhere() {
        let messages = read_messages();
        let fields = messages.values().map(|m| m.fields.len()).sum::<usize>();
        assert_eq!(fields, FIELDS.lines().count() - 1);
        let enums = read_enums();
        let values = enums.values().map(|e| e.values.len()).sum::<usize>();
        assert_eq!(values, ENUMS.lines().count() - 1);
        for message in messages.values() {
            for field in &message.fields {
                match field.kind {
                    Type::Enum(name) => assert!(enums.contains_key(name), "{}.{}", message.name, field.name),
                    // A message without fields has no rows, so it may be missing from the table.
                    Type::Message(name) => assert!(!name.is_empty(), "{}.{}", message.name, field.name),
                    _ => {}
                }
            }
        }
    }

    #[test]
    fn the_nearest_name_is_what_was_meant() {
        let names = || message("Metadata").unwrap().fields.iter().map(|f| f.name);
        assert_eq!(nearest("event_tpe", names()), Some("event_type"));
        assert_eq!(nearest("eventType", names()), Some("event_type"));
        assert_eq!(nearest("zzz", names()), None);
    }
}

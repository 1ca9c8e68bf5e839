//! UDM's schema made ready for reading events: every name leads to its field, and a field to what
//! lies below it, without a search.

use super::schema::{self, Cardinality, Field, Message, Type};
use foldhash::fast::FixedState;
use std::collections::HashMap;
use std::sync::OnceLock;

/// Google's format facts, made into `schema/udm_formats.tsv`.
const FORMATS: &str = include_str!("../../schema/udm_formats.tsv");

/// A message with its fields by name.
#[derive(Debug)]
pub(crate) struct Known {
    /// Both spellings of every field's name.
    names: HashMap<&'static str, u16, FixedState>,
    pub(crate) fields: Vec<Entry>,
}

/// A field, with what is known of it.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) field: &'static Field,
    /// Its place in [`Known::fields`], less than 128.
    pub(crate) place: u16,
    pub(crate) below: Below,
    pub(crate) format: Option<Format>,
    /// The fields, as bits by place, of which only one can be there.
    pub(crate) rivals: u128,
}

/// What a field holds.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Below {
    Scalar,
    Message(usize),
    Enum(usize),
    Struct,
}

/// What a text or number must look like, beyond its type.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Format {
    Hostname(usize),
    Bytes(usize),
    Chars(usize),
    Ip,
    Mac,
    Url,
    Email,
    Hash(usize),
    AssetId,
    Port,
    Score(f64),
}

/// An enum with its values by name.
#[derive(Debug)]
pub(crate) struct Values {
    pub(crate) of: &'static schema::Enum,
    names: HashMap<&'static str, i32, FixedState>,
}

/// All of UDM.
#[derive(Debug)]
pub(crate) struct Index {
    messages: Vec<Known>,
    enums: Vec<Values>,
    #[cfg(feature = "parser")]
    by_name: HashMap<&'static str, usize>,
    root: usize,
}

/// Names in both spellings, and types.
type OutsideFields = &'static [(&'static str, &'static str, Type)];

/// Messages from outside UDM that are read like its own.
const OUTSIDE: [(&str, OutsideFields); 2] = [
    (
        "google.type.Interval",
        &[("start_time", "startTime", Type::Timestamp), ("end_time", "endTime", Type::Timestamp)],
    ),
    (
        "google.type.LatLng",
        &[
            ("latitude", "latitude", Type::Float { single: false }),
            ("longitude", "longitude", Type::Float { single: false }),
        ],
    ),
];

/// The index, made at first use.
pub(crate) fn index() -> &'static Index {
    static INDEX: OnceLock<Index> = OnceLock::new();
    INDEX.get_or_init(Index::new)
}

impl Index {
    fn new() -> Index {
        // Kept, so that leak detectors see that it is.
        static MESSAGES: OnceLock<Vec<Message>> = OnceLock::new();
        let outside = MESSAGES.get_or_init(|| OUTSIDE.iter().map(outside).collect());
        let mut all: Vec<&'static Message> = schema::messages().chain(outside).collect();
        all.sort_by_key(|message| message.name);
        let ids: HashMap<&'static str, usize> = all.iter().enumerate().map(|(id, m)| (m.name, id)).collect();
        let mut index = Index {
            messages: Vec::new(),
            enums: Vec::new(),
            #[cfg(feature = "parser")]
            by_name: HashMap::new(),
            root: 0,
        };
        let formats = formats();
        for message in &all {
            let fields = message.fields.iter().enumerate();
            let fields = fields.map(|(place, field)| Entry {
                field,
                place: place as u16,
                below: match field.kind {
                    // A message without a row has no fields: like one with none that is known.
                    Type::Message(name) | Type::Foreign(name) if ids.contains_key(name) => {
                        Below::Message(ids[name])
                    }
                    Type::Foreign("google.protobuf.Struct") => Below::Struct,
                    Type::Enum(name) => index.enumeration(name),
                    _ => Below::Scalar,
                },
                format: formats.get(&(message.name, field.name)).copied(),
                rivals: message
                    .fields
                    .iter()
                    .enumerate()
                    .filter(|(other, f)| field.oneof.is_some() && f.oneof == field.oneof && *other != place)
                    .fold(0, |bits, (other, _)| bits | 1 << other),
            });
            let fields: Vec<Entry> = fields.collect();
            let mut names = HashMap::with_hasher(FixedState::default());
            for entry in &fields {
                names.insert(entry.field.name, entry.place);
                names.insert(entry.field.json_name, entry.place);
            }
            index.messages.push(Known { names, fields });
        }
        index.root = ids.get("UDM").copied().unwrap_or(0);
        #[cfg(feature = "parser")]
        {
            index.by_name = ids;
        }
        index
    }

    fn enumeration(&mut self, name: &'static str) -> Below {
        let Some(of) = schema::enumeration(name) else { return Below::Scalar };
        let at = self.enums.iter().position(|known| known.of.name == name);
        Below::Enum(at.unwrap_or_else(|| {
            self.enums.push(Values { of, names: of.values.iter().copied().collect() });
            self.enums.len() - 1
        }))
    }

    /// The message with this name.
    #[cfg(feature = "parser")]
    pub(crate) fn named(&self, name: &str) -> Option<&Known> {
        self.by_name.get(name).map(|id| &self.messages[*id])
    }

    /// The message of every event.
    pub(crate) fn root(&self) -> &Known {
        &self.messages[self.root]
    }

    pub(crate) fn message(&self, id: usize) -> &Known {
        &self.messages[id]
    }

    pub(crate) fn values(&self, id: usize) -> &Values {
        &self.enums[id]
    }
}

impl Known {
    /// The field with this name, in either spelling.
    pub(crate) fn field(&self, name: &str) -> Option<&Entry> {
        self.names.get(name).map(|place| &self.fields[usize::from(*place)])
    }
}

impl Values {
    /// The number of the value with this name.
    pub(crate) fn number(&self, name: &str) -> Option<i32> {
        self.names.get(name).copied()
    }

    /// The name of the value with this number.
    pub(crate) fn name(&self, number: i32) -> Option<&'static str> {
        self.of.values.iter().find(|(_, n)| *n == number).map(|(name, _)| *name)
    }
}

fn outside((name, fields): &(&'static str, OutsideFields)) -> Message {
    let field = |(name, json_name, kind): &(&'static str, &'static str, Type)| Field {
        name,
        json_name,
        kind: *kind,
        cardinality: Cardinality::Singular,
        deprecated: false,
        optional: false,
        oneof: None,
    };
    Message { name, fields: fields.iter().map(field).collect() }
}

fn formats() -> HashMap<(&'static str, &'static str), Format> {
    let row = |row: Vec<&'static str>| {
        let [message, field, format, limit, ..] = row[..] else { return None };
        let limit = || limit.parse().unwrap_or(0);
        let format = match format {
            "hostname" => Format::Hostname(limit()),
            "bytes" => Format::Bytes(limit()),
            "chars" => Format::Chars(limit()),
            "ip" => Format::Ip,
            "mac" => Format::Mac,
            "url" => Format::Url,
            "email" => Format::Email,
            "hash" => Format::Hash(limit()),
            "asset-id" => Format::AssetId,
            "port" => Format::Port,
            "score" => Format::Score(limit() as f64),
            _ => return None,
        };
        Some(((message, field), format))
    };
    schema::rows(FORMATS).filter_map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_is_found_by_both_names_and_every_format_is_used() {
        let index = index();
        let mut with_format = 0;
        for known in &index.messages {
            assert!(known.fields.len() < 128);
            for entry in &known.fields {
                for name in [entry.field.name, entry.field.json_name] {
                    assert_eq!(known.field(name).unwrap().place, entry.place, "{name}");
                }
                with_format += usize::from(entry.format.is_some());
            }
        }
        assert_eq!(with_format, FORMATS.lines().count() - 1);
        assert!(
            index
                .root()
                .field("securityResult")
                .is_some_and(|entry| entry.field.cardinality == Cardinality::Repeated)
        );
    }
}

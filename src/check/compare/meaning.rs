//! What an event means: its fields with one name each, its values with one spelling each.

use super::rules::Rules;
use crate::check::paths::bare;
use crate::json::{Kind, Value};
use crate::udm::index::{Below, Entry, Known, index};
use crate::udm::scalar::{self, Scalar};
use crate::udm::schema::Cardinality;
use chrono::{DateTime, SecondsFormat};
use std::borrow::Cow;
use twox_hash::XxHash3_128;

/// What an event means. Two events with equal meanings are the same.
#[derive(Debug, Clone, PartialEq)]
pub struct Meaning {
    pub(super) root: Node,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Node {
    /// Members sorted by name.
    Object(Vec<(Cow<'static, str>, Node)>),
    /// Elements, and whether it is a set: then they are sorted.
    List(Vec<Node>, bool),
    Leaf(Leaf),
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Leaf {
    Null,
    Text(String),
    Bytes(Vec<u8>),
    Bool(bool),
    Integer(i128),
    Float(f64),
    Enum(i32, Option<&'static str>),
    Time(i64, u32),
    Duration(i128),
    /// A value that does not fit its field, as it is written.
    Invalid(String),
}

impl Meaning {
    /// What `event` means. Values that do not fit their fields are kept as they are written.
    pub fn of(event: Value<'_>, rules: &Rules) -> Meaning {
        let reader = EventReader { rules, longest: rules.longest() };
        let root = if event.kind() == Kind::Object {
            reader.message(event, index().root(), "")
        } else {
            Node::Leaf(Leaf::Invalid(event.raw().to_owned()))
        };
        Meaning { root }
    }

    /// A digest: the same for the same meaning.
    pub fn digest(&self) -> u128 {
        self.digest_of(Encoding::default())
    }

    pub(super) fn digest_of(&self, encoding: Encoding) -> u128 {
        let mut bytes = Vec::with_capacity(1024);
        encoding.node(&self.root, &mut bytes);
        XxHash3_128::oneshot(&bytes)
    }

    /// The value at a path of names.
    pub(super) fn at(&self, path: &[&str]) -> Option<&Leaf> {
        let mut node = &self.root;
        for name in path {
            let Node::Object(members) = node else { return None };
            node = &members.iter().find(|(key, _)| key == name)?.1;
        }
        match node {
            Node::Leaf(leaf) => Some(leaf),
            _ => None,
        }
    }

    /// How many values it has.
    pub fn size(&self) -> usize {
        self.root.size()
    }
}

/// What goes into a digest.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Encoding {
    /// Without any time.
    pub(super) timeless: bool,
    /// With every list as a set.
    pub(super) unordered: bool,
}

impl Encoding {
    pub(super) fn node(self, node: &Node, to: &mut Vec<u8>) {
        match node {
            Node::Object(members) => {
                to.push(b'{');
                for (name, value) in members {
                    if self.timeless && matches!(value, Node::Leaf(Leaf::Time(..))) {
                        continue;
                    }
                    text(name, to);
                    self.node(value, to);
                }
                to.push(b'}');
            }
            Node::List(elements, _) if self.unordered => {
                let mut digests: Vec<u128> = elements
                    .iter()
                    .map(|element| {
                        let mut bytes = Vec::new();
                        self.node(element, &mut bytes);
                        XxHash3_128::oneshot(&bytes)
                    })
                    .collect();
                digests.sort_unstable();
                to.push(b'[');
                digests.iter().for_each(|digest| to.extend(digest.to_le_bytes()));
                to.push(b']');
            }
            Node::List(elements, _) => {
                to.push(b'[');
                elements.iter().for_each(|element| self.node(element, to));
                to.push(b']');
            }
            Node::Leaf(leaf) => match leaf {
                Leaf::Null => to.push(b'0'),
                Leaf::Text(value) => {
                    to.push(b't');
                    text(value, to);
                }
                Leaf::Invalid(value) => {
                    to.push(b'w');
                    text(value, to);
                }
                Leaf::Bytes(value) => {
                    to.push(b'b');
                    to.extend(value.len().to_le_bytes());
                    to.extend(value);
                }
                Leaf::Bool(value) => to.extend([b'?', u8::from(*value)]),
                Leaf::Integer(value) => number(b'i', *value, to),
                Leaf::Float(value) => number(b'f', value.to_bits().into(), to),
                Leaf::Enum(value, _) => number(b'e', (*value).into(), to),
                Leaf::Time(seconds, nanos) => {
                    number(b'z', i128::from(*seconds) << 32 | i128::from(*nanos), to)
                }
                Leaf::Duration(value) => number(b'd', *value, to),
            },
        }
    }
}

fn text(text: &str, to: &mut Vec<u8>) {
    to.extend(text.len().to_le_bytes());
    to.extend(text.as_bytes());
}

fn number(kind: u8, number: i128, to: &mut Vec<u8>) {
    to.push(kind);
    to.extend(number.to_le_bytes());
}

/// Reads an event. Paths are without indexes, and kept only where a rule may name them.
struct EventReader<'r> {
    rules: &'r Rules,
    /// The bytes of the longest path that a rule names.
    longest: usize,
}

/// Any path that no rule names: it has a character that no field's name has.
const UNNAMED: &str = "\0";

impl EventReader<'_> {
    fn below(&self, path: &str, name: &str) -> String {
        match path {
            _ if path == UNNAMED || path.len() + name.len() > self.longest => UNNAMED.to_owned(),
            "" => name.to_owned(),
            path => format!("{path}.{name}"),
        }
    }

    fn message(&self, value: Value<'_>, known: &Known, path: &str) -> Node {
        let mut members: Vec<(Cow<'static, str>, Node)> = Vec::new();
        for member in value.children().filter(|member| member.kind() != Kind::Null) {
            let key = member.key();
            let (name, node) = match known.field(&key) {
                Some(entry) => {
                    let here = self.below(path, entry.field.name);
                    if self.rules.is_ignored(&here) {
                        continue;
                    }
                    let Some(node) = self.field(member, entry, &here) else { continue };
                    (Cow::Borrowed(entry.field.name), node)
                }
                None => {
                    let name = bare(&key);
                    let here = self.below(path, &name);
                    if self.rules.is_ignored(&here) {
                        continue;
                    }
                    (Cow::Owned(name), self.free(member, &here))
                }
            };
            members.push((name, node));
        }
        // Of a field given twice the last counts; sorting keeps the order of equal names.
        members.sort_by(|a, b| b.0.cmp(&a.0));
        members.reverse();
        members.dedup_by(|later, earlier| later.0 == earlier.0);
        Node::Object(members)
    }

    /// A field's value; nothing, if it is as good as absent.
    fn field(&self, value: Value<'_>, entry: &Entry, path: &str) -> Option<Node> {
        match (entry.field.cardinality, value.kind()) {
            (Cardinality::Repeated, Kind::Array) => {
                let elements: Vec<Node> =
                    value.children().map(|element| self.value(element, entry, path)).collect();
                (!elements.is_empty()).then(|| self.list(elements, path))
            }
            (Cardinality::Map, Kind::Object) => {
                let mut members: Vec<(Cow<'static, str>, Node)> = value
                    .children()
                    .map(|member| (Cow::Owned(member.key().into_owned()), self.value(member, entry, path)))
                    .collect();
                members.sort_by(|a, b| a.0.cmp(&b.0));
                (!members.is_empty()).then_some(Node::Object(members))
            }
            (Cardinality::Singular, kind) if kind != Kind::Array => {
                let node = self.value(value, entry, path);
                let keeps = entry.field.optional || entry.field.oneof.is_some();
                (keeps || !node.is_default()).then_some(node)
            }
            _ => Some(Node::Leaf(Leaf::Invalid(value.raw().to_owned()))),
        }
    }

    fn list(&self, mut elements: Vec<Node>, path: &str) -> Node {
        let set = self.rules.is_set(path);
        if set {
            elements.sort_by_cached_key(|element| {
                let mut bytes = Vec::new();
                Encoding::default().node(element, &mut bytes);
                bytes
            });
        }
        Node::List(elements, set)
    }

    fn value(&self, value: Value<'_>, entry: &Entry, path: &str) -> Node {
        match (entry.below, value.kind()) {
            (Below::Message(id), Kind::Object) => self.message(value, index().message(id), path),
            (Below::Struct, Kind::Object) => self.free(value, path),
            (Below::Scalar | Below::Enum(_), kind) if kind != Kind::Null => Node::Leaf(leaf(value, entry)),
            _ => Node::Leaf(Leaf::Invalid(value.raw().to_owned())),
        }
    }

    /// A value without a schema.
    fn free(&self, value: Value<'_>, path: &str) -> Node {
        match value.kind() {
            Kind::Object => {
                let mut members: Vec<(Cow<'static, str>, Node)> = Vec::new();
                for member in value.children() {
                    let key = member.key();
                    let here = self.below(path, &key);
                    if !self.rules.is_ignored(&here) {
                        members.push((Cow::Owned(key.into_owned()), self.free(member, &here)));
                    }
                }
                members.sort_by(|a, b| a.0.cmp(&b.0));
                Node::Object(members)
            }
            Kind::Array => {
                self.list(value.children().map(|element| self.free(element, path)).collect(), path)
            }
            Kind::Text => Node::Leaf(Leaf::Text(value.text().into_owned())),
            Kind::Number => Node::Leaf(Leaf::Float(unsigned_zero(value.raw().parse().unwrap_or(f64::NAN)))),
            Kind::Bool => Node::Leaf(Leaf::Bool(value.raw() == "true")),
            Kind::Null => Node::Leaf(Leaf::Null),
        }
    }
}

fn leaf(value: Value<'_>, entry: &Entry) -> Leaf {
    match scalar::read(value, entry) {
        Ok(Scalar::Text(text)) => Leaf::Text(text.into_owned()),
        Ok(Scalar::Bytes(bytes)) => Leaf::Bytes(bytes),
        Ok(Scalar::Bool(b)) => Leaf::Bool(b),
        Ok(Scalar::Integer(n)) => Leaf::Integer(n),
        Ok(Scalar::Float(f)) => Leaf::Float(unsigned_zero(f)),
        Ok(Scalar::Enum(number)) => {
            let name = match entry.below {
                Below::Enum(id) => index().values(id).name(number),
                _ => None,
            };
            Leaf::Enum(number, name)
        }
        Ok(Scalar::Time(seconds, nanos)) => Leaf::Time(seconds, nanos),
        Ok(Scalar::Duration(nanos)) => Leaf::Duration(nanos),
        Err(_) => Leaf::Invalid(value.raw().to_owned()),
    }
}

/// `-0` is `0`.
fn unsigned_zero(f: f64) -> f64 {
    if f == 0.0 { 0.0 } else { f }
}

impl Node {
    /// Whether protobuf's writers leave it out of a field that keeps no difference.
    fn is_default(&self) -> bool {
        match self {
            Node::Leaf(Leaf::Text(text)) => text.is_empty(),
            Node::Leaf(Leaf::Bytes(bytes)) => bytes.is_empty(),
            Node::Leaf(Leaf::Bool(b)) => !b,
            Node::Leaf(Leaf::Integer(0) | Leaf::Enum(0, _)) => true,
            Node::Leaf(Leaf::Float(f)) => *f == 0.0,
            _ => false,
        }
    }

    /// The value for a person, in the manner of JSON.
    pub(super) fn shown(&self) -> String {
        match self {
            Node::Object(members) => {
                let members: Vec<String> =
                    members.iter().map(|(name, value)| format!("\"{name}\":{}", value.shown())).collect();
                format!("{{{}}}", members.join(","))
            }
            Node::List(elements, _) => {
                format!("[{}]", elements.iter().map(Node::shown).collect::<Vec<_>>().join(","))
            }
            Node::Leaf(leaf) => leaf.shown(),
        }
    }

    /// How many values there are in it.
    pub(super) fn size(&self) -> usize {
        match self {
            Node::Object(members) if !members.is_empty() => {
                members.iter().map(|(_, value)| value.size()).sum()
            }
            Node::List(elements, _) if !elements.is_empty() => elements.iter().map(Node::size).sum(),
            _ => 1,
        }
    }
}

impl Leaf {
    fn shown(&self) -> String {
        let quoted = |text: &str| serde_json::Value::from(text).to_string();
        match self {
            Leaf::Null => "null".into(),
            Leaf::Text(text) => quoted(text),
            Leaf::Bytes(bytes) => {
                use base64::Engine as _;
                quoted(&base64::prelude::BASE64_STANDARD.encode(bytes))
            }
            Leaf::Bool(b) => b.to_string(),
            Leaf::Integer(n) => n.to_string(),
            Leaf::Float(f) => f.to_string(),
            Leaf::Enum(number, name) => name.map_or_else(|| number.to_string(), quoted),
            Leaf::Time(seconds, nanos) => {
                let time = DateTime::from_timestamp(*seconds, *nanos).unwrap_or_default();
                quoted(&time.to_rfc3339_opts(SecondsFormat::AutoSi, true))
            }
            Leaf::Duration(nanos) => quoted(&format!("{}s", *nanos as f64 / 1e9)),
            Leaf::Invalid(raw) => raw.clone(),
        }
    }
}

//! What an event means: its fields with one name each, its values with one spelling each.

use super::rules::Rules;
use crate::check::paths::bare;
use crate::json::{Kind, Value, may_vary};
use crate::udm::index::{Below, Entry, Known, index};
use crate::udm::scalar::{self, Scalar};
use crate::udm::schema::{Cardinality, Type};
use chrono::{DateTime, SecondsFormat};
use std::borrow::Cow;
use std::ops::Range;
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
    /// The place of a value that differs from event to event; only in the making of what such events have in common.
    Hole(usize),
}

/// A value of an event that may be another in an event that looks like it.
#[derive(Debug)]
#[cfg_attr(not(feature = "cli"), allow(dead_code, reason = "only what learns from events reads it"))]
pub(super) struct Varying {
    pub(super) place: Range<usize>,
    pub(super) kind: Kind,
    /// The field that it is of; none, if it is ignored.
    pub(super) entry: Option<&'static Entry>,
}

impl Meaning {
    /// What `event` means. Values that do not fit their fields are kept as they are written.
    pub fn of(event: Value<'_>, rules: &Rules) -> Meaning {
        Meaning { root: EventReader { rules, longest: rules.longest(), varying: None }.event(event) }
    }

    /// What an event means that says nothing.
    #[cfg(feature = "cli")]
    pub(super) fn nothing() -> Meaning {
        Meaning { root: Node::Object(Vec::new()) }
    }

    /// What `event` means, with holes where values may vary, and these values in the order of the text. Nothing, if
    /// other values could be at other places.
    #[cfg(feature = "cli")]
    pub(super) fn with_holes(event: Value<'_>, rules: &Rules) -> Option<(Meaning, Vec<Varying>)> {
        // The elements of a set are sorted.
        if rules.has_sets() {
            return None;
        }
        let mut reader = EventReader { rules, longest: rules.longest(), varying: Some(Vec::new()) };
        let root = reader.event(event);
        Some((Meaning { root }, reader.varying?))
    }

    /// A digest: the same for the same meaning.
    pub fn digest(&self) -> u128 {
        self.digest_of(Encoding::default(), &mut Vec::with_capacity(1024))
    }

    /// A digest of what this encoding keeps, which is made in `bytes`.
    pub(super) fn digest_of(&self, encoding: Encoding, bytes: &mut Vec<u8>) -> u128 {
        bytes.clear();
        encoding.node(&self.root, bytes);
        XxHash3_128::oneshot(bytes)
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
                let digest = |element: &Node| {
                    let start = to.len();
                    self.node(element, to);
                    let digest = XxHash3_128::oneshot(&to[start..]);
                    to.truncate(start);
                    digest
                };
                let mut digests: Vec<u128> = elements.iter().map(digest).collect();
                digests.sort_unstable();
                to.push(b'[');
                digests.iter().for_each(|digest| to.extend_from_slice(&digest.to_le_bytes()));
                to.push(b']');
            }
            Node::List(elements, _) => {
                to.push(b'[');
                elements.iter().for_each(|element| self.node(element, to));
                to.push(b']');
            }
            Node::Leaf(leaf) => self.leaf(leaf, to),
        }
    }

    /// A value alone, of which both kinds of encoding are the same.
    pub(super) fn leaf(self, leaf: &Leaf, to: &mut Vec<u8>) {
        match leaf {
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
                to.extend_from_slice(&value.len().to_le_bytes());
                to.extend_from_slice(value);
            }
            Leaf::Bool(value) => to.extend_from_slice(&[b'?', u8::from(*value)]),
            Leaf::Integer(value) => number(b'i', *value, to),
            Leaf::Float(value) => number(b'f', value.to_bits().into(), to),
            Leaf::Enum(value, _) => number(b'e', (*value).into(), to),
            Leaf::Time(seconds, nanos) => number(b'z', i128::from(*seconds) << 32 | i128::from(*nanos), to),
            Leaf::Duration(value) => number(b'd', *value, to),
            Leaf::Hole(_) => {}
        }
    }
}

fn text(text: &str, to: &mut Vec<u8>) {
    to.extend_from_slice(&text.len().to_le_bytes());
    to.extend_from_slice(text.as_bytes());
}

fn number(kind: u8, number: i128, to: &mut Vec<u8>) {
    to.push(kind);
    to.extend_from_slice(&number.to_le_bytes());
}

/// Reads an event. Paths are without indexes, and kept only where a rule may name them.
struct EventReader<'r> {
    rules: &'r Rules,
    /// The bytes of the longest path that a rule names.
    longest: usize,
    /// The values that may vary, if somebody asks for them.
    varying: Option<Vec<Varying>>,
}

/// Any path that no rule names: it has a character that no field's name has.
const UNNAMED: &str = "\0";

impl EventReader<'_> {
    fn event(&mut self, event: Value<'_>) -> Node {
        if event.kind() == Kind::Object {
            self.message(event, index().root(), "")
        } else {
            Node::Leaf(Leaf::Invalid(event.raw().to_owned()))
        }
    }

    fn below(&self, path: &str, name: &str) -> Cow<'static, str> {
        match path {
            _ if path == UNNAMED || path.len() + name.len() > self.longest => UNNAMED.into(),
            "" => name.to_owned().into(),
            path => format!("{path}.{name}").into(),
        }
    }

    /// Whether a value that is at this path is left out; it may vary then.
    fn ignores(&mut self, value: Value<'_>, path: &str) -> bool {
        let ignored = self.rules.is_ignored(path);
        if ignored && self.varying.is_some() {
            self.pass(value);
        }
        ignored
    }

    fn pass(&mut self, value: Value<'_>) {
        self.hole(value, None);
        value.children().for_each(|child| self.pass(child));
    }

    /// A hole in the place of this value, if it may vary and somebody asks for that.
    fn hole(&mut self, value: Value<'_>, entry: Option<&'static Entry>) -> Option<Leaf> {
        let varying = self.varying.as_mut()?;
        let place = may_vary(value)?;
        varying.push(Varying { place, kind: value.kind(), entry });
        Some(Leaf::Hole(varying.len() - 1))
    }

    fn message(&mut self, value: Value<'_>, known: &'static Known, path: &str) -> Node {
        let mut members: Vec<(Cow<'static, str>, Node)> = Vec::new();
        for member in value.children().filter(|member| member.kind() != Kind::Null) {
            let key = member.key();
            let (name, node) = match known.field(&key) {
                Some(entry) => {
                    let here = self.below(path, entry.field.name);
                    if self.ignores(member, &here) {
                        continue;
                    }
                    let Some(node) = self.field(member, entry, &here) else { continue };
                    (Cow::Borrowed(entry.field.name), node)
                }
                None => {
                    let name = bare(&key);
                    let here = self.below(path, &name);
                    if self.ignores(member, &here) {
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
    fn field(&mut self, value: Value<'_>, entry: &'static Entry, path: &str) -> Option<Node> {
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

    fn value(&mut self, value: Value<'_>, entry: &'static Entry, path: &str) -> Node {
        match (entry.below, value.kind()) {
            (Below::Message(id), Kind::Object) => self.message(value, index().message(id), path),
            (Below::Struct, Kind::Object) => self.free(value, path),
            (Below::Scalar | Below::Enum(_), kind) if kind != Kind::Null => {
                let varies = matches!(
                    (entry.field.kind, kind),
                    (Type::String | Type::Timestamp, Kind::Text) | (Type::Integer { .. }, Kind::Number)
                );
                let hole = if varies { self.hole(value, Some(entry)) } else { None };
                Node::Leaf(hole.unwrap_or_else(|| leaf(value, entry)))
            }
            _ => Node::Leaf(Leaf::Invalid(value.raw().to_owned())),
        }
    }

    /// A value without a schema.
    fn free(&mut self, value: Value<'_>, path: &str) -> Node {
        match value.kind() {
            Kind::Object => {
                let mut members: Vec<(Cow<'static, str>, Node)> = Vec::new();
                for member in value.children() {
                    let key = member.key();
                    let here = self.below(path, &key);
                    if !self.ignores(member, &here) {
                        members.push((Cow::Owned(key.into_owned()), self.free(member, &here)));
                    }
                }
                members.sort_by(|a, b| a.0.cmp(&b.0));
                Node::Object(members)
            }
            Kind::Array => {
                let elements = value.children().map(|element| self.free(element, path)).collect();
                self.list(elements, path)
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
        Ok(scalar) => Leaf::of(scalar, entry),
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
    pub(super) fn of(scalar: Scalar<'_>, entry: &Entry) -> Leaf {
        match scalar {
            Scalar::Text(text) => Leaf::Text(text.into_owned()),
            Scalar::Bytes(bytes) => Leaf::Bytes(bytes),
            Scalar::Bool(b) => Leaf::Bool(b),
            Scalar::Integer(n) => Leaf::Integer(n),
            Scalar::Float(f) => Leaf::Float(unsigned_zero(f)),
            Scalar::Enum(number) => {
                let name = match entry.below {
                    Below::Enum(id) => index().values(id).name(number),
                    _ => None,
                };
                Leaf::Enum(number, name)
            }
            Scalar::Time(seconds, nanos) => Leaf::Time(seconds, nanos),
            Scalar::Duration(nanos) => Leaf::Duration(nanos),
        }
    }

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
            Leaf::Hole(_) => String::new(),
        }
    }
}

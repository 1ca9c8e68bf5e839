//! YAML read as JSON with the same values on the same lines, so that all that is asked of events in JSON can be asked of
//! those in YAML, and findings name the file's own lines.

mod scalars;

use crate::text::shown;
use granit_parser::{Event, Parser, ScalarStyle, Span, Tag};
use scalars::Plain;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

/// How many values a file may hold, aliases replaced: what is read takes some 150 bytes for each.
const MOST_VALUES: usize = 500_000;
/// How deep they may nest: less than in JSON, because what checks events takes more of the stack for each level.
const DEEPEST: usize = 64;
/// How many aliases there may be.
const MOST_ALIASES: usize = 10_000;

/// Whether a name is that of a YAML file, compressed or not.
pub(crate) fn is_yaml(name: &str) -> bool {
    let name = unpacked(name);
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    ["yaml", "yml"].iter().any(|yaml| extension.eq_ignore_ascii_case(yaml))
}

/// A name without the ending of a compressed file.
pub(crate) fn unpacked(name: &str) -> &str {
    let endings = ["gz", "gzip", "zst", "zstd", "bz2", "xz", "lz4", "sz", "snappy"];
    match name.rsplit_once('.') {
        Some((unpacked, ending)) if endings.iter().any(|packed| ending.eq_ignore_ascii_case(packed)) => {
            unpacked
        }
        _ => name,
    }
}

/// The JSON of a YAML file: an array with a value for each document.
#[derive(Debug, Default)]
pub(crate) struct YamlText {
    pub(crate) json: Vec<u8>,
    /// How many lines the JSON has so far.
    lines: u64,
    /// Where values and keys begin: in the JSON, and in the file.
    places: Vec<(usize, YamlPlace)>,
}

/// A place in a YAML file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct YamlPlace {
    /// The line, from 1.
    pub(crate) line: u64,
    /// The column, from 1, in characters.
    pub(crate) column: u64,
    /// The byte, from 0.
    pub(crate) byte: u64,
}

impl YamlPlace {
    const START: YamlPlace = YamlPlace { line: 1, column: 1, byte: 0 };

    fn of(marker: &granit_parser::Marker) -> YamlPlace {
        YamlPlace {
            line: marker.line().max(1) as u64,
            column: marker.col() as u64 + 1,
            byte: marker.byte_offset().unwrap_or(0) as u64,
        }
    }
}

/// Why a file is not YAML that can be read.
#[derive(Debug)]
pub(crate) struct YamlError {
    pub(crate) place: YamlPlace,
    pub(crate) message: String,
    /// Whether it may be YAML, but has more bytes than are read at once.
    pub(crate) too_long: bool,
}

impl YamlError {
    fn at(place: YamlPlace, message: impl Into<String>) -> YamlError {
        YamlError { place, message: message.into(), too_long: false }
    }
}

/// Reads a file in full; it holds at most `limit` bytes of text, with what aliases stand for.
///
/// # Errors
/// A [`YamlError`], if it is not YAML, holds more than can be read at once, or a value that readers of YAML take for
/// different ones.
pub(crate) fn read(text: &[u8], limit: usize) -> Result<YamlText, YamlError> {
    if text.len() > limit {
        let message = format!("the file is longer than {limit} bytes");
        return Err(YamlError { too_long: true, ..YamlError::at(YamlPlace::START, message) });
    }
    let not_utf8 = |error: std::str::Utf8Error| {
        let before = &text[..error.valid_up_to()];
        let line = 1 + memchr::memchr_iter(b'\n', before).count() as u64;
        let place = YamlPlace { line, column: 1, byte: before.len() as u64 };
        YamlError::at(place, "the text is not UTF-8")
    };
    let text = std::str::from_utf8(text).map_err(not_utf8)?;
    let mut documents = Documents { limit, ..Documents::default() };
    for event in Parser::new_from_str(text) {
        let (event, span) =
            event.map_err(|error| YamlError::at(YamlPlace::of(error.marker()), error.info()))?;
        documents.take(event, &span)?;
    }
    let mut read = YamlText { lines: 1, ..YamlText::default() };
    for document in &documents.read {
        read.json.push(if read.json.is_empty() { b'[' } else { b',' });
        read.write(document);
    }
    read.json.extend_from_slice(if read.json.is_empty() { b"[]" } else { b"]" });
    Ok(read)
}

/// A value of a document. Copies of it share what it holds.
#[derive(Debug, Clone)]
struct Node {
    place: YamlPlace,
    value: Value,
}

#[derive(Debug, Clone)]
enum Value {
    /// As JSON.
    Scalar(Rc<str>),
    List(Rc<[Node]>),
    Map(Rc<[Member]>),
}

#[derive(Debug, Clone)]
struct Member {
    place: YamlPlace,
    /// As JSON.
    key: Rc<str>,
    node: Node,
}

/// The key of a map that another one is merged with. As JSON it has no quotes, as no other key has.
const MERGE: &str = "<<";

/// A list or map that has begun.
#[derive(Debug)]
struct Open {
    place: YamlPlace,
    anchor: usize,
    /// The members of a map; without it, it is a list.
    members: Option<Vec<Member>>,
    key: Option<(YamlPlace, Rc<str>)>,
    nodes: Vec<Node>,
}

/// Makes values of what the parser says.
#[derive(Debug, Default)]
struct Documents {
    read: Vec<Node>,
    open: Vec<Open>,
    anchors: HashMap<usize, Node>,
    values: usize,
    bytes: usize,
    aliases: usize,
    limit: usize,
}

impl Documents {
    fn take(&mut self, event: Event<'_>, span: &Span) -> Result<(), YamlError> {
        let place = YamlPlace::of(&span.start);
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                self.count(place, 1, text.len())?;
                let is_plain = matches!(style, ScalarStyle::Plain);
                // Nothing is between the marks of a document.
                if self.open.is_empty() && is_plain && span.is_empty() && tag.is_none() {
                    return Ok(());
                }
                let is_key =
                    self.open.last().is_some_and(|open| open.members.is_some() && open.key.is_none());
                let json = match is_key {
                    true => key(&text, is_plain, tag.as_deref()),
                    false => scalar(&text, is_plain, tag.as_deref()),
                };
                let json = json.map_err(|message| YamlError::at(place, message))?;
                let node = Node { place, value: Value::Scalar(json.into()) };
                if anchor > 0 {
                    // Where it is a value, it is read as one.
                    let json = scalar(&text, is_plain, tag.as_deref()).unwrap_or_else(|_| json_text(&text));
                    self.anchors.insert(anchor, Node { place, value: Value::Scalar(json.into()) });
                }
                self.add(node)
            }
            Event::SequenceStart(_, anchor, tag) => self.begin(place, anchor, tag.as_deref(), "seq"),
            Event::MappingStart(_, anchor, tag) => self.begin(place, anchor, tag.as_deref(), "map"),
            Event::SequenceEnd | Event::MappingEnd => {
                let Some(open) = self.open.pop() else { return Ok(()) };
                let value = match open.members {
                    Some(members) => Value::Map(merged(members)?.into()),
                    None => Value::List(open.nodes.into()),
                };
                let node = Node { place: open.place, value };
                if open.anchor > 0 {
                    self.anchors.insert(open.anchor, node.clone());
                }
                self.add(node)
            }
            Event::Alias(anchor) => {
                self.aliases += 1;
                let Some(node) = self.anchors.get(&anchor).cloned() else {
                    return Err(YamlError::at(place, "the alias stands for a value that it is a part of"));
                };
                if self.aliases > MOST_ALIASES {
                    return Err(too_much(place));
                }
                self.count_copy(place, &node, self.open.len())?;
                self.add(Node { place, ..node })
            }
            _ => Ok(()),
        }
    }

    fn begin(
        &mut self,
        place: YamlPlace,
        anchor: usize,
        tag: Option<&Tag>,
        expected: &str,
    ) -> Result<(), YamlError> {
        self.count(place, 1, 0)?;
        if self.open.len() >= DEEPEST {
            return Err(too_much(place));
        }
        if let Some(tag) = tag.filter(|tag| !is_unspecific(tag) && tag.core_suffix() != Some(expected)) {
            return Err(YamlError::at(place, foreign(tag)));
        }
        let members = (expected == "map").then(Vec::new);
        self.open.push(Open { place, anchor, members, key: None, nodes: Vec::new() });
        Ok(())
    }

    /// Adds a value to the list or map that it is in.
    fn add(&mut self, node: Node) -> Result<(), YamlError> {
        let Some(open) = self.open.last_mut() else {
            self.read.push(node);
            return Ok(());
        };
        match (&mut open.members, open.key.take()) {
            (None, _) => open.nodes.push(node),
            (Some(members), Some((place, key))) => members.push(Member { place, key, node }),
            (Some(_), None) => match node.value {
                // What an alias stands for may be a number; as a key it is a text.
                Value::Scalar(json) if json.starts_with('"') || &*json == MERGE => {
                    open.key = Some((node.place, json))
                }
                Value::Scalar(json) => open.key = Some((node.place, json_text(&json).into())),
                _ => return Err(YamlError::at(node.place, "the key is not a text")),
            },
        }
        Ok(())
    }

    fn count(&mut self, place: YamlPlace, values: usize, bytes: usize) -> Result<(), YamlError> {
        self.values += values;
        self.bytes += bytes;
        if self.values > MOST_VALUES || self.bytes > self.limit { Err(too_much(place)) } else { Ok(()) }
    }

    /// Counts what an alias at this depth stands for.
    fn count_copy(&mut self, place: YamlPlace, node: &Node, depth: usize) -> Result<(), YamlError> {
        let bytes = if let Value::Scalar(json) = &node.value { json.len() } else { 0 };
        self.count(place, 1, bytes)?;
        if depth >= DEEPEST && !matches!(node.value, Value::Scalar(_)) {
            return Err(too_much(place));
        }
        match &node.value {
            Value::Scalar(_) => Ok(()),
            Value::List(nodes) => nodes.iter().try_for_each(|node| self.count_copy(place, node, depth + 1)),
            Value::Map(members) => members.iter().try_for_each(|member| {
                self.count(place, 0, member.key.len())?;
                self.count_copy(place, &member.node, depth + 1)
            }),
        }
    }
}

fn too_much(place: YamlPlace) -> YamlError {
    let message = format!(
        "more than is read at once: {MOST_VALUES} values, {DEEPEST} levels, {MOST_ALIASES} aliases, or too much text"
    );
    YamlError::at(place, message)
}

/// The members of a map, with those of the maps that it is merged with: its own come first, then those of the first.
fn merged(members: Vec<Member>) -> Result<Vec<Member>, YamlError> {
    if members.iter().all(|member| &*member.key != MERGE) {
        return Ok(members);
    }
    let (merges, mut members): (Vec<Member>, Vec<Member>) =
        members.into_iter().partition(|member| &*member.key == MERGE);
    let mut known: HashSet<Rc<str>> = members.iter().map(|member| Rc::clone(&member.key)).collect();
    let not_maps = |place| YamlError::at(place, "what `<<` merges is not a map");
    for merge in merges {
        let maps = match &merge.node.value {
            Value::List(maps) => &maps[..],
            _ => std::slice::from_ref(&merge.node),
        };
        for map in maps {
            let Value::Map(more) = &map.value else { return Err(not_maps(merge.place)) };
            // Where they are used, so that lines go on.
            let more = more.iter().filter(|member| known.insert(Rc::clone(&member.key))).cloned();
            members.extend(more.collect::<Vec<_>>());
        }
    }
    Ok(members)
}

/// Whether a tag names no type: `!`.
fn is_unspecific(tag: &Tag) -> bool {
    matches!(tag.parts(), ("!", "") | ("", "!"))
}

fn foreign(tag: &Tag) -> String {
    format!("the tag `{}` is not read: write the value without it", shown(&tag.original()))
}

/// A value as JSON, or why it has none.
fn scalar(text: &str, is_plain: bool, tag: Option<&Tag>) -> Result<String, String> {
    let not_of_tag =
        |tag: &Tag| Err(format!("`{}` is not a value for the tag `{}`", shown(text), shown(&tag.original())));
    let Some(tag) = tag else {
        return match scalars::plain(text) {
            _ if !is_plain => Ok(json_text(text)),
            Plain::Text => Ok(json_text(text)),
            Plain::Null => Ok("null".to_owned()),
            Plain::Bool(value) => Ok(value.to_string()),
            Plain::Number => Ok(text.to_owned()),
            Plain::OtherNumber => Err(ambiguous(text)),
        };
    };
    match tag.core_suffix() {
        _ if is_unspecific(tag) => Ok(json_text(text)),
        Some("str") => Ok(json_text(text)),
        Some("int") if scalars::is_json_number(text) && !text.contains(['.', 'e', 'E']) => {
            Ok(text.to_owned())
        }
        Some("float") if scalars::is_json_number(text) => Ok(text.to_owned()),
        Some("bool") => match scalars::boolean(&text.to_ascii_lowercase()) {
            Some(value) => Ok(value.to_string()),
            None => not_of_tag(tag),
        },
        Some("null") if scalars::plain(text) == Plain::Null => Ok("null".to_owned()),
        Some("int" | "float" | "null" | "map" | "seq") => not_of_tag(tag),
        _ => Err(foreign(tag)),
    }
}

/// A key as JSON, or why it has none.
fn key(text: &str, is_plain: bool, tag: Option<&Tag>) -> Result<String, String> {
    if is_plain && tag.is_none() && text == MERGE {
        return Ok(MERGE.to_owned());
    }
    let json = scalar(text, is_plain, tag)?;
    // A boolean `on` would be the key `true`.
    if json.starts_with('"') || json == text { Ok(json_text(text)) } else { Err(ambiguous(text)) }
}

fn ambiguous(text: &str) -> String {
    format!(
        "`{}` without quotes is not what it looks like (a number, boolean, or null): put it in quotes",
        shown(text)
    )
}

impl YamlText {
    /// Where the value or key begins in the file that holds this byte of the JSON.
    pub(crate) fn place_of(&self, at: usize) -> YamlPlace {
        let behind = self.places.partition_point(|(json, _)| *json <= at);
        behind.checked_sub(1).map_or(YamlPlace::START, |place| self.places[place].1)
    }

    /// Goes on to the line of a value. What an alias stands for is on an earlier line, and goes on where it is used.
    fn go_to(&mut self, place: YamlPlace) {
        while self.lines < place.line {
            self.json.push(b'\n');
            self.lines += 1;
        }
        self.places.push((self.json.len(), place));
    }

    fn write(&mut self, node: &Node) {
        self.go_to(node.place);
        match &node.value {
            Value::Scalar(json) => self.json.extend_from_slice(json.as_bytes()),
            Value::List(nodes) => {
                self.json.push(b'[');
                for (place, node) in nodes.iter().enumerate() {
                    if place > 0 {
                        self.json.push(b',');
                    }
                    self.write(node);
                }
                self.json.push(b']');
            }
            Value::Map(members) => {
                self.json.push(b'{');
                for (place, member) in members.iter().enumerate() {
                    if place > 0 {
                        self.json.push(b',');
                    }
                    self.go_to(member.place);
                    self.json.extend_from_slice(member.key.as_bytes());
                    self.json.push(b':');
                    self.write(&member.node);
                }
                self.json.push(b'}');
            }
        }
    }
}

fn json_text(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests;

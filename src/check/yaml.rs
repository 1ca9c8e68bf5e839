//! YAML read as JSON with the same values on the same lines, so that all that is asked of events in JSON can be asked of
//! those in YAML, and findings name the file's own lines.

use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{DuplicateKeyPolicy, Location, NonFiniteFloatPolicy, Options, Spanned};
use std::fmt;

/// How many values a file may hold, aliases replaced: what is read takes some 150 bytes for each.
const MOST_VALUES: usize = 500_000;
/// How deep they may nest: less than in JSON, because what reads YAML takes more of the stack for each level.
const DEEPEST: usize = 64;
/// The stack that it gets: enough for the deepest file in a build without optimization, four times over.
const STACK_BYTES: usize = 32 << 20;
/// How many aliases there may be.
const MOST_ALIASES: usize = 10_000;

/// Whether a name is that of a YAML file, compressed or not.
pub(crate) fn is_yaml(name: &str) -> bool {
    let name = unpacked(name).to_ascii_lowercase();
    name.ends_with(".yaml") || name.ends_with(".yml")
}

/// A name without the ending of a compressed file.
pub(crate) fn unpacked(name: &str) -> &str {
    let endings = [".gz", ".gzip", ".zst", ".zstd", ".bz2", ".xz", ".lz4", ".sz", ".snappy"];
    endings.iter().find_map(|ending| name.strip_suffix(ending)).unwrap_or(name)
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

    fn of(location: &Location) -> YamlPlace {
        YamlPlace {
            line: location.line().max(1),
            column: location.column().max(1),
            byte: location.span().byte_offset().unwrap_or(0),
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
    fn at(place: YamlPlace, message: String) -> YamlError {
        YamlError { place, message, too_long: false }
    }
}

/// Reads a file in full; it holds at most `limit` bytes of text, with what aliases stand for.
///
/// # Errors
/// A [`YamlError`], if it is not YAML, or holds more than can be read at once.
pub(crate) fn read(text: &[u8], limit: usize) -> Result<YamlText, YamlError> {
    if text.len() > limit {
        let message = format!("the file is longer than {limit} bytes");
        return Err(YamlError { too_long: true, ..YamlError::at(YamlPlace::START, message) });
    }
    let not_utf8 = |error: std::str::Utf8Error| {
        let before = &text[..error.valid_up_to()];
        let line = 1 + memchr::memchr_iter(b'\n', before).count() as u64;
        let place = YamlPlace { line, column: 1, byte: before.len() as u64 };
        YamlError::at(place, "the text is not UTF-8".to_owned())
    };
    let text = std::str::from_utf8(text).map_err(not_utf8)?;
    let failed = |message: String| Err(YamlError::at(YamlPlace::START, message));
    std::thread::scope(|scope| {
        let reader = std::thread::Builder::new().stack_size(STACK_BYTES);
        match reader.spawn_scoped(scope, || as_json(text, limit)) {
            Ok(reader) => reader.join().unwrap_or_else(|_| failed("the reader of YAML failed".to_owned())),
            Err(error) => failed(format!("no thread can be started to read it: {error}")),
        }
    })
}

fn as_json(text: &str, limit: usize) -> Result<YamlText, YamlError> {
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_events: 4 * MOST_VALUES,
            max_nodes: MOST_VALUES,
            max_documents: MOST_VALUES,
            max_total_scalar_bytes: limit,
            max_recorded_anchor_bytes: limit,
            max_depth: DEEPEST,
            max_aliases: MOST_ALIASES,
        },
        // An event with a field twice is read as in JSON: that is a finding of its own.
        duplicate_keys: DuplicateKeyPolicy::PassThrough,
        non_finite_float_policy: NonFiniteFloatPolicy::PassThrough,
        with_snippet: false,
    };
    let documents: Vec<Spanned<Node>> = documents(text, options)?;
    let mut read = YamlText { lines: 1, ..YamlText::default() };
    for document in &documents {
        read.json.push(if read.json.is_empty() { b'[' } else { b',' });
        read.write(document);
    }
    read.json.extend_from_slice(if read.json.is_empty() { b"[]" } else { b"]" });
    Ok(read)
}

fn documents(text: &str, options: Options) -> Result<Vec<Spanned<Node>>, YamlError> {
    serde_saphyr::from_multiple_with_options(text, options).map_err(|error| {
        let location = error.location().unwrap_or(Location::UNKNOWN);
        let message = error.to_string();
        // The message is shown together with the place.
        let end = [" at line ", " (defined at", " (used at"].iter().filter_map(|mark| message.find(mark)).min();
        let message = match &message[..end.unwrap_or(message.len())] {
            message if message.starts_with("budget breached") => format!(
                "more than is read at once: {MOST_VALUES} values, {DEEPEST} levels, {MOST_ALIASES} aliases, or too much \
                 text"
            ),
            message => message.to_owned(),
        };
        YamlError::at(YamlPlace::of(&location), message)
    })
}

impl YamlText {
    /// Where the value or key begins in the file that holds this byte of the JSON.
    pub(crate) fn place_of(&self, at: usize) -> YamlPlace {
        let behind = self.places.partition_point(|(json, _)| *json <= at);
        behind.checked_sub(1).map_or(YamlPlace::START, |place| self.places[place].1)
    }

    /// Goes on to the line of a value. What an alias stands for is on an earlier line, and goes on where it is used.
    fn go_to(&mut self, location: &Location) {
        while self.lines < location.line() {
            self.json.push(b'\n');
            self.lines += 1;
        }
        self.places.push((self.json.len(), YamlPlace::of(location)));
    }

    fn write(&mut self, node: &Spanned<Node>) {
        self.go_to(&node.referenced);
        match &node.value {
            Node::Scalar(json) => self.json.extend_from_slice(json.as_bytes()),
            Node::List(nodes) => {
                self.json.push(b'[');
                for (place, node) in nodes.iter().enumerate() {
                    if place > 0 {
                        self.json.push(b',');
                    }
                    self.write(node);
                }
                self.json.push(b']');
            }
            Node::Map(members) => {
                self.json.push(b'{');
                for (place, (key, node)) in members.iter().enumerate() {
                    if place > 0 {
                        self.json.push(b',');
                    }
                    self.go_to(&key.referenced);
                    self.json.extend_from_slice(json_text(&key.value).as_bytes());
                    self.json.push(b':');
                    self.write(node);
                }
                self.json.push(b'}');
            }
        }
    }
}

fn json_text(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// A value of a document.
#[derive(Debug)]
enum Node {
    /// As JSON.
    Scalar(String),
    List(Vec<Spanned<Node>>),
    Map(Vec<(Spanned<String>, Spanned<Node>)>),
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Node, D::Error> {
        from.deserialize_any(NodeVisitor)
    }
}

struct NodeVisitor;

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Node, E> {
        Ok(Node::Scalar(value.to_string()))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Node, E> {
        Ok(Node::Scalar(value.to_string()))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Node, E> {
        Ok(Node::Scalar(value.to_string()))
    }

    fn visit_i128<E: de::Error>(self, value: i128) -> Result<Node, E> {
        Ok(Node::Scalar(value.to_string()))
    }

    fn visit_u128<E: de::Error>(self, value: u128) -> Result<Node, E> {
        Ok(Node::Scalar(value.to_string()))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Node, E> {
        // What JSON has no number for, protobuf's JSON writes as a text.
        Ok(Node::Scalar(match serde_json::Number::from_f64(value) {
            Some(number) => number.to_string(),
            None if value.is_nan() => json_text("NaN"),
            None if value > 0.0 => json_text("Infinity"),
            None => json_text("-Infinity"),
        }))
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<Node, E> {
        Ok(Node::Scalar(json_text(value)))
    }

    fn visit_bytes<E: de::Error>(self, value: &[u8]) -> Result<Node, E> {
        use base64::Engine as _;
        Ok(Node::Scalar(json_text(&base64::prelude::BASE64_STANDARD.encode(value))))
    }

    fn visit_unit<E: de::Error>(self) -> Result<Node, E> {
        Ok(Node::Scalar("null".to_owned()))
    }

    fn visit_none<E: de::Error>(self) -> Result<Node, E> {
        self.visit_unit()
    }

    fn visit_some<D: Deserializer<'de>>(self, from: D) -> Result<Node, D::Error> {
        from.deserialize_any(self)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, from: D) -> Result<Node, D::Error> {
        from.deserialize_any(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<Node, A::Error> {
        let mut nodes = Vec::new();
        while let Some(node) = from.next_element()? {
            nodes.push(node);
        }
        Ok(Node::List(nodes))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut from: A) -> Result<Node, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = from.next_entry()? {
            members.push(member);
        }
        Ok(Node::Map(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(text: &str) -> String {
        String::from_utf8(read(text.as_bytes(), 1 << 20).unwrap().json).unwrap()
    }

    #[test]
    fn values_keep_their_lines() {
        for (yaml, expected) in [
            ("", "[]"),
            ("# nothing\n", "[]"),
            ("- a\n- b\n", "[[\"a\",\n\"b\"]]"),
            ("a: 1\n\nb:\n  c: 'x'\n", "[{\"a\":1,\n\n\"b\":\n{\"c\":\"x\"}}]"),
            ("a: 1\n---\nb: 2\n", "[{\"a\":1},\n\n{\"b\":2}]"),
            (
                "{a: [1, 2.5, true, null, ~, 'true'], b: }",
                "[{\"a\":[1,2.5,true,null,null,\"true\"],\"b\":null}]",
            ),
            (
                "a: 0x1F\nb: 1e3\nc: .inf\nd: 2024-01-01\n",
                "[{\"a\":31,\n\"b\":1000.0,\n\"c\":\"Infinity\",\n\"d\":\"2024-01-01\"}]",
            ),
            ("a: |\n  one\n  two\nb: x\n", "[{\"a\":\n\"one\\ntwo\\n\",\n\n\"b\":\"x\"}]"),
            ("a: &x\n  b: 1\nc: *x\n", "[{\"a\":\n{\"b\":1},\n\"c\":{\"b\":1}}]"),
            ("a: 1\na: 2\n", "[{\"a\":1,\n\"a\":2}]"),
            ("1: x\n", "[{\"1\":\"x\"}]"),
        ] {
            assert_eq!(json(yaml), expected, "{yaml}");
        }
    }

    /// What `udmap test --bless` writes is read as the same texts.
    #[test]
    fn what_is_written_is_read() {
        let texts =
            ["NO", "yes", "on", "1", "0x1F", "010", "1e3", ".inf", "null", "~", "", " a", "a: b", "- a", "#"];
        let times =
            ["2024-01-01", "2024-01-01T00:00:00Z", "12:30:45", "1_000", "\u{1b}", "a\nb\n", "<<", "*a", "&a"];
        let events = serde_json::json!({ "texts": texts, "times": times });
        let yaml = serde_saphyr::to_string(&events).unwrap();
        let read: serde_json::Value = serde_json::from_str(&json(&yaml)).unwrap();
        assert_eq!(read[0], events, "{yaml}");
    }

    #[test]
    fn places_are_those_of_the_file() {
        let text = "é: x\nlist:\n  - one\n  - two\n";
        let read = read(text.as_bytes(), 100).unwrap();
        let at = read.json.windows(3).position(|part| part == b"two").unwrap();
        let byte = text.find("two").unwrap() as u64;
        assert_eq!(read.place_of(at), YamlPlace { line: 4, column: 5, byte });
        assert_eq!(read.place_of(0), YamlPlace::START);
    }

    #[test]
    fn errors_say_where() {
        for (yaml, line, message) in [
            (&b"a: 1\nb: [1,\n"[..], 2, "unclosed bracket"),
            (b"a: 1\n  b: 2\n", 2, ""),
            (b"a: *x\n", 1, ""),
            (b"a: 1\n\xff", 2, "not UTF-8"),
            (b"a:\n\t- 1\n", 2, ""),
        ] {
            let error = read(yaml, 1 << 20).unwrap_err();
            assert_eq!(error.place.line, line, "{error:?}");
            assert!(error.message.contains(message) && !error.message.contains("line "), "{error:?}");
        }
    }

    #[test]
    fn memory_is_bounded() {
        let mut bomb = String::from("a0: &a0 x\n");
        for n in 1..40 {
            bomb += &format!("a{n}: &a{n} [{}]\n", vec![format!("*a{}", n - 1); 9].join(","));
        }
        let long = format!("a: &a '{}'\nb: [{}]\n", "x".repeat(100_000), vec!["*a"; 900].join(","));
        let deep = "[".repeat(100_000);
        let deep_block = (0..2000).fold(String::new(), |all, n| all + &" ".repeat(n) + "a:\n");
        let many = "- 1\n".repeat(MOST_VALUES + 1);
        for yaml in [bomb, long, deep, deep_block, many] {
            let error = read(yaml.as_bytes(), 8 << 20).unwrap_err();
            assert!(
                error.message.starts_with("more than") || error.message.starts_with("recursion"),
                "{error:?}"
            );
        }
        let as_deep_as_json = format!("{}1{}", "[".repeat(DEEPEST - 1), "]".repeat(DEEPEST - 1));
        let read = read(as_deep_as_json.as_bytes(), 1 << 20).unwrap();
        assert!(crate::json::Tree::default().read(&read.json).is_ok());
    }
}

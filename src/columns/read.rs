//! Takes the columns' values out of events.

use super::learnt::{ColumnPlaces, Learnt};
use super::{COLUMNS, TIME};
use crate::json::{Kind, Tree, Value};
use crate::time::{Instant, read_rfc3339};
use std::borrow::Cow;
use std::ops::Range;

/// The values of an event.
pub type Row<'e> = [Option<Cow<'e, str>>; COLUMNS.len()];
/// A key and what is below it.
#[derive(Debug, Clone, Default)]
struct ColumnNode {
    column: Option<usize>,
    /// Keys, in both of their spellings.
    below: Vec<(String, ColumnNode)>,
}

/// Reads events as the converter writes them: compact, in any spelling, in an envelope or not. It
/// remembers what they look like, so one is best used for many.
#[derive(Debug, Clone)]
pub struct Reader {
    root: ColumnNode,
    learnt: Learnt,
    tree: Tree,
}

impl Default for Reader {
    fn default() -> Reader {
        let mut fields = ColumnNode::default();
        for (column, path) in COLUMNS.iter().chain([&TIME]).enumerate() {
            fields.insert(path, column);
        }
        let mut root = fields.clone();
        for inner in ["read_only_udm", "readOnlyUdm"] {
            root.at("event").at("idm").below.push((inner.to_owned(), fields.clone()));
        }
        Reader { root, learnt: Learnt::default(), tree: Tree::default() }
    }
}

impl Reader {
    /// The time of an event, in microseconds since 1970, and the values of [`COLUMNS`]. Nothing for
    /// what the converter does not write.
    pub fn read<'e>(&mut self, text: &'e str) -> Option<(Option<i64>, Row<'e>)> {
        let event = text.as_bytes();
        let mut places = ColumnPlaces::default();
        let fits = self.learnt.fit(event, &mut places);
        if !fits {
            let mut walk = EventWalk { places: ColumnPlaces::default(), texts: Vec::new(), plain: true };
            walk.value(self.tree.read(event).ok()?, Some(&self.root), false);
            if walk.plain {
                self.learnt.learn(event, &walk.texts, &walk.places);
            }
            places = walk.places;
        }
        // What fits has no escapes.
        let value = |place: &Option<Range<usize>>| {
            let raw = text.get(place.clone()?)?;
            if fits { Some(Cow::Borrowed(raw)) } else { unescaped(raw) }
        };
        let time = value(&places[COLUMNS.len()]).and_then(|text| read_rfc3339(&text)).map(Instant::micros);
        Some((time, std::array::from_fn(|column| value(&places[column]))))
    }
}

/// A text as it is meant.
fn unescaped(raw: &str) -> Option<Cow<'_, str>> {
    if !raw.contains('\\') {
        return Some(Cow::Borrowed(raw));
    }
    serde_json::from_str(&format!("\"{raw}\"")).ok().map(Cow::Owned)
}

impl ColumnNode {
    fn at(&mut self, key: &str) -> &mut ColumnNode {
        let place = self.below.iter().position(|(known, _)| known == key).unwrap_or_else(|| {
            self.below.push((key.to_owned(), ColumnNode::default()));
            self.below.len() - 1
        });
        &mut self.below[place].1
    }

    fn insert(&mut self, path: &str, column: usize) {
        let (key, rest) = path.split_once('.').map_or((path, None), |(key, rest)| (key, Some(rest)));
        let mut spellings = vec![key.to_owned(), camel(key)];
        spellings.dedup();
        for key in spellings {
            let node = self.at(&key);
            match rest {
                Some(rest) => node.insert(rest, column),
                None => node.column = Some(column),
            }
        }
    }

    fn find(&self, key: &str) -> Option<&ColumnNode> {
        self.below.iter().find(|(known, _)| known == key).map(|(_, node)| node)
    }
}

/// `event_type` as `eventType`.
fn camel(name: &str) -> String {
    let mut made = String::with_capacity(name.len());
    let mut upper = false;
    for c in name.chars() {
        match c {
            '_' => upper = true,
            c if std::mem::take(&mut upper) => made.push(c.to_ascii_uppercase()),
            c => made.push(c),
        }
    }
    made
}

/// What is found on a walk through an event.
struct EventWalk {
    places: ColumnPlaces,
    /// Where texts are that are values.
    texts: Vec<Range<usize>>,
    /// Whether all values are texts.
    plain: bool,
}

impl EventWalk {
    /// A value, which is that of `node`; of a list, its first one is.
    fn value(&mut self, value: Value<'_>, node: Option<&ColumnNode>, in_list: bool) {
        let place = value.start()..value.start() + value.raw().len();
        let place = match value.kind() {
            Kind::Object => {
                return value.children().for_each(|member| {
                    let below = node.and_then(|node| node.find(member.raw_key()));
                    self.value(member, below, false);
                });
            }
            Kind::Array => {
                let mut first = node.filter(|_| !in_list);
                return value.children().for_each(|element| self.value(element, first.take(), true));
            }
            Kind::Text => {
                let text = place.start + 1..place.end - 1;
                self.texts.push(text.clone());
                text
            }
            Kind::Number | Kind::Bool | Kind::Null => {
                self.plain = false;
                place
            }
        };
        if let Some(column) = node.and_then(|node| node.column)
            && value.kind() != Kind::Null
        {
            self.places[column] = Some(place);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::convert::{Converter, Envelope, FieldNames, Options};
    use crate::mapping::Mapping;
    use serde_json::Value;

    /// The same by a tree.
    fn text(event: &Value, path: &str) -> Option<String> {
        let idm = event.get("event").and_then(|event| event.get("idm"));
        let inner = idm.and_then(|idm| idm.get("read_only_udm").or_else(|| idm.get("readOnlyUdm")));
        let mut value = inner.unwrap_or(event);
        for part in path.split('.') {
            value = value.get(part).or_else(|| value.get(camel(part)))?;
            if let Value::Array(all) = value {
                value = all.first()?;
            }
        }
        match value {
            Value::String(text) => Some(text.clone()),
            Value::Null | Value::Object(_) | Value::Array(_) => None,
            other => Some(other.to_string()),
        }
    }

    fn check(events: &[u8]) -> usize {
        let mut reader = Reader::default();
        let mut values = 0;
        for line in events.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            let event: Value = serde_json::from_slice(line).unwrap();
            let (time, row) = reader.read(std::str::from_utf8(line).unwrap()).unwrap();
            assert_eq!(time, text(&event, TIME).and_then(|text| read_rfc3339(&text)).map(Instant::micros));
            for (value, path) in row.iter().zip(COLUMNS) {
                values += usize::from(value.is_some());
                assert_eq!(value.as_deref().map(str::to_owned), text(&event, path), "{path}");
            }
        }
        values
    }

    #[test]
    fn columns_are_those_of_the_tree() {
        let log = include_bytes!("../../fixtures/quickstart/input.ndjson");
        for name in crate::mapping::builtin_mappings() {
            let mapping = Mapping::builtin(name).unwrap();
            for (field_names, envelope) in
                [(FieldNames::Snake, Envelope::Bare), (FieldNames::Camel, Envelope::Event)]
            {
                let namespace = Some("a \"b\" \\ \u{e9}".to_owned());
                let options = Options { field_names, envelope, namespace, ..Options::default() };
                let converter = Converter::new(&mapping, &options);
                assert!(check(&converter.convert(log).events) > 50);
                #[cfg(feature = "cli")]
                {
                    let mix = "v2=50,v1=20,awkward=20,shuffled=5,wrapped=5".parse().unwrap();
                    let log = crate::lab::Generator::records(5, &mix, 5_000);
                    assert!(check(&converter.convert(&log).events) > 50_000);
                }
            }
        }
        let odd = br#"{"metadata":{"event_type":null,"description":12.5,"log_type":true},"principal":{"ip":[],"asset":{"ip":[["x"],"y"]}},"security_result":[{},{"summary":"no"}],"target":{"hostname":{"x":"y"}}}"#;
        check(&[odd.as_slice(), b"\n{}\n"].concat());
        assert!(Reader::default().read("{\"a\":").is_none() && Reader::default().read("").is_none());
    }
}

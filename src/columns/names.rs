//! Finds the columns in an event by their names.

use super::{COLUMNS, TIME};
use crate::json::{Kind, Value};
use std::ops::Range;

/// Where values are, by column; the last is the time.
pub(super) type ColumnPlaces = [Option<Range<usize>>; COLUMNS.len() + 1];

/// The names of the columns' fields, in any spelling, in an envelope or not.
#[derive(Debug)]
pub(super) struct Names(Node);

/// A key and what is below it.
#[derive(Debug, Clone, Default)]
struct Node {
    column: Option<usize>,
    /// Keys, in both of their spellings.
    below: Vec<(String, Node)>,
}

impl Names {
    pub(super) fn new() -> Names {
        let mut fields = Node::default();
        for (column, path) in COLUMNS.iter().chain([&TIME]).enumerate() {
            fields.insert(path, column);
        }
        let mut root = fields.clone();
        for inner in ["read_only_udm", "readOnlyUdm"] {
            root.at("event").at("idm").below.push((inner.to_owned(), fields.clone()));
        }
        Names(root)
    }

    /// Where an event has the columns' values; texts without their quotes.
    pub(super) fn places(&self, event: Value<'_>) -> ColumnPlaces {
        let mut places = ColumnPlaces::default();
        walk(event, Some(&self.0), false, &mut places);
        places
    }
}

/// Takes a value, which is that of `node`; of a list, its first one is.
fn walk(value: Value<'_>, node: Option<&Node>, in_list: bool, places: &mut ColumnPlaces) {
    let place = value.start()..value.start() + value.raw().len();
    let place = match value.kind() {
        Kind::Object => {
            return value.children().for_each(|member| {
                let below = node.and_then(|node| node.find(member.raw_key()));
                walk(member, below, false, places);
            });
        }
        Kind::Array => {
            let first = node.filter(|_| !in_list);
            return value.children().take(1).for_each(|element| walk(element, first, true, places));
        }
        Kind::Null => return,
        Kind::Text => place.start + 1..place.end - 1,
        Kind::Number | Kind::Bool => place,
    };
    if let Some(column) = node.and_then(|node| node.column) {
        places[column] = Some(place);
    }
}

impl Node {
    fn at(&mut self, key: &str) -> &mut Node {
        let place = self.below.iter().position(|(known, _)| known == key).unwrap_or_else(|| {
            self.below.push((key.to_owned(), Node::default()));
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

    fn find(&self, key: &str) -> Option<&Node> {
        self.below.iter().find(|(known, _)| known == key).map(|(_, node)| node)
    }
}

/// `event_type` as `eventType`.
pub(super) fn camel(name: &str) -> String {
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

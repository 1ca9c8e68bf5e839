//! The tree, and its values.

use super::node::{JsonError, Kind, Node};
use super::read;
use std::borrow::Cow;

/// The values of one JSON text, in the order in which they begin. It can be filled again and
/// again, and keeps its memory.
#[derive(Debug, Default, Clone)]
pub struct Tree {
    nodes: Vec<Node>,
}

impl Tree {
    /// Reads `text` in full; its value.
    ///
    /// # Errors
    /// A [`JsonError`] when it is not UTF-8, not strict JSON, or 4 GiB or longer.
    pub fn read<'t>(&'t mut self, text: &'t [u8]) -> Result<Value<'t>, JsonError> {
        self.nodes.clear();
        let text = std::str::from_utf8(text).map_err(|error| JsonError {
            at: error.valid_up_to(),
            what: "the text is not UTF-8",
            too_deep: false,
        })?;
        read::read(text.as_bytes(), &mut self.nodes)?;
        Ok(Value { nodes: &self.nodes, text, at: 0 })
    }
}

/// One value of a [`Tree`].
#[derive(Clone, Copy)]
pub struct Value<'t> {
    nodes: &'t [Node],
    text: &'t str,
    at: u32,
}

impl std::fmt::Debug for Value<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.raw())
    }
}

impl<'t> Value<'t> {
    fn node(&self) -> &'t Node {
        &self.nodes[self.at as usize]
    }

    /// What it is.
    pub fn kind(&self) -> Kind {
        self.node().kind
    }

    /// The byte of the text at which it begins, from 0.
    pub fn start(&self) -> usize {
        self.node().start as usize
    }

    /// The value as it is written.
    pub fn raw(&self) -> &'t str {
        let node = self.node();
        &self.text[node.start as usize..node.end as usize]
    }

    /// Its key, if its parent is an object.
    pub fn key(&self) -> Cow<'t, str> {
        let node = self.node();
        let raw = self.raw_key();
        if node.key_escaped {
            unescaped(&self.text[node.key.0 as usize - 1..node.key.1 as usize + 1])
        } else {
            Cow::Borrowed(raw)
        }
    }

    /// The key as it is written, without its quotes.
    pub fn raw_key(&self) -> &'t str {
        let (start, end) = self.node().key;
        &self.text[start as usize..end as usize]
    }

    /// Whether the key is written with escapes.
    pub fn key_is_escaped(&self) -> bool {
        self.node().key_escaped
    }

    /// Where the key begins, or the value, if it has none.
    pub fn key_start(&self) -> usize {
        let node = self.node();
        if node.key.1 == 0 { node.start as usize } else { node.key.0 as usize - 1 }
    }

    /// Whether it is a text that is written with escapes.
    pub(crate) fn is_escaped(&self) -> bool {
        self.node().escaped
    }

    /// The value of a text; of anything else, how it is written.
    pub fn text(&self) -> Cow<'t, str> {
        let node = self.node();
        match node.kind {
            Kind::Text if node.escaped => unescaped(self.raw()),
            Kind::Text => Cow::Borrowed(&self.text[node.start as usize + 1..node.end as usize - 1]),
            _ => Cow::Borrowed(self.raw()),
        }
    }

    /// The members of an object, or the elements of an array.
    pub fn children(&self) -> Children<'t> {
        let end = if matches!(self.kind(), Kind::Object | Kind::Array) { self.node().next } else { self.at };
        Children { nodes: self.nodes, text: self.text, at: self.at + 1, end }
    }

    /// The last member with this key.
    pub fn member(&self, key: &str) -> Option<Value<'t>> {
        if self.kind() != Kind::Object {
            return None;
        }
        self.children().filter(|child| child.key() == key).last()
    }

    /// Whether it is empty: an object or array without children.
    pub fn is_empty(&self) -> bool {
        self.children().next().is_none()
    }
}

/// The children of a [`Value`].
#[derive(Clone)]
pub struct Children<'t> {
    nodes: &'t [Node],
    text: &'t str,
    at: u32,
    end: u32,
}

impl std::fmt::Debug for Children<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Children").finish_non_exhaustive()
    }
}

impl<'t> Iterator for Children<'t> {
    type Item = Value<'t>;

    fn next(&mut self) -> Option<Value<'t>> {
        if self.at >= self.end {
            return None;
        }
        let value = Value { nodes: self.nodes, text: self.text, at: self.at };
        self.at = self.nodes[self.at as usize].next;
        Some(value)
    }
}

/// The value of a JSON string, which was read before and so can't fail.
fn unescaped(quoted: &str) -> Cow<'_, str> {
    Cow::Owned(serde_json::from_str(quoted).unwrap_or_default())
}

//! A JSON text as a flat tree that knows where everything stands.
//!
//! Whoever checks a text must say where it is wrong, must see a key that is given twice, and must
//! keep a number as it is written. [`Tree`] does: its nodes are ranges of the text, in the order
//! of the text, and nothing is copied. It reads exactly what `serde_json` reads as strict JSON
//! (RFC 8259, no lone surrogates, at most 127 levels), which the tests hold.

mod read;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

/// What a [`Value`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `{...}`
    Object,
    /// `[...]`
    Array,
    /// `"..."`
    Text,
    /// A number.
    Number,
    /// `true` or `false`.
    Bool,
    /// `null`
    Null,
}

impl Kind {
    /// The kind with its article, for messages.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Object => "an object",
            Kind::Array => "a list",
            Kind::Text => "a text",
            Kind::Number => "a number",
            Kind::Bool => "a boolean",
            Kind::Null => "null",
        }
    }
}

/// Why a text is not JSON, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} at byte {at}")]
pub struct Flaw {
    /// The byte of the text, from 0.
    pub at: usize,
    /// What is wrong there.
    pub what: &'static str,
    /// Whether it is only nested too deeply.
    pub too_deep: bool,
}

/// The values of one JSON text, in the order in which they begin. It can be filled again and
/// again, and keeps its memory.
#[derive(Debug, Default, Clone)]
pub struct Tree {
    nodes: Vec<Node>,
}

#[derive(Debug, Clone, Copy)]
struct Node {
    kind: Kind,
    /// A text with escapes in it.
    escaped: bool,
    key_escaped: bool,
    /// The key's text, without its quotes; nothing, if both are 0.
    key: (u32, u32),
    start: u32,
    end: u32,
    /// The node behind this one and all below it.
    next: u32,
}

impl Tree {
    /// Reads `text` in full; its value.
    ///
    /// # Errors
    /// A [`Flaw`] when it is not UTF-8, not strict JSON, or 4 GiB or longer.
    pub fn read<'t>(&'t mut self, text: &'t [u8]) -> Result<Value<'t>, Flaw> {
        self.nodes.clear();
        let text = std::str::from_utf8(text).map_err(|error| Flaw {
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

    /// The key that it stands at, if its parent is an object.
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

    /// Whether nothing stands in it: an object or array without children.
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

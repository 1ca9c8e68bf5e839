//! What a tree is made of.

/// What a [`Value`](super::Value) is.
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

/// A value: ranges of the text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Node {
    pub(super) kind: Kind,
    /// A text with escapes in it.
    pub(super) escaped: bool,
    pub(super) key_escaped: bool,
    /// The key's text, without its quotes; nothing, if both are 0.
    pub(super) key: (u32, u32),
    pub(super) start: u32,
    pub(super) end: u32,
    /// The node behind this one and all below it.
    pub(super) next: u32,
}

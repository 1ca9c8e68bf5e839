//! What a parser's text says, as it is written.

use super::position::{Position, Word};

/// Something to do.
#[derive(Debug)]
pub(super) enum Statement {
    Plugin(Plugin),
    If(If),
    For(For),
}

/// A plugin with its options: `mutate { ... }`.
#[derive(Debug)]
pub(super) struct Plugin {
    pub(super) name: Word,
    pub(super) options: Vec<PluginOption>,
    /// Its number among all plugins, branches and loops of the text, from 0: Google's messages name it.
    pub(super) number: u32,
}

/// An option of a plugin.
#[derive(Debug)]
pub(super) struct PluginOption {
    pub(super) name: Word,
    pub(super) value: Literal,
}

/// What an option is set to.
#[derive(Debug)]
pub(super) enum Literal {
    /// A text, in quotes or bare.
    Text(Word),
    Array(Position, Vec<Literal>),
    Hash(Position, Vec<(Word, Literal)>),
}

impl Literal {
    pub(super) fn at(&self) -> Position {
        match self {
            Literal::Text(word) => word.at,
            Literal::Array(at, _) | Literal::Hash(at, _) => *at,
        }
    }

    /// What it is, with its article.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Literal::Text(_) => "a text",
            Literal::Array(..) => "a list",
            Literal::Hash(..) => "a hash",
        }
    }
}

/// `if`, `else if`, `else`.
#[derive(Debug)]
pub(super) struct If {
    pub(super) branches: Vec<Branch>,
}

/// A branch of an `if`.
#[derive(Debug)]
pub(super) struct Branch {
    pub(super) at: Position,
    pub(super) number: u32,
    /// Nothing for `else`.
    pub(super) condition: Option<Condition>,
    pub(super) body: Vec<Statement>,
}

/// A loop.
#[derive(Debug)]
pub(super) struct For {
    pub(super) at: Position,
    pub(super) number: u32,
    pub(super) variables: Vec<Word>,
    pub(super) over: Over,
    /// Whether it ends in `map`.
    pub(super) is_map: bool,
    pub(super) body: Vec<Statement>,
}

/// What a loop goes over.
#[derive(Debug)]
pub(super) enum Over {
    Token(Word),
    Xml { source: Word, xpath: Word },
}

/// What an `if` asks.
#[derive(Debug)]
pub(super) enum Condition {
    Or(Vec<Condition>),
    And(Vec<Condition>),
    Not(Box<Condition>),
    Compare {
        left: Operand,
        op: Comparison,
        right: Operand,
    },
    /// Whether a value counts as true.
    Holds(Operand),
}

/// How two values are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    NotEqual,
    Less,
    Greater,
    AtMost,
    AtLeast,
    Matches,
    MatchesNot,
    In,
    NotIn,
}

/// A value in a condition.
#[derive(Debug)]
pub(super) enum Operand {
    /// `[a][b]`, or a bare word.
    Token(Word),
    /// A text after both readings of its escapes, and after the first alone.
    Text {
        value: Word,
        once: String,
    },
    Number(Position, f64),
    Bool(Position, bool),
    List(Position, Vec<Operand>),
    /// A regex between slashes.
    Pattern(Word),
}

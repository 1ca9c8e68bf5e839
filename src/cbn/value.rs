//! What a token holds.

use std::ops::Range;

/// A text: a range of the state's buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Text {
    pub(super) start: u32,
    pub(super) len: u32,
}

impl Text {
    /// The text at these bytes of the buffer, which is smaller than 4 GiB.
    pub(super) fn at(range: Range<usize>) -> Text {
        Text { start: range.start as u32, len: (range.end - range.start) as u32 }
    }

    pub(super) fn range(self) -> Range<usize> {
        self.start as usize..self.start as usize + self.len as usize
    }

    pub(super) fn is_empty(self) -> bool {
        self.len == 0
    }
}

/// An object or a list of a state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ContainerId(pub(super) u32);

/// What a token holds.
#[derive(Debug, Clone, Copy, Default)]
pub(super) enum Value {
    /// Nothing: it is not set.
    #[default]
    Unset,
    Text(Text),
    /// A number of JSON.
    Number(f64),
    /// A whole number that `convert` made.
    Integer(i64),
    Unsigned(u64),
    /// A loop's counter: a number, but it can be put into texts.
    Counter(u32),
    Bool(bool),
    /// Since 1970-01-01T00:00:00Z.
    Time {
        seconds: i64,
        nanos: u32,
    },
    Container(ContainerId),
}

impl Value {
    pub(super) fn is_set(&self) -> bool {
        !matches!(self, Value::Unset)
    }

    /// The number, if it is one.
    pub(super) fn number(&self) -> Option<f64> {
        match *self {
            Value::Number(number) => Some(number),
            Value::Integer(number) => Some(number as f64),
            Value::Unsigned(number) => Some(number as f64),
            Value::Counter(number) => Some(f64::from(number)),
            _ => None,
        }
    }
}

/// What a container is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Shape {
    #[default]
    Object,
    List,
    /// A list that `split_columns` has made an object with keys from "0" on.
    Split,
}

impl Shape {
    pub(super) fn is_list(self) -> bool {
        self != Shape::Object
    }
}

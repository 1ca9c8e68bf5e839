//! Why a plugin or a condition failed, in Google's own words where they are known.

use super::state::TooLarge;
use std::borrow::Cow;

/// Why a statement failed. Most failures are caught by `on_error`, so they are made into words only when they are not.
#[derive(Debug, Clone)]
pub(super) enum Failure<'p> {
    /// A token that a text is made of is not set.
    NotSet { operation: &'static str, field: &'p str, source: &'p str },
    /// A token can't be put into a text.
    NotText { operation: &'static str, field: &'p str, source: &'p str, kind: &'static str },
    /// A token that a plugin reads is not set.
    NoSource { source: &'p str },
    /// A token that a plugin reads is not a text.
    WrongSource { source: &'p str, kind: &'static str },
    /// `copy` of a token that is not set.
    Copy { source: &'p str },
    /// A condition reads a token that is not set.
    Condition { token: &'p str },
    /// A loop goes over something that has no parts.
    WrongLoop { token: &'p str, kind: &'static str },
    /// `grok` found no pattern that matches.
    NoMatch,
    /// A token that `grok` would set is there already.
    NotOverwritable { field: &'p str },
    /// A conversion is not possible.
    Convert { field: &'p str, wanted: &'static str, value: Box<str> },
    /// Something else.
    Other(Cow<'static, str>),
    /// The log takes more memory than it may. It can't be caught.
    TooLarge,
    /// The log takes more steps than it may. It can't be caught.
    TooLong,
    /// The run was stopped. It can't be caught.
    Stopped,
}

impl From<TooLarge> for Failure<'_> {
    fn from(_: TooLarge) -> Self {
        Failure::TooLarge
    }
}

impl Failure<'_> {
    /// Whether `on_error` can't catch it.
    pub(super) fn is_final(&self) -> bool {
        matches!(self, Failure::TooLarge | Failure::TooLong | Failure::Stopped)
    }

    /// What failed, without where. Not escaped.
    pub(super) fn words(&self) -> String {
        match self {
            Failure::NotSet { operation, field, source } => {
                format!("{operation} failure: field \"{field}\": source field \"{source}\": field not set")
            }
            Failure::NotText { operation, field, source, kind } => format!(
                "{operation} failure: field \"{field}\": source field \"{source}\": expected a text, found {kind}; \
                 convert it to a string first"
            ),
            Failure::NoSource { source } => format!("source field \"{source}\": field not set"),
            Failure::WrongSource { source, kind } => {
                format!("source field \"{source}\": expected a text, found {kind}")
            }
            Failure::Copy { source } => format!(
                "copy failure: copy source field \"{source}\" must not be empty (try using replace to provide the \
                 value before calling copy)"
            ),
            Failure::Condition { token } => format!(
                "failed to evaluate expression: generic::invalid_argument: \"{token}\" not found in state data"
            ),
            Failure::WrongLoop { token, kind } => {
                format!("expected a list or an object in \"{token}\", found {kind}")
            }
            Failure::NoMatch => "failed to parse data with all match patterns".into(),
            Failure::NotOverwritable { field } => {
                format!("field \"{field}\" already exists in data and is not overwritable")
            }
            Failure::Convert { field, wanted, value } => {
                format!("convert failure: field \"{field}\": {value} is not {wanted}")
            }
            Failure::Other(words) => words.clone().into_owned(),
            Failure::TooLarge => "the log's tokens take more memory than they may".into(),
            Failure::TooLong => "the log takes more steps than it may".into(),
            Failure::Stopped => "the run was stopped".into(),
        }
    }

    /// The code that Google puts before it.
    pub(super) fn code(&self) -> &'static str {
        match self {
            Failure::NotOverwritable { .. } => "internal",
            Failure::TooLarge | Failure::TooLong => "resource_exhausted",
            Failure::Stopped => "cancelled",
            _ => "invalid_argument",
        }
    }
}

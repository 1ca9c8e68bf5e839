//! Why a parser's output is not an event, and in which field.

use crate::text::shown;

/// Why a parser's output is not an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::cbn) struct OutputError {
    /// The field's path, from its end.
    path: Vec<String>,
    message: String,
}

impl OutputError {
    pub(super) fn new(message: impl Into<String>) -> OutputError {
        OutputError { path: Vec::new(), message: message.into() }
    }

    pub(super) fn add(&mut self, more: &str) {
        self.message.push_str(more);
    }

    pub(super) fn below(mut self, name: &str) -> OutputError {
        self.path.push(shown(name));
        self
    }

    /// The field and what is wrong with it. Escaped.
    pub(in crate::cbn) fn words(&self) -> String {
        let path: Vec<&str> = self.path.iter().rev().map(String::as_str).collect();
        if path.is_empty() {
            self.message.clone()
        } else {
            format!("field \"{}\": {}", path.join("."), self.message)
        }
    }
}

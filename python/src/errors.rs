//! Errors as Python exceptions, with the command's texts and hints.

use pyo3::exceptions::PyException;
use pyo3::prelude::*;
use pyo3::{PyErr, create_exception};
use std::error::Error;
use std::io;
use udmap::cbn::ReadError;
use udmap::store;

create_exception!(udmap, UdmapError, PyException, "Something that udmap could not do.");
create_exception!(udmap, MappingError, UdmapError, "A mapping table that is not there, or faulty.");
create_exception!(udmap, InputError, UdmapError, "An input that can't be read, or not to its end.");
create_exception!(udmap, OutputError, UdmapError, "An output that can't be written.");
create_exception!(udmap, ParserError, UdmapError, "A parser that does not load.");
create_exception!(udmap, SendError, UdmapError, "Events that could not all be sent.");

/// An error with its causes, as the command says it.
pub(crate) fn words(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        let words = next.to_string();
        if !text.ends_with(&words) {
            text = format!("{text}: {words}");
        }
        cause = next.source();
    }
    text
}

/// An error of a file with its hint, if it has one.
pub(crate) fn store_words(error: &store::Error) -> String {
    match error.hint() {
        Some(hint) => format!("{}\nhint: {hint}", words(error)),
        None => words(error),
    }
}

pub(crate) fn mapping(error: &dyn Error) -> PyErr {
    MappingError::new_err(words(error))
}

pub(crate) fn listing(error: &store::Error) -> PyErr {
    InputError::new_err(store_words(error))
}

/// Why a parser does not load, with the name of its file if it is one.
pub(crate) fn parser(py: Python<'_>, name: Option<&str>, error: &ReadError) -> PyErr {
    let place = name.map_or_else(String::new, |name| format!("{name}:"));
    let hint = error.hint.map_or_else(String::new, |hint| format!("\nhint: {hint}"));
    let raised = ParserError::new_err(format!("{place}{error}{hint}"));
    let value = raised.value(py);
    let set = value
        .setattr("line", error.at.line)
        .and_then(|()| value.setattr("column", error.at.column))
        .and_then(|()| value.setattr("expected", &error.message));
    set.err().unwrap_or(raised)
}

/// Nobody sees it: the run was ended because nobody wants its result.
pub(crate) fn stopped() -> PyErr {
    UdmapError::new_err("stopped")
}

/// What a reader said.
pub(crate) fn input(error: io::Error) -> PyErr {
    InputError::new_err(io_words(error))
}

pub(crate) fn io_words(error: io::Error) -> String {
    match store::Error::from_io(error) {
        Ok(error) => store_words(&error),
        Err(error) => words(&error),
    }
}

/// Why inputs failed: a line each, then what to do about them.
#[derive(Default)]
pub(crate) struct Failures {
    failures: Vec<String>,
    hints: Vec<String>,
}

impl Failures {
    /// Adds one: what failed, and perhaps its hint on a line of its own.
    pub(crate) fn add(&mut self, words: &str) {
        let (failure, hint) = words.split_once('\n').unwrap_or((words, ""));
        self.failures.push(failure.to_owned());
        if !hint.is_empty() && !self.hints.iter().any(|known| known == hint) {
            self.hints.push(hint.to_owned());
        }
    }

    /// All of them; nothing if there are none.
    pub(crate) fn words(mut self) -> Option<String> {
        self.failures.append(&mut self.hints);
        (!self.failures.is_empty()).then(|| self.failures.join("\n"))
    }
}

//! Errors as Python exceptions, with the command's texts.

use pyo3::exceptions::PyException;
use pyo3::{PyErr, create_exception};
use std::error::Error;
use std::io;
use udmap::store;

create_exception!(udmap, UdmapError, PyException, "Something that udmap could not do.");
create_exception!(udmap, MappingError, UdmapError, "A mapping table that is not there, or faulty.");
create_exception!(udmap, InputError, UdmapError, "An input that can't be read, or not to its end.");

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

pub(crate) fn mapping(error: &dyn Error) -> PyErr {
    MappingError::new_err(words(error))
}

/// What a reader said.
pub(crate) fn input(error: io::Error) -> PyErr {
    InputError::new_err(input_words(error))
}

pub(crate) fn input_words(error: io::Error) -> String {
    match store::Error::from_io(error) {
        Ok(error) => error.to_string(),
        Err(error) => words(&error),
    }
}

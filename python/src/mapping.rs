//! Mapping tables.

use crate::errors;
use pyo3::prelude::*;
use std::collections::BTreeMap;
use udmap::mapping::files::{self, LoadedTable};

/// A table's name, its text, and the texts that it builds on.
type Texts = (String, String, BTreeMap<String, String>);

/// A mapping table that has been read and checked.
#[pyclass(frozen, module = "udmap")]
pub(crate) struct Mapping(pub(crate) LoadedTable);

#[pymethods]
impl Mapping {
    /// Loads a table: a built-in one's name, or a file.
    #[staticmethod]
    fn load(py: Python<'_>, name: &str) -> PyResult<Mapping> {
        py.detach(|| files::load(name)).map(Mapping).map_err(|error| errors::mapping(&error))
    }

    /// Makes a table again of its texts, where its files are not: what pickle uses.
    #[staticmethod]
    fn _of_texts(name: &str, text: &str, bases: BTreeMap<String, String>) -> PyResult<Mapping> {
        files::reload(name, text, &bases).map(Mapping).map_err(|error| errors::mapping(&error))
    }

    fn __reduce__<'py>(slf: &Bound<'py, Mapping>) -> PyResult<(Bound<'py, PyAny>, Texts)> {
        Ok((slf.get_type().getattr("_of_texts")?, slf.get().texts()))
    }

    /// The name by which it was asked for, its text, and the texts that it builds on.
    fn texts(&self) -> Texts {
        let LoadedTable { name, text, bases, .. } = &self.0;
        (name.clone(), text.clone(), bases.clone())
    }

    /// The table's own name.
    #[getter]
    fn name(&self) -> &str {
        self.0.mapping.name()
    }

    /// The SecOps log type that it reads.
    #[getter]
    fn log_type(&self) -> &str {
        self.0.mapping.log_type()
    }

    /// A line on what it does.
    #[getter]
    fn description(&self) -> &str {
        self.0.mapping.description()
    }

    /// The table file's text.
    #[getter]
    fn source(&self) -> &str {
        &self.0.text
    }

    fn __repr__(&self) -> String {
        format!("udmap.Mapping.load({:?})", self.0.name)
    }
}

/// The names of the tables that come with udmap.
#[pyfunction]
pub(crate) fn builtin() -> Vec<&'static str> {
    udmap::mapping::builtin_mappings().collect()
}

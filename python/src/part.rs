//! What goes from the working thread to Python at once.

use pyo3::prelude::*;
use pyo3::types::{PyList, PyString};

/// source, line, offset, length, reason, message, raw, table
pub(crate) type Reject = (String, u64, u64, u64, &'static str, String, Vec<u8>, Option<String>);
/// The outcome of a chunk: events, and rejects by their places among all.
pub(crate) struct Part {
    pub(crate) events: Vec<u8>,
    pub(crate) rejects: Vec<(usize, Reject)>,
}

impl<'py> IntoPyObject<'py> for Part {
    type Target = pyo3::types::PyTuple;
    type Output = Bound<'py, Self::Target>;
    type Error = PyErr;

    fn into_pyobject(self, py: Python<'py>) -> PyResult<Self::Output> {
        let events = String::from_utf8(self.events)?;
        let events = events.split_terminator('\n');
        let events = PyList::new(py, events.map(|event| PyString::new(py, event)).collect::<Vec<_>>())?;
        (events, self.rejects).into_pyobject(py)
    }
}

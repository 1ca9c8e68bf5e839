//! What goes from the working thread to Python at once.

use pyo3::prelude::*;
use pyo3::types::{PyList, PyString};

/// source, line, offset, length, reason, message, raw, table
pub(crate) type Reject = (String, u64, u64, u64, &'static str, String, Vec<u8>, Option<String>);
/// For each event, its fields with the lines and columns of the statements that set them.
type Lines = Vec<Vec<(String, (u32, u32))>>;
/// outcome, events, tag, message, line and column, lines, what `statedump` has shown
pub(crate) type Parsed =
    (&'static str, Vec<u8>, Option<String>, Option<String>, Option<(u32, u32)>, Lines, String);

/// The outcome of what was read so far, and not handed on before.
pub(crate) enum Part {
    /// Of a chunk: events, and rejects by their places among all.
    Converted { events: Vec<u8>, rejects: Vec<(usize, Reject)> },
    /// Of logs, by a parser.
    Parsed(Vec<Parsed>),
}

impl<'py> IntoPyObject<'py> for Part {
    type Target = PyAny;
    type Output = Bound<'py, PyAny>;
    type Error = PyErr;

    fn into_pyobject(self, py: Python<'py>) -> PyResult<Self::Output> {
        match self {
            Part::Converted { events, rejects } => {
                let events = String::from_utf8(events)?;
                let events = events.split_terminator('\n');
                let events =
                    PyList::new(py, events.map(|event| PyString::new(py, event)).collect::<Vec<_>>())?;
                Ok((events, rejects).into_pyobject(py)?.into_any())
            }
            Part::Parsed(logs) => Ok(logs.into_pyobject(py)?.into_any()),
        }
    }
}

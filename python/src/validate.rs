//! Checks of UDM events.

use crate::convert::open;
use crate::errors;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use udmap::bindings;
use udmap::check::validate::{Code, Severities, Severity};

/// severity, code, path, message, source, line, byte, event
type Finding = (&'static str, &'static str, String, String, String, u64, u64, u64);

/// Checks events; how many there were, and what was found.
#[pyfunction]
#[pyo3(signature = (data, path, severities, strict, max_event_bytes))]
pub(crate) fn validate(
    py: Python<'_>,
    data: Option<&[u8]>,
    path: Option<&str>,
    severities: Vec<(String, String)>,
    strict: bool,
    max_event_bytes: usize,
) -> PyResult<(u64, Vec<Finding>)> {
    let severities = read(&severities, strict)?;
    py.detach(|| {
        let (mut events, mut findings) = (0, Vec::new());
        for (source, mut input) in open(data, path)? {
            let mut each = |found: bindings::Found| {
                let bindings::Found { finding, line, byte, event } = found;
                let (severity, code) = (finding.severity.name(), finding.code.name());
                let (path, message) = (finding.path, finding.message);
                findings.push((severity, code, path, message, source.clone(), line, byte, events + event));
            };
            let here = bindings::validate(severities.clone(), max_event_bytes.max(1), &mut input, &mut each);
            events += here.map_err(errors::input)?;
        }
        Ok((events, findings))
    })
}

fn read(given: &[(String, String)], strict: bool) -> PyResult<Severities> {
    let mut severities = Severities::default();
    for (name, level) in given {
        let code =
            Code::named(name).ok_or_else(|| PyValueError::new_err(format!("there is no code `{name}`")))?;
        let known = Severity::ALL.iter().find(|(known, _)| known == level);
        let (_, severity) = known.ok_or_else(|| {
            PyValueError::new_err(format!("`{level}` is no severity: known are error, warning, info, off"))
        })?;
        severities.set(code, *severity);
    }
    if strict {
        severities.strict();
    }
    Ok(severities)
}

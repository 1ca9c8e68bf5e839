//! Checks of UDM events.

use crate::convert::open;
use crate::errors;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use udmap::check::validate::{Placed, Severities, Validator};

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
    let mut validator = Validator::new(read(&severities, strict)?);
    py.detach(|| {
        let (mut events, mut findings) = (0, Vec::new());
        for (source, mut input) in open(data, path)? {
            let mut each = |placed: Placed| {
                let Placed { finding, line, byte, event, .. } = placed;
                let (severity, code) = (finding.severity.name(), finding.code.name());
                let (path, message) = (finding.path, finding.message);
                findings.push((severity, code, path, message, source.clone(), line, byte, events + event));
            };
            let here = validator.stream(&mut input, max_event_bytes.max(1), &mut each);
            events += here.map_err(errors::input)?;
        }
        Ok((events, findings))
    })
}

fn read(given: &[(String, String)], strict: bool) -> PyResult<Severities> {
    let mut severities = Severities::default();
    for (name, level) in given {
        let known = || Ok::<_, String>((name.parse()?, level.parse()?));
        let (code, severity) = known().map_err(PyValueError::new_err)?;
        severities.set(code, severity);
    }
    if strict {
        severities.strict();
    }
    Ok(severities)
}

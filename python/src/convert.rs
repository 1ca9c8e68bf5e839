//! Records to events.

use crate::arrow::Batches;
use crate::errors::{self, InputError};
use crate::input;
use crate::mapping::Mapping;
use arrow_array::RecordBatchReader;
use arrow_array::ffi_stream::RecordBatchStreamReader;
use arrow_pyarrow::PyArrowType;
use arrow_schema::Schema;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use std::ops::ControlFlow;
use std::sync::Arc;
use udmap::check::explain::{Explanation, explain};
use udmap::convert::{self, Envelope, FieldNames, Input, Options, Piece};

/// source, line, offset, length, reason, message, raw
type Reject = (String, u64, u64, u64, &'static str, String, Vec<u8>);
type Pairs = Vec<(&'static str, u64)>;
/// events, rejects, counts, rejects by reason, inputs that failed
type Converted = (Py<PyBytes>, Vec<Reject>, Pairs, Pairs, Vec<String>);

/// The same before it is Python's.
type Run = (Vec<u8>, Vec<Reject>, convert::Counts, Vec<String>);

/// Converts by one mapping, with its options.
#[pyclass(frozen, module = "udmap")]
pub(crate) struct Converter {
    converter: Arc<convert::Converter>,
    mapping: udmap::mapping::Mapping,
    options: Options,
    threads: usize,
}

#[pymethods]
impl Converter {
    #[new]
    #[pyo3(signature = (mapping, field_names, envelope, namespace, labels, max_record_bytes, threads))]
    fn new(
        mapping: &Bound<'_, Mapping>,
        field_names: &str,
        envelope: &str,
        namespace: Option<String>,
        labels: Vec<(String, String)>,
        max_record_bytes: usize,
        threads: usize,
    ) -> PyResult<Converter> {
        let wrong = |text: String| Err(PyValueError::new_err(text));
        let field_names = one_of("field_names", field_names, &FieldNames::ALL)?;
        let envelope = one_of("envelope", envelope, &Envelope::ALL)?;
        if namespace.as_deref() == Some("") {
            return wrong("namespace is empty".to_owned());
        }
        if labels.iter().any(|(key, value)| key.is_empty() || value.is_empty()) {
            return wrong("a label has a key and a value, neither of them empty".to_owned());
        }
        if !(1..=1 << 30).contains(&max_record_bytes) {
            return wrong(format!("max_record_bytes is from 1 to {}, not {max_record_bytes}", 1 << 30));
        }
        let options =
            Options::default().field_names(field_names).envelope(envelope).max_record_bytes(max_record_bytes);
        let options = namespace.into_iter().fold(options, Options::namespace);
        let options = labels.into_iter().fold(options, |options, (key, value)| options.label(key, value));
        let mapping = mapping.get().0.mapping.clone();
        let converter = Arc::new(convert::Converter::new(&mapping, &options));
        Ok(Converter { converter, mapping, options, threads: threads.clamp(1, 1024) })
    }

    /// Converts bytes, or files.
    fn convert(&self, py: Python<'_>, data: Option<&[u8]>, path: Option<&str>) -> PyResult<Converted> {
        let (events, rejects, counts, failures) = py.detach(|| self.run(data, path))?;
        let pairs = vec![
            ("records", counts.records),
            ("events", counts.events),
            ("rejects", counts.rejects),
            ("blank", counts.blank),
            ("bytes_in", counts.bytes_in),
            ("bytes_out", counts.bytes_out),
        ];
        let reasons = counts.by_reason.iter().map(|(reason, count)| (reason.code(), *count)).collect();
        Ok((PyBytes::new(py, &events).unbind(), rejects, pairs, reasons, failures))
    }

    /// The schema of what [`Converter::batches`] gives for a table of this schema.
    fn schema(
        &self,
        input: PyArrowType<Schema>,
        column: &str,
        keep: Vec<String>,
        columns: bool,
    ) -> PyResult<PyArrowType<Schema>> {
        let schema = crate::arrow::schema(&input.0, column, &keep, columns)?;
        Ok(PyArrowType(schema.as_ref().clone()))
    }

    /// Converts the rows of a stream of batches, as a stream of batches.
    fn batches(
        &self,
        reader: PyArrowType<RecordBatchStreamReader>,
        column: &str,
        keep: Vec<String>,
        columns: bool,
    ) -> PyResult<PyArrowType<Box<dyn RecordBatchReader + Send>>> {
        let batches =
            Batches::new(reader.0, column, &keep, Arc::clone(&self.converter), columns, self.threads)?;
        Ok(PyArrowType(Box::new(batches)))
    }

    /// Explains the first `most` records, as JSON.
    fn explain(
        &self,
        py: Python<'_>,
        data: Option<&[u8]>,
        path: Option<&str>,
        most: usize,
    ) -> PyResult<Vec<String>> {
        py.detach(|| {
            let mut records = Vec::new();
            for (name, mut input) in open(data, path)? {
                if records.len() >= most {
                    continue;
                }
                let mut each = |record: Explanation| {
                    records.push(record.json());
                    if records.len() < most { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
                };
                explain(&self.mapping, &self.options, &name, &mut input, None, &mut each)
                    .map_err(errors::input)?;
            }
            Ok(records)
        })
    }
}

/// The inputs, each with its name.
pub(crate) fn open(data: Option<&[u8]>, path: Option<&str>) -> PyResult<Vec<(String, udmap::store::Input)>> {
    match (data, path) {
        (Some(data), _) => Ok(vec![("data".to_owned(), input::of_bytes(data, "data"))]),
        (None, path) => {
            let opened = input::of_path(path.unwrap_or_default());
            opened.map_err(|error| InputError::new_err(errors::words(&error)))
        }
    }
}

impl Converter {
    fn run(&self, data: Option<&[u8]>, path: Option<&str>) -> PyResult<Run> {
        let inputs = open(data, path)?.into_iter();
        let inputs = inputs.map(|(name, input)| Input::reader(name, input.with_members()));
        let (mut events, mut rejects, mut failures) = (Vec::new(), Vec::new(), Vec::new());
        let counts = self.converter.run(inputs, self.threads, |piece| {
            match piece {
                Piece::Batch { source, batch } => {
                    events.extend_from_slice(&batch.events);
                    rejects.extend(batch.rejects.iter().map(|reject| {
                        let convert::Reject { reason, message, line, offset, length, raw, .. } =
                            reject.clone();
                        (source.to_owned(), line, offset, length, reason.code(), message, raw)
                    }));
                }
                Piece::Failed { error, .. } => failures.push(errors::input_words(error)),
            }
            ControlFlow::Continue(())
        });
        let counts = counts.map_err(|error| InputError::new_err(errors::words(&error)))?;
        Ok((events, rejects, counts, failures))
    }
}

/// The value of this name.
fn one_of<T: Copy>(option: &str, name: &str, all: &[(&str, T)]) -> PyResult<T> {
    all.iter().find(|(known, _)| *known == name).map(|(_, value)| *value).ok_or_else(|| {
        let known: Vec<&str> = all.iter().map(|(known, _)| *known).collect();
        PyValueError::new_err(format!("{option}: expected one of: {}; found `{name}`", known.join(", ")))
    })
}

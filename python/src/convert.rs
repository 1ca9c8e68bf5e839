//! Records to events.

use crate::arrow::Batches;
use crate::errors::{self, Failures};
use crate::files::{self, Files};
use crate::input::{self, Data, Source};
use crate::mapping::Mapping;
use crate::part::{Part, Reject};
use crate::run::{Fed, Finish, Message, Run, Shared};
use arrow_array::RecordBatchReader;
use arrow_array::ffi_stream::RecordBatchStreamReader;
use arrow_pyarrow::PyArrowType;
use arrow_schema::Schema;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList};
use std::io;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::SyncSender;
use udmap::check::explain::{Explanation, explain};
use udmap::convert::{self, Batch, Counts, Envelope, FieldNames, Input, Options, Piece};

/// How many rejects of each reason are kept where there is no file for them.
const EXAMPLES: usize = 3;

type Pairs = Vec<(&'static str, u64)>;
/// events, rejects, counts, rejects by reason, why inputs failed
type Converted = (Py<PyBytes>, Vec<Reject>, Pairs, Pairs, Option<String>);

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

    /// Converts bytes at once: they are few.
    fn convert(&self, py: Python<'_>, data: Data) -> PyResult<Py<PyAny>> {
        let job = self.job(Some(data), "data".to_owned(), Target::Memory);
        let finish = py.detach(|| job(&Shared::new(), None, None))?;
        finish(py)
    }

    /// Starts a run that keeps everything in memory.
    fn run(&self, data: Option<Data>, name: String) -> PyResult<Run> {
        self.start(data, name, Target::Memory)
    }

    /// Starts a run that gives parts as they come.
    fn parts(&self, data: Option<Data>, name: String) -> PyResult<Run> {
        self.start(data, name, Target::Parts)
    }

    /// Starts a run that writes files.
    fn write(
        &self,
        data: Option<Data>,
        name: String,
        output: String,
        rejects: Option<String>,
    ) -> PyResult<Run> {
        self.start(data, name, Target::Files { output, rejects })
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
        let batches = Batches::new(reader.0, column, &keep, &self.converter, columns, self.threads)?;
        Ok(PyArrowType(Box::new(batches)))
    }

    /// Starts a run that explains the first `most` records, or those that begin on `line`, as JSON.
    fn explain(&self, data: Option<Data>, name: String, line: Option<u64>, most: usize) -> PyResult<Run> {
        let (mapping, options) = (self.mapping.clone(), self.options.clone());
        let fed = data.is_none();
        Run::start(
            fed,
            Box::new(move |shared, fed, _| {
                let sources =
                    input::sources(data, name, fed, &[], shared).map_err(|e| errors::listing(&e))?;
                let mut records = Vec::new();
                for Source { name, open } in sources {
                    if records.len() >= most {
                        break;
                    }
                    let mut each = |record: Explanation| {
                        records.push(record.json());
                        let goes_on = records.len() < most && !shared.is_stopped();
                        if goes_on { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
                    };
                    open()
                        .and_then(|mut input| explain(&mapping, &options, &name, &mut input, line, &mut each))
                        .map_err(errors::input)?;
                }
                Ok(Box::new(move |py: Python<'_>| Ok(PyList::new(py, records)?.into_any().unbind()))
                    as Finish)
            }),
        )
    }
}

/// Where events go.
enum Target {
    Memory,
    Parts,
    Files { output: String, rejects: Option<String> },
}

impl Target {
    /// The files that are written.
    fn outputs(&self) -> Vec<PathBuf> {
        match self {
            Target::Memory | Target::Parts => Vec::new(),
            Target::Files { output, rejects } => {
                [Some(output), rejects.as_ref()].into_iter().flatten().map(PathBuf::from).collect()
            }
        }
    }
}

/// What takes events and rejects.
enum Sink {
    Memory(Vec<u8>),
    Parts(SyncSender<Message>),
    Files { files: Box<Files>, with_rejects: bool },
}

fn reject(source: &str, reject: &convert::Reject) -> Reject {
    let convert::Reject { reason, message, line, offset, length, raw, table, .. } = reject.clone();
    (source.to_owned(), line, offset, length, reason.code(), message, raw, table)
}

impl Converter {
    fn start(&self, data: Option<Data>, name: String, target: Target) -> PyResult<Run> {
        let fed = data.is_none();
        let job = self.job(data, name, target);
        Run::start(fed, Box::new(move |shared, fed, messages| job(shared, fed, Some(messages))))
    }

    fn job(
        &self,
        data: Option<Data>,
        name: String,
        target: Target,
    ) -> impl FnOnce(&Shared, Option<Fed>, Option<SyncSender<Message>>) -> PyResult<Finish> + Send + use<>
    {
        let converter = match &target {
            Target::Files { output, .. } if files::is_table(output) => {
                Arc::new(convert::Converter::clone(&self.converter).with_columns())
            }
            _ => Arc::clone(&self.converter),
        };
        let threads = self.threads;
        move |shared, fed, messages| {
            let sources = input::sources(data, name, fed, &target.outputs(), shared)
                .map_err(|error| errors::listing(&error))?;
            let sink = match (target, messages) {
                (Target::Files { output, rejects }, _) => Sink::Files {
                    with_rejects: rejects.is_some(),
                    files: Box::new(Files::create(&output, rejects.as_deref())?),
                },
                (Target::Parts, Some(messages)) => Sink::Parts(messages),
                (Target::Memory | Target::Parts, _) => Sink::Memory(Vec::new()),
            };
            let mut under_way =
                UnderWay { shared, sink, rejects: Vec::new(), failures: Failures::default(), failed: None };
            let inputs = sources.into_iter().map(|Source { name, open }| {
                Input::open(name, move || open().map(udmap::store::Input::with_members))
            });
            let counts = converter.run(inputs, threads, |piece| under_way.take(piece));
            under_way.end(counts.map_err(errors::input)?)
        }
    }
}

/// A conversion that is under way.
struct UnderWay<'s> {
    shared: &'s Shared,
    sink: Sink,
    rejects: Vec<Reject>,
    failures: Failures,
    /// Why nothing more can be written.
    failed: Option<io::Error>,
}

impl UnderWay<'_> {
    fn take(&mut self, piece: Piece<'_>) -> ControlFlow<()> {
        if self.shared.is_stopped() {
            return ControlFlow::Break(());
        }
        match piece {
            Piece::Failed { error, .. } => {
                self.failures.add(&errors::io_words(error));
                ControlFlow::Continue(())
            }
            Piece::Batch { source, batch } => {
                self.shared.records.fetch_add(batch.counts.records, Ordering::Relaxed);
                self.shared.rejects.fetch_add(batch.counts.rejects, Ordering::Relaxed);
                self.write(source, batch)
            }
        }
    }

    fn write(&mut self, source: &str, batch: &Batch) -> ControlFlow<()> {
        match &mut self.sink {
            Sink::Memory(events) => {
                events.extend_from_slice(&batch.events);
                self.rejects.extend(batch.rejects.iter().map(|it| reject(source, it)));
            }
            Sink::Parts(to) => {
                let records = batch.records().enumerate();
                let rejects = records.filter_map(|(place, it)| Some((place, reject(source, it.err()?))));
                let part = Part::Converted { rejects: rejects.collect(), events: batch.events.clone() };
                if to.send(Message::Part(part)).is_err() {
                    return ControlFlow::Break(());
                }
            }
            Sink::Files { files, with_rejects } => {
                if let Err(error) = files.write(source, batch) {
                    self.failed = Some(error);
                    return ControlFlow::Break(());
                }
                for it in batch.rejects.iter().filter(|_| !*with_rejects) {
                    let known = self.rejects.iter().filter(|known| known.4 == it.reason.code()).count();
                    if known < EXAMPLES {
                        self.rejects.push(reject(source, it));
                    }
                }
            }
        }
        ControlFlow::Continue(())
    }

    fn end(self, counts: Counts) -> PyResult<Finish> {
        if let Some(error) = self.failed {
            return Err(files::io_error(error));
        }
        let mut events = Vec::new();
        match self.sink {
            // Files that are not finished leave nothing behind.
            _ if self.shared.is_stopped() => return Err(errors::stopped()),
            Sink::Memory(all) => events = all,
            Sink::Parts(_) => {}
            Sink::Files { files, .. } => files.finish()?,
        }
        let (rejects, failures) = (self.rejects, self.failures.words());
        let pairs = vec![
            ("records", counts.records),
            ("events", counts.events),
            ("rejects", counts.rejects),
            ("blank", counts.blank),
            ("bytes_in", counts.bytes_in),
            ("bytes_out", counts.bytes_out),
        ];
        let reasons: Pairs = counts.by_reason.iter().map(|(reason, n)| (reason.code(), *n)).collect();
        Ok(Box::new(move |py| {
            let events = PyBytes::new(py, &events).unbind();
            let converted: Converted = (events, rejects, pairs, reasons, failures);
            Ok(converted.into_pyobject(py)?.into_any().unbind())
        }))
    }
}

/// The value of this name.
pub(crate) fn one_of<T: Copy>(option: &str, name: &str, all: &[(&str, T)]) -> PyResult<T> {
    all.iter().find(|(known, _)| *known == name).map(|(_, value)| *value).ok_or_else(|| {
        let known: Vec<&str> = all.iter().map(|(known, _)| *known).collect();
        PyValueError::new_err(format!("{option}: expected one of: {}; found `{name}`", known.join(", ")))
    })
}

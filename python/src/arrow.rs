//! Rows of Arrow batches to batches of events and rejects.

mod build;
mod rows;

use arrow_array::ffi_stream::RecordBatchStreamReader;
use arrow_array::{ArrayRef, Int64Array, RecordBatch, RecordBatchReader};
use arrow_schema::{ArrowError, Field, Schema, SchemaRef};
use build::{Builder, Built};
use pyo3::exceptions::{PyKeyError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use rows::Rows;
use std::collections::VecDeque;
use std::sync::Arc;
use udmap::convert::Converter;

/// A thread gets no fewer rows than these.
const LEAST_ROWS: usize = 2_048;

/// A stream of batches, converted as it is read.
pub(crate) struct Batches {
    input: RecordBatchStreamReader,
    column: usize,
    /// Columns of the input that are kept.
    keep: Vec<usize>,
    converter: Converter,
    /// One for each thread.
    builders: Vec<Builder>,
    schema: SchemaRef,
    /// Rows before the next batch.
    before: i64,
    ready: VecDeque<RecordBatch>,
}

/// The schema of the output: the source row, columns that are kept, and its event or reject.
pub(crate) fn schema(input: &Schema, column: &str, keep: &[String], main: bool) -> PyResult<SchemaRef> {
    let (_, kept) = places(input, column, keep)?;
    let mut fields = vec![Arc::new(Field::new("row", arrow_schema::DataType::Int64, false))];
    fields.extend(kept.iter().map(|at| Arc::clone(&input.fields()[*at])));
    fields.extend(build::fields(main));
    for (n, field) in fields.iter().enumerate() {
        if fields[..n].iter().any(|other| other.name() == field.name()) {
            let name = field.name();
            return Err(PyValueError::new_err(format!(
                "the column `{name}` can't be kept: the output has one of that name"
            )));
        }
    }
    Ok(Arc::new(Schema::new(fields)))
}

fn places(input: &Schema, column: &str, keep: &[String]) -> PyResult<(usize, Vec<usize>)> {
    let place = |name: &str| {
        let named = |field: &&Arc<Field>| field.name() == name;
        let count = input.fields().iter().filter(named).count();
        if count > 1 {
            return Err(PyValueError::new_err(format!("there are {count} columns `{name}`")));
        }
        input.index_of(name).map_err(|_| {
            let names: Vec<&str> = input.fields().iter().map(|field| field.name().as_str()).collect();
            PyKeyError::new_err(format!("there is no column `{name}`, but {}", names.join(", ")))
        })
    };
    let at = place(column)?;
    if !Rows::takes(input.field(at).data_type()) {
        let is = input.field(at).data_type();
        return Err(PyTypeError::new_err(format!(
            "the column `{column}` is of type {is}; wanted are strings or bytes"
        )));
    }
    Ok((at, keep.iter().map(|name| place(name)).collect::<PyResult<_>>()?))
}

impl Batches {
    pub(crate) fn new(
        input: RecordBatchStreamReader,
        column: &str,
        keep: &[String],
        converter: &Converter,
        main: bool,
        threads: usize,
    ) -> PyResult<Batches> {
        let schema_in = input.schema();
        let (column_at, kept) = places(&schema_in, column, keep)?;
        Ok(Batches {
            column: column_at,
            keep: kept,
            schema: schema(&schema_in, column, keep, main)?,
            builders: (0..threads).map(|_| Builder::new(main)).collect(),
            input,
            converter: converter.clone().with_columns(),
            before: 0,
            ready: VecDeque::new(),
        })
    }

    /// Converts a batch; what comes of it is ready then.
    fn convert(&mut self, batch: &RecordBatch) -> Result<(), ArrowError> {
        let rows = Rows::of(batch.column(self.column))?;
        let count = batch.num_rows();
        let threads = self.builders.len().min(count / LEAST_ROWS).max(1);
        let converter = &self.converter;
        let part = |n: usize| count * n / threads..count * (n + 1) / threads;
        let work = |n: usize, builder: &mut Builder| -> Result<Vec<Built>, ArrowError> {
            let mut added = Ok(());
            converter.convert_row_batches(rows.range(part(n)), |rows, batch| {
                if added.is_ok() {
                    added = builder.add(rows, batch);
                }
            });
            added.and(builder.finish())
        };
        let built: Vec<Result<Vec<Built>, ArrowError>> = if threads == 1 {
            vec![work(0, &mut self.builders[0])]
        } else {
            std::thread::scope(|scope| {
                let work = &work;
                let builders = self.builders[..threads].iter_mut().enumerate();
                let handles: Vec<_> =
                    builders.map(|(n, builder)| scope.spawn(move || work(n, builder))).collect();
                let ended = handles.into_iter().map(std::thread::ScopedJoinHandle::join);
                ended.map(|it| it.unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect()
            })
        };
        for built in built {
            for Built { rows, columns } in built? {
                let batch = self.assemble(batch, &rows, columns)?;
                self.ready.push_back(batch);
            }
        }
        self.before += count as i64;
        Ok(())
    }

    fn assemble(
        &self,
        input: &RecordBatch,
        rows: &Int64Array,
        columns: Vec<ArrayRef>,
    ) -> Result<RecordBatch, ArrowError> {
        let numbers = rows.unary::<_, arrow_array::types::Int64Type>(|row| row + self.before);
        let mut all: Vec<ArrayRef> = vec![Arc::new(numbers)];
        for at in &self.keep {
            all.push(arrow_select::take::take(input.column(*at), rows, None)?);
        }
        all.extend(columns);
        RecordBatch::try_new(Arc::clone(&self.schema), all)
    }
}

impl Iterator for Batches {
    type Item = Result<RecordBatch, ArrowError>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.ready.is_empty() {
            let converted = match self.input.next()? {
                Ok(batch) => self.convert(&batch),
                Err(error) => Err(error),
            };
            if let Err(error) = converted {
                return Some(Err(error));
            }
        }
        self.ready.pop_front().map(Ok)
    }
}

impl RecordBatchReader for Batches {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }
}

//! The outcome of rows, as columns.

use arrow_array::builder::{BinaryBuilder, Int64Builder, StringBuilder};
use arrow_array::{ArrayRef, Int64Array, StructArray};
use arrow_buffer::NullBuffer;
use arrow_schema::{ArrowError, DataType, Field, FieldRef, Fields};
use std::sync::Arc;
use udmap::columns;
use udmap::convert::{Batch, Reject};

/// A column of strings holds at most 2 GiB; a batch is ended long before.
const MOST_BYTES: usize = 256 << 20;

/// A batch of the outcome of rows.
pub(super) struct Built {
    /// The rows, counted within their batch.
    pub(super) rows: Int64Array,
    /// The columns of [`fields`].
    pub(super) columns: Vec<ArrayRef>,
}

/// The columns that conversion gives: the event, its main fields if they are wanted, and why there is
/// no event.
pub(super) fn fields(main: bool) -> Vec<FieldRef> {
    let mut fields = columns::Builder::fields(main);
    fields.push(Field::new("reject", DataType::Struct(of_reject()), true));
    fields.into_iter().map(Arc::new).collect()
}

fn of_reject() -> Fields {
    Fields::from(vec![
        Field::new("reason", DataType::Utf8, true),
        Field::new("message", DataType::Utf8, true),
        Field::new("line", DataType::Int64, true),
        Field::new("offset", DataType::Int64, true),
        Field::new("length", DataType::Int64, true),
        Field::new("raw", DataType::Binary, true),
    ])
}

/// Collects columns.
pub(super) struct Builder {
    rows: Vec<i64>,
    events: columns::Builder,
    rejects: Rejects,
    built: Vec<Built>,
}

impl Builder {
    /// With the main fields, or without.
    pub(super) fn new(main: bool) -> Builder {
        let (rows, built) = (Vec::new(), Vec::new());
        Builder { rows, events: columns::Builder::new(main), rejects: Rejects::default(), built }
    }

    /// Adds a batch, whose records are of these rows.
    pub(super) fn add(&mut self, rows: &[u64], batch: &Batch) -> Result<(), ArrowError> {
        let start = self.events.len();
        self.rows.extend(rows.iter().map(|row| *row as i64));
        let layouts = batch.layouts().ok_or_else(|| {
            ArrowError::InvalidArgumentError("the rows were converted without columns".to_owned())
        })?;
        self.events.push(&batch.events, layouts, batch.reject_places())?;
        if !batch.rejects.is_empty() {
            let rows = self.events.is_event().iter().enumerate().skip(start);
            let rows = rows.filter_map(|(row, is_event)| (!is_event).then_some(row));
            batch.rejects.iter().zip(rows).for_each(|(reject, row)| self.rejects.add(row, reject));
        }
        if self.events.bytes() + self.rejects.bytes >= MOST_BYTES { self.end() } else { Ok(()) }
    }

    /// What was built; the builder is empty then.
    pub(super) fn finish(&mut self) -> Result<Vec<Built>, ArrowError> {
        if !self.rows.is_empty() {
            self.end()?;
        }
        Ok(std::mem::take(&mut self.built))
    }

    fn end(&mut self) -> Result<(), ArrowError> {
        let rows = Int64Array::from(std::mem::take(&mut self.rows));
        let rejects = self.rejects.finish(self.events.is_event())?;
        let mut columns = self.events.finish()?;
        columns.push(Arc::new(rejects));
        self.built.push(Built { rows, columns });
        Ok(())
    }
}

#[derive(Default)]
struct Rejects {
    reason: StringBuilder,
    message: StringBuilder,
    line: Int64Builder,
    offset: Int64Builder,
    length: Int64Builder,
    raw: BinaryBuilder,
    bytes: usize,
}

impl Rejects {
    /// Adds that of a row.
    fn add(&mut self, row: usize, reject: &Reject) {
        self.catch_up(row);
        self.bytes += reject.raw.len();
        self.reason.append_value(reject.reason.code());
        self.message.append_value(&reject.message);
        self.line.append_value(reject.line as i64);
        self.offset.append_value(reject.offset as i64);
        self.length.append_value(reject.length as i64);
        self.raw.append_value(&reject.raw);
    }

    /// Most rows are none: what is missing of them is added at once.
    fn catch_up(&mut self, row: usize) {
        use arrow_array::builder::ArrayBuilder as _;
        let missing = row - self.line.len();
        self.reason.append_nulls(missing);
        self.message.append_nulls(missing);
        self.line.append_nulls(missing);
        self.offset.append_nulls(missing);
        self.length.append_nulls(missing);
        self.raw.append_nulls(missing);
    }

    fn finish(&mut self, is_event: &[bool]) -> Result<StructArray, ArrowError> {
        self.catch_up(is_event.len());
        self.bytes = 0;
        let present = is_event.iter().map(|is_event| !is_event).collect::<NullBuffer>();
        let columns: Vec<ArrayRef> = vec![
            Arc::new(self.reason.finish()),
            Arc::new(self.message.finish()),
            Arc::new(self.line.finish()),
            Arc::new(self.offset.finish()),
            Arc::new(self.length.finish()),
            Arc::new(self.raw.finish()),
        ];
        StructArray::try_new(of_reject(), columns, Some(present))
    }
}

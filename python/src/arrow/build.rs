//! What became of rows, as columns.

use arrow_array::builder::{BinaryBuilder, Int64Builder, StringBuilder};
use arrow_array::{ArrayRef, Int64Array, StructArray};
use arrow_buffer::NullBufferBuilder;
use arrow_schema::{ArrowError, DataType, Field, FieldRef, Fields};
use std::sync::Arc;
use udmap::convert::Reject;

/// A column of strings holds at most 2 GiB; a batch is ended long before.
const MOST_BYTES: usize = 256 << 20;

/// A batch of what became of rows.
pub(super) struct Built {
    /// The rows, counted within their batch.
    pub(super) rows: Int64Array,
    /// The columns of [`fields`].
    pub(super) columns: Vec<ArrayRef>,
}

/// The columns that conversion gives: the event, or why there is none.
pub(super) fn fields() -> Vec<FieldRef> {
    vec![
        Arc::new(Field::new("event", DataType::Utf8, true)),
        Arc::new(Field::new("reject", DataType::Struct(of_reject()), true)),
    ]
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
#[derive(Default)]
pub(super) struct Builder {
    rows: Vec<i64>,
    events: StringBuilder,
    rejects: Rejects,
    bytes: usize,
    built: Vec<Built>,
    failed: Option<ArrowError>,
}

impl Builder {
    pub(super) fn add(&mut self, row: u64, became: Result<&[u8], &Reject>) {
        self.rows.push(row as i64);
        match became.map(std::str::from_utf8) {
            Ok(Ok(event)) => {
                self.bytes += event.len();
                self.events.append_value(event);
                self.rejects.none();
            }
            Ok(Err(error)) => self.failed = Some(ArrowError::from_external_error(Box::new(error))),
            Err(reject) => {
                self.bytes += reject.raw.len();
                self.events.append_null();
                self.rejects.add(reject);
            }
        }
        if self.bytes >= MOST_BYTES {
            self.end();
        }
    }

    fn end(&mut self) {
        let rows = Int64Array::from(std::mem::take(&mut self.rows));
        let rejects = match self.rejects.finish() {
            Ok(rejects) => rejects,
            Err(error) => return self.failed = Some(error),
        };
        let columns: Vec<ArrayRef> = vec![Arc::new(self.events.finish()), Arc::new(rejects)];
        self.bytes = 0;
        self.built.push(Built { rows, columns });
    }

    pub(super) fn finish(mut self) -> Result<Vec<Built>, ArrowError> {
        if !self.rows.is_empty() {
            self.end();
        }
        self.failed.map_or(Ok(self.built), Err)
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
    present: Vec<bool>,
}

impl Rejects {
    fn none(&mut self) {
        self.present.push(false);
    }

    fn add(&mut self, reject: &Reject) {
        self.catch_up();
        self.present.push(true);
        self.reason.append_value(reject.reason.code());
        self.message.append_value(&reject.message);
        self.line.append_value(reject.line as i64);
        self.offset.append_value(reject.offset as i64);
        self.length.append_value(reject.length as i64);
        self.raw.append_value(&reject.raw);
    }

    /// Most rows are none: what is missing of them is added at once.
    fn catch_up(&mut self) {
        use arrow_array::builder::ArrayBuilder as _;
        let missing = self.present.len() - self.line.len();
        self.reason.append_nulls(missing);
        self.message.append_nulls(missing);
        self.line.append_nulls(missing);
        self.offset.append_nulls(missing);
        self.length.append_nulls(missing);
        self.raw.append_nulls(missing);
    }

    fn finish(&mut self) -> Result<StructArray, ArrowError> {
        self.catch_up();
        let mut nulls = NullBufferBuilder::new(self.present.len());
        self.present.drain(..).for_each(|present| nulls.append(present));
        let columns: Vec<ArrayRef> = vec![
            Arc::new(self.reason.finish()),
            Arc::new(self.message.finish()),
            Arc::new(self.line.finish()),
            Arc::new(self.offset.finish()),
            Arc::new(self.length.finish()),
            Arc::new(self.raw.finish()),
        ];
        StructArray::try_new(of_reject(), columns, nulls.finish())
    }
}

//! The outcome of rows, as columns.

use arrow_array::builder::{BinaryBuilder, Int64Builder, StringBuilder, TimestampMicrosecondBuilder};
use arrow_array::{ArrayRef, Int64Array, StructArray};
use arrow_buffer::NullBufferBuilder;
use arrow_schema::{ArrowError, DataType, Field, FieldRef, Fields, TimeUnit};
use std::sync::Arc;
use udmap::columns::{COLUMNS, Reader, TIME, name};
use udmap::convert::Reject;

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
    let mut fields = vec![Field::new("event", DataType::Utf8, true)];
    if main {
        fields.push(Field::new(
            name(TIME),
            DataType::Timestamp(TimeUnit::Microsecond, Some(UTC.into())),
            true,
        ));
        fields.extend(COLUMNS.iter().map(|path| Field::new(name(path), DataType::Utf8, true)));
    }
    fields.push(Field::new("reject", DataType::Struct(of_reject()), true));
    fields.into_iter().map(Arc::new).collect()
}

const UTC: &str = "UTC";

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
    main: Option<Main>,
    rejects: Rejects,
    bytes: usize,
    built: Vec<Built>,
    failed: Option<ArrowError>,
}

/// The main fields of events.
struct Main {
    reader: Reader,
    times: TimestampMicrosecondBuilder,
    texts: [StringBuilder; COLUMNS.len()],
}

impl Main {
    fn new(reader: Reader) -> Main {
        let texts = std::array::from_fn(|_| StringBuilder::new());
        Main { reader, times: TimestampMicrosecondBuilder::new().with_timezone(UTC), texts }
    }

    /// Adds those of an event; none of a reject.
    fn add(&mut self, event: Option<&str>) {
        let (time, row) = event.and_then(|event| self.reader.read(event)).unwrap_or_default();
        self.times.append_option(time);
        for (column, text) in self.texts.iter_mut().zip(row) {
            match text {
                Some(text) => column.append_value(&text),
                None => column.append_null(),
            }
        }
    }

    fn finish(&mut self) -> impl Iterator<Item = ArrayRef> {
        let times: ArrayRef = Arc::new(self.times.finish());
        let texts = self.texts.iter_mut().map(|column| Arc::new(column.finish()) as ArrayRef);
        [times].into_iter().chain(texts)
    }
}

impl Builder {
    /// With the main fields, if there is a reader for them.
    pub(super) fn new(reader: Option<Reader>) -> Builder {
        Builder { main: reader.map(Main::new), ..Builder::default() }
    }

    pub(super) fn add(&mut self, row: u64, became: Result<&[u8], &Reject>) {
        self.rows.push(row as i64);
        match became.map(std::str::from_utf8) {
            Ok(Ok(event)) => {
                self.bytes += event.len();
                self.events.append_value(event);
                self.rejects.none();
                if let Some(main) = &mut self.main {
                    main.add(Some(event));
                }
            }
            Ok(Err(error)) => self.failed = Some(ArrowError::from_external_error(Box::new(error))),
            Err(reject) => {
                self.bytes += reject.raw.len();
                self.events.append_null();
                self.rejects.add(reject);
                if let Some(main) = &mut self.main {
                    main.add(None);
                }
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
        let mut columns: Vec<ArrayRef> = vec![Arc::new(self.events.finish())];
        if let Some(main) = &mut self.main {
            columns.extend(main.finish());
        }
        columns.push(Arc::new(rejects));
        self.bytes = 0;
        self.built.push(Built { rows, columns });
    }

    /// What was built, and the reader back.
    pub(super) fn finish(mut self) -> Result<(Vec<Built>, Option<Reader>), ArrowError> {
        if !self.rows.is_empty() {
            self.end();
        }
        let reader = self.main.map(|main| main.reader);
        self.failed.map_or(Ok((self.built, reader)), Err)
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

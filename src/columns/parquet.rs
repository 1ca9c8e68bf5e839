//! Events as a Parquet file: the columns, and `event`, the whole event as JSON.

use super::build::{Builder, unlike, utf8};
use super::layouts::Layouts;
use super::{TIME, name};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{ArrowError, Field, Schema, SchemaRef};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;
use std::fmt;
use std::io::{self, Write};
use std::sync::Arc;

/// How many rows are encoded at once, or about how many bytes of events.
const ROWS: usize = 4096;
const BYTES: usize = 4 << 20;
/// About how many bytes of events a row group has.
const ROW_GROUP: usize = 16 << 20;

/// Writes events as a Parquet file.
pub struct Table<W: Write + Send> {
    file: ArrowWriter<W>,
    schema: SchemaRef,
    rows: Builder,
    /// Bytes of events in the row group.
    bytes: usize,
}

impl<W: Write + Send> Table<W> {
    /// Begins a file in `out`.
    ///
    /// # Errors
    /// If it can't be written.
    pub fn new(out: W) -> io::Result<Table<W>> {
        // The event is the last column, and there always.
        let mut fields = Builder::fields(true);
        fields.rotate_left(1);
        let fields: Vec<Field> = fields
            .into_iter()
            .map(|field| {
                let null = field.name() != "event";
                field.with_nullable(null)
            })
            .collect();
        let schema: SchemaRef = Arc::new(Schema::new(fields));
        let event = ColumnPath::from("event");
        let time = ColumnPath::from(name(TIME));
        let properties = WriterProperties::builder()
            .set_created_by("udmap".to_owned())
            .set_compression(Compression::ZSTD(ZstdLevel::try_new(1).map_err(failed)?))
            .set_statistics_enabled(EnabledStatistics::Chunk)
            // No two events are the same, and no range of them says anything.
            .set_column_dictionary_enabled(event.clone(), false)
            .set_column_statistics_enabled(event, EnabledStatistics::None)
            .set_column_dictionary_enabled(time, false)
            // Where values do not come again, such as identifiers, a dictionary is given up soon.
            .set_dictionary_page_size_limit(1 << 17)
            .build();
        let options = ArrowWriterOptions::new()
            .with_properties(properties)
            .with_skip_arrow_metadata(true)
            .with_schema_root("event".to_owned());
        let file = ArrowWriter::try_new_with_options(out, Arc::clone(&schema), options).map_err(failed)?;
        Ok(Table { file, schema, rows: Builder::new(true), bytes: 0 })
    }

    /// Adds events, one a line, with their layouts.
    ///
    /// # Errors
    /// If they can't be written, or the layouts are not theirs.
    pub fn push(&mut self, events: &[u8], layouts: Option<&Layouts>) -> io::Result<()> {
        let layouts = layouts.ok_or_else(|| io::Error::other("the events were converted without columns"))?;
        let text = utf8(events).map_err(of_arrow)?;
        let (mut start, mut rest) = (0, layouts.events());
        // However the events come in batches, the file is the same.
        while !rest.is_empty() {
            let most = rest.len().min(ROWS - self.rows.len());
            let full = start + BYTES - self.rows.bytes().min(BYTES);
            let count = (rest[..most].partition_point(|event| event.end < full) + 1).min(most);
            let (some, others) = rest.split_at(count);
            self.rows.push_some(text, start, some, layouts.known()).map_err(of_arrow)?;
            (start, rest) = (some.last().map_or(start, |event| event.end), others);
            if self.rows.len() >= ROWS || self.rows.bytes() >= BYTES {
                self.write()?;
            }
        }
        if start == text.len() { Ok(()) } else { Err(of_arrow(unlike())) }
    }

    /// Ends the file; what it was written to.
    ///
    /// # Errors
    /// If it can't be written.
    pub fn finish(mut self) -> io::Result<W> {
        self.write()?;
        self.file.into_inner().map_err(failed)
    }

    fn write(&mut self) -> io::Result<()> {
        if self.rows.is_empty() {
            return Ok(());
        }
        self.bytes += self.rows.bytes();
        let mut columns: Vec<ArrayRef> = self.rows.finish().map_err(of_arrow)?;
        columns.rotate_left(1);
        let batch = RecordBatch::try_new(Arc::clone(&self.schema), columns).map_err(of_arrow)?;
        self.file.write(&batch).map_err(failed)?;
        if self.bytes >= ROW_GROUP {
            self.bytes = 0;
            self.file.flush().map_err(failed)?;
        }
        Ok(())
    }
}

/// What Arrow said.
fn of_arrow(error: ArrowError) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

impl<W: Write + Send> fmt::Debug for Table<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Table").field("rows", &self.rows.len()).finish_non_exhaustive()
    }
}

/// The writer's error, with what went wrong below it.
fn failed(error: ParquetError) -> io::Error {
    match error {
        ParquetError::External(source) => match source.downcast::<io::Error>() {
            Ok(error) => *error,
            Err(source) => io::Error::other(source),
        },
        error => io::Error::other(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::convert::{Converter, Envelope, FieldNames, Options};
    use crate::mapping::Mapping;
    use bytes::Bytes;
    use parquet::file::reader::{FileReader as _, SerializedFileReader};
    use parquet::record::RowAccessor as _;

    #[test]
    fn what_is_written_is_read() {
        let mapping = Mapping::builtin("duo_telephony").unwrap();
        let log = br#"{"context":"authentication","credits":1,"phone":"+15035550102","ts":"0001-01-01T00:00:00.123456789Z","type":"sms","host":"10.0.0.1"}
{"ts":"9999-12-31T23:59:59Z"}
"#;
        let spellings = [
            Options::default(),
            Options { field_names: FieldNames::Camel, envelope: Envelope::Event, ..Options::default() },
        ];
        for options in spellings {
            let batch = Converter::new(&mapping, &options).with_columns().convert(log);
            let events = &batch.events;
            let mut table = Table::new(Vec::new()).unwrap();
            table.push(events, batch.layouts()).unwrap();
            let file = table.finish().unwrap();
            let reader = SerializedFileReader::new(Bytes::from(file)).unwrap();
            let columns: Vec<String> = reader
                .metadata()
                .file_metadata()
                .schema_descr()
                .columns()
                .iter()
                .map(|it| it.name().to_owned())
                .collect();
            let at = |name: &str| columns.iter().position(|column| column == name).unwrap();
            let rows: Vec<_> = reader.get_row_iter(None).unwrap().map(Result::unwrap).collect();
            assert_eq!(rows.len(), 2);
            let row = &rows[0];
            assert_eq!(
                row.get_timestamp_micros(at("metadata_event_timestamp")).unwrap(),
                -62_135_596_799_876_544
            );
            for (column, want) in [
                ("metadata_event_type", "USER_UNCATEGORIZED"),
                ("principal_ip", "10.0.0.1"),
                ("principal_user_phone_numbers", "+15035550102"),
                ("security_result_action", "ALLOW"),
                ("extensions_auth_mechanism", "MECHANISM_UNSPECIFIED"),
            ] {
                assert_eq!(row.get_string(at(column)).unwrap(), want, "{column}");
            }
            assert!(row.is_null(at("principal_hostname")).unwrap());
            let lines: Vec<&[u8]> = events.split(|byte| *byte == b'\n').collect();
            for (row, line) in rows.iter().zip(lines) {
                assert_eq!(row.get_string(at("event")).unwrap().as_bytes(), line);
            }
        }
        let empty = Table::new(Vec::new()).unwrap().finish().unwrap();
        assert_eq!(
            SerializedFileReader::new(Bytes::from(empty)).unwrap().get_row_iter(None).unwrap().count(),
            0
        );
    }

    #[test]
    #[cfg(feature = "cli")]
    fn the_file_is_the_same_however_events_come() {
        let mapping = Mapping::builtin("duo_telephony").unwrap();
        let log = crate::lab::Generator::records(3, &"v2=70,v1=25,awkward=5".parse().unwrap(), 9_000);
        let file = |chunk_bytes| {
            let options = Options { chunk_bytes, ..Options::default() };
            let converter = Converter::new(&mapping, &options).with_columns();
            let mut table = Table::new(Vec::new()).unwrap();
            let mut rows = 0;
            let input = crate::convert::Input::reader("log", &log[..]);
            let run = converter.run([input], 1, |piece| {
                let crate::convert::Piece::Batch { batch, .. } = piece else { panic!() };
                table.push(&batch.events, batch.layouts()).unwrap();
                rows += batch.counts.events;
                std::ops::ControlFlow::Continue(())
            });
            run.unwrap();
            (table.finish().unwrap(), rows)
        };
        let (expected, rows) = file(1 << 20);
        let reader = SerializedFileReader::new(Bytes::from(expected.clone())).unwrap();
        assert_eq!(reader.metadata().file_metadata().num_rows() as u64, rows);
        for chunk_bytes in [1, 5_000, 1 << 24] {
            assert!(file(chunk_bytes).0 == expected, "{chunk_bytes}");
        }
    }

    #[test]
    fn events_without_layouts_are_an_error() {
        let mut table = Table::new(Vec::new()).unwrap();
        assert!(table.push(b"{}\n", None).is_err());
        let none = crate::columns::Layouts::default();
        assert!(table.push(b"{}\n", Some(&none)).is_err());
    }
}

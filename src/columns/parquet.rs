//! Events as a Parquet file: the columns, and `event`, the whole event as JSON.

use super::{COLUMNS, Reader, TIME, name};
use bytes::Bytes;
use parquet::basic::{Compression, ZstdLevel};
use parquet::column::writer::ColumnWriter;
use parquet::data_type::ByteArray;
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use std::fmt;
use std::io::{self, Write};
use std::sync::Arc;

/// The most rows of a row group, and about how many bytes of events it has.
const ROWS: usize = 100_000;
const BYTES: usize = 16 << 20;

/// Writes events as a Parquet file.
pub struct Table<W: Write + Send> {
    file: SerializedFileWriter<W>,
    times: Vec<Option<i64>>,
    texts: Vec<Vec<Option<ByteArray>>>,
    events: Vec<ByteArray>,
    bytes: usize,
    reader: Reader,
}

impl<W: Write + Send> Table<W> {
    /// Begins a file in `out`.
    ///
    /// # Errors
    /// If it can't be written.
    pub fn new(out: W) -> io::Result<Table<W>> {
        let mut schema = format!("message event {{ optional int64 {} (TIMESTAMP(MICROS,true));", name(TIME));
        for path in COLUMNS {
            schema.push_str(&format!(" optional binary {} (STRING);", name(path)));
        }
        schema.push_str(" required binary event (STRING); }");
        let schema = parse_message_type(&schema).map_err(failed)?;
        let properties = WriterProperties::builder()
            .set_created_by("udmap".to_owned())
            .set_compression(Compression::ZSTD(ZstdLevel::try_new(3).map_err(failed)?))
            .build();
        let file = SerializedFileWriter::new(out, Arc::new(schema), Arc::new(properties)).map_err(failed)?;
        let texts = vec![Vec::new(); COLUMNS.len()];
        Ok(Table { file, times: Vec::new(), texts, events: Vec::new(), bytes: 0, reader: Reader::default() })
    }

    /// Adds events, one a line.
    ///
    /// # Errors
    /// If they can't be written.
    pub fn push(&mut self, lines: &[u8]) -> io::Result<()> {
        for line in lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            let read = std::str::from_utf8(line).ok().and_then(|line| self.reader.read(line));
            let Some((time, row)) = read else {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "a line is not an event"));
            };
            self.times.push(time);
            for (column, text) in self.texts.iter_mut().zip(row) {
                column.push(text.map(|text| ByteArray::from(text.into_owned().into_bytes())));
            }
            self.events.push(ByteArray::from(Bytes::copy_from_slice(line)));
            self.bytes += line.len();
            if self.events.len() >= ROWS || self.bytes >= BYTES {
                self.row_group()?;
            }
        }
        Ok(())
    }

    /// Ends the file; what it was written to.
    ///
    /// # Errors
    /// If it can't be written.
    pub fn finish(mut self) -> io::Result<W> {
        if !self.events.is_empty() {
            self.row_group()?;
        }
        self.file.into_inner().map_err(failed)
    }

    fn row_group(&mut self) -> io::Result<()> {
        let mut group = self.file.next_row_group().map_err(failed)?;
        let mut at = 0;
        while let Some(mut column) = group.next_column().map_err(failed)? {
            let written = match column.untyped() {
                ColumnWriter::Int64ColumnWriter(writer) => {
                    let levels: Vec<i16> = self.times.iter().map(|time| i16::from(time.is_some())).collect();
                    let values: Vec<i64> = self.times.iter().flatten().copied().collect();
                    writer.write_batch(&values, Some(&levels), None)
                }
                ColumnWriter::ByteArrayColumnWriter(writer) => match self.texts.get(at - 1) {
                    Some(texts) => {
                        let levels: Vec<i16> = texts.iter().map(|text| i16::from(text.is_some())).collect();
                        let values: Vec<ByteArray> = texts.iter().flatten().cloned().collect();
                        writer.write_batch(&values, Some(&levels), None)
                    }
                    None => writer.write_batch(&self.events, None, None),
                },
                _ => Err(ParquetError::General("a column of another type".into())),
            };
            written.map_err(failed)?;
            column.close().map_err(failed)?;
            at += 1;
        }
        group.close().map_err(failed)?;
        self.times.clear();
        self.texts.iter_mut().for_each(Vec::clear);
        self.events.clear();
        self.bytes = 0;
        Ok(())
    }
}

impl<W: Write + Send> fmt::Debug for Table<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Table").field("rows", &self.events.len()).finish_non_exhaustive()
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
            let events = Converter::new(&mapping, &options).convert(log).events;
            let mut table = Table::new(Vec::new()).unwrap();
            table.push(&events).unwrap();
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
}

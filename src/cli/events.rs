//! Where `udmap convert` puts events: lines, or a table.

use crate::convert::{Batch, Converter, Options};
use crate::jobs::dump::Format;
use crate::mapping::Mapping;
use crate::store::{Compression, Error, Output};
use crate::text::escaped;
use anyhow::bail;
use std::io::{self, Write as _};

/// How events are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum OutputFormat {
    /// One a line, as JSON.
    Ndjson,
    /// A Parquet file: flat columns, and the whole event as JSON.
    Parquet,
}

impl OutputFormat {
    /// The format of an output: as given, or as its name says.
    ///
    /// # Errors
    /// If it is Parquet, and this udmap can't write that.
    pub(super) fn of(given: Option<OutputFormat>, output: &str) -> anyhow::Result<OutputFormat> {
        let by_name = if output.ends_with(".parquet") { OutputFormat::Parquet } else { OutputFormat::Ndjson };
        let format = given.unwrap_or(by_name);
        if format == OutputFormat::Parquet && !cfg!(feature = "parquet") {
            bail!("this udmap was built without the feature `parquet`");
        }
        Ok(format)
    }

    /// What converts for it.
    pub(super) fn converter(self, mapping: &Mapping, options: &Options) -> Converter {
        let converter = Converter::new(mapping, options);
        if self == OutputFormat::Parquet { converter.with_columns() } else { converter }
    }

    /// The format of outputs for each input: as given, else lines, compressed like this.
    ///
    /// # Errors
    /// As of [`of`](Self::of).
    pub(super) fn of_dump(given: Option<OutputFormat>, compress: Compression) -> anyhow::Result<Format> {
        Ok(match OutputFormat::of(given, "")? {
            #[cfg(feature = "parquet")]
            OutputFormat::Parquet => Format::Parquet,
            _ => Format::Lines(compress),
        })
    }
}

/// A file or stdout that takes events.
#[derive(Debug)]
pub(super) enum EventOutput {
    Lines(Box<Output>),
    #[cfg(feature = "parquet")]
    Table(Box<crate::columns::Table<Output>>),
}

impl EventOutput {
    /// Opens `output`; it is compressed on `threads` threads, at the level of `compress` if that is given.
    ///
    /// # Errors
    /// If it can't be opened, or if its name says another compression.
    pub(super) fn create(
        output: &str,
        format: Option<OutputFormat>,
        compress: Option<Compression>,
        threads: usize,
    ) -> anyhow::Result<EventOutput> {
        let format = OutputFormat::of(format, output)?;
        let named = match format {
            OutputFormat::Ndjson => Output::compression(output),
            OutputFormat::Parquet => Compression::None,
        };
        if let Some(compress) = compress
            && !named.levels().contains(&compress)
        {
            let ending = compress.extension();
            bail!(
                "`--compress {compress}` does not go with `-o {}`: its name says whether one file is compressed, and how; \
                 expected a name that ends in {ending}",
                escaped(output)
            );
        }
        let sink = Output::create(output)?.on_threads(threads).at_level(compress.unwrap_or(named));
        match format {
            #[cfg(feature = "parquet")]
            OutputFormat::Parquet => {
                let table = crate::columns::Table::new(sink).map_err(crate::store::store_error)?;
                Ok(EventOutput::Table(Box::new(table)))
            }
            _ => Ok(EventOutput::Lines(Box::new(sink))),
        }
    }

    /// Takes the events of a batch; those of a table need [columns](Converter::with_columns).
    pub(super) fn write(&mut self, batch: &Batch) -> io::Result<()> {
        match self {
            EventOutput::Lines(sink) => sink.write_all(&batch.events),
            #[cfg(feature = "parquet")]
            EventOutput::Table(table) => table.push(&batch.events, batch.layouts()),
        }
    }

    /// Puts the file in its place.
    pub(super) fn finish(self) -> Result<(), Error> {
        match self {
            EventOutput::Lines(sink) => sink.finish(),
            #[cfg(feature = "parquet")]
            EventOutput::Table(table) => match table.finish() {
                Ok(sink) => sink.finish(),
                Err(error) => Err(Error::from_io(error)
                    .unwrap_or_else(|error| Error::cannot_write("the Parquet file", error))),
            },
        }
    }
}

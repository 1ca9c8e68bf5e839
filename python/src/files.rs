//! Events and rejects as files, each complete or not there.

use crate::errors::{self, OutputError};
use pyo3::PyErr;
use std::io::{self, Write as _};
use udmap::columns::Table;
use udmap::convert::Batch;
use udmap::store::{Error, Output};

/// Where events go.
enum Events {
    Lines(Box<Output>),
    Table(Box<Table<Output>>),
}

/// The files that a run writes.
pub(crate) struct Files {
    events: Events,
    rejects: Option<Output>,
    line: Vec<u8>,
}

impl Files {
    /// Begins files of these names; one that ends in `.parquet` becomes a Parquet file.
    ///
    /// # Errors
    /// If they can't be written.
    pub(crate) fn create(events: &str, rejects: Option<&str>) -> Result<Files, PyErr> {
        let output = Output::create(events).map_err(error)?;
        let events = if is_table(events) {
            Events::Table(Box::new(Table::new(output).map_err(io_error)?))
        } else {
            Events::Lines(Box::new(output))
        };
        let rejects = rejects.map(Output::create).transpose().map_err(error)?;
        Ok(Files { events, rejects, line: Vec::new() })
    }

    pub(crate) fn write(&mut self, source: &str, batch: &Batch) -> io::Result<()> {
        match &mut self.events {
            Events::Lines(output) => output.write_all(&batch.events)?,
            Events::Table(table) => table.push(&batch.events, batch.layouts())?,
        }
        if let Some(output) = &mut self.rejects {
            for reject in &batch.rejects {
                self.line.clear();
                reject.write_json(source, &mut self.line);
                output.write_all(&self.line)?;
            }
        }
        Ok(())
    }

    /// Puts the files in their places.
    ///
    /// # Errors
    /// If they can't be written to their ends.
    pub(crate) fn finish(self) -> Result<(), PyErr> {
        match self.events {
            Events::Lines(output) => output.finish().map_err(error)?,
            Events::Table(table) => table.finish().map_err(io_error)?.finish().map_err(error)?,
        }
        self.rejects.map_or(Ok(()), |output| output.finish().map_err(error))
    }
}

/// Whether a file of this name is a Parquet file.
pub(crate) fn is_table(name: &str) -> bool {
    name.ends_with(".parquet")
}

fn error(error: Error) -> PyErr {
    OutputError::new_err(errors::store_words(&error))
}

/// What writing said.
pub(crate) fn io_error(error: io::Error) -> PyErr {
    OutputError::new_err(errors::io_words(error))
}

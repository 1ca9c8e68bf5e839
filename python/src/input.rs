//! What is converted or checked: bytes, files, or what Python hands on piece by piece.

use crate::run::{Fed, Shared};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use std::io::{self, Cursor};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use udmap::store::{self, Input};

/// What Python gives; nothing for what it hands on later.
#[derive(FromPyObject)]
pub(crate) enum Data {
    /// Bytes, perhaps compressed.
    Bytes(PyBackedBytes),
    /// Files, folders and patterns, as on the command line.
    Paths(Vec<String>),
}

/// An input that is opened when its turn comes.
pub(crate) struct Source {
    pub(crate) name: String,
    pub(crate) open: Box<dyn FnOnce() -> io::Result<Input> + Send>,
}

/// The inputs in `data`, or in what is fed under the name `name`. None of `outputs` is among them.
///
/// # Errors
/// If files can't be listed, or one of them is an output.
pub(crate) fn sources(
    data: Option<Data>,
    name: String,
    fed: Option<Fed>,
    outputs: &[PathBuf],
    shared: &Shared,
) -> Result<Vec<Source>, store::Error> {
    let of = |open: Box<dyn FnOnce() -> io::Result<Input> + Send>| vec![Source { name: name.clone(), open }];
    let (read, stop, called) = (Arc::clone(&shared.read), Arc::clone(&shared.stop), name.clone());
    match (data, fed) {
        (Some(Data::Paths(paths)), _) => {
            let found = store::list(&paths, outputs)?.sources;
            if let Some(total) = found.iter().map(store::Source::size).sum::<Option<u64>>() {
                shared.total.store(total, Ordering::Relaxed);
            }
            let source = |source: store::Source| {
                let (read, stop) = (Arc::clone(&read), Arc::clone(&stop));
                Source {
                    name: source.name().to_owned(),
                    open: Box::new(move || Ok(source.open(read, stop)?)),
                }
            };
            Ok(found.into_iter().map(source).collect())
        }
        (Some(Data::Bytes(bytes)), _) => {
            let size = bytes.len() as u64;
            shared.total.store(size, Ordering::Relaxed);
            let reader = Counted { reader: Cursor::new(bytes), read };
            Ok(of(Box::new(move || Ok(Input::of(reader, size, &called, stop)))))
        }
        (None, Some(fed)) => {
            let reader = Counted { reader: fed, read };
            // Many buffers of the size that pieces have.
            Ok(of(Box::new(move || Ok(Input::of(reader, 1 << 20, &called, stop)))))
        }
        (None, None) => Ok(Vec::new()),
    }
}

/// Counts what is read.
struct Counted<R> {
    reader: R,
    read: Arc<std::sync::atomic::AtomicU64>,
}

impl<R: io::Read> io::Read for Counted<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(out)?;
        self.read.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

//! Files read by many threads, for checks that look at records or events and write none.

use crate::check::yaml::{self, is_yaml};
use crate::convert::pipeline::{Framed, Job, Piece, Spare};
use crate::convert::{CHUNK_BYTES, Input};
use crate::record::frame::Framer;
use crate::store::Source;
use std::io::{self, Cursor, Read};
use std::ops::ControlFlow;
use std::sync::Arc;

/// How inputs are read.
#[derive(Debug)]
pub(crate) struct Reading {
    pub(crate) threads: usize,
    /// The longest unit, in bytes.
    pub(crate) limit: usize,
    /// Whether YAML files are read, as JSON.
    pub(crate) yaml: bool,
}

impl Reading {
    /// Reads `sources` one after the other and has each chunk worked on. `take` gets the results in
    /// order; when it fails, reading stops. A worker's state, made by `make`, goes from chunk to
    /// chunk; the states come back at the end, in no order.
    pub(crate) fn run<S: Send, T: Send>(
        &self,
        sources: &[Source],
        make: &(dyn Fn() -> S + Sync),
        work: &(dyn Fn(&mut S, Framed<'_>) -> T + Sync),
        take: &mut (dyn FnMut(Piece<'_, T>) -> anyhow::Result<()> + Send),
    ) -> anyhow::Result<Vec<S>> {
        let inputs = sources.iter().map(|source| {
            Input::open(source.name(), || -> io::Result<Box<dyn Read + Send>> {
                if self.yaml && is_yaml(source.name()) {
                    return Ok(Box::new(yaml_as_json(source, self.limit)?));
                }
                Ok(Box::new(source.open(Arc::default(), Arc::default())?.with_members()))
            })
        });
        let job = Job {
            framer: &|| Framer::new(self.limit, CHUNK_BYTES),
            worker: &|| (make(), Spare::default()),
            work: &|state, chunk, _| work(state, chunk),
        };
        let ended = job.run(inputs.collect(), self.threads, &mut |piece| match take(piece) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => ControlFlow::Break(error),
        })?;
        match ended {
            ControlFlow::Continue(states) => Ok(states.into_iter().map(|(state, _)| state).collect()),
            ControlFlow::Break(error) => Err(error),
        }
    }
}

/// The JSON of a YAML file of at most `limit` bytes, with the same lines.
pub(crate) fn yaml_as_json(source: &Source, limit: usize) -> io::Result<Cursor<Vec<u8>>> {
    let mut text = Vec::new();
    source.open(Arc::default(), Arc::default())?.take(limit as u64 + 1).read_to_end(&mut text)?;
    let yaml = yaml::read(&text, limit).map_err(|error| {
        let (line, message) = (error.place.line, error.message);
        io::Error::other(format!("cannot read `{}`, line {line}: not valid YAML: {message}", source.name()))
    })?;
    Ok(Cursor::new(yaml.json))
}

/// How many threads there are to be.
pub(crate) fn threads(wanted: Option<u16>) -> usize {
    wanted.map_or_else(|| std::thread::available_parallelism().map_or(1, usize::from), usize::from)
}

//! Reads all inputs, one after the other, on a thread of its own.

use super::Error;
use super::event::Ages;
use super::maker::Maker;
use super::piece::Piece;
use super::reader::{Limits, Passed, Reader};
use super::state::InputState;
use crate::store::Source;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

/// What reading gives.
pub(super) enum Read {
    Piece(Box<Piece>),
    /// An input ended, or failed.
    Passed(String, Result<Passed, Error>, Ages),
}

/// An input's name in the state: a file has one, however it is named.
fn name(source: &Source) -> String {
    let name = source.name();
    if name == "-" || name.contains("://") {
        return name.to_owned();
    }
    let path = Path::new(name);
    let path = std::fs::canonicalize(path).or_else(|_| std::path::absolute(path));
    path.map_or_else(|_| name.to_owned(), |path| path.to_string_lossy().into_owned())
}

/// Reads inputs until `give` says `false`, or until `stop` is set. `bytes` grows by what was read, as it is stored.
pub(super) fn read(
    sources: &[Source],
    mut maker: Maker,
    limits: Limits,
    state: &dyn Fn(&str) -> InputState,
    bytes: &Arc<AtomicU64>,
    stop: &Arc<AtomicBool>,
    give: &mut dyn FnMut(Read) -> bool,
) {
    for source in sources {
        let name = name(source);
        let (known, mut goes_on) = (state(&name), true);
        if known.is_done(source.version()) {
            let passed = Passed { lines: known.known.lines, done: known.known.lines, is_unfinished: false };
            if !give(Read::Passed(source.name().to_owned(), Ok(passed), Ages::default())) {
                return;
            }
            continue;
        }
        let result = source
            .open(Arc::clone(bytes), Arc::clone(stop))
            .map_err(|error| Error::store(&error))
            .and_then(|input| {
                let reader = Reader {
                    name: &name,
                    source: source.name(),
                    limits,
                    state: known,
                    version: source.version(),
                    maker: &mut maker,
                };
                reader.run(input, &mut |piece| {
                    goes_on = give(Read::Piece(Box::new(piece)));
                    goes_on
                })
            });
        let ages = maker.take_ages();
        if !goes_on || stop.load(Relaxed) || !give(Read::Passed(source.name().to_owned(), result, ages)) {
            return;
        }
    }
}

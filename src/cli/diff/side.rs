//! One of the two sets: files of events, or raw logs with the mapping that makes events of them.

use crate::check::events::{self, Found};
use crate::check::validate::MOST_OF_AN_ERROR;
use crate::convert::Converter;
use crate::json::{Tree, Value};
use crate::record::frame::{ChunkBody, Unit};
use crate::store::{self, AtomicFile, Listing, Source, in_scratch, nameless};
use crate::text::LineIndex;
use crate::text::shown_up_to;
use std::fs::File;
use std::io::{self, Write as _};

/// Where the events of one side come from.
#[derive(Debug)]
pub(super) struct Origin {
    pub(super) sources: Vec<Source>,
    /// What to call the sources.
    pub(super) names: Vec<String>,
    /// What makes events of raw logs.
    pub(super) converter: Option<Converter>,
    pub(super) limit: usize,
    /// Keeps what came from stdin, which can be read only once.
    _spooled: Option<(File, AtomicFile)>,
}

/// Something at a place of a chunk.
pub(super) struct At<'e> {
    pub(super) line: u64,
    /// The byte of the source; no two events have the same.
    pub(super) byte: u64,
    /// The event's JSON, or why there is none.
    pub(super) event: Result<&'e [u8], String>,
}

impl Origin {
    /// What was listed; stdin is copied to a temporary file.
    pub(super) fn new(
        listing: Listing,
        converter: Option<Converter>,
        limit: usize,
    ) -> anyhow::Result<Origin> {
        let mut sources = listing.sources;
        let names: Vec<String> = sources.iter().map(|source| source.name().to_owned()).collect();
        let mut spooled = None;
        if names == ["-"] {
            let (mut file, temporary) = AtomicFile::scratch("udmap-stdin")?;
            for source in &sources {
                let mut stdin = source.open(Default::default(), Default::default())?;
                // An error of reading names stdin already.
                io::copy(&mut stdin, &mut file).map_err(in_scratch)?;
            }
            sources = store::list(&[temporary.path().to_string_lossy().into_owned()], &[])?.sources;
            spooled = Some((file, temporary));
        }
        Ok(Origin { sources, names, converter, limit, _spooled: spooled })
    }

    /// Hands the events of a chunk to `each`, in order.
    pub(super) fn each(&self, chunk: &[u8], body: &ChunkBody, tree: &mut Tree, each: &mut dyn FnMut(At<'_>)) {
        if let Some(converter) = &self.converter {
            return converter.trace(chunk, body, &mut |record| {
                let event = record.fields.as_ref().map_err(ToString::to_string);
                let event =
                    event.and_then(|fields| converter.event(fields).map_err(|fault| fault.to_string()));
                let event = event.as_deref().map_err(Clone::clone);
                each(At { line: record.line, byte: record.offset, event });
            });
        }
        let mut unit = |unit: &Unit, bytes: &[u8]| {
            let mut at = |line, byte, event| each(At { line, byte, event });
            match unit.fault(bytes, self.limit) {
                Some(fault) => at(unit.line, unit.offset, Err(fault.message)),
                None => match tree.read(bytes) {
                    Err(flaw) => at(unit.line, unit.offset + flaw.at as u64, Err(flaw.to_string())),
                    Ok(value) => {
                        let lines = LineIndex::of(bytes);
                        events::find(value, &mut |found| {
                            let (value, event) = event_in(found);
                            let (line, start) = (unit.line + lines.before(value.start()), value.start());
                            at(line, unit.offset + start as u64, event);
                        });
                    }
                },
            }
        };
        body.units(chunk, self.limit, &mut unit, &mut 0);
    }
}

/// What was found: the event's text, or why there is none.
pub(in crate::cli) fn event_in(found: Found<'_>) -> (Value<'_>, Result<&[u8], String>) {
    match found {
        Found::Event(value) => (value, Ok(value.raw().as_bytes())),
        Found::NoEvent(value) => (value, Err(format!("{} where an event should be", value.kind().name()))),
        Found::Nothing(value) => (value, Err("the parser gave neither events nor an error".to_owned())),
        Found::ParserError(value) => {
            (value, Err(format!("the parser's error {}", shown_up_to(value.raw(), MOST_OF_AN_ERROR))))
        }
    }
}

/// Texts kept in a temporary file.
#[derive(Debug)]
pub(super) struct Spool {
    file: File,
    end: u64,
    buffer: Vec<u8>,
    flushed: u64,
}

impl Spool {
    pub(super) fn new() -> io::Result<Spool> {
        Ok(Spool { file: nameless()?, end: 0, buffer: Vec::new(), flushed: 0 })
    }

    /// Keeps a text; where it begins.
    pub(super) fn keep(&mut self, text: &[u8]) -> io::Result<u64> {
        let at = self.end;
        self.buffer.extend_from_slice(text);
        self.end += text.len() as u64;
        if self.buffer.len() >= 1 << 20 {
            self.flush()?;
        }
        Ok(at)
    }

    fn flush(&mut self) -> io::Result<()> {
        use std::io::Seek as _;
        self.file.seek(io::SeekFrom::Start(self.flushed)).map_err(in_scratch)?;
        self.file.write_all(&self.buffer).map_err(in_scratch)?;
        self.flushed += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }

    /// A text that was kept.
    pub(super) fn get(&mut self, at: u64, length: usize) -> io::Result<Vec<u8>> {
        use std::io::{Read as _, Seek as _};
        if !self.buffer.is_empty() {
            self.flush()?;
        }
        self.file.seek(io::SeekFrom::Start(at)).map_err(in_scratch)?;
        let mut text = vec![0; length];
        self.file.read_exact(&mut text).map_err(in_scratch)?;
        Ok(text)
    }
}

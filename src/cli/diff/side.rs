//! One of the two sets: files of events, or raw logs with the mapping that makes events of them.

use crate::cli::many;
use crate::convert::Converter;
use crate::json::{Tree, Value};
use crate::line_index::LineIndex;
use crate::record::frame::{Body, Item, ItemState};
use crate::store::Source;
use crate::text::shown_up_to;
use crate::udm::events::{self, Found};
use crate::udm::validate::MOST_OF_AN_ERROR;
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
    _spooled: Option<tempfile::NamedTempFile>,
}

/// Something at a place of a chunk.
pub(super) struct At<'e> {
    /// Counted as the chunk counts lines.
    pub(super) line: u64,
    /// The byte of the source; no two events have the same.
    pub(super) byte: u64,
    /// The event's JSON, or why there is none.
    pub(super) event: Result<&'e [u8], String>,
}

impl Origin {
    /// Lists an input; stdin is copied to a temporary file.
    pub(super) fn new(input: &str, converter: Option<Converter>, limit: usize) -> anyhow::Result<Origin> {
        let mut sources = many::sources(&[input.to_owned()])?;
        let names = sources.iter().map(|source| source.name().to_owned()).collect();
        let mut spooled = None;
        if input == "-" {
            let mut file = tempfile::NamedTempFile::new()?;
            for source in &sources {
                io::copy(&mut source.open(Default::default(), Default::default())?, &mut file)?;
            }
            file.flush()?;
            sources = many::sources(&[file.path().to_string_lossy().into_owned()])?;
            spooled = Some(file);
        }
        Ok(Origin { sources, names, converter, limit, _spooled: spooled })
    }

    /// Hands the events of a chunk to `each`, in order. Gives the lines to be added to later ones.
    pub(super) fn each(
        &self,
        chunk: &[u8],
        body: &Body,
        tree: &mut Tree,
        each: &mut dyn FnMut(At<'_>),
    ) -> u64 {
        if let Some(converter) = &self.converter {
            return converter.trace(chunk, body, &mut |record| {
                let event = record.fields.as_ref().map_err(ToString::to_string);
                let event =
                    event.and_then(|fields| converter.event(fields).map_err(|fault| fault.to_string()));
                let event = event.as_deref().map_err(Clone::clone);
                each(At { line: record.line, byte: record.offset, event });
            });
        }
        let mut unit = |unit: &Item, bytes: &[u8]| {
            let mut at = |line, byte, event| each(At { line, byte, event });
            match unit.state {
                ItemState::TooLong => {
                    at(unit.line, unit.offset, Err(format!("{} bytes are too long", unit.length)))
                }
                ItemState::Broken(why) => at(unit.line, unit.offset, Err(why.to_owned())),
                ItemState::Whole => match tree.read(bytes) {
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
        body.units(chunk, self.limit, &mut unit, &mut 0)
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
        Ok(Spool { file: tempfile::tempfile()?, end: 0, buffer: Vec::new(), flushed: 0 })
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
        self.file.seek(io::SeekFrom::Start(self.flushed))?;
        self.file.write_all(&self.buffer)?;
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
        self.file.seek(io::SeekFrom::Start(at))?;
        let mut text = vec![0; length];
        self.file.read_exact(&mut text)?;
        Ok(text)
    }
}

//! One of the two sets: files of events, or raw logs with the mapping that makes events of them.

use crate::check::compare::{Meaning, MeaningReader, Rules};
use crate::check::events;
use crate::check::reading::yaml_as_json;
use crate::check::yaml::is_yaml;
use crate::convert::Converter;
use crate::json::Tree;
use crate::record::frame::{ChunkBody, Unit};
use crate::store::{AtomicFile, Source, in_scratch};
use crate::text::LineIndex;
use std::fs::File;
use std::io::{self, Read};
use std::sync::Arc;

/// Where the events of one side come from.
#[derive(Debug)]
pub(crate) struct EventSource {
    pub(super) sources: Vec<Source>,
    /// What makes events of raw logs.
    pub(super) converter: Option<Converter>,
    pub(super) limit: usize,
    /// Keeps what can be read only once: what came from stdin and pipes.
    _copies: Vec<(File, AtomicFile)>,
}

/// A text of one side: a source, or a member of one that is an archive.
#[derive(Debug, Clone, Default)]
pub(super) struct SourceText {
    /// The number of its source.
    pub(super) source: usize,
    pub(super) name: String,
}

/// An event, or what is there instead of one.
pub(super) struct At<'e> {
    pub(super) line: u64,
    /// The byte of the source; no two events have the same.
    pub(super) byte: u64,
    /// The event's JSON and what it means, or why there is none.
    pub(super) event: Result<(&'e [u8], &'e Meaning), String>,
}

/// What reads the events of a side; it keeps its memory from chunk to chunk.
#[derive(Debug)]
pub(super) struct SideReader<'r> {
    tree: Tree,
    meanings: MeaningReader<'r>,
}

impl<'r> SideReader<'r> {
    pub(super) fn new(rules: &'r Rules) -> SideReader<'r> {
        SideReader { tree: Tree::default(), meanings: MeaningReader::new(rules) }
    }
}

impl EventSource {
    /// What was listed; stdin and pipes are copied to temporary files.
    pub(crate) fn new(
        mut sources: Vec<Source>,
        converter: Option<Converter>,
        limit: usize,
    ) -> anyhow::Result<EventSource> {
        let mut copies = Vec::new();
        for source in &mut sources {
            let Some(mut once) = source.only_once()? else { continue };
            let (mut file, temporary) = AtomicFile::scratch("udmap-stdin")?;
            io::copy(&mut once, &mut file).map_err(in_scratch)?;
            *source = source.copied_to(temporary.path());
            copies.push((file, temporary));
        }
        Ok(EventSource { sources, converter, limit, _copies: copies })
    }

    /// Opens a source for the second reading, as [`Reading`](crate::check::reading::Reading) does for the first.
    pub(super) fn open(&self, number: usize) -> io::Result<Box<dyn Read>> {
        let source = &self.sources[number];
        if is_yaml(source.name()) {
            return Ok(Box::new(yaml_as_json(source, self.limit)?));
        }
        Ok(Box::new(source.open(Arc::default(), Arc::default())?.with_members()))
    }

    /// Hands the events of a chunk to `each`, in order.
    pub(super) fn each(
        &self,
        chunk: &[u8],
        body: &ChunkBody,
        reader: &mut SideReader<'_>,
        each: &mut dyn FnMut(At<'_>),
    ) {
        let SideReader { tree, meanings } = reader;
        if let Some(converter) = &self.converter {
            return converter.trace(chunk, body, &mut |record| {
                let event = record.fields.as_ref().map_err(ToString::to_string);
                // A record with fields has a table.
                let table = record.table.unwrap_or_default();
                let event = event
                    .and_then(|fields| converter.event(table, fields).map_err(|fault| fault.to_string()));
                let event = event.as_deref().map_err(Clone::clone).and_then(|text| {
                    meanings.read(text).map(|meaning| (text, meaning)).map_err(|error| error.to_string())
                });
                each(At { line: record.line, byte: record.offset, event });
            });
        }
        let mut unit = |unit: &Unit, bytes: &[u8], is_cut: bool| {
            let mut at =
                |line, byte, event: Result<(&[u8], &Meaning), String>| each(At { line, byte, event });
            if !is_cut {
                let known = meanings.known(bytes);
                let is_known = known.is_some();
                known.into_iter().for_each(|meaning| at(unit.line, unit.offset, Ok((bytes, meaning))));
                return is_known;
            }
            if let Some(fault) = unit.error(bytes, self.limit) {
                at(unit.line, unit.offset, Err(fault.message));
                return true;
            }
            match tree.read(bytes) {
                Err(flaw) => at(unit.line, unit.offset + flaw.at as u64, Err(flaw.to_string())),
                Ok(value) => {
                    let lines = LineIndex::of(bytes);
                    events::find(value, &mut |candidate| {
                        let start = candidate.value().start();
                        let (line, byte) = (unit.line + lines.before(start), unit.offset + start as u64);
                        match candidate.event() {
                            Ok(event) => {
                                at(line, byte, Ok((event.raw().as_bytes(), meanings.of(bytes, event))));
                            }
                            Err(why) => at(line, byte, Err(why)),
                        }
                    });
                }
            }
            true
        };
        body.known_units(chunk, self.limit, &mut unit, &mut 0);
    }
}

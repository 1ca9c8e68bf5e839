//! What all manifests of a place say together: which line about an input is the current one, and so
//! which outputs are current and which superseded. Read whole, in bounded memory: lines go to a
//! temporary file, and small records of them are sorted over others.

use super::entry::{End, ManifestEntry, OutputObject};
use super::part::{Item, Reader, Written, number, ranks};
use super::place::Origin;
use super::progress::{Cause, Progress};
use super::runs::Runs;
use super::spool::{Span, Spool, hash};
use crate::store::Error;
use crate::store::objects::{Access, ObjectMeta, ReadEnd};
use crate::store::sort::{Sorted, Sorter};
use std::collections::BTreeMap;
use std::io::{self, BufReader};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

/// A part holds fewer lines: more is none that udmap wrote.
const MOST_LINES: u32 = 1_000_000;
/// No output and no input has more lines about it.
const MOST_MENTIONS: usize = 1_000_000;
/// How many misnamed files are named.
const MOST_MISNAMED: usize = 20;

/// An input's line: the input, then the part and the line in it, then where it is kept.
const LINE: usize = 16 + 4 + 4 + Span::BYTES;
/// An output in a line: the output, then the line, the current line about the same input, the part,
/// which of the line's outputs it is, and its state.
const OUTPUT: usize = 16 + Span::BYTES + Span::BYTES + 4 + 1 + 1;

/// All manifests below a prefix, read.
#[derive(Debug)]
pub(super) struct History {
    spool: Spool,
    lines: Sorter<LINE>,
    /// Lines about inputs.
    pub(super) count: u64,
    /// Parts read.
    pub(super) parts: u64,
    /// Parts that say nothing of their being whole.
    pub(super) unsealed: u64,
    /// Whether anything is wrong with it as a whole: what it does not say may be so all the same.
    pub(super) faulty: bool,
    /// Whether it is all of a manifest, and not one of its runs or parts.
    pub(super) all: bool,
    /// The highest round of its runs.
    pub(super) round: u64,
    ranks: Vec<u32>,
    places: Vec<Place>,
    /// By part.
    place_of: Vec<u32>,
}

/// Where the outputs of runs go.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) output: String,
    pub(super) rejects: Option<String>,
    /// Inputs in it.
    pub(super) inputs: Vec<String>,
}

/// What an output is in the eyes of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// The line is the last one about its input.
    Current,
    /// Another line came later.
    Superseded,
    /// Another one, and then one that says that the output was removed.
    Removed,
}

/// A line that names an output.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mention {
    pub(super) line: Span,
    /// The current line about the same input.
    pub(super) current: Span,
    pub(super) part: u32,
    pub(super) which: usize,
    pub(super) state: State,
}

/// All lines that name an output, with the hash of its name.
#[derive(Debug)]
pub(super) struct Mentioned {
    pub(super) hash: [u8; 16],
    pub(super) mentions: Vec<Mention>,
}

/// The manifest that a text names: as it is, or in `manifest/` below.
pub(super) fn locate(text: &str, access: &Access) -> Result<Origin, Error> {
    let origin = Origin::open(text, access)?;
    let Some(inner) = origin.below("manifest/") else { return Ok(origin) };
    let is_there = matches!(inner.objects().next(), Some(Ok(_)));
    Ok(if is_there { inner } else { origin })
}

impl History {
    /// Reads everything. What is wrong with the manifest is counted as a failure, and the rest read.
    /// Nothing if it was told to stop.
    ///
    /// # Errors
    /// If it can't be listed, or a part not be read.
    pub(super) fn read(
        origin: &Origin,
        access: &Access,
        progress: &Progress,
    ) -> Result<Option<History>, Error> {
        let mut history = History {
            spool: Spool::new().map_err(no_room)?,
            lines: Sorter::default(),
            count: 0,
            parts: 0,
            unsealed: 0,
            faulty: false,
            all: !origin.is_one(),
            round: 0,
            ranks: Vec::new(),
            places: Vec::new(),
            place_of: Vec::new(),
        };
        let mut written: Vec<Written> = Vec::new();
        let mut runs = Runs::default();
        let mut misnamed = Vec::new();
        for found in origin.objects() {
            let found = found?;
            if access.stop().load(Relaxed) {
                return Ok(None);
            }
            let relative = origin.relative(&found.key);
            if !found.key.ends_with(".ndjson") {
                continue;
            }
            if number(&found.key).is_none() && !origin.is_one() {
                if misnamed.len() < MOST_MISNAMED {
                    misnamed.push(origin.store.name(&found.key));
                }
                continue;
            }
            let run = relative.rsplit_once('/').map(|(run, _)| run);
            history.all &= run.is_some();
            let end = history.part(origin, &found, progress).unwrap_or_else(|error| {
                history.faulty = true;
                progress.fail(Cause::of(&error), &error);
                None
            });
            history.parts += 1;
            let round = end.as_ref().map_or(0, |end| end.round);
            history.round = history.round.max(round);
            written.push((round, found.modified));
            match &end {
                Some(end) => runs.take(run.unwrap_or_default(), &found.key, end),
                None => history.unsealed += 1,
            }
            history.place(origin, end);
        }
        let fault = |name: &str, why: String| {
            progress.fail(Cause::Manifest, &Error::unverified(name, why).with_advice(HINT));
        };
        if history.parts > 0 {
            history.faulty |= !misnamed.is_empty();
            misnamed.iter().for_each(|name| {
                fault(name, "it is not named as a part of a manifest is: `part-00001.ndjson`".to_owned())
            });
        }
        if !origin.is_one() {
            for (run, why) in runs.faults() {
                history.faulty = true;
                fault(&origin.store.name(&format!("{}{run}", origin.prefix)), why);
            }
        }
        history.ranks = ranks(&written);
        Ok(Some(history))
    }

    /// Reads a part; its end, if it has one.
    fn part(
        &mut self,
        origin: &Origin,
        found: &ObjectMeta,
        progress: &Progress,
    ) -> Result<Option<End>, Error> {
        let name = origin.store.name(&found.key);
        let outcome = ReadEnd::default();
        let reader = origin.store.read(found, Arc::default(), &outcome)?;
        let mut reader = Reader::new(BufReader::new(reader), &found.key);
        let failed = |error| outcome.take_error().unwrap_or_else(|| Error::cannot_open(&name, error));
        let number = u32::try_from(self.place_of.len()).unwrap_or(u32::MAX);
        let mut lines = 0;
        while let Some(item) = reader.next().map_err(failed)? {
            let fault = match item {
                Item::Entry(line, at) if lines < MOST_LINES => {
                    lines += 1;
                    self.line(&line, number, lines).map_err(no_room)?;
                    wrong(&line).map(|why| format!("{why} (line {at})"))
                }
                Item::Entry(..) => continue,
                Item::Damage(damage) => Some(damage),
            };
            if let Some(fault) = fault {
                self.faulty = true;
                progress.fail(Cause::Manifest, &Error::unverified(&name, fault).with_advice(HINT));
            }
        }
        Ok(reader.end().cloned())
    }

    fn line(&mut self, line: &ManifestEntry, part: u32, number: u32) -> io::Result<()> {
        let span = self.spool.push(&serde_json::to_vec(line)?)?;
        let mut record = [0; LINE];
        record[..16].copy_from_slice(&hash(&line.input));
        record[16..20].copy_from_slice(&part.to_be_bytes());
        record[20..24].copy_from_slice(&number.to_be_bytes());
        record[24..].copy_from_slice(&span.bytes());
        self.count += 1;
        self.lines.push(record)
    }

    /// Where the outputs of the part read last are.
    fn place(&mut self, origin: &Origin, end: Option<End>) {
        let place = match end {
            Some(End { output, rejects, inputs, .. }) => Place { output, rejects, inputs },
            // Of older versions: what the manifest lies in by default.
            None => {
                let name = origin.place();
                let output = name.strip_suffix("manifest/").unwrap_or_default().to_owned();
                Place { output, rejects: None, inputs: Vec::new() }
            }
        };
        let at = self.places.iter().position(|known| *known == place).unwrap_or_else(|| {
            self.places.push(place);
            self.places.len() - 1
        });
        self.place_of.push(u32::try_from(at).unwrap_or(u32::MAX));
    }

    /// Where outputs go.
    pub(super) fn places(&self) -> &[Place] {
        &self.places
    }

    /// Where the outputs of a part's run go.
    pub(super) fn place_of(&self, part: u32) -> Option<&Place> {
        self.places.get(*self.place_of.get(part as usize)? as usize)
    }

    pub(super) fn spool(&self) -> &Spool {
        &self.spool
    }

    /// Finds the current line about each input, and hands it to `each`, with whether some run was to
    /// delete the input; gives all outputs named, by their names' hashes.
    ///
    /// # Errors
    /// If temporary files can't be written or read, or if a line is about more inputs than can be.
    pub(super) fn current(&mut self, each: &mut dyn FnMut(ManifestEntry, bool)) -> Result<Mentions, Error> {
        self.spool.flush().map_err(no_room)?;
        let mut outputs = Sorter::<OUTPUT>::default();
        let mut group: Vec<[u8; LINE]> = Vec::new();
        for record in std::mem::take(&mut self.lines).sorted().map_err(no_room)? {
            let record = record.map_err(no_room)?;
            if group.first().is_some_and(|first| first[..16] != record[..16]) {
                self.input(&group, &mut outputs, each)?;
                group.clear();
            }
            if group.len() < MOST_MENTIONS {
                group.push(record);
            }
        }
        self.input(&group, &mut outputs, each)?;
        Ok(Mentions { sorted: outputs.sorted().map_err(no_room)?, next: None })
    }

    /// The lines about one input.
    fn input(
        &self,
        group: &[[u8; LINE]],
        outputs: &mut Sorter<OUTPUT>,
        each: &mut dyn FnMut(ManifestEntry, bool),
    ) -> Result<(), Error> {
        // By the place of their outputs: what is elsewhere is not superseded.
        let mut places: BTreeMap<&str, Vec<(u32, u32, u32, Span)>> = BTreeMap::new();
        for record in group {
            let word =
                |at: usize| u32::from_be_bytes([record[at], record[at + 1], record[at + 2], record[at + 3]]);
            let (part, number) = (word(16), word(20));
            let rank = self.ranks.get(part as usize).copied().unwrap_or_default();
            let place = self.place_of(part).map_or("", |place| place.output.as_str());
            places.entry(place).or_default().push((rank, number, part, Span::of(&record[24..])));
        }
        for mut lines in places.into_values() {
            lines.sort_unstable();
            self.lines_of_one(&lines, outputs, each)?;
        }
        Ok(())
    }

    fn lines_of_one(
        &self,
        lines: &[(u32, u32, u32, Span)],
        outputs: &mut Sorter<OUTPUT>,
        each: &mut dyn FnMut(ManifestEntry, bool),
    ) -> Result<(), Error> {
        let mut current: Option<(Span, ManifestEntry)> = None;
        let mut deletes = false;
        let mut pruned: Vec<String> = Vec::new();
        // From the last to the first: what comes later decides.
        for (_, _, part, span) in lines.iter().rev() {
            let line = self.spool.line(*span).map_err(no_room)?;
            if line.pruned {
                pruned.push(line.identity());
                continue;
            }
            let state = match &current {
                None => State::Current,
                Some(_) if pruned.contains(&line.identity()) => State::Removed,
                Some(_) => State::Superseded,
            };
            let now = current.as_ref().map_or(*span, |(span, _)| *span);
            for (which, output) in line.outputs.iter().enumerate().take(255) {
                let mut record = [0; OUTPUT];
                record[..16].copy_from_slice(&hash(&output.url));
                record[16..28].copy_from_slice(&span.bytes());
                record[28..40].copy_from_slice(&now.bytes());
                record[40..44].copy_from_slice(&part.to_be_bytes());
                (record[44], record[45]) = (which as u8, state as u8);
                outputs.push(record).map_err(no_room)?;
            }
            match &current {
                None => {
                    deletes |= line.deletes;
                    current = Some((*span, line));
                }
                Some((_, now)) => deletes |= line.deletes && line.identity() == now.identity(),
            }
        }
        if let Some((_, line)) = current {
            each(line, deletes);
        }
        Ok(())
    }
}

/// What is wrong with a line in itself.
fn wrong(line: &ManifestEntry) -> Option<String> {
    let of = |kind| line.outputs.iter().filter(|output| output.kind == kind).count();
    let input = crate::text::shown(&line.input);
    if line.pruned {
        return None;
    }
    let sum = line.events.checked_add(line.rejects).and_then(|sum| sum.checked_add(line.outside));
    if sum != Some(line.records) {
        let ManifestEntry { records, events, rejects, outside, .. } = line;
        return Some(format!(
            "the books of `{input}` don't balance: {records} records, {events} events, {rejects} rejects, \
             {outside} outside"
        ));
    }
    (of(super::Kind::Events) != 1 || of(super::Kind::Rejects) > 1 || of(super::Kind::Sources) > 1)
        .then(|| format!("it does not name one output of events for `{input}`, and one of rejects at most"))
}

const HINT: &str = "what it does not say can't be checked; convert again: inputs that no line names are converted to the \
                    same outputs";

/// That temporary files can't be used.
pub(super) fn no_room(error: io::Error) -> Error {
    Error::cannot_write(&std::env::temp_dir().to_string_lossy(), error)
}

/// The outputs named by a [`History`], one after the other.
#[derive(Debug)]
pub(super) struct Mentions {
    sorted: Sorted<OUTPUT>,
    next: Option<[u8; OUTPUT]>,
}

impl Mentions {
    /// The next output, by the hashes of their names.
    pub(super) fn next(&mut self) -> Result<Option<Mentioned>, Error> {
        let first = match self.next.take() {
            Some(record) => Some(record),
            None => self.sorted.next().transpose().map_err(no_room)?,
        };
        let Some(first) = first else { return Ok(None) };
        let mut hash = [0; 16];
        hash.copy_from_slice(&first[..16]);
        let mut mentions = vec![mention(&first)];
        while let Some(record) = self.sorted.next().transpose().map_err(no_room)? {
            if record[..16] != hash {
                self.next = Some(record);
                break;
            }
            if mentions.len() < MOST_MENTIONS {
                mentions.push(mention(&record));
            }
        }
        Ok(Some(Mentioned { hash, mentions }))
    }
}

fn mention(record: &[u8; OUTPUT]) -> Mention {
    Mention {
        line: Span::of(&record[16..28]),
        current: Span::of(&record[28..40]),
        part: u32::from_be_bytes([record[40], record[41], record[42], record[43]]),
        which: usize::from(record[44]),
        state: [State::Current, State::Superseded, State::Removed][usize::from(record[45]).min(2)],
    }
}

impl Mention {
    /// The line, and the output in it.
    pub(super) fn read(&self, spool: &Spool) -> Result<(ManifestEntry, OutputObject), Error> {
        let line = spool.line(self.line).map_err(no_room)?;
        let output = line.outputs.get(self.which).cloned();
        // The record was made of the line.
        output
            .map(|output| (line, output))
            .ok_or_else(|| no_room(io::Error::other("it was changed meanwhile")))
    }
}

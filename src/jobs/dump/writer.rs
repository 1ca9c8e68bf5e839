//! Writes the manifest: first outputs are made durable, then the lines that vouch for them, and only
//! then, when those have been read back, are inputs let go.

use super::entry::{End, ManifestEntry};
use super::part::seal;
use super::place::{Target, order};
use super::progress::{Cause, Progress};
use super::queue::Queue;
use crate::store::Error;
use crate::store::objects::{BlockingStore, ObjectMeta, StagedFile};
use std::collections::BTreeMap;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

/// How many lines make a part.
const LINES: usize = 2_000;
/// A part is written after this time, however few lines it has: so much work is lost when a run is
/// killed.
const WAIT: Duration = Duration::from_secs(3);

/// Inputs that are converted, one or those of a pack: their lines, and files that wait for their
/// names.
#[derive(Debug)]
pub(super) struct Completed {
    pub(super) lines: Vec<(ManifestEntry, ObjectMeta)>,
    pub(super) pending: Vec<(BlockingStore, StagedFile)>,
    pub(super) origin: usize,
    /// Whether an earlier run has converted them: this one only says so once more.
    pub(super) known: bool,
}

impl Completed {
    pub(super) fn lines(&self) -> usize {
        self.lines.len()
    }
}

/// The manifest of a run.
#[derive(Debug)]
pub(super) struct ManifestWriter<'a> {
    manifest: Target,
    run: String,
    parts: u64,
    /// What all ends have in common.
    end: End,
    /// Whether parts are read back: something is to be deleted because of them.
    reads_back: bool,
    progress: &'a Progress,
}

impl<'a> ManifestWriter<'a> {
    pub(super) fn new(
        manifest: &Target,
        run: &str,
        end: End,
        reads_back: bool,
        progress: &'a Progress,
    ) -> ManifestWriter<'a> {
        ManifestWriter {
            manifest: manifest.clone(),
            run: run.to_owned(),
            parts: 0,
            end,
            reads_back,
            progress,
        }
    }

    /// Writes what comes, until nothing more can come; hands on what is durable to `after`.
    pub(super) fn keep(
        &mut self,
        entries: &Queue<Completed>,
        after: &mut dyn FnMut(Completed),
    ) -> Result<(), Error> {
        loop {
            let (waiting, more) = entries.take_many(LINES, WAIT);
            for entry in self.write(waiting, !more)? {
                after(entry);
            }
            if !more {
                return Ok(());
            }
        }
    }

    /// Makes outputs durable and then their lines; gives back whose they are. The `last` part of a run
    /// says so, even if it has nothing else to say.
    pub(super) fn write(&mut self, mut entries: Vec<Completed>, last: bool) -> Result<Vec<Completed>, Error> {
        self.commit(&mut entries);
        let began = self.parts > 0 || !self.end.interrupted.is_empty();
        if entries.is_empty() && !(last && began) {
            return Ok(entries);
        }
        self.parts += 1;
        let mut lines: Vec<&mut (ManifestEntry, ObjectMeta)> =
            entries.iter_mut().flat_map(|it| &mut it.lines).collect();
        lines.sort_by(|a, b| order(&a.0.input, &b.0.input));
        lines.iter_mut().for_each(|(line, _)| line.part = self.parts);
        let lines: Vec<&ManifestEntry> = lines.into_iter().map(|(line, _)| &*line).collect();
        // Which runs were interrupted, the last part says for all.
        let interrupted = if last { std::mem::take(&mut self.end.interrupted) } else { BTreeMap::new() };
        let text = seal(&lines, End { part: self.parts, last, interrupted, ..self.end.clone() });
        let key = format!("{}{}/part-{:05}.ndjson", self.manifest.prefix, self.run, self.parts);
        let stored = self.manifest.store.put(&key, &text)?;
        self.progress.wrote(stored.size);
        for (_, found) in entries.iter().filter(|entry| !entry.known).flat_map(|entry| &entry.lines) {
            self.progress.converted.fetch_add(1, Relaxed);
            self.progress.listed_in_manifest(found.size);
        }
        if self.reads_back
            && let Err(error) = self.read_back(&key, &text)
        {
            self.progress.fail(Cause::Manifest, &error);
            let lines = entries.iter().map(|entry| entry.lines.len() as u64).sum();
            self.progress.kept.fetch_add(lines, Relaxed);
            return Ok(Vec::new());
        }
        Ok(entries)
    }

    /// Makes sure that a part can be read, and says what was written.
    fn read_back(&self, key: &str, text: &[u8]) -> Result<(), Error> {
        let store = &self.manifest.store;
        let is_right = match store.head(key)? {
            // One byte more than there should be would be read, too.
            Some(found) => store.read_end(&found, false, text.len() as u64 + 1)? == text,
            None => false,
        };
        if is_right {
            return Ok(());
        }
        let why = "read back, it is not what was written; no input that it names was deleted";
        Err(Error::unverified(&store.name(key), why).with_advice("see what changes or hides objects there"))
    }

    /// Gives files their names. An entry whose files did not all get theirs is a failure.
    fn commit(&self, entries: &mut Vec<Completed>) {
        let mut stores: Vec<(BlockingStore, Vec<(usize, StagedFile)>)> = Vec::new();
        for (at, entry) in entries.iter_mut().enumerate() {
            for (store, pending) in entry.pending.drain(..) {
                match stores.iter_mut().find(|(known, _)| known.root() == store.root()) {
                    Some((_, all)) => all.push((at, pending)),
                    None => stores.push((store, vec![(at, pending)])),
                }
            }
        }
        let mut failed = vec![false; entries.len()];
        for (store, all) in stores {
            let (owners, pending): (Vec<usize>, Vec<StagedFile>) = all.into_iter().unzip();
            for (owner, result) in owners.into_iter().zip(store.commit(pending)) {
                if let Err(error) = result {
                    self.progress.fail(Cause::of(&error), &error);
                    failed[owner] = true;
                }
            }
        }
        let mut failed = failed.into_iter();
        entries.retain(|entry| {
            let failed = failed.next().unwrap_or(false);
            if failed {
                entry.lines.iter().for_each(|(_, found)| self.progress.listed_in_manifest(found.size));
            }
            !failed
        });
    }
}

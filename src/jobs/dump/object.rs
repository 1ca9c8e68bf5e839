//! Converts one object: read whole as one writing, or read anew.

use super::entry::{Kind, ManifestEntry};
use super::name::id;
use super::outputs::{Outputs, key};
use super::place::Origin;
use super::progress::Cause;
use super::writer::Completed;
use super::{After, Context};
use crate::convert::{Batch, Counts, Input, NotRejects, Piece, RejectAt, RejectSources};
use crate::store::objects::{ObjectMeta, ReadEnd};
use crate::store::{self, Error, ErrorKind};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

/// An object of this size, as it is stored, is converted on all threads.
pub(super) const LARGE: u64 = 32 << 20;
/// How often an object is read anew that changes, or whose service fails.
const TRIES: u32 = 5;
/// The first wait before that; it doubles each time.
const WAIT: Duration = Duration::from_millis(250);

/// What was read, and the books of it.
#[derive(Debug)]
pub(super) struct Converted {
    pub(super) counts: Counts,
    /// Where its rejects came from.
    pub(super) sources: RejectSources,
    pub(super) size: u64,
    pub(super) sha256: String,
}

impl Context<'_> {
    /// The identity of an object's output.
    pub(super) fn id(&self, origin: &Origin, found: &ObjectMeta) -> String {
        self.id_by(&self.settings.fingerprint, origin, found)
    }

    /// The same by another fingerprint.
    pub(super) fn id_by(&self, fingerprint: &str, origin: &Origin, found: &ObjectMeta) -> String {
        id(&[&origin.store.name(&found.key), &found.etag, fingerprint])
    }

    /// Feeds an object to `outputs`.
    pub(super) fn feed(
        &self,
        origin: &Origin,
        found: &ObjectMeta,
        outputs: &mut Outputs,
    ) -> Result<Converted, Error> {
        let name = origin.store.name(&found.key);
        #[cfg(test)]
        assert!(!name.ends_with(".panics"), "as the test wants it");
        let outcome = ReadEnd::default();
        let reader = origin.store.read(found, Arc::clone(&self.progress.read), &outcome)?;
        let input = store::Input::of(reader, found.size, &name, Arc::clone(&self.stop));
        let (mut unwritten, mut unread) = (None, None);
        let mut sources = RejectSources::default();
        let keep = outputs.keep_rejects();
        let mut write = |reject: Option<&RejectAt<'_>>, source: &str, batch: &Batch| {
            if !keep {
                self.progress.example(source, &batch.rejects);
            }
            sources.add(source, &batch.rejects);
            let written = match reject {
                Some(reject) => outputs.write_again(reject, batch),
                None => outputs.write(source, batch),
            };
            unwritten = written.err();
            if unwritten.is_none() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        };
        let counts = if self.settings.from_rejects {
            let mut counts = self.converter.counts();
            let mut write_again =
                |reject: &RejectAt<'_>, batch: &Batch| write(Some(reject), reject.source, batch);
            match self.converter.run_rejects(input, &mut counts, &mut write_again) {
                Ok(_) => {}
                Err(NotRejects::Unread(error)) => unread = Some(error),
                Err(NotRejects::Line(why)) => return Err(Error::not_rejects(&name, why)),
            }
            counts
        } else {
            let threads = if found.size < LARGE { 1 } else { self.settings.threads };
            let input = Input::reader(&name, input.with_members());
            let counts = self.converter.run([input], threads, |piece| match piece {
                Piece::Batch { source, batch } => write(None, source, batch),
                Piece::Failed { error, .. } => {
                    unread = Some(error);
                    ControlFlow::Break(())
                }
            });
            counts.map_err(|error| Error::cannot_open(&name, error))?
        };
        if let Some(error) = unwritten {
            return Err(outputs.error(error));
        }
        if let Some(error) = unread {
            if store::is_stopped(&error) {
                return Err(Error::stopped());
            }
            // The object's own error says more than the decoder's, which only passed it on.
            let error = outcome.take_error().unwrap_or_else(|| {
                Error::from_io(error).unwrap_or_else(|error| Error::cannot_open(&name, error))
            });
            return Err(error);
        }
        match outcome.whole() {
            Some((size, sha256)) => Ok(Converted { counts, sources, size, sha256 }),
            None => Err(Error::damaged(&name, "it was not read to its end")),
        }
    }

    /// Converts an object, and hands its line on. What fails is counted.
    pub(super) fn object(
        &self,
        at: usize,
        found: ObjectMeta,
        to: &dyn Fn(Completed) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let origin = &self.origins[at];
        let listed = found.clone();
        match self.again(origin, found, &mut |found| self.convert(at, found)) {
            Ok((entry, fed)) => {
                self.count(&entry, vec![fed]);
                to(entry)
            }
            Err(error) if error.is_stopped() => Err(error),
            Err(error) => {
                // Another run may have converted it, and deleted it then.
                if error.kind() == ErrorKind::NotFound && self.is_there(origin, &listed) {
                    self.progress.known.fetch_add(1, Relaxed);
                    self.progress.known_bytes.fetch_add(listed.size, Relaxed);
                } else {
                    self.progress.fail(Cause::of(&error), &error);
                }
                self.progress.finished(listed.size);
                Ok(())
            }
        }
    }

    fn is_there(&self, origin: &Origin, found: &ObjectMeta) -> bool {
        let id = self.id(origin, found);
        let key = key(&self.output, origin.relative(&found.key), &id, Kind::Events, self.settings.format);
        matches!(self.output.store.head(&key), Ok(Some(_)))
    }

    /// Tries again where that can help: with what is there now if the object has changed, and
    /// after a while if the service failed.
    pub(super) fn again<T>(
        &self,
        origin: &Origin,
        mut found: ObjectMeta,
        work: &mut dyn FnMut(&ObjectMeta) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let mut tries = 0;
        loop {
            let error = match work(&found) {
                Err(error) if !error.is_stopped() => error,
                other => return other,
            };
            tries += 1;
            if tries >= TRIES || !matches!(error.kind(), ErrorKind::Changed | ErrorKind::Service) {
                return Err(error);
            }
            self.pause(WAIT * (1 << (tries - 1)))?;
            if error.kind() == ErrorKind::Changed {
                match origin.store.head(&found.key)? {
                    Some(now) => found = now,
                    None => return Err(error),
                }
            }
        }
    }

    /// Waits, but not beyond a stop.
    pub(super) fn pause(&self, mut time: Duration) -> Result<(), Error> {
        let step = Duration::from_millis(50);
        while !time.is_zero() {
            if self.stop.load(Relaxed) {
                return Err(Error::stopped());
            }
            std::thread::sleep(time.min(step));
            time = time.saturating_sub(step);
        }
        Ok(())
    }

    /// Converts an object: what is to be kept of it.
    pub(super) fn convert(&self, at: usize, found: &ObjectMeta) -> Result<(Completed, Converted), Error> {
        let origin = &self.origins[at];
        let large = found.size >= LARGE;
        let _permit = self.budget.take(found.size, large);
        let threads = if large { self.settings.threads } else { 1 };
        let id = self.id(origin, found);
        let mut outputs = Outputs::new(self, origin.relative(&found.key), &id, found.size, threads);
        let fed = self.feed(origin, found, &mut outputs)?;
        let (outputs, pending) = outputs.finish()?;
        outputs.iter().for_each(|output| self.progress.wrote(output.size));
        let line = self.line(origin, found, &fed, outputs);
        let entry = Completed { lines: vec![(line, found.clone())], pending, origin: at, known: false };
        Ok((entry, fed))
    }

    /// Counts what was read of the inputs of an entry, in their order.
    pub(super) fn count(&self, entry: &Completed, fed: Vec<Converted>) {
        self.progress.unlisted.fetch_add(entry.lines.len() as u64, Relaxed);
        for (fed, (line, _)) in fed.into_iter().zip(&entry.lines) {
            self.progress.add(&fed.counts);
            self.progress.rejected(fed.sources, line);
        }
    }

    /// The line of an object in the manifest.
    pub(super) fn line(
        &self,
        origin: &Origin,
        found: &ObjectMeta,
        fed: &Converted,
        outputs: Vec<super::entry::OutputObject>,
    ) -> ManifestEntry {
        let line = ManifestEntry {
            input: origin.store.name(&found.key),
            size: fed.size,
            etag: found.etag.clone(),
            sha256: fed.sha256.clone(),
            records: fed.counts.records,
            events: fed.counts.events,
            rejects: fed.counts.rejects,
            outside: fed.counts.outside,
            bad_fields: fed.counts.bad_fields.values().sum(),
            outputs,
            mapping: self.settings.mapping.clone(),
            fingerprint: self.settings.fingerprint.clone(),
            udmap: env!("CARGO_PKG_VERSION").to_owned(),
            part: 0,
            deletes: false,
            pruned: false,
        };
        self.destined(line)
    }

    /// The line with what is to become of its input.
    pub(super) fn destined(&self, line: ManifestEntry) -> ManifestEntry {
        ManifestEntry {
            deletes: self.settings.after != After::Keep && line.keeps_all(),
            pruned: false,
            ..line
        }
    }
}

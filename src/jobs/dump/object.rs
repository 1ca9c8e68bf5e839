//! Converts one object: read whole as one writing, or read anew.

use super::account::Cause;
use super::ledger::Entry;
use super::line::{Kind, Line};
use super::name::id;
use super::outputs::{Outputs, key};
use super::place::Origin;
use super::{After, Context};
use crate::convert::{Input, Piece, Session, Stop, Tally};
use crate::store::objects::{ObjectMeta, Outcome};
use crate::store::{self, Error, ErrorKind};
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

/// An object of this size, as it is stored, is converted on all threads.
pub(super) const LARGE: u64 = 32 << 20;
/// How often an object is read anew that changes, or whose service fails.
const TRIES: u32 = 5;
/// The first wait before that; it doubles each time.
const WAIT: Duration = Duration::from_millis(250);

/// Why there is no result.
#[derive(Debug)]
pub(super) enum Trouble {
    /// The run is to end.
    Stopped,
    Failed(Box<Error>),
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Trouble {
        if error.io_error().is_some_and(store::is_stopped) {
            Trouble::Stopped
        } else {
            Trouble::Failed(Box::new(error))
        }
    }
}

/// What was read, and the books of it.
#[derive(Debug)]
pub(super) struct Fed {
    pub(super) tally: Tally,
    pub(super) size: u64,
    pub(super) sha256: String,
}

impl Context<'_> {
    /// The identity of an object's output.
    pub(super) fn id(&self, origin: &Origin, found: &ObjectMeta) -> String {
        id(&[&origin.depot.name(&found.key), &found.etag, &self.settings.fingerprint])
    }

    /// Feeds an object to `outputs`.
    pub(super) fn feed(
        &self,
        session: &mut Session,
        origin: &Origin,
        found: &ObjectMeta,
        outputs: &mut Outputs,
    ) -> Result<Fed, Trouble> {
        let name = origin.depot.name(&found.key);
        #[cfg(test)]
        assert!(!name.ends_with(".panics"), "as the test wants it");
        let outcome = Outcome::default();
        let reader = origin.depot.read(found, Arc::clone(&self.account.read), &outcome)?;
        let mut input = store::Input::of(reader, found.size, &name, Arc::clone(&self.stop)).with_members();
        let (mut unwritten, mut unread) = (None, None);
        let keep = outputs.keep_rejects();
        let mut take = |piece: Piece<'_>| match piece {
            Piece::Batch { source, batch } => {
                if !keep {
                    self.account.example(source, &batch.rejects);
                }
                outputs.write(source, batch).map_err(|error| {
                    unwritten = Some(error);
                    Stop
                })
            }
            Piece::Failed { error, .. } => {
                unread = Some(error);
                Err(Stop)
            }
        };
        let tally = if found.size < LARGE || self.settings.threads <= 1 {
            self.converter.convert_texts(session, &name, &mut input, &mut take).0
        } else {
            let open = || -> io::Result<Box<dyn io::Read + Send>> { Ok(Box::new(input)) };
            let input = Input { name: name.clone(), open: Box::new(open) };
            let converted = self.converter.convert_inputs(vec![input], self.settings.threads, &mut take);
            converted.map_err(|error| Error::cannot_open(&name, error))?
        };
        if let Some(error) = unwritten {
            return Err(if store::is_stopped(&error) {
                Trouble::Stopped
            } else {
                outputs.error(error).into()
            });
        }
        if let Some(error) = unread {
            if store::is_stopped(&error) {
                return Err(Trouble::Stopped);
            }
            // The object's own error says more than the decoder's, which only passed it on.
            let error = outcome.take_error().unwrap_or_else(|| {
                Error::from_io(error).unwrap_or_else(|error| Error::cannot_open(&name, error))
            });
            return Err(error.into());
        }
        match outcome.whole() {
            Some((size, sha256)) => Ok(Fed { tally, size, sha256 }),
            None => Err(Error::damaged(&name, "it was not read to its end").into()),
        }
    }

    /// Converts an object, and hands its line on. What fails is counted.
    pub(super) fn object(
        &self,
        session: &mut Session,
        at: usize,
        found: ObjectMeta,
        to: &dyn Fn(Entry) -> Result<(), Trouble>,
    ) -> Result<(), Trouble> {
        let origin = &self.origins[at];
        let listed = found.clone();
        match self.again(origin, found, &mut |found| self.convert(session, at, found)) {
            Ok((entry, tally)) => {
                self.account.add(&tally);
                to(entry)
            }
            Err(Trouble::Stopped) => Err(Trouble::Stopped),
            Err(Trouble::Failed(error)) => {
                // Another run may have converted it, and deleted it then.
                if error.kind() == ErrorKind::NotFound && self.stands(origin, &listed) {
                    self.account.known.fetch_add(1, Relaxed);
                    self.account.known_bytes.fetch_add(listed.size, Relaxed);
                } else {
                    self.account.fail(Cause::of(&error), &error);
                }
                self.account.settle(listed.size);
                Ok(())
            }
        }
    }

    fn stands(&self, origin: &Origin, found: &ObjectMeta) -> bool {
        let id = self.id(origin, found);
        let key = key(&self.output, origin.relative(&found.key), &id, Kind::Events, self.settings.format);
        matches!(self.output.depot.head(&key), Ok(Some(_)))
    }

    /// Tries again where that can help: with what stands there now if the object has changed, and
    /// after a while if the service failed.
    pub(super) fn again<T>(
        &self,
        origin: &Origin,
        mut found: ObjectMeta,
        work: &mut dyn FnMut(&ObjectMeta) -> Result<T, Trouble>,
    ) -> Result<T, Trouble> {
        let mut tries = 0;
        loop {
            let error = match work(&found) {
                Err(Trouble::Failed(error)) => error,
                other => return other,
            };
            tries += 1;
            if tries >= TRIES || !matches!(error.kind(), ErrorKind::Changed | ErrorKind::Service) {
                return Err(Trouble::Failed(error));
            }
            self.pause(WAIT * (1 << (tries - 1)))?;
            if error.kind() == ErrorKind::Changed {
                match origin.depot.head(&found.key)? {
                    Some(now) => found = now,
                    None => return Err(Trouble::Failed(error)),
                }
            }
        }
    }

    /// Waits, but not beyond a stop.
    pub(super) fn pause(&self, mut time: Duration) -> Result<(), Trouble> {
        let step = Duration::from_millis(50);
        while !time.is_zero() {
            if self.stop.load(Relaxed) {
                return Err(Trouble::Stopped);
            }
            std::thread::sleep(time.min(step));
            time = time.saturating_sub(step);
        }
        Ok(())
    }

    /// Converts an object: what is to be kept of it.
    pub(super) fn convert(
        &self,
        session: &mut Session,
        at: usize,
        found: &ObjectMeta,
    ) -> Result<(Entry, Tally), Trouble> {
        let origin = &self.origins[at];
        let large = found.size >= LARGE;
        let _share = self.budget.take(found.size, large);
        let threads = if large { self.settings.threads } else { 1 };
        let id = self.id(origin, found);
        let mut outputs = Outputs::new(self, origin.relative(&found.key), &id, found.size, threads);
        let fed = self.feed(session, origin, found, &mut outputs)?;
        let (outputs, pending) = outputs.finish()?;
        outputs.iter().for_each(|output| self.account.wrote(output.size));
        let line = self.line(origin, found, &fed, outputs);
        let entry = Entry { lines: vec![(line, found.clone())], pending, origin: at, known: false };
        Ok((entry, fed.tally))
    }

    /// The line of an object in the manifest.
    pub(super) fn line(
        &self,
        origin: &Origin,
        found: &ObjectMeta,
        fed: &Fed,
        outputs: Vec<super::line::Output>,
    ) -> Line {
        let line = Line {
            input: origin.depot.name(&found.key),
            size: fed.size,
            etag: found.etag.clone(),
            sha256: fed.sha256.clone(),
            records: fed.tally.records,
            events: fed.tally.events,
            rejects: fed.tally.rejects,
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
    pub(super) fn destined(&self, line: Line) -> Line {
        Line { deletes: self.settings.after != After::Keep && line.keeps_all(), pruned: false, ..line }
    }
}

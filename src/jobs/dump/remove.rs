//! Deletes inputs whose outputs and lines are durable, and have been read back.

use super::entry::{ManifestEntry, OutputObject};
use super::progress::Cause;
use super::{After, Context};
use crate::store::Error;
use crate::store::objects::{Deleted, ObjectMeta};
use crate::sync::lock;
use std::sync::Mutex;
use std::sync::atomic::Ordering::Relaxed;

/// An input that may go, with the line about it that has been read back.
#[derive(Debug)]
pub(super) struct Removal {
    pub(super) origin: usize,
    pub(super) found: ObjectMeta,
    pub(super) line: ManifestEntry,
}

/// Outputs that were read back recently and were right: those of a pack have many inputs.
#[derive(Debug, Default)]
pub(super) struct Checked(Mutex<Vec<String>>);

const RECENT: usize = 64;

impl Context<'_> {
    /// Deletes an input; what hinders that is counted.
    pub(super) fn remove(&self, Removal { origin, found, line }: &Removal, checked: &Checked) {
        if self.settings.after == After::Keep {
            return;
        }
        if !line.keeps_all() {
            self.progress.kept.fetch_add(1, Relaxed);
            return;
        }
        let store = &self.origins[*origin].store;
        let done = line
            .outputs
            .iter()
            .try_for_each(|output| self.check(output, checked))
            .and_then(|()| self.was_read_whole(*origin, found, line))
            .and_then(|()| store.delete(&found.key, &found.etag));
        match done {
            Ok(Deleted::Done) => {
                self.progress.deleted.fetch_add(1, Relaxed);
            }
            Ok(Deleted::Gone) => {}
            // It stays, and the next run converts it.
            Ok(Deleted::Changed) => {
                self.progress.kept.fetch_add(1, Relaxed);
            }
            Err(error) => {
                self.progress.kept.fetch_add(1, Relaxed);
                self.progress.fail(Cause::of(&error), &error);
            }
        }
    }

    /// Whether all bytes that an input has were read. What its listing said is not asked.
    fn was_read_whole(&self, origin: usize, found: &ObjectMeta, line: &ManifestEntry) -> Result<(), Error> {
        match self.origins[origin].store.head(&found.key)? {
            Some(now) if now.etag == found.etag && now.size != line.size => {
                let why = format!("{} of its {} bytes were read; it stays", line.size, now.size);
                Err(Error::unverified(&line.input, why)
                    .with_advice("its listing gave another size: see what lies between here and the store"))
            }
            _ => Ok(()),
        }
    }

    /// Reads an output back.
    fn check(&self, output: &OutputObject, checked: &Checked) -> Result<(), Error> {
        let recent = || lock(&checked.0);
        if recent().contains(&output.url) {
            return Ok(());
        }
        let target = match (output.kind, &self.rejects) {
            (super::Kind::Rejects, Some(rejects)) => rejects,
            (super::Kind::Sources, _) => &self.sources,
            _ => &self.output,
        };
        match target.store.head(&output.key)? {
            Some(found) if target.store.digest(&found)? == (output.size, output.sha256.clone()) => {
                let mut recent = recent();
                if recent.len() == RECENT {
                    recent.remove(0);
                }
                recent.push(output.url.clone());
                Ok(())
            }
            Some(_) => Err(Error::damaged(&output.url, "it is not what was written; its input stays")),
            None => Err(Error::damaged(&output.url, "it is gone; its input stays")),
        }
    }
}

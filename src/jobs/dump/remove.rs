//! Deletes inputs whose outputs and lines are durable, and have been read back.

use super::account::Cause;
use super::line::{Line, Output};
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
    pub(super) line: Line,
}

/// Outputs that were read back lately and were right: those of a pack have many inputs.
#[derive(Debug, Default)]
pub(super) struct Checked(Mutex<Vec<String>>);

const LATELY: usize = 64;

impl Context<'_> {
    /// Deletes an input; what hinders that is counted.
    pub(super) fn remove(&self, Removal { origin, found, line }: &Removal, checked: &Checked) {
        if self.settings.after == After::Keep {
            return;
        }
        if !line.keeps_all() {
            self.account.kept.fetch_add(1, Relaxed);
            return;
        }
        let depot = &self.origins[*origin].depot;
        let done = line
            .outputs
            .iter()
            .try_for_each(|output| self.check(output, checked))
            .and_then(|()| self.was_read_whole(*origin, found, line))
            .and_then(|()| depot.delete(&found.key, &found.etag));
        match done {
            Ok(Deleted::Done) => {
                self.account.deleted.fetch_add(1, Relaxed);
            }
            Ok(Deleted::Gone) => {}
            // It stays, and the next run converts it.
            Ok(Deleted::Changed) => {
                self.account.kept.fetch_add(1, Relaxed);
            }
            Err(error) => {
                self.account.kept.fetch_add(1, Relaxed);
                self.account.fail(Cause::of(&error), &error);
            }
        }
    }

    /// Whether all bytes that an input has were read. What its listing said is not asked.
    fn was_read_whole(&self, origin: usize, found: &ObjectMeta, line: &Line) -> Result<(), Error> {
        match self.origins[origin].depot.head(&found.key)? {
            Some(now) if now.etag == found.etag && now.size != line.size => {
                let why = format!("{} of its {} bytes were read; it stays", line.size, now.size);
                Err(Error::unverified(&line.input, why)
                    .with_advice("its listing gave another size: see what lies between here and the store"))
            }
            _ => Ok(()),
        }
    }

    /// Reads an output back.
    fn check(&self, output: &Output, checked: &Checked) -> Result<(), Error> {
        let lately = || lock(&checked.0);
        if lately().contains(&output.url) {
            return Ok(());
        }
        let target = match &self.rejects {
            Some(rejects) if output.kind == super::Kind::Rejects => rejects,
            _ => &self.output,
        };
        match target.depot.head(&output.key)? {
            Some(found) if target.depot.digest(&found)? == (output.size, output.sha256.clone()) => {
                let mut lately = lately();
                if lately.len() == LATELY {
                    lately.remove(0);
                }
                lately.push(output.url.clone());
                Ok(())
            }
            Some(_) => Err(Error::damaged(&output.url, "it is not what was written; its input stays")),
            None => Err(Error::damaged(&output.url, "it is gone; its input stays")),
        }
    }
}

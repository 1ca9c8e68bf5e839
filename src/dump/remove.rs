//! Deletes inputs whose outputs and lines are durable, and have been read back.

use super::account::Cause;
use super::line::Output;
use super::{After, Context};
use crate::store::Error;
use crate::store::depot::{Deleted, Found};
use std::sync::Mutex;
use std::sync::atomic::Ordering::Relaxed;

/// An input that may go.
#[derive(Debug)]
pub(super) struct Removal {
    pub(super) origin: usize,
    pub(super) found: Found,
    pub(super) outputs: Vec<Output>,
    pub(super) rejects: u64,
}

/// Outputs that were read back lately and were right: those of a pack have many inputs.
#[derive(Debug, Default)]
pub(super) struct Checked(Mutex<Vec<String>>);

const LATELY: usize = 64;

impl Context<'_> {
    /// Whether everything that an input became is kept: rejects may not be.
    pub(super) fn keeps(&self, outputs: &[Output], rejects: u64) -> bool {
        rejects == 0 || outputs.iter().any(|output| output.kind == super::Kind::Rejects)
    }

    /// Deletes an input; what hinders that is counted.
    pub(super) fn remove(&self, removal: &Removal, checked: &Checked) {
        let Removal { origin, found, outputs, rejects } = removal;
        if self.settings.after == After::Keep {
            return;
        }
        if !self.keeps(outputs, *rejects) {
            self.account.kept.fetch_add(1, Relaxed);
            return;
        }
        let done = outputs
            .iter()
            .try_for_each(|output| self.check(output, checked))
            .and_then(|()| self.origins[*origin].depot.delete(&found.key, &found.etag));
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

    /// Reads an output back.
    fn check(&self, output: &Output, checked: &Checked) -> Result<(), Error> {
        let lately = || checked.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if lately().contains(&output.url) {
            return Ok(());
        }
        let target = match &self.rejects {
            Some(rejects) if output.kind == super::Kind::Rejects => rejects,
            _ => &self.output,
        };
        match target.depot.look(&output.key)? {
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

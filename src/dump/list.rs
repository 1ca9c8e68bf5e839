//! Lists the inputs, leaves out what is not wanted, and tells what is known of the rest.

use super::Context;
use super::account::Cause;
use super::index::{Before, Index};
use crate::store::Error;
use crate::store::depot::Found;
use std::sync::atomic::Ordering::Relaxed;

/// What the listing gives.
#[derive(Debug)]
pub(super) enum Listed {
    /// A wanted object, and what became of it before.
    Object { origin: usize, found: Found, before: Before },
    /// An input has ended.
    End,
}

impl Context<'_> {
    /// Lists everything and hands it on, until `to` answers false. Whether it came to the end.
    ///
    /// # Errors
    /// If earlier manifests can't be read, or if no input could be listed at all.
    pub(super) fn list(&self, index: &mut Index, to: &mut dyn FnMut(Listed) -> bool) -> Result<bool, Error> {
        let mut failed = Vec::new();
        for (at, origin) in self.origins.iter().enumerate() {
            index.rewind();
            let targets = [Some(&self.output), self.rejects.as_ref(), Some(&self.manifest)];
            let own: Vec<String> = targets
                .into_iter()
                .flatten()
                .filter(|target| origin.finds(target))
                .map(super::place::Target::whole_name)
                .collect();
            let mut any = false;
            for item in origin.objects() {
                let found = match item {
                    Ok(found) => found,
                    Err(error) => {
                        self.account.fail(Cause::Listing, &error);
                        failed.push((any, error));
                        continue;
                    }
                };
                any = true;
                if self.stop.load(Relaxed) {
                    return Ok(false);
                }
                let name = origin.depot.name(&found.key);
                // Of inputs that overlap, the outermost gives the key, whatever their order.
                if self.is_others(at, &name) {
                    continue;
                }
                if own.iter().any(|place| name.starts_with(place)) {
                    self.account.own.fetch_add(1, Relaxed);
                    continue;
                }
                if !self.settings.filter.wants(origin.relative(&found.key), &found) {
                    self.account.filtered.fetch_add(1, Relaxed);
                    continue;
                }
                self.account.listed.fetch_add(1, Relaxed);
                self.account.listed_bytes.fetch_add(found.size, Relaxed);
                let before = index.find(&name, &found.etag)?;
                self.account.superseded.fetch_add(before.superseded, Relaxed);
                if !to(Listed::Object { origin: at, found, before }) {
                    return Ok(false);
                }
            }
            if !to(Listed::End) {
                return Ok(false);
            }
        }
        // Nothing of all inputs: this is no run with a failure, but none at all.
        if failed.len() == self.origins.len()
            && failed.iter().all(|(any, _)| !any)
            && let Some((_, error)) = failed.pop()
        {
            return Err(error);
        }
        self.account.all_listed.store(true, Relaxed);
        Ok(true)
    }

    /// Whether another input lists the object called `name`, too, and is the one to do so: the one
    /// farthest above, or of equals the first.
    fn is_others(&self, at: usize, name: &str) -> bool {
        let depth = |at: usize| (self.origins[at].place().len(), at);
        (0..self.origins.len())
            .any(|other| other != at && depth(other) < depth(at) && self.origins[other].lists(name))
    }
}

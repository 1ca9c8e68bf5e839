//! Lists the inputs, leaves out what is not wanted, and tells what is known of the rest.

use super::Context;
use super::account::Cause;
use super::index::{Index, Known};
use crate::store::depot::Found;
use crate::store::{Error, Resolver};
use std::collections::HashSet;
use std::path::Path;
use std::sync::atomic::Ordering::Relaxed;

/// What the listing gives.
#[derive(Debug)]
pub(super) enum Listed {
    /// A wanted object, and what became of it before.
    Object { origin: usize, found: Found, known: Option<Known> },
    /// An input has ended.
    End,
}

impl Context<'_> {
    /// Lists everything and hands it on, until `to` answers false. Whether it came to the end.
    ///
    /// # Errors
    /// If earlier manifests can't be read, or if no input could be listed at all.
    pub(super) fn list(&self, to: &mut dyn FnMut(Listed) -> bool) -> Result<bool, Error> {
        let mut index = Index::new(&self.manifest, &self.settings.fingerprint, &self.output.whole_name())?;
        let mut failed = Vec::new();
        let mut links = Links::default();
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
                if own.iter().any(|place| name.starts_with(place)) {
                    self.account.own.fetch_add(1, Relaxed);
                    continue;
                }
                if !self.settings.filter.wants(origin.relative(&found.key), &found) {
                    self.account.filtered.fetch_add(1, Relaxed);
                    continue;
                }
                if self.is_repeated(at, &name, &found, &mut links) {
                    self.account.repeated.fetch_add(1, Relaxed);
                    continue;
                }
                self.account.listed.fetch_add(1, Relaxed);
                self.account.listed_bytes.fetch_add(found.size, Relaxed);
                let known = index.find(&name, &found.etag)?;
                if !to(Listed::Object { origin: at, found, known }) {
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

    /// Whether the object called `name`, of the input `at`, is listed by an input before it, too, or under another name.
    fn is_repeated(&self, at: usize, name: &str, found: &Found, links: &mut Links) -> bool {
        let wanted = |inputs: &[super::place::Origin], name: &str| {
            inputs.iter().any(|origin| {
                origin.lists(name).is_some_and(|key| self.settings.filter.wants(origin.relative(key), found))
            })
        };
        if self.origins[at].depot.is_remote() {
            return wanted(&self.origins[..at], name);
        }
        let real = links.resolver.resolve(Path::new(name));
        match real.to_str().filter(|real| *real != name) {
            // A link: the file comes under its own name, or under that of the first link to it.
            Some(real) => wanted(&self.origins[..=at], real) || !links.led_to.insert(digest(real)),
            None => wanted(&self.origins[..at], name) || links.led_to.contains(&digest(name)),
        }
    }
}

/// What is known of links between files.
#[derive(Debug, Default)]
struct Links {
    resolver: Resolver,
    /// Files outside of the inputs that were listed by links to them.
    led_to: HashSet<u128>,
}

fn digest(name: &str) -> u128 {
    twox_hash::XxHash3_128::oneshot(name.as_bytes())
}

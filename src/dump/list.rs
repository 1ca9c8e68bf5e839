//! Lists the inputs, leaves out what is not wanted, and tells what is known of the rest.

use super::Context;
use super::account::Cause;
use super::index::{Before, Index};
use super::place::Origin;
use crate::store::Error;
use crate::store::depot::Found;
use std::collections::HashMap;
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
        let overlaps = Overlaps::of(&self.origins);
        for (at, origin) in self.origins.iter().enumerate() {
            index.rewind();
            let before = overlaps.before(at);
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
                if overlaps.is_others(at, &before, &name) {
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
}

/// Which of several inputs an object belongs to that more than one of them lists: the one farthest
/// above, or of equals the first. So it has one key, whatever their order.
#[derive(Debug)]
struct Overlaps<'a> {
    origins: &'a [Origin],
    /// What is listed below each place.
    places: HashMap<String, Vec<usize>>,
    /// The first of the single objects of each name.
    ones: HashMap<String, usize>,
}

impl<'a> Overlaps<'a> {
    fn of(origins: &'a [Origin]) -> Overlaps<'a> {
        let (mut places, mut ones): (HashMap<String, Vec<usize>>, HashMap<String, usize>) =
            Default::default();
        for (at, origin) in origins.iter().enumerate() {
            if origin.is_one() {
                ones.entry(origin.whole_name()).or_insert(at);
            } else {
                places.entry(origin.place()).or_default().push(at);
            }
        }
        Overlaps { origins, places, ones }
    }

    /// The inputs that come before the input `at` where both list an object: those above it, and those
    /// at the same place that were named before it.
    fn before(&self, at: usize) -> Vec<usize> {
        let place = self.origins[at].place();
        let mut all = Vec::new();
        for (end, _) in place.match_indices('/') {
            let above = self.places.get(&place[..=end]).into_iter().flatten();
            all.extend(above.filter(|other| end + 1 < place.len() || **other < at));
        }
        all
    }

    /// Whether the object called `name`, which the input `at` lists, is another's; `before` are those
    /// that come before it.
    fn is_others(&self, at: usize, before: &[usize], name: &str) -> bool {
        before.iter().any(|other| self.origins[*other].lists(name))
            || self.ones.get(name).is_some_and(|one| {
                let depth = |at: usize| (self.origins[at].place().len(), at);
                *one != at && depth(*one) < depth(at)
            })
    }
}

//! Lists the inputs, leaves out what is not wanted, and tells what is known of the rest.

use super::Context;
use super::index::{Before, Index};
use super::outputs::stem_of_rejects;
use super::place::Origin;
use super::progress::Cause;
use crate::store::objects::ObjectMeta;
use crate::store::{Error, Resolver};
use std::collections::{HashMap, HashSet, VecDeque};
use std::path::Path;
use std::sync::atomic::Ordering::Relaxed;

/// What the listing gives.
#[derive(Debug)]
pub(super) enum Listed {
    /// A wanted object, and its outcome before.
    Object { origin: usize, found: ObjectMeta, before: Before },
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
            let mut stems = Stems::default();
            for item in origin.objects() {
                let found = match item {
                    Ok(found) => found,
                    Err(error) => {
                        self.progress.fail(Cause::Listing, &error);
                        failed.push((any, error));
                        continue;
                    }
                };
                any = true;
                if self.stop.load(Relaxed) {
                    return Ok(false);
                }
                let name = origin.store.name(&found.key);
                if own.iter().any(|place| name.starts_with(place)) {
                    self.progress.own.fetch_add(1, Relaxed);
                    continue;
                }
                if !self.settings.filter.wants(origin.relative(&found.key), &found) {
                    self.progress.filtered.fetch_add(1, Relaxed);
                    continue;
                }
                if self.is_repeated(at, &name, &found, &overlaps, &mut links) {
                    self.progress.repeated.fetch_add(1, Relaxed);
                    continue;
                }
                if self.settings.from_rejects && stems.has(&found.key) {
                    self.progress.several_rejects.fetch_add(1, Relaxed);
                }
                self.progress.listed.fetch_add(1, Relaxed);
                self.progress.listed_bytes.fetch_add(found.size, Relaxed);
                let before = index.find(&name, &found.etag)?;
                self.progress.superseded.fetch_add(before.superseded, Relaxed);
                if !to(Listed::Object { origin: at, found, before }) {
                    return Ok(false);
                }
            }
            if !to(Listed::End) {
                return Ok(false);
            }
        }
        // Nothing of all inputs: this is not a run with a failure, but none at all.
        if failed.len() == self.origins.len()
            && failed.iter().all(|(any, _)| !any)
            && let Some((_, error)) = failed.pop()
        {
            return Err(error);
        }
        self.progress.all_listed.store(true, Relaxed);
        Ok(true)
    }

    /// Whether the object called `name`, which the input `at` lists, is another input's, or comes under another name.
    fn is_repeated(
        &self,
        at: usize,
        name: &str,
        found: &ObjectMeta,
        overlaps: &Overlaps<'_>,
        links: &mut Links,
    ) -> bool {
        let wants = |other: usize, name: &str| {
            let origin = &self.origins[other];
            origin.lists(name).is_some_and(|key| self.settings.filter.wants(origin.relative(key), found))
        };
        // A single input overlaps nothing.
        if self.origins.len() > 1
            && overlaps.holders(name).any(|other| overlaps.is_before(other, at) && wants(other, name))
        {
            return true;
        }
        if self.origins[at].store.is_remote() {
            return false;
        }
        let real = links.resolver.resolve(Path::new(name));
        match real.to_str().filter(|real| *real != name) {
            // A link: the file comes under its own name, or under that of the first link to it.
            Some(real) => {
                overlaps.holders(real).any(|other| wants(other, real)) || !links.led_to.insert(digest(real))
            }
            None => links.led_to.contains(&digest(name)),
        }
    }
}

/// The inputs of the reject files listed last. Those of one input are near each other in a listing.
#[derive(Debug, Default)]
struct Stems(VecDeque<String>);

impl Stems {
    /// How many are remembered.
    const MOST: usize = 16;

    /// Whether another one is of the same input.
    fn has(&mut self, key: &str) -> bool {
        let Some(stem) = stem_of_rejects(key) else { return false };
        if self.0.iter().any(|other| other == stem) {
            return true;
        }
        if self.0.len() == Stems::MOST {
            self.0.pop_front();
        }
        self.0.push_back(stem.to_owned());
        false
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
                ones.entry(one_scheme(&origin.whole_name())).or_insert(at);
            } else {
                places.entry(one_scheme(&origin.place())).or_default().push(at);
            }
        }
        Overlaps { origins, places, ones }
    }

    /// The inputs that may list the object called `name`.
    fn holders(&self, name: &str) -> impl Iterator<Item = usize> {
        let name = one_scheme(name);
        let above = name.match_indices('/').filter_map(|(end, _)| self.places.get(&name[..=end]));
        let above: Vec<usize> = above.flatten().copied().collect();
        above.into_iter().chain(self.ones.get(&name).copied())
    }

    /// Whether what both inputs list is that of `one`.
    fn is_before(&self, one: usize, other: usize) -> bool {
        let rank = |at: usize| (self.origins[at].place().len(), at);
        rank(one) < rank(other)
    }
}

/// A bucket has one name here, by whichever of its schemes it was named.
fn one_scheme(name: &str) -> String {
    name.strip_prefix("s3a://").map_or_else(|| name.to_owned(), |rest| format!("s3://{rest}"))
}

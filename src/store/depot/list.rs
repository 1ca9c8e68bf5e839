//! Lists a depot as a stream: a page at a time, or a folder at a time.

use super::{Depot, Found, Home, found, local};
use crate::store::error::{Doing, Error, ErrorKind, Object};
use crate::store::objects::spell;
use crate::text::shown;
use foldhash::HashSet;
use futures_util::StreamExt as _;
use object_store::path::Path;
use std::borrow::Cow;
use std::fmt;
use tokio::sync::mpsc;
use twox_hash::XxHash3_128;

/// How many objects are listed ahead of who takes them: a page of S3's.
const AHEAD: usize = 1000;
/// The most entries in a row that were there before: of a listing that goes on like that, no end is to be hoped for.
const MOST_REPEATED: u32 = 10_000;

/// The ETag of an object without bytes: MD5 of nothing.
const OF_NOTHING: &str = "d41d8cd98f00b204e9800998ecf8427e";

/// The objects below a prefix, in [`Depot::order`]; and, in their places, what could not be listed.
pub struct Objects(Box<dyn Iterator<Item = Result<Found, Error>> + Send>);

impl fmt::Debug for Objects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Objects").finish_non_exhaustive()
    }
}

impl Iterator for Objects {
    type Item = Result<Found, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next()
    }
}

impl Depot {
    /// Lists the objects below `prefix`, which ends in `/` or is empty, each once. Objects of no bytes whose
    /// keys end in `/` stand for folders and are left out; so are hidden files and folders.
    ///
    /// A folder's entries are sorted, which takes memory for one folder at a time; a bucket comes
    /// in pages.
    pub fn list(&self, prefix: &str) -> Objects {
        match &*self.home {
            Home::Folder { path, .. } => {
                let depot = self.clone();
                let walk = local::walk(&path.join(prefix), path.clone());
                Objects(Box::new(
                    walk.map(move |entry| entry.map_err(|(key, error)| depot.io(&key, Doing::List, error))),
                ))
            }
            Home::Bucket { .. } => {
                let depot = self.clone();
                Objects(Box::new(self.list_with_folders(prefix).filter(move |item| match item {
                    Ok(found) => !depot.is_folder(found),
                    Err(_) => true,
                })))
            }
        }
    }

    /// Whether an object stands for a folder. What the listing says of its size is not enough to leave it out.
    fn is_folder(&self, found: &Found) -> bool {
        let is_empty = |found: &Found| found.key.ends_with('/') && found.size == 0;
        is_empty(found)
            && (found.etag.trim_matches('"') == OF_NOTHING
                || self.look(&found.key).is_ok_and(|now| now.is_none_or(|now| is_empty(&now))))
    }

    /// What a bucket lists, objects that stand for folders among it; nothing for a folder.
    pub(super) fn list_with_folders(
        &self,
        prefix: &str,
    ) -> impl Iterator<Item = Result<Found, Error>> + Send + use<> {
        let (to, mut from) = mpsc::channel(AHEAD);
        let (depot, wanted) = (self.clone(), prefix.to_owned());
        let listing = self.access.runtime.spawn(async move {
            crate::panics::provoke("list");
            let Home::Bucket { store, .. } = &*depot.home else { return };
            let failed = |why: String| {
                let named = Object::Named(depot.name(&wanted));
                Err(Error::new(named, Doing::List, ErrorKind::Service, why))
            };
            let path = match Path::parse(listed(&wanted)) {
                Ok(path) => path,
                Err(error) => {
                    let _ = to.send(failed(error.to_string())).await;
                    return;
                }
            };
            let mut order = Order::new(depot.lists_in_no_order());
            let asked = listed(&wanted).len();
            let mut stream = store.list(if path.as_ref().is_empty() { None } else { Some(&path) });
            while let Some(item) = stream.next().await {
                let item = match item.map(found) {
                    Ok(found) if !found.key.starts_with(&wanted[..asked]) => {
                        failed(format!("`{}` does not begin with what was asked for", shown(&found.key)))
                    }
                    Ok(found) if !found.key.starts_with(&wanted) => continue,
                    Ok(found) => match order.next(&found.key) {
                        Ok(true) => Ok(found),
                        Ok(false) => continue,
                        Err(why) => failed(why),
                    },
                    Err(error) => Err(depot.failed(&wanted, Doing::List, &error)),
                };
                let failed = item.is_err();
                // Nobody listens any more, or there is nothing more to be had.
                if to.send(item).await.is_err() || failed {
                    return;
                }
            }
        });
        let (depot, prefix) = (self.clone(), prefix.to_owned());
        let mut listing = Some(listing);
        std::iter::from_fn(move || {
            if let Some(item) = from.blocking_recv() {
                return Some(item);
            }
            // A listing that did not come to its end is not one that ended.
            let ended = depot.access.runtime.block_on(listing.take()?);
            ended.err().map(|_| {
                let named = Object::Named(depot.name(&prefix));
                Err(Error::new(
                    named,
                    Doing::List,
                    ErrorKind::Service,
                    "the listing broke off by a fault of the program",
                ))
            })
        })
    }

    /// Whether it is a directory bucket (S3 Express): those list in no order.
    fn lists_in_no_order(&self) -> bool {
        self.root.ends_with("--x-s3")
    }
}

/// What is asked for to list `prefix`: what of it the object_store crate has a path for. The rest is looked for here.
fn listed(prefix: &str) -> &str {
    let mut end = 0;
    for (at, _) in prefix.match_indices('/') {
        if !matches!(spell(&prefix[..at]), Cow::Borrowed(_)) {
            break;
        }
        end = at;
    }
    &prefix[..end]
}

/// Sees to it that each object comes once.
struct Order {
    last: Option<String>,
    repeated: u32,
    /// Where there is no order: all that came, by their digests.
    seen: Option<HashSet<u128>>,
}

impl Order {
    fn new(none: bool) -> Order {
        Order { last: None, repeated: 0, seen: none.then(HashSet::default) }
    }

    /// Whether the key comes for the first time.
    ///
    /// # Errors
    /// If that can't be told, or if there is no end to be hoped for.
    fn next(&mut self, key: &str) -> Result<bool, String> {
        let new = match &mut self.seen {
            Some(seen) => seen.insert(XxHash3_128::oneshot(key.as_bytes())),
            None => match &self.last {
                Some(last) if key < last.as_str() => {
                    let (key, last) = (shown(key), shown(last));
                    return Err(format!(
                        "the listing is not in order, or begins again: `{key}` comes behind `{last}`"
                    ));
                }
                last => last.as_deref() != Some(key),
            },
        };
        if new {
            self.repeated = 0;
            self.last = Some(key.to_owned());
            return Ok(true);
        }
        self.repeated += 1;
        if self.repeated >= MOST_REPEATED {
            return Err(format!("the listing does not end: it repeats `{}`", shown(key)));
        }
        Ok(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for() {
        for (prefix, asked) in [
            ("", ""),
            ("a/", "a"),
            ("a/b/", "a/b"),
            ("a//", "a"),
            ("a//b/", "a"),
            ("//", ""),
            ("a/../b/", "a"),
            ("a b/c\u{1}/", "a b"),
        ] {
            assert_eq!(listed(prefix), asked, "{prefix:?}");
        }
    }

    #[test]
    fn each_key_once_and_in_order() {
        let mut order = Order::new(false);
        let come: Vec<_> = ["a", "a", "b", "a"].iter().map(|key| order.next(key)).collect();
        assert_eq!(come[..3], [Ok(true), Ok(false), Ok(true)]);
        assert_eq!(come[3], Err("the listing is not in order, or begins again: `a` comes behind `b`".into()));
        let mut none = Order::new(true);
        let come: Vec<_> = ["b", "a", "b"].iter().map(|key| none.next(key)).collect();
        assert_eq!(come, [Ok(true), Ok(true), Ok(false)]);
        let mut same = Order::new(false);
        assert!((0..=MOST_REPEATED).any(|_| same.next("a").is_err()), "it ends");
    }
}

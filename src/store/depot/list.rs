//! Lists a depot as a stream: a page at a time, or a folder at a time.

use super::{Depot, Found, Home, found, local};
use crate::store::error::{Doing, Error, ErrorKind, Object};
use futures_util::StreamExt as _;
use object_store::path::Path;
use std::fmt;
use tokio::sync::mpsc;

/// How many objects are listed ahead of who takes them: a page of S3's.
const AHEAD: usize = 1000;

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
    /// Lists the objects below `prefix`, which ends in `/` or is empty. Objects of no bytes whose
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
                let is_folder = |found: &Found| found.key.ends_with('/') && found.size == 0;
                Objects(Box::new(self.list_with_folders(prefix).filter(move |item| match item {
                    Ok(found) => !is_folder(found),
                    Err(_) => true,
                })))
            }
        }
    }

    /// What a bucket lists, objects that stand for folders among it; nothing for a folder.
    pub(super) fn list_with_folders(
        &self,
        prefix: &str,
    ) -> impl Iterator<Item = Result<Found, Error>> + Send + use<> {
        let (to, mut from) = mpsc::channel(AHEAD);
        let depot = self.clone();
        let prefix = prefix.to_owned();
        self.access.runtime.spawn(async move {
            crate::panics::provoke("list");
            let Home::Bucket { store, .. } = &*depot.home else { return };
            let path = match Path::parse(prefix.trim_end_matches('/')) {
                Ok(path) => path,
                Err(error) => {
                    let named = Object::Named(depot.name(&prefix));
                    let error = Error::new(named, Doing::List, ErrorKind::BadUrl, error.to_string());
                    let _ = to.send(Err(error)).await;
                    return;
                }
            };
            let mut listed = store.list(if prefix.is_empty() { None } else { Some(&path) });
            while let Some(item) = listed.next().await {
                let failed = item.is_err();
                let item = match item {
                    Ok(meta) => Ok(found(meta)),
                    Err(error) => Err(depot.failed(&prefix, Doing::List, &error)),
                };
                // Nobody listens any more, or there is nothing more to be had.
                if to.send(item).await.is_err() || failed {
                    return;
                }
            }
        });
        std::iter::from_fn(move || from.blocking_recv())
    }
}

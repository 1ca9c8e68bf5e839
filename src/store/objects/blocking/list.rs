//! A listing as an iterator, which runs ahead of who takes it.

use super::BlockingStore;
use crate::store::error::{Doing, Error, ErrorKind, Object};
use crate::store::objects::{Backend, ObjectMeta};
use futures_util::stream::{BoxStream, StreamExt as _};
use std::fmt;
use tokio::sync::mpsc;

/// How many objects are listed ahead of who takes them: a page of S3's.
const AHEAD: usize = 1000;

/// The objects below a prefix, in [`Store::order`](crate::store::objects::Store::order); and, in their places, what could
/// not be listed.
pub struct Objects(Box<dyn Iterator<Item = Result<ObjectMeta, Error>> + Send>);

impl fmt::Debug for Objects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Objects").finish_non_exhaustive()
    }
}

impl Iterator for Objects {
    type Item = Result<ObjectMeta, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next()
    }
}

impl BlockingStore {
    /// Lists the objects below `prefix`, as [`Store::list`](crate::store::objects::Store::list) does.
    pub fn list(&self, prefix: &str) -> Objects {
        match &*self.store.backend {
            Backend::Folder(folder) => Objects(Box::new(folder.list(prefix))),
            Backend::Bucket(_) => Objects(Box::new(self.ahead(self.store.list(prefix), prefix))),
        }
    }

    /// What a bucket lists, objects that stand for folders among it; nothing for a folder.
    pub(super) fn list_with_folders(
        &self,
        prefix: &str,
    ) -> impl Iterator<Item = Result<ObjectMeta, Error>> + Send + use<> {
        let listing = match &*self.store.backend {
            Backend::Folder(_) => futures_util::stream::empty().boxed(),
            Backend::Bucket(bucket) => bucket.list(prefix),
        };
        self.ahead(listing, prefix)
    }

    fn ahead(
        &self,
        mut stream: BoxStream<'static, Result<ObjectMeta, Error>>,
        prefix: &str,
    ) -> impl Iterator<Item = Result<ObjectMeta, Error>> + Send + use<> {
        let (to, mut from) = mpsc::channel(AHEAD);
        let listing = self.access.runtime.spawn(async move {
            crate::panics::provoke("list");
            while let Some(item) = stream.next().await {
                // Nobody listens any more.
                if to.send(item).await.is_err() {
                    return;
                }
            }
        });
        let (runtime, name) = (self.access.runtime.clone(), self.store.name(prefix));
        let mut listing = Some(listing);
        std::iter::from_fn(move || {
            if let Some(item) = from.blocking_recv() {
                return Some(item);
            }
            // A listing that did not come to its end is not one that ended.
            let ended = runtime.block_on(listing.take()?);
            ended.err().map(|_| {
                let why = "the listing broke off by a fault of the program";
                Err(Error::new(Object::Named(name.clone()), Doing::List, ErrorKind::Service, why))
            })
        })
    }
}

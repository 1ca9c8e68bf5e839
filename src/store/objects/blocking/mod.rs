//! A store as threads use it: calls block, large objects come and go as streams.
//!
//! The runtime that carries the requests stays inside of [`Access`]. Nothing is ever written over here: an [`Upload`]
//! makes an object that was not there, or finds that the same bytes are there already.

mod list;
mod read;
mod write;

pub use list::Objects;
pub use read::{Outcome, Reader};
pub use write::{Stored, Upload};

use super::{Backend, Deleted, Location, ObjectMeta, Store, staging};
use crate::store::error::{Doing, Error};
use crate::store::service::{ClientConfig, Requests};
use object_store::ObjectStore;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;
use tokio::runtime::Runtime;

/// How stores are reached: the threads that carry requests, and what all stores share.
#[derive(Debug, Clone)]
pub struct Access {
    runtime: Arc<Runtime>,
    requests: Arc<Requests>,
    anonymous: bool,
    stop: Arc<AtomicBool>,
}

impl Access {
    /// Access with requests unsigned if `anonymous`. When `stop` is true, reads and waits end with
    /// an error that [`is_stopped`](crate::store::is_stopped) knows.
    ///
    /// # Errors
    /// If threads can't be started.
    pub fn new(anonymous: bool, stop: Arc<AtomicBool>) -> std::io::Result<Access> {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        let runtime =
            builder.worker_threads(2).max_blocking_threads(4).thread_name("store").enable_all().build()?;
        Ok(Access { runtime: Arc::new(runtime), requests: Arc::default(), anonymous, stop })
    }

    /// What ends reads and waits when it is true.
    pub fn stop(&self) -> &Arc<AtomicBool> {
        &self.stop
    }

    /// The requests sent so far.
    pub fn requests(&self) -> &Requests {
        &self.requests
    }
}

/// A [`Store`] for threads that wait.
#[derive(Debug, Clone)]
pub struct BlockingStore {
    access: Access,
    store: Store,
}

impl BlockingStore {
    /// Opens what a URL or path names: the store, and the key or prefix in it, as it is written.
    /// Of a folder's path that is all: the prefix is empty. Nothing is read or written yet.
    ///
    /// See [`Location::parse`]; credentials, region and endpoint come from the environment.
    ///
    /// # Errors
    /// If it is not such a URL, or if the environment does not fit it.
    pub fn open(text: &str, access: &Access) -> Result<(BlockingStore, String), Error> {
        BlockingStore::at(Location::parse(text)?, access)
    }

    /// Opens a location, see [`BlockingStore::open`].
    pub(crate) fn at(location: Location, access: &Access) -> Result<(BlockingStore, String), Error> {
        let location = location.real()?;
        let config = ClientConfig {
            retries: 10,
            retry_for: Duration::from_secs(180),
            timeout: None,
            anonymous: access.anonymous,
            requests: Arc::clone(&access.requests),
        };
        let store = Store::open(&location, &config)?;
        let key = match location {
            Location::Folder { .. } => String::new(),
            Location::Bucket { key, .. } => key,
        };
        Ok((BlockingStore { access: access.clone(), store }, key))
    }

    /// The store around one that is open already, see [`Store::around`].
    pub fn around(store: Arc<dyn ObjectStore>, root: &str, access: &Access) -> BlockingStore {
        BlockingStore { access: access.clone(), store: Store::around(store, root) }
    }

    /// See [`Store::root`].
    pub fn root(&self) -> &str {
        self.store.root()
    }

    /// See [`Store::name`].
    pub fn name(&self, key: &str) -> String {
        self.store.name(key)
    }

    /// See [`Store::is_remote`].
    pub fn is_remote(&self) -> bool {
        self.store.is_remote()
    }

    /// See [`Store::order`].
    pub fn order(&self, a: &str, b: &str) -> std::cmp::Ordering {
        self.store.order(a, b)
    }

    /// Looks at an object; `None` if there is none.
    ///
    /// # Errors
    /// If that can't be found out.
    pub fn head(&self, key: &str) -> Result<Option<ObjectMeta>, Error> {
        self.access.runtime.block_on(self.store.head(key))
    }

    /// Reads a part of one version of an object, see [`Store::read_end`].
    ///
    /// # Errors
    /// If it can't be read, is not there, or has changed.
    pub fn read_end(&self, meta: &ObjectMeta, last: bool, most: u64) -> Result<Vec<u8>, Error> {
        self.access.runtime.block_on(self.store.read_end(meta, last, most)).map(Into::into)
    }

    /// Deletes an object if it is still the one with this ETag, see [`Store::delete`].
    ///
    /// # Errors
    /// If it is not deleted, or if that can't be found out.
    pub fn delete(&self, key: &str, etag: &str) -> Result<Deleted, Error> {
        self.access.runtime.block_on(self.store.delete(key, etag))
    }

    /// Removes what runs have left that were killed.
    pub fn tidy(&self) {
        if let Backend::Folder(folder) = &*self.store.backend {
            staging::sweep(folder.path());
        }
    }

    /// Removes the folders below `prefix` that nothing is in. Buckets have no folders, only objects of
    /// no bytes that stand for them: those go.
    ///
    /// # Errors
    /// If the folders can't be listed, or one not be removed.
    pub fn remove_empty(&self, prefix: &str) -> Result<(), Error> {
        match &*self.store.backend {
            Backend::Folder(folder) => staging::remove_empty(&folder.path().join(prefix))
                .map_err(|error| folder.failed(prefix, Doing::Remove, error)),
            Backend::Bucket(_) => {
                // In the order of a listing, what lies in a folder comes right behind it.
                let mut above: Vec<String> = Vec::new();
                for found in self.list_with_folders(prefix) {
                    let found = found?;
                    while let Some(folder) = above.pop_if(|folder| !found.key.starts_with(folder.as_str())) {
                        self.remove_folder(&folder)?;
                    }
                    if found.key.ends_with('/') && found.size == 0 {
                        if found.key != prefix {
                            above.push(found.key);
                        }
                    } else {
                        above.clear();
                    }
                }
                above.iter().rev().try_for_each(|folder| self.remove_folder(folder))
            }
        }
    }

    /// Removes an object that stands for a folder, if it has no bytes indeed.
    fn remove_folder(&self, key: &str) -> Result<(), Error> {
        match self.head(key)? {
            Some(found) if found.size == 0 => self.delete(key, &found.etag).map(|_| ()),
            _ => Ok(()),
        }
    }
}

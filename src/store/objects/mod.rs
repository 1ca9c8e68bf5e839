//! Objects under keys, in a folder, a bucket or memory: one [`Store`], with one contract.
//!
//! An object is created only if there is none, replaced and deleted only if it is unchanged, and read as one version of
//! it. [`Location`] takes a URL or path apart, [`StorePath`] is a place in a store.
//!
//! The store is async, because a bucket is. Readers and writers that belong to threads and decoders use it through
//! [`BlockingStore`], which adds what only they need: listings and objects as streams, and files that get their names
//! together.

mod blocking;
mod bucket;
mod folder;
mod location;
mod order;
mod parts;
mod path;
mod staging;

use super::Error;
use super::service::{self, ClientConfig};
use bucket::Bucket;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use folder::Folder;
use futures_util::stream::{BoxStream, StreamExt as _};
use object_store::ObjectStore;
use object_store::memory::InMemory;
use std::sync::Arc;

pub use blocking::{Access, BlockingStore, Objects, Outcome, Reader, Stored, Upload};
pub use location::Location;
pub use path::StorePath;
pub use staging::StagedFile;

/// The largest object that is read where an object is created, in bytes: twice the largest answer of Duo's.
const MOST_BYTES: u64 = 512 << 20;

/// An object as it was listed or looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectMeta {
    /// Its key below the store's root.
    pub key: String,
    /// Its size in bytes, as it is stored.
    pub size: u64,
    /// Which version of it this is: the service's ETag; of a file, size and time of its last
    /// change, to the nanosecond.
    pub etag: String,
    /// When it was last changed.
    pub modified: DateTime<Utc>,
}

/// Which version of an object was read: what [`Store::replace`] compares.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Version {
    tag: Option<String>,
    generation: Option<String>,
}

impl Version {
    /// A version that no object has.
    pub fn never() -> Version {
        Version { tag: Some("\"never\"".into()), generation: Some("1".into()) }
    }
}

/// An object that was read.
#[derive(Debug, Clone)]
pub struct Object {
    /// Its content.
    pub bytes: Bytes,
    /// Which version it is.
    pub version: Version,
}

/// What became of [`Store::create`].
#[derive(Debug)]
pub enum Created {
    /// It was not there, and is there now.
    New(Version),
    /// It is there: somebody's, or our own after an answer that was lost.
    Exists(Object),
}

/// What became of [`Store::replace`].
#[derive(Debug)]
pub enum Replaced {
    /// It was unchanged, and is replaced.
    Done(Version),
    /// Somebody changed or removed it.
    Changed,
}

/// What became of [`Store::delete`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deleted {
    /// It is gone, by us.
    Done,
    /// It was gone before.
    Gone,
    /// It is another one now, and stays.
    Changed,
}

/// Objects below a root: a bucket, a folder, or memory. Keys are relative, with `/` between their parts.
///
/// Every write is visible whole or not at all. Where the answer to a write was lost, the object is
/// read before a verdict is given; so a write that has happened is never reported as failed, as
/// long as the object can still be read.
#[derive(Debug, Clone)]
pub struct Store {
    backend: Arc<Backend>,
}

#[derive(Debug)]
enum Backend {
    Bucket(Bucket),
    Folder(Folder),
}

impl Store {
    /// Opens the store of a location. Nothing is read or written yet.
    ///
    /// A bucket's credentials, region and endpoint come from the environment, by their usual
    /// names: `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`, `AWS_REGION`,
    /// `AWS_ENDPOINT_URL`, `AWS_ALLOW_HTTP`, `AWS_PROFILE`, web identity, container and instance roles.
    ///
    /// # Errors
    /// If there is no such service, or if the environment does not fit it.
    pub(crate) fn open(location: &Location, config: &ClientConfig) -> Result<Store, Error> {
        let backend = match location {
            Location::Folder { path } => Backend::Folder(Folder::new(path)),
            Location::Bucket { scheme, bucket, .. } => {
                let opened =
                    service::open(scheme, bucket, config).map_err(|wrong| location.refused(wrong))?;
                Backend::Bucket(Bucket::new(opened.store, &location.root(), opened.parts))
            }
        };
        Ok(Store { backend: Arc::new(backend) })
    }

    /// The objects below a folder. It is made when something is written.
    pub fn folder(path: impl AsRef<std::path::Path>) -> Store {
        Store { backend: Arc::new(Backend::Folder(Folder::new(path.as_ref()))) }
    }

    /// A store that lasts as long as the process.
    pub fn memory() -> Store {
        Store::around(Arc::new(InMemory::new()), "memory://objects")
    }

    /// The store around one that is open already, called `root` in messages and names (`s3://bucket`).
    pub fn around(store: Arc<dyn ObjectStore>, root: &str) -> Store {
        let bucket = Bucket::new(store, root, service::Parts::ThenCopied);
        Store { backend: Arc::new(Backend::Bucket(bucket)) }
    }

    /// The root's name: `s3://bucket`, or a folder's path.
    pub fn root(&self) -> &str {
        match &*self.backend {
            Backend::Bucket(bucket) => bucket.root(),
            Backend::Folder(folder) => folder.root(),
        }
    }

    /// An object's full name: `s3://bucket/key`, or a file's path.
    pub fn name(&self, key: &str) -> String {
        format!("{}/{key}", self.root())
    }

    /// Whether it is a bucket, so that every call is a request.
    pub fn is_remote(&self) -> bool {
        matches!(&*self.backend, Backend::Bucket(_))
    }

    /// The order in which [`Store::list`] gives keys: a bucket's by their bytes, a folder's part by
    /// part.
    pub fn order(&self, a: &str, b: &str) -> std::cmp::Ordering {
        if self.is_remote() { a.cmp(b) } else { a.split('/').cmp(b.split('/')) }
    }

    /// Looks at an object; `None` if there is none.
    ///
    /// # Errors
    /// If that can't be found out.
    pub async fn head(&self, key: &str) -> Result<Option<ObjectMeta>, Error> {
        match &*self.backend {
            Backend::Bucket(bucket) => bucket.head(key).await,
            Backend::Folder(folder) => folder.head(key),
        }
    }

    /// Reads an object of at most `most` bytes; `None` if there is none.
    ///
    /// # Errors
    /// If that can't be found out, or if it is larger; never for an object that is not there.
    pub async fn read(&self, key: &str, most: u64) -> Result<Option<Object>, Error> {
        match &*self.backend {
            Backend::Bucket(bucket) => bucket.read(key, most).await,
            Backend::Folder(folder) => folder.read(key, most),
        }
    }

    /// Reads a part of one version of an object: its first bytes, or its last ones. All of it if it is no longer than
    /// `most`.
    ///
    /// # Errors
    /// If it can't be read, is not there, or has changed.
    pub async fn read_end(&self, meta: &ObjectMeta, last: bool, most: u64) -> Result<Bytes, Error> {
        if meta.size == 0 || most == 0 {
            return Ok(Bytes::new());
        }
        match &*self.backend {
            Backend::Bucket(bucket) => bucket.read_end(meta, last, most).await,
            Backend::Folder(folder) => folder.read_end(meta, last, most).map(Bytes::from),
        }
    }

    /// Lists the objects below `prefix`, which ends in `/` or is empty, each once. Objects of no bytes whose
    /// keys end in `/` stand for folders and are left out; so are hidden files and folders. What can't be listed is an
    /// error in its place.
    ///
    /// A folder's entries are sorted, which takes memory for one folder at a time; a bucket comes
    /// in pages.
    pub fn list(&self, prefix: &str) -> BoxStream<'static, Result<ObjectMeta, Error>> {
        let (store, prefix) = (self.clone(), prefix.to_owned());
        match &*self.backend {
            Backend::Bucket(bucket) => bucket
                .list(&prefix)
                .filter_map(move |item| {
                    let store = store.clone();
                    async move { if store.is_folder(&item).await { None } else { Some(item) } }
                })
                .boxed(),
            Backend::Folder(folder) => futures_util::stream::iter(folder.list(&prefix)).boxed(),
        }
    }

    /// Whether an object stands for a folder. What the listing says of its size is not enough to leave it out.
    async fn is_folder(&self, item: &Result<ObjectMeta, Error>) -> bool {
        let Ok(meta) = item else { return false };
        let is_empty = |meta: &ObjectMeta| meta.key.ends_with('/') && meta.size == 0;
        is_empty(meta)
            && (meta.etag.trim_matches('"') == bucket::OF_NOTHING
                || self.head(&meta.key).await.is_ok_and(|now| now.is_none_or(|now| is_empty(&now))))
    }

    /// Writes an object that must not be there.
    ///
    /// # Errors
    /// If nothing was written, or if that can't be found out.
    pub async fn create(&self, key: &str, bytes: Bytes) -> Result<Created, Error> {
        match &*self.backend {
            Backend::Bucket(bucket) => bucket.create(key, bytes).await,
            Backend::Folder(folder) => folder.create(key, &bytes),
        }
    }

    /// Writes an object that must still be as it was read.
    ///
    /// # Errors
    /// If nothing was written, or if that can't be found out.
    pub async fn replace(&self, key: &str, bytes: Bytes, was: &Version) -> Result<Replaced, Error> {
        match &*self.backend {
            Backend::Bucket(bucket) => bucket.replace(key, bytes, was).await,
            Backend::Folder(folder) => folder.replace(key, &bytes, was),
        }
    }

    /// Deletes an object if it is still the one with this ETag. The service is told this condition. In a folder, and
    /// with a service that does not keep it, another writer may come between the look and the deletion.
    ///
    /// # Errors
    /// If it is not deleted, or if that can't be found out.
    pub async fn delete(&self, key: &str, etag: &str) -> Result<Deleted, Error> {
        match &*self.backend {
            Backend::Bucket(bucket) => bucket.delete(key, etag).await,
            Backend::Folder(folder) => folder.delete(key, etag),
        }
    }

    /// Removes an object, whatever it is, if there is one.
    ///
    /// # Errors
    /// If that can't be done, or is not allowed.
    pub async fn remove(&self, key: &str) -> Result<(), Error> {
        let removed = match &*self.backend {
            Backend::Bucket(bucket) => bucket.remove(key).await,
            Backend::Folder(folder) => folder.remove(key),
        };
        match removed {
            Err(error) if error.kind() == super::ErrorKind::NotFound => Ok(()),
            removed => removed,
        }
    }
}

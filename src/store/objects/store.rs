//! The store: one contract, whatever keeps the objects.

use super::bucket::{Bucket, OF_NOTHING};
use super::folder::Folder;
use super::location::Location;
use super::object::{Created, Deleted, Object, ObjectMeta, Replaced, Version};
use crate::store::error::{Error, ErrorKind};
use crate::store::service::{self, ClientConfig, Parts};
use bytes::Bytes;
use futures_util::stream::{BoxStream, StreamExt as _};
use object_store::ObjectStore;
use object_store::memory::InMemory;
use std::sync::Arc;

/// Objects below a root: a bucket, a folder, or memory. Keys are relative, with `/` between their parts.
///
/// Every write is visible whole or not at all. Where the answer to a write was lost, the object is
/// read before a verdict is given; so a write that has happened is never reported as failed, as
/// long as the object can still be read.
#[derive(Debug, Clone)]
pub struct Store {
    pub(super) backend: Arc<Backend>,
}

#[derive(Debug)]
pub(super) enum Backend {
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
        let bucket = Bucket::new(store, root, Parts::ThenCopied);
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
        if self.is_remote() { a.cmp(b) } else { crate::text::by_parts(a, b) }
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
            && (meta.etag.trim_matches('"') == OF_NOTHING
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
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            removed => removed,
        }
    }
}

//! Many objects of any size: listed as a stream, read as a stream, written once each.
//!
//! A [`Depot`] is a bucket or a folder. Calls block; the runtime that carries the requests stays
//! inside of [`Access`]. Nothing is ever written over: an [`Upload`] makes an object that was not
//! there, or finds that the same bytes stand there already.

mod list;
mod local;
mod read;
mod write;

pub use list::Objects;
pub use local::Pending;
pub use read::{Outcome, Reader};
pub use write::{Stored, Upload};

use super::error::{Doing, Error, ErrorKind, Object};
use super::objects::{Bucket, Manner, ONLY_IF, Requests, build, refuse, spell, translated, unspell};
use chrono::{DateTime, Utc};
use local::Staging;
use object_store::path::Path;
use object_store::{GetOptions, GetRange, ObjectMeta, ObjectStore, ObjectStoreExt as _};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;
use tokio::runtime::Runtime;

/// How stores are reached: the threads that carry requests, and what all depots share.
#[derive(Debug, Clone)]
pub struct Access {
    runtime: Arc<Runtime>,
    requests: Arc<Requests>,
    anonymous: bool,
    stop: Arc<AtomicBool>,
}

impl Access {
    /// Access with requests unsigned if `anonymous`. When `stop` is true, reads and waits end with
    /// an error that [`is_stopped`](super::is_stopped) knows.
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

/// An object as it was listed or looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Its key below the depot's root.
    pub key: String,
    /// Its size in bytes, as it is stored.
    pub size: u64,
    /// Which writing of it this is: the service's ETag; of a file, size and time of its last
    /// change, to the nanosecond.
    pub etag: String,
    /// When it was last changed.
    pub modified: DateTime<Utc>,
}

/// What became of [`Depot::delete`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deleted {
    /// It is gone, by us.
    Done,
    /// It was gone before.
    Gone,
    /// It is another one now, and stays.
    Changed,
}

/// Objects below a root: a bucket, or a folder.
#[derive(Debug, Clone)]
pub struct Depot {
    access: Access,
    home: Arc<Home>,
    root: String,
}

#[derive(Debug)]
enum Home {
    Bucket { store: Arc<dyn ObjectStore>, bucket: Bucket },
    Folder { path: PathBuf, staging: Staging },
}

impl Depot {
    /// Opens what a URL or path names: the depot, and the key or prefix in it, as it is written.
    /// Of a folder's path that is all: the prefix is empty. Nothing is read or written yet.
    ///
    /// Credentials, region and endpoint come from the environment, see
    /// [`Place::prefix`](super::objects::Place::prefix).
    ///
    /// # Errors
    /// If it is no such URL, or if the environment does not fit it.
    pub fn open(text: &str, access: &Access) -> Result<(Depot, String), Error> {
        let refused = |named: &str, why: &str| {
            Error::new(Object::Named(named.to_owned()), Doing::Open, ErrorKind::BadUrl, why)
        };
        if text.is_empty() {
            return Err(refused(text, "it is empty"));
        }
        let Some((scheme, rest)) = text.split_once("://") else {
            let path = std::path::absolute(text).map_err(|error| refused(text, &error.to_string()))?;
            let path = local::real(&path);
            let root = path.to_string_lossy().trim_end_matches('/').to_owned();
            let home = Home::Folder { staging: Staging::new(&path), path };
            return Ok((Depot { access: access.clone(), home: Arc::new(home), root }, String::new()));
        };
        if scheme == "file" {
            let url = url::Url::parse(text).map_err(|error| refused(text, &error.to_string()))?;
            let path = url.to_file_path().map_err(|()| refused(text, "it is no path of this machine"))?;
            return Depot::open(&path.to_string_lossy(), access);
        }
        // A key is taken as it is written: `#`, `?` and `%` have no meaning of their own.
        let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
        if bucket.is_empty() {
            return Err(refused(text, "it names no bucket"));
        }
        if bucket.contains(['@', ':', '?', '#']) {
            // Not the text itself: it may hold a secret.
            let error = refused(&format!("{scheme}://"), "more than a bucket and a key stands in the URL");
            return Err(error.with_hint("give credentials and endpoint by the environment (AWS_*)"));
        }
        let manner = Manner {
            retries: 10,
            retry_for: Duration::from_secs(180),
            timeout: None,
            anonymous: access.anonymous,
            requests: Arc::clone(&access.requests),
        };
        let store = build(scheme, bucket, &manner).map_err(|wrong| refuse(text, wrong))?;
        let root = format!("{scheme}://{bucket}");
        let home = Home::Bucket { bucket: Bucket::new(Arc::clone(&store), &root), store };
        Ok((Depot { access: access.clone(), home: Arc::new(home), root }, key.to_owned()))
    }

    /// The depot around a store that is open already, called `root` in messages and names.
    pub fn around(store: Arc<dyn ObjectStore>, root: &str, access: &Access) -> Depot {
        let home = Home::Bucket { bucket: Bucket::new(Arc::clone(&store), root), store };
        Depot { access: access.clone(), home: Arc::new(home), root: root.to_owned() }
    }

    /// The root's name: `s3://bucket`, or a folder's path.
    pub fn root(&self) -> &str {
        &self.root
    }

    /// An object's full name: `s3://bucket/key`, or a file's path.
    pub fn name(&self, key: &str) -> String {
        format!("{}/{key}", self.root)
    }

    /// Whether it is a bucket, so that every call is a request.
    pub fn is_remote(&self) -> bool {
        matches!(&*self.home, Home::Bucket { .. })
    }

    /// The order in which [`Depot::list`] gives keys: a bucket's by their bytes, a folder's part by
    /// part.
    pub fn order(&self, a: &str, b: &str) -> std::cmp::Ordering {
        if self.is_remote() { a.cmp(b) } else { a.split('/').cmp(b.split('/')) }
    }

    /// Removes what runs have left that were killed.
    pub fn tidy(&self) {
        if let Home::Folder { path, .. } = &*self.home {
            local::sweep(path);
        }
    }

    /// Looks at an object; `None` if there is none.
    ///
    /// # Errors
    /// If that can't be found out.
    pub fn look(&self, key: &str) -> Result<Option<Found>, Error> {
        match &*self.home {
            Home::Folder { path, .. } => match std::fs::metadata(path.join(key)) {
                Ok(metadata) if metadata.is_file() => Ok(Some(local::found(key.to_owned(), &metadata))),
                Ok(_) => Ok(None),
                Err(error) if local::is_absent(&error) => Ok(None),
                Err(error) => Err(self.io(key, Doing::Read, error)),
            },
            Home::Bucket { store, .. } => {
                match self.access.runtime.block_on(store.head(&self.path(key, Doing::Read)?)) {
                    Ok(meta) => Ok(Some(found(meta))),
                    Err(error) => match self.failed(key, Doing::Read, &error) {
                        error if error.kind() == ErrorKind::NotFound => Ok(None),
                        error => Err(error),
                    },
                }
            }
        }
    }

    /// Reads a part of an object: its first bytes, or its last ones. All of it if it is no longer
    /// than `most`.
    ///
    /// # Errors
    /// If it can't be read, or is not there.
    pub fn peek(&self, found: &Found, last: bool, most: u64) -> Result<Vec<u8>, Error> {
        if found.size == 0 || most == 0 {
            return Ok(Vec::new());
        }
        match &*self.home {
            Home::Folder { path, .. } => {
                let from = if last { found.size.saturating_sub(most) } else { 0 };
                local::peek(&path.join(&found.key), from..found.size.min(from + most))
                    .map_err(|error| self.io(&found.key, Doing::Read, error))
            }
            Home::Bucket { store, .. } => {
                let path = self.path(&found.key, Doing::Read)?;
                // Not by the listing's size: an object has the size that it is given with.
                let range = if last { GetRange::Suffix(most) } else { GetRange::Bounded(0..most) };
                let options = GetOptions { range: Some(range), ..GetOptions::default() };
                let got = self
                    .access
                    .runtime
                    .block_on(async { store.get_opts(&path, options).await?.bytes().await });
                got.map(|bytes| bytes.to_vec()).map_err(|error| self.failed(&found.key, Doing::Read, &error))
            }
        }
    }

    /// Deletes an object if it is still the one with this ETag. S3 is told this condition; of a
    /// service that does not keep it, or of a folder, another writer may come between the look and
    /// the deletion.
    ///
    /// # Errors
    /// If it is not deleted, or if that can't be found out.
    pub fn delete(&self, key: &str, etag: &str) -> Result<Deleted, Error> {
        match self.look(key)? {
            None => return Ok(Deleted::Gone),
            Some(found) if found.etag != etag => return Ok(Deleted::Changed),
            Some(_) => {}
        }
        let removed = match &*self.home {
            Home::Folder { .. } => self.remove(key),
            Home::Bucket { store, .. } => {
                let path = self.path(key, Doing::Remove)?;
                let removed = ONLY_IF.scope(etag.to_owned(), async { store.delete(&path).await });
                let removed = self.access.runtime.block_on(removed);
                removed.map_err(|error| self.failed(key, Doing::Remove, &error))
            }
        };
        match removed {
            Ok(()) => Ok(Deleted::Done),
            Err(error) if error.kind() == ErrorKind::Changed => Ok(Deleted::Changed),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Deleted::Gone),
            Err(error) => Err(error),
        }
    }

    /// Removes the folders below `prefix` that nothing is in. Buckets have no folders, only objects of
    /// no bytes that stand for them: those go.
    ///
    /// # Errors
    /// If the folders can't be listed, or one not be removed.
    pub fn remove_empty(&self, prefix: &str) -> Result<(), Error> {
        match &*self.home {
            Home::Folder { path, .. } => {
                local::remove_empty(&path.join(prefix)).map_err(|error| self.io(prefix, Doing::Remove, error))
            }
            Home::Bucket { .. } => {
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
        match self.look(key)? {
            Some(found) if found.size == 0 => self.delete(key, &found.etag).map(|_| ()),
            _ => Ok(()),
        }
    }

    fn remove(&self, key: &str) -> Result<(), Error> {
        match &*self.home {
            Home::Folder { path, .. } => {
                std::fs::remove_file(path.join(key)).map_err(|error| self.io(key, Doing::Remove, error))
            }
            Home::Bucket { store, .. } => {
                let path = self.path(key, Doing::Remove)?;
                let done = self.access.runtime.block_on(store.delete(&path));
                done.map_err(|error| self.failed(key, Doing::Remove, &error))
            }
        }
    }

    fn path(&self, key: &str, doing: Doing) -> Result<Path, Error> {
        let path = Path::parse(spell(key)).map_err(|error| {
            Error::new(Object::Named(self.name(key)), doing, ErrorKind::BadUrl, error.to_string())
        })?;
        Ok(path)
    }

    /// A service's error about an object, in this room's words.
    fn failed(&self, key: &str, doing: Doing, error: &object_store::Error) -> Error {
        translated(self.name(key), doing, error)
    }

    fn io(&self, key: &str, doing: Doing, error: std::io::Error) -> Error {
        let kind = match error.kind() {
            std::io::ErrorKind::PermissionDenied => ErrorKind::Denied,
            _ if local::is_absent(&error) => ErrorKind::NotFound,
            _ => ErrorKind::Io,
        };
        Error::io(Object::Named(self.name(key)), doing, error).of_kind(kind)
    }
}

fn found(meta: ObjectMeta) -> Found {
    let etag = match meta.e_tag {
        Some(tag) if tag.starts_with("W/") => tag,
        // Azure lists them without quotes, and gives them with quotes.
        Some(tag) => format!("\"{}\"", tag.trim_matches('"')),
        // A service without ETags: what else tells writings apart.
        None => format!("{:x}-{:x}", meta.size, meta.last_modified.timestamp_micros()),
    };
    let key = unspell(meta.location.as_ref()).into_owned();
    Found { key, size: meta.size, etag, modified: meta.last_modified }
}

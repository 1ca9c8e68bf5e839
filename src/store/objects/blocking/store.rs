//! Stores for threads that wait, and the runtime that works for them.

use crate::store::error::{Doing, Error, Object};
use crate::store::objects::location::Location;
use crate::store::objects::object::{Deleted, ObjectMeta};
use crate::store::objects::staging;
use crate::store::objects::store::{Backend, Store};
use crate::store::service::{ClientConfig, Requests};
use crate::store::stop::stopped;
use object_store::ObjectStore;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::Duration;
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;

/// How often a wait looks whether to stop.
const LOOK: Duration = Duration::from_millis(100);

/// How stores are reached: the threads that carry requests, and what all stores share.
#[derive(Debug, Clone)]
pub struct Access {
    pub(super) runtime: Arc<Runtime>,
    requests: Arc<Requests>,
    anonymous: bool,
    pub(super) stop: Arc<AtomicBool>,
}

impl Access {
    /// Access with requests unsigned if `anonymous`. When `stop` is true, reads and waits end with
    /// an error that [`is_stopped`](crate::store::is_stopped) knows.
    ///
    /// # Errors
    /// If threads can't be started.
    pub fn new(anonymous: bool, stop: Arc<AtomicBool>) -> std::io::Result<Access> {
        // One thread carries thousands of requests a second; several would wake each other.
        let threads = std::thread::available_parallelism().map_or(1, usize::from) / 4;
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        builder.worker_threads(threads.clamp(1, 4)).max_blocking_threads(4).thread_name("store");
        let runtime = builder.enable_all().build()?;
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
    pub(super) access: Access,
    pub(super) store: Store,
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

    /// The same store, whose reads and waits end when `stop` is true.
    #[must_use]
    pub fn with_stop(mut self, stop: Arc<AtomicBool>) -> BlockingStore {
        self.access.stop = stop;
        self
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
        if let Backend::Folder(folder) = &*self.store.backend {
            return folder.head(key);
        }
        let (store, own) = (self.store.clone(), key.to_owned());
        let found = self.wait_for(self.begin(async move { store.head(&own).await }), false);
        found.unwrap_or_else(|error| Err(Error::io(Object::Named(self.name(key)), Doing::Read, error)))
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
}

impl BlockingStore {
    /// Waits for `work`, but not beyond a stop.
    pub(super) fn wait<T>(&self, work: impl Future<Output = T>) -> io::Result<T> {
        self.access.runtime.block_on(async {
            let mut work = std::pin::pin!(work);
            loop {
                match tokio::time::timeout(LOOK, &mut work).await {
                    Ok(done) => return Ok(done),
                    Err(_) if self.access.stop.load(Ordering::Relaxed) => return Err(stopped()),
                    Err(_) => {}
                }
            }
        })
    }

    /// Begins `work` in the background.
    pub(super) fn begin<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Background<T> {
        let (to, done) = sync_channel(1);
        let task = self.access.runtime.spawn(async move {
            // Who has gone waits no longer.
            let _ = to.send(work.await);
        });
        Background { task, done }
    }

    /// Waits for work that was begun, but not beyond a stop if it `stops`. A panic in it is one here.
    pub(super) fn wait_for<T>(&self, mut work: Background<T>, stops: bool) -> io::Result<T> {
        loop {
            match work.done.recv_timeout(LOOK) {
                Ok(done) => return Ok(done),
                Err(RecvTimeoutError::Timeout) if stops && self.access.stop.load(Ordering::Relaxed) => {
                    return Err(stopped());
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    let ended = self.access.runtime.block_on(&mut work.task);
                    if let Some(panic) = ended.err().and_then(|error| error.try_into_panic().ok()) {
                        std::panic::resume_unwind(panic);
                    }
                    return Err(io::Error::other("the request broke off by a fault of the program"));
                }
            }
        }
    }
}

/// Work of the threads that drive the connections. A future that is waited for on another thread wakes it, and is woken,
/// at every step: there it takes several times as much. Dropped, it is given up.
#[derive(Debug)]
pub(in crate::store) struct Background<T> {
    task: JoinHandle<()>,
    done: Receiver<T>,
}

impl<T> Drop for Background<T> {
    fn drop(&mut self) {
        self.task.abort();
    }
}

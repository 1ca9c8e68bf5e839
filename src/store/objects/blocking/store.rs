//! Stores for threads that wait, and the runtime that works for them.

use crate::store::error::Error;
use crate::store::objects::location::Location;
use crate::store::objects::object::{Deleted, ObjectMeta};
use crate::store::objects::staging;
use crate::store::objects::store::{Backend, Store};
use crate::store::service::{ClientConfig, OWN, OwnClients, Requests, encode_key};
use crate::store::stop::stopped;
use object_store::ObjectStore;
use std::borrow::Cow;
use std::cell::RefCell;
use std::io;
use std::marker::PhantomData;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::runtime::Runtime;

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
        self.ask(key, self.store.head(key))
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
        self.access.runtime.block_on(until(&self.access.stop, work))
    }

    /// Waits for a small request about this key, on the caller's own runtime if it has one. Nothing of it may go on
    /// afterwards.
    pub(super) fn ask<T>(&self, key: &str, work: impl Future<Output = T>) -> T {
        // Those have a client of their own, which is there for all threads.
        let is_unusual = matches!(encode_key(key), Cow::Owned(_));
        OWN_THREAD.with_borrow(|own| match own {
            Some(own) if !is_unusual => own.block_on(work),
            _ => self.access.runtime.block_on(work),
        })
    }

    /// As [`ask`](Self::ask), but not beyond a stop.
    pub(super) fn ask_until_stop<T>(&self, key: &str, work: impl Future<Output = T>) -> io::Result<T> {
        self.ask(key, until(&self.access.stop, work))
    }
}

async fn until<T>(stop: &AtomicBool, work: impl Future<Output = T>) -> io::Result<T> {
    let mut work = std::pin::pin!(work);
    loop {
        match tokio::time::timeout(LOOK, &mut work).await {
            Ok(done) => return Ok(done),
            Err(_) if stop.load(Ordering::Relaxed) => return Err(stopped()),
            Err(_) => {}
        }
    }
}

thread_local! {
    static OWN_THREAD: RefCell<Option<Own>> = const { RefCell::new(None) };
}

/// As long as this lives, its thread makes small requests itself, over connections of its own. A request over a
/// connection that another thread drives takes several changes of thread, each of which costs as much as the request.
#[derive(Debug)]
pub(crate) struct OwnThread {
    /// It stays where it was made.
    _here: PhantomData<*const ()>,
}

struct Own {
    runtime: Runtime,
    clients: OwnClients,
}

impl OwnThread {
    /// # Errors
    /// If the system has no room for it.
    pub(crate) fn begin() -> io::Result<OwnThread> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        OWN_THREAD.set(Some(Own { runtime, clients: OwnClients::default() }));
        Ok(OwnThread { _here: PhantomData })
    }
}

impl Own {
    fn block_on<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(OWN.scope(self.clients.clone(), async {
            // Connections that were closed since the last time are noticed: once to hear of it, once to act on it.
            tokio::task::yield_now().await;
            tokio::task::yield_now().await;
            work.await
        }))
    }
}

impl Drop for OwnThread {
    fn drop(&mut self) {
        OWN_THREAD.set(None);
    }
}

//! Reads one version of an object from its first byte to its last, whatever happens on the way.

use super::store::{Background, BlockingStore};
use crate::store::error::{Doing, Error, ErrorKind, Object};
use crate::store::objects::bucket;
use crate::store::objects::object::ObjectMeta;
use crate::store::objects::store::{Backend, Store};
use crate::store::stop::stopped;
use bytes::{Buf as _, Bytes};
use futures_util::stream::BoxStream;
use futures_util::{FutureExt as _, StreamExt as _};
use object_store::GetRange;
use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// How often reading goes on after an answer that broke off, without a byte between.
const TRIES: u32 = 6;
/// The first wait; it doubles each time.
const WAIT: Duration = Duration::from_millis(100);

/// A body up to this size is read at once, in bytes.
const AT_ONCE: u64 = 1 << 20;

/// How the reading of an object ended; shared with its [`Reader`], which may be deep in a decoder.
#[derive(Debug, Clone, Default)]
pub struct ReadEnd(Arc<Mutex<Ended>>);

#[derive(Debug, Default)]
struct Ended {
    whole: Option<(u64, String)>,
    error: Option<Error>,
}

impl ReadEnd {
    /// The number of bytes, and the SHA-256 digest of them in hexadecimal, if the object was read
    /// to its end.
    pub fn whole(&self) -> Option<(u64, String)> {
        self.0.lock().ok()?.whole.clone()
    }

    /// Why the object could not be read to its end, if that was its own fault.
    pub fn take_error(&self) -> Option<Error> {
        self.0.lock().ok()?.error.take()
    }

    fn set(&self, ended: Ended) {
        if let Ok(mut mine) = self.0.lock() {
            *mine = ended;
        }
    }
}

/// The bytes of an object, as they are stored. See [`BlockingStore::read`].
pub struct Reader {
    store: BlockingStore,
    meta: ObjectMeta,
    /// Whether it must be as long as it was listed.
    as_listed: bool,
    body: ReadBody,
    digest: aws_lc_rs::digest::Context,
    at: u64,
    counter: Arc<AtomicU64>,
    outcome: ReadEnd,
    done: bool,
}

enum ReadBody {
    File(File),
    Bucket {
        stream: Option<BoxStream<'static, object_store::Result<Bytes>>>,
        piece: Bytes,
        tries: u32,
        /// The object's length as its first answer declared it. A listing may say another.
        length: Option<u64>,
    },
}

impl BlockingStore {
    /// Opens an object for reading: the version that was found, or none.
    ///
    /// An answer that breaks off is continued behind its last byte. Its length is the one that the answer declares,
    /// whatever was listed: it is read to its end, or it fails. `counter` grows by the bytes
    /// read. How it ended is in `outcome` later: an object that changes meanwhile fails with
    /// [`ErrorKind::Changed`].
    ///
    /// # Errors
    /// If a file can't be opened, or is another one by now. A bucket is asked at the first read.
    pub fn read(
        &self,
        meta: &ObjectMeta,
        counter: Arc<AtomicU64>,
        outcome: &ReadEnd,
    ) -> Result<Reader, Error> {
        let body = match &*self.store.backend {
            Backend::Folder(folder) => ReadBody::File(folder.open(meta)?),
            Backend::Bucket(_) => {
                ReadBody::Bucket { stream: None, piece: Bytes::new(), tries: 0, length: None }
            }
        };
        Ok(self.reader(meta, body, counter, outcome))
    }

    /// Opens an object as [`read`](Self::read) does, one that must be as long as it was listed, too: any other length
    /// is that of an object that has changed.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub(in crate::store) fn read_as_listed(
        &self,
        meta: &ObjectMeta,
        counter: Arc<AtomicU64>,
        outcome: &ReadEnd,
    ) -> Result<Reader, Error> {
        Ok(Reader { as_listed: true, ..self.read(meta, counter, outcome)? })
    }
}

/// An object that is being read as a whole.
pub(in crate::store) type Fetched = Background<Option<Bytes>>;

impl BlockingStore {
    /// Begins to read an object of a bucket, the version that was found and as long as it was listed, if it has at most
    /// `most` bytes.
    pub(in crate::store) fn fetch(&self, meta: &ObjectMeta, most: u64) -> Fetched {
        let (store, meta) = (self.store.clone(), meta.clone());
        self.begin(async move {
            let Backend::Bucket(bucket) = &*store.backend else { return None };
            let got = bucket.get(&meta, None).await.ok()?;
            let size = got.meta.size;
            if size > most || size != meta.size || bucket::listed(got.meta.clone()).etag != meta.etag {
                return None;
            }
            let bytes = got.bytes().await.ok()?;
            (bytes.len() as u64 == size).then_some(bytes)
        })
    }

    /// Waits for the bytes of an object; nothing if they could not be read at once.
    pub(in crate::store) fn fetched(&self, fetched: Fetched) -> Option<Bytes> {
        self.wait_for(fetched, true).ok()?
    }

    /// Opens an object whose bytes were fetched.
    pub(in crate::store) fn read_fetched(
        &self,
        meta: &ObjectMeta,
        bytes: Bytes,
        counter: Arc<AtomicU64>,
        outcome: &ReadEnd,
    ) -> Reader {
        let (length, stream) = (Some(bytes.len() as u64), Some(futures_util::stream::empty().boxed()));
        let body = ReadBody::Bucket { stream, piece: bytes, tries: 0, length };
        self.reader(meta, body, counter, outcome)
    }

    fn reader(
        &self,
        meta: &ObjectMeta,
        body: ReadBody,
        counter: Arc<AtomicU64>,
        outcome: &ReadEnd,
    ) -> Reader {
        Reader {
            store: self.clone(),
            meta: meta.clone(),
            as_listed: false,
            body,
            digest: aws_lc_rs::digest::Context::new(&aws_lc_rs::digest::SHA256),
            at: 0,
            counter,
            outcome: outcome.clone(),
            done: false,
        }
    }
}

impl Read for Reader {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.done || out.is_empty() {
            return Ok(0);
        }
        if self.store.access.stop.load(Ordering::Relaxed) {
            return Err(stopped());
        }
        let read = match &mut self.body {
            // What it has beyond that it has since it was found: the look at the end notices.
            ReadBody::File(_) if self.at > 0 && self.at == self.meta.size => Ok(0),
            ReadBody::File(file) => match file.read(out) {
                Ok(read) => Ok(read),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => return Err(error),
                Err(error) => {
                    Err(Error::io(Object::Named(self.store.name(&self.meta.key)), Doing::Read, error))
                }
            },
            ReadBody::Bucket { .. } => self.piece(out)?,
        };
        let read = read.and_then(|read| if read == 0 { self.end().map(|()| 0) } else { Ok(read) });
        match read {
            Ok(read) => {
                self.digest.update(&out[..read]);
                self.at += read as u64;
                self.counter.fetch_add(read as u64, Ordering::Relaxed);
                Ok(read)
            }
            Err(error) => {
                let shown = error.why();
                self.outcome.set(Ended { whole: None, error: Some(error) });
                Err(io::Error::other(shown))
            }
        }
    }
}

impl Reader {
    /// The next bytes of a bucket's answer; a stop is an error of its own.
    fn piece(&mut self, out: &mut [u8]) -> io::Result<Result<usize, Error>> {
        let ReadBody::Bucket { stream, piece, tries, length } = &mut self.body else { return Ok(Ok(0)) };
        let listed = self.as_listed.then_some(self.meta.size);
        let (store, meta) = (&self.store, &self.meta);
        let Backend::Bucket(bucket) = &*store.store.backend else { return Ok(Ok(0)) };
        while piece.is_empty() {
            let failed = match stream {
                None => {
                    let asked = store.begin(answer(store.store.clone(), meta.clone(), self.at));
                    match store.wait_for(asked, true)? {
                        Ok(got) if got.etag != meta.etag || listed.is_some_and(|it| it != got.size) => {
                            return Ok(Err(Error::changed(&store.name(&meta.key))));
                        }
                        Ok(got) if got.start != self.at || length.is_some_and(|it| it != got.size) => {
                            let (start, size, at) = (got.start, got.size, self.at);
                            let why = format!(
                                "byte {at} was asked for, and the answer begins at {start} of {size}"
                            );
                            let named = Object::Named(store.name(&meta.key));
                            Some(Error::new(named, Doing::Read, ErrorKind::Service, why))
                        }
                        Ok(got) => {
                            *length = Some(got.size);
                            *stream = Some(got.pieces);
                            None
                        }
                        Err(error) => {
                            let error = bucket.failed(&meta.key, Doing::Read, &error);
                            if error.kind() != ErrorKind::Service {
                                return Ok(Err(error));
                            }
                            Some(error)
                        }
                    }
                }
                Some(body) => match next(store, body)? {
                    Some(Ok(bytes)) => {
                        *piece = bytes;
                        *tries = 0;
                        None
                    }
                    Some(Err(_)) if *length == Some(self.at) => return Ok(Ok(0)),
                    Some(Err(error)) => Some(bucket.failed(&meta.key, Doing::Read, &error)),
                    None if *length == Some(self.at) => return Ok(Ok(0)),
                    None => {
                        let declared = length.unwrap_or_default();
                        let why = format!("the answer ended after {} of {declared} bytes", self.at);
                        let named = Object::Named(store.name(&meta.key));
                        let error = Error::new(named, Doing::Read, ErrorKind::Service, why);
                        if self.at > declared {
                            return Ok(Err(error));
                        }
                        Some(error)
                    }
                },
            };
            if let Some(error) = failed {
                *stream = None;
                *tries += 1;
                if *tries >= TRIES {
                    return Ok(Err(error));
                }
                let pause = WAIT * (1 << *tries);
                store.wait(async { tokio::time::sleep(pause).await })?;
            }
        }
        let read = out.len().min(piece.len());
        piece.copy_to_slice(&mut out[..read]);
        Ok(Ok(read))
    }

    /// At the end: whether it was the same object all the way.
    fn end(&mut self) -> Result<(), Error> {
        self.done = true;
        if let (ReadBody::File(file), Backend::Folder(folder)) = (&self.body, &*self.store.store.backend) {
            folder.still(&self.meta, file)?;
        }
        let digest =
            std::mem::replace(&mut self.digest, aws_lc_rs::digest::Context::new(&aws_lc_rs::digest::SHA256));
        self.outcome
            .set(Ended { whole: Some((self.at, crate::text::hex(digest.finish().as_ref()))), error: None });
        Ok(())
    }
}

/// How an answer begins, and what comes of its body.
struct Answer {
    etag: String,
    start: u64,
    /// Of the whole object.
    size: u64,
    pieces: BoxStream<'static, object_store::Result<Bytes>>,
}

/// Asks for one version of an object from a byte on. A small body is read at once, up to where it may break off.
async fn answer(store: Store, meta: ObjectMeta, at: u64) -> object_store::Result<Answer> {
    let Backend::Bucket(bucket) = &*store.backend else {
        return Err(object_store::Error::NotImplemented {
            operation: "get".into(),
            implementer: "a folder".into(),
        });
    };
    let got = bucket.get(&meta, (at > 0).then_some(GetRange::Offset(at))).await?;
    let (start, size) = (got.range.start, got.meta.size);
    let is_small = got.range.end.saturating_sub(start) <= AT_ONCE;
    let etag = bucket::listed(got.meta.clone()).etag;
    let mut pieces = got.into_stream();
    if is_small {
        let mut all = Vec::new();
        while let Some(piece) = pieces.next().await {
            let failed = piece.is_err();
            all.push(piece);
            if failed {
                break;
            }
        }
        pieces = futures_util::stream::iter(all).boxed();
    }
    Ok(Answer { etag, start, size, pieces })
}

/// The next piece of a body, which may be there already.
fn next(
    store: &BlockingStore,
    pieces: &mut BoxStream<'static, object_store::Result<Bytes>>,
) -> io::Result<Option<object_store::Result<Bytes>>> {
    // A body's time-out is one of the runtime's.
    let ready = {
        let _runtime = store.access.runtime.enter();
        pieces.next().now_or_never()
    };
    ready.map_or_else(|| store.wait(pieces.next()), Ok)
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader").field("meta", &self.meta).field("at", &self.at).finish_non_exhaustive()
    }
}

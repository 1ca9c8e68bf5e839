//! Reads one version of an object from its first byte to its last, whatever happens on the way.

use super::store::BlockingStore;
use crate::store::error::{Doing, Error, ErrorKind, Object};
use crate::store::objects::bucket::{self, Bucket};
use crate::store::objects::object::ObjectMeta;
use crate::store::objects::store::Backend;
use crate::store::stop::stopped;
use bytes::{Buf as _, Bytes};
use futures_util::StreamExt as _;
use futures_util::stream::BoxStream;
use object_store::GetRange;
use std::collections::VecDeque;
use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::task::JoinHandle;

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
        stream: Option<Pieces>,
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

/// An object that is being read as a whole, in the background. Dropped, it is given up.
#[derive(Debug)]
pub(in crate::store) struct Fetched(JoinHandle<Option<Bytes>>);

impl Drop for Fetched {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl BlockingStore {
    /// Begins to read an object of a bucket, the version that was found and as long as it was listed, if it has at most
    /// `most` bytes.
    pub(in crate::store) fn fetch(&self, meta: &ObjectMeta, most: u64) -> Fetched {
        let (store, meta) = (self.store.clone(), meta.clone());
        Fetched(self.access.runtime.spawn(async move {
            let Backend::Bucket(bucket) = &*store.backend else { return None };
            let got = bucket.get(&meta, None).await.ok()?;
            let size = got.meta.size;
            if size > most || size != meta.size || bucket::listed(got.meta.clone()).etag != meta.etag {
                return None;
            }
            let bytes = got.bytes().await.ok()?;
            (bytes.len() as u64 == size).then_some(bytes)
        }))
    }

    /// Waits for the bytes of an object; nothing if they could not be read at once.
    pub(in crate::store) fn fetched(&self, mut fetched: Fetched) -> Option<Bytes> {
        self.wait(&mut fetched.0).ok()?.ok()?
    }

    /// Opens an object whose bytes were fetched.
    pub(in crate::store) fn read_fetched(
        &self,
        meta: &ObjectMeta,
        bytes: Bytes,
        counter: Arc<AtomicU64>,
        outcome: &ReadEnd,
    ) -> Reader {
        let (length, stream) = (Some(bytes.len() as u64), Some(Pieces::There(VecDeque::new())));
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
                None => match answer(store, bucket, meta, self.at)? {
                    Ok(got) if got.etag != meta.etag || listed.is_some_and(|it| it != got.size) => {
                        return Ok(Err(Error::changed(&store.name(&meta.key))));
                    }
                    Ok(got) if got.start != self.at || length.is_some_and(|it| it != got.size) => {
                        let (start, size, at) = (got.start, got.size, self.at);
                        let why =
                            format!("byte {at} was asked for, and the answer begins at {start} of {size}");
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
                },
                Some(body) => match body.next(store)? {
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

/// How an answer begins, and its body.
struct Answer {
    etag: String,
    start: u64,
    /// Of the whole object.
    size: u64,
    pieces: Pieces,
}

/// A body.
enum Pieces {
    /// All of it that came.
    There(VecDeque<object_store::Result<Bytes>>),
    Coming(BoxStream<'static, object_store::Result<Bytes>>),
}

/// Asks for one version of an object from a byte on. A small body is read at once, as far as it comes.
fn answer(
    store: &BlockingStore,
    bucket: &Bucket,
    meta: &ObjectMeta,
    at: u64,
) -> io::Result<object_store::Result<Answer>> {
    let ask = |most| async move {
        let got = bucket.get(meta, (at > 0).then_some(GetRange::Offset(at))).await?;
        let (etag, start, size) = (bucket::listed(got.meta.clone()).etag, got.range.start, got.meta.size);
        let mut left = got.range.end.saturating_sub(start);
        let is_small = left <= most;
        let mut body = got.into_stream();
        if !is_small {
            return Ok(Answer { etag, start, size, pieces: Pieces::Coming(body) });
        }
        let mut all = VecDeque::new();
        while let Some(piece) = body.next().await {
            let length = piece.as_ref().map(|piece| piece.len() as u64).ok();
            all.push_back(piece);
            // Nothing comes behind an error, and what is longer than it declares is refused later.
            match length.and_then(|length| left.checked_sub(length)) {
                Some(rest) => left = rest,
                None => break,
            }
        }
        Ok(Answer { etag, start, size, pieces: Pieces::There(all) })
    };
    if meta.size <= AT_ONCE {
        let asked = store.ask_until_stop(&meta.key, ask(AT_ONCE))?;
        // What is larger than it was listed can't come over a connection that only this thread drives.
        if !matches!(asked, Ok(Answer { pieces: Pieces::Coming(_), .. })) {
            return Ok(asked);
        }
    }
    store.wait(ask(0))
}

impl Pieces {
    fn next(&mut self, store: &BlockingStore) -> io::Result<Option<object_store::Result<Bytes>>> {
        match self {
            Pieces::There(pieces) => Ok(pieces.pop_front()),
            Pieces::Coming(pieces) => store.wait(pieces.next()),
        }
    }
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader").field("meta", &self.meta).field("at", &self.at).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::objects::Access;
    use std::io::Write as _;

    #[test]
    fn a_file_that_grows_while_it_is_read_has_changed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        std::fs::write(&path, b"one\n").unwrap();
        let access = Access::new(false, Arc::default()).unwrap();
        let (store, _) = BlockingStore::open(folder.path().to_str().unwrap(), &access).unwrap();
        let found = store.head("log").unwrap().unwrap();
        let read = |then: &dyn Fn()| {
            let outcome = ReadEnd::default();
            let mut reader = store.read(&found, Arc::default(), &outcome).unwrap();
            let mut text = vec![0; 4];
            reader.read_exact(&mut text).unwrap();
            then();
            let ended = reader.read(&mut [0; 9]);
            (text, ended.map_err(drop), outcome)
        };
        let (text, ended, outcome) = read(&|| {});
        assert_eq!(
            (&text[..], ended, outcome.whole().map(|(size, _)| size)),
            (&b"one\n"[..], Ok(0), Some(4))
        );
        let append = || File::options().append(true).open(&path).unwrap().write_all(b"two\n").unwrap();
        let (_, ended, outcome) = read(&append);
        assert_eq!((ended, outcome.whole()), (Err(()), None));
        assert_eq!(outcome.take_error().unwrap().kind(), ErrorKind::Changed);
    }
}

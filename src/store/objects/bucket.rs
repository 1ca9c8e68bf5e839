//! Objects in a bucket, by the object_store crate: what its conditional writes leave open is settled here.

use super::order::Order;
use super::{Created, Deleted, MOST_BYTES, Object, ObjectMeta, Replaced, Version};
use crate::store::error::{Doing, Error, ErrorKind, Object as Named};
use crate::store::service::{ONLY_IF, OnlyIf, Parts, decode_key, encode_key, is_no_bucket, translated};
use crate::text::shown;
use bytes::Bytes;
use futures_util::stream::{BoxStream, StreamExt as _};
use object_store::path::Path;
use object_store::{
    GetOptions, GetRange, GetResult, ObjectStore, ObjectStoreExt as _, PutMode, PutOptions, PutPayload,
    UpdateVersion,
};
use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

/// How often a conditional write is tried whose outcome is not known.
const TRIES: u32 = 5;
/// How long to wait before looking again.
const PAUSE: Duration = Duration::from_millis(200);
/// The ETag of an object without bytes: MD5 of nothing.
pub(super) const OF_NOTHING: &str = "d41d8cd98f00b204e9800998ecf8427e";

/// A bucket of an object store.
#[derive(Debug)]
pub(super) struct Bucket {
    pub(super) store: Arc<dyn ObjectStore>,
    /// `s3://bucket`, for messages.
    root: String,
    pub(super) parts: Parts,
}

impl Bucket {
    pub(super) fn new(store: Arc<dyn ObjectStore>, root: &str, parts: Parts) -> Bucket {
        Bucket { store, root: root.to_owned(), parts }
    }

    pub(super) fn root(&self) -> &str {
        &self.root
    }

    pub(super) async fn head(&self, key: &str) -> Result<Option<ObjectMeta>, Error> {
        match self.store.head(&self.path(key, Doing::Read)?).await {
            Ok(meta) => Ok(Some(listed(meta))),
            Err(error) => match self.failed(key, Doing::Read, &error) {
                error if error.kind() == ErrorKind::NotFound => Ok(None),
                error => Err(error),
            },
        }
    }

    /// Asks for one version of an object, from a byte on or a part of it.
    pub(super) async fn get(
        &self,
        meta: &ObjectMeta,
        range: Option<GetRange>,
    ) -> Result<GetResult, object_store::Error> {
        let if_match = meta.etag.starts_with('"').then(|| meta.etag.clone());
        let options = GetOptions { range, if_match, ..GetOptions::default() };
        self.store.get_opts(&Path::parse(encode_key(&meta.key))?, options).await
    }

    pub(super) async fn read_end(&self, meta: &ObjectMeta, last: bool, most: u64) -> Result<Bytes, Error> {
        // Not by the listing's size: an object has the size that it is given with.
        let range = if last { GetRange::Suffix(most) } else { GetRange::Bounded(0..most) };
        let got = async {
            let got = match self.get(meta, Some(range)).await {
                // Azure has no ranges from the end; the ETag vouches for the size.
                Err(object_store::Error::NotSupported { .. }) if last => {
                    let range = GetRange::Bounded(meta.size.saturating_sub(most)..meta.size);
                    self.get(meta, Some(range)).await?
                }
                got => got?,
            };
            got.bytes().await
        };
        got.await.map_err(|error| self.failed(&meta.key, Doing::Read, &error))
    }

    pub(super) async fn read(&self, key: &str, most: u64) -> Result<Option<Object>, Error> {
        self.look(key, most).await.map_err(|error| self.failed(key, Doing::Read, &error))
    }

    async fn look(&self, key: &str, most: u64) -> Result<Option<Object>, object_store::Error> {
        let got = match self.store.get(&Path::parse(encode_key(key))?).await {
            Ok(got) => got,
            // Also for a bucket that is not there: `failed` tells the two apart.
            Err(error @ object_store::Error::NotFound { .. }) if !is_no_bucket(&error) => return Ok(None),
            Err(error) => return Err(error),
        };
        let version = Version { tag: got.meta.e_tag.clone(), generation: got.meta.version.clone() };
        if got.meta.size > most {
            let source = format!("it has {} bytes, expected at most {most}", got.meta.size).into();
            return Err(object_store::Error::Generic { store: "objects", source });
        }
        Ok(Some(Object { bytes: got.bytes().await?, version }))
    }

    async fn put(&self, key: &str, bytes: Bytes, mode: PutMode) -> Result<Version, object_store::Error> {
        let options = PutOptions { mode, ..PutOptions::default() };
        let path = Path::parse(encode_key(key))?;
        let put = self.store.put_opts(&path, PutPayload::from_bytes(bytes), options).await?;
        Ok(Version { tag: put.e_tag, generation: put.version })
    }

    pub(super) async fn create(&self, key: &str, bytes: Bytes) -> Result<Created, Error> {
        let mut tries = 0;
        loop {
            let error = match self.put(key, bytes.clone(), PutMode::Create).await {
                Ok(version) => return Ok(Created::New(version)),
                Err(error) => error,
            };
            tries += 1;
            // Whatever it says: it may have been written by an attempt whose answer was lost. S3
            // also says "conflict" while another writer is at it, with nothing there yet.
            match self.look(key, MOST_BYTES).await {
                Ok(Some(object)) => return Ok(Created::Exists(object)),
                Ok(None) if is_open(&error) && tries < TRIES => tokio::time::sleep(PAUSE * tries).await,
                _ => return Err(self.failed(key, Doing::Write, &error)),
            }
        }
    }

    pub(super) async fn replace(&self, key: &str, bytes: Bytes, was: &Version) -> Result<Replaced, Error> {
        let mut tries = 0;
        loop {
            let update = UpdateVersion { e_tag: was.tag.clone(), version: was.generation.clone() };
            let error = match self.put(key, bytes.clone(), PutMode::Update(update)).await {
                Ok(version) => return Ok(Replaced::Done(version)),
                Err(error) => error,
            };
            tries += 1;
            match self.look(key, MOST_BYTES).await {
                Ok(Some(object)) if object.bytes == bytes => return Ok(Replaced::Done(object.version)),
                Ok(Some(object)) if object.version != *was => return Ok(Replaced::Changed),
                Ok(None) => return Ok(Replaced::Changed),
                Ok(Some(_)) if is_open(&error) && tries < TRIES => tokio::time::sleep(PAUSE * tries).await,
                _ => return Err(self.failed(key, Doing::Write, &error)),
            }
        }
    }

    pub(super) async fn remove(&self, key: &str) -> Result<(), Error> {
        let path = self.path(key, Doing::Remove)?;
        self.store.delete(&path).await.map_err(|error| self.failed(key, Doing::Remove, &error))
    }

    /// Removes an object if it has this ETag. The service is told so.
    pub(super) async fn delete(&self, key: &str, etag: &str) -> Result<Deleted, Error> {
        let path = self.path(key, Doing::Remove)?;
        let result = async {
            let now = self.store.head(&path).await?;
            let generation = now.version.clone();
            if listed(now).etag != etag {
                return Ok(Deleted::Changed);
            }
            let only_if = OnlyIf { etag: etag.to_owned(), generation };
            ONLY_IF.scope(only_if, async { self.store.delete(&path).await }).await?;
            Ok(Deleted::Done)
        };
        let failed = |error| match self.failed(key, Doing::Remove, &error) {
            error if error.kind() == ErrorKind::Changed => Ok(Deleted::Changed),
            error if error.kind() == ErrorKind::NotFound => Ok(Deleted::Gone),
            error => Err(error),
        };
        result.await.or_else(failed)
    }

    /// What is there, objects that stand for folders among it.
    pub(super) fn list(&self, prefix: &str) -> BoxStream<'static, Result<ObjectMeta, Error>> {
        let (root, wanted) = (self.root.clone(), prefix.to_owned());
        let failed = move |why: String| {
            let named = Named::Named(format!("{root}/{wanted}"));
            Err(Error::new(named, Doing::List, ErrorKind::Service, why))
        };
        let path = match Path::parse(asked_for(prefix)) {
            Ok(path) => path,
            Err(error) => return futures_util::stream::iter([failed(error.to_string())]).boxed(),
        };
        let mut order = Order::new(self.lists_in_no_order());
        let (root, wanted) = (self.root.clone(), prefix.to_owned());
        let stream = self.store.list(if path.as_ref().is_empty() { None } else { Some(&path) });
        let mut ended = false;
        let listed = stream.map(move |item| match item.map(listed) {
            Ok(meta) if !meta.key.starts_with(asked_for(&wanted)) => {
                Some(failed(format!("`{}` does not begin with what was asked for", shown(&meta.key))))
            }
            Ok(meta) if !meta.key.starts_with(&wanted) => None,
            Ok(meta) => match order.next(&meta.key) {
                Ok(true) => Some(Ok(meta)),
                Ok(false) => None,
                Err(why) => Some(failed(why)),
            },
            Err(error) => Some(Err(translated(format!("{root}/{wanted}"), Doing::List, &error))),
        });
        // After an error there is nothing more to be had.
        let listed = listed.take_while(move |item| {
            let goes_on = !ended;
            ended |= matches!(item, Some(Err(_)));
            std::future::ready(goes_on)
        });
        listed.filter_map(std::future::ready).boxed()
    }

    /// Whether it is a directory bucket (S3 Express): those list in no order.
    fn lists_in_no_order(&self) -> bool {
        self.root.ends_with("--x-s3")
    }

    pub(super) fn path(&self, key: &str, doing: Doing) -> Result<Path, Error> {
        Path::parse(encode_key(key)).map_err(|error| self.failed(key, doing, &error.into()))
    }

    /// A service's error about an object, in this room's words.
    pub(super) fn failed(&self, key: &str, doing: Doing, error: &object_store::Error) -> Error {
        translated(format!("{}/{key}", self.root), doing, error)
    }
}

/// An object as the crate lists it or gives it.
pub(super) fn listed(meta: object_store::ObjectMeta) -> ObjectMeta {
    let etag = match meta.e_tag {
        Some(tag) if tag.starts_with("W/") => tag,
        // Azure lists them without quotes, and gives them with quotes.
        Some(tag) => format!("\"{}\"", tag.trim_matches('"')),
        // A service without ETags: what else tells versions apart.
        None => format!("{:x}-{:x}", meta.size, meta.last_modified.timestamp_micros()),
    };
    let key = decode_key(meta.location.as_ref()).into_owned();
    ObjectMeta { key, size: meta.size, etag, modified: meta.last_modified }
}

/// What is asked for to list `prefix`: what of it the object_store crate has a path for. The rest is looked for here.
fn asked_for(prefix: &str) -> &str {
    let mut end = 0;
    for (at, _) in prefix.match_indices('/') {
        if !matches!(encode_key(&prefix[..at]), Cow::Borrowed(_)) {
            break;
        }
        end = at;
    }
    &prefix[..end]
}

/// Whether it may go better at the next try: the request was in conflict with another one, or the
/// service did not answer or answered with a fault of its own.
fn is_open(error: &object_store::Error) -> bool {
    use object_store::Error::{
        AlreadyExists, Generic, InvalidPath, NotFound, NotImplemented, NotModified, NotSupported,
        PermissionDenied, Precondition, Unauthenticated, UnknownConfigurationKey,
    };
    match error {
        AlreadyExists { .. } | Precondition { .. } | NotModified { .. } | Generic { .. } => true,
        NotFound { .. } | InvalidPath { .. } | NotImplemented { .. } | NotSupported { .. } => false,
        PermissionDenied { .. } | Unauthenticated { .. } | UnknownConfigurationKey { .. } => false,
        _ => true,
    }
}

#[cfg(test)]
mod tests;

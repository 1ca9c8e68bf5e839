//! Objects in a bucket, by the object_store crate: what its conditional writes leave open is settled here.

use super::answer::{is_no_bucket, translated};
use super::{Created, MOST_BYTES, Object, Objects, Replaced, Version};
use crate::store::error::{Doing, Error};
use async_trait::async_trait;
use bytes::Bytes;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt as _, PutMode, PutOptions, PutPayload, UpdateVersion};
use std::sync::Arc;
use std::time::Duration;

/// How often a conditional write is tried whose outcome is not known.
const TRIES: u32 = 5;
/// How long to wait before looking again.
const PAUSE: Duration = Duration::from_millis(200);

/// A bucket of an object store.
#[derive(Debug, Clone)]
pub struct Bucket {
    store: Arc<dyn ObjectStore>,
    /// `s3://bucket`, for messages.
    url: String,
}

impl Bucket {
    /// The bucket that `store` reaches, called `url` in messages (`s3://bucket`).
    pub fn new(store: Arc<dyn ObjectStore>, url: impl Into<String>) -> Bucket {
        Bucket { store, url: url.into() }
    }

    async fn look(&self, key: &str, most: u64) -> Result<Option<Object>, object_store::Error> {
        let got = match self.store.get(&Path::parse(key)?).await {
            Ok(got) => got,
            // Also for a bucket that is not there: `error` tells the two apart.
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
        let put = self.store.put_opts(&Path::parse(key)?, PutPayload::from_bytes(bytes), options).await?;
        Ok(Version { tag: put.e_tag, generation: put.version })
    }

    fn error(&self, key: &str, doing: Doing, error: &object_store::Error) -> Error {
        translated(self.name(key), doing, error)
    }
}

#[async_trait]
impl Objects for Bucket {
    async fn read(&self, key: &str, most: u64) -> Result<Option<Object>, Error> {
        self.look(key, most).await.map_err(|error| self.error(key, Doing::Read, &error))
    }

    async fn create(&self, key: &str, bytes: Bytes) -> Result<Created, Error> {
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
                _ => return Err(self.error(key, Doing::Write, &error)),
            }
        }
    }

    async fn replace(&self, key: &str, bytes: Bytes, was: &Version) -> Result<Replaced, Error> {
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
                _ => return Err(self.error(key, Doing::Write, &error)),
            }
        }
    }

    async fn remove(&self, key: &str) -> Result<(), Error> {
        let path = Path::parse(key).map_err(|error| self.error(key, Doing::Remove, &error.into()))?;
        match self.store.delete(&path).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(self.error(key, Doing::Remove, &error)),
        }
    }

    fn name(&self, key: &str) -> String {
        format!("{}/{key}", self.url)
    }
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

//! Writes an object that was not there, or finds the same bytes there already.

use super::local::{self, Pending, Placed};
use super::read::Outcome;
use super::{Depot, Found, Home};
use crate::store::error::{Doing, Error, ErrorKind, Object};
use crate::store::objects::{Created, Objects as _};
use aws_lc_rs::digest;
use bytes::Bytes;
use object_store::{ObjectStoreExt as _, WriteMultipart};
use std::fmt;
use std::io::{self, Read as _, Write};
use std::path::PathBuf;
use std::sync::Arc;
use tempfile::NamedTempFile;

/// An object up to this size is written by one request; a larger one in parts of at least this
/// size. S3's parts are 5 MiB at least.
const PART: usize = 8 << 20;
/// S3 takes 10,000 parts of an object.
const MOST_PARTS: u64 = 9_000;
/// So many parts are on their way at once.
const PARTS_AT_ONCE: usize = 2;

/// An object that stands, or will when its [`Pending`] file is settled.
#[derive(Debug)]
pub struct Stored {
    /// Its size in bytes.
    pub size: u64,
    /// The SHA-256 digest of its bytes, in hexadecimal.
    pub sha256: String,
    /// A file that waits for its name, see [`Depot::settle`].
    pub pending: Option<Pending>,
}

/// An object being written. Dropped before [`Upload::finish`], it never was.
pub struct Upload {
    depot: Depot,
    key: String,
    part: usize,
    digest: digest::Context,
    size: u64,
    body: Body,
}

enum Body {
    File(NamedTempFile),
    Memory(Vec<u8>),
    Parts(Option<WriteMultipart>),
    /// Something stands there: it is compared in the end.
    Standing,
}

impl Depot {
    /// Begins an object. `expected` is about how large it may become, in bytes: parts grow with it.
    ///
    /// # Errors
    /// If a file can't be made. A bucket is asked later.
    pub fn write(&self, key: &str, expected: u64) -> Result<Upload, Error> {
        let body = match &*self.home {
            Home::Folder { staging, .. } => {
                Body::File(staging.file().map_err(|error| self.io(key, Doing::Create, error))?)
            }
            Home::Bucket { .. } => Body::Memory(Vec::new()),
        };
        let part = PART.max(usize::try_from(expected / MOST_PARTS).unwrap_or(PART).min(512 << 20));
        let digest = digest::Context::new(&digest::SHA256);
        Ok(Upload { depot: self.clone(), key: key.to_owned(), part, digest, size: 0, body })
    }

    /// Writes a whole small object, durably.
    ///
    /// # Errors
    /// If that fails, or if another object stands there.
    pub fn put(&self, key: &str, bytes: &[u8]) -> Result<Stored, Error> {
        let mut upload = self.write(key, bytes.len() as u64)?;
        upload.write_all(bytes).map_err(|error| {
            Error::from_io(error).unwrap_or_else(|error| self.io(key, Doing::Write, error))
        })?;
        let mut stored = upload.finish()?;
        if let Some(pending) = stored.pending.take() {
            self.settle(vec![pending]).pop().unwrap_or(Ok(()))?;
        }
        Ok(stored)
    }

    /// Gives files their names, in the order given, and makes that last. To be called before
    /// anything is written elsewhere that relies on them.
    pub fn settle(&self, pending: Vec<Pending>) -> Vec<Result<(), Error>> {
        let Home::Folder { path, .. } = &*self.home else { return Vec::new() };
        if pending.is_empty() {
            return Vec::new();
        }
        if let Err(error) = local::sync_all(path, &pending) {
            let text = error.to_string();
            let all = pending.iter();
            return all
                .map(|it| Err(self.io(&it.key, Doing::Write, io::Error::other(text.clone()))))
                .collect();
        }
        let paths: Vec<PathBuf> = pending.iter().map(|it| it.to.clone()).collect();
        let results = pending
            .into_iter()
            .map(|pending| {
                let key = pending.key.clone();
                match local::place(pending) {
                    Ok(Placed::New | Placed::Same) => Ok(()),
                    Ok(Placed::Other) => Err(self.taken(&key)),
                    Err(error) => Err(self.io(&key, Doing::Rename, error)),
                }
            })
            .collect();
        local::sync_folders(&paths);
        results
    }

    /// The size and digest of what stands under a key.
    ///
    /// # Errors
    /// If it can't be read, or is not there.
    pub fn digest(&self, found: &Found) -> Result<(u64, String), Error> {
        let outcome = Outcome::default();
        let mut reader = self.read(found, Arc::default(), &outcome)?;
        let mut buffer = vec![0; 1 << 18];
        loop {
            match reader.read(&mut buffer) {
                Ok(0) => break,
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    let error =
                        outcome.take_error().unwrap_or_else(|| self.io(&found.key, Doing::Read, error));
                    return Err(error);
                }
            }
        }
        Ok(outcome.whole().unwrap_or_default())
    }

    fn taken(&self, key: &str) -> Error {
        let why = "another object stands there";
        Error::new(Object::Named(self.name(key)), Doing::Write, ErrorKind::Taken, why)
    }
}

impl Upload {
    /// The key that it will stand under.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Puts the object in its place, or makes sure that the same one stands there.
    ///
    /// # Errors
    /// If that fails, or if another object stands there.
    pub fn finish(mut self) -> Result<Stored, Error> {
        let digest = std::mem::replace(&mut self.digest, digest::Context::new(&digest::SHA256));
        let sha256 = crate::text::hex(digest.finish().as_ref());
        let size = self.size;
        let stored = |pending| Stored { size, sha256: sha256.clone(), pending };
        let depot = self.depot.clone();
        let body = std::mem::replace(&mut self.body, Body::Standing);
        match (body, &*depot.home) {
            (Body::File(file), Home::Folder { path, .. }) => {
                let pending =
                    Pending { file: file.into_temp_path(), to: path.join(&self.key), key: self.key.clone() };
                return Ok(stored(Some(pending)));
            }
            (Body::Memory(bytes), Home::Bucket { bucket, .. }) => {
                let bytes = Bytes::from(bytes);
                let path = depot.path(&self.key, Doing::Write)?;
                return match depot.access.runtime.block_on(bucket.create(path.as_ref(), bytes.clone()))? {
                    Created::New(_) => Ok(stored(None)),
                    Created::Exists(object) if object.bytes == bytes => Ok(stored(None)),
                    Created::Exists(_) => Err(depot.taken(&self.key)),
                };
            }
            (Body::Parts(Some(parts)), _) => {
                // A failure to abort does not matter: the parts are nothing that can be seen.
                let error = match depot.access.runtime.block_on(parts.finish()) {
                    Ok(_) => return Ok(stored(None)),
                    Err(error) => error,
                };
                // Another run was first, or the answer was lost: what stands there decides.
                if depot.look(&self.key)?.is_none() {
                    return Err(depot.failed(&self.key, Doing::Write, &error));
                }
            }
            _ => {}
        }
        match depot.look(&self.key)? {
            Some(found) if found.size == size && depot.digest(&found)?.1 == sha256 => Ok(stored(None)),
            _ => Err(depot.taken(&self.key)),
        }
    }

    /// What was in memory is too much for one request.
    fn begin_parts(&mut self, bytes: Vec<u8>) -> Result<Body, Error> {
        let Home::Bucket { store, .. } = &*self.depot.home else { return Ok(Body::Memory(bytes)) };
        if self.depot.look(&self.key)?.is_some() {
            return Ok(Body::Standing);
        }
        let path = self.depot.path(&self.key, Doing::Write)?;
        let begun = self.depot.access.runtime.block_on(store.put_multipart(&path));
        let upload = begun.map_err(|error| self.depot.failed(&self.key, Doing::Write, &error))?;
        let mut parts = WriteMultipart::new_with_chunk_size(upload, self.part);
        let _runtime = self.depot.access.runtime.enter();
        parts.put(bytes.into());
        Ok(Body::Parts(Some(parts)))
    }
}

impl Write for Upload {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let depot = &self.depot;
        match &mut self.body {
            Body::File(file) => {
                file.write_all(bytes).map_err(|error| depot.io(&self.key, Doing::Write, error))?;
            }
            Body::Memory(memory) => {
                memory.extend_from_slice(bytes);
                if memory.len() >= self.part {
                    let memory = std::mem::take(memory);
                    self.body = self.begin_parts(memory)?;
                }
            }
            Body::Parts(Some(parts)) => {
                depot
                    .wait(parts.wait_for_capacity(PARTS_AT_ONCE))?
                    .map_err(|error| depot.failed(&self.key, Doing::Write, &error))?;
                let _runtime = depot.access.runtime.enter();
                parts.put(Bytes::copy_from_slice(bytes));
            }
            Body::Parts(None) | Body::Standing => {}
        }
        self.digest.update(bytes);
        self.size += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        if let Body::Parts(parts) = &mut self.body
            && let Some(parts) = parts.take()
        {
            let _ = self.depot.access.runtime.block_on(parts.abort());
        }
    }
}

impl fmt::Debug for Upload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upload").field("key", &self.key).field("size", &self.size).finish_non_exhaustive()
    }
}

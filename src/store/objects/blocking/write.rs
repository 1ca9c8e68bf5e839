//! Writes an object that was not there, or finds that the same bytes are there already.

use super::read::ReadEnd;
use super::store::BlockingStore;
use crate::store::atomic::{AtomicFile, sync_folder};
use crate::store::error::{Doing, Error, ErrorKind, Object};
use crate::store::objects::object::{Created, ObjectMeta};
use crate::store::objects::parts::PartsUpload;
use crate::store::objects::staging::{self, Placed, StagedFile};
use crate::store::objects::store::Backend;
use aws_lc_rs::digest;
use bytes::Bytes;
use std::collections::BTreeSet;
use std::fmt;
use std::fs::File;
use std::io::{self, Read as _, Write};
use std::sync::Arc;

/// An object up to this size is written by one request; a larger one in parts of at least this
/// size. S3's parts are 5 MiB at least.
const PART: usize = 8 << 20;
/// S3 takes 10,000 parts of an object.
const MOST_PARTS: u64 = 9_000;

/// An object that is there, or will be when its [`StagedFile`] is committed.
#[derive(Debug)]
pub struct Stored {
    /// Its size in bytes.
    pub size: u64,
    /// The SHA-256 digest of its bytes, in hexadecimal.
    pub sha256: String,
    /// A file that waits for its name, see [`BlockingStore::commit`].
    pub staged: Option<StagedFile>,
}

/// An object being written. Dropped before [`Upload::finish`], it never was.
pub struct Upload {
    store: BlockingStore,
    key: String,
    part: usize,
    digest: digest::Context,
    size: u64,
    body: UploadBody,
}

enum UploadBody {
    File(File, AtomicFile),
    Memory(Vec<u8>),
    Parts(Box<PartsUpload>),
    /// Something is there: it is compared in the end.
    Exists,
}

impl BlockingStore {
    /// Begins an object. `expected` is about how large it may become, in bytes: parts grow with it.
    ///
    /// # Errors
    /// If a file can't be made. A bucket is asked later.
    pub fn write(&self, key: &str, expected: u64) -> Result<Upload, Error> {
        let body = match &*self.store.backend {
            Backend::Folder(folder) => {
                let to = folder.path().join(key);
                let staged = folder.staging.file(&to);
                let (file, atomic) = staged.map_err(|error| folder.failed(key, Doing::Create, error))?;
                UploadBody::File(file, atomic)
            }
            Backend::Bucket(_) => UploadBody::Memory(Vec::new()),
        };
        let part = PART.max(usize::try_from(expected / MOST_PARTS).unwrap_or(PART).min(512 << 20));
        let digest = digest::Context::new(&digest::SHA256);
        Ok(Upload { store: self.clone(), key: key.to_owned(), part, digest, size: 0, body })
    }

    /// Writes a whole small object, durably.
    ///
    /// # Errors
    /// If that fails, or if another object is there.
    pub fn put(&self, key: &str, bytes: &[u8]) -> Result<Stored, Error> {
        let mut upload = self.write(key, bytes.len() as u64)?;
        upload.write_all(bytes).map_err(|error| Error::of_writing(&self.name(key), error))?;
        let mut stored = upload.finish()?;
        if let Some(staged) = stored.staged.take() {
            self.commit(vec![staged]).pop().unwrap_or(Ok(()))?;
        }
        Ok(stored)
    }

    /// Gives files their names, in the order given, and makes that last. To be called before
    /// anything is written elsewhere that relies on them.
    pub fn commit(&self, staged: Vec<StagedFile>) -> Vec<Result<(), Error>> {
        let Backend::Folder(folder) = &*self.store.backend else { return Vec::new() };
        if staged.is_empty() {
            return Vec::new();
        }
        if let Err(error) = staging::sync_all(folder.path(), &staged) {
            let text = error.to_string();
            let failed =
                |it: &StagedFile| Err(folder.failed(&it.key, Doing::Write, io::Error::other(text.clone())));
            return staged.iter().map(failed).collect();
        }
        let mut folders = BTreeSet::new();
        let mut place = |staged: StagedFile| {
            let key = staged.key.clone();
            match staging::place(staged, &mut folders) {
                Ok(Placed::New | Placed::Same) => Ok(()),
                Ok(Placed::Other) => Err(self.taken(&key)),
                Err(error) => Err(folder.failed(&key, Doing::Rename, error)),
            }
        };
        let results = staged.into_iter().map(&mut place).collect();
        folders.iter().for_each(|folder| sync_folder(folder));
        results
    }

    /// The size and digest of what is under a key.
    ///
    /// # Errors
    /// If it can't be read, or is not there.
    pub fn digest(&self, meta: &ObjectMeta) -> Result<(u64, String), Error> {
        let outcome = ReadEnd::default();
        let mut reader = self.read(meta, Arc::default(), &outcome)?;
        let mut buffer = vec![0; 1 << 18];
        loop {
            match reader.read(&mut buffer) {
                Ok(0) => break,
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    let named = || Object::Named(self.name(&meta.key));
                    return Err(outcome
                        .take_error()
                        .unwrap_or_else(|| Error::io(named(), Doing::Read, error)));
                }
            }
        }
        Ok(outcome.whole().unwrap_or_default())
    }

    fn taken(&self, key: &str) -> Error {
        let why = "another object is there";
        Error::new(Object::Named(self.name(key)), Doing::Write, ErrorKind::Taken, why)
    }
}

impl Upload {
    /// The key that it will have.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Puts the object in its place, or makes sure that the same one is there.
    ///
    /// # Errors
    /// If that fails, or if another object is there.
    pub fn finish(mut self) -> Result<Stored, Error> {
        let digest = std::mem::replace(&mut self.digest, digest::Context::new(&digest::SHA256));
        let sha256 = crate::text::hex(digest.finish().as_ref());
        let size = self.size;
        let stored = |staged| Stored { size, sha256: sha256.clone(), staged };
        let store = self.store.clone();
        let runtime = &store.access.runtime;
        match (std::mem::replace(&mut self.body, UploadBody::Exists), &*store.store.backend) {
            (UploadBody::File(_, file), _) => {
                return Ok(stored(Some(StagedFile { file, key: self.key.clone() })));
            }
            (UploadBody::Memory(bytes), Backend::Bucket(bucket)) => {
                let bytes = Bytes::from(bytes);
                return match store.ask(&self.key, bucket.create(&self.key, bytes.clone()))? {
                    Created::New(_) => Ok(stored(None)),
                    Created::Exists(object) if object.bytes == bytes => Ok(stored(None)),
                    Created::Exists(_) => Err(store.taken(&self.key)),
                };
            }
            (UploadBody::Parts(parts), Backend::Bucket(bucket)) => {
                let error = match runtime.block_on(parts.finish()) {
                    Ok(()) => return Ok(stored(None)),
                    Err(error) => error,
                };
                // Another run was first, or the answer was lost: what is there decides.
                if store.head(&self.key)?.is_none() {
                    return Err(bucket.failed(&self.key, Doing::Write, &error));
                }
            }
            _ => {}
        }
        match store.head(&self.key)? {
            Some(found) if found.size == size && store.digest(&found)?.1 == sha256 => Ok(stored(None)),
            _ => Err(store.taken(&self.key)),
        }
    }

    /// What was in memory is too much for one request.
    fn begin_parts(&mut self, bytes: Vec<u8>) -> Result<UploadBody, Error> {
        let Backend::Bucket(bucket) = &*self.store.store.backend else {
            return Ok(UploadBody::Memory(bytes));
        };
        if self.store.head(&self.key)?.is_some() {
            return Ok(UploadBody::Exists);
        }
        let path = bucket.path(&self.key, Doing::Write)?;
        let runtime = &self.store.access.runtime;
        let begun = runtime.block_on(PartsUpload::begin(bucket, path, self.part));
        let mut parts = begun.map_err(|error| bucket.failed(&self.key, Doing::Write, &error))?;
        let _runtime = runtime.enter();
        parts.put(bytes.into());
        Ok(UploadBody::Parts(Box::new(parts)))
    }
}

impl Write for Upload {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let store = &self.store;
        match (&mut self.body, &*store.store.backend) {
            (UploadBody::File(file, _), Backend::Folder(folder)) => {
                file.write_all(bytes).map_err(|error| folder.failed(&self.key, Doing::Write, error))?;
            }
            (UploadBody::Memory(memory), _) => {
                memory.extend_from_slice(bytes);
                if memory.len() >= self.part {
                    let memory = std::mem::take(memory);
                    self.body = self.begin_parts(memory)?;
                }
            }
            (UploadBody::Parts(parts), Backend::Bucket(bucket)) => {
                let ready = store.wait(parts.ready())?;
                ready.map_err(|error| bucket.failed(&self.key, Doing::Write, &error))?;
                let _runtime = store.access.runtime.enter();
                parts.put(Bytes::copy_from_slice(bytes));
            }
            _ => {}
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
        if let UploadBody::Parts(parts) = std::mem::replace(&mut self.body, UploadBody::Exists) {
            self.store.access.runtime.block_on(parts.abort());
        }
    }
}

impl fmt::Debug for Upload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upload").field("key", &self.key).field("size", &self.size).finish_non_exhaustive()
    }
}

//! A large object, uploaded in parts: it gets its key only if there is none.

use super::bucket::Bucket;
use crate::store::service::Parts;
use bytes::Bytes;
use object_store::path::Path;
use object_store::{CopyMode, CopyOptions, ObjectStore, ObjectStoreExt as _, Result, WriteMultipart};
use std::fmt;
use std::sync::Arc;

/// So many parts are on their way at once.
const AT_ONCE: usize = 2;
/// Where parts become an object that is copied to its key. Outside of every prefix, so that no feed reads it.
const UPLOADS: &str = ".udmap-uploads";

/// An upload that has begun. It must be finished or aborted.
pub(super) struct PartsUpload {
    store: Arc<dyn ObjectStore>,
    parts: WriteMultipart,
    /// Where it is complete first, if the service can't complete it on a condition.
    first: Option<Path>,
    to: Path,
}

impl PartsUpload {
    /// Begins an upload in parts of `size` bytes.
    pub(super) async fn begin(bucket: &Bucket, to: Path, size: usize) -> Result<PartsUpload> {
        let first = match bucket.parts {
            Parts::Conditional => None,
            Parts::ThenCopied => Some(Path::from_iter([UPLOADS, &unique()])),
        };
        let upload = bucket.store.put_multipart(first.as_ref().unwrap_or(&to)).await?;
        let parts = WriteMultipart::new_with_chunk_size(upload, size);
        Ok(PartsUpload { store: Arc::clone(&bucket.store), parts, first, to })
    }

    /// Waits until more can be taken.
    ///
    /// # Errors
    /// If a part could not be uploaded.
    pub(super) async fn ready(&mut self) -> Result<()> {
        self.parts.wait_for_capacity(AT_ONCE).await
    }

    /// Takes more bytes. To be called within a runtime.
    pub(super) fn put(&mut self, bytes: Bytes) {
        self.parts.put(bytes);
    }

    /// Completes the object, if there is still none under its key.
    ///
    /// # Errors
    /// If there is one, or if it can't be completed, or if that can't be found out.
    pub(super) async fn finish(self) -> Result<()> {
        self.parts.finish().await?;
        let Some(first) = self.first else { return Ok(()) };
        let options = CopyOptions { mode: CopyMode::Create, ..CopyOptions::default() };
        let copied = self.store.copy_opts(&first, &self.to, options).await;
        // What is left is not seen by anybody who reads outputs.
        let _ = self.store.delete(&first).await;
        copied
    }

    /// Gives it up.
    pub(super) async fn abort(self) {
        // A failure does not matter: the parts are nothing that can be seen.
        let _ = self.parts.abort().await;
    }
}

impl fmt::Debug for PartsUpload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PartsUpload").field("to", &self.to).finish_non_exhaustive()
    }
}

fn unique() -> String {
    let mut random = [0; 16];
    // Without random numbers there is no TLS either.
    let _ = aws_lc_rs::rand::fill(&mut random);
    crate::text::hex(&random)
}

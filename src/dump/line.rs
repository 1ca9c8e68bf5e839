//! A line of a manifest: what an input was, and what became of it.

use serde::{Deserialize, Serialize};

/// What became of one input.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// The input's name: `s3://bucket/key`, or a file's path.
    pub input: String,
    /// Its size in bytes, as it is stored.
    pub size: u64,
    /// Its ETag; of a file, size and time of last change in hexadecimal.
    pub etag: String,
    /// The SHA-256 digest of the bytes read.
    pub sha256: String,
    /// Records in it.
    pub records: u64,
    /// Events made of them.
    pub events: u64,
    /// Records that could not be converted.
    pub rejects: u64,
    /// Where they are.
    pub outputs: Vec<Output>,
    /// The mapping's name.
    pub mapping: String,
    /// The fingerprint of the mapping and of how events are written.
    pub fingerprint: String,
    /// The version of udmap.
    pub udmap: String,
}

/// An object that holds what became of an input.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Output {
    /// What it holds.
    pub kind: Kind,
    /// Its name: `s3://bucket/key`, or a file's path.
    pub url: String,
    /// Its key in the bucket, or below the folder.
    pub key: String,
    /// Its size in bytes, as it is stored.
    pub size: u64,
    /// The SHA-256 digest of its bytes, as they are stored.
    pub sha256: String,
    /// In a packed object, where this input's part begins: bytes after decompression; in a Parquet
    /// file, rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offset: Option<u64>,
    /// The length of the part, likewise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub length: Option<u64>,
}

/// What an [`Output`] holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Events.
    Events,
    /// Rejects.
    Rejects,
}

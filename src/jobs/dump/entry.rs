//! A line of a manifest: what an input was, and its outcome.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The outcome of one input.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManifestEntry {
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
    /// Records whose time is outside of the range that was asked for: nothing came of them.
    #[serde(default, skip_serializing_if = "is_default")]
    pub outside: u64,
    /// Fields that could not be taken in events that were made all the same.
    #[serde(default, skip_serializing_if = "is_default")]
    pub bad_fields: u64,
    /// Where they are.
    pub outputs: Vec<OutputObject>,
    /// The mapping's name.
    pub mapping: String,
    /// The fingerprint of the mapping and of how events are written.
    pub fingerprint: String,
    /// The version of udmap.
    pub udmap: String,
    /// The part of the run's manifest that holds the line, from 1; 0 in manifests of versions
    /// that did not say.
    #[serde(default, skip_serializing_if = "is_default")]
    pub part: u64,
    /// Whether the input was to be deleted when this line was durable: that it is gone then is not a
    /// surprise.
    #[serde(default, skip_serializing_if = "is_default")]
    pub deletes: bool,
    /// Whether the line says that these outputs, which others had superseded, were to be removed.
    #[serde(default, skip_serializing_if = "is_default")]
    pub pruned: bool,
}

impl ManifestEntry {
    /// The identity of the outcome of this input alone: of which version, by which mapping.
    pub(super) fn identity(&self) -> String {
        super::name::id(&[&self.input, &self.etag, &self.fingerprint])
    }

    /// The object that holds its rejects, if one does.
    pub(super) fn rejects_in(&self) -> Option<&str> {
        self.outputs.iter().find(|output| output.kind == Kind::Rejects).map(|output| output.url.as_str())
    }

    /// Whether everything that is in the input is kept: rejects may not be. What is outside of the range is not, nor are
    /// the values of bad fields.
    pub(super) fn keeps_all(&self) -> bool {
        self.outside == 0 && self.bad_fields == 0 && (self.rejects == 0 || self.rejects_in().is_some())
    }
}

/// How a part of a manifest ends: in its last line, so that what is missing can be noticed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct End {
    /// The number of the part, from 1.
    pub part: u64,
    /// Lines about inputs in the part.
    pub lines: u64,
    /// The SHA-256 digest of the part's bytes before this.
    pub sha256: String,
    /// Whether it is the run's last part.
    pub last: bool,
    /// One more than the highest of all manifests that the run saw when it began: a run that has
    /// seen another has a higher one, whatever clocks say. 0 if it saw none of them.
    #[serde(default, skip_serializing_if = "is_default")]
    pub round: u64,
    /// Where the run's outputs go.
    #[serde(default, skip_serializing_if = "is_default")]
    pub output: String,
    /// Where its rejects go, if they are kept.
    #[serde(default, skip_serializing_if = "is_default")]
    pub rejects: Option<String>,
    /// Its inputs that lie where its outputs go.
    #[serde(default, skip_serializing_if = "is_default")]
    pub inputs: Vec<String>,
    /// Earlier runs that did not come to their ends, each with the parts that it has.
    #[serde(default, skip_serializing_if = "is_default")]
    pub interrupted: BTreeMap<String, u64>,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// An object that holds events or rejects of an input.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutputObject {
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

/// What an [`OutputObject`] holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Events.
    Events,
    /// Rejects.
    Rejects,
    /// Where the records of events came from that were rejects before.
    Sources,
}

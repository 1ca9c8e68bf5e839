//! Objects as they are found and read, and the outcome of a write.

use bytes::Bytes;
use chrono::{DateTime, Utc};

/// The largest object that is read where an object is created, in bytes: twice the largest answer of Duo's.
pub(super) const MOST_BYTES: u64 = 512 << 20;

/// An object as it was listed or looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectMeta {
    /// Its key below the store's root.
    pub key: String,
    /// Its size in bytes, as it is stored.
    pub size: u64,
    /// Which version of it this is: the service's ETag; of a file, size and time of its last
    /// change, to the nanosecond.
    pub etag: String,
    /// When it was last changed.
    pub modified: DateTime<Utc>,
}

/// Which version of an object was read: what [`Store::replace`](super::Store::replace) compares.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Version {
    pub(super) tag: Option<String>,
    pub(super) generation: Option<String>,
}

impl Version {
    /// A version that no object has.
    pub fn never() -> Version {
        Version { tag: Some("\"never\"".into()), generation: Some("1".into()) }
    }
}

/// An object that was read.
#[derive(Debug, Clone)]
pub struct Object {
    /// Its content.
    pub bytes: Bytes,
    /// Which version it is.
    pub version: Version,
}

/// The outcome of [`Store::create`](super::Store::create).
#[derive(Debug)]
pub enum Created {
    /// It was not there, and is there now.
    New(Version),
    /// It is there: somebody's, or our own after an answer that was lost.
    Exists(Object),
}

/// The outcome of [`Store::replace`](super::Store::replace).
#[derive(Debug)]
pub enum Replaced {
    /// It was unchanged, and is replaced.
    Done(Version),
    /// Somebody changed or removed it.
    Changed,
}

/// The outcome of [`Store::delete`](super::Store::delete).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deleted {
    /// It is gone, by us.
    Done,
    /// It was gone before.
    Gone,
    /// It is another one now, and stays.
    Changed,
}

//! Whole objects under keys, written by condition: created only if absent, replaced only if unchanged.
//!
//! One trait, [`Objects`], with two homes: a bucket ([`Bucket`]: S3 and what speaks it, and with
//! the features `gcs` and `azure` those services) and a folder ([`Folder`]). [`Place::prefix`]
//! and [`Place::object`] find out from a URL or path which one is meant. Async stays here and in
//! [`depot`](super::depot).

mod answer;
mod bucket;
mod credentials;
mod folder;
mod http;
mod listing;
mod odd;
mod place;
mod profile;
mod service;
mod settings;
mod told;

use super::Error;
use async_trait::async_trait;
use bytes::Bytes;
use std::fmt;

pub use bucket::Bucket;
pub use folder::Folder;
pub use http::Requests;
pub use place::Place;

pub(super) use answer::translated;
pub(super) use folder::make_folders;
pub(super) use http::{ONLY_IF, spell, unspell};
pub(super) use place::refuse;
pub(super) use service::{Manner, build};

/// The largest object that is read where an object is created, in bytes: twice the largest answer of Duo's.
const MOST_BYTES: u64 = 512 << 20;

/// Which writing of an object was read: what [`Objects::replace`] compares.
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
    /// Which writing it is.
    pub version: Version,
}

/// What became of [`Objects::create`].
#[derive(Debug)]
pub enum Created {
    /// It was not there, and is there now.
    New(Version),
    /// It is there: somebody's, or our own after an answer that was lost.
    Exists(Object),
}

/// What became of [`Objects::replace`].
#[derive(Debug)]
pub enum Replaced {
    /// It was unchanged, and is replaced.
    Done(Version),
    /// Somebody changed or removed it.
    Changed,
}

/// Objects under keys. Keys are relative, with `/` between their parts.
///
/// Every write is visible whole or not at all. Where the answer to a write was lost, the object is
/// read before a verdict is given; so a write that has happened is never reported as failed, as
/// long as the object can still be read.
#[async_trait]
pub trait Objects: fmt::Debug + Send + Sync {
    /// Reads an object of at most `most` bytes; `None` if there is none.
    ///
    /// # Errors
    /// If that can't be found out, or if it is larger; never for an object that is not there.
    async fn read(&self, key: &str, most: u64) -> Result<Option<Object>, Error>;

    /// Writes an object that must not be there.
    ///
    /// # Errors
    /// If nothing was written, or if that can't be found out.
    async fn create(&self, key: &str, bytes: Bytes) -> Result<Created, Error>;

    /// Writes an object that must still be as it was read.
    ///
    /// # Errors
    /// If nothing was written, or if that can't be found out.
    async fn replace(&self, key: &str, bytes: Bytes, was: &Version) -> Result<Replaced, Error>;

    /// Removes an object, if there is one.
    ///
    /// # Errors
    /// If that can't be done, or is not allowed.
    async fn remove(&self, key: &str) -> Result<(), Error>;

    /// The object's full name for a message.
    fn name(&self, key: &str) -> String;
}

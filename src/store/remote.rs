//! What URLs name: objects of buckets, listed.

use super::error::{Doing, Error, ErrorKind, Object};
use super::objects::{Access, BlockingStore, Location, ObjectMeta};
use super::walk::is_pattern;
use std::sync::Arc;

/// Whether an input is a URL and not a path.
#[cfg(feature = "cli")]
pub(crate) fn is_url(input: &str) -> bool {
    input.contains("://")
}

/// The path of a URL of this machine, `file:///path`; nothing if it is one of a bucket.
pub(crate) fn path_of(url: &str) -> Result<Option<std::path::PathBuf>, Error> {
    Ok(Location::parse(url)?.path().map(ToOwned::to_owned))
}

/// An object that was listed.
pub(super) struct FoundObject {
    pub(super) store: BlockingStore,
    pub(super) meta: ObjectMeta,
    /// Its path below the prefix that was named; nothing if it was named itself.
    pub(super) below: Option<String>,
}

/// Buckets, and the threads that carry requests to them, which start with the first URL.
#[derive(Debug, Default)]
pub(super) struct Buckets {
    access: Option<Access>,
    /// Whether requests are sent unsigned.
    anonymous: bool,
}

impl Buckets {
    pub(super) fn new(anonymous: bool) -> Buckets {
        Buckets { access: None, anonymous }
    }

    /// Hands the objects that `url` names to `each`, in the order of the listing: the one object of this key, or all
    /// below this prefix.
    ///
    /// # Errors
    /// If it is not such a URL, if there is nothing of this name, or if it can't be listed. A prefix that ends in `/` may
    /// be empty.
    pub(super) fn list(&mut self, url: &str, each: &mut dyn FnMut(FoundObject)) -> Result<(), Error> {
        let location = Location::parse(url)?;
        let (store, key) = BlockingStore::at(location, self.access(url)?)?;
        let is_prefix = key.is_empty() || key.ends_with('/');
        let mut why_not = None;
        if !is_prefix {
            match store.head(&key) {
                Ok(Some(meta)) => {
                    each(FoundObject { store, meta, below: None });
                    return Ok(());
                }
                Ok(None) => {}
                // Who may not read an object may still be allowed to list.
                Err(error) if error.kind() == ErrorKind::Denied => why_not = Some(error),
                Err(error) => return Err(error),
            }
        }
        let prefix = if is_prefix { key.clone() } else { format!("{key}/") };
        let mut any = false;
        for meta in store.list(&prefix) {
            let meta = meta?;
            any = true;
            let below = meta.key.strip_prefix(&prefix).unwrap_or(&meta.key).to_owned();
            each(FoundObject { store: store.clone(), meta, below: Some(below) });
        }
        match why_not {
            _ if any => Ok(()),
            Some(error) => Err(error),
            // A key may hold `*`; but in a URL it is most often meant as a pattern.
            None if is_pattern(&key) => Err(Error::pattern_in_url(url)),
            None if is_prefix => Ok(()),
            None => {
                let why = "there is no object of this name, and none below it";
                Err(Error::new(Object::Named(url.to_owned()), Doing::Open, ErrorKind::NotFound, why))
            }
        }
    }

    fn access(&mut self, url: &str) -> Result<&Access, Error> {
        if self.access.is_none() {
            let access = Access::new(self.anonymous, Arc::default());
            let named = || Object::Named(url.to_owned());
            self.access = Some(access.map_err(|error| Error::io(named(), Doing::Open, error))?);
        }
        self.access.as_ref().ok_or_else(Error::stopped)
    }
}

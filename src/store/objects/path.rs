//! A place in a store: a prefix, or one object.

use super::location::refused;
use super::{Location, Store};
use crate::store::Error;
use crate::store::service::ClientConfig;
use std::path::{Path, PathBuf};

/// A store, and where in it.
#[derive(Debug, Clone)]
pub struct StorePath {
    /// The store.
    pub store: Store,
    /// What stands before every key: empty, or ended by `/`. For a place that is one object: its key.
    pub prefix: String,
}

impl StorePath {
    /// Opens a prefix: `s3://bucket/prefix` (`gs://`, `az://` with the features `gcs`, `azure`), or
    /// a folder's path. Nothing is read or written yet. See [`Location::parse`]; the environment gives credentials.
    ///
    /// # Errors
    /// If it is not such a URL, or if the environment does not fit it.
    pub fn prefix(text: &str) -> Result<StorePath, Error> {
        let mut place = StorePath::open(text, |path| (path, String::new()))?;
        if !place.prefix.is_empty() && !place.prefix.ends_with('/') {
            place.prefix.push('/');
        }
        Ok(place)
    }

    /// Opens one object: `s3://bucket/key`, or a file's path. Nothing is read or written yet.
    ///
    /// # Errors
    /// As [`StorePath::prefix`]; and if it names no object.
    pub fn object(text: &str) -> Result<StorePath, Error> {
        let place = StorePath::open(text, |file| {
            let folder = file.parent().filter(|parent| !parent.as_os_str().is_empty());
            let name = file.file_name().map(|name| name.to_string_lossy().into_owned());
            (folder.unwrap_or(Path::new(".")).to_owned(), name.unwrap_or_default())
        })?;
        if place.prefix.is_empty() || text.ends_with('/') {
            let error = refused(text, "it names no object");
            return Err(error.with_hint("give it a name, as in s3://bucket/state/duo-telephony.json"));
        }
        Ok(place)
    }

    /// The full name of an object for a message.
    pub fn name(&self, key: &str) -> String {
        self.store.name(&format!("{}{key}", self.prefix))
    }

    /// Whether `other`, an object, lies under this prefix; for a file behind a link, that file.
    pub fn holds(&self, other: &StorePath) -> bool {
        let full = |place: &StorePath| {
            if !place.store.root().contains("://")
                && !place.prefix.is_empty()
                && let Ok(file) = std::fs::canonicalize(Path::new(place.store.root()).join(&place.prefix))
            {
                return file.to_string_lossy().into_owned();
            }
            let root = if place.store.root().contains("://") {
                place.store.root().to_owned()
            } else {
                let path = Path::new(place.store.root());
                let path = std::fs::canonicalize(path).or_else(|_| std::path::absolute(path));
                path.map_or_else(
                    |_| place.store.root().to_owned(),
                    |path| path.to_string_lossy().into_owned(),
                )
            };
            format!("{}/{}", root.trim_end_matches('/'), place.prefix)
        };
        full(other).starts_with(&full(self))
    }

    fn open(text: &str, split: impl Fn(PathBuf) -> (PathBuf, String)) -> Result<StorePath, Error> {
        let (location, prefix) = match Location::parse(text)? {
            Location::Folder { path } => {
                let (path, prefix) = split(path);
                (Location::Folder { path }, prefix)
            }
            // Of several slashes behind the bucket, none was ever part of the key here: states and logs lie without.
            Location::Bucket { scheme, bucket, key } => {
                let prefix = key.trim_start_matches('/').to_owned();
                (Location::Bucket { scheme, bucket, key }, prefix)
            }
        };
        Ok(StorePath { store: Store::open(&location, &ClientConfig::default())?, prefix })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_and_paths() {
        let table = [
            ("s3://b", "s3://b", ""),
            ("s3://b/", "s3://b", ""),
            ("s3://b/a", "s3://b", "a/"),
            ("s3://b/a b/c/", "s3://b", "a b/c/"),
            ("/data/x", "/data/x", ""),
            ("x/y", "x/y", ""),
        ];
        for (text, root, prefix) in table {
            let place = StorePath::prefix(text).unwrap();
            assert_eq!((place.store.root(), place.prefix.as_str()), (root, prefix), "{text}");
        }
        let table = [("s3://b/a/s.json", "s3://b", "a/s.json"), ("x/s", "x", "s"), ("s", ".", "s")];
        for (text, root, key) in table {
            let place = StorePath::object(text).unwrap();
            assert_eq!((place.store.root(), place.prefix.as_str()), (root, key), "{text}");
        }
        assert_eq!(StorePath::prefix("s3://b//a").unwrap().prefix, "a/");
        assert_eq!(StorePath::prefix("ftp://x/y").unwrap_err().kind(), crate::store::ErrorKind::BadUrl);
        for text in ["s3://b", "s3://b/x/", "s3://b/"] {
            assert!(StorePath::object(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_lies_under_what() {
        let table = [
            ("s3://b/logs", "s3://b/logs/state.json", true),
            ("s3://b/logs", "s3://b/logs-state.json", false),
            ("s3://b/logs", "s3://c/logs/state.json", false),
            ("s3://b", "s3://b/state.json", true),
            ("/tmp/none/a", "/tmp/none/a/s", true),
            ("/tmp/none/a", "/tmp/none/s", false),
        ];
        for (prefix, object, held) in table {
            let (prefix, object) = (StorePath::prefix(prefix).unwrap(), StorePath::object(object).unwrap());
            assert_eq!(prefix.holds(&object), held, "{prefix:?} {object:?}");
        }
    }
}

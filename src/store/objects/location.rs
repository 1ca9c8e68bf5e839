//! Where something is: a URL or a path, taken apart.

use crate::store::error::{Doing, Error, ErrorKind, Object};
use crate::store::service::SettingError;
use std::path::{Path, PathBuf};
use url::Url;

/// A folder, or a bucket with a key or prefix in it, as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Location {
    /// A path of this machine.
    Folder {
        /// As it was given.
        path: PathBuf,
    },
    /// `scheme://bucket/key`.
    Bucket {
        /// The service: `s3` (or `s3a`), `gs`, `az`.
        scheme: String,
        /// The bucket's name.
        bucket: String,
        /// What stands behind the first `/`: empty, a key, or a prefix.
        key: String,
    },
}

impl Location {
    /// Takes `s3://bucket/key` (`gs://`, `az://`), `file:///path` or a path apart. A key is taken as it is written: `#`,
    /// `?` and `%` have no meaning of their own.
    ///
    /// # Errors
    /// If it is empty, names no bucket, or has a name or password in it.
    pub fn parse(text: &str) -> Result<Location, Error> {
        if text.is_empty() {
            return Err(refused(text, "it is empty"));
        }
        let Some((scheme, rest)) = text.split_once("://") else {
            return Ok(Location::Folder { path: PathBuf::from(text) });
        };
        if scheme == "file" {
            let url = Url::parse(text).map_err(|error| refused(text, error.to_string()))?;
            let path = url.to_file_path().map_err(|()| refused(text, "it is not a path of this machine"))?;
            return Ok(Location::Folder { path });
        }
        let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
        if bucket.is_empty() {
            return Err(refused(text, "it names no bucket"));
        }
        if bucket.contains(['@', ':', '?', '#']) {
            // Not the text itself: it may hold a secret.
            let error = refused(&format!("{scheme}://"), "expected only a bucket and a key in the URL");
            return Err(error.with_hint("give credentials and endpoint by the environment (AWS_*)"));
        }
        Ok(Location::Bucket { scheme: scheme.to_owned(), bucket: bucket.to_owned(), key: key.to_owned() })
    }

    /// The same with the path as it is on disk, so that a folder has one name, however it is given: links are followed
    /// as far as there is something.
    pub(super) fn real(self) -> Result<Location, Error> {
        let Location::Folder { path } = self else { return Ok(self) };
        let path = std::path::absolute(&path)
            .map_err(|error| refused(&path.to_string_lossy(), error.to_string()))?;
        for there in path.ancestors() {
            if let (Ok(real), Ok(rest)) = (std::fs::canonicalize(there), path.strip_prefix(there)) {
                let path = if rest.as_os_str().is_empty() { real } else { real.join(rest) };
                return Ok(Location::Folder { path });
            }
        }
        Ok(Location::Folder { path })
    }

    /// The path, if it is one of this machine.
    pub(crate) fn path(&self) -> Option<&Path> {
        match self {
            Location::Folder { path } => Some(path),
            Location::Bucket { .. } => None,
        }
    }

    /// The store without the key: `s3://bucket`, or the path.
    pub(super) fn root(&self) -> String {
        match self {
            Location::Folder { path } => path.to_string_lossy().into_owned(),
            Location::Bucket { scheme, bucket, .. } => format!("{scheme}://{bucket}"),
        }
    }

    /// A setting that can't be used, as an error of this location.
    pub(super) fn refused(&self, unfit: SettingError) -> Error {
        let text = match self {
            Location::Bucket { key, .. } => format!("{}/{key}", self.root()),
            Location::Folder { .. } => self.root(),
        };
        let error = refused(&text, unfit.why);
        match unfit.hint {
            Some(hint) => error.with_hint(hint),
            None => error,
        }
    }
}

pub(super) fn refused(text: &str, why: impl Into<String>) -> Error {
    Error::new(Object::Named(text.to_owned()), Doing::Open, ErrorKind::BadUrl, why)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_and_paths() {
        let table = [
            ("s3://b", "s3://b", ""),
            ("s3://b/", "s3://b", ""),
            ("s3://b/a", "s3://b", "a"),
            ("s3a://b/a b/c#?%20/", "s3a://b", "a b/c#?%20/"),
            ("s3://b//x", "s3://b", "/x"),
            ("az://b/x", "az://b", "x"),
        ];
        for (text, root, in_it) in table {
            let location = Location::parse(text).unwrap();
            assert_eq!(location.root(), root);
            assert!(matches!(location, Location::Bucket { key, .. } if key == in_it), "{text}");
        }
        for (text, path) in [("/data/x", "/data/x"), ("x/y/", "x/y/"), ("file:///a%20b", "/a b")] {
            assert_eq!(Location::parse(text).unwrap().path(), Some(Path::new(path)));
        }
        for text in ["", "s3://", "s3:///x", "s3://key:secret@b/x", "s3://b?secret", "file://host/x"] {
            let error = Location::parse(text).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::BadUrl, "{text}");
            assert!(!error.to_string().contains("secret"), "{error}");
        }
    }
}

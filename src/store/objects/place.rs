//! Where objects go: a URL or a path taken apart into a store and a prefix.

use super::service::{Manner, build};
use super::settings::Wrong;
use super::{Bucket, Folder, Objects};
use crate::store::error::{Doing, Error, ErrorKind, Object as Named};
use std::path::Path;
use std::sync::Arc;
use url::Url;

/// A store, and where in it.
#[derive(Debug, Clone)]
pub struct Place {
    /// The store.
    pub objects: Arc<dyn Objects>,
    /// What stands before every key: empty, or ended by `/`. For a place that is one object: its key.
    pub prefix: String,
    /// The store without the prefix: `s3://bucket`, or a folder's path.
    pub root: String,
}

impl Place {
    /// Opens a prefix: `s3://bucket/prefix` (`gs://`, `az://` with the features `gcs`, `azure`), or
    /// a folder's path. Nothing is read or written yet.
    ///
    /// A bucket's credentials, region and endpoint come from the environment, by their usual
    /// names: `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`, `AWS_REGION`,
    /// `AWS_ENDPOINT_URL`, `AWS_ALLOW_HTTP`, `AWS_PROFILE`, web identity, container and instance roles.
    ///
    /// # Errors
    /// If it is no such URL, or if the environment does not fit it.
    pub fn prefix(text: &str) -> Result<Place, Error> {
        let mut place = Place::open(text, |path| (path.to_owned(), String::new()))?;
        if !place.prefix.is_empty() && !place.prefix.ends_with('/') {
            place.prefix.push('/');
        }
        Ok(place)
    }

    /// Opens one object: `s3://bucket/key`, or a file's path. Nothing is read or written yet.
    ///
    /// # Errors
    /// As [`Place::prefix`]; and if it names no object.
    pub fn object(text: &str) -> Result<Place, Error> {
        let place = Place::open(text, |path| {
            let file = Path::new(path);
            let folder = file.parent().filter(|parent| !parent.as_os_str().is_empty());
            let folder = folder.map_or_else(|| ".".into(), |folder| folder.to_string_lossy().into_owned());
            (folder, file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default())
        })?;
        if place.prefix.is_empty() || text.ends_with('/') {
            let error = refused(text, "it names no object");
            return Err(error.with_hint("give it a name, as in s3://bucket/state/duo-telephony.json"));
        }
        Ok(place)
    }

    /// The full name of an object for a message.
    pub fn name(&self, key: &str) -> String {
        self.objects.name(&format!("{}{key}", self.prefix))
    }

    /// Whether `other`, an object, lies under this prefix; for a file behind a link, that file.
    pub fn holds(&self, other: &Place) -> bool {
        let full = |place: &Place| {
            if !place.root.contains("://")
                && !place.prefix.is_empty()
                && let Ok(file) = std::fs::canonicalize(Path::new(&place.root).join(&place.prefix))
            {
                return file.to_string_lossy().into_owned();
            }
            let root = if place.root.contains("://") {
                place.root.clone()
            } else {
                let path = Path::new(&place.root);
                let path = std::fs::canonicalize(path).or_else(|_| std::path::absolute(path));
                path.map_or_else(|_| place.root.clone(), |path| path.to_string_lossy().into_owned())
            };
            format!("{}/{}", root.trim_end_matches('/'), place.prefix)
        };
        full(other).starts_with(&full(self))
    }

    fn open(text: &str, split: impl Fn(&str) -> (String, String)) -> Result<Place, Error> {
        if text.is_empty() {
            return Err(refused(text, "it is empty"));
        }
        let Some((scheme, _)) = text.split_once("://") else {
            let (root, prefix) = split(text);
            return Ok(Place { objects: Arc::new(Folder::new(&root)), prefix, root });
        };
        let url = Url::parse(text).map_err(|error| refused(text, &error.to_string()))?;
        if scheme == "file" {
            let path = url.to_file_path().map_err(|()| refused(text, "it is no path of this machine"))?;
            return Place::open(&path.to_string_lossy(), split);
        }
        let bucket = url.host_str().unwrap_or_default();
        if bucket.is_empty() {
            return Err(refused(text, "it names no bucket"));
        }
        if !url.username().is_empty() || url.password().is_some() || url.query().is_some() {
            // Not the text itself: it may hold a secret.
            let named = format!("{scheme}://{bucket}");
            let error = refused(&named, "more than a bucket and a key stands in the URL");
            return Err(error.with_hint("give credentials and endpoint by the environment (AWS_*)"));
        }
        // The key is taken as it is written, not as a URL would escape it.
        let rest = &text[scheme.len() + 3..];
        let key = rest.split_once('/').map_or("", |(_, key)| key).trim_start_matches('/');
        let store = build(scheme, bucket, &Manner::default()).map_err(|wrong| refuse(text, wrong))?;
        let root = format!("{scheme}://{bucket}");
        Ok(Place { objects: Arc::new(Bucket::new(store, &root)), prefix: key.to_owned(), root })
    }
}

/// A setting that can't be used, as the error of who needs it.
pub(in crate::store) fn refuse(text: &str, wrong: Wrong) -> Error {
    let error = refused(text, &wrong.why);
    match wrong.hint {
        Some(hint) => error.with_hint(hint),
        None => error,
    }
}

fn refused(text: &str, why: &str) -> Error {
    Error::new(Named::Named(text.to_owned()), Doing::Open, ErrorKind::BadUrl, why)
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
            let place = Place::prefix(text).unwrap();
            assert_eq!((place.root.as_str(), place.prefix.as_str()), (root, prefix), "{text}");
        }
        let table = [("s3://b/a/s.json", "s3://b", "a/s.json"), ("x/s", "x", "s"), ("s", ".", "s")];
        for (text, root, key) in table {
            let place = Place::object(text).unwrap();
            assert_eq!((place.root.as_str(), place.prefix.as_str()), (root, key), "{text}");
        }
        for text in ["", "s3://", "s3:///x", "ftp://x/y", "s3://key:secret@b/x", "s3://b/x?y"] {
            let error = Place::prefix(text).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::BadUrl, "{text}");
            assert!(!error.to_string().contains("secret"), "{error}");
        }
        for text in ["s3://b", "s3://b/x/", "s3://b/"] {
            assert!(Place::object(text).is_err(), "{text}");
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
            let (prefix, object) = (Place::prefix(prefix).unwrap(), Place::object(object).unwrap());
            assert_eq!(prefix.holds(&object), held, "{prefix:?} {object:?}");
        }
    }
}

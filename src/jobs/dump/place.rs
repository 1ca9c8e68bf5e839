//! Where inputs come from and outputs go: stores with prefixes.

use crate::store::objects::{Access, BlockingStore, Location, ObjectMeta};
use crate::store::{Error, ErrorKind, is_pattern, matches_file};
use glob::Pattern;
use std::cmp::Ordering;
use std::path::Path;

/// An input: a prefix, a folder, a pattern over files, or a single object.
#[derive(Debug, Clone)]
pub(super) struct Origin {
    pub(super) store: BlockingStore,
    /// What is listed: everything below this, if it is not a single object.
    pub(super) prefix: String,
    one: Option<String>,
    /// What files must match, as names below the root.
    pattern: Option<Pattern>,
}

/// Where outputs go: everything below a prefix, which is empty or ends in `/`.
#[derive(Debug, Clone)]
pub(super) struct Target {
    pub(super) store: BlockingStore,
    pub(super) prefix: String,
}

impl Origin {
    pub(super) fn open(text: &str, access: &Access) -> Result<Origin, Error> {
        let location = Location::parse(text)?;
        if let Some(path) = location.path() {
            return Origin::local(path, access);
        }
        let (store, key) = BlockingStore::at(location, access)?;
        // A key may hold `*`; but in a URL it is most often meant as a pattern.
        let nothing = |prefix: &str| is_pattern(&key) && store.list(prefix).next().is_none();
        if key.is_empty() || key.ends_with('/') {
            if nothing(&key) {
                return Err(Error::pattern_in_url(text));
            }
            return Ok(Origin { store, prefix: key, one: None, pattern: None });
        }
        match store.head(&key) {
            Ok(None) if nothing(&format!("{key}/")) => Err(Error::pattern_in_url(text)),
            Ok(Some(_)) => Ok(Origin { store, prefix: folder(&key), one: Some(key), pattern: None }),
            Ok(None) => Ok(Origin { store, prefix: format!("{key}/"), one: None, pattern: None }),
            // A role that may not read an object may still be allowed to list.
            Err(error) if error.kind() == ErrorKind::Denied => {
                Ok(Origin { store, prefix: format!("{key}/"), one: None, pattern: None })
            }
            Err(error) => Err(error),
        }
    }

    fn local(path: &Path, access: &Access) -> Result<Origin, Error> {
        let text = path.to_string_lossy();
        if path.is_file() {
            let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
            let parent = absolute.parent().unwrap_or(Path::new("/"));
            let name = absolute.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let (store, _) = BlockingStore::open(&parent.to_string_lossy(), access)?;
            return Ok(Origin { store, prefix: String::new(), one: Some(name), pattern: None });
        }
        if path.is_dir() {
            let (store, _) = BlockingStore::open(&text, access)?;
            return Ok(Origin { store, prefix: String::new(), one: None, pattern: None });
        }
        // A pattern: what comes before its first part with a wildcard is a folder.
        let parts: Vec<&str> = text.split('/').collect();
        let pattern = match parts.iter().position(|part| is_pattern(part)) {
            Some(at) => Pattern::new(&parts[at..].join("/")).ok().map(|pattern| (at, pattern)),
            None => None,
        };
        let Some((at, pattern)) = pattern else {
            // The words for what is not there, with how much of it there is.
            crate::store::list(&[text.clone().into_owned()], &[])?;
            return Err(missing(&text));
        };
        let base = match parts[..at].join("/") {
            base if base.is_empty() && text.starts_with('/') => "/".to_owned(),
            base if base.is_empty() => ".".to_owned(),
            base => base,
        };
        if !Path::new(&base).is_dir() {
            crate::store::list(&[text.clone().into_owned()], &[])?;
            return Err(missing(&text));
        }
        let (store, _) = BlockingStore::open(&base, access)?;
        Ok(Origin { store, prefix: String::new(), one: None, pattern: Some(pattern) })
    }

    /// Everything in a store.
    pub(super) fn whole(store: BlockingStore) -> Origin {
        Origin { store, prefix: String::new(), one: None, pattern: None }
    }

    /// Whether it is a single object.
    pub(super) fn is_one(&self) -> bool {
        self.one.is_some()
    }

    /// Everything in a folder of it; nothing if it is a single object, or a pattern.
    pub(super) fn below(&self, folder: &str) -> Option<Origin> {
        let plain = self.one.is_none() && self.pattern.is_none();
        plain.then(|| Origin { prefix: format!("{}{folder}", self.prefix), ..self.clone() })
    }

    /// Removes folders that are empty.
    pub(super) fn remove_empty(&self) -> Result<(), Error> {
        if self.one.is_some() { Ok(()) } else { self.store.remove_empty(&self.prefix) }
    }

    /// The key below the prefix.
    pub(super) fn relative<'a>(&self, key: &'a str) -> &'a str {
        key.strip_prefix(&self.prefix).unwrap_or(key)
    }

    /// What is there, in order.
    pub(super) fn objects(&self) -> Box<dyn Iterator<Item = Result<ObjectMeta, Error>> + Send + '_> {
        match &self.one {
            Some(key) => Box::new(self.store.head(key).transpose().into_iter()),
            None => Box::new(self.store.list(&self.prefix).filter(|item| match (item, &self.pattern) {
                (Ok(found), Some(pattern)) => matches_file(pattern, &found.key),
                _ => true,
            })),
        }
    }

    /// The key of the object called `name` if this input lists it.
    pub(super) fn lists<'a>(&self, name: &'a str) -> Option<&'a str> {
        let root = self.store.root();
        // One bucket, by two names of its scheme.
        let key = match (root.strip_prefix("s3a://"), name.strip_prefix("s3a://")) {
            (None, None) => name.strip_prefix(root)?,
            (mine, other) => {
                let bare = |text: Option<&'a str>| text.or_else(|| name.strip_prefix("s3://"));
                bare(other)?.strip_prefix(mine.or_else(|| root.strip_prefix("s3://"))?)?
            }
        };
        let key = key.strip_prefix('/')?;
        let listed = match &self.one {
            Some(one) => one == key,
            None if self.store.is_remote() => key.starts_with(&self.prefix),
            None => {
                !key.split('/').any(|part| part.starts_with('.'))
                    && self.pattern.as_ref().is_none_or(|pattern| matches_file(pattern, key))
            }
        };
        listed.then_some(key)
    }

    pub(super) fn whole_name(&self) -> String {
        self.store.name(self.one.as_deref().unwrap_or(&self.prefix))
    }

    /// What keys are relative to, as a name.
    pub(super) fn place(&self) -> String {
        self.store.name(&self.prefix)
    }

    /// Whether it lies in the place called `place`, and is not all of it.
    pub(super) fn lies_below(&self, place: &str) -> bool {
        let own = self.whole_name();
        own != place && own.starts_with(place)
    }

    /// Whether outputs of `target` are found when this input is listed.
    pub(super) fn finds(&self, target: &Target) -> bool {
        self.one.is_none()
            && target.whole_name() != self.whole_name()
            && target.whole_name().starts_with(&self.whole_name())
    }

    /// Whether it is the very place.
    pub(super) fn is(&self, target: &Target) -> bool {
        self.one.is_none() && target.whole_name() == self.whole_name()
    }
}

impl Target {
    pub(super) fn open(text: &str, access: &Access) -> Result<Target, Error> {
        let location = Location::parse(text)?;
        if location.path().is_some_and(|path| path.exists() && !path.is_dir()) {
            return Err(Error::not_a_folder(text));
        }
        let (store, mut prefix) = BlockingStore::at(location, access)?;
        if !prefix.is_empty() && !prefix.ends_with('/') {
            prefix.push('/');
        }
        Ok(Target { store, prefix })
    }

    /// The place `name` in this one.
    pub(super) fn below(&self, name: &str) -> Target {
        Target { store: self.store.clone(), prefix: format!("{}{name}/", self.prefix) }
    }

    pub(super) fn whole_name(&self) -> String {
        self.store.name(&self.prefix)
    }
}

/// The order of inputs' names in which they are listed: buckets' by their bytes, files part by
/// part.
pub(super) fn order(a: &str, b: &str) -> Ordering {
    match (a.contains("://"), b.contains("://")) {
        (true, true) => a.cmp(b),
        (false, false) => crate::text::by_parts(a, b),
        (a, b) => a.cmp(&b),
    }
}

fn folder(key: &str) -> String {
    key.rsplit_once('/').map_or_else(String::new, |(folder, _)| format!("{folder}/"))
}

fn missing(text: &str) -> Error {
    Error::cannot_open(text, std::io::Error::from(std::io::ErrorKind::NotFound))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_folders_and_patterns() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for name in ["a/1.gz", "a/b/2.gz", "a.d/3", "c"] {
            std::fs::create_dir_all(at(name).parent().unwrap()).unwrap();
            std::fs::write(at(name), name).unwrap();
        }
        let access = Access::new(false, std::sync::Arc::default()).unwrap();
        let table = [
            ("", "a/1.gz a/b/2.gz a.d/3 c"),
            ("a", "1.gz b/2.gz"),
            ("c", "c"),
            ("*/*.gz", "a/1.gz"),
            ("**/*.gz", "a/1.gz a/b/2.gz"),
            ("a*", "a/1.gz a/b/2.gz a.d/3"),
        ];
        for (input, want) in table {
            let origin = Origin::open(at(input).to_str().unwrap(), &access).unwrap();
            let keys: Vec<String> = origin.objects().map(|found| found.unwrap().key).collect();
            assert_eq!(keys.join(" "), want, "{input}");
            assert!(keys.is_sorted_by(|a, b| order(a, b).is_lt()));
        }
        for wrong in ["none", "none/*"] {
            assert!(Origin::open(at(wrong).to_str().unwrap(), &access).is_err(), "{wrong}");
        }
        let (origin, target) = (Origin::open(at("a").to_str().unwrap(), &access).unwrap(), |name: &str| {
            Target::open(at(name).to_str().unwrap(), &access).unwrap()
        });
        let lists = |input: &str, name: &str| {
            let name = origin.store.name("").replace("/a/", "/") + name;
            Origin::open(at(input).to_str().unwrap(), &access).unwrap().lists(&name).is_some()
        };
        assert!(
            lists("", "a/1.gz") && lists("a", "a/b/2.gz") && lists("c", "c") && lists("*/*.gz", "a/1.gz")
        );
        assert!(!lists("a", "a.d/3") && !lists("", "a/.x/1") && !lists("c", "d") && !lists("*/*.gz", "a/1"));
        assert!(origin.finds(&target("a/out")) && !origin.finds(&target("a.d")) && origin.is(&target("a")));
        assert!(Target::open(at("c").to_str().unwrap(), &access).is_err());
    }
}

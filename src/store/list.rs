//! Turns what a user names (files, folders, patterns, stdin) into sources in a fixed order.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
#[cfg(feature = "bucket")]
use std::sync::Arc;
use twox_hash::XxHash3_128;

use super::STANDARD;
use super::error::{Doing, Error, ErrorKind, Object};
use super::filter::PathFilter;
#[cfg(feature = "lambda")]
use super::objects::{Access, Location};
#[cfg(feature = "bucket")]
use super::objects::{BlockingStore, ObjectMeta};
#[cfg(feature = "bucket")]
use super::read_ahead::ReadAhead;
#[cfg(feature = "bucket")]
use super::remote::{self, Buckets};
use super::walk::{Resolver, Seen, Walk, cannot_walk, dangling, expand, is_absent, is_pattern, named};

/// What [`list()`] found.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Listing {
    /// The sources: inputs in the order given, the files of one folder or pattern by path.
    pub sources: Vec<Source>,
    /// Entries of folders not looked at because their names begin with a dot. A folder is one.
    pub skipped_hidden: u64,
    /// Files found in folders or by patterns that are outputs of the same run.
    pub skipped_outputs: u64,
    /// Pipes, sockets and devices found in folders or by patterns: they are read only if named.
    pub skipped_special: u64,
    /// Files that were listed before, by the same path or another one that leads to them; and objects.
    pub skipped_repeated: u64,
    /// Files and objects that the [`PathFilter`] leaves out.
    pub skipped_filtered: u64,
}

/// How inputs are listed, besides by their names.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct ListOptions {
    /// Which of the files and objects below what is named are wanted.
    pub filter: PathFilter,
    /// Whether requests to buckets are sent unsigned.
    pub anonymous: bool,
}

/// Something that bytes are read from: a file, an object of a bucket, a pipe or stdin. See [`Source::open`].
#[derive(Debug, Clone)]
pub struct Source {
    name: String,
    place: Place,
    size: Option<u64>,
    /// Which version of a file it is, once that was asked for.
    #[cfg(feature = "send")]
    version: Option<String>,
}

#[derive(Debug, Clone)]
pub(super) enum Place {
    Stdin,
    Path(PathBuf),
    /// One version of an object: its number among those that were listed.
    #[cfg(feature = "bucket")]
    Object(Arc<ReadAhead>, usize),
}

impl Source {
    /// The path as given, or the given folder with the path in it; `-` for stdin; the URL of an object. What is not
    /// UTF-8 in a path is shown as U+FFFD.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Bytes as they are stored, for a regular file or an object, when it was listed.
    pub fn size(&self) -> Option<u64> {
        self.size
    }

    /// Which version of an object was listed, as its service says. Nothing for files, as long as they are not said to be
    /// [`settled`](Source::settled): their times say less.
    #[cfg(feature = "send")]
    pub(crate) fn version(&self) -> Option<&str> {
        match &self.place {
            Place::Object(objects, number) => objects.etag(*number).filter(|etag| !etag.is_empty()),
            _ => self.version.as_deref(),
        }
    }

    /// The same source, of which it is known that nobody changes it once it is there: so a file's size and time say which
    /// version it is.
    #[cfg(all(feature = "cli", feature = "send"))]
    pub(crate) fn settled(self) -> Source {
        let Place::Path(path) = &self.place else { return self };
        let version = fs::metadata(path).ok().map(|metadata| super::objects::file_version(&metadata));
        Source { version, ..self }
    }

    /// The file that it is, if it is one on disk; or a pipe or device.
    #[cfg(feature = "cli")]
    pub(crate) fn file(&self) -> Option<&Path> {
        match &self.place {
            Place::Path(path) => Some(path),
            _ => None,
        }
    }

    pub(super) fn place(&self) -> &Place {
        &self.place
    }

    fn path(path: PathBuf, metadata: &fs::Metadata) -> Source {
        let size = metadata.is_file().then_some(metadata.len());
        Source::of(path.to_string_lossy().into_owned(), Place::Path(path), size)
    }

    fn of(name: String, place: Place, size: Option<u64>) -> Source {
        Source {
            name,
            place,
            size,
            #[cfg(feature = "send")]
            version: None,
        }
    }

    /// The same source, read from a copy of its bytes.
    #[cfg(feature = "cli")]
    pub(crate) fn copied_to(&self, path: &Path) -> Source {
        Source::of(self.name.clone(), Place::Path(path.to_owned()), self.size)
    }
}

/// Lists the sources that `inputs` name, in their order.
///
/// An input is `-` for stdin, a file (of any kind that can be read), a folder, or, if there is
/// nothing of that name, a pattern with `*`, `?`, `[...]` or `**`. Folders are read to any depth,
/// links included, but hidden entries are not. A file is listed once, under the first name by which it is found, however
/// many inputs, patterns and links lead to it.
///
/// With the feature `bucket` an input may be the URL of an object or of a prefix: `s3://bucket/prefix/`, `gs://`,
/// `az://`; `file:///path` is the path. Objects are listed now and read later, each as the version that was listed. In
/// an async runtime this must be called on a thread that may block.
///
/// `exclude` are the run's own outputs, which may exist from an earlier run: found in a folder or
/// by a pattern they are left out.
///
/// # Errors
/// If an input names nothing, is an output, or can't be listed, or if stdin is named twice.
pub fn list(inputs: &[String], exclude: &[PathBuf]) -> Result<Listing, Error> {
    list_with(inputs, exclude, &ListOptions::default())
}

/// Lists sources as [`list()`] does, with options.
///
/// # Errors
/// As [`list()`].
pub fn list_with(inputs: &[String], exclude: &[PathBuf], options: &ListOptions) -> Result<Listing, Error> {
    // An output that does not exist yet can't be an input.
    let outputs = exclude.iter().filter_map(|path| fs::canonicalize(path).ok()).collect();
    let mut lister = Lister {
        outputs,
        filter: &options.filter,
        #[cfg(feature = "bucket")]
        buckets: Buckets::new(options.anonymous),
        #[cfg(feature = "bucket")]
        objects: Vec::new(),
        #[cfg(feature = "bucket")]
        ahead: Arc::default(),
        seen: HashSet::new(),
        resolver: Resolver::default(),
        listing: Listing::default(),
    };
    let mut stdin = false;
    for input in inputs {
        if input != STANDARD {
            lister.named(input)?;
        } else if std::mem::replace(&mut stdin, true) {
            return Err(Error::new(Object::Stdin, Doing::Read, ErrorKind::Twice, "it is given twice"));
        } else {
            lister.listing.sources.push(Source::of(STANDARD.to_owned(), Place::Stdin, None));
        }
    }
    #[cfg(feature = "bucket")]
    lister.ahead.set(lister.objects);
    Ok(lister.listing)
}

/// One object by its URL, in the version that is there now; nothing if it is not there. In an async runtime this must be
/// called on a thread that may block, and `access` must be kept for longer than the source.
///
/// # Errors
/// If that can't be found out.
#[cfg(feature = "lambda")]
pub(crate) fn object(url: &str, access: &Access) -> Result<Option<Source>, Error> {
    let (store, key) = BlockingStore::at(Location::parse(url)?, access)?;
    let Some(meta) = store.head(&key)? else { return Ok(None) };
    let (name, size) = (store.name(&meta.key), Some(meta.size));
    let ahead = ReadAhead::default();
    ahead.set(vec![(store, meta)]);
    Ok(Some(Source::of(name, Place::Object(Arc::new(ahead), 0), size)))
}

struct Lister<'o> {
    outputs: HashSet<PathBuf>,
    filter: &'o PathFilter,
    #[cfg(feature = "bucket")]
    buckets: Buckets,
    #[cfg(feature = "bucket")]
    objects: Vec<(BlockingStore, ObjectMeta)>,
    #[cfg(feature = "bucket")]
    ahead: Arc<ReadAhead>,
    /// Files listed, by digests of the paths that they have without links; and objects, by those of their URLs.
    seen: HashSet<u128>,
    resolver: Resolver,
    listing: Listing,
}

impl Lister<'_> {
    fn named(&mut self, input: &str) -> Result<(), Error> {
        let object = || Object::Named(input.to_owned());
        if input.contains("://") {
            return self.url(input);
        }
        let path = Path::new(input);
        let metadata = match fs::metadata(path) {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                return Err(Error::io(object(), Doing::Open, error));
            }
            Err(error) if is_absent(&error) && fs::symlink_metadata(path).is_ok() => {
                return Err(dangling(object()));
            }
            Err(_) if is_pattern(input) => return self.pattern(input),
            Err(error) if is_absent(&error) => return Err(absent(input)),
            Err(error) => return Err(Error::io(object(), Doing::Open, error)),
        };
        if metadata.is_dir() {
            return self.folder(path, path);
        }
        if self.is_output(path, &metadata) {
            let why = "it is both input and output";
            return Err(Error::new(object(), Doing::Read, ErrorKind::InputIsOutput, why));
        }
        self.take(path.to_owned(), &metadata);
        Ok(())
    }

    #[cfg(feature = "bucket")]
    fn url(&mut self, url: &str) -> Result<(), Error> {
        if let Some(path) = remote::path_of(url)? {
            return self.named(&path.to_string_lossy());
        }
        let Lister { filter, seen, listing, objects, ahead, .. } = self;
        self.buckets.list(url, &mut |found| {
            if found.below.is_some_and(|below| !filter.wants(&below)) {
                listing.skipped_filtered += 1;
                return;
            }
            let name = found.store.name(&found.meta.key);
            // A bucket may be named by either of its schemes.
            let known_as = name.strip_prefix("s3a://").map(|rest| format!("s3://{rest}"));
            if !seen.insert(digest(known_as.as_deref().unwrap_or(&name).as_bytes())) {
                listing.skipped_repeated += 1;
                return;
            }
            let place = Place::Object(Arc::clone(ahead), objects.len());
            listing.sources.push(Source::of(name, place, Some(found.meta.size)));
            objects.push((found.store, found.meta));
        })
    }

    #[cfg(not(feature = "bucket"))]
    fn url(&mut self, url: &str) -> Result<(), Error> {
        let why = "this udmap was built without the feature `bucket`";
        Err(Error::new(Object::Named(url.to_owned()), Doing::Open, ErrorKind::BadUrl, why))
    }

    /// Lists what was not listed before. A pipe or a device may well be read twice.
    fn take(&mut self, path: PathBuf, metadata: &fs::Metadata) {
        let digest = |path: PathBuf| digest(path.as_os_str().as_encoded_bytes());
        if metadata.is_file() && !self.seen.insert(digest(self.resolver.resolve(&path))) {
            self.listing.skipped_repeated += 1;
        } else {
            self.listing.sources.push(Source::path(path, metadata));
        }
    }

    /// What was written over is not read; a device or a pipe may well be both.
    fn is_output(&self, path: &Path, metadata: &fs::Metadata) -> bool {
        !self.outputs.is_empty()
            && metadata.is_file()
            && fs::canonicalize(path).is_ok_and(|path| self.outputs.contains(&path))
    }

    /// What is not a folder and was not named itself, but lies below `base`.
    fn found(&mut self, base: &Path, path: PathBuf, metadata: &fs::Metadata) {
        if !metadata.is_file() {
            // A forgotten pipe would be waited for without end, a socket can't be opened.
            self.listing.skipped_special += 1;
        } else if !self.filter.wants(&path.strip_prefix(base).unwrap_or(&path).to_string_lossy()) {
            self.listing.skipped_filtered += 1;
        } else if self.is_output(&path, metadata) {
            self.listing.skipped_outputs += 1;
        } else {
            self.take(path, metadata);
        }
    }

    /// Everything in a folder, which is `base` or lies below it.
    fn folder(&mut self, base: &Path, folder: &Path) -> Result<(), Error> {
        for seen in Walk::new(folder, false) {
            match seen {
                Seen::Entry(entry) if !entry.file_type().is_dir() => {
                    let metadata = entry.metadata().map_err(|error| cannot_walk(folder, error))?;
                    // `a/b`, not `./a/b`: as other tools name what lies in the working folder.
                    let path = entry.path();
                    let path = if folder == Path::new(".") {
                        path.strip_prefix(folder).unwrap_or(path)
                    } else {
                        path
                    };
                    self.found(base, path.to_owned(), &metadata);
                }
                Seen::Entry(_) => {}
                Seen::Hidden => self.listing.skipped_hidden += 1,
                Seen::Dangling(path, _) => return Err(dangling(named(&path))),
                Seen::Failed(error) => return Err(cannot_walk(folder, error)),
            }
        }
        Ok(())
    }

    fn pattern(&mut self, input: &str) -> Result<(), Error> {
        let mut paths = expand(input)?;
        paths.sort();
        paths.dedup();
        if paths.is_empty() {
            let why = "the pattern matches nothing";
            return Err(Error::new(Object::Named(input.to_owned()), Doing::List, ErrorKind::NoMatch, why));
        }
        let base = fixed_part(input);
        let mut above: Option<PathBuf> = None;
        for path in paths {
            // Sorted, what lies in a folder comes right behind the folder.
            if above.as_ref().is_some_and(|above| path.starts_with(above)) {
                continue;
            }
            match fs::metadata(&path) {
                Ok(metadata) if metadata.is_dir() => {
                    if !leads_up(&path) {
                        self.folder(&base, &path)?;
                    }
                    above = Some(path);
                }
                Ok(metadata) => self.found(&base, path, &metadata),
                Err(error) if is_absent(&error) => return Err(dangling(named(&path))),
                Err(error) => return Err(Error::io(named(&path), Doing::Open, error)),
            }
        }
        Ok(())
    }
}

fn digest(name: &[u8]) -> u128 {
    XxHash3_128::oneshot(name)
}

/// What comes before the first part of a pattern that has a wildcard.
fn fixed_part(pattern: &str) -> PathBuf {
    let parts = Path::new(pattern).components();
    parts.take_while(|part| !is_pattern(&part.as_os_str().to_string_lossy())).collect()
}

/// Whether it is a link to a folder that it lies in.
fn leads_up(path: &Path) -> bool {
    match (fs::canonicalize(path), path.parent().map(fs::canonicalize)) {
        (Ok(path), Some(Ok(parent))) => parent.starts_with(path),
        _ => false,
    }
}

/// Nothing of this name: say how much of the path there is.
fn absent(input: &str) -> Error {
    let why = "no such file or folder";
    let error = Error::new(Object::Named(input.to_owned()), Doing::Open, ErrorKind::NotFound, why);
    let mut missing = Path::new(input);
    while let Some(parent) = missing.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        match fs::metadata(parent) {
            Ok(metadata) if metadata.is_dir() => {
                let name = missing.file_name().unwrap_or_default().to_string_lossy();
                return error.with_hint(format!("there is nothing named `{name}` in `{}`", parent.display()));
            }
            Ok(_) => return error.with_hint(format!("`{}` is not a folder", parent.display())),
            Err(_) => missing = parent,
        }
    }
    match missing.file_name() {
        Some(name) if missing.is_relative() => {
            let (name, here) = (name.to_string_lossy(), std::env::current_dir().unwrap_or_default());
            error.with_hint(format!("there is nothing named `{name}` in `{}`", here.display()))
        }
        _ => error,
    }
}

#[cfg(test)]
mod tests;

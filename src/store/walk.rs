//! What lies in a folder, and what a pattern matches: links are followed, but never in circles.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use super::error::{Doing, Error, ErrorKind, Object};

/// How patterns match files, as in a shell: `*` stays within a folder, and leaves out what is hidden.
const FILES: glob::MatchOptions = glob::MatchOptions {
    case_sensitive: true,
    require_literal_separator: true,
    require_literal_leading_dot: true,
};

/// Whether a name has a character of patterns in it.
pub(crate) fn is_pattern(name: &str) -> bool {
    name.contains(['*', '?', '['])
}

/// Whether a file's path, or a folder above it, matches a pattern.
#[cfg(feature = "bucket")]
pub(crate) fn matches_file(pattern: &glob::Pattern, path: &str) -> bool {
    let mut rest = Some(path);
    while let Some(path) = rest {
        if pattern.matches_with(path, FILES) {
            return true;
        }
        rest = path.rsplit_once('/').map(|(folder, _)| folder);
    }
    false
}

/// What a [`Walk`] comes by.
pub(super) enum Seen {
    /// A file, a folder, or something else that is there.
    Entry(walkdir::DirEntry),
    /// Its name begins with a dot: it is left out, with everything below it.
    Hidden,
    /// A link that leads nowhere.
    #[cfg_attr(not(feature = "bucket"), expect(dead_code, reason = "a listing of files leaves it out"))]
    Dangling(PathBuf, walkdir::Error),
    /// What can't be looked at.
    Failed(walkdir::Error),
}

/// Everything below a folder, by name in each folder: the same as by path, whose order goes component by component.
pub(super) struct Walk {
    walk: walkdir::IntoIter,
    see_hidden: bool,
}

impl Walk {
    pub(super) fn new(folder: &Path, see_hidden: bool) -> Walk {
        let walk = WalkDir::new(folder).follow_links(true).min_depth(1).sort_by_file_name();
        Walk { walk: walk.into_iter(), see_hidden }
    }

    fn hides(&self, path: &Path) -> bool {
        !self.see_hidden && path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."))
    }
}

impl Iterator for Walk {
    type Item = Seen;

    fn next(&mut self) -> Option<Seen> {
        loop {
            return Some(match self.walk.next()? {
                Ok(entry) if self.hides(entry.path()) => {
                    if entry.file_type().is_dir() {
                        self.walk.skip_current_dir();
                    }
                    Seen::Hidden
                }
                Ok(entry) => Seen::Entry(entry),
                // A hidden link may lead nowhere.
                Err(error) if error.depth() > 0 && error.path().is_some_and(|path| self.hides(path)) => {
                    Seen::Hidden
                }
                // A link to a folder above: its files are listed from there.
                Err(error) if error.loop_ancestor().is_some() => continue,
                Err(error) => match error.path().filter(|_| error.io_error().is_some_and(is_absent)) {
                    Some(path) if fs::symlink_metadata(path).is_ok_and(|it| it.is_symlink()) => {
                        Seen::Dangling(path.to_owned(), error)
                    }
                    _ => Seen::Failed(error),
                },
            });
        }
    }
}

/// The paths that a pattern matches, in no particular order.
pub(crate) fn expand(input: &str) -> Result<Vec<PathBuf>, Error> {
    let bad = |error: glob::PatternError| {
        let why = format!("it is not a valid pattern: {} at byte {}", error.msg, error.pos);
        Error::new(Object::Named(input.to_owned()), Doing::List, ErrorKind::BadPattern, why)
    };
    let matches = |pattern: &str| {
        let paths: Result<Vec<PathBuf>, _> = glob::glob_with(pattern, FILES).map_err(bad)?.collect();
        paths.map_err(|error| {
            let object = named(error.path());
            Error::io(object, Doing::List, error.into())
        })
    };
    // The crate's `**` would follow links round and round.
    let is_any_folder = |part: &&str| part.trim_end_matches(std::path::is_separator) == "**";
    let parts: Vec<&str> = input.split_inclusive(std::path::is_separator).collect();
    let Some(at) = parts.iter().position(is_any_folder) else {
        return matches(input);
    };
    let (above, below) = (parts[..at].concat(), parts[at..].concat());
    // To the crate a last `**` means folders only; but a user wants what is in them.
    let everything = if below.ends_with("**") { "/*" } else { "" };
    let pattern = glob::Pattern::new(&format!("{below}{everything}")).map_err(bad)?;
    let folders = if above.is_empty() { vec![PathBuf::from(".")] } else { matches(&above)? };
    let mut paths = Vec::new();
    for folder in folders.iter().filter(|folder| folder.is_dir()) {
        for seen in Walk::new(folder, below.contains("/.")) {
            let path = match seen {
                Seen::Entry(entry) => entry.into_path(),
                Seen::Dangling(path, _) => path,
                Seen::Hidden => continue,
                Seen::Failed(error) => return Err(cannot_walk(folder, error)),
            };
            if pattern.matches_path_with(path.strip_prefix(folder).unwrap_or(&path), FILES) {
                paths.push(path.strip_prefix(".").unwrap_or(&path).to_owned());
            }
        }
    }
    Ok(paths)
}

/// Finds out which file a path leads to. A folder is resolved once for all files in it that come one after the other.
#[derive(Debug, Default)]
pub(crate) struct Resolver {
    folder: Option<(PathBuf, PathBuf)>,
}

impl Resolver {
    /// The path without links and detours; as it is if that can't be found out.
    pub(crate) fn resolve(&mut self, path: &Path) -> PathBuf {
        let whole = || fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let is_link = fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_symlink());
        let (Some(parent), Some(name), false) = (path.parent(), path.file_name(), is_link) else {
            return whole();
        };
        let parent = if parent.as_os_str().is_empty() { Path::new(".") } else { parent };
        match &self.folder {
            Some((folder, real)) if folder == parent => real.join(name),
            _ => match fs::canonicalize(parent) {
                Ok(real) => self.folder.insert((parent.to_owned(), real)).1.join(name),
                Err(_) => whole(),
            },
        }
    }
}

/// A folder, or something in it, can't be looked at.
pub(super) fn cannot_walk(folder: &Path, error: walkdir::Error) -> Error {
    let object = named(error.path().unwrap_or(folder));
    let error = error.into_io_error().unwrap_or_else(|| io::Error::other("too many links"));
    Error::io(object, Doing::List, error)
}

/// A link to something that is not there, or no more.
pub(super) fn dangling(object: Object) -> Error {
    Error::new(object, Doing::Open, ErrorKind::NotFound, "it is a link that leads nowhere")
}

/// Whether nothing is there, not even something that can't be looked at.
pub(super) fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// The path as the object of an error.
pub(super) fn named(path: &Path) -> Object {
    Object::Named(path.to_string_lossy().into_owned())
}

//! Files on their way: written under a hidden name next to their final one, and renamed when they are complete.
//!
//! The process that writes one holds a lock on it. So what a killed process has left can be told from what another one
//! is writing, and the next writer of the same file removes it. [`remove_temporaries`] does so at once, for a process
//! that is about to end without running destructors.

use crate::sync::lock;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard};

use tempfile::TempPath;

use super::error::{Doing, Error, Object};
use super::sink::{folder_of, sync_folder};

/// The end of a temporary file's name, behind so many random characters.
const SUFFIX: &str = ".tmp";
const RANDOM: usize = 6;

/// Those of this process.
static OWN: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

fn own() -> MutexGuard<'static, Vec<PathBuf>> {
    lock(&OWN)
}

/// Removes every unfinished file of this process.
#[cfg(feature = "cli")]
pub(crate) fn remove_temporaries() {
    for path in own().drain(..) {
        let _ = fs::remove_file(path);
    }
}

/// A file that is not complete. Dropped, it is gone.
#[derive(Debug)]
pub(crate) struct Temporary {
    /// There until it has its name.
    path: Option<TempPath>,
    to: PathBuf,
}

impl Temporary {
    /// Creates the file that will become `to`, with the owner and the permissions of what it will replace, as far as
    /// this process may give them. What ended processes have left of the same file is removed.
    ///
    /// The file must stay open until [`Temporary::commit`] returns: it holds the lock.
    pub(super) fn create(to: &Path, replaced: Option<&fs::Metadata>) -> io::Result<(File, Temporary)> {
        // The umask takes its part, as with any new file.
        let (file, temporary) = Temporary::with_mode(to, 0o666)?;
        if let Some(replaced) = replaced {
            inherit(&file, replaced)?;
        }
        Ok((file, temporary))
    }

    /// A file for what is read more than once, in the folder for temporary files. Nobody else may read it.
    ///
    /// # Errors
    /// If it can't be created; the error names the folder.
    #[cfg(feature = "cli")]
    pub(crate) fn scratch(name: &str) -> io::Result<(File, Temporary)> {
        Temporary::with_mode(&std::env::temp_dir().join(name), 0o600).map_err(in_scratch)
    }

    #[cfg_attr(not(unix), expect(unused_variables, reason = "there are no modes"))]
    fn with_mode(to: &Path, mode: u32) -> io::Result<(File, Temporary)> {
        let prefix = prefix(to);
        sweep(folder_of(to), &prefix);
        let mut builder = tempfile::Builder::new();
        builder.prefix(&prefix).suffix(SUFFIX).rand_bytes(RANDOM);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            builder.permissions(fs::Permissions::from_mode(mode));
        }
        let (file, path) = loop {
            let (file, path) = builder.tempfile_in(folder_of(to))?.into_parts();
            // Where there are no locks, nobody sweeps. Else somebody may have done so before it was locked.
            if file.try_lock().is_err() || path.exists() {
                break (file, path);
            }
        };
        own().push(path.to_path_buf());
        Ok((file, Temporary { path: Some(path), to: to.to_owned() }))
    }

    /// Where it is now.
    #[cfg(feature = "cli")]
    pub(crate) fn path(&self) -> &Path {
        self.path.as_deref().unwrap_or(&self.to)
    }

    /// Gives the file its name, which lasts when this returns.
    pub(super) fn commit(mut self) -> io::Result<()> {
        if let Some(path) = self.path.take() {
            forget(&path);
            path.persist(&self.to).map_err(|error| error.error)?;
            sync_folder(folder_of(&self.to));
        }
        Ok(())
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if let Some(path) = &self.path {
            forget(path);
        }
    }
}

/// A file without a name, in the folder for temporary files.
///
/// # Errors
/// If it can't be created; the error names the folder.
pub(crate) fn nameless() -> io::Result<File> {
    tempfile::tempfile().map_err(in_scratch)
}

/// The error of a file in the folder for temporary files: it names the folder, and how to choose another one.
pub(crate) fn in_scratch(error: io::Error) -> io::Error {
    if Error::in_io(&error).is_some() {
        return error;
    }
    let folder = std::env::temp_dir().to_string_lossy().into_owned();
    Error::io(Object::Named(folder), Doing::Scratch, error)
        .with_hint("make room there, or name another folder in the environment variable TMPDIR")
        .into()
}

/// It needs no removing any more.
fn forget(path: &Path) {
    own().retain(|own| own != path);
}

/// What the names of temporary files for `to` begin with.
fn prefix(to: &Path) -> String {
    let name = to.file_name().unwrap_or_default().to_string_lossy();
    // Room for the rest of the name, 255 bytes being the most in most file systems.
    let short: String = name
        .chars()
        .scan(200, |left: &mut usize, c| {
            *left = left.checked_sub(c.len_utf8())?;
            Some(c)
        })
        .collect();
    format!(".{short}.")
}

/// Removes those in `folder` that nobody holds. What can't be looked at stays.
fn sweep(folder: &Path, prefix: &str) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let random = name.to_str().and_then(|name| name.strip_prefix(prefix)?.strip_suffix(SUFFIX));
        let is_ours =
            random.is_some_and(|it| it.len() == RANDOM && it.bytes().all(|b| b.is_ascii_alphanumeric()));
        if !is_ours || !entry.file_type().is_ok_and(|kind| kind.is_file()) {
            continue;
        }
        // Its lock lasts until the file is gone.
        if let Ok(file) = File::options().write(true).open(entry.path())
            && file.try_lock().is_ok()
        {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// Gives `file` the owner and the permissions of `replaced`.
#[cfg(unix)]
fn inherit(file: &File, replaced: &fs::Metadata) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
    let now = file.metadata()?;
    let (owner, group) = (replaced.uid(), replaced.gid());
    if (now.uid(), now.gid()) != (owner, group) && fchown(file, Some(owner), Some(group)).is_err() {
        // Only root gives files away; to a group of its own a process may.
        let _ = fchown(file, None, Some(group));
    }
    // Without set-user-ID and its like, which writing takes away, too.
    file.set_permissions(fs::Permissions::from_mode(replaced.permissions().mode() & 0o777))
}

#[cfg(not(unix))]
fn inherit(file: &File, replaced: &fs::Metadata) -> io::Result<()> {
    file.set_permissions(replaced.permissions())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_dead_left_is_swept_and_the_living_keep_theirs() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let others = [".out.tmp", ".out.abc.tmp", ".out.abc/ef.tmp", ".other.abcdef.tmp", "out.abcdef.tmp"];
        for name in others.iter().filter(|name| !name.contains('/')) {
            fs::write(at(name), "x").unwrap();
        }
        fs::write(at(".out.abcdef.tmp"), "what a killed run left").unwrap();
        let (one, first) = Temporary::create(&at("out"), None).unwrap();
        assert!(!at(".out.abcdef.tmp").exists());
        let (two, second) = Temporary::create(&at("out"), None).unwrap();
        assert!(first.path.as_ref().unwrap().exists(), "another run at work");
        first.commit().unwrap();
        assert!(own().iter().all(|path| *path != at("out")));
        drop(one);
        let path = second.path.as_ref().unwrap().to_path_buf();
        assert!(own().contains(&path));
        drop(second);
        drop(two);
        assert!(!path.exists() && !own().contains(&path));
        let mut left: Vec<_> = fs::read_dir(folder.path())
            .unwrap()
            .map(|it| it.unwrap().file_name().into_string().unwrap())
            .collect();
        left.sort();
        assert_eq!(left, [".other.abcdef.tmp", ".out.abc.tmp", ".out.tmp", "out", "out.abcdef.tmp"]);
    }
}

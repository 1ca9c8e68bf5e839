//! The whole file or nothing: written under another name, and renamed when it is complete.
//!
//! That name is a hidden one next to the final one, or in a folder of the writer's own. The process that writes a file
//! next to its place holds a lock on it. So what a killed process has left differs from what another one
//! is writing, and the next writer of the same file removes it. [`remove_temporaries`] does so at once, for a process
//! that is about to end without running destructors.

use crate::sync::lock;
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard};

use tempfile::TempPath;

use super::error::{Doing, Error, Object};

/// The end of a temporary file's name, behind this many random characters.
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
pub(crate) struct AtomicFile {
    /// There until it has its name.
    path: Option<TempPath>,
    to: PathBuf,
}

impl AtomicFile {
    /// Creates the file that will become `to`, with the owner and the permissions of what it will replace, as far as
    /// this process may give them. What ended processes have left of the same file is removed.
    ///
    /// The file must stay open until [`AtomicFile::commit`] returns: it holds the lock.
    pub(super) fn create(to: &Path, replaced: Option<&fs::Metadata>) -> io::Result<(File, AtomicFile)> {
        // The umask takes its part, as with any new file.
        let (file, temporary) = AtomicFile::with_mode(to, 0o666)?;
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
    pub(crate) fn scratch(name: &str) -> io::Result<(File, AtomicFile)> {
        AtomicFile::with_mode(&std::env::temp_dir().join(name), 0o600).map_err(in_scratch)
    }

    fn with_mode(to: &Path, mode: u32) -> io::Result<(File, AtomicFile)> {
        let prefix = prefix(to);
        sweep(folder_of(to), &prefix);
        let mut builder = tempfile::Builder::new();
        builder.prefix(&prefix).suffix(SUFFIX).rand_bytes(RANDOM);
        ordinary(&mut builder, mode);
        let (file, path) = loop {
            let (file, path) = builder.tempfile_in(folder_of(to))?.into_parts();
            match file.try_lock() {
                // Nobody sweeps it any more, unless somebody did so before it was locked.
                Ok(()) if path.exists() => break (file, path),
                // Somebody takes it for a dead one's and is about to remove it.
                Ok(()) | Err(TryLockError::WouldBlock) => {}
                // Where there are no locks, nobody sweeps.
                Err(TryLockError::Error(_)) => break (file, path),
            }
        };
        own().push(path.to_path_buf());
        Ok((file, AtomicFile { path: Some(path), to: to.to_owned() }))
    }

    /// The name that it will have.
    #[cfg(feature = "bucket")]
    pub(super) fn to(&self) -> &Path {
        &self.to
    }

    /// Where it is now.
    #[cfg(feature = "bucket")]
    pub(crate) fn path(&self) -> &Path {
        self.path.as_deref().unwrap_or(&self.to)
    }

    /// A file that waits in a folder of the writer's own, where nobody else looks, and which the writer clears.
    #[cfg(feature = "bucket")]
    pub(super) fn staged(folder: &Path, to: &Path) -> io::Result<(File, AtomicFile)> {
        let mut builder = tempfile::Builder::new();
        ordinary(&mut builder, 0o666);
        let (file, path) = builder.tempfile_in(folder)?.into_parts();
        Ok((file, AtomicFile { path: Some(path), to: to.to_owned() }))
    }

    /// Gives the file its name, which lasts when this returns. What had it is replaced.
    pub(super) fn commit(mut self) -> io::Result<()> {
        if let Some(path) = self.path.take() {
            forget(&path);
            path.persist(&self.to).map_err(|error| error.error)?;
            sync_folder(folder_of(&self.to));
        }
        Ok(())
    }

    /// Gives the file its name, which lasts only when its folder is on disk; itself if something else has it.
    #[cfg(feature = "bucket")]
    pub(super) fn commit_new(mut self) -> io::Result<Result<(), AtomicFile>> {
        let Some(path) = self.path.take() else { return Ok(Ok(())) };
        let was = path.to_path_buf();
        match path.persist_noclobber(&self.to) {
            Ok(()) => {
                forget(&was);
                Ok(Ok(()))
            }
            Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => {
                self.path = Some(error.path);
                Ok(Err(self))
            }
            Err(error) => Err(error.error),
        }
    }
}

impl Drop for AtomicFile {
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

/// With this mode, of which the umask takes its part, as with any new file.
#[cfg_attr(not(unix), expect(unused_variables, reason = "there are no modes"))]
fn ordinary(builder: &mut tempfile::Builder<'_, '_>, mode: u32) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(fs::Permissions::from_mode(mode));
    }
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

/// Where a link leads, though there may be nothing yet; what is not a link is its own end.
pub(super) fn follow(path: &Path) -> io::Result<PathBuf> {
    let mut path = path.to_owned();
    // No more of them than Linux follows.
    for _ in 0..40 {
        let Ok(next) = fs::read_link(&path) else { return Ok(path) };
        path = folder_of(&path).join(next);
    }
    Err(io::Error::other("it is a link that leads back to itself, or through too many others"))
}

pub(super) fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// A rename lasts only when its folder is on disk. Not every system can do that.
pub(super) fn sync_folder(folder: &Path) {
    if let Ok(folder) = File::open(folder) {
        let _ = folder.sync_all();
    }
}

/// Makes a folder with those above it, and makes that last.
#[cfg(feature = "bucket")]
pub(super) fn make_folders(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    fs::create_dir_all(folder)?;
    folder.ancestors().take_while(|path| !path.as_os_str().is_empty()).take(3).for_each(sync_folder);
    Ok(())
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
        let (one, first) = AtomicFile::create(&at("out"), None).unwrap();
        assert!(!at(".out.abcdef.tmp").exists());
        let (two, second) = AtomicFile::create(&at("out"), None).unwrap();
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

    /// One that is created and not locked yet looks like a dead one's.
    #[test]
    fn writers_of_one_file_at_once_keep_theirs() {
        let folder = tempfile::tempdir().unwrap();
        let to = folder.path().join("out");
        let write = || {
            for _ in 0..200 {
                let (_file, temporary) = AtomicFile::create(&to, None).unwrap();
                temporary.commit().unwrap();
            }
        };
        std::thread::scope(|scope| (0..8).for_each(|_| drop(scope.spawn(write))));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}

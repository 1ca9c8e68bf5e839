//! Files that get their names all at once.
//!
//! A file is written to a folder of the run's own below the root, `.udmap-XXXX`, and gets its name
//! when it and its neighbours are on the disk ([`BlockingStore::commit`](super::BlockingStore::commit)): one
//! waiting for the disk serves them all. What a killed run leaves there is removed by the next one.

use crate::store::atomic::{AtomicFile, folder_of, make_folders};
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;
use walkdir::WalkDir;

/// The names of folders in which files are written.
const STAGING: &str = ".udmap-";
/// A folder whose writer never came to lock it is left alone for this long.
const UNLOCKED: Duration = Duration::from_secs(3600);

/// A file that is whole and waits for its name.
#[derive(Debug)]
pub struct StagedFile {
    pub(super) file: AtomicFile,
    pub(super) key: String,
}

/// The outcome of a [`StagedFile`].
pub(super) enum Placed {
    New,
    /// The same bytes are there.
    Same,
    /// Other bytes are.
    Other,
}

/// Removes folders below `folder` that nothing is in, or only folders like them.
pub(super) fn remove_empty(folder: &Path) -> io::Result<()> {
    for entry in WalkDir::new(folder).min_depth(1).contents_first(true) {
        let entry = entry?;
        if entry.file_type().is_dir() {
            match fs::remove_dir(entry.path()) {
                Err(error) if error.kind() != io::ErrorKind::DirectoryNotEmpty => return Err(error),
                _ => {}
            }
        }
    }
    Ok(())
}

/// Where files are written before they get their names.
#[derive(Debug)]
pub(super) struct Staging {
    root: PathBuf,
    folder: Mutex<Option<Locked>>,
}

/// A staging folder, locked as long as its process lives.
#[derive(Debug)]
struct Locked {
    path: PathBuf,
    _lock: File,
}

impl Drop for Locked {
    fn drop(&mut self) {
        clear(&self.path);
    }
}

impl Staging {
    pub(super) fn new(root: &Path) -> Staging {
        Staging { root: root.to_owned(), folder: Mutex::default() }
    }

    /// A new file, to be written.
    pub(super) fn file(&self, to: &Path) -> io::Result<(File, AtomicFile)> {
        let mut folder = crate::sync::lock(&self.folder);
        let locked = match &*folder {
            Some(locked) => locked,
            None => {
                make_folders(&self.root)?;
                folder.insert(lock(&self.root)?)
            }
        };
        AtomicFile::staged(&locked.path, to)
    }
}

fn lock(root: &Path) -> io::Result<Locked> {
    loop {
        let path = tempfile::Builder::new().prefix(STAGING).tempdir_in(root)?.keep();
        // An empty folder may be swept before it has its lock.
        let lock = match File::options().create(true).truncate(false).write(true).open(path.join("lock")) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            lock => lock?,
        };
        lock.lock()?;
        // Somebody may have swept it between its making and its locking.
        if path.join("lock").exists() {
            return Ok(Locked { path, _lock: lock });
        }
    }
}

/// Removes what ended runs have left.
pub(super) fn sweep(root: &Path) {
    let Ok(entries) = fs::read_dir(root) else { return };
    for entry in entries.flatten() {
        if !entry.file_name().as_encoded_bytes().starts_with(STAGING.as_bytes()) {
            continue;
        }
        let path = entry.path();
        match File::options().write(true).open(path.join("lock")) {
            Ok(lock) if lock.try_lock().is_ok() => clear(&path),
            Ok(_) => {}
            Err(_) => {
                // Its making or its clearing was ended in the middle. That of another run may go on:
                // it is removed only if it is empty, or old.
                let made = entry.metadata().and_then(|metadata| metadata.modified());
                let old = made.is_ok_and(|made| made.elapsed().is_ok_and(|age| age > UNLOCKED));
                let _ = if old { fs::remove_dir_all(path) } else { fs::remove_dir(path) };
            }
        }
    }
}

/// Removes a staging folder, its lock last: a process that is killed while doing so leaves one that is
/// seen to be dead.
fn clear(path: &Path) {
    for entry in fs::read_dir(path).into_iter().flatten().flatten() {
        if entry.file_name() != "lock" {
            let _ = fs::remove_file(entry.path());
        }
    }
    let _ = fs::remove_file(path.join("lock"));
    let _ = fs::remove_dir(path);
}

/// Brings everything below `root` to the disk that was written so far.
#[cfg(target_os = "linux")]
pub(super) fn sync_all(root: &Path, _: &[StagedFile]) -> io::Result<()> {
    Ok(rustix::fs::syncfs(File::open(root)?)?)
}

#[cfg(not(target_os = "linux"))]
pub(super) fn sync_all(_: &Path, files: &[StagedFile]) -> io::Result<()> {
    files.iter().try_for_each(|staged| File::options().write(true).open(staged.file.path())?.sync_all())
}

/// Gives a file its name, unless something has it. Its folder is made if it is not among those that were made before,
/// and is one of them then.
pub(super) fn place(staged: StagedFile, made: &mut BTreeSet<PathBuf>) -> io::Result<Placed> {
    let folder = folder_of(staged.file.to());
    if !made.contains(folder) {
        make_folders(folder)?;
        made.insert(folder.to_owned());
    }
    match staged.file.commit_new()? {
        Ok(()) => Ok(Placed::New),
        Err(file) if same(file.path(), file.to())? => Ok(Placed::Same),
        Err(_) => Ok(Placed::Other),
    }
}

fn same(a: &Path, b: &Path) -> io::Result<bool> {
    let (mut a, mut b) = (File::open(a)?, File::open(b)?);
    if a.metadata()?.len() != b.metadata()?.len() {
        return Ok(false);
    }
    let (mut left, mut right) = (vec![0; 1 << 18], vec![0; 1 << 18]);
    loop {
        let n = a.read(&mut left)?;
        if n == 0 {
            return Ok(true);
        }
        b.read_exact(&mut right[..n])?;
        if left[..n] != right[..n] {
            return Ok(false);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    #[test]
    fn the_dead_are_swept_and_the_living_are_not() {
        let root = tempfile::tempdir().unwrap();
        let dead = root.path().join(".udmap-dead");
        fs::create_dir(&dead).unwrap();
        fs::write(dead.join("lock"), "").unwrap();
        fs::write(dead.join("part"), "x").unwrap();
        let half = root.path().join(".udmap-half");
        fs::create_dir(&half).unwrap();
        sweep(root.path());
        let (one, two) = (Staging::new(root.path()), Staging::new(root.path()));
        let to = root.path().join("a/b/c");
        let staged = |staging: &Staging, text: &[u8]| {
            let (mut file, atomic) = staging.file(&to).unwrap();
            file.write_all(text).unwrap();
            StagedFile { file: atomic, key: "a/b/c".into() }
        };
        let made = &mut BTreeSet::new();
        let (first, other) = (staged(&one, b"one"), staged(&two, b""));
        sweep(root.path());
        assert!(!dead.exists() && !half.exists());
        assert!(matches!(place(first, made).unwrap(), Placed::New));
        assert!(matches!(place(other, made).unwrap(), Placed::Other));
        assert!(matches!(place(staged(&one, b"one"), made).unwrap(), Placed::Same));
        drop((one, two));
        let names: Vec<_> = fs::read_dir(root.path()).unwrap().map(|it| it.unwrap().file_name()).collect();
        assert_eq!(names, ["a"]);
    }
}

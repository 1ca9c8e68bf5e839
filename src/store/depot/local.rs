//! A folder as a depot: files listed in order, and put in their places all at once.
//!
//! A file is written to a folder of the run's own below the root, `.udmap-XXXX`, and gets its name
//! when it and its neighbours are on the disk ([`Depot::settle`](super::Depot::settle)): one
//! waiting for the disk serves them all. What a killed run leaves there is removed by the next one.

use super::Found;
use crate::store::objects::make_folders;
use crate::store::sink::{folder_of, sync_folder};

use chrono::DateTime;
use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{Duration, SystemTime};
use tempfile::{NamedTempFile, TempPath};
use walkdir::WalkDir;

/// The names of folders in which files are written.
const STAGING: &str = ".udmap-";
/// A folder whose writer never came to lock it is left alone for this long.
const UNLOCKED: Duration = Duration::from_secs(3600);

/// A file that is whole and waits for its name.
#[derive(Debug)]
pub struct Pending {
    pub(super) file: TempPath,
    pub(super) to: PathBuf,
    pub(super) key: String,
}

/// What became of a [`Pending`] file.
pub(super) enum Placed {
    New,
    /// The same bytes stand there.
    Same,
    /// Other bytes do.
    Other,
}

pub(super) fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// A path as it is on disk, so that a folder has one name, however it is given: links are followed
/// as far as there is something.
pub(super) fn real(path: &Path) -> PathBuf {
    for there in path.ancestors() {
        if let (Ok(real), Ok(rest)) = (fs::canonicalize(there), path.strip_prefix(there)) {
            return if rest.as_os_str().is_empty() { real } else { real.join(rest) };
        }
    }
    path.to_owned()
}

/// A file's listing.
pub(super) fn found(key: String, metadata: &fs::Metadata) -> Found {
    let modified = metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH);
    let nanos = match modified.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(since) => i128::try_from(since.as_nanos()).unwrap_or(i128::MAX),
        Err(before) => -i128::try_from(before.duration().as_nanos()).unwrap_or(i128::MAX),
    };
    let modified = i64::try_from(nanos).map_or(DateTime::UNIX_EPOCH, DateTime::from_timestamp_nanos);
    Found { key, size: metadata.len(), etag: format!("{:x}-{nanos:x}", metadata.len()), modified }
}

pub(super) fn peek(path: &Path, range: Range<u64>) -> io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(range.start))?;
    let mut bytes = Vec::new();
    file.take(range.end - range.start).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The files below a folder, part by part in the order of their names; keys are relative to `root`.
pub(super) fn walk(
    folder: &Path,
    root: PathBuf,
) -> impl Iterator<Item = Result<Found, (String, io::Error)>> + Send + use<> {
    let hidden = |entry: &walkdir::DirEntry| {
        entry.depth() > 0 && entry.file_name().as_encoded_bytes().starts_with(b".")
    };
    let walk = WalkDir::new(folder).follow_links(true).sort_by_file_name().into_iter();
    walk.filter_entry(move |entry| !hidden(entry)).filter_map(move |entry| {
        let key = |path: &Path| match path.strip_prefix(&root).unwrap_or(path).to_str() {
            Some(key) => Ok(key.to_owned()),
            None => {
                let shown = path.to_string_lossy().into_owned();
                Err((shown, io::Error::other("its name is not UTF-8")))
            }
        };
        let entry = match entry {
            Ok(entry) => entry,
            // A link to a folder above: its files are listed from there.
            Err(error) if error.loop_ancestor().is_some() => return None,
            Err(error) => {
                let path = error.path().unwrap_or(&root);
                let shown = path.strip_prefix(&root).unwrap_or(path).to_string_lossy().into_owned();
                return Some(Err((shown, error.into())));
            }
        };
        if !entry.file_type().is_file() {
            return None;
        }
        Some(key(entry.path()).and_then(|key| match entry.metadata() {
            Ok(metadata) => Ok(found(key, &metadata)),
            Err(error) => Err((key, error.into())),
        }))
    })
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
    pub(super) fn file(&self) -> io::Result<NamedTempFile> {
        let mut folder = crate::sync::lock(&self.folder);
        let locked = match &*folder {
            Some(locked) => locked,
            None => {
                make_folders(&self.root)?;
                folder.insert(lock(&self.root)?)
            }
        };
        let mut builder = tempfile::Builder::new();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            // The umask takes its part, as with any new file.
            builder.permissions(fs::Permissions::from_mode(0o666));
        }
        builder.tempfile_in(&locked.path)
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

/// Removes a staging folder, its lock last: whoever is killed while doing so leaves one that can be
/// told to be dead.
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
pub(super) fn sync_all(root: &Path, _: &[Pending]) -> io::Result<()> {
    Ok(rustix::fs::syncfs(File::open(root)?)?)
}

#[cfg(not(target_os = "linux"))]
pub(super) fn sync_all(_: &Path, files: &[Pending]) -> io::Result<()> {
    files.iter().try_for_each(|pending| File::options().write(true).open(&pending.file)?.sync_all())
}

/// Gives a file its name, unless something stands there.
pub(super) fn place(pending: Pending) -> io::Result<Placed> {
    make_folders(folder_of(&pending.to))?;
    match pending.file.persist_noclobber(&pending.to) {
        Ok(()) => Ok(Placed::New),
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => {
            let same = same(&error.path, &pending.to)?;
            Ok(if same { Placed::Same } else { Placed::Other })
        }
        Err(error) => Err(error.error),
    }
}

/// Makes names last that were given to files in these folders.
pub(super) fn sync_folders(files: &[PathBuf]) {
    let mut folders: Vec<&Path> = files.iter().map(|path| folder_of(path)).collect();
    folders.sort_unstable();
    folders.dedup();
    folders.into_iter().for_each(sync_folder);
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
        let mut file = one.file().unwrap();
        file.write_all(b"one").unwrap();
        let other = two.file().unwrap();
        sweep(root.path());
        assert!(!dead.exists() && !half.exists());
        let to = root.path().join("a/b/c");
        let pending = |file: NamedTempFile| Pending {
            file: file.into_temp_path(),
            to: to.clone(),
            key: "a/b/c".into(),
        };
        assert!(matches!(place(pending(file)).unwrap(), Placed::New));
        assert!(matches!(place(pending(other)).unwrap(), Placed::Other));
        let mut again = one.file().unwrap();
        again.write_all(b"one").unwrap();
        assert!(matches!(place(pending(again)).unwrap(), Placed::Same));
        drop((one, two));
        let names: Vec<_> = fs::read_dir(root.path()).unwrap().map(|it| it.unwrap().file_name()).collect();
        assert_eq!(names, ["a"]);
    }
}

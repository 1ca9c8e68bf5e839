//! Objects as files below a folder: they appear whole, last, and are compared under a lock.

use super::object::{Created, Deleted, MOST_BYTES, Object, ObjectMeta, Replaced, Version};
use super::staging::Staging;
use crate::store::atomic::{AtomicFile, folder_of, follow, make_folders, sync_folder};
use crate::store::error::{Doing, Error, ErrorKind, Object as Named};
use crate::store::walk::{Seen, Walk, is_absent};
use chrono::DateTime;
use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// A folder of objects. It is made when something is written. Its calls block: callers that need many at once have threads.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    root: String,
    pub(super) staging: Staging,
}

impl Folder {
    pub(super) fn new(path: &Path) -> Folder {
        let root = path.to_string_lossy().trim_end_matches('/').to_owned();
        Folder { path: path.to_owned(), root, staging: Staging::new(path) }
    }

    pub(super) fn root(&self) -> &str {
        &self.root
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn head(&self, key: &str) -> Result<Option<ObjectMeta>, Error> {
        match fs::metadata(self.path.join(key)) {
            Ok(metadata) if metadata.is_file() => Ok(Some(meta(key.to_owned(), &metadata))),
            Ok(_) => Ok(None),
            Err(error) if is_absent(&error) => Ok(None),
            Err(error) => Err(self.failed(key, Doing::Read, error)),
        }
    }

    pub(super) fn read(&self, key: &str, most: u64) -> Result<Option<Object>, Error> {
        self.look(key, most).map_err(|error| self.failed(key, Doing::Read, error))
    }

    /// Opens the version of a file that was found.
    pub(super) fn open(&self, wanted: &ObjectMeta) -> Result<File, Error> {
        let open = || {
            let file = File::open(self.path.join(&wanted.key))?;
            let metadata = file.metadata()?;
            Ok((file, metadata))
        };
        let (file, metadata) = open().map_err(|error| self.failed(&wanted.key, Doing::Read, error))?;
        self.unchanged(wanted, &metadata).map(|()| file)
    }

    /// Whether what is open, and what has its name, still is the version that was found.
    pub(super) fn still(&self, wanted: &ObjectMeta, file: &File) -> Result<(), Error> {
        for metadata in [file.metadata(), fs::metadata(self.path.join(&wanted.key))] {
            let metadata = metadata.map_err(|error| self.failed(&wanted.key, Doing::Read, error))?;
            self.unchanged(wanted, &metadata)?;
        }
        Ok(())
    }

    fn unchanged(&self, wanted: &ObjectMeta, metadata: &fs::Metadata) -> Result<(), Error> {
        if etag(metadata.len(), modified(metadata)) == wanted.etag {
            return Ok(());
        }
        Err(Error::changed(&format!("{}/{}", self.root, wanted.key)))
    }

    pub(super) fn read_end(&self, wanted: &ObjectMeta, last: bool, most: u64) -> Result<Vec<u8>, Error> {
        let mut file = self.open(wanted)?;
        let from = if last { wanted.size.saturating_sub(most) } else { 0 };
        let mut bytes = Vec::new();
        let read = file
            .seek(SeekFrom::Start(from))
            .and_then(|_| file.take(most.min(wanted.size)).read_to_end(&mut bytes));
        read.map_err(|error| self.failed(&wanted.key, Doing::Read, error))?;
        Ok(bytes)
    }

    /// The files below a folder, part by part in the order of their names.
    pub(super) fn list(
        &self,
        prefix: &str,
    ) -> impl Iterator<Item = Result<ObjectMeta, Error>> + Send + use<> {
        let (path, root) = (self.path.clone(), self.root.clone());
        let key = move |full: &Path| full.strip_prefix(&path).unwrap_or(full).to_owned();
        let failed = move |key: &Path, error| failed(&root, &key.to_string_lossy(), Doing::List, error);
        Walk::new(&self.path.join(prefix), false).filter_map(move |seen| match seen {
            Seen::Entry(entry) if entry.file_type().is_file() => {
                let key = key(entry.path());
                let Some(name) = key.to_str() else {
                    return Some(Err(failed(&key, io::Error::other("its name is not UTF-8"))));
                };
                let metadata = entry.metadata().map_err(|error| failed(&key, error.into()));
                Some(metadata.map(|metadata| meta(name.to_owned(), &metadata)))
            }
            Seen::Entry(_) | Seen::Hidden => None,
            Seen::Dangling(path, error) => Some(Err(failed(&key(&path), error.into()))),
            Seen::Failed(error) => {
                let at = error.path().map(&key).unwrap_or_default();
                Some(Err(failed(&at, error.into())))
            }
        })
    }

    pub(super) fn create(&self, key: &str, bytes: &[u8]) -> Result<Created, Error> {
        self.create_now(key, bytes).map_err(|error| self.failed(key, Doing::Write, error))
    }

    pub(super) fn replace(&self, key: &str, bytes: &[u8], was: &Version) -> Result<Replaced, Error> {
        self.replace_now(key, bytes, was).map_err(|error| self.failed(key, Doing::Write, error))
    }

    pub(super) fn remove(&self, key: &str) -> Result<(), Error> {
        self.at(key).and_then(fs::remove_file).map_err(|error| self.failed(key, Doing::Remove, error))
    }

    /// Removes a file if it has this ETag; between the look and the removal another writer may come.
    pub(super) fn delete(&self, key: &str, etag: &str) -> Result<Deleted, Error> {
        match self.head(key)? {
            None => return Ok(Deleted::Gone),
            Some(meta) if meta.etag != etag => return Ok(Deleted::Changed),
            Some(_) => {}
        }
        // A link goes, and not what it leads to.
        match fs::remove_file(self.path.join(key)) {
            Ok(()) => Ok(Deleted::Done),
            Err(error) if is_absent(&error) => Ok(Deleted::Gone),
            Err(error) => Err(self.failed(key, Doing::Remove, error)),
        }
    }

    /// The object's file. A link to one is followed, so that it is the file that is replaced and not the link.
    fn at(&self, key: &str) -> io::Result<PathBuf> {
        follow(&self.path.join(key))
    }

    /// Reads without a lock: a file is replaced by renaming, so what is read is whole.
    fn look(&self, key: &str, most: u64) -> io::Result<Option<Object>> {
        let path = self.at(key)?;
        let file = match fs::metadata(&path) {
            // A device has no end, and a pipe may have no other one.
            Ok(metadata) if !metadata.is_file() => return Err(io::Error::other("it is not a regular file")),
            Ok(_) => File::open(&path),
            Err(error) => Err(error),
        };
        let mut bytes = Vec::new();
        match file.and_then(|file| file.take(most.saturating_add(1)).read_to_end(&mut bytes)) {
            Ok(_) if bytes.len() as u64 > most => {
                Err(io::Error::other(format!("it is larger than expected: more than {most} bytes")))
            }
            Ok(_) => Ok(Some(Object { version: version(&bytes), bytes: bytes.into() })),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Writes a file next to its place, and brings it to the disk.
    fn beside(&self, path: &Path, bytes: &[u8]) -> io::Result<(File, AtomicFile)> {
        make_folders(folder_of(path))?;
        let (mut file, atomic) = AtomicFile::create(path, fs::metadata(path).ok().as_ref())?;
        file.write_all(bytes)?;
        file.sync_all()?;
        Ok((file, atomic))
    }

    fn create_now(&self, key: &str, bytes: &[u8]) -> io::Result<Created> {
        if let Some(object) = self.look(key, MOST_BYTES)? {
            return Ok(Created::Exists(object));
        }
        let path = self.at(key)?;
        let (_file, atomic) = self.beside(&path, bytes)?;
        if atomic.commit_new()?.is_ok() {
            sync_folder(folder_of(&path));
            return Ok(Created::New(version(bytes)));
        }
        match self.look(key, MOST_BYTES)? {
            Some(object) => Ok(Created::Exists(object)),
            None => Err(io::ErrorKind::AlreadyExists.into()),
        }
    }

    fn replace_now(&self, key: &str, bytes: &[u8], was: &Version) -> io::Result<Replaced> {
        let changed =
            || Ok::<_, io::Error>(self.look(key, MOST_BYTES)?.is_none_or(|object| object.version != *was));
        let path = self.at(key)?;
        // Before anything is compared: that it can be written shows even where nothing is replaced.
        let (_file, atomic) = self.beside(&path, bytes)?;
        if changed()? {
            return Ok(Replaced::Changed);
        }
        // Locked is a file of its own: the object's own file is another one after each rename. The
        // lock ends with the process, however that ends.
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let lock = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(folder_of(&path).join(format!(".{name}.lock")))?;
        lock.lock()?;
        if changed()? {
            return Ok(Replaced::Changed);
        }
        atomic.commit()?;
        Ok(Replaced::Done(version(bytes)))
    }

    pub(super) fn failed(&self, key: &str, doing: Doing, error: io::Error) -> Error {
        failed(&self.root, key, doing, error)
    }
}

fn failed(root: &str, key: &str, doing: Doing, error: io::Error) -> Error {
    let kind = match error.kind() {
        io::ErrorKind::PermissionDenied => ErrorKind::Denied,
        _ if is_absent(&error) => ErrorKind::NotFound,
        _ => ErrorKind::Io,
    };
    Error::io(Named::Named(format!("{root}/{key}")), doing, error).of_kind(kind)
}

/// A file's listing.
fn meta(key: String, metadata: &fs::Metadata) -> ObjectMeta {
    let nanos = modified(metadata);
    let modified = i64::try_from(nanos).map_or(DateTime::UNIX_EPOCH, DateTime::from_timestamp_nanos);
    ObjectMeta { key, size: metadata.len(), etag: etag(metadata.len(), nanos), modified }
}

/// Which version of a file it is, as far as that can be seen from outside.
#[cfg(all(feature = "cli", feature = "send"))]
pub(in crate::store) fn file_version(metadata: &fs::Metadata) -> String {
    etag(metadata.len(), modified(metadata))
}

/// When a file was last changed, in nanoseconds since 1970.
fn modified(metadata: &fs::Metadata) -> i128 {
    let modified = metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH);
    match modified.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(since) => i128::try_from(since.as_nanos()).unwrap_or(i128::MAX),
        Err(before) => -i128::try_from(before.duration().as_nanos()).unwrap_or(i128::MAX),
    }
}

fn etag(size: u64, nanos: i128) -> String {
    // The digits are the same, and far quicker made.
    match u64::try_from(nanos) {
        Ok(nanos) => format!("{size:x}-{nanos:x}"),
        Err(_) => format!("{size:x}-{nanos:x}"),
    }
}

/// The content itself, in short: a file's times are too coarse to tell two versions apart.
fn version(bytes: &[u8]) -> Version {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes);
    Version { tag: Some(crate::text::hex(digest.as_ref())), generation: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn created_once_and_replaced_by_whom_has_read_it() {
        let folder = tempfile::tempdir().unwrap();
        let objects = Folder::new(&folder.path().join("deep/er"));
        let (key, one, two) = ("a/b.json", b"one".as_slice(), b"two".as_slice());
        assert!(objects.look(key, 99).unwrap().is_none());
        let Created::New(first) = objects.create_now(key, one).unwrap() else { panic!() };
        let Created::Exists(found) = objects.create_now(key, two).unwrap() else { panic!() };
        assert_eq!((&found.bytes[..], &found.version), (one, &first));
        let Replaced::Done(second) = objects.replace_now(key, two, &first).unwrap() else { panic!() };
        assert!(matches!(objects.replace_now(key, one, &first).unwrap(), Replaced::Changed));
        assert_eq!(objects.look(key, 99).unwrap().unwrap().bytes, two);
        fs::remove_file(objects.at(key).unwrap()).unwrap();
        assert!(matches!(objects.replace_now(key, one, &second).unwrap(), Replaced::Changed));
        let left: Vec<_> = fs::read_dir(folder.path().join("deep/er/a"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        assert_eq!(left, [".b.json.lock"]);
    }

    #[test]
    fn one_winner_of_many() {
        let folder = tempfile::tempdir().unwrap();
        for round in 0..20 {
            let objects = Folder::new(folder.path());
            let key = &format!("{round}");
            let count = |won: &(dyn Fn(u8) -> bool + Sync)| {
                std::thread::scope(|scope| {
                    let all: Vec<_> = (0..8).map(|n| scope.spawn(move || won(n))).collect();
                    all.into_iter().map(|thread| usize::from(thread.join().unwrap())).sum::<usize>()
                })
            };
            let created = |n: u8| matches!(objects.create_now(key, &[n]).unwrap(), Created::New(_));
            assert_eq!(count(&created), 1);
            let was = objects.look(key, 99).unwrap().unwrap().version;
            let replaced =
                |n: u8| matches!(objects.replace_now(key, &[n + 10], &was).unwrap(), Replaced::Done(_));
            assert_eq!(count(&replaced), 1);
        }
    }

    #[test]
    #[cfg(unix)]
    fn a_link_is_followed_and_stays() {
        use std::os::unix::fs::{PermissionsExt as _, symlink};
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir(at("real")).unwrap();
        symlink("middle", at("link")).unwrap();
        symlink(at("real/file"), at("middle")).unwrap();
        let objects = Folder::new(folder.path());
        let is_link = |name: &str| fs::symlink_metadata(at(name)).unwrap().is_symlink();
        // It leads to nothing yet.
        assert!(objects.look("link", 9).unwrap().is_none());
        let Created::New(first) = objects.create_now("link", b"one").unwrap() else { panic!() };
        assert_eq!(fs::read(at("real/file")).unwrap(), b"one");
        let Created::Exists(_) = objects.create_now("link", b"two").unwrap() else { panic!() };
        fs::set_permissions(at("real/file"), fs::Permissions::from_mode(0o600)).unwrap();
        let Replaced::Done(_) = objects.replace_now("link", b"two", &first).unwrap() else { panic!() };
        assert_eq!(fs::read(at("real/file")).unwrap(), b"two");
        assert_eq!(fs::metadata(at("real/file")).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(is_link("link") && is_link("middle") && !is_link("real/file"));
        // By either name it is one object, under one lock.
        let Replaced::Changed = objects.replace_now("real/file", b"three", &first).unwrap() else { panic!() };
        assert!(at("real/.file.lock").exists() && !at(".link.lock").exists());
        // A loop leads nowhere.
        symlink("b", at("a")).unwrap();
        symlink("a", at("b")).unwrap();
        assert!(objects.look("a", 9).is_err() && objects.create_now("a", b"x").is_err());
        assert!(objects.replace_now("a", b"x", &first).is_err() && is_link("a") && is_link("b"));
    }

    #[test]
    fn what_is_no_file_or_too_large_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let objects = Folder::new(folder.path());
        objects.create_now("k", b"123456789").unwrap();
        assert!(objects.look("k", 9).unwrap().is_some());
        assert!(objects.look("k", 8).unwrap_err().to_string().contains("larger than expected"));
        fs::create_dir(folder.path().join("folder")).unwrap();
        assert!(objects.look("folder", 9).unwrap_err().to_string().contains("not a regular file"));
        #[cfg(unix)]
        for device in ["zero", "null"] {
            let error = Folder::new(Path::new("/dev")).look(device, 9).unwrap_err();
            assert!(error.to_string().contains("not a regular file"), "{error}");
        }
    }
}

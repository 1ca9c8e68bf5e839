//! Objects as files below a folder: they appear whole, last, and are compared under a lock.

use super::{Created, MOST_BYTES, Object, Objects, Replaced, Version};
use crate::store::error::{Doing, Error, ErrorKind, Object as Named};
use crate::store::sink::{folder_of, follow, sync_folder};
use async_trait::async_trait;
use bytes::Bytes;
use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// A folder of objects. It is made when something is written.
///
/// Its files are small and local, so its calls block.
#[derive(Debug, Clone)]
pub struct Folder {
    path: PathBuf,
}

impl Folder {
    /// The objects below `path`.
    pub fn new(path: impl Into<PathBuf>) -> Folder {
        Folder { path: path.into() }
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

    /// Writes a file beside its place, and brings it to the disk.
    fn beside(&self, key: &str, bytes: &[u8]) -> io::Result<(NamedTempFile, PathBuf)> {
        let path = self.at(key)?;
        let folder = folder_of(&path);
        make_folders(folder)?;
        let mut builder = tempfile::Builder::new();
        builder.prefix(".udmap.").suffix(".tmp");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            // The umask takes its part, as with any new file.
            builder.permissions(fs::Permissions::from_mode(0o666));
        }
        let mut file = builder.tempfile_in(folder)?;
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        Ok((file, path))
    }

    fn create_now(&self, key: &str, bytes: &[u8]) -> io::Result<Created> {
        if let Some(object) = self.look(key, MOST_BYTES)? {
            return Ok(Created::Exists(object));
        }
        let (file, path) = self.beside(key, bytes)?;
        match file.persist_noclobber(&path) {
            Ok(_) => {
                sync_folder(folder_of(&path));
                Ok(Created::New(version(bytes)))
            }
            Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => {
                match self.look(key, MOST_BYTES)? {
                    Some(object) => Ok(Created::Exists(object)),
                    None => Err(error.error),
                }
            }
            Err(error) => Err(error.error),
        }
    }

    fn replace_now(&self, key: &str, bytes: &[u8], was: &Version) -> io::Result<Replaced> {
        let changed =
            || Ok::<_, io::Error>(self.look(key, MOST_BYTES)?.is_none_or(|object| object.version != *was));
        let (file, path) = self.beside(key, bytes)?;
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
        if let Ok(metadata) = fs::metadata(&path) {
            file.as_file().set_permissions(metadata.permissions())?;
        }
        file.persist(&path).map_err(|error| error.error)?;
        sync_folder(folder_of(&path));
        Ok(Replaced::Done(version(bytes)))
    }

    fn error(&self, key: &str, doing: Doing, error: io::Error) -> Error {
        let denied = error.kind() == io::ErrorKind::PermissionDenied;
        let error = Error::io(Named::Named(self.name(key)), doing, error);
        if denied { error.of_kind(ErrorKind::Denied) } else { error }
    }
}

#[async_trait]
impl Objects for Folder {
    async fn read(&self, key: &str, most: u64) -> Result<Option<Object>, Error> {
        self.look(key, most).map_err(|error| self.error(key, Doing::Read, error))
    }

    async fn create(&self, key: &str, bytes: Bytes) -> Result<Created, Error> {
        self.create_now(key, &bytes).map_err(|error| self.error(key, Doing::Write, error))
    }

    async fn replace(&self, key: &str, bytes: Bytes, was: &Version) -> Result<Replaced, Error> {
        self.replace_now(key, &bytes, was).map_err(|error| self.error(key, Doing::Write, error))
    }

    async fn remove(&self, key: &str) -> Result<(), Error> {
        match self.at(key).and_then(fs::remove_file) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(self.error(key, Doing::Remove, error))
            }
            _ => Ok(()),
        }
    }

    fn name(&self, key: &str) -> String {
        self.path.join(key).to_string_lossy().into_owned()
    }
}

/// Makes a folder with those above it, and makes that last.
pub(in crate::store) fn make_folders(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    fs::create_dir_all(folder)?;
    folder.ancestors().take_while(|path| !path.as_os_str().is_empty()).take(3).for_each(sync_folder);
    Ok(())
}

/// The content itself, in short: a file's times are too coarse to tell two writings apart.
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
        let objects = Folder::new(folder.path().join("deep/er"));
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
            let error = Folder::new("/dev").look(device, 9).unwrap_err();
            assert!(error.to_string().contains("not a regular file"), "{error}");
        }
    }
}

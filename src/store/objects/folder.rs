//! Objects as files below a folder: they appear whole, last, and are compared under a lock.

use super::{Created, Object, Objects, Replaced, Version};
use crate::store::error::{Doing, Error, ErrorKind, Object as Named};
use crate::store::sink::{folder_of, sync_folder};
use async_trait::async_trait;
use bytes::Bytes;
use std::fs::{self, File};
use std::io::{self, Write as _};
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

    fn at(&self, key: &str) -> PathBuf {
        self.path.join(key)
    }

    /// Reads without a lock: a file is replaced by renaming, so what is read is whole.
    fn look(&self, key: &str) -> io::Result<Option<Object>> {
        match fs::read(self.at(key)) {
            Ok(bytes) => Ok(Some(Object { version: version(&bytes), bytes: bytes.into() })),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Writes a file beside its place, and brings it to the disk.
    fn beside(&self, key: &str, bytes: &[u8]) -> io::Result<(NamedTempFile, PathBuf)> {
        let path = self.at(key);
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
        if let Some(object) = self.look(key)? {
            return Ok(Created::Exists(object));
        }
        let (file, path) = self.beside(key, bytes)?;
        match file.persist_noclobber(&path) {
            Ok(_) => {
                sync_folder(folder_of(&path));
                Ok(Created::New(version(bytes)))
            }
            Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => match self.look(key)? {
                Some(object) => Ok(Created::Exists(object)),
                None => Err(error.error),
            },
            Err(error) => Err(error.error),
        }
    }

    fn replace_now(&self, key: &str, bytes: &[u8], was: &Version) -> io::Result<Replaced> {
        let changed = || Ok::<_, io::Error>(self.look(key)?.is_none_or(|object| object.version != *was));
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
    async fn read(&self, key: &str) -> Result<Option<Object>, Error> {
        self.look(key).map_err(|error| self.error(key, Doing::Read, error))
    }

    async fn create(&self, key: &str, bytes: Bytes) -> Result<Created, Error> {
        self.create_now(key, &bytes).map_err(|error| self.error(key, Doing::Write, error))
    }

    async fn replace(&self, key: &str, bytes: Bytes, was: &Version) -> Result<Replaced, Error> {
        self.replace_now(key, &bytes, was).map_err(|error| self.error(key, Doing::Write, error))
    }

    fn name(&self, key: &str) -> String {
        self.at(key).to_string_lossy().into_owned()
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
    let tag = digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    Version { tag: Some(tag), generation: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn created_once_and_replaced_by_whom_has_read_it() {
        let folder = tempfile::tempdir().unwrap();
        let objects = Folder::new(folder.path().join("deep/er"));
        let (key, one, two) = ("a/b.json", b"one".as_slice(), b"two".as_slice());
        assert!(objects.look(key).unwrap().is_none());
        let Created::New(first) = objects.create_now(key, one).unwrap() else { panic!() };
        let Created::Exists(found) = objects.create_now(key, two).unwrap() else { panic!() };
        assert_eq!((&found.bytes[..], &found.version), (one, &first));
        let Replaced::Done(second) = objects.replace_now(key, two, &first).unwrap() else { panic!() };
        assert!(matches!(objects.replace_now(key, one, &first).unwrap(), Replaced::Changed));
        assert_eq!(objects.look(key).unwrap().unwrap().bytes, two);
        fs::remove_file(objects.at(key)).unwrap();
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
            let was = objects.look(key).unwrap().unwrap().version;
            let replaced =
                |n: u8| matches!(objects.replace_now(key, &[n + 10], &was).unwrap(), Replaced::Done(_));
            assert_eq!(count(&replaced), 1);
        }
    }
}

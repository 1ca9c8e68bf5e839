//! The rejects: they only grow, over all runs of a state.

use super::Error;
use crate::store::objects::{Created, StorePath};
use bytes::Bytes;
use std::collections::HashSet;
use std::fmt;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};

/// How every line begins.
const BEGINNING: &[u8] = br#"{"source":"#;
/// How much behind what the state knows is looked through.
const MOST_TAIL: u64 = 256 << 20;

/// Where rejects go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RejectsTo {
    /// A file, which only grows.
    File(String),
    /// Objects whose URLs begin so: `s3://bucket/refused/NAME`. Each addition is an object, and its name ends with its
    /// place among all bytes: in the order of their names, they are what the file would be.
    Objects(String),
}

impl fmt::Display for RejectsTo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (RejectsTo::File(name) | RejectsTo::Objects(name)) = self;
        f.write_str(name)
    }
}

/// What rejects are appended to.
#[derive(Debug)]
pub(super) struct Rejects {
    log: Log,
    name: String,
    /// The length of all.
    bytes: u64,
    /// What an earlier run appended without noting it in the state: these are not appended once more.
    known: HashSet<(String, u64)>,
}

#[derive(Debug)]
enum Log {
    File(File),
    Objects(StorePath),
}

impl Rejects {
    /// Opens what was `noted` bytes long when the state was written.
    pub(super) async fn open(to: &RejectsTo, noted: u64) -> Result<Rejects, Error> {
        match to {
            RejectsTo::File(name) => Rejects::file(name, noted),
            RejectsTo::Objects(url) => Rejects::objects(url, noted).await,
        }
    }

    fn file(name: &str, noted: u64) -> Result<Rejects, Error> {
        let failed =
            |error: std::io::Error| Error::new(format!("cannot write the rejects `{name}`: {error}"));
        let mut file = OpenOptions::new().read(true).append(true).create(true).open(name).map_err(failed)?;
        if let Err(TryLockError::WouldBlock) = file.try_lock() {
            return Err(busy(name).with_hint("give each run a file of its own"));
        }
        let mut bytes = file.metadata().map_err(failed)?.len();
        let mut known = HashSet::new();
        // One that is shorter was taken away, and is another one.
        let tail = bytes.saturating_sub(noted);
        if 0 < tail && tail <= MOST_TAIL {
            let mut text = Vec::new();
            file.seek(SeekFrom::Start(noted)).and_then(|_| file.read_to_end(&mut text)).map_err(failed)?;
            known.extend(keys(&text));
            if text.last() != Some(&b'\n') {
                // A run was killed while it wrote this line.
                let whole = memchr::memrchr(b'\n', &text).map_or(0, |at| at as u64 + 1);
                let rest = &text[whole as usize..];
                let is_ours = rest.starts_with(BEGINNING) || BEGINNING.starts_with(rest);
                if is_ours {
                    bytes = noted + whole;
                    file.set_len(bytes).map_err(failed)?;
                } else {
                    file.write_all(b"\n").map_err(failed)?;
                    bytes += 1;
                }
            }
        }
        Ok(Rejects { log: Log::File(file), name: name.to_owned(), bytes, known })
    }

    async fn objects(url: &str, noted: u64) -> Result<Rejects, Error> {
        let place = StorePath::object(url).map_err(|error| Error::store(&error))?;
        let (mut bytes, mut known) = (noted, HashSet::new());
        loop {
            let read = place.store.read(&key_at(&place, bytes), MOST_TAIL).await;
            let Some(object) = read.map_err(|error| Error::store(&error))? else { break };
            if object.bytes.is_empty() {
                return Err(Error::new(format!(
                    "the rejects `{}` are empty",
                    place.store.name(&key_at(&place, bytes))
                )));
            }
            known.extend(keys(&object.bytes));
            bytes += object.bytes.len() as u64;
        }
        Ok(Rejects { log: Log::Objects(place), name: url.to_owned(), bytes, known })
    }

    /// Whether a reject is there already. It counts as noted from now on.
    pub(super) fn took(&mut self, source: &str, line: u64) -> bool {
        !self.known.is_empty() && self.known.remove(&(source.to_owned(), line))
    }

    /// At the end of all inputs nothing waits to be noted any more.
    pub(super) fn settle(&mut self) {
        self.known.clear();
    }

    /// The length that is to be noted, where `noted` is: it stays as long as behind it there are rejects that are not
    /// noted yet, because the run may be killed, too.
    pub(super) fn to_note(&self, noted: u64) -> u64 {
        if self.known.is_empty() { self.bytes } else { noted }
    }

    /// Appends lines, and brings them to the disk or into the bucket.
    pub(super) async fn append(&mut self, lines: Vec<u8>) -> Result<(), Error> {
        let length = lines.len() as u64;
        match &mut self.log {
            Log::File(file) => {
                let written = file.write_all(&lines).and_then(|()| file.sync_data());
                written.map_err(|error| {
                    Error::new(format!("cannot write the rejects `{}`: {error}", self.name))
                })?;
            }
            Log::Objects(place) => {
                let lines = Bytes::from(lines);
                let created = place.store.create(&key_at(place, self.bytes), lines.clone()).await;
                match created.map_err(|error| Error::store(&error))? {
                    Created::New(_) => {}
                    // Ours, written by an attempt whose answer was lost.
                    Created::Exists(object) if object.bytes == lines => {}
                    Created::Exists(_) => {
                        return Err(busy(&self.name).with_hint("let it finish, and run this again"));
                    }
                }
            }
        }
        self.bytes += length;
        Ok(())
    }
}

/// The key of the object whose rejects begin at this byte of all.
fn key_at(place: &StorePath, byte: u64) -> String {
    format!("{}.{byte:012}.ndjson", place.prefix)
}

fn busy(name: &str) -> Error {
    Error::new(format!("another run writes the rejects `{name}`"))
}

/// Which rejects these lines are.
fn keys(lines: &[u8]) -> impl Iterator<Item = (String, u64)> {
    lines.split(|byte| *byte == b'\n').filter_map(key)
}

/// Which reject a line is.
fn key(line: &[u8]) -> Option<(String, u64)> {
    #[derive(serde::Deserialize)]
    struct Key {
        source: String,
        line: u64,
    }
    serde_json::from_slice(line).ok().map(|Key { source, line }| (source, line))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn appended_once_whatever_was_cut() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("r.ndjson");
        let name = path.to_str().unwrap();
        let line = |n: u64| format!("{{\"source\":\"a\",\"line\":{n}}}\n");
        let mut file = Rejects::file(name, 0).unwrap();
        file.append(line(1).into_bytes()).await.unwrap();
        let noted = file.to_note(0);
        file.append(line(2).into_bytes()).await.unwrap();
        file.append(line(3).as_bytes()[..9].to_vec()).await.unwrap();
        drop(file);
        let mut file = Rejects::file(name, noted).unwrap();
        // Until the second is noted, the length is not: the next run must see it, too.
        assert_eq!(file.to_note(noted), noted);
        assert!(!file.took("a", 1) && !file.took("a", 3) && !file.took("b", 2) && file.took("a", 2));
        assert_eq!(file.to_note(noted), 2 * noted);
        drop(file);
        assert_eq!(std::fs::read_to_string(name).unwrap(), line(1) + &line(2));
        // Words of others stay.
        std::fs::write(name, "mine").unwrap();
        let mut file = Rejects::file(name, 0).unwrap();
        file.append(line(4).into_bytes()).await.unwrap();
        assert_eq!(std::fs::read_to_string(name).unwrap(), "mine\n".to_owned() + &line(4));
        assert!(Rejects::file(folder.path().to_str().unwrap(), 0).is_err());
    }

    #[tokio::test]
    async fn objects_are_what_the_file_would_be() {
        let folder = tempfile::tempdir().unwrap();
        let to = RejectsTo::Objects(folder.path().join("r").to_str().unwrap().to_owned());
        let line = |n: u64| format!("{{\"source\":\"a\",\"line\":{n}}}\n");
        let mut one = Rejects::open(&to, 0).await.unwrap();
        let mut other = Rejects::open(&to, 0).await.unwrap();
        one.append(line(1).into_bytes()).await.unwrap();
        let noted = one.to_note(0);
        // Another run at the same time: the same words once more are fine, others are not.
        other.append(line(1).into_bytes()).await.unwrap();
        one.append(line(2).into_bytes()).await.unwrap();
        assert!(other.append(line(3).into_bytes()).await.is_err());
        // Killed before the second was noted.
        let mut next = Rejects::open(&to, noted).await.unwrap();
        assert!(next.to_note(noted) == noted && !next.took("a", 1) && next.took("a", 2));
        next.append(line(3).into_bytes()).await.unwrap();
        let mut names: Vec<_> =
            std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
        names.retain(|path| path.extension().is_some_and(|it| it == "ndjson"));
        names.sort();
        let all: String = names.iter().map(|path| std::fs::read_to_string(path).unwrap()).collect();
        assert_eq!((names.len(), all), (3, line(1) + &line(2) + &line(3)));
    }
}

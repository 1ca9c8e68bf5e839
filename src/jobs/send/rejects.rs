//! The file of rejects: it only grows, over all runs of a state.

use super::Error;
use std::collections::HashSet;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};

/// How every line begins.
const BEGINNING: &[u8] = br#"{"source":"#;
/// How much behind what the state knows is looked through.
const MOST_TAIL: u64 = 256 << 20;

/// A file that rejects are appended to.
#[derive(Debug)]
pub(super) struct RejectsFile {
    file: File,
    name: String,
    /// Its length.
    bytes: u64,
    /// What an earlier run appended without noting it in the state: these are not appended once more.
    known: HashSet<(String, u64)>,
}

impl RejectsFile {
    /// Opens the file, which was `noted` bytes long when the state was written.
    pub(super) fn open(name: &str, noted: u64) -> Result<RejectsFile, Error> {
        let failed =
            |error: std::io::Error| Error::new(format!("cannot write the rejects `{name}`: {error}"));
        let mut file = OpenOptions::new().read(true).append(true).create(true).open(name).map_err(failed)?;
        if let Err(TryLockError::WouldBlock) = file.try_lock() {
            let error = Error::new(format!("another run writes the rejects `{name}`"));
            return Err(error.with_hint("give each run a file of its own"));
        }
        let mut bytes = file.metadata().map_err(failed)?.len();
        let mut known = HashSet::new();
        // One that is shorter was taken away, and is another one.
        let tail = bytes.saturating_sub(noted);
        if 0 < tail && tail <= MOST_TAIL {
            let mut text = Vec::new();
            file.seek(SeekFrom::Start(noted)).and_then(|_| file.read_to_end(&mut text)).map_err(failed)?;
            known.extend(text.split(|byte| *byte == b'\n').filter_map(key));
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
        Ok(RejectsFile { file, name: name.to_owned(), bytes, known })
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

    /// Appends lines, and brings them to the disk.
    pub(super) fn append(&mut self, lines: &[u8]) -> Result<(), Error> {
        let written = self.file.write_all(lines).and_then(|()| self.file.sync_data());
        written.map_err(|error| Error::new(format!("cannot write the rejects `{}`: {error}", self.name)))?;
        self.bytes += lines.len() as u64;
        Ok(())
    }
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

    #[test]
    fn appended_once_whatever_was_cut() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("r.ndjson");
        let name = path.to_str().unwrap();
        let line = |n: u64| format!("{{\"source\":\"a\",\"line\":{n}}}\n");
        let mut file = RejectsFile::open(name, 0).unwrap();
        file.append(line(1).as_bytes()).unwrap();
        let noted = file.to_note(0);
        file.append(line(2).as_bytes()).unwrap();
        file.append(&line(3).as_bytes()[..9]).unwrap();
        drop(file);
        let mut file = RejectsFile::open(name, noted).unwrap();
        // Until the second is noted, the length is not: the next run must see it, too.
        assert_eq!(file.to_note(noted), noted);
        assert!(!file.took("a", 1) && !file.took("a", 3) && !file.took("b", 2) && file.took("a", 2));
        assert_eq!(file.to_note(noted), 2 * noted);
        drop(file);
        assert_eq!(std::fs::read_to_string(name).unwrap(), line(1) + &line(2));
        // Words of others stay.
        std::fs::write(name, "mine").unwrap();
        let mut file = RejectsFile::open(name, 0).unwrap();
        file.append(line(4).as_bytes()).unwrap();
        assert_eq!(std::fs::read_to_string(name).unwrap(), "mine\n".to_owned() + &line(4));
        assert!(RejectsFile::open(folder.path().to_str().unwrap(), 0).is_err());
    }
}

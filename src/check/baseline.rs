//! A baseline: findings that are known, so that only new ones fail.
//!
//! Known findings are matched by code, UDM path and content, never by line. Where a file has more of them than the baseline
//! says, those beyond are new, unless they were moved there from another file that now has fewer.

use crate::check::fingerprint::Fingerprint;
use crate::text::escaped;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Component, Path, PathBuf};

/// The most entries that a baseline may have.
const MOST: usize = 200_000;
/// The most bytes of text in them.
const MOST_BYTES: usize = 64 << 20;
/// The most bytes that a baseline's file may have.
pub(crate) const MOST_OF_A_FILE: u64 = 256 << 20;

/// The form of the file, in case it ever changes.
const VERSION: u32 = 1;

#[derive(Debug, Serialize, Deserialize)]
struct File<E> {
    baseline: u32,
    findings: Vec<E>,
}

/// Findings that are alike, in one file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    /// The command that found them.
    command: String,
    code: String,
    path: String,
    source: String,
    /// What was found, for people.
    message: String,
    fingerprint: String,
    count: u64,
}

/// The findings that a command knows.
#[derive(Debug, Default)]
pub(crate) struct Baseline {
    /// How many are left, by what they are known by and the file they are in.
    left: HashMap<Fingerprint, BTreeMap<String, u64>>,
    /// The file's entries, of all commands.
    entries: Vec<Entry>,
}

/// The files, folders and archives that were looked at, by their paths from the baseline's folder, so that a check finds
/// them from whatever folder it is run in.
#[derive(Debug, Default)]
pub(crate) struct Checked {
    /// The baseline's folder.
    folder: PathBuf,
    names: HashSet<String>,
}

impl Checked {
    /// Nothing was looked at yet.
    pub(crate) fn below(folder: &Path) -> Checked {
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        Checked { folder: without_dots(folder), names: HashSet::new() }
    }

    /// What a baseline calls a file.
    pub(crate) fn name(&self, source: &str) -> String {
        if !is_path(source) {
            return source.to_owned();
        }
        let path = without_dots(Path::new(source));
        path.strip_prefix(&self.folder).unwrap_or(&path).to_string_lossy().into_owned()
    }

    pub(crate) fn add(&mut self, source: &str) {
        self.names.insert(self.name(source));
    }

    /// Whether a file of this name is one of them, or in one.
    fn holds(&self, name: &str) -> bool {
        let within = |(end, _)| self.names.contains(&name[..end]);
        // The baseline's folder itself has an empty name.
        self.names.contains(name) || self.names.contains("") || name.match_indices(['/', '!']).any(within)
    }

    /// Whether a file may be there still. Nobody asks a bucket.
    fn is_there(&self, name: &str) -> bool {
        let archive = name.split_once('!').is_some_and(|(archive, _)| self.folder.join(archive).exists());
        !is_path(name) || archive || self.folder.join(name).exists()
    }

    /// Whether findings of this file may be in another one by now: it was looked at, or is gone.
    fn may_be_moved(&self, name: &str) -> bool {
        self.holds(name) || !self.is_there(name)
    }
}

/// Whether a source is a file or a member of one, and not stdin or an object.
fn is_path(source: &str) -> bool {
    source != "-" && !source.contains("://")
}

/// What findings are known by. The code and the path of an entry count, too: they are what people review.
#[derive(Debug, Clone, Copy)]
pub(crate) struct KnownBy<'f> {
    pub(crate) code: &'f str,
    /// Without indexes.
    pub(crate) path: &'f str,
    pub(crate) fingerprint: Fingerprint,
}

impl KnownBy<'_> {
    fn key(self) -> Fingerprint {
        key(self.code, self.path, self.fingerprint)
    }
}

fn key(code: &str, path: &str, fingerprint: Fingerprint) -> Fingerprint {
    Fingerprint::of(code, path, &[&fingerprint.to_string()])
}

/// An absolute path without `.` and `..`.
pub(crate) fn without_dots(path: &Path) -> PathBuf {
    let mut whole = PathBuf::new();
    for part in std::path::absolute(path).unwrap_or_else(|_| path.to_owned()).components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                whole.pop();
            }
            part => whole.push(part),
        }
    }
    whole
}

/// Where a finding is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Match {
    /// In this file.
    Here,
    /// Not in this file, but in others.
    Elsewhere,
    /// Nowhere.
    New,
}

impl Baseline {
    /// Reads a baseline's text for a command. `folder` is where it is.
    ///
    /// # Errors
    /// A sentence that says what is wrong with it.
    pub(crate) fn read(
        text: &str,
        command: &str,
        folder: &Path,
        checked: &Checked,
    ) -> Result<Baseline, String> {
        let file: File<Entry> = serde_json::from_str(text).map_err(|error| {
            let error = error.to_string();
            format!("not a baseline: {}; `--write-baseline FILE` writes one", escaped(&error))
        })?;
        if file.baseline != VERSION {
            return Err(format!("expected a baseline of version {VERSION}, found {}", file.baseline));
        }
        let mut baseline = Baseline::default();
        for mut entry in file.findings {
            if is_path(&entry.source) {
                entry.source = checked.name(&folder.join(&entry.source).to_string_lossy());
            }
            let key = key(&entry.code, &entry.path, entry.fingerprint.parse()?);
            if entry.command == command {
                let files: &mut BTreeMap<_, _> = baseline.left.entry(key).or_default();
                let count: &mut u64 = files.entry(entry.source.clone()).or_default();
                *count = count.saturating_add(entry.count);
            }
            baseline.entries.push(entry);
        }
        Ok(baseline)
    }

    /// Takes a finding in this file off, if it is known there.
    pub(crate) fn take(&mut self, finding: KnownBy<'_>, source: &str, checked: &Checked) -> Match {
        let Some(files) = self.left.get_mut(&finding.key()) else { return Match::New };
        if let Some(count @ 1..) = files.get_mut(source) {
            *count -= 1;
            return Match::Here;
        }
        let may_have_moved = |(source, count): (&String, &u64)| *count > 0 && checked.may_be_moved(source);
        if files.iter().any(may_have_moved) { Match::Elsewhere } else { Match::New }
    }

    /// Takes a finding off that is known in another file, from which it may have moved; whether there is one.
    pub(crate) fn take_elsewhere(&mut self, finding: KnownBy<'_>, checked: &Checked) -> bool {
        let files = self.left.get_mut(&finding.key()).into_iter().flatten();
        let mut left = files.filter(|(source, count)| **count > 0 && checked.may_be_moved(source));
        left.next().map(|(_, count)| *count -= 1).is_some()
    }

    /// How many known findings in files that were looked at were not found.
    pub(crate) fn left(&self, checked: &Checked) -> u64 {
        let files = self.left.values().flatten();
        files
            .filter(|(source, _)| checked.holds(source))
            .fold(0, |sum: u64, (_, count)| sum.saturating_add(*count))
    }
}

/// All findings of a run, for a baseline to be written.
#[derive(Debug)]
pub(crate) struct BaselineWriter {
    entries: BTreeMap<(&'static str, String, Fingerprint, String), (String, u64)>,
    bytes: usize,
    /// Findings that have no entry.
    missed: u64,
}

impl BaselineWriter {
    pub(crate) fn new() -> BaselineWriter {
        BaselineWriter { entries: BTreeMap::new(), bytes: 0, missed: 0 }
    }

    /// Adds `count` findings of `code` at `path`, which is without indexes.
    pub(crate) fn add(
        &mut self,
        code: &'static str,
        path: &str,
        fingerprint: Fingerprint,
        source: &str,
        message: &str,
        count: u64,
    ) {
        let key = (code, path.to_owned(), fingerprint, source.to_owned());
        if let Some((_, known)) = self.entries.get_mut(&key) {
            *known += count;
            return;
        }
        self.bytes += path.len() + source.len() + message.len();
        if self.entries.len() < MOST && self.bytes <= MOST_BYTES {
            self.entries.insert(key, (message.to_owned(), count));
        } else {
            self.missed += count;
        }
    }

    /// Adds findings of which nobody knows what they are about.
    pub(crate) fn missed(&mut self, count: u64) {
        self.missed += count;
    }

    /// The file's text, a line an entry; and how many findings were added. Entries of `known` stay that are of other
    /// commands, or of files that were not looked at and are still there.
    ///
    /// # Errors
    /// A sentence, if there are too many findings.
    pub(crate) fn text(
        &self,
        command: &str,
        known: Option<&Baseline>,
        checked: &Checked,
    ) -> Result<(String, u64), String> {
        if self.missed > 0 {
            return Err(format!(
                "there are too many findings for a baseline: {} are beyond the first {}; mend the most frequent kinds, \
                 or set their severity to `off`, first",
                self.missed,
                self.entries.len()
            ));
        }
        let stays = |entry: &&Entry| {
            entry.command != command || !checked.holds(&entry.source) && checked.is_there(&entry.source)
        };
        let known = known.map(|known| known.entries.as_slice()).unwrap_or_default();
        let mut entries: Vec<Entry> = known.iter().filter(stays).cloned().collect();
        let mut all = 0;
        for ((code, path, fingerprint, source), (message, count)) in &self.entries {
            all += count;
            entries.push(Entry {
                command: command.to_owned(),
                code: (*code).to_owned(),
                path: path.clone(),
                source: source.clone(),
                message: message.clone(),
                fingerprint: fingerprint.to_string(),
                count: *count,
            });
        }
        entries.sort();
        let mut text = format!("{{\"baseline\": {VERSION}, \"findings\": [");
        for (place, entry) in entries.iter().enumerate() {
            text += if place == 0 { "\n" } else { ",\n" };
            // Texts and numbers always serialize.
            text += &serde_json::to_string(entry).unwrap_or_default();
        }
        text += "\n]}\n";
        Ok((crate::text::escaped_json(text), all))
    }
}

#[cfg(test)]
mod tests;

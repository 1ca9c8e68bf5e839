//! The files of cases: those on disk, objects that are read where they are, or the members of an archive.

use crate::check::whole_file;
use crate::store::{Error, ErrorKind, Source, store_error};
use crate::text::{NextText, escaped};
use anyhow::{Context as _, bail};
use std::collections::HashMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// How many bytes the members of an archive may have in all.
const MOST_OF_ARCHIVE: u64 = 256 << 20;
/// How many of them there may be.
const MOST_MEMBERS: usize = 100_000;

/// Where the files of cases are.
#[derive(Debug, Clone, Default)]
pub(crate) enum CaseFiles {
    /// On disk, under their paths.
    #[default]
    Disk,
    /// Elsewhere, under names that are made like paths.
    Elsewhere(Arc<HashMap<PathBuf, CaseFile>>),
}

/// A file that is not on disk.
#[derive(Debug)]
pub(crate) enum CaseFile {
    Source(Source),
    Bytes(Vec<u8>),
}

impl CaseFiles {
    /// The files that were listed below the URL `root`, under their names.
    ///
    /// # Errors
    /// If two of them have names that are the same path.
    pub(crate) fn listed(sources: Vec<Source>) -> anyhow::Result<CaseFiles> {
        let mut files = HashMap::new();
        for source in sources {
            let name = source.name().to_owned();
            if files.insert(PathBuf::from(&name), CaseFile::Source(source)).is_some() {
                bail!(
                    "`{}` is there twice: by its name it can't be told which case it belongs to",
                    escaped(&name)
                );
            }
        }
        Ok(CaseFiles::Elsewhere(Arc::new(files)))
    }

    /// The members of the archive `source` that `are_wanted`, below a folder of the archive's name. Nothing if it is not
    /// an archive.
    ///
    /// # Errors
    /// If it can't be read, or holds more than can be kept in memory.
    pub(crate) fn members(
        source: &Source,
        are_wanted: &dyn Fn(&Path) -> bool,
    ) -> anyhow::Result<Option<CaseFiles>> {
        let mut input = source.open(Arc::default(), Arc::default())?.with_members();
        let (mut files, mut left) = (HashMap::new(), MOST_OF_ARCHIVE);
        // The first read says whether it is an archive.
        let mut next = match input.read(&mut [0; 4096]) {
            Ok(_) => return Ok(None),
            Err(error) => NextText::of(error).map_err(store_error)?,
        };
        let prefix = format!("{}!", source.name());
        loop {
            let member = next.name.strip_prefix(&prefix).unwrap_or(&next.name);
            let path = Path::new(source.name()).join(member.trim_start_matches("./").trim_start_matches('/'));
            let wanted = are_wanted(&path);
            let mut bytes = Vec::new();
            let ended = if wanted {
                (&mut input).take(left + 1).read_to_end(&mut bytes).map(|_| ())
            } else {
                std::io::copy(&mut input, &mut std::io::sink()).map(|_| ())
            };
            if bytes.len() as u64 > left || files.len() > MOST_MEMBERS {
                let most = MOST_OF_ARCHIVE >> 20;
                bail!(
                    "the cases in `{}` have more than {most} MiB or {MOST_MEMBERS} files: unpack it first",
                    escaped(source.name())
                );
            }
            left -= bytes.len() as u64;
            let again = wanted && files.insert(path, CaseFile::Bytes(bytes)).is_some();
            if again {
                bail!("`{}` is there twice", escaped(&next.name));
            }
            let error = match ended {
                Ok(()) => break,
                Err(error) => error,
            };
            let after = match NextText::of(error) {
                Ok(after) => after,
                // What is not part of a case need not be a text, and this was the last one.
                Err(error) if !wanted && is_no_text(&error) => break,
                Err(error) => return Err(store_error(error)),
            };
            if let Some(failed) = after.failed.filter(|_| wanted) {
                return Err(store_error(failed));
            }
            next = NextText { name: after.name, failed: None };
        }
        Ok(Some(CaseFiles::Elsewhere(Arc::new(files))))
    }

    /// The paths of files that are not on disk, sorted.
    pub(crate) fn paths(&self) -> Vec<PathBuf> {
        let CaseFiles::Elsewhere(files) = self else { return Vec::new() };
        let mut paths: Vec<PathBuf> = files.keys().cloned().collect();
        paths.sort();
        paths
    }

    /// Whether there is a file of this path.
    pub(crate) fn exists(&self, file: &Path) -> bool {
        match self {
            CaseFiles::Disk => file.exists(),
            CaseFiles::Elsewhere(files) => files.contains_key(file),
        }
    }

    /// The text of a file, decompressed: at most `most` bytes.
    pub(crate) fn read(&self, file: &Path, most: u64) -> anyhow::Result<Vec<u8>> {
        let CaseFiles::Elsewhere(files) = self else { return whole_file::read_log(file, most) };
        let name = file.to_string_lossy();
        match files.get(file).with_context(|| format!("there is no `{}`", escaped(&name)))? {
            CaseFile::Source(source) => whole_file::read_source(source, most),
            CaseFile::Bytes(bytes) if bytes.len() as u64 > most => {
                bail!("`{}` is longer than {most} bytes", escaped(&name))
            }
            CaseFile::Bytes(bytes) => Ok(bytes.clone()),
        }
    }

    /// The text of a file as UTF-8.
    pub(crate) fn read_text(&self, file: &Path, most: u64) -> anyhow::Result<String> {
        let name = file.to_string_lossy();
        String::from_utf8(self.read(file, most)?)
            .with_context(|| format!("`{}` is not UTF-8", escaped(&name)))
    }
}

fn is_no_text(error: &std::io::Error) -> bool {
    Error::in_io(error).is_some_and(|error| error.kind() == ErrorKind::NotLog)
}

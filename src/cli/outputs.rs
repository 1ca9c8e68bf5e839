//! What a command writes, and that none of it is written over anything else: over another output, or over what is read.
//!
//! Names are compared by what they lead to, through links, other spellings of a path and redirections: two files are the
//! same if the file system says so.

use crate::store::{self, ListOptions, Listing};
use crate::text::escaped;
use anyhow::bail;
use std::fs::{self, Metadata};
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// What a name leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
enum OutputPlace {
    /// A file or a pipe that is there, by its device and its number.
    #[cfg(unix)]
    Known(u64, u64),
    /// A file by its path, which may not be there yet.
    Path(PathBuf),
    /// stdout, where it is not a file.
    Stdout,
    /// An input that is not an existing file.
    NoFile,
    /// A device, which takes whatever it is given.
    Device,
}

/// The files that a command reads and writes, each with the option that names it.
#[derive(Debug, Default)]
pub(super) struct Outputs {
    outputs: Vec<(String, String, OutputPlace)>,
}

impl Outputs {
    /// Adds an output: its option, and the file or `-`.
    ///
    /// # Errors
    /// If another output is the same file.
    pub(super) fn add(&mut self, option: &str, name: &str) -> anyhow::Result<()> {
        let place = written(name);
        let same = self.outputs.iter().find(|(_, _, other)| *other == place && place != OutputPlace::Device);
        if let Some((other, as_name, _)) = same {
            let to = shown(name, "stdout");
            if as_name == name {
                bail!(
                    "{to} can't take two outputs: `{other}` and `{option}` both write to it; give each its own file"
                );
            }
            bail!(
                "{to} can't take two outputs: `{option}` and `{other}` ({}) lead to the same file; give each its own",
                shown(as_name, "stdout")
            );
        }
        self.outputs.push((option.to_owned(), name.to_owned(), place));
        Ok(())
    }

    /// Adds an output if there is one.
    ///
    /// # Errors
    /// As [`Outputs::add`].
    pub(super) fn add_if(&mut self, option: &str, name: Option<&str>) -> anyhow::Result<()> {
        name.map_or(Ok(()), |name| self.add(option, name))
    }

    /// Refuses an input that an output would be written over: its option or argument, and the file or `-`.
    ///
    /// # Errors
    /// If they are the same file.
    pub(super) fn spare(&self, what: &str, name: &str) -> anyhow::Result<()> {
        match self.over(name) {
            None => Ok(()),
            Some((option, output)) => bail!(
                "{} is both input and output: `{what}` reads it, and `{option}` ({}) would write over it; write to \
                 another file",
                shown(name, "stdin"),
                shown(output, "stdout")
            ),
        }
    }

    /// Lists inputs, given by the argument `what`. Own outputs that are found in folders or by patterns are left out;
    /// what is named is refused.
    ///
    /// # Errors
    /// If an input is an output, or can't be listed.
    pub(super) fn list(
        &self,
        what: &str,
        inputs: &[String],
        options: &ListOptions,
    ) -> anyhow::Result<Listing> {
        inputs.iter().try_for_each(|input| self.spare(what, input))?;
        let mut listing = store::list_with(inputs, &[], options)?;
        // What is not there yet is not found, either.
        if self.outputs.iter().any(|(_, name, _)| name != "-" && Path::new(name).exists()) {
            let before = listing.sources.len();
            for source in &listing.sources {
                if let Some((option, output)) =
                    self.over(source.name()).filter(|(option, _)| is_report(option))
                    && !may_be_replaced(Path::new(source.name()))
                {
                    bail!(
                        "{} is both input and output: it was found below `{what}`, and `{option}` ({}) would write over \
                         it; write to another file, or remove it first",
                        shown(source.name(), "stdin"),
                        shown(output, "stdout")
                    );
                }
            }
            listing.sources.retain(|source| self.over(source.name()).is_none());
            listing.skipped_outputs += (before - listing.sources.len()) as u64;
        }
        Ok(listing)
    }

    /// The output that would be written over this input.
    fn over(&self, name: &str) -> Option<(&str, &str)> {
        let place = read(name);
        let same =
            self.outputs.iter().find(|(_, _, output)| *output == place && place != OutputPlace::Device);
        same.map(|(option, output, _)| (option.as_str(), output.as_str()))
    }
}

/// Whether an option names a report: what is found there from an earlier run is a report, too, and no input.
fn is_report(option: &str) -> bool {
    ["--report", "--html", "--write-baseline", "GITHUB_STEP_SUMMARY"]
        .iter()
        .any(|name| option.starts_with(name))
}

/// Whether a file is empty, or a report or page that udmap wrote.
fn may_be_replaced(file: &Path) -> bool {
    const BEGINNINGS: [&str; 8] = [
        "{\n  \"cases\": [",
        "{\n  \"$schema\": \"https://json.schemastore.org/sarif",
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"udmap",
        "## udmap ",
        "[\n  {\n    \"check_name\"",
        "[]\n",
        "{\"baseline\": ",
        "<!doctype html",
    ];
    let mut head = Vec::new();
    let read = fs::File::open(file).and_then(|file| file.take(256).read_to_end(&mut head));
    let begins =
        |text: &&str| head.len() >= text.len() && head[..text.len()].eq_ignore_ascii_case(text.as_bytes());
    read.is_ok() && (head.is_empty() || BEGINNINGS.iter().any(begins))
}

fn shown(name: &str, standard: &str) -> String {
    if name == "-" { standard.to_owned() } else { format!("`{}`", escaped(name)) }
}

/// What an output leads to, as [`store::Output`] goes there.
fn written(name: &str) -> OutputPlace {
    if store::is_stdout(name) {
        return match metadata_of_stdout() {
            Some(metadata) if metadata.is_file() => there(Path::new(name), &metadata),
            _ => OutputPlace::Stdout,
        };
    }
    match fs::metadata(name) {
        Ok(metadata) => there(Path::new(name), &metadata),
        Err(_) => OutputPlace::Path(not_there(Path::new(name))),
    }
}

/// What an input leads to.
fn read(name: &str) -> OutputPlace {
    if name == "-" {
        return match metadata_of_stdin() {
            Some(metadata) if metadata.is_file() => there(Path::new(name), &metadata),
            _ => OutputPlace::NoFile,
        };
    }
    // Where a URL is wrong, listing says so.
    let path =
        if store::is_url(name) { store::path_of(name).ok().flatten() } else { Some(PathBuf::from(name)) };
    let Some(path) = path else { return OutputPlace::NoFile };
    match fs::metadata(&path) {
        Ok(metadata) => there(&path, &metadata),
        // A pattern, or nothing.
        Err(_) => OutputPlace::NoFile,
    }
}

#[cfg(unix)]
fn there(_: &Path, metadata: &Metadata) -> OutputPlace {
    use std::os::unix::fs::{FileTypeExt, MetadataExt};
    let kind = metadata.file_type();
    if kind.is_char_device() || kind.is_block_device() {
        return OutputPlace::Device;
    }
    OutputPlace::Known(metadata.dev(), metadata.ino())
}

#[cfg(not(unix))]
fn there(path: &Path, metadata: &Metadata) -> OutputPlace {
    match fs::canonicalize(path) {
        Ok(path) if metadata.is_file() || metadata.is_dir() => OutputPlace::Path(path),
        _ => OutputPlace::Device,
    }
}

/// The path that a file will have: through links that lead to nothing yet, no more of them than Linux follows.
fn not_there(path: &Path) -> PathBuf {
    let mut path = path.to_owned();
    for _ in 0..40 {
        let Ok(next) = fs::read_link(&path) else { break };
        path = path.parent().unwrap_or(Path::new("")).join(next);
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    match (fs::canonicalize(folder), path.file_name()) {
        (Ok(folder), Some(name)) => folder.join(name),
        _ => path,
    }
}

#[cfg(unix)]
fn metadata_of_stdout() -> Option<Metadata> {
    use std::os::fd::AsFd as _;
    fs::File::from(std::io::stdout().as_fd().try_clone_to_owned().ok()?).metadata().ok()
}

#[cfg(unix)]
fn metadata_of_stdin() -> Option<Metadata> {
    use std::os::fd::AsFd as _;
    fs::File::from(std::io::stdin().as_fd().try_clone_to_owned().ok()?).metadata().ok()
}

#[cfg(not(unix))]
fn metadata_of_stdout() -> Option<Metadata> {
    None
}

#[cfg(not(unix))]
fn metadata_of_stdin() -> Option<Metadata> {
    None
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn files_are_the_same_whatever_they_are_called() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
        fs::create_dir(at("sub")).unwrap();
        fs::write(at("a"), "x").unwrap();
        fs::hard_link(at("a"), at("hard")).unwrap();
        symlink(at("a"), at("link")).unwrap();
        symlink("new", at("to-new")).unwrap();
        symlink(at("sub"), at("way")).unwrap();
        let same = [
            ("a", "a"),
            ("a", "./a"),
            ("a", "sub/../a"),
            ("a", "hard"),
            ("a", "link"),
            ("new", "sub/../new"),
            ("new", "to-new"),
            ("sub/x", "way/x"),
        ];
        for (one, two) in same {
            let mut outputs = Outputs::default();
            outputs.add("--one", &at(one)).unwrap();
            let error = outputs.add("--two", &at(two)).unwrap_err().to_string();
            assert!(error.contains("`--one`") && error.contains("`--two`"), "{one} {two}: {error}");
            if fs::metadata(at(one)).is_ok() {
                let error = outputs.spare("INPUT", &at(two)).unwrap_err().to_string();
                assert!(error.contains("`--one`") && error.contains("`INPUT`"), "{one} {two}: {error}");
            }
        }
        let mut outputs = Outputs::default();
        for other in ["a", "b", "sub/a", "sub/b", "to-new"] {
            outputs.add(other, &at(other)).unwrap();
        }
        for device in ["/dev/null", "/dev/null", "/dev/full"] {
            outputs.add("--one", device).unwrap();
            outputs.spare("INPUT", device).unwrap();
        }
        outputs.add("--one", "-").unwrap();
        for stdout in ["-", "/dev/stdout", "/dev/fd/1"] {
            assert!(outputs.add("--two", stdout).is_err(), "{stdout}");
        }
    }
}

//! Which of the files that were found in a folder are plainly something else than events: raw logs, settings, code,
//! images. A file that may be a damaged file of events is never one of them.

mod json;
mod text;

use super::yaml::{self, is_yaml, unpacked};
use crate::store::{Error, ErrorKind, Source};
use std::collections::{BTreeMap, HashSet};
use std::ffi::OsStr;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// How many bytes of a text are looked at.
const HEAD_BYTES: usize = 64 << 10;
/// How long a JSON file may be that is read to the end for this.
const MOST_BYTES: u64 = 64 << 20;
/// How long a YAML file may be that is read as a whole for this.
const MOST_YAML_BYTES: usize = 8 << 20;
/// How many names of each kind are kept.
const NAMES: usize = 3;

/// What a file is that holds no events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum OtherKind {
    RawLog,
    Rejects,
    Json,
    Yaml,
    Text,
    Binary,
}

impl OtherKind {
    /// What files of this kind are called.
    pub(crate) fn name(self) -> &'static str {
        match self {
            OtherKind::RawLog => "raw logs",
            OtherKind::Rejects => "rejects",
            OtherKind::Json => "JSON of another kind",
            OtherKind::Yaml => "YAML of another kind",
            OtherKind::Text => "text of another kind",
            OtherKind::Binary => "binary data",
        }
    }
}

/// The files that were left out, by kind.
#[derive(Debug, Default)]
pub(crate) struct LeftOut {
    kinds: BTreeMap<OtherKind, (u64, Vec<String>)>,
}

impl LeftOut {
    fn add(&mut self, kind: OtherKind, name: &str) {
        let (count, names) = self.kinds.entry(kind).or_default();
        *count += 1;
        if names.len() < NAMES {
            names.push(name.to_owned());
        }
    }

    /// Whether nothing was.
    pub(crate) fn is_empty(&self) -> bool {
        self.kinds.is_empty()
    }

    /// How many there are.
    pub(crate) fn count(&self) -> u64 {
        self.kinds.values().map(|(count, _)| count).sum()
    }

    /// A line for each kind, with the number of its files and the names of the first.
    pub(crate) fn lines(&self) -> impl Iterator<Item = String> {
        self.kinds.iter().map(|(kind, (count, names))| {
            let files = if *count == 1 { "file" } else { "files" };
            let more = if *count > names.len() as u64 { ", ..." } else { "" };
            format!("left out: {count} {files} of {} ({}{more})", kind.name(), names.join(", "))
        })
    }

    /// The same for the JSON report.
    pub(crate) fn json(&self) -> serde_json::Value {
        let kinds = self.kinds.iter().map(
            |(kind, (count, names))| serde_json::json!({"kind": kind.name(), "files": count, "first": names}),
        );
        kinds.collect()
    }
}

/// Leaves out of `sources` what is plainly something else. What is one of the `inputs` was named itself, and stays.
pub(crate) fn leave_out(sources: &mut Vec<Source>, inputs: &[String]) -> LeftOut {
    let path = |input: &str| PathBuf::from(input.strip_prefix("file://").unwrap_or(input));
    let place = |path: &Path| fs::canonicalize(path).ok().filter(|path| path.is_file());
    let named: HashSet<PathBuf> = inputs.iter().filter_map(|input| place(&path(input))).collect();
    let is_named = |file: &Path| !named.is_empty() && place(file).is_some_and(|path| named.contains(&path));
    let bases: Vec<PathBuf> = inputs.iter().map(|input| base(&path(input))).collect();
    let mut left_out = LeftOut::default();
    sources.retain(|source| {
        // What is not a file can be read only once, or is far away.
        let file = source
            .file()
            .filter(|file| file.is_file() && !inputs.iter().any(|input| Path::new(input) == *file));
        let Some(file) = file else { return true };
        let below = bases.iter().filter_map(|base| file.strip_prefix(base).ok());
        let below = below.max_by_key(|path| path.components().count()).unwrap_or(file);
        let other = other_kind(source, file, below).filter(|_| !is_named(file));
        if let Some(kind) = other {
            left_out.add(kind, source.name());
        }
        other.is_none()
    });
    left_out
}

/// The folder that holds what an input names: a file, a folder, or all that fits a pattern.
fn base(input: &Path) -> PathBuf {
    let is_pattern =
        |part: &std::path::Component<'_>| part.as_os_str().to_string_lossy().contains(['*', '?', '[']);
    let named: PathBuf = input.components().take_while(|part| !is_pattern(part)).collect();
    named.parent().map(Path::to_owned).unwrap_or_default()
}

/// What a file is, if it is plainly something else than events; `below` is its path as far as it says what it holds. What
/// can't be read is not.
fn other_kind(source: &Source, file: &Path, below: &Path) -> Option<OtherKind> {
    let path = file.to_string_lossy();
    let name = FileName::of(&path);
    if name.is_always_checked(below) {
        return None;
    }
    // The members of an archive are files of their own, and checked.
    let mut input = source.open(Arc::default(), Arc::default()).ok()?.with_members();
    let head = match head(&mut input) {
        Ok(head) => head,
        Err(error) => {
            // What is called JSON or YAML, and is neither, is damaged; so is what holds events behind other bytes.
            let is_text = name.extension == "json" || is_yaml(name.path);
            let is_binary = Error::from_io(error).is_ok_and(|error| error.kind() == ErrorKind::NotLog);
            let has_events = || text::has_events(&[], &mut fs::File::open(file).ok()?).ok();
            let is_other = is_binary && !is_text && (name.is_binary() || has_events() == Some(false));
            return is_other.then_some(OtherKind::Binary);
        }
    };
    kind_of(&name, &head, &mut input)
}

/// The first bytes.
fn head(input: &mut dyn Read) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    input.take(HEAD_BYTES as u64).read_to_end(&mut head)?;
    Ok(head)
}

/// What a file of this name is, by what it holds: its `head`, and the `rest` behind that.
fn kind_of(name: &FileName<'_>, head: &[u8], rest: &mut dyn Read) -> Option<OtherKind> {
    if is_yaml(name.path) {
        return yaml_kind(head, rest);
    }
    let text = text::beginning(head);
    // What can't be read to its end may hold some.
    let without_events = |kind: OtherKind, rest: &mut dyn Read| {
        let has_events = text::has_events(head, rest).unwrap_or(true);
        (!has_events).then_some(kind)
    };
    if let Some(kind) = name.place_in_case() {
        return without_events(kind, rest);
    }
    match (name.holds(), text::begins_as_json(text)) {
        (Holds::Json, _) | (Holds::Unknown, true) => {
            let mut rest = rest.take(MOST_BYTES);
            let kind = match json::read(text.chain(&mut rest))? {
                json::Content::RawLogs => Some(OtherKind::RawLog),
                json::Content::NoEvent => Some(OtherKind::Json),
                json::Content::Event => None,
            };
            // Behind what was looked at there may be events.
            kind.filter(|_| rest.limit() > 0)
        }
        // An event in a file of code is an example.
        (Holds::Code, true) => without_events(OtherKind::Text, rest),
        (Holds::Code, false) => Some(OtherKind::Text),
        (Holds::Lines, true) => None,
        (Holds::Lines | Holds::Unknown, false) if text.is_empty() => None,
        (Holds::Lines | Holds::Unknown, false) => {
            let log = name.extension == "log" || matches!(name.folder, "logs" | "raw_logs");
            without_events(if log { OtherKind::RawLog } else { OtherKind::Text }, rest)
        }
    }
}

/// What a YAML file is. One that can be read is looked at as JSON is, and others by their words.
fn yaml_kind(head: &[u8], rest: &mut dyn Read) -> Option<OtherKind> {
    let mut bytes = head.to_vec();
    rest.take(MOST_YAML_BYTES as u64).read_to_end(&mut bytes).ok()?;
    let has_events = match yaml::read(&bytes, MOST_YAML_BYTES) {
        _ if text::has_certain(&bytes) => true,
        Ok(yaml) if yaml.json == b"[]" => false,
        Ok(yaml) => matches!(json::read(&*yaml.json), Some(json::Content::Event)),
        Err(_) => text::has_events(&bytes, rest).unwrap_or(true),
    };
    (!has_events).then_some(OtherKind::Yaml)
}

/// What a file holds by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Holds {
    /// One JSON value.
    Json,
    /// Code, settings, or a document.
    Code,
    /// Lines of any kind.
    Lines,
    Unknown,
}

/// A path, as far as it says what a file is.
#[derive(Debug)]
struct FileName<'n> {
    /// The path without the ending of a compressed file.
    path: &'n str,
    file: &'n str,
    folder: &'n str,
    extension: String,
}

impl<'n> FileName<'n> {
    fn of(path: &'n str) -> FileName<'n> {
        let path = unpacked(path);
        let mut parts = path.rsplit(['/', '\\']);
        let file = parts.next().unwrap_or_default();
        let folder = parts.next().unwrap_or_default();
        let extension = file.rsplit_once('.').map_or("", |(_, extension)| extension).to_ascii_lowercase();
        FileName { path, file, folder, extension }
    }

    /// Whether its name, or a folder `below` which it is, says that it holds events, or lines of which none may be left
    /// out.
    fn is_always_checked(&self, below: &Path) -> bool {
        let lines = matches!(self.extension.as_str(), "ndjson" | "jsonl");
        let values = self.extension == "json" || is_yaml(self.path);
        let depth = below.parent().map_or(0, |folders| folders.components().count());
        // The nearest of the folders that layouts have. `events` is one next to `logs`; other folders have that name, too.
        let is_layout = |folder: &&Path| match folder.file_name().and_then(OsStr::to_str) {
            Some("expected_events" | "logs" | "raw_logs") => true,
            Some("events") => folder.parent().is_some_and(|above| above.join("logs").is_dir()),
            _ => false,
        };
        let folder = Path::new(self.path).ancestors().skip(1).take(depth).find(is_layout);
        let folder = folder.and_then(Path::file_name).and_then(OsStr::to_str);
        (lines && self.place_in_case().is_none())
            || (values && matches!(folder, Some("events" | "expected_events")))
    }

    /// Whether its ending is one of files that are not text, and in which nothing is looked for.
    fn is_binary(&self) -> bool {
        BINARY.contains(&self.extension.as_str())
    }

    /// What it is for a case of `udmap test` that it lies with, if that is not what the case expects.
    fn place_in_case(&self) -> Option<OtherKind> {
        let folder = Path::new(self.path).parent()?;
        let with = |name: &str| folder.join(name).is_file();
        let above = |name: &str| folder.parent().is_some_and(|above| above.join(name).is_dir());
        // Behind the ending of a compressed file there may be nothing: `input.gz`.
        let is_input = self.file == "input" || self.file.starts_with("input.");
        if is_input && with("events.ndjson") {
            Some(OtherKind::RawLog)
        } else if self.file == "rejects.ndjson" && with("events.ndjson") {
            Some(OtherKind::Rejects)
        } else if self.folder == "logs" && matches!(self.extension.as_str(), "txt" | "log") && above("events")
        {
            Some(OtherKind::RawLog)
        } else {
            None
        }
    }

    fn holds(&self) -> Holds {
        match self.extension.as_str() {
            "json" => Holds::Json,
            "" | "txt" | "log" | "out" => Holds::Lines,
            rotated if rotated.bytes().all(|byte| byte.is_ascii_digit()) => Holds::Lines,
            extension if CODE.contains(&extension) => Holds::Code,
            _ => Holds::Unknown,
        }
    }
}

/// Endings of code, settings and documents.
const CODE: &[&str] = &[
    "adoc",
    "bat",
    "c",
    "cfg",
    "conf",
    "cpp",
    "cs",
    "css",
    "csv",
    "env",
    "go",
    "gradle",
    "h",
    "hcl",
    "htm",
    "html",
    "ini",
    "j2",
    "java",
    "jinja",
    "js",
    "jsx",
    "kt",
    "lock",
    "md",
    "markdown",
    "mjs",
    "php",
    "properties",
    "proto",
    "ps1",
    "py",
    "pyi",
    "rb",
    "rs",
    "rst",
    "scss",
    "sh",
    "sql",
    "svg",
    "tf",
    "tfvars",
    "tmpl",
    "toml",
    "ts",
    "tsv",
    "tsx",
    "vue",
    "xml",
    "yaral",
];

/// Endings of images, programs and archives.
const BINARY: &[&str] = &[
    "7z", "class", "dll", "docx", "exe", "gif", "ico", "jar", "jpeg", "jpg", "pdf", "png", "pyc", "so",
    "ttf", "webp", "whl", "woff", "woff2", "xlsx", "zip",
];

#[cfg(test)]
mod tests;

//! Where test cases are: the three layouts in use.

use super::case_files::CaseFiles;
use crate::check::yaml;
use crate::store::PathFilter;
use crate::text::escaped;
use anyhow::{Context as _, bail};
use base64::Engine as _;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use walkdir::WalkDir;

/// How many bytes each file of a case may have, after decompression.
pub(crate) const MOST: u64 = 64 << 20;

/// How a case is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layout {
    /// `CASE/input.*`, `CASE/events.ndjson`, perhaps `CASE/rejects.ndjson`.
    Folder,
    /// content-hub: `raw_logs/CASE_log.json`, `expected_events/CASE_events.json`.
    ContentHub,
    /// secops-toolkit: `logs/CASE.txt`, `events/CASE.yaml`.
    Toolkit,
}

/// A case.
#[derive(Debug)]
pub(crate) struct TestCase {
    pub(crate) name: String,
    pub(crate) layout: Layout,
    pub(crate) raw: PathBuf,
    pub(crate) expected: PathBuf,
    /// The parser that the case is run by; of several, it is not known which. Without one, it is a table's case.
    pub(crate) parsers: Vec<PathBuf>,
    /// Where these files are.
    pub(crate) files: CaseFiles,
}

/// What a folder holds.
#[derive(Debug, Default)]
pub(crate) struct Cases {
    /// All cases, by their names.
    pub(crate) cases: Vec<TestCase>,
    /// Expected files that belong to no case.
    pub(crate) orphans: Vec<PathBuf>,
    /// Cases that are left out: how many there are of each other log type.
    pub(crate) others: BTreeMap<String, u64>,
    /// How many cases the filter left out.
    pub(crate) filtered: u64,
    /// How many cases are left out because they have no parser.
    pub(crate) without_parser: u64,
    /// Extensions of parsers that cases are run by.
    pub(crate) extensions: BTreeSet<PathBuf>,
    /// Parsers without a case.
    pub(crate) without_case: BTreeSet<PathBuf>,
}

/// Which cases are run by the parser that they belong to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(not(feature = "parser"), allow(dead_code, reason = "only parsers need it"))]
pub(crate) enum ByParser {
    /// None of them.
    Never,
    /// Those that are not of the table's log type.
    Others,
    /// All that have one; the others are the table's.
    All,
    /// All that have one; the others are left out.
    Only,
}

/// Which of the cases are run.
#[derive(Debug)]
pub(crate) struct WantedCases<'w> {
    /// What the paths of their logs must fit.
    pub(crate) filter: &'w PathFilter,
    /// A table's cases are left out if their parser's metadata says that they are of another log type.
    pub(crate) log_type: &'w str,
    pub(crate) by_parser: ByParser,
}

/// The wanted cases in `folder`, and expected files without one.
pub(crate) fn find(folder: &str, wanted: &WantedCases<'_>) -> anyhow::Result<Cases> {
    let root = Path::new(folder);
    if !root.is_dir() {
        bail!("`{}` is not a folder", escaped(folder));
    }
    let mut paths = Vec::new();
    for entry in WalkDir::new(root).follow_links(true).sort_by_file_name() {
        let entry = entry.with_context(|| format!("cannot list `{}`", escaped(folder)))?;
        // `a/b`, not `./a/b`: as other tools name what lies in the working folder.
        let path = entry.path();
        let path = if root == Path::new(".") { path.strip_prefix(root).unwrap_or(path) } else { path };
        if entry.file_type().is_file() && is_part(path) {
            paths.push(path.to_owned());
        }
    }
    Ok(among(root, paths, &CaseFiles::Disk, wanted))
}

/// The wanted cases among files below `root`, and expected files without one.
pub(crate) fn among(root: &Path, paths: Vec<PathBuf>, files: &CaseFiles, wanted: &WantedCases<'_>) -> Cases {
    let (mut found, mut expected, mut known) = (Cases::default(), Vec::new(), HashSet::new());
    let fits = |path: &Path| wanted.filter.wants(&path.strip_prefix(root).unwrap_or(path).to_string_lossy());
    let other_type = |path: &Path| {
        log_type_of(path, files)
            .filter(|other| !wanted.log_type.split(',').any(|own| other.eq_ignore_ascii_case(own.trim())))
    };
    let parsers = ParserFiles::among(&paths);
    let by_parser = |path: &Path, other: &Option<String>| match wanted.by_parser {
        ByParser::Never => false,
        ByParser::Others => other.is_some() && !parsers.of(path).is_empty(),
        ByParser::All | ByParser::Only => !parsers.of(path).is_empty(),
    };
    found.without_case = parsers.by_folder.values().flatten().cloned().collect();
    for path in paths {
        if let Some(mut case) = case(root, &path, files) {
            known.extend([Some(case.expected.clone()), case.rejects()].into_iter().flatten());
            let own = parsers.of(&path);
            own.iter().for_each(|parser| _ = found.without_case.remove(parser));
            let other = other_type(&path);
            if !fits(&path) {
                found.filtered += 1;
            } else if by_parser(&path, &other) {
                case.parsers = own;
                found.extensions.extend(parsers.extensions(&path));
                found.cases.push(case);
            } else if wanted.by_parser == ByParser::Only {
                found.without_parser += 1;
            } else if let Some(other) = other {
                *found.others.entry(other).or_default() += 1;
            } else {
                found.cases.push(case);
            }
        } else if is_expected(&path) {
            expected.push(path);
        }
    }
    for file in expected.into_iter().filter(|file| !known.contains(file) && fits(file)) {
        let other = other_type(&file);
        match other {
            _ if by_parser(&file, &other) => found.orphans.push(file),
            _ if wanted.by_parser == ByParser::Only => found.without_parser += 1,
            Some(other) => *found.others.entry(other).or_default() += 1,
            None => found.orphans.push(file),
        }
    }
    found
}

/// Parsers and their extensions, by their folders.
#[derive(Debug, Default)]
struct ParserFiles {
    by_folder: HashMap<PathBuf, Vec<PathBuf>>,
    extensions: HashMap<PathBuf, Vec<PathBuf>>,
}

impl ParserFiles {
    fn among(paths: &[PathBuf]) -> ParserFiles {
        let mut found = ParserFiles::default();
        for path in paths.iter().filter(|path| is_parser(path)) {
            let is_extension =
                path.file_stem().is_some_and(|stem| stem.to_string_lossy().contains("extension"));
            let to = if is_extension { &mut found.extensions } else { &mut found.by_folder };
            let folder = path.parent().unwrap_or(Path::new(""));
            to.entry(folder.to_owned()).or_default().push(path.clone());
        }
        found
    }

    /// The parser of a case that a file is part of; several, if it is not clear which.
    fn of(&self, file: &Path) -> Vec<PathBuf> {
        let all = home(file).and_then(|home| self.by_folder.get(home)).cloned().unwrap_or_default();
        let case = file.file_name().and_then(OsStr::to_str).unwrap_or_default();
        let case = case.split_once("_log.").or(case.split_once("_events.")).map_or(case, |(case, _)| case);
        let is_it = |parser: &&PathBuf| {
            let name = parser.file_stem().and_then(OsStr::to_str).unwrap_or_default();
            name == "parser"
                || name == case
                || name.strip_prefix(case).is_some_and(|rest| rest.starts_with('_'))
        };
        match &all.iter().filter(is_it).collect::<Vec<_>>()[..] {
            [one] => vec![(*one).clone()],
            _ => all,
        }
    }

    fn extensions(&self, file: &Path) -> Vec<PathBuf> {
        home(file).and_then(|home| self.extensions.get(home)).cloned().unwrap_or_default()
    }
}

fn is_parser(file: &Path) -> bool {
    file.extension().is_some_and(|extension| extension == "conf")
}

/// The folder of the parser that a file of a case belongs to: content-hub's is that of `testdata`, secops-toolkit's that of
/// `logs` and `events`, another case's is its own.
fn home(file: &Path) -> Option<&Path> {
    let folder = file.parent()?;
    match folder.file_name().and_then(OsStr::to_str) {
        Some("raw_logs" | "expected_events") => folder.parent()?.parent(),
        Some("logs" | "events") => folder.parent(),
        _ => Some(folder),
    }
}

/// Whether a file may be part of a case, by its name and folder, or say of which log type cases are.
pub(crate) fn is_part(file: &Path) -> bool {
    let name = file.file_name().and_then(OsStr::to_str).unwrap_or_default();
    is_expected(file)
        || name.starts_with("input.")
        || matches!(name, "metadata.json" | "parser.yaml")
        || is_parser(file)
        || case(Path::new(""), file, &CaseFiles::default()).is_some()
}

/// The log type of the parser that a file of a case belongs to, if its metadata names one: content-hub's `metadata.json`
/// next to `testdata`, secops-toolkit's `parser.yaml` next to `logs` and `events`, a `metadata.json` next to other cases'
/// folders.
fn log_type_of(file: &Path, files: &CaseFiles) -> Option<String> {
    let folder = file.parent()?;
    match folder.file_name()?.to_str()? {
        "raw_logs" | "expected_events" => log_type_in("metadata.json", folder.parent()?.parent()?, files),
        "logs" | "events" => log_type_in("parser.yaml", folder.parent()?, files),
        _ => log_type_in("metadata.json", folder.parent()?, files),
    }
}

/// The log type of a parser, if the metadata next to it names one.
#[cfg(all(feature = "cli", feature = "parser"))]
pub(crate) fn log_type_next_to(parser: &Path) -> Option<String> {
    let files = CaseFiles::default();
    ["metadata.json", "parser.yaml"].iter().find_map(|name| log_type_in(name, parser.parent()?, &files))
}

fn log_type_in(name: &str, folder: &Path, files: &CaseFiles) -> Option<String> {
    const MOST: u64 = 1 << 20;
    #[derive(serde::Deserialize)]
    struct Metadata {
        log_type: String,
    }
    let text = files.read(&folder.join(name), MOST).ok()?;
    let metadata: Metadata = if name.ends_with(".json") {
        serde_json::from_slice(&text).ok()?
    } else {
        let [metadata] = serde_json::from_slice(&yaml::read(&text, MOST as usize).ok()?.json).ok()?;
        metadata
    };
    let log_type = metadata.log_type.trim().to_ascii_uppercase();
    let names_one = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
    (!log_type.is_empty() && log_type.bytes().all(names_one)).then_some(log_type)
}

/// Whether a file is, by its name and folder, what a case expects.
fn is_expected(file: &Path) -> bool {
    let folder = file.parent().and_then(Path::file_name).and_then(OsStr::to_str).unwrap_or_default();
    let extension = file.extension().and_then(OsStr::to_str).unwrap_or_default();
    match file.file_name().and_then(OsStr::to_str) {
        Some("events.ndjson" | "rejects.ndjson") => true,
        Some(_) => match folder {
            "expected_events" => extension == "json",
            "events" => matches!(extension, "yaml" | "yml"),
            _ => false,
        },
        None => false,
    }
}

/// Endings of programs and pages: an `input.py` without events is not a log.
const CODE: [&str; 16] = [
    "css", "go", "html", "java", "js", "jsx", "md", "php", "py", "rb", "rs", "scss", "sh", "tf", "ts", "tsx",
];

/// The bytes of a log in content-hub's form: the service writes base64; files that people made hold the text itself.
pub(crate) fn raw_data(text: &str) -> Vec<u8> {
    let decoded = base64::prelude::BASE64_STANDARD.decode(text).ok();
    let decoded = decoded.filter(|bytes| !bytes.is_empty() && std::str::from_utf8(bytes).is_ok());
    decoded.unwrap_or_else(|| text.as_bytes().to_vec())
}

/// The case that a file is the raw log of, if it is one.
fn case(root: &Path, raw: &Path, files: &CaseFiles) -> Option<TestCase> {
    let file = raw.file_name()?.to_str()?;
    let folder = raw.parent()?;
    let named = |path: &Path, name: &str| path.file_name().is_some_and(|n| n == name);
    let is_code = raw.extension().and_then(OsStr::to_str).is_some_and(|extension| CODE.contains(&extension));
    let is_case = |folder: &Path| !is_code || files.exists(&folder.join("events.ndjson"));
    let (layout, expected, name) = if file.starts_with("input.") && is_case(folder) {
        (Layout::Folder, folder.join("events.ndjson"), folder.to_owned())
    } else if named(folder, "raw_logs") && file.ends_with("_log.json") {
        let case = file.strip_suffix("_log.json")?;
        let expected = folder.parent()?.join("expected_events").join(format!("{case}_events.json"));
        (Layout::ContentHub, expected, folder.parent()?.join(case))
    } else if named(folder, "logs") && matches!(raw.extension()?.to_str()?, "txt" | "log") {
        let case = raw.file_stem()?.to_str()?;
        let events = folder.parent()?.join("events");
        let yml = events.join(format!("{case}.yml"));
        let expected = if files.exists(&yml) { yml } else { events.join(format!("{case}.yaml")) };
        (Layout::Toolkit, expected, folder.parent()?.join(case))
    } else {
        return None;
    };
    let name = name.strip_prefix(root).unwrap_or(&name).to_string_lossy().into_owned();
    let of_root = || root.file_name().map_or(".".into(), OsStr::to_string_lossy).into_owned();
    let name = if name.is_empty() { of_root() } else { name };
    let (raw, parsers) = (raw.to_owned(), Vec::new());
    Some(TestCase { name, layout, raw, expected, parsers, files: files.clone() })
}

impl TestCase {
    /// The log type of its parser, if metadata names one.
    #[cfg_attr(not(feature = "parser"), allow(dead_code, reason = "only parsers need it"))]
    pub(crate) fn log_type(&self) -> Option<String> {
        log_type_of(&self.raw, &self.files)
    }

    /// The raw logs: one stream, or one for each entry.
    pub(crate) fn logs(&self) -> anyhow::Result<Vec<Vec<u8>>> {
        let name = self.raw.to_string_lossy();
        let name = escaped(&name);
        let text = self.files.read(&self.raw, MOST)?;
        if self.layout != Layout::ContentHub {
            return Ok(vec![text]);
        }
        let value: Value =
            serde_json::from_slice(&text).with_context(|| format!("`{name}` is not valid JSON"))?;
        let entries = ["raw_logs", "rawLogs"].iter().find_map(|key| value[key]["entries"].as_array());
        let entries = entries.with_context(|| format!("`{name}` has no `raw_logs.entries`"))?;
        let data = |entry: &Value| {
            let text =
                entry["data"].as_str().with_context(|| format!("an entry of `{name}` has no `data`"))?;
            Ok(raw_data(text))
        };
        entries.iter().map(data).collect()
    }

    /// The expected events, as JSON values in one of the known wrappings; nothing, if there is no file.
    pub(crate) fn expected(&self) -> anyhow::Result<Vec<Vec<u8>>> {
        let name = self.expected.to_string_lossy();
        let name = escaped(&name);
        if !self.files.exists(&self.expected) {
            return Ok(Vec::new());
        }
        let text = self.files.read(&self.expected, MOST)?;
        if self.layout == Layout::Toolkit {
            let yaml = yaml::read(&text, MOST as usize).map_err(|error| {
                anyhow::anyhow!(
                    "`{name}`, line {}: not valid YAML: {}",
                    error.place.line,
                    escaped(&error.message)
                )
            })?;
            return Ok(vec![yaml.json]);
        }
        Ok(vec![text])
    }

    /// Whether nothing says what the case expects.
    pub(crate) fn is_unchecked(&self) -> bool {
        !self.files.exists(&self.expected) && !self.rejects().is_some_and(|file| self.files.exists(&file))
    }

    /// The file with the expected rejects, if the layout has one.
    pub(crate) fn rejects(&self) -> Option<PathBuf> {
        (self.layout == Layout::Folder && self.parsers.is_empty())
            .then(|| self.expected.with_file_name("rejects.ndjson"))
    }
}

//! Where test cases are: the three layouts in use.

use crate::check::whole_file;
use crate::text::escaped;
use anyhow::{Context as _, bail};
use base64::Engine as _;
use serde_json::Value;
use std::collections::HashSet;
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
}

/// What a folder holds.
#[derive(Debug, Default)]
pub(crate) struct Cases {
    /// All cases, by their names.
    pub(crate) cases: Vec<TestCase>,
    /// Expected files that belong to no case.
    pub(crate) orphans: Vec<PathBuf>,
}

/// All cases in `folder`, and expected files without one.
pub(crate) fn find(folder: &str) -> anyhow::Result<Cases> {
    let root = Path::new(folder);
    if !root.is_dir() {
        bail!("`{}` is not a folder", escaped(folder));
    }
    let (mut found, mut expected) = (Cases::default(), Vec::new());
    for entry in WalkDir::new(root).follow_links(true).sort_by_file_name() {
        let entry = entry.with_context(|| format!("cannot list `{}`", escaped(folder)))?;
        if !entry.file_type().is_file() {
        } else if let Some(case) = case(root, entry.path()) {
            found.cases.push(case);
        } else if is_expected(entry.path()) {
            expected.push(entry.into_path());
        }
    }
    let mut known = HashSet::new();
    for case in &found.cases {
        known.extend([Some(case.expected.clone()), case.rejects()].into_iter().flatten());
    }
    found.orphans = expected.into_iter().filter(|file| !known.contains(file)).collect();
    Ok(found)
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

/// The case that a file is the raw log of, if it is one.
fn case(root: &Path, raw: &Path) -> Option<TestCase> {
    let file = raw.file_name()?.to_str()?;
    let folder = raw.parent()?;
    let named = |path: &Path, name: &str| path.file_name().is_some_and(|n| n == name);
    let (layout, expected, name) = if file.starts_with("input.") {
        (Layout::Folder, folder.join("events.ndjson"), folder.to_owned())
    } else if named(folder, "raw_logs") && file.ends_with("_log.json") {
        let case = file.strip_suffix("_log.json")?;
        let expected = folder.parent()?.join("expected_events").join(format!("{case}_events.json"));
        (Layout::ContentHub, expected, folder.parent()?.join(case))
    } else if named(folder, "logs") && matches!(raw.extension()?.to_str()?, "txt" | "log") {
        let case = raw.file_stem()?.to_str()?;
        let events = folder.parent()?.join("events");
        let yml = events.join(format!("{case}.yml"));
        let expected = if yml.exists() { yml } else { events.join(format!("{case}.yaml")) };
        (Layout::Toolkit, expected, folder.parent()?.join(case))
    } else {
        return None;
    };
    let name = name.strip_prefix(root).unwrap_or(&name).to_string_lossy().into_owned();
    let name = if name.is_empty() { root.file_name()?.to_string_lossy().into_owned() } else { name };
    Some(TestCase { name, layout, raw: raw.to_owned(), expected })
}

impl TestCase {
    /// The raw logs: one stream, or one for each entry.
    pub(crate) fn logs(&self) -> anyhow::Result<Vec<Vec<u8>>> {
        let name = self.raw.to_string_lossy();
        let name = escaped(&name);
        let text = whole_file::read_log(&self.raw, MOST)?;
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
            // The service writes base64; files that people made hold the text itself.
            let decoded = base64::prelude::BASE64_STANDARD.decode(text).ok();
            let decoded = decoded.filter(|bytes| !bytes.is_empty() && std::str::from_utf8(bytes).is_ok());
            Ok(decoded.unwrap_or_else(|| text.as_bytes().to_vec()))
        };
        entries.iter().map(data).collect()
    }

    /// The expected events, as JSON values in one of the known wrappings; nothing, if there is no file.
    pub(crate) fn expected(&self) -> anyhow::Result<Vec<Vec<u8>>> {
        let name = self.expected.to_string_lossy();
        let name = escaped(&name);
        if !self.expected.exists() {
            return Ok(Vec::new());
        }
        let text = whole_file::read(&self.expected, MOST)?;
        if self.layout == Layout::Toolkit {
            let text = String::from_utf8(text).with_context(|| format!("`{name}` is not UTF-8"))?;
            let value: Option<Value> = serde_saphyr::from_str(&text)
                .map_err(|error| anyhow::anyhow!("`{name}` is not valid YAML: {error}"))?;
            return Ok(value.map(|value| value.to_string().into_bytes()).into_iter().collect());
        }
        Ok(vec![text])
    }

    /// Whether nothing says what the case expects.
    pub(crate) fn is_unchecked(&self) -> bool {
        !self.expected.exists() && !self.rejects().is_some_and(|file| file.exists())
    }

    /// The file with the expected rejects, if the layout has one.
    pub(crate) fn rejects(&self) -> Option<PathBuf> {
        (self.layout == Layout::Folder).then(|| self.expected.with_file_name("rejects.ndjson"))
    }
}

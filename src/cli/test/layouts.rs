//! Where test cases are: the three layouts in use.

use crate::store;
use anyhow::{Context as _, bail};
use base64::Engine as _;
use serde_json::Value;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use walkdir::WalkDir;

/// How a case is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layout {
    /// `CASE/input.*`, `CASE/events.ndjson`, perhaps `CASE/rejects.ndjson`.
    Folder,
    /// content-hub: `raw_logs/CASE_log.json`, `expected_events/CASE_events.json`.
    ContentHub,
    /// secops-toolkit: `logs/CASE.txt`, `events/CASE.yaml`.
    Toolkit,
}

/// A case.
#[derive(Debug)]
pub(super) struct Case {
    pub(super) name: String,
    pub(super) layout: Layout,
    pub(super) raw: PathBuf,
    pub(super) expected: PathBuf,
}

/// All cases in `folder`, by their names.
pub(super) fn find(folder: &str) -> anyhow::Result<Vec<Case>> {
    let root = Path::new(folder);
    if !root.is_dir() {
        bail!("`{folder}` is no folder");
    }
    let mut cases = Vec::new();
    for entry in WalkDir::new(root).follow_links(true).sort_by_file_name() {
        let entry = entry.with_context(|| format!("cannot list `{folder}`"))?;
        if entry.file_type().is_file() {
            cases.extend(case(root, entry.path()));
        }
    }
    if cases.is_empty() {
        bail!(
            "no cases in `{folder}`: known are CASE/input.* with CASE/events.ndjson, raw_logs/CASE_log.json with \
             expected_events/CASE_events.json, and logs/CASE.txt with events/CASE.yaml"
        );
    }
    Ok(cases)
}

/// The case that a file is the raw log of, if it is one.
fn case(root: &Path, raw: &Path) -> Option<Case> {
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
    Some(Case { name, layout, raw: raw.to_owned(), expected })
}

impl Case {
    /// The raw logs: one stream, or one for each entry.
    pub(super) fn logs(&self) -> anyhow::Result<Vec<Vec<u8>>> {
        let name = self.raw.to_string_lossy().into_owned();
        let mut text = Vec::new();
        for source in store::list(std::slice::from_ref(&name), &[])?.sources {
            source.open(Arc::default(), Arc::default())?.read_to_end(&mut text)?;
        }
        if self.layout != Layout::ContentHub {
            return Ok(vec![text]);
        }
        let value: Value = serde_json::from_slice(&text).with_context(|| format!("`{name}` is no JSON"))?;
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
    pub(super) fn expected(&self) -> anyhow::Result<Vec<Vec<u8>>> {
        let name = self.expected.to_string_lossy();
        if !self.expected.exists() {
            return Ok(Vec::new());
        }
        let text = fs::read(&self.expected).with_context(|| format!("cannot read `{name}`"))?;
        if self.layout == Layout::Toolkit {
            let text = String::from_utf8(text).with_context(|| format!("`{name}` is not UTF-8"))?;
            let value: Option<Value> = serde_saphyr::from_str(&text)
                .map_err(|error| anyhow::anyhow!("`{name}` is no YAML: {error}"))?;
            return Ok(value.map(|value| value.to_string().into_bytes()).into_iter().collect());
        }
        Ok(vec![text])
    }

    /// Where expected rejects stand, if the layout knows them.
    pub(super) fn rejects(&self) -> Option<PathBuf> {
        (self.layout == Layout::Folder).then(|| self.expected.with_file_name("rejects.ndjson"))
    }
}

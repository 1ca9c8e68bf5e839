//! Links in documents lead somewhere.

use super::{documents, text};
use crate::support::project;
use std::path::{Component, Path, PathBuf};

/// The targets of the links in a text, outside of its blocks of code.
fn links(text: &str) -> Vec<(usize, String)> {
    let mut fenced = false;
    let mut links = Vec::new();
    for (number, line) in text.lines().enumerate() {
        fenced ^= line.trim_start().starts_with("```");
        let mut rest = line;
        while let Some(at) = rest.find("](").filter(|_| !fenced) {
            rest = &rest[at + 2..];
            let end = rest.find(')').unwrap_or(rest.len());
            links.push((number + 1, rest[..end].to_owned()));
        }
    }
    links
}

/// The names by which a document's headings are linked.
fn anchors(text: &str) -> Vec<String> {
    let headings = text.lines().filter(|line| line.starts_with('#'));
    let anchor = |line: &str| {
        let line = line.trim_start_matches('#').trim().to_lowercase().replace(' ', "-");
        line.chars().filter(|c| c.is_alphanumeric() || matches!(c, '-' | '_')).collect()
    };
    headings.map(anchor).collect()
}

/// Without `..`, so that the path is as the project's list has it.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => drop(plain.pop()),
            part => plain.push(part),
        }
    }
    plain
}

#[test]
fn links_lead_somewhere() {
    let mut wrong = Vec::new();
    let more = [
        "DESIGN.md",
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "SECURITY.md",
        "python/README.md",
        "benches/peers/README.md",
    ];
    let more = more.map(str::to_owned).into_iter().filter(|file| project(file).exists());
    for file in documents().into_iter().chain(more) {
        let here = text(&file);
        for (line, link) in links(&here) {
            if link.contains("://") || link.starts_with("mailto:") {
                continue;
            }
            let (path, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let folder = Path::new(&file).parent().expect("a folder");
            let path = if path.is_empty() { PathBuf::from(&file) } else { plain(&folder.join(path)) };
            let is_there = project(&path.to_string_lossy()).exists();
            let has_anchor =
                || anchor.is_empty() || anchors(&text(&path.to_string_lossy())).iter().any(|it| it == anchor);
            if !is_there || !has_anchor() {
                wrong.push(format!("{file}:{line}: {link}"));
            }
        }
    }
    assert!(wrong.is_empty(), "links that lead nowhere:\n{}", wrong.join("\n"));
}

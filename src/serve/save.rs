//! The only two things that are written: a table, and a case of `udmap test`.

use super::answer::Refusal;
use super::record::record;
use super::state::State;
use super::work::Work;
use crate::check::cases::{CaseFiles, Layout, Outcome, TestCase, bless};
use crate::check::compare::Rules;
use crate::check::coverage::Coverage;
use crate::check::whole_file;
use crate::convert::{Converter, Engine, FieldNames, Options};
use crate::mapping::files::MOST_BYTES;
use crate::store::Output;
use crate::sync::lock;
use crate::text::{escaped, shell_word};
use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use std::fs;
use std::io::Write as _;
use std::path::{Component, Path, PathBuf};

/// What is asked.
#[derive(Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub(super) enum Asked {
    Mapping { text: String, file: Option<String> },
    Case { folder: String, name: String, mapping: String, sample: String, record: u64 },
}

/// What was written.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum Saved {
    Mapping { file: String },
    Case { folder: String, files: Vec<String>, command: String },
}

/// Writes what is asked.
///
/// # Errors
/// If there is something that the page did not open or save itself, or if the place is not below the working folder.
pub(super) fn save(state: &State, asked: &Asked, work: &Work) -> Result<Saved, Refusal> {
    match asked {
        Asked::Mapping { text, file } => table(state, text, file.as_deref()),
        Asked::Case { folder, name, mapping, sample, record } => {
            case(state, [folder, name], mapping, (sample, *record), work)
        }
    }
}

fn table(state: &State, text: &str, file: Option<&str>) -> Result<Saved, Refusal> {
    if text.len() as u64 > MOST_BYTES {
        return Err(Refusal::bad(format!("a table has at most {MOST_BYTES} bytes")));
    }
    let opened = state.mapping.file.as_deref();
    let name = file.or(opened);
    let name =
        name.ok_or_else(|| Refusal::bad("expected the name of the file").hint("such as `mine.toml`"))?;
    let path = match opened {
        Some(opened) if opened == name => state.folder.join(opened),
        _ => {
            if Path::new(name).extension().is_none_or(|extension| extension != "toml") {
                return Err(Refusal::bad("the name of a table ends with `.toml`"));
            }
            below(&state.folder, name)?
        }
    };
    let mut saved = lock(&state.saved);
    let known = saved.get(&path);
    // A file that is there is left alone, unless it holds what the page has opened or saved.
    match fs::symlink_metadata(&path) {
        Ok(_) => {
            let now = whole_file::read_text(&path, MOST_BYTES);
            if now.is_err() || known.is_none() || known != now.as_ref().ok() {
                let error = match known {
                    Some(_) => format!("`{}` has changed since the page opened or saved it", escaped(name)),
                    None => format!("there is a `{}` already", escaped(name)),
                };
                return Err(Refusal::conflict(error).hint("save the table under another name"));
            }
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(anyhow::Error::new(error).context("cannot look at the file").into()),
    }
    write(&path, text.as_bytes())?;
    saved.insert(path, text.to_owned());
    Ok(Saved::Mapping { file: name.to_owned() })
}

fn write(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let name = path.to_str().context("the name is not UTF-8")?;
    let mut output = Output::create(name)?;
    output.write_all(bytes).map_err(crate::store::store_error)?;
    Ok(output.finish()?)
}

/// A path below a folder: no part of it leads out, also not through a link.
fn below(folder: &Path, name: &str) -> Result<PathBuf, Refusal> {
    let hint = "such as `mine.toml` or `cases/first`";
    let refuse = || Refusal::bad("expected a name below the working folder").hint(hint);
    let is_plain = |part: Component<'_>| match part {
        Component::Normal(part) => {
            part.to_str().is_some_and(|part| !part.starts_with('.') && !part.contains(['\\', ':']))
        }
        _ => false,
    };
    if name.is_empty() || name.chars().any(char::is_control) || !Path::new(name).components().all(is_plain) {
        return Err(refuse());
    }
    let path = folder.join(name);
    let there = path.ancestors().skip(1).find(|above| above.exists()).ok_or_else(refuse)?;
    let real = |path: &Path| path.canonicalize().ok();
    let is_below = real(there).zip(real(folder)).is_some_and(|(there, folder)| there.starts_with(folder));
    if is_below { Ok(path) } else { Err(refuse()) }
}

/// Writes a record, and what the table makes of it, as a case.
fn case(
    state: &State,
    [folder, name]: [&str; 2],
    mapping: &str,
    (sample, number): (&str, u64),
    work: &Work,
) -> Result<Saved, Refusal> {
    let table = state.table(mapping)?;
    let rules = table.rules.as_ref();
    let rules = rules.ok_or_else(|| Refusal::bad("the table has errors").hint("mend them first"))?;
    let sample = state.sample(sample)?;
    let index = rules.index(&sample, work)?;
    let gone = || Refusal::missing("the sample has no record of this number");
    let (chunk, nth) = index.place_of(number).ok_or_else(gone)?;
    let looked = record(rules, &sample, &sample.chunks[chunk], nth, number).ok_or_else(gone)?;
    if Path::new(name).components().count() != 1 {
        return Err(Refusal::bad("expected the name of one folder for the case").hint("such as `first`"));
    }
    let place = below(&state.folder, &format!("{folder}/{name}"))?;
    if fs::symlink_metadata(&place).is_ok() {
        let error = format!("there is a `{}` already", escaped(&format!("{folder}/{name}")));
        return Err(Refusal::conflict(error).hint("choose another name"));
    }
    fs::create_dir_all(&place).context("cannot make the folder")?;
    let is_text = matches!(looked.raw.first(), Some(b'{' | b'['));
    let raw = place.join(if is_text { "input.ndjson" } else { "input.log" });
    let case = TestCase {
        name: name.to_owned(),
        layout: Layout::Folder,
        raw: raw.clone(),
        expected: place.join("events.ndjson"),
        parsers: Vec::new(),
        files: CaseFiles::default(),
    };
    let written = write(&raw, &[&looked.raw[..], b"\n"].concat()).and_then(|()| {
        let [snake, camel] = [FieldNames::Snake, FieldNames::Camel].map(|names| {
            Converter::new(&rules.mapping, &Options::default().engine(Engine::Exact).field_names(names))
        });
        let mut coverage = Coverage::new(&rules.mapping, &snake);
        let outcome = Outcome::of(&case, [&snake, &camel], &Rules::default(), &mut coverage)?;
        bless(&case, &outcome)
    });
    if let Err(error) = written {
        // Half a case would fail. The folder is the one that was just made.
        let _ = fs::remove_dir_all(&place);
        return Err(error.into());
    }
    let mut files: Vec<String> = fs::read_dir(&place)
        .context("cannot list the case")?
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect();
    files.sort();
    let table = state.mapping.file.as_deref().unwrap_or(&state.mapping.name);
    let command = format!("udmap test {} --mapping {}", shell_word(folder), shell_word(table));
    Ok(Saved::Case { folder: format!("{folder}/{name}"), files, command })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_nowhere_else() {
        let folder = tempfile::tempdir().unwrap();
        let outside = tempfile::tempdir().unwrap();
        let root = folder.path();
        assert_eq!(below(root, "a.toml").unwrap(), root.join("a.toml"));
        assert_eq!(below(root, "a/b").unwrap(), root.join("a/b"));
        for wrong in [
            "",
            "..",
            "../a.toml",
            "/etc/a.toml",
            "a/../b",
            "./a",
            ".hidden",
            "a/.b",
            "a\\b",
            "c:x",
            "a\nb",
            "a\0",
        ] {
            assert!(below(root, wrong).is_err(), "{wrong:?}");
        }
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink(outside.path(), root.join("link")).unwrap();
            assert!(below(root, "link/a.toml").is_err());
        }
        drop(outside);
    }
}

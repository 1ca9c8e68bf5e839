//! What the page shows, as a command line.

use super::answer::Refusal;
use super::record::record;
use super::state::State;
use super::work::Work;
use crate::sync::lock;
use crate::text::{shell_word, shown};
use serde::{Deserialize, Serialize};

/// The longest record that is written into a command.
const MOST_INLINE: usize = 16 << 10;

/// What is asked.
#[derive(Debug, Deserialize)]
pub(super) struct Asked {
    sample: String,
    #[serde(default)]
    record: u64,
    #[serde(default)]
    mapping_file: Option<String>,
    /// The table as it is written now.
    #[serde(default)]
    mapping: Option<String>,
    what: What,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum What {
    Convert,
    Explain,
    Test,
}

#[derive(Debug, Serialize)]
pub(super) struct Answer {
    command: String,
    /// What is to be done first.
    note: Option<String>,
}

/// What a table is called in a command if it is not saved.
const UNSAVED: &str = "mine.toml";

/// The command.
///
/// # Errors
/// If the sample has no record of this number, or if it can't be written into a command.
pub(super) fn command(state: &State, asked: &Asked, work: &Work) -> Result<Answer, Refusal> {
    let (name, note) = table(state, asked);
    let table = shell_word(&name);
    let sample = state.sample(&asked.sample)?;
    let command = match asked.what {
        What::Test => format!("udmap test CASES --mapping {table}"),
        What::Convert if sample.is_file => {
            format!("udmap convert {} --mapping {table}", shell_word(&sample.name))
        }
        What::Convert | What::Explain => {
            let verb = if asked.what == What::Convert { "convert" } else { "explain" };
            let text = asked.mapping.as_deref().unwrap_or(&state.mapping.text);
            let table_read = state.table(text)?;
            let rules = table_read.rules.as_ref();
            let rules = rules.ok_or_else(|| Refusal::bad("the table has errors").hint("mend them first"))?;
            let index = rules.index(&sample, work)?;
            let gone = || Refusal::missing("the sample has no record of this number");
            let (chunk, nth) = index.place_of(asked.record).ok_or_else(gone)?;
            let looked = record(rules, &sample, &sample.chunks[chunk], nth, asked.record).ok_or_else(gone)?;
            // A name of several texts is not that of a file.
            if sample.is_file
                && sample.texts.len() == 1
                && sample.wraps.iter().all(|wrap| *wrap != "content-hub")
            {
                let place = format!("{}:{}", looked.view.source, looked.view.line);
                format!("udmap {verb} {} --mapping {table}", shell_word(&place))
            } else {
                let raw = std::str::from_utf8(&looked.raw).ok();
                let raw = raw.filter(|raw| raw.len() <= MOST_INLINE && !raw.contains('\0'));
                let raw =
                    raw.ok_or_else(|| Refusal::bad("the record is too long, or not text, for a command"))?;
                format!("printf '%s\\n' {} | udmap {verb} - --mapping {table}", shell_word(raw))
            }
        }
    };
    Ok(Answer { command, note })
}

/// What the table is called, and what is to be done before it can be named.
fn table(state: &State, asked: &Asked) -> (String, Option<String>) {
    let opened = state.mapping.file.as_ref().unwrap_or(&state.mapping.name);
    let text = asked.mapping.as_ref().unwrap_or(&state.mapping.text);
    if let Some(file) = &asked.mapping_file {
        let is_saved = lock(&state.saved).get(&state.folder.join(file)) == Some(text);
        return (file.clone(), (!is_saved).then(|| format!("save the table as `{}` first", shown(file))));
    }
    if *text == state.mapping.text && state.mapping.file.is_none() {
        return (opened.clone(), None);
    }
    let saved = lock(&state.saved);
    let saved = saved.iter().find(|(_, saved)| *saved == text).map(|(path, _)| path);
    let name = |path: &std::path::PathBuf| {
        let below = path.strip_prefix(&state.folder).unwrap_or(path);
        below.to_str().map(str::to_owned)
    };
    match saved.and_then(name) {
        Some(name) => (name, None),
        None => (UNSAVED.to_owned(), Some(format!("save the table as `{UNSAVED}` first"))),
    }
}

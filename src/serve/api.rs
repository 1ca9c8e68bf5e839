//! The calls of the page: which there are, what they take, what they answer.

use super::answer::{Refusal, json};
use super::sample::{SAMPLE_BYTES, Sample};
use super::state::State;
use super::work::Work;
use super::{command, fields, forms, profile, rule, run, save, share};
use crate::mapping::files::MOST_BYTES;
use crate::mapping::{builtin_mappings, builtin_text};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

/// How many files a sample may be made of.
const MOST_FILES: usize = 10_000;

/// Answers a call.
///
/// # Errors
/// If the call is unknown, or if it can't be answered.
pub(super) fn call(state: &State, name: &str, body: &[u8], work: &Work) -> Result<Vec<u8>, Refusal> {
    crate::panics::provoke("serve");
    match name {
        "start" => start(state, work),
        "mapping" => mapping(&asked(body)?),
        "sample" => sample(state, asked(body)?, work),
        "run" => Ok(json(&run::run(state, &asked(body)?, work)?)),
        "fields" => Ok(json(&fields::search(&asked(body)?))),
        "rule" => Ok(json(&rule::write(state, &asked(body)?)?)),
        "profile" => Ok(json(&profile::profile(state, &asked(body)?, work)?)),
        "save" => Ok(json(&save::save(state, &asked(body)?, work)?)),
        "command" => Ok(json(&command::command(state, &asked(body)?, work)?)),
        "share" => Ok(json(&share::share(state, &asked(body)?, work)?)),
        "quit" => {
            state.stop.store(true, Relaxed);
            Ok(json(&json!({})))
        }
        _ => Err(Refusal::missing("unknown call")),
    }
}

fn asked<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    serde_json::from_slice(body).map_err(|error| Refusal::bad(format!("the request: {error}")))
}

fn start(state: &State, work: &Work) -> Result<Vec<u8>, Refusal> {
    let opened =
        |opened: &super::Opened| json!({"name": opened.name, "text": opened.text, "file": opened.file});
    let mut mapping = opened(&state.mapping);
    mapping["builtin"] = state.mapping.file.is_none().into();
    Ok(json(&json!({
        "version": env!("CARGO_PKG_VERSION"),
        "mapping": mapping,
        "parser": state.parser.as_ref().map(opened),
        "sample": shown(state, &state.first, None, work)?,
        "is_example": state.is_example,
        "mappings": builtin_mappings().collect::<Vec<_>>(),
        "cases": "cases",
        "has_parser": cfg!(feature = "parser"),
        "limits": {"sample_bytes": SAMPLE_BYTES, "table_bytes": MOST_BYTES},
    })))
}

#[derive(Deserialize)]
struct MappingAsked {
    name: String,
}

fn mapping(asked: &MappingAsked) -> Result<Vec<u8>, Refusal> {
    let text = builtin_text(&asked.name);
    let text = text.ok_or_else(|| Refusal::missing("no built-in table has this name"))?;
    Ok(json(&json!({"name": asked.name, "text": text})))
}

#[derive(Deserialize)]
struct SampleAsked {
    name: String,
    #[serde(default)]
    text: Option<String>,
    #[serde(default)]
    base64: Option<String>,
    #[serde(default)]
    files: Option<Vec<FileAsked>>,
    /// The table that says what is a record.
    #[serde(default)]
    mapping: Option<String>,
}

#[derive(Deserialize)]
struct FileAsked {
    name: String,
    base64: String,
}

fn sample(state: &State, asked: SampleAsked, work: &Work) -> Result<Vec<u8>, Refusal> {
    let decoded = |name: &str, base64: &str| {
        let bytes = BASE64_STANDARD.decode(base64);
        bytes.map_err(|error| Refusal::bad(format!("`{}`: {error}", crate::text::shown(name))))
    };
    let SampleAsked { name, text, base64, files, mapping } = asked;
    let files = match (text, base64, files) {
        (Some(text), None, None) => vec![(name.clone(), text.into_bytes())],
        (None, Some(base64), None) => vec![(name.clone(), decoded(&name, &base64)?)],
        (None, None, Some(files)) if files.len() <= MOST_FILES => {
            let mut all = Vec::new();
            for file in files {
                let bytes = decoded(&file.name, &file.base64)?;
                all.push((file.name, bytes));
            }
            all
        }
        (None, None, Some(_)) => return Err(Refusal::bad(format!("there are more than {MOST_FILES} files"))),
        _ => return Err(Refusal::bad("expected one of: `text`, `base64`, `files`")),
    };
    let sample = state.keep(Sample::of_files(&name, files));
    shown(state, &sample, mapping.as_deref(), work).map(|shown| json(&shown))
}

/// A sample as the page shows it, by this table; if that has errors, by the one that the server was started with.
fn shown(
    state: &State,
    sample: &Arc<Sample>,
    mapping: Option<&str>,
    work: &Work,
) -> Result<serde_json::Value, Refusal> {
    for text in mapping.into_iter().chain([&*state.mapping.text]) {
        if let Some(rules) = &state.table(text)?.rules {
            let index = rules.index(sample, work)?;
            return Ok(serde_json::to_value(forms::Shown::of(sample, &index)).unwrap_or_default());
        }
    }
    // The table that the server was started with may have errors.
    let table = super::table::Table::read("duo_telephony", builtin_text("duo_telephony").unwrap_or_default());
    let Some(rules) = &table.rules else { return Err(Refusal::missing("no table")) };
    let index = rules.index(sample, work)?;
    Ok(serde_json::to_value(forms::Shown::of(sample, &index)).unwrap_or_default())
}

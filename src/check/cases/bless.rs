//! Rewrites what a case expects: what the mapping or the parser gives now.

use super::layouts::{Layout, TestCase};
use super::outcome::Outcome;
use crate::store::Output;
use crate::store::store_error;
use serde::Serialize;
use serde_json::{Value, json};
use std::io::Write as _;
use std::path::Path;

/// Content-hub's file of events, its fields in Google's order.
#[derive(Serialize)]
struct HubFile {
    events: Vec<Wrapped>,
}

#[derive(Serialize)]
struct Wrapped {
    event: HubEvent,
}

#[derive(Serialize)]
struct HubEvent {
    #[serde(skip_serializing_if = "Option::is_none")]
    timestamp: Option<String>,
    idm: Value,
}

/// Whether it is what a parser gives for an entity, in place of an event.
fn is_entity(event: &Value) -> bool {
    event["entity"].is_object() && event["metadata"].is_null()
}

/// A time without the zeros at the end of its fraction.
fn shortest(time: &str) -> String {
    match time.strip_suffix('Z').and_then(|time| time.split_once('.')) {
        Some((seconds, fraction)) => {
            let fraction = fraction.trim_end_matches('0');
            let dot = if fraction.is_empty() { "" } else { "." };
            format!("{seconds}{dot}{fraction}Z")
        }
        None => time.to_owned(),
    }
}

fn idm(event: Value) -> Value {
    if is_entity(&event) { event } else { json!({ "readOnlyUdm": event }) }
}

/// Writes the expected files of a case, each whole or not at all.
pub(crate) fn bless(case: &TestCase, outcome: &Outcome) -> anyhow::Result<()> {
    if let Some(folder) = case.expected.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let values =
        |log: &[String]| log.iter().map(|text| serde_json::from_str(text)).collect::<Result<Vec<Value>, _>>();
    let text = match case.layout {
        Layout::Folder => outcome.given().iter().fold(String::new(), |all, event| all + &event.text + "\n"),
        Layout::ContentHub => {
            let mut events = Vec::new();
            for event in outcome.camel.iter().map(|log| values(log)).collect::<Result<Vec<_>, _>>()?.concat()
            {
                let timestamp = event["metadata"]["eventTimestamp"].as_str().map(shortest);
                events.push(Wrapped { event: HubEvent { timestamp, idm: idm(event) } });
            }
            format!("{}\n", serde_json::to_string_pretty(&HubFile { events })?)
        }
        Layout::Toolkit => {
            let wrapped = |event: Value| match is_entity(&event) {
                true => json!({"event": {"idm": event}}),
                false => json!({ "event": event }),
            };
            let mut logs = Vec::new();
            for log in &outcome.camel {
                let events = values(log)?.into_iter().map(wrapped);
                if outcome.parsed.is_some() {
                    logs.push(json!({"events": events.collect::<Vec<_>>()}));
                } else {
                    logs.extend(events.map(|event| json!({"events": [event]})));
                }
            }
            serde_saphyr::to_string(&logs)?
        }
    };
    write(&case.expected, &text)?;
    if let Some(file) = case.rejects() {
        if outcome.rejects.is_empty() {
            if file.exists() {
                std::fs::remove_file(file)?;
            }
        } else {
            let mut text = String::new();
            for reject in &outcome.rejects {
                text += &format!(
                    "{{\"line\": {}, \"offset\": {}, \"length\": {}, \"reason\": \"{}\"}}\n",
                    reject.line, reject.offset, reject.length, reject.reason
                );
            }
            write(&file, &text)?;
        }
    }
    Ok(())
}

fn write(file: &Path, text: &str) -> anyhow::Result<()> {
    let mut sink = Output::create(&file.to_string_lossy())?;
    sink.write_all(text.as_bytes()).map_err(store_error)?;
    Ok(sink.finish()?)
}

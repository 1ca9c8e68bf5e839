//! Rewrites what a case expects: what the mapping gives now.

use super::layouts::{Layout, TestCase};
use super::outcome::Outcome;
use crate::store::Output;
use crate::store::store_error;
use serde_json::{Value, json};
use std::io::Write as _;
use std::path::Path;

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
                let timestamp = event["metadata"]["eventTimestamp"].clone();
                events.push(json!({"event": {"timestamp": timestamp, "idm": {"readOnlyUdm": event}}}));
            }
            format!("{:#}\n", json!({ "events": events }))
        }
        Layout::Toolkit => {
            let mut logs = Vec::new();
            for log in &outcome.camel {
                for event in values(log)? {
                    logs.push(json!({"events": [{"event": event}]}));
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

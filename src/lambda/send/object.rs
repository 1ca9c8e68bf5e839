//! One object: its events are made, if it does not hold them, and sent with a state of their own.
//!
//! What is sent of an object is chosen once, and noted before the first request. So a function that was updated while
//! a message was under way continues with the very bytes that the earlier one began to send, and nothing is sent twice
//! because a table has changed.

use super::line::{Counted, Outcome};
use super::shared::Shared;
use crate::jobs::dump::{self, Kind};
use crate::jobs::send::{Counts, Failure, RejectsTo, Report, Settings, Stop, send};
use crate::lambda::failed::{FAULT, with_hint};
use crate::lambda::objects::event::Named;
use crate::store::objects::{Created, StorePath};
use crate::store::{self, Source};
use crate::text::hex;
use aws_lc_rs::digest;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The version of [`Chosen`].
const VERSION: u64 = 1;

/// What is sent of a version of an object, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Chosen {
    udmap_chosen: u64,
    input: String,
    etag: String,
    /// The objects that hold its events.
    events: Vec<String>,
    /// How many of its records have no event.
    rejects: u64,
}

/// What there is to send.
struct Events {
    sources: Vec<Source>,
    /// The version of the object that they are of, as a name.
    id: String,
    rejects: u64,
}

/// Sends an object's events. The outcome, or why it failed; and what was counted.
pub(super) async fn deliver(
    shared: &'static Shared,
    settings: &Settings,
    named: &Named,
    stop: &Stop,
) -> (Result<Outcome, String>, Counted) {
    let url = named.url();
    let events = match events(shared, named).await {
        Ok(Some(events)) => events,
        Ok(None) => return (Ok(Outcome::Left), Counted::default()),
        Err(error) => return (Err(error), Counted::default()),
    };
    let settings = Settings {
        state: format!("{}{}.json", shared.state, events.id),
        rejects: RejectsTo::Objects(format!("{}{}", shared.rejects, events.id)),
        ..settings.clone()
    };
    let counts = Arc::new(Counts::default());
    let (report, error) = match send(&settings, &events.sources, stop, &counts).await {
        Ok(report) => (report, None),
        Err(Failure { error, report }) => (*report, Some(with_hint(&error, error.hint()))),
    };
    let result = match error.or_else(|| unfinished(&report, &events, &url, counts.take_waiting())) {
        Some(error) => Err(error),
        None if report.lines > 0 && report.done_before == report.lines => Ok(Outcome::Known),
        None => Ok(Outcome::Sent),
    };
    (result, Counted { rejects: events.rejects, ..Counted::of(&report) })
}

/// Why a run that did not fail is not all.
fn unfinished(report: &Report, events: &Events, url: &str, waiting: Option<String>) -> Option<String> {
    if report.is_stopped {
        let waiting = waiting.map(|why| format!("; {why}")).unwrap_or_default();
        return Some(format!(
            "no time left for `{url}`: the next invocation continues where this one stopped{waiting}"
        ));
    }
    if let Some(error) = report.failures.first() {
        return Some(with_hint(error, error.hint()));
    }
    if let Some(name) = report.unfinished.first() {
        return Some(format!("`{name}` is cut short: its last line is not a whole event"));
    }
    (report.inputs != events.sources.len() as u64).then(|| FAULT.to_owned())
}

/// The events of an object; nothing if it is not wanted.
async fn events(shared: &'static Shared, named: &Named) -> Result<Option<Events>, String> {
    let url = named.url();
    if named.key.ends_with('/') {
        return Ok(None);
    }
    let Some(on_demand) = &shared.on_demand else {
        // What it holds is sent as it is, and an object never changes: another one has another ETag.
        if !shared.inputs.iter().any(|input| url.starts_with(input.as_str())) {
            let error = store::Error::no_input(&url);
            return Err(with_hint(&error, error.hint()));
        }
        let source = source(shared, url.clone()).await?;
        let etag = source.version().ok_or_else(|| format!("`{url}` has no ETag"))?;
        return Ok(Some(Events { id: id(&[&url, etag]), sources: vec![source], rejects: 0 }));
    };
    let (root, key) = (format!("s3://{}", named.bucket), named.key.clone());
    let converted = blocking(move || on_demand.convert(&root, &key)).await?;
    let entry = match converted.map_err(|error| with_hint(&error, error.hint()))? {
        dump::Outcome::Converted(entry) | dump::Outcome::Known(entry) => entry,
        dump::Outcome::Left => return Ok(None),
        dump::Outcome::Gone => return Err(format!("`{url}` is gone, and its events may not be sent")),
        dump::Outcome::Stopped => {
            return Err(format!("no time left for `{url}`: raise the function's timeout"));
        }
    };
    let id = id(&[&entry.input, &entry.etag]);
    let outputs = entry.outputs.iter().filter(|output| output.kind == Kind::Events);
    let chosen = Chosen {
        udmap_chosen: VERSION,
        events: outputs.map(|output| output.url.clone()).collect(),
        rejects: entry.rejects,
        input: entry.input.clone(),
        etag: entry.etag.clone(),
    };
    let chosen = choose(&format!("{}{id}.events.json", shared.state), chosen).await?;
    let mut sources = Vec::new();
    for url in chosen.events {
        sources.push(source(shared, url).await?);
    }
    Ok(Some(Events { sources, id, rejects: chosen.rejects }))
}

/// Notes what is sent; or says what was noted before.
async fn choose(name: &str, chosen: Chosen) -> Result<Chosen, String> {
    let said = |error: store::Error| with_hint(&error, error.hint());
    let place = StorePath::object(name).map_err(said)?;
    let bytes = serde_json::to_vec(&chosen).map(Bytes::from).map_err(|error| error.to_string())?;
    let there = match place.store.create(&place.prefix, bytes).await.map_err(said)? {
        Created::New(_) => return Ok(chosen),
        Created::Exists(object) => object,
    };
    let noted: Option<Chosen> = serde_json::from_slice(&there.bytes).ok();
    let noted = noted.filter(|noted| {
        (noted.udmap_chosen, &noted.input, &noted.etag) == (VERSION, &chosen.input, &chosen.etag)
    });
    noted.ok_or_else(|| format!("`{name}` is damaged, or of a newer udmap"))
}

/// An object to read, in the version that is there now.
async fn source(shared: &'static Shared, url: String) -> Result<Source, String> {
    let named = url.clone();
    let found = blocking(move || store::object(&named, &shared.access)).await?;
    found
        .map_err(|error| with_hint(&error, error.hint()))?
        .ok_or_else(|| format!("`{url}` is gone, and its events may not be sent"))
}

/// Does what blocks on a thread of its own.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, String> {
    tokio::task::spawn_blocking(work).await.map_err(|_| FAULT.to_owned())
}

/// A name that nothing else has: of parts that are distinguished by their lengths.
fn id(parts: &[&str]) -> String {
    let mut context = digest::Context::new(&digest::SHA256);
    for part in parts {
        context.update(&(part.len() as u64).to_le_bytes());
        context.update(part.as_bytes());
    }
    hex(&context.finish().as_ref()[..16])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_differ() {
        let names = [id(&["s3://b/a", "e"]), id(&["s3://b/ae", ""]), id(&["s3://b/a", "f"])];
        assert!(names[0] != names[1] && names[0] != names[2] && names[0].len() == 32);
    }

    #[tokio::test]
    async fn what_is_chosen_stays() {
        let folder = tempfile::tempdir().unwrap();
        let name = folder.path().join("x.events.json").to_str().unwrap().to_owned();
        let chosen = |etag: &str, events: &str| Chosen {
            udmap_chosen: VERSION,
            input: "s3://logs/a".into(),
            etag: etag.into(),
            events: vec![events.into()],
            rejects: 0,
        };
        let first = chosen("e", "s3://udm/one");
        assert_eq!(choose(&name, first.clone()).await, Ok(first.clone()));
        assert_eq!(choose(&name, chosen("e", "s3://udm/two")).await, Ok(first));
        assert!(choose(&name, chosen("f", "s3://udm/two")).await.is_err());
        std::fs::write(&name, "{}").unwrap();
        assert!(choose(&name, chosen("e", "s3://udm/two")).await.is_err());
    }
}

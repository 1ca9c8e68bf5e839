//! Looks before the first run whether everything is in place, and says what is not and what to do.

use super::Error;
use super::answer::{Response, Verdict, judge};
use super::client::Client;
use super::counts::Counts;
use super::keeper;
use super::maker::TAIL;
use super::rejects::{Rejects, RejectsTo};
use super::run::Settings;
use crate::jobs::finding::{Finding, Level, finding, good};
use crate::jobs::waiting::Stop;
use crate::store::objects::{Created, Replaced, StorePath};
use bytes::Bytes;
use chrono::{DateTime, Utc};
use secrecy::ExposeSecret as _;
use std::sync::Arc;

/// A clock that is this far off is worth a word, in ms.
const CLOCK_OFF: i64 = 30_000;
/// Google refuses tokens of a clock that is this far off, in ms.
const CLOCK_WRONG: i64 = 300_000;

/// Looks at credentials, target, permission, clock, state and rejects. Nothing is sent that could become data.
pub async fn check(settings: &Settings) -> Vec<Finding> {
    let mut found = check_service(settings).await.unwrap_or_else(|error| vec![bad(&error)]);
    match settings.place() {
        Ok(place) => found.push(check_state(settings, &place).await.unwrap_or_else(|error| bad(&error))),
        Err(error) => found.push(bad(&error)),
    }
    let opened = match &settings.rejects {
        // None are asked for.
        RejectsTo::File(name) if name.is_empty() => return found,
        to => Rejects::open(to, u64::MAX).await.map(|_| to),
    };
    found.push(match opened {
        Ok(RejectsTo::File(name)) => good(format!("rejects can be appended to `{name}`")),
        Ok(RejectsTo::Objects(url)) => good(format!("rejects can be read at `{url}`, writing was not tried")),
        Err(error) => bad(&error),
    });
    found
}

async fn check_service(settings: &Settings) -> Result<Vec<Finding>, Error> {
    let credentials = settings.find_credentials()?;
    let mut found = vec![good(format!("credentials: {}", credentials.described()))];
    let counts = Arc::new(Counts::default());
    let Settings { method, target, patience, .. } = settings;
    let client = Client::new(method, target, credentials, None, patience, Stop::new(), counts)?;
    let token = match client.credentials.token().await {
        Ok(token) => token.secret,
        Err(no) => {
            found.push(bad(&no.error));
            return Ok(found);
        }
    };
    found.push(good(format!("there is a token for {}", client.credentials.account())));
    let look = client.look(token.expose_secret()).await;
    let Ok(looked) = look.map_err(|why| found.push(no_answer(&client, &why))) else { return Ok(found) };
    found.extend(check_clock(&looked));
    let is_there = check_instance(&client, &looked, &mut found);
    if is_there {
        let empty = Bytes::from([settings.head().as_slice(), TAIL].concat());
        match client.ask(empty, token.expose_secret()).await {
            Ok(response) => found.push(check_permission(&client, &response)),
            Err(why) => found.push(no_answer(&client, &why)),
        }
    }
    Ok(found)
}

/// What looking at the instance says. Whether it makes sense to ask more.
fn check_instance(client: &Client, looked: &Response, found: &mut Vec<Finding>) -> bool {
    let target = client.target.shown();
    match (looked.status, verdict(client, looked)) {
        // The instance's own words are in the body, so that it is not an empty one.
        (200..=299, _) if serde_json::from_slice::<serde_json::Map<_, _>>(&looked.body).is_ok() => {
            found.push(good(format!("the instance answers: {target}")));
            true
        }
        (403, _) => {
            let what = format!("the instance can't be looked at, which sending does not need: {target}");
            let hint = "to prove that it is there, grant the account `chronicle.instances.get`";
            found.push(finding(Level::Warning, what, Some(hint)));
            true
        }
        (_, Verdict::Fatal(refusal) | Verdict::Renew(refusal)) => {
            found.push(bad(&client.refused(&refusal)));
            false
        }
        (
            status,
            Verdict::Unknown(why, _)
            | Verdict::Limited(why, _)
            | Verdict::Refused(why)
            | Verdict::TooLarge(why),
        ) => {
            let what = format!(
                "the instance does not answer rightly (HTTP {status}): {}",
                client.credentials.shown(&why)
            );
            found.push(finding(Level::Bad, what, Some("try again in a few minutes")));
            false
        }
        (_, Verdict::Accepted) => {
            let what = format!("the instance answers with nothing: {target}");
            found.push(finding(
                Level::Warning,
                what,
                Some("check the host, and what is between it and here"),
            ));
            true
        }
    }
}

/// What an import of nothing says: it holds no event, so nothing can come of it.
fn check_permission(client: &Client, response: &Response) -> Finding {
    let permission = client.method.permission();
    let asked = format!("an empty {}, which holds nothing to store", client.method.name());
    match verdict(client, response) {
        Verdict::Accepted | Verdict::Refused(_) => {
            good(format!("`{permission}` is granted: {asked}, got as far as that"))
        }
        Verdict::Fatal(refusal) | Verdict::Renew(refusal) => bad(&client.refused(&refusal)),
        Verdict::TooLarge(why) | Verdict::Limited(why, _) | Verdict::Unknown(why, _) => {
            let why = client.credentials.shown(&why);
            let what = format!("whether `{permission}` is granted is not known: {asked}, got {why}");
            finding(Level::Warning, what, Some("try again in a few minutes"))
        }
    }
}

fn verdict(client: &Client, response: &Response) -> Verdict {
    let now = Utc::now().timestamp_millis();
    judge(response, now, &client.method, &client.target, &client.credentials.account())
}

fn check_clock(response: &Response) -> Option<Finding> {
    let theirs = DateTime::parse_from_rfc2822(response.date.as_deref()?.trim()).ok()?.timestamp_millis();
    let off = Utc::now().timestamp_millis().saturating_sub(theirs);
    let way = if off > 0 { "ahead of" } else { "behind" };
    Some(match off.saturating_abs() {
        0..CLOCK_OFF => good("the clock is right".into()),
        much => finding(
            if much < CLOCK_WRONG { Level::Warning } else { Level::Bad },
            format!("the clock is {} s {way} that of SecOps", much / 1000),
            Some("set it (NTP): Google refuses tokens of a wrong clock"),
        ),
    })
}

fn no_answer(client: &Client, why: &str) -> Finding {
    let what = format!("{} does not answer: {}", client.target.host(), client.credentials.shown(why));
    finding(
        Level::Bad,
        what,
        Some("check the location, the network, and what is between (proxy, firewall, DNS)"),
    )
}

/// Tries on the state what a run rests on. Where there is none, an empty one is begun.
async fn check_state(settings: &Settings, place: &StorePath) -> Result<Finding, Error> {
    let name = place.name("");
    let _lock = if place.store.is_remote() { None } else { keeper::lock_file(place)? };
    let (state, version) = keeper::load(place, &settings.target, &settings.method, settings.wanted()).await?;
    let store = |error| Error::store(&error);
    let bytes = Bytes::from(state.write());
    let Some(version) = version else {
        return Ok(match place.store.create(&place.prefix, bytes).await.map_err(store)? {
            Created::New(_) => good(format!("there was no state: an empty one is begun: `{name}`")),
            Created::Exists(_) => good(format!("the state `{name}` was begun by another run just now")),
        });
    };
    Ok(match place.store.replace(&place.prefix, bytes, &version).await.map_err(store)? {
        Replaced::Done(_) => {
            let (accepted, inputs) = (state.accepted, state.inputs.len());
            good(format!(
                "the state can be read and written: `{name}`, {accepted} accepted, inputs: {inputs}"
            ))
        }
        Replaced::Changed => {
            finding(Level::Warning, format!("another run is at work with the state `{name}`"), None)
        }
    })
}

fn bad(error: &Error) -> Finding {
    finding(Level::Bad, error.to_string(), error.hint())
}

//! Looks before the first run whether everything is in place, and says what is not and what to do.

use super::answer::{Verdict, judge};
use super::client::Query;
use super::clock::{shown, span};
use super::state::{Loaded, State};
use super::transport::NoAnswer;
use super::{Collector, Error, ErrorKind, window};
use crate::store::objects::{Created, Place, Version};
use chrono::DateTime;

/// A clock this far off is worth a word, in ms.
const OFF: i64 = 30_000;
/// A clock this far off makes signatures invalid, in ms.
const TOO_FAR_OFF: i64 = 300_000;
/// A key under which nothing is ever written.
const PROBE: &str = "udmap-check";

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// How it is.
    pub level: Level,
    /// What was found: lower-case, without a full stop.
    pub what: String,
    /// What to do about it.
    pub hint: Option<String>,
}

/// How a thing is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// As it should be.
    Good,
    /// It works, but should be changed.
    Warning,
    /// A run would fail.
    Bad,
}

impl Collector {
    /// Looks at the key, its permission, the clock, the places and the state. Nothing is
    /// delivered; where there is no state, an empty one is begun.
    pub async fn check(&self) -> Vec<Finding> {
        let mut found = self.check_duo().await;
        found.push(self.check_place("`--to`", &self.to).await);
        for (name, place) in self.derivation.iter().flat_map(|derivation| &derivation.targets) {
            found.push(self.check_place(&format!("the place of {name}"), place).await);
        }
        found.push(self.check_state().await.unwrap_or_else(bad));
        found.push(if self.to.holds(&self.state) {
            Finding {
                level: Level::Warning,
                what: format!(
                    "the state lies under `{}`, where a feed would ingest or delete it",
                    self.to.name("")
                ),
                hint: Some("move it elsewhere with `--state`, and take the file with you".into()),
            }
        } else {
            good("the state lies outside of the feed's prefix".into())
        });
        found
    }

    async fn check_duo(&self) -> Vec<Finding> {
        let now = self.client.clock.now();
        let to = now - window::NEWEST;
        let query = Query { from: to - 60_000, to, limit: 1, offset: None };
        let response = match self.client.ask(&query, None).await {
            Ok(response) => response,
            Err(NoAnswer(why)) => {
                let hint = "check the API host, the network, and what stands between (proxy, firewall, DNS)";
                let what = format!("{} does not answer: {why}", self.host());
                return vec![Finding { level: Level::Bad, what, hint: Some(hint.into()) }];
            }
        };
        let now = self.client.clock.now();
        let key = match judge(&response, now) {
            Verdict::Page(_) => good(format!("the key works at {} and may read logs", self.host())),
            Verdict::SignAfresh(refusal) | Verdict::Refused(refusal) => bad(self.client.refused(refusal)),
            Verdict::Again(again) => {
                let what = format!(
                    "{} does not answer rightly: {}",
                    self.host(),
                    self.client.account.scrub(&again.why)
                );
                Finding { level: Level::Bad, what, hint: Some("try again in a few minutes".into()) }
            }
            Verdict::TooOld(why) | Verdict::Wrong(why) => {
                bad(Error::new(ErrorKind::Answer, self.client.account.scrub(&why)))
            }
        };
        let theirs = response.date.as_deref().and_then(|text| DateTime::parse_from_rfc2822(text).ok());
        let clock = theirs.map(|theirs| {
            let off = now - theirs.timestamp_millis();
            let way = if off > 0 { "ahead of" } else { "behind" };
            match off.abs() {
                0..OFF => good("the clock is right".into()),
                off => Finding {
                    level: if off < TOO_FAR_OFF { Level::Warning } else { Level::Bad },
                    what: format!("the clock is {} {way} Duo's", span(off)),
                    hint: Some("set it (NTP): Duo refuses signatures that are minutes old or early".into()),
                },
            }
        });
        std::iter::once(key).chain(clock).collect()
    }

    /// Asks for what a run does, in ways that leave no trace: reading an object that is not there,
    /// and replacing it.
    async fn check_place(&self, what: &str, place: &Place) -> Finding {
        let key = format!("{}{PROBE}", place.prefix);
        let looked = match place.objects.read(&key).await {
            Ok(_) => place.objects.replace(&key, "\n".into(), &Version::never()).await.map(drop),
            Err(error) => Err(error),
        };
        match looked {
            Ok(()) => good(format!("{what} can be read and written: `{}`", place.name(""))),
            Err(error) => bad(Error::store(ErrorKind::Store, &error)),
        }
    }

    async fn check_state(&self) -> Result<Finding, Error> {
        let store = |error| Error::store(ErrorKind::State, &error);
        let (objects, key, name) = (&self.state.objects, &self.state.prefix, self.state.name(""));
        let Some(object) = objects.read(key).await.map_err(store)? else {
            let state = State::new(&self.client.account);
            return match objects.create(key, state.write().into()).await.map_err(store)? {
                Created::New(_) => Ok(good(format!("there was no state: an empty one is begun at `{name}`"))),
                Created::Exists(_) => {
                    Ok(good(format!("the state `{name}` was begun by another run just now")))
                }
            };
        };
        let (Loaded::Ours(state) | Loaded::TakenOver(state)) =
            State::read(&object.bytes, &name, &self.client.account)?;
        // With the same bytes: whether a run is at work or not, nothing changes.
        objects.replace(key, object.bytes.clone(), &object.version).await.map_err(store)?;
        let up_to = state
            .watermark
            .map_or("nothing collected yet".into(), |ms| format!("collected up to {}", shown(ms)));
        let gaps = match state.gaps.last() {
            Some(gap) => format!("; the last gap is {}", gap.shown()),
            None => String::new(),
        };
        Ok(good(format!("the state can be read and written: `{name}`, {up_to}{gaps}")))
    }
}

fn good(what: String) -> Finding {
    Finding { level: Level::Good, what, hint: None }
}

fn bad(error: Error) -> Finding {
    Finding { level: Level::Bad, what: error.to_string(), hint: error.hint().map(str::to_owned) }
}

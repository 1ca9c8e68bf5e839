//! Looks before the first run whether everything is in place, and says what is not and what to do.

use super::answer::{Verdict, date, judge};
use super::client::Query;
use super::clock::{CLOCK_OFF, difference, shown};
use super::collector::Collector;
use super::state::{Loaded, State};
use super::transport::NoAnswer;
use super::window::{self, Now};
use super::{Error, ErrorKind};
use crate::jobs::finding::{Finding, Level, finding, good};
use crate::jobs::waiting::random;
use crate::store::objects::{Created, Object, Replaced, StorePath, Version};
use bytes::Bytes;

/// What the key of a probe begins with; it ends with a number that no other has.
const PROBE: &str = "udmap-check-";
/// What a probe holds: an empty line.
const LINE: &[u8] = b"\n";
/// What to do with a store that does not keep conditions.
const NO_CONDITIONS: &str = "two runs at once, or one after a crash, would lose or double records there: use a store or \
                             a version of it that keeps conditional writes (for AWS S3 and moto that is so), or keep \
                             state and logs on disk";

impl Collector {
    /// Looks at the key, its permission, the clock, the places and the state. Nothing is
    /// delivered; where there is no state, an empty one is begun. What a run rests on is tried: that
    /// an object is replaced only if it is unchanged, and created only if there is none. What is
    /// there stays as it is.
    pub async fn check(&self) -> Vec<Finding> {
        let mut found = self.check_duo().await;
        found.push(self.check_place("`--to`", &self.to).await.unwrap_or_else(bad));
        for (name, place) in self.derivation.iter().flat_map(|derivation| &derivation.targets) {
            let what = format!("the place of {name}");
            found.push(self.check_place(&what, place).await.unwrap_or_else(bad));
        }
        found.push(self.check_state().await.unwrap_or_else(bad));
        found.push(if self.to.holds(&self.state) {
            finding(
                Level::Warning,
                format!(
                    "the state lies under `{}`, where a feed would ingest or delete it",
                    self.to.name("")
                ),
                Some("move it elsewhere with `--state`, and take the file with you"),
            )
        } else {
            good("the state lies outside of the feed's prefix".into())
        });
        found
    }

    async fn check_duo(&self) -> Vec<Finding> {
        let now = self.client.clock.now();
        let to = now - window::NEWEST;
        let query = Query { from: to - 60_000, to, limit: 1, offset: None };
        let response = match self.client.ask(&query, now, None).await {
            Ok(response) => response,
            Err(NoAnswer(why)) => {
                let hint = "check the API host, the network, and what is between (proxy, firewall, DNS)";
                let what =
                    format!("{} does not answer: {}", self.host(), self.client.credentials.shown(&why));
                return vec![finding(Level::Bad, what, Some(hint))];
            }
        };
        let now = self.client.clock.now();
        let key = match judge(self.log(), &response, now) {
            Verdict::Page(_) => good(format!("the key works at {} and may read logs", self.host())),
            Verdict::SignAfresh(refusal) | Verdict::Refused(refusal) => bad(self.client.refused(refusal)),
            Verdict::Again(again) => {
                let why = self.client.credentials.shown(&again.why);
                let what = format!("{} does not answer rightly: {why}", self.host());
                finding(Level::Bad, what, Some("try again in a few minutes"))
            }
            Verdict::TooOld(why) | Verdict::Wrong(why) => {
                bad(Error::new(ErrorKind::Answer, self.client.credentials.shown(&why)))
            }
        };
        let clock = date(&response).map(|theirs| {
            let off = now - theirs;
            match off.saturating_abs() {
                0..CLOCK_OFF => good("the clock is right".into()),
                much => finding(
                    if much < window::SIGNED { Level::Warning } else { Level::Bad },
                    format!("the clock is {}", difference(off)),
                    Some("set it (NTP): Duo refuses signatures that are minutes old or early"),
                ),
            }
        });
        std::iter::once(key).chain(clock).collect()
    }

    /// Asks for what a run does with objects. In a bucket of the state's own kind that is reading what is not there, and
    /// replacing it, which leave no trace: the conditions themselves are tried on the state. Elsewhere an object is
    /// created twice, and removed.
    async fn check_place(&self, what: &str, place: &StorePath) -> Result<Finding, Error> {
        let store = |error| Error::store(ErrorKind::Store, &error);
        let key = format!("{}{PROBE}{:016x}", place.prefix, random());
        let (objects, name) = (&place.store, place.name(""));
        objects.read(&key, 0).await.map_err(store)?;
        let line = || Bytes::from_static(LINE);
        if let Replaced::Done(_) = objects.replace(&key, line(), &Version::never()).await.map_err(store)? {
            let left = self.removed(place, &key).await;
            let what = format!(
                "{what} does not keep conditions: `{name}` takes `If-Match` for an object that is not there{left}"
            );
            return Ok(finding(Level::Bad, what, Some(NO_CONDITIONS)));
        }
        if scheme(place) == scheme(&self.state) && scheme(place).is_some() {
            return Ok(good(format!("{what} can be read and written: `{name}`")));
        }
        if objects.remove(&key).await.is_err() {
            // A run never removes anything, so its role need not be allowed to.
            let what = format!(
                "{what} can be read and written: `{name}`; not tried is whether it keeps `If-None-Match`"
            );
            let hint = "allow this role to delete, for the check alone; or keep the state in the same store";
            return Ok(finding(Level::Warning, what, Some(hint)));
        }
        objects.create(&key, line()).await.map_err(store)?;
        let again = objects.create(&key, Bytes::from_static(b"\n\n")).await;
        let left = self.removed(place, &key).await;
        match again.map_err(store)? {
            Created::Exists(_) if left.is_empty() => {
                Ok(good(format!("{what} can be read and written: `{name}`")))
            }
            Created::Exists(_) => {
                Ok(finding(Level::Warning, format!("{what} can be read and written{left}"), None))
            }
            Created::New(_) => {
                let what = format!(
                    "{what} does not keep conditions: `{name}` writes over an object in spite of `If-None-Match`{left}"
                );
                Ok(finding(Level::Bad, what, Some(NO_CONDITIONS)))
            }
        }
    }

    /// Removes a probe; what to say if that can't be done.
    async fn removed(&self, place: &StorePath, key: &str) -> String {
        match place.store.remove(key).await {
            Ok(()) => String::new(),
            Err(error) => format!("; remove `{}` by hand: {error}", place.store.name(key)),
        }
    }

    async fn check_state(&self) -> Result<Finding, Error> {
        let name = self.state.name("");
        let (object, state) = match self.read_state().await? {
            Some(object) => {
                let (Loaded::Ours(state) | Loaded::TakenOver(state)) = self.understand(&object)?;
                (object, Some(state))
            }
            None => {
                let bytes = Bytes::from(State::new(self.log(), &self.client.credentials).write());
                let created = self.state.store.create(&self.state.prefix, bytes.clone()).await;
                match created.map_err(|error| Error::store(ErrorKind::State, &error))? {
                    Created::New(version) => (Object { bytes, version }, None),
                    Created::Exists(_) => {
                        return Ok(good(format!("the state `{name}` was begun by another run just now")));
                    }
                }
            }
        };
        if let Some(finding) = self.check_conditions(&object).await? {
            return Ok(finding);
        }
        let Some(state) = state else {
            let what = format!(
                "there was no state: an empty one is begun, and is replaced only if unchanged: `{name}`"
            );
            return Ok(good(what));
        };
        let now = Now { ms: self.client.clock.now(), clock: "this machine's clock" };
        window::next(&state, &self.plan, now, &name)?;
        let up_to = state
            .watermark
            .map_or("nothing collected yet".into(), |ms| format!("collected up to {}", shown(ms)));
        let gaps = match state.gaps.last() {
            Some(gap) => format!("; the last gap is {}", gap.shown()),
            None => String::new(),
        };
        let others = match state.not_records {
            0 => String::new(),
            n => format!("; {n} of Duo's items were not objects, and are not delivered"),
        };
        Ok(good(format!(
            "the state can be read, and is replaced only if unchanged: `{name}`, {up_to}{gaps}{others}"
        )))
    }

    /// Tries on the state what a run rests on, with a blank line at its end that changes nothing; it is taken away again.
    /// A run at the same time sees that the state is the same, and goes on.
    async fn check_conditions(&self, object: &Object) -> Result<Option<Finding>, Error> {
        let store = |error| Error::store(ErrorKind::State, &error);
        let (objects, key, name) = (&self.state.store, &self.state.prefix, self.state.name(""));
        let changed = Bytes::from([&object.bytes[..], LINE].concat());
        let unkept = |what: &str| {
            let what = format!("the state's place does not keep conditions: `{name}` {what}");
            Ok(Some(finding(Level::Bad, what, Some(NO_CONDITIONS))))
        };
        if let Created::New(version) = objects.create(key, changed.clone()).await.map_err(store)? {
            objects.replace(key, object.bytes.clone(), &version).await.map_err(store)?;
            return unkept("is written over in spite of `If-None-Match: *`");
        }
        let wrong = objects.replace(key, changed.clone(), &Version::never()).await.map_err(store)?;
        if let Replaced::Done(version) = wrong {
            objects.replace(key, object.bytes.clone(), &version).await.map_err(store)?;
            return unkept("is replaced in spite of an `If-Match` that does not fit");
        }
        match objects.replace(key, changed, &object.version).await {
            Ok(Replaced::Done(version)) => {
                objects.replace(key, object.bytes.clone(), &version).await.map_err(store)?;
                Ok(None)
            }
            // Another run moves it just now, which is proof enough.
            Ok(Replaced::Changed) => Ok(None),
            Err(error) => {
                let what = format!(
                    "the state can't be replaced by `If-Match` with the ETag that it was read with: {error}"
                );
                let hint = error.hint().unwrap_or(
                    "some stores refuse an ETag in quotes, or conditions at all (versions of Ceph, for one): update the \
                     store, or keep the state on disk",
                );
                Ok(Some(finding(Level::Bad, what, Some(hint))))
            }
        }
    }
}

/// The kind of store a place is in: all buckets of a kind are of one service. Nothing for a folder.
fn scheme(place: &StorePath) -> Option<&str> {
    place.store.root().split_once("://").map(|(scheme, _)| scheme)
}

fn bad(error: Error) -> Finding {
    finding(Level::Bad, error.to_string(), error.hint())
}

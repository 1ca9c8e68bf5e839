//! The state as a run holds it: read once, and moved on only while nobody else has.

use super::clock::shown;
use super::collector::{Collector, Ends};
use super::report::{Outcome, Report};

use super::state::{Loaded, MOST_BYTES, State};
use super::{Error, ErrorKind, window};
use crate::jobs::waiting::random;
use crate::store::objects::{Created, Object, Replaced, Version};
use bytes::Bytes;

/// How often a state is written anew that somebody rewrote without a change.
const TRIES: u32 = 3;

/// A state, and which writing of it was read: none if it is not there yet.
pub(super) struct Held {
    pub(super) state: State,
    version: Option<Version>,
}

impl Collector {
    pub(super) async fn load(&self, report: &mut Report) -> Result<Held, Error> {
        let Some(object) = self.read_state().await? else {
            report.first = true;
            return Ok(Held { state: State::new(self.log(), &self.client.credentials), version: None });
        };
        let state = match self.understand(&object)? {
            Loaded::Ours(state) => state,
            Loaded::TakenOver(state) => {
                let at = state.watermark.map(shown).unwrap_or_default();
                report.notes.push(format!(
                    "took over the state of the earlier collector at {at}; records of that very millisecond may come \
                     once more"
                ));
                state
            }
        };
        Ok(Held { state: *state, version: Some(object.version) })
    }

    pub(super) async fn read_state(&self) -> Result<Option<Object>, Error> {
        let read = self.state.store.read(&self.state.prefix, MOST_BYTES).await;
        read.map_err(|error| Error::store(ErrorKind::State, &error))
    }

    /// What a state's object says.
    pub(super) fn understand(&self, object: &Object) -> Result<Loaded, Error> {
        State::read(&object.bytes, &self.state.name(""), self.log(), &self.client.credentials)
    }

    /// Moves the state on, if it is still as it was read.
    pub(super) async fn save(
        &self,
        held: &mut Held,
        mut next: State,
        report: &mut Report,
    ) -> Result<(), Ends> {
        next.writer = format!("{:016x}", random());
        let bytes = Bytes::from(next.write());
        let (objects, key) = (&self.state.store, &self.state.prefix);
        let mut tries = 0;
        let version = loop {
            tries += 1;
            match &held.version {
                Some(version) => match objects.replace(key, bytes.clone(), version).await {
                    Ok(Replaced::Done(version)) => break Some(version),
                    Ok(Replaced::Changed) if tries < TRIES => match self.same(held).await? {
                        Some(version) => held.version = Some(version),
                        None => break None,
                    },
                    Ok(Replaced::Changed) => break None,
                    Err(error) => return Err(Error::store(ErrorKind::State, &error).into()),
                },
                None => match objects.create(key, bytes.clone()).await {
                    Ok(Created::New(version)) => break Some(version),
                    // Ours, written by an attempt whose answer was lost: the writer's number is in it.
                    Ok(Created::Exists(object)) if object.bytes == bytes => break Some(object.version),
                    Ok(Created::Exists(_)) => break None,
                    Err(error) => return Err(Error::store(ErrorKind::State, &error).into()),
                },
            }
        };
        let Some(version) = version else { return Err(Ends::Early(Outcome::Busy)) };
        report.gaps.extend(window::new_gaps(&held.state, &next));
        report.watermark = next.watermark;
        report.remembered = next.recent.len() as u64;
        *held = Held { state: next, version: Some(version) };
        Ok(())
    }

    /// The state's version, if it is another one but the state is the same: a check writes it so, and whatever copies
    /// or encrypts objects anew.
    async fn same(&self, held: &Held) -> Result<Option<Version>, Error> {
        let Some(object) = self.read_state().await? else { return Ok(None) };
        let same = matches!(self.understand(&object), Ok(Loaded::Ours(state)) if *state == held.state);
        Ok(same.then_some(object.version))
    }
}

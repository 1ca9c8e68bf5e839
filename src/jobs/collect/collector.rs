//! A collector, ready to run.

use super::client::Client;
use super::derive::Derivation;
use super::listener::Listener;
use super::logs::Log;
use super::report::Outcome;
use super::{Error, window};
use crate::jobs::waiting::Stop;
use crate::store::objects::StorePath;
use std::time::Duration;

/// When a run ends, besides by being done.
#[derive(Debug, Clone, Default)]
pub struct Limits {
    /// It is over in this time: no page is begun that may not be finished by then.
    pub deadline: Option<Duration>,
    /// The most pages.
    pub max_pages: Option<u64>,
    /// Somebody asks it to stop.
    pub stop: Stop,
    /// Somebody hears what happens.
    pub listener: Listener,
}

/// Collects one log of an account into one place. Made by
/// [`Settings::open`](super::Settings::open).
#[derive(Debug)]
pub struct Collector {
    pub(super) client: Client,
    pub(super) to: StorePath,
    pub(super) state: StorePath,
    pub(super) derivation: Option<Derivation>,
    pub(super) plan: window::Plan,
    /// Between two requests.
    pub(super) interval: Duration,
    /// When the last request began, by the clock's `elapsed`.
    pub(super) asked: Option<Duration>,
}

/// Why a run ends before its work is done.
pub(super) enum Ends {
    Failed(Error),
    Early(Outcome),
}

impl From<Error> for Ends {
    fn from(error: Error) -> Ends {
        Ends::Failed(error)
    }
}

impl Collector {
    /// Which log it collects.
    pub fn log(&self) -> &'static Log {
        self.client.log
    }

    /// Where what is made of the records goes, of this target: see [`Places::derived`](super::Places::derived).
    pub fn derived(&self, target: &str) -> Option<&StorePath> {
        let targets = self.derivation.as_ref().map_or(&[][..], |derivation| &derivation.targets);
        targets.iter().find(|(name, _)| *name == target).map(|(_, place)| place)
    }

    /// Where it writes what a feed may read.
    pub fn outputs(&self) -> impl Iterator<Item = &StorePath> {
        let derived = self.derivation.iter().flat_map(|derivation| &derivation.targets);
        std::iter::once(&self.to).chain(derived.map(|(_, place)| place))
    }

    /// The name of this account's API host.
    pub fn host(&self) -> &str {
        self.client.credentials.host()
    }
}

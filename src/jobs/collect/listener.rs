//! What a run tells while it goes on.

use super::logs::Log;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// Something that happened in a run.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum RunStep {
    /// A page is delivered. These are the counts of the run so far.
    Page {
        /// Pages received.
        pages: u64,
        /// Records written to new objects.
        delivered: u64,
        /// Up to here everything is collected, in ms since 1970.
        reached: Option<i64>,
    },
    /// A request gave no page and is made again.
    Retry {
        /// Why, without secrets. It may hold what the service said.
        why: String,
        /// How long it waits before.
        wait: Duration,
        /// How many requests for this page have failed.
        failed: u32,
    },
}

/// Hears each [`RunStep`] of a log's run; nobody, by default.
#[derive(Clone, Default)]
pub struct Listener(Option<Arc<Hear>>);

type Hear = dyn Fn(&'static Log, &RunStep) + Send + Sync;

impl Listener {
    /// One that calls `hear`, which must not wait.
    pub fn new(hear: impl Fn(&'static Log, &RunStep) + Send + Sync + 'static) -> Listener {
        Listener(Some(Arc::new(hear)))
    }

    pub(super) fn tell(&self, log: &'static Log, step: &dyn Fn() -> RunStep) {
        if let Some(hear) = &self.0 {
            hear(log, &step());
        }
    }
}

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Listener").field(&self.0.is_some()).finish()
    }
}

//! What a run has done so far, for who looks on, and for the summary.

use crate::sync::lock;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};

/// Counts of a run that is under way.
#[derive(Debug, Default)]
pub struct Counts {
    /// Bytes of the inputs, as they are stored, that were read.
    pub(super) read: Arc<AtomicU64>,
    /// Events that were accepted in this run.
    pub(super) accepted: AtomicU64,
    /// Requests, repeated ones too.
    pub(super) requests: AtomicU64,
    /// Requests that were sent again although SecOps may have taken them before.
    pub(super) repeats: AtomicU64,
    /// Events in those.
    pub(super) repeated_events: AtomicU64,
    /// Ranges that were split.
    pub(super) splits: AtomicU64,
    /// Bytes of the bodies of requests, before compression.
    pub(super) bytes: AtomicU64,
    /// Milliseconds of waiting: for the rate, for SecOps, and after failures.
    pub(super) waited: AtomicU64,
    /// What it waits for.
    pub(super) waiting: Mutex<Option<String>>,
    /// Rejects of this run, by reason.
    pub(super) rejects: Mutex<BTreeMap<&'static str, u64>>,
}

impl Counts {
    /// How far it is: bytes read, events accepted, events rejected.
    pub fn progress(&self) -> (u64, u64, u64) {
        (self.read.load(Relaxed), self.accepted.load(Relaxed), self.rejected())
    }

    /// Why a request had to wait, once, if one had to since this was asked.
    pub fn take_waiting(&self) -> Option<String> {
        lock(&self.waiting).take()
    }

    pub(super) fn say(&self, why: String) {
        *lock(&self.waiting) = Some(why);
    }

    /// How many events were rejected in this run.
    pub(super) fn rejected(&self) -> u64 {
        lock(&self.rejects).values().sum()
    }

    /// Counts a request that a run would make, and what it would reject.
    pub(super) fn plan(&self, events: usize, bytes: usize, rejects: impl Iterator<Item = &'static str>) {
        if events > 0 {
            add(&self.accepted, events as u64);
            add(&self.requests, 1);
            add(&self.bytes, bytes as u64);
        }
        rejects.for_each(|reason| self.reject(reason));
    }

    pub(super) fn reject(&self, reason: &'static str) {
        *lock(&self.rejects).entry(reason).or_default() += 1;
    }
}

/// Counts one more.
pub(super) fn add(to: &AtomicU64, n: u64) {
    to.fetch_add(n, Relaxed);
}

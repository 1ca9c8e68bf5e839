//! The counts of a run: what was found, what was done with it, and what failed for which cause.

use super::entry::ManifestEntry;
use super::exposed::Exposed;
use crate::convert::{Counts, Reject, RejectSources};
use crate::record::Reason;
use crate::store::{Error, ErrorKind};
use crate::sync::lock;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard};

/// How many failures of each cause are kept with their words; the others are counted.
const MOST_SHOWN: usize = 100;
/// How many rejects of each reason are kept as examples.
const MOST_EXAMPLES: usize = 3;

/// Counts that grow while a run goes on; a progress display reads them.
#[derive(Debug, Default)]
pub struct Progress {
    /// Objects listed that are wanted.
    pub listed: AtomicU64,
    /// Bytes of them, as they are stored.
    pub listed_bytes: AtomicU64,
    /// Whether everything has been listed.
    pub all_listed: AtomicBool,
    /// Objects listed that the filter does not want.
    pub filtered: AtomicU64,
    /// Objects listed that are outputs.
    pub own: AtomicU64,
    /// Objects listed that were listed before, by another input or a link.
    pub repeated: AtomicU64,
    /// Objects that are done: converted, known or failed.
    pub done: AtomicU64,
    /// Bytes of them.
    pub done_bytes: AtomicU64,
    /// Objects whose outputs are written, but that are not yet in the manifest; they are not [done](Self::done).
    pub unlisted: AtomicU64,
    /// Bytes read so far, of objects under way, too.
    pub read: Arc<AtomicU64>,
    /// Objects converted, with their lines in the manifest.
    pub converted: AtomicU64,
    /// Objects that an earlier run, or another one, has converted.
    pub known: AtomicU64,
    /// Bytes of them.
    pub known_bytes: AtomicU64,
    /// Records in them.
    pub known_records: AtomicU64,
    /// Rejects among those.
    pub known_rejects: AtomicU64,
    /// Records among those whose time is outside of the range.
    pub known_outside: AtomicU64,
    /// Of the objects known, those whose outputs are compressed at another level than this run's.
    pub known_at_other_level: AtomicU64,
    /// Outputs of the inputs listed that stand although later ones have taken their places.
    pub superseded: AtomicU64,
    /// Reject files, of those listed to be taken back, that are of the same input as another one: one of them may be
    /// superseded.
    pub several_rejects: AtomicU64,
    /// Inputs deleted.
    pub deleted: AtomicU64,
    /// Inputs kept although success was to delete them.
    pub kept: AtomicU64,
    /// Objects written: outputs and parts of the manifest.
    pub written: AtomicU64,
    /// Bytes of them, as they are stored.
    pub written_bytes: AtomicU64,
    /// Records so far.
    pub records: AtomicU64,
    /// Rejects so far.
    pub rejects: AtomicU64,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    counts: Option<Counts>,
    failures: BTreeMap<Cause, Failures>,
    examples: BTreeMap<Reason, Vec<String>>,
    sources: RejectSources,
    exposed: Vec<Exposed>,
}

/// What failed for one cause.
#[derive(Debug, Clone, Default)]
pub struct Failures {
    /// How many objects.
    pub count: u64,
    /// The first of them, in words.
    pub shown: Vec<String>,
    /// What to do about it.
    pub hint: Option<String>,
}

/// Why an object could not be converted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cause {
    /// Credentials or a policy don't allow it.
    Denied,
    /// It was listed, but is not there any more.
    Gone,
    /// It changed at every try.
    Changed,
    /// It is corrupt or cut short.
    Damaged,
    /// It takes too much memory to decompress.
    TooBig,
    /// It is an archive of a sort that is not read, another sort of file, or binary data.
    NotLog,
    /// The service failed at every try.
    Service,
    /// Another object is where its output goes.
    Taken,
    /// An input or a part of it could not be listed.
    Listing,
    /// What was found does not fit the manifest.
    Differs,
    /// A part of a manifest is missing, damaged, or not what was written.
    Manifest,
    /// An object among the outputs that no manifest names.
    Foreign,
    /// A pack holds events of inputs that have later outputs, and of others.
    Mixed,
    /// udmap itself failed.
    Crashed,
    /// Something else: the operating system's words say what.
    Other,
}

impl Cause {
    /// Its name in a summary.
    pub fn name(self) -> &'static str {
        match self {
            Cause::Denied => "denied",
            Cause::Gone => "gone",
            Cause::Changed => "changed",
            Cause::Damaged => "damaged",
            Cause::TooBig => "too-big",
            Cause::NotLog => "not-log",
            Cause::Service => "service",
            Cause::Taken => "taken",
            Cause::Listing => "listing",
            Cause::Differs => "differs",
            Cause::Manifest => "manifest",
            Cause::Foreign => "foreign",
            Cause::Mixed => "mixed",
            Cause::Crashed => "crashed",
            Cause::Other => "other",
        }
    }

    pub(super) fn of(error: &Error) -> Cause {
        match error.kind() {
            ErrorKind::Denied => Cause::Denied,
            ErrorKind::NotFound => Cause::Gone,
            ErrorKind::Changed => Cause::Changed,
            ErrorKind::Damaged => Cause::Damaged,
            ErrorKind::TooBig => Cause::TooBig,
            ErrorKind::NotLog => Cause::NotLog,
            ErrorKind::Service | ErrorKind::NoBucket => Cause::Service,
            ErrorKind::Taken => Cause::Taken,
            ErrorKind::Crashed => Cause::Crashed,
            _ => Cause::Other,
        }
    }
}

impl Progress {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        lock(&self.inner)
    }

    /// Counts what was made of an object.
    pub(super) fn add(&self, counts: &Counts) {
        let mut inner = self.inner();
        match &mut inner.counts {
            Some(mine) => mine.add(counts),
            None => inner.counts = Some(counts.clone()),
        }
        self.records.fetch_add(counts.records, Relaxed);
        self.rejects.fetch_add(counts.rejects, Relaxed);
    }

    /// Notes where the rejects of an input came from that was converted.
    pub(super) fn rejected(&self, sources: RejectSources, line: &ManifestEntry) {
        self.inner().sources.merge(sources, line.rejects_in());
    }

    /// Notes the rejects of an input that an earlier run converted.
    pub(super) fn rejected_earlier(&self, line: &ManifestEntry) {
        if line.rejects > 0 {
            let kept_in = line.rejects_in().map(str::to_owned);
            self.inner().sources.add_earlier(&line.input, line.rejects, kept_in);
        }
    }

    /// Where rejects came from, those of earlier runs, too.
    pub fn reject_sources(&self) -> RejectSources {
        self.inner().sources.clone()
    }

    /// Notes what a reader of the outputs would read, too.
    pub(super) fn expose(&self, exposed: Vec<Exposed>) {
        self.inner().exposed = exposed;
    }

    /// What a reader of everything below the outputs, or below the rejects, would read, too.
    pub fn exposed(&self) -> Vec<Exposed> {
        self.inner().exposed.clone()
    }

    /// Keeps a few rejects to show.
    pub(super) fn example(&self, source: &str, rejects: &[Reject]) {
        let mut inner = self.inner();
        for reject in rejects {
            let shown = inner.examples.entry(reject.reason).or_default();
            if shown.len() < MOST_EXAMPLES {
                shown.push(format!("{source}:{}: {}", reject.line, reject.message));
            }
        }
    }

    /// Counts a failure.
    pub(super) fn fail(&self, cause: Cause, error: &Error) {
        let hint = match cause {
            Cause::Damaged => Some(
                "nothing was written of it: get the object again, or convert what comes before the damage to a file",
            ),
            _ => error.hint(),
        };
        let mut inner = self.inner();
        let failures = inner.failures.entry(cause).or_default();
        failures.count += 1;
        if failures.shown.len() < MOST_SHOWN {
            failures.shown.push(error.to_string());
        }
        if failures.hint.is_none() {
            failures.hint = hint.map(str::to_owned);
        }
    }

    /// Counts an object of this many bytes as done.
    pub(super) fn finished(&self, bytes: u64) {
        self.done.fetch_add(1, Relaxed);
        self.done_bytes.fetch_add(bytes, Relaxed);
    }

    /// Counts an object as done whose outputs were written before.
    pub(super) fn listed_in_manifest(&self, bytes: u64) {
        let _ = self.unlisted.fetch_update(Relaxed, Relaxed, |n| n.checked_sub(1));
        self.finished(bytes);
    }

    pub(super) fn wrote(&self, bytes: u64) {
        self.written.fetch_add(1, Relaxed);
        self.written_bytes.fetch_add(bytes, Relaxed);
    }

    /// The books of all conversions; nothing if there were none.
    pub fn counts(&self) -> Option<Counts> {
        self.inner().counts.clone()
    }

    /// What failed, by cause.
    pub fn failures(&self) -> BTreeMap<Cause, Failures> {
        self.inner().failures.clone()
    }

    /// How many objects failed.
    pub fn failed(&self) -> u64 {
        self.inner().failures.values().map(|failures| failures.count).sum()
    }

    /// The first rejects of each reason, where rejects are not kept.
    pub fn examples(&self) -> BTreeMap<Reason, Vec<String>> {
        self.inner().examples.clone()
    }
}

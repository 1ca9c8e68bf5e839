//! What a verification looks at, and what it went through.

use super::progress::{Cause, Progress};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// What a verification is to look at besides outputs.
#[derive(Debug, Clone, Copy, Default)]
pub struct Depth {
    /// Whether inputs are converted again.
    pub deep: bool,
    /// Whether inputs are not looked at.
    pub outputs_only: bool,
}

/// What a verification went through. What was wrong is counted in `progress`.
#[derive(Debug, Default)]
pub struct Verified {
    /// Parts of the manifest.
    pub parts: AtomicU64,
    /// Parts of versions that did not say how many lines there are: missing ones can't be noticed.
    pub unsealed: AtomicU64,
    /// Lines.
    pub lines: AtomicU64,
    /// Outputs that are what the manifest says.
    pub right: AtomicU64,
    /// Outputs that are the last ones of their inputs.
    pub current: AtomicU64,
    /// Outputs whose inputs have later ones, and that still stand.
    pub superseded: AtomicU64,
    /// Outputs whose inputs have later ones, and that were removed.
    pub removed: AtomicU64,
    /// Packs that hold events of inputs that have later ones, among others.
    pub mixed: AtomicU64,
    /// Inputs that are what they were when they were converted.
    pub inputs: AtomicU64,
    /// Inputs that udmap was to delete, and that are gone.
    pub deleted: AtomicU64,
    /// Objects looked at, to find out which no line names.
    pub listed: AtomicU64,
    /// Whether what no line names was looked for: only if all of a manifest is verified.
    pub foreign: std::sync::atomic::AtomicBool,
    /// Inputs that were converted again, and gave the same.
    pub again: AtomicU64,
    /// Inputs that are gone or changed, and could not be converted again.
    pub without_input: AtomicU64,
    /// Lines of another mapping or other options, which could not be converted again.
    pub other: AtomicU64,
}

impl Verified {
    /// Whether not one input could be converted again.
    pub fn none_again(&self) -> bool {
        self.again.load(Relaxed) == 0 && self.lines.load(Relaxed) > 0
    }

    /// Whether there was no manifest.
    pub fn is_nothing(&self) -> bool {
        self.parts.load(Relaxed) == 0
    }

    /// What was found to be wrong, and what could not be checked.
    pub fn failed(&self, progress: &Progress) -> (u64, u64) {
        let (mut failed, mut unchecked) = (0, self.without_input.load(Relaxed) + self.other.load(Relaxed));
        for (cause, failures) in progress.failures() {
            match cause {
                Cause::Differs | Cause::Manifest | Cause::Foreign => failed += failures.count,
                _ => unchecked += failures.count,
            }
        }
        (failed, unchecked)
    }
}

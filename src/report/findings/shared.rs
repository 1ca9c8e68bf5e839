//! What the reports have in common.

use crate::check::findings::Issue;
use crate::check::fingerprint::Fingerprint;
use std::collections::HashMap;

/// What was found, with the path before it.
pub(super) fn sentence(issue: &Issue) -> String {
    if issue.path.is_empty() { issue.message.clone() } else { format!("{}: {}", issue.path, issue.message) }
}

/// Fingerprints that no two findings of a report have in common: what a finding is about, its file, and the how many-th
/// of its like in that file it is.
#[derive(Default)]
pub(super) struct Occurrences<'f>(HashMap<(String, &'f str), u64>);

impl<'f> Occurrences<'f> {
    pub(super) fn of(&mut self, issue: &'f Issue) -> String {
        let fingerprint = issue.fingerprint.to_string();
        let number = self.0.entry((fingerprint.clone(), &issue.source)).or_default();
        *number += 1;
        let file = Fingerprint::of("", "", &[&issue.source]).to_string();
        format!("{fingerprint}:{}:{number}", &file[..8])
    }
}

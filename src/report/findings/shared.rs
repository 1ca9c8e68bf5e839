//! What the reports have in common.

use crate::check::baseline::without_dots;
use crate::check::findings::Issue;
use crate::check::fingerprint::Fingerprint;
use std::collections::HashMap;
use std::path::Path;

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

/// A file as CI services show it: from the root of their checkout, where they say which that is.
pub(super) fn in_checkout(source: &str) -> String {
    let root = ["GITHUB_WORKSPACE", "CI_PROJECT_DIR"].iter().find_map(std::env::var_os);
    let below = |root: &std::ffi::OsStr| {
        let file = without_dots(Path::new(source));
        let file = file.strip_prefix(without_dots(Path::new(root))).ok()?;
        (!source.contains("://") && source != "-").then(|| file.to_string_lossy().into_owned())
    };
    let below = root.filter(|root| !root.is_empty()).and_then(|root| below(&root));
    below.unwrap_or_else(|| source.strip_prefix("./").unwrap_or(source).to_owned())
}

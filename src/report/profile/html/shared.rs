//! What the sections of the page have in common.

use crate::check::profile::Profile;
use crate::report::html::{Series, bars};
use std::fmt::Write as _;

/// Adds a section.
pub(super) fn section(to: &mut String, title: &str, body: &str) {
    let _ = write!(to, "<section><h2>{title}</h2>\n{body}</section>\n");
}

/// Bars over the times of a profile.
pub(super) fn over_time(profile: &Profile, what: &str, series: &[Series<'_>]) -> String {
    let labels: Vec<&str> = profile.times.iter().map(|bucket| bucket.from.as_str()).collect();
    if labels.is_empty() { String::new() } else { bars(what, profile.unit, &labels, series) }
}

pub(super) fn counts(by_time: &[u64]) -> Vec<f64> {
    by_time.iter().map(|n| *n as f64).collect()
}

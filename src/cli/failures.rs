//! What failed in a run over whole dumps, on stderr.

use super::RED;
use crate::jobs::dump::Progress;
use crate::report::dump as report;
use crate::text::escaped;

/// Names what failed, by cause. Whether something did.
pub(super) fn tell_failures(progress: &Progress) -> bool {
    for (cause, failures) in progress.failures() {
        for words in failures.shown.iter().take(report::MOST_FAILURES) {
            say!("{}error{:#}: {}", RED, RED, escaped(words));
        }
        if let Some(more @ 1..) = failures.count.checked_sub(report::MOST_FAILURES as u64) {
            say!("... and {more} more ({})", cause.name());
        }
        if let Some(hint) = failures.hint {
            say!("hint: {}", escaped(&hint));
        }
    }
    progress.failed() > 0
}

//! Why a command could not do its work, on stderr.

use super::RED;
use crate::text::escaped_lines;

/// Says why events are not sent, or not all of them; the line begins with `at`.
#[cfg(feature = "send")]
pub(super) fn report_sending(at: &str, error: &crate::jobs::send::Error) {
    say!("{at}{RED}error{RED:#}: {error}");
    if let Some(hint) = error.hint() {
        say!("hint: {hint}");
    }
}

/// Says on stderr what went wrong and, where that is known, what to do.
pub(super) fn report(error: &anyhow::Error) {
    let store = error.downcast_ref::<crate::store::Error>();
    let store = store.or_else(|| error.downcast_ref().and_then(crate::store::Error::in_io));
    if store.is_some_and(crate::store::Error::is_broken_pipe) {
        return;
    }
    say!("{RED}error{RED:#}: {}", escaped_lines(&format!("{error:#}")));
    let hint = store.and_then(|error| error.hint());
    let hint =
        hint.or_else(|| error.downcast_ref::<crate::jobs::collect::Error>().and_then(|error| error.hint()));
    #[cfg(feature = "send")]
    let hint =
        hint.or_else(|| error.downcast_ref::<crate::jobs::send::Error>().and_then(|error| error.hint()));
    if let Some(hint) = hint {
        say!("hint: {}", escaped_lines(hint));
    }
}

//! What a command does that found nothing to work on: it warns, and its exit status says so.

use super::{DONE, NOTHING};
use crate::text::escaped;

/// Whether nothing is something.
#[derive(Debug, clap::Args)]
pub(super) struct AllowEmpty {
    /// Count it as done if there is nothing to work on, instead of exit status 3.
    #[arg(long)]
    allow_empty: bool,
}

impl AllowEmpty {
    /// The exit status if there is nothing.
    pub(super) fn status(&self) -> u8 {
        if self.allow_empty { DONE } else { NOTHING }
    }
}

/// Says on stderr, if that is the exit status, that there is nothing; `what` says what is missing, and where.
pub(super) fn warn(exit_status: u8, what: &str) {
    if exit_status == NOTHING {
        say!("{}warning{:#}: {}", super::YELLOW, super::YELLOW, escaped(what));
        say!("hint: if that is right, `--allow-empty` makes it exit status 0");
    }
}

/// That all records are outside of the range that was asked for.
pub(super) fn all_outside(records: u64, inputs: &str) -> String {
    format!("all {records} records in {inputs} are outside of `--records-since` and `--records-until`")
}

/// Inputs by name for a message: the first three.
pub(super) fn named(inputs: &[String]) -> String {
    const MOST: usize = 3;
    let mut names: Vec<String> = inputs.iter().take(MOST).map(|input| format!("`{input}`")).collect();
    if let Some(more @ 1..) = inputs.len().checked_sub(MOST) {
        names.push(format!("{more} more"));
    }
    names.join(", ")
}

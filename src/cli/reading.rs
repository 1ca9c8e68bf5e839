//! How events are read: the options that commands for checks share.

use crate::check::reading::{Reading, threads};

/// How many threads, and how much at once.
#[derive(Debug, clap::Args)]
pub(super) struct ReadingOptions {
    /// How many threads read and check [default: the number of cores].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,

    /// The longest JSON value that is read at once, in bytes: a line, or a file that is one value.
    #[arg(long, value_name = "N", default_value_t = 64 << 20,
          value_parser = clap::value_parser!(u64).range(1..=1 << 30))]
    max_event_bytes: u64,
}

impl ReadingOptions {
    /// How inputs are read.
    pub(super) fn reading(&self) -> Reading {
        // At most 2^30, so it fits.
        Reading { threads: threads(self.threads), limit: self.max_event_bytes as usize, yaml: true }
    }
}

//! Which records are converted, by their own time: the options of every command that converts whole logs.

use crate::convert::TimeRange;
use crate::jobs::settings::{Moment, moment};
use anyhow::bail;

/// A range of the records' own time.
#[derive(Debug, clap::Args)]
pub(super) struct RecordRange {
    /// Only records of this time or later: 2026-03-01, 2026-03-01T12:00:00Z, or how long ago (30d). The others are
    /// counted as `outside`, and are neither events nor rejects.
    #[arg(long, value_name = "WHEN", value_parser = moment)]
    records_since: Option<Moment>,

    /// Only records before this time.
    #[arg(long, value_name = "WHEN", value_parser = moment)]
    records_until: Option<Moment>,
}

impl RecordRange {
    /// The range.
    ///
    /// # Errors
    /// If it is empty.
    pub(super) fn range(&self) -> anyhow::Result<TimeRange> {
        let at = |moment: Option<Moment>| moment.map(|moment| moment.at);
        let range = TimeRange { since: at(self.records_since), until: at(self.records_until) };
        if let (Some(since), Some(until)) = (range.since, range.until)
            && since >= until
        {
            let (since, until) = (since.to_rfc3339(), until.to_rfc3339());
            bail!("expected `--records-since` before `--records-until`, found {since} and {until}");
        }
        Ok(range)
    }

    /// The same where it decides over the names of outputs: it must not be another one at each run.
    ///
    /// # Errors
    /// If it is empty, or counted back from now.
    pub(super) fn fixed(&self) -> anyhow::Result<TimeRange> {
        for (name, moment) in
            [("--records-since", self.records_since), ("--records-until", self.records_until)]
        {
            if let Some(Moment { at, relative: true }) = moment {
                // The first ten characters are the day.
                let day = &at.to_rfc3339()[..10];
                bail!(
                    "`{name}`: expected a date or a time such as `{day}`, found one counted back from now\nhint: with an \
                     output for each input, the range is part of the outputs' names, and all inputs would be converted \
                     again at every run"
                );
            }
        }
        self.range()
    }
}

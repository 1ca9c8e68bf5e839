//! What a run says, as one line of JSON for logs, metrics and alarms.

use crate::jobs::collect::{Failure, Outcome, Report};
use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;

/// A run in one line; docs/deploy.md says what each field is.
#[derive(Debug, Serialize)]
pub(super) struct Line {
    level: &'static str,
    event: &'static str,
    outcome: &'static str,
    records: u64,
    objects: u64,
    pages: u64,
    #[serde(skip_serializing_if = "is_zero")]
    not_records: u64,
    gap_seconds: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    watermark: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    watermark_age_seconds: Option<i64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    notes: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
}

fn is_zero(n: &u64) -> bool {
    *n == 0
}

impl Line {
    pub(super) fn new(result: &Result<Report, Failure>) -> Line {
        let (report, error) = match result {
            Ok(report) => (report, None),
            Err(failure) => (&failure.report, Some(&failure.error)),
        };
        let notable = !report.notes.is_empty() || !report.gaps.is_empty();
        let watermark = report.watermark.and_then(DateTime::from_timestamp_millis);
        Line {
            level: match error {
                Some(_) => "error",
                None if notable => "warning",
                None => "info",
            },
            event: "collect",
            outcome: match (error, report.outcome) {
                (Some(_), _) => "failed",
                (None, Outcome::Done) => "done",
                (None, Outcome::Busy) => "busy",
                (None, Outcome::Deadline) => "deadline",
                (None, Outcome::MaxPages) => "max-pages",
                (None, Outcome::Stopped) => "stopped",
            },
            records: report.delivered,
            objects: report.objects,
            pages: report.pages,
            not_records: report.foreign,
            gap_seconds: report.gaps.iter().map(|gap| (gap.to - gap.from + 999) / 1000).sum(),
            watermark: watermark.map(|time| time.to_rfc3339_opts(SecondsFormat::Secs, true)),
            // Never negative, even if the clock was set back.
            watermark_age_seconds: watermark.map(|time| (Utc::now() - time).num_seconds().max(0)),
            notes: report.notes.clone(),
            error: error.map(ToString::to_string),
            hint: error.and_then(|error| error.hint()).map(str::to_owned),
        }
    }

    pub(super) fn json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

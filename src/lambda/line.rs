//! What a run says, as one line of JSON for logs, metrics and alarms.

use crate::jobs::collect::{Failure, Log, Outcome, Report};
use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;

/// How a log's run went; the log is named if there are several.
pub(super) type Run = (Option<&'static Log>, Result<Report, Failure>);

/// What alarms look for.
const EVENT: &str = "collect";
const ERROR: &str = "error";

/// A run in one line; docs/deploy.md says what each field is.
#[derive(Debug, Default, Serialize)]
pub(super) struct Line {
    level: &'static str,
    event: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    log: Option<&'static str>,
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
    /// Of one run.
    pub(super) fn new((log, result): &Run) -> Line {
        let (report, error) = match result {
            Ok(report) => (report, None),
            Err(failure) => (&failure.report, Some(&failure.error)),
        };
        let notable = !report.notes.is_empty() || !report.gaps.is_empty();
        let watermark = report.watermark.and_then(DateTime::from_timestamp_millis);
        Line {
            level: match error {
                Some(_) => ERROR,
                None if notable => "warning",
                None => "info",
            },
            event: EVENT,
            log: log.map(|log| log.name),
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

    /// The runs of several logs in one: what alarms look at is that of the worst, so that no log hides another.
    pub(super) fn whole(mut lines: Vec<Line>) -> Line {
        lines.sort_by_key(|line| ["info", "warning", ERROR].iter().position(|level| *level == line.level));
        let mut lines = lines.into_iter().rev();
        let Some(worst) = lines.next() else { return Line { level: ERROR, event: EVENT, ..Line::default() } };
        lines.fold(Line { log: None, ..worst }, |whole, line| {
            let older = whole.watermark_age_seconds.zip(line.watermark_age_seconds);
            // Without one of them it is not known how old the oldest is.
            let (watermark, age) = match older {
                Some((a, b)) if a >= b => (whole.watermark, Some(a)),
                Some((_, b)) => (line.watermark, Some(b)),
                None => (None, None),
            };
            Line {
                outcome: if whole.outcome == "done" { line.outcome } else { whole.outcome },
                records: whole.records + line.records,
                objects: whole.objects + line.objects,
                pages: whole.pages + line.pages,
                not_records: whole.not_records + line.not_records,
                gap_seconds: whole.gap_seconds + line.gap_seconds,
                watermark,
                watermark_age_seconds: age,
                ..whole
            }
        })
    }

    /// As what it is of a log among several, which no alarm looks at.
    pub(super) fn of_several(self) -> Line {
        Line { event: "collect-log", ..self }
    }

    pub(super) fn json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

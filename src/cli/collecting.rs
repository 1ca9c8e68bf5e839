//! What `udmap collect` shows of its runs: a line on a terminal, else a line a minute, and each retry with its reason.

use super::{progress, terminal};
use crate::jobs::collect::{Listener, Log, RunStep};
use crate::report::summary::counted;
use crate::sync::lock;
use crate::text::escaped;
use indicatif::ProgressBar;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// How often a line is written where stderr is not a terminal.
const BETWEEN_LINES: Duration = Duration::from_secs(60);

/// What is shown of runs.
#[derive(Debug, Clone)]
pub(super) struct Collecting(Option<Arc<Mutex<Shown>>>);

#[derive(Debug)]
struct Shown {
    /// Whether each log is named.
    several: bool,
    on_terminal: bool,
    bar: Option<ProgressBar>,
    /// How far the runs are that go on.
    runs: BTreeMap<&'static str, Run>,
}

#[derive(Debug)]
struct Run {
    pages: u64,
    delivered: u64,
    reached: Option<i64>,
    /// When there was a line last, or when it began.
    last: Instant,
}

impl Collecting {
    /// Shows runs of these logs, or nothing at all if `quiet`.
    pub(super) fn new(logs: impl Iterator<Item = &'static Log>, quiet: bool) -> Collecting {
        if quiet {
            return Collecting(None);
        }
        let now = Instant::now();
        let runs: BTreeMap<&str, Run> = logs.map(|log| (log.name, Run::new(now))).collect();
        let on_terminal = terminal::stderr_width().is_some();
        let mut shown = Shown { several: runs.len() > 1, on_terminal, bar: None, runs };
        shown.draw();
        Collecting(Some(Arc::new(Mutex::new(shown))))
    }

    /// What the runs tell.
    pub(super) fn listener(&self) -> Listener {
        let Some(shown) = self.0.clone() else { return Listener::default() };
        Listener::new(move |log, step| {
            let line = lock(&shown).take(log, step, Instant::now());
            if let Some(line) = line {
                say!("{line}");
            }
        })
    }

    /// The run of a log is over.
    pub(super) fn ended(&self, log: &Log) {
        let Some(shown) = &self.0 else { return };
        let mut shown = lock(shown);
        shown.runs.remove(log.name);
        shown.draw();
    }
}

impl Run {
    fn new(now: Instant) -> Run {
        Run { pages: 0, delivered: 0, reached: None, last: now }
    }

    fn parts(&self) -> Vec<String> {
        if self.pages == 0 {
            return vec!["asking for the first page".to_owned()];
        }
        let reached = self.reached.and_then(chrono::DateTime::from_timestamp_millis);
        let reached = reached.map(|time| format!("up to {}", time.format("%Y-%m-%dT%H:%M:%SZ")));
        let counts = [counted(self.delivered, "record"), counted(self.pages, "page")];
        counts.into_iter().chain(reached).collect()
    }
}

impl Shown {
    /// Takes what happened; the line to say, if there is one.
    fn take(&mut self, log: &'static Log, step: &RunStep, now: Instant) -> Option<String> {
        let which = if self.several { format!("{log}: ") } else { String::new() };
        let run = self.runs.entry(log.name).or_insert_with(|| Run::new(now));
        let line = match step {
            RunStep::Page { pages, delivered, reached } => {
                (run.pages, run.delivered, run.reached) = (*pages, *delivered, *reached);
                let due = !self.on_terminal && now.duration_since(run.last) >= BETWEEN_LINES;
                due.then(|| format!("{which}{} so far", run.parts().join(", ")))
            }
            RunStep::Retry { why, wait, failed } => {
                let when = match wait.as_secs_f64() {
                    ..0.05 => "at once".to_owned(),
                    seconds @ ..10.0 => format!("in {seconds:.1} s"),
                    seconds => format!("in {seconds:.0} s"),
                };
                let again = if *failed == 1 { String::new() } else { format!(", {failed} have failed") };
                Some(format!("{which}{}: asking again {when}{again}", escaped(why)))
            }
        };
        if line.is_some() {
            run.last = now;
        }
        self.draw();
        line
    }

    /// Shows the runs that go on.
    fn draw(&mut self) {
        if !self.on_terminal {
            return;
        }
        if self.runs.is_empty() {
            self.bar = None;
            return terminal::clear();
        }
        let bar = self.bar.get_or_insert_with(|| progress::bar(None));
        let parts: Vec<String> = match self.several {
            false => self.runs.values().flat_map(Run::parts).collect(),
            true => self
                .runs
                .iter()
                .map(|(log, run)| format!("{log} {}", counted(run.delivered, "record")))
                .collect(),
        };
        progress::set(bar, 0, None, parts.into_iter());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_terminal_there_is_a_line_a_minute_and_each_retry() {
        let begin = Instant::now();
        let at = |seconds| begin + Duration::from_secs(seconds);
        let log = &Log::all()[0];
        let mut shown = Shown { several: false, on_terminal: false, bar: None, runs: BTreeMap::new() };
        let page =
            |pages| RunStep::Page { pages, delivered: pages * 1_000, reached: Some(1_704_067_200_000) };
        let retry = |wait, failed| RunStep::Retry { why: "too \u{1b} many".into(), wait, failed };
        let mut take = |step: &RunStep, seconds| shown.take(log, step, at(seconds));
        assert_eq!(take(&page(1), 0), None);
        assert_eq!(take(&page(2), 59), None);
        assert_eq!(
            take(&page(3), 60).as_deref(),
            Some("3,000 records, 3 pages, up to 2024-01-01T00:00:00Z so far")
        );
        assert_eq!(take(&page(4), 100), None);
        let tests = [
            (Duration::ZERO, 1, "too \\u{1b} many: asking again at once"),
            (Duration::from_millis(1_250), 2, "too \\u{1b} many: asking again in 1.2 s, 2 have failed"),
            (Duration::from_secs(64), 3, "too \\u{1b} many: asking again in 64 s, 3 have failed"),
        ];
        for (wait, failed, want) in tests {
            assert_eq!(take(&retry(wait, failed), 110).as_deref(), Some(want));
        }
        // A retry says that it goes on, too.
        assert_eq!(take(&page(5), 169), None);
        assert!(take(&page(6), 170).is_some());
    }
}

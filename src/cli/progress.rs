//! How far a long command has come, on stderr.

use crate::report::summary::{bytes, counted};
use indicatif::{ProgressBar, ProgressStyle};
use std::io::IsTerminal as _;
use std::time::{Duration, Instant};

/// When to show progress.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum When {
    /// On a terminal that no events are written to.
    Auto,
    /// Always; where stderr is not a terminal, a line every second.
    #[value(alias = "bar")]
    Always,
    /// Always, for a machine: a line of JSON every second.
    Json,
    /// Never.
    #[value(alias = "none")]
    Never,
}

/// A progress display.
#[derive(Debug)]
pub(super) enum Progress {
    Silent,
    Bar(ProgressBar),
    Lines { total: Option<u64>, start: Instant, last: Instant },
    Json { total: Option<u64>, start: Instant, last: Instant },
}

impl Progress {
    /// Progress over `total` bytes, if that is known. `events_on_stdout` tells whether a terminal
    /// there would show events.
    pub(super) fn new(when: When, total: Option<u64>, events_on_stdout: bool) -> Progress {
        let terminal = std::io::stderr().is_terminal();
        let mixed = events_on_stdout && std::io::stdout().is_terminal();
        match when {
            When::Never => Progress::Silent,
            When::Json => Progress::Json { total, start: Instant::now(), last: Instant::now() },
            When::Auto if !terminal || mixed => Progress::Silent,
            When::Always if !terminal => {
                Progress::Lines { total, start: Instant::now(), last: Instant::now() }
            }
            _ => {
                let bar = total.map_or_else(ProgressBar::new_spinner, ProgressBar::new);
                let template = if total.is_some() {
                    "{bar:30} {decimal_bytes}/{decimal_total_bytes} {decimal_bytes_per_sec} ETA {eta}  {msg}"
                } else {
                    "{spinner} {decimal_bytes} {decimal_bytes_per_sec} {elapsed}  {msg}"
                };
                bar.set_style(
                    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()),
                );
                bar.enable_steady_tick(Duration::from_millis(200));
                Progress::Bar(bar)
            }
        }
    }

    /// Shows how many bytes are read, how many records done, and how many of them rejected.
    pub(super) fn update(&mut self, read: u64, records: u64, rejects: u64) {
        let message = || {
            let rejects =
                if rejects == 0 { String::new() } else { format!(", {}", counted(rejects, "reject")) };
            format!("{}{rejects}", counted(records, "record"))
        };
        match self {
            Progress::Silent => {}
            Progress::Bar(bar) => {
                bar.set_position(read);
                bar.set_message(message());
            }
            Progress::Lines { total, start, last } => {
                if last.elapsed() >= Duration::from_secs(1) {
                    *last = Instant::now();
                    let of = total.map_or(String::new(), |total| format!(" of {}", bytes(total)));
                    let rate = read as f64 / start.elapsed().as_secs_f64();
                    say!("{}{of}, {}/s, {}", bytes(read), bytes(rate as u64), message());
                }
            }
            Progress::Json { total, start, last } => {
                if last.elapsed() >= Duration::from_secs(1) {
                    *last = Instant::now();
                    let seconds = start.elapsed().as_secs_f64();
                    let rate = read as f64 / seconds.max(1e-9);
                    let line = serde_json::json!({
                        "seconds": seconds,
                        "bytes": read,
                        "of_bytes": total,
                        "bytes_per_second": rate,
                        "eta_seconds": total.map(|total| total.saturating_sub(read) as f64 / rate.max(1e-9)),
                        "records": records,
                        "rejects": rejects,
                    });
                    say!("{line}");
                }
            }
        }
    }

    /// Takes the display away.
    pub(super) fn clear(&self) {
        if let Progress::Bar(bar) = self {
            bar.finish_and_clear();
        }
    }
}

/// Shows how far a run over whole dumps has come, until it is done.
pub(super) fn watch(when: When, run: &crate::jobs::dump::Progress, done: &std::sync::atomic::AtomicBool) {
    use crate::report::dump::Pace;
    use std::sync::atomic::Ordering::Relaxed;
    let start = Instant::now();
    let mut progress = Progress::new(when, Some(0), false);
    let mut last = start;
    crate::panics::provoke("progress");
    while !done.load(Relaxed) {
        std::thread::sleep(Duration::from_millis(50));
        let pace = || Pace::of(run, start.elapsed().as_secs_f64());
        let second = last.elapsed() >= Duration::from_secs(1);
        match &mut progress {
            Progress::Silent => {}
            Progress::Bar(bar) => {
                let pace = pace();
                let (at, of) = pace.bytes();
                bar.set_length(of);
                bar.set_position(at);
                bar.set_message(pace.message());
            }
            Progress::Lines { .. } if second => say!("{}", pace().line()),
            // Numbers and flags always serialize.
            Progress::Json { .. } if second => {
                say!("{}", serde_json::to_string(&pace()).unwrap_or_default());
            }
            Progress::Lines { .. } | Progress::Json { .. } => {}
        }
        if second {
            last = Instant::now();
        }
    }
    if let Progress::Json { .. } = progress {
        let pace = Pace::of(run, start.elapsed().as_secs_f64());
        say!("{}", serde_json::to_string(&pace).unwrap_or_default());
    }
    progress.clear();
}

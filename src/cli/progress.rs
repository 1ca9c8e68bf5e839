//! How far a long command has come, on stderr.

use super::terminal;
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
            _ => Progress::Bar(bar(total)),
        }
    }

    /// Shows how many bytes are read, how many records done, and how many of them rejected.
    pub(super) fn update(&mut self, read: u64, records: u64, rejects: u64) {
        let rejected = (rejects > 0).then(|| counted(rejects, "reject"));
        match self {
            Progress::Silent => {}
            Progress::Bar(bar) => {
                let rate = read as f64 / bar.elapsed().as_secs_f64().max(1e-9);
                let total = bar.length();
                let eta = total.map(|total| total.saturating_sub(read) as f64 / rate.max(1e-9));
                let parts = [of(read, total), speed(rate)].into_iter().chain(eta.and_then(left));
                set(bar, read, total, parts.chain([counted(records, "record")]).chain(rejected));
            }
            Progress::Lines { total, start, last } => {
                if last.elapsed() >= Duration::from_secs(1) {
                    *last = Instant::now();
                    let rate = read as f64 / start.elapsed().as_secs_f64();
                    let parts = [of(read, *total), speed(rate), counted(records, "record")];
                    say!("{}", parts.into_iter().chain(rejected).collect::<Vec<_>>().join(", "));
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
                    terminal::say_data(&format!("{line}\n"));
                }
            }
        }
    }

    /// Takes the display away.
    pub(super) fn clear(&self) {
        if let Progress::Bar(_) = self {
            terminal::clear();
        }
    }
}

/// A bar that is shown from now on; something that turns, where the end is not known.
pub(super) fn bar(total: Option<u64>) -> ProgressBar {
    let bar = total.map_or_else(ProgressBar::new_spinner, ProgressBar::new);
    let template = if total.is_some() { "{bar:BARWIDTH} {msg}" } else { "{spinner} {msg}" };
    let template = template.replace("BARWIDTH", &bar_width().to_string());
    bar.set_style(ProgressStyle::with_template(&template).unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar.enable_steady_tick(Duration::from_millis(200));
    terminal::show(&bar);
    bar
}

/// How many columns a bar takes.
fn bar_width() -> usize {
    terminal::stderr_width().map_or(20, |width| (width / 4).min(30))
}

/// Shows how far it is. Of the parts, as many are shown as there is room for.
pub(super) fn set(bar: &ProgressBar, at: u64, of: Option<u64>, parts: impl Iterator<Item = String>) {
    if let Some(of) = of {
        bar.set_length(of);
    }
    bar.set_position(at);
    // One column stays free: some terminals go on to the next line behind the last.
    let taken = if of.is_some() { bar_width() } else { 1 } + 2;
    let room = terminal::stderr_width().unwrap_or(80).saturating_sub(taken);
    bar.set_message(fitting(parts, room));
}

/// The parts with commas between them, as many as fit into `room` columns. They are plain ASCII.
fn fitting(parts: impl Iterator<Item = String>, room: usize) -> String {
    let mut text = String::new();
    for part in parts {
        let between = if text.is_empty() { "" } else { ", " };
        if text.len() + between.len() + part.len() <= room {
            text.push_str(between);
            text.push_str(&part);
        }
    }
    text
}

fn of(read: u64, total: Option<u64>) -> String {
    bytes(read) + &total.map_or(String::new(), |total| format!(" of {}", bytes(total)))
}

fn speed(rate: f64) -> String {
    format!("{}/s", bytes(rate as u64))
}

/// How much time is left; nothing, where that is only a guess.
fn left(seconds: f64) -> Option<String> {
    const MOST: f64 = 99.0 * 3600.0;
    let text = match seconds {
        s if s < 60.0 => format!("{s:.0} s left"),
        s if s < 3600.0 => format!("{:.0} min left", s / 60.0),
        s if s < MOST => format!("{:.0} h left", s / 3600.0),
        _ => return None,
    };
    Some(text)
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
                let (read, all) = pace.bytes();
                let (rate, eta) = pace.rate_and_eta();
                let parts = [pace.objects(), of(read, Some(all)), speed(rate)].into_iter();
                set(bar, read, Some(all), parts.chain(eta.and_then(left)).chain(pace.trouble()));
            }
            Progress::Lines { .. } if second => say!("{}", pace().line()),
            // Numbers and flags always serialize.
            Progress::Json { .. } if second => {
                terminal::say_data(&(serde_json::to_string(&pace()).unwrap_or_default() + "\n"));
            }
            Progress::Lines { .. } | Progress::Json { .. } => {}
        }
        if second {
            last = Instant::now();
        }
    }
    if let Progress::Json { .. } = progress {
        let pace = Pace::of(run, start.elapsed().as_secs_f64());
        terminal::say_data(&(serde_json::to_string(&pace).unwrap_or_default() + "\n"));
    }
    progress.clear();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_parts_are_shown_as_there_is_room_for() {
        let shown =
            |room| fitting(["12 of 20", "1.5 MB of 3.0 MB", "9 s left"].map(String::from).into_iter(), room);
        assert_eq!(shown(80), "12 of 20, 1.5 MB of 3.0 MB, 9 s left");
        assert_eq!(shown(26), "12 of 20, 1.5 MB of 3.0 MB");
        assert_eq!(shown(25), "12 of 20, 9 s left");
        assert_eq!(shown(5), "");
    }
}

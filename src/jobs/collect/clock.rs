//! The time of day, the time that passes, and waiting: from the system, or from a test.

use crate::jobs::waiting::Stop;
use async_trait::async_trait;
use chrono::Utc;
use std::fmt;
use std::time::{Duration, Instant};

/// A second, in ms.
pub(super) const SECOND: i64 = 1_000;
/// A clock that is this far off is worth a word, in ms.
pub(super) const CLOCK_OFF: i64 = 30_000;

/// A clock that can be waited by.
#[async_trait]
pub trait Clock: fmt::Debug + Send + Sync {
    /// Milliseconds since 1970-01-01T00:00:00Z.
    fn now(&self) -> i64;
    /// How long the clock has been running, whatever is done to the time of day.
    fn elapsed(&self) -> Duration;
    /// Waits.
    async fn sleep(&self, duration: Duration);
}

/// The system's clock. It must run inside a tokio runtime with time.
#[derive(Debug)]
pub struct SystemClock(Instant);

impl SystemClock {
    /// A clock that runs from now on.
    pub fn new() -> SystemClock {
        SystemClock(Instant::now())
    }
}

impl Default for SystemClock {
    fn default() -> SystemClock {
        SystemClock::new()
    }
}

#[async_trait]
impl Clock for SystemClock {
    fn now(&self) -> i64 {
        Utc::now().timestamp_millis()
    }

    fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }

    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}

/// `2026-03-10T12:00:00Z`, or with milliseconds where there are any.
pub(super) fn shown(ms: i64) -> String {
    chrono::DateTime::from_timestamp_millis(ms)
        .map_or_else(|| format!("{ms} ms"), |time| time.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true))
}

/// `90 s`, `12 min`, `5 h`, `3 days`: the two largest units where the second says something.
pub(super) fn span(ms: i64) -> String {
    let seconds = ms.max(0) / 1000;
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0..=1) => format!("{seconds} s"),
        (0, 0, _) => format!("{minutes} min"),
        (0, _, 0) => format!("{hours} h"),
        (0, ..) => format!("{hours} h {minutes} min"),
        (_, 0, _) => format!("{days} d"),
        _ => format!("{days} d {hours} h"),
    }
}

/// By how much this machine's clock differs from Duo's: `3 h ahead of Duo's`. `off` is ours less theirs, in ms.
pub(super) fn difference(off: i64) -> String {
    let way = if off > 0 { "ahead of" } else { "behind" };
    format!("{} {way} Duo's", span(off.saturating_abs()))
}

/// Waits, or until the run is asked to stop; whether it was.
pub(super) async fn sleep_or_stop(clock: &dyn Clock, stop: &Stop, duration: Duration) -> bool {
    tokio::select! {
        biased;
        () = stop.asked() => {}
        () = clock.sleep(duration) => {}
    }
    stop.is_asked()
}

//! How long a job waits before it tries again, and how it is asked to stop.

use chrono::{DateTime, Utc};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::Notify;

/// Asks a run to stop. Copies are one and the same.
///
/// A run stops between two steps, and at once where it waits. What it has delivered stays so. One may be for many runs.
#[derive(Debug, Clone, Default)]
pub struct Stop(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    asked: AtomicBool,
    notify: Notify,
}

impl Stop {
    /// Nobody has asked yet.
    pub fn new() -> Stop {
        Stop::default()
    }

    /// Asks the run to stop.
    pub fn stop(&self) {
        self.0.asked.store(true, Ordering::SeqCst);
        self.0.notify.notify_waiters();
    }

    /// Whether it was asked to stop.
    pub fn is_asked(&self) -> bool {
        self.0.asked.load(Ordering::SeqCst)
    }

    /// Waits until it is asked to stop.
    pub async fn asked(&self) {
        // Made before the look: so it hears what is asked right after that, too.
        let notified = self.0.notify.notified();
        if !self.is_asked() {
            notified.await;
        }
    }
}

/// A random number, for jitter and for telling writers apart.
pub(crate) fn random() -> u64 {
    let mut bytes = [0; 8];
    // Without the system's randomness a number that differs by time and place will do.
    if aws_lc_rs::rand::fill(&mut bytes).is_err() {
        return Utc::now().timestamp_micros() as u64 ^ u64::from(std::process::id());
    }
    u64::from_le_bytes(bytes)
}

/// `wait`, lengthened by up to a quarter.
pub(crate) fn jittered(wait: Duration, random: u64) -> Duration {
    wait + wait.mul_f64(0.25 * (random >> 11) as f64 / (1u64 << 53) as f64)
}

/// What `Retry-After` says, in seconds or as a date, at `now` (ms).
pub(crate) fn retry_after(text: &str, now: i64) -> Option<Duration> {
    let text = text.trim();
    if let Ok(seconds) = text.parse::<u32>() {
        return Some(Duration::from_secs(u64::from(seconds)));
    }
    let until = DateTime::parse_from_rfc2822(text).ok()?.timestamp_millis();
    Some(Duration::from_millis(u64::try_from(until.saturating_sub(now)).unwrap_or(0)))
}

//! When the next request may begin: by the rate that was asked for, and by what SecOps asks for.

use crate::sync::lock;
use std::sync::Mutex;
use std::time::Duration;
use tokio::time::Instant;

/// The pace of all requests of a run.
#[derive(Debug)]
pub(super) struct Pace {
    /// Bytes a second; none for as fast as it goes.
    rate: Option<u64>,
    next: Mutex<Instant>,
}

impl Pace {
    pub(super) fn new(rate: Option<u64>) -> Pace {
        Pace { rate, next: Mutex::new(Instant::now()) }
    }

    /// When a request of this many bytes may begin. It counts as begun.
    pub(super) fn turn(&self, bytes: usize) -> Instant {
        let mut next = lock(&self.next);
        let begin = (*next).max(Instant::now());
        if let Some(rate) = self.rate {
            *next = begin + Duration::from_secs_f64(bytes as f64 / rate as f64);
        }
        begin
    }

    /// No request begins within this time: it is the tenant's limit that was reached, not a request's.
    pub(super) fn hold(&self, wait: Duration) {
        let mut next = lock(&self.next);
        *next = (*next).max(Instant::now() + wait);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_rate_is_kept_and_a_hold_is_for_all() {
        let (pace, start) = (Pace::new(Some(1000)), Instant::now());
        let turns: Vec<_> = (0..3).map(|_| pace.turn(500).duration_since(start).as_millis()).collect();
        assert_eq!(turns, [0, 500, 1000]);
        pace.hold(Duration::from_secs(30));
        assert_eq!(pace.turn(1).duration_since(start).as_secs(), 30);
        let free = Pace::new(None);
        assert_eq!((free.turn(1 << 30), free.turn(1)), (start, start));
    }
}

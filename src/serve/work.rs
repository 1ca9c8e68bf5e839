//! The work that a request may make: it ends when nobody waits for the answer, or when it takes too long.

use super::answer::Refusal;
use hyper::StatusCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// How long a request may take.
const LONGEST: Duration = Duration::from_secs(20);

/// What a request's work asks from time to time.
#[derive(Debug, Clone)]
pub(super) struct Work {
    given_up: Arc<AtomicBool>,
    begun: Instant,
}

/// Held by who waits for the answer. When it is dropped, nobody does.
#[derive(Debug)]
pub(super) struct Waiting(Arc<AtomicBool>);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.store(true, Relaxed);
    }
}

impl Work {
    pub(super) fn new() -> (Work, Waiting) {
        let given_up = Arc::<AtomicBool>::default();
        (Work { given_up: Arc::clone(&given_up), begun: Instant::now() }, Waiting(given_up))
    }

    /// # Errors
    /// If it is time to stop.
    pub(super) fn go_on(&self) -> Result<(), Refusal> {
        if self.given_up.load(Relaxed) {
            return Err(Refusal::new(StatusCode::REQUEST_TIMEOUT, "nobody waits for the answer"));
        }
        if self.begun.elapsed() > LONGEST {
            let error = format!("it takes longer than {} seconds", LONGEST.as_secs());
            return Err(Refusal::new(StatusCode::SERVICE_UNAVAILABLE, error).hint("take a smaller sample"));
        }
        Ok(())
    }

    /// Milliseconds since it began.
    pub(super) fn elapsed_ms(&self) -> f64 {
        (self.begun.elapsed().as_secs_f64() * 10_000.0).round() / 10.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_ends_when_nobody_waits() {
        let (work, waiting) = Work::new();
        assert!(work.go_on().is_ok());
        drop(waiting);
        assert_eq!(work.go_on().unwrap_err().status, StatusCode::REQUEST_TIMEOUT);
        let Some(begun) = Instant::now().checked_sub(LONGEST + Duration::from_secs(1)) else { return };
        let (work, _waiting) = Work::new();
        let late = Work { begun, ..work };
        assert_eq!(late.go_on().unwrap_err().status, StatusCode::SERVICE_UNAVAILABLE);
    }
}

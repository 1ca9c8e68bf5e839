//! Asking a run to stop, from a signal or another thread.

use super::clock::Clock;
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

    /// Waits, or until it is asked to stop; whether it was.
    pub async fn sleep(&self, clock: &dyn Clock, duration: Duration) -> bool {
        tokio::select! {
            biased;
            () = self.asked() => {}
            () = clock.sleep(duration) => {}
        }
        self.is_asked()
    }
}

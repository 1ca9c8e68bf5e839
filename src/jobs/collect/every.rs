//! A collector that runs again and again, until it is asked to stop.

use super::clock::sleep_or_stop;
use super::{Collector, Failure, Limits, Report};
use crate::jobs::waiting::random;
use std::time::Duration;

impl Collector {
    /// Runs at once and then every `period`, a little sooner or later each time so that many
    /// collectors don't ask all at once. A run that takes longer is followed by the next; two
    /// never run together. `told` hears of each run, and what it does belongs to the run. Returns when [`Limits::stop`] is asked.
    pub async fn every(
        &mut self,
        period: Duration,
        limits: &Limits,
        told: &impl AsyncFn(Result<Report, Failure>),
    ) {
        loop {
            let begun = self.client.clock.elapsed();
            told(self.run(limits).await).await;
            let took = self.client.clock.elapsed().saturating_sub(begun);
            // Between 95 and 105 percent.
            let share = 0.95 + 0.1 * (random() >> 11) as f64 / (1u64 << 53) as f64;
            let wait = period.mul_f64(share).saturating_sub(took);
            if sleep_or_stop(&*self.client.clock, &limits.stop, wait).await {
                return;
            }
        }
    }
}

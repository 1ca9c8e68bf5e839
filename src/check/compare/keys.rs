//! What the counterpart of an event is looked up by.

use super::meaning::{Encoding, Leaf, Meaning};
use twox_hash::XxHash3_128;

/// What an event can be found by, as digests; 0 for what it does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Keys {
    /// `metadata.product_log_id`.
    pub log_id: u64,
    /// Everything, with lists as sets.
    pub unordered: u64,
    /// Everything but the times.
    pub timeless: u64,
    /// `metadata.event_timestamp`.
    pub time: u64,
    /// The event's type, log type, product and vendor.
    pub alike: u64,
    /// The time itself, in nanoseconds since year 1; for the order.
    pub instant: u128,
}

impl Keys {
    /// The keys of an event.
    pub fn of(event: &Meaning) -> Keys {
        let log_id = match event.at(&["metadata", "product_log_id"]) {
            Some(Leaf::Text(id)) => XxHash3_128::oneshot(id.as_bytes()) as u64,
            _ => 0,
        };
        let instant = match event.at(&["metadata", "event_timestamp"]) {
            Some(Leaf::Time(seconds, nanos)) => {
                // Times begin with year 1.
                (i128::from(*seconds) + 62_135_596_800).unsigned_abs() * 1_000_000_000
                    + u128::from(*nanos)
                    + 1
            }
            _ => 0,
        };
        let mut bytes = Vec::with_capacity(1024);
        let mut digest = |encoding| event.digest_of(encoding, &mut bytes) as u64;
        Keys {
            log_id,
            unordered: digest(Encoding { unordered: true, timeless: false }),
            timeless: digest(Encoding { timeless: true, unordered: false }),
            alike: kind(event),
            time: if instant == 0 { 0 } else { XxHash3_128::oneshot(&instant.to_le_bytes()) as u64 },
            instant,
        }
    }
}

/// A digest of what kind of event it is.
fn kind(event: &Meaning) -> u64 {
    let mut parts = Vec::with_capacity(128);
    for name in ["event_type", "log_type", "product_name", "vendor_name"] {
        match event.at(&["metadata", name]) {
            Some(leaf) => Encoding::default().leaf(leaf, &mut parts),
            None => parts.push(b'-'),
        }
    }
    XxHash3_128::oneshot(&parts) as u64
}

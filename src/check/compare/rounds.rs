//! Which of two sets' events belong together, when they are not the same: by what they share.

use super::Meaning;
use super::differences::count;
use super::meaning::{Encoding, Leaf};
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
        Keys {
            log_id,
            unordered: event.digest_of(Encoding { unordered: true, timeless: false }) as u64,
            timeless: event.digest_of(Encoding { timeless: true, unordered: false }) as u64,
            alike: kind(event),
            time: if instant == 0 { 0 } else { XxHash3_128::oneshot(&instant.to_le_bytes()) as u64 },
            instant,
        }
    }
}

/// The rounds in which events are matched: those that share the round's key are of one group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Round {
    /// The same log ID, which nobody else has.
    OnlyLogId,
    /// The same, but for the order of lists.
    Unordered,
    /// The same, but for times; the nearest times first.
    Timeless,
    /// The same time; the most alike first.
    Time,
    /// The same log ID; the most alike first.
    LogId,
    /// The same type, log type, product and vendor, where there are few: those that agree in more than half of
    /// their values, the most alike first.
    Alike,
}

/// How many of each side are compared with each other; in larger groups they are taken in order.
pub(super) const MOST_ALIKE: usize = 64;

impl Round {
    /// The rounds, in their order.
    pub const ALL: [Round; 6] =
        [Round::OnlyLogId, Round::Unordered, Round::Timeless, Round::Time, Round::LogId, Round::Alike];

    /// The key by which events are grouped; nothing, if the event takes no part.
    pub fn key(self, keys: &Keys) -> Option<u64> {
        let key = match self {
            Round::OnlyLogId | Round::LogId => keys.log_id,
            Round::Unordered => keys.unordered,
            Round::Timeless => keys.timeless,
            Round::Time => keys.time,
            Round::Alike => keys.alike,
        };
        (key != 0).then_some(key)
    }

    /// Matches a group: places of the first side's events with places of the second's. Both are in
    /// the order of their times. `event` gives an event of a side. Only a `small` group is held in memory, to compare each
    /// with each; the events of others are taken in order.
    ///
    /// # Errors
    /// Those of `event`.
    pub fn pair<E>(
        self,
        a: usize,
        b: usize,
        small: bool,
        event: &mut dyn FnMut(Side, usize) -> Result<Meaning, E>,
    ) -> Result<Vec<(usize, usize)>, E> {
        let in_order = || (0..a.min(b)).map(|place| (place, place)).collect();
        let small = small && a <= MOST_ALIKE && b <= MOST_ALIKE;
        match self {
            _ if a == 0 || b == 0 => Ok(Vec::new()),
            Round::OnlyLogId if a > 1 || b > 1 => Ok(Vec::new()),
            Round::OnlyLogId | Round::Unordered | Round::Timeless => Ok(in_order()),
            Round::Alike if !small => Ok(Vec::new()),
            Round::Time | Round::LogId if (a == 1 && b == 1) || !small => Ok(in_order()),
            Round::Time | Round::LogId | Round::Alike => {
                let of_a: Vec<Meaning> =
                    (0..a).map(|place| event(Side::A, place)).collect::<Result<_, E>>()?;
                let of_b: Vec<Meaning> =
                    (0..b).map(|place| event(Side::B, place)).collect::<Result<_, E>>()?;
                Ok(most_alike(&of_a, &of_b, self == Round::Alike))
            }
        }
    }
}

/// A digest of what kind of event it is.
fn kind(event: &Meaning) -> u64 {
    let parts = ["event_type", "log_type", "product_name", "vendor_name"];
    let parts = parts.map(|name| format!("{:?}\n", event.at(&["metadata", name])));
    XxHash3_128::oneshot(parts.concat().as_bytes()) as u64
}

/// One of two sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// The first.
    A,
    /// The second.
    B,
}

/// Pairs with the fewest differences first; with `mostly`, only those that agree in more than half of
/// their values.
fn most_alike(a: &[Meaning], b: &[Meaning], mostly: bool) -> Vec<(usize, usize)> {
    let mut all: Vec<(usize, usize, usize)> = Vec::new();
    for (place_a, event_a) in a.iter().enumerate() {
        for (place_b, event_b) in b.iter().enumerate() {
            let differences = count(event_a, event_b);
            if !mostly || differences * 2 < event_a.size().min(event_b.size()) {
                all.push((differences, place_a, place_b));
            }
        }
    }
    all.sort_unstable();
    let (mut used_a, mut used_b) = (vec![false; a.len()], vec![false; b.len()]);
    let mut pairs = Vec::new();
    for (_, place_a, place_b) in all {
        if !used_a[place_a] && !used_b[place_b] {
            (used_a[place_a], used_b[place_b]) = (true, true);
            pairs.push((place_a, place_b));
        }
    }
    pairs
}

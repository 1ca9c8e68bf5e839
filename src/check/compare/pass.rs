//! The passes in which events that are not the same find their counterparts: by what they share.

use super::differences::count;
use super::keys::Keys;
use super::meaning::Meaning;

/// The passes in which events are matched: those that share the pass's key are of one group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pass {
    /// The same log ID, which no other event has.
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
const MOST_ALIKE: usize = 64;

impl Pass {
    /// The passes, in their order.
    pub const ALL: [Pass; 6] =
        [Pass::OnlyLogId, Pass::Unordered, Pass::Timeless, Pass::Time, Pass::LogId, Pass::Alike];

    /// The key by which events are grouped; nothing, if the event takes no part.
    pub fn key(self, keys: &Keys) -> Option<u64> {
        let key = match self {
            Pass::OnlyLogId | Pass::LogId => keys.log_id,
            Pass::Unordered => keys.unordered,
            Pass::Timeless => keys.timeless,
            Pass::Time => keys.time,
            Pass::Alike => keys.alike,
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
            Pass::OnlyLogId if a > 1 || b > 1 => Ok(Vec::new()),
            Pass::OnlyLogId | Pass::Unordered | Pass::Timeless => Ok(in_order()),
            Pass::Alike if !small => Ok(Vec::new()),
            Pass::Time | Pass::LogId if (a == 1 && b == 1) || !small => Ok(in_order()),
            Pass::Time | Pass::LogId | Pass::Alike => {
                let of_a: Vec<Meaning> =
                    (0..a).map(|place| event(Side::A, place)).collect::<Result<_, E>>()?;
                let of_b: Vec<Meaning> =
                    (0..b).map(|place| event(Side::B, place)).collect::<Result<_, E>>()?;
                Ok(most_alike(&of_a, &of_b, self == Pass::Alike))
            }
        }
    }
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

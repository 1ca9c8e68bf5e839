//! Two small sets of events, matched in memory.

use super::rounds::{Keys, MOST_ALIKE, Round, Side};
use super::{Difference, Meaning, differences};
use std::collections::BTreeMap;
use std::convert::Infallible;

/// How many values the events of a group may have to be compared each with each.
const MOST_VALUES: usize = 100_000;

/// What became of events that are not in both sets alike.
#[derive(Debug, Clone, PartialEq)]
pub enum Matched {
    /// These two belong together, and differ.
    Pair {
        /// The place in the first set.
        a: usize,
        /// The place in the second set.
        b: usize,
        /// Where they differ; never empty.
        differences: Vec<Difference>,
    },
    /// The second (or a later) copy of an event of which the other set has fewer.
    Copy {
        /// The set that has more.
        side: Side,
        /// The copy's place there.
        place: usize,
        /// How many are in the first set.
        in_a: usize,
        /// How many are in the second set.
        in_b: usize,
    },
    /// It is in one set only, and nothing there is in the other belongs to it.
    Only {
        /// The set.
        side: Side,
        /// Its place there.
        place: usize,
    },
}

/// Matches two sets by content; nothing, if they are the same, in whatever order.
pub fn match_up(a: &[Meaning], b: &[Meaning]) -> Vec<Matched> {
    let mut alike: BTreeMap<u128, [Vec<usize>; 2]> = BTreeMap::new();
    for (side, events) in [a, b].into_iter().enumerate() {
        for (place, event) in events.iter().enumerate() {
            alike.entry(event.digest()).or_default()[side].push(place);
        }
    }
    let mut left = [Vec::new(), Vec::new()];
    let mut found = Vec::new();
    for [in_a, in_b] in alike.into_values() {
        let both = in_a.len().min(in_b.len());
        for (side, places) in [(Side::A, &in_a), (Side::B, &in_b)] {
            for place in &places[both..] {
                if both > 0 {
                    found.push(Matched::Copy { side, place: *place, in_a: in_a.len(), in_b: in_b.len() });
                } else {
                    left[side as usize].push(*place);
                }
            }
        }
    }
    let keys = [a, b].map(|events| events.iter().map(Keys::of).collect::<Vec<_>>());
    let mut paired = [vec![false; a.len()], vec![false; b.len()]];
    for round in Round::ALL {
        let mut groups: BTreeMap<u64, [Vec<usize>; 2]> = BTreeMap::new();
        for side in [0, 1] {
            for place in &left[side] {
                if let Some(key) = round.key(&keys[side][*place]) {
                    groups.entry(key).or_default()[side].push(*place);
                }
            }
        }
        for mut group in groups.into_values() {
            for side in [0, 1] {
                group[side].sort_by_key(|place| keys[side][*place].instant);
            }
            let mut event = |side: Side, place: usize| {
                let set = if side == Side::A { a } else { b };
                Ok::<_, Infallible>(set[group[side as usize][place]].clone())
            };
            let small = {
                let of = |side: usize, set: &[Meaning]| -> usize {
                    group[side].iter().take(MOST_ALIKE + 1).map(|place| set[*place].size()).sum()
                };
                of(0, a) + of(1, b) <= MOST_VALUES
            };
            let Ok(pairs) = round.pair(group[0].len(), group[1].len(), small, &mut event);
            for (place_a, place_b) in pairs {
                let (place_a, place_b) = (group[0][place_a], group[1][place_b]);
                (paired[0][place_a], paired[1][place_b]) = (true, true);
                let differences = differences(&a[place_a], &b[place_b]);
                found.push(Matched::Pair { a: place_a, b: place_b, differences });
            }
        }
        for side in [0, 1] {
            left[side].retain(|place| !paired[side][*place]);
        }
    }
    for (side, places) in [(Side::A, &left[0]), (Side::B, &left[1])] {
        found.extend(places.iter().map(|place| Matched::Only { side, place: *place }));
    }
    found.sort_by_key(|matched| match matched {
        Matched::Pair { a, .. } => (*a, 0),
        Matched::Copy { place, side, .. } | Matched::Only { place, side } => (*place, 1 + *side as usize),
    });
    found
}

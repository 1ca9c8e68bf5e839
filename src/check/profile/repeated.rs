//! Names of records that come more than once, in bounded memory.

use crate::sync::lock;
use foldhash::fast::FixedState;
use std::collections::{HashMap, HashSet};
use std::hash::BuildHasher as _;
use std::sync::Mutex;

/// How many names are remembered in all.
const MOST: usize = 1 << 20;
const SHARDS: usize = 64;
/// How many of the repeated ones are kept with their text.
const MOST_TEXTS: usize = 10_000;
const LONGEST_TEXT: usize = 200;

/// The names of a table's records, seen by all threads. Names are known by 64 bits of their hash. Beyond a million of
/// them only every second one is looked at, then every fourth, and so on: what is said is then a lower bound, and the
/// same for any number of threads.
#[derive(Debug)]
pub(super) struct Repeated {
    shards: [Mutex<Shard>; SHARDS],
}

#[derive(Debug, Default)]
struct Shard {
    seen: HashSet<u64, FixedState>,
    /// How often those came that came more than once, and the texts of some.
    repeated: HashMap<u64, (u64, Option<Box<str>>), FixedState>,
    /// Only names are looked at whose hash has this many zeros above those that choose the shard.
    level: u32,
}

/// What is known in the end.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Found {
    /// How many names came more than once, and how many records have them in all.
    pub(super) names: u64,
    pub(super) records: u64,
    /// The most frequent ones.
    pub(super) examples: Vec<(String, u64)>,
    /// Whether some names were not looked at.
    pub(super) is_lower_bound: bool,
}

impl Default for Repeated {
    fn default() -> Repeated {
        Repeated { shards: std::array::from_fn(|_| Mutex::default()) }
    }
}

fn is_passed(hash: u64, level: u32) -> bool {
    (hash >> 6).trailing_zeros() < level
}

impl Repeated {
    pub(super) fn see(&self, name: &str) {
        let hash = FixedState::default().hash_one(name);
        let mut shard = lock(&self.shards[(hash % SHARDS as u64) as usize]);
        if !is_passed(hash, shard.level) {
            shard.see(hash, name);
        }
    }

    pub(super) fn found(&self, most: usize) -> Found {
        let mut found = Found { names: 0, records: 0, examples: Vec::new(), is_lower_bound: false };
        for shard in &self.shards {
            let shard = lock(shard);
            found.is_lower_bound |= shard.level > 0;
            for (n, text) in shard.repeated.values() {
                found.names += 1;
                found.records += n;
                found.examples.extend(text.as_ref().map(|text| (text.to_string(), *n)));
            }
        }
        found.examples.sort_unstable_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        found.examples.truncate(most);
        found
    }
}

impl Shard {
    fn see(&mut self, hash: u64, name: &str) {
        if !self.seen.insert(hash) {
            let has_room = self.repeated.len() < MOST_TEXTS / SHARDS;
            let text = || has_room.then(|| crate::text::cut(name, LONGEST_TEXT).into());
            self.repeated.entry(hash).or_insert_with(|| (1, text())).0 += 1;
            return;
        }
        while self.seen.len() > MOST / SHARDS {
            self.level += 1;
            let level = self.level;
            self.seen.retain(|hash| !is_passed(*hash, level));
            self.repeated.retain(|hash, _| !is_passed(*hash, level));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_twice_is_found_on_any_thread() {
        let all = Repeated::default();
        std::thread::scope(|scope| {
            for start in [0, 1_000, 500] {
                let all = &all;
                scope.spawn(move || (start..start + 1_000).for_each(|n: u32| all.see(&n.to_string())));
            }
        });
        let found = all.found(2);
        assert_eq!((found.names, found.records, found.is_lower_bound), (1_000, 2_000, false));
        assert_eq!(found.examples, [("1000".to_owned(), 2), ("1001".to_owned(), 2)]);
    }

    /// Beyond the bound it is a lower bound, the same in any order, in bounded memory.
    #[test]
    fn beyond_the_bound_it_is_less_and_says_so() {
        let found = |numbers: &mut dyn Iterator<Item = u32>| {
            let all = Repeated::default();
            numbers.for_each(|n| all.see(&(n / 2).to_string()));
            let seen: usize = all.shards.iter().map(|shard| lock(shard).seen.len()).sum();
            assert!(seen <= MOST, "{seen}");
            all.found(0)
        };
        const NAMES: u32 = 1_500_000;
        let forth = found(&mut (0..2 * NAMES));
        assert_eq!(forth, found(&mut (0..2 * NAMES).rev()));
        assert!(forth.is_lower_bound && forth.records == 2 * forth.names);
        assert!((NAMES as u64 / 4..NAMES as u64).contains(&forth.names), "{}", forth.names);
    }
}

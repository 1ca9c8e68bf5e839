//! Findings counted by kind: the same code at the same UDM path.

use crate::check::room::Room;
use crate::check::validate::Severity;
use std::collections::BTreeMap;

/// How many kinds are counted one by one; unknown names could be without end.
const MOST: usize = 10_000;
/// How many bytes their paths may have in all.
const MOST_PATH_BYTES: usize = 4 << 20;

/// What findings of one kind have in common.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct GroupKey {
    pub(crate) severity: Severity,
    pub(crate) code: &'static str,
    /// The UDM path with `[]` for every index.
    pub(crate) path: String,
}

/// Findings of one kind.
#[derive(Debug)]
pub(crate) struct Group<S> {
    pub(crate) count: u64,
    /// The first of them.
    pub(crate) samples: Vec<S>,
}

/// Findings by kind, with some samples of each.
#[derive(Debug)]
pub(crate) struct Groups<S> {
    groups: BTreeMap<GroupKey, Group<S>>,
    path_bytes: usize,
    samples: usize,
    room: Room,
}

impl<S> Groups<S> {
    /// No groups yet; of each this many samples are kept, as long as there is room for their text.
    pub(crate) fn new(samples: usize, room: Room) -> Groups<S> {
        Groups { groups: BTreeMap::new(), path_bytes: 0, samples, room }
    }

    /// Adds `count` findings of one kind, and a sample with this many bytes of text, if one more is needed.
    pub(crate) fn add(&mut self, key: GroupKey, count: u64, sample: Option<(usize, S)>) {
        let key = if self.groups.contains_key(&key) {
            key
        } else if self.groups.len() < MOST && self.path_bytes < MOST_PATH_BYTES {
            self.path_bytes += key.path.len();
            key
        } else {
            GroupKey { path: "(other fields)".to_owned(), ..key }
        };
        let group = self.groups.entry(key).or_insert(Group { count: 0, samples: Vec::new() });
        group.count += count;
        if let Some((bytes, sample)) = sample
            && group.samples.len() < self.samples
            && self.room.take(bytes)
        {
            group.samples.push(sample);
        }
    }

    /// Whether one more sample of this kind would be kept.
    pub(crate) fn takes(&self, key: &GroupKey) -> bool {
        self.groups.get(key).is_none_or(|group| group.samples.len() < self.samples)
    }

    /// All groups: the worst first, then the most frequent.
    pub(crate) fn sorted(&self) -> Vec<(&GroupKey, &Group<S>)> {
        let mut all: Vec<_> = self.groups.iter().collect();
        all.sort_by_key(|(key, group)| std::cmp::Reverse((key.severity, group.count)));
        all
    }
}

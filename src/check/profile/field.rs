//! What is known of one raw field, in bounded memory.

use super::types::Field;
use crate::json::Kind;
use cardinality_estimator::CardinalityEstimator;
use foldhash::fast::FixedState;
use std::collections::{BTreeMap, HashMap};
use std::hash::BuildHasher as _;

/// How many different values of a field are counted one by one.
const MOST_VALUES: usize = 500;
/// Longer values are not kept.
const LONGEST: usize = 200;
/// How many values are shown.
const SHOWN: usize = 20;

/// How many bytes the values of all fields may take that are counted one by one.
const MOST_BYTES: usize = 32 << 20;

/// What is left of them.
#[derive(Debug)]
pub(super) struct ValueRoom(usize);

impl Default for ValueRoom {
    fn default() -> ValueRoom {
        ValueRoom(MOST_BYTES)
    }
}

impl ValueRoom {
    fn take(&mut self, value: &str) -> bool {
        self.0.checked_sub(taken(value)).map(|left| self.0 = left).is_some()
    }
}

/// The bytes of a value with its place among others.
fn taken(value: &str) -> usize {
    value.len() + 40
}

/// Counts of one field.
#[derive(Debug, Default)]
pub(crate) struct FieldStat {
    present: u64,
    empty: u64,
    kinds: [u64; 6],
    distinct: CardinalityEstimator<u64>,
    shortest: Option<usize>,
    longest: usize,
    /// Nothing more, once there were too many.
    values: Option<HashMap<Box<str>, u64, FixedState>>,
    many: bool,
}

const KINDS: [(Kind, &str); 6] = [
    (Kind::Text, "text"),
    (Kind::Number, "number"),
    (Kind::Bool, "boolean"),
    (Kind::Null, "null"),
    (Kind::Object, "object"),
    (Kind::Array, "list"),
];

impl FieldStat {
    /// Counts a value.
    pub(super) fn add(&mut self, value: &str, kind: Kind, all: &mut ValueRoom) {
        self.present += 1;
        self.kinds[KINDS.iter().position(|(k, _)| *k == kind).unwrap_or(0)] += 1;
        if kind == Kind::Null || value.is_empty() {
            self.empty += 1;
            return;
        }
        self.shortest = Some(self.shortest.map_or(value.len(), |least| least.min(value.len())));
        self.longest = self.longest.max(value.len());
        if !self.many {
            let values = self.values.get_or_insert_default();
            // One that was counted before does not change the estimate.
            if let Some(n) = values.get_mut(value) {
                *n += 1;
                return;
            }
            if values.len() < MOST_VALUES && value.len() <= LONGEST && all.take(value) {
                values.insert(value.into(), 1);
            } else {
                self.forget(all);
            }
        }
        self.distinct.insert_hash(FixedState::default().hash_one(value));
    }

    fn forget(&mut self, all: &mut ValueRoom) {
        self.many = true;
        all.0 += self.values.take().iter().flatten().map(|(value, _)| taken(value)).sum::<usize>();
    }

    /// Adds the counts of another part of the log. The order of the parts does not matter.
    pub(super) fn merge(&mut self, other: FieldStat, all: &mut ValueRoom) {
        self.present += other.present;
        self.empty += other.empty;
        self.kinds.iter_mut().zip(other.kinds).for_each(|(mine, theirs)| *mine += theirs);
        self.distinct.merge(&other.distinct);
        self.shortest = [self.shortest, other.shortest].into_iter().flatten().min();
        self.longest = self.longest.max(other.longest);
        let values = self.values.get_or_insert_default();
        let mut fits = true;
        for (value, n) in other.values.unwrap_or_default() {
            match values.get_mut(&value) {
                Some(mine) => *mine += n,
                None if all.take(&value) => drop(values.insert(value, n)),
                None => fits = false,
            }
        }
        if self.many || other.many || !fits || values.len() > MOST_VALUES {
            self.forget(all);
        }
    }

    /// Every value with its count, if there were few enough.
    pub(crate) fn values(&self) -> impl Iterator<Item = (&str, u64)> {
        self.values.iter().flatten().map(|(value, n)| (&**value, *n))
    }

    pub(crate) fn field(&self, name: String, read: bool, with_values: bool) -> Field {
        let types: BTreeMap<&'static str, u64> =
            KINDS.iter().zip(self.kinds).filter(|(_, n)| *n > 0).map(|((_, name), n)| (*name, n)).collect();
        let mut values: Vec<(String, u64)> = self.values().map(|(value, n)| (value.to_owned(), n)).collect();
        values.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        // Values that are all different tell nothing.
        if values.len() > SHOWN && values.first().is_some_and(|(_, n)| *n < 2) || !with_values {
            values.clear();
        }
        values.truncate(SHOWN);
        let distinct = self.values.as_ref().map_or(self.distinct.estimate(), |values| values.len());
        Field {
            name,
            read,
            present: self.present,
            empty: self.empty,
            types,
            distinct: distinct as u64,
            shortest: self.shortest.unwrap_or(0) as u64,
            longest: self.longest as u64,
            values,
        }
    }

    pub(crate) fn present(&self) -> u64 {
        self.present
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_in_any_order_give_the_same() {
        let stat = |range: std::ops::Range<u32>| {
            let mut stat = FieldStat::default();
            range.for_each(|n| stat.add(&(n % 40).to_string(), Kind::Number, &mut ValueRoom::default()));
            stat
        };
        let shown = |stat: FieldStat| format!("{:?}", stat.field("f".into(), true, true));
        let whole = shown(stat(0..1000));
        for cut in [1, 39, 500, 999] {
            let (mut a, b) = (stat(0..cut), stat(cut..1000));
            a.merge(b, &mut ValueRoom::default());
            assert_eq!(shown(a), whole);
            let (a, mut b) = (stat(0..cut), stat(cut..1000));
            b.merge(a, &mut ValueRoom::default());
            assert_eq!(shown(b), whole);
        }
    }

    #[test]
    fn many_values_are_estimated_in_small_memory() {
        let mut stat = FieldStat::default();
        let mut room = ValueRoom::default();
        (0..200_000).for_each(|n: u32| stat.add(&n.to_string(), Kind::Text, &mut room));
        assert_eq!(room.0, MOST_BYTES);
        let field = stat.field("f".into(), true, true);
        assert!((190_000..210_000).contains(&field.distinct), "{}", field.distinct);
        assert!(field.values.is_empty() && field.longest == 6 && field.shortest == 1);
    }
}

//! The values with the highest sums, in bounded memory.

use super::amount::Amount;
use foldhash::fast::FixedState;
use std::collections::HashMap;
use std::hash::BuildHasher as _;

/// How many values are kept when there are more than twice as many.
const KEPT: usize = 10_000;
/// Longer values are not counted one by one.
const LONGEST: usize = 200;

/// Sums by value. Up to 20,000 values they are exact. Beyond that those with the lowest sums are given up (Misra and
/// Gries): what is left is at least what is said, and no value is missing with more than [`Highest::missing`].
#[derive(Debug, Default)]
pub(super) struct Highest {
    /// By 64 bits of the value's hash.
    values: HashMap<u64, Entry, FixedState>,
    /// The values, one behind the other.
    texts: String,
    missing: Amount,
    /// Records whose value is too long.
    too_long: u64,
}

#[derive(Debug, Clone, Copy, Default)]
struct Entry {
    sum: Amount,
    /// The sum without what others gave up.
    weight: Amount,
    records: u64,
    /// Where its value is among the texts.
    text: (u32, u32),
}

impl Highest {
    pub(super) fn add(&mut self, value: &str, amount: Amount) {
        if value.len() > LONGEST {
            self.too_long += 1;
            return;
        }
        let one = Entry { sum: amount, weight: amount, records: 1, text: (0, 0) };
        self.add_entry(FixedState::default().hash_one(value), value, one);
    }

    fn add_entry(&mut self, hash: u64, value: &str, entry: Entry) {
        if let Some(mine) = self.values.get_mut(&hash) {
            mine.sum += entry.sum;
            mine.records += entry.records;
            mine.weight += entry.weight;
            return;
        }
        if self.values.len() == 2 * KEPT {
            self.prune();
        }
        // There are at most 20,000 values of 200 bytes.
        let start = self.texts.len() as u32;
        self.texts.push_str(value);
        self.values.insert(hash, Entry { text: (start, self.texts.len() as u32), ..entry });
    }

    fn text(&self, entry: &Entry) -> &str {
        &self.texts[entry.text.0 as usize..entry.text.1 as usize]
    }

    fn prune(&mut self) {
        let mut weights: Vec<Amount> = self.values.values().map(|entry| entry.weight).collect();
        let (_, highest_lost, _) = weights.select_nth_unstable_by(KEPT, |a, b| b.cmp(a));
        let lost = *highest_lost;
        self.missing += lost;
        let (before, mut texts) = (std::mem::take(&mut self.texts), String::new());
        self.values.retain(|_, entry| {
            entry.weight = entry.weight.without(lost);
            if !entry.weight.is_positive() {
                return false;
            }
            let start = texts.len() as u32;
            texts.push_str(&before[entry.text.0 as usize..entry.text.1 as usize]);
            entry.text = (start, texts.len() as u32);
            true
        });
        self.texts = texts;
    }

    pub(super) fn merge(&mut self, other: Highest) {
        self.missing += other.missing;
        self.too_long += other.too_long;
        for (hash, entry) in &other.values {
            self.add_entry(*hash, other.text(entry), *entry);
        }
    }

    /// The values with the highest sums, with these and their records; of equals by value.
    pub(super) fn top(&self, most: usize) -> Vec<(&str, Amount, u64)> {
        let mut all: Vec<_> =
            self.values.values().map(|entry| (self.text(entry), entry.sum, entry.records)).collect();
        let order =
            |a: &(&str, Amount, u64), b: &(&str, Amount, u64)| b.1.cmp(&a.1).then_with(|| a.0.cmp(b.0));
        if most < all.len() {
            all.select_nth_unstable_by(most, order);
            all.truncate(most);
        }
        all.sort_unstable_by(order);
        all
    }

    /// How many values are kept.
    pub(super) fn len(&self) -> usize {
        self.values.len()
    }

    /// Values that are not kept have at most this sum, and the others at most this more than is said. Nothing, if all
    /// are exact.
    pub(super) fn missing(&self) -> Amount {
        self.missing
    }

    /// How many records have a value that is too long to be counted.
    pub(super) fn too_long(&self) -> u64 {
        self.too_long
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one() -> Amount {
        Amount::read("1").unwrap()
    }

    #[test]
    fn parts_in_any_order_give_the_same() {
        let part = |range: std::ops::Range<u32>| {
            let mut part = Highest::default();
            range.for_each(|n| part.add(&(n % 700).to_string(), one()));
            part
        };
        let whole = part(0..10_000);
        for cut in [1, 700, 9_999] {
            let (mut a, b) = (part(0..cut), part(cut..10_000));
            a.merge(b);
            assert_eq!(a.top(usize::MAX), whole.top(usize::MAX));
        }
        assert_eq!((whole.missing(), whole.top(1)[0]), (Amount::default(), ("0", part(0..15).sum(), 15)));
    }

    impl Highest {
        fn sum(&self) -> Amount {
            self.values.values().map(|entry| entry.sum).sum()
        }
    }

    /// However many values there are, those that matter are found, and memory is bounded.
    #[test]
    fn the_highest_are_found_among_many() {
        let mut all = Highest::default();
        for n in 0..500_000_u32 {
            all.add(&format!("once {n}"), one());
            if n % 100 == 0 {
                all.add("often", one());
            }
        }
        all.add(&"x".repeat(LONGEST + 1), one());
        assert!(all.len() <= 2 * KEPT);
        let (value, sum, records) = all.top(1)[0];
        let missing = all.missing();
        assert_eq!(value, "often");
        // 505,000 in all, of which at most each 10,000th part is missing.
        assert!(missing > Amount::default() && missing <= Amount::read("50.5").unwrap(), "{missing}");
        let least = Amount::read("5000").unwrap().without(missing);
        assert!(sum >= least && records <= 5_000, "{sum} {records}");
        assert_eq!(all.too_long(), 1);
    }
}

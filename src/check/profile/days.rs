//! Counts by day, in bounded memory.

use super::amount::Amount;
use chrono::Datelike as _;
use foldhash::fast::FixedState;
use std::collections::HashMap;

/// How many days are counted one by one; a log that spans more is counted by months, of which at most 120,000 fit the
/// years.
const MOST_DAYS: usize = 20_000;
pub(super) const SECONDS_A_DAY: i64 = 86_400;

/// What is counted by day, by its place among those of its sort.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Counted {
    Shape(u16),
    EventType(u16),
    Reject(u16),
}

/// The counts of a day.
#[derive(Debug, Default)]
pub(super) struct Day {
    /// There are few of them, so looking through all is fastest.
    counts: Vec<(Counted, u64)>,
    /// Sums by table.
    sums: Vec<(u16, Amount)>,
}

impl Day {
    pub(super) fn add(&mut self, counted: Counted, n: u64) {
        match self.counts.iter_mut().find(|(known, _)| *known == counted) {
            Some((_, sum)) => *sum += n,
            None => self.counts.push((counted, n)),
        }
    }

    pub(super) fn add_sum(&mut self, table: u16, amount: Amount) {
        match self.sums.iter_mut().find(|(known, _)| *known == table) {
            Some((_, sum)) => *sum += amount,
            None => self.sums.push((table, amount)),
        }
    }

    pub(super) fn count(&self, counted: Counted) -> u64 {
        self.counts.iter().find(|(known, _)| *known == counted).map_or(0, |(_, n)| *n)
    }

    pub(super) fn sum(&self, table: u16) -> Amount {
        self.sums.iter().find(|(known, _)| *known == table).map_or(Amount::default(), |(_, sum)| *sum)
    }

    /// How many records there are: each has one shape.
    pub(super) fn records(&self) -> u64 {
        self.counts.iter().filter(|(counted, _)| matches!(counted, Counted::Shape(_))).map(|(_, n)| n).sum()
    }

    fn merge(&mut self, other: Day, renamed: &dyn Fn(Counted) -> Counted) {
        other.counts.into_iter().for_each(|(counted, n)| self.add(renamed(counted), n));
        other.sums.into_iter().for_each(|(table, sum)| self.add_sum(table, sum));
    }
}

/// Counts by day.
#[derive(Debug, Default)]
pub(super) struct Days {
    days: Vec<(i64, Day)>,
    places: HashMap<i64, usize, FixedState>,
    /// The place of the day that was asked for last: records of a day come together.
    last: usize,
    /// Whether these are the first days of months.
    by_month: bool,
}

impl Days {
    /// The day of this number, from 1970.
    pub(super) fn of(&mut self, day: i64) -> &mut Day {
        let day = if self.by_month { month(day) } else { day };
        if self.days.get(self.last).is_none_or(|(last, _)| *last != day) {
            self.find(day);
        }
        &mut self.days[self.last].1
    }

    fn find(&mut self, day: i64) {
        if !self.places.contains_key(&day) && self.days.len() >= MOST_DAYS && !self.by_month {
            self.coarsen();
            return self.find(month(day));
        }
        let next = self.days.len();
        self.last = *self.places.entry(day).or_insert(next);
        if self.last == next {
            self.days.push((day, Day::default()));
        }
    }

    /// Counts by months from now on.
    fn coarsen(&mut self) {
        let days = std::mem::take(self).days;
        self.by_month = true;
        for (number, day) in days {
            self.of(number).merge(day, &|counted| counted);
        }
    }

    /// Adds those of another part of the log, whose places are to be renamed.
    pub(super) fn merge(&mut self, other: Days, renamed: &dyn Fn(Counted) -> Counted) {
        if other.by_month && !self.by_month {
            self.coarsen();
        }
        for (number, day) in other.days {
            self.of(number).merge(day, renamed);
        }
    }

    /// Whether the days are the first ones of months.
    pub(super) fn by_month(&self) -> bool {
        self.by_month
    }

    /// All of them, in order.
    pub(super) fn sorted(&self) -> Vec<(i64, &Day)> {
        let mut days: Vec<(i64, &Day)> = self.days.iter().map(|(number, day)| (*number, day)).collect();
        days.sort_unstable_by_key(|(number, _)| *number);
        days
    }
}

/// The first day of a day's month.
fn month(day: i64) -> i64 {
    date(day).map_or(day, |date| day - i64::from(date.day0()))
}

/// The date of a day, counted from 1970.
pub(super) fn date(day: i64) -> Option<chrono::NaiveDate> {
    chrono::DateTime::from_timestamp(day * SECONDS_A_DAY, 0).map(|time| time.date_naive())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(days: &Days) -> Vec<(i64, u64)> {
        days.sorted().iter().map(|(number, day)| (*number, day.count(Counted::Shape(0)))).collect()
    }

    /// Whether days or months are counted does not depend on how the log was divided.
    #[test]
    fn parts_in_any_order_give_the_same() {
        let part = |range: std::ops::Range<i64>| {
            let mut days = Days::default();
            range.for_each(|day| days.of(day).add(Counted::Shape(0), 1));
            days
        };
        let most = MOST_DAYS as i64;
        // Of the last one, a part alone is counted by months, too.
        for (end, by_month) in [(1_000, false), (most, false), (most + 1, true), (2 * most + 9, true)] {
            let whole = part(0..end);
            assert_eq!(whole.by_month(), by_month, "{end}");
            for cut in [1, end / 2, end - 1] {
                let (mut a, b) = (part(0..cut), part(cut..end));
                a.merge(b, &|counted| counted);
                assert_eq!((shown(&a), a.by_month()), (shown(&whole), by_month), "{end} {cut}");
                let (a, mut b) = (part(0..cut), part(cut..end));
                b.merge(a, &|counted| counted);
                assert_eq!((shown(&b), b.by_month()), (shown(&whole), by_month), "{end} {cut}");
            }
        }
    }
}

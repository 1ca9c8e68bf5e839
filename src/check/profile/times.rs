//! When the records of a log are from, and when their shapes changed.

use super::days::{Counted, Day, Days, date};
use super::types::{Bucket, EmptyDays};
use std::collections::BTreeSet;
use std::ops::AddAssign;

/// How many ranges of days without records are listed.
const MOST_RANGES: usize = 100;

/// The time that a log spans, in days or, if there are more than some two months of days, in months.
#[derive(Debug)]
pub(super) struct Span<'g> {
    pub(super) unit: &'static str,
    days: Vec<(i64, &'g Day)>,
    by_month: bool,
    /// The names of its parts. Empty ones between others are there, too.
    parts: Vec<String>,
    /// For each of the days its part; nothing, if it is before or after.
    places: Vec<Option<usize>>,
}

impl<'g> Span<'g> {
    pub(super) fn of(all: &'g Days) -> Span<'g> {
        const MOST_DAYS: i64 = 70;
        let (days, by_month) = (all.sorted(), all.by_month());
        let Some((first, last)) = middle(&days) else {
            return Span { unit: "day", days, by_month, parts: Vec::new(), places: Vec::new() };
        };
        let by_days = last - first < MOST_DAYS && !by_month;
        let (unit, format) = if by_days { ("day", "%Y-%m-%d") } else { ("month", "%Y-%m") };
        // A gap is as telling as a peak; but a stray time must not make thousands of empty months.
        const MOST_MONTHS: i64 = 1_200;
        let is_inside = |day: &i64| (first..=last).contains(day);
        let mut names: BTreeSet<String> =
            days.iter().filter(|(day, _)| is_inside(day)).map(|(day, _)| name(*day, format)).collect();
        if last - first < MOST_MONTHS * 30 {
            names.extend((first..=last).map(|day| name(day, format)));
        }
        let parts: Vec<String> = names.into_iter().collect();
        let place = |day: &i64| is_inside(day).then(|| parts.binary_search(&name(*day, format)).ok())?;
        let places = days.iter().map(|(day, _)| place(day)).collect();
        Span { unit, days, by_month, parts, places }
    }

    /// The days in the span with their parts and counts.
    fn inside(&self) -> impl Iterator<Item = (i64, usize, &'g Day)> + '_ {
        self.days.iter().zip(&self.places).filter_map(|((number, day), part)| Some((*number, (*part)?, *day)))
    }

    /// Sums over the parts, in order.
    pub(super) fn by_part<T: Copy + Default + AddAssign>(&self, count: &dyn Fn(&Day) -> T) -> Vec<T> {
        let mut sums = vec![T::default(); self.parts.len()];
        self.inside().for_each(|(_, part, day)| sums[part] += count(day));
        sums
    }

    /// The parts, with records by shape: one count for each of `shapes`.
    pub(super) fn buckets(&self, shapes: &[Counted]) -> Vec<Bucket> {
        let by_shape: Vec<Vec<u64>> =
            shapes.iter().map(|shape| self.by_part(&|day| day.count(*shape))).collect();
        let bucket = |(part, name): (usize, &String)| {
            let by_shape: Vec<u64> = by_shape.iter().map(|counts| counts[part]).collect();
            Bucket { from: name.clone(), records: by_shape.iter().sum(), by_shape }
        };
        self.parts.iter().enumerate().map(bucket).collect()
    }

    /// How many records have times before or after.
    pub(super) fn outside(&self) -> u64 {
        let all: u64 = self.days.iter().map(|(_, day)| day.records()).sum();
        all - self.inside().map(|(.., day)| day.records()).sum::<u64>()
    }

    /// The days between others that have no records; nothing, where days are not counted one by one.
    pub(super) fn empty_days(&self) -> Option<EmptyDays> {
        if self.by_month {
            return None;
        }
        let mut empty = EmptyDays::default();
        let shown = |day: i64| name(day, "%Y-%m-%d");
        let with_records: Vec<i64> =
            self.inside().filter(|(.., day)| day.records() > 0).map(|(number, ..)| number).collect();
        for pair in with_records.windows(2) {
            let days = pair[1] - pair[0] - 1;
            if days > 0 {
                empty.days += days as u64;
                empty.ranges.push((shown(pair[0] + 1), shown(pair[1] - 1)));
            }
        }
        empty.more_ranges = empty.ranges.len().saturating_sub(MOST_RANGES) as u64;
        empty.ranges.truncate(MOST_RANGES);
        Some(empty)
    }

    /// The days or months with the highest values.
    pub(super) fn highest<T: Copy + Ord + Default>(
        &self,
        most: usize,
        of: &dyn Fn(&Day) -> T,
    ) -> Vec<(String, T)> {
        let mut all: Vec<(i64, T)> = self.days.iter().map(|(number, day)| (*number, of(day))).collect();
        all.retain(|(_, value)| *value > T::default());
        all.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
        all.truncate(most);
        let format = if self.by_month { "%Y-%m" } else { "%Y-%m-%d" };
        all.into_iter().map(|(day, value)| (name(day, format), value)).collect()
    }
}

fn name(day: i64, format: &str) -> String {
    date(day).map_or(String::new(), |date| date.format(format).to_string())
}

/// The first and the last day without the outermost thousandth of the records at either end: stray
/// times must not hide the others.
fn middle(days: &[(i64, &Day)]) -> Option<(i64, i64)> {
    let most = days.iter().map(|(_, day)| day.records()).sum::<u64>() / 1000;
    let end = |days: &mut dyn Iterator<Item = &(i64, &Day)>| {
        let mut passed = 0;
        for (number, day) in days {
            passed += day.records();
            if passed > most {
                return Some(*number);
            }
        }
        None
    };
    Some((end(&mut days.iter())?, end(&mut days.iter().rev())?))
}

/// When one shape took the place of another as the most frequent.
pub(super) fn changes(times: &[Bucket], shapes: &[&str]) -> Vec<String> {
    const MOST: usize = 20;
    let mut changes = Vec::new();
    let mut before: Option<usize> = None;
    // A few stray records make no change.
    let least = (times.iter().map(|bucket| bucket.records).sum::<u64>() / 1000).max(1);
    for bucket in times.iter().filter(|bucket| bucket.records >= least) {
        let Some(most) =
            (0..shapes.len()).max_by_key(|shape| (bucket.by_shape[*shape], std::cmp::Reverse(*shape)))
        else {
            continue;
        };
        if let Some(before) = before
            && before != most
            && bucket.by_shape[most] > bucket.by_shape[before]
        {
            changes.push(format!(
                "from {} on, most records are {} ({} before)",
                bucket.from, shapes[most], shapes[before]
            ));
        }
        before = Some(most);
    }
    if changes.len() > MOST {
        let more = changes.len() - MOST;
        changes.truncate(MOST);
        changes.push(format!("and {more} more changes"));
    }
    changes
}

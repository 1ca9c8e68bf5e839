//! When the records of a log are from, and when their shapes changed.

use super::gather::{Gathered, day};
use super::types::Bucket;
use std::collections::BTreeMap;

/// Records by day, or, if there are more than some two months of days, by month; empty ones between
/// others too.
pub(super) fn buckets(gathered: &Gathered, shapes: &[&str]) -> (&'static str, Vec<Bucket>, u64) {
    const MOST_DAYS: i64 = 70;
    let Some((first, last)) = middle(gathered) else { return ("day", Vec::new(), 0) };
    let by_days = last - first < MOST_DAYS && !gathered.is_coarse();
    let name = |number: i64| match day(number) {
        Some(date) if by_days => date.format("%Y-%m-%d").to_string(),
        Some(date) => date.format("%Y-%m").to_string(),
        None => String::new(),
    };
    let mut counts: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    // A gap is as telling as a peak; but a stray time must not make thousands of empty months.
    const MOST_MONTHS: i64 = 1_200;
    if last - first < MOST_MONTHS * 30 {
        (first..=last).for_each(|number| {
            counts.entry(name(number)).or_insert_with(|| vec![0; shapes.len()]);
        });
    }
    let mut outside = 0;
    for (number, by_shape) in &gathered.days {
        if !(first..=last).contains(number) {
            outside += by_shape.values().sum::<u64>();
            continue;
        }
        let sums = counts.entry(name(*number)).or_insert_with(|| vec![0; shapes.len()]);
        for (sum, shape) in sums.iter_mut().zip(shapes) {
            *sum += by_shape.get(*shape).copied().unwrap_or(0);
        }
    }
    let bucket =
        |(from, by_shape): (String, Vec<u64>)| Bucket { from, records: by_shape.iter().sum(), by_shape };
    (if by_days { "day" } else { "month" }, counts.into_iter().map(bucket).collect(), outside)
}

/// The first and the last day without the outermost thousandth of the records at either end: stray
/// times must not hide the others.
fn middle(gathered: &Gathered) -> Option<(i64, i64)> {
    let count = |by_shape: &BTreeMap<String, u64>| by_shape.values().sum::<u64>();
    let most = gathered.days.values().map(count).sum::<u64>() / 1000;
    let end = |days: &mut dyn Iterator<Item = (&i64, &BTreeMap<String, u64>)>| {
        let mut passed = 0;
        for (day, by_shape) in days {
            passed += count(by_shape);
            if passed > most {
                return Some(*day);
            }
        }
        None
    };
    Some((end(&mut gathered.days.iter())?, end(&mut gathered.days.iter().rev())?))
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

//! What a profile says of the fields that tables watch.

use super::gather::Gathered;
use super::known::LogReader;
use super::times::Span;
use super::types::{RepeatedNames, Sum, SumOf};
use super::watch::{BY, ID, SUM};

/// How many values, days and names are listed.
const MOST: usize = 20;

/// What was summed up, a row for each table.
pub(super) fn sums(gathered: &Gathered, log: &LogReader<'_>, span: &Span<'_>, with_values: bool) -> Vec<Sum> {
    let sum = |(number, sums): (&u16, &super::watch::Sums)| {
        let table = usize::from(*number);
        let watched = log.watched.get(table)?;
        let most = if with_values { MOST } else { 0 };
        let of = |(value, sum, records): (&str, _, _)| SumOf { value: value.to_owned(), sum, records };
        Some(Sum {
            table: log.tables[table].name().to_owned(),
            field: watched[SUM].clone()?,
            total: sums.total,
            records: sums.records,
            not_numbers: sums.not_numbers,
            by_time: span.by_part(&|day| day.sum(*number)),
            highest_days: span.highest(MOST, &|day| day.sum(*number)),
            by: watched[BY].clone(),
            highest: sums.by.top(most).into_iter().map(of).collect(),
            values: sums.by.len() as u64,
            missing: Some(sums.by.missing()).filter(|missing| missing.is_positive()),
            too_long: sums.by.too_long(),
        })
    };
    gathered.sums.iter().filter_map(sum).collect()
}

/// Names that come more than once, a row for each table that names its records.
pub(super) fn repeated(log: &LogReader<'_>, with_values: bool) -> Vec<RepeatedNames> {
    let row = |(table, watched): (usize, &super::watch::Watched)| {
        let found = log.repeated[table].found(if with_values { MOST } else { 0 });
        Some(RepeatedNames {
            table: log.tables[table].name().to_owned(),
            field: watched[ID].clone()?,
            values: found.names,
            records: found.records,
            is_lower_bound: found.is_lower_bound,
            examples: found.examples,
        })
    };
    log.watched.iter().enumerate().filter_map(row).collect()
}

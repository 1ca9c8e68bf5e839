//! What the table has summed up, and names that come more than once.

use super::shared::{over_time, section};
use crate::check::profile::{Amount, Profile, Sum};
use crate::report::html::{Column, Series, Table, code, escaped};
use crate::report::summary::{amount, counted, grouped};
use crate::text::shown;
use std::fmt::Write as _;

pub(super) fn sums(profile: &Profile, to: &mut String) -> std::fmt::Result {
    for sum in &profile.sums {
        let mut body = String::new();
        let records = counted(sum.records, "record");
        write!(body, "<p>{} in {records}", amount(sum.total))?;
        if sum.not_numbers > 0 {
            write!(body, "; {} have something else than a number", grouped(sum.not_numbers))?;
        }
        body.push_str("</p>\n");
        let values = sum.by_time.iter().map(|sum| sum.as_f64()).collect();
        body += &over_time(profile, &sum.field, &[Series { name: &sum.field, values }]);
        let most = sum.highest_days.first().map_or(Amount::default(), |(_, sum)| *sum);
        if !sum.highest_days.is_empty() {
            let unit = if profile.empty_days.is_none() { "month" } else { "day" };
            writeln!(body, "<h3>The {unit}s with the most</h3>")?;
            let mut table = Table::new(&[
                Column::Text("when (UTC)", 30),
                Column::Text("", 36),
                Column::Number("sum", 24),
            ]);
            for (day, sum) in &sum.highest_days {
                table.row(&[escaped(day), bar(*sum, most), amount(*sum)]);
            }
            body += &table.html();
        }
        if let Some(by) = &sum.by {
            self::by(sum, by, &mut body)?;
        }
        let table =
            if profile.tables.is_empty() { String::new() } else { format!(" ({})", escaped(&sum.table)) };
        section(to, &format!("Sum of {}{table}", code(&sum.field)), &body);
    }
    Ok(())
}

fn by(sum: &Sum, by: &str, body: &mut String) -> std::fmt::Result {
    writeln!(body, "<h3>By {}</h3>", code(by))?;
    let values = grouped(sum.values);
    match sum.missing {
        None => writeln!(body, "<p class=note>{values} different values</p>")?,
        Some(missing) => writeln!(
            body,
            "<p class=note>There are too many values to count them all. Each sum is at least this, and at most {} \
             more; no value with more than that is missing.</p>",
            amount(missing)
        )?,
    }
    if sum.too_long > 0 {
        writeln!(
            body,
            "<p class=note>{} have a value that is too long.</p>",
            counted(sum.too_long, "record")
        )?;
    }
    let Some(most) = sum.highest.first().map(|it| it.sum) else { return Ok(()) };
    let mut table = Table::new(&[
        Column::Text("value", 38),
        Column::Text("", 18),
        Column::Number("sum", 20),
        Column::Number("records", 20),
    ]);
    for it in &sum.highest {
        table.row(&[code(&shown(&it.value)), bar(it.sum, most), amount(it.sum), grouped(it.records)]);
    }
    body.push_str(&table.html());
    Ok(())
}

fn bar(of: Amount, most: Amount) -> String {
    let part = if most.as_f64() > 0.0 { of.as_f64().max(0.0) * 100.0 / most.as_f64() } else { 0.0 };
    format!("<span class=bar style=\"width:{part:.1}%\"></span>")
}

pub(super) fn repeated(profile: &Profile, to: &mut String) -> std::fmt::Result {
    for it in &profile.repeated {
        let least = if it.is_lower_bound { "at least " } else { "" };
        let mut body = match it.values {
            0 if it.is_lower_bound => {
                "<p>None was seen twice, but there are too many to look at all.</p>\n".to_owned()
            }
            0 => "<p>Each comes once.</p>\n".to_owned(),
            n => format!(
                "<p class=bad>{least}{} more than once, in {}</p>\n",
                if n == 1 { "1 value comes".to_owned() } else { format!("{} values come", grouped(n)) },
                counted(it.records, "record")
            ),
        };
        if !it.examples.is_empty() {
            let mut table = Table::new(&[Column::Text("value", 65), Column::Number("records", 25)]);
            for (value, n) in &it.examples {
                table.row(&[code(&shown(value)), grouped(*n)]);
            }
            body += &table.html();
        }
        let table =
            if profile.tables.is_empty() { String::new() } else { format!(" ({})", escaped(&it.table)) };
        section(to, &format!("Repeated {}{table}", code(&it.field)), &body);
    }
    Ok(())
}

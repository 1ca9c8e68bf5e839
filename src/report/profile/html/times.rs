//! When records are from: over time, by weekday and hour, and when there are none.

use super::shared::{counts, over_time, section};
use crate::check::profile::Profile;
use crate::report::html::{Column, Series, Table, escaped, hours};
use crate::report::summary::{counted, grouped, share};
use std::fmt::Write as _;

pub(super) fn times(profile: &Profile, to: &mut String) -> std::fmt::Result {
    let title = format!("Records by {}", profile.unit);
    if profile.times.is_empty() {
        section(to, &title, "<p class=note>No record has a time that can be read.</p>\n");
        return Ok(());
    }
    let series: Vec<Series<'_>> = profile
        .shapes
        .iter()
        .enumerate()
        .map(|(at, shape)| {
            let values = profile.times.iter().map(|bucket| bucket.by_shape[at] as f64).collect();
            Series { name: &shape.name, values }
        })
        .collect();
    let mut body = over_time(profile, "records", &series);
    if profile.outside > 0 {
        let outside = counted(profile.outside, "record");
        writeln!(body, "<p class=note>and {outside} with times before or after</p>")?;
    }
    match &profile.empty_days {
        None => body.push_str("<p class=note>There are too many days to count them one by one.</p>\n"),
        Some(empty) if empty.days == 0 => {
            body.push_str(
                "<p class=note>Every day between the first and the last has records (days are in UTC).</p>\n",
            );
        }
        Some(empty) => {
            let range = |(first, last): &(String, String)| match first == last {
                true => format!("<span class=whole>{first}</span>"),
                false => format!("<span class=whole>{first}</span> to <span class=whole>{last}</span>"),
            };
            let mut ranges: Vec<String> = empty.ranges.iter().map(range).collect();
            if empty.more_ranges > 0 {
                ranges.push(format!("and {} more times", grouped(empty.more_ranges)));
            }
            let days = counted(empty.days, "day");
            write!(body, "<h3>Days without records</h3>\n<p>{days} (UTC): {}</p>\n", ranges.join(", "))?;
        }
    }
    section(to, &title, &body);
    Ok(())
}

pub(super) fn event_types(profile: &Profile, to: &mut String) -> std::fmt::Result {
    if profile.event_types.is_empty() {
        return Ok(());
    }
    let all: u64 = profile.event_types.iter().map(|it| it.events).sum();
    let series: Vec<Series<'_>> = profile
        .event_types
        .iter()
        .map(|it| Series { name: &it.event_type, values: counts(&it.by_time) })
        .collect();
    let mut body = over_time(profile, "events", &series);
    let mut table = Table::new(&[
        Column::Text("event type", 50),
        Column::Number("events", 24),
        Column::Number("share", 20),
    ]);
    for it in &profile.event_types {
        table.row(&[escaped(&it.event_type), grouped(it.events), share(it.events, all)]);
    }
    body += &table.html();
    section(to, "Event types", &body);
    Ok(())
}

pub(super) fn weekdays(profile: &Profile, to: &mut String) -> std::fmt::Result {
    if profile.times.is_empty() {
        return Ok(());
    }
    let body = hours("records", &profile.hours)
        + "<p class=note>Weekdays and hours are in UTC. The stronger the colour, the more records.</p>\n";
    section(to, "Hours by weekday (UTC)", &body);
    Ok(())
}

//! The raw fields, and values that are not documented.

use super::shared::section;
use crate::check::profile::Profile;
use crate::report::html::{Column, Table, code};
use crate::report::summary::{grouped, share};
use crate::text::shown;
use std::fmt::Write as _;

/// How many values of a field are shown.
const MOST_VALUES: usize = 8;

pub(super) fn fields(profile: &Profile, to: &mut String) -> std::fmt::Result {
    let mut table = Table::new(&[
        Column::Text("field", 22),
        Column::Text("present", 10),
        Column::Number("empty", 9),
        Column::Text("types", 12),
        Column::Number("distinct", 11),
        Column::Number("length", 10),
        Column::Text("values", 26),
    ]);
    for field in &profile.fields {
        let types: Vec<String> =
            field.types.iter().map(|(name, n)| format!("{name} {}", share(*n, field.present))).collect();
        let value =
            |(value, n): &(String, u64)| format!("{} {}", code(&shown(value)), share(*n, field.present));
        let values: Vec<String> = field.values.iter().take(MOST_VALUES).map(value).collect();
        let unread = if field.read { "" } else { "<br><small>no rule reads it</small>" };
        let width = field.present as f64 * 100.0 / profile.records.max(1) as f64;
        table.row(&[
            format!("{}{unread}", code(&field.name)),
            format!(
                "{}<span class=bar style=\"width:{width:.1}%\"></span>",
                share(field.present, profile.records)
            ),
            share(field.empty, field.present),
            types.join(", "),
            grouped(field.distinct),
            format!("{}..{}", field.shortest, field.longest),
            values.join(", "),
        ]);
    }
    let mut body = table.html();
    if profile.fields_not_counted > 0 {
        let more = grouped(profile.fields_not_counted);
        writeln!(body, "<p class=bad>and {more} more values in further fields</p>")?;
    }
    if !profile.new_values.is_empty() {
        body.push_str("<h3>Values that are not documented</h3>\n<ul>");
        for new in &profile.new_values {
            let (field, value) = (code(&new.field), code(&shown(&new.value)));
            writeln!(body, "<li>{field} = {value}, {}</li>", grouped(new.records))?;
        }
        body.push_str("</ul>\n");
    }
    section(to, "Fields", &body);
    Ok(())
}

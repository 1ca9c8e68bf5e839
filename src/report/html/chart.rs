//! Charts of pages. What is drawn is stretched to the width that there is; words are not.

use super::words::escaped;
use crate::report::summary::grouped;
use std::fmt::Write as _;

/// How many colours there are; further series have the last one.
const COLOURS: usize = 5;
/// More bars would be too narrow to be seen: several are drawn together.
const MOST_BARS: usize = 180;
/// How many labels there are below bars.
const LABELS: usize = 5;

/// What is drawn in one colour.
#[derive(Debug)]
pub(crate) struct Series<'a> {
    pub(crate) name: &'a str,
    /// For each bar.
    pub(crate) values: Vec<f64>,
}

/// Bars, each made of the series, one above the other. `what` says what they are, `unit` what a bar is; `labels` are
/// those of bars.
pub(crate) fn bars(what: &str, unit: &str, labels: &[&str], series: &[Series<'_>]) -> String {
    let together = labels.len().div_ceil(MOST_BARS).max(1);
    let labels: Vec<&str> = labels.iter().step_by(together).copied().collect();
    let value = |series: &Series<'_>, bar: usize| -> f64 {
        series.values.iter().skip(bar * together).take(together).sum::<f64>().max(0.0)
    };
    let total = |bar: usize| series.iter().map(|series| value(series, bar)).sum::<f64>();
    let most = (0..labels.len()).map(total).fold(0.0, f64::max);
    let top = round(most);
    let scale = 100.0 / top;
    let (first, last) = (labels.first().unwrap_or(&""), labels.last().unwrap_or(&""));
    let mut svg = format!(
        "<svg viewBox=\"0 0 {} 100\" preserveAspectRatio=\"none\" role=\"img\" aria-label=\"{}\">\n",
        labels.len().max(1),
        escaped(&format!("{what} by {unit}, from {first} to {last}, at most {}", number(most)))
    );
    for (bar, label) in labels.iter().enumerate() {
        // Writing to a string can't fail.
        let _ = write!(svg, "<g><title>{}: {}", escaped(label), number(total(bar)));
        let mut rects = String::new();
        let mut y = 100.0;
        for (at, one) in series.iter().enumerate() {
            let value = value(one, bar);
            if value <= 0.0 {
                continue;
            }
            let tall = value * scale;
            y -= tall;
            let _ = write!(
                rects,
                "<rect x=\"{}\" y=\"{y:.2}\" width=\".86\" height=\"{tall:.2}\" fill=\"var(--c{})\"/>",
                bar as f64 + 0.07,
                colour(at)
            );
            if series.len() > 1 {
                let _ = write!(svg, "\n{} {}", escaped(one.name), number(value));
            }
        }
        let _ = writeln!(svg, "</title>{rects}</g>");
    }
    svg.push_str("</svg>");
    let step = labels.len().div_ceil(LABELS).max(1);
    let below = labels.chunks(step).map(|bars| {
        // The last ones may be too few to have room for a label.
        let label = if 2 * bars.len() > step { escaped(bars[0]) } else { String::new() };
        format!("<span style=\"flex:{} 0 0\">{label}</span>", bars.len())
    });
    let below: String = below.collect();
    let mut html = format!(
        "<div class=chart><div class=y><span>{}</span><span>{}</span><span>0</span></div>\
         <div class=bars>{svg}</div><div class=x>{below}</div></div>\n",
        number(top),
        number(top / 2.0)
    );
    if series.len() > 1 {
        html.push_str("<p class=\"note keys\">");
        let named = if series.len() > COLOURS { COLOURS - 1 } else { series.len() };
        let others = format!("{} others", series.len() - named);
        let names =
            series.iter().take(named).map(|one| one.name).chain((named < series.len()).then_some(&*others));
        for (at, name) in names.enumerate() {
            let _ = write!(
                html,
                "<span><span class=key style=\"background:var(--c{})\"></span>{}</span>",
                colour(at),
                escaped(name)
            );
        }
        html.push_str("</p>\n");
    }
    if together > 1 {
        let _ = writeln!(html, "<p class=note>Each bar is {together} {unit}s.</p>");
    }
    html
}

/// Counts by weekday (Monday first) and hour, the darker the more.
pub(crate) fn hours(what: &str, counts: &[[u64; 24]; 7]) -> String {
    const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
    let most = counts.iter().flatten().copied().max().unwrap_or(0).max(1);
    let mut svg = format!(
        "<svg viewBox=\"0 0 24 7\" preserveAspectRatio=\"none\" role=\"img\" aria-label=\"{}\">\n",
        escaped(&format!("{what} by weekday and hour, UTC, at most {}", grouped(most)))
    );
    let mut names = String::new();
    for (day, hours) in counts.iter().enumerate() {
        let _ = write!(names, "<span>{}</span>", DAYS[day]);
        for (hour, n) in hours.iter().enumerate() {
            let shade = if *n == 0 { 0.0 } else { 0.08 + 0.92 * *n as f64 / most as f64 };
            let _ = writeln!(
                svg,
                "<rect x=\"{hour}.04\" y=\"{day}.05\" width=\".92\" height=\".9\" fill=\"var(--c1)\" \
                 fill-opacity=\"{shade:.3}\"><title>{} {hour:02}:00: {}</title></rect>",
                DAYS[day],
                grouped(*n)
            );
        }
    }
    let below = ["00:00", "06:00", "12:00", "18:00", "24:00"].map(|hour| format!("<span>{hour}</span>"));
    format!(
        "<div class=chart><div class=\"y hours-y\">{names}</div><div class=hours>{svg}</svg></div>\
         <div class=x>{}</div></div>\n",
        below.concat()
    )
}

/// A number that is not much higher, and whose half is short.
fn round(most: f64) -> f64 {
    if most <= 0.0 {
        return 2.0;
    }
    let power = 10_f64.powf(most.log10().floor());
    let steps = [1.0, 1.2, 1.6, 2.0, 2.4, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0];
    let top = steps.iter().map(|step| step * power).find(|top| *top >= most).unwrap_or(most);
    if top >= 2.0 { (top / 2.0).ceil() * 2.0 } else { top }
}

fn colour(series: usize) -> usize {
    series.min(COLOURS - 1) + 1
}

/// `1,234` or `0.5`.
fn number(value: f64) -> String {
    match value {
        // Counts and sums of a log fit u64.
        v if v.fract() == 0.0 => grouped(v as u64),
        v => format!("{v:.1}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_end_at_round_numbers() {
        for (most, top) in
            [(0.0, 2.0), (1.0, 1.0), (3.0, 4.0), (46.0, 50.0), (1_309.0, 1_600.0), (7e9, 8e9), (0.03, 0.03)]
        {
            assert!((round(most) - top).abs() < 1e-9, "{most}: {}", round(most));
        }
    }

    #[test]
    fn many_bars_are_drawn_together_and_nothing_is_lost() {
        let labels: Vec<String> = (0..400).map(|n| format!("m{n}")).collect();
        let labels: Vec<&str> = labels.iter().map(String::as_str).collect();
        let one = Series { name: "a<b", values: vec![1.0; 400] };
        let other = Series { name: "c", values: vec![2.0; 400] };
        let html = bars("records", "month", &labels, &[one, other]);
        assert_eq!(html.matches("<g>").count(), 134);
        assert_eq!(html.matches("<title>").count(), 134);
        assert!(html.contains("m0: 9\na&lt;b 3\nc 6</title>"), "{html}");
        assert!(html.contains("Each bar is 3 months."));
    }
}

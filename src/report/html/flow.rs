//! A picture of what goes where: names on the left, names on the right, and lines between them.

use super::words::escaped;
use crate::report::summary::grouped;
use crate::text::cut;
use std::fmt::Write as _;

/// How high a name is, in pixels, as in the style sheet.
const TALL: usize = 36;
/// The widest line, in pixels.
const WIDEST: f64 = 14.0;
/// A name has two lines.
const MOST_NAME: usize = 72;

/// Lines from names to names, the thicker the higher the number. Both sides are in the order in which names come first.
/// A table with the same should be below: a narrow window has no room for the picture.
pub(crate) fn flows(what: &str, flows: &[(&str, &str, u64)]) -> String {
    let (mut left, mut right): (Vec<&str>, Vec<&str>) = (Vec::new(), Vec::new());
    let place = |names: &mut Vec<_>, name| {
        names.iter().position(|known| *known == name).unwrap_or_else(|| {
            names.push(name);
            names.len() - 1
        })
    };
    let lines: Vec<(usize, usize, u64)> =
        flows.iter().map(|(from, to, n)| (place(&mut left, *from), place(&mut right, *to), *n)).collect();
    let tall = left.len().max(right.len()) * TALL;
    let most = lines.iter().map(|(.., n)| *n).max().unwrap_or(0).max(1);
    let mut svg = String::new();
    for ((from, to, n), (a, b, _)) in lines.iter().zip(flows) {
        let (y1, y2) = (from * TALL + TALL / 2, to * TALL + TALL / 2);
        let wide = (*n as f64 * WIDEST / most as f64).max(1.0);
        // Writing to a string can't fail.
        let _ = writeln!(
            svg,
            "<path d=\"M0 {y1}C50 {y1} 50 {y2} 100 {y2}\" stroke=\"var(--c{})\" stroke-width=\"{wide:.1}\">\
             <title>{} to {}: {}</title></path>",
            from % 5 + 1,
            escaped(a),
            escaped(b),
            grouped(*n)
        );
    }
    // A value goes one way or several; into a field comes one or the other.
    let events_from = |at: usize| lines.iter().filter(|(from, ..)| *from == at).map(|(.., n)| *n).max();
    let events_to = |at: usize| Some(lines.iter().filter(|(_, to, _)| *to == at).map(|(.., n)| n).sum());
    let side = |class: &str, names: &[&str], events: &dyn Fn(usize) -> Option<u64>| {
        let name = |(at, name): (usize, &&str)| {
            let (events, short) = (grouped(events(at).unwrap_or(0)), escaped(&cut(name, MOST_NAME)));
            format!("<div title=\"{}\">{short} <small>{events}</small></div>", escaped(name))
        };
        format!("<div class={class}>{}</div>", names.iter().enumerate().map(name).collect::<String>())
    };
    format!(
        "<div class=flows>{}<svg viewBox=\"0 0 100 {tall}\" preserveAspectRatio=\"none\" style=\"height:{tall}px\" \
         role=\"img\" aria-label=\"{}\">\n{svg}</svg>{}</div>\n",
        side("from", &left, &events_from),
        escaped(what),
        side("to", &right, &events_to)
    )
}

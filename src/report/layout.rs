//! How what is reported to a person is laid out: rows, colours, numbers with their units.

use crate::check::profile::Amount;
use anstyle::{AnsiColor, Style};
use std::fmt::Write as _;

pub(in crate::report) const DIM: Style = Style::new().dimmed();
pub(in crate::report) const RED: Style = AnsiColor::Red.on_default();

pub(in crate::report) fn row(to: &mut String, label: &str, what: &str) -> std::fmt::Result {
    if what.is_empty() { Ok(()) } else { writeln!(to, "  {label:10} {what}") }
}

/// `1 record`, `12,345 records`.
pub(crate) fn counted(n: u64, what: &str) -> String {
    format!("{} {what}{}", grouped(n), if n == 1 { "" } else { "s" })
}

/// `12,345`.
pub(crate) fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1,234.5`.
pub(crate) fn amount(amount: Amount) -> String {
    let text = amount.to_string();
    let (sign, text) = text.strip_prefix('-').map_or(("", text.as_str()), |text| ("-", text));
    let (whole, parts) = text.split_at(text.find('.').unwrap_or(text.len()));
    format!("{sign}{}{parts}", whole.parse().map_or(whole.to_owned(), grouped))
}

/// `1.5 MB`, in powers of ten.
pub(crate) fn bytes(n: u64) -> String {
    let units = ["kB", "MB", "GB", "TB", "PB"];
    let mut value = n as f64;
    let mut unit = "bytes";
    for next in units {
        if value < 1000.0 {
            break;
        }
        value /= 1000.0;
        unit = next;
    }
    if unit == "bytes" { format!("{n} bytes") } else { format!("{value:.1} {unit}") }
}

/// `12.3%`: `n` of `all`, which is never rounded to nothing or to all.
pub(in crate::report) fn share(n: u64, all: u64) -> String {
    let share = if all == 0 { 0.0 } else { n as f64 * 100.0 / all as f64 };
    match share {
        s if n > 0 && s < 0.1 => "<0.1%".into(),
        s if n < all && s > 99.9 => ">99.9%".into(),
        s => format!("{s:.1}%"),
    }
}

pub(in crate::report) fn duration(seconds: f64) -> String {
    match seconds {
        s if s < 10.0 => format!("{s:.2} s"),
        s if s < 60.0 => format!("{s:.1} s"),
        // Whole minutes fit u64 for any run.
        s => format!("{} min {} s", (s / 60.0) as u64, (s % 60.0) as u64),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        for (n, text) in [(0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(grouped(n), text);
        }
        for (n, text) in [(0, "0 bytes"), (999, "999 bytes"), (1500, "1.5 kB"), (2_000_000_000, "2.0 GB")] {
            assert_eq!(bytes(n), text);
        }
        assert_eq!(duration(75.0), "1 min 15 s");
        assert_eq!(counted(1, "record"), "1 record");
        assert_eq!(counted(0, "record"), "0 records");
    }
}

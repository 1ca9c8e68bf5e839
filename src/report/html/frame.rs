//! The frame of a page, and what it says of itself.

use super::words::{code, escaped};
use std::fmt::Write as _;

const STYLE: &str = include_str!("style.css");
/// How many inputs a page names.
const MOST_INPUTS: usize = 5;

/// What a page says of itself at its beginning.
#[derive(Debug)]
pub(crate) struct About<'a> {
    /// What is on it.
    pub(crate) title: &'a str,
    /// The names of what was read.
    pub(crate) inputs: &'a [String],
    pub(crate) mapping: &'a str,
    /// When it was made, in words.
    pub(crate) made: &'a str,
}

impl About<'_> {
    /// The beginning of a page. `more` are further rows: HTML by their labels.
    pub(crate) fn header(&self, more: &[(&str, String)]) -> String {
        let mut inputs: Vec<String> = self.inputs.iter().take(MOST_INPUTS).map(|name| code(name)).collect();
        if let Some(more @ 1..) = self.inputs.len().checked_sub(MOST_INPUTS) {
            inputs.push(format!("and {more} more"));
        }
        let made = format!("{} by udmap {}", escaped(self.made), env!("CARGO_PKG_VERSION"));
        let rows = [("input", inputs.join(", ")), ("mapping table", code(self.mapping)), ("made", made)];
        let mut html = format!("<header><h1>{}</h1>\n<dl>", escaped(self.title));
        for (label, value) in rows.iter().chain(more) {
            // Writing to a string can't fail.
            let _ = write!(html, "<dt>{label}</dt><dd>{value}</dd>");
        }
        html + "</dl></header>\n"
    }
}

/// The whole page.
pub(crate) fn document(title: &str, body: &str) -> String {
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <meta name=\"generator\" content=\"udmap {}\">\n\
         <link rel=\"icon\" href=\"data:,\">\n<title>{}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n{body}</main>\n</body>\n</html>\n",
        env!("CARGO_PKG_VERSION"),
        escaped(title)
    )
}

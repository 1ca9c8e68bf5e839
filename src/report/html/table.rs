//! Tables of pages: as wide as the window, and cards where that is narrow.

use super::words::escaped;
use std::fmt::Write as _;

/// A column: what is above it, and its part of the width. A table whose columns have less than 100 parts is a small one:
/// it stays a table in a narrow window.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Column {
    Text(&'static str, u32),
    Number(&'static str, u32),
}

/// A table that is being written.
#[derive(Debug)]
pub(crate) struct Table<'c> {
    columns: &'c [Column],
    html: String,
}

impl Column {
    fn parts(self) -> (&'static str, &'static str, u32) {
        match self {
            Column::Text(name, width) => (name, "", width),
            Column::Number(name, width) => (name, " class=n", width),
        }
    }
}

impl<'c> Table<'c> {
    pub(crate) fn new(columns: &'c [Column]) -> Table<'c> {
        let all: u32 = columns.iter().map(|column| column.parts().2).sum();
        let (mut widths, mut heads) = (String::new(), String::new());
        for column in columns {
            let (name, class, width) = column.parts();
            // Writing to a string can't fail.
            let _ = write!(widths, "<col style=\"width:{}%\">", width * 100 / all.max(1));
            let _ = write!(heads, "<th scope=col{class}>{}</th>", escaped(name));
        }
        let class = if all < 100 { "small" } else { "large" };
        let html = format!(
            "<table class={class}><colgroup>{widths}</colgroup><thead><tr>{heads}</tr></thead><tbody>\n"
        );
        Table { columns, html }
    }

    /// Adds a row of HTML, a cell for each column.
    pub(crate) fn row(&mut self, cells: &[String]) {
        self.html.push_str("<tr>");
        for (cell, column) in cells.iter().zip(self.columns) {
            let (name, class, _) = column.parts();
            let _ = write!(self.html, "<td{class} data-l=\"{}\">{cell}</td>", escaped(name));
        }
        self.html.push_str("</tr>\n");
    }

    pub(crate) fn html(self) -> String {
        self.html + "</tbody></table>\n"
    }
}

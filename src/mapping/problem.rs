//! What is wrong with a mapping table, and where.

use crate::text::{cut, escaped, shown_up_to};
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

/// The most problems of a table that are kept.
pub(super) const MOST: usize = 20;
/// The most characters of a message, and of a line before and after the place that is meant.
const MESSAGE: usize = 400;
const BEFORE: usize = 70;
const AFTER: usize = 100;

/// A table file's name and text, kept for messages.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TableText {
    pub(crate) name: String,
    text: String,
    /// Where its lines begin.
    lines: Vec<usize>,
    /// Whether it is a table at all: of another file nothing is shown.
    is_table: bool,
}

impl TableText {
    pub(super) fn new(name: &str, text: &str) -> TableText {
        let ends = memchr::memchr_iter(b'\n', text.as_bytes()).map(|end| end + 1);
        let lines = std::iter::once(0).chain(ends).collect();
        TableText { name: name.to_owned(), text: text.to_owned(), lines, is_table: looks_like_one(text) }
    }

    pub(super) fn is_table(&self) -> bool {
        self.is_table
    }
}

/// Whether a line begins as only a table's lines do. What follows may be faulty.
fn looks_like_one(text: &str) -> bool {
    text.lines().any(|line| {
        let line = line.trim_start_matches(['\u{feff}', ' ', '\t']);
        let key = line.trim_start_matches(['[', ' ', '\t']);
        let is = |name| {
            let behind = key.strip_prefix(name).map(str::trim_start);
            behind.is_some_and(|behind| behind.starts_with([']', '.', '=']))
        };
        is("mapping") || (line.starts_with("[[") && is("rule"))
    })
}

/// A place in a table file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TextPlace {
    pub(crate) source: Arc<TableText>,
    pub(crate) span: Range<usize>,
}

impl TextPlace {
    /// The line, from 1.
    pub(crate) fn line(&self) -> usize {
        self.source.lines.partition_point(|start| *start <= self.span.start)
    }

    /// The column in characters, from 1.
    fn column(&self) -> usize {
        self.before().chars().count() + 1
    }

    /// The text before it on its line.
    fn before(&self) -> &str {
        &self.source.text[self.source.lines[self.line() - 1]..self.span.start]
    }

    pub(crate) fn problem(&self, message: impl AsRef<str>) -> Problem {
        Problem { at: self.clone(), message: fitted(message.as_ref()), hint: None, nearest: None }
    }
}

/// A text as one line that is not too long, and that no terminal acts on.
fn fitted(text: &str) -> String {
    shown_up_to(&text.lines().collect::<Vec<_>>().join(": "), MESSAGE)
}

/// One thing that is wrong with a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    pub(crate) at: TextPlace,
    message: String,
    hint: Option<String>,
    /// A name that is wrong, and the right one that is nearest to it.
    #[cfg_attr(not(feature = "serve"), allow(dead_code, reason = "only the page changes it"))]
    nearest: Option<(String, String)>,
}

impl Problem {
    pub(crate) fn hint(mut self, hint: impl AsRef<str>) -> Problem {
        self.hint = Some(fitted(hint.as_ref()));
        self
    }

    /// With the nearest right name as its hint, if one is near.
    pub(crate) fn nearest<'a>(self, wrong: &str, names: impl IntoIterator<Item = &'a str>) -> Problem {
        match crate::udm::nearest(wrong, names) {
            Some(name) => self.hint(format!("the nearest is `{name}`")).instead_of(wrong, name),
            None => self,
        }
    }

    /// With the right name in place of one that is wrong.
    pub(super) fn instead_of(self, wrong: &str, right: &str) -> Problem {
        Problem { nearest: Some((wrong.to_owned(), right.to_owned())), ..self }
    }

    /// A name in the table that is wrong, and the right one that is nearest to it.
    #[cfg(feature = "serve")]
    pub(crate) fn nearest_name(&self) -> Option<(&str, &str)> {
        self.nearest.as_ref().map(|(wrong, right)| (wrong.as_str(), right.as_str()))
    }

    /// The table file, as it was named.
    pub fn file(&self) -> &str {
        &self.at.source.name
    }

    /// The line, from 1.
    pub fn line(&self) -> usize {
        self.at.line()
    }

    /// The column in characters, from 1.
    pub fn column(&self) -> usize {
        self.at.column()
    }

    /// What is wrong.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// What to do about it, where that is known.
    pub fn suggestion(&self) -> Option<&str> {
        self.hint.as_deref()
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let TextPlace { source, span } = &self.at;
        let (line, column, name) = (self.at.line(), self.at.column(), escaped(&source.name));
        let margin = " ".repeat(line.to_string().len());
        writeln!(f, "{}", self.message)?;
        if source.is_table {
            // Of a long line what is around the place.
            let before = self.at.before();
            let start = before.char_indices().rev().nth(BEFORE).map_or(0, |(start, _)| start);
            let before = format!("{}{}", if start > 0 { "…" } else { "" }, shown_line(&before[start..]));
            let line_from = |text: &str| shown_line(&cut(text.lines().next().unwrap_or(""), AFTER));
            let behind = line_from(&source.text[span.start..]);
            let marks = line_from(&source.text[span.clone()]).trim_end_matches('…').chars().count().max(1);
            writeln!(f, "{margin}--> {name}:{line}:{column}")?;
            writeln!(f, "{margin} |")?;
            writeln!(f, "{line} | {before}{behind}")?;
            write!(f, "{margin} | {}{}", " ".repeat(before.chars().count()), "^".repeat(marks))?;
        } else {
            write!(f, "{margin}--> {name}")?;
        }
        if let Some(hint) = &self.hint {
            write!(f, "\n{margin} = hint: {hint}")?;
        }
        Ok(())
    }
}

/// A part of a table's line; a tab is as wide as a blank.
fn shown_line(text: &str) -> String {
    escaped(&text.replace('\t', " ")).into_owned()
}

/// Why a mapping table is refused: one problem or more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MappingError {
    problems: Vec<Problem>,
    has_more: bool,
}

impl MappingError {
    pub(crate) fn new(mut problems: Vec<Problem>) -> MappingError {
        let has_more = problems.len() > MOST;
        problems.truncate(MOST);
        problems.sort_by(|a, b| {
            let place = |p: &Problem| p.at.span.start;
            a.at.source.name.cmp(&b.at.source.name).then(place(a).cmp(&place(b)))
        });
        problems.dedup();
        MappingError { problems, has_more }
    }

    /// Whether the table has more problems than are listed.
    pub fn has_more(&self) -> bool {
        self.has_more
    }

    /// The problems, in the order of the file; at least one, and at most 20.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }
}

impl fmt::Display for MappingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, problem) in self.problems.iter().enumerate() {
            if i > 0 {
                f.write_str("\n\n")?;
            }
            problem.fmt(f)?;
        }
        if self.has_more {
            write!(f, "\n\nand more: the first {MOST} are shown")?;
        }
        Ok(())
    }
}

impl std::error::Error for MappingError {}

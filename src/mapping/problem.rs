//! What is wrong with a mapping table, and where.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

/// A table file's name and text, kept for messages.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Source {
    pub(crate) name: String,
    pub(crate) text: String,
}

/// A place in a table file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct At {
    pub(crate) source: Arc<Source>,
    pub(crate) span: Range<usize>,
}

impl At {
    /// The line, from 1, and the column in characters, from 1.
    pub(crate) fn position(&self) -> (usize, usize) {
        let before = &self.source.text[..self.span.start];
        let line_start = before.rfind('\n').map_or(0, |i| i + 1);
        (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
    }

    pub(crate) fn problem(&self, message: impl Into<String>) -> Problem {
        Problem { at: self.clone(), message: message.into(), hint: None }
    }
}

/// One thing that is wrong with a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    pub(crate) at: At,
    message: String,
    hint: Option<String>,
}

impl Problem {
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Problem {
        self.hint = Some(hint.into());
        self
    }

    /// With the nearest right name as its hint, if one is near.
    pub(crate) fn nearest<'a>(self, wrong: &str, names: impl IntoIterator<Item = &'a str>) -> Problem {
        match crate::udm::nearest(wrong, names) {
            Some(name) => self.hint(format!("the nearest is `{name}`")),
            None => self,
        }
    }

    /// The table file, as it was named.
    pub fn file(&self) -> &str {
        &self.at.source.name
    }

    /// The line, from 1.
    pub fn line(&self) -> usize {
        self.at.position().0
    }

    /// The column in characters, from 1.
    pub fn column(&self) -> usize {
        self.at.position().1
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
        let (line, column) = self.at.position();
        let text = &self.at.source.text;
        let start = text[..self.at.span.start].rfind('\n').map_or(0, |i| i + 1);
        let shown = text[start..].lines().next().unwrap_or("");
        let marked = text[self.at.span.clone()].lines().next().unwrap_or("").chars().count().max(1);
        let margin = " ".repeat(line.to_string().len());
        writeln!(f, "{}", self.message)?;
        writeln!(f, "{margin}--> {}:{line}:{column}", self.at.source.name)?;
        writeln!(f, "{margin} |")?;
        writeln!(f, "{line} | {shown}")?;
        write!(f, "{margin} | {}{}", " ".repeat(column - 1), "^".repeat(marked))?;
        if let Some(hint) = &self.hint {
            write!(f, "\n{margin} = hint: {hint}")?;
        }
        Ok(())
    }
}

/// Why a mapping table is refused: one problem or more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MappingError {
    problems: Vec<Problem>,
}

impl MappingError {
    pub(crate) fn new(mut problems: Vec<Problem>) -> MappingError {
        problems.sort_by_key(|p| (p.at.source.name.clone(), p.at.span.start));
        problems.dedup();
        MappingError { problems }
    }

    /// The problems, in the order of the file; at least one.
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
        Ok(())
    }
}

impl std::error::Error for MappingError {}

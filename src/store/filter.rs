//! Which files and objects are wanted, by their paths below what was named.

use glob::{MatchOptions, Pattern};

/// Patterns that a path must fit. By default every path does.
///
/// They are compared with the path below the folder, pattern or prefix that was named; `*` matches `/`, too. What was
/// named itself is not compared.
#[derive(Debug, Clone, Default)]
pub struct PathFilter {
    /// If there are any, one of them must match.
    pub include: Vec<Pattern>,
    /// None of them may match.
    pub exclude: Vec<Pattern>,
}

impl PathFilter {
    /// Whether a path, with `/` between its parts, fits.
    pub fn wants(&self, path: &str) -> bool {
        fits(&self.include, &self.exclude, path)
    }
}

/// Whether `path` fits one of the patterns `include`, if there are any, and none of `exclude`.
pub(crate) fn fits(include: &[Pattern], exclude: &[Pattern], path: &str) -> bool {
    let any = |patterns: &[Pattern]| patterns.iter().any(|it| it.matches_with(path, MatchOptions::new()));
    (include.is_empty() || any(include)) && !any(exclude)
}

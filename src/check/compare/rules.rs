//! What matters in a comparison.

use crate::check::paths::bare;

/// How events are compared.
#[derive(Debug, Clone, Default)]
pub struct Rules {
    ignored: Vec<String>,
    sets: Vec<String>,
    all_sets: bool,
}

impl Rules {
    /// Leaves out the field at this path (without indexes), and all below it.
    pub fn ignore(&mut self, path: &str) {
        self.ignored.push(bare(path));
    }

    /// Compares the list at this path (without indexes) as a set: in any order.
    pub fn set(&mut self, path: &str) {
        self.sets.push(bare(path));
    }

    /// Compares every list as a set.
    pub fn all_sets(&mut self) {
        self.all_sets = true;
    }

    pub(super) fn is_ignored(&self, path: &str) -> bool {
        self.ignored.iter().any(|ignored| ignored == path)
    }

    pub(super) fn is_set(&self, path: &str) -> bool {
        self.all_sets || self.sets.iter().any(|set| set == path)
    }

    /// Whether any list is compared as a set.
    #[cfg_attr(not(feature = "cli"), allow(dead_code, reason = "only what learns from events asks"))]
    pub(super) fn has_sets(&self) -> bool {
        self.all_sets || !self.sets.is_empty()
    }

    /// The bytes of the longest path that these rules name.
    pub(super) fn longest(&self) -> usize {
        self.ignored.iter().chain(&self.sets).map(String::len).max().unwrap_or(0)
    }
}

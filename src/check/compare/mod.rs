//! How UDM events differ by meaning, whatever their spelling.
//!
//! Names in snake_case and camelCase are the same, so are an enum's number and its name, `5` and
//! `"5"` where UDM has a whole number, `.198Z` and `.198000Z`, base64 of both alphabets, and a
//! field that is absent, `null`, an empty list, or (where protobuf keeps no difference) the type's
//! default. Lists are compared in their order, unless they are asked to be sets. Sets of events
//! are matched by content, not by position, and copies are counted.
//!
//! ```
//! use udmap::json::Tree;
//! use udmap::check::compare::{Meaning, Rules, differences};
//!
//! let (mut a, mut b) = (Tree::default(), Tree::default());
//! let a = a.read(br#"{"metadata":{"event_timestamp":"2024-01-01T00:00:00.5Z","event_type":"GENERIC_EVENT"}}"#)?;
//! let b = b.read(br#"{"metadata":{"eventType":0,"eventTimestamp":"2024-01-01T01:00:00.501+01:00"}}"#)?;
//! let rules = Rules::default();
//! let found = differences(&Meaning::of(a, &rules), &Meaning::of(b, &rules));
//! assert_eq!(found[0].path, "metadata.event_timestamp");
//! # Ok::<(), udmap::json::JsonError>(())
//! ```

mod differences;
mod meaning;
mod rounds;
mod sets;
#[cfg(test)]
mod tests;

#[cfg(feature = "cli")]
pub(crate) use differences::each_difference;
pub use differences::{Difference, How, differences};
pub use meaning::Meaning;
pub use rounds::{Keys, Round, Side};
pub use sets::{Matched, match_up};

use super::validate::bare;

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

    fn is_ignored(&self, path: &str) -> bool {
        self.ignored.iter().any(|ignored| ignored == path)
    }

    fn is_set(&self, path: &str) -> bool {
        self.all_sets || self.sets.iter().any(|set| set == path)
    }

    /// The bytes of the longest path that matters: longer ones are asked for by nobody.
    fn longest(&self) -> usize {
        self.ignored.iter().chain(&self.sets).map(String::len).max().unwrap_or(0)
    }
}

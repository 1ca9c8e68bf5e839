//! Ranges of lines, merged.

use serde::{Deserialize, Serialize};
use std::ops::Range;

/// Lines of an input: ranges in order, none of them empty, with a gap between each two.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Ranges(Vec<(u64, u64)>);

impl Ranges {
    /// Adds lines.
    pub(super) fn add(&mut self, lines: Range<u64>) {
        if lines.is_empty() {
            return;
        }
        // Those that touch it become one with it.
        let from = self.0.partition_point(|(_, end)| *end < lines.start);
        let to = self.0.partition_point(|(start, _)| *start <= lines.end);
        let merged = self.0[from..to]
            .iter()
            .fold((lines.start, lines.end), |(a, b), (start, end)| (a.min(*start), b.max(*end)));
        self.0.splice(from..to.max(from), [merged]);
    }

    /// Whether all of these lines are in it.
    pub(super) fn holds(&self, lines: &Range<u64>) -> bool {
        self.around(lines.start).is_some_and(|found| found.end >= lines.end)
    }

    /// Whether one of these lines is in it.
    pub(super) fn touches(&self, lines: &Range<u64>) -> bool {
        let at = self.0.partition_point(|(_, end)| *end <= lines.start);
        self.0.get(at).is_some_and(|(start, _)| *start < lines.end)
    }

    /// The range that a line is in.
    pub(super) fn around(&self, line: u64) -> Option<Range<u64>> {
        let at = self.0.partition_point(|(_, end)| *end <= line);
        self.0.get(at).filter(|(start, _)| *start <= line).map(|(start, end)| *start..*end)
    }

    /// Whether it is as this type makes it.
    pub(super) fn makes_sense(&self) -> bool {
        self.0.iter().all(|(start, end)| 0 < *start && start < end)
            && self.0.windows(2).all(|two| two[0].1 < two[1].0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn merged_whatever_the_order() {
        let mut ranges = Ranges::default();
        for (start, end, all) in [
            (5, 7, "[[5,7]]"),
            (1, 3, "[[1,3],[5,7]]"),
            (9, 9, "[[1,3],[5,7]]"),
            (9, 12, "[[1,3],[5,7],[9,12]]"),
            (3, 5, "[[1,7],[9,12]]"),
            (2, 6, "[[1,7],[9,12]]"),
            (7, 8, "[[1,8],[9,12]]"),
            (8, 9, "[[1,12]]"),
            (20, 21, "[[1,12],[20,21]]"),
            (13, 19, "[[1,12],[13,19],[20,21]]"),
            (1, 30, "[[1,30]]"),
        ] {
            ranges.add(start..end);
            assert_eq!(serde_json::to_string(&ranges).unwrap(), all);
            assert!(ranges.makes_sense());
        }
        assert!(ranges.holds(&(1..30)) && !ranges.holds(&(1..31)) && !ranges.holds(&(30..31)));
        assert!(ranges.touches(&(29..40)) && !ranges.touches(&(30..40)) && !ranges.touches(&(0..1)));
        assert_eq!((ranges.around(29), ranges.around(30)), (Some(1..30), None));
        for text in ["[[0,2]]", "[[2,2]]", "[[3,2]]", "[[1,3],[3,4]]", "[[4,5],[1,2]]"] {
            assert!(!serde_json::from_str::<Ranges>(text).unwrap().makes_sense(), "{text}");
        }
    }
}

//! Which of the listed objects are wanted.

use crate::store::fits;
use crate::store::objects::ObjectMeta;
use chrono::{DateTime, Utc};
use glob::Pattern;

/// Patterns and times that objects must fit. By default all do.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// If there are any, one of them must match. Patterns are compared with the key below the
    /// input's prefix; `*` matches `/`, too.
    pub include: Vec<Pattern>,
    /// None of them may match.
    pub exclude: Vec<Pattern>,
    /// Last changed at this time or later.
    pub since: Option<DateTime<Utc>>,
    /// Last changed before this time.
    pub until: Option<DateTime<Utc>>,
}

impl Filter {
    pub(super) fn wants(&self, relative: &str, found: &ObjectMeta) -> bool {
        fits(&self.include, &self.exclude, relative)
            && self.since.is_none_or(|since| found.modified >= since)
            && self.until.is_none_or(|until| found.modified < until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_and_times() {
        let pattern = |text: &str| Pattern::new(text).unwrap();
        let at =
            |day: u32| DateTime::parse_from_rfc3339(&format!("2026-01-{day:02}T00:00:00Z")).unwrap().to_utc();
        let found = |day| ObjectMeta { key: "x".into(), size: 1, etag: "e".into(), modified: at(day) };
        let filter = Filter {
            include: vec![pattern("*.gz"), pattern("a/*")],
            exclude: vec![pattern("*/tmp/*")],
            since: Some(at(2)),
            until: Some(at(4)),
        };
        let table = [
            ("x/y.gz", 2, true),
            ("a/b/c", 3, true),
            ("b/c", 3, false),
            ("a/tmp/c.gz", 3, false),
            ("x.gz", 1, false),
            ("x.gz", 4, false),
        ];
        for (key, day, want) in table {
            assert_eq!(filter.wants(key, &found(day)), want, "{key} {day}");
        }
        assert!(Filter::default().wants("anything", &found(1)));
    }
}

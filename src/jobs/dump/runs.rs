//! The runs of a manifest: whether all parts of each are there, and which did not come to their ends.

use super::entry::End;
use super::part::number;
use std::collections::BTreeMap;

/// Takes the ends of parts, in any order. Runs of which all is there are forgotten.
#[derive(Debug, Default)]
pub(super) struct Runs {
    open: BTreeMap<String, Run>,
    /// Those of several parts: of others nobody can have seen a part without the end.
    ended: BTreeMap<String, u64>,
    /// What runs that ended say of others.
    seen: BTreeMap<String, u64>,
}

#[derive(Debug, Default)]
struct Run {
    numbers: Vec<u64>,
    last: Option<u64>,
}

impl Run {
    fn most(&self) -> u64 {
        self.numbers.iter().copied().max().max(self.last).unwrap_or_default()
    }
}

impl Runs {
    /// Takes the end of the part `key` of a run.
    pub(super) fn take(&mut self, run: &str, key: &str, end: &End) {
        for (run, parts) in &end.interrupted {
            let seen = self.seen.entry(run.clone()).or_default();
            *seen = (*seen).max(*parts);
        }
        let mut now = self.open.remove(run).unwrap_or_default();
        now.numbers.push(number(key).unwrap_or(end.part));
        if end.last {
            now.last = now.last.max(Some(end.part));
        }
        let parts = now.most();
        if now.last != Some(parts) || now.numbers.len() as u64 != parts {
            self.open.insert(run.to_owned(), now);
        } else if parts > 1 {
            self.ended.insert(run.to_owned(), parts);
        }
    }

    /// Runs that did not come to their ends, with the number of their parts, of which no other run has said so.
    pub(super) fn interrupted(&self) -> BTreeMap<String, u64> {
        let open = self.open.iter().filter(|(_, run)| run.last.is_none());
        let unseen = open.filter(|(name, run)| self.seen.get(*name).is_none_or(|seen| *seen < run.most()));
        unseen.map(|(name, run)| (name.clone(), run.most())).collect()
    }

    /// What is wrong, and with which run.
    pub(super) fn faults(&self) -> Vec<(String, String)> {
        let mut faults = Vec::new();
        for (name, run) in &self.open {
            let most = run.most();
            let mut numbers = run.numbers.clone();
            numbers.sort_unstable();
            let mut missing = (1..=most).filter(|number| numbers.binary_search(number).is_err());
            if let Some(first) = missing.next() {
                let more = most
                    .saturating_sub(first)
                    .saturating_sub(numbers.iter().filter(|it| **it > first).count() as u64);
                let more = if more > 0 { format!(" and {more} more") } else { String::new() };
                faults.push((name.clone(), format!("part {first}{more} of its {most} is missing")));
            }
            let why = match (run.last, self.seen.get(name)) {
                (Some(last), _) if last < most => {
                    format!("part {last} says that it is the last, but there is a part {most}")
                }
                (Some(_), _) => continue,
                (None, Some(seen)) if *seen <= most => continue,
                (None, Some(seen)) => format!("it had {seen} parts, and has {most}"),
                (None, None) => {
                    "it did not come to its end: what it wrote last may be missing, or it still runs"
                        .to_owned()
                }
            };
            faults.push((name.clone(), why));
        }
        for (name, seen) in &self.seen {
            if !self.open.contains_key(name) && !self.ended.contains_key(name) {
                faults.push((name.clone(), format!("its {seen} parts are missing")));
            }
        }
        faults
    }
}

#[cfg(test)]
mod tests {
    use super::super::part::tests::end;
    use super::*;

    fn faults(parts: &[(&str, u64, bool)], seen: &[(&str, u64)]) -> (Vec<String>, usize) {
        let mut runs = Runs::default();
        for (run, number, last) in parts {
            runs.take(run, &format!("{run}/part-{number:05}.ndjson"), &end(*number, *last));
        }
        let mut other = end(1, true);
        other.interrupted = seen.iter().map(|(run, parts)| ((*run).to_owned(), *parts)).collect();
        runs.take("z", "z/part-00001.ndjson", &other);
        (
            runs.faults().into_iter().map(|(run, why)| format!("{run}: {why}")).collect(),
            runs.interrupted().len(),
        )
    }

    #[test]
    fn every_part_is_there_in_any_order() {
        let none: Vec<String> = Vec::new();
        assert_eq!(faults(&[("a", 1, false), ("b", 1, true), ("a", 2, true)], &[]), (none.clone(), 0));
        assert_eq!(
            faults(&[("a", 2, true), ("b", 1, true), ("a", 1, false)], &[("a", 1)]),
            (none.clone(), 0)
        );
        assert_eq!(faults(&[("a", 1, false), ("a", 2, false)], &[("a", 2)]), (none, 0));
        type Case<'a> = (&'a [(&'a str, u64, bool)], &'a [(&'a str, u64)], &'a str, usize);
        let table: [Case<'_>; 6] = [
            (&[("a", 1, false)], &[], "a: it did not come to its end", 1),
            (&[("a", 1, false)], &[("a", 2)], "a: it had 2 parts, and has 1", 0),
            (&[("a", 2, true)], &[], "a: part 1 of its 2 is missing", 0),
            (&[("a", 3, true), ("a", 5, false)], &[], "a: part 1 and 2 more of its 5 is missing", 0),
            (&[("a", 2, false), ("a", 1, true)], &[], "a: part 1 says that it is the last", 0),
            (&[], &[("a", 2)], "a: its 2 parts are missing", 0),
        ];
        for (parts, seen, words, interrupted) in table {
            let (faults, open) = faults(parts, seen);
            assert!(faults.iter().any(|fault| fault.starts_with(words)), "{words}: {faults:?}");
            assert_eq!(open, interrupted, "{words}");
        }
    }
}

//! Where rejects came from: which sources have most of them, and where in each the first ones are.

use super::reject::Reject;
use crate::record::Reason;
use std::collections::{BTreeMap, HashMap};

/// How many sources are named; of the others only their number is kept.
const MOST: usize = 1_000;
/// How many rejects of a source are named.
const MOST_PLACES: usize = 3;

/// Where rejects came from, in bounded memory.
#[derive(Debug, Clone, Default)]
pub struct RejectSources {
    sources: Vec<RejectSource>,
    by_name: HashMap<String, usize>,
    /// Of the sources that are not kept by name.
    more: (u64, u64),
}

/// A source of rejects: an input, or a file of an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RejectSource {
    /// Its name, as in the rejects.
    pub name: String,
    /// How many rejects it has.
    pub rejects: u64,
    /// The same by reason; nothing is known of what an earlier run converted.
    pub by_reason: BTreeMap<Reason, u64>,
    /// The first of them.
    pub first: Vec<RejectPlace>,
    /// The object that holds its rejects, if one does.
    pub kept_in: Option<String>,
    /// Whether an earlier run converted it.
    pub earlier: bool,
}

/// Where a reject is in its source, and why it is one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RejectPlace {
    /// The line, from 1.
    pub line: u64,
    /// The byte, after decompression.
    pub offset: u64,
    /// Why, in a code.
    pub reason: Reason,
    /// Why, in a sentence.
    pub message: String,
}

impl RejectSources {
    /// Adds rejects of a source.
    pub(crate) fn add(&mut self, name: &str, rejects: &[Reject]) {
        if rejects.is_empty() {
            return;
        }
        let source = self.source(name);
        source.rejects = source.rejects.saturating_add(rejects.len() as u64);
        for reject in rejects {
            *source.by_reason.entry(reject.reason).or_default() += 1;
        }
        let room = MOST_PLACES - source.first.len().min(MOST_PLACES);
        source.first.extend(rejects.iter().take(room).map(|reject| RejectPlace {
            line: reject.line,
            offset: reject.offset,
            reason: reject.reason,
            message: reject.message.clone(),
        }));
    }

    /// Says that all are kept in one file.
    #[cfg(feature = "cli")]
    pub(crate) fn kept_in(&mut self, file: &str) {
        self.sources.iter_mut().for_each(|source| source.kept_in = Some(file.to_owned()));
    }

    /// Adds the rejects of an input that an earlier run converted.
    pub(crate) fn add_earlier(&mut self, name: &str, rejects: u64, kept_in: Option<String>) {
        let source = self.source(name);
        // A manifest may have any number.
        source.rejects = source.rejects.saturating_add(rejects);
        (source.kept_in, source.earlier) = (kept_in, true);
    }

    /// Adds those of one input, whose rejects are kept in this object.
    pub(crate) fn merge(&mut self, other: RejectSources, kept_in: Option<&str>) {
        for one in other.sources {
            let source = self.source(&one.name);
            source.rejects = source.rejects.saturating_add(one.rejects);
            one.by_reason.iter().for_each(|(reason, n)| *source.by_reason.entry(*reason).or_default() += n);
            let room = MOST_PLACES - source.first.len().min(MOST_PLACES);
            source.first.extend(one.first.into_iter().take(room));
            source.kept_in = kept_in.map(str::to_owned);
        }
        (self.more.0, self.more.1) = (self.more.0 + other.more.0, self.more.1.saturating_add(other.more.1));
    }

    /// The source of this name, which may be a new one.
    fn source(&mut self, name: &str) -> &mut RejectSource {
        let at = match self.by_name.get(name) {
            Some(at) => *at,
            None => {
                if self.sources.len() >= 2 * MOST {
                    self.prune();
                }
                self.by_name.insert(name.to_owned(), self.sources.len());
                self.sources.push(RejectSource {
                    name: name.to_owned(),
                    rejects: 0,
                    by_reason: BTreeMap::new(),
                    first: Vec::new(),
                    kept_in: None,
                    earlier: false,
                });
                self.sources.len() - 1
            }
        };
        &mut self.sources[at]
    }

    /// Keeps those with most rejects. The others have fewer than any that is kept, unless more of them follow, which
    /// happens only where sources come several times.
    fn prune(&mut self) {
        self.sort();
        for source in self.sources.drain(MOST..) {
            self.more = (self.more.0 + 1, self.more.1.saturating_add(source.rejects));
        }
        let names = self.sources.iter().enumerate().map(|(at, source)| (source.name.clone(), at));
        self.by_name = names.collect();
    }

    /// Those with most rejects first; of equals by name, so that the order does not depend on threads.
    fn sort(&mut self) {
        self.sources.sort_by(|a, b| b.rejects.cmp(&a.rejects).then_with(|| a.name.cmp(&b.name)));
    }

    /// At most `most` sources, those with most rejects first, and how many others there are with how many rejects.
    pub fn top(mut self, most: usize) -> (Vec<RejectSource>, u64, u64) {
        self.sort();
        let rest = self.sources.split_off(most.min(MOST).min(self.sources.len()));
        let rejects = rest.iter().fold(self.more.1, |sum, source| sum.saturating_add(source.rejects));
        (self.sources, self.more.0 + rest.len() as u64, rejects)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reject(line: u64) -> Reject {
        let (message, raw) = (format!("m{line}"), Vec::new());
        Reject { reason: Reason::BadTimestamp, message, line, offset: line * 10, length: 1, raw, table: None }
    }

    #[test]
    fn those_with_most_come_first_and_memory_is_bounded() {
        let mut sources = RejectSources::default();
        for n in 0..10_000u64 {
            let rejects: Vec<Reject> = (0..=n % 5).map(reject).collect();
            sources.add(&format!("{n:05}"), &rejects);
        }
        assert!(sources.sources.len() <= 2 * MOST && sources.by_name.len() == sources.sources.len());
        // Whatever has come before, the one with most is found.
        let many: Vec<Reject> = (0..100).map(reject).collect();
        sources.add("many", &many);
        let (top, more, rejects) = sources.clone().top(3);
        let names: Vec<(&str, u64)> = top.iter().map(|it| (it.name.as_str(), it.rejects)).collect();
        assert_eq!(names, [("many", 100), ("00004", 5), ("00009", 5)]);
        assert_eq!(top[0].by_reason[&Reason::BadTimestamp], 100);
        let lines: Vec<u64> = top[0].first.iter().map(|place| place.line).collect();
        assert_eq!((lines, more, rejects), (vec![0, 1, 2], 10_001 - 3, 30_100 - 110));

        let mut all = RejectSources::default();
        all.merge(sources, Some("kept"));
        all.add_earlier("old", 7, None);
        let (top, more, rejects) = all.top(usize::MAX);
        assert_eq!(
            (top.len() as u64 + more, top.iter().map(|it| it.rejects).sum::<u64>() + rejects),
            (10_002, 30_107)
        );
        let mut huge = RejectSources::default();
        ["a", "b", "a"].into_iter().for_each(|name| huge.add_earlier(name, u64::MAX, None));
        huge.merge(huge.clone(), None);
        huge.add("a", &[reject(1)]);
        let (top_huge, _, _) = huge.clone().top(1);
        assert_eq!((top_huge[0].rejects, huge.top(0).2), (u64::MAX, u64::MAX));
        assert!(top[1].earlier && top[1].name == "old" && top[0].kept_in.as_deref() == Some("kept"));
    }
}

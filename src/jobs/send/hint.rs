//! Where a refused range is split first: where the service says which event it refuses, if it does.
//!
//! No page promises that it names one, or the right one. So what it names is a hint and never a proof: the event is
//! asked for alone, and after the first hint that was wrong none is heeded any more in this run.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// What a part of a range is to the event that a refusal named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// Nothing.
    Any,
    /// It comes before it: it should be accepted.
    Before,
    /// It begins with it: it should be refused.
    From,
}

/// Whether what the service names is heeded.
#[derive(Debug, Default)]
pub(super) struct Hints {
    was_wrong: AtomicBool,
}

impl Hints {
    /// Hears that a part was accepted.
    pub(super) fn accepted(&self, role: Role) {
        if role == Role::From {
            self.was_wrong.store(true, Relaxed);
        }
    }

    /// How a part of `count` events, which was refused with these words, is cut: the number of events of the first of two
    /// parts, and what they are.
    pub(super) fn cut(&self, count: usize, role: Role, why: &str) -> (usize, Role, Role) {
        let named = named(why);
        if role == Role::Before || role == Role::From && named != Some(0) {
            self.was_wrong.store(true, Relaxed);
        }
        match named.filter(|at| *at < count && !self.was_wrong.load(Relaxed)) {
            Some(0) => (1, Role::From, Role::Any),
            Some(at) => (at, Role::Before, Role::From),
            None => (count / 2, Role::Any, Role::Any),
        }
    }
}

/// The place in the request of the event or log that is named: `inline_source.events[3].udm...`.
fn named(why: &str) -> Option<usize> {
    let rest = ["events[", "logs["].iter().find_map(|list| why.split_once(list)).map(|(_, rest)| rest)?;
    rest.split_once(']')?.0.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Finds the bad ones of a range as a run does; how many requests that takes.
    fn requests(bad: &[usize], count: usize, names: impl Fn(usize, usize) -> Option<usize>) -> usize {
        let (hints, mut requests, mut found) = (Hints::default(), 0, Vec::new());
        let mut open = vec![(0..count, Role::Any)];
        while let Some((part, role)) = open.pop() {
            requests += 1;
            let Some(first) = bad.iter().find(|at| part.contains(at)) else {
                hints.accepted(role);
                continue;
            };
            if part.len() == 1 {
                found.push(part.start);
                continue;
            }
            let said = names(first - part.start, part.len())
                .map(|at| format!("x inline_source.events[{at}].udm: y"));
            let (size, one, other) = hints.cut(part.len(), role, &said.unwrap_or_default());
            let middle = part.start + size;
            open.push((middle..part.end, other));
            open.push((part.start..middle, one));
        }
        assert_eq!(found, bad);
        requests
    }

    #[test]
    fn a_hint_saves_requests_and_a_wrong_one_costs_few() {
        for bad in [vec![0], vec![999], vec![500], vec![3, 4, 700], vec![0, 1, 2, 3], vec![250, 998, 999]] {
            let most = 1 + 2 * bad.len() * 11;
            let none = requests(&bad, 1000, |_, _| None);
            assert!(none <= most, "{bad:?} {none}");
            let right = requests(&bad, 1000, |at, _| Some(at));
            assert!(right <= 1 + 4 * bad.len(), "{bad:?} {right}");
            for wrong in [
                |_: usize, _: usize| Some(0),
                |_: usize, _: usize| Some(1),
                |at: usize, count: usize| Some((at + 1) % count),
                |at: usize, _: usize| Some(at.saturating_sub(1)),
                |_: usize, count: usize| Some(count - 1),
                |_: usize, _: usize| Some(usize::MAX),
            ] {
                let wrong = requests(&bad, 1000, wrong);
                assert!(wrong <= most + 2, "{bad:?} {wrong} {most}");
            }
        }
    }

    #[test]
    fn names_as_the_service_writes_them() {
        assert_eq!(named("HTTP 400: inline_source.events[3].udm.metadata: bad"), Some(3));
        assert_eq!(named("inlineSource.logs[0]"), Some(0));
        for none in
            ["", "events", "events[", "events[]", "events[-1]", "events[x]", "events[99999999999999999999]"]
        {
            assert_eq!(named(none), None, "{none}");
        }
    }
}

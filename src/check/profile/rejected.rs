//! Rejects by reason and by input, with the first of each, in bounded memory.

use crate::record::{Reason, RecordError};
use crate::text::cut;
use std::collections::BTreeMap;
use std::sync::Arc;

/// How many inputs with rejects are counted one by one: the first ones, whatever the order in which they are read.
const MOST_INPUTS: usize = 10_000;
/// How much of a message is kept.
const LONGEST: usize = 1_000;

/// The text that is read: its number among all, and its name.
pub(super) type TextAt = (usize, Arc<str>);

/// A reject, where it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Example {
    /// The text's number, and the byte in it: the first ones are kept.
    at: (usize, u64),
    pub(super) name: Arc<str>,
    pub(super) line: u64,
    pub(super) message: String,
}

/// Rejects that have something in common.
#[derive(Debug, Default)]
pub(super) struct Group {
    pub(super) rejects: u64,
    pub(super) by_reason: BTreeMap<Reason, u64>,
    pub(super) first: Option<Example>,
}

/// All rejects.
#[derive(Debug, Default)]
pub(super) struct Rejected {
    pub(super) by_reason: BTreeMap<Reason, Group>,
    pub(super) by_input: BTreeMap<usize, Group>,
    /// Rejects of further inputs.
    pub(super) elsewhere: u64,
}

impl Group {
    fn add(&mut self, text: &TextAt, (line, offset): (u64, u64), error: &RecordError) {
        self.rejects += 1;
        *self.by_reason.entry(error.reason).or_default() += 1;
        let at = (text.0, offset);
        if self.first.as_ref().is_none_or(|first| at < first.at) {
            let message = cut(&error.message, LONGEST).into_owned();
            self.first = Some(Example { at, name: Arc::clone(&text.1), line, message });
        }
    }

    fn merge(&mut self, other: Group) {
        self.rejects += other.rejects;
        other.by_reason.into_iter().for_each(|(reason, n)| *self.by_reason.entry(reason).or_default() += n);
        self.first = [self.first.take(), other.first].into_iter().flatten().min();
    }
}

impl Rejected {
    /// Adds a reject at this line and byte of a text.
    pub(super) fn add(&mut self, text: &TextAt, place: (u64, u64), error: &RecordError) {
        self.by_reason.entry(error.reason).or_default().add(text, place, error);
        self.by_input.entry(text.0).or_default().add(text, place, error);
        self.bound();
    }

    fn bound(&mut self) {
        while self.by_input.len() > MOST_INPUTS {
            self.elsewhere += self.by_input.pop_last().map_or(0, |(_, group)| group.rejects);
        }
    }

    pub(super) fn merge(&mut self, other: Rejected) {
        for (reason, group) in other.by_reason {
            self.by_reason.entry(reason).or_default().merge(group);
        }
        for (input, group) in other.by_input {
            self.by_input.entry(input).or_default().merge(group);
        }
        self.elsewhere += other.elsewhere;
        self.bound();
    }

    /// How many there are by reason.
    pub(super) fn counts(&self) -> BTreeMap<&'static str, u64> {
        self.by_reason.iter().map(|(reason, group)| (reason.code(), group.rejects)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_in_any_order_give_the_same() {
        let error = |n: usize| {
            let reason = if n.is_multiple_of(3) { Reason::InvalidJson } else { Reason::NoTimestamp };
            RecordError::new(reason, format!("m{n}"))
        };
        let part = |numbers: &mut dyn Iterator<Item = usize>| {
            let mut part = Rejected::default();
            for n in numbers {
                let text = (n / 2, Arc::from(format!("input {}", n / 2)));
                part.add(&text, (n as u64, n as u64), &error(n));
            }
            part
        };
        let all = 2 * MOST_INPUTS + 500;
        let whole = part(&mut (0..all));
        assert_eq!((whole.by_input.len(), whole.elsewhere), (MOST_INPUTS, 500));
        let first = &whole.by_reason[&Reason::NoTimestamp].first.as_ref().unwrap();
        assert_eq!((&*first.name, first.line, first.message.as_str()), ("input 0", 1, "m1"));
        let (mut odd, even) = (part(&mut (1..all).step_by(2)), part(&mut (0..all).step_by(2)));
        odd.merge(even);
        assert_eq!(format!("{odd:?}"), format!("{whole:?}"));
    }
}

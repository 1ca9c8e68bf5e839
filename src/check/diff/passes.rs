//! The passes in which unmatched events find their counterparts, each sorted outside of memory where it must be.

use super::unmatched::Unmatched;
use crate::check::compare::{Meaning, Pass, Side};
use crate::store::sort::Sorter;
use std::io;

/// The pass's key, the time, the event.
const RECORD: usize = 8 + 16 + Unmatched::BYTES;

/// How many events of a group are matched at once; larger groups are matched in parts.
const MOST: usize = 4096;

/// How many bytes the events of a group may have to be compared each with each.
const MOST_BYTES: u64 = 4 << 20;

/// The two sets whose events are matched.
pub(super) trait Sets {
    /// Reads an event.
    fn meaning(&mut self, event: &Unmatched) -> anyhow::Result<Meaning>;
    /// Takes two events that belong together.
    fn pair(&mut self, a: &Unmatched, b: &Unmatched) -> anyhow::Result<()>;
    /// Takes an event without a counterpart.
    fn alone(&mut self, event: &Unmatched) -> anyhow::Result<()>;
}

/// What waits for each pass.
#[derive(Debug)]
pub(super) struct Passes {
    waiting: Vec<Sorter<RECORD>>,
    /// What takes part in no pass any more.
    alone: Sorter<{ Unmatched::BYTES }>,
}

impl Passes {
    pub(super) fn new() -> Passes {
        Passes { waiting: Pass::ALL.iter().map(|_| Sorter::default()).collect(), alone: Sorter::default() }
    }

    /// Lets an event wait for the first pass that it takes part in.
    pub(super) fn add(&mut self, event: &Unmatched) -> io::Result<()> {
        self.add_from(0, event)
    }

    /// Lets an event wait for the first pass from this one on that it takes part in.
    fn add_from(&mut self, first: usize, event: &Unmatched) -> io::Result<()> {
        for (pass, waiting) in Pass::ALL.iter().zip(&mut self.waiting).skip(first) {
            if let Some(key) = pass.key(&event.keys) {
                let mut record = [0; RECORD];
                record[..8].copy_from_slice(&key.to_be_bytes());
                record[8..24].copy_from_slice(&event.keys.instant.to_be_bytes());
                record[24..].copy_from_slice(&event.encode());
                return waiting.push(record);
            }
        }
        self.alone.push(event.encode())
    }

    /// Runs all passes. `sets` gets the pairs, and in the end the events without a counterpart.
    pub(super) fn run(mut self, sets: &mut dyn Sets) -> anyhow::Result<()> {
        for (number, pass) in Pass::ALL.into_iter().enumerate() {
            let waiting = std::mem::take(&mut self.waiting[number]);
            let mut group: [Vec<Unmatched>; 2] = Default::default();
            // Whether the group continues one that was full.
            let (mut key, mut full) = ([0; 8], false);
            for record in waiting.sorted()? {
                let record = record?;
                let another = record[..8] != key;
                if another || group.iter().map(Vec::len).sum::<usize>() >= 2 * MOST {
                    let whole = another && !full;
                    self.group(number, pass, whole, &mut group, sets)?;
                    full = !another;
                    key.copy_from_slice(&record[..8]);
                }
                let event = Unmatched::decode(&record[24..]);
                group[event.side as usize].push(event);
            }
            self.group(number, pass, !full, &mut group, sets)?;
        }
        for event in self.alone.sorted()? {
            sets.alone(&Unmatched::decode(&event?))?;
        }
        Ok(())
    }

    /// Matches a group and empties it; `whole` says that it is not a part of a larger one.
    fn group(
        &mut self,
        number: usize,
        pass: Pass,
        whole: bool,
        group: &mut [Vec<Unmatched>; 2],
        sets: &mut dyn Sets,
    ) -> anyhow::Result<()> {
        let [of_a, of_b] = &*group;
        // Most are of one side only.
        if of_a.is_empty() || of_b.is_empty() {
            for event in group.iter_mut().flat_map(|side| side.drain(..)) {
                self.add_from(number + 1, &event)?;
            }
            return Ok(());
        }
        let mut event = |side: Side, place: usize| {
            sets.meaning(if side == Side::A { &of_a[place] } else { &of_b[place] })
        };
        let bytes: u64 = of_a.iter().chain(of_b).map(|event| u64::from(event.text.1)).sum();
        // In a part of a large group, the most alike of all can't be known.
        let pairs = if pass == Pass::Alike && !whole {
            Vec::new()
        } else {
            pass.pair(of_a.len(), of_b.len(), bytes <= MOST_BYTES, &mut event)?
        };
        let mut paired = [vec![false; of_a.len()], vec![false; of_b.len()]];
        for (place_a, place_b) in pairs {
            (paired[0][place_a], paired[1][place_b]) = (true, true);
            sets.pair(&of_a[place_a], &of_b[place_b])?;
        }
        for (event, paired) in of_a.iter().zip(&paired[0]).chain(of_b.iter().zip(&paired[1])) {
            if !paired {
                self.add_from(number + 1, event)?;
            }
        }
        group.iter_mut().for_each(Vec::clear);
        Ok(())
    }
}

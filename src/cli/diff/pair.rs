//! The rounds in which what is left finds its counterpart, each sorted outside of memory.

use super::book::Book;
use super::left::{LEFT, Left};
use super::side::Spool;
use crate::check::compare::{Meaning, Round, Rules, Side};
use crate::json::Tree;
use crate::store::sort::Sorter;

/// The round's key, the time, the event.
const RECORD: usize = 8 + 16 + LEFT;

/// How many events of a group are matched at once; larger groups are matched in parts.
const MOST: usize = 4096;

/// How many bytes the events of a group may have to be compared each with each.
const MOST_BYTES: u64 = 4 << 20;

/// What waits for each round.
#[derive(Debug)]
pub(super) struct Rounds {
    waiting: Vec<Sorter<RECORD>>,
    /// What takes part in no round any more.
    alone: Sorter<LEFT>,
}

impl Rounds {
    pub(super) fn new() -> Rounds {
        Rounds { waiting: Round::ALL.iter().map(|_| Sorter::default()).collect(), alone: Sorter::default() }
    }

    /// Lets an event wait for the first round from `from` on that it takes part in.
    pub(super) fn add(&mut self, left: Left, from: usize) -> std::io::Result<()> {
        for (round, waiting) in Round::ALL.iter().zip(&mut self.waiting).skip(from) {
            if let Some(key) = round.key(&left.keys) {
                let mut record = [0; RECORD];
                record[..8].copy_from_slice(&key.to_be_bytes());
                record[8..24].copy_from_slice(&left.keys.instant.to_be_bytes());
                record[24..].copy_from_slice(&left.bytes());
                return waiting.push(record);
            }
        }
        self.alone.push(left.bytes())
    }

    /// Runs all rounds; pairs, and what is alone in the end, go into the book.
    pub(super) fn run(mut self, rules: &Rules, spool: &mut Spool, book: &mut Book) -> anyhow::Result<()> {
        for (number, round) in Round::ALL.into_iter().enumerate() {
            let waiting = std::mem::take(&mut self.waiting[number]);
            let mut group: [Vec<Left>; 2] = Default::default();
            // Whether the group goes on from one that was full.
            let (mut key, mut full) = ([0; 8], false);
            for record in waiting.sorted()? {
                let record = record?;
                let another = record[..8] != key;
                if another || group.iter().map(Vec::len).sum::<usize>() >= 2 * MOST {
                    let whole = another && !full;
                    self.group(number, round, whole, &mut group, rules, spool, book)?;
                    full = !another;
                    key.copy_from_slice(&record[..8]);
                }
                let left = Left::of(&record[24..]);
                group[left.side as usize].push(left);
            }
            self.group(number, round, !full, &mut group, rules, spool, book)?;
        }
        for left in self.alone.sorted()? {
            book.alone(&Left::of(&left?), spool)?;
        }
        Ok(())
    }

    /// Matches a group; `whole` tells that it is no part of a larger one.
    #[allow(clippy::too_many_arguments)]
    fn group(
        &mut self,
        number: usize,
        round: Round,
        whole: bool,
        group: &mut [Vec<Left>; 2],
        rules: &Rules,
        spool: &mut Spool,
        book: &mut Book,
    ) -> anyhow::Result<()> {
        let [of_a, of_b] = std::mem::take(group);
        let mut event = |side: Side, place: usize| {
            let left = if side == Side::A { &of_a[place] } else { &of_b[place] };
            read(left, rules, spool)
        };
        let bytes: u64 = of_a.iter().chain(&of_b).map(|left| u64::from(left.kept.1)).sum();
        // A part of a large group says nothing of who is most alike in all of it.
        let pairs = if round == Round::Alike && !whole {
            Vec::new()
        } else {
            round.pair(of_a.len(), of_b.len(), bytes <= MOST_BYTES, &mut event)?
        };
        let mut paired = [vec![false; of_a.len()], vec![false; of_b.len()]];
        for (place_a, place_b) in pairs {
            (paired[0][place_a], paired[1][place_b]) = (true, true);
            let (a, b) = (&of_a[place_a], &of_b[place_b]);
            book.pair(a, b, &read(a, rules, spool)?, &read(b, rules, spool)?);
        }
        for (left, paired) in of_a.into_iter().zip(&paired[0]).chain(of_b.into_iter().zip(&paired[1])) {
            if !paired {
                self.add(left, number + 1)?;
            }
        }
        Ok(())
    }
}

fn read(left: &Left, rules: &Rules, spool: &mut Spool) -> anyhow::Result<Meaning> {
    let text = spool.get(left.kept.0, left.kept.1 as usize)?;
    let mut tree = Tree::default();
    Ok(Meaning::of(tree.read(&text)?, rules))
}

//! What a table makes of each record of a sample, in one bit, and where each record is.

use super::answer::Refusal;
use super::sample::{Sample, SampleChunk};
use super::work::Work;
use crate::convert::{Converter, Counts, Traced};
use crate::record::Reason;
use serde::Serialize;
use std::collections::BTreeMap;

/// What a table makes of a sample.
#[derive(Debug)]
pub(super) struct Index {
    pub(super) counts: Counts,
    /// How many records are before each chunk.
    before: Vec<u64>,
    /// Which records are rejects, 64 in each number.
    rejects: Vec<u64>,
    reasons: BTreeMap<Reason, (u64, u64)>,
}

/// Rejects of a reason.
#[derive(Debug, Serialize)]
pub(super) struct ReasonCount {
    pub(super) reason: &'static str,
    count: u64,
    /// The first of them.
    first: u64,
}

/// What all of a sample became, as the page shows it.
#[derive(Debug, Serialize)]
pub(super) struct Shown {
    records: u64,
    events: u64,
    rejects: u64,
    pub(super) by_reason: Vec<ReasonCount>,
    previous_reject: Option<u64>,
    next_reject: Option<u64>,
}

impl Index {
    /// Converts the whole sample.
    pub(super) fn of(converter: &Converter, sample: &Sample, work: &Work) -> Result<Index, Refusal> {
        let mut index = Index {
            counts: converter.counts(),
            before: Vec::with_capacity(sample.chunks.len()),
            rejects: Vec::new(),
            reasons: BTreeMap::new(),
        };
        let mut number = 0;
        for SampleChunk { chunk, .. } in &sample.chunks {
            work.go_on()?;
            index.before.push(number);
            let batch = converter.convert_chunk(chunk);
            // Which of them are rejects is asked only where there are some.
            if batch.rejects.is_empty() {
                number += batch.counts.records;
            } else {
                for record in batch.records() {
                    if let Err(reject) = record {
                        index.reject(number, reject.reason);
                    }
                    number += 1;
                }
            }
            index.counts.add(&batch.counts);
        }
        Ok(index)
    }

    fn reject(&mut self, number: u64, reason: Reason) {
        // At most as many as the sample has bytes.
        let at = (number / 64) as usize;
        if self.rejects.len() <= at {
            self.rejects.resize(at + 1, 0);
        }
        self.rejects[at] |= 1 << (number % 64);
        self.reasons.entry(reason).or_insert((0, number)).0 += 1;
    }

    fn is_reject(&self, number: u64) -> bool {
        self.rejects.get((number / 64) as usize).is_some_and(|bits| bits >> (number % 64) & 1 == 1)
    }

    /// The chunk that a record is in, by its number, and which of its records it is.
    pub(super) fn place_of(&self, number: u64) -> Option<(usize, u64)> {
        if number >= self.counts.records {
            return None;
        }
        let chunk = self.before.partition_point(|before| *before <= number) - 1;
        Some((chunk, number - self.before[chunk]))
    }

    /// The counts, seen from a record.
    pub(super) fn shown(&self, from: u64) -> Shown {
        let by_reason = self.reasons.iter().map(|(reason, (count, first))| ReasonCount {
            reason: reason.code(),
            count: *count,
            first: *first,
        });
        Shown {
            records: self.counts.records,
            events: self.counts.events,
            rejects: self.counts.rejects,
            by_reason: by_reason.collect(),
            previous_reject: (0..from).rev().find(|number| self.is_reject(*number)),
            next_reject: (from + 1..self.counts.records).find(|number| self.is_reject(*number)),
        }
    }
}

/// Hands the record with this number of a chunk to `look`.
pub(super) fn look_at<T>(
    converter: &Converter,
    chunk: &SampleChunk,
    number: u64,
    look: impl FnOnce(&Traced<'_>) -> T,
) -> Option<T> {
    let (mut at, mut look, mut seen) = (0, Some(look), None);
    converter.trace(&chunk.chunk.bytes, &chunk.chunk.body, &mut |record| {
        if at == number
            && let Some(look) = look.take()
        {
            seen = Some(look(record));
        }
        at += 1;
    });
    seen
}

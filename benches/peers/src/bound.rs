//! The machine's own bound for this job: read the input once, write as much as the events are.

use crate::harness::Job;
use std::hint::black_box;

/// Reads and writes, and converts nothing.
#[derive(Default)]
pub struct Bound {
    /// How many bytes are written for this many bytes read.
    events: u64,
}

/// As much input as the others convert at a time.
const BLOCK: usize = 128 * 1024;

impl Job for Bound {
    fn lines(&mut self, _lines: &[u8], _out: &mut Vec<u8>) {}

    fn all(&mut self, input: &[u8]) -> u64 {
        let mut out = vec![0; (BLOCK as u64 * self.events / input.len() as u64) as usize];
        let mut written = 0;
        for block in input.chunks(BLOCK) {
            let (words, _) = block.as_chunks::<8>();
            black_box(words.iter().fold(0, |all, word| all ^ u64::from_ne_bytes(*word)));
            out.fill(block[0]);
            written += black_box(&out).len() as u64;
        }
        written
    }

    fn expect(&mut self, events: u64) {
        self.events = events;
    }
}

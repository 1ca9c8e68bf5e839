//! Units out of a stream of JSON values, with their bytes.

use super::{HEAD, Item, ItemState};
use crate::record::split::{Flaw, Piece, Splitter};

/// The units that a splitter finds, with their bytes collected.
#[derive(Debug)]
pub(super) struct Units {
    splitter: Splitter,
    limit: usize,
    /// The beginning of the unit that has not ended, as much of it as may be wanted.
    kept: Vec<u8>,
    kept_at: u64,
    pieces: Vec<Piece>,
}

impl Units {
    pub(super) fn new(limit: usize, recovers: bool, offset: u64, line: u64) -> Units {
        let splitter = Splitter::new(limit as u64, recovers, offset, line);
        Units { splitter, limit, kept: Vec::new(), kept_at: offset, pieces: Vec::new() }
    }

    /// Takes a block of the stream that begins at `offset`.
    pub(super) fn feed(&mut self, block: &[u8], offset: u64, bytes: &mut Vec<u8>, items: &mut Vec<Item>) {
        self.splitter.feed(block, &mut self.pieces);
        self.collect(block, offset, bytes, items);
        match self.splitter.pending() {
            None => self.kept.clear(),
            Some(start) if start >= offset => {
                self.kept.clear();
                // Both offsets are within the block, whose length fits usize.
                self.kept.extend_from_slice(&block[(start - offset) as usize..]);
                self.kept_at = start;
            }
            Some(_) => self.kept.extend_from_slice(block),
        }
        self.kept.truncate(self.limit.max(HEAD));
    }

    pub(super) fn finish(&mut self, bytes: &mut Vec<u8>, items: &mut Vec<Item>) {
        self.splitter.finish(&mut self.pieces);
        self.collect(&[], self.splitter.offset(), bytes, items);
    }

    /// Makes items of the pieces that have ended in `block` or in what was kept from before it.
    fn collect(&mut self, block: &[u8], offset: u64, bytes: &mut Vec<u8>, items: &mut Vec<Item>) {
        for piece in self.pieces.drain(..) {
            let start = bytes.len();
            let wanted = match piece.flaw {
                Some(Flaw::TooLong) => piece.start + HEAD as u64,
                _ => piece.end,
            };
            let wanted = wanted.min(piece.end);
            // What lies before the block is in `kept`, so far as it is wanted.
            if piece.start < offset {
                let kept = &self.kept[(piece.start - self.kept_at) as usize..];
                let from_kept = (wanted - piece.start).min(kept.len() as u64) as usize;
                bytes.extend_from_slice(&kept[..from_kept]);
            }
            if wanted > offset && piece.start.max(offset) <= wanted {
                let from = (piece.start.max(offset) - offset) as usize;
                let to = (wanted - offset) as usize;
                bytes.extend_from_slice(&block[from..to]);
            }
            items.push(Item {
                range: start..bytes.len(),
                offset: piece.start,
                length: piece.end - piece.start,
                line: piece.line,
                state: match piece.flaw {
                    None => ItemState::Whole,
                    Some(Flaw::TooLong) => ItemState::TooLong,
                    Some(Flaw::Broken(why)) => ItemState::Broken(why),
                },
            });
        }
    }
}

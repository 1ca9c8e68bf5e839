//! Units out of a stream, with their bytes.

use super::line::LineCutter;
use super::{HEAD, Item};
use crate::record::split::{Piece, Splitter};

/// What says where the units are.
#[derive(Debug)]
pub(super) enum Cutter {
    /// Of a stream of JSON values.
    Values(Splitter),
    /// Of one line.
    Line(LineCutter),
}

/// The units that a cutter finds, with their bytes collected.
#[derive(Debug)]
pub(super) struct Units {
    cutter: Cutter,
    limit: usize,
    /// The beginning of the unit that has not ended, as much of it as may be wanted.
    kept: Vec<u8>,
    kept_at: u64,
    pieces: Vec<Piece>,
}

impl Units {
    pub(super) fn new(cutter: Cutter, limit: usize) -> Units {
        Units { cutter, limit, kept: Vec::new(), kept_at: 0, pieces: Vec::new() }
    }

    /// Adds a unit that was found by other means, before the first block.
    pub(super) fn begin_with(&mut self, piece: Piece, bytes: &[u8]) {
        self.kept_at = piece.start;
        self.kept.extend_from_slice(bytes);
        self.pieces.push(piece);
    }

    /// Takes a block of the stream that begins at `offset`. Where it shows that a line must be read
    /// again, gives the bytes before the block that are to be read again; then nothing of the block
    /// was taken.
    pub(super) fn feed(
        &mut self,
        block: &[u8],
        offset: u64,
        bytes: &mut Vec<u8>,
        items: &mut Vec<Item>,
    ) -> Option<Vec<u8>> {
        match &mut self.cutter {
            Cutter::Values(splitter) => drop(splitter.feed(block, &mut self.pieces)),
            Cutter::Line(cutter) => {
                let mut from = 0;
                while let Some(again) = cutter.feed(&block[from..], &mut self.pieces) {
                    if again < offset {
                        return Some(std::mem::take(&mut self.kept));
                    }
                    // It is within the block, whose length fits usize.
                    from = (again - offset) as usize;
                }
            }
        }
        self.collect(block, offset, bytes, items);
        let (pending, keeps) = match &self.cutter {
            Cutter::Values(splitter) => (splitter.pending(), splitter.keeps()),
            Cutter::Line(cutter) => (cutter.pending(), cutter.keeps()),
        };
        match pending {
            None => self.kept.clear(),
            Some(start) if start >= offset => {
                self.kept.clear();
                // Both offsets are within the block.
                self.kept.extend_from_slice(&block[(start - offset) as usize..]);
                self.kept_at = start;
            }
            Some(_) => self.kept.extend_from_slice(block),
        }
        // It fits: the limit does.
        self.kept.truncate((keeps as usize).max(HEAD));
        None
    }

    /// Whether a line has had nothing in it.
    pub(super) fn is_blank(&self) -> bool {
        matches!(&self.cutter, Cutter::Line(cutter) if cutter.is_blank())
    }

    pub(super) fn finish(&mut self, bytes: &mut Vec<u8>, items: &mut Vec<Item>) {
        let end = match &mut self.cutter {
            Cutter::Values(splitter) => {
                splitter.finish(&mut self.pieces);
                splitter.offset()
            }
            Cutter::Line(cutter) => {
                let end = cutter.offset();
                cutter.finish(&mut self.pieces);
                end
            }
        };
        self.collect(&[], end, bytes, items);
    }

    /// Makes items of the pieces that have ended in `block` or in what was kept from before it.
    fn collect(&mut self, block: &[u8], offset: u64, bytes: &mut Vec<u8>, items: &mut Vec<Item>) {
        for piece in self.pieces.drain(..) {
            let start = bytes.len();
            let wanted = piece.start + Item::kept(&piece, self.limit);
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
            items.push(Item::of(&piece, start..bytes.len()));
        }
    }
}

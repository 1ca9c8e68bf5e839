//! Units out of a stream, with their bytes.

use super::HEAD;
use super::line::LineCutter;
use super::span::UnitSpan;
use super::split::Splitter;
use super::unit::Unit;

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
pub(super) struct UnitCollector {
    cutter: Cutter,
    limit: usize,
    /// The beginning of the unit that has not ended, as much of it as may be wanted.
    kept: Vec<u8>,
    kept_at: u64,
    /// The beginning of the unit behind it, where there may be one, and where that is.
    next: Vec<u8>,
    next_at: Option<u64>,
    spans: Vec<UnitSpan>,
}

impl UnitCollector {
    pub(super) fn new(cutter: Cutter, limit: usize) -> UnitCollector {
        UnitCollector {
            cutter,
            limit,
            kept: Vec::new(),
            kept_at: 0,
            next: Vec::new(),
            next_at: None,
            spans: Vec::new(),
        }
    }

    /// Adds a unit that was found by other means, before the first block.
    pub(super) fn begin_with(&mut self, span: UnitSpan, bytes: &[u8]) {
        self.kept_at = span.start;
        self.kept.extend_from_slice(bytes);
        self.spans.push(span);
    }

    /// Takes a block of the stream that begins at `offset`. Where it shows that a line must be read
    /// again, gives the bytes before the block that are to be read again; then nothing of the block
    /// was taken.
    pub(super) fn feed(
        &mut self,
        block: &[u8],
        offset: u64,
        bytes: &mut Vec<u8>,
        units: &mut Vec<Unit>,
    ) -> Option<Vec<u8>> {
        match &mut self.cutter {
            Cutter::Values(splitter) => drop(splitter.feed(block, &mut self.spans)),
            Cutter::Line(cutter) => {
                let mut from = 0;
                while let Some(again) = cutter.feed(&block[from..], &mut self.spans) {
                    if again < offset {
                        // What has ended before it.
                        self.collect(block, offset, bytes, units);
                        self.move_to(again);
                        return Some(std::mem::take(&mut self.kept));
                    }
                    // It is within the block, whose length fits usize.
                    from = (again - offset) as usize;
                }
            }
        }
        self.collect(block, offset, bytes, units);
        let (pending, next, keeps) = match &self.cutter {
            Cutter::Values(splitter) => (splitter.pending(), None, splitter.keeps()),
            Cutter::Line(cutter) => (cutter.pending(), cutter.next(), cutter.keeps()),
        };
        // Both offsets are within the block.
        let of_block = |start: u64| &block[(start - offset) as usize..];
        match pending {
            None => self.kept.clear(),
            Some(start) if start >= offset => {
                self.kept.clear();
                self.kept.extend_from_slice(of_block(start));
                self.kept_at = start;
            }
            Some(start) => {
                self.move_to(start);
                self.kept.extend_from_slice(block);
            }
        }
        match next {
            None => self.next.clear(),
            Some(start) if start >= offset => {
                self.next.clear();
                self.next.extend_from_slice(of_block(start));
            }
            Some(_) => self.next.extend_from_slice(block),
        }
        self.next_at = next;
        // It fits: the limit does.
        self.kept.truncate((keeps as usize).max(HEAD));
        None
    }

    /// Keeps what begins at `start`, which lies before the block: in the pending unit, or behind it.
    fn move_to(&mut self, start: u64) {
        if start == self.kept_at {
            return;
        }
        if self.next_at == Some(start) {
            std::mem::swap(&mut self.kept, &mut self.next);
        } else {
            // It fits: it is at most as much as is kept.
            let before = (start.saturating_sub(self.kept_at)).min(self.kept.len() as u64) as usize;
            self.kept.drain(..before);
        }
        self.kept_at = start;
    }

    /// Whether a line has had nothing in it.
    pub(super) fn is_blank(&self) -> bool {
        matches!(&self.cutter, Cutter::Line(cutter) if cutter.is_blank())
    }

    pub(super) fn finish(&mut self, bytes: &mut Vec<u8>, units: &mut Vec<Unit>) {
        let end = match &mut self.cutter {
            Cutter::Values(splitter) => {
                splitter.finish(&mut self.spans);
                splitter.offset()
            }
            Cutter::Line(cutter) => {
                let end = cutter.offset();
                cutter.finish(&mut self.spans);
                end
            }
        };
        self.collect(&[], end, bytes, units);
    }

    /// Makes items of the pieces that have ended in `block` or in what was kept from before it.
    fn collect(&mut self, block: &[u8], offset: u64, bytes: &mut Vec<u8>, units: &mut Vec<Unit>) {
        let mut spans = std::mem::take(&mut self.spans);
        for span in spans.drain(..) {
            let start = bytes.len();
            let kept_end = span.start + Unit::kept(&span, self.limit);
            // What lies before the block is in `kept`, so far as it is wanted.
            if span.start < offset {
                self.move_to(span.start);
                let from_kept = (kept_end - span.start).min(self.kept.len() as u64) as usize;
                bytes.extend_from_slice(&self.kept[..from_kept]);
            }
            if kept_end > offset && span.start.max(offset) <= kept_end {
                let from = (span.start.max(offset) - offset) as usize;
                let to = (kept_end - offset) as usize;
                bytes.extend_from_slice(&block[from..to]);
            }
            units.push(Unit::of(&span, start..bytes.len()));
        }
        self.spans = spans;
    }
}

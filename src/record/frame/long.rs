//! Long lines, block by block.

use super::collector::{Cutter, UnitCollector};
use super::line::LineCutter;
use super::unit::Unit;

/// A line that is too long to be looked at as a whole. Only what may still be wanted of it is kept.
#[derive(Debug)]
pub(super) struct LongLine {
    units: UnitCollector,
    /// What is to be read again, and how much of it was.
    again: Vec<u8>,
    done: usize,
}

impl LongLine {
    /// The line of this number, which begins at `offset`.
    pub(super) fn new(limit: usize, offset: u64, number: u64) -> LongLine {
        let cutter = Cutter::Line(LineCutter::new(limit, offset, number));
        LongLine { units: UnitCollector::new(cutter, limit), again: Vec::new(), done: 0 }
    }

    /// Reads some of what is to be read again, up to `most` bytes, which all lies before `offset`;
    /// whether there was anything.
    pub(super) fn reread(
        &mut self,
        most: usize,
        offset: u64,
        bytes: &mut Vec<u8>,
        units: &mut Vec<Unit>,
    ) -> bool {
        let again = std::mem::take(&mut self.again);
        let rest = &again[self.done..];
        if rest.is_empty() {
            return false;
        }
        let block = &rest[..most.min(rest.len())];
        let before = self.units.feed(block, offset - rest.len() as u64, bytes, units);
        match before {
            // An array inside of what is read again: all of it is to be read once more.
            Some(mut more) => {
                more.extend_from_slice(rest);
                (self.again, self.done) = (more, 0);
            }
            None => {
                self.done += block.len();
                self.again = again;
            }
        }
        true
    }

    /// Takes a part of the line, without its newline, that begins at `offset`; `false` if it is to be
    /// given again, after what is to be read again.
    pub(super) fn feed(
        &mut self,
        part: &[u8],
        offset: u64,
        bytes: &mut Vec<u8>,
        units: &mut Vec<Unit>,
    ) -> bool {
        let again = self.units.feed(part, offset, bytes, units);
        let taken = again.is_none();
        (self.again, self.done) = (again.unwrap_or_default(), 0);
        taken
    }

    /// Ends the line; whether it was blank.
    pub(super) fn finish(mut self, bytes: &mut Vec<u8>, units: &mut Vec<Unit>) -> bool {
        self.units.finish(bytes, units);
        self.units.is_blank()
    }
}

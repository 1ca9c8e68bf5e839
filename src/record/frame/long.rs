//! Lines beyond the limit.

use super::units::Units;
use super::{HEAD, Item, ItemState};
use crate::record::syntax::{is_space, trim};

/// A line beyond the limit: an array is opened, its elements are the units; anything else is too
/// long. Only what may still be wanted of it is kept.
#[derive(Debug, Default)]
pub(super) struct LongLine {
    /// Where its first byte that is not white space stands.
    start: Option<u64>,
    length: u64,
    kept: Vec<u8>,
    array: Option<Units>,
    ends_with_return: bool,
}

pub(super) enum Finished {
    Blank,
    Units,
}

impl LongLine {
    /// Takes a part of the line, without its newline, that begins at `offset`. Where that shows the
    /// line to be an array beyond the limit, gives back all of it, to be fed again from the start.
    pub(super) fn feed(
        &mut self,
        part: &[u8],
        offset: u64,
        number: u64,
        limit: usize,
        bytes: &mut Vec<u8>,
        items: &mut Vec<Item>,
    ) -> Option<Vec<u8>> {
        let mut part = part;
        let mut offset = offset;
        if self.start.is_none() {
            let leading = part.iter().position(|b| !is_space(*b))?;
            part = &part[leading..];
            offset += leading as u64;
            self.start = Some(offset);
        }
        if let Some(units) = &mut self.array {
            // A carriage return before the newline is none of the array's.
            if !part.is_empty() && std::mem::take(&mut self.ends_with_return) {
                units.feed(b"\r", offset - 1, bytes, items);
            }
            if let Some(body) = part.strip_suffix(b"\r") {
                part = body;
                self.ends_with_return = true;
            }
            units.feed(part, offset, bytes, items);
            return None;
        }
        self.ends_with_return = *part.last()? == b'\r';
        self.length += part.len() as u64;
        self.kept.extend_from_slice(part);
        // One more byte than the limit may be a carriage return.
        if self.length > limit as u64 + 1 {
            if self.kept.first() == Some(&b'[') {
                self.array = Some(Units::new(limit, false, self.start.unwrap_or(offset), number));
                self.ends_with_return = false;
                return Some(std::mem::take(&mut self.kept));
            }
            self.kept.truncate(HEAD);
        }
        None
    }

    pub(super) fn finish(
        self,
        number: u64,
        limit: usize,
        bytes: &mut Vec<u8>,
        items: &mut Vec<Item>,
    ) -> Finished {
        let Some(start) = self.start else { return Finished::Blank };
        if let Some(mut units) = self.array {
            units.finish(bytes, items);
            return Finished::Units;
        }
        let length = self.length - u64::from(self.ends_with_return);
        if length <= limit as u64 {
            let at = bytes.len();
            bytes.extend_from_slice(trim(&self.kept));
            let length = (bytes.len() - at) as u64;
            items.push(Item {
                range: at..bytes.len(),
                offset: start,
                length,
                line: number,
                state: ItemState::Whole,
            });
        } else {
            // Exactly one byte over the limit: nothing was decided on the way.
            long_line(&self.kept, length, start, number, limit, bytes, items);
        }
        Finished::Units
    }
}

/// The units of a line of `length` bytes that is longer than the limit, of which `kept` is the
/// beginning (all of it, if it is an array). Their bytes go to the end of `bytes`.
pub(super) fn long_line(
    kept: &[u8],
    length: u64,
    offset: u64,
    number: u64,
    limit: usize,
    bytes: &mut Vec<u8>,
    items: &mut Vec<Item>,
) {
    if kept.first() == Some(&b'[') {
        let mut units = Units::new(limit, false, offset, number);
        units.feed(kept, offset, bytes, items);
        return units.finish(bytes, items);
    }
    let at = bytes.len();
    let head = (HEAD as u64).min(length).min(kept.len() as u64) as usize;
    bytes.extend_from_slice(&kept[..head]);
    items.push(Item { range: at..bytes.len(), offset, length, line: number, state: ItemState::TooLong });
}

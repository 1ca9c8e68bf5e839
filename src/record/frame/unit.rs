//! A unit, and where in the stream it and the records in it are.

use super::HEAD;
use super::span::{BREAKS_OFF, Defect, UnitSpan};
use crate::record::exact;
use crate::record::{Fault, Reason};
use std::ops::Range;

/// A unit on its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unit {
    /// Its bytes in the chunk; the first [`HEAD`](super::HEAD) of them if it is too long, or too
    /// deep and longer than 1 MiB.
    pub range: Range<usize>,
    /// Where in the stream it begins.
    pub offset: u64,
    /// Its length in the stream, in bytes.
    pub length: u64,
    /// The line on which it begins, from 1.
    pub line: u64,
    /// Where on that line it begins, in bytes, from 1.
    pub column: u64,
    /// Whether it can be read.
    pub state: UnitState,
    /// Whether its line has no other unit. Meaningless for values over several lines.
    pub alone: bool,
}

/// Whether an [`Unit`] can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnitState {
    /// It is whole.
    Whole,
    /// It is longer than the limit.
    TooLong,
    /// It is nested deeper than 127 levels, and long: it was not kept.
    TooDeep,
    /// It is not JSON in its place; a sentence says why.
    Broken(&'static str),
}

impl Unit {
    pub(super) fn of(span: &UnitSpan, range: Range<usize>) -> Unit {
        Unit {
            range,
            offset: span.start,
            length: span.end - span.start,
            line: span.line,
            column: span.column,
            state: match span.defect {
                None => UnitState::Whole,
                Some(Defect::TooLong) => UnitState::TooLong,
                Some(Defect::TooDeep) => UnitState::TooDeep,
                Some(Defect::Broken(why)) => UnitState::Broken(why),
            },
            alone: true,
        }
    }

    /// How many of a piece's bytes are kept, where `limit` is the framer's.
    pub(super) fn kept(span: &UnitSpan, limit: usize) -> u64 {
        let length = span.end - span.start;
        match span.defect {
            Some(Defect::TooLong | Defect::TooDeep) => length.min(HEAD as u64),
            _ => length.min(limit.max(HEAD) as u64),
        }
    }

    /// Why the unit can't be read, if it is not [`UnitState::Whole`]; `limit` is the framer's.
    pub fn fault(&self, bytes: &[u8], limit: usize) -> Option<Fault> {
        Some(match self.state {
            UnitState::Whole => return None,
            UnitState::TooLong => {
                let message = format!("{} bytes, over the limit of {limit} for a record", self.length);
                Fault::new(Reason::TooLong, message)
            }
            UnitState::TooDeep => Fault::too_deep(),
            // Where it can be said what is wrong with it, and not only with its place.
            UnitState::Broken(why) => match exact::check(bytes) {
                Err(fault) if why == BREAKS_OFF => self.place(fault, bytes),
                _ => Fault::new(Reason::InvalidJson, why),
            },
        })
    }

    /// The fault with the place that it was found at in the unit's bytes added to its message, as a
    /// place of the stream.
    pub fn place(&self, mut fault: Fault, bytes: &[u8]) -> Fault {
        let Some(at) = fault.at.take() else { return fault };
        let before = &bytes[..at.min(bytes.len())];
        let place = match memchr::memrchr(b'\n', before) {
            None => format!("at column {}", self.column + before.len() as u64),
            Some(newline) => {
                let line = self.line + memchr::memchr_iter(b'\n', before).count() as u64;
                format!("at line {line}, column {}", before.len() - newline)
            }
        };
        // What it looks like comes last.
        let (what, looks) =
            fault.message.split_once(';').map_or((&*fault.message, None), |(a, b)| (a, Some(b)));
        fault.message = match looks {
            None => format!("{what} {place}"),
            Some(looks) => format!("{what} {place};{looks}"),
        };
        fault
    }
}

/// Where the records of a unit are, which are asked for in order: what was passed is not looked at again.
#[derive(Debug)]
pub(crate) struct RecordPlaces<'a> {
    unit: &'a Unit,
    bytes: &'a [u8],
    at: usize,
    line: u64,
    column: u64,
}

impl<'a> RecordPlaces<'a> {
    pub(crate) fn new(unit: &'a Unit, bytes: &'a [u8]) -> RecordPlaces<'a> {
        RecordPlaces { unit, bytes, at: 0, line: unit.line, column: unit.column }
    }

    /// The record at this range of the unit's bytes.
    pub(crate) fn of(&mut self, range: &Range<usize>) -> Unit {
        if range.start < self.at {
            *self = RecordPlaces::new(self.unit, self.bytes);
        }
        let passed = &self.bytes[self.at..range.start];
        self.at = range.start;
        self.column = match memchr::memrchr(b'\n', passed) {
            Some(newline) => (passed.len() - newline) as u64,
            None => self.column + passed.len() as u64,
        };
        self.line += memchr::memchr_iter(b'\n', passed).count() as u64;
        Unit {
            line: self.line,
            column: self.column,
            offset: self.unit.offset + range.start as u64,
            length: range.len() as u64,
            ..self.unit.clone()
        }
    }
}

//! What the framer gives: a part of a stream, and where the units in it are.

use super::line::{LineCutter, is_one_unit};
use super::span::UnitSpan;
use super::unit::{Unit, UnitState};
use crate::record::boundaries::{is_space, trim};

/// A part of a stream that holds whole units.
#[derive(Debug, Default)]
pub struct Chunk {
    /// The bytes that the units lie in, and room behind them.
    pub bytes: Vec<u8>,
    /// Where the units are.
    pub body: ChunkBody,
}

/// Where a [`Chunk`]'s units are.
#[derive(Debug)]
pub enum ChunkBody {
    /// Each line is a unit, or several: JSON values one after the other. Blank ones hold nothing.
    Lines {
        /// Where in the stream the chunk begins.
        offset: u64,
        /// The number of its first line, from 1.
        line: u64,
        /// Where in the chunk the last line ends.
        end: usize,
    },
    /// These are the units.
    Units {
        /// The units, in order.
        units: Vec<Unit>,
        /// Blank lines that were passed.
        blank: u64,
        /// Where in the stream the chunk ends.
        end: u64,
    },
}

impl ChunkBody {
    /// Where in the stream the chunk ends: all its units do before.
    pub fn end(&self) -> u64 {
        match self {
            ChunkBody::Lines { offset, end, .. } => offset + *end as u64,
            ChunkBody::Units { end, .. } => *end,
        }
    }

    /// Hands each unit with its bytes, which lie in `chunk`, to `each`, in order; adds blank lines
    /// to `blank`. `limit` is the framer's.
    pub fn units(&self, chunk: &[u8], limit: usize, each: &mut dyn FnMut(&Unit, &[u8]), blank: &mut u64) {
        let mut each = |unit: &Unit, bytes: &[u8], is_cut: bool| {
            if is_cut {
                each(unit, bytes);
            }
            is_cut
        };
        self.known_units(chunk, limit, &mut each, blank);
    }

    /// Does the same for one who knows some JSON values by their bytes: what may be one is first handed to `each` with
    /// `false`, a whole line without a look into it. If `each` says that it took it, that is all.
    pub(crate) fn known_units(&self, chunk: &[u8], limit: usize, each: &mut Each<'_>, blank: &mut u64) {
        match self {
            ChunkBody::Units { units, blank: passed, .. } => {
                *blank += passed;
                units.iter().for_each(|unit| ask(unit, &chunk[unit.range.clone()], each));
            }
            ChunkBody::Lines { offset, line, end } => {
                let (mut offset, mut number) = (*offset, *line);
                let mut rest = &chunk[..*end];
                while !rest.is_empty() {
                    let (lines, bytes) = blank_lines(rest);
                    *blank += lines;
                    number += lines;
                    offset += bytes as u64;
                    rest = &rest[bytes..];
                    let end = memchr::memchr(b'\n', rest).map_or(rest.len(), |at| at + 1);
                    if end > 0 {
                        self::line(&rest[..end], offset, number, limit, each, blank);
                        offset += end as u64;
                        number += 1;
                    }
                    rest = &rest[end..];
                }
            }
        }
    }
}

/// Takes a unit with its bytes, or, with `false`, what may be one, if it is known; whether it was taken.
pub(crate) type Each<'e> = dyn FnMut(&Unit, &[u8], bool) -> bool + 'e;

fn ask(unit: &Unit, bytes: &[u8], each: &mut Each<'_>) {
    if unit.state != UnitState::Whole || !each(unit, bytes, false) {
        each(unit, bytes, true);
    }
}

/// How many whole lines of white space `text` begins with, and how many bytes they have.
#[inline]
pub(crate) fn blank_lines(text: &[u8]) -> (u64, usize) {
    let (mut lines, mut bytes) = (0, 0);
    for (at, byte) in text.iter().enumerate() {
        match byte {
            b'\n' => (lines, bytes) = (lines + 1, at + 1),
            b'\r' | b' ' | b'\t' => {}
            _ => break,
        }
    }
    (lines, bytes)
}

/// Hands the units of one line, which begins at `offset` and has this number, to `each`: none if it
/// is blank, the elements of an array if it is one beyond the limit.
pub(crate) fn line(
    line: &[u8],
    offset: u64,
    number: u64,
    limit: usize,
    each: &mut Each<'_>,
    blank: &mut u64,
) {
    let solid = trim(line);
    if solid.is_empty() {
        *blank += 1;
        return;
    }
    if solid.len() <= limit {
        let leading = line.iter().take_while(|b| is_space(**b)).count() as u64;
        let (start, end) = (offset + leading, offset + leading + solid.len() as u64);
        let span = UnitSpan { start, end, line: number, column: leading + 1, defect: None };
        let unit = Unit::of(&span, 0..solid.len());
        if each(&unit, solid, false) {
            return;
        }
        if is_one_unit(solid) {
            each(&unit, solid, true);
            return;
        }
    }
    let mut cutter = LineCutter::new(limit, offset, number);
    let (mut spans, mut from) = (Vec::new(), 0);
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    while let Some(again) = cutter.feed(&line[from..], &mut spans) {
        // It is within the line, whose length fits usize.
        from = (again - offset) as usize;
    }
    cutter.finish(&mut spans);
    *blank += u64::from(cutter.is_blank());
    for span in &spans {
        let start = (span.start - offset) as usize;
        let bytes = &line[start..start + Unit::kept(span, limit) as usize];
        ask(&Unit { alone: spans.len() == 1, ..Unit::of(span, 0..bytes.len()) }, bytes, each);
    }
}

impl Default for ChunkBody {
    fn default() -> ChunkBody {
        ChunkBody::Lines { offset: 0, line: 1, end: 0 }
    }
}

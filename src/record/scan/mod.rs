//! The fast reader of records that are lines: the same fields as [`super::exact`], or none.
//!
//! Three layers, each of which hands on what it is not sure of:
//! 1. [`shape`] compares a record with what records before it looked like ([`layout`]), all literals
//!    of it and each number;
//! 2. [`walk`] parses a record of any shape;
//! 3. what is left is a line for the exact reader.
//!
//! No layer rejects anything: a record is either read in full and right, or handed on.

mod keys;
mod layout;
mod shape;
mod value;
mod walk;

use super::wanted::Wanted;
use crate::simd::{Cpu, Input, Span, VALUES};
use keys::Keys;
use shape::Shapes;
use walk::{Found, Walk};

/// The most slots that this reader can fill.
pub(crate) const MOST_SLOTS: usize = 64;
/// The place among the values of those that fill no slot: nobody looks at it.
const NO_PLACE: u8 = VALUES as u8 - 1;
const _: () = assert!(MOST_SLOTS < NO_PLACE as usize);
/// How much of the scratch is left to the caller.
pub(crate) const OWN_BYTES: usize = 128;

/// Reads records, and remembers what they look like.
#[derive(Debug, Clone)]
pub(crate) struct Scanner {
    keys: Keys,
    shapes: Shapes,
    found: Found,
}

impl Scanner {
    /// A scanner for these fields; records with one of the keys in `exact` at their top go to the
    /// exact reader. Nothing if there are more fields than it can hold.
    pub(crate) fn new(wanted: &Wanted, exact: &[String]) -> Option<Scanner> {
        Some(Scanner { keys: Keys::new(wanted, exact)?, shapes: Shapes::new(), found: Found::default() })
    }

    /// Reads the record that is the line at `start`: where that ends, behind its newline, and the
    /// slots that are present. Nothing if it is a line for the exact reader.
    #[inline(always)]
    pub(crate) fn record<C: Cpu>(&mut self, cpu: C, input: Input<'_>, start: usize) -> Option<(usize, u64)> {
        let Scanner { keys, shapes, found } = self;
        if let Some(fit) = shapes.fit(cpu, input, start, &mut found.spans) {
            return Some(fit);
        }
        let learn = shapes.wants();
        let end = cpu.apart(Walk { keys, input, start, learn, found })?;
        if found.learnable {
            shapes.learn(input.bytes(), start..end, found);
        }
        Some((end, found.present))
    }

    /// The values of the record that was read, by slot, and then room for the caller's own; and the
    /// scratch that holds those that had escapes, spelled as the output spells them. Its first
    /// [`OWN_BYTES`] are the caller's too.
    #[inline(always)]
    pub(crate) fn values(&mut self) -> (&mut [Span; VALUES], &mut [u8]) {
        (&mut self.found.spans, &mut self.found.scratch)
    }
}

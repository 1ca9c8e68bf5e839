//! The layers, one after the other.

use super::keys::Keys;
use super::shape::Shapes;
use super::walk::{Found, Walk};
use crate::record::Projection;
use crate::simd::{Cpu, Input, Span, VALUES};

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
    pub(crate) fn new(projection: &Projection, exact: &[String]) -> Option<Scanner> {
        Some(Scanner { keys: Keys::new(projection, exact)?, shapes: Shapes::new(), found: Found::default() })
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
    /// [`OWN_BYTES`](super::OWN_BYTES) are the caller's too.
    #[inline(always)]
    pub(crate) fn values(&mut self) -> (&mut [Span; VALUES], &mut [u8]) {
        (&mut self.found.spans, &mut self.found.scratch)
    }
}

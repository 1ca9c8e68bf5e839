//! The layers, one after the other.

use super::OWN_BYTES;
use super::keys::{KeyTable, ListSlots, TopKeys};
use super::shape::Shapes;
use super::walk::{RecordWalk, Scanned};
use crate::record::Projection;
use crate::simd::{ByteSpan, Cpu, PaddedInput, VALUES};

/// Reads records, and remembers what they look like.
#[derive(Debug, Clone)]
pub(crate) struct Scanner {
    keys: KeyTable,
    shapes: Shapes,
    found: Scanned,
}

impl Scanner {
    /// A scanner for these fields. Of the slots in `telling`, records that look alike have the same
    /// texts; of those in `read` the values are wanted. Nothing if there are more fields than it can hold.
    pub(crate) fn new(projection: &Projection, top: &TopKeys, telling: u64, read: u64) -> Option<Scanner> {
        let keys = KeyTable::new(projection, top)?;
        let read = keys.texts().iter().fold(read, |read, list| read | 1 << list.last);
        Some(Scanner { keys, shapes: Shapes::new(read), found: Scanned::new(telling) })
    }

    /// The lists of texts among the fields. The texts of one follow each other as the output spells that.
    pub(crate) fn texts(&self) -> &[ListSlots] {
        self.keys.texts()
    }

    /// Reads the record that is the line at `start`. Nothing if it is a line for the exact reader.
    #[inline(always)]
    pub(crate) fn record<C: Cpu>(
        &mut self,
        cpu: C,
        input: PaddedInput<'_>,
        start: usize,
    ) -> Option<RecordFound<'_>> {
        let Scanner { keys, shapes, found } = self;
        if let Some((end, number)) = shapes.fit(cpu, input, start, &mut found.spans) {
            let shape = shapes.hit(number);
            // All values are in the input.
            found.scratch.truncate(OWN_BYTES);
            return Some(RecordFound {
                end,
                present: shape.present,
                formed: shape.formed,
                note: Some(&mut shape.note),
                values: &mut found.spans,
                scratch: &mut found.scratch,
            });
        }
        let learn = shapes.wants();
        let end = cpu.apart(RecordWalk { keys, input, start, learn, found })?;
        if found.learnable {
            shapes.learn(input.bytes(), start..end, found);
        }
        Some(RecordFound {
            end,
            present: found.present,
            formed: 0,
            note: None,
            values: &mut found.spans,
            scratch: &mut found.scratch,
        })
    }
}

/// A record that was read.
#[derive(Debug)]
pub(crate) struct RecordFound<'s> {
    /// Where its line ends, behind the newline.
    pub(crate) end: usize,
    /// The slots that are present, and [`STRANGER`](super::STRANGER).
    pub(crate) present: u64,
    /// The slots whose values are numbers or times, of the one length and form that they have in all
    /// records that share the note.
    pub(crate) formed: u64,
    /// What was noted of the records that look like this one, if such are known; 0 at first.
    pub(crate) note: Option<&'s mut u32>,
    /// The values, by slot, and then room for the caller's own.
    pub(crate) values: &'s mut [ByteSpan; VALUES],
    /// What holds the values that had escapes, spelled as the output spells them. Its first
    /// [`OWN_BYTES`](super::OWN_BYTES) are the caller's too, and what is added to it.
    pub(crate) scratch: &'s mut Vec<u8>,
}

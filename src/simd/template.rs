//! Texts that are the same but for some values.

use super::cpu::{BLOCK, WIDE};
use super::input::{ByteSpan, IN_SCRATCH, PaddedInput};

/// How many values a template can choose from.
pub(crate) const VALUES: usize = 1 << u8::BITS;

/// Constant pieces and, between them, values: the text of events that have the same fields.
#[derive(Debug, Clone, Default)]
pub(crate) struct Template {
    /// All constants, one after the other, and [`MORE`].
    constants: Vec<u8>,
    steps: Vec<CopyStep>,
    /// The length of the constant behind the last step.
    last: usize,
    /// The most that one event takes, if its values are no longer than a block, and [`MORE`] that
    /// is written past its end.
    room: usize,
}

/// A constant, and the value behind it.
#[derive(Debug, Clone, Copy)]
struct CopyStep {
    len: u32,
    value: u8,
}

impl Template {
    /// A constant before each value, which is one of [`VALUES`], and a last one.
    pub(crate) fn new(pieces: &[(&[u8], u8)], last: &[u8]) -> Template {
        let mut constants = Vec::new();
        let mut steps = Vec::new();
        for (constant, value) in pieces {
            constants.extend_from_slice(constant);
            steps.push(CopyStep { len: constant.len() as u32, value: *value });
        }
        constants.extend_from_slice(last);
        let room = constants.len() + steps.len() * BLOCK + MORE;
        constants.extend_from_slice(&[0; MORE]);
        Template { constants, steps, last: last.len(), room }
    }

    /// Appends the constants with the values between them to `out`.
    #[inline(always)]
    pub(crate) fn append(
        &self,
        out: &mut Vec<u8>,
        input: PaddedInput<'_>,
        scratch: &[u8],
        values: &[ByteSpan; VALUES],
    ) {
        let from = input.bytes.as_ptr();
        // The place in the scratch before which a whole block can be read.
        let scratch_end = scratch.len().saturating_sub(BLOCK - 1);
        if out.capacity() - out.len() < self.room {
            more_room(out, self.room);
        }
        // SAFETY: the place behind the last byte.
        let mut to = unsafe { out.as_mut_ptr().add(out.len()) };
        let mut constant = self.constants.as_ptr();
        for step in &self.steps {
            let len = step.len as usize;
            // SAFETY: `constant` is where this step's constant begins, since all before it have
            // been passed by their lengths; `MORE` can be read behind the last one. From
            // `to` on there is `room` for all that is written from here on.
            unsafe {
                copy_wide(constant, to, len);
                constant = constant.add(len);
                to = to.add(len);
            }
            let ByteSpan { start, len } = values[usize::from(step.value)];
            let (start, len) = (start as usize, len as usize);
            if len <= BLOCK && start < input.end {
                // SAFETY: a block can be read before `end`, and `room` has a block for each value
                // besides the constants.
                unsafe {
                    std::ptr::copy_nonoverlapping(from.add(start), to, BLOCK);
                    to = to.add(len);
                }
                continue;
            }
            // What lies in the scratch has a start behind the end of any input.
            let start = start ^ IN_SCRATCH as usize;
            if len <= BLOCK && start < scratch_end {
                // SAFETY: as above, before the scratch's own end.
                unsafe {
                    std::ptr::copy_nonoverlapping(scratch.as_ptr().add(start), to, BLOCK);
                    to = to.add(len);
                }
                continue;
            }
            // SAFETY: `to` lies in the vector's buffer.
            let end = unsafe { to.offset_from_unsigned(out.as_ptr()) };
            // SAFETY: everything up to `end` was written, and `end` is within the capacity.
            unsafe { out.set_len(end) };
            to = self.long_value(out, values[usize::from(step.value)].text(input, scratch));
        }
        // SAFETY: as above; then everything up to `to` and the last constant has been written, which
        // is within the capacity.
        unsafe {
            copy_wide(constant, to, self.last);
            out.set_len(to.offset_from_unsigned(out.as_ptr()) + self.last);
        }
    }

    /// Appends a value of any length, and makes room for the rest as if it were the whole; the place
    /// behind the value.
    #[cold]
    #[inline(never)]
    fn long_value(&self, out: &mut Vec<u8>, value: &[u8]) -> *mut u8 {
        out.extend_from_slice(value);
        out.reserve(self.room);
        // SAFETY: the place behind the last byte.
        unsafe { out.as_mut_ptr().add(out.len()) }
    }
}

#[cold]
#[inline(never)]
fn more_room(out: &mut Vec<u8>, room: usize) {
    out.reserve(room);
}

/// How much is copied of a constant that is longer than a wide block, at a time.
const MORE: usize = 2 * WIDE;

/// Copies `len` bytes, and some of what is behind them.
///
/// # Safety
/// Up to [`MORE`] more than `len` can be read from `from` and written to `to`.
#[inline(always)]
unsafe fn copy_wide(from: *const u8, to: *mut u8, len: usize) {
    // SAFETY: what begins at or before `len` ends within `MORE` of it.
    unsafe {
        std::ptr::copy_nonoverlapping(from, to, WIDE);
        if len > WIDE {
            std::ptr::copy_nonoverlapping(from.add(WIDE), to.add(WIDE), MORE);
            if len > WIDE + MORE {
                std::ptr::copy_nonoverlapping(from, to, len);
            }
        }
    }
}

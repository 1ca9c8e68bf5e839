//! Where the bytes are that matter to the grammar, found for a whole window at once.

use crate::raw::{Cpu, Positions, WIDE};

/// What is known of a window of the input, by position.
#[derive(Debug, Clone, Default)]
pub(super) struct Index {
    /// Each quote, backslash, and byte below 0x20.
    pub(super) marks: Positions,
    /// How many marks there are up to each newline, that included.
    line_ends: Positions,
    /// Where wide blocks begin that hold bytes of 0x80 and above, and behind them `u32::MAX`.
    high: Vec<u32>,
}

/// A line, with its newline.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line {
    pub(super) start: usize,
    /// Behind the newline.
    pub(super) end: usize,
    /// Its first mark, by number.
    pub(super) first: usize,
    /// Behind its last mark, which is the newline.
    pub(super) last: usize,
}

impl Index {
    /// Looks at `bytes[from..to]`, and forgets what was there before.
    #[inline(always)]
    pub(super) fn fill<C: Cpu>(&mut self, cpu: C, bytes: &[u8], from: usize, to: usize) {
        self.marks.clear();
        self.line_ends.clear();
        self.high.clear();
        let (blocks, rest) = bytes[from..to].as_chunks::<WIDE>();
        let mut base = from as u32;
        for block in blocks {
            self.block(cpu, block, base);
            base = base.wrapping_add(WIDE as u32);
        }
        let mut last = [b' '; WIDE];
        last[..rest.len()].copy_from_slice(rest);
        self.block(cpu, &last, base);
        self.high.push(u32::MAX);
    }

    #[inline(always)]
    fn block<C: Cpu>(&mut self, cpu: C, block: &[u8; WIDE], base: u32) {
        let masks = cpu.masks(block);
        let before = self.marks.len() as u32;
        cpu.positions(masks.marks, base, &mut self.marks);
        // Mostly a block has one newline or none. A branch on that would be wrong as often as
        // right.
        let number = |newlines: u64| {
            let up_to = newlines ^ newlines.wrapping_sub(1);
            before + (masks.marks & up_to).count_ones()
        };
        self.line_ends.push_if(masks.newlines != 0, number(masks.newlines));
        let mut more = masks.newlines & masks.newlines.wrapping_sub(1);
        while more != 0 {
            self.line_ends.push_if(true, number(more));
            more &= more - 1;
        }
        if masks.high != 0 {
            self.high.push(base);
        }
    }

    /// How many lines end in the window.
    pub(super) fn lines(&self) -> usize {
        self.line_ends.len()
    }

    /// The line of this number, which begins at `start` and whose first mark is `first`.
    #[inline(always)]
    pub(super) fn line(&self, number: usize, start: usize, first: usize) -> Line {
        let last = self.line_ends.as_slice()[number] as usize;
        Line { start, end: self.marks.as_slice()[last - 1] as usize + 1, first, last }
    }

    /// Whether there may be bytes of 0x80 and above before `end`, and from the wide block `seen`
    /// of such bytes on; `seen` moves on to the first that reaches behind `start`.
    #[inline(always)]
    pub(super) fn has_high(&self, start: usize, end: usize, seen: &mut usize) -> bool {
        while (self.high[*seen] as usize) < end {
            if self.high[*seen] as usize + WIDE > start {
                return true;
            }
            *seen += 1;
        }
        false
    }
}

//! Which line of a text a byte is on, however often that is asked.

use std::cell::RefCell;

/// How many bytes are counted together.
const BLOCK: usize = 4096;

/// The line ends of a text, counted when they are first asked for.
///
/// To count them anew for each of a million records or findings in one text would take time that grows with the square
/// of its length.
#[derive(Debug)]
pub(crate) struct LineIndex<'t> {
    text: &'t [u8],
    /// The line ends before each block of the text, as far as they were counted.
    before: RefCell<Vec<u64>>,
}

impl<'t> LineIndex<'t> {
    pub(crate) fn of(text: &'t [u8]) -> LineIndex<'t> {
        LineIndex { text, before: RefCell::default() }
    }

    /// How many lines end before the byte `at`.
    pub(crate) fn before(&self, at: usize) -> u64 {
        let at = at.min(self.text.len());
        let block = at / BLOCK;
        if block == 0 {
            return count(&self.text[..at]);
        }
        let mut before = self.before.borrow_mut();
        while before.len() <= block {
            let counted = match before.last() {
                None => 0,
                Some(counted) => {
                    let start = (before.len() - 1) * BLOCK;
                    counted + count(&self.text[start..start + BLOCK])
                }
            };
            before.push(counted);
        }
        before[block] + count(&self.text[block * BLOCK..at])
    }
}

fn count(text: &[u8]) -> u64 {
    memchr::memchr_iter(b'\n', text).count() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_any_order_the_same() {
        let text: Vec<u8> = (0..20_000_u32).map(|n| if n % 7 == 0 { b'\n' } else { b'x' }).collect();
        let lines = LineIndex::of(&text);
        for at in [5, 4095, 4096, 4097, 19_999, 20_000, 0, 8192, 12_345, 30_000] {
            assert_eq!(lines.before(at), count(&text[..at.min(text.len())]), "{at}");
        }
        assert_eq!(LineIndex::of(b"").before(9), 0);
    }
}

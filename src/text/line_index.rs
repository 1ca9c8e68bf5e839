//! Which line and column of a text a byte is at, however often that is asked.

use std::cell::RefCell;

/// How many bytes are counted together.
const BLOCK: usize = 4096;

/// The line ends of a text and the characters since the last one, counted when they are first asked for.
///
/// To count them anew for each of a million records or findings in one text would take time that grows with the square
/// of its length.
#[derive(Debug)]
pub(crate) struct LineIndex<'t> {
    text: &'t [u8],
    /// What is before each block of the text, as far as it was counted.
    before: RefCell<Vec<Place>>,
}

/// What is before a byte.
#[derive(Debug, Clone, Copy, Default)]
struct Place {
    /// Lines that end there.
    lines: u64,
    /// Characters since the last line end, or since the beginning of the text.
    characters: u64,
}

impl Place {
    /// The place behind `text`, which begins here.
    fn behind(self, text: &[u8]) -> Place {
        match memchr::memrchr(b'\n', text) {
            None => Place { lines: self.lines, characters: self.characters + characters(text) },
            Some(end) => {
                let lines = self.lines + memchr::memchr_iter(b'\n', &text[..=end]).count() as u64;
                Place { lines, characters: characters(&text[end + 1..]) }
            }
        }
    }
}

impl<'t> LineIndex<'t> {
    pub(crate) fn of(text: &'t [u8]) -> LineIndex<'t> {
        LineIndex { text, before: RefCell::default() }
    }

    /// How many lines end before the byte `at`.
    #[cfg(feature = "cli")]
    pub(crate) fn before(&self, at: usize) -> u64 {
        self.place(at).lines
    }

    /// How many lines end before the byte `at`, and how many characters are between the last line end, or the beginning
    /// of the text, and it.
    pub(crate) fn line_and_characters(&self, at: usize) -> (u64, u64) {
        let place = self.place(at);
        (place.lines, place.characters)
    }

    fn place(&self, at: usize) -> Place {
        let at = at.min(self.text.len());
        let block = at / BLOCK;
        if block == 0 {
            return Place::default().behind(&self.text[..at]);
        }
        let mut before = self.before.borrow_mut();
        while before.len() <= block {
            let place = match before.last() {
                None => Place::default(),
                Some(place) => {
                    let start = (before.len() - 1) * BLOCK;
                    place.behind(&self.text[start..start + BLOCK])
                }
            };
            before.push(place);
        }
        before[block].behind(&self.text[block * BLOCK..at])
    }
}

/// The characters that begin in UTF-8.
fn characters(text: &[u8]) -> u64 {
    text.iter().filter(|byte| **byte & 0xc0 != 0x80).count() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_any_order_the_same() {
        let text: String =
            (0..10_000_u32).map(|n| if n % 57 == 0 && n % 5000 < 4000 { '\n' } else { 'é' }).collect();
        let lines = LineIndex::of(text.as_bytes());
        for at in [5, 4095, 4096, 4097, 15_999, 19_999, 20_000, 0, 8192, 12_345, 30_000] {
            let before = String::from_utf8_lossy(&text.as_bytes()[..at.min(text.len())]).into_owned();
            let (line, ends) = (before.split('\n').next_back().unwrap(), before.matches('\n').count());
            let place = (ends as u64, line.chars().count() as u64);
            assert_eq!(lines.line_and_characters(at), place, "{at}");
        }
        assert_eq!(LineIndex::of(b"").line_and_characters(9), (0, 0));
    }
}

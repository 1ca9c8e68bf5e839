//! Finds what a text repeats, for texts in which lines differ from earlier ones in a few quoted values.
//!
//! A copy is followed to its end. What it ends at is nearly always a value that differs, so that another copy can
//! begin at the quote before the difference (another earlier line has this value) or at the one behind it (the line
//! goes on as an earlier one did). Only there a table is asked. That is a dozen questions for a line of 500 bytes.

use super::symbols::{FARTHEST, LONGEST, SHORTEST};

/// Bytes as they are, and then a copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sequence {
    pub(super) literals: u32,
    /// 0 if nothing is copied.
    pub(super) length: u16,
    pub(super) distance: u16,
}

/// This many bytes must be equal for a place to be found.
const KEY: usize = 8;
/// log2 of the table's rows.
const ROWS: u32 = 11;
/// The places a row holds, the last one first.
const PLACES: usize = 4;
/// How far a quote is looked for in front of a difference.
const BACK: usize = 48;
/// How far a quote is looked for behind it. Without one, the text is asked byte by byte.
const AHEAD: usize = 64;
/// A copy with another distance must be this many bytes longer than going on with the present one.
const WORTH: usize = 5;
/// A copy so long is taken without looking for a longer one.
const ENOUGH: usize = 300;

/// The places in a text at which the table was asked, by their first [`KEY`] bytes.
#[derive(Debug)]
pub(super) struct Matcher {
    rows: Box<[[u32; PLACES]; 1 << ROWS]>,
}

/// Bytes that are at an earlier place, too.
#[derive(Debug, Clone, Copy, Default)]
struct Copy {
    at: usize,
    from: usize,
    length: usize,
}

impl Copy {
    fn end(self) -> usize {
        self.at + self.length
    }
}

impl Default for Matcher {
    fn default() -> Matcher {
        Matcher { rows: Box::new([[0; PLACES]; 1 << ROWS]) }
    }
}

impl Matcher {
    /// Forgets the text before.
    pub(super) fn clear(&mut self) {
        self.rows.fill([0; PLACES]);
    }

    /// Adds sequences for `text` from `start` on until they reach `end` at least; how far they do. What is before
    /// `start` may be copied.
    pub(super) fn find(&mut self, text: &[u8], start: usize, end: usize, out: &mut Vec<Sequence>) -> usize {
        let mut at = start;
        while at < end {
            let Some((mut asked, mut copy)) = self.next(text, at, end) else {
                push(out, end - at, Copy::default());
                return end;
            };
            let mut literals = copy.at - at;
            // Another copy takes over for as long as that leads further.
            while let Some(quote) =
                quote_before(text, (asked + 1).max(copy.end().saturating_sub(BACK)), copy.end())
            {
                asked = quote;
                let kept = quote - copy.at;
                let rest = Copy { at: quote, from: copy.from + kept, length: copy.length - kept };
                let better = self.ask(text, quote, rest);
                if better.length < rest.length + WORTH {
                    break;
                }
                if kept >= SHORTEST {
                    push(out, literals, Copy { length: kept, ..copy });
                    literals = 0;
                } else {
                    literals += kept;
                }
                copy = better;
            }
            push(out, literals, copy);
            at = copy.end();
        }
        at
    }

    /// The next copy that begins between `start` and `end`, and where the table was asked for it.
    fn next(&mut self, text: &[u8], start: usize, end: usize) -> Option<(usize, Copy)> {
        let (mut at, mut quote, mut misses) = (start, start, 0);
        while at < end {
            if quote <= at {
                quote = quote_from(text, at, (at + AHEAD).min(text.len()));
            }
            if quote < at + AHEAD {
                at = quote;
            }
            let nothing = Copy { at, from: at, length: 0 };
            let copy = self.ask(text, start, nothing);
            if copy.length > 0 {
                return (copy.at < end).then_some((at, copy));
            }
            at += 1 + (misses >> 5);
            misses += 1;
        }
        None
    }

    /// The longest copy around `best.at`, which is remembered. It begins at `floor` or behind it. `best` if none is
    /// longer.
    #[inline(always)]
    fn ask(&mut self, text: &[u8], floor: usize, best: Copy) -> Copy {
        let (at, mut best) = (best.at, best);
        let Some(key) = key(text, at) else { return best };
        let row = &mut self.rows[(key.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - ROWS)) as usize];
        let places = *row;
        *row = [at as u32, places[0], places[1], places[2]];
        for place in places {
            let place = place as usize;
            if place >= at || at - place > FARTHEST {
                break;
            }
            if self::key(text, place) != Some(key) {
                continue;
            }
            let back = equal_before(text, place, at, floor);
            // One that can't be longer is not compared.
            let longer = best.length.saturating_sub(back);
            if text.get(place + longer) != text.get(at + longer) {
                continue;
            }
            let length = back + KEY + equal(text, place + KEY, at + KEY);
            if length > best.length {
                best = Copy { at: at - back, from: place - back, length };
                if length >= ENOUGH {
                    break;
                }
            }
        }
        best
    }
}

/// Adds literals and a copy, in pieces if it is too long for one.
#[inline(always)]
fn push(out: &mut Vec<Sequence>, literals: usize, copy: Copy) {
    let (mut literals, mut length, distance) = (literals as u32, copy.length, (copy.at - copy.from) as u16);
    while length > LONGEST {
        let piece = LONGEST.min(length - SHORTEST);
        out.push(Sequence { literals, length: piece as u16, distance });
        (literals, length) = (0, length - piece);
    }
    if length > 0 || literals > 0 {
        out.push(Sequence { literals, length: length as u16, distance });
    }
}

#[inline(always)]
fn key(text: &[u8], at: usize) -> Option<u64> {
    text.get(at..)?.first_chunk().map(|bytes| u64::from_le_bytes(*bytes))
}

/// How many bytes are the same from `a` on as from `b` on, which is behind it.
#[inline(always)]
fn equal(text: &[u8], a: usize, b: usize) -> usize {
    let (Some(before), Some(after)) = (text.get(a..), text.get(b..)) else { return 0 };
    let before = &before[..after.len()];
    let mut length = 0;
    for (x, y) in before.as_chunks::<32>().0.iter().zip(after.as_chunks::<32>().0) {
        if x != y {
            break;
        }
        length += 32;
    }
    for (x, y) in before[length..].as_chunks::<8>().0.iter().zip(after[length..].as_chunks::<8>().0) {
        let differ = u64::from_le_bytes(*x) ^ u64::from_le_bytes(*y);
        if differ != 0 {
            return length + (differ.trailing_zeros() / 8) as usize;
        }
        length += 8;
    }
    let rest = before[length..].iter().zip(&after[length..]);
    length + rest.take_while(|(x, y)| x == y).count()
}

/// How many bytes in front of `b`, but not of `floor`, are the same as in front of `a`.
#[inline(always)]
fn equal_before(text: &[u8], a: usize, b: usize, floor: usize) -> usize {
    let (Some(before), Some(after)) = (text.get(..a), text.get(floor..b)) else { return 0 };
    before.iter().rev().zip(after.iter().rev()).take_while(|(x, y)| x == y).count()
}

/// The highest bit of each byte that is a quote.
#[inline(always)]
fn quotes(word: u64) -> u64 {
    const LOW: u64 = 0x7f7f_7f7f_7f7f_7f7f;
    let other = word ^ 0x2222_2222_2222_2222;
    !(((other & LOW) + LOW) | other | LOW)
}

/// The last quote between `from` and `to`.
#[inline(always)]
fn quote_before(text: &[u8], from: usize, to: usize) -> Option<usize> {
    let mut to = to;
    while to >= from + 8 {
        let found = quotes(key(text, to - 8)?);
        if found != 0 {
            return Some(to - 1 - (found.leading_zeros() / 8) as usize);
        }
        to -= 8;
    }
    (from..to).rev().find(|&at| text[at] == b'"')
}

/// The first quote between `from` and `to`, or `to`.
#[inline(always)]
fn quote_from(text: &[u8], from: usize, to: usize) -> usize {
    let mut from = from;
    while from + 8 <= to {
        let found = key(text, from).map_or(0, quotes);
        if found != 0 {
            return from + (found.trailing_zeros() / 8) as usize;
        }
        from += 8;
    }
    (from..to).find(|&at| text[at] == b'"').unwrap_or(to)
}

//! What came of the texts of a field: they come again and again.

use crate::mapping::{DerivedText, json_text};
use crate::record::ValueTest;
use crate::simd::{BLOCK, ByteSpan, PaddedInput};
use std::borrow::Cow;

/// How many texts of a field are remembered, as a power of two, and how long they may be.
const REMEMBERED: usize = 1 << 13;
const LONGEST: usize = BLOCK;

/// What is asked of a field, and what came of its texts.
#[derive(Debug, Clone)]
pub(super) struct Memo {
    pub(super) slot: usize,
    /// The tests, each with its bit, for which it matters what the text is,
    tests: Vec<(u64, ValueTest)>,
    /// and the bits of those that any text passes.
    always: u64,
    /// What is made of it.
    pub(super) texts: Vec<DerivedText>,
    known: Vec<Known>,
}

/// A text of a field.
#[derive(Debug, Clone, Default)]
pub(super) struct Known {
    text: Vec<u8>,
    /// The tests that it passes, as bits.
    pub(super) passes: u64,
    /// What is made of it, for each of [`Memo::texts`].
    pub(super) made: Vec<Made>,
}

/// What is made of a text.
#[derive(Debug, Clone, Default)]
pub(super) enum Made {
    /// It stands for nothing, so that the next field is looked at.
    #[default]
    Absent,
    Nothing,
    /// The text itself.
    Same,
    /// This, as JSON spells it, without quotes.
    Spelled(Vec<u8>),
    /// Several, which is for the exact path.
    Several,
}

impl Memo {
    /// For a slot, of which nothing is asked yet.
    pub(super) fn new(slot: usize) -> Memo {
        Memo { slot, tests: Vec::new(), always: 0, texts: Vec::new(), known: Vec::new() }
    }

    /// Adds a test, which has this bit.
    pub(super) fn test(&mut self, bit: u64, test: &ValueTest) {
        match test.of_any_value() {
            Some(passes) => self.always |= if passes { bit } else { 0 },
            None => self.tests.push((bit, test.clone())),
        }
    }

    /// The tests that any text passes, if nothing else is asked of texts.
    #[inline(always)]
    pub(super) fn of_any_text(&self) -> Option<u64> {
        (self.tests.is_empty() && self.texts.is_empty()).then_some(self.always)
    }

    /// The text of this number.
    pub(super) fn known(&self, number: usize) -> Option<&Known> {
        self.known.get(number)
    }

    /// The number of this text among those that are known. Nothing if it is spelled with escapes.
    #[inline(always)]
    pub(super) fn look_up(
        &mut self,
        span: ByteSpan,
        input: PaddedInput<'_>,
        scratch: &[u8],
    ) -> Option<usize> {
        let text = span.text(input, scratch);
        let ends = text.first_chunk::<8>().zip(text.last_chunk::<8>());
        let hash = match ends {
            Some((first, last)) => u64::from_le_bytes(*first) ^ u64::from_le_bytes(*last).rotate_left(29),
            None => text.iter().fold(0, |hash, byte| hash << 8 | u64::from(*byte)),
        };
        let hash = (hash ^ text.len() as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        // Each text has two places.
        let at = ((hash >> 32) as usize % REMEMBERED) & !1;
        let is_known = |at: usize| self.known.get(at).is_some_and(|known| known.text == text);
        match (is_known(at), || is_known(at + 1)) {
            (true, _) => Some(at),
            (false, second) if second() => Some(at + 1),
            _ => self.learn(at, span, text),
        }
    }

    /// Makes all that is made of a text, in the place of another: the one that has been there for longer.
    #[cold]
    #[inline(never)]
    fn learn(&mut self, at: usize, span: ByteSpan, text: &[u8]) -> Option<usize> {
        if span.is_in_scratch() && text.contains(&b'\\') {
            return None;
        }
        if self.known.is_empty() {
            // One more, for a text that is too long to be remembered.
            self.known = vec![Known::default(); REMEMBERED + 1];
        }
        let at = if text.len() > LONGEST { REMEMBERED } else { at };
        if at < REMEMBERED {
            self.known.swap(at, at + 1);
        }
        let Known { text: kept, passes, made } = &mut self.known[at];
        let string = std::str::from_utf8(text).ok()?;
        let bit =
            |(bit, test): &(u64, ValueTest)| if test.passes(std::iter::once(string)) { *bit } else { 0 };
        *passes = self.tests.iter().map(bit).fold(self.always, |all, bit| all | bit);
        made.clear();
        made.extend(self.texts.iter().map(|text| match text.counts(string) {
            true => Made::of(Some(string), |each| text.of(string, each)),
            false => Made::Absent,
        }));
        kept.clear();
        kept.extend_from_slice(text);
        Some(at)
    }
}

impl Made {
    /// What `make` hands on, which makes it of this text.
    pub(super) fn of<'t>(from: Option<&'t str>, make: impl FnOnce(&mut dyn FnMut(Cow<'t, str>))) -> Made {
        let mut made = Made::Nothing;
        make(&mut |text| {
            made = match made {
                Made::Nothing if from == Some(&*text) => Made::Same,
                Made::Nothing => Made::Spelled(spelled(&text)),
                _ => Made::Several,
            };
        });
        made
    }
}

/// A text as JSON spells it, without quotes.
pub(super) fn spelled(text: &str) -> Vec<u8> {
    let mut json = Vec::new();
    json_text(text, &mut json);
    json.pop();
    json.remove(0);
    json
}

//! What events looked like: an event whose bytes between its texts are those of an earlier one has its
//! values at the same places.

use super::COLUMNS;
use std::ops::Range;

/// Where values are, by column; the last is the time.
pub(super) type Places = [Option<Range<usize>>; COLUMNS.len() + 1];

/// So many kinds of events are remembered.
const MOST: usize = 24;

/// Kinds of events, those met lately first.
#[derive(Debug, Clone, Default)]
pub(super) struct Learnt(Vec<Kind>);

/// A kind of event: texts, and what lies between them.
#[derive(Debug, Clone)]
struct Kind {
    parts: Vec<Part>,
    tail: Vec<u8>,
}

/// Bytes that lead to a text, and the text.
#[derive(Debug, Clone)]
struct Part {
    literal: Vec<u8>,
    /// Its column; the last is the time.
    column: Option<usize>,
    /// The text that it has always been so far, with its closing quote; none if there were several.
    always: Option<Vec<u8>>,
}

impl Learnt {
    /// Finds the values of an event of a kind that is known. An event with escapes is of none.
    pub(super) fn fit(&mut self, event: &[u8], places: &mut Places) -> bool {
        for at in 0..self.0.len() {
            if self.0[at].fit(event, places) {
                if at > 0 {
                    self.0.swap(at, at - 1);
                }
                return true;
            }
            *places = Places::default();
        }
        false
    }

    /// Remembers an event whose values are all texts, which are at `texts`.
    pub(super) fn learn(&mut self, event: &[u8], texts: &[Range<usize>], places: &Places) {
        if texts.iter().any(|text| memchr::memchr(b'\\', &event[text.clone()]).is_some()) {
            return;
        }
        let mut at = 0;
        let mut parts = Vec::with_capacity(texts.len());
        for text in texts {
            parts.push(Part {
                literal: event[at..text.start].to_vec(),
                column: places.iter().position(|place| place.as_ref() == Some(text)),
                always: Some(event[text.start..=text.end].to_vec()),
            });
            at = text.end + 1;
        }
        if self.0.len() == MOST {
            self.0.pop();
        }
        self.0.push(Kind { parts, tail: event[at..].to_vec() });
    }
}

impl Kind {
    #[inline]
    fn fit(&mut self, event: &[u8], places: &mut Places) -> bool {
        let mut rest = event;
        for part in &mut self.parts {
            let Some(text) = rest.strip_prefix(part.literal.as_slice()) else { return false };
            let start = event.len() - text.len();
            let same = part.always.as_ref().and_then(|always| text.strip_prefix(always.as_slice()));
            if let Some(behind) = same {
                rest = behind;
            } else {
                match memchr::memchr2(b'"', b'\\', text) {
                    Some(end) if text[end] == b'"' => {
                        rest = &text[end + 1..];
                        part.always = None;
                    }
                    _ => return false,
                }
            }
            if let Some(column) = part.column {
                places[column] = Some(start..event.len() - rest.len() - 1);
            }
        }
        rest == self.tail
    }
}

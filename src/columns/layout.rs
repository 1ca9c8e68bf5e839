//! What events with the same fields look like, and so where in them the values of the columns are.

use super::names::Names;
use crate::json::Tree;
use std::borrow::Cow;
use std::ops::Range;

/// What events with the same fields look like: all have the same constants, with values between them.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    /// The values in the order of the event, up to the last that a column has.
    steps: Vec<Step>,
    /// What each column holds; the last is the time.
    pub(super) sources: Vec<Source>,
}

/// A value of an event.
#[derive(Debug, Clone, Copy)]
struct Step {
    /// How many bytes of constants lead to it, from the end of the value before it.
    skip: usize,
    /// Whether it is in quotes. It reaches up to the closing one, else to a comma or a bracket.
    is_text: bool,
}

/// What a column holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Source {
    /// Nothing.
    Nothing,
    /// The same text in every event.
    Constant(String),
    /// The value of this number.
    Value(usize),
}

impl Source {
    /// The text that all events have.
    pub(super) fn constant(&self) -> Option<&str> {
        if let Source::Constant(text) = self { Some(text) } else { None }
    }
}

/// Where a value is in an event, a text without its quotes.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Place {
    pub(super) start: usize,
    pub(super) end: usize,
    /// Whether there are escapes in it.
    pub(super) is_escaped: bool,
}

impl Layout {
    /// The layout of events like `sample`, in which a `0` is at each of the places `values` instead of a value.
    /// Nothing if it is not JSON, or a value is not at the beginning of its text.
    pub(super) fn new(names: &Names, sample: &[u8], values: &[usize]) -> Option<Layout> {
        let mut tree = Tree::default();
        let places = names.places(tree.read(sample).ok()?);
        let text = std::str::from_utf8(sample).ok()?;
        let source = |place: &Option<Range<usize>>| {
            let Some(place) = place else { return Some(Source::Nothing) };
            match values.iter().position(|value| place.contains(value)) {
                Some(value) => (values[value] == place.start).then_some(Source::Value(value)),
                None => Some(Source::Constant(unescaped(text.get(place.clone())?)?.into_owned())),
            }
        };
        let sources = places.iter().map(source).collect::<Option<Vec<Source>>>()?;
        let needed = sources.iter().map(|it| if let Source::Value(n) = it { n + 1 } else { 0 }).max();
        let mut end = 0;
        let step = |at: &usize| {
            let is_text = *at > 0 && sample.get(at - 1) == Some(&b'"');
            let step = Step { skip: at.checked_sub(end)?, is_text };
            end = at + step.length(sample.get(*at..)?)?.0;
            Some(step)
        };
        let steps = values.iter().take(needed.unwrap_or(0)).map(step).collect::<Option<Vec<Step>>>()?;
        Some(Layout { steps, sources })
    }

    /// Finds the values of the event that begins at `start` of `text`. Nothing if it is of another layout.
    pub(super) fn places(&self, text: &[u8], start: usize, places: &mut Vec<Place>) -> Option<()> {
        let mut at = start;
        for step in &self.steps {
            at += step.skip;
            let (length, is_escaped) = step.length(text.get(at..)?)?;
            places.push(Place { start: at, end: at + length, is_escaped });
            at += length;
        }
        Some(())
    }
}

impl Step {
    /// How long the value is that `text` begins with, and whether it has escapes.
    #[inline]
    fn length(self, text: &[u8]) -> Option<(usize, bool)> {
        if self.is_text {
            return text_length(text);
        }
        Some((text.iter().position(|byte| matches!(byte, b',' | b'}' | b']'))?, false))
    }
}

/// A text as it is meant.
pub(super) fn unescaped(raw: &str) -> Option<Cow<'_, str>> {
    if !raw.contains('\\') {
        return Some(Cow::Borrowed(raw));
    }
    serde_json::from_str(&format!("\"{raw}\"")).ok().map(Cow::Owned)
}

/// How long the text is that `text` begins with, up to its closing quote, and whether it has escapes.
#[inline]
fn text_length(text: &[u8]) -> Option<(usize, bool)> {
    let mut from = 0;
    loop {
        let at = from + quote_or_escape(text.get(from..)?)?;
        if text[at] == b'"' {
            return Some((at, from > 0));
        }
        from = at + 2;
    }
}

/// Where the first quote or backslash is. Texts are short, so a call of a function for long ones would cost more.
#[inline]
fn quote_or_escape(text: &[u8]) -> Option<usize> {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGHS: u64 = 0x8080_8080_8080_8080;
    let (blocks, rest) = text.as_chunks::<8>();
    for (n, block) in blocks.iter().enumerate() {
        let block = u64::from_le_bytes(*block);
        // The top bit of each byte that is zero; those above the first one may be wrong.
        let zero = |x: u64| x.wrapping_sub(ONES) & !x & HIGHS;
        let found = zero(block ^ (ONES * 0x22)) | zero(block ^ (ONES * 0x5c));
        if found != 0 {
            return Some(8 * n + found.trailing_zeros() as usize / 8);
        }
    }
    let found = rest.iter().position(|byte| matches!(byte, b'"' | b'\\'))?;
    Some(8 * blocks.len() + found)
}

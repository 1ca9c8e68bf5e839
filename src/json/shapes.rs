//! What texts look like, learnt from those that were read: literals, and between them values.
//!
//! A text whose bytes between its values are those of a text that was read, and whose values are of the same kinds, is
//! JSON as that one was and has the same keys. Only its values are to be looked at. Texts and whole numbers can be such
//! values; everything else is part of the literals. A text with escapes fits none.

use super::{Kind, Value, plain};
use std::ops::Range;

/// How many shapes are remembered, the longest text and the most values that one has.
const MOST_SHAPES: usize = 256;
const MOST_BYTES: usize = 16 << 10;
const MOST_VALUES: usize = 512;
/// How many shapes are learnt without a pause, and how long the pauses become.
const AT_ONCE: u32 = 64;
const MOST_PATIENCE: u32 = 1024;
/// How many digits a whole number may have.
const MOST_DIGITS: usize = 18;

/// Shapes of texts, each with what its owner knows of it.
///
/// Many begin alike, so they are one tree: where a literal is not there, the one in its place in another shape is tried.
#[derive(Debug)]
pub(crate) struct Shapes<T> {
    nodes: Vec<ShapeNode>,
    first: usize,
    known: Vec<T>,
    /// Texts until the next is learnt from: there are inputs in which none is like another.
    wait: u32,
    patience: u32,
}

/// A literal, and the value behind it.
#[derive(Debug)]
struct ShapeNode {
    literal: Box<[u8]>,
    behind: Behind,
    /// The node to try if the literal is not there.
    instead: usize,
    /// The node behind the value; the number of the shape, if this is its last.
    then: usize,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Behind {
    Text,
    Number,
    End,
}

/// The number of no node.
const NONE: usize = usize::MAX;

impl<T> Default for Shapes<T> {
    fn default() -> Shapes<T> {
        Shapes { nodes: Vec::new(), first: NONE, known: Vec::new(), wait: 0, patience: 0 }
    }
}

/// Where the value may be another in a text of the same shape: a text that is neither empty nor has escapes, without its
/// quotes, or a whole number of few digits that is not 0.
pub(crate) fn may_vary(value: Value<'_>) -> Option<Range<usize>> {
    let raw = value.raw();
    let (start, end) = (value.start(), value.start() + raw.len());
    match value.kind() {
        Kind::Text if raw.len() > 2 && !value.is_escaped() => Some(start + 1..end - 1),
        Kind::Number if digits(raw.as_bytes()) == Some(raw.len()) => Some(start..end),
        _ => None,
    }
}

impl<T> Shapes<T> {
    /// Fills `values` with where the values of `text` are that may be others in a text like it, and gives the number of
    /// its shape; nothing, if it has none that is known.
    pub(crate) fn fit<'t>(&self, text: &'t [u8], values: &mut Vec<Range<usize>>) -> Option<(&'t str, usize)> {
        values.clear();
        let (mut at, mut next) = (0, self.first);
        loop {
            let ShapeNode { literal, behind, instead, then } = self.nodes.get(next)?;
            next = *instead;
            if !text[at..].starts_with(literal) {
                continue;
            }
            let start = at + literal.len();
            let end = match behind {
                Behind::Text => plain(text, start),
                Behind::Number => start + digits(&text[start..]).unwrap_or(0),
                Behind::End if start == text.len() => {
                    return Some((std::str::from_utf8(text).ok()?, *then));
                }
                Behind::End => continue,
            };
            if end == start {
                continue;
            }
            values.push(start..end);
            (at, next) = (end, *then);
        }
    }

    /// What is known of the shape of this number, which a text had that fitted last.
    pub(crate) fn known(&mut self, number: usize) -> &mut T {
        &mut self.known[number]
    }

    /// Whether a text that fits no shape is to be learnt from. Asked once for each.
    pub(crate) fn wants(&mut self, text: &[u8]) -> bool {
        self.wait = self.wait.saturating_sub(1);
        self.wait == 0 && text.len() <= MOST_BYTES
    }

    /// Remembers a text that was read. `values` are those that [may vary](may_vary), as far as a text in which they do
    /// is to have this shape, in the order of the text.
    pub(crate) fn learn(
        &mut self,
        text: &[u8],
        values: impl ExactSizeIterator<Item = (Range<usize>, Kind)>,
        known: T,
    ) {
        // The first at once, then ever more slowly: to learn one costs more than to read it.
        self.patience = (self.patience + 1).min(MOST_PATIENCE);
        let late = self.patience.saturating_sub(AT_ONCE);
        self.wait = late * late;
        if values.len() > MOST_VALUES {
            return;
        }
        if self.known.len() == MOST_SHAPES {
            // What is still met is soon learnt again.
            (self.nodes, self.known, self.first) = (Vec::new(), Vec::new(), NONE);
        }
        let mut at = 0;
        // The node that leads to the next, and whether by `instead`.
        let mut from = None;
        for (value, kind) in values {
            let Some(literal) = text.get(at..value.start) else { return };
            let behind = if kind == Kind::Text { Behind::Text } else { Behind::Number };
            from = Some((self.node(from, literal, behind), false));
            at = value.end;
        }
        let last = self.node(from, &text[at..], Behind::End);
        if self.nodes[last].then == NONE {
            self.nodes[last].then = self.known.len();
            self.known.push(known);
        }
    }

    /// The node with this content behind another, an old one or a new one.
    fn node(&mut self, mut from: Option<(usize, bool)>, literal: &[u8], behind: Behind) -> usize {
        let mut at = from.map_or(self.first, |(node, _)| self.nodes[node].then);
        while let Some(node) = self.nodes.get(at) {
            if node.behind == behind && *node.literal == *literal {
                return at;
            }
            from = Some((at, true));
            at = node.instead;
        }
        let new = self.nodes.len();
        self.nodes.push(ShapeNode { literal: literal.into(), behind, instead: NONE, then: NONE });
        match from {
            None => self.first = new,
            Some((node, true)) => self.nodes[node].instead = new,
            Some((node, false)) => self.nodes[node].then = new,
        }
        new
    }
}

/// How many digits the text begins with, if they are a whole number that is not 0, and not many.
fn digits(text: &[u8]) -> Option<usize> {
    let count = text.iter().take_while(|byte| byte.is_ascii_digit()).take(MOST_DIGITS + 1).count();
    (text.first() != Some(&b'0') && (1..=MOST_DIGITS).contains(&count)).then_some(count)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Tree;
    use proptest::prelude::*;

    /// All values that may vary, in order.
    fn varying(value: Value<'_>, to: &mut Vec<(Range<usize>, Kind)>) {
        to.extend(may_vary(value).map(|range| (range, value.kind())));
        value.children().for_each(|child| varying(child, to));
    }

    fn learn(shapes: &mut Shapes<usize>, text: &str, number: usize) {
        let mut values = Vec::new();
        varying(Tree::default().read(text.as_bytes()).unwrap(), &mut values);
        shapes.learn(text.as_bytes(), values.into_iter(), number);
    }

    const TEXTS: [&str; 5] = [
        r#"{"a":"x","n":12,"l":["y",{"b":null,"c":""},0,1.5]}"#,
        r#"{"a":"x","n":0}"#,
        r#"{"a":"x","m":true}"#,
        r#"{"a":"" , "n":7}"#,
        r#"["x"]"#,
    ];

    /// What shape a text has, and its values.
    fn fit(shapes: &mut Shapes<usize>, text: &[u8]) -> Option<(usize, Vec<String>)> {
        let mut places = Vec::new();
        let (text, number) = shapes.fit(text, &mut places)?;
        Some((*shapes.known(number), places.into_iter().map(|place| text[place].to_owned()).collect()))
    }

    #[test]
    fn what_fits_and_what_does_not() {
        let mut shapes = Shapes::default();
        TEXTS.iter().enumerate().for_each(|(number, text)| learn(&mut shapes, text, number));
        for (text, shape) in [
            (r#"{"a":"other é","n":3,"l":["",{"b":null,"c":""},0,1.5]}"#, None),
            (
                r#"{"a":"other é","n":3,"l":["z",{"b":null,"c":""},0,1.5]}"#,
                Some((0, vec!["other é", "3", "z"])),
            ),
            (r#"{"a":"x","n":012,"l":["y",{"b":null,"c":""},0,1.5]}"#, None),
            (r#"{"a":"x","n":1234567890123456789,"l":["y",{"b":null,"c":""},0,1.5]}"#, None),
            (r#"{"a":"x","n":-1,"l":["y",{"b":null,"c":""},0,1.5]}"#, None),
            (r#"{"a":"x","n":1.0,"l":["y",{"b":null,"c":""},0,1.5]}"#, None),
            (r#"{"a":"x","n":12,"l":["y",{"b":null,"c":"d"},0,1.5]}"#, None),
            (r#"{"a":"n","n":0}"#, Some((1, vec!["n"]))),
            (r#"{"a":"n","n":0} "#, None),
            (r#"{"a":"n","n":0"#, None),
            (r#"{"a":"n\"","n":0}"#, None),
            (r#"{"a":"n	","n":0}"#, None),
            (r#"{"a":"true","m":true}"#, Some((2, vec!["true"]))),
            (r#"{"a":"x","m":false}"#, None),
            (r#"{"a":"" , "n":77}"#, Some((3, vec!["77"]))),
            (r#"["","x"]"#, None),
            ("", None),
        ] {
            let expected = shape.map(|(n, values)| (n, values.into_iter().map(str::to_owned).collect()));
            assert_eq!(fit(&mut shapes, text.as_bytes()), expected, "{text}");
        }
        assert_eq!(fit(&mut shapes, b"[\"\xff\"]"), None);
    }

    #[test]
    fn shapes_are_bounded_and_learnt_ever_more_slowly() {
        let mut shapes = Shapes::default();
        let mut learnt = 0;
        for n in 0..100_000 {
            let text = format!(r#"{{"key {n}":"x"}}"#);
            if shapes.wants(text.as_bytes()) {
                learn(&mut shapes, &text, n);
                learnt += 1;
            }
            assert!(shapes.known.len() <= MOST_SHAPES && shapes.nodes.len() <= 2 * MOST_SHAPES);
        }
        assert!((64..200).contains(&learnt), "{learnt}");
        assert!(!Shapes::<()>::default().wants(&[b' '; MOST_BYTES + 1]));
    }

    proptest! {
        /// What fits is JSON, and has the keys and values that a tree of it has.
        #[test]
        fn a_changed_text_that_fits_reads_the_same(
            which in 0usize..5, at in 0usize..60, byte in any::<u8>(), cut in any::<bool>(),
        ) {
            let mut shapes = Shapes::default();
            TEXTS.iter().enumerate().for_each(|(number, text)| learn(&mut shapes, text, number));
            let mut text = TEXTS[which].as_bytes().to_vec();
            let at = at % text.len();
            if cut { text.truncate(at) } else { text[at] = byte }
            if let Some((number, values)) = fit(&mut shapes, &text) {
                let mut tree = Tree::default();
                let mut places = Vec::new();
                varying(tree.read(&text).unwrap(), &mut places);
                let text = std::str::from_utf8(&text).unwrap();
                let read: Vec<&str> = places.into_iter().map(|(place, _)| &text[place]).collect();
                prop_assert_eq!(&values, &read);
                let keys = |text: &str| serde_json::from_str::<serde_json::Value>(text).map(|value| match value {
                    serde_json::Value::Object(members) => members.keys().cloned().collect::<Vec<_>>(),
                    _ => Vec::new(),
                }).unwrap();
                prop_assert_eq!(keys(text), keys(TEXTS[number]));
            }
        }
    }
}

//! What events mean, read by what they have in common with earlier ones.

use super::meaning::{Leaf, Meaning, Node};
use super::rules::Rules;
use crate::json::{JsonError, Kind, Shapes, Tree, Value};
use crate::udm::index::Entry;
use crate::udm::scalar::{self, Scalar};
use std::borrow::Cow;
use std::ops::Range;

/// Reads what events mean, as [`Meaning::of`] does. Of an event that looks like an earlier one, only the values that may
/// vary are read.
#[derive(Debug)]
pub(crate) struct MeaningReader<'r> {
    rules: &'r Rules,
    shapes: Shapes<Template>,
    /// Where the values of an event are.
    places: Vec<Range<usize>>,
    tree: Tree,
    /// The meaning of the last event that was read as a whole.
    own: Meaning,
}

/// The meaning of an event, in which values are replaced to make it that of another.
#[derive(Debug)]
struct Template {
    meaning: Meaning,
    /// The values that it has, by their places among all that may vary.
    values: Vec<TemplateValue>,
}

#[derive(Debug)]
struct TemplateValue {
    place: usize,
    kind: Kind,
    entry: &'static Entry,
    /// The places of the members and elements that lead to it.
    way: Vec<usize>,
}

impl<'r> MeaningReader<'r> {
    pub(crate) fn new(rules: &'r Rules) -> MeaningReader<'r> {
        MeaningReader {
            rules,
            shapes: Shapes::default(),
            places: Vec::new(),
            tree: Tree::default(),
            own: Meaning::nothing(),
        }
    }

    /// What the event means that is the whole of `text`.
    ///
    /// # Errors
    /// When the text is not JSON.
    pub(crate) fn read(&mut self, text: &[u8]) -> Result<&Meaning, JsonError> {
        if let Some(number) = self.fit(text) {
            return Ok(&self.shapes.known(number).meaning);
        }
        let mut tree = std::mem::take(&mut self.tree);
        let read = tree.read(text).map(|event| self.learn(text, event));
        self.tree = tree;
        read?;
        Ok(&self.own)
    }

    /// The same, to be kept.
    ///
    /// # Errors
    /// When the text is not JSON.
    pub(crate) fn read_owned(&mut self, text: &[u8]) -> Result<Meaning, JsonError> {
        if let Some(meaning) = self.known(text) {
            return Ok(meaning.clone());
        }
        self.read(text)?;
        Ok(std::mem::replace(&mut self.own, Meaning::nothing()))
    }

    /// What the event means that is the whole of `text`, if it looks like an earlier one.
    pub(crate) fn known(&mut self, text: &[u8]) -> Option<&Meaning> {
        let number = self.fit(text)?;
        Some(&self.shapes.known(number).meaning)
    }

    /// What an event means that is in a text that was read. If it is the whole text, others like it are known from now on.
    pub(crate) fn of(&mut self, text: &[u8], event: Value<'_>) -> &Meaning {
        self.learn(text, event);
        &self.own
    }

    fn learn(&mut self, text: &[u8], event: Value<'_>) {
        // Two that are large are not to be in memory at once.
        self.own = Meaning::nothing();
        self.own = Meaning::of(event, self.rules);
        if event.raw().len() == text.len()
            && self.shapes.wants(text)
            && let Some((mut meaning, varying)) = Meaning::with_holes(event, self.rules)
        {
            let mut ways = Vec::new();
            holes(&mut meaning.root, &mut Vec::new(), &mut ways);
            let values = ways.into_iter().filter_map(|(place, way)| {
                let value = varying.get(place)?;
                Some(TemplateValue { place, kind: value.kind, entry: value.entry?, way })
            });
            let values = values.collect();
            let places = varying.iter().map(|value| (value.place.clone(), value.kind));
            self.shapes.learn(text, places, Template { meaning, values });
        }
    }

    /// Makes the template of the text's shape its meaning; the number of the shape.
    fn fit(&mut self, text: &[u8]) -> Option<usize> {
        let (text, number) = self.shapes.fit(text, &mut self.places)?;
        let Template { meaning, values } = self.shapes.known(number);
        for TemplateValue { place, kind, entry, way } in values {
            let text = Cow::Borrowed(&text[self.places[*place].clone()]);
            // One that does not fit its field is kept as it is written, with its quotes.
            let scalar = scalar::read_text(*kind, text, entry).ok()?;
            match (leaf(&mut meaning.root, way)?, scalar) {
                (Leaf::Text(kept), Scalar::Text(text)) => {
                    kept.clear();
                    kept.push_str(&text);
                }
                (leaf, scalar) => *leaf = Leaf::of(scalar, entry),
            }
        }
        Some(number)
    }
}

/// Finds the holes in a node: their numbers, and the ways to them.
fn holes(node: &mut Node, way: &mut Vec<usize>, found: &mut Vec<(usize, Vec<usize>)>) {
    let mut below = |place: usize, node: &mut Node| {
        way.push(place);
        holes(node, way, found);
        way.pop();
    };
    match node {
        Node::Object(members) => {
            members.iter_mut().enumerate().for_each(|(place, (_, node))| below(place, node));
        }
        Node::List(elements, _) => {
            elements.iter_mut().enumerate().for_each(|(place, node)| below(place, node));
        }
        Node::Leaf(Leaf::Hole(number)) => found.push((*number, way.clone())),
        Node::Leaf(_) => {}
    }
}

/// The leaf at the end of a way.
fn leaf<'n>(node: &'n mut Node, way: &[usize]) -> Option<&'n mut Leaf> {
    match (node, way) {
        (Node::Leaf(leaf), []) => Some(leaf),
        (Node::Object(members), [place, rest @ ..]) => leaf(&mut members.get_mut(*place)?.1, rest),
        (Node::List(elements, _), [place, rest @ ..]) => leaf(elements.get_mut(*place)?, rest),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::compare::Keys;

    /// That an event looks like an earlier one changes nothing that it means.
    #[test]
    fn known_events_mean_what_others_mean() {
        let mut ignoring = Rules::default();
        for path in ["metadata.event_timestamp", "principal.user", "additional.a"] {
            ignoring.ignore(path);
        }
        let mut sets = Rules::default();
        sets.set("principal.ip");
        for (rules, least) in [(Rules::default(), 2_000), (ignoring, 2_000), (sets, 0)] {
            let (mut reader, mut tree, mut known) = (MeaningReader::new(&rules), Tree::default(), 0);
            for text in (0..4).flat_map(|seed| crate::check::mutated::events(seed, 500)) {
                let shown = String::from_utf8_lossy(&text);
                let expected = tree.read(&text).map(|event| Meaning::of(event, &rules));
                if let Some(meaning) = reader.known(&text) {
                    known += 1;
                    assert_eq!(Some(meaning), expected.as_ref().ok(), "{shown}");
                }
                match (reader.read(&text), expected) {
                    (Ok(meaning), Ok(expected)) => {
                        assert_eq!(meaning, &expected, "{shown}");
                        assert_eq!(meaning.digest(), expected.digest(), "{shown}");
                        assert_eq!(Keys::of(meaning), Keys::of(&expected), "{shown}");
                    }
                    (got, expected) => assert_eq!(got.err(), expected.err(), "{shown}"),
                }
            }
            assert!(known >= least, "{known}");
        }
    }
}

//! Texts that look like one in which nothing was found: only their values are checked.

use super::{needs, walk};
use crate::json::{Kind, Shapes, Value, may_vary};
use crate::udm::index::Entry;
use crate::udm::schema::Type;
use std::borrow::Cow;
use std::ops::Range;

/// Shapes of texts in which nothing was found.
#[derive(Debug, Default)]
pub(super) struct KnownEvents {
    shapes: Shapes<CleanText>,
    /// Where the values of a text are.
    places: Vec<Range<usize>>,
}

/// What is known of a shape.
#[derive(Debug)]
struct CleanText {
    /// How many events are in it.
    events: u64,
    /// The values that are to be checked, by their places among all, with their kinds and fields.
    checked: Vec<(usize, Kind, &'static Entry)>,
}

impl KnownEvents {
    /// How many events are in the text, if nothing is to be found in it. Where that is not known, it is to be read.
    pub(super) fn clean(&mut self, text: &[u8]) -> Option<u64> {
        let (text, known) = self.shapes.fit(text, &mut self.places)?;
        let is_right = |(place, kind, entry): &(usize, Kind, &Entry)| {
            let value = Cow::Borrowed(&text[self.places[*place].clone()]);
            walk::scalar(*kind, value, entry).is_ok()
        };
        known.checked.iter().all(is_right).then_some(known.events)
    }

    /// Learns from a text in which nothing was found, with its events' values.
    pub(super) fn learn(&mut self, text: &[u8], events: u64, values: &[(Value<'_>, &'static Entry)]) {
        if !self.shapes.wants() {
            return;
        }
        let (mut places, mut checked) = (Vec::new(), Vec::new());
        for (value, entry) in values.iter().filter(|(value, entry)| is_judged_alone(*value, entry)) {
            let Some(place) = may_vary(*value) else { continue };
            if entry.field.kind != Type::String || entry.format.is_some() {
                checked.push((places.len(), value.kind(), *entry));
            }
            places.push((place, value.kind()));
        }
        self.shapes.learn(text, places.into_iter(), CleanText { events, checked });
    }
}

/// Whether another value of the field, if it is right and not empty, changes nothing else that is found.
fn is_judged_alone(value: Value<'_>, entry: &Entry) -> bool {
    let may_be = match entry.field.kind {
        Type::Enum(_) | Type::Bool | Type::Message(_) => false,
        // A port of "0" is none.
        Type::Integer { .. } | Type::Float { .. } => value.kind() == Kind::Number,
        Type::String | Type::Bytes | Type::Timestamp | Type::Foreign(_) => value.kind() == Kind::Text,
    };
    may_be && !needs::read_words_of(entry.field.name)
}

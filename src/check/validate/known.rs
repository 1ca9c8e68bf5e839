//! Texts that look like one that was checked before: only their values are checked.

use super::finding::{FixedFinding, Reporter};
use super::{needs, walk};
use crate::json::{Kind, Shapes, Value, may_vary};
use crate::udm::index::Entry;
use crate::udm::schema::Type;
use std::borrow::Cow;
use std::ops::Range;

/// How many findings a shape may have.
const MOST_FINDINGS: usize = 16;

/// Shapes of texts that were checked.
#[derive(Debug, Default)]
pub(super) struct KnownTexts {
    shapes: Shapes<KnownText>,
    /// Where the values of a text are.
    places: Vec<Range<usize>>,
}

/// What is known of a shape.
#[derive(Debug)]
struct KnownText {
    /// How many events are in it.
    events: u64,
    /// The values that are to be checked, by their places among all, with their kinds and fields.
    checked: Vec<(usize, Kind, &'static Entry)>,
    /// What is found in every text of the shape, whatever its values are.
    found: Vec<FixedFinding>,
}

impl KnownTexts {
    /// Whether a text that is not known is to be learnt from. Asked once for each.
    pub(super) fn wants(&mut self, text: &[u8]) -> bool {
        self.shapes.wants(text)
    }

    /// Reports what is found in the text, and says how many events there are; nothing, and nothing reported, if the text
    /// is to be read to know that.
    pub(super) fn check(&mut self, text: &[u8], reporter: &mut Reporter<'_>) -> Option<u64> {
        let (text, number) = self.shapes.fit(text, &mut self.places)?;
        let known = self.shapes.known(number);
        let is_right = |(place, kind, entry): &(usize, Kind, &Entry)| {
            let value = Cow::Borrowed(&text[self.places[*place].clone()]);
            walk::scalar(*kind, value, entry).is_ok()
        };
        if !known.checked.iter().all(is_right) {
            return None;
        }
        for finding in &known.found {
            let FixedFinding { event, code, path, message, at, .. } = finding;
            reporter.event = *event;
            reporter.add(*code, path.clone(), message.clone(), *at);
        }
        Some(known.events)
    }

    /// Learns from a text that was checked: the values of its events that are right, and what was found.
    pub(super) fn learn(
        &mut self,
        text: &[u8],
        events: u64,
        values: &[(Value<'_>, &'static Entry)],
        found: Vec<FixedFinding>,
    ) {
        let (mut places, mut checked) = (Vec::new(), Vec::new());
        for (value, entry) in values.iter().filter(|(value, entry)| is_judged_alone(*value, entry)) {
            let Some(place) = may_vary(*value) else { continue };
            if entry.field.kind != Type::String || entry.format.is_some() {
                checked.push((places.len(), value.kind(), *entry));
            }
            places.push((place, value.kind()));
        }
        // What is about a value may be another thing for another value, and behind one it is at another place.
        let fixed = places.first().map_or(text.len(), |(place, _)| place.start);
        let is_fixed = |finding: &FixedFinding| finding.about_container && finding.at < fixed;
        if found.len() <= MOST_FINDINGS && found.iter().all(is_fixed) {
            self.shapes.learn(text, places.into_iter(), KnownText { events, checked, found });
        }
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

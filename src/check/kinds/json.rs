//! Whether a JSON text holds events anywhere: read as a stream, and only up to the first.

use crate::udm::index::index;
use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use std::fmt;
use std::io::{BufReader, Read};

/// What a JSON text holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Content {
    /// Something that looks like an event, or like what events are wrapped in.
    Event,
    /// The raw logs of one of content-hub's cases.
    RawLogs,
    NoEvent,
}

/// What is in a text that is one JSON value; nothing, if it is not.
pub(super) fn read(text: impl Read) -> Option<Content> {
    let mut content = Content::NoEvent;
    let mut from = serde_json::Deserializer::from_reader(BufReader::with_capacity(1 << 16, text));
    let look = Look { place: Place::Root, content: &mut content };
    let read = look.deserialize(&mut from).and_then(|_| from.end());
    (content == Content::Event || read.is_ok()).then_some(content)
}

/// Where a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Root,
    /// Where an event may be.
    Wrapped,
    /// The member `metadata` of an object.
    Metadata,
    /// Anywhere else.
    Inside,
}

/// What a value is, as far as it says something about the object that it is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// An object or a list.
    Container,
    /// A text such as `DetectionSummaryEvent`, which is not how UDM names types.
    CamelCase,
    Other,
}

/// The name under which a member of a JSON object is a number with serde_json's arbitrary precision.
const NUMBER: &str = "$serde_json::private::Number";

struct Look<'c> {
    place: Place,
    content: &'c mut Content,
}

impl Look<'_> {
    fn found<T, E: serde::de::Error>(&mut self) -> Result<T, E> {
        *self.content = Content::Event;
        Err(E::custom("an event"))
    }

    fn at(&mut self, place: Place) -> Look<'_> {
        Look { place, content: self.content }
    }
}

impl<'de> DeserializeSeed<'de> for Look<'_> {
    type Value = Shape;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Shape, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Look<'_> {
    type Value = Shape;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Shape, E> {
        Ok(Shape::Other)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Shape, E> {
        Ok(Shape::Other)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Shape, E> {
        Ok(Shape::Other)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Shape, E> {
        Ok(Shape::Other)
    }

    fn visit_str<E>(self, text: &str) -> Result<Shape, E> {
        let camel_case = text.bytes().any(|byte| byte.is_ascii_lowercase()) && !text.contains('_');
        Ok(if camel_case { Shape::CamelCase } else { Shape::Other })
    }

    fn visit_unit<E>(self) -> Result<Shape, E> {
        Ok(Shape::Other)
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut from: A) -> Result<Shape, A::Error> {
        let place = if self.place == Place::Metadata { Place::Inside } else { self.place };
        let mut empty = true;
        while from.next_element_seed(self.at(place))?.is_some() {
            empty = false;
        }
        // A list of events that holds none.
        if empty && matches!(place, Place::Root | Place::Wrapped) {
            self.found()
        } else {
            Ok(Shape::Container)
        }
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut from: A) -> Result<Shape, A::Error> {
        if self.place == Place::Metadata {
            return self.metadata(from);
        }
        let wrapped = matches!(self.place, Place::Root | Place::Wrapped);
        let (mut all, mut known, mut parts, mut certain) = (0, 0, 0, false);
        while let Some(key) = from.next_key::<String>()? {
            all += 1;
            let is_known = index().root().field(&key).is_some();
            known += usize::from(is_known);
            let place = match plain(&key).as_str() {
                "readonlyudm" | "runparserresults" | "parsedevents" | "inlinesource" => return self.found(),
                "udm" | "idm" if wrapped => return self.found(),
                "events" | "event" | "udmevents" if wrapped => Place::Wrapped,
                "rawlogs" if self.place == Place::Root => {
                    *self.content = Content::RawLogs;
                    Place::Inside
                }
                "metadata" => Place::Metadata,
                _ => Place::Inside,
            };
            let shape = from.next_value_seed(self.at(place))?;
            if key == NUMBER {
                return Ok(Shape::Other);
            }
            let is_part = is_known && shape == Shape::Container;
            parts += usize::from(is_part);
            certain |= is_part && matches!(plain(&key).as_str(), "principal" | "securityresult");
        }
        // An event whose metadata is missing or damaged, with or without fields that no event has.
        let is_event = certain || parts > 2 || (all == known && known > 1);
        if wrapped && is_event { self.found() } else { Ok(Shape::Container) }
    }
}

impl Look<'_> {
    /// Looks at what may be an event's metadata: one field that nothing but UDM has is enough.
    fn metadata<'de, A: MapAccess<'de>>(mut self, mut from: A) -> Result<Shape, A::Error> {
        let (mut all, mut other_type) = (0, false);
        while let Some(key) = from.next_key::<String>()? {
            all += 1;
            let key = plain(&key);
            if is_of_metadata(&key) && key != "eventtype" {
                return self.found();
            }
            let shape = from.next_value_seed(self.at(Place::Inside))?;
            if key == "eventtype" {
                if shape != Shape::CamelCase {
                    return self.found();
                }
                // Other products name their types so.
                other_type = true;
            }
        }
        if other_type && all == 1 { self.found() } else { Ok(Shape::Container) }
    }
}

/// A name without what its spellings differ in.
fn plain(name: &str) -> String {
    name.chars().filter(|c| *c != '_').map(|c| c.to_ascii_lowercase()).collect()
}

/// Whether this is a field of UDM's metadata and hardly of any other.
fn is_of_metadata(name: &str) -> bool {
    matches!(
        name,
        "eventtimestamp"
            | "eventtype"
            | "vendorname"
            | "productname"
            | "productversion"
            | "producteventtype"
            | "productlogid"
            | "productdeploymentid"
            | "logtype"
            | "baselabels"
            | "ingestedtimestamp"
            | "collectedtimestamp"
            | "enrichmentlabels"
    )
}

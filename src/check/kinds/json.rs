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

struct Look<'c> {
    place: Place,
    content: &'c mut Content,
}

impl Look<'_> {
    fn found<E: serde::de::Error>(&mut self) -> Result<(), E> {
        *self.content = Content::Event;
        Err(E::custom("an event"))
    }

    fn at(&mut self, place: Place) -> Look<'_> {
        Look { place, content: self.content }
    }
}

impl<'de> DeserializeSeed<'de> for Look<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Look<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut from: A) -> Result<(), A::Error> {
        let place = if self.place == Place::Metadata { Place::Inside } else { self.place };
        let mut empty = true;
        while from.next_element_seed(self.at(place))?.is_some() {
            empty = false;
        }
        // A list of events that holds none.
        if empty && matches!(place, Place::Root | Place::Wrapped) { self.found() } else { Ok(()) }
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut from: A) -> Result<(), A::Error> {
        if self.place == Place::Metadata {
            return self.metadata(from);
        }
        let wrapped = matches!(self.place, Place::Root | Place::Wrapped);
        let (mut all, mut known, mut certain) = (0, 0, false);
        while let Some(key) = from.next_key::<String>()? {
            all += 1;
            known += usize::from(index().root().field(&key).is_some());
            let place = match key.as_str() {
                "readOnlyUdm" | "read_only_udm" | "runParserResults" | "run_parser_results"
                | "parsedEvents" | "parsed_events" | "inlineSource" | "inline_source" => return self.found(),
                "udm" | "idm" if wrapped => return self.found(),
                "events" | "event" if wrapped => Place::Wrapped,
                "raw_logs" | "rawLogs" if self.place == Place::Root => {
                    *self.content = Content::RawLogs;
                    Place::Inside
                }
                "metadata" => Place::Metadata,
                "principal" | "security_result" | "securityResult" => {
                    certain = true;
                    Place::Inside
                }
                _ => Place::Inside,
            };
            from.next_value_seed(self.at(place))?;
        }
        // An event whose metadata is missing or damaged.
        if wrapped && all == known && (known > 1 || certain) { self.found() } else { Ok(()) }
    }
}

impl Look<'_> {
    /// Looks at what may be an event's metadata.
    fn metadata<'de, A: MapAccess<'de>>(mut self, mut from: A) -> Result<(), A::Error> {
        let mut known = 0;
        while let Some(key) = from.next_key::<String>()? {
            match key.as_str() {
                "event_timestamp" | "eventTimestamp" => return self.found(),
                "event_type" | "eventType" | "vendor_name" | "vendorName" | "product_name"
                | "productName" | "product_event_type" | "productEventType" | "product_log_id"
                | "productLogId" | "log_type" | "logType" | "ingested_timestamp" | "ingestedTimestamp" => {
                    known += 1
                }
                _ => {}
            }
            if known > 1 {
                return self.found();
            }
            from.next_value_seed(self.at(Place::Inside))?;
        }
        Ok(())
    }
}

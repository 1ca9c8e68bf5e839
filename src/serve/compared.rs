//! An event, compared field by field with those that are expected, or with what a parser gives.

use super::answer::Refusal;
use crate::check::compare::{Meaning, Rules, Side};
use crate::check::diff::{Matched, match_up};
use crate::check::events;
use crate::check::yaml;
use crate::json::Tree;
use crate::record::frame::{Framer, Unit};
use serde::Serialize;

/// The longest text of expected events, in bytes.
const MOST: usize = 16 << 20;
/// The most expected events.
const MOST_EVENTS: usize = 20_000;

/// Expected events.
#[derive(Debug)]
pub(super) struct Golden(Vec<Meaning>);

/// How an event differs from the one that is expected.
#[derive(Debug, Serialize)]
pub(super) struct Compared {
    pub(super) against: &'static str,
    pub(super) differences: Vec<DifferenceView>,
    pub(super) same: bool,
    /// How many events there are to compare with. The one that is nearest is taken.
    events: usize,
    /// Whether none of them belongs to this event.
    alone: bool,
}

#[derive(Debug, Serialize)]
pub(super) struct DifferenceView {
    pub(super) path: String,
    pub(super) ours: Option<String>,
    pub(super) theirs: Option<String>,
    kind: &'static str,
}

impl Golden {
    /// The events in a text: JSON in any known wrapping, or YAML.
    pub(super) fn read(text: &str) -> Result<Golden, String> {
        if text.len() > MOST {
            return Err(format!("the expected events have more than {} MiB", MOST >> 20));
        }
        let is_json = text.trim_start_matches('\u{feff}').trim_start().starts_with(['{', '[']);
        let json;
        let bytes = if is_json {
            text.as_bytes()
        } else {
            json = yaml::read(text.as_bytes(), MOST).map_err(|error| {
                format!("line {}: expected events as JSON or YAML: {}", error.place.line, error.message)
            })?;
            &json.json
        };
        let (mut found, rules, mut why) = (Vec::new(), Rules::default(), None);
        let (mut framer, mut input, mut tree) = (Framer::new(MOST, MOST), bytes, Tree::default());
        // Reading from a slice can't fail.
        while let Ok(Some(chunk)) = framer.next(&mut input, Vec::new()) {
            let mut unit = |unit: &Unit, bytes: &[u8]| {
                let line = unit.line;
                let read = match unit.error(bytes, MOST) {
                    None => tree.read(bytes).map_err(|error| error.to_string()),
                    Some(error) => Err(error.message),
                };
                match read {
                    Err(error) => why = why.take().or(Some(format!("line {line}: {error}"))),
                    Ok(value) => events::find(value, &mut |candidate| match candidate.event() {
                        Ok(event) if found.len() < MOST_EVENTS => found.push(Meaning::of(event, &rules)),
                        Ok(_) => {
                            why = why.take().or(Some(format!("there are more than {MOST_EVENTS} events")))
                        }
                        Err(error) => why = why.take().or(Some(format!("line {line}: {error}"))),
                    }),
                }
            };
            chunk.body.units(&chunk.bytes, MOST, &mut unit, &mut 0);
        }
        match why {
            Some(why) => Err(why),
            None if found.is_empty() => Err("there is no event in it".to_owned()),
            None => Ok(Golden(found)),
        }
    }

    /// How the event in `ours` differs from the one of these that is nearest.
    pub(super) fn compare(&self, ours: &str, against: &'static str) -> Result<Compared, Refusal> {
        let (rules, mut tree) = (Rules::default(), Tree::default());
        let event = tree.read(ours.as_bytes()).map_err(|error| Refusal::bad(error.to_string()))?;
        let ours = [Meaning::of(event, &rules)];
        let mut compared =
            Compared { against, differences: Vec::new(), same: true, events: self.0.len(), alone: false };
        // One event is compared with one, however much they differ.
        let pair = if self.0.len() == 1 { Some(0) } else { None };
        let mut differences = Vec::new();
        if pair.is_some() {
            differences = crate::check::compare::differences(&ours[0], &self.0[0]);
            compared.same = differences.is_empty();
        } else if !self.0.contains(&ours[0]) {
            compared.same = false;
            for matched in match_up(&ours, &self.0)? {
                match matched {
                    Matched::Pair { differences: found, .. } => differences = found,
                    Matched::Only { side: Side::A, .. } => compared.alone = true,
                    _ => {}
                }
            }
        }
        compared.differences = differences
            .into_iter()
            .map(|difference| DifferenceView {
                path: difference.path,
                ours: difference.a,
                theirs: difference.b,
                kind: difference.how.name(),
            })
            .collect();
        Ok(compared)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(time: u32, summary: &str) -> String {
        format!(
            r#"{{"metadata":{{"event_timestamp":"2024-01-01T00:00:0{time}Z","event_type":"GENERIC_EVENT"}},"security_result":[{{"summary":"{summary}"}}]}}"#
        )
    }

    #[test]
    fn the_nearest_event_is_compared() {
        let golden = Golden::read(&[event(1, "a"), event(2, "b"), event(3, "c")].join("\n")).unwrap();
        let same = golden.compare(&event(2, "b"), "golden").unwrap();
        assert!(same.same && same.differences.is_empty() && same.events == 3);
        let other = golden.compare(&event(2, "x"), "golden").unwrap();
        let [difference] = &other.differences[..] else { panic!("{other:?}") };
        assert_eq!(difference.path, "security_result[0].summary");
        assert_eq!(
            (difference.ours.as_deref(), difference.theirs.as_deref()),
            (Some("\"x\""), Some("\"b\""))
        );
        assert!(!other.same);
        let one = Golden::read(&event(1, "a")).unwrap().compare(&event(2, "b"), "golden").unwrap();
        assert_eq!((one.same, one.differences.len()), (false, 2));
        let yaml =
            Golden::read("- events:\n    - event:\n        metadata:\n          event_type: GENERIC_EVENT\n")
                .unwrap();
        assert_eq!(yaml.0.len(), 1);
    }

    #[test]
    fn what_is_not_events_is_refused() {
        for text in ["", "[]", "{", "{\"events\":[]}", "[1]", "\t: x"] {
            assert!(Golden::read(text).is_err(), "{text}");
        }
    }
}

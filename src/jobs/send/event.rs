//! A line of events: whether it can be sent, and what of it.

use super::piece::{EventAt, Reject};
use crate::check::events::{self, Candidate};
use crate::check::validate::{Severity, Validator};
use crate::json::Tree;
use crate::time::read_rfc3339;
use chrono::Utc;
use regex::bytes::Regex;

/// What a request holds at most, in bytes. Google says 4 MB.
pub(super) const MOST_REQUEST: usize = 4_000_000;
/// What is before all events of a request.
pub(super) const HEAD: &[u8] = br#"{"inlineSource":{"events":["#;
/// What is around an event, and between two.
const BEFORE: &[u8] = br#"{"udm":"#;
const AFTER: &[u8] = b"}";
const MARK: usize = 1;
/// How long the end of a request is: `]}}`.
const END: usize = 3;

/// Where the time of an event is, as `udmap convert` writes it. It is only looked for to count, so others are not.
const TIMES: [&[u8]; 2] = [br#""event_timestamp":""#, br#""eventTimestamp":""#];
const DAY: i64 = 86_400;

/// How many events are oddly old, or not of this day.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Ages {
    /// Older than 180 days.
    pub(super) old: u64,
    /// More than a day ahead of this machine's clock.
    pub(super) ahead: u64,
}

/// Checks lines, and makes parts of requests of them.
pub(super) struct EventMaker {
    validator: Validator,
    /// Finds what may be a wrapping around an event.
    wrapping: Option<Regex>,
    tree: Tree,
    now: i64,
    pub(super) ages: Ages,
}

impl EventMaker {
    pub(super) fn new() -> EventMaker {
        // The keys that `events::find` looks for. It decides; this only says where it need not be asked.
        let keys = "\"(?:read_?[oO]nly_?[uU]dm|udm|event|idm|events|inline_?[sS]ource|parsed_?[eE]vents|run_?[pP]arser_?\
                    [rR]esults|error|progress)\"";
        // Without the pattern, which is right, every line is asked.
        let wrapping = Regex::new(keys).ok();
        EventMaker {
            validator: Validator::default(),
            wrapping,
            tree: Tree::default(),
            now: Utc::now().timestamp(),
            ages: Ages::default(),
        }
    }

    /// How much a line of this length adds to a request, whatever is in it.
    pub(super) fn cost(length: u64) -> u64 {
        length + (BEFORE.len() + AFTER.len() + MARK) as u64
    }

    fn look_at_age(&mut self, event: &[u8]) {
        let after = |name: &&[u8]| memchr::memmem::find(event, name).map(|at| at + name.len());
        let Some(start) = TIMES.iter().find_map(after) else { return };
        let text = &event[start..];
        let text = &text[..memchr::memchr(b'"', text).unwrap_or(0)];
        let Some(time) = std::str::from_utf8(text).ok().and_then(read_rfc3339) else { return };
        let age = self.now - time.seconds();
        self.ages.old += u64::from(age > 180 * DAY);
        self.ages.ahead += u64::from(age < -DAY);
    }

    /// Appends the event of a line to a request that has other events if `others`.
    pub(super) fn add(
        &mut self,
        line: &[u8],
        number: u64,
        others: bool,
        body: &mut Vec<u8>,
    ) -> Result<EventAt, Reject> {
        let reject = |reason, message: String| Reject {
            line: number,
            length: line.len() as u64,
            reason,
            message,
            raw: line.to_vec(),
        };
        let size = HEAD.len() + BEFORE.len() + line.len() + AFTER.len() + END;
        if size > MOST_REQUEST {
            let message = format!("the line makes a request of {size} bytes, more than {MOST_REQUEST}");
            return Err(reject("too-large", message));
        }
        let mut wrong: Option<(&'static str, String)> = None;
        let count = self.validator.check(line, &mut |finding| {
            if finding.severity == Severity::Error && wrong.is_none() {
                let place =
                    if finding.path.is_empty() { String::new() } else { format!("{}: ", finding.path) };
                wrong = Some((finding.code.name(), format!("{place}{}", finding.message)));
            }
        });
        if let Some((reason, message)) = wrong {
            return Err(reject(reason, message));
        }
        if count != 1 {
            return Err(reject("not-one-event", format!("expected one event on the line, found {count}")));
        }
        let event = if line.first() == Some(&b'{')
            && self.wrapping.as_ref().is_some_and(|keys| !keys.is_match(line))
        {
            line
        } else {
            let mut found = None;
            if let Ok(value) = self.tree.read(line) {
                events::find(value, &mut |candidate| {
                    if let Candidate::Event(event) = candidate {
                        found = Some(event.start()..event.start() + event.raw().len());
                    }
                });
            }
            match found.and_then(|range| line.get(range)) {
                Some(event) => event,
                None => return Err(reject("no-event", "there is no event on the line".into())),
            }
        };
        self.look_at_age(event);
        if others {
            body.push(b',');
        }
        let start = body.len();
        body.extend_from_slice(BEFORE);
        let raw = body.len()..body.len() + event.len();
        body.extend_from_slice(event);
        body.extend_from_slice(AFTER);
        Ok(EventAt { line: number, bytes: start..body.len(), raw })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"{"metadata":{"event_timestamp":"2024-01-01T00:00:00Z","event_type":"GENERIC_EVENT"},"principal":{"hostname":"h"}}"#;

    #[test]
    fn events_go_as_they_are_and_what_is_none_does_not_go() {
        let mut maker = EventMaker::new();
        let (mut body, mut events) = (HEAD.to_vec(), Vec::new());
        let spaced = GOOD.replace(",\"principal", " , \"principal");
        let camel = GOOD.replace("event_timestamp", "eventTimestamp").replace("event_type", "eventType");
        for (line, event) in [
            (GOOD.to_owned(), GOOD),
            (format!(r#"{{"udm":{spaced}}}"#), &spaced),
            (format!(r#"{{"name":"x","udm":{camel} }}"#), &camel),
            (format!(r#"{{"event":{{"idm":{{"readOnlyUdm":{GOOD}}}}}}}"#), GOOD),
            (format!("[{GOOD}]"), GOOD),
            (GOOD.replace("\"h\"", r#""a \"udm\" b""#), &GOOD.replace("\"h\"", r#""a \"udm\" b""#)),
        ] {
            for _ in 0..3 {
                let at = maker.add(line.as_bytes(), 7, !events.is_empty(), &mut body).unwrap();
                assert_eq!(std::str::from_utf8(&body[at.raw.clone()]).unwrap(), event);
                events.push(at);
            }
        }
        body.extend_from_slice(b"]}}");
        let value: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(value["inlineSource"]["events"].as_array().unwrap().len(), events.len());

        assert_eq!(maker.ages, Ages { old: events.len() as u64, ahead: 0 });
        let before = body.clone();
        for (line, reason) in [
            ("{", "invalid-json"),
            ("x", "invalid-json"),
            ("5", "no-event"),
            ("{}", "no-timestamp"),
            ("[]", "not-one-event"),
            (&format!("[{GOOD},{GOOD}]"), "not-one-event"),
            (r#"{"error":{"code":3}}"#, "parser-error"),
            (&GOOD.replace("GENERIC_EVENT", "NO_SUCH"), "unknown-enum"),
            (&GOOD.replace("\"h\"", &format!("\"{}\"", "h".repeat(MOST_REQUEST))), "too-large"),
        ] {
            let reject = maker.add(line.as_bytes(), 7, true, &mut body).unwrap_err();
            assert_eq!((reject.reason, reject.raw == line.as_bytes()), (reason, true), "{}", reject.message);
        }
        assert!(maker.add(b"\xff{}", 1, true, &mut body).is_err());
        assert!(body == before);
    }
}

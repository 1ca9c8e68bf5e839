//! One record as the collector sees it: its line, what identifies it, and its time.
//!
//! Nothing of a record is changed, and what can't be understood in it does not matter: it is
//! delivered all the same.

use super::logs::{Log, Time};
use super::seen::Key;
use chrono::{DateTime, NaiveDateTime};
use serde::de::{Deserializer as _, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;

/// The field with a record's time that [`decorate`] adds, in epoch seconds.
const TIMESTAMP: &str = "timestamp";
/// The most fields that identify a record, and the most that hold its time.
const MOST_FIELDS: usize = 3;

/// What the collector reads of a record.
#[derive(Debug, Default, PartialEq, Eq)]
struct Facts<'a> {
    /// The fields that identify it, each as its JSON text; `null` is absent.
    identity: [Option<&'a str>; MOST_FIELDS],
    /// The fields with its time, the same.
    times: [Option<&'a str>; MOST_FIELDS],
    /// It has one of the fields that [`decorate`] adds.
    decorated: bool,
}

/// A record's line: its own bytes, on one line. A line break can only stand between the parts of a
/// JSON text, never inside one.
pub(super) fn line(record: &str) -> Cow<'_, str> {
    if memchr::memchr2(b'\n', b'\r', record.as_bytes()).is_none() {
        return Cow::Borrowed(record);
    }
    Cow::Owned(record.replace(['\n', '\r'], " "))
}

/// What identifies the record on a line, and its time in ms, if it has one.
///
/// With the field that names it: that, and the others that identify it. Otherwise the record's own bytes, and then true
/// twins exist: they are counted.
pub(super) fn identify(log: &Log, line: &str, host: &str) -> (Key, Option<i64>) {
    let facts = facts(log, line).unwrap_or_default();
    let key = match facts.identity[0] {
        Some(_) => Key::named(&facts.identity.map(Option::unwrap_or_default)[..log.identity.len()]),
        None => Key::counted(undecorated(log, line, host)),
    };
    (key, facts.ms(log))
}

/// Adds `host`, `eventtype` and `timestamp` (epoch seconds, if the record's time can be read, and the log's records have
/// no such field of their own) to a record, as Duo's Python client does; `None` if it is not an object or has one of them
/// already.
pub(super) fn decorate(log: &Log, line: &str, host: &str) -> Option<String> {
    let facts = facts(log, line)?;
    if facts.decorated {
        return None;
    }
    let body = line.trim_end().strip_suffix('}')?;
    let comma = if body.trim_end().ends_with('{') { "" } else { "," };
    let tail = tail(log, host, facts.ms(log));
    Some(format!("{body}{comma}{tail}"))
}

/// What [`decorate`] puts in place of a record's last brace.
fn tail(log: &Log, host: &str, ms: Option<i64>) -> String {
    let ms = ms.filter(|_| is_added(log, TIMESTAMP));
    let timestamp = ms.map_or(String::new(), |ms| format!(",\"{TIMESTAMP}\":{}", ms.div_euclid(1000)));
    format!("\"host\":\"{host}\",\"eventtype\":\"{}\"{timestamp}}}", log.event_type())
}

/// Whether [`decorate`] adds a field of this name.
fn is_added(log: &Log, field: &str) -> bool {
    match field {
        "host" | "eventtype" => true,
        TIMESTAMP => log.times.iter().all(|time| time.field() != field),
        _ => false,
    }
}

/// The record without what [`decorate`] has added: the same for a record before and after it.
fn undecorated<'a>(log: &Log, line: &'a str, host: &str) -> Cow<'a, str> {
    let Some(facts) = facts(log, line).filter(|facts| facts.decorated) else { return Cow::Borrowed(line) };
    let tail = tail(log, host, facts.ms(log));
    let Some(body) = line.strip_suffix(&tail) else { return Cow::Borrowed(line) };
    Cow::Owned(format!("{}}}", body.strip_suffix(',').unwrap_or(body)))
}

impl Facts<'_> {
    /// The record's time in ms.
    fn ms(&self, log: &Log) -> Option<i64> {
        let read = |(time, json): (&Time, &Option<&str>)| match time {
            Time::Text(_) => text_ms((*json)?),
            Time::Number(_, unit) => number_ms((*json)?, *unit),
        };
        log.times.iter().zip(&self.times).find_map(read)
    }
}

/// Reads the wanted members of a record; of two equal ones the last counts. Nothing if it is not an
/// object.
fn facts<'a>(log: &Log, line: &'a str) -> Option<Facts<'a>> {
    struct Projection<'l>(&'l Log);
    impl<'de> Visitor<'de> for Projection<'_> {
        type Value = Facts<'de>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a record")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Facts<'de>, A::Error> {
            let (log, mut facts) = (self.0, Facts::default());
            while let Some(key) = map.next_key::<Cow<'de, str>>()? {
                facts.decorated |= is_added(log, &key);
                let identity = log.identity.iter().position(|field| **field == *key);
                let time = log.times.iter().position(|time| time.field() == key);
                if identity.is_none() && time.is_none() {
                    map.next_value::<IgnoredAny>()?;
                    continue;
                }
                let value = Some(map.next_value::<&RawValue>()?.get());
                let value = value.filter(|value| !matches!(*value, "null" | "\"\""));
                identity.and_then(|at| facts.identity.get_mut(at)).into_iter().for_each(|slot| *slot = value);
                time.and_then(|at| facts.times.get_mut(at)).into_iter().for_each(|slot| *slot = value);
            }
            Ok(facts)
        }
    }
    serde_json::Deserializer::from_str(line).deserialize_map(Projection(log)).ok()
}

/// A time's JSON text in milliseconds since 1970: ISO 8601, with or without an offset.
fn text_ms(json: &str) -> Option<i64> {
    let text = json.strip_prefix('"')?.strip_suffix('"')?;
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Some(time.timestamp_millis());
    }
    let local = NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f").ok()?;
    Some(local.and_utc().timestamp_millis())
}

/// The same of a whole number of units of this many milliseconds.
fn number_ms(json: &str, unit: i64) -> Option<i64> {
    json.parse::<i64>().ok()?.checked_mul(unit)
}

#[cfg(test)]
mod tests {
    use super::super::logs::LOGS;
    use super::*;

    const TELEPHONY: &Log = &LOGS[0];

    const HOST: &str = "api-1.duosecurity.com";

    #[test]
    fn times() {
        let table = [
            (r#""2023-03-21T22:34:49.466370+00:00""#, Some(1_679_438_089_466)),
            (r#""2023-03-21T22:34:49Z""#, Some(1_679_438_089_000)),
            (r#""2023-03-21T22:34:49.466370""#, Some(1_679_438_089_466)),
            (r#""2023-03-21T23:34:49+01:00""#, Some(1_679_438_089_000)),
            ("1679438089", None),
            (r#""yesterday""#, None),
            ("{}", None),
        ];
        for (json, expected) in table {
            assert_eq!(text_ms(json), expected, "{json}");
        }
    }

    #[test]
    fn identity() {
        let same = |a: &str, b: &str| identify(TELEPHONY, a, HOST).0 == identify(TELEPHONY, b, HOST).0;
        let full = r#"{"telephony_id":"a","txid":"b","ts":"2023-03-21T22:34:49Z","credits":1}"#;
        assert!(same(
            full,
            r#"{"credits":2,"ts":"2023-03-21T22:34:49Z","txid":"b","telephony_id":"a","new":[]}"#
        ));
        for other in [
            r#"{"telephony_id":"x","txid":"b","ts":"2023-03-21T22:34:49Z","credits":1}"#,
            r#"{"telephony_id":"a","txid":"x","ts":"2023-03-21T22:34:49Z","credits":1}"#,
            r#"{"telephony_id":"a","txid":"b","ts":null,"credits":1}"#,
            r#"{"telephony_id":"ab","txid":"","ts":"2023-03-21T22:34:49Z"}"#,
        ] {
            assert!(!same(full, other), "{other}");
        }
        assert!(identify(TELEPHONY, full, HOST).0.is_named());
        for anonymous in
            [r#"{"telephony_id":null,"a":1}"#, r#"{"telephony_id":"","a":1}"#, "17", "null", "[]", "not JSON"]
        {
            assert!(!identify(TELEPHONY, anonymous, HOST).0.is_named(), "{anonymous}");
        }
        assert!(!same(r#"{"a":1}"#, r#"{"a":2}"#));
    }

    #[test]
    fn decoration_is_added_and_seen_through() {
        let table = [
            (
                r#"{"ts":"2023-03-21T22:34:49.9Z","type":"sms"}"#,
                r#"{"ts":"2023-03-21T22:34:49.9Z","type":"sms","host":"api-1.duosecurity.com","eventtype":"telephony","timestamp":1679438089}"#,
            ),
            (r#"{"ts":null}"#, r#"{"ts":null,"host":"api-1.duosecurity.com","eventtype":"telephony"}"#),
            ("{}", r#"{"host":"api-1.duosecurity.com","eventtype":"telephony"}"#),
            (r#"{"a":"}"} "#, r#"{"a":"}","host":"api-1.duosecurity.com","eventtype":"telephony"}"#),
        ];
        for (before, after) in table {
            assert_eq!(decorate(TELEPHONY, before, HOST).unwrap(), after);
            assert!(serde_json::from_str::<serde_json::Value>(after).is_ok());
            assert_eq!(
                identify(TELEPHONY, before.trim_end(), HOST),
                identify(TELEPHONY, after, HOST),
                "{before}"
            );
        }
        for kept in [r#"{"host":"x"}"#, r#"{"timestamp":1}"#, r#"{"eventtype":null}"#, "null", "[]", "{"] {
            assert_eq!(decorate(TELEPHONY, kept, HOST), None);
        }
    }

    #[test]
    fn a_line_is_one_line() {
        assert_eq!(line("{\"a\":1}"), "{\"a\":1}");
        assert_eq!(line("{\r\n  \"a\": 1\n}"), "{    \"a\": 1 }");
    }

    #[test]
    fn each_log_has_its_own_fields() {
        let table = [
            (
                "telephony",
                r#"{"telephony_id":"a","ts":"2020-01-01T00:00:00.5Z"}"#,
                true,
                Some(1_577_836_800_500),
            ),
            (
                "authentication",
                r#"{"txid":"a","timestamp":1577836800,"isotimestamp":"2020-01-01T00:00:00.250000+00:00"}"#,
                true,
                Some(1_577_836_800_250),
            ),
            ("authentication", r#"{"txid":"a","timestamp":1577836800}"#, true, Some(1_577_836_800_000)),
            ("authentication", r#"{"txid":null,"timestamp":"soon"}"#, false, None),
            (
                "activity",
                r#"{"activity_id":"a","ts":"2020-01-01T00:00:00.25+00:00"}"#,
                true,
                Some(1_577_836_800_250),
            ),
            ("administrator", r#"{"action":"x","timestamp":1577836800}"#, false, Some(1_577_836_800_000)),
            (
                "administrator",
                r#"{"isotimestamp":"2020-01-01T00:00:00+00:00"}"#,
                false,
                Some(1_577_836_800_000),
            ),
            ("offline-enrollment", r#"{"timestamp":9223372036854775807}"#, false, None),
            (
                "trust-monitor",
                r#"{"sekey":"a","surfaced_timestamp":1577836800250}"#,
                true,
                Some(1_577_836_800_250),
            ),
        ];
        for (name, line, named, expected) in table {
            let log = Log::named(name).unwrap();
            let (key, ms) = identify(log, line, HOST);
            assert_eq!((key.is_named(), ms), (named, expected), "{name} {line}");
            let after = decorate(log, line, HOST).unwrap();
            let event_type = format!(r#""eventtype":"{}""#, name.replace('-', "_"));
            assert!(after.contains(&event_type) && after.matches("\"timestamp\"").count() <= 1, "{after}");
            assert_eq!(identify(log, &after, HOST), (key, ms), "{after}");
        }
        for log in &LOGS {
            assert!(log.identity.len() <= MOST_FIELDS && log.times.len() <= MOST_FIELDS);
        }
    }
}

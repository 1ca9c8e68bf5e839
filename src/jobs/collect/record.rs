//! One telephony record as the collector sees it: its line, what identifies it, and its time.
//!
//! Nothing of a record is changed, and what can't be understood in it does not matter: it is
//! delivered all the same.

use super::seen::Key;
use chrono::{DateTime, NaiveDateTime};
use serde::de::{Deserializer as _, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;

/// The value of `eventtype` that Duo's own clients add.
const EVENT_TYPE: &str = "telephony";

/// What the collector reads of a record.
#[derive(Debug, Default, PartialEq, Eq)]
struct Facts<'a> {
    /// Each as its JSON text; `null` is absent.
    telephony_id: Option<&'a str>,
    txid: Option<&'a str>,
    ts: Option<&'a str>,
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
/// With a telephony_id: that, the txid and the time. Otherwise the record's own bytes, and then
/// true twins exist: they are counted.
pub(super) fn identify(line: &str, host: &str) -> (Key, Option<i64>) {
    let facts = facts(line).unwrap_or_default();
    let ms = facts.ts.and_then(ms);
    let key = match facts.telephony_id {
        Some(id) => Key::named(&[id, facts.txid.unwrap_or(""), facts.ts.unwrap_or("")]),
        None => Key::counted(undecorated(line, host)),
    };
    (key, ms)
}

/// Adds `host`, `eventtype` and `timestamp` (epoch seconds, if the record's time can be read) to a
/// record, as Duo's Python client does; `None` if it is no object or has one of them already.
pub(super) fn decorate(line: &str, host: &str) -> Option<String> {
    let facts = facts(line)?;
    if facts.decorated {
        return None;
    }
    let body = line.trim_end().strip_suffix('}')?;
    let comma = if body.trim_end().ends_with('{') { "" } else { "," };
    let tail = tail(host, facts.ts.and_then(ms));
    Some(format!("{body}{comma}{tail}"))
}

/// What [`decorate`] puts in place of a record's last brace.
fn tail(host: &str, ms: Option<i64>) -> String {
    let timestamp = ms.map_or(String::new(), |ms| format!(",\"timestamp\":{}", ms.div_euclid(1000)));
    format!("\"host\":\"{host}\",\"eventtype\":\"{EVENT_TYPE}\"{timestamp}}}")
}

/// The record without what [`decorate`] has added: the same for a record before and after it.
fn undecorated<'a>(line: &'a str, host: &str) -> Cow<'a, str> {
    let Some(facts) = facts(line).filter(|facts| facts.decorated) else { return Cow::Borrowed(line) };
    let tail = tail(host, facts.ts.and_then(ms));
    let Some(body) = line.strip_suffix(&tail) else { return Cow::Borrowed(line) };
    Cow::Owned(format!("{}}}", body.strip_suffix(',').unwrap_or(body)))
}

/// Reads the wanted members of a record; of two equal ones the last counts. Nothing if it is no
/// object.
fn facts(line: &str) -> Option<Facts<'_>> {
    struct Projection;
    impl<'de> Visitor<'de> for Projection {
        type Value = Facts<'de>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a record")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Facts<'de>, A::Error> {
            let mut facts = Facts::default();
            while let Some(key) = map.next_key::<Cow<'de, str>>()? {
                let slot = match &*key {
                    "telephony_id" => &mut facts.telephony_id,
                    "txid" => &mut facts.txid,
                    "ts" => &mut facts.ts,
                    other => {
                        facts.decorated |= matches!(other, "host" | "eventtype" | "timestamp");
                        map.next_value::<IgnoredAny>()?;
                        continue;
                    }
                };
                let value = map.next_value::<&RawValue>()?.get();
                *slot = Some(value).filter(|value| !matches!(*value, "null" | "\"\""));
            }
            Ok(facts)
        }
    }
    serde_json::Deserializer::from_str(line).deserialize_map(Projection).ok()
}

/// A time's JSON text in milliseconds since 1970: ISO 8601, with or without an offset.
fn ms(json: &str) -> Option<i64> {
    let text = json.strip_prefix('"')?.strip_suffix('"')?;
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Some(time.timestamp_millis());
    }
    let local = NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f").ok()?;
    Some(local.and_utc().timestamp_millis())
}

#[cfg(test)]
mod tests {
    use super::*;

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
            assert_eq!(ms(json), expected, "{json}");
        }
    }

    #[test]
    fn identity() {
        let same = |a: &str, b: &str| identify(a, HOST).0 == identify(b, HOST).0;
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
        assert!(identify(full, HOST).0.is_named());
        for anonymous in
            [r#"{"telephony_id":null,"a":1}"#, r#"{"telephony_id":"","a":1}"#, "17", "null", "[]", "not JSON"]
        {
            assert!(!identify(anonymous, HOST).0.is_named(), "{anonymous}");
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
            assert_eq!(decorate(before, HOST).unwrap(), after);
            assert!(serde_json::from_str::<serde_json::Value>(after).is_ok());
            assert_eq!(identify(before.trim_end(), HOST), identify(after, HOST), "{before}");
        }
        for kept in [r#"{"host":"x"}"#, r#"{"timestamp":1}"#, r#"{"eventtype":null}"#, "null", "[]", "{"] {
            assert_eq!(decorate(kept, HOST), None);
        }
    }

    #[test]
    fn a_line_is_one_line() {
        assert_eq!(line("{\"a\":1}"), "{\"a\":1}");
        assert_eq!(line("{\r\n  \"a\": 1\n}"), "{    \"a\": 1 }");
    }
}

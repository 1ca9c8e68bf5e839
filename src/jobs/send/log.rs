//! A line of raw logs as `logs:import` takes it: its bytes untouched, with its time.

use super::piece::{EventAt, Reject};
use super::target::{RawLogs, Target};
use crate::convert::Converter;
use crate::time::read_rfc3339;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// What a log has at most, in bytes. Google says 1 MB.
const MOST_LOG: usize = 1_000_000;
/// The longest time, in bytes.
const TIME: usize = "2024-01-01T00:00:00.000000000Z".len();
/// Where the time is in an event that udmap made.
const EVENT_TIME: &[u8] = br#""event_timestamp":""#;

/// Makes parts of requests of lines.
pub(super) struct LogMaker {
    /// What is before all logs of a request.
    pub(super) head: Vec<u8>,
    /// What is behind the times of each log.
    after: Vec<u8>,
    /// The time of collection: that of the first run, so that a repeated request is the same one.
    collected: DateTime<Utc>,
    /// Reads the times of records.
    times: Option<Arc<Converter>>,
}

impl LogMaker {
    /// `begun` is when the first run began, in ms.
    pub(super) fn new(
        logs: &RawLogs,
        target: &Target,
        begun: i64,
        times: Option<Arc<Converter>>,
    ) -> LogMaker {
        let mut head = br#"{"inlineSource":{"#.to_vec();
        if let Some(forwarder) = &logs.forwarder {
            let name = format!("{}/forwarders/{forwarder}", target.path());
            head.extend_from_slice(format!("\"forwarder\":{},", json!(name)).as_bytes());
        }
        head.extend_from_slice(br#""logs":["#);
        let mut after = b"\"".to_vec();
        if let Some(namespace) = &logs.namespace {
            after.extend_from_slice(format!(",\"environmentNamespace\":{}", json!(namespace)).as_bytes());
        }
        if !logs.labels.is_empty() {
            let labels = logs.labels.iter().map(|(key, value)| (key.clone(), json!({ "value": value })));
            let labels = Value::Object(labels.collect::<Map<String, Value>>());
            after.extend_from_slice(format!(",\"labels\":{labels}").as_bytes());
        }
        after.push(b'}');
        let collected = DateTime::from_timestamp_millis(begun).unwrap_or_default();
        LogMaker { head, after, collected, times }
    }

    /// How much a line of this length adds to a request at most, whatever is in it.
    pub(super) fn cost(&self, length: u64) -> u64 {
        let around =
            r#"{"data":"","logEntryTime":"","collectionTime":"#.len() + 2 * TIME + self.after.len() + 2;
        length.div_ceil(3) * 4 + around as u64
    }

    /// Appends a line to a request that has other logs if `others`.
    pub(super) fn add(
        &self,
        line: &[u8],
        number: u64,
        others: bool,
        body: &mut Vec<u8>,
    ) -> Result<EventAt, Reject> {
        if line.len() > MOST_LOG {
            return Err(Reject {
                line: number,
                length: line.len() as u64,
                reason: "too-large",
                message: format!("the log has {} bytes, more than {MOST_LOG}", line.len()),
                raw: line.to_vec(),
            });
        }
        let entry = self.time_of(line).unwrap_or(self.collected);
        // The collection must be later than the entry.
        let collected = match entry < self.collected {
            true => self.collected,
            false => entry.checked_add_signed(TimeDelta::milliseconds(1)).unwrap_or(entry),
        };
        if others {
            body.push(b',');
        }
        let start = body.len();
        body.extend_from_slice(br#"{"data":""#);
        let data = body.len();
        body.resize(data + line.len().div_ceil(3) * 4, 0);
        // The room is exactly what is needed.
        let written = STANDARD.encode_slice(line, &mut body[data..]).unwrap_or(0);
        let raw = data..data + written;
        for (name, time) in [(r#"","logEntryTime":""#, entry), (r#"","collectionTime":""#, collected)] {
            body.extend_from_slice(name.as_bytes());
            body.extend_from_slice(time.to_rfc3339_opts(SecondsFormat::AutoSi, true).as_bytes());
        }
        body.extend_from_slice(&self.after);
        Ok(EventAt { line: number, bytes: start..body.len(), raw })
    }

    /// The time of the record on a line, or of the first of several.
    fn time_of(&self, line: &[u8]) -> Option<DateTime<Utc>> {
        let events = self.times.as_ref()?.convert(line).events;
        let at = memchr::memmem::find(&events, EVENT_TIME)? + EVENT_TIME.len();
        let end = memchr::memchr(b'"', &events[at..])?;
        let time = read_rfc3339(std::str::from_utf8(&events[at..at + end]).ok()?)?;
        DateTime::from_timestamp(time.seconds(), time.nanos())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::convert::Options;
    use crate::mapping::Mapping;

    fn maker(labels: &[(&str, &str)], begun: i64) -> LogMaker {
        let labels = labels.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let logs = RawLogs {
            log_type: "DUO_TELEPHONY".into(),
            namespace: Some("corp".into()),
            labels,
            forwarder: Some("f-1".into()),
        };
        let target = Target::new("p", "us", "i", "v1", None).unwrap();
        let mapping = Mapping::builtin("duo_telephony").unwrap();
        let times = Arc::new(Converter::new(&mapping, &Options::default()));
        LogMaker::new(&logs, &target, begun, Some(times))
    }

    fn request(maker: &LogMaker, lines: &[&[u8]]) -> Value {
        let mut body = maker.head.clone();
        for (number, line) in lines.iter().enumerate() {
            let before = body.len();
            let at = maker.add(line, 1, number > 0, &mut body).unwrap();
            assert_eq!(STANDARD.decode(&body[at.raw]).unwrap(), *line);
            assert!((body.len() - before) as u64 <= maker.cost(line.len() as u64));
        }
        body.extend_from_slice(b"]}}");
        serde_json::from_slice(&body).unwrap()
    }

    const RECORD: &[u8] = br#"{"context":"authentication","credits":1,"phone":"+1","ts":"2020-03-20T15:38:12.013500+00:00","txid":"t","telephony_id":"x","type":"sms"}"#;

    #[test]
    fn bytes_are_untouched_and_times_are_those_of_records() {
        // 2026-01-01
        let maker = maker(&[("env", "prod"), ("team", "a\"b")], 1_767_225_600_000);
        let odd: &[u8] = b"  \xff\x00 text\t";
        let request = request(&maker, &[RECORD, odd]);
        let logs = &request["inlineSource"]["logs"];
        assert_eq!(
            request["inlineSource"]["forwarder"],
            "projects/p/locations/us/instances/i/forwarders/f-1"
        );
        assert_eq!(logs[0]["logEntryTime"], "2020-03-20T15:38:12.013500Z");
        assert_eq!(logs[0]["collectionTime"], "2026-01-01T00:00:00Z");
        assert_eq!(logs[0]["environmentNamespace"], "corp");
        assert_eq!(logs[0]["labels"], json!({"env": {"value": "prod"}, "team": {"value": "a\"b"}}));
        // Without a time, that of the collection, which is later.
        assert_eq!(logs[1]["logEntryTime"], "2026-01-01T00:00:00Z");
        assert_eq!(logs[1]["collectionTime"], "2026-01-01T00:00:00.001Z");
    }

    #[test]
    fn collection_is_later_than_the_entry() {
        let maker = maker(&[], 0);
        let request = request(&maker, &[RECORD]);
        assert_eq!(request["inlineSource"]["logs"][0]["collectionTime"], "2020-03-20T15:38:12.014500Z");
    }

    #[test]
    fn too_large_is_rejected_not_dropped() {
        let (line, mut body) = (vec![b'x'; MOST_LOG + 1], Vec::new());
        let reject = maker(&[], 0).add(&line, 7, false, &mut body).unwrap_err();
        assert!(reject.raw == line && reject.reason == "too-large" && body.is_empty());
        assert!(maker(&[], 0).add(&line[1..], 7, false, &mut body).is_ok());
    }
}

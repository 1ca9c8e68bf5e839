//! Raw logs where events are expected, and events where a raw log is: seen from the first records of an input.

use super::events::{self, Candidate};
use crate::convert::{CHUNK_BYTES, Converter, Engine, Options};
use crate::json::{Kind, Tree, Value};
use crate::mapping::{Mapping, builtin_mappings};
use crate::record::frame::{ChunkBody, Framer};
use crate::sync::lock;
use crate::{time, udm};
use std::collections::BTreeMap;
use std::sync::{Mutex, OnceLock};

/// How many inputs are looked at, and how many values of each.
const MOST_INPUTS: usize = 256;
const MOST_VALUES: usize = 4;
/// How many bytes of a value are looked at, and of an element where the value is longer.
const MOST_BYTES: usize = 256 << 10;
const MOST_OF_ELEMENT: usize = 64 << 10;

/// What something holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum LogOrEvents {
    /// Records of a log.
    RawLog,
    /// The raw logs of a case, as content-hub keeps them: `{"raw_logs":{"entries":[{"data":...}]}}`.
    CaseLogs,
    /// UDM events.
    Events,
}

/// Inputs that hold something else than is expected, by their numbers. Only the beginnings of inputs are looked at, and
/// only of the first of them, so that it costs nothing.
#[derive(Debug)]
pub(crate) struct Mistaken {
    expects_events: bool,
    sightings: Mutex<Sightings>,
    converters: OnceLock<Vec<Converter>>,
}

#[derive(Debug, Default)]
struct Sightings {
    inputs: usize,
    found: BTreeMap<usize, (String, LogOrEvents)>,
}

/// The first of the inputs that hold something else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MistakenInput {
    pub(crate) content: LogOrEvents,
    pub(crate) name: String,
    /// How many more were seen that hold the same.
    pub(crate) others: usize,
}

impl Mistaken {
    /// Where events are expected.
    pub(crate) fn for_events() -> Mistaken {
        Mistaken { expects_events: true, sightings: Mutex::default(), converters: OnceLock::new() }
    }

    /// Where raw logs are expected.
    pub(crate) fn for_raw_logs() -> Mistaken {
        Mistaken { expects_events: false, ..Mistaken::for_events() }
    }

    /// Looks at a chunk, if it is the first one of the input `number`.
    pub(crate) fn look(&self, (number, name): (usize, &str), chunk: &[u8], body: &ChunkBody, limit: usize) {
        if !is_first(body) || !self.take() {
            return;
        }
        let (mut as_expected, mut others) = (0, Vec::new());
        let mut each = |value: &[u8]| match self.unexpected(value) {
            Some(content) => others.push(content),
            None => as_expected += 1,
        };
        // Lines can't be left out, so no more of them are cut off than are looked at.
        let mut seen = 0;
        body.units(
            chunk,
            limit,
            &mut |_, bytes| {
                if seen < MOST_VALUES {
                    each(bytes);
                }
                seen += 1;
            },
            &mut 0,
        );
        if let Some(content) = others.first().filter(|_| others.len() > as_expected) {
            let found = &mut lock(&self.sightings).found;
            found.entry(number).or_insert_with(|| (name.to_owned(), *content));
        }
    }

    /// Looks at a record or value of an input, of which something is wrong. Inputs come one after the other.
    pub(crate) fn look_at(&self, name: &str, value: &[u8]) {
        let (number, known) = {
            let sightings = lock(&self.sightings);
            (sightings.inputs, sightings.found.values().any(|(other, _)| other == name))
        };
        if !known
            && self.take()
            && let Some(content) = self.unexpected(value)
        {
            lock(&self.sightings).found.insert(number, (name.to_owned(), content));
        }
    }

    /// Looks at the first values of a whole text.
    pub(crate) fn look_into(&self, name: &str, mut text: &[u8]) {
        let mut framer = Framer::new(MOST_BYTES, CHUNK_BYTES);
        let number = lock(&self.sightings).inputs;
        if let Ok(Some(chunk)) = framer.next(&mut text, Vec::new()) {
            self.look((number, name), &chunk.bytes, &chunk.body, MOST_BYTES);
        }
    }

    fn take(&self) -> bool {
        let mut looked = lock(&self.sightings);
        looked.inputs += 1;
        looked.inputs <= MOST_INPUTS
    }

    /// The first input that holds something else; nothing if none was seen.
    pub(crate) fn found(&self) -> Option<MistakenInput> {
        let looked = lock(&self.sightings);
        let (name, content) = looked.found.values().next()?;
        let others = looked.found.values().skip(1).filter(|(_, other)| other == content).count();
        Some(MistakenInput { content: *content, name: name.clone(), others })
    }

    fn unexpected(&self, value: &[u8]) -> Option<LogOrEvents> {
        let content = self.content(value)?;
        let expected = if self.expects_events { LogOrEvents::Events } else { LogOrEvents::RawLog };
        (content != expected).then_some(content)
    }

    /// What a line or JSON value is; nothing if that is not certain.
    fn content(&self, value: &[u8]) -> Option<LogOrEvents> {
        let value = value.trim_ascii();
        if value.len() > MOST_BYTES {
            return self.content_of_long(&value[..MOST_BYTES]);
        }
        match value.first()? {
            b'{' | b'[' => {
                let mut tree = Tree::default();
                let read = tree.read(value).ok()?;
                let content = of_json(read);
                if content.is_none() && self.is_known_log(value) {
                    Some(LogOrEvents::RawLog)
                } else {
                    content
                }
            }
            _ => of_text(std::str::from_utf8(value).ok()?),
        }
    }

    /// What the elements at the beginning of a long value are.
    fn content_of_long(&self, mut beginning: &[u8]) -> Option<LogOrEvents> {
        let mut framer = Framer::new(MOST_OF_ELEMENT, CHUNK_BYTES);
        let chunk = framer.next(&mut beginning, Vec::new()).ok()??;
        let mut content = None;
        let mut first = |bytes: &[u8]| {
            if content.is_none() && bytes.len() <= MOST_OF_ELEMENT {
                content = self.content(bytes);
            }
        };
        chunk.body.units(&chunk.bytes, MOST_OF_ELEMENT, &mut |_, bytes| first(bytes), &mut 0);
        content
    }

    /// Whether a built-in table makes an event of it.
    fn is_known_log(&self, value: &[u8]) -> bool {
        let converters = self.converters.get_or_init(|| {
            let options = Options { engine: Engine::Exact, ..Options::default() };
            // Those that take every record know nothing about them.
            let chooses = |mapping: &Mapping| !mapping.formats().own.any.is_empty();
            let mappings = builtin_mappings().filter_map(Mapping::builtin).filter(chooses);
            mappings.map(|mapping| Converter::new(&mapping, &options)).collect()
        });
        converters.iter().any(|converter| converter.convert(value).counts.events > 0)
    }
}

/// Whether a chunk is the first of its text.
fn is_first(body: &ChunkBody) -> bool {
    // White space and marks may come before the first value.
    const BEFORE: u64 = 4096;
    match body {
        ChunkBody::Lines { offset, .. } => *offset == 0,
        ChunkBody::Units { units, .. } => units.first().is_some_and(|unit| unit.offset < BEFORE),
    }
}

/// What a JSON value is, by its keys.
fn of_json(value: Value<'_>) -> Option<LogOrEvents> {
    let case_logs = |value: Value<'_>| {
        let logs = ["raw_logs", "rawLogs"].iter().find_map(|key| value.member(key));
        logs.is_some_and(|logs| logs.kind() == Kind::Object && logs.member("entries").is_some())
    };
    if value.kind() == Kind::Object && case_logs(value) {
        return Some(LogOrEvents::CaseLogs);
    }
    let (mut events, mut logs, mut seen) = (0, 0, 0);
    events::find(value, &mut |candidate| {
        seen += 1;
        if seen > MOST_VALUES {
            return;
        }
        match candidate {
            Candidate::Event(event) if is_event(event) => events += 1,
            Candidate::Event(event) if is_record(event) => logs += 1,
            Candidate::ParserError(_) | Candidate::Nothing(_) => events += 1,
            _ => {}
        }
    });
    match (events, logs) {
        (0, 0) => None,
        _ if events >= logs => Some(LogOrEvents::Events),
        _ => Some(LogOrEvents::RawLog),
    }
}

/// Whether an object is an event of UDM: it lies where only events do, or has UDM's metadata.
fn is_event(object: Value<'_>) -> bool {
    const METADATA: [&str; 10] = [
        "event_type",
        "eventType",
        "event_timestamp",
        "eventTimestamp",
        "product_name",
        "productName",
        "vendor_name",
        "vendorName",
        "product_event_type",
        "productEventType",
    ];
    if matches!(object.raw_key(), "readOnlyUdm" | "read_only_udm" | "udm") {
        return true;
    }
    let metadata = object.member("metadata").filter(|it| it.kind() == Kind::Object);
    metadata.is_some_and(|metadata| METADATA.iter().any(|key| metadata.member(key).is_some()))
}

/// Whether an object is a record of some log: it has a time, and no field of UDM.
fn is_record(object: Value<'_>) -> bool {
    let (mut all, mut known, mut has_time) = (0, 0, false);
    let root = udm::message("UDM");
    for member in object.children() {
        let key = member.raw_key();
        all += 1;
        known +=
            usize::from(root.is_some_and(|root| {
                root.fields.iter().any(|field| field.name == key || field.json_name == key)
            }));
        has_time |= is_time(key, member);
    }
    all >= 2 && has_time && known * 4 <= all
}

fn is_time(key: &str, value: Value<'_>) -> bool {
    let key = key.to_ascii_lowercase();
    let named =
        ["time", "date", "stamp"].iter().any(|word| key.contains(word)) || key == "ts" || key == "@timestamp";
    match value.kind() {
        Kind::Text => time::read_rfc3339(&value.text()).is_some() || named && !value.is_empty(),
        Kind::Number => named,
        _ => false,
    }
}

/// What a line that is not JSON is.
fn of_text(line: &str) -> Option<LogOrEvents> {
    const OF_EVENTS: [&str; 4] = ["readOnlyUdm:", "read_only_udm:", "eventTimestamp:", "event_timestamp:"];
    let yaml = line.trim_start_matches(['-', ' ']);
    if yaml == "events:" || OF_EVENTS.iter().any(|key| yaml.starts_with(key)) {
        return Some(LogOrEvents::Events);
    }
    (is_syslog(line) || is_vendor_format(line) || has_pairs(line) || begins_with_time(line))
        .then_some(LogOrEvents::RawLog)
}

/// `<134>` before a header.
fn is_syslog(line: &str) -> bool {
    let priority = line.strip_prefix('<').and_then(|rest| rest.split_once('>'));
    priority.is_some_and(|(number, _)| {
        (1..=3).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit())
    })
}

fn is_vendor_format(line: &str) -> bool {
    ["CEF:", "LEEF:"].iter().any(|mark| {
        line.find(mark).is_some_and(|at| {
            line[at + mark.len()..].starts_with(|first: char| first.is_ascii_digit()) && line.contains('|')
        })
    })
}

/// `key=value`, at least three of them.
fn has_pairs(line: &str) -> bool {
    let is_pair = |word: &str| {
        word.split_once('=').is_some_and(|(key, value)| {
            let letter = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
            !key.is_empty() && !value.is_empty() && key.bytes().all(letter)
        })
    };
    line.split([' ', ',', ';', '\t']).take(200).filter(|word| is_pair(word)).count() >= 3
}

/// `2024-01-01T00:00:00Z host ...`, `Mar 10 12:00:00 host ...`, `1683648435, ...`.
fn begins_with_time(line: &str) -> bool {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let mut words = line.trim_start_matches('[').split([' ', ',', ']', '\t']).filter(|it| !it.is_empty());
    let (Some(first), Some(second)) = (words.next(), words.next()) else { return false };
    let clock = |word: &str| {
        let digits = word.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b':' | b'.'));
        digits && word.matches(':').count() == 2
    };
    let date = |word: &str| {
        let parts: Vec<&str> = word.split(['-', '/']).collect();
        parts.len() == 3
            && parts.iter().all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()))
    };
    time::read_rfc3339(first).is_some()
        || date(first) && clock(second)
        || MONTHS.contains(&first) && words.next().is_some_and(clock)
        || first.len() == 10 && first.starts_with('1') && first.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content(text: &str) -> Option<LogOrEvents> {
        Mistaken::for_events().content(text.as_bytes())
    }

    #[test]
    fn raw_logs_and_events_are_known_by_their_content() {
        let event = r#"{"metadata":{"event_type":"GENERIC_EVENT"},"principal":{"hostname":"x"}}"#;
        let long = format!("[{}{}]", format!("{event},").repeat(10_000), event);
        let record = r#"{"ts":"2024-01-01T00:00:00Z","type":"sms","phone":"+1"}"#;
        let long_log = format!("[\n{}{}]", format!("{record},\n").repeat(10_000), record);
        let events = [
            event,
            long.as_str(),
            r#"{"event":{"idm":{"read_only_udm":{}}}}"#,
            r#"{"events":[{"event":{"idm":{"readOnlyUdm":{"metadata":{}}}}}]}"#,
            r#"{"runParserResults":[{"log":"x","error":{"code":3}}]}"#,
            r#"{"metadata":{"eventTimestamp":"2024-01-01T00:00:00Z"}}"#,
            "- events:",
            "    readOnlyUdm:",
        ];
        let logs = [
            record,
            long_log.as_str(),
            r#"{"timestamp":1700000000,"type":"phone","context":"verify"}"#,
            r#"{"stat":"OK","response":{"items":[{"ts":"2024-01-01T00:00:00Z","type":"sms"}]}}"#,
            r#"[{"ts":"2024-01-01T00:00:00Z","type":"sms"}]"#,
            r#"{"eventTime":"2024-01-01T00:00:00Z","eventName":"ConsoleLogin","sourceIPAddress":"1.2.3.4"}"#,
            "<134>Mar 10 12:00:00 host duo: x",
            "<134>1 2026-01-01T00:00:00Z host app - - x",
            "CEF:0|Duo Security|DuoLogSync|1|telephony|telephony|5|rt=1",
            "Mar 10 12:00:00 host sshd[1]: accepted",
            "2024-01-01T00:00:00Z host something",
            "2024-01-01 00:00:00,123 INFO something",
            r#"1683648435,host="a", type="sms", phone="1""#,
            r#"a=1 b="2" c=3"#,
        ];
        let neither = [
            "{}",
            "[]",
            "1",
            "{\"a\":1,\"b\":2}",
            "name: x",
            "# A heading",
            "words of a text, and more",
            r#"{"$schema":"x","version":"2.1.0","runs":[]}"#,
            r#"{"broken""#,
            "a = 1",
            "[severity]",
        ];
        for (texts, want) in
            [(&events[..], Some(LogOrEvents::Events)), (&logs, Some(LogOrEvents::RawLog)), (&neither, None)]
        {
            for text in texts {
                assert_eq!(content(text), want, "{}", &text[..text.len().min(200)]);
            }
        }
        assert_eq!(content(r#"{"raw_logs":{"entries":[{"data":"eA=="}]}}"#), Some(LogOrEvents::CaseLogs));
    }

    #[test]
    fn most_of_the_first_values_decide() {
        let (event, log) = (r#"{"metadata":{"event_type":"X"}}"#, "<1>a");
        let looked = |texts: &[&str]| {
            let mistaken = Mistaken::for_events();
            let text = texts.join("\n") + "\n";
            let mut framer = Framer::new(1 << 20, CHUNK_BYTES);
            let chunk = framer.next(&mut text.as_bytes(), Vec::new()).unwrap().unwrap();
            mistaken.look((0, "x"), &chunk.bytes, &chunk.body, 1 << 20);
            mistaken.found().is_some()
        };
        assert!(looked(&[log]) && looked(&[log, log, event]));
        assert!(!looked(&[event]) && !looked(&[log, event]) && !looked(&[event, log]));
    }
}

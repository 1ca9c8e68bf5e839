//! Reads the bodies of requests as SecOps is said to: proto3 JSON, both spellings, nothing unknown. The fields come
//! from Google's published messages; udmap's own reader and validator are not asked.

use base64::Engine as _;
use chrono::DateTime;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::OnceLock;

/// Why a body is refused.
pub(super) type Refusal = String;

type Read<T> = Result<T, Refusal>;

/// The members of an object, in order; a name given twice is an error.
struct Members<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Members<'a>, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Members<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
                let (mut members, mut names) = (Vec::new(), HashSet::new());
                while let Some((Text(name), value)) = map.next_entry::<Text<'de>, &'de RawValue>()? {
                    if !names.insert(name.clone()) {
                        return Err(serde::de::Error::custom(format!("`{name}` is given twice")));
                    }
                    members.push((name, value));
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Reader)
    }
}

/// A text, borrowed where nothing in it is escaped.
#[derive(serde::Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

fn members(value: &RawValue) -> Read<Vec<(Cow<'_, str>, &RawValue)>> {
    serde_json::from_str::<Members<'_>>(value.get()).map(|found| found.0).map_err(|error| error.to_string())
}

fn elements(value: &RawValue) -> Read<Vec<&RawValue>> {
    serde_json::from_str(value.get()).map_err(|error| error.to_string())
}

fn text(value: &RawValue) -> Read<Cow<'_, str>> {
    serde_json::from_str::<Text<'_>>(value.get()).map(|found| found.0).map_err(|error| error.to_string())
}

/// `inline_source` and `inlineSource` are one name.
fn camel(name: &str) -> String {
    let mut camel = String::new();
    let mut upper = false;
    for c in name.chars() {
        if c == '_' {
            upper = true;
        } else {
            camel.extend(if upper { Some(c.to_ascii_uppercase()) } else { Some(c) });
            upper = false;
        }
    }
    camel
}

/// The members of an object that has these and no others, by their names in camel case.
fn only<'a>(value: &'a RawValue, known: &[&str]) -> Read<HashMap<String, &'a RawValue>> {
    let mut found = HashMap::new();
    for (name, value) in members(value)? {
        let name = camel(&name);
        if !known.contains(&name.as_str()) {
            return Err(format!("unknown name `{name}`"));
        }
        if found.insert(name.clone(), value).is_some() {
            return Err(format!("`{name}` is given in two spellings"));
        }
    }
    Ok(found)
}

/// What is in the one list that a body holds.
fn items<'a>(
    body: &'a [u8],
    more: &[&str],
    source: &[&str],
    list: &str,
) -> Read<(Vec<&'a RawValue>, Option<String>)> {
    let body: &RawValue = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    let known: Vec<&str> = more.iter().copied().chain(["inlineSource"]).collect();
    let found = only(body, &known)?;
    let inline = found.get("inlineSource").ok_or("`inlineSource` is missing")?;
    let known: Vec<&str> = source.iter().copied().chain([list]).collect();
    let inline = only(inline, &known)?;
    let items = elements(inline.get(list).ok_or_else(|| format!("`{list}` is missing"))?)?;
    let forwarder = inline.get("forwarder").map(|value| text(value).map(Cow::into_owned)).transpose()?;
    Ok((items, forwarder))
}

/// The events of a body of `events:import`, each as it was written; or which one is wrong, and why.
pub(super) fn events(body: &[u8]) -> Result<Vec<&str>, (Option<usize>, Refusal)> {
    let (items, _) = items(body, &[], &[], "events").map_err(|error| (None, error))?;
    let mut events = Vec::new();
    for (at, item) in items.into_iter().enumerate() {
        let read = || -> Read<&str> {
            let found = only(item, &["name", "udm"])?;
            let udm = found.get("udm").ok_or("`udm` is missing")?;
            event(udm)?;
            Ok(udm.get())
        };
        events.push(read().map_err(|error| (Some(at), format!("events[{at}]: {error}")))?);
    }
    Ok(events)
}

/// A log as it arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Log {
    pub(crate) data: Vec<u8>,
    pub(crate) log_entry_time: String,
    pub(crate) collection_time: String,
    pub(crate) namespace: Option<String>,
    pub(crate) labels: Vec<(String, String)>,
    pub(crate) forwarder: Option<String>,
}

/// The logs of a body of `logs:import`.
pub(super) fn logs(body: &[u8]) -> Result<Vec<Log>, (Option<usize>, Refusal)> {
    let (items, forwarder) =
        items(body, &["hint"], &["forwarder", "sourceFilename"], "logs").map_err(|error| (None, error))?;
    let mut logs = Vec::new();
    for (at, item) in items.into_iter().enumerate() {
        logs.push(log(item, forwarder.as_ref()).map_err(|error| (Some(at), format!("logs[{at}]: {error}")))?);
    }
    Ok(logs)
}

fn log(item: &RawValue, forwarder: Option<&String>) -> Read<Log> {
    let known = ["data", "logEntryTime", "collectionTime", "environmentNamespace", "labels"];
    let found = only(item, &known)?;
    let get = |name: &str| found.get(name).map(|value| text(value)).transpose();
    let required = |name: &str| get(name)?.ok_or_else(|| format!("`{name}` is missing"));
    let data = base64::engine::general_purpose::STANDARD
        .decode(&*required("data")?)
        .map_err(|error| error.to_string())?;
    let (entry, collection) = (required("logEntryTime")?, required("collectionTime")?);
    if timestamp(&entry)? >= timestamp(&collection)? {
        return Err(format!("collected at {collection}, and written at {entry}"));
    }
    let mut labels = Vec::new();
    if let Some(given) = found.get("labels") {
        for (key, label) in members(given)? {
            let label = only(label, &["value", "rbacEnabled"])?;
            let value = label.get("value").ok_or("a label without a value")?;
            labels.push((key.into_owned(), text(value)?.into_owned()));
        }
    }
    labels.sort();
    Ok(Log {
        data,
        log_entry_time: entry.into_owned(),
        collection_time: collection.into_owned(),
        namespace: get("environmentNamespace")?.map(Cow::into_owned),
        labels,
        forwarder: forwarder.cloned(),
    })
}

fn timestamp(text: &str) -> Read<DateTime<chrono::FixedOffset>> {
    // Lower case, or a space for the T, is RFC 3339, too, but not proto3 JSON.
    if !text.contains('T') || text.contains('z') {
        return Err(format!("`{text}` is not a time"));
    }
    DateTime::parse_from_rfc3339(text).map_err(|_| format!("`{text}` is not a time"))
}

/// A field of a message.
struct Field {
    kind: &'static str,
    repeated: bool,
    map: bool,
    oneof: Option<&'static str>,
    refers: &'static str,
}

struct Schema {
    /// By message and either name; the name in camel case is told, too.
    messages: HashMap<&'static str, HashMap<&'static str, (&'static str, Field)>>,
    enums: HashMap<&'static str, HashSet<&'static str>>,
}

fn schema() -> &'static Schema {
    static SCHEMA: OnceLock<Schema> = OnceLock::new();
    SCHEMA.get_or_init(|| {
        let mut schema = Schema { messages: HashMap::new(), enums: HashMap::new() };
        for line in include_str!("../../../schema/udm_fields.tsv").lines().skip(1) {
            let columns: Vec<&'static str> = line.split('\t').collect();
            let [message, name, json, _, kind, cardinality, refers, ..] = columns[..] else {
                panic!("{line}")
            };
            for spelling in [name, json] {
                let field = Field {
                    kind,
                    repeated: cardinality == "repeated",
                    map: cardinality == "map",
                    oneof: cardinality.strip_prefix("oneof:"),
                    refers,
                };
                schema.messages.entry(message).or_default().insert(spelling, (json, field));
            }
        }
        for line in include_str!("../../../schema/udm_enums.tsv").lines().skip(1) {
            let mut columns = line.split('\t');
            let (Some(name), Some(value)) = (columns.next(), columns.next()) else { panic!("{line}") };
            schema.enums.entry(name).or_default().insert(value);
        }
        schema
    })
}

/// Whether this is a UDM event.
fn event(value: &RawValue) -> Read<()> {
    message(value, "UDM")?;
    let known = members(value)?;
    let metadata = known.iter().find(|(name, _)| name == "metadata").ok_or("`metadata` is missing")?.1;
    let metadata: HashSet<String> = members(metadata)?.iter().map(|(name, _)| camel(name)).collect();
    for required in ["eventTimestamp", "eventType"] {
        if !metadata.contains(required) {
            return Err(format!("`metadata.{required}` is missing"));
        }
    }
    if metadata.contains("id") {
        return Err("`metadata.id` is the server's".into());
    }
    Ok(())
}

fn message(value: &RawValue, name: &str) -> Read<()> {
    // Messages of other packages are left to Google's own reader.
    let Some(fields) = schema().messages.get(name) else { return members(value).map(drop) };
    let (mut given, mut oneofs) = (HashSet::new(), HashSet::new());
    for (member, value) in members(value)? {
        let (json, field) =
            fields.get(&*member).ok_or_else(|| format!("unknown name `{member}` in {name}"))?;
        if !given.insert(*json) {
            return Err(format!("`{json}` is given in two spellings"));
        }
        if value.get() == "null" {
            continue;
        }
        if field.oneof.is_some_and(|oneof| !oneofs.insert(oneof)) {
            return Err(format!("`{json}` is one of several of which only one can be set"));
        }
        let at = |error: Refusal| format!("{json}: {error}");
        if field.map {
            members(value).map_err(at)?;
        } else if field.repeated {
            for element in elements(value).map_err(at)? {
                single(element, field).map_err(at)?;
            }
        } else {
            single(value, field).map_err(at)?;
        }
    }
    Ok(())
}

fn single(value: &RawValue, field: &Field) -> Read<()> {
    let bare = value.get().trim_matches('"');
    let wrong = || Err(format!("{} is not a value of type {}", value.get(), field.kind));
    match (field.kind, field.refers) {
        ("string", _) => text(value).map(drop),
        ("bytes", _) => {
            let text = text(value)?.replace('-', "+").replace('_', "/");
            let engine = base64::engine::general_purpose::STANDARD_NO_PAD;
            engine.decode(text.trim_end_matches('=')).map(drop).map_err(|error| error.to_string())
        }
        ("bool", _) if matches!(value.get(), "true" | "false") => Ok(()),
        ("int32", _) if bare.parse::<i32>().is_ok() => Ok(()),
        ("int64", _) if bare.parse::<i64>().is_ok() => Ok(()),
        ("uint32", _) if bare.parse::<u32>().is_ok() => Ok(()),
        ("uint64", _) if bare.parse::<u64>().is_ok() => Ok(()),
        ("float" | "double", _) if bare.parse::<f64>().is_ok() => Ok(()),
        ("enum", name) => match schema().enums.get(name) {
            Some(values) if values.contains(bare) && bare.len() < value.get().len() => Ok(()),
            Some(_) if value.get().parse::<i32>().is_ok() => Ok(()),
            Some(_) => wrong(),
            None => Ok(()),
        },
        ("message", "google.protobuf.Timestamp") => timestamp(&text(value)?).map(drop),
        ("message", "google.protobuf.Duration") => {
            match text(value)?.strip_suffix('s').map(str::parse::<f64>) {
                Some(Ok(_)) => Ok(()),
                _ => wrong(),
            }
        }
        ("message", name) => message(value, name),
        _ => wrong(),
    }
}

#[test]
fn bodies_that_are_refused() {
    let good = r#"{"metadata":{"event_timestamp":"2026-01-01T00:00:00Z","eventType":"GENERIC_EVENT"}}"#;
    let of = |udm: &str| format!(r#"{{"inlineSource":{{"events":[{{"udm":{udm}}}]}}}}"#);
    assert_eq!(events(of(good).as_bytes()).expect("read"), [good]);
    assert_eq!(events(of(good).replace("inlineSource", "inline_source").as_bytes()).expect("read"), [good]);
    for (from, to) in [
        ("GENERIC_EVENT", "NO_SUCH_TYPE"),
        ("2026-01-01T00:00:00Z", "2026-01-01"),
        (r#""eventType":"GENERIC_EVENT""#, r#""vendor_name":"x""#),
        (r#""eventType""#, r#""id":"AAAA","eventType""#),
        (r#""eventType""#, r#""event_type":"GENERIC_EVENT","eventType""#),
        (r#""eventType""#, r#""no_such":1,"eventType""#),
        (r#""eventType""#, r#""vendor_name":1,"eventType""#),
        (r#"{"metadata":"#, r#"{"about":{},"metadata":"#),
        (r#"{"metadata":"#, r#"{"metadata":{},"metadata":"#),
        (r#"{"metadata":"#, r#"{"network":{"sent_bytes":-1},"metadata":"#),
        (r#"{"metadata":"#, r#"{"principal":{"ip":"192.0.2.1"},"metadata":"#),
    ] {
        let changed = good.replace(from, to);
        assert!(changed != good && events(of(&changed).as_bytes()).is_err(), "{changed}");
    }
    for body in ["", "{}", r#"{"inlineSource":{}}"#, r#"{"inlineSource":{"logs":[]}}"#, good] {
        assert!(events(body.as_bytes()).is_err(), "{body}");
    }
    let of = |times: &str| format!(r#"{{"inline_source":{{"logs":[{{"data":"eA==",{times}}}]}}}}"#);
    let (early, late) = ("2026-01-01T00:00:00Z", "2026-01-01T00:00:00.001Z");
    let times =
        |entry, collection| of(&format!(r#""logEntryTime":"{entry}","collection_time":"{collection}""#));
    assert_eq!(logs(times(early, late).as_bytes()).expect("read")[0].data, b"x");
    assert!(logs(times(late, early).as_bytes()).is_err());
    assert!(logs(times(early, early).as_bytes()).is_err());
    assert!(logs(of(r#""logEntryTime":"2026-01-01T00:00:00Z""#).as_bytes()).is_err());
}

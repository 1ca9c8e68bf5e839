//! Columns are those of the tree: what the engine knows of an event against the event parsed.

use super::names::camel;
use super::{Builder, COLUMNS, TIME};
use crate::convert::{Batch, Converter, Engine, Envelope, FieldNames, Options};
use crate::mapping::Mapping;
use crate::time::{Instant, read_rfc3339};
use arrow_array::cast::AsArray as _;
use arrow_array::types::TimestampMicrosecondType;
use arrow_array::{Array as _, ArrayRef};
use serde_json::Value;

/// What a column holds, by the tree.
fn text(event: &Value, path: &str) -> Option<String> {
    let idm = event.get("event").and_then(|event| event.get("idm"));
    let inner = idm.and_then(|idm| idm.get("read_only_udm").or_else(|| idm.get("readOnlyUdm")));
    let mut value = inner.unwrap_or(event);
    for part in path.split('.') {
        value = value.get(part).or_else(|| value.get(camel(part)))?;
        if let Value::Array(all) = value {
            value = all.first()?;
        }
    }
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Null | Value::Object(_) | Value::Array(_) => None,
        other => Some(other.to_string()),
    }
}

/// Compares the columns of these batches, made by one builder; how many values there are.
fn check(builder: &mut Builder, batches: &[Batch]) -> usize {
    for batch in batches {
        builder.push(&batch.events, batch.layouts().unwrap(), batch.reject_places()).unwrap();
    }
    let is_event = builder.is_event().to_vec();
    let arrays: Vec<ArrayRef> = builder.finish().unwrap();
    let (events, times) =
        (arrays[0].as_string::<i32>(), arrays[1].as_primitive::<TimestampMicrosecondType>());
    let mut values = 0;
    let mut row = 0;
    for record in batches.iter().flat_map(Batch::records) {
        assert_eq!(is_event[row], record.is_ok(), "{row}");
        let event: Value = match record {
            Ok(line) => {
                assert_eq!(events.value(row).as_bytes(), line);
                serde_json::from_slice(line).unwrap()
            }
            Err(_) => {
                assert!(events.is_null(row));
                Value::Null
            }
        };
        let time = text(&event, TIME).and_then(|text| read_rfc3339(&text)).map(Instant::micros);
        assert_eq!(times.is_valid(row).then(|| times.value(row)), time, "{event}");
        for (array, path) in arrays[2..].iter().zip(COLUMNS) {
            let array = array.as_string::<i32>();
            values += usize::from(array.is_valid(row));
            let value = array.is_valid(row).then(|| array.value(row));
            assert_eq!(value, text(&event, path).as_deref(), "{path} of row {row}: {event}");
        }
        row += 1;
    }
    assert!(arrays.iter().all(|array| array.len() == row));
    values
}

fn spellings() -> [Options; 2] {
    let namespace = Some("a \"b\" \\ \u{e9}".to_owned());
    [
        Options { namespace, ..Options::default() },
        Options { field_names: FieldNames::Camel, envelope: Envelope::Event, ..Options::default() },
    ]
}

#[test]
fn columns_are_those_of_the_tree() {
    let log = include_bytes!("../../fixtures/quickstart/input.ndjson");
    for name in ["duo_telephony", "duo_telephony_extended"] {
        let mapping = Mapping::builtin(name).unwrap();
        for options in spellings() {
            for engine in Engine::ALL.into_iter().filter(|engine| engine.is_available()) {
                let options = Options { engine, chunk_bytes: 4096, ..options.clone() };
                let converter = Converter::new(&mapping, &options).with_columns();
                let mut builder = Builder::new(true);
                assert!(check(&mut builder, &[converter.convert(log)]) > 50);
                #[cfg(feature = "cli")]
                {
                    let mix = "v2=50,v1=20,awkward=20,shuffled=5,wrapped=5,broken=3".parse().unwrap();
                    let log = crate::lab::Generator::records(5, &mix, 3_000);
                    let all = converter.convert(&log);
                    assert!(all.counts.rejects > 20);
                    assert!(check(&mut builder, &[all]) > 20_000);
                    let v2 = "v2=1".parse().unwrap();
                    let alike = converter.convert(&crate::lab::Generator::records(6, &v2, 100));
                    let reject = converter.convert(b"{}\n");
                    // Alike, with and without rejects among them, and then not any more.
                    check(&mut builder, std::slice::from_ref(&alike));
                    check(&mut builder, &[reject.clone(), alike.clone(), reject.clone(), alike.clone()]);
                    check(&mut builder, &[alike, reject, converter.convert(log.get(..4000).unwrap())]);
                    check(&mut builder, &[]);
                }
            }
        }
    }
}

/// Events of one kind differ in how many values a list has, and in what conditions and changes make of their fields.
#[test]
fn columns_of_lists_and_conditions_are_those_of_the_tree() {
    let rules = r#"
[[rule]]
udm = "principal.ip[]"
from = "ips[]"

[[rule]]
udm = "target.hostname"
from = "host"
read = "lower"
when = { a = "x" }

[[rule]]
udm = 'additional."x y"'
from = "ips[1]"
"#;
    let mapping = Mapping::load("small.toml", &format!("{TABLE}{rules}"), &|_| Err(String::new())).unwrap();
    let log = [
        r#""ips":["1.1.1.1","a\"b"]"#,
        r#""ips":["c"],"host":"H","a":"x""#,
        r#""host":"H""#,
        r#""ips":["d","e","f"],"host":"I","a":"x""#,
        r#""ips":["g","h"]"#,
        r#""ips":[],"a":{}"#,
    ]
    .map(|members| format!("{{\"ts\":\"2024-01-01T00:00:00Z\",{members}}}\n"))
    .concat();
    for options in spellings() {
        let converter = Converter::new(&mapping, &options).with_columns();
        let batch = converter.convert(log.as_bytes());
        assert_eq!((batch.counts.events, batch.counts.rejects), (5, 1));
        assert!(check(&mut Builder::new(true), &[batch]) > 10);
    }
}

/// Tables with lists, conditions and texts in `additional`.
#[test]
fn columns_of_other_logs_are_those_of_the_tree() {
    let fixtures = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    for name in crate::mapping::builtin_mappings().filter(|name| fixtures.join(name).is_dir()) {
        let mapping = Mapping::builtin(name).unwrap();
        let cases = std::fs::read_dir(fixtures.join(name)).unwrap().map(|entry| entry.unwrap().path());
        let logs: Vec<u8> =
            cases.filter_map(|case| std::fs::read(case.join("input.ndjson")).ok()).flatten().collect();
        for options in spellings() {
            for engine in Engine::ALL.into_iter().filter(|engine| engine.is_available()) {
                let options = Options { engine, chunk_bytes: 4096, ..options.clone() };
                let converter = Converter::new(&mapping, &options).with_columns();
                assert!(check(&mut Builder::new(true), &[converter.convert(&logs)]) > 50);
            }
        }
    }
}

const TABLE: &str = r#"
[mapping]
name = "small"
log_type = "SMALL"

[[rule]]
udm = "metadata.event_timestamp"
time = [{ from = "timestamp", read = "epoch-seconds" }, { from = "ts", read = "iso8601" }]

[[rule]]
udm = "metadata.event_type"
value = "GENERIC_EVENT"

[[rule]]
udm = "metadata.description"
value = "a \"b\" \u00e9 \\"

[[rule]]
udm = "network.sent_bytes"
from = "credits"

[[rule]]
udm = "principal.hostname"
from = "host"
when = "not-ip"

[[rule]]
udm = "principal.ip[]"
from = "host"
when = "ip"

[[rule]]
udm = "principal.ip[]"
from = "other"
when = "ip"

[[rule]]
udm = "principal.user.phone_numbers[]"
from = "other"

[[rule]]
udm = "principal.user.phone_numbers[]"
from = "phone"

[[rule]]
udm = "security_result[0].detection_fields[]"
label = "credits"
from = "credits"

[[rule]]
udm = "security_result[0].summary"
from = "phone"
default = "none"

[[rule]]
udm = "target.user.userid"
from = "phone"
"#;

#[test]
fn columns_of_repeated_fields_are_their_first_values() {
    let mapping = Mapping::load("small.toml", TABLE, &|_| Err(String::new())).unwrap();
    let log = br#"{"phone":"+1","credits":12,"host":"h","timestamp":1584718692}
{"phone":"a \"b\" \\","other":"1.2.3.4","credits":1,"host":"h","timestamp":1584718692}
{"other":"::1","host":"10.0.0.1","ts":"2023-03-21T22:34:49.466370+00:00"}
{"other":"\u00e9\n","host":"h\u0000","ts":"0001-01-01T00:00:00Z"}
{"phone":"+1","credits":"twelve","timestamp":1584718692}
{"phone":"\\","credits":0,"host":"","timestamp":-1.5}
"#;
    for options in spellings() {
        for engine in Engine::ALL.into_iter().filter(|engine| engine.is_available()) {
            let options = Options { engine, ..options.clone() }.label("env", "prod");
            let converter = Converter::new(&mapping, &options).with_columns();
            let batch = converter.convert(&log.repeat(30));
            assert_eq!((batch.counts.events, batch.counts.rejects), (150, 30));
            assert!(check(&mut Builder::new(true), &[batch]) > 400);
        }
    }
}

#[test]
fn events_of_other_layouts_are_an_error() {
    let mapping = Mapping::builtin("duo_telephony").unwrap();
    let converter = Converter::new(&mapping, &Options::default()).with_columns();
    let batch = converter.convert(b"{\"ts\":\"2024-01-01T00:00:00Z\",\"context\":\"sms\"}\n");
    let layouts = batch.layouts().unwrap();
    let cut = &batch.events[..batch.events.len() - 1];
    let longer = [&batch.events[..], b"{}\n"].concat();
    for events in [cut, &longer, b"\xff", b""] {
        assert!(Builder::new(true).push(events, layouts, &[]).is_err());
    }
    Builder::new(true).push(&batch.events, layouts, &[]).unwrap();
}

/// What no rule takes and what can't be taken may come before a column's value.
#[test]
fn the_rest_of_a_record_does_not_move_values() {
    let table = r#"
[mapping]
name = "t"
log_type = "T"
on_bad_field = "note"

[rest]
udm = "REST"

[[rule]]
udm = 'additional."a"'
from = "a"

[[rule]]
udm = "metadata.event_timestamp"
time = [{ from = "ts", read = "iso8601" }]

[[rule]]
udm = "metadata.event_type"
value = "GENERIC_EVENT"

[[rule]]
udm = "target.ip[]"
from = "ips[]"

[[rule]]
udm = "target.hostname"
from = "host"

[[rule]]
udm = "principal.port"
from = "port"
"#;
    let records: String = (0..200)
        .map(|n| {
            let rest: String = (0..n % 7).map(|i| format!(r#""k{i}\"":["é\"\\",{n}],"#)).collect();
            let host = ["\"h\"", "{}", "null"][n % 3];
            let port = ["1", "\"x\""][n % 2];
            format!(
                "{{{rest}\"host\":{host},\"port\":{port},\"ips\":[\"10.0.0.{n}\",[]],\"ts\":\"2024-01-01T00:00:00Z\"}}\n"
            )
        })
        .collect();
    for rest in ["additional", "principal.labels[]", "target.resource.attribute.labels[]"] {
        let mapping = Mapping::load("t.toml", &table.replace("REST", rest), &|_| Err(String::new())).unwrap();
        let converter = Converter::new(&mapping, &Options::default()).with_columns();
        let batch = converter.convert(records.as_bytes());
        assert_eq!(batch.counts.events, 200, "{:?}", batch.rejects.first());
        assert!(check(&mut Builder::new(true), &[batch]) > 400);
    }
}

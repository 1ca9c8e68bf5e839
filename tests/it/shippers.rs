//! Records that log shippers wrapped in a text or an object give what they give bare, by every table and engine.

use serde_json::{Value, json};
use udmap::convert::{Batch, Converter, Engine, Options};
use udmap::mapping::{Mapping, builtin_text};

/// A record for each table.
const RECORDS: [(&str, &str); 6] = [
    ("duo_telephony", r#"{"ts":"2024-01-01T00:00:00Z","type":"sms","phone":"+12125550100"}"#),
    ("duo_auth", r#"{"timestamp":1704067200,"event_type":"authentication","txid":"t","result":"success"}"#),
    (
        "duo_admin",
        r#"{"timestamp":1704067200,"action":"admin_login","username":"a","description":"{\"email\":\"a@b\"}"}"#,
    ),
    ("duo_activity", r#"{"ts":"2024-01-01T00:00:00.5Z","action":{"name":"user_create"},"activity_id":"i"}"#),
    ("duo_offline_enrollment", r#"{"timestamp":1704067200,"action":"o2fa_user_provisioned","username":"a"}"#),
    ("duo_trust_monitor", r#"{"surfaced_timestamp":1704067200000,"type":"auth","sekey":"s"}"#),
];

/// The ways in which shippers wrap a record; how many records there are then.
fn wrapped(record: &str) -> Vec<(String, usize)> {
    let (text, object): (&str, Value) = (record, serde_json::from_str(record).expect("JSON"));
    let event = |n: u64| json!({"id": n.to_string(), "timestamp": n, "message": text});
    let time = "2024-02-02T00:00:00Z";
    let objects = [
        (
            json!({"messageType":"DATA_MESSAGE","owner":"1","logGroup":"g","logStream":"s","logEvents":[event(1), event(2)]}),
            2,
        ),
        (json!({"@timestamp": time, "@message": text}), 1),
        (json!({"log": format!("{text}\n"), "stream": "stdout", "time": time}), 1),
        (json!({"log": format!("{text}\n{text}\n"), "kubernetes": {"pod_name": "p"}}), 2),
        (json!({"@timestamp": time, "@version": "1", "message": text, "host": {"name": "h"}}), 1),
        (json!({"@timestamp": time, "message": "a summary", "event": {"original": text, "dataset": "d"}}), 1),
        (json!({"MESSAGE": text, "__REALTIME_TIMESTAMP": "1"}), 1),
        (json!({"logName": "l", "timestamp": time, "jsonPayload": object}), 1),
        (json!({"logName": "l", "timestamp": time, "textPayload": text}), 1),
        (json!({"logName": "l", "jsonPayload": {"message": text}}), 1),
        (json!({"time": 1, "sourcetype": "s", "event": object}), 1),
        (json!({"time": 1, "sourcetype": "s", "event": text}), 1),
        (json!({"_raw": text, "_time": time}), 1),
        (json!({"log": format!("Apr 18 17:21:32 host duo: {text}\n"), "stream": "stderr"}), 1),
        (json!({"message": json!({"log": text}).to_string()}), 1),
        (json!([{"message": text}, {"log": text}]), 2),
    ];
    let mut all: Vec<(String, usize)> = objects.iter().map(|(it, n)| (it.to_string(), *n)).collect();
    for header in [
        "Apr 18 17:21:32 host duo: ",
        "<134>1 2024-01-01T00:00:00Z host app - - - ",
        "2024-01-01T00:00:00.000000001Z stdout F ",
        "2024-01-01T00:00:00+00:00\ttag\t",
        "2024-01-01 00:00:00 +0000 tag: ",
    ] {
        all.push((format!("{header}{text}"), 1));
        all.push((format!("{header}{}", json!({"message": text})), 1));
    }
    all
}

fn convert(mapping: &Mapping, log: &str) -> Batch {
    let mut all = Engine::ALL.into_iter().filter(|engine| engine.is_available()).map(|engine| {
        Converter::new(mapping, &Options::default().engine(engine)).convert(format!("{log}\n").as_bytes())
    });
    let first = all.next().expect("an engine");
    all.for_each(|other| {
        assert_eq!((&first.events, &first.rejects), (&other.events, &other.rejects), "{log}")
    });
    assert!(first.counts.balances(), "{:?}", first.counts);
    first
}

#[test]
fn records_in_texts_are_the_same_events() {
    for (table, record) in RECORDS {
        let mapping = Mapping::builtin(table).expect("built in");
        let bare = convert(&mapping, record);
        assert_eq!(bare.counts.events, 1, "{table} {:?}", bare.rejects);
        for (log, records) in wrapped(record) {
            let batch = convert(&mapping, &log);
            let expected = bare.events.repeat(records);
            assert!(batch.events == expected, "{table} {log}\n{:?}", batch.rejects.first());
        }
    }
    // Tables that build on these open them, too.
    let extended = Mapping::builtin("duo_auth_extended").expect("built in");
    assert_eq!(convert(&extended, &json!({"log": RECORDS[1].1}).to_string()).counts.events, 1);
}

#[test]
fn what_holds_no_record_is_what_it_was() {
    let auth = Mapping::builtin("duo_auth").expect("built in");
    let telephony = Mapping::builtin("duo_telephony").expect("built in");
    let reason = |mapping: &Mapping, log: Value| {
        let batch = convert(mapping, &log.to_string());
        let reject = batch.rejects.first().expect("a reject");
        (reject.reason.code().to_owned(), reject.message.clone())
    };
    let text = json!({"log": "Starting\n", "stream": "stdout"});
    assert_eq!(reason(&auth, text.clone()).0, "no-timestamp");
    assert_eq!(reason(&telephony, text).0, "other-log");
    let broken = reason(&auth, json!({"log": "a {\"broken\": line"}));
    assert!(broken.0 == "invalid-json" && broken.1.contains("of the text on"), "{broken:?}");
    let log = json!({"timestamp": 1, "txid": "t", "message": "a {curly} word"}).to_string();
    assert_eq!(convert(&auth, &log).counts.events, 1);
    // The record in a text is judged like any other.
    assert_eq!(reason(&telephony, json!({"message": RECORDS[1].1})).0, "other-log");
}

/// An envelope that names another log is one reject, whatever is in the place of its record. An object with a field of a
/// record is a record.
#[test]
fn what_names_another_log_is_not_opened() {
    for (table, record) in RECORDS {
        let mapping = Mapping::builtin(table).expect("built in");
        let messages = [
            json!("text"),
            json!("{\"ts\":1}"),
            json!(null),
            json!({}),
            json!([]),
            json!(1),
            json!({"ts": 1}),
        ];
        for message in messages {
            let log = json!({"service": "another", "x": 1, "message": message}).to_string();
            let batch = convert(&mapping, &log);
            let reasons: Vec<_> = batch.rejects.iter().map(|reject| reject.reason.code()).collect();
            assert_eq!((batch.counts.events, &reasons[..]), (0, &["other-log"][..]), "{table} {log}");
        }
        if table != "duo_telephony" {
            let log = record.replacen('{', r#"{"service":"another","message":"text","#, 1);
            assert_eq!(convert(&mapping, &log).counts.events, 1, "{log}");
        }
    }
}

#[test]
fn a_field_that_rules_read_holds_no_records() {
    let table = |shippers: &str, from: &str| {
        let text = format!(
            "[mapping]\nname = \"t\"\nlog_type = \"T\"\n{shippers}\n[[rule]]\nudm = \"metadata.event_timestamp\"\n\
             time = [{{ from = \"ts\", read = \"iso8601\" }}]\n[[rule]]\nudm = \"metadata.event_type\"\nvalue = \"GENERIC_EVENT\"\n\
             [[rule]]\nudm = \"principal.hostname\"\nfrom = \"{from}\"\n"
        );
        Mapping::load("t.toml", &text, &|_| Err("none".into())).expect("right")
    };
    let log = json!({"ts": "2024-01-01T00:00:00Z", "message": r#"{"ts":"2024-01-02T00:00:00Z","host":"h"}"#})
        .to_string();
    let hostname = |mapping: &Mapping| {
        let event: Value = serde_json::from_slice(&convert(mapping, &log).events).expect("an event");
        event["principal"]["hostname"].as_str().map(str::to_owned)
    };
    assert_eq!(hostname(&table("shippers = true", "host")).as_deref(), Some("h"));
    assert!(hostname(&table("shippers = true", "message")).is_some_and(|text| text.starts_with('{')));
    assert_eq!(hostname(&table("", "host")), None);
}

#[test]
fn envelopes_take_conditions() {
    let head = builtin_text("duo_telephony").expect("built in").replace("shippers = true\n", "");
    let envelope = |when: &str| {
        let text =
            format!("{head}\n[[envelope]]\nname = \"mine\"\n{when}\nrecords = \"body\"\ntext = true\n");
        Mapping::load("t.toml", &text, &|_| Err("none".into()))
    };
    let record = RECORDS[0].1;
    for (when, log, events) in [
        (r#"when = { kind = "DUO" }"#, json!({"kind": "duo", "body": record}), 1),
        (r#"when = { kind = { equals = "DUO" } }"#, json!({"kind": "duo", "body": record}), 0),
        (r#"when = { kind = { in = ["a", "b"] } }"#, json!({"kind": "b", "body": record}), 1),
        (
            r#"when = { kind = { starts_with = "du" }, x = { present = false } }"#,
            json!({"kind": "duo", "body": record}),
            1,
        ),
        (
            r#"when = { kind = { starts_with = "du" }, x = { present = false } }"#,
            json!({"kind": "duo", "body": record, "x": 1}),
            0,
        ),
        (
            r#"when = { kind = { not = { contains = "x" } } }
present = "kind""#,
            json!({"kind": {}, "body": record}),
            0,
        ),
        (r#"when = { body = { matches = "^[{]" } }"#, json!({"body": record}), 1),
        (r#"when = { body = { matches = "^[{]" } }"#, json!({"body": format!(" {record}")}), 0),
    ] {
        let mapping = envelope(when).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(convert(&mapping, &log.to_string()).counts.events, events, "{when} {log}");
    }
    let unknown =
        envelope(r#"when = { x = { present = false } }"#).map(drop).expect_err("any object").to_string();
    assert!(unknown.contains("no field is sure to be there") && unknown.contains("t.toml:"), "{unknown}");
}

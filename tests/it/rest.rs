//! What becomes of fields that no rule takes, and of those that can't be taken: `[rest]` and `on_bad_field`.

use crate::language::{BASE, TYPE, check, load};
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use udmap::convert::{Converter, Engine, Options};
use udmap::mapping::Mapping;

const REST: &str = "[rest]\nudm = \"additional\"\n";

/// A table whose bad fields are noted.
fn noting(rules: &str) -> Mapping {
    let head = BASE.replacen("log_type = \"T\"", "log_type = \"T\"\non_bad_field = \"note\"", 1);
    let none = |_: &str| Err("no such file".to_owned());
    Mapping::load("t.toml", &format!("{head}{rules}"), &none).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn what_no_rule_takes_goes_into_additional() {
    let rules = format!(
        r#"{REST}
[[rule]]
udm = "principal.hostname"
from = ["host", "name"]

[[rule]]
udm = "target.user.group_identifiers[]"
from = "groups[].key"

[[rule]]
udm = "principal.user.userid"
from = "d.uname"
when = {{ action = "login" }}

[[embedded]]
from = "d"
"#
    );
    let rest = |rest: Value| json!({ "additional": rest });
    check(
        &rules,
        &[
            // A number and a boolean are their texts, a key that needs quotes has them.
            (
                r#""b":{"n":1.50,"c":{"x y":true,"e.f":"g"}},"a":"é\n""#,
                rest(json!({"b.n":"1.50","b.c.x y":"true","b.c.\"e.f\"":"g","a":"é\n"})),
            ),
            // What is absent for rules is absent here.
            (r#""a":null,"b":"","c":{},"g":[],"e":[null,""],"f":{"g":[{}]}"#, json!({})),
            // Elements of lists; what is absent is none.
            (
                r#""a":["x",null,2,[3,{"y":"z"}]]"#,
                rest(json!({"a[0]":"x","a[1]":"2","a[2][0]":"3","a[2][1].y":"z"})),
            ),
            // Of a list, of which rules take a part, the other parts.
            (
                r#""groups":[{"key":"k","name":"n"},"s",{"name":"m"}]"#,
                json!({"target":{"user":{"group_identifiers":["k"]}},
                       "additional":{"groups[0].name":"n","groups[1]":"s","groups[2].name":"m"}}),
            ),
            // A field of which a rule had no need is taken all the same; one that only a condition reads is not.
            (
                r#""host":"h","name":"n","action":"login","d":"{\"uname\":\"u\",\"x\":[1]}""#,
                json!({"principal":{"hostname":"h","user":{"userid":"u"}},
                       "additional":{"action":"login","d.x[0]":"1"}}),
            ),
            // A text where an object is read, and one that is not JSON.
            (r#""d":"plain""#, rest(json!({"d":"plain"}))),
            (r#""d":"{\"uname\":\"u\"}""#, json!({})),
            // Of equal keys the last counts.
            (r#""a":1,"b":2,"a":3"#, rest(json!({"b":"2","a":"3"}))),
        ],
    );
    // In the order of the record.
    let mapping = load(&format!("{TYPE}{REST}")).unwrap();
    let log = br#"{"z":1,"ts":"2024-01-01T00:00:00Z","a":{"c":1,"b":2},"z":3}"#;
    let events = Converter::new(&mapping, &Options::default()).convert(log).events;
    let text = String::from_utf8(events).unwrap();
    assert!(text.contains(r#""additional":{"a.c":"1","a.b":"2","z":"3"}"#), "{text}");
}

#[test]
fn it_goes_into_labels_with_a_prefix_and_without_exceptions() {
    let rules = r#"
[[rule]]
udm = "target.resource.attribute.labels[]"
label = "own"
from = "own"

[rest]
udm = "target.resource.attribute.labels[]"
prefix = "duo."
except = ["secret", "a.b", "list[].x"]
"#;
    let labels = |labels: &[(&str, &str)]| {
        let labels: Vec<Value> = labels.iter().map(|(k, v)| json!({"key":k,"value":v})).collect();
        json!({"target":{"resource":{"attribute":{"labels":labels}}}})
    };
    check(
        rules,
        &[
            (
                r#""own":"o","p":1,"secret":{"x":1},"a":{"b":[1],"c":2}"#,
                labels(&[("own", "o"), ("duo.p", "1"), ("duo.a.c", "2")]),
            ),
            (r#""list":[{"x":1,"y":2},{"x":3}],"secret":"s""#, labels(&[("duo.list[0].y", "2")])),
            (r#""secret":"s""#, json!({})),
        ],
    );
}

#[test]
fn names_of_rules_are_not_taken_away() {
    let rules = format!(
        r#"{REST}
[[rule]]
udm = 'additional."x.y"'
from = "z"
"#
    );
    check(
        &rules,
        &[
            (r#""z":1,"x":{"y":2}"#, json!({"additional":{"x.y":"1","x.\"y\"":"2"}})),
            (r#""x":{"y":2}"#, json!({"additional":{"x.\"y\"":"2"}})),
        ],
    );
    for (rules, words) in [
        ("[rest]\n", "`udm` is missing"),
        ("[rest]\nudm = \"principal.hostname\"\n", "does not hold texts with names"),
        (
            "[rest]\nudm = \"target.resource.attribute.labels\"\n",
            "write `target.resource.attribute.labels[]`",
        ),
        ("[rest]\nudm = \"additional.x\"\n", "does not hold texts with names"),
        ("[rest]\nudm = \"additionals\"\n", "the nearest is `additional`"),
        ("[rest]\nudm = \"additional\"\nto = 1\n", "unknown key `to`"),
        ("[rest]\nudm = \"additional\"\nexcept = \"$.a\"\n", "write `a`"),
        ("rest = \"additional\"\n", "expected a table"),
        (
            "[rest]\nudm = \"additional\"\n[[rule]]\nudm = 'additional.\"x[0]\"'\nfrom = \"z\"\n",
            "or leave this one out with `except`",
        ),
    ] {
        let text = if rules.starts_with("rest") {
            format!("{rules}{BASE}{TYPE}")
        } else {
            format!("{BASE}{TYPE}{rules}")
        };
        let none = |_: &str| Err("none".to_owned());
        let error = Mapping::load("t.toml", &text, &none).map(drop).expect_err(rules).to_string();
        assert!(error.contains("t.toml:") && error.contains(words), "{rules}\n{error}");
    }
    // A field that a rule takes does not come a second time.
    assert!(load(&format!("{TYPE}{REST}[[rule]]\nudm = 'additional.\"x[0]\"'\nfrom = \"x[]\"\nsplit = {{ by = \",\", element = 0 }}\n")).is_err());
    assert!(load(&format!("{TYPE}{REST}[[rule]]\nudm = 'additional.\"x[0]\"'\nfrom = \"x[0]\"\n")).is_ok());
}

/// Names could make a record many times as long: an object or list for whose names there is no room is one text.
#[test]
fn long_names_do_not_multiply() {
    let mapping = load(&format!("{TYPE}{REST}")).unwrap();
    let converter = Converter::new(&mapping, &Options::default());
    let long = "k".repeat(10_000);
    let list = vec!["1"; 200_000].join(",");
    for record in [
        format!(r#"{{"ts":"2024-01-01T00:00:00Z","{long}":[{list}],"a":1}}"#),
        format!(
            r#"{{"ts":"2024-01-01T00:00:00Z","x":{}1{},"a":1}}"#,
            r#"{"kkkkkk":["#.repeat(60),
            "]}".repeat(60)
        ),
        format!(
            r#"{{"ts":"2024-01-01T00:00:00Z",{},"a":1}}"#,
            vec![r#""x":{"y":[1,[2]]}"#; 20_000].join(",")
        ),
    ] {
        let batch = converter.convert(record.as_bytes());
        assert_eq!(batch.counts.events, 1, "{:?}", batch.rejects.first());
        assert!(batch.events.len() < record.len() + (1 << 20), "{} of {}", batch.events.len(), record.len());
        let event: Value = serde_json::from_slice(&batch.events).unwrap();
        assert_eq!(event["additional"]["a"], "1");
    }
    let record = format!(r#"{{"ts":"2024-01-01T00:00:00Z","{long}":[1, {{"x":2}},3,4,5,6,7]}}"#);
    let event: Value = serde_json::from_slice(&converter.convert(record.as_bytes()).events).unwrap();
    assert_eq!(event["additional"][&long], r#"[1, {"x":2},3,4,5,6,7]"#);
}

#[test]
fn pairs_and_other_names_of_fields_are_left_too() {
    let text =
        format!("{}\n[rest]\nudm = \"additional\"\n", udmap::mapping::builtin_text("duo_telephony").unwrap());
    let mapping = Mapping::load("t.toml", &text, &|_| Err("none".into())).unwrap();
    let of = |log: &str, names| {
        let batch = Converter::new(&mapping, &Options::default().field_names(names)).convert(log.as_bytes());
        assert_eq!(batch.counts.events, 1, "{log} {:?}", batch.rejects);
        serde_json::from_slice::<Value>(&batch.events).unwrap()["additional"].clone()
    };
    use udmap::convert::FieldNames::{Camel, Snake};
    let pairs = "1683648435,type=\"sms\",x=\"1\",log_type=\"t\",odd.key=\"\",y=\"ab\"";
    assert_eq!(of(pairs, Snake), json!({"x":"1","y":"ab"}));
    let cef = "CEF:0|Duo Security|DuoLogSync|1|telephony|telephony|5|rt=1683648435000 type=sms cs1Label=foo cs1=bar act=None dvc=1";
    assert_eq!(of(cef, Camel), json!({"foo":"bar","dvc":"1"}));
    let wrapped = r#"{"service":"telephony","x":1,"message":{"ts":"2024-01-01T00:00:00Z","type":"sms","snake_case":"v"}}"#;
    assert_eq!(of(wrapped, Camel), json!({"snake_case":"v"}));
}

const OPTIONAL: &str = r#"
[[rule]]
udm = "metadata.event_type"
cases = [{ present = ["kind"], value = "USER_LOGIN" }, { value = "GENERIC_EVENT" }]

[[rule]]
udm = "principal.hostname"
from = ["host", "name"]
default = "none"

[[rule]]
udm = "principal.port"
from = ["port", "o.port"]

[[rule]]
udm = "target.user.group_identifiers[]"
from = "groups[]"

[[rule]]
udm = "principal.user.first_seen_time"
time = [{ from = "seen", read = "iso8601" }, { from = "seen_s", read = "epoch-seconds" }]

[[rule]]
udm = "network.sent_bytes"
from = "size"
capture = "([^ ]+)"
"#;

#[test]
fn bad_optional_fields_are_noted() {
    let mapping = noting(OPTIONAL);
    let rejecting = load(OPTIONAL).unwrap();
    for (members, bad, fields) in [
        (r#""host":"h","port":80"#, "", json!({"principal":{"hostname":"h","port":80}})),
        (r#""host":{"a":1},"name":"n""#, "host", json!({"principal":{"hostname":"n"}})),
        (
            r#""host":[],"groups":["a",{"b":1},"c"]"#,
            "host, groups[]",
            json!({"principal":{"hostname":"none"},"target":{"user":{"group_identifiers":["a","c"]}}}),
        ),
        (
            r#""port":"eighty","o":{"port":8080}"#,
            "port",
            json!({"principal":{"hostname":"none","port":8080}}),
        ),
        (r#""port":1e9,"o":{"port":"x"}"#, "port, o.port", json!({"principal":{"hostname":"none"}})),
        (
            r#""seen":"yesterday","seen_s":0"#,
            "seen",
            json!({"principal":{"hostname":"none","user":{"first_seen_time":"1970-01-01T00:00:00Z"}}}),
        ),
        (r#""seen":"0000-01-01T00:00:00Z""#, "seen", json!({"principal":{"hostname":"none"}})),
        (r#""size":"12 bytes""#, "", json!({"principal":{"hostname":"none"},"network":{"sent_bytes":"12"}})),
        (r#""size":"x bytes""#, "size", json!({"principal":{"hostname":"none"}})),
    ] {
        let log = format!("{{\"ts\":\"2024-01-01T00:00:00Z\",{members}}}\n").repeat(3);
        for engine in Engine::ALL.into_iter().filter(|engine| engine.is_available()) {
            let batch = Converter::new(&mapping, &Options::default().engine(engine)).convert(log.as_bytes());
            assert_eq!((batch.counts.events, batch.counts.rejects), (3, 0), "{members} {:?}", batch.rejects);
            assert!(batch.counts.balances());
            let first = batch.events.split(|byte| *byte == b'\n').next().unwrap();
            let mut event: Value = serde_json::from_slice(first).unwrap();
            event.as_object_mut().unwrap().remove("metadata");
            let noted = event.as_object_mut().unwrap().remove("additional").unwrap_or_default();
            assert_eq!(noted["udmap.bad_fields"].as_str().unwrap_or_default(), bad, "{members}");
            assert_eq!(event, fields, "{members}");
            let counted: Vec<_> =
                batch.counts.bad_fields.iter().map(|(path, n)| (path.as_str(), *n)).collect();
            let mut expected: Vec<_> =
                bad.split(", ").filter(|path| !path.is_empty()).map(|path| (path, 3)).collect();
            expected.sort_unstable();
            assert_eq!(counted, expected, "{members}");
            let batch =
                Converter::new(&rejecting, &Options::default().engine(engine)).convert(log.as_bytes());
            assert_eq!(batch.counts.events == 3, bad.is_empty(), "{members}");
        }
    }
    // What an event can't do without is rejected as ever.
    for (record, reason) in [
        (r#"{"ts":{}}"#, "field-type"),
        (r#"{"ts":"x"}"#, "bad-timestamp"),
        (r#"{"ts":"2024-01-01T00:00:00Z","kind":[1]}"#, "field-type"),
        (r#"{"host":{}}"#, "no-timestamp"),
    ] {
        let batch = Converter::new(&mapping, &Options::default()).convert(record.as_bytes());
        assert_eq!(batch.rejects.first().map(|reject| reject.reason.code()), Some(reason), "{record}");
    }
}

#[test]
fn notes_have_a_name_of_their_own() {
    let mapping = noting(&format!("{OPTIONAL}{REST}"));
    let log = br#"{"ts":"2024-01-01T00:00:00Z","host":{"a":1},"udmap":{"bad_fields":"x"}}"#;
    let event: Value =
        serde_json::from_slice(&Converter::new(&mapping, &Options::default()).convert(log).events).unwrap();
    assert_eq!(event["additional"], json!({"udmap.\"bad_fields\"":"x","udmap.bad_fields":"host"}));
    let head = BASE.replacen("log_type = \"T\"", "log_type = \"T\"\non_bad_field = \"note\"", 1);
    let none = |_: &str| Err("none".to_owned());
    let load = |text: &str| Mapping::load("t.toml", text, &none).map(drop).expect_err(text).to_string();
    let taken =
        load(&format!("{head}{TYPE}[[rule]]\nudm = 'additional.\"udmap.bad_fields\"'\nfrom = \"a\"\n"));
    assert!(taken.contains("holds the fields that `on_bad_field` notes"), "{taken}");
    let wrong = load(&format!("{}{TYPE}", head.replace("\"note\"", "\"notes\"")));
    assert!(
        wrong.contains("expected `reject` or `note`, found `notes`") && wrong.contains("`note`"),
        "{wrong}"
    );
}

#[test]
fn the_summary_names_what_was_noted() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let head = BASE.replacen("log_type = \"T\"", "log_type = \"T\"\non_bad_field = \"note\"", 1);
    std::fs::write(at("t.toml"), format!("{head}{OPTIONAL}{REST}")).unwrap();
    std::fs::write(at("log"), "{\"ts\":\"2024-01-01T00:00:00Z\",\"host\":{},\"x\":1}\n".repeat(2)).unwrap();
    let run = crate::support::run(&["convert", &at("log"), "--mapping", &at("t.toml"), "-o", &at("out")]);
    assert!(
        run.status == 0 && run.stderr.contains("bad fields") && run.stderr.contains("host 2"),
        "{}",
        run.stderr
    );
    let run = crate::support::run(&[
        "convert",
        &at("log"),
        "--mapping",
        &at("t.toml"),
        "-o",
        &at("out2"),
        "--summary",
        &at("summary"),
    ]);
    assert_eq!(run.status, 0, "{}", run.stderr);
    let summary: Value = serde_json::from_str(&std::fs::read_to_string(at("summary")).unwrap()).unwrap();
    assert_eq!(summary["bad_fields"], json!({"host":2}));
    let shown = crate::support::run(&["mappings", "show", &at("t.toml")]).stdout;
    assert!(
        shown.contains("each field that no rule takes") && shown.contains("additional.\"udmap.bad_fields\""),
        "{shown}"
    );
    let explained = crate::support::run(&["explain", &at("log"), "--mapping", &at("t.toml")]).stdout;
    assert!(explained.contains("additional.x") && explained.contains("which no rule takes"), "{explained}");
}

/// What is left of a value, by another reading of the law.
fn left(value: &Value, name: &str, taken: &dyn Fn(&str) -> bool, out: &mut Map<String, Value>) {
    if taken(name) {
        return;
    }
    match value {
        Value::Object(members) => {
            for (key, value) in members {
                left(value, &if name.is_empty() { key.clone() } else { format!("{name}.{key}") }, taken, out);
            }
        }
        Value::Array(elements) => {
            let present = elements.iter().filter(|element| !element.is_null() && *element != "");
            present.enumerate().for_each(|(n, element)| left(element, &format!("{name}[{n}]"), taken, out));
        }
        Value::Null => {}
        Value::String(text) if text.is_empty() => {}
        Value::String(text) => drop(out.insert(name.to_owned(), json!(text))),
        other => drop(out.insert(name.to_owned(), json!(other.to_string()))),
    }
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        "[a-c\"\\\\é]{0,3}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-d]", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_rest_is_all_that_is_left(members in prop::collection::btree_map("[a-d]", value(), 0..5)) {
        let rules = "[rest]\nudm = \"additional\"\nexcept = \"d.a\"\n[[rule]]\nudm = \"principal.ip[]\"\nfrom = \"a.b\"\nwhen = \"ip\"\n\
                     [[rule]]\nudm = \"principal.ip[]\"\nfrom = \"b[].c\"\nwhen = \"ip\"\n[[rule]]\nudm = \"principal.hostname\"\nfrom = \"c[1]\"\n";
        let rejecting = load(&format!("{TYPE}{rules}")).unwrap();
        let mut record: Map<String, Value> = members.into_iter().collect();
        record.insert("ts".into(), json!("2024-01-01T00:00:00Z"));
        let log = serde_json::to_string(&record).unwrap();
        let mut expected = Map::new();
        let is_of_list = |name: &str| {
            name.strip_prefix("b[").and_then(|rest| rest.split_once(']')).is_some_and(|(n, rest)| rest == ".c" && n.parse::<u32>().is_ok())
        };
        // One object where a list is read is a list of one.
        let one = record.get("b").is_some_and(Value::is_object);
        let taken = |name: &str| matches!(name, "ts" | "a.b" | "c[1]" | "d.a") || is_of_list(name) || one && name == "b.c";
        left(&Value::Object(record.clone()), "", &taken, &mut expected);
        let event = |mapping: &Mapping| {
            let events = Converter::new(mapping, &Options::default()).convert(log.as_bytes()).events;
            serde_json::from_slice::<Value>(&events).ok()
        };
        let noted = event(&noting(&format!("{TYPE}{rules}"))).expect("an event");
        if let Some(event) = event(&rejecting) {
            let got = event["additional"].as_object().cloned().unwrap_or_default();
            prop_assert_eq!(&got, &expected, "{}", log);
            // Where nothing is bad, nothing is noted.
            prop_assert_eq!(event, noted);
        } else {
            prop_assert!(noted["additional"]["udmap.bad_fields"].is_string(), "{}", log);
        }
    }
}

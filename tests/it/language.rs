//! What mapping tables can say: each rule by an example, and every fault by its message.

use serde_json::{Value, json};
use udmap::convert::{Converter, Engine, Options};
use udmap::mapping::Mapping;

pub(super) const BASE: &str = r#"
[mapping]
name = "t"
log_type = "T"

[[rule]]
udm = "metadata.event_timestamp"
time = [{ from = "ts", read = "iso8601" }]
"#;

pub(super) const TYPE: &str = "[[rule]]\nudm = \"metadata.event_type\"\nvalue = \"GENERIC_EVENT\"\n";

pub(super) fn load(rules: &str) -> Result<Mapping, String> {
    let file = |name: &str| match name {
        "map.tsv" => Ok("# value\tresult\na\tOTP\n\nb\tHARDWARE_KEY\n".to_owned()),
        "bad.tsv" => Ok("a\tOTP\nb\n".to_owned()),
        "twice.tsv" => Ok("a\tOTP\na\tOTP\n".to_owned()),
        "wrong.tsv" => Ok("a\tOPT\n".to_owned()),
        _ => Err("no such file".to_owned()),
    };
    Mapping::load("t.toml", &format!("{BASE}\n{rules}"), &file).map_err(|error| error.to_string())
}

/// What a record with these members becomes, by every engine: the event without its time, or the reject's reason.
fn convert(mapping: &Mapping, members: &str) -> Value {
    let record = format!("{{\"ts\":\"2024-01-01T00:00:00Z\",{members}}}\n");
    let mut all = Engine::ALL.into_iter().filter(|engine| engine.is_available()).map(|engine| {
        let batch = Converter::new(mapping, &Options::default().engine(engine)).convert(record.as_bytes());
        assert!(batch.counts.balances(), "{:?}", batch.counts);
        match batch.rejects.first() {
            Some(reject) => json!(format!("{}: {}", reject.reason.code(), reject.message)),
            None => {
                let mut event: Value = serde_json::from_slice(&batch.events).expect("an event");
                event["metadata"].as_object_mut().expect("an object").remove("event_timestamp");
                event
            }
        }
    });
    let first = all.next().expect("an engine");
    all.for_each(|other| assert_eq!(first, other));
    first
}

/// Checks what records become by rules, beside an event type of no interest.
pub(super) fn check(rules: &str, cases: &[(&str, Value)]) {
    let mapping = load(&format!("{TYPE}{rules}")).unwrap_or_else(|error| panic!("{error}"));
    for (members, expected) in cases {
        let mut event = convert(&mapping, members);
        if let Some(event) = event.as_object_mut() {
            event["metadata"].as_object_mut().expect("an object").remove("event_type");
            if event["metadata"].as_object().expect("an object").is_empty() {
                event.remove("metadata");
            }
        }
        assert_eq!(event, *expected, "{members}");
    }
}

#[test]
fn conditions_choose_among_cases() {
    let mapping = load(
        r#"
[[rule]]
udm = "metadata.event_type"
cases = [
  { when = { action = { contains = "login" } }, present = ["host", "user"], value = "USER_LOGIN" },
  { when = { action = { contains = "login" } }, value = "GENERIC_EVENT" },
  { when = { action = { in = ["group_create", "group_update"] } }, value = "GROUP_CREATION" },
  { when = { action = { starts_with = "user_", not = { matches = "x$" } }, "o.ip" = { cidr = "10.0.0.0/8" } }, value = "USER_CREATION" },
  { when = { action = { equals = "BYE", ignore_case = true }, host = { present = false } }, value = "USER_LOGOUT" },
  { value = "STATUS_UPDATE" },
]
"#,
    )
    .unwrap();
    for (members, event_type) in [
        (r#""action":"admin_login","host":"h","user":"u""#, "USER_LOGIN"),
        (r#""action":"admin_login","host":"h""#, "GENERIC_EVENT"),
        (r#""action":"group_create""#, "GROUP_CREATION"),
        (r#""action":"user_add","o":{"ip":"10.1.1.1"}"#, "USER_CREATION"),
        (r#""action":"user_fax","o":{"ip":"10.1.1.1"}"#, "STATUS_UPDATE"),
        (r#""action":"user_add","o":{"ip":"11.1.1.1"}"#, "STATUS_UPDATE"),
        (r#""action":"bye""#, "USER_LOGOUT"),
        (r#""action":"bye","host":"h""#, "STATUS_UPDATE"),
        (r#""action":null"#, "STATUS_UPDATE"),
        (r#""x":1"#, "STATUS_UPDATE"),
    ] {
        assert_eq!(convert(&mapping, members)["metadata"]["event_type"], event_type, "{members}");
    }
    // Reports count by the case that fits.
    let log = b"{\"ts\":\"2024-01-01T00:00:00Z\",\"action\":\"bye\"}\n";
    let counts = Converter::new(&mapping, &Options::default()).convert(log).counts;
    let chosen = counts.by_event_type.iter().find(|it| it.events == 1).expect("one");
    assert_eq!(
        (chosen.event_type.as_str(), chosen.because.as_str()),
        ("USER_LOGOUT", "if `action` is `BYE` and `host` is absent")
    );
}

#[test]
fn rules_apply_where_their_condition_holds() {
    let rules = r#"
[[rule]]
udm = "target.user.userid"
from = "username"
when = { action = { contains = "login" } }

[[rule]]
udm = "principal.user.userid"
from = "username"
only_if = { action = { not = { contains = "login" } } }

[[rule]]
udm = "principal.ip[]"
from = "host"
when = "ip"
only_if = { action = { present = true } }

[[rule]]
udm = "target.user.email_addresses[]"
from = "uname"
when = "email"

[[rule]]
udm = "target.hostname"
from = "uname"
when = "not-email"

[[rule]]
udm = "security_result[0].action[]"
value = "BLOCK"
when = { "groups[].name" = "evil" }
"#;
    check(
        rules,
        &[
            (r#""username":"u","action":"login""#, json!({"target":{"user":{"userid":"u"}}})),
            (r#""username":"u","host":"10.0.0.1""#, json!({"principal":{"user":{"userid":"u"}}})),
            (r#""action":"a","host":"10.0.0.1""#, json!({"principal":{"ip":["10.0.0.1"]}})),
            (r#""action":"a","host":"h""#, json!({})),
            (r#""uname":"a@b.c""#, json!({"target":{"user":{"email_addresses":["a@b.c"]}}})),
            (r#""uname":"ab""#, json!({"target":{"hostname":"ab"}})),
            (r#""groups":[{"name":"a"},{"name":"evil"}]"#, json!({"security_result":[{"action":["BLOCK"]}]})),
            (r#""groups":[{"name":"a"},{"x":1},"evil"]"#, json!({})),
        ],
    );
}

#[test]
fn maps_say_what_values_become() {
    let rules = r#"
[[rule]]
udm = "extensions.auth.mechanism[]"
from = "factor"
map_file = "map.tsv"

[[rule]]
udm = "security_result[0].action[]"
from = "result"
map = { success = "ALLOW", SUCCESS = "ALLOW" }
otherwise = "BLOCK"

[[rule]]
udm = "security_result[0].action[]"
from = "status"
map = { Allow = "ALLOW", Reject = "BLOCK" }
when = { result = { present = false } }

[[rule]]
udm = "security_result[0].severity"
from = "level"
map = { info = "INFORMATIONAL", none = "UNKNOWN_SEVERITY" }
otherwise = "UNKNOWN_SEVERITY"
default = "LOW"

[[rule]]
udm = "network.sent_bytes"
from = "size"
map = { small = "1" }
"#;
    let severity = |level: Value, rest: Value| {
        let mut all = json!({"security_result":[{}]});
        all["security_result"][0] = rest;
        all["security_result"][0]["severity"] = level;
        all
    };
    check(
        rules,
        &[
            (
                r#""factor":"b""#,
                json!({"extensions":{"auth":{"mechanism":["HARDWARE_KEY"]}},"security_result":[{"severity":"LOW"}]}),
            ),
            (r#""factor":"c","level":"info""#, severity(json!("INFORMATIONAL"), json!({}))),
            (r#""result":"denied","status":"Allow""#, severity(json!("LOW"), json!({"action":["BLOCK"]}))),
            (r#""result":"SUCCESS""#, severity(json!("LOW"), json!({"action":["ALLOW"]}))),
            (r#""status":"Reject""#, severity(json!("LOW"), json!({"action":["BLOCK"]}))),
            (r#""status":"Else","level":"none""#, json!({})),
            (r#""level":"x","size":"small""#, json!({"network":{"sent_bytes":"1"}})),
        ],
    );
}

#[test]
fn a_map_gives_the_event_type() {
    let mapping = load(
        r#"
[[rule]]
udm = "metadata.event_type"
from = "action"
map = { login = "USER_LOGIN", in = "USER_LOGIN", out = "USER_LOGOUT" }
otherwise = "GENERIC_EVENT"
default = "STATUS_UPDATE"
"#,
    )
    .unwrap();
    for (members, event_type) in [
        (r#""action":"in""#, "USER_LOGIN"),
        (r#""action":"out""#, "USER_LOGOUT"),
        (r#""action":"x""#, "GENERIC_EVENT"),
        (r#""action":"""#, "STATUS_UPDATE"),
    ] {
        assert_eq!(convert(&mapping, members)["metadata"]["event_type"], event_type, "{members}");
        let log = format!("{{\"ts\":\"2024-01-01T00:00:00Z\",{members}}}\n");
        let counts = Converter::new(&mapping, &Options::default()).convert(log.as_bytes()).counts;
        let counted: Vec<_> = counts.by_event_type.iter().filter(|it| it.events == 1).collect();
        assert_eq!((counted.len(), counted[0].event_type.as_str()), (1, event_type), "{members}");
    }
}

#[test]
fn lists_fill_repeated_fields_and_labels() {
    let rules = r#"
[[rule]]
udm = "target.user.group_identifiers[]"
from = "user.groups[]"

[[rule]]
udm = "target.user.group_identifiers[]"
from = "more"

[[rule]]
udm = "principal.user.attribute.labels[]"
label = "key"
from = "a.groups[].key"

[[rule]]
udm = "principal.user.attribute.labels[]"
label = "name"
from = "a.groups[].name"
read = "upper"

[[rule]]
udm = "target.group.group_display_name"
from = "a.groups[0].name"
"#;
    check(
        rules,
        &[
            (
                r#""user":{"groups":["x",null,"","y",1.50,true]},"more":"z""#,
                json!({"target":{"user":{"group_identifiers":["x","y","1.50","true","z"]}}}),
            ),
            (r#""user":{"groups":"x"}"#, json!({"target":{"user":{"group_identifiers":["x"]}}})),
            (r#""user":{"groups":[]}"#, json!({})),
            (r#""user":{"groups":null}"#, json!({})),
            (
                r#""user":{"groups":["x",{}]}"#,
                json!("field-type: `user.groups[]` holds an object, not a text, number or boolean"),
            ),
            (
                r#""user":{"groups":[["x"]]}"#,
                json!("field-type: `user.groups[]` holds an array, not a text, number or boolean"),
            ),
            (
                r#""a":{"groups":[null,"",{"name":"n2"},{"name":"n3"}]}"#,
                json!({
                    "principal":{"user":{"attribute":{"labels":[
                        {"key":"name","value":"N2"},{"key":"name","value":"N3"}
                    ]}}},
                    "target":{"group":{"group_display_name":"n2"}}
                }),
            ),
            (
                r#""a":{"groups":[{"key":"k1","name":"n1"},null,{"key":"k2"},{"name":"n3"}]}"#,
                json!({
                    "principal":{"user":{"attribute":{"labels":[
                        {"key":"key","value":"k1"},{"key":"key","value":"k2"},
                        {"key":"name","value":"N1"},{"key":"name","value":"N3"},
                    ]}}},
                    "target":{"group":{"group_display_name":"n1"}},
                }),
            ),
            (
                r#""a":{"groups":{"name":"n"}}"#,
                json!({
                    "principal":{"user":{"attribute":{"labels":[{"key":"name","value":"N"}]}}},
                    "target":{"group":{"group_display_name":"n"}},
                }),
            ),
            (r#""a":{"groups":["n"]}"#, json!({})),
            (
                r#""a":{"groups":[{"name":[]}]}"#,
                json!("field-type: `a.groups[].name` holds an array, not a text, number or boolean"),
            ),
        ],
    );
}

#[test]
fn json_in_a_text_is_read() {
    let rules = r#"
[[embedded]]
from = "description"

[[rule]]
udm = "metadata.description"
from = ["description.desc", "description"]

[[rule]]
udm = "principal.user.user_display_name"
from = "description.name"

[[rule]]
udm = "target.user.group_identifiers[]"
from = "description.groups[].name"
"#;
    check(
        rules,
        &[
            (
                r#""description":"{\"desc\":\"d\",\"name\":1.50,\"groups\":[{\"name\":\"é\\n\"},{\"name\":\"b\"}]}""#,
                json!({
                    "metadata":{"description":"d"},
                    "principal":{"user":{"user_display_name":"1.50"}},
                    "target":{"user":{"group_identifiers":["é\n","b"]}},
                }),
            ),
            (r#""description":"{}""#, json!({})),
            (r#""description":"plain""#, json!({"metadata":{"description":"plain"}})),
            (r#""description":"{broken""#, json!({"metadata":{"description":"{broken"}})),
            (r#""description":" { } ""#, json!({})),
            (r#""description":"[1]""#, json!({"metadata":{"description":"[1]"}})),
            (r#""description":5"#, json!({"metadata":{"description":"5"}})),
            (r#""description":null"#, json!({})),
            (
                r#""description":{"desc":"d"}"#,
                json!("field-type: `description` holds an object, not a text, number or boolean"),
            ),
            (
                r#""description":"{\"name\":{}}""#,
                json!("field-type: `description.name` holds an object, not a text, number or boolean"),
            ),
            (r#""description":"{\"name\":\"\",\"x\":{}}""#, json!({})),
        ],
    );
}

#[test]
fn texts_are_changed_as_the_rule_says() {
    let rules = r#"
[[rule]]
udm = "target.user.phone_numbers[]"
from = "name"
read = "phone"

[[rule]]
udm = "target.hostname"
from = "name"
when = "not-phone"
read = ["trim", "lower"]

[[rule]]
udm = "target.user.userid"
from = "user"
order = 1

[[rule]]
udm = "target.user.userid"
from = "dn"
read = "first-rdn"
order = 2

[[rule]]
udm = "target.ip[]"
from = "ip"
when = "ip"
absent = ["None"]

[[rule]]
udm = 'additional."auth_device.ip"'
from = "ip"
when = "not-ip"
absent = ["None"]

[[rule]]
udm = "principal.ip[]"
from = ["first", "second"]
absent = ["None", "-"]

[[rule]]
udm = "principal.user.attribute.labels[]"
label = "part"
from = "csv"
split = ","
read = "trim"

[[rule]]
udm = "principal.hostname"
from = "csv"
capture = "host=([^,]*)"

[[rule]]
udm = "principal.application"
from = "csv"
split = { by = ",", element = 1 }
"#;
    check(
        rules,
        &[
            (r#""name":"+1 (734) 555-0100""#, json!({"target":{"user":{"phone_numbers":["+17345550100"]}}})),
            (r#""name":" My Phone ""#, json!({"target":{"hostname":"my phone"}})),
            (r#""dn":"CN=jdoe,OU=x""#, json!({"target":{"user":{"userid":"jdoe"}}})),
            (r#""user":"u","dn":"CN=jdoe""#, json!({"target":{"user":{"userid":"u"}}})),
            (r#""ip":"::1""#, json!({"target":{"ip":["::1"]}})),
            (r#""ip":"1.2.3.4:80""#, json!({"additional":{"auth_device.ip":"1.2.3.4:80"}})),
            (r#""ip":"None""#, json!({})),
            (r#""first":"None","second":"::2""#, json!({"principal":{"ip":["::2"]}})),
            (
                r#""csv":"a, b,,host=h""#,
                json!({"principal":{
                    "user":{"attribute":{"labels":[
                        {"key":"part","value":"a"},{"key":"part","value":"b"},{"key":"part","value":"host=h"}
                    ]}},
                    "hostname":"h",
                    "application":" b",
                }}),
            ),
        ],
    );
}

#[test]
fn templates_put_values_into_texts() {
    let rules = r#"
[[rule]]
udm = "metadata.description"
template = "${context} by ${o.type}: $${x} 5$"

[[rule]]
udm = "network.sent_bytes"
template = "1${n}"
"#;
    check(
        rules,
        &[
            (
                r#""context":"a\"b","o":{"type":1.50}"#,
                json!({"metadata":{"description":"a\"b by 1.50: ${x} 5$"}}),
            ),
            (r#""context":"a""#, json!({})),
            (r#""n":2"#, json!({"network":{"sent_bytes":"12"}})),
            (
                r#""n":"x""#,
                json!("field-type: `n` holds `1x`, not a whole number from 0 to 18446744073709551615"),
            ),
        ],
    );
}

#[test]
fn times_are_read_by_formats_and_finer_epochs() {
    let rules = r#"
[[rule]]
udm = "principal.user.first_seen_time"
time = [
  { from = "a", read = { format = "%d/%b/%Y:%H:%M:%S %z" } },
  { from = "b", read = { format = "%Y-%m-%d %H:%M:%S", zone = "+02:00" } },
  { from = "c", read = "epoch-microseconds" },
  { from = "list[0].d", read = "epoch-nanoseconds" },
]
"#;
    let time = |text: &str| json!({"principal":{"user":{"first_seen_time":text}}});
    check(
        rules,
        &[
            (r#""a":"28/Nov/2023:10:00:01 +0100""#, time("2023-11-28T09:00:01Z")),
            (r#""b":"2023-11-28 01:00:00""#, time("2023-11-27T23:00:00Z")),
            (r#""c":1701122400000001"#, time("2023-11-27T22:00:00.000001Z")),
            (r#""list":[{"d":"1"}]"#, time("1970-01-01T00:00:00.000000001Z")),
            (
                r#""b":"yesterday""#,
                json!("bad-timestamp: `b`: `yesterday` is not a time like `%Y-%m-%d %H:%M:%S`"),
            ),
            (r#""x":1"#, json!({})),
        ],
    );
}

#[test]
fn faults_are_refused_with_their_place_and_what_to_write() {
    let rule = |keys: &str| format!("{TYPE}[[rule]]\nudm = \"principal.hostname\"\n{keys}\n");
    let cases = |cases: &str| {
        format!(
            "[[rule]]\nudm = \"metadata.event_type\"\ncases = [{cases}, {{ value = \"GENERIC_EVENT\" }}]\n"
        )
    };
    for (rules, words) in [
        (rule("from = \"a[]\""), "may give several"),
        (rule("from = \"a\"\nsplit = \",\""), "may give several"),
        (rule("from = \"a[*]\""), "`name[]` reads each"),
        (rule("from = \"a\"\nread = \"lowercase\""), "unknown `read`: `lowercase`"),
        (rule("from = \"a | lower\""), "`read = \"lower\"`"),
        (rule("from = \"a\"\nwhen = \"ipv4\""), "unknown condition `ipv4`"),
        (rule("value = \"x\"\nwhen = \"ip\""), "goes only with `from`"),
        (rule("value = \"x\"\nread = \"lower\""), "`read` goes only with `from`"),
        (rule("template = \"x\""), "names no field"),
        (rule("template = \"${a\""), "expected `}`"),
        (rule("template = \"${a[]}\""), "several values"),
        (rule("value = \"${a}\""), "`template`"),
        (format!("{TYPE}[[rule]]\nudm = \"security_result[0].severity\"\ntemplate = \"${{a}}\"\n"), "can't give"),
        (format!("{TYPE}[[rule]]\nudm = \"principal.user.first_seen_time\"\ntime = [{{ from = \"a\", read = {{ format = \"%b %d\" }} }}]\n"), "the whole date"),
        (format!("{TYPE}[[rule]]\nudm = \"principal.user.first_seen_time\"\ntime = [{{ from = \"a\", read = {{ format = \"%Y-%m-%d\", zone = \"CET\" }} }}]\n"), "names of zones"),
        (format!("{TYPE}[[rule]]\nudm = \"principal.user.first_seen_time\"\ntime = [{{ from = \"a[]\", read = \"iso8601\" }}]\n"), "several values"),
        (format!("{TYPE}[[test]]\nrecord = '{{}}'\n"), "either `event` or `reject`"),
        (format!("{TYPE}[[test]]\nrecord = '{{}}'\nevent = '{{'\n"), "not valid JSON"),
        (format!("{TYPE}[[test]]\nrecord = '{{}}'\nreject = 'no-time'\n"), "`no-timestamp`"),
        (rule("from = \"a\"\nwhen = {}"), "names no field"),
        (rule("from = \"a\"\nwhen = { b = 5 }"), "expected a text, or a table with a test"),
        (rule("from = \"a\"\nwhen = { b = { c = \"x\" } }"), "needs quotes"),
        (rule("from = \"a\"\nwhen = { b = { equal = \"x\", present = true } }"), "unknown key `equal`"),
        (rule("from = \"a\"\nwhen = { b = { in = [] } }"), "no value would pass"),
        (rule("from = \"a\"\nwhen = { b = \"\" }"), "counts as absent"),
        (rule("from = \"a\"\nwhen = { b = { matches = \"(\" } }"), "not a regular expression"),
        (rule("from = \"a\"\nwhen = { b = { matches = \"(?:a{1000}){1000}\" } }"), "not a regular expression"),
        (rule("from = \"a\"\nwhen = { b = { cidr = \"10.0.0.0/40\" } }"), "expected a network"),
        (rule("from = \"a\"\nwhen = { b = { present = false, contains = \"x\" } }"), ""),
        (rule("from = \"a\"\nwhen = { b = \"x\" }\nonly_if = { b = { present = false } }"), "can't hold"),
        (rule("from = \"a\"\nmap = {}"), "the map is empty"),
        (rule("from = \"a\"\notherwise = \"x\""), "`otherwise` goes only with"),
        (rule("from = \"a\"\nmap_file = \"none.tsv\""), "no such file"),
        (rule("from = \"a\"\nmap_file = \"bad.tsv\""), "line 2: expected two columns"),
        (rule("from = \"a\"\nmap_file = \"twice.tsv\""), "line 2: `a` is in the map twice"),
        (rule("from = \"a\"\ncapture = \"a\""), "exactly one group"),
        (rule("from = \"a\"\nsplit = \"\""), "between the parts"),
        (rule("from = \"a\"\nsplit = { by = \",\", element = -1 }"), "from 0"),
        (format!("{TYPE}[[rule]]\nudm = \"extensions.auth.mechanism[]\"\nfrom = \"f\"\nmap_file = \"wrong.tsv\"\n"), "`OPT` is not a value"),
        (format!("{TYPE}[[rule]]\nudm = \"extensions.auth.mechanism[]\"\nfrom = \"f\"\nmap = {{ a = \"OPT\" }}\n"), "`OPT` is not a value"),
        (format!("{TYPE}[[rule]]\nudm = \"extensions.auth.mechanism[]\"\nfrom = \"f\"\n"), "say with `map`"),
        (format!("{TYPE}[[rule]]\nudm = \"additional\"\nfrom = \"f\"\n"), "name one"),
        (format!("{TYPE}[[rule]]\nudm = \"additional.a.b\"\nfrom = \"f\"\n"), "into quotes"),
        (format!("{TYPE}[[rule]]\nudm = 'additional.\"a\"'\nfrom = \"f[]\"\n"), "may give several"),
        (format!("{TYPE}[[embedded]]\nfrom = \"d\"\n"), "no rule reads a field inside of `d`"),
        (rule("from = [\"a\", \"a.b\"]"), "can't both be read"),
        (rule("from = [\"a[0]\", \"a\"]"), "can't both be read"),
        (cases("{ when = { a = \"x\" }, value = \"USER_LOGIN\" }, { when = { a = \"x\" }, present = [\"b\"], value = \"USER_LOGIN\" }"), "never applies"),
        (cases("{ when = { a = { contains = \"x\" } }, value = \"USER_LOGIN\" }, { when = { a = { in = [\"ax\", \"xb\"] } }, value = \"USER_LOGIN\" }"), "never applies"),
        (cases("{ when = { a = { contains = \"x\" } }, absent = [\"a\"], value = \"USER_LOGIN\" }"), "can't hold"),
        (cases("{ present = [\"a\"], absent = [\"a\"], value = \"USER_LOGIN\" }"), "can't hold"),
        (cases("{ when = { a = \"x\" }, value = \"EVENTTYPE_UNSPECIFIED\" }"), "event without a type"),
        ("[[rule]]\nudm = \"metadata.event_type\"\nvalue = \"GENERIC_EVENT\"\nwhen = { a = \"x\" }\n".to_owned(), "no rule may give a value"),
        ("[[rule]]\nudm = \"metadata.event_type\"\nfrom = \"a\"\nmap = { a = \"USER_LOGIN\" }\ndefault = \"GENERIC_EVENT\"\n".to_owned(), "no rule may give a value"),
    ] {
        let error = load(&rules).map(drop).expect_err(&rules);
        assert!(error.contains("t.toml:") && error.contains(words), "{rules}\n{error}");
    }
    // Cases that only look alike.
    for rules in [
        cases(
            "{ when = { a = { contains = \"x\" } }, value = \"USER_LOGIN\" }, { when = { a = { in = [\"ax\", \"b\"] } }, value = \"USER_LOGIN\" }",
        ),
        cases(
            "{ present = [\"a\"], when = { b = \"x\" }, value = \"USER_LOGIN\" }, { present = [\"a\"], value = \"USER_LOGIN\" }",
        ),
        cases(
            "{ when = { \"a[]\" = \"x\" }, present = [\"b\"], value = \"USER_LOGIN\" }, { when = { \"a[]\" = \"y\" }, value = \"USER_LOGIN\" }",
        ),
    ] {
        assert!(load(&rules).is_ok(), "{rules} {:?}", load(&rules));
    }
}

#[test]
fn tables_hold_their_own_tests() {
    let folder = tempfile::tempdir().expect("a folder");
    let check = |tests: &str| {
        let path = folder.path().join("t.toml");
        std::fs::write(&path, format!("{BASE}\n{TYPE}{tests}")).expect("written");
        crate::support::run(&["mappings", "check", path.to_str().expect("a path")])
    };
    let right = r#"
[[test]]
record = '{"ts":"2024-01-01T00:00:00Z"}'
event = '''
{"metadata":{"event_timestamp":"2024-01-01T00:00:00Z","event_type":"GENERIC_EVENT"}}
'''

[[test]]
record = '{}'
reject = 'no-timestamp'
"#;
    let run = check(right);
    assert_eq!((run.status, run.stdout.contains("2 tests")), (0, true), "{}{}", run.stdout, run.stderr);
    for (is, other, words) in [
        (
            "GENERIC_EVENT",
            "USER_LOGIN",
            "`metadata.event_type`: expected \"USER_LOGIN\", found \"GENERIC_EVENT\"",
        ),
        ("no-timestamp", "bad-timestamp", "the record is rejected: no-timestamp"),
        ("'{}'", "'[]'", "expected one record, found 0"),
        (
            r#","event_type":"GENERIC_EVENT""#,
            "",
            "`metadata.event_type`, \"GENERIC_EVENT\", which is not expected",
        ),
        (
            r#""event_type""#,
            r#""event_typo":1,"event_type""#,
            "the event has no `metadata.event_typo`, expected 1",
        ),
    ] {
        assert!(right.contains(is));
        let run = check(&right.replace(is, other));
        assert_eq!(run.status, 2, "{}", run.stderr);
        assert!(run.stderr.contains(words) && run.stderr.contains("t.toml:"), "{words}\n{}", run.stderr);
    }
}

#[test]
fn fields_of_udm_are_found() {
    let run = crate::support::run(&["fields", "event_type", "user_login"]);
    let expected = "metadata.event_type  enum Metadata.EventType: USER_LOGIN\n";
    assert_eq!((run.status, run.stdout.as_str()), (0, expected));
    let many = crate::support::run(&["fields", "ip"]);
    assert!(
        many.stdout.contains("principal.ip[]") && many.stdout.contains("more: add a word"),
        "{}",
        many.stdout
    );
    assert_eq!(crate::support::run(&["fields", "no-such-field"]).status, 3);
}

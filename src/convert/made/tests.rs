//! What the fast path makes of fields, against the reference path.

use crate::convert::{Converter, Engine, Options};
use crate::mapping::Mapping;
use std::fmt::Write as _;

const TABLE: &str = r#"
[mapping]
name = "made"
log_type = "MADE"

[[rule]]
udm = "metadata.event_timestamp"
time = [{ from = "t", read = "epoch-seconds" }]

[[rule]]
udm = "metadata.event_type"
cases = [
  { when = { kind = "login" }, present = ["user.name"], value = "USER_LOGIN" },
  { when = { os = { contains = "win", ignore_case = true } }, value = "USER_UNCATEGORIZED" },
  { value = "GENERIC_EVENT" },
]

[[rule]]
udm = "principal.ip[]"
from = ["ip", "ip2"]
absent = ["None"]
when = "ip"

[[rule]]
udm = 'additional."ip"'
from = "ip"
absent = ["None"]
when = "not-ip"

[[rule]]
udm = "target.user.phone_numbers[]"
from = "device"
when = "phone"
read = "phone"

[[rule]]
udm = "target.hostname"
from = "device"
when = "not-phone"

[[rule]]
udm = "target.user.group_identifiers[]"
from = "user.groups[]"

[[rule]]
udm = "target.user.group_identifiers[]"
from = "kind"
when = { result = { in = ["ok", "OK"] } }

[[rule]]
udm = "target.user.userid"
from = "user.name"
read = "lower"

[[rule]]
udm = "metadata.description"
template = "\"${kind}\" at ${ip}"

[[rule]]
udm = "network.sent_bytes"
from = "size"
absent = ["0"]

[[rule]]
udm = "security_result[0].action[]"
from = "result"
map = { ok = "ALLOW", OK = "ALLOW" }
otherwise = "BLOCK"
"#;

/// Spellings of the values of each field.
const VALUES: [(&str, &[&str]); 10] = [
    ("t", &["1584718692", "1584718692", "\"1584718693\"", "\"x\"", "null"]),
    ("kind", &["\"login\"", "\"lo\\u0067in\"", "\"other\"", "\"a \\\"b\\\"\"", "7", "{}"]),
    ("os", &["\"Windows 10\"", "\"Darwin\"", "\"Mac\"", "\"\"", "null", "\"\u{e9}win\""]),
    ("ip", &["\"1.2.3.4\"", "\"1.2.3.4:5\"", "\"None\"", "\"::1\"", "\"\\u0031.2.3.4\"", "[\"::1\"]"]),
    ("ip2", &["\"5.6.7.8\"", "\"None\"", "\"h\\\\\""]),
    ("device", &["\"+1 (734) 555-0100\"", "\"+17345550100\"", "\"+17345550199\"", "\"host\"", "false"]),
    (
        "user",
        &[
            "{\"name\":\"Ann\",\"groups\":[\"a\"]}",
            "{\"name\":\"ANN O\",\"groups\":[\"a b\",\"c\"]}",
            "{\"groups\":[],\"name\":\"bob\"}",
            "{\"groups\":[\"one\",\"two\",\"three\",\"four, with a name of more than thirty-two bytes\"]}",
            "{\"groups\":[\"a\", \"b\"],\"name\":\"x\"}",
            "{\"groups\":[\"a\",null,\"\",7,true,\"\u{e9}\"],\"name\":\"\u{c9}va\"}",
            "{\"groups\":[\"\u{e9}\",\"f\"],\"groups\":[\"g\"]}",
            "{\"groups\":[\"\u{e9}\",\"f\"],\"groups\":[]}",
            "{\"groups\":\"a\"}",
            "{\"groups\":[\"q\\\"\"]}",
            "{\"groups\":[[\"a\"]]}",
            "{\"groups\":null,\"name\":\"\\ud83d\\ude00\"}",
            "7",
        ],
    ),
    ("result", &["\"ok\"", "\"OK\"", "\"no\"", "\"\\\"\"", "true"]),
    ("size", &["12", "\"12\"", "0", "\"many\"", "1e3"]),
    ("other", &["1", "\"x\"", "[1,{\"a\":[\"b\"]}]"]),
];

#[test]
fn what_is_made_is_that_of_the_exact_path() {
    let mapping = Mapping::load("made.toml", TABLE, &|_| Err(String::new())).unwrap();
    let (mut log, mut seed) = (String::new(), 7u64);
    let mut any = |of: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) as usize % of
    };
    for _ in 0..if cfg!(miri) { 20 } else { 3000 } {
        // Mostly the first spellings, so that shapes are learnt.
        let odd = any(4) == 0;
        let members: Vec<String> = VALUES
            .iter()
            .filter_map(|(key, values)| {
                let value = values[any(if odd { values.len() } else { 3 })];
                (any(8) > 0).then(|| format!("\"{key}\":{value}"))
            })
            .collect();
        let _ = writeln!(log, "{{{}}}", members.join(","));
    }
    let convert = |engine| {
        let options = Options { engine, ..Options::default() };
        Converter::new(&mapping, &options).convert(log.as_bytes())
    };
    let exact = convert(Engine::Exact);
    assert!(exact.counts.events > 10 * exact.counts.rejects / 100);
    for engine in Engine::ALL.into_iter().filter(|engine| engine.is_available()) {
        let got = convert(engine);
        for (got, exact) in got.events.split(|b| *b == b'\n').zip(exact.events.split(|b| *b == b'\n')) {
            assert_eq!(String::from_utf8_lossy(got), String::from_utf8_lossy(exact), "{engine:?}");
        }
        assert_eq!((got.rejects, got.counts), (exact.rejects.clone(), exact.counts.clone()), "{engine:?}");
    }
}

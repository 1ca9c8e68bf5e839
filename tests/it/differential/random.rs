//! Records that nobody thought of, in logs that nobody would write.

use super::GOOD;
use super::oracle::{Oracle, Table};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use udmap::convert::{CHUNK_BYTES, MAX_RECORD_BYTES};

/// Keys that some table wants, keys of envelopes, and others.
const KEYS: &[&str] = &[
    "context",
    "credits",
    "phone",
    "host",
    "log_type",
    "type",
    "eventtype",
    "timestamp",
    "ts",
    "isotimestamp",
    "telephony_id",
    "txid",
    "a",
    "b",
    "c",
    "port",
    "time",
    "s",
    "ms",
    "labels",
    "a.b",
    "flag",
    "score",
    "stat",
    "response",
    "items",
    "metadata",
    "service",
    "message",
    "x",
    "",
    "phones",
    "é",
    "ph\\u006fne",
    "\\n",
    "$serde_json::private::Number",
    "a key of more than sixteen bytes",
];

/// Values that a field may hold.
const SCALARS: &[&str] = &[
    "null",
    "true",
    "false",
    "0",
    "-0",
    "1",
    "12",
    "1.50",
    "1E5",
    "80",
    "1584718692",
    "1584718692.25",
    "1584718692123",
    "1e999",
    "12345678901234567890",
    "\"\"",
    "\"a\"",
    "\"+12125556707\"",
    "\"é😀\"",
    "\"\\\"\\\\\\n\\u00e9\"",
    "\"\\ud83d\\ude00\"",
    "\"192.0.2.7\"",
    "\"2001:db8::1\"",
    "\"api.example.com\"",
    "\"1584718692\"",
    "\"2023-03-21T22:34:49.466370+00:00\"",
    "\"2023-03-21T22:34:49Z\"",
    "\"2023-03-21 22:34:49,5+0130\"",
    "\"OK\"",
    "\"FAIL\"",
    "\"telephony\"",
    "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"",
    // Not so good.
    "01",
    "1.",
    "-",
    "tru",
    "\"\\ud800\"",
    "\"\\x\"",
    "\"\t\"",
    "\"a",
    "NaN",
];

fn space() -> impl Strategy<Value = &'static str> {
    prop_oneof![20 => Just(""), 2 => Just(" "), 1 => select(vec!["  ", "\t", "\r", " \t \r", "                                 "])]
}

fn scalar() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => select(&SCALARS[..32]).prop_map(str::to_owned),
        1 => select(SCALARS).prop_map(str::to_owned),
        2 => "[ -~é]{0,70}".prop_map(|text| serde_json::to_string(&text).expect("a text")),
        2 => any::<f64>().prop_map(|number| serde_json::to_string(&number).expect("a number")),
        1 => "\"[^\"\\\\\n]{0,40}\"",
    ]
}

/// An object or list around `value`s.
fn container(value: impl Strategy<Value = String> + Clone + 'static) -> impl Strategy<Value = String> {
    let member = (space(), select(KEYS), space(), value.clone(), space());
    let members = vec(member, 0..5).prop_map(|members| {
        let members: Vec<String> =
            members.iter().map(|(a, key, b, value, c)| format!("{a}\"{key}\"{b}:{c}{value}{c}")).collect();
        format!("{{{}}}", members.join(","))
    });
    let list = (vec(value, 0..4), space())
        .prop_map(|(values, space)| format!("[{}]", values.join(&format!(",{space}"))));
    prop_oneof![2 => members, 1 => list]
}

/// A record, in most cases one with a time.
fn record() -> impl Strategy<Value = String> {
    let value =
        scalar().prop_recursive(3, 12, 4, |inner| prop_oneof![3 => scalar(), 1 => container(inner)]).boxed();
    let time = prop_oneof![
        6 => Just("\"timestamp\":1584718692"),
        4 => Just("\"ts\":\"2023-03-21T22:34:49.466370+00:00\""),
        1 => Just("\"x\":1"),
    ];
    let member = (space(), select(KEYS), space(), value, space());
    (vec(member, 0..9), time, any::<Index>()).prop_map(|(members, time, at)| {
        let mut members: Vec<String> =
            members.iter().map(|(a, key, b, value, c)| format!("{a}\"{key}\"{b}:{b}{value}{c}")).collect();
        members.insert(at.index(members.len() + 1), time.to_owned());
        format!("{{{}}}", members.join(","))
    })
}

/// A log: some records, each again and again in turn with the others and with good ones, some of
/// them damaged.
fn log() -> impl Strategy<Value = Vec<u8>> {
    let damage = (any::<Index>(), any::<u8>(), 0..6u8);
    let ends = select(vec!["\n", "\n", "\n", "\n", "\r\n", " \n", "\n\n", ""]);
    (vec(record(), 1..8), vec((any::<Index>(), ends, prop::option::weighted(0.3, damage)), 1..40)).prop_map(
        |(records, lines)| {
            let mut log = Vec::new();
            for (which, end, damage) in lines {
                let which = which.index(records.len() + GOOD.len());
                let line = records.get(which).map_or_else(|| GOOD[which - records.len()], String::as_str);
                let mut line = line.as_bytes().to_vec();
                if let Some((at, byte, kind)) = damage {
                    let at = at.index(line.len());
                    match kind {
                        0 => line[at] = byte,
                        1 => line.insert(at, byte),
                        2 => drop(line.remove(at)),
                        3 => line.truncate(at),
                        4 => line[at] = b"\"\\{}[]:,0 "[usize::from(byte) % 10],
                        _ => line.insert(at, b"\"\\{}[]:,0 "[usize::from(byte) % 10]),
                    }
                }
                log.extend_from_slice(&line);
                log.extend_from_slice(end.as_bytes());
            }
            log
        },
    )
}

fn setting() -> impl Strategy<Value = (Table, usize, usize)> {
    let chunk = prop_oneof![3 => Just(CHUNK_BYTES), 1 => 1..5000usize];
    let limit = prop_oneof![3 => Just(MAX_RECORD_BYTES), 1 => 1..400usize];
    (select(Table::ALL.to_vec()), chunk, limit)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, failure_persistence: None, max_shrink_iters: 500, ..ProptestConfig::default() })]

    #[test]
    fn records(log in log(), (table, chunk, limit) in setting()) {
        Oracle::with(table, chunk, limit).same(&log);
    }

    #[test]
    fn streams(log in log(), (table, chunk, limit) in setting(), sizes in vec(prop_oneof![Just(1), 1..3000usize], 1..4), threads in 1..3usize) {
        Oracle::with(table, chunk, limit).same_streamed(&log, &sizes, threads);
    }

    #[test]
    fn bytes(
        bytes in vec(prop_oneof![2 => any::<u8>(), 5 => select(b"{}[]\",:\n \\u0a1.-e".to_vec())], 0..300),
        before in 0..3usize,
        (table, chunk, limit) in setting(),
    ) {
        let good = [GOOD[1], "\n"].concat().repeat(before);
        Oracle::with(table, chunk, limit).same(&[good.as_bytes(), &bytes, b"\n", good.as_bytes(), &bytes].concat());
    }
}

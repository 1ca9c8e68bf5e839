//! Records that look alike but for lists, words and odd texts, so that an engine that has learnt some meets the others.

use super::oracle::{Oracle, Table};
use proptest::prelude::*;
use proptest::sample::select;

/// What mostly is in a place, and what comes up now and then.
type Place = (&'static [&'static str], &'static [&'static str]);

/// A record of Duo's authentication log; `$0` and so on are [`PLACES`].
const RECORD: &str = r#"{"access_device":{"browser":"Chrome","hostname":$0,"ip":"192.0.2.7","known":$1,"location":{"city":$2,"state":"x"},"os":$3},"event_type":"authentication","factor":$4,"free":$1,"n":$5,"timestamp":1584718692,"user":{"groups":$6,"key":"DU1","name":$7}}"#;

const PLACES: [Place; 8] = [
    // Mapped, and often absent.
    (
        &["null", "\"LT-00756\"", "\"LT-1\""],
        &["\"\"", "\"a\\u0062\"", "\"Zürich\"", "true", "12", "{}", "[]"],
    ),
    // Nobody asks for it.
    (
        &["true", "false", "\"unknown\"", "null"],
        &[
            "\"\"",
            "\"a\\\"b\"",
            "\"é\"",
            "0",
            "-1.5e3",
            "01",
            "tru",
            "nul",
            "\"a",
            "\"\u{1}\"",
            "[]",
            "{\"a\":1}",
            "\"%\"",
        ],
    ),
    (
        &["\"Austin\"", "\"Zürich\"", "\"東京\""],
        &["\"\"", "null", "\"\\ud800\"", "\"Z\u{fc}\\n\"", "\"%\"", "\"a%b\""],
    ),
    (&["\"Windows\"", "\"Mac OS X\"", "\"Linux\""], &["\"\"", "null", "\"Wïndows\"", "1", "[\"Linux\"]"]),
    (&["\"duo_push\"", "\"sms_passcode\""], &["\"bypass_code\"", "null", "\"é\"", "\"x\\ty\""]),
    (&["1", "22", "-3", "1.5"], &["null", "\"1\"", "1.", "1e5", "true", "-", "\"é\""]),
    (
        &["[\"a\"]", "[\"a\",\"bc\"]", "[\"a\",\"b\",\"c\",\"d\"]", "[]"],
        &[
            "[\"é\"]",
            "[\"a\", \"b\"]",
            "[ \"a\"]",
            "[\"a\"]]",
            "[\"a\",]",
            "[\"a\"\"b\"]",
            "[\"\"]",
            "[\"a\",\"\",\"b\"]",
            "[\"a\",null]",
            "[null]",
            "[1,\"a\"]",
            "[\"a\\nb\",\"c\"]",
            "[\"a\",[\"b\"]]",
            "[{\"a\":1}]",
            "[\"a\"",
            "[\"%\"]",
            "[\"a\",\"b%\",\"c\"]",
            "\"a\"",
            "null",
            "{\"a\":\"b\"}",
            "[\"a much longer text than a block of thirty-two bytes has room for, and some more\",\"b\"]",
        ],
    ),
    (&["\"ana\"", "\"ben.adams\""], &["\"\"", "null", "\"josé\"", "\"a\\/b\"", "[\"a\"]", "\"%\""]),
];

/// A record in which one place of `rare` in a hundred has something odd.
fn record(odd: u32) -> impl Strategy<Value = Vec<u8>> {
    let place =
        |(usual, odd_ones): Place, odd: u32| prop_oneof![100 - odd => select(usual), odd => select(odd_ones)];
    let places: Vec<_> = PLACES.into_iter().map(|one| place(one, odd)).collect();
    places.prop_map(|values| {
        let text = values
            .iter()
            .enumerate()
            .fold(RECORD.to_owned(), |text, (n, value)| text.replace(&format!("${n}"), value));
        // A byte that is no UTF-8.
        let mut bytes: Vec<u8> = text.bytes().map(|byte| if byte == b'%' { 0xff } else { byte }).collect();
        bytes.push(b'\n');
        bytes
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    /// Many that are alike, then ones with something odd in a place.
    #[test]
    fn odd_ones_among_many(usual in prop::collection::vec(record(0), 300), odd in prop::collection::vec(record(6), 300)) {
        let oracle = Oracle::new(Table::Authentication);
        oracle.same(&[usual.concat(), odd.concat()].concat());
    }
}

/// Each odd value behind records that were learnt with each usual one in its place.
#[test]
fn each_odd_one() {
    let oracle = Oracle::new(Table::Authentication);
    let of = |place: usize, value: &str| {
        let text = PLACES.iter().enumerate().fold(RECORD.to_owned(), |text, (n, (usual, _))| {
            text.replace(&format!("${n}"), if n == place { value } else { usual[0] })
        });
        let mut bytes: Vec<u8> = text.bytes().map(|byte| if byte == b'%' { 0xff } else { byte }).collect();
        bytes.push(b'\n');
        bytes
    };
    for (place, (usual, odd)) in PLACES.iter().enumerate() {
        // So that the place may have any length and any of its values.
        let learnt: Vec<u8> = (0..40).flat_map(|n| of(place, usual[n % usual.len()])).collect();
        let exact = oracle.same(&learnt);
        assert_eq!(exact.counts.events, 40, "{place}");
        let mut log = learnt.clone();
        for value in *odd {
            oracle.same_because(&[&learnt[..], &of(place, value)].concat(), value);
            log.extend_from_slice(&of(place, value));
            log.extend_from_slice(&of(place, usual[0]));
        }
        oracle.same(&log);
    }
}

//! Every value in every place, right or not: what was learnt with one must not fit another.

use super::oracle::{Oracle, Table};
use super::{unescaped, written};
use udmap::convert::{Envelope, FieldNames, Options};

/// Where a value (`@`) may stand, and the table that reads it.
const PLACES: &[(Table, &str)] = &[
    (Table::Duo, r#"{"phone":@,"timestamp":1584718692}"#),
    (Table::Duo, r#"{"timestamp":1584718692,"type":"sms","credits":@}"#),
    (Table::Duo, r#"{"host":@,"context":"a","timestamp":1584718692}"#),
    (Table::Duo, r#"{"timestamp":1584718692,"log_type":@,"phone":"b"}"#),
    (Table::Duo, r#"{"timestamp":@,"phone":"c"}"#),
    (Table::Duo, r#"{"timestamp":@,"ts":"2023-03-21T22:34:49Z"}"#),
    (Table::Duo, r#"{"phone":"d","ts":@}"#),
    (Table::Duo, r#"{"isotimestamp":@,"phone":"e"}"#),
    (Table::Duo, r#"{"x":@,"timestamp":1584718692}"#),
    (Table::Duo, r#"{"timestamp":1584718692,"x":@}"#),
    (Table::Duo, r#"{"timestamp":1584718692,"x":[@]}"#),
    (Table::Duo, r#"{"x":[@,@],"timestamp":1584718692}"#),
    (Table::Duo, r#"{"x":[1,@,2],"y":{"z":@},"timestamp":1584718692}"#),
    (Table::Duo, r#"{ "phone" : @ , "timestamp" : 1584718692 }"#),
    (Table::Duo, r#"{"phone":@,"phone":@,"timestamp":1584718692}"#),
    (Table::Duo, r#"{"phone":"f","phone":@,"timestamp":1584718692}"#),
    (Table::Duo, r#"{"phone":@,"phone":"g","timestamp":1584718692}"#),
    (Table::Duo, r#"{"ph\u006fne":@,"timestamp":1584718692}"#),
    (Table::Duo, r#"{"timestamp":1584718692,"stat":@}"#),
    (Table::Duo, r#"{"timestamp":1584718692,"phone":"h","service":@,"message":{"timestamp":1}}"#),
    (Table::Extended, r#"{"telephony_id":@,"txid":@,"host":@,"timestamp":1584718692}"#),
    (Table::Nested, r#"{"timestamp":1584718692,"a":@}"#),
    (Table::Nested, r#"{"timestamp":1584718692,"a":{"b":@,"port":@}}"#),
    (Table::Nested, r#"{"timestamp":1584718692,"a":{"b":{"c":@},"host":@}}"#),
    (Table::Nested, r#"{"timestamp":1584718692,"a":{"b":{"c":"i"}},"a":@}"#),
    (Table::Nested, r#"{"timestamp":1584718692,"a":@,"a":{"b":{"c":"i"}}}"#),
    (Table::Nested, r#"{"timestamp":1584718692,"a":{"host":"h","b":{"c":"i"},"b":@}}"#),
    (Table::Nested, r#"{"time":{"s":@,"ms":@},"credits":2}"#),
    (Table::Nested, r#"{"time":@,"timestamp":1584718692}"#),
    (Table::Nested, r#"{"isotimestamp":@,"timestamp":1584718692}"#),
    (Table::Nested, r#"{"timestamp":1584718692,"flag":@,"score":@,"credits":@}"#),
    (Table::Nested, r#"{"timestamp":1584718692,"labels":{"a.b":@,"a":@}}"#),
];

/// The values of `values.txt`, and none.
fn values() -> Vec<String> {
    let written = written(include_str!("values.txt"));
    written.map(|line| String::from_utf8(unescaped(line)).expect(line)).chain([String::new()]).collect()
}

/// Times by ISO 8601, and what is none: all combinations of their parts.
fn iso_times() -> Vec<String> {
    let dates = [
        "2023-03-21",
        "2024-02-29",
        "2023-02-29",
        "1900-02-29",
        "2000-02-29",
        "2023-04-31",
        "0001-01-01",
        "0000-01-01",
        "9999-12-31",
        "2023-00-10",
        "2023-13-10",
        "2023-10-00",
        "2023-1-10",
        "20230321",
    ];
    let clocks = ["22:34:49", "00:00:00", "23:59:59", "23:59:60", "24:00:00", "22:60:00", "22:34", "2:34:49"];
    let fractions = [
        "",
        ".",
        ".1",
        ".12",
        ".123",
        ".000",
        ".070000",
        ".466370",
        ".000000",
        ".1234567",
        ".123456789",
        ".0000000001",
        ",5",
    ];
    let zones = [
        "", "Z", "z", "+00:00", "-00:00", "+0000", "+01:30", "-23:59", "+24:00", "+00:60", "+00", " Z",
        "+1:00", "Z ", "+00:0o",
    ];
    let mut all = Vec::new();
    for (i, date) in dates.iter().enumerate() {
        for (j, clock) in clocks.iter().enumerate() {
            for (k, fraction) in fractions.iter().enumerate() {
                for (l, zone) in zones.iter().enumerate() {
                    // All of what is common, and a part of what is odd in more than one way.
                    let odd = [i > 0, j > 0, k > 7, l > 3].iter().filter(|odd| **odd).count();
                    if odd > 1 && (i + 3 * j + 7 * k + l) % 11 != 0 {
                        continue;
                    }
                    let between = ["T", "t", " ", "_"][if odd == 0 { 0 } else { (i + j + k + l) % 4 }];
                    all.push(format!("\"{date}{between}{clock}{fraction}{zone}\""));
                }
            }
        }
    }
    all
}

/// A log of `place` with one of `values` after the other, each thrice: the second is learnt from
/// if the first was not, and the third meets what was learnt.
fn log<'a>(place: &str, values: impl Iterator<Item = &'a str>) -> Vec<u8> {
    values
        .flat_map(|value| [place.replace('@', value), String::new()].join("\n").repeat(3).into_bytes())
        .collect()
}

#[test]
fn every_value_in_every_place() {
    let values = values();
    for (table, place) in PLACES {
        let oracle = Oracle::new(*table);
        oracle.same(&log(place, values.iter().map(String::as_str)));
        oracle.same(&log(place, values.iter().rev().map(String::as_str)));
        // Each behind a few others that were learnt.
        for taught in
            ["\"a\"", "1", "true", "null", "\"\"", "{}", "\"2023-03-21T22:34:49.466370+00:00\"", "\"::1\""]
        {
            oracle.same(&log(place, values.iter().flat_map(|value| [taught, value])));
        }
    }
}

#[test]
fn every_time() {
    let times = iso_times();
    for (table, place) in
        PLACES.iter().filter(|(_, place)| place.contains("ts\":@") || place.contains("isotimestamp\":@"))
    {
        Oracle::new(*table).same(&log(place, times.iter().map(String::as_str)));
        Oracle::new(*table).same(&log(
            place,
            times.iter().step_by(7).chain(times.iter().skip(3).step_by(5)).map(String::as_str),
        ));
    }
}

/// What surrounds events is part of the programs that write them.
#[test]
fn every_spelling() {
    let values = values();
    let records: Vec<u8> = PLACES
        .iter()
        .flat_map(|(_, place)| log(place, values.iter().step_by(9).map(String::as_str)))
        .collect();
    for envelope in [Envelope::Bare, Envelope::Event] {
        for field_names in [FieldNames::Snake, FieldNames::Camel] {
            let options = Options::default()
                .envelope(envelope)
                .field_names(field_names)
                .namespace("näme \"q\"")
                .label("k", "v\n")
                .label("l", "x".repeat(100));
            for table in Table::ALL {
                Oracle::of(table, &options).same(&records);
            }
        }
    }
}

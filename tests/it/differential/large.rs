//! Long lines, many shapes, many records: what a log has when it is no example.

use super::GOOD;
use super::oracle::{Oracle, Table};
use std::fmt::Write as _;
use udmap::convert::{CHUNK_BYTES, MAX_RECORD_BYTES};
use udmap::lab::{Generator, Mix};

/// How many records of each mix are converted.
const RECORDS: u64 = 20_000;

#[test]
fn generated_logs() {
    let mixes = [
        "v2=70,v1=25,awkward=5",
        "shuffled,v2",
        "broken,v1",
        "wrapped,v2",
        "v1,v2,awkward,shuffled,broken,wrapped",
    ];
    for (seed, mix) in (11..).zip(mixes) {
        let mix: Mix = mix.parse().expect("a mix");
        let log = Generator::records(seed, &mix, RECORDS);
        Oracle::new(Table::Duo).same(&log);
        let part = &log[..log.len() / 8];
        Oracle::new(Table::Nested).same(part);
        Oracle::with(Table::Extended, 5000, 250).same(part);
        Oracle::new(Table::Extended).same_streamed(part, &[100_000, 1, 7000], 2);
    }
}

/// Longer than the window that the fast reader looks at, than what 16 bits can count, and than a
/// chunk; with good records around them.
#[test]
fn long_lines() {
    let good: String = GOOD.iter().flat_map(|line| [*line, "\n"]).collect();
    for size in [32_000, 65_535, 70_000, 131_072, 300_000] {
        let text = "t".repeat(size);
        let list = "1,".repeat(size / 2);
        let texts = "\"\\n\",".repeat(size / 5);
        for member in [
            format!("\"phone\":\"{text}\""),
            format!("\"x\":\"{text}\""),
            format!("\"{text}\":0"),
            format!("\"x\":[{list}1]"),
            format!("\"x\":[{texts}\"\"]"),
            format!("\"x\":[{texts}\"\\ud800\"]"),
            format!("\"x\":[{list}01]"),
            format!("\"x\":\"{text}"),
        ] {
            let line = format!("{{{member},\"timestamp\":1584718692,\"type\":\"sms\"}}\n");
            let other = line.replace("sms", "phone").replace("1584718692", "1584718693");
            let log =
                [&good, &line, &good, &other, &line, &good, &line].map(String::as_str).concat().into_bytes();
            for (chunk, limit) in [(CHUNK_BYTES, MAX_RECORD_BYTES), (1000, size), (40_000, 2 * size)] {
                Oracle::with(Table::Duo, chunk, limit).same(&log);
            }
        }
    }
}

#[test]
fn a_record_of_many_mib() {
    let text = "\u{e9}\\n".repeat(1 << 20);
    let line =
        format!("{{\"phone\":\"{text}\",\"x\":[{}0],\"timestamp\":1584718692}}\n", "1.5,".repeat(100_000));
    let log = [GOOD[0], "\n", &line, GOOD[1], "\n", &line[..line.len() / 2]].concat();
    Oracle::with(Table::Duo, CHUNK_BYTES, 8 << 20).same(log.as_bytes());
    Oracle::new(Table::Duo).same(log.as_bytes());
    // What follows a line beyond the limit is read along with it.
    let end = GOOD.map(|line| [line, "\n"].concat()).concat().repeat(50);
    let log = [&" ".repeat(10), &line, &end].map(String::as_str).concat();
    Oracle::new(Table::Duo).same(log.as_bytes());
}

/// Members in an order of their own for each record.
fn ordered(number: u64, members: &[String]) -> String {
    let mut rest: Vec<&String> = members.iter().collect();
    let mut number = number;
    let mut line = String::from("{");
    while !rest.is_empty() {
        let at = (number % rest.len() as u64) as usize;
        number /= rest.len() as u64;
        line.push_str(if line.len() > 1 { "," } else { "" });
        line.push_str(rest.remove(at));
    }
    line + "}\n"
}

fn members(number: u64) -> Vec<String> {
    vec![
        format!("\"context\":\"{}\"", ["enrollment", "verify", ""][number as usize % 3]),
        format!("\"credits\":{}", number % 13),
        format!("\"phone\":\"+1{number}\""),
        format!("\"timestamp\":{}", 1_584_718_692 + number * 777),
        format!("\"host\":\"{}\"", ["192.0.2.7", "h.example.com"][number as usize % 2]),
        format!("\"x\":[\"{number}\"]"),
    ]
}

/// Few orders of keys that come again and again, and orders that never do.
#[test]
fn orders_of_keys() {
    for orders in [8, 64, 720] {
        let log: String = (0..4000).map(|n| ordered(n * 31 % orders, &members(n))).collect();
        Oracle::new(Table::Duo).same(log.as_bytes());
    }
}

/// More shapes than can be remembered, then the first of them again; and shapes that differ in
/// little.
#[test]
fn shapes_without_end() {
    let mut log = String::new();
    for n in 0..10_000u32 {
        // A key of its own each: what is learnt never fits again.
        writeln!(log, "{{\"k{n}\":{n},\"phone\":\"{n}\",\"timestamp\":{}}}", 1_584_718_692 + n)
            .expect("written");
        if n % 10 == 0 {
            writeln!(log, "{}", GOOD[n as usize / 10 % 4]).expect("written");
        }
    }
    for n in (0..10_000u32).step_by(3) {
        // The same keys with other values, wrong ones among them.
        let value = ["7", "\"7\"", "07", "null", "true", "[7]", "\"\""][n as usize % 7];
        writeln!(log, "{{\"k{n}\":{value},\"phone\":{value},\"timestamp\":{}}}", 1_584_718_692 + n)
            .expect("written");
    }
    for table in Table::ALL {
        Oracle::new(table).same(log.as_bytes());
    }
    Oracle::with(Table::Duo, 4000, 60).same(log.as_bytes());
}

/// Every subset of the wanted fields, each with an address or a name: a program for each.
#[test]
fn programs_without_end() {
    let keys = [
        "context",
        "credits",
        "phone",
        "host",
        "log_type",
        "type",
        "eventtype",
        "ts",
        "isotimestamp",
        "telephony_id",
        "txid",
    ];
    let mut log = String::new();
    for subset in 0..1u32 << keys.len() {
        for host in ["::1", "h"] {
            log.push_str("{\"timestamp\":1");
            for (bit, key) in keys.iter().enumerate().filter(|(bit, _)| subset >> bit & 1 == 1) {
                let value = if *key == "host" { host } else { ["a", "", "\u{e9}"][bit % 3] };
                write!(log, ",\"{key}\":\"{value}\"").expect("written");
            }
            log.push_str("}\n");
        }
    }
    Oracle::new(Table::Extended).same(log.as_bytes());
    Oracle::new(Table::Duo).same(log.as_bytes());
}

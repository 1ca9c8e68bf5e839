//! A table of lines (`lines.txt`), each alone and among records that the engines have learnt.

use super::oracle::{Oracle, Table};
use super::{GOOD, unescaped, written};
use udmap::convert::{CHUNK_BYTES, MAX_RECORD_BYTES};

/// Sizes of chunks: less than a line, about a line, and around the reader's window.
const CHUNKS: [usize; 9] = [1, 7, 64, 100, 1000, 32 * 1024 - 1, 32 * 1024, 32 * 1024 + 1, CHUNK_BYTES];

/// The members that make a record one with a time, whatever else is in it: `%T` in the table.
const TIME: &str = r#""credits":1,"timestamp":1584718692"#;

/// A line, and what must become of it: `ok`, `blank`, a reject's code, or `any`.
#[derive(Debug)]
struct Case {
    outcome: String,
    line: Vec<u8>,
}

impl Case {
    fn is_long(&self) -> bool {
        self.line.len() > 1000
    }
}

/// The table's cases, and those that are too long to be written down.
fn cases() -> Vec<Case> {
    let written = written(include_str!("lines.txt")).map(|line| {
        let (outcome, line) = line.split_once('|').expect(line);
        Case { outcome: outcome.to_owned(), line: unescaped(&line.replace("%T", TIME)) }
    });
    let made = |outcome: &str, line: String| Case { outcome: outcome.to_owned(), line: line.into_bytes() };
    let mut cases: Vec<Case> = written.collect();
    // Depths around the exact reader's limit of 127, the record being the first.
    for depth in 1..=130 {
        let outcome = if depth < 127 { "ok" } else { "too-deep" };
        if depth > 20 && depth < 120 {
            continue;
        }
        let (lists, ends) = ("[".repeat(depth), "]".repeat(depth));
        let (objects, braces) = ("{\"a\":".repeat(depth), "}".repeat(depth));
        cases.push(made(outcome, format!("{{{TIME},\"x\":{lists}{ends}}}")));
        cases.push(made(outcome, format!("{{\"x\":{objects}1{braces},{TIME}}}")));
        cases.push(made(outcome, format!("{{\"x\":{lists}\"y\"{ends},{TIME}}}")));
        cases.push(made("any", format!("{{\"x\":{lists},{TIME}}}")));
        cases.push(made("any", format!("{lists}{{{TIME}}}{ends}")));
    }
    // Texts and numbers of lengths around those at which something changes.
    let sizes = [1, 14, 15, 16, 17, 30, 31, 32, 33, 62, 63, 64, 65, 95, 96, 97, 127, 128, 129, 255, 256, 257];
    for size in sizes.into_iter().chain([16383, 16384, 16385, 32767, 32768, 65535, 65536, 65537, 131_100]) {
        let (text, digits) = ("a".repeat(size), "1".repeat(size));
        for key in ["phone", "host", "log_type", "other"] {
            cases.push(made("ok", format!("{{\"{key}\":\"{text}\",{TIME}}}")));
            cases.push(made("ok", format!("{{{TIME},\"{key}\":\"{text}\"}}")));
        }
        cases.push(made("ok", format!("{{\"phone\":\"{text}\\n\",\"x\":\"\\u0041{text}\",{TIME}}}")));
        cases.push(made("ok", format!("{{\"{text}\":1,\"phone\":\"{text}é\",{TIME}}}")));
        cases.push(made("ok", format!("{{\"credits\":{digits},\"x\":-{digits}.{digits}e-{digits},{TIME}}}")));
        cases.push(made("invalid-json", format!("{{\"credits\":{digits}.,{TIME}}}")));
        cases.push(made("invalid-json", format!("{{\"x\":0{digits},{TIME}}}")));
        cases.push(made("any", format!("{{\"timestamp\":{digits}}}")));
        cases.push(made("any", format!("{{\"timestamp\":0.{digits}}}")));
        cases.push(made("bad-timestamp", format!("{{\"ts\":\"{text}\"}}")));
        cases.push(made("ok", format!("{}{{{TIME}}}{}", " ".repeat(size), "\t".repeat(size))));
        cases.push(made("ok", format!("{{{TIME}{}}}", " ".repeat(size))));
        cases.push(made("blank", " ".repeat(size)));
        cases.push(made("ok", format!("{{{TIME},\"x\":[{}0]}}", "0,".repeat(size.min(9000)))));
        cases.push(made("ok", format!("{{{TIME}{}}}", ",\"k\":\"v\"".repeat(size.min(2000)))));
        cases.push(made("ok", format!("{{\"host\":\"{}1\",{TIME}}}", "f:".repeat(size / 2))));
    }
    cases
}

/// Good records, so many, one kind after the other.
fn good(lines: usize) -> Vec<u8> {
    GOOD.iter().cycle().take(lines).flat_map(|line| [line.as_bytes(), b"\n"].concat()).collect()
}

fn shown(case: &Case) -> String {
    String::from_utf8_lossy(&case.line[..case.line.len().min(300)]).into_owned()
}

#[test]
fn the_table_is_right() {
    let oracle = Oracle::new(Table::Duo);
    for case in cases() {
        let got = oracle.same(&[&case.line[..], b"\n"].concat());
        let outcome = match &got.rejects[..] {
            [] if got.tally.events == 0 => "blank",
            [] => "ok",
            [reject] => reject.reason.code(),
            _ => "many",
        };
        assert!(case.outcome == outcome || case.outcome == "any", "{outcome}: {}", shown(&case));
    }
}

#[test]
fn alone_in_every_chunk() {
    for chunk in CHUNKS {
        let oracle = Oracle::with(Table::Duo, chunk, MAX_RECORD_BYTES);
        for case in cases() {
            // Where the chunk is much smaller than the line, each costs much and says little.
            if case.is_long() && chunk != 32 * 1024 && chunk != CHUNK_BYTES {
                continue;
            }
            let line = &case.line[..];
            oracle.same(line);
            oracle.same(&[line, b"\r\n", GOOD[0].as_bytes()].concat());
            oracle.same(&[line, b"\n", &good(3)].concat());
        }
    }
}

#[test]
fn behind_records_that_were_learnt() {
    for table in Table::ALL {
        let oracle = Oracle::new(table);
        for case in cases() {
            for count in if case.is_long() { &[2][..] } else { &[1, 2, 5] } {
                // What was learnt of the line itself counts too.
                let line = [&case.line[..], b"\n"].concat();
                oracle.same(&[good(*count), line.repeat(3), good(2), case.line.clone()].concat());
            }
        }
    }
    let oracle = Oracle::new(Table::Duo);
    let many = good(200);
    for case in cases().iter().step_by(4) {
        oracle.same(&[&many[..], &case.line, b"\n", &good(1)].concat());
    }
}

#[test]
fn all_of_them_in_one_log() {
    let (short, all) = (one_log(false), one_log(true));
    for table in Table::ALL {
        for chunk in CHUNKS.into_iter().filter(|chunk| *chunk >= 1000 || table == Table::Duo) {
            for limit in [MAX_RECORD_BYTES, 300] {
                Oracle::with(table, chunk, limit).same(&short);
            }
        }
        Oracle::with(table, 32 * 1024, 20_000).same(&all);
        Oracle::new(table).same(&all);
    }
    Oracle::new(Table::Duo).same_streamed(&all, &[1, 5000, 77], 2);
    Oracle::with(Table::Nested, 10_000, 1000).same_streamed(&all, &[4096], 1);
}

/// All cases, or all short ones, with good records before, between and behind them.
fn one_log(long: bool) -> Vec<u8> {
    let mut log = good(200);
    for (i, case) in cases().iter().filter(|case| long || !case.is_long()).enumerate() {
        log.extend_from_slice(&case.line);
        log.extend_from_slice(if i % 5 == 0 { b"\r\n" } else { b"\n" });
        log.extend_from_slice(&good(i % 4));
    }
    log
}

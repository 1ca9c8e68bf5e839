//! Parsers: a table as a parser next to the table itself, and Google's parsers on their own logs. One core.
//!
//! What is compared runs in turns, because a machine is not as fast in one minute as in the next.

use std::hint::black_box;
use std::ops::ControlFlow;
use std::time::{Duration, Instant as Clock};
use udmap::cbn::{Log, Outcome, Parser, RunOptions, Runner, export};
use udmap::check::compare::{Meaning, Rules};
use udmap::convert::{Converter, Input, Options, Piece};
use udmap::json::Tree;
use udmap::lab::{Generator, Mix};
use udmap::mapping::Mapping;
use udmap::time::{Instant, Reading, read};

/// Whole records, as their own log has them: an exported parser takes a record a log.
const MIX: &str = "v2=75,v1=25";
const RECORDS: u64 = 20_000;

/// Google's parsers in `fixtures/content-hub`: a small one, one with many fields, and one of 154 kB.
const GOOGLES: [&str; 3] = ["AWS_EKS", "ONFIDO", "SURICATA_EVE"];
const LOGS: usize = 20_000;

fn received() -> Instant {
    read("2026-01-02T03:04:05Z", Reading::Iso8601).expect("a time")
}

fn seconds(work: impl FnOnce()) -> f64 {
    let begun = Clock::now();
    work();
    begun.elapsed().as_secs_f64()
}

fn median(mut runs: Vec<f64>) -> f64 {
    runs.sort_by(f64::total_cmp);
    runs[runs.len() / 2]
}

/// The events of a text by their values.
fn digests(events: &[u8]) -> Vec<u128> {
    let (mut tree, rules) = (Tree::default(), Rules::default());
    let lines = events.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    lines.map(|line| Meaning::of(tree.read(line).expect("JSON"), &rules).digest()).collect()
}

/// `duo_telephony` as a table, and as the parser that `udmap parser export` writes of it.
fn table_and_parser(rounds: usize) {
    let mix: Mix = MIX.parse().expect("a mix");
    let log = Generator::records(1, &mix, RECORDS);
    let lines: Vec<&str> = std::str::from_utf8(&log).expect("text").lines().collect();
    let table = Mapping::builtin("duo_telephony").expect("it comes with udmap");
    let converter = Converter::new(&table, &Options::default());
    let parser = Parser::read(&export(&table).expect("it can be exported")).expect("it loads");
    let mut options = RunOptions::default();
    options.adds_platform_fields = false;
    let mut runner = parser.runner(&options);

    let mut events = Vec::new();
    for line in &lines {
        let outcome = runner.run(&Log::new(line, received()), &mut events);
        assert_eq!(outcome, Outcome::Events(1), "{line}");
    }
    assert!(digests(&events) == digests(&converter.convert(&log).events), "the events are not the same");

    let by_table = || {
        let ran = converter.run([Input::bytes("log", &log)], 1, |piece| {
            if let Piece::Batch { batch, .. } = piece {
                black_box(&batch.events);
            }
            ControlFlow::Continue(())
        });
        ran.expect("no threads are needed");
    };
    let mut by_parser = || parse(&mut runner, lines.iter().copied());
    let (mut tables, mut parsers) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        tables.push(seconds(by_table));
        parsers.push(seconds(&mut by_parser));
    }
    let each = |runs| 1e9 * median(runs) / lines.len() as f64;
    let (table, parser) = (each(tables), each(parsers));
    println!("duo_telephony, {} records of {MIX}", lines.len());
    println!("  by the table    {table:>9.0} ns/record");
    println!("  by its parser   {parser:>9.0} ns/record, {:.0} times as long", parser / table);
}

fn parse<'l>(runner: &mut Runner, logs: impl Iterator<Item = &'l str>) {
    let (mut events, received) = (Vec::new(), received());
    for log in logs {
        events.clear();
        black_box(runner.run(&Log::new(log, received), &mut events));
    }
}

/// A parser of Google's, and its logs.
fn google(name: &str) -> (String, Vec<String>) {
    let root = env!("CARGO_MANIFEST_DIR");
    let folder = format!("{root}/fixtures/content-hub/content/parsers/third_party/community/{name}/cbn");
    let file = |path: &str| std::fs::read_to_string(format!("{folder}/{path}")).expect("a file");
    let raw: serde_json::Value =
        serde_json::from_str(&file("testdata/raw_logs/default_log.json")).expect("JSON");
    let entries = raw["raw_logs"]["entries"].as_array().expect("entries");
    let logs = entries.iter().map(|entry| entry["data"].as_str().expect("a text").to_owned()).collect();
    (file(&format!("default_{}.conf", name.to_lowercase())), logs)
}

/// How fast Google's parsers are on their own logs, and how long they take to load.
fn googles(rounds: usize) {
    println!("parsers of Google's, {LOGS} of their own logs");
    for name in GOOGLES {
        let (text, logs) = google(name);
        let begun = Clock::now();
        let parser = Parser::read(&text).expect("it loads");
        let load: Duration = begun.elapsed();
        let mut runner = parser.runner(&RunOptions::default());
        for log in &logs {
            let outcome = runner.run(&Log::new(log, received()), &mut Vec::new());
            assert!(matches!(outcome, Outcome::Events(_)), "{name}: {outcome:?}");
        }
        let all = || logs.iter().map(String::as_str).cycle().take(LOGS);
        let runs = (0..rounds).map(|_| seconds(|| parse(&mut runner, all()))).collect();
        let rate = LOGS as f64 / median(runs);
        println!("  {name:<14} {rate:>9.0} logs/s, {} kB loaded in {load:.1?}", text.len() / 1000);
    }
}

fn main() {
    // Without it, as by `cargo test --benches`, nothing is measured.
    let is_measured = std::env::args().any(|argument| argument == "--bench");
    table_and_parser(if is_measured { 21 } else { 1 });
    googles(if is_measured { 5 } else { 1 });
}

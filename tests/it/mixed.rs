//! Dumps in which logs are mixed: each record becomes what the table makes of it that it belongs to.

mod commands;
mod sets;

use crate::goldens::{cases_in, input};
use crate::oracles::succeed;
use crate::support::{json_lines, project, run};
use crate::tools::{Tool, need};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use udmap::convert::{Batch, Converter, Engine, Options, Reject};
use udmap::mapping::Mapping;

/// The tables of the set in its order, each with the name of its log in a shipper's envelope.
const TABLES: [(&str, &str); 6] = [
    ("duo_trust_monitor", "trust_monitor"),
    ("duo_activity", "activity"),
    ("duo_auth", "authentication"),
    ("duo_telephony", "telephony"),
    ("duo_offline_enrollment", "offline_enrollment"),
    ("duo_admin", "administrator"),
];

fn converter(table: &str, engine: Engine) -> Converter {
    Converter::new(&Mapping::builtin(table).expect(table), &Options::default().engine(engine))
}

/// The logs of a table's cases.
fn inputs(table: &str) -> Vec<PathBuf> {
    let folder = if table == "duo_telephony" { "fixtures" } else { &format!("fixtures/{table}") };
    cases_in(folder).iter().map(|case| input(case)).collect()
}

/// The lines of all cases, each with its table.
fn lines() -> Vec<(&'static str, Vec<u8>)> {
    let mut all = Vec::new();
    for (table, _) in TABLES {
        let is_wanted = |input: &&PathBuf| {
            let name = input.to_string_lossy();
            name.ends_with(".ndjson")
                && !["layout-", "other", "several"].iter().any(|what| name.contains(what))
        };
        for input in inputs(table).iter().filter(is_wanted) {
            let text = fs::read(input).expect("the input");
            // A part of a value is not the same in other lines.
            let is_whole = |line: &&[u8]| {
                let is_text = !matches!(line.first(), None | Some(b'{' | b'['));
                is_text || serde_json::from_slice::<serde::de::IgnoredAny>(line).is_ok()
            };
            let lines = text.split(|byte| *byte == b'\n').filter(is_whole);
            all.extend(lines.map(|line| (table, line.to_vec())));
        }
    }
    all
}

/// The tables of the set with records in a batch, and how many.
fn tables_of(batch: &Batch) -> Vec<(&str, u64)> {
    let counts = batch.counts.by_table.iter().filter(|count| count.records > 0);
    counts.map(|count| (count.table.as_str(), count.records)).collect()
}

/// What of a reject does not say which table it is of.
fn plain(reject: &Reject) -> (u64, u64, u64, String, String) {
    (reject.line, reject.offset, reject.length, reject.reason.to_string(), reject.message.clone())
}

/// The events of lines that are converted one by one, with the rejects' reasons.
fn one_by_one(converter: &Converter, lines: &[Vec<u8>]) -> (Vec<u8>, Vec<String>) {
    let (mut events, mut reasons) = (Vec::new(), Vec::new());
    for line in lines {
        let batch = converter.convert(line);
        assert!(batch.counts.balances());
        events.extend(batch.events);
        reasons.extend(batch.rejects.iter().map(|reject| reject.message.clone()));
    }
    (events, reasons)
}

/// Numbers by chance, the same in each run.
fn shuffled<T>(mut all: Vec<T>, mut seed: u64) -> Vec<T> {
    for n in (1..all.len()).rev() {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        all.swap(n, (seed >> 33) as usize % (n + 1));
    }
    all
}

/// A line becomes exactly what the table makes of it alone to which its records belong.
#[test]
fn a_record_becomes_what_its_own_table_makes_of_it() {
    let set = converter("duo", Engine::Exact);
    let alone = TABLES.map(|(table, _)| (table, converter(table, Engine::Exact)));
    let (mut told, mut untold, mut elsewhere) = (0, 0, Vec::new());
    for (own, line) in lines() {
        let batch = set.convert(&line);
        assert!(batch.counts.balances());
        let text = String::from_utf8_lossy(&line).into_owned();
        let tables = tables_of(&batch);
        let [(table, records)] = tables[..] else {
            untold += batch.counts.records;
            assert_eq!(batch.counts.events, 0, "{text}");
            continue;
        };
        if records != batch.counts.records {
            continue;
        }
        told += records;
        if table != own {
            elsewhere.push((own, table.to_owned(), text.clone()));
        }
        let (_, one) = alone.iter().find(|(name, _)| *name == table).expect("a table");
        let expected = one.convert(&line);
        assert_eq!(batch.events, expected.events, "{text}");
        let rejects = |batch: &Batch| batch.rejects.iter().map(plain).collect::<Vec<_>>();
        assert_eq!(rejects(&batch), rejects(&expected), "{text}");
        assert!(batch.rejects.iter().all(|reject| reject.table.as_deref() == Some(table)), "{text}");
    }
    assert!(told > 500 && untold > 500, "{told} {untold}");
    // What is elsewhere names another log, has another log's field, or is a line of pairs.
    for (own, table, text) in &elsewhere {
        let says = ["eventtype", "service", "access_device"];
        let is_told = says.iter().any(|name| text.contains(name)) || !text.starts_with(['{', '[']);
        assert!(is_told, "{own} went to {table}: {text}");
    }
    assert!(elsewhere.len() < 25, "{}: {elsewhere:#?}", elsewhere.len());
}

/// An envelope says it of records that have no field of their own.
#[test]
fn every_record_goes_to_its_own_table_by_its_envelope() {
    let set = converter("duo", Engine::Exact);
    let mut records = 0;
    for (table, service) in TABLES {
        let alone = converter(table, Engine::Exact);
        for (own, line) in lines() {
            let Ok(Value::Object(record)) = serde_json::from_slice(&line) else { continue };
            let is_named =
                ["eventtype", "service"].iter().any(|name| record.get(*name).is_some_and(|it| *it != ""));
            let is_wrapper =
                ["stat", "message", "metadata", "response"].iter().any(|name| record.contains_key(*name));
            if own != table || is_named || is_wrapper {
                continue;
            }
            let text = String::from_utf8_lossy(&line).into_owned();
            let wrapped = format!("{{\"service\":\"{service}\",\"message\":{text}}}");
            let (batch, expected) = (set.convert(wrapped.as_bytes()), alone.convert(wrapped.as_bytes()));
            assert_eq!(tables_of(&batch), [(table, 1)], "{wrapped}");
            assert_eq!(batch.events, expected.events, "{wrapped}");
            assert_eq!(batch.rejects.len(), expected.rejects.len(), "{wrapped}");
            records += 1;
        }
    }
    assert!(records > 800, "{records}");
}

/// Real records say themselves which log they are of.
#[test]
fn real_records_go_to_their_own_tables() {
    let set = converter("duo", Engine::Auto);
    let mut cases = 0;
    for (table, _) in TABLES {
        for input in inputs(table).iter().filter(|input| input.to_string_lossy().contains("real-")) {
            let name = input.display().to_string();
            let batch = set.convert(&fs::read(input).expect("the input"));
            let no_records = ["real-api-errors", "real-other"].iter().any(|what| name.contains(what));
            if no_records {
                assert_eq!(
                    tables_of(&batch).iter().filter(|(one, _)| *one == "duo_telephony").count(),
                    0,
                    "{name}"
                );
                continue;
            }
            assert_eq!(tables_of(&batch), [(table, batch.counts.records)], "{name}");
            cases += 1;
        }
    }
    assert!(cases > 15, "{cases}");
}

/// All cases of all logs in one dump, in any order, in pieces of any size, by every engine.
#[test]
fn a_shuffled_dump_gives_the_events_of_its_records() {
    let alone = converter("duo", Engine::Exact);
    for seed in 1..3 {
        let lines: Vec<Vec<u8>> = shuffled(lines().into_iter().map(|(_, line)| line).collect(), seed);
        // Lines, whatever the first one is.
        let lines: Vec<Vec<u8>> = std::iter::once(b"{}".to_vec()).chain(lines).collect();
        let (events, reasons) = one_by_one(&alone, &lines);
        let dump = lines.join(&b'\n');
        for engine in Engine::ALL.into_iter().filter(|engine| engine.is_available()) {
            let is_one = engine == Engine::Exact && seed == 1;
            for chunk_bytes in if is_one { vec![1, 1 << 20] } else { vec![4096] } {
                let options = Options::default().engine(engine).chunk_bytes(chunk_bytes);
                let set = Converter::new(&Mapping::builtin("duo").expect("duo"), &options);
                assert_eq!(set.engine(), Engine::Exact);
                let batch = set.convert(&dump);
                assert!(batch.counts.balances());
                assert!(batch.events == events, "{engine:?} {chunk_bytes} {seed}");
                let messages: Vec<&str> =
                    batch.rejects.iter().map(|reject| reject.message.as_str()).collect();
                let expected: Vec<&str> = reasons.iter().map(String::as_str).collect();
                // Places in messages count from the stream's beginning.
                assert_eq!(messages.len(), expected.len(), "{engine:?} {chunk_bytes} {seed}");
            }
        }
    }
}

#[test]
fn the_cases_of_mixed_dumps_give_their_events_and_rejects() {
    for case in cases_in("fixtures/duo") {
        let batch = converter("duo", Engine::Auto).convert(&fs::read(input(&case)).expect("the input"));
        let events = fs::read_to_string(case.join("events.ndjson")).expect("events.ndjson");
        assert_eq!(String::from_utf8_lossy(&batch.events), events, "{}", case.display());
    }
    let folder = project("fixtures/duo");
    let tested = run(&["test", text(&folder), "--mapping", "duo"]);
    assert_eq!(tested.status, 0, "{}{}", tested.stdout, tested.stderr);
    // Parts of several tables are exercised, and named by their own files.
    for part in ["coverage of `duo`", "never exercised: duo_auth:", "never exercised: duo_admin:"] {
        assert!(tested.stdout.contains(part), "{part}: {}", tested.stdout);
    }
}

/// Records that could be of several logs, or of none.
#[test]
fn the_order_decides() {
    let set = converter("duo", Engine::Exact);
    let wrapped = |service: &str, record: &str| format!("{{\"service\":{service},\"message\":{record}}}");
    for (line, expected) in [
        // A name comes before fields.
        (r#"{"eventtype":"administrator","factor":"duo_push","timestamp":1}"#.to_owned(), "duo_admin"),
        (r#"{"eventtype":"AUTHENTICATION","action":"x","username":"u","timestamp":1}"#.into(), "duo_auth"),
        (r#"{"eventtype":"telephony","sekey":"S","phone":"1","timestamp":1}"#.into(), "duo_telephony"),
        (
            r#"{"eventtype":"","service":"activity","factor":"f","ts":"2024-01-01T00:00:00Z"}"#.into(),
            "duo_activity",
        ),
        (r#"{"eventtype":"auth_x","factor":"f","timestamp":1}"#.into(), "other-log"),
        (r#"{"eventtype":5,"factor":"f","timestamp":1}"#.into(), "other-log"),
        // A name that is no text says nothing.
        (r#"{"eventtype":{},"factor":"f","timestamp":1}"#.into(), "duo_auth"),
        (r#"{"eventtype":null,"factor":"f","timestamp":1}"#.into(), "duo_auth"),
        // Of two tables' fields the first table counts.
        (r#"{"sekey":"S","activity_id":"A","surfaced_timestamp":1}"#.into(), "duo_trust_monitor"),
        (
            r#"{"activity_id":"A","event_type":"authentication","ts":"2024-01-01T00:00:00Z"}"#.into(),
            "duo_activity",
        ),
        (r#"{"event_type":"enrollment","phone":"1","timestamp":1}"#.into(), "duo_auth"),
        (r#"{"phone":"1","action":"o2fa_x","ts":"2024-01-01T00:00:00Z"}"#.into(), "duo_telephony"),
        (r#"{"action":"o2fa_x","username":"u","timestamp":1}"#.into(), "duo_offline_enrollment"),
        (r#"{"action":"x","username":"u","timestamp":1}"#.into(), "duo_admin"),
        // Nothing tells.
        (r#"{"action":"x","timestamp":1}"#.into(), "other-log"),
        (r#"{"timestamp":1,"username":"u"}"#.into(), "other-log"),
        ("{}".into(), "other-log"),
        // Fields that are absent, or of a wrong type, say nothing.
        (
            r#"{"activity_id":null,"sekey":"","phone":"1","ts":"2024-01-01T00:00:00Z"}"#.into(),
            "duo_telephony",
        ),
        (r#"{"activity_id":{},"phone":"1","ts":"2024-01-01T00:00:00Z"}"#.into(), "duo_telephony"),
        (r#"{"activity_id":["A"],"ts":"2024-01-01T00:00:00Z"}"#.into(), "other-log"),
        (r#"{"sekey":null,"timestamp":1}"#.into(), "other-log"),
        (r#"{"activity_id":0,"ts":"2024-01-01T00:00:00Z"}"#.into(), "duo_activity"),
        // Of two equal keys the last counts.
        (r#"{"eventtype":"x","eventtype":"telephony","phone":"1","timestamp":1}"#.into(), "duo_telephony"),
        // Envelopes.
        (wrapped("\"authentication\"", r#"{"timestamp":1}"#), "duo_auth"),
        (wrapped("\"authentication\"", r#"{"activity_id":"A","timestamp":1}"#), "duo_auth"),
        (wrapped("\"authentication\"", r#"{"eventtype":"administrator","timestamp":1}"#), "other-log"),
        (wrapped("\"authentication\"", r#"{"eventtype":"authentication","timestamp":1}"#), "duo_auth"),
        (wrapped("\"unknown\"", r#"{"activity_id":"A","ts":"2024-01-01T00:00:00Z"}"#), "other-log"),
        (wrapped("5", r#"{"activity_id":"A","ts":"2024-01-01T00:00:00Z"}"#), "other-log"),
        (wrapped("{}", r#"{"activity_id":"A","ts":"2024-01-01T00:00:00Z"}"#), "other-log"),
        (wrapped("null", r#"{"activity_id":"A","ts":"2024-01-01T00:00:00Z"}"#), "duo_activity"),
        // A text is no record: what is around it is one.
        (wrapped("\"telephony\"", r#""text""#), "duo_telephony"),
        (wrapped("\"unknown\"", r#""text""#), "other-log"),
        (wrapped("null", r#""text""#), "other-log"),
        (
            wrapped("\"activity\"", &wrapped("\"authentication\"", r#"{"factor":"f","timestamp":1}"#)),
            "other-log",
        ),
        // Answers of the API.
        (r#"{"stat":"OK","response":{"authlogs":[{"timestamp":1}]}}"#.into(), "duo_auth"),
        (r#"{"stat":"OK","response":{"events":[{"surfaced_timestamp":1}]}}"#.into(), "duo_trust_monitor"),
        (
            r#"{"stat":"OK","response":{"items":[{"ts":"2024-01-01T00:00:00Z","phone":"1"}]}}"#.into(),
            "duo_telephony",
        ),
        (
            r#"{"stat":"OK","response":{"items":[{"ts":"2024-01-01T00:00:00Z","akey":"1"}]}}"#.into(),
            "duo_activity",
        ),
        (
            r#"{"stat":"OK","response":{"items":[{"ts":"2024-01-01T00:00:00Z","factor":"1"}]}}"#.into(),
            "other-log",
        ),
        (r#"{"stat":"OK","response":[{"timestamp":1,"action":"x","object":"o"}]}"#.into(), "duo_admin"),
        (r#"{"stat":"OK","response":[{"timestamp":1,"action":"o2fa_x"}]}"#.into(), "duo_offline_enrollment"),
        (r#"{"stat":"OK","response":[{"timestamp":1,"phone":"1"}]}"#.into(), "duo_telephony"),
        (r#"{"stat":"OK","response":[{"timestamp":1,"factor":"1"}]}"#.into(), "other-log"),
        (r#"{"items":[{"ts":"2024-01-01T00:00:00Z","akey":"1"}],"metadata":{}}"#.into(), "duo_activity"),
        (r#"{"authlogs":[{"timestamp":1}],"metadata":{}}"#.into(), "duo_auth"),
        (r#"{"stat":"FAIL","code":1}"#.into(), "api-error"),
        ("[{\"timestamp\":1,\"factor\":\"1\"}]".into(), "duo_auth"),
        ("<134>1 2024-01-01T00:00:00Z h app - - - {\"timestamp\":1,\"factor\":\"1\"}".into(), "duo_auth"),
        // Lines of text are telephony's, if they do not say otherwise.
        ("1683648435,eventtype=\"telephony\",phone=\"1\"".into(), "duo_telephony"),
        ("1683648435,eventtype=\"authentication\",factor=\"1\"".into(), "other-log"),
        (
            "CEF:0|Duo Security|DuoLogSync|1.0|telephony|telephony|5|rt=1581620180000 phone=1".into(),
            "duo_telephony",
        ),
        (
            "CEF:0|Duo Security|DuoLogSync|1.0|authentication|x|5|rt=1581620180000 factor=1".into(),
            "other-log",
        ),
        ("7".into(), "not-object"),
    ] {
        let batch = set.convert(line.as_bytes());
        assert_eq!(batch.counts.records, 1, "{line}");
        let found = match tables_of(&batch)[..] {
            [(table, 1)] => table.to_owned(),
            _ => batch.rejects.iter().map(|reject| reject.reason.to_string()).collect(),
        };
        assert_eq!(found, expected, "{line}");
    }
    // Two lists of one answer are both read.
    let two =
        br#"{"stat":"OK","response":{"events":[{"surfaced_timestamp":1}],"authlogs":[{"timestamp":1}]}}"#;
    assert_eq!(tables_of(&set.convert(two)), [("duo_trust_monitor", 1), ("duo_auth", 1)]);
}

/// A reading of the order in another language: cases, and records made of them by chance.
#[test]
fn an_independent_reading_of_mixed_dumps_agrees() {
    let Some(python) = need(Tool::Python) else { return };
    let oracle = project("tests/oracles/mixed_reading.py");
    succeed(Command::new(&python).arg(&oracle).arg("--self-test"));
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    // Python has no texts with half a pair.
    let is_text = |line: &Vec<u8>| std::str::from_utf8(line).is_ok_and(|line| !line.contains("\\ud"));
    let lines = lines().into_iter().map(|(_, line)| line).filter(is_text);
    let lines: Vec<Vec<u8>> = std::iter::once(b"{}".to_vec()).chain(lines).collect();
    fs::write(at("all.ndjson"), lines.join(&b'\n')).expect("written");
    let mut made = Command::new(&python);
    made.arg(project("tests/oracles/mutations.py")).args(["11", "2000"]).arg(at("all.ndjson"));
    fs::write(at("mutated.ndjson"), succeed(&mut made)).expect("written");
    let set = converter("duo", Engine::Exact);
    for log in [at("all.ndjson"), at("mutated.ndjson")] {
        let batch = set.convert(&fs::read(&log).expect("the log"));
        let judged = json_lines(&succeed(Command::new(&python).arg(&oracle).arg(&log)));
        let events = json_lines(&String::from_utf8(batch.events.clone()).expect("UTF-8"));
        let expected: Vec<&Value> = judged.iter().filter_map(|one| one.get("event")).collect();
        for (n, (got, expected)) in events.iter().zip(&expected).enumerate() {
            assert_eq!(got, *expected, "event {n} of {}", log.display());
        }
        let expected: Vec<&Value> = judged.iter().filter_map(|one| one.get("reject")).collect();
        for (got, expected) in batch.rejects.iter().zip(&expected) {
            let got = (got.line, got.offset, got.length, got.reason.to_string());
            let n = |key: &str| expected[key].as_u64().expect("a number");
            let reason = expected["reason"].as_str().expect("a reason").to_owned();
            assert_eq!(got, (n("line"), n("offset"), n("length"), reason), "{}", log.display());
        }
        assert_eq!(
            (events.len(), batch.rejects.len()),
            (judged.len() - expected.len(), expected.len()),
            "{log:?}"
        );
    }
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path")
}

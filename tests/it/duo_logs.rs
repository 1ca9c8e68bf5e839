//! Duo's other logs: every table gives what its cases expect and what an independent reading says, with every engine.

use crate::goldens::{cases_in, input};
use crate::oracles::{strict, succeed};
use crate::support::{json_lines, project, run, udmap};
use crate::tools::{Tool, need};
use serde_json::{Value, json};
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use udmap::convert::{Batch, Converter, Engine, Options, Reject};
use udmap::mapping::Mapping;

/// The tables that have cases of their own, in folders of their names.
const TABLES: [&str; 7] = [
    "duo_auth",
    "duo_auth_extended",
    "duo_admin",
    "duo_admin_extended",
    "duo_activity",
    "duo_offline_enrollment",
    "duo_trust_monitor",
];

fn cases_of(table: &str) -> Vec<PathBuf> {
    let cases = cases_in(&format!("fixtures/{table}"));
    assert!(cases.len() > 1, "{table} has {} cases", cases.len());
    cases
}

/// What the exact engine makes of a log. All other engines make the same of it.
fn converted(table: &str, log: &[u8]) -> Batch {
    let mapping = Mapping::builtin(table).expect(table);
    let convert = |engine: Engine| Converter::new(&mapping, &Options::default().engine(engine)).convert(log);
    let exact = convert(Engine::Exact);
    for engine in Engine::ALL.into_iter().filter(|engine| engine.is_available()) {
        let other = convert(engine);
        if other.events != exact.events || other.rejects != exact.rejects {
            let line = |batch: &Batch, n: usize| {
                let text = String::from_utf8_lossy(&batch.events).into_owned();
                text.split('\n').nth(n).unwrap_or_default().to_owned()
            };
            let differs = (0..).find(|n| line(&other, *n) != line(&exact, *n) || line(&exact, *n).is_empty());
            let n = differs.unwrap_or_default();
            panic!("{table} with {engine:?}, event {n}:\n{}\n{}", line(&other, n), line(&exact, n));
        }
    }
    exact
}

/// A reject as JSON, without its bytes.
fn reject_json(reject: &Reject) -> Value {
    let mut line = Vec::new();
    reject.write_json("", &mut line);
    serde_json::from_slice(&line).expect("JSON")
}

fn assert_same_rejects(got: &[Reject], expected: &[Value], what: &str) {
    assert_eq!(got.len(), expected.len(), "{what}");
    for (got, expected) in got.iter().map(reject_json).zip(expected) {
        for key in ["line", "offset", "length", "reason"] {
            assert_eq!(got[key], expected[key], "{key} in {what}: {got}");
        }
    }
}

#[test]
fn every_case_gives_its_events_and_rejects_with_every_engine() {
    for table in TABLES {
        for case in cases_of(table) {
            let name = case.display().to_string();
            let batch = converted(table, &fs::read(input(&case)).expect("the input"));
            let events = fs::read_to_string(case.join("events.ndjson")).expect("events.ndjson");
            assert_eq!(String::from_utf8_lossy(&batch.events), events, "{name}");
            let rejects = fs::read_to_string(case.join("rejects.ndjson")).unwrap_or_default();
            assert_same_rejects(&batch.rejects, &json_lines(&rejects), &name);
        }
    }
}

#[test]
fn the_cases_exercise_every_part_of_the_tables() {
    for table in TABLES {
        let folder = project(&format!("fixtures/{table}"));
        let run = run(&["test", folder.to_str().expect("a path"), "--mapping", table, "--full-coverage"]);
        // An extended table's cases exercise what it adds.
        let is_whole = run.status == 0 || (table.ends_with("_extended") && run.stderr.contains(", 0 failed"));
        assert!(is_whole, "{table}: {}{}", run.stdout, run.stderr);
    }
}

/// Cases, and records that are made of theirs by chance: the same events and the same rejects, one by one.
#[test]
fn an_independent_reading_of_the_other_logs_agrees() {
    let Some(python) = need(Tool::Python) else { return };
    let folder = tempfile::tempdir().expect("a folder");
    for table in TABLES {
        let log = table.trim_start_matches("duo_").trim_end_matches("_extended");
        let inputs: Vec<PathBuf> = cases_of(table).iter().map(|case| input(case)).collect();
        let mut made = Command::new(&python);
        made.arg(project("tests/oracles/mutations.py")).args(["7", "1500"]).args(&inputs);
        let mutated = folder.path().join("mutated.ndjson");
        fs::write(&mutated, succeed(&mut made)).expect("written");
        for input in inputs.iter().chain([&mutated]) {
            let batch = converted(table, &fs::read(input).expect("the input"));
            let events = json_lines(&String::from_utf8(batch.events).expect("UTF-8"));
            let mut oracle = Command::new(&python);
            oracle.arg(project("tests/oracles/duo_logs_reading.py")).arg(log).arg(input);
            let judged = succeed(oracle.args(table.ends_with("_extended").then_some("--extended")));
            let judged = json_lines(&judged);
            let expected: Vec<&Value> = judged.iter().filter_map(|one| one.get("event")).collect();
            for (n, (got, expected)) in events.iter().zip(&expected).enumerate() {
                assert_eq!(got, *expected, "event {n} of {} by {table}", input.display());
            }
            assert_eq!(events.len(), expected.len(), "{}", input.display());
            let rejects: Vec<Value> = judged.iter().filter_map(|one| one.get("reject")).cloned().collect();
            assert_same_rejects(&batch.rejects, &rejects, &format!("{} by {table}", input.display()));
        }
    }
}

#[test]
fn the_reading_of_the_other_logs_is_itself_tested() {
    let Some(python) = need(Tool::Python) else { return };
    succeed(Command::new(python).arg(project("tests/oracles/duo_logs_reading.py")).arg("--self-test"));
}

#[test]
fn google_accepts_every_event_of_the_other_logs() {
    let Some(python) = need(Tool::Oracle) else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let events = folder.path().join("events.ndjson");
    for table in TABLES {
        let inputs: Vec<PathBuf> = cases_of(table).iter().map(|case| input(case)).collect();
        for options in [&[][..], &["--field-names", "camel", "--envelope", "event", "--namespace", "corp"]] {
            let mut command = udmap();
            command.args(["convert", "-q", "--max-rejects", "100000", "--mapping", table]).args(&inputs);
            succeed(command.arg("-o").arg(&events).args(options));
            strict(&python, &events, 10);
        }
    }
}

/// What docs/duo-logs.md says of the tables' events.
#[test]
fn the_events_of_real_records_have_no_errors() {
    let folder = tempfile::tempdir().expect("a folder");
    for table in TABLES {
        let real = |case: &&PathBuf| {
            case.file_name().is_some_and(|name| name.to_string_lossy().starts_with("real-"))
        };
        for case in cases_of(table).iter().filter(real) {
            let to =
                folder.path().join(format!("{table}-{}", case.file_name().unwrap_or_default().display()));
            fs::create_dir_all(&to).expect("a folder");
            fs::copy(case.join("events.ndjson"), to.join("events.ndjson")).expect("copied");
        }
    }
    let passed = run(&["validate".as_ref(), folder.path().as_os_str()]);
    assert_eq!(passed.status, 0, "{}{}", passed.stdout, passed.stderr);
}

/// What a record becomes by a table: the event, or the reject's reason.
fn outcome(table: &str, record: &str) -> Value {
    let mapping = Mapping::builtin(table).expect("built in");
    let batch = Converter::new(&mapping, &Options::default()).convert(record.as_bytes());
    match batch.rejects.first() {
        Some(reject) => json!(reject.reason.code()),
        None => serde_json::from_slice(&batch.events).expect("an event"),
    }
}

/// The first value of a dn goes from its first `=` to the first comma without a backslash; without one there is none.
#[test]
fn a_dn_gives_its_first_value() {
    for (dn, userid) in [
        ("CN=jdoe,OU=people", Some("jdoe")),
        ("CN=Doe\\\\, J,OU=x", Some("Doe\\, J")),
        ("CN=a=b", Some("a=b")),
        ("jdoe", None),
        ("CN=", None),
    ] {
        let record = format!(r#"{{"timestamp":1704067200,"dn":"{dn}"}}"#);
        let event = outcome("duo_auth", &record);
        assert_eq!(event["target"]["user"]["userid"].as_str(), userid, "{record} {event}");
        // It is there, so it counts for the type.
        assert_eq!(event["metadata"]["event_type"], "USER_LOGIN", "{record}");
    }
}

/// An answer of the API is told by `stat`; the part in it by its metadata, without which it is a record without a time.
#[test]
fn answers_of_the_api_need_no_metadata() {
    for (table, list, record) in [
        ("duo_auth", "authlogs", r#"{"timestamp":1704067200,"txid":"t"}"#),
        ("duo_activity", "items", r#"{"ts":"2024-01-01T00:00:00Z","activity_id":"t"}"#),
        ("duo_trust_monitor", "events", r#"{"surfaced_timestamp":1704067200000,"sekey":"t"}"#),
    ] {
        let id = |log: String| outcome(table, &log)["metadata"]["product_log_id"].clone();
        assert_eq!(id(format!(r#"{{"stat":"OK","response":{{"{list}":[{record}]}}}}"#)), "t", "{table}");
        assert_eq!(id(format!(r#"{{"{list}":[{record}],"metadata":{{}}}}"#)), "t", "{table}");
        assert_eq!(outcome(table, &format!(r#"{{"{list}":[{record}]}}"#)), "no-timestamp", "{table}");
    }
}

#[test]
fn phones_of_an_administrator_are_texts_or_objects() {
    let numbers = |phones: &str| {
        let description = format!(r#"{{"phones":{phones}}}"#);
        let record = json!({"timestamp": 1_704_067_200, "action": "user_update", "description": description});
        outcome("duo_admin_extended", &record.to_string())["target"]["user"]["phone_numbers"].clone()
    };
    assert_eq!(numbers(r#"["+1","+2"]"#), json!(["+1", "+2"]));
    assert_eq!(numbers(r#"[{"number":"+1","name":"n"},"+2",{"x":1},null]"#), json!(["+2", "+1"]));
    assert_eq!(numbers(r#"{"number":"+1"}"#), json!(["+1"]));
    assert_eq!(numbers(r#""+1""#), json!(["+1"]));
    assert_eq!(numbers("[]"), Value::Null);
}

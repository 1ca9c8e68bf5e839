//! Dumps in which logs are mixed: each record becomes what the table makes of it that it belongs to.

use crate::goldens::{cases_in, input};
use crate::oracles::succeed;
use crate::support::{json_lines, project, run, run_with};
use crate::tools::{Tool, need};
use serde_json::Value;
use std::fs;
use std::io::Write as _;
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
    // What is elsewhere names another log, or has another log's fields: cases of strange types.
    for (own, table, text) in &elsewhere {
        // Lines of pairs are telephony's.
        let says =
            ["eventtype", "service", "event_type", "access_device", "action", "context", "phone", "host=\""];
        assert!(says.iter().any(|name| text.contains(name)), "{own} went to {table}: {text}");
    }
    assert!(elsewhere.len() < 40, "{}: {elsewhere:#?}", elsewhere.len());
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

/// A dump of all logs, in a folder with compressed files.
fn dump(folder: &Path) -> u64 {
    let mut records = 0;
    for (n, (table, _)) in TABLES.iter().enumerate() {
        let mut text = Vec::new();
        for input in inputs(table).iter().filter(|input| input.to_string_lossy().contains("real-")).take(3) {
            let log = fs::read(input).expect("the input");
            if input.extension().is_some_and(|it| it == "ndjson") {
                text.extend(log);
                text.push(b'\n');
            }
        }
        records += converter("duo", Engine::Exact).convert(&text).counts.records;
        let mut file = flate2::write::GzEncoder::new(
            fs::File::create(folder.join(format!("{n}.ndjson.gz"))).expect("a file"),
            flate2::Compression::fast(),
        );
        file.write_all(&text).and_then(|()| file.finish()).expect("written");
    }
    records
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path")
}

#[test]
fn commands_take_a_set() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    fs::create_dir(at("in")).expect("a folder");
    let records = dump(&at("in"));
    // A folder into a file, with a summary and rejects.
    let (events, rejects, summary) = (at("events.ndjson"), at("rejects.ndjson"), at("summary.json"));
    let converted = run(&[
        "convert",
        text(&at("in")),
        "--mapping",
        "duo",
        "-o",
        text(&events),
        "--rejects",
        text(&rejects),
        "--summary",
        text(&summary),
    ]);
    assert!(converted.status < 2, "{}", converted.stderr);
    let rows: Vec<&str> = converted.stderr.lines().filter(|line| line.contains("duo_")).collect();
    assert!(rows.iter().any(|row| row.contains("tables") && row.contains("duo_trust_monitor")), "{rows:?}");
    assert!(rows.iter().any(|row| row.contains("USER_LOGIN") && row.contains("duo_auth: ")), "{rows:?}");
    let summary: Value = serde_json::from_slice(&fs::read(summary).expect("a summary")).expect("JSON");
    assert_eq!((&summary["records"], &summary["balances"]), (&records.into(), &true.into()));
    let by_table = summary["by_table"].as_array().expect("by_table");
    assert!(
        by_table.len() == 6 && by_table.iter().all(|table| table["records"].as_u64() > Some(0)),
        "{by_table:?}"
    );
    let all: u64 = by_table.iter().filter_map(|table| table["events"].as_u64()).sum();
    assert_eq!(summary["events"], all);
    assert!(summary["by_event_type"].as_array().expect("types").iter().all(|one| one["table"].is_string()));
    // A folder into a folder, which is checked then. Another table in the set is another dump.
    let out = at("out");
    let to = format!("{}/", out.display());
    let whole = ["convert", text(&at("in")), "--mapping", "duo", "-o", &to].map(str::to_owned);
    let whole: Vec<&str> = whole.iter().map(String::as_str).collect();
    let first = run(&whole);
    assert!(first.status < 2, "{}", first.stderr);
    let manifest = out.join("manifest");
    for (mapping, said) in [("duo", "6 inputs converted again"), ("duo_auth", "converted by another mapping")]
    {
        let verified = run(&["verify", text(&manifest), "--deep", "--mapping", mapping]);
        let all = [verified.stdout, verified.stderr].concat();
        assert!(verified.status == i32::from(mapping != "duo") && all.contains(said), "{mapping}: {all}");
    }
    let again = run(&whole);
    assert!(again.stderr.contains("0 converted"), "{}", again.stderr);
    // A Parquet file has the columns of each event.
    let parquet = out.join("events.parquet");
    let from = at("in");
    let table =
        ["convert", text(&from), "--mapping", "duo", "-o", text(&parquet), "--output-format", "parquet"];
    assert!(run(&table).status < 2 && fs::metadata(&parquet).is_ok_and(|file| file.len() > 1000));
    // Both sides of a comparison.
    let compared = run(&["diff", "--raw", text(&at("in")), text(&events), "--mapping", "duo"]);
    let said = [&compared.stdout, &*compared.stderr].concat();
    assert!(compared.status < 2 && said.contains("0 pairs that differ"), "{said}");
    // Synthetic logs of a set are mixed.
    let measured =
        run(&["bench", "--mapping", "duo", "--runs", "1", "--megabytes", "1", "--threads", "1", "--json"]);
    assert_eq!(measured.status, 0, "{}", measured.stderr);
    // What is in it.
    let profile = run(&["profile", text(&at("in")), "--mapping", "duo"]);
    assert!(
        profile.stdout.contains("\nlogs\n") && profile.stdout.contains("duo_activity"),
        "{}",
        profile.stdout
    );
    let profile = run(&["profile", text(&at("in")), "--mapping", "duo", "--json"]);
    let profile: Value = serde_json::from_str(&profile.stdout).expect("JSON");
    let tables = profile["tables"].as_array().expect("tables");
    for (profiled, counted) in tables.iter().zip(by_table) {
        for key in ["table", "records", "events"] {
            assert_eq!(profiled[key], counted[key], "{profiled} {counted}");
        }
    }
    assert_eq!(profile["new_values"].as_array().map(Vec::len), Some(0), "{}", profile["new_values"]);
    let html = at("profile.html");
    run(&["profile", text(&at("in")), "--mapping", "duo", "--html", text(&html)]);
    assert!(fs::read_to_string(&html).expect("a page").contains("duo_trust_monitor"));
    // Where each field comes from.
    let lines = br#"{"eventtype":"authentication","timestamp":1,"factor":"duo_push","other":"x"}
{"strange":1}
"#;
    let explained = run_with(lines, &["explain", "-", "--mapping", "duo", "--json"]);
    let explained = json_lines(&explained.stdout);
    assert_eq!(explained[0]["table"], "duo_auth");
    let files: Vec<&Value> = explained[0]["fields"]
        .as_array()
        .expect("fields")
        .iter()
        .map(|field| &field["rule"]["file"])
        .collect();
    assert!(files.iter().all(|file| **file == "duo_auth"), "{files:?}");
    assert_eq!(
        (&explained[1]["table"], &explained[1]["reject"]["reason"]),
        (&Value::Null, &"other-log".into())
    );
    let explained = run_with(lines, &["explain", "-", "--mapping", "duo"]);
    assert!(explained.stdout.contains("duo_auth"), "{}", explained.stdout);
}

/// Rejects can be converted again, though what was around their records is gone.
#[test]
fn rejects_go_to_the_table_that_they_came_from() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    let log = concat!(
        r#"{"service":"authentication","message":{"timestamp":"soon","action":"a","username":"u"}}"#,
        "\n",
        r#"{"service":"authentication","message":{"eventtype":"administrator","timestamp":1,"action":"a"}}"#,
        "\n",
        r#"{"stat":"OK","response":{"items":[{"timestamp":1,"action":"a","username":"u"}]}}"#,
        "\n",
    );
    let (rejects, again) = (at("rejects.ndjson"), at("again.ndjson"));
    let first = run_with(log.as_bytes(), &["convert", "-", "--mapping", "duo", "--rejects", text(&rejects)]);
    assert_eq!(first.stdout, "", "{}", first.stderr);
    let lines = json_lines(&fs::read_to_string(&rejects).expect("rejects"));
    let tables: Vec<&Value> = lines.iter().map(|line| &line["table"]).collect();
    assert_eq!(tables, ["duo_auth", "duo_auth", "duo_activity,duo_telephony"]);
    let args =
        |from: &str| ["convert", "--from-rejects", from, "--mapping", "duo", "--rejects"].map(str::to_owned);
    let mut second: Vec<String> = args(text(&rejects)).into();
    second.push(text(&again).to_owned());
    let second: Vec<&str> = second.iter().map(String::as_str).collect();
    let second = run(&second);
    assert_eq!(second.stdout, "", "{}", second.stderr);
    assert_eq!(fs::read_to_string(&again).expect("rejects"), fs::read_to_string(&rejects).expect("rejects"));
    // Mended, the first is an authentication.
    let mended = fs::read_to_string(&rejects).expect("rejects").replace("\\\"soon\\\"", "1");
    fs::write(&rejects, mended).expect("written");
    let mut third: Vec<String> = args(text(&rejects)).into();
    third.push(text(&again).to_owned());
    let third: Vec<&str> = third.iter().map(String::as_str).collect();
    let third = run(&third);
    let events = json_lines(&third.stdout);
    assert_eq!(events.len(), 1, "{}", third.stderr);
    assert_eq!(events[0]["metadata"]["log_type"], "DUO_AUTH");
}

const HEAD: &str = "[mapping]\nname = \"mine\"\n";
const DNS: &str = r#"
[mapping]
name = "dns"
log_type = "DNS"

[[envelope]]
name = "the shipper"
present = ["kind"]
records = "data"

[[rule]]
udm = "metadata.event_timestamp"
time = [{ from = "t", read = "epoch-seconds" }]

[[rule]]
udm = "metadata.event_type"
value = "NETWORK_DNS"

[[rule]]
udm = "metadata.log_type"
value = "DNS"

[[rule]]
udm = "principal.hostname"
from = "host"
"#;

/// Tables of one's own, which need no word of ours.
#[test]
fn users_make_sets_of_their_own() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| {
        let file = folder.path().join(name);
        fs::write(&file, text).expect("written");
        text_of(&file)
    };
    write("dns.toml", DNS);
    write(
        "web.toml",
        &DNS.replace("dns", "web").replace("NETWORK_DNS", "NETWORK_HTTP").replace("\"DNS\"", "\"WEB\""),
    );
    let set = format!(
        "{HEAD}log_field = \"kind\"\n\
         [[table]]\nname = \"web.toml\"\nlog = \"web\"\nown = [{{ url = {{ present = true }} }}]\n\
         [[table]]\nname = \"dns.toml\"\nlog = [\"dns\", \"resolver\"]\nown = [{{ q = {{ matches = \"^[a-z.]+$\" }} }}]\n\
         [[table]]\nname = \"duo_auth\"\nown = [{{ factor = {{ present = true }} }}]\n\
         [[test]]\nrecord = '{{\"t\":1,\"kind\":\"x\"}}'\nreject = \"other-log\"\n"
    );
    let file = write("set.toml", &set);
    let checked = run(&["mappings", "check", &file]);
    assert!(
        checked.status == 0 && checked.stdout.contains("3 tables, 1 test"),
        "{}{}",
        checked.stdout,
        checked.stderr
    );
    let shown = run(&["mappings", "show", &file]);
    for part in
        ["1. web", "2. dns", "named dns, resolver", "or if `url` is present", "3. duo_auth", "`kind` names"]
    {
        assert!(shown.stdout.contains(part), "{part}: {}", shown.stdout);
    }
    let log = concat!(
        r#"{"t":1,"url":"u","q":"a.b"}"#,
        "\n",
        r#"{"t":2,"q":"a.b"}"#,
        "\n",
        r#"{"t":3,"q":"A"}"#,
        "\n",
        r#"{"kind":"resolver","data":[{"t":4},{"t":5,"kind":"web"}]}"#,
        "\n",
        r#"{"timestamp":6,"factor":"f"}"#,
        "\n",
    );
    let converted = run_with(log.as_bytes(), &["convert", "-", "--mapping", &file]);
    let types: Vec<Value> =
        json_lines(&converted.stdout).iter().map(|event| event["metadata"]["log_type"].clone()).collect();
    assert_eq!(types, ["WEB", "DNS", "DNS", "DUO_AUTH"], "{}", converted.stderr);
    assert!(converted.stderr.contains("other-log"), "{}", converted.stderr);
    // The files that it names are part of it: another table is another dump.
    let print = || {
        let mapping = udmap::mapping::files::load(&file).expect("the set").mapping;
        mapping.canonical()
    };
    let before = print();
    write("dns.toml", &DNS.replace("\"host\"", "\"h\""));
    assert_ne!(before, print());
    // What is wrong is said with its place.
    let ok = |name: &str| format!("[[table]]\nname = \"{name}\"\nown = [{{ x = \"{name}\" }}]\n");
    for (text, said) in [
        (format!("{HEAD}{}", ok("duo_auth")), "a set has at least two tables"),
        (format!("{HEAD}{}{}", ok("duo_auth"), ok("duo_auth")), "is in the set already"),
        (format!("{HEAD}{}{}", ok("duo_auth"), ok("duo")), "a set itself"),
        (format!("{HEAD}{}{}", ok("duo_auth"), ok("nothing")), "can't read `nothing`"),
        (format!("{HEAD}{}{}[[rule]]\nudm = \"a\"\n", ok("duo_auth"), ok("duo_admin")), "has no `rule`"),
        (format!("{HEAD}{}[[table]]\nname = \"duo_admin\"\n", ok("duo_auth")), "neither `log` nor `own`"),
        (
            format!("{HEAD}{}[[table]]\nname = \"duo_admin\"\nlog = \"a\"\n", ok("duo_auth")),
            "no field holds the name",
        ),
        (
            format!(
                "{HEAD}log_field = \"k\"\n[[table]]\nname = \"duo_auth\"\nlog = \"A\"\n[[table]]\nname = \"duo_admin\"\nlog = \"a\"\n"
            ),
            "calls its log `a`",
        ),
        (
            format!(
                "{HEAD}{}[[table]]\nname = \"duo_admin\"\nown = [{{ x = \"duo_auth\", y = \"1\" }}]\n",
                ok("duo_auth")
            ),
            "`duo_auth` comes before and takes all such records",
        ),
        (
            format!(
                "{HEAD}{}[[table]]\nname = \"duo_admin\"\nown = [{{ \"a[].b\" = \"1\" }}]\n",
                ok("duo_auth")
            ),
            "leads into a list",
        ),
        (
            format!("{HEAD}log_type = \"X\"\n{}{}", ok("duo_auth"), ok("duo_admin")),
            "`log_type` goes only with rules",
        ),
        (format!("{HEAD}extends = \"duo\"\n"), "it is a set of tables"),
        (format!("{HEAD}log_type = \"X\"\nlog_field = \"k\"\n"), "`log_field` goes only with `[[table]]`"),
        (format!("{HEAD}{}{}zz = 1\n", ok("duo_auth"), ok("duo_admin")), "unknown key `zz`"),
    ] {
        let faulty = write("faulty.toml", &text);
        let checked = run(&["mappings", "check", &faulty]);
        assert!(checked.status == 2 && checked.stderr.contains(said), "{said}: {}", checked.stderr);
        assert!(checked.stderr.contains("faulty.toml:") || said.contains("can't read"), "{}", checked.stderr);
    }
}

fn text_of(path: &Path) -> String {
    text(path).to_owned()
}

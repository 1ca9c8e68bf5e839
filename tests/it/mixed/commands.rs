//! Every command that takes `--mapping` takes a set.

use super::{TABLES, converter, inputs, text};
use crate::support::{json_lines, run, run_with};
use serde_json::Value;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use udmap::convert::Engine;

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

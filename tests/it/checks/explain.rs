//! `udmap explain` from outside: it agrees with `convert` on every fixture.

use crate::goldens::{cases, input};
use crate::support::{json_lines, project, run, run_with};
use serde_json::Value;
use std::fs;

/// Every value below `value` with its path.
fn leaves(value: &Value, path: String, all: &mut Vec<(String, Value)>) {
    match value {
        Value::Object(members) => {
            for (key, value) in members {
                leaves(value, if path.is_empty() { key.clone() } else { format!("{path}.{key}") }, all);
            }
        }
        Value::Array(elements) => {
            for (place, element) in elements.iter().enumerate() {
                leaves(element, format!("{path}[{place}]"), all);
            }
        }
        _ => all.push((path, value.clone())),
    }
}

#[test]
fn explain_agrees_with_convert_on_every_fixture() {
    let folder = tempfile::tempdir().unwrap();
    let rejects = folder.path().join("rejects");
    for mapping in ["duo_telephony", "duo_telephony_extended"] {
        for case in cases() {
            let input = input(&case);
            let input = input.to_str().unwrap();
            let extra = ["--namespace", "corp", "--label", "env=prod"];
            let mut args =
                vec!["convert", input, "-q", "--mapping", mapping, "--rejects", rejects.to_str().unwrap()];
            args.extend(extra);
            let converted = json_lines(&run(&args).stdout);
            let rejected = json_lines(&fs::read_to_string(&rejects).unwrap());
            let mut args = vec!["explain", input, "--json", "--mapping", mapping, "--max-records", "100000"];
            args.extend(extra);
            let explained = run(&args);
            assert_eq!(explained.status, i32::from(!rejected.is_empty()), "{input}: {}", explained.stderr);
            let (mut events, mut rejects) = (converted.iter(), rejected.iter());
            for record in json_lines(&explained.stdout) {
                if record.get("reject").is_some() {
                    let reject = rejects.next().unwrap();
                    for (ours, theirs) in [("line", "line"), ("offset", "offset"), ("length", "length")] {
                        assert_eq!(record[ours], reject[theirs], "{input}: {record}");
                    }
                    assert_eq!(record["reject"]["reason"], reject["reason"], "{input}: {record}");
                    continue;
                }
                let event = events.next().unwrap();
                assert_eq!(&record["event"], event, "{input}");
                let (mut wanted, mut got) = (Vec::new(), Vec::new());
                leaves(event, String::new(), &mut wanted);
                for field in record["fields"].as_array().unwrap() {
                    got.push((field["path"].as_str().unwrap().to_owned(), field["value"].clone()));
                }
                wanted.sort_by(|a, b| a.0.cmp(&b.0));
                got.sort_by(|a, b| a.0.cmp(&b.0));
                assert_eq!(got, wanted, "{input}");
            }
            assert!(events.next().is_none() && rejects.next().is_none(), "{input}");
        }
    }
}

/// The bytes that are named hold the value, in the file itself.
#[test]
fn bytes_are_those_of_the_file() {
    let input = project("fixtures/quickstart/input.ndjson");
    let bytes = fs::read(&input).unwrap();
    let run = run(&["explain", input.to_str().unwrap(), "--json", "--max-records", "100"]);
    let (mut named, mut left) = (0, 0);
    for record in json_lines(&run.stdout) {
        let raw = record["fields"].as_array().unwrap().iter().filter_map(|field| field.get("from"));
        for raw in raw.chain(record["left"].as_array().unwrap()) {
            let Some(offset) = raw.get("offset").and_then(Value::as_u64) else { continue };
            let end = offset + raw["length"].as_u64().unwrap();
            let text = std::str::from_utf8(&bytes[offset as usize..end as usize]).unwrap();
            assert_eq!(text.trim_matches('"'), raw["value"].as_str().unwrap(), "{record}");
            named += 1;
        }
        left += record["left"].as_array().unwrap().len();
    }
    assert!(named > 60 && left >= 10, "{named} {left}");
}

#[test]
fn one_line_of_a_file_and_a_page() {
    let input = project("fixtures/quickstart/input.ndjson");
    let input = input.to_str().unwrap();
    let one = run(&["explain", &format!("{input}:4")]);
    assert_eq!(one.status, 0, "{}", one.stderr);
    for words in [
        "input.ndjson:4",
        "metadata.event_type = \"USER_UNCATEGORIZED\"",
        "the first case that fits: with `context`, `host`",
        "duo_telephony:",
        "from `timestamp` 1683648435 (bytes ",
        "read as epoch-seconds",
        "principal.ip[]: `host` is not an IP address",
        "raw fields that were read, but not taken\n    `isotimestamp`",
    ] {
        assert!(one.stdout.contains(words), "{words}: {}", one.stdout);
    }
    let first = run(&["explain", &format!("{input}:1")]);
    assert!(first.stdout.contains("raw fields that no rule reads\n    `telephony_id`"), "{}", first.stdout);
    let reject = run(&["explain", &format!("{input}:12")]);
    assert!(reject.status == 1 && reject.stdout.contains("rejected: no-timestamp"), "{}", reject.stdout);
    for (line, words) in [("99", "no record begins at line 99"), ("0", "lines count from 1")] {
        let run = run(&["explain", &format!("{input}:{line}")]);
        assert!(run.status == 2 && run.stderr.contains(words), "{}", run.stderr);
    }
    let page = run(&["explain", input, "--max-records", "2", "--html", "-"]);
    assert!(
        page.stdout.starts_with("<!DOCTYPE html>") && page.stderr.contains("only the first 2 records"),
        "{}",
        page.stderr
    );
    assert!(
        !page.stdout.contains("http://")
            && !page.stdout.contains("https://")
            && !page.stdout.contains("<script")
    );

    // Foreign text stays text.
    let run = run_with(
        br#"{"ts":"2024-01-01T00:00:00Z","context":"<script>alert(1)</script>","x<y":"&"}"#,
        &["explain", "--html", "-"],
    );
    assert!(run.stdout.contains("&lt;script&gt;") && !run.stdout.contains("<script"), "{}", run.stdout);
}

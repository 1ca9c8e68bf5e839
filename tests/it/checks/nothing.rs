//! Nothing found is not success: a warning, and an exit status of its own.

use super::on_disk::{folder, write};
use crate::support::{project, run, run_with};
use std::fs;

/// An event that is valid.
const GOOD: &str = r#"{"metadata":{"event_timestamp":"2024-01-01T00:00:00Z","event_type":"STATUS_UPDATE"},"principal":{"hostname":"h"}}"#;

/// Runs a command that finds nothing: status 3 and a warning, and 0 where that is said to be right.
fn finds_nothing(args: &[&str], stdin: &str) {
    let given = run_with(stdin.as_bytes(), args);
    assert_eq!(given.status, 3, "{args:?} {stdin}: {}{}", given.stdout, given.stderr);
    assert!(given.stderr.contains("warning: "), "{args:?} {stdin}: {}", given.stderr);
    let allowed = run_with(stdin.as_bytes(), &[args, &["--allow-empty"]].concat());
    assert_eq!(allowed.status, 0, "{args:?} {stdin}: {}", allowed.stderr);
    assert!(!allowed.stderr.contains("warning: "), "{args:?} {stdin}: {}", allowed.stderr);
}

#[test]
fn no_event_is_status_3() {
    let empty = project("tests/field/42-empty.ndjson");
    let empty = empty.to_str().unwrap();
    let holds_none = folder(&[]);
    let holds_none = holds_none.path().to_str().unwrap();
    finds_nothing(&["validate", empty], "");
    finds_nothing(&["validate", holds_none], "");
    finds_nothing(&["validate", empty, empty, empty, empty, "-q"], "");
    finds_nothing(&["diff", empty, empty], "");
    finds_nothing(&["diff", empty, "-"], "\n\n");
    finds_nothing(&["explain", empty], "");
    finds_nothing(&["profile", empty], "");
    finds_nothing(&["profile", holds_none], "");
    for text in
        ["", "\n \n", "[]", r#"{"events":[]}"#, r#"{"runParserResults":[]}"#, r#"{"progress":{"percent":5}}"#]
    {
        finds_nothing(&["validate", "-"], text);
        finds_nothing(&["diff", empty, "-"], text);
    }
    // The status is in the report, too.
    let report = run_with(b"", &["validate", "-", "--report", "json=-"]);
    assert_eq!(serde_json::from_str::<serde_json::Value>(&report.stdout).unwrap()["exit_status"], 3);
}

#[test]
fn an_empty_file_among_others_and_one_empty_side_are_not_nothing() {
    let both = folder(&[("a.ndjson", ""), ("b.ndjson", GOOD)]);
    let path = |name: &str| both.path().join(name).to_str().unwrap().to_owned();
    assert_eq!(run(&["validate", both.path().to_str().unwrap()]).status, 0);
    for (a, b) in [("a.ndjson", "b.ndjson"), ("b.ndjson", "a.ndjson")] {
        let run = run(&["diff", &path(a), &path(b)]);
        assert_eq!(run.status, 1, "{}", run.stderr);
    }
    // What can't be read counts more than that nothing was found.
    assert_eq!(run(&["validate", &path("a.ndjson"), "no/such"]).status, 2);
}

/// `answer of runParser -> what is found in it`.
#[test]
fn a_result_without_an_outcome_is_a_finding() {
    let text = fs::read_to_string(project("tests/field/34-parser-nothing.json")).unwrap();
    let event =
        format!(r#"{{"parsedEvents":{{"events":[{{"event":{{"idm":{{"readOnlyUdm":{GOOD}}}}}}}]}}}}"#);
    for (text, status) in [
        (text.as_str(), 1),
        (r#"{"runParserResults":[{"parsedEvents":{}}]}"#, 1),
        (r#"{"runParserResults":[{"parsedEvents":{"events":[]}}]}"#, 1),
        (r#"{"runParserResults":[{"parsedEvents":null,"error":{}}]}"#, 1),
        (&format!(r#"{{"runParserResults":[{event},{{"log":"x"}}]}}"#), 1),
        (&format!(r#"{{"runParserResults":[{event}]}}"#), 0),
        // Answers that come in parts say between them how far they are.
        (&format!(r#"[{{"progress":{{"percent":1}}}},{{"runParserResults":[{event}]}}]"#), 0),
        (&format!("{{\"progress\":{{}}}}\n{{\"runParserResults\":[{event}]}}\n"), 0),
    ] {
        let given = run_with(text.as_bytes(), &["validate", "-", "--report", "json=-"]);
        assert_eq!(given.status, status, "{text}: {}", given.stderr);
        let report: serde_json::Value = serde_json::from_str(&given.stdout).unwrap();
        let codes: Vec<_> =
            report["findings"].as_array().unwrap().iter().map(|f| f["code"].clone()).collect();
        assert_eq!(codes, vec!["no-event"; status as usize], "{text}");
        if status == 1 {
            let diff = run_with(
                text.as_bytes(),
                &["diff", "-", project("tests/field/42-empty.ndjson").to_str().unwrap()],
            );
            assert!(diff.status == 1 && diff.stdout.contains("no-event"), "{text}: {}", diff.stdout);
        }
    }
}

/// In all three layouts: an expected file without its log, and a log without its expected file, are named and fail.
#[test]
fn what_stands_alone_is_no_case_that_passes() {
    let log = fs::read_to_string(project("tests/field/43-orphan-a.txt")).unwrap();
    let hub = serde_json::json!({"raw_logs": {"entries": [{"data": log}]}}).to_string();
    let layouts: [(&str, &str, &str, &str, &str); 3] = [
        ("a/input.ndjson", "a/events.ndjson", "b/input.ndjson", "b/events.ndjson", &log),
        ("logs/a.txt", "events/a.yaml", "logs/b.txt", "events/b.yaml", &log),
        (
            "x/raw_logs/a_log.json",
            "x/expected_events/a_events.json",
            "x/raw_logs/b_log.json",
            "x/expected_events/b_events.json",
            &hub,
        ),
    ];
    for (raw, expected, other_raw, other_expected, log) in layouts {
        let cases = folder(&[(raw, log)]);
        let dir = cases.path().to_str().unwrap();
        // A log alone.
        let alone = run(&["test", dir]);
        assert_eq!(alone.status, 1, "{raw}: {}", alone.stdout);
        assert_eq!(run(&["test", dir, "--bless", "-q"]).status, 0);
        assert_eq!(run(&["test", dir]).status, 0, "{raw}");

        // An expected file alone.
        let text = fs::read_to_string(cases.path().join(expected)).unwrap();
        write(cases.path(), other_expected, &text);
        let report = cases.path().join("report.json");
        let orphan = run(&["test", dir, "--report", &format!("json={}", report.display())]);
        assert_eq!(orphan.status, 1, "{other_expected}");
        assert!(orphan.stdout.contains(other_expected), "{}", orphan.stdout);
        assert!(orphan.stderr.contains("1 expected file without a log"), "{}", orphan.stderr);
        let report: serde_json::Value = serde_json::from_slice(&fs::read(report).unwrap()).unwrap();
        assert_eq!(report["findings"][0]["code"], "no-log");
        assert_eq!(report["cases"][1]["errors"], 1);
        fs::remove_file(cases.path().join(other_expected)).unwrap();

        // A second log alone, even one that is empty.
        let nothing = if raw.ends_with("json") { r#"{"raw_logs":{"entries":[]}}"# } else { "" };
        write(cases.path(), other_raw, nothing);
        let alone = run(&["test", dir]);
        assert_eq!(alone.status, 1, "{other_raw}: {}", alone.stdout);
        assert!(alone.stdout.contains("FAIL"), "{}", alone.stdout);
    }
    // Of two expected files for one log, one would never be read.
    let cases = folder(&[("logs/a.txt", &log)]);
    let dir = cases.path().to_str().unwrap();
    assert_eq!(run(&["test", dir, "--bless", "-q"]).status, 0);
    fs::copy(cases.path().join("events/a.yaml"), cases.path().join("events/a.yml")).unwrap();
    let twice = run(&["test", dir]);
    assert!(twice.status == 1 && twice.stdout.contains("events/a.yaml"), "{}", twice.stdout);
}

#[test]
fn cases_without_anything_in_them_are_status_3() {
    let cases = folder(&[("a/input.ndjson", ""), ("a/events.ndjson", "")]);
    finds_nothing(&["test", cases.path().to_str().unwrap()], "");
    finds_nothing(&["test", folder(&[]).path().to_str().unwrap()], "");
}

/// An empty file among others is not a fault, but it is named: it may be one that was cut.
#[test]
fn a_file_without_an_event_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let event = r#"{"metadata":{"event_timestamp":"2024-01-01T00:00:00Z","event_type":"GENERIC_EVENT"},"principal":{"hostname":"h"}}"#;
    std::fs::create_dir(at("expected_events")).unwrap();
    std::fs::write(at("expected_events/good_events.json"), event).unwrap();
    std::fs::write(at("expected_events/cut_events.json"), "{\"events\":[]}").unwrap();
    std::fs::write(at("expected_events/empty_events.json"), "").unwrap();
    let (report, input) = (format!("markdown={}", at("report.md")), at("expected_events"));
    let run = run(&["validate", &input, "--report", &report]);
    assert_eq!(run.status, 0, "{}", run.stderr);
    let said = run.stderr.lines().find(|line| line.starts_with("no event in 2 files (")).unwrap_or_default();
    assert!(said.contains("cut_events.json") && said.contains("empty_events.json"), "{}", run.stderr);
    assert!(std::fs::read_to_string(at("report.md")).unwrap().contains("no event in 2 files"));
}

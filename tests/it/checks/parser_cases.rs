//! `udmap parser test` from outside: layouts, differences, logs that fail, clocks, coverage, blessing.

use super::kinds::{copy, run_in};
use crate::support::{project, run};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;

/// A parser with a branch that fails, one that drops, and one that may set the time.
const PARSER: &str = r#"filter {
  mutate {
    replace => {
      "event.idm.read_only_udm.metadata.event_type" => "GENERIC_EVENT"
      "event.idm.read_only_udm.metadata.description" => "%{message}"
    }
  }
  if [message] == "bad" {
    mutate { replace => { "x" => "%{nothing}" } }
  }
  if [message] == "noise" {
    drop { tag => "TAG_NO_SECURITY_VALUE" }
  }
  if [message] =~ "^20" {
    date { match => ["message", "yyyy-MM-dd"] }
  } else {
    mutate { uppercase => ["message"] }
  }
  mutate { merge => { "@output" => "event" } }
}
"#;

fn write(root: &Path, name: &str, text: &str) {
    let path = root.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// An event as a line of the toolkit's file.
fn item(time: &str, description: &str) -> String {
    format!(
        "- events:\n    - event:\n        metadata:\n          eventTimestamp: '{time}'\n          eventType: GENERIC_EVENT\n          description: '{description}'\n"
    )
}

/// A parser in the toolkit's layout.
fn kit(root: &Path, logs: &str, events: &str) {
    write(root, "parsers/X_LOG/parser.yaml", "log_type: X_LOG\n");
    write(root, "parsers/X_LOG/parser.conf", PARSER);
    write(root, "parsers/X_LOG/logs/a.txt", logs);
    write(root, "parsers/X_LOG/events/a.yaml", events);
}

#[test]
fn google_s_cases_pass_and_a_broken_one_is_named_and_blessed() {
    let folder = project("fixtures/content-hub/content/parsers/third_party/community");
    let passed = run(&["parser", "test", folder.to_str().unwrap()]);
    assert_eq!(passed.status, 0, "{}{}", passed.stdout, passed.stderr);
    assert!(passed.stderr.starts_with("5 cases, 0 failed\n"), "{}", passed.stderr);
    assert_eq!(passed.stdout.matches("ok   ").count(), 5, "{}", passed.stdout);

    let scratch = tempfile::tempdir().unwrap();
    let root = scratch.path().join("hub");
    copy("fixtures/content-hub/content/parsers/third_party/community", &root);
    let file = root.join("KEYFACTOR/cbn/testdata/expected_events/default_events.json");
    let right = fs::read_to_string(&file).unwrap();
    fs::write(&file, right.replacen("\"severity\": \"LOW\"", "\"severity\": \"HIGH\"", 1)).unwrap();
    let args = ["parser", "test", ".", "--report", "junit=junit.xml,json=report.json"];
    let failed = run_in(&root, &args);
    assert_eq!(failed.status, 1, "{}{}", failed.stdout, failed.stderr);
    for words in
        ["FAIL KEYFACTOR/cbn/testdata/default", "security_result[0].severity", "\"HIGH\"", "\"LOW\"", "log 1"]
    {
        assert!(failed.stdout.contains(words), "{words}: {}", failed.stdout);
    }
    assert!(failed.stderr.contains("5 cases, 1 failed"), "{}", failed.stderr);
    assert!(fs::read_to_string(root.join("junit.xml")).unwrap().contains("failures=\"1\""));
    let report: Value = serde_json::from_str(&fs::read_to_string(root.join("report.json")).unwrap()).unwrap();
    assert_eq!(report["parsers"].as_array().unwrap().len(), 5, "{report:#}");

    let blessed = run_in(&root, &["parser", "test", ".", "--bless"]);
    assert_eq!(blessed.status, 0, "{}{}", blessed.stdout, blessed.stderr);
    assert!(blessed.stderr.contains("1 blessed"), "{}", blessed.stderr);
    assert_eq!(run_in(&root, &["parser", "test", "."]).status, 0);
    // In Google's form, but for blanks behind it.
    let lines = |text: &str| text.lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>();
    let text = fs::read_to_string(&file).unwrap();
    assert_eq!(lines(&text)[..20], lines(&right)[..20]);
}

#[test]
fn the_toolkit_s_layout_log_by_log() {
    let scratch = tempfile::tempdir().unwrap();
    let root = scratch.path();
    let events = item("2024-05-06T00:00:00Z", "2024-05-06")
        + "- events: []\n"
        + &item("2024-05-07T00:00:00Z", "2024-05-07");
    kit(root, "  2024-05-06  \n\nnoise\n2024-05-07\n", &events);
    write(root, "parsers/X_LOG/parser_extension.conf", "filter {}\n");
    let passed = run_in(root, &["parser", "test", "."]);
    assert_eq!(passed.status, 0, "{}{}", passed.stdout, passed.stderr);
    assert!(
        passed.stdout.contains("ok   parsers/X_LOG/a  (logs without an event: 1 dropped)"),
        "{}",
        passed.stdout
    );
    assert!(
        passed.stderr.contains("parser_extension.conf`, because extensions are not run yet"),
        "{}",
        passed.stderr
    );

    // The log type counts where the expected event has one.
    let typed = events.replacen("          eventType", "          logType: OTHER\n          eventType", 1);
    write(root, "parsers/X_LOG/events/a.yaml", &typed);
    let failed = run_in(root, &["parser", "test", "."]);
    assert_eq!(failed.status, 1, "{}", failed.stdout);
    assert!(
        failed.stdout.contains("metadata.log_type") && failed.stdout.contains("X_LOG"),
        "{}",
        failed.stdout
    );

    // Where one event has the right one and another has none, both are right.
    write(root, "parsers/X_LOG/events/a.yaml", &typed.replacen("OTHER", "X_LOG", 1));
    let passed = run_in(root, &["parser", "test", "."]);
    assert_eq!(passed.status, 0, "{}{}", passed.stdout, passed.stderr);
    write(root, "parsers/X_LOG/events/a.yaml", &typed);

    let blessed = run_in(root, &["parser", "test", ".", "--bless"]);
    assert_eq!(blessed.status, 0, "{}{}", blessed.stdout, blessed.stderr);
    let words = "blessed parsers/X_LOG/a  (logs without an event: 1 dropped)";
    assert!(blessed.stdout.contains(words), "{}", blessed.stdout);
    assert_eq!(run_in(root, &["parser", "test", "."]).status, 0);
    let text = fs::read_to_string(root.join("parsers/X_LOG/events/a.yaml")).unwrap();
    assert_eq!(text.matches("- events:").count(), 3, "{text}");
}

#[test]
fn logs_that_fail_are_named_where_events_are_missing() {
    let scratch = tempfile::tempdir().unwrap();
    let root = scratch.path();
    kit(root, "2024-05-06\nbad\n", &item("2024-05-06T00:00:00Z", "2024-05-06"));
    let passed = run_in(root, &["parser", "test", "."]);
    assert_eq!(passed.status, 0, "{}{}", passed.stdout, passed.stderr);
    assert!(passed.stdout.contains("(logs without an event: 1 failed)"), "{}", passed.stdout);

    let events = item("2024-05-06T00:00:00Z", "2024-05-06") + &item("2024-05-07T00:00:00Z", "bad");
    kit(root, "2024-05-06\nbad\nnoise\n", &events);
    let failed = run_in(root, &["parser", "test", ".", "--report", "json=report.json"]);
    assert_eq!(failed.status, 1, "{}", failed.stdout);
    for words in [
        "parser.conf:9:5: generic::invalid_argument: pipeline failed: filter mutate (2) failed: replace failure",
        "the parser drops the log (TAG_NO_SECURITY_VALUE)",
        "no such event is given",
    ] {
        assert!(failed.stdout.contains(words), "{words}: {}", failed.stdout);
    }
    let report = fs::read_to_string(root.join("report.json")).unwrap();
    assert!(report.contains("log-failed") && report.contains("log-dropped"), "{report}");

    // An event that nobody expects.
    kit(root, "2024-05-06\n2024-05-07\n", &item("2024-05-06T00:00:00Z", "2024-05-06"));
    let more = run_in(root, &["parser", "test", "."]);
    assert_eq!(more.status, 1);
    assert!(more.stdout.contains("log 2: no such event is expected"), "{}", more.stdout);

    // A parser that does not load fails its cases, and nothing is blessed.
    write(root, "parsers/X_LOG/parser.conf", "filter {\n  mutate {\n");
    let broken = run_in(root, &["parser", "test", ".", "--bless"]);
    assert_eq!(broken.status, 1, "{}{}", broken.stdout, broken.stderr);
    assert!(
        broken.stdout.contains("FAIL parsers/X_LOG/a\n    parsers/X_LOG/parser.conf:"),
        "{}",
        broken.stdout
    );
}

#[test]
fn times_from_the_clock_are_not_compared() {
    let scratch = tempfile::tempdir().unwrap();
    let root = scratch.path();
    // One log has a time, the other has none.
    let logs = "2024-05-06\nhello\n";
    let events = |time: &str, other: &str| item(time, "2024-05-06") + &item(other, "hello");
    kit(root, logs, &events("2024-05-06T00:00:00Z", "2020-01-01T00:00:00Z"));
    let passed = run_in(root, &["parser", "test", "."]);
    assert_eq!(passed.status, 0, "{}{}", passed.stdout, passed.stderr);
    assert!(passed.stderr.contains("not compared: the times of 1 event"), "{}", passed.stderr);
    // With a clock that is given, they are.
    let given = |time: &str| run_in(root, &["parser", "test", ".", "--receipt-time", time]);
    assert_eq!(given("2020-01-01T00:00:00Z").status, 0);
    let failed = given("2020-01-01T00:00:01Z");
    assert_eq!(failed.status, 1, "{}", failed.stdout);
    assert!(failed.stdout.contains("metadata.event_timestamp"), "{}", failed.stdout);
    // The time of the log itself always is, and so is everything else.
    kit(root, logs, &events("2024-05-07T00:00:00Z", "2020-01-01T00:00:00Z"));
    assert_eq!(run_in(root, &["parser", "test", "."]).status, 1);
    kit(root, "hello\n", &item("2020-01-01T00:00:00Z", "hallo"));
    assert_eq!(run_in(root, &["parser", "test", "."]).status, 1);
    kit(root, "hello\n", &item("2020-01-01T00:00:00Z", "hello"));
    assert_eq!(run_in(root, &["parser", "test", "."]).status, 0);
}

#[test]
fn what_no_case_reaches_is_listed() {
    let scratch = tempfile::tempdir().unwrap();
    let root = scratch.path();
    kit(root, "2024-05-06\n", &item("2024-05-06T00:00:00Z", "2024-05-06"));
    let part = run_in(root, &["parser", "test", ".", "--coverage"]);
    assert_eq!(part.status, 0, "{}{}", part.stdout, part.stderr);
    for words in [
        "coverage of `parsers/X_LOG/parser.conf`: 3 of 6 statements, 1 of 4 branches\n",
        "  never reached: parsers/X_LOG/parser.conf:8:3: if [message] == \"bad\" { (with 1 inside)\n",
        "  never reached: parsers/X_LOG/parser.conf:16:",
    ] {
        assert!(part.stdout.contains(words), "{words}: {}", part.stdout);
    }
    assert_eq!(part.stdout.matches("never reached").count(), 3, "{}", part.stdout);
    assert_eq!(run_in(root, &["parser", "test", ".", "--full-coverage"]).status, 1);
    assert!(!run_in(root, &["parser", "test", "."]).stdout.contains("never reached"));

    // Another case reaches the rest: all of a parser's cases count together.
    write(root, "parsers/X_LOG/logs/b.txt", "bad\nnoise\nelse\n");
    write(root, "parsers/X_LOG/events/b.yaml", &item("2024-05-06T00:00:00Z", "else"));
    let full = run_in(root, &["parser", "test", ".", "--full-coverage"]);
    assert_eq!(full.status, 0, "{}{}", full.stdout, full.stderr);
    assert!(full.stdout.contains("6 of 6 statements, 4 of 4 branches"), "{}", full.stdout);
}

#[test]
fn the_table_s_cases_stay_its_own_where_it_is_named() {
    let scratch = tempfile::tempdir().unwrap();
    let root = scratch.path();
    // Cases without a parser are not for `parser test`.
    let record = r#"{"context":"authentication","credits":1,"phone":"+15550100","ts":"2024-01-01T00:00:00Z","type":"sms"}"#;
    write(root, "one/input.ndjson", &format!("{record}\n"));
    assert_eq!(run_in(root, &["test", ".", "--bless"]).status, 0);
    let none = run_in(root, &["parser", "test", "."]);
    assert_eq!(none.status, 3, "{}{}", none.stdout, none.stderr);
    assert!(none.stderr.contains("left out: 1 case without a parser"), "{}", none.stderr);
    // With one, the case is the parser's, unless a table is named.
    write(root, "one/mine.conf", PARSER);
    let by_parser = run_in(root, &["test", "."]);
    assert_eq!(by_parser.status, 1, "{}{}", by_parser.stdout, by_parser.stderr);
    assert!(by_parser.stderr.contains("tested with their parsers: 1 case"), "{}", by_parser.stderr);
    let by_table = run_in(root, &["test", ".", "--mapping", "duo_telephony"]);
    assert_eq!(by_table.status, 0, "{}{}", by_table.stdout, by_table.stderr);
    assert_eq!(run_in(root, &["parser", "test", ".", "--bless"]).status, 0);
    assert_eq!(run_in(root, &["parser", "test", "."]).status, 0);
    // Two parsers are one too many.
    write(root, "one/other.conf", PARSER);
    let two = run_in(root, &["parser", "test", "."]);
    assert_eq!(two.status, 1, "{}{}", two.stdout, two.stderr);
    assert!(two.stdout.contains("there are 2 parsers in this folder"), "{}", two.stdout);
}

/// Expected events that are entities, and raw logs that are base64.
#[test]
fn entities_are_compared_and_blessed() {
    let scratch = tempfile::tempdir().unwrap();
    let root = scratch.path();
    let parser = r#"filter {
  mutate { replace => {
    "e.idm.entity.metadata.entity_type" => "USER"
    "e.idm.entity.entity.user.userid" => "%{message}"
  } }
  mutate { merge => { "@output" => "e" } }
}
"#;
    write(root, "U/cbn/u.conf", parser);
    write(root, "U/cbn/metadata.json", r#"{"log_type": "U"}"#);
    let logs = json!({"create_time": "2024-01-01T00:00:00Z", "raw_logs": {"entries": [{"data": "anna"}]}});
    write(root, "U/cbn/testdata/raw_logs/default_log.json", &logs.to_string());
    let blessed = run_in(root, &["parser", "test", ".", "--bless"]);
    assert_eq!(blessed.status, 0, "{}{}", blessed.stdout, blessed.stderr);
    let passed = run_in(root, &["parser", "test", "."]);
    assert_eq!(passed.status, 0, "{}{}", passed.stdout, passed.stderr);
    let file = root.join("U/cbn/testdata/expected_events/default_events.json");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text.replace("anna", "anne")).unwrap();
    let failed = run_in(root, &["parser", "test", "."]);
    assert_eq!(failed.status, 1, "{}{}", failed.stdout, failed.stderr);
    assert!(failed.stdout.contains("anne") && failed.stdout.contains("anna"), "{}", failed.stdout);
}

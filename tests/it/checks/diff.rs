//! `udmap diff` from outside.

use crate::support::{project, run, run_with};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use udmap::lab::{Generator, Mix};

/// So many events of generated logs, one a line.
fn events(records: u64) -> Vec<String> {
    let log = Generator::records(7, &Mix::default(), records);
    let run = run_with(&log, &["convert", "-", "-q", "--max-rejects", "1000000"]);
    run.stdout.split_terminator('\n').map(str::to_owned).collect()
}

fn write(folder: &Path, name: &str, lines: &[String]) -> PathBuf {
    let path = folder.join(name);
    fs::write(&path, lines.join("\n")).unwrap();
    path
}

/// The findings of a comparison: code and path of each, sorted.
fn found(a: &Path, b: &Path, args: &[&str]) -> (i32, Vec<(String, String)>) {
    let mut all = vec!["diff", a.to_str().unwrap(), b.to_str().unwrap(), "-q", "--report", "json=-"];
    all.extend(args);
    let run = run(&all);
    let report: Value =
        serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("{}{}", run.stdout, run.stderr));
    let text = |finding: &Value, key: &str| finding[key].as_str().unwrap().to_owned();
    let findings = report["findings"].as_array().unwrap().iter();
    let mut findings: Vec<_> =
        findings.map(|finding| (text(finding, "code"), text(finding, "path"))).collect();
    findings.sort();
    (run.status, findings)
}

/// On a set with one time shifted by a millisecond, one event doubled and one list reordered: exactly
/// these three, each with its path, whatever the order of the events.
#[test]
fn three_changes_are_three_differences() {
    let folder = tempfile::tempdir().unwrap();
    let a = events(3_000);
    let mut b = a.clone();
    let mut shifted: Value = serde_json::from_str(&b[100]).unwrap();
    let time = shifted["metadata"]["event_timestamp"].as_str().unwrap().to_owned();
    let instant = chrono_shifted(&time);
    shifted["metadata"]["event_timestamp"] = instant.into();
    b[100] = shifted.to_string();
    let listed = b.iter().skip(500).position(|event| event.contains("eventtype")).unwrap() + 500;
    let mut reordered: Value = serde_json::from_str(&b[listed]).unwrap();
    reordered["security_result"][0]["detection_fields"].as_array_mut().unwrap().reverse();
    b[listed] = reordered.to_string();
    b.push(b[42].clone());
    b.rotate_left(1_234);
    let (a, b) = (write(folder.path(), "a.ndjson", &a), write(folder.path(), "b.ndjson", &b));
    let wanted = [
        ("changed", "metadata.event_timestamp"),
        ("doubled", "event"),
        ("order", "security_result[0].detection_fields"),
    ];
    let wanted: Vec<(String, String)> =
        wanted.iter().map(|(code, path)| ((*code).into(), (*path).into())).collect();
    assert_eq!(found(&a, &b, &[]), (1, wanted.clone()));
    assert_eq!(found(&b, &a, &["--threads", "3"]), (1, wanted.clone()));
    assert_eq!(found(&a, &b, &["--set", "all"]), (1, wanted[..2].to_vec()));
    assert_eq!(
        found(&a, &b, &["--set", "security_result.detection_fields", "--ignore", "metadata.event_timestamp"])
            .1,
        wanted[1..2]
    );
}

/// A millisecond later. The times of generated records have microseconds.
fn chrono_shifted(time: &str) -> String {
    let time = time.strip_suffix('Z').unwrap();
    let (seconds, fraction) = time.split_once('.').unwrap_or((time, ""));
    let micros: u32 = format!("{fraction:0<6}").parse().unwrap();
    let later = if micros < 999_000 { micros + 1_000 } else { micros - 1_000 };
    format!("{seconds}.{later:06}Z")
}

#[test]
fn the_same_in_any_order_form_and_spelling_is_no_difference() {
    let folder = tempfile::tempdir().unwrap();
    let log = Generator::records(3, &Mix::default(), 2_000);
    let spelled = |args: &[&str]| {
        let all = [&["convert", "-", "-q", "--max-rejects", "1000000"], args].concat();
        run_with(&log, &all).stdout.split_terminator('\n').map(str::to_owned).collect::<Vec<_>>()
    };
    let a = write(folder.path(), "a", &spelled(&[]));
    let mut turned = spelled(&["--field-names", "camel", "--envelope", "event"]);
    turned.reverse();
    let b = write(folder.path(), "b", &turned);
    let c = folder.path().join("c");
    fs::write(&c, zstd::encode_all(format!("[{}]", turned.join(",\n")).as_bytes(), 1).unwrap()).unwrap();
    for (a, b) in [(&a, &b), (&b, &a), (&a, &c), (&c, &c)] {
        assert_eq!(found(a, b, &[]), (0, vec![]));
    }
    // From stdin, too.
    let run = run_with(&fs::read(&b).unwrap(), &["diff", "-", a.to_str().unwrap()]);
    assert_eq!(run.status, 0, "{}{}", run.stdout, run.stderr);
}

/// Swapping the sides swaps the words and nothing else, for changes of every kind.
#[test]
fn differences_are_symmetric() {
    let folder = tempfile::tempdir().unwrap();
    let a = events(600);
    let mut b = a.clone();
    for (place, event) in b.iter_mut().enumerate() {
        let mut value: Value = serde_json::from_str(event).unwrap();
        match place % 7 {
            0 => value["metadata"]["product_name"] = "Other".into(),
            1 => drop(value["security_result"][0].as_object_mut().unwrap().remove("summary")),
            2 => value["target"] = serde_json::json!({"hostname": "h"}),
            _ => continue,
        }
        *event = value.to_string();
    }
    b.drain(500..520);
    let (a, b) = (write(folder.path(), "a", &a), write(folder.path(), "b", &b));
    let (status, one) = found(&a, &b, &[]);
    let (_, mut other) = found(&b, &a, &[]);
    for (code, _) in &mut other {
        *code = match code.as_str() {
            "only-in-a" => "only-in-b".into(),
            "only-in-b" => "only-in-a".into(),
            code => code.to_owned(),
        };
    }
    other.sort();
    assert_eq!((status, &one), (1, &other));
    let count =
        |code: &str, path: &str| one.iter().filter(|found| found.0 == code && found.1 == path).count();
    assert!(count("changed", "metadata.product_name") > 70, "{one:?}");
    assert!(count("only-in-b", "target") > 70);
    assert_eq!(count("only-in-a", "event"), 20);
}

/// Raw logs through the mapping against what a parser gave: lines are those of the log.
#[test]
fn raw_logs_against_a_parsers_output() {
    let folder = tempfile::tempdir().unwrap();
    let input = project("fixtures/quickstart/input.ndjson");
    let events = fs::read_to_string(project("fixtures/quickstart/events.ndjson")).unwrap();
    let lines: Vec<String> = events.lines().map(|line| line.replacen("\"sms\"", "\"text\"", 1)).collect();
    let parsed = format!(
        r#"{{"runParserResults":[{{"parsedEvents":{{"events":[{}]}}}}]}}"#,
        lines
            .iter()
            .map(|e| format!(r#"{{"event":{{"idm":{{"readOnlyUdm":{e}}}}}}}"#))
            .collect::<Vec<_>>()
            .join(",")
    );
    let output = folder.path().join("output.json");
    fs::write(&output, parsed).unwrap();
    let run = run(&["diff", "--raw", input.to_str().unwrap(), output.to_str().unwrap(), "--samples", "1"]);
    assert_eq!(run.status, 1);
    // The record without a time makes no event, which is a difference, too.
    for words in [
        "security_result[].summary  changed",
        "\"sms\"",
        "\"text\"",
        "input.ndjson:1",
        "no-timestamp",
        "input.ndjson:12",
    ] {
        assert!(run.stdout.contains(words), "{words}: {}", run.stdout);
    }
    let silent = run_with_mapping(&input, &output);
    assert_eq!(silent, 2);
}

fn run_with_mapping(input: &Path, output: &Path) -> i32 {
    run(&["diff", "--raw", input.to_str().unwrap(), output.to_str().unwrap(), "--mapping", "no-such"]).status
}

/// More records than are sorted in memory at once, and every one of them changed.
///
/// ```sh
/// cargo test --release --test it bounded -- --ignored --nocapture
/// ```
#[test]
#[ignore = "two million events; see the command above"]
fn millions_are_compared_in_bounded_memory() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    let events = folder.path().join("events");
    let other = folder.path().join("other");
    let path = |path: &PathBuf| path.to_str().unwrap().to_owned();
    assert_eq!(run(&["generate", "--records", "2000000", "--seed", "1", "-o", &path(&log)]).status, 0);
    run(&["convert", &path(&log), "-q", "--max-rejects", "10000000", "-o", &path(&events)]);
    let text = fs::read_to_string(&events).unwrap().replace("\"Duo\"", "\"Cisco\"");
    fs::write(&other, text).unwrap();
    for (b, status) in [(&events, 0), (&other, 1)] {
        let mut command = std::process::Command::new("/usr/bin/env");
        command.args(["bash", "-c", "ulimit -v 4000000; exec \"$0\" \"$@\""]);
        command.arg(env!("CARGO_BIN_EXE_udmap")).args(["diff", &path(&events), &path(b), "--samples", "1"]);
        let begun = std::time::Instant::now();
        let output = command.output().unwrap();
        println!("{:?} {}", begun.elapsed(), String::from_utf8_lossy(&output.stderr));
        assert_eq!(output.status.code(), Some(status), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn what_cannot_be_compared() {
    let file = project("fixtures/quickstart/events.ndjson");
    let file = file.to_str().unwrap();
    for (args, words) in [
        (vec!["diff", "-", "-"], "stdin can be only one"),
        (vec!["diff", file, "no/such"], "no/such"),
        (vec!["diff", file], "<B>"),
        (vec!["diff", file, file, "--mapping", "x"], "--raw"),
    ] {
        let run = run(&args);
        assert_eq!(run.status, 2, "{args:?}");
        assert!(run.stderr.contains(words), "{args:?}: {}", run.stderr);
    }
}

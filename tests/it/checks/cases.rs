//! `udmap test` from outside: three layouts, differences, blessing, coverage.

use crate::support::{project, run};
use base64::Engine as _;
use serde_json::{Value, json};
use std::fs;
use std::path::Path;

const RECORD: &str = r#"{"context":"authentication","credits":1,"phone":"+15550100","ts":"2024-01-01T00:00:00Z","type":"sms"}"#;

/// What the mapping makes of the record, in camelCase.
fn event() -> Value {
    let run = crate::support::run_with(RECORD.as_bytes(), &["convert", "-", "-q", "--field-names", "camel"]);
    serde_json::from_str(&run.stdout).unwrap()
}

/// A case in each layout; `event` is what is expected.
fn lay_out(root: &Path, event: &Value) {
    let write = |path: &str, text: String| {
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    write("plain/one/input.ndjson", format!("{RECORD}\n"));
    write("plain/one/events.ndjson", format!("{event}\n"));
    let data = base64::prelude::BASE64_STANDARD.encode(RECORD);
    let raw = json!({"create_time": "x", "raw_logs": {"entries": [{"data": data}, {"data": RECORD}]}});
    write("HUB/cbn/testdata/raw_logs/default_log.json", format!("{raw:#}"));
    let wrapped = json!({"event": {"timestamp": "x", "idm": {"readOnlyUdm": event}}});
    let expected = json!({"events": [wrapped, wrapped]});
    write("HUB/cbn/testdata/expected_events/default_events.json", format!("{expected:#}"));
    write("KIT/logs/case.txt", format!("{RECORD}\n"));
    let time = event["metadata"]["eventTimestamp"].as_str().unwrap();
    let yaml = format!(
        "# expected\n- events:\n    - event:\n        metadata:\n          eventTimestamp: '{time}'\n          eventType: {}\n",
        event["metadata"]["eventType"].as_str().unwrap()
    );
    // The rest as JSON, which is YAML too.
    let mut rest = event.clone();
    let metadata = rest["metadata"].as_object_mut().unwrap();
    metadata.retain(|key, _| key != "eventTimestamp" && key != "eventType");
    let more: String = metadata.iter().map(|(key, value)| format!("          {key}: {value}\n")).collect();
    rest.as_object_mut().unwrap().remove("metadata");
    let others: String =
        rest.as_object().unwrap().iter().map(|(key, value)| format!("        {key}: {value}\n")).collect();
    write("KIT/events/case.yaml", format!("{yaml}{more}{others}"));
}

#[test]
fn the_projects_own_cases_pass_and_cover_the_table() {
    let folder = project("fixtures");
    let run = run(&["test", folder.to_str().unwrap(), "--full-coverage"]);
    assert_eq!(run.status, 0, "{}{}", run.stdout, run.stderr);
    assert!(run.stdout.contains("coverage of `duo_telephony`: 22 of 22 parts"), "{}", run.stdout);
}

#[test]
fn three_layouts_pass_fail_and_are_blessed() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let right = event();
    lay_out(root, &right);
    let path = root.to_str().unwrap();
    let passed = run(&["test", path]);
    assert_eq!(passed.status, 0, "{}{}", passed.stdout, passed.stderr);
    for case in ["ok   HUB/cbn/testdata/default", "ok   KIT/case", "ok   plain/one", "never exercised: "] {
        assert!(passed.stdout.contains(case), "{case}: {}", passed.stdout);
    }
    assert_eq!(run(&["test", path, "--full-coverage"]).status, 1);

    let mut wrong = right.clone();
    wrong["metadata"]["eventTimestamp"] = "2024-01-01T00:00:00.001Z".into();
    wrong["principal"]["user"]["phoneNumbers"] = json!(["+1", "+2"]);
    lay_out(root, &wrong);
    let files: Vec<_> = walk(root).into_iter().map(|path| fs::read(path).unwrap()).collect();
    let failed = run(&["test", path]);
    assert_eq!(failed.status, 1);
    for words in [
        "FAIL HUB/cbn/testdata/default",
        "FAIL KIT/case",
        "FAIL plain/one",
        "metadata.event_timestamp",
        "\"2024-01-01T00:00:00.001Z\"",
        "\"2024-01-01T00:00:00Z\"",
        "principal.user.phone_numbers[0]",
        "(nothing)",
    ] {
        assert!(failed.stdout.contains(words), "{words}: {}", failed.stdout);
    }
    assert!(
        failed.stderr.contains("3 cases, 3 failed") && failed.stderr.contains("--bless"),
        "{}",
        failed.stderr
    );
    // Nothing was rewritten.
    assert_eq!(walk(root).into_iter().map(|path| fs::read(path).unwrap()).collect::<Vec<_>>(), files);

    let blessed = run(&["test", path, "--bless"]);
    assert_eq!(blessed.status, 0);
    assert!(blessed.stderr.contains("3 blessed"), "{}", blessed.stderr);
    let again = run(&["test", path]);
    assert_eq!(again.status, 0, "{}{}", again.stdout, again.stderr);
}

fn walk(root: &Path) -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { files.push(path) }
        }
    }
    files.sort();
    files
}

/// Rejects are expected, too: another reason or place fails, and blessing writes them.
#[test]
fn rejects_are_compared() {
    let folder = tempfile::tempdir().unwrap();
    let case = folder.path().join("case");
    fs::create_dir(&case).unwrap();
    for file in ["input.ndjson", "events.ndjson", "rejects.ndjson"] {
        fs::copy(project("fixtures/reject-reasons").join(file), case.join(file))
            .or_else(|_| {
                if file == "events.ndjson" {
                    fs::write(case.join(file), "").map(|()| 0)
                } else {
                    panic!("{file}")
                }
            })
            .unwrap();
    }
    let path = folder.path().to_str().unwrap();
    let rejects = fs::read_to_string(case.join("rejects.ndjson")).unwrap();
    assert_eq!(run(&["test", path, "-q"]).status, 0);
    fs::write(case.join("rejects.ndjson"), rejects.replacen("no-timestamp", "field-type", 1)).unwrap();
    let failed = run(&["test", path]);
    assert_eq!(failed.status, 1);
    assert!(
        failed.stdout.contains("field-type") && failed.stdout.contains("no-timestamp"),
        "{}",
        failed.stdout
    );
    assert_eq!(run(&["test", path, "--bless"]).status, 0);
    let lines = |text: &str| crate::support::json_lines(text);
    assert_eq!(lines(&fs::read_to_string(case.join("rejects.ndjson")).unwrap()), lines(&rejects));
}

#[test]
fn what_is_no_case() {
    let empty = tempfile::tempdir().unwrap();
    fs::write(empty.path().join("x.txt"), "").unwrap();
    for (args, status, words) in [
        (vec!["test", empty.path().to_str().unwrap()], 3, "no cases"),
        (vec!["test", "no/such"], 2, "cannot open `no/such`: no such file or folder"),
        (vec!["test"], 2, "<DIR>"),
    ] {
        let run = run(&args);
        assert_eq!(run.status, status, "{args:?}");
        assert!(run.stderr.contains(words), "{args:?}: {}", run.stderr);
    }
    let broken = tempfile::tempdir().unwrap();
    lay_out(broken.path(), &event());
    fs::write(broken.path().join("plain/one/events.ndjson"), "{\"metadata\":\n").unwrap();
    let run = run(&["test", broken.path().to_str().unwrap()]);
    assert!(run.status == 2 && run.stderr.contains("events.ndjson`, line 1"), "{}", run.stderr);
}

/// Where a layout has no place for rejects, blessing a case that has some does not make it pass.
#[test]
fn what_cannot_be_blessed_fails() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("logs")).unwrap();
    let log = "{\"ts\":\"2024-01-01T00:00:00Z\",\"type\":\"sms\"}\n{}\n";
    std::fs::write(folder.path().join("logs/a.txt"), log).unwrap();
    let blessed = run(&["test", folder.path().to_str().unwrap(), "--bless"]);
    assert_eq!(blessed.status, 1, "{}{}", blessed.stdout, blessed.stderr);
    assert!(blessed.stdout.contains("blessed a") && blessed.stdout.contains("FAIL a"), "{}", blessed.stdout);
    let again = run(&["test", folder.path().to_str().unwrap()]);
    assert_eq!(again.status, 1, "{}", again.stdout);
    assert!(!again.stdout.contains("only-in"), "{}", again.stdout);
}

//! `udmap validate` from outside.

use crate::support::{project, run, run_with};
use std::fs;

const GOOD: &str = r#"{"metadata":{"event_timestamp":"2024-01-01T00:00:00Z","event_type":"STATUS_UPDATE"},"principal":{"hostname":"h"}}"#;

/// Google's own golden events: no errors, and nothing at all with their exceptions.
#[test]
fn golden_events_have_no_errors() {
    let hub = project("fixtures/content-hub");
    let args = ["validate".as_ref(), hub.as_os_str()];
    let plain = run(&args);
    assert_eq!(plain.status, 0, "{}{}", plain.stdout, plain.stderr);
    assert!(plain.stderr.contains("25 events: 0 errors"), "{}", plain.stderr);
    assert!(plain.stderr.contains("5 files of raw logs"), "{}", plain.stderr);
    let config = hub.join("udmap.toml");
    let strict = [&args[..], &["--strict".as_ref(), "--config".as_ref(), config.as_os_str()]].concat();
    let passed = run(&strict);
    assert_eq!(passed.status, 0, "{}{}", passed.stdout, passed.stderr);
    // Each exception is needed.
    let text = fs::read_to_string(&config).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let without = folder.path().join("udmap.toml");
    for exception in text.split("[[allow]]").skip(1) {
        fs::write(&without, text.replace(&format!("[[allow]]{exception}"), "")).unwrap();
        let failed = run(&[&strict[..3], &["--config".as_ref(), without.as_os_str()]].concat());
        assert_eq!(failed.status, 1, "{exception}");
    }
}

/// Every form in which events come, compressed too.
#[test]
fn every_form_of_events_is_read() {
    let camel = GOOD.replace("event_timestamp", "eventTimestamp");
    let pretty = format!("{:#}", serde_json::from_str::<serde_json::Value>(GOOD).unwrap());
    for (text, events) in [
        (format!("{GOOD}\n{camel}\n"), 2),
        (format!("[{GOOD},{camel}]"), 2),
        (pretty, 1),
        (format!(r#"{{"event":{{"idm":{{"readOnlyUdm":{camel}}}}}}}"#), 1),
        (format!(r#"{{"events":[{{"event":{{"timestamp":"x","idm":{{"read_only_udm":{GOOD}}}}}}}]}}"#), 1),
        (
            format!(
                r#"{{"runParserResults":[{{"parsedEvents":{{"events":[{{"event":{{"idm":{{"readOnlyUdm":{GOOD}}}}}}}]}}}}]}}"#
            ),
            1,
        ),
        (format!(r#"{{"inlineSource":{{"events":[{{"udm":{GOOD}}},{{"udm":{GOOD}}}]}}}}"#), 2),
        (format!(r#"{{"customer_id":"c","events":[{GOOD}]}}"#), 1),
        (String::new(), 0),
    ] {
        for bytes in [text.as_bytes().to_vec(), zstd::encode_all(text.as_bytes(), 1).unwrap()] {
            let run = run_with(&bytes, &["validate", "-", "--strict"]);
            let status = if events == 0 { 3 } else { 0 };
            assert_eq!(run.status, status, "{text}: {}{}", run.stdout, run.stderr);
            assert!(run.stderr.starts_with(&format!("{events} event")), "{text}: {}", run.stderr);
        }
    }
}

#[test]
fn findings_say_where_and_what_follows() {
    let bad = GOOD.replace("\"h\"", "\"h\",\"ip\":[\"::1\",\"x\"]");
    let run = run_with(format!("{GOOD}\n\n[\n{bad}]\n").as_bytes(), &["validate", "-"]);
    assert_eq!(run.status, 1);
    // Lines, one of them an array that is not whole on its line.
    assert!(run.stdout.contains("error[invalid-json]"), "{}", run.stdout);

    let run = run_with(format!("{GOOD}\n\n{bad}\n").as_bytes(), &["validate", "-"]);
    let byte = GOOD.len() + 2 + bad.find("\"x\"").unwrap();
    assert_eq!(run.status, 1);
    for words in [
        "error[invalid-ip] principal.ip[1]: `x` is not an IP address".to_owned(),
        format!("--> -:3 (byte {byte}, event 2)"),
        "= SecOps: ".into(),
        "= to do: ".into(),
    ] {
        assert!(run.stdout.contains(&words), "{words}: {}", run.stdout);
    }
}

/// `arguments, configuration -> exit status`.
#[test]
fn severities_can_be_set() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("udmap.toml");
    let event = GOOD.replace("\"h\"", "\"h\",\"hostnam\":\"x\"");
    let cases: &[(&[&str], &str, i32, &str)] = &[
        (&[], "", 0, "1 warning"),
        (&["--strict"], "", 1, "1 error"),
        (&["--severity", "unknown-field=error"], "", 1, "1 error"),
        (&["--severity", "unknown-field=off"], "", 0, "0 warnings"),
        (&["--severity", "unknown-field=info", "--strict"], "", 0, "1 info"),
        (&[], "[severity]\nunknown-field = \"error\"", 1, "1 error"),
        (&["--severity", "unknown-field=info"], "[severity]\nunknown-field = \"error\"", 0, "1 info"),
        (&["--strict"], "[[allow]]\ncode = \"unknown-field\"\npath = \"principal.hostnam\"", 0, "0 warnings"),
        (&["--strict"], "[[allow]]\ncode = \"unknown-field\"\npath = \"target\"", 1, "1 error"),
        (&["--severity", "unknown-feld=off"], "", 2, "did you mean `unknown-field`?"),
        (&["--severity", "unknown-field=loud"], "", 2, "error, warning, info, off"),
        (&[], "[severity]\nno-such = \"off\"", 2, "there is no code `no-such`"),
        (&[], "[severities]", 2, "unknown field `severities`"),
    ];
    for (args, text, status, words) in cases {
        let mut all = vec!["validate", "-"];
        all.extend(*args);
        if !text.is_empty() {
            fs::write(&config, text).unwrap();
            all.extend(["--config", config.to_str().unwrap()]);
        }
        let run = run_with(event.as_bytes(), &all);
        assert_eq!(run.status, *status, "{args:?} {text}: {}{}", run.stdout, run.stderr);
        assert!(run.stderr.contains(words), "{args:?} {text}: {}", run.stderr);
    }
}

/// Every code is explained, and stands in the docs.
#[test]
fn every_code_is_explained() {
    let docs = fs::read_to_string(project("docs/checks.md")).unwrap();
    let all = run(&["validate", "--explain", "all"]);
    let codes: Vec<&str> = all.stdout.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert!(codes.len() > 30);
    for code in codes {
        let one = run(&["validate", "--explain", code]);
        assert!(
            one.status == 0 && one.stdout.contains("in SecOps:") && one.stdout.contains("source:"),
            "{code}"
        );
        assert!(docs.contains(&format!("| `{code}` |")), "docs/checks.md has no row for {code}");
    }
    let run = run(&["validate", "--explain", "invalid-pi"]);
    assert!(run.status == 2 && run.stderr.contains("`invalid-ip`"), "{}", run.stderr);
}

/// Threads and chunks change nothing: lines and event numbers go on over the chunks.
#[test]
fn many_chunks_on_many_threads_count_on() {
    let mut text = String::new();
    for line in 1..=20_000 {
        text += if line % 5_000 == 0 { "{\"metadata\":\n" } else { GOOD };
        text += "\n";
    }
    let one = run_with(text.as_bytes(), &["validate", "-", "--threads", "1"]);
    let two = run_with(text.as_bytes(), &["validate", "-", "--threads", "4"]);
    assert_eq!(one.stdout, two.stdout);
    // The broken lines have a blank one behind them.
    for line in [5_000, 10_001, 15_002, 20_003] {
        assert!(one.stdout.contains(&format!("-:{line} ")), "{line}: {}", one.stdout);
    }
    assert!(one.stderr.starts_with("20,000 events: 4 errors"), "{}", one.stderr);
}

#[test]
fn what_cannot_be_read_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let cut = folder.path().join("cut.zst");
    let mut bytes = zstd::encode_all(GOOD.repeat(1000).as_bytes(), 1).unwrap();
    bytes.truncate(bytes.len() - 4);
    fs::write(&cut, bytes).unwrap();
    for (args, words) in [
        (vec!["validate", cut.to_str().unwrap()], "corrupt or cut short"),
        (vec!["validate", "no/such/file"], "no/such/file"),
        (vec!["validate"], "INPUT"),
        (vec!["validate", "-", "--report", "xml=x"], "junit, sarif, json, markdown"),
        (vec!["validate", "-", "--report", "json=a,sarif=a"], "can't take two outputs"),
    ] {
        let run = run(&args);
        assert_eq!(run.status, 2, "{args:?}: {}", run.stderr);
        assert!(run.stderr.contains(words), "{args:?}: {}", run.stderr);
    }
    let run = run_with(GOOD.as_bytes(), &["validate", "-", "--max-event-bytes", "50"]);
    assert!(run.status == 1 && run.stdout.contains("error[too-long]"), "{}", run.stdout);
}

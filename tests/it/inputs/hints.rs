//! A raw log where events are expected, and events where a raw log is: one hint says so.

use super::{LOG, log_events, tar};
use crate::support::{Run, run_with};
use std::fs;

const SYSLOG: &str =
    "<134>Mar 10 12:00:00 host app: user x logged in\n<134>Mar 10 12:00:01 host app: user y\n";

/// The one hint about it.
fn hint(run: &Run) -> String {
    let about = |line: &&str| line.contains("raw log") || line.contains("UDM events");
    let hints: Vec<&str> =
        run.stderr.lines().filter(|line| line.starts_with("hint: ")).filter(about).collect();
    assert!(hints.len() <= 1, "{}", run.stderr);
    hints.first().map_or(String::new(), |hint| (*hint).to_owned())
}

#[test]
fn each_command_says_what_it_was_given() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let hub_logs = r#"{"raw_logs":{"entries":[{"data":"eyJ0cyI6MX0="}]}}"#;
    let hub_events = format!(
        r#"{{"events":[{{"event":{{"idm":{{"readOnlyUdm":{}}}}}}}]}}"#,
        log_events().lines().next().unwrap()
    );
    let pretty: serde_json::Value =
        serde_json::from_str(&format!("[{}]", LOG.trim().replace('\n', ","))).unwrap();
    let api =
        r#"{"stat":"OK","response":{"items":[{"ts":"2026-01-01T00:00:00Z","type":"sms","phone":"+1"}]}}"#;
    for (name, text) in [
        ("log.ndjson", LOG.to_owned()),
        ("pretty.json", serde_json::to_string_pretty(&pretty).unwrap()),
        ("api.json", api.to_owned()),
        ("syslog.txt", SYSLOG.to_owned()),
        ("cef.txt", "CEF:0|Vendor|Product|1|2|name|5|src=1.1.1.1 dst=2.2.2.2\n".to_owned()),
        ("pairs.txt", "time=1 user=x action=login\n".to_owned()),
        (
            "trail.json",
            r#"{"Records":1,"eventTime":"2026-01-01T00:00:00Z","eventName":"x","sourceIPAddress":"1.1.1.1"}"#
                .to_owned(),
        ),
        ("hub_log.json", hub_logs.to_owned()),
        ("events.ndjson", log_events()),
        ("hub_events.json", hub_events),
        ("other.ndjson", log_events().replace("+1555555", "+1666666")),
        (
            "bad.ndjson",
            r#"{"metadata":{"event_type":"NONE_SUCH","event_timestamp":"x"},"principal":{"ip":["x"]}}"#
                .to_owned(),
        ),
    ] {
        fs::write(at(name), text).unwrap();
    }
    fs::write(at("logs.tar"), tar(&[("a", LOG.as_bytes())])).unwrap();
    // What is run, its status, and what the hint says; nothing if there is to be none.
    let table: &[(&[&str], i32, &[&str])] = &[
        (
            &["validate", "@log.ndjson"],
            1,
            &["looks like a raw log, not UDM events", "`udmap convert ", "| udmap validate -`"],
        ),
        (&["validate", "@pretty.json"], 1, &["looks like a raw log"]),
        (&["validate", "@api.json"], 1, &["looks like a raw log"]),
        (&["validate", "@syslog.txt"], 1, &["looks like a raw log"]),
        (&["validate", "@cef.txt"], 1, &["looks like a raw log"]),
        (&["validate", "@pairs.txt"], 1, &["looks like a raw log"]),
        (&["validate", "@trail.json"], 1, &["looks like a raw log"]),
        (&["validate", "@logs.tar"], 1, &["logs.tar!a` looks like a raw log", "udmap convert FILE"]),
        (&["validate", "@hub_log.json"], 1, &["raw logs, as content-hub keeps them", "`udmap test DIR`"]),
        (&["validate", "-"], 1, &["stdin looks like a raw log", "`udmap convert - | udmap validate -`"]),
        (
            &["validate", "@events.ndjson", "@log.ndjson", "@syslog.txt"],
            1,
            &["log.ndjson` (and 1 more input like it) looks like a raw log"],
        ),
        (&["validate", "@log.ndjson", "-q"], 1, &[]),
        (&["validate", "@events.ndjson"], 0, &[]),
        (&["validate", "@bad.ndjson"], 1, &[]),
        (&["diff", "@log.ndjson", "@events.ndjson"], 1, &["looks like a raw log", "with `--raw`"]),
        (&["diff", "@events.ndjson", "@syslog.txt"], 1, &["B: ", "looks like a raw log", "udmap convert"]),
        (&["diff", "@log.ndjson", "@pretty.json"], 0, &["A and B", "looks like a raw log"]),
        (&["diff", "@hub_log.json", "@hub_events.json"], 1, &["raw logs, as content-hub keeps them"]),
        (&["diff", "@events.ndjson", "@other.ndjson"], 1, &[]),
        (&["diff", "--raw", "@log.ndjson", "@other.ndjson"], 1, &[]),
        (&["diff", "--raw", "@log.ndjson", "@pretty.json"], 1, &["B: ", "looks like a raw log"]),
        (
            &["diff", "--raw", "@other.ndjson", "@events.ndjson"],
            1,
            &["A: ", "holds UDM events, not a raw log", "leave out `--raw`"],
        ),
        (
            &["diff", "--raw", "@hub_events.json", "@log.ndjson"],
            1,
            &["holds UDM events, not a raw log", "looks like a raw log", "give the raw log as A"],
        ),
        (&["convert", "@events.ndjson"], 1, &["holds UDM events, not a raw log", "`udmap validate "]),
        (&["convert", "@hub_events.json"], 1, &["holds UDM events"]),
        (&["convert", "@hub_log.json"], 1, &["raw logs, as content-hub keeps them"]),
        (&["convert", "@log.ndjson"], 0, &[]),
        (&["convert", "@syslog.txt"], 1, &[]),
        (&["profile", "@events.ndjson"], 0, &["holds UDM events, not a raw log"]),
        (&["profile", "@log.ndjson"], 0, &[]),
        (&["profile", "@syslog.txt"], 0, &[]),
        (&["explain", "@events.ndjson"], 1, &["holds UDM events, not a raw log"]),
        (&["explain", "@events.ndjson:2", "--json"], 1, &["holds UDM events, not a raw log"]),
        (&["explain", "@log.ndjson"], 0, &[]),
    ];
    for (args, status, says) in table {
        let args: Vec<String> = args.iter().map(|arg| arg.replace('@', &at(""))).collect();
        let run = run_with(LOG.as_bytes(), &args);
        assert_eq!(run.status, *status, "{args:?} {}", run.stderr);
        let hint = hint(&run);
        assert_eq!(hint.is_empty(), says.is_empty(), "{args:?} {}", run.stderr);
        for words in *says {
            assert!(hint.contains(words), "{args:?} {words} {hint}");
        }
    }
}

#[test]
fn a_case_with_its_files_in_the_wrong_place_says_so() {
    let broken = log_events().replace("+1555555", "+1666666");
    let table = [
        (LOG, LOG, "the expected file of a case: `"),
        (LOG, SYSLOG, "the expected file of a case: `"),
        (&*log_events(), &*log_events(), "the log of a case: `"),
        (&*log_events(), LOG, "the other way round"),
        (LOG, &broken, ""),
    ];
    for (log, expected, says) in table {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("input.ndjson"), log).unwrap();
        fs::write(folder.path().join("events.ndjson"), expected).unwrap();
        let run = run_with(b"", &["test", folder.path().to_str().unwrap()]);
        assert!(run.status > 0, "{}", run.stderr);
        let hint = hint(&run);
        assert_eq!(hint.is_empty(), says.is_empty(), "{}", run.stderr);
        assert!(hint.contains(says), "{says} {}", run.stderr);
    }
}

//! Whatever stands in data, names and arguments: no terminal, CI service, page or reader of a report acts on it.

use super::on_disk::{folder, write};
use crate::support::{Run, run_with};
use serde_json::json;
use std::fs;

/// What a terminal, a CI service, Markdown, XML, HTML and SARIF could act on, each behind a line's end of its own.
const HOSTILE: &str = "h\u{1b}[31m\u{9b}31m\u{7}\u{7f}\u{202e}\u{2066}\u{200b}\u{2028}\u{feff}\u{e0041}\r\n::error title=INJECTED::x\n  \
                       ::add-mask::x\n##[error]x\n##vso[task.setvariable]x\n##teamcity[x]\n`|<img src=x>&amp;]]>{0}[x](y)%0A,:\"'\u{fffe}";

/// The same as a file's name.
fn file_name() -> String {
    HOSTILE.replace('\u{fffe}', "")
}

/// Checks what a person, a terminal or a log would be shown.
fn is_harmless(what: &str, text: &str) {
    for line in text.split('\n') {
        let acts = |c: char| {
            (c.is_control() && c != '\t')
                || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
        };
        assert!(!line.contains(acts), "{what}: {line:?} in {text:?}");
        for marker in ["##[", "##vso[", "##teamcity["] {
            assert!(!line.contains(marker), "{what}: {line:?} in {text:?}");
        }
        let trimmed = line.trim_start();
        let ours = ["error", "warning", "notice"].iter().any(|command| {
            trimmed.starts_with(&format!("::{command} file="))
                || trimmed.starts_with(&format!("::{command} title=udmap "))
        });
        assert!(!trimmed.starts_with("::") || ours, "{what}: {line:?} in {text:?}");
    }
}

/// Runs a command and checks all that it prints; stdout of commands whose output is data is not for people.
fn harmless(args: &[&str], stdin: &str, data: bool) -> Run {
    let run = run_with(stdin.as_bytes(), args);
    let what = format!("{:?}", args);
    assert!(!run.stderr.contains("panicked"), "{what}: {}", run.stderr);
    is_harmless(&what, &run.stderr);
    if !data {
        is_harmless(&what, &run.stdout);
    }
    run
}

/// Events with hostile names and values everywhere.
fn events() -> String {
    let head = json!({"event_timestamp": "2024-01-01T00:00:00Z", "event_type": "STATUS_UPDATE"});
    let events = [
        json!({"metadata": head, "principal": {"hostname": HOSTILE, "ip": [HOSTILE], "mac": [HOSTILE], "port": HOSTILE, HOSTILE: 1}}),
        json!({"metadata": {"event_timestamp": HOSTILE, "event_type": HOSTILE}, HOSTILE: {HOSTILE: HOSTILE}}),
        json!({"metadata": head, "additional": {HOSTILE: {HOSTILE: [HOSTILE]}}, "network": {"sent_bytes": HOSTILE, "session_duration": HOSTILE}}),
        json!({"runParserResults": [{"error": {"message": HOSTILE}}, {"log": HOSTILE}]}),
        json!({"event": HOSTILE}),
    ];
    let mut text: String = events.iter().map(|event| format!("{event}\n")).collect();
    let key = json!(HOSTILE);
    text += &format!("{{\"metadata\":{head},\"additional\":{{{key}:1,{key}:2,{key}:1e999}}}}\n");
    text + "{\"\u{1b}[31m\n::error::x\n"
}

/// Records with hostile names and values, as JSON, CEF and key="value".
fn records() -> String {
    let flat = HOSTILE.replace(['\n', '\r', '"', '|', '\u{2028}'], " ");
    let records = [
        json!({"timestamp": 1_700_000_000, "phone": HOSTILE, "type": HOSTILE, "context": HOSTILE, HOSTILE: HOSTILE}),
        json!({"timestamp": HOSTILE, "phone": {HOSTILE: HOSTILE}}),
        json!({"timestamp": 1_700_000_000, "phone": {HOSTILE: HOSTILE}}),
        json!({"ts": HOSTILE, "isotimestamp": HOSTILE, HOSTILE: {HOSTILE: HOSTILE}}),
        json!({"stat": "FAIL", "code": 40001, "message": HOSTILE, "message_detail": HOSTILE}),
        json!([HOSTILE, {"credits": HOSTILE, "timestamp": 1}]),
    ];
    let mut text: String = records.iter().map(|record| format!("{record}\n")).collect();
    text += &format!("CEF:0|{flat}|{flat}|1|{flat}|{flat}|5|rt=1700000000000 {flat}={flat} act={flat}\n");
    text += &format!("timestamp=\"1700000000\" phone=\"{flat}\" {flat}=\"{flat}\"\n");
    text + &flat + "\n"
}

/// The reports of a command that checks: each is what it should be, and as harmless as what is printed.
fn reports_are_harmless(args: &[&str], stdin: &str) {
    let all = folder(&[]);
    let file = |name: &str| all.path().join(name).to_str().unwrap().to_owned();
    let reports =
        ["junit", "sarif", "json", "markdown"].map(|kind| format!("{kind}={}", file(kind))).join(",");
    harmless(&[args, &["--report", &reports, "--github"]].concat(), stdin, false);
    let text = |kind: &str| fs::read_to_string(file(kind)).unwrap();
    for kind in ["junit", "sarif", "json", "markdown"] {
        is_harmless(&format!("{args:?} {kind}"), &text(kind));
        harmless(&[args, &["--report", &format!("{kind}=-")]].concat(), stdin, false);
    }
    for kind in ["sarif", "json"] {
        let report: serde_json::Value = serde_json::from_str(&text(kind)).unwrap();
        assert!(report.is_object());
        if kind == "sarif" {
            for result in report["runs"][0]["results"].as_array().unwrap() {
                let message = result["message"]["text"].as_str().unwrap();
                assert!(!message.replace("{{0}}", "").contains("{0}"), "{message}");
                assert!(!message.replace("\\[x](", "").contains("[x]("), "{message}");
            }
        }
    }
    let junit = text("junit");
    assert!(!junit.contains("<img") && !junit.contains("]]>"), "{junit}");
    assert!(!junit.contains(['\u{fffe}', '\u{ffff}']), "{junit}");
    // Markdown: outside of code nothing of what is foreign is left that could be markup.
    let markdown = text("markdown");
    for line in markdown.lines() {
        assert!(!line.contains("<img") || line.contains('`'), "{line}");
        assert!(!line.starts_with('|') || line.ends_with('|'), "{line}");
    }
}

#[test]
fn events_that_are_hostile_are_shown_harmlessly() {
    let files = folder(&[]);
    let name = format!("{}/{}", file_name(), file_name());
    write(files.path(), &name, &events());
    write(
        files.path(),
        "b.ndjson",
        &events().replace("STATUS_UPDATE", "GENERIC_EVENT").replace("{0}", "{1}"),
    );
    let dir = files.path().to_str().unwrap();
    let (a, b) = (files.path().join(file_name()), files.path().join("b.ndjson"));
    let (a, b) = (a.to_str().unwrap(), b.to_str().unwrap());
    for args in
        [&["validate", dir][..], &["diff", a, b], &["diff", b, a, "--set", HOSTILE, "--ignore", HOSTILE]]
    {
        let run = harmless(args, "", false);
        assert_eq!(run.status, 1, "{args:?}: {}", run.stderr);
        reports_are_harmless(args, "");
    }
    reports_are_harmless(&["validate", "-"], &events());
}

#[test]
fn cases_that_are_hostile_are_shown_harmlessly() {
    let files = folder(&[]);
    let name = file_name();
    let event = json!({"metadata": {"event_timestamp": HOSTILE, "event_type": HOSTILE}, HOSTILE: HOSTILE, "principal": {"hostname": HOSTILE}});
    write(files.path(), &format!("{name}/input.ndjson"), &records());
    write(files.path(), &format!("{name}/events.ndjson"), &format!("{event}\n"));
    write(
        files.path(),
        &format!("{name}/rejects.ndjson"),
        &json!({"line": 1, "offset": 0, "length": 1, "reason": HOSTILE}).to_string(),
    );
    write(files.path(), &format!("logs/{name}.txt"), &records());
    write(files.path(), &format!("events/{name}2.yaml"), "");
    let dir = files.path().to_str().unwrap();
    assert_eq!(harmless(&["test", dir], "", false).status, 1);
    reports_are_harmless(&["test", dir], "");
    for broken in ["{\"\u{1b}\n::error::x", "[1]", &json!({"error": {"message": HOSTILE}}).to_string()] {
        write(files.path(), &format!("{name}/events.ndjson"), broken);
        assert_eq!(harmless(&["test", dir], "", false).status, 2);
    }
}

#[test]
fn records_that_are_hostile_are_shown_harmlessly() {
    let files = folder(&[]);
    write(files.path(), &format!("{0}/{0}", file_name()), &records());
    let log = files.path().join(file_name()).join(file_name());
    let (log, dir) = (log.to_str().unwrap(), files.path().to_str().unwrap());
    let page = files.path().join("page.html");
    let page = page.to_str().unwrap();
    let summary = files.path().join("summary.json");
    let summary = summary.to_str().unwrap();
    for args in [&["explain", log][..], &["explain", log, "--json"], &["explain", log, "--html", "-"]] {
        assert_eq!(harmless(args, "", false).status, 1, "{args:?}");
    }
    for args in [&["profile", log][..], &["profile", log, "--json"], &["profile", log, "--html", "-"]] {
        assert_eq!(harmless(args, "", false).status, 0, "{args:?}");
    }
    for args in [&["explain", log, "--html", page][..], &["profile", log, "--html", page]] {
        harmless(args, "", false);
        let page = fs::read_to_string(page).unwrap();
        is_harmless("page", &page);
        assert!(!page.contains("<img"), "{page}");
    }
    harmless(&["convert", dir, "--summary", summary], "", true);
    is_harmless("summary", &fs::read_to_string(summary).unwrap());
    harmless(&["bench", log, "--runs", "1"], "", false);
}

/// What is wrong with an argument is said without repeating it raw.
#[test]
fn hostile_arguments_are_shown_harmlessly() {
    let files = folder(&[("table.toml", &format!("name = {}\n\u{1b}[31m", json!(HOSTILE)))]);
    let missing = files.path().join("missing").join(file_name());
    let missing = missing.to_str().unwrap();
    let table = files.path().join("table.toml");
    let table = table.to_str().unwrap();
    let cut = files.path().join(file_name());
    fs::write(&cut, &zstd::encode_all(&[b'x'; 1000][..], 1).unwrap()[..12]).unwrap();
    let cut = cut.to_str().unwrap();
    for command in ["validate", "convert", "profile", "explain", "bench", "test", "verify"] {
        for input in [missing, HOSTILE, cut] {
            let run = harmless(&[command, input], "", false);
            // Where there is no manifest, nothing was found.
            let expected = if command == "verify" { 2..=3 } else { 2..=2 };
            assert!(expected.contains(&run.status), "{command}: {}{}", run.stdout, run.stderr);
        }
        assert_eq!(harmless(&[command, &format!("--{HOSTILE}")], "", false).status, 2);
    }
    let option = format!("--{HOSTILE}={HOSTILE}");
    for args in [
        &[HOSTILE][..],
        &[&option],
        &["validate", "--explain", HOSTILE],
        &["validate", "-", "--severity", &format!("{HOSTILE}=off")],
        &["validate", "-", "--severity", &format!("no-noun={HOSTILE}")],
        &["validate", "-", "--config", missing],
        &["validate", "-", "--config", table],
        &["validate", "-", "--report", HOSTILE],
        &["validate", "-", "--report", &format!("json={missing}")],
        &["validate", "-", "--threads", HOSTILE],
        &["diff", missing, "-"],
        &["explain", &format!("{HOSTILE}:0")],
        &["test", "fixtures", "--mapping", HOSTILE],
        &["convert", "-", "--mapping", table],
        &["convert", "-", "-o", missing],
        &["mappings", "show", HOSTILE],
        &["mappings", "check", HOSTILE],
        &["mappings", "check", table],
        &["generate", "--mix", HOSTILE],
        &["collect", HOSTILE],
        &["collect", "duo-telephony", "--to", HOSTILE, "--state", missing],
    ] {
        let run = harmless(args, "{}\n", false);
        assert_ne!(run.status, 0, "{args:?}");
        assert!(!run.stderr.is_empty(), "{args:?}");
    }
    harmless(&["mappings", "list"], "", false);
    // Passwords are not repeated.
    let run = harmless(&["validate", "https://user:geheim@host/x"], "", false);
    assert!(!run.stderr.contains("geheim"), "{}", run.stderr);
    let run = harmless(&["verify", "--nothing=https://user:geheim@host/x"], "", false);
    assert!(!run.stderr.contains("geheim"), "{}", run.stderr);
}

/// The text of a parser's error is there to its end.
#[test]
fn a_parsers_error_is_shown_whole() {
    let file = crate::support::project("tests/field/34-parser-error.json");
    let long =
        json!({"runParserResults": [{"error": {"message": format!("{} the end", "x".repeat(20_000))}}]})
            .to_string();
    for (text, end) in [(fs::read_to_string(file).unwrap(), "target field is not set"), (long, "the end")] {
        for args in [&["validate", "-"][..], &["diff", "-", "/dev/null"]] {
            let run = harmless(args, &text, false);
            assert!(run.status == 1 && run.stdout.contains(end), "{args:?}: {}", run.stdout);
            for kind in ["json", "junit", "sarif", "markdown"] {
                let run = harmless(&[args, &["--report", &format!("{kind}=-")]].concat(), &text, false);
                assert!(run.stdout.contains(end), "{args:?} {kind}");
            }
        }
    }
}

/// The small input of this kind.
#[test]
fn a_workflow_command_in_a_field_name_is_escaped() {
    let text = fs::read_to_string(crate::support::project("tests/field/workflow-command.ndjson")).unwrap();
    let run = harmless(&["validate", "-"], &text, false);
    assert!(run.status == 0 && run.stdout.contains("x\\n::error title=INJECTED"), "{}", run.stdout);
}

/// What is empty is no address, and tells no machine.
#[test]
fn empty_values_hold_nothing() {
    let text = fs::read_to_string(crate::support::project("tests/field/37-empty-ip.ndjson")).unwrap();
    let head = r#""metadata":{"event_timestamp":"2024-01-01T00:00:00Z","event_type":"STATUS_UPDATE"}"#;
    let generic = head.replace("STATUS_UPDATE", "GENERIC_EVENT");
    for (text, codes) in [
        (text, &["invalid-ip", "missing-part"][..]),
        (
            format!(
                r#"{{{head},"principal":{{"hostname":"","ip":[],"asset":{{"ip":[""],"hostname":""}}}}}}"#
            ),
            &["invalid-ip", "missing-part"],
        ),
        (format!(r#"{{{head},"principal":{{"mac":[""],"hostname":"h"}}}}"#), &["invalid-mac"]),
        (
            format!(
                r#"{{{generic},"principal":{{"hostname":"","user":{{"userid":""}},"port":0,"asset":{{}}}}}}"#
            ),
            &["no-noun-generic"],
        ),
        (format!(r#"{{{generic},"principal":{{"user":{{"userid":"u"}}}}}}"#), &[]),
    ] {
        let run = run_with(text.as_bytes(), &["validate", "-", "--report", "json=-"]);
        let report: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
        let found: Vec<&str> =
            report["findings"].as_array().unwrap().iter().map(|f| f["code"].as_str().unwrap()).collect();
        assert_eq!(found, codes, "{text}");
    }
}

//! `udmap parser check` and `run`: Google SecOps' parsers, offline.

use crate::support::{project, run, run_with, udmap};
use serde_json::Value;
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A parser of these statements, which makes one event with the description `%{d}`.
fn parser(statements: &str) -> String {
    format!(
        r#"filter {{
  {statements}
  mutate {{ replace => {{
    "event.idm.read_only_udm.metadata.description" => "%{{d}}"
    "event.idm.read_only_udm.metadata.event_type" => "GENERIC_EVENT"
  }} }}
  mutate {{ merge => {{ "@output" => "event" }} }}
}}"#
    )
}

/// A folder with a parser in it.
fn folder(statements: &str) -> (TempDir, String) {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("p.conf");
    fs::write(&file, parser(statements)).unwrap();
    let name = file.to_string_lossy().into_owned();
    (folder, name)
}

fn golden(name: &str) -> PathBuf {
    project("fixtures/content-hub/content/parsers/third_party/community").join(name).join("cbn")
}

fn descriptions(stdout: &str) -> Vec<String> {
    let event = |line: &str| serde_json::from_str::<Value>(line).unwrap();
    stdout.lines().map(|line| event(line)["metadata"]["description"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn google_s_parsers_give_what_google_expects() {
    for (name, count) in
        [("AWS_EKS", 1), ("IBM_B2B_INTEGRATOR", 3), ("KEYFACTOR", 4), ("ONFIDO", 4), ("SURICATA_EVE", 13)]
    {
        let folder = golden(name);
        let conf = folder.join(format!("default_{}.conf", name.to_lowercase()));
        let logs = folder.join("testdata/raw_logs/default_log.json");
        let temporary = TempDir::new().unwrap();
        let events = temporary.path().join("events.ndjson");
        let done = udmap()
            .args(["parser", "run"])
            .args([&conf, &logs])
            .args(["--strict", "-o"])
            .arg(&events)
            .output()
            .unwrap();
        assert!(done.status.success(), "{name}: {}", String::from_utf8_lossy(&done.stderr));
        let expected = folder.join("testdata/expected_events/default_events.json");
        let mut diff = udmap();
        diff.arg("diff").args([&expected, &events]);
        // Some of Google's files leave the log type out.
        if !fs::read_to_string(&expected).unwrap().contains("\"logType\"") {
            diff.args(["--ignore", "metadata.log_type"]);
        }
        let diff = diff.output().unwrap();
        assert!(diff.status.success(), "{name}: {}", String::from_utf8_lossy(&diff.stdout));
        assert_eq!(fs::read_to_string(&events).unwrap().lines().count(), count, "{name}");
    }
}

#[test]
fn every_parser_here_loads_and_denied_warnings_fail() {
    let parsers = ["fixtures/parsers", "fixtures/content-hub"]
        .map(|folder| project(folder).to_string_lossy().into_owned());
    let checked = run(&["parser", "check", &parsers[0], &parsers[1]]);
    assert_eq!(checked.status, 0, "{}{}", checked.stdout, checked.stderr);
    assert!(checked.stderr.contains("6 parsers: 0 errors"), "{}", checked.stderr);
    assert_eq!(run(&["parser", "check", &parsers[0], "--deny-warnings"]).status, 1);
}

#[test]
fn what_does_not_load_is_told_with_its_place() {
    for (text, place, words) in [
        ("", "1:1", "expected `filter {`, found the end of the text"),
        ("filter {\n  mutate { replace => }\n}", "2:23", "expected a value"),
        ("filter {\n  mutat { }\n}", "2:3", "there is no plugin `mutat`; the nearest is `mutate`"),
        ("filter {\n  code { }\n}", "2:3", "the plugin `code` runs JavaScript"),
        ("filter {\n  if [a] == { }\n}", "2:13", "expected a value"),
        ("filter { drop { } ", "1:19", "expected a plugin, `if`, `for` or `}`, found the end of the text"),
        ("filter { mutate { replace => { \"a\" => \"b } } }", "1:39", "does not end"),
        ("filter { else { drop {} } }", "1:10", "`else` has no `if` before it"),
    ] {
        let checked = run_with(text.as_bytes(), &["parser", "check", "-"]);
        assert_eq!(checked.status, 1, "{text}");
        let expected = format!("-:{place}: error[not-loaded]: ");
        assert!(
            checked.stdout.contains(&expected) && checked.stdout.contains(words),
            "{text}: {}",
            checked.stdout
        );
    }
    // Brackets without end take no stack.
    let deep = format!("filter {{ if {} }}", "(".repeat(1_000_000));
    assert_eq!(run_with(deep.as_bytes(), &["parser", "check", "-"]).status, 1);
}

#[test]
fn what_does_nothing_is_warned_of() {
    for (statements, code, words) in [
        (r#"mutate { repalce => { "d" => "" } }"#, "unknown-operation", "the nearest is `replace`"),
        (r#"csv { seperator => ";" }"#, "unknown-option", "the nearest is `separator`"),
        (r#"mutate { convert => { "message" => "int" } }"#, "bad-value", "`convert` does not know `int`"),
        ("grok { }", "bad-value", "expected the option `match` in `grok`, so `grok` fails"),
        (r#"mutate { gsub => ["a", "b"] }"#, "bad-value", "expected triples"),
        (r#"mutate { gsub => ["message", "(?=a)", ""] }"#, "bad-regex", "a lookahead"),
        (r#"grok { match => { "message" => "%{NOPE:d}" } }"#, "bad-regex", "grok has no pattern `NOPE`"),
        (r#"grok { match => { "message" => "^.*$" } }"#, "never-matches", "names no token"),
        ("if [] { drop {} }", "never-true", "never true"),
        (r#"if [dd] == "" { drop {} }"#, "unset-token", "nothing sets `dd`"),
        (r#"if [message] =~ "^\\d" { drop {} }"#, "escaped-twice", "the regex `^d`"),
        ("statedump {}", "statedump", "Google refuses"),
        (r#"date { match => ["message", "MMM d HH:mm:ss"] }"#, "no-year", "add `rebase => true`"),
        (r#"date { match => ["message", "TAI64N"] }"#, "bad-format", "never fits"),
        (r#"mutate { merge => { "d" => "a" "d" => "b" } }"#, "given-twice", "write two merges"),
        (r#"drop { tag => "TAG_UNSUPORTED" }"#, "unknown-tag", "the nearest is `TAG_UNSUPPORTED`"),
        (r#"if ["d"] != "" { drop {} }"#, "list-not-token", "write `[d]` without quotes"),
    ] {
        let text = parser(&format!("mutate {{ replace => {{ \"d\" => \"\" }} }}\n  {statements}"));
        let checked = run_with(text.as_bytes(), &["parser", "check", "-"]);
        assert_eq!(checked.status, 0, "{statements}: {}", checked.stdout);
        let expected = format!("warning[{code}]: ");
        assert!(
            checked.stdout.contains(&expected) && checked.stdout.contains(words),
            "{statements}: {}",
            checked.stdout
        );
        assert_eq!(checked.stdout.lines().count(), 1, "{statements}: {}", checked.stdout);
    }
    for right in [
        r#"if [message] =~ "^\\\\d" { drop {} }"#,
        r#"json { source => "message" on_error => "e" } if [whatever] == "" { drop {} }"#,
        r#"for x in message { if [x][y] == "" { drop {} } }"#,
        r#"date { match => ["message", "MMM d HH:mm:ss"] rebase => true }"#,
    ] {
        let text = parser(&format!("mutate {{ replace => {{ \"d\" => \"\" }} }}\n  {right}"));
        let checked = run_with(text.as_bytes(), &["parser", "check", "-", "--deny-warnings"]);
        assert_eq!(checked.status, 0, "{right}: {}", checked.stdout);
    }
}

#[test]
fn the_books_balance_and_failed_logs_are_kept() {
    let statements = r#"
  if [message] == "drop" { drop { tag => "TAG_UNSUPPORTED" } }
  if [message] != "fail" { mutate { replace => { "d" => "%{message}" } } }
  if [message] == "none" { mutate { replace => { "@output" => "" } } }"#;
    let (folder, conf) = folder(statements);
    // Without output: what is in `@output` at the end is not a list.
    let text = fs::read_to_string(&conf).unwrap().replace(
        "mutate { merge => { \"@output\" => \"event\" } }",
        "if [message] != \"none\" { mutate { merge => { \"@output\" => \"event\" } } }",
    );
    fs::write(&conf, text).unwrap();
    let logs: &[u8] = b"a\ndrop\nfail\n\nnone\n\xff\xfe\nb\r\n";
    let rejects = folder.path().join("failed.ndjson").to_string_lossy().into_owned();
    let done = run_with(logs, &["parser", "run", &conf, "-", "--rejects", &rejects]);
    assert_eq!(done.status, 1, "{}", done.stderr);
    assert_eq!(descriptions(&done.stdout), ["a", "b"]);
    assert!(
        done.stderr.contains("6 logs: 2 with 2 events, 1 dropped, 1 without output, 2 failed"),
        "{}",
        done.stderr
    );
    assert!(done.stderr.contains("dropped  TAG_UNSUPPORTED 1"), "{}", done.stderr);
    let expected = "log 3: ";
    assert!(done.stderr.contains(expected), "{}", done.stderr);
    assert!(
        done.stderr.contains(
            "filter mutate (6) failed: replace failure: field \"event.idm.read_only_udm.metadata.description\": \
             source field \"d\": field not set"
        ),
        "{}",
        done.stderr
    );
    let rejects = fs::read_to_string(rejects).unwrap();
    let rejects: Vec<Value> = rejects.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(rejects[0]["raw"], "fail");
    assert_eq!((rejects[0]["log"].as_u64(), rejects[0]["parser_line"].as_u64()), (Some(3), Some(6)));
    assert_eq!(rejects[1]["raw_base64"], "//4=");
}

#[test]
fn logs_come_in_any_form_and_events_in_their_order() {
    let (folder, conf) = folder(r#"mutate { replace => { "d" => "%{message}" } }"#);
    let jsonl = "\"a\\nb\"\n\"c\"\n";
    let done = run_with(jsonl.as_bytes(), &["parser", "run", &conf, "-", "--logs", "jsonl"]);
    assert_eq!(descriptions(&done.stdout), ["a\nb", "c"]);
    let hub = r#"{"raw_logs":{"entries":[{"data":"a b"},{"data":"aGVsbG8gd29ybGQ="}]}}"#;
    let done = run_with(hub.as_bytes(), &["parser", "run", &conf, "-"]);
    assert_eq!(descriptions(&done.stdout), ["a b", "hello world"]);
    // The same text as lines is one log.
    let done = run_with(hub.as_bytes(), &["parser", "run", &conf, "-", "--logs", "text"]);
    assert_eq!(descriptions(&done.stdout), [hub]);
    // Many lines over many chunks, compressed, with some that take long.
    let mut text = String::new();
    for i in 0..60_000 {
        let _ = writeln!(text, "line {i} {}", "x".repeat(if i % 7000 == 0 { 100_000 } else { i % 40 }));
    }
    let packed = folder.path().join("logs.txt.zst");
    fs::write(&packed, zstd::encode_all(text.as_bytes(), 1).unwrap()).unwrap();
    let packed = packed.to_string_lossy().into_owned();
    for threads in ["1", "4"] {
        let done = run(&["parser", "run", &conf, &packed, "-j", threads, "-q"]);
        assert_eq!(done.status, 0, "{}", done.stderr);
        assert!(descriptions(&done.stdout).iter().eq(text.lines()), "{threads}");
    }
}

#[test]
fn a_log_that_is_too_long_or_a_parser_without_end_fails_that_log_alone() {
    let (_folder, conf) = folder(r#"mutate { replace => { "d" => "ok" } }"#);
    let logs = [&b"x".repeat(2 << 20)[..], b"\nb\n"].concat();
    let done = run_with(&logs, &["parser", "run", &conf, "-"]);
    assert_eq!((done.status, descriptions(&done.stdout).len()), (1, 1));
    assert!(done.stderr.contains("longer than 1 MiB"), "{}", done.stderr);
    // Of a JSON string the text counts, not how long its escapes are.
    let escaped = |count: usize| format!("\"{}\"\n\"b\"\n", r"\n".repeat(count));
    for (count, fitting) in [(1 << 20, 2), ((1 << 20) + 1, 1)] {
        let done = run_with(escaped(count).as_bytes(), &["parser", "run", &conf, "-", "--logs", "jsonl"]);
        assert_eq!(descriptions(&done.stdout).len(), fitting, "{}", done.stderr);
    }

    // A text that doubles, a list in a list, a loop in loops.
    let doubling = r#"mutate { replace => { "d" => "%{message}" } }
      for x in l { mutate { replace => { "d" => "%{d}%{d}" } } }"#;
    let looping = r#"mutate { replace => { "d" => "x" } }
      for a in l { for b in l { for c in l { for e in l { for f in l { mutate { gsub => ["d", "a", "b"] } } } } } }"#;
    let itself = r#"mutate { replace => { "d" => "" "a.b" => "x" } }
      mutate { merge => { "a.c" => "a" } }
      mutate { copy => { "z" => "a" } on_error => "e" }
      if [e] { mutate { replace => { "d" => "caught" } } }"#;
    let json = r#"json { source => "message" on_error => "no" }"#;
    let elements = vec!["1"; 200].join(",");
    let log = format!("{{\"l\":[{elements}]}}\nplain\n");
    for (statements, words) in
        [(doubling, "take more memory than they may"), (looping, "takes more steps than it may")]
    {
        let begun = Instant::now();
        let (_folder, conf) = folder(&format!("{json}\n{statements}"));
        let done = run_with(log.as_bytes(), &["parser", "run", &conf, "-", "--max-steps", "2000000"]);
        assert_eq!(done.status, 1, "{statements}: {}", done.stderr);
        assert!(done.stderr.contains(words), "{}", done.stderr);
        assert_eq!(descriptions(&done.stdout).len(), 1, "{statements}");
        assert!(begun.elapsed() < Duration::from_secs(60));
    }
    let (_folder, conf) = folder(itself);
    let done = run_with(b"x\n", &["parser", "run", &conf, "-"]);
    assert_eq!(descriptions(&done.stdout), ["caught"], "{}", done.stderr);
}

#[test]
fn explain_names_the_line_and_statedump_shows_the_state() {
    let (_folder, conf) =
        folder("mutate { replace => { \"d\" => \"%{message}\" } }\n  statedump { label => \"here\" }");
    let done = run_with(b"a\x1bb\n", &["parser", "run", &conf, "-", "--explain", "--statedump"]);
    assert_eq!(done.status, 0, "{}", done.stderr);
    let line = format!("metadata.description = \"a\\u001bb\"  {conf}:4");
    assert!(done.stdout.contains(&line), "{}", done.stdout);
    assert!(
        done.stderr.contains("Internal State (label=here):\n{\n  \"@createTimestamp\""),
        "{}",
        done.stderr
    );
    assert!(done.stderr.contains("  \"message\": \"a\\u001bb\""), "{}", done.stderr);
    // Not asked for, it is not shown.
    let done = run_with(b"a\n", &["parser", "run", &conf, "-", "-q"]);
    assert_eq!(done.stderr, "");
}

#[test]
fn invalid_events_are_warned_of_or_fail() {
    let (_folder, conf) = folder(
        r#"mutate { replace => { "d" => "x" "event.idm.read_only_udm.principal.ip" => "not-an-ip" } }"#,
    );
    let warned = run_with(b"a\n", &["parser", "run", &conf, "-"]);
    assert_eq!(warned.status, 0);
    assert!(warned.stderr.contains("invalid-ip: 2 places"), "{}", warned.stderr);
    let strict = run_with(b"a\n", &["parser", "run", &conf, "-", "--strict"]);
    assert_eq!((strict.status, strict.stdout.as_str()), (1, ""));
    assert!(strict.stderr.contains("LOG_PARSING_GENERATED_INVALID_EVENT"), "{}", strict.stderr);
}

#[test]
fn what_the_platform_adds_can_be_left_out() {
    let (folder, conf) =
        folder(r#"mutate { replace => { "d" => "x" "event.idm.read_only_udm.principal.hostname" => "h" } }"#);
    let time = "2026-01-02T03:04:05Z";
    let of = |args: &[&str]| {
        let args = [&["parser", "run", &conf, "-", "--receipt-time", time], args].concat();
        serde_json::from_str::<Value>(&run_with(b"a\n", &args).stdout).unwrap()
    };
    fs::write(folder.path().join("parser.yaml"), "log_type: okta\n").unwrap();
    assert_eq!(of(&[])["metadata"]["log_type"], "OKTA");
    let platform = of(&["--log-type", "T"]);
    assert_eq!(platform["metadata"]["event_timestamp"], time);
    assert_eq!(platform["metadata"]["log_type"], "T");
    assert_eq!(platform["principal"]["asset"]["hostname"], "h");
    let parser = of(&["--as", "parser", "--field-names", "camel"]);
    assert_eq!(parser["metadata"]["eventType"], "GENERIC_EVENT");
    assert!(parser["metadata"]["eventTimestamp"].is_null() && parser["principal"]["asset"].is_null());
}

#[test]
fn nothing_and_wrong_use_have_their_statuses() {
    let (folder, conf) = folder(r#"mutate { replace => { "d" => "x" } }"#);
    assert_eq!(run_with(b"\n\n", &["parser", "run", &conf, "-"]).status, 3);
    assert_eq!(run_with(b"", &["parser", "run", &conf, "-", "--allow-empty"]).status, 0);
    assert_eq!(run_with(b"a", &["parser", "run", "/none/such.conf", "-"]).status, 2);
    let bad = folder.path().join("bad.conf").to_string_lossy().into_owned();
    fs::write(&bad, "filter { nope {} }").unwrap();
    let done = run_with(b"a", &["parser", "run", &bad, "-"]);
    assert_eq!(done.status, 2);
    assert!(done.stderr.contains("bad.conf:1:10: there is no plugin `nope`"), "{}", done.stderr);
    // A parser is no output.
    assert_eq!(run_with(b"a", &["parser", "run", &conf, "-", "-o", &conf]).status, 2);
    assert!(fs::read_to_string(&conf).unwrap().starts_with("filter"));
    let empty = TempDir::new().unwrap();
    assert_eq!(run(&["parser", "check", &empty.path().to_string_lossy()]).status, 3);
    // What comes from a log never acts on the terminal.
    let (_folder, conf) = self::folder(
        r#"mutate { replace => { "d" => "x" } } mutate { convert => { "message" => "integer" } }"#,
    );
    let done = run_with(b"\x1b[31m\n", &["parser", "run", &conf, "-"]);
    assert!(done.stderr.contains("u{1b}") && !done.stderr.contains('\x1b'), "{}", done.stderr);
}

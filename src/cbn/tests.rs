//! Small cases, and five of Google's own parsers with their expected events.

use super::{Log, Outcome, Parser, RunOptions};
use crate::check::compare::{Meaning, Rules, differences};
use crate::convert::FieldNames;
use crate::json::Tree;
use crate::time::{Instant, Reading, read};
use serde_json::Value;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

fn instant(text: &str) -> Instant {
    read(text, Reading::Iso8601).unwrap()
}

fn file(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// How two events differ, both as JSON texts.
fn compared(expected: &str, found: &str) -> Vec<String> {
    let (mut a, mut b) = (Tree::default(), Tree::default());
    let rules = Rules::default();
    let a = Meaning::of(a.read(expected.as_bytes()).unwrap(), &rules);
    let b = Meaning::of(b.read(found.as_bytes()).unwrap(), &rules);
    differences(&a, &b).iter().map(|difference| format!("{difference:?}")).collect()
}

fn run(parser: &Parser, options: &RunOptions, log: &Log<'_>) -> (Outcome, Vec<String>) {
    let mut events = Vec::new();
    let outcome = parser.runner(options).run(log, &mut events);
    let events = String::from_utf8(events).unwrap();
    (outcome, events.lines().map(str::to_owned).collect())
}

#[test]
fn small_cases() {
    let cases: Vec<Value> = serde_json::from_str(&file("parsers/cases.json")).unwrap();
    let mut wrong = Vec::new();
    for case in &cases {
        let name = case["name"].as_str().unwrap();
        let parser = match Parser::read(case["parser"].as_str().unwrap()) {
            Ok(parser) => parser,
            Err(error) => {
                wrong.push(format!("{name}: {error}"));
                continue;
            }
        };
        let log = Log::new(case["log"].as_str().unwrap(), instant(case["receipt_time"].as_str().unwrap()));
        // In camelCase, as the cases are: entities are not compared by their fields' names.
        let options = RunOptions { field_names: FieldNames::Camel, ..RunOptions::default() };
        let (outcome, events) = run(&parser, &options, &log);
        let fits = if case["error"] == true {
            matches!(outcome, Outcome::Failed(_))
        } else if case["dropped"] == true {
            matches!(outcome, Outcome::Dropped(_))
        } else {
            let expected = case["events"].as_array().unwrap();
            outcome == Outcome::Events(expected.len() as u64)
                && expected.iter().zip(&events).all(|(a, b)| compared(&a.to_string(), b).is_empty())
        };
        if !fits {
            wrong.push(format!("{name}: {outcome:?} {events:?}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

#[test]
fn every_form_of_syntax_loads() {
    let parser = Parser::read(&file("parsers/syntax.conf")).unwrap();
    let log = Log::new(r#"{"n":1,"tags":["T1"],"o":{"k":"v"}}"#, instant("2026-01-02T03:04:05Z"));
    let (outcome, events) = run(&parser, &RunOptions::default(), &log);
    assert_eq!(outcome, Outcome::Events(1));
    assert!(events[0].contains(r#""description":"ok""#), "{}", events[0]);
}

/// The logs of a case of content-hub, with when each was received.
fn logs(raw: &Value) -> Vec<(String, Instant)> {
    let entries = raw["raw_logs"]["entries"].as_array().unwrap();
    let time = |entry: &Value| {
        let times = [&entry["timestamp"], &entry["collection_time"], &raw["create_time"]];
        times.iter().find_map(|time| time.as_str()).map(instant)
    };
    entries.iter().map(|entry| (entry["data"].as_str().unwrap().to_owned(), time(entry).unwrap())).collect()
}

#[test]
fn google_s_parsers_give_google_s_events() {
    let mut wrong = Vec::new();
    let mut count = 0;
    for name in ["AWS_EKS", "IBM_B2B_INTEGRATOR", "KEYFACTOR", "ONFIDO", "SURICATA_EVE"] {
        let folder = format!("content-hub/content/parsers/third_party/community/{name}/cbn");
        let text = file(&format!("{folder}/default_{}.conf", name.to_lowercase()));
        let parser = Parser::read(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
        let raw =
            serde_json::from_str(&file(&format!("{folder}/testdata/raw_logs/default_log.json"))).unwrap();
        let expected = file(&format!("{folder}/testdata/expected_events/default_events.json"));
        let expected: Value = serde_json::from_str(&expected).unwrap();
        let options = RunOptions { log_type: Some(name.into()), ..RunOptions::default() };
        let mut found = Vec::new();
        for (text, received) in logs(&raw) {
            let (outcome, events) = run(&parser, &options, &Log::new(&text, received));
            if let Outcome::Failed(failed) = &outcome {
                wrong.push(format!("{name}: {failed} {:?}", failed.at));
            }
            found.extend(events);
        }
        let expected = expected["events"].as_array().unwrap();
        count += expected.len();
        if found.len() != expected.len() {
            wrong.push(format!("{name}: {} events, expected {}", found.len(), expected.len()));
        }
        for (at, (expected, found)) in expected.iter().zip(&found).enumerate() {
            let expected = &expected["event"]["idm"]["readOnlyUdm"];
            let mut compared = compared(&expected.to_string(), found);
            if expected["metadata"]["logType"].is_null() {
                compared.retain(|difference| !difference.contains("log_type"));
            }
            if !compared.is_empty() {
                wrong.push(format!("{name} {at}: {compared:#?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(count, 25);
}

/// Changes a text at some places: a character goes, comes twice, or is another one.
fn changed(text: &str, next: &mut impl FnMut(usize) -> usize) -> String {
    const SIGNS: [&str; 24] = [
        "{",
        "}",
        "[",
        "]",
        "\"",
        "'",
        "\\",
        "/",
        "%{",
        "=>",
        "=~",
        "(",
        ")",
        "|",
        "*",
        "+",
        "?",
        "\n",
        "é",
        "\0",
        "in",
        "for ",
        "if ",
        "9999999999",
    ];
    let mut chars: Vec<String> = text.chars().map(String::from).collect();
    for _ in 0..=next(4) {
        let at = next(chars.len().max(1));
        match next(4) {
            0 if at < chars.len() => drop(chars.remove(at)),
            1 if at < chars.len() => chars.insert(at, chars[at].clone()),
            2 if at < chars.len() => chars[at] = SIGNS[next(SIGNS.len())].to_owned(),
            _ => chars.insert(at.min(chars.len()), SIGNS[next(SIGNS.len())].to_owned()),
        }
    }
    chars.concat()
}

/// How a log ends with a parser's statements, and how long its output is.
fn ended(statements: &str, log: &str, options: &RunOptions) -> (Outcome, usize) {
    let text = format!(r#"filter {{ {statements} }}"#);
    let parser = Parser::read(&text).unwrap_or_else(|error| panic!("{statements}: {error}"));
    let mut events = Vec::new();
    let outcome = parser.runner(options).run(&Log::new(log, Instant::EPOCH), &mut events);
    (outcome, events.len())
}

/// Doubles the list `l` so often.
fn doubled(times: usize) -> String {
    format!(
        r#"mutate {{ merge => {{ "l" => "message" }} }} {}"#,
        r#"mutate { merge => { "l" => "l" } } "#.repeat(times)
    )
}

#[test]
fn hostile_parsers_and_logs_are_bounded() {
    let options = RunOptions { most_steps: 300_000, most_bytes: 16 << 20, ..RunOptions::default() };
    let merges = r#""a" => "a" "#.repeat(40);
    let grown = r#"mutate { replace => { "big" => "%{big}%{big}" } } "#.repeat(12);
    let kilobyte = "x".repeat(1024);
    for (statements, log, why) in [
        (format!(r#"mutate {{ merge => {{ "a" => "message" {merges} }} }}"#), "x", "more memory"),
        (
            format!(
                r#"{} mutate {{ rename => {{ "l" => "e.idm.read_only_udm.principal.ip" }} }}
                   mutate {{ merge => {{ "@output" => "e" }} }}"#,
                doubled(17)
            ),
            &kilobyte,
            "too large",
        ),
        (
            format!(
                r#"{} mutate {{ rename => {{ "l" => "x.list_value.values" }} replace => {{ "f.key" => "k" }} }}
                   mutate {{ rename => {{ "x" => "f.value" }} }}
                   mutate {{ merge => {{ "e.idm.read_only_udm.additional.fields" => "f" }} }}
                   mutate {{ merge => {{ "@output" => "e" }} }}"#,
                doubled(17).replace("message", "v")
            )
            .replacen("mutate", r#"mutate { replace => { "v.string_value" => "%{message}" } } mutate"#, 1),
            &kilobyte,
            "too large",
        ),
        (format!("{} for a.a in l {{ for b.b in l {{ for c.c in l {{ }} }} }}", doubled(12)), "x", "more steps"),
        (
            format!(
                r#"mutate {{ replace => {{ "big" => "%{{message}}" }} }} {grown} {}
                   for a in l {{ for b in l {{ if [big] =~ "(a|b)*zzz$|[xy]+q" {{ }} }} }}"#,
                doubled(12)
            ),
            &kilobyte[..512],
            "more steps",
        ),
        (
            format!(
                r#"mutate {{ replace => {{ "big" => "%{{message}}" "same" => "%{{message}}" }} }} {}
                   mutate {{ replace => {{ "same" => "%{{same}}y" }} }}
                   for a in l {{ if [same] in [l] {{ }} }}"#,
                doubled(15)
            ),
            &kilobyte,
            "more steps",
        ),
    ] {
        let (outcome, length) = ended(&statements, log, &options);
        assert!(matches!(&outcome, Outcome::Failed(failed) if failed.message.contains(why)), "{why}: {outcome:?}");
        assert_eq!(length, 0);
    }
}

#[test]
fn what_dumps_show_is_bounded() {
    let text = format!("filter {{ {} for a in l {{ statedump {{ label => x }} }} }}", doubled(10));
    let parser = Parser::read(&text).unwrap();
    let mut runner = parser.runner(&RunOptions { dumps: true, ..RunOptions::default() });
    let log = "x".repeat(100_000);
    assert_eq!(runner.run(&Log::new(&log, Instant::EPOCH), &mut Vec::new()), Outcome::NoOutput);
    assert!((1 << 20..2 << 20).contains(&runner.dumped().len()), "{}", runner.dumped().len());
    assert!(runner.dumped().contains("\"...\""));
}

#[test]
fn ordinary_large_logs_are_within_the_limits() {
    // Each record of a log of a megabyte goes through many branches.
    let record = format!(r#"{{"a":"{}"}}"#, "x".repeat(480));
    let log = format!(r#"{{"records":[{}]}}"#, vec![record; 1_900].join(","));
    let branches: String = (0..60).map(|at| format!(r#"if [r][a] == "{at}" {{ }} "#)).collect();
    let statements = format!(r#"json {{ source => "message" }} for r in records {{ {branches} }}"#);
    assert_eq!(ended(&statements, &log, &RunOptions::default()).0, Outcome::NoOutput);
    let statements = format!(
        r#"{} mutate {{ merge => {{ "m" => "l" }} }} for a in l {{ for b in m {{ }} }}"#,
        doubled(10)
    );
    assert_eq!(ended(&statements, "x", &RunOptions::default()).0, Outcome::NoOutput);
}

#[test]
fn a_log_ends_when_the_run_is_stopped() {
    let stop = Arc::new(AtomicBool::new(false));
    let options = RunOptions { stop: Some(Arc::clone(&stop)), most_steps: u64::MAX, ..RunOptions::default() };
    let statements = format!("{} for a in l {{ for b in l {{ for c in l {{ }} }} }}", doubled(16));
    let stopper = std::thread::spawn(move || {
        std::thread::sleep(std::time::Duration::from_millis(50));
        stop.store(true, Relaxed);
    });
    let (outcome, _) = ended(&statements, "x", &options);
    stopper.join().unwrap();
    assert!(matches!(&outcome, Outcome::Failed(failed) if failed.message.contains("stopped")), "{outcome:?}");
}

/// What a parser's statements make of a log, and of that the value at `principal.ip`, as JSON.
fn addresses(statements: &str, log: &str) -> String {
    let text = format!(r#"filter {{ {statements} mutate {{ merge => {{ "@output" => "e" }} }} }}"#);
    let parser = Parser::read(&text).unwrap_or_else(|error| panic!("{statements}: {error}"));
    let (outcome, events) = run(&parser, &RunOptions::default(), &Log::new(log, Instant::EPOCH));
    let [event] = &events[..] else { return format!("{outcome:?}") };
    serde_json::from_str::<Value>(event).unwrap()["principal"]["ip"].to_string()
}

#[test]
fn objects_with_numbers_for_keys_count_as_lists() {
    const SPLIT: &str = r#"json { source => "message" array_function => "split_columns" }"#;
    const IP: &str = "e.idm.read_only_udm.principal.ip";
    let log = r#"{"l":["1.1.1.1","2.2.2.2"]}"#;
    for statements in [
        format!(
            r#"mutate {{ replace => {{ "l.0" => "" "l.1" => "" }} }} {SPLIT} mutate {{ merge => {{ "{IP}" => "l" }} }}"#
        ),
        format!(
            r#"mutate {{ replace => {{ "l.1" => "" "l.0" => "" }} }} {SPLIT} mutate {{ rename => {{ "l" => "{IP}" }} }}"#
        ),
        format!(
            r#"{SPLIT} mutate {{ replace => {{ "l.x" => "" }} remove_field => ["l.x"] merge => {{ "{IP}" => "l" }} }}"#
        ),
        format!(r#"mutate {{ replace => {{ "{IP}.0" => "1.1.1.1" "{IP}.1" => "2.2.2.2" }} }}"#),
        format!(
            r#"{SPLIT} mutate {{ replace => {{ "{IP}.0" => "1.1.1.1" }} merge => {{ "{IP}" => "l.1" }} }}"#
        ),
    ] {
        assert_eq!(addresses(&statements, log), r#"["1.1.1.1","2.2.2.2"]"#, "{statements}");
    }
    let statements = format!(
        r#"mutate {{ replace => {{ "l.0" => "" "l.1" => "" "ip" => "2.2.2.2" }} }} {SPLIT}
           if [ip] in [l] {{ mutate {{ replace => {{ "{IP}" => "%{{ip}}" }} }} }}"#
    );
    assert_eq!(addresses(&statements, log), r#"["2.2.2.2"]"#);
}

#[test]
fn unusual_parsers_load_and_run_as_google_s_do() {
    const SET: &str = r#"mutate { replace => { "e.idm.read_only_udm.principal.ip" => "1.1.1.1" } }"#;
    let condition = |condition: &str| format!("if {condition} {{ {SET} }}");
    for (statements, log) in [
        (condition("[message] =~ (/^x/)"), "xy"),
        (condition(r#"[message] in [/xy/, "a"]"#), "xy"),
        (format!(r#"if [message] == "no" {{ drop {{ tag => ["a"] }} }} {SET}"#), "xy"),
        (
            format!(r#"date {{ match => ["message", "yyyy-MM-dd HH:mm:ss.SSS"] timezone => "" }} {SET}"#),
            "2024-05-06 07:08:09,123",
        ),
        (format!(r#"json {{ source => "message" }} {SET}"#), r#"{"a":"\ud83d"}"#),
    ] {
        assert_eq!(addresses(&statements, log), r#"["1.1.1.1"]"#, "{statements}");
    }
    assert!(Parser::read("filter { }").is_ok());
    assert!(Parser::read("# nothing").is_err());
    let parser = Parser::read(r#"filter { if [message] =~ 5 { drop { } } }"#).unwrap();
    let warnings: Vec<String> =
        parser.warnings().iter().map(|one| format!("{} {}", one.at, one.message)).collect();
    assert_eq!(warnings, ["1:26 expected a regex, so this fails when a log comes here"]);
    let (outcome, _) = run(&parser, &RunOptions::default(), &Log::new("x", Instant::EPOCH));
    assert!(matches!(outcome, Outcome::Failed(failed) if failed.message.contains("expected a regex")));
}

#[test]
fn changed_parsers_and_logs_never_panic() {
    let cases: Vec<Value> = serde_json::from_str(&file("parsers/cases.json")).unwrap();
    let mut texts: Vec<(String, String)> = cases
        .iter()
        .map(|case| (case["parser"].as_str().unwrap().to_owned(), case["log"].as_str().unwrap().to_owned()))
        .collect();
    texts.push((file("parsers/syntax.conf"), r#"{"n":1,"tags":["T1"],"o":{"k":"v"}}"#.to_owned()));
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = |below: usize| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        (seed >> 11) as usize % below
    };
    let rounds =
        std::env::var("UDMAP_PARSER_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(20);
    let options =
        RunOptions { most_steps: 100_000, most_bytes: 1 << 20, dumps: true, ..RunOptions::default() };
    let (mut loaded, mut ran) = (0, 0);
    for _ in 0..rounds {
        for (text, log) in &texts {
            let text = if next(3) == 0 { text.clone() } else { changed(text, &mut next) };
            let Ok(parser) = Parser::read(&text) else { continue };
            loaded += 1;
            let _ = parser.warnings();
            let mut runner = parser.runner(&options);
            let mut events = Vec::new();
            for _ in 0..3 {
                let log = changed(log, &mut next);
                let outcome = runner.run(&Log::new(&log, instant("2026-01-02T03:04:05Z")), &mut events);
                ran += usize::from(matches!(outcome, Outcome::Events(_)));
            }
            for event in String::from_utf8(events).unwrap().lines() {
                serde_json::from_str::<Value>(event).unwrap_or_else(|error| panic!("{error}: {event}"));
            }
        }
    }
    assert!(loaded > rounds * 20 && ran > rounds * 10, "{loaded} loaded, {ran} gave events");
}

//! Records that share a line, that stand behind a header, or whose file begins or ends in the middle
//! of one; and hostile brackets. Each kind in several variations, with its places.

use crate::support::{json_lines, project, run_with, streamed};
use std::fs;
use std::time::{Duration, Instant};
use udmap::convert::{Batch, Converter, Engine, Options};
use udmap::mapping::Mapping;
use udmap::record::Reason;

fn converter(engine: Engine, max_record_bytes: usize) -> Converter {
    let mapping = Mapping::builtin("duo_telephony").expect("built in");
    Converter::new(&mapping, &Options { engine, max_record_bytes, ..Options::default() })
}

/// Converts the log by the fast path and the exact one, as a whole and as a stream; all agree.
fn convert(log: &[u8]) -> Batch {
    let batch = converter(Engine::Exact, 1 << 20).convert(log);
    let fast = converter(Engine::Auto, 1 << 20);
    let other = fast.convert(log);
    assert!(batch.events == other.events && batch.rejects == other.rejects && batch.tally == other.tally);
    let (events, rejects, tally) = streamed(&fast, log, &[7, 1000], 2);
    assert!(batch.events == events && batch.rejects == rejects && batch.tally == tally);
    for reject in &batch.rejects {
        let at = usize::try_from(reject.offset).expect("an offset");
        assert!(log[at..].starts_with(&reject.raw), "{reject:?}");
        assert_eq!(reject.line, 1 + log[..at].iter().filter(|b| **b == b'\n').count() as u64, "{reject:?}");
    }
    batch
}

/// Events and rejects.
fn counts(log: &str) -> (u64, u64) {
    let batch = convert(log.as_bytes());
    (batch.tally.events, batch.tally.rejects)
}

/// The phones of the events, and the bytes of the rejects.
fn became(log: &str) -> (Vec<String>, Vec<String>) {
    let batch = convert(log.as_bytes());
    let events = json_lines(std::str::from_utf8(&batch.events).expect("UTF-8"));
    let phone = |event: &serde_json::Value| {
        event["principal"]["user"]["userid"].as_str().unwrap_or("none").to_owned()
    };
    let raw = batch.rejects.iter().map(|reject| String::from_utf8_lossy(&reject.raw).into_owned()).collect();
    (events.iter().map(phone).collect(), raw)
}

fn field(name: &str) -> Vec<u8> {
    fs::read(project("tests/field").join(name)).expect(name)
}

/// A record on one line with this phone.
fn record(phone: u32) -> String {
    format!(r#"{{"ts":"2023-03-21T22:34:49Z","phone":"{phone}","context":"x","note":"}}{{"}}"#)
}

/// The same over lines.
fn pretty(phone: u32, indent: &str) -> String {
    let lines = [
        "{".to_owned(),
        "  \"ts\": \"2023-03-21T22:34:49Z\",".into(),
        format!("  \"phone\": \"{phone}\","),
        "  \"context\": \"x\",".into(),
        "  \"list\": [\n    {\n      \"ts\": 1\n    },\n    {\n      \"ts\": 2\n    }\n  ]".into(),
        "}".into(),
    ];
    let text = lines.join("\n");
    text.lines().map(|line| format!("{indent}{line}")).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_field_inputs() {
    for (name, events, rejects) in [
        ("05-syslog-json.log", 2, 0),
        ("08-firehose-concat.json", 3, 0),
        ("09-two-cef-on-a-line.log", 2, 0),
        ("10-two-key-value-on-a-line.log", 2, 0),
        ("11-pretty-rotated.json", 2, 1),
        ("13-bom-twice.ndjson", 2, 0),
        ("31-json-seq.json", 2, 0),
    ] {
        let tally = convert(&field(name)).tally;
        assert_eq!((tally.events, tally.rejects), (events, rejects), "{name}");
    }
}

#[test]
fn values_on_one_line_are_records_each() {
    let [a, b, c] = [record(1), record(2), record(3)];
    for between in ["", " ", "\t", "\u{1e}", "\u{feff}", "\r", " \u{1e}\u{feff} "] {
        let log = format!("{between}{a}{between}{b}{between}{c}{between}\n{between}{a}\r\n");
        let (phones, raw) = became(&log);
        assert_eq!((phones.join(""), raw.len()), ("1231".into(), 0), "{log}");
        assert_eq!(counts(&format!("[{a},{b}]{between}[{c}]{between}{a}")), (4, 0));
    }
    let envelope = format!(r#"{{"stat":"OK","response":[{a},{b}]}}"#);
    assert_eq!(counts(&format!("{envelope}{envelope}{a}")), (5, 0));
}

#[test]
fn a_broken_value_does_not_take_its_neighbours() {
    let [a, b] = [record(1), record(2)];
    for broken in [
        r#"{"ts":,}"#,
        r#"{"ts":NaN}"#,
        r#"{"ts":"2023"#,
        r#"{"a":{"b":[1,}"#,
        r#"{'a':1}"#,
        r#"{"a":1}}"#,
        r#"{"a":1} x"#,
        r#"{"a":[{"ts":1} {"ts":2}]}"#,
    ] {
        let (phones, raw) = became(&format!("{a}{broken}\u{1e}{b}"));
        assert_eq!((phones.join(""), raw), ("12".into(), vec![broken.to_owned()]));
        // Without a mark a value that breaks off takes what it can't be told from.
        let plain = b.replace("}{", "");
        let (phones, raw) = became(&format!("{a} {broken} {plain}{plain}"));
        assert!(phones[0] == "1" && phones.last().is_some_and(|phone| phone == "2"), "{broken}: {phones:?}");
        assert!(raw.len() == 1 && raw[0].contains(broken), "{broken}: {raw:?}");
    }
    // What follows a value on its line makes it a broken one: it may be the rest of it.
    let [a, b] = [a, b].map(|record| record.replace("}{", ""));
    for log in
        [format!("{a} trailing"), format!("{a},{b}"), format!("{a}CEF:0|a|b|c|d|e|f|rt=1"), format!("{a}}}")]
    {
        assert_eq!(became(&log), (vec![], vec![log.clone()]));
    }
}

#[test]
fn the_limit_is_for_records_not_for_lines() {
    let records: String = (0..60_000).map(record).collect();
    assert!(records.len() > 4 << 20);
    for log in [records.clone(), records.replace("}{\"ts", "}\u{1e}{\"ts")] {
        let batch = converter(Engine::Auto, 4096).convert(format!("{log}\n{}", record(7)).as_bytes());
        assert_eq!((batch.tally.events, batch.tally.rejects), (60_001, 0));
    }
    // One that is too long, an array, and a broken one among them.
    let long = format!(r#"{{"ts":1,"x":"{}"}}"#, "y".repeat(5000));
    let list = format!("[{}]", vec![record(1); 200].join(","));
    let log =
        format!("{}{long}{}{list}{}{{\"a\":,}}{}\n{}", record(1), record(2), record(3), record(4), record(5));
    for sizes in [&[1][..], &[100], &[70_000]] {
        let (_, rejects, tally) = streamed(&converter(Engine::Auto, 4096), log.as_bytes(), sizes, 1);
        assert_eq!(tally.events, 205);
        let found: Vec<(u64, Reason)> = rejects.iter().map(|reject| (reject.length, reject.reason)).collect();
        assert_eq!(found, [(long.len() as u64, Reason::TooLong), (7, Reason::InvalidJson)]);
    }
}

#[test]
fn json_behind_a_header() {
    for header in [
        "Apr 18 17:21:32 host duo: ",
        "<134>Apr  8 17:21:32 host duo[12]: ",
        "<134>1 2023-04-18T17:21:32.003Z host app - - - ",
        "<134>1 2023-04-18T17:21:32.003Z host app 1 id [a@1 b=\"c ] {\"] ",
        "2023-04-18T17:21:32.003Z stdout F ",
        "2023-04-18 17:21:32,003 INFO [duo] - ",
    ] {
        let log =
            format!("{header}{}\n{header}{}{}\r\n{header}[{}]", record(1), record(2), record(3), record(4));
        assert_eq!(became(&log), (["1", "2", "3", "4"].map(String::from).to_vec(), vec![]), "{header}");
        let batch = convert(format!("\n{header}{{\"a\":}}\n").as_bytes());
        assert_eq!((batch.rejects[0].line, batch.rejects[0].offset), (2, 1 + header.len() as u64));
        assert!(
            batch.rejects[0].message.ends_with(&format!("at column {}", header.len() + 6)),
            "{:?}",
            batch.rejects
        );
    }
    assert_eq!(counts(&format!("some words {}", record(1))), (0, 1));
}

#[test]
fn text_records_never_flow_into_each_other() {
    let cef = |phone| {
        format!(
            "CEF:0|Duo Security|DuoLogSync|1|telephony|telephony|5|rt=1683648435000 cs4Label=phone cs4={phone}"
        )
    };
    let pairs = |phone| format!(r#"1683648435,host="h", phone="{phone}""#);
    for (log, phones, rejects) in [
        (format!("{}{}", cef(1), cef(2)), vec!["1", "2"], 0),
        (format!("Nov 23 02:47:28 vm {}Nov 23 02:47:28 vm {}", cef(1), cef(2)), vec!["1", "2"], 0),
        (format!("{}{}{}", pairs(1), pairs(2), pairs(3)), vec!["1", "2", "3"], 0),
        (pairs(1).replace(", ", "\t"), vec!["1"], 0),
        (pairs(1).replace(", ", " "), vec!["1"], 0),
        ("timestamp=\"5\" phone=\"1\" timestamp=\"6\" phone=\"2\"".into(), vec!["1", "2"], 0),
        ("phone=\"1\" timestamp=\"5\" timestamp=\"6\" phone=\"2\"".into(), vec![], 1),
        (format!("{}{}", cef(1), record(2)), vec![], 1),
        (format!("{}{}", cef(1), pairs(2)), vec![], 1),
        (format!("{}{}", pairs(1), cef(2)), vec![], 1),
        (format!("{}{}", pairs(1), record(2)), vec![], 1),
        (format!("{}{}", record(1), pairs(2)), vec![], 1),
    ] {
        let (got, raw) = became(&log);
        assert!(got == phones && raw.len() == rejects, "{log}: {got:?} {raw:?}");
    }
}

#[test]
fn files_that_begin_or_end_in_the_middle() {
    let objects = [1, 2, 3].map(|phone| pretty(phone, "")).join("\n");
    let list = format!("[\n{}\n]\n", [1, 2, 3].map(|phone| pretty(phone, "    ")).join(",\n"));
    let flat = format!("[\n{},\n{},\n{}\n]\n", record(1), record(2), record(3));
    for log in [objects, list, flat] {
        let first = log.find("\"phone\"").expect("it is there");
        let second = log[first + 1..]
            .find("\"ts\": \"2023")
            .or_else(|| log[first + 1..].find("\n{\"ts"))
            .expect("it is there")
            + first
            - 20;
        // Cut anywhere in the first record, the others are whole and the rest of it is one reject.
        for at in first..second.min(log.len()) {
            let cut = &log[at..];
            let (phones, raw) = became(cut);
            assert!(phones.ends_with(&["2".into(), "3".into()]), "{cut}\n{phones:?} {raw:?}");
            // A cut right before a list in it leaves the list's elements, too.
            let most = if cut.trim_start().starts_with(['{', '[']) { 5 } else { 1 };
            assert!(phones.len() == 2 && (1..=most).contains(&raw.len()), "{cut}\n{phones:?} {raw:?}");
        }
        // Cut anywhere in the last one.
        let last = log.rfind("\"phone\"").expect("it is there");
        for at in last..log.trim_end_matches([']', '}', '\n', ' ']).len() {
            let (phones, raw) = became(&log[..at]);
            assert_eq!((phones.join(""), raw.len()), ("12".into(), 1), "{}", &log[..at]);
        }
    }
}

#[test]
fn messages_name_the_place_in_the_input_and_what_is_there() {
    for (log, place) in [
        (
            "{}\n\n{\"a\":1,}",
            "expected a key in quotes at column 8; there is a comma before the closing bracket",
        ),
        (
            "{\n  \"a\": 1\n}\n{\n  \"b\": NaN\n}\n{\n}",
            "expected a value at line 5, column 8; JSON has no such number",
        ),
        ("timestamp,phone,type\n", "this looks like a CSV header"),
        ("{'a': 1}", "this looks like a Python dict"),
        ("<html>", "this looks like XML or HTML"),
        ("phone: 1", "this looks like YAML"),
        ("Apr 18 17:21:32 host duo: hello", "this looks like a syslog line"),
        ("{\"a\":1", "expected `,` or `}`, found the end at column 7"),
    ] {
        let batch = convert(log.as_bytes());
        assert!(
            batch.rejects.iter().any(|reject| reject.message.contains(place)),
            "{log}: {:?}",
            batch.rejects
        );
    }
}

/// Deep brackets of every kind: rejected, with what follows on later lines kept, in linear time.
#[test]
fn brackets_are_bounded() {
    let kinds = [
        "[",
        "{\"a\":",
        "[{\"a\":",
        "{\"a\":{\"a\":[",
        "[[{\"\":",
        "\n[",
        "[\n",
        "}{",
        "][",
        "{\"a\":}",
        "\r",
        "{",
        "\"}{\"",
    ];
    for kind in kinds {
        let time = |bytes: usize| {
            let log = format!("{}\n{}\n", kind.repeat(bytes / kind.len()), record(1));
            let begun = Instant::now();
            let tally = converter(Engine::Auto, 1 << 20).convert(log.as_bytes()).tally;
            assert!(tally.events <= 1 && tally.balances(), "{kind}");
            assert!(tally.events == 1 || kind.contains('\n') || kind == "{", "{kind}: {tally:?}");
            begun.elapsed()
        };
        let (one, four) = (time(1 << 19), time(1 << 21));
        assert!(four < one * 12 + Duration::from_millis(400), "{kind}: {one:?}, {four:?}");
    }
}

/// Lines of text that are one pair, one header or one quote after the other.
#[test]
fn hostile_texts_take_linear_time() {
    let cef = "CEF:0|Duo Security|DuoLogSync|1|telephony|telephony|5|";
    for (head, kind) in [
        (cef, "a# "),
        (cef, "a#Label=b "),
        ("", "a#=\"\" "),
        ("", "a=\"\" "),
        ("", "a=\"\" \" \" \" "),
        ("a=\"\"", "<1>a a a a"),
        ("a=\"", "\"<1>"),
        ("", "CEF:0|"),
        (cef, "Apr 18 17:21:32 CEF:0|"),
        (cef, "{\""),
        ("<1>", "{}<1>a "),
        ("<1>", "[a]"),
        ("<1>", "{\"a\":1}"),
        ("", "{}"),
        ("[{}", ",{},1"),
    ] {
        let time = |count: usize| {
            let kind = |n: usize| kind.replace('#', &format!("{n}="));
            let text: String = (0..count)
                .map(|n| if head == cef { kind(n) } else { kind(n).replacen("==", "=", 1) })
                .collect();
            let begun = Instant::now();
            let tally = converter(Engine::Auto, 1 << 20)
                .convert(format!("{head}{text}{}", if head == "[{}" { "]" } else { "" }).as_bytes())
                .tally;
            assert!(tally.balances());
            begun.elapsed()
        };
        let (one, four) = (time(10_000), time(40_000));
        assert!(four < one * 12 + Duration::from_millis(400), "{kind}: {one:?}, {four:?}");
    }
}

/// Blank lines are passed, whatever ends them.
#[test]
fn blank_lines_are_counted() {
    for (blank, lines) in [("\n", 1), ("\r\n", 1), (" \t\r\n", 1), ("\n \n", 2)] {
        let log = format!("{}{}\n{}  {{\n", blank.repeat(1000), record(1), blank.repeat(1000));
        let batch = convert(log.as_bytes());
        assert_eq!((batch.tally.events, batch.tally.blank), (1, 2000 * lines), "{blank:?}");
        assert_eq!(batch.rejects[0].line, 2000 * lines + 2);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn brackets_take_no_memory_in_any_command() {
    let log = project("tests/field/brackets-64Mi.json.zst");
    let log = log.to_str().expect("a path");
    for args in [&["convert", "-q", log][..], &["validate", log], &["explain", log]] {
        let mut limited = std::process::Command::new("sh");
        // Kilobytes of address space: threads' stacks and the program itself are in it.
        limited.args(["-c", "ulimit -v 700000; exec \"$@\"", "sh", env!("CARGO_BIN_EXE_udmap")]).args(args);
        let output = limited.output().expect("it runs");
        assert_eq!(output.status.code(), Some(1), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn checking_commands_read_the_same_lines() {
    let event = r#"{"metadata":{"event_timestamp":"2023-03-21T22:34:49Z","event_type":"GENERIC_EVENT","product_name":"p","vendor_name":"v"}}"#;
    let run = run_with(format!("{event}{event}\u{1e}{event} {{\"a\":\n").as_bytes(), &["validate", "-"]);
    assert!(
        run.stdout.contains("invalid-json") && run.stderr.contains("4 events"),
        "{} {}",
        run.stdout,
        run.stderr
    );
    let run = run_with(format!("{}{}", record(1), record(2)).as_bytes(), &["explain", "-", "--json"]);
    assert_eq!((run.status, run.stdout.lines().count()), (0, 2), "{}", run.stderr);
    let run = run_with(format!("{}{}", record(1), record(2)).as_bytes(), &["profile", "-"]);
    assert!(
        run.stdout.contains("2 records") || run.stderr.contains("2 records"),
        "{} {}",
        run.stdout,
        run.stderr
    );
}

//! Tables as foreign text: whose records they take, what they may read, and how much.

use crate::support::{json_lines, project, run, run_with};
use std::fs;
use std::time::{Duration, Instant};

const HEAD: &str = "[mapping]\nname = \"t\"\nlog_type = \"T\"\n";
const RULES: &str = "[[rule]]\nudm = \"metadata.event_timestamp\"\ntime = [{ from = \"t\", read = \"epoch-seconds\" }]\n\
                     [[rule]]\nudm = \"metadata.event_type\"\nvalue = \"GENERIC_EVENT\"\n";

/// Events and reasons of rejects that a log gives.
fn converted(args: &[&str], log: &[u8]) -> (usize, Vec<String>) {
    let folder = tempfile::tempdir().expect("a folder");
    let rejects = folder.path().join("rejects").to_string_lossy().into_owned();
    let run = run_with(log, &[&["convert", "-", "--rejects", &rejects], args].concat());
    let rejects = json_lines(&fs::read_to_string(&rejects).unwrap_or_default());
    let reason = |reject: &serde_json::Value| {
        format!(
            "{} {}",
            reject["reason"].as_str().unwrap_or_default(),
            reject["message"].as_str().unwrap_or_default()
        )
    };
    (json_lines(&run.stdout).len(), rejects.iter().map(reason).collect())
}

/// Checks a table in a folder of its own; status and what was said.
fn checked(name: &str, text: &[u8]) -> (i32, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join(name);
    fs::write(&file, text).expect("written");
    let started = Instant::now();
    let run = run(&["mappings".as_ref(), "check".as_ref(), file.as_os_str()]);
    assert!(started.elapsed() < Duration::from_secs(20), "{name} took {:?}", started.elapsed());
    (run.status, run.stderr)
}

#[test]
fn records_of_other_logs_are_no_telephony_events() {
    for (file, words) in [
        (
            "tests/field/01-mixed-kinds.ndjson",
            &["`eventtype` is `auth_log`", "`authentication`", "`activity_id`"][..],
        ),
        ("tests/field/03-mixed-kinds-cef.log", &["class is `authentication`", "vendor is `Other Vendor`"]),
    ] {
        let log = fs::read(project(file)).expect(file);
        for mapping in ["duo_telephony", "duo_telephony_extended"] {
            let (events, rejects) = converted(&["--mapping", mapping], &log);
            assert_eq!((events, rejects.len()), (0, words.len()), "{file}");
            for (reject, word) in rejects.iter().zip(words) {
                assert!(reject.starts_with("other-log ") && reject.contains(word), "{reject}: {word}");
            }
        }
    }
}

#[test]
fn an_offset_of_hours_alone_is_read() {
    let log = fs::read(project("tests/field/26-duckdb-offset.ndjson")).expect("the log");
    let event = json_lines(&run_with(&log, &["convert", "-"]).stdout).remove(0);
    assert_eq!(event["metadata"]["event_timestamp"], "2023-03-21T22:34:49.466370Z");
}

#[test]
fn seconds_in_the_place_of_milliseconds_are_named() {
    let log = fs::read(project("tests/field/33-cef-seconds.log")).expect("the log");
    let (events, rejects) = converted(&[], &log);
    assert_eq!((events, rejects.len()), (0, 1));
    assert!(rejects[0].starts_with("bad-timestamp `rt`") && rejects[0].contains("seconds"), "{rejects:?}");
}

#[test]
fn own_records_by_a_users_table() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    let table =
        |own: &str| format!("{HEAD}{own}{RULES}[[rule]]\nudm = \"principal.hostname\"\nfrom = \"o.h\"\n");
    let records = [
        r#"{"t":1,"kind":"A"}"#,
        r#"{"t":1,"kind":"b"}"#,
        r#"{"t":1,"o":{"k":"x"}}"#,
        r#"{"t":1,"z":1,"o":7}"#,
    ];
    for (own, expected) in [
        ("", [true, true, true, true]),
        ("[own]\n", [true, true, true, true]),
        ("[own]\nfields = { kind = \"a\" }\n", [true, false, true, true]),
        ("[own]\nfields = { kind = [\"a\", \"B\"], \"o.k\" = \"y\" }\n", [true, true, false, true]),
        ("[own]\nany = \"o\"\n", [false, false, true, true]),
        ("[own]\nany = \"o.k\"\n", [false, false, true, false]),
        ("[own]\nany = \"nothing\"\nalso = \"kind\"\n", [true, true, true, false]),
    ] {
        // A field may not be read as a value and as an object.
        let text = table(own);
        let text = if own.contains("any = \"o\"") {
            text.replace("o.h", "h").replace("any = \"o\"", "any = [\"o\"]")
        } else {
            text
        };
        fs::write(at("t.toml"), text).expect("written");
        for (record, is_own) in records.iter().zip(expected) {
            let (events, rejects) = converted(&["--mapping", &at("t.toml")], record.as_bytes());
            assert_eq!(
                (events, rejects.len()),
                (usize::from(is_own), usize::from(!is_own)),
                "{own} {record} {rejects:?}"
            );
            assert!(rejects.iter().all(|reject| reject.starts_with("other-log ")), "{rejects:?}");
        }
    }
    // Inherited, and taken back.
    for (own, events) in [("", 0), ("[own]\n", 1)] {
        fs::write(at("u.toml"), format!("[mapping]\nname = \"u\"\nextends = \"duo_telephony\"\n{own}"))
            .expect("written");
        let record = br#"{"timestamp":1,"eventtype":"auth"}"#;
        assert_eq!(converted(&["--mapping", &at("u.toml")], record).0, events);
    }
    // A rule that is left out does not make its field a foreign one.
    let without = "[mapping]\nname = \"u\"\nextends = \"duo_telephony\"\nwithout = [\"security_result[0].detection_fields[]\"]\n";
    fs::write(at("u.toml"), without).expect("written");
    assert_eq!(converted(&["--mapping", &at("u.toml")], br#"{"timestamp":1,"eventtype":"telephony"}"#).0, 1);
}

#[test]
fn faulty_sections_and_notations_are_refused_with_their_place() {
    for (text, place, words) in [
        ("[own]\nfeilds = { a = \"x\" }\n", "5:1", &["unknown key `feilds`", "`fields`"][..]),
        ("[own]\nfields = { a = [] }\n", "5:16", &["the list is empty"]),
        ("[own]\nfields = { a = \"\" }\n", "5:16", &["absent"]),
        ("[own]\nfields = { \"a[0]\" = \"x\" }\n", "5:21", &["`a[0]` is not a field"]),
        ("[own]\nany = []\n", "5:7", &["lists no fields"]),
        ("[own]\nany = \"t.x\"\n", "5:7", &["can't both be read"]),
        ("[own]\nalso = \"x\"\n", "5:8", &["only together with `any`"]),
        ("[own]\ncef = { vendor = \"x\" }\n", "5:7", &["reads no CEF lines"]),
        ("[own]\ncef = { vndor = \"x\" }\n[cef]\n", "5:9", &["`vndor`", "`vendor`"]),
        ("[cef]\nmilliseconds = { rt = \"soon\" }\n", "5:23", &["earliest time"]),
        (
            "[[envelope]]\nname = \"e\"\nwhen = { \"a..b\" = \"x\" }\nrecords = \"r\"\n",
            "6:19",
            &["`a..b` is not a field"],
        ),
        (
            "[[envelope]]\nname = \"e\"\npresent = \"a\"\nerror = \"r\"\ntext = true\n",
            "8:8",
            &["only with `records`"],
        ),
        ("[[rule]]\nudm = \"principal.hostname\"\nfrom = \"ips[*]\"\n", "6:8", &["lists", "`\"ips[*]\"`"]),
        ("[[rule]]\nudm = \"principal.hostname\"\nfrom = \"$.ips\"\n", "6:8", &["write `ips`"]),
        ("[[rule]]\nudm = \"principal.hostname\"\nfrom = \"a | lower\"\n", "6:8", &["functions"]),
        (
            "[[rule]]\nudm = \"principal.hostname\"\nfrom = [\"x\", \"a.*\"]\n",
            "6:14",
            &["`a.*` is not a field"],
        ),
        (
            "[[rule]]\nudm = \"principal.hostname\"\nvalue = \"${a}\"\n",
            "6:9",
            &["template", "from = \"a\"", "literal"],
        ),
        (
            "[[rule]]\nudm = \"principal.hostname\"\nfrom = \"a\"\ndefault = \"{{b}}\"\n",
            "7:11",
            &["template"],
        ),
        (
            "[[rule]]\nudm = \"principal.hostname\"\ncases = [{ present = \"a\", value = \"a|lower\" }]\n",
            "6:35",
            &["expression"],
        ),
        (
            "[[rule]]\nudm = \"principal.hostname\"\nvalue = \"x\"\norder = 99999999999999999999999\n",
            "7:9",
            &["whole number"],
        ),
    ] {
        let (status, said) = checked("t.toml", format!("{HEAD}{text}{RULES}").as_bytes());
        assert_eq!(status, 2, "{text}: {said}");
        assert!(said.contains(&format!("t.toml:{place}\n")), "{text} is at {place}: {said}");
        for word in words {
            assert!(said.contains(word), "{text} says {word}: {said}");
        }
    }
    let meant = "[[rule]]\nudm = \"principal.hostname\"\nvalue = \"${a}\"\nliteral = true\n\
                 [[rule]]\nudm = \"principal.user.userid\"\nfrom = '\"ips[0]\"'\n";
    let (status, said) = checked("t.toml", format!("{HEAD}{RULES}{meant}").as_bytes());
    assert_eq!(status, 0, "{said}");
}

#[test]
fn what_is_no_table_is_not_shown() {
    let secret = "hunter2";
    for text in
        [format!("root:{secret}:0:0\n"), format!("password = \"{secret}\"\n"), format!("[x]\ny = {secret}\n")]
    {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
        fs::write(at("passwd"), &text).expect("written");
        fs::write(at("base.toml"), &text).expect("written");
        for base in ["base.toml", "passwd", "../passwd", &at("passwd"), "./passwd"] {
            fs::write(at("t.toml"), format!("[mapping]\nname = \"t\"\nextends = '{base}'\n"))
                .expect("written");
            let run = run(&["mappings", "check", &at("t.toml")]);
            assert_eq!(run.status, 2, "{base}");
            assert!(!run.stderr.contains(secret) && !run.stdout.contains(secret), "{base}: {}", run.stderr);
        }
        for args in [
            vec!["mappings".to_owned(), "check".into(), at("passwd")],
            vec!["mappings".to_owned(), "show".into(), at("passwd")],
            vec!["mappings".to_owned(), "show".into(), "--source".into(), at("passwd")],
            vec!["convert".to_owned(), "-".into(), "--mapping".into(), at("passwd")],
        ] {
            let run = run(&args);
            assert_eq!(run.status, 2, "{args:?}");
            assert!(!run.stderr.contains(secret) && !run.stdout.contains(secret), "{args:?}: {}", run.stderr);
            assert!(run.stderr.contains("not a mapping table"), "{args:?}: {}", run.stderr);
        }
    }
}

#[test]
fn a_mistyped_table_is_told_the_nearest() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    fs::write(at("mine.toml"), format!("{HEAD}{RULES}")).expect("written");
    for (given, near) in [("duo_telephny", "`duo_telephony`"), (&at("mien.toml"), "`mine.toml`")] {
        let run = run(&["mappings", "check", given]);
        assert!(run.status == 2 && run.stderr.contains(near), "{given}: {}", run.stderr);
    }
    for (base, near) in [("duo_telefony", "`duo_telephony`"), ("mne.toml", "`mine.toml`")] {
        fs::write(at("t.toml"), format!("[mapping]\nname = \"t\"\nextends = \"{base}\"\n")).expect("written");
        let run = run(&["mappings", "check", &at("t.toml")]);
        assert!(run.status == 2 && run.stderr.contains(near), "{base}: {}", run.stderr);
    }
}

#[test]
fn hostile_tables_are_read_in_bounds() {
    let many = |text: &str, times: usize| text.repeat(times);
    let rules =
        |n: usize| (0..n).map(|i| format!("[[rule]]\nudm=\"x{i}.y\"\nvalue=\"z\"\n")).collect::<String>();
    let tables = [
        ("deep", format!("{HEAD}x={}{}", many("[", 400_000), many("]", 400_000)), "recurs"),
        ("dots", format!("{HEAD}{}a=1", many("a.", 400_000)), "recursion"),
        (
            "keys",
            format!("{HEAD}{}", (0..60_000).map(|i| format!("k{i}=1\n")).collect::<String>()),
            "and more",
        ),
        ("long", format!("{HEAD}\"{}\"=1", many("x", 1_000_000)), "unknown key"),
        ("rules", format!("{HEAD}{}", rules(20_000)), "10000 rules"),
        ("faults", format!("{HEAD}{}", rules(9_000)), "and more"),
        (
            "right",
            format!("{HEAD}{RULES}{}", many("[[rule]]\nudm=\"principal.ip[]\"\nfrom=\"a\"\n", 20_000)),
            "10000 rules",
        ),
        (
            "order",
            format!(
                "{HEAD}{RULES}[[rule]]\nudm=\"principal.hostname\"\nvalue=\"x\"\norder={}\n",
                many("9", 900_000)
            ),
            "whole number",
        ),
        (
            "path",
            format!("{HEAD}{RULES}[[rule]]\nudm=\"{}x\"\nvalue=\"x\"\n", many("principal.", 90_000)),
            "64 steps",
        ),
        (
            "field",
            format!("{HEAD}{RULES}[[rule]]\nudm=\"principal.hostname\"\nfrom=\"{}x\"\n", many("a.", 400_000)),
            "127 keys",
        ),
        (
            "fields",
            format!(
                "{HEAD}{RULES}[[rule]]\nudm=\"principal.hostname\"\nfrom=[{}]\n",
                (0..90_000).map(|i| format!("\"a{i}\",")).collect::<String>()
            ),
            "10000 fields",
        ),
        ("large", format!("{HEAD}#{}", many("x", 1 << 20)), "1048576 bytes"),
        ("escape", format!("{HEAD}\"\u{9b}31m\u{202e}\"=1\n"), "\\u{9b}31m\\u{202e}"),
    ];
    for (name, text, words) in tables {
        let (status, said) = checked(name, text.as_bytes());
        assert_eq!(status, 2, "{name}");
        assert!(said.contains(words), "{name}: {}", said.chars().take(2000).collect::<String>());
        assert!(said.len() < 40_000 && !said.contains('\u{9b}'), "{name}: {} bytes", said.len());
    }
    let (status, said) = checked("binary", b"[mapping]\n\xff\xfe\0");
    assert!(status == 2 && said.contains("UTF-8"), "{said}");
    for file in ["/dev/zero", "/dev/null", "/"] {
        let run = run(&["convert", "-", "--mapping", file]);
        assert!(run.status == 2 && run.stderr.contains("expected a file"), "{file}: {}", run.stderr);
    }
}

#[cfg(unix)]
#[test]
fn a_pipe_is_no_table() {
    let folder = tempfile::tempdir().expect("a folder");
    let pipe = folder.path().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().expect("mkfifo").success());
    let run = run(&["mappings".as_ref(), "check".as_ref(), pipe.as_os_str()]);
    assert!(run.status == 2 && run.stderr.contains("a pipe"), "{}", run.stderr);
}

#[test]
fn tables_that_build_on_each_other_in_a_circle_end() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    for (name, base) in [("a.toml", "b.toml"), ("b.toml", "a.toml")] {
        fs::write(at(name), format!("[mapping]\nname = \"t\"\nextends = \"{base}\"\n")).expect("written");
    }
    let run = run(&["mappings", "check", &at("a.toml")]);
    assert!(run.status == 2 && run.stderr.contains("do two extend each other?"), "{}", run.stderr);
}

#[test]
fn records_in_texts_by_a_table_that_says_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let table = folder.path().join("cloudwatch.toml").to_string_lossy().into_owned();
    let envelopes = "[[envelope]]\nname = \"CloudWatch\"\nwhen = { messageType = \"DATA_MESSAGE\" }\nrecords = \"logEvents\"\n\
                     [[envelope]]\nname = \"CloudWatch\"\npresent = [\"id\", \"message\"]\nrecords = \"message\"\ntext = true\n\
                     [[envelope]]\nname = \"Docker\"\npresent = [\"log\", \"stream\"]\nrecords = \"log\"\ntext = true\n";
    fs::write(&table, format!("[mapping]\nname = \"cw\"\nextends = \"duo_telephony\"\n{envelopes}"))
        .expect("written");
    let log = fs::read(project("tests/field/28-cloudwatch-strings.json")).expect("the log");
    assert_eq!(converted(&["--mapping", &table], &log), (2, vec![]));
    let record = r#"{\"ts\":\"2023-03-21T22:34:49Z\",\"type\":\"sms\"}"#;
    for (line, events, rejects) in [
        (format!(r#"{{"log":"{record}\n","stream":"stdout","time":"x"}}"#), 1, 0),
        (format!(r#"{{"log":"{record}\n{record}\r\n","stream":"stdout"}}"#), 2, 0),
        (format!(r#"{{"log":"[{record},{record}]","stream":"stdout"}}"#), 2, 0),
        (format!(r#"{{"log":"{record}\nno\n","stream":"stdout"}}"#), 1, 1),
        (r#"{"log":"\n","stream":"stdout"}"#.to_owned(), 0, 0),
        (format!(r#"{{"log":"{record}\n","stream":"stdout","service":"activity"}}"#), 0, 1),
    ] {
        let (got, why) = converted(&["--mapping", &table], line.as_bytes());
        assert_eq!((got, why.len()), (events, rejects), "{line} {why:?}");
    }
    // Texts in texts end.
    let mut nested = r#"{"ts":"2023-03-21T22:34:49Z","type":"sms"}"#.to_owned();
    for depth in 1..=6 {
        nested = serde_json::json!({"log": nested, "stream": "x"}).to_string();
        let (events, rejects) = converted(&["--mapping", &table], nested.as_bytes());
        assert_eq!((events, rejects.len()), if depth <= 4 { (1, 0) } else { (0, 1) }, "{depth}");
    }
}

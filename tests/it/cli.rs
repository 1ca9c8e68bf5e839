//! The command from outside: exit statuses, options, outputs, and what it says.

use crate::support::{json_lines, names, project, run, run_with, udmap};
use std::fs;
use std::io::Read as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use udmap::lab::{Generator, Mix};

const V1: &str = r#"{"context":"authentication","credits":1,"timestamp":1683648435,"phone":"+15550100","type":"sms","host":"api-1.duosecurity.com"}"#;
const NO_TIME: &str = r#"{"context":"enrollment"}"#;

/// `arguments | stdin -> exit status, words on stderr`.
#[test]
fn exit_statuses_and_messages() {
    let good = format!("{V1}\n");
    let bad = format!("{V1}\n{NO_TIME}\n{NO_TIME}\n");
    let cases: &[(&[&str], &str, i32, &[&str])] = &[
        (&["convert", "-"], &good, 0, &["1 record -> 1 event, 0 rejects"]),
        (&["convert", "-"], "", 3, &["0 records", "not one record", "--allow-empty"]),
        (&["convert", "-", "-q"], &good, 0, &[]),
        (&["convert", "-"], &bad, 1, &["no-timestamp", "-:2:", "--rejects FILE"]),
        (&["convert", "-", "--max-rejects", "1"], &bad, 1, &[]),
        (&["convert", "-", "--max-rejects", "2"], &bad, 0, &[]),
        (&["convert", "-", "--threads", "1"], &bad, 1, &["1 event"]),
        (&["convert", "-", "--max-record-bytes", "20"], &good, 1, &["too-long", "over the limit of 20"]),
        (&["convert"], "", 2, &["INPUT"]),
        (&["convert", "-", "-"], "", 2, &["stdin"]),
        (&["convert", "no/such/file"], "", 2, &["no/such/file"]),
        (&["convert", "no/such/*.gz"], "", 2, &["no/such/*.gz"]),
        (
            &["convert", "-", "--mapping", "duo_telefony"],
            "",
            2,
            &["duo_telefony", "did you mean `duo_telephony`?"],
        ),
        (&["convert", "-", "-o", "no/such/folder/x"], "", 2, &["no/such/folder"]),
        (&["convert", "-", "-o", "-", "--rejects", "-"], "", 2, &["stdout can't take two outputs"]),
        (&["convert", "-", "--threads", "0"], "", 2, &["--threads"]),
        (&["convert", "-", "--label", "novalue"], "", 2, &["KEY=VALUE"]),
        (&["convert", "-", "--namespace", ""], "", 2, &["namespace"]),
        (&["convert", "-", "--field-names", "pascal"], "", 2, &["snake", "camel"]),
        (&["convert", "-", "-o", "/dev/full"], &good, 2, &["/dev/full", "No space left"]),
        (&["generate", "--records", "1", "--mix", "v3"], "", 2, &["v3", "awkward"]),
        (&["mappings", "check", "no-such.toml"], "", 2, &["no-such.toml"]),
        (&["frobnicate"], "", 2, &["frobnicate"]),
    ];
    for (args, stdin, status, words) in cases {
        let run = run_with(stdin.as_bytes(), args);
        assert_eq!(run.status, *status, "{args:?}: {}", run.stderr);
        for word in *words {
            assert!(run.stderr.contains(word), "{args:?} says {word}: {}", run.stderr);
        }
        if args.contains(&"-q") {
            assert_eq!(run.stderr, "");
        }
        assert!(!run.stderr.contains('\u{1b}') && !run.stderr.contains("panicked"), "{}", run.stderr);
    }
}

#[test]
fn spelling_envelope_namespace_and_labels() {
    let event = |args: &[&str]| {
        let args: Vec<&str> = [&["convert", "-", "-q"], args].concat();
        let run = run_with(format!("{V1}\n").as_bytes(), &args);
        assert_eq!(run.status, 0, "{}", run.stderr);
        json_lines(&run.stdout).remove(0)
    };
    let camel = event(&["--field-names", "camel", "--envelope", "event"]);
    let udm = &camel["event"]["idm"]["readOnlyUdm"];
    assert_eq!(udm["metadata"]["eventType"], "USER_UNCATEGORIZED");
    assert_eq!(udm["principal"]["user"]["phoneNumbers"][0], "+15550100");
    assert_eq!(udm["securityResult"][0]["detectionFields"][0]["key"], "credits");
    assert_eq!(
        event(&["--envelope", "event"])["event"]["idm"]["read_only_udm"]["metadata"]["vendor_name"],
        "Duo"
    );

    let tagged = event(&["--namespace", "corp \"x\"", "--label", "env=prod", "--label", "a=b=c"]);
    assert_eq!(tagged["principal"]["namespace"], "corp \"x\"");
    let labels = serde_json::json!([{"key": "env", "value": "prod"}, {"key": "a", "value": "b=c"}]);
    assert_eq!(tagged["metadata"]["ingestion_labels"], labels);
    // Where no principal stands, none is made for the namespace.
    let run = run_with(br#"{"ts":"2024-01-01T00:00:00Z"}"#, &["convert", "-", "-q", "--namespace", "corp"]);
    assert!(!run.stdout.contains("principal"), "{}", run.stdout);
}

#[test]
fn files_folders_patterns_and_compression() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    let line = |n: u32| format!("{{\"timestamp\":{n},\"phone\":\"{n}\"}}\n");
    fs::create_dir_all(at("in/b")).expect("folders");
    fs::write(at("in/c.ndjson"), line(3)).expect("written");
    fs::write(at("in/a.ndjson"), line(1)).expect("written");
    fs::write(at("in/b/x.log"), line(2)).expect("written");
    fs::write(at("in/.hidden"), "not JSON").expect("written");
    let phones = |output: &str| -> Vec<String> {
        json_lines(output)
            .iter()
            .map(|e| e["principal"]["user"]["userid"].as_str().unwrap_or("").to_owned())
            .collect()
    };

    let whole = run(&["convert", &at("in")]);
    assert_eq!(phones(&whole.stdout), ["1", "2", "3"]);
    assert!(whole.stderr.contains("hidden"), "{}", whole.stderr);
    assert_eq!(phones(&run(&["convert", &at("in/*.ndjson")]).stdout), ["1", "3"]);
    assert_eq!(phones(&run(&["convert", &at("in/c.ndjson"), &at("in/a.ndjson")]).stdout), ["3", "1"]);

    // Out compressed, in again; the name says nothing about what is inside.
    for end in ["gz", "zst"] {
        let made = run(&["generate", "--records", "500", "--seed", "4", "-o", &at(&format!("log.{end}"))]);
        assert_eq!(made.status, 0, "{}", made.stderr);
        fs::rename(at(&format!("log.{end}")), at("log")).expect("renamed");
        let events = at(&format!("events.{end}"));
        assert_eq!(run(&["convert", &at("log"), "-o", &events]).status, 0);
        let plain = run(&["generate", "--records", "500", "--seed", "4"]);
        let expected = run_with(plain.stdout.as_bytes(), &["convert", "-"]);
        let packed = fs::read(&events).expect("events");
        let unpacked = match end {
            "gz" => {
                let mut text = Vec::new();
                flate2::read::MultiGzDecoder::new(&packed[..]).read_to_end(&mut text).expect("gzip");
                text
            }
            _ => zstd::decode_all(&packed[..]).expect("zstd"),
        };
        assert!(unpacked == expected.stdout.as_bytes(), "{end}");
        assert!(packed.len() < unpacked.len() / 4);
    }
}

#[test]
fn a_damaged_input_is_named_and_the_rest_goes_on() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    run(&["generate", "--records", "20000", "-o", &at("a.gz")]);
    let mut bytes = fs::read(at("a.gz")).expect("a.gz");
    bytes.truncate(bytes.len() / 2);
    fs::write(at("a.gz"), bytes).expect("written");
    fs::write(at("b"), format!("{V1}\n")).expect("written");
    let run = run(&["convert", &at("a.gz"), &at("b"), "-o", &at("out"), "--summary", &at("summary")]);
    assert_eq!(run.status, 2, "{}", run.stderr);
    assert!(
        run.stderr.contains("a.gz") && run.stderr.contains("gzip") && run.stderr.contains("at byte"),
        "{}",
        run.stderr
    );
    let events = json_lines(&fs::read_to_string(at("out")).expect("out"));
    assert!(events.len() > 5_000, "{}", events.len());
    assert_eq!(events.last().expect("an event")["metadata"]["event_type"], "USER_UNCATEGORIZED");
    let summary = &json_lines(&fs::read_to_string(at("summary")).expect("summary").replace('\n', " "))[0];
    assert_eq!(summary["failures"].as_array().map(Vec::len), Some(1));
    assert_eq!(summary["exit_status"], 2);
}

#[test]
fn the_summary_holds_the_books() {
    let folder = tempfile::tempdir().expect("a folder");
    let summary = folder.path().join("summary.json");
    let mix: Mix = "v1,v2,awkward,broken,wrapped".parse().expect("a mix");
    let log = Generator::records(5, &mix, 3000);
    let args = [
        "convert".as_ref(),
        "-".as_ref(),
        "-o".as_ref(),
        "/dev/null".as_ref(),
        "--summary".as_ref(),
        summary.as_os_str(),
    ];
    let run = run_with(&log, &args);
    assert_eq!(run.status, 1, "{}", run.stderr);
    let summary: serde_json::Value =
        serde_json::from_slice(&fs::read(&summary).expect("summary")).expect("JSON");
    let n = |key: &str| summary[key].as_u64().expect(key);
    let sum = |key: &str| {
        summary[key].as_object().expect(key).values().map(|v| v.as_u64().expect(key)).sum::<u64>()
    };
    assert_eq!(n("records"), n("events") + n("rejects"));
    assert_eq!(n("rejects"), sum("by_reason"));
    assert_eq!(n("records"), sum("by_format"));
    assert_eq!(n("records"), sum("by_shape"));
    assert_eq!(n("bytes_in"), log.len() as u64);
    let kinds = summary["by_event_type"].as_array().expect("by_event_type");
    assert_eq!(n("events"), kinds.iter().map(|k| k["events"].as_u64().expect("events")).sum::<u64>());
    assert!(kinds.iter().any(|k| k["event_type"] == "GENERIC_EVENT" && k["because"] == "otherwise"));
    assert_eq!(summary["balances"], true);
}

/// Text that a person reads: kept as it is in a file, so that a change of it shows.
#[test]
fn the_closing_summary_reads_well() {
    let log = format!(
        "{V1}\n{NO_TIME}\n\n{{\"ts\":\"2024-01-01T00:00:00Z\"}}\n{NO_TIME}\n{NO_TIME}\n{NO_TIME}\n{{\n"
    );
    let run = run_with(log.as_bytes(), &["convert", "-"]);
    let text = run.stderr.split_once('\n').expect("lines").1;
    let head = run.stderr.lines().next().unwrap_or_default();
    assert!(head.starts_with("7 records -> 2 events, 5 rejects  in "), "{head}");
    let expected = "  read       1 input, 261 bytes, 1 blank line
  shapes     other 4, unreadable 1, v1 1, v2 1
  formats    plain 7
  events     USER_UNCATEGORIZED           1  with `context`, `host`
             GENERIC_EVENT                1  otherwise
  rejects    invalid-json              1
               -:8: not valid JSON: expected a key in quotes, found the end at column 2
             no-timestamp              4
               -:2: no time in `timestamp`, `ts`, `isotimestamp`
               -:5: no time in `timestamp`, `ts`, `isotimestamp`
               -:6: no time in `timestamp`, `ts`, `isotimestamp`
               ... and 1 more
  to         stdout
hint: keep the rejects with `--rejects FILE`
";
    assert_eq!(text, expected);
}

#[test]
fn a_closed_pipe_is_no_error() {
    let mut child = udmap()
        .args(["generate", "--records", "1000000"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command starts");
    let log = child.stdout.take().expect("stdout");
    let mut convert = udmap()
        .args(["convert", "-"])
        .stdin(log)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command starts");
    let mut first = [0; 100];
    convert.stdout.take().expect("stdout").read_exact(&mut first).expect("an event");
    // The pipe closes here, long before the end.
    let convert = convert.wait_with_output().expect("the command ends");
    assert_eq!(convert.status.code(), Some(0), "{}", String::from_utf8_lossy(&convert.stderr));
    assert_eq!(String::from_utf8_lossy(&convert.stderr), "");
    let generate = child.wait_with_output().expect("the command ends");
    assert_eq!(generate.status.code(), Some(0), "{}", String::from_utf8_lossy(&generate.stderr));
}

/// A file size limit stands for a full disk: the write fails in the middle of a regular file.
#[test]
fn a_full_disk_is_an_error_that_names_the_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("events.ndjson");
    fs::write(&out, "what was there before").expect("written");
    let script = format!(
        "trap '' XFSZ; ulimit -f 100; '{bin}' generate --records 5000 | '{bin}' convert - -o '{}'",
        out.display(),
        bin = env!("CARGO_BIN_EXE_udmap"),
    );
    let output = Command::new("sh").args(["-c", &script]).output().expect("sh");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("events.ndjson") && said.contains("File too large"), "{said}");
    assert_eq!(fs::read_to_string(&out).expect("the old file"), "what was there before");
    assert_eq!(names(folder.path()), ["events.ndjson"], "nothing is left over");
}

/// Starts a conversion into a file that waits for more input in the middle.
fn half_way(folder: &std::path::Path, log: &[u8]) -> (std::process::Child, std::process::ChildStdin) {
    use std::io::Write as _;
    let mut child = udmap()
        .arg("convert")
        .args(["-", "-o"])
        .arg(folder.join("events.ndjson"))
        .arg("--rejects")
        .arg(folder.join("rejects.ndjson"))
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command starts");
    let mut stdin = child.stdin.take().expect("stdin");
    stdin.write_all(log).expect("fed");
    let deadline = Instant::now() + Duration::from_secs(60);
    // Until something was written beside the final name.
    while !names(folder).iter().any(|name| fs::metadata(folder.join(name)).is_ok_and(|m| m.len() > 0)) {
        assert!(Instant::now() < deadline, "nothing was written");
        std::thread::sleep(Duration::from_millis(20));
    }
    (child, stdin)
}

#[test]
fn killed_in_the_middle_nothing_stands_under_the_final_name() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = Generator::records(1, &Mix::default(), 20_000);
    let (mut child, stdin) = half_way(folder.path(), &log);
    child.kill().expect("killed");
    child.wait().expect("ended");
    drop(stdin);
    let left = names(folder.path());
    assert!(left.iter().all(|name| name.starts_with('.')), "{left:?}");
}

#[test]
fn interrupted_it_stops_cleanly_and_says_how_far_it_came() {
    for signal in ["-INT", "-TERM"] {
        let folder = tempfile::tempdir().expect("a folder");
        let log = Generator::records(1, &Mix::default(), 20_000);
        let (child, stdin) = half_way(folder.path(), &log);
        let start = Instant::now();
        assert!(
            Command::new("kill").args([signal, &child.id().to_string()]).status().expect("kill").success()
        );
        let output = child.wait_with_output().expect("ended");
        assert!(start.elapsed() < Duration::from_secs(20), "stdin is open, and still it ends");
        drop(stdin);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(
            said.starts_with("interrupted: ") && said.contains("up to byte ") && said.contains("of `-`"),
            "{said}"
        );
        assert!(names(folder.path()).is_empty(), "{:?}", names(folder.path()));
    }
}

#[test]
fn own_outputs_are_not_inputs() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    fs::write(at("log"), format!("{V1}\n")).expect("written");
    for _ in 0..2 {
        let run = run(&["convert", &at(""), "-o", &at("out")]);
        assert_eq!(run.status, 0, "{}", run.stderr);
        assert_eq!(json_lines(&fs::read_to_string(at("out")).expect("out")).len(), 1);
    }
    let run = run(&["convert", &at("out"), "-o", &at("out")]);
    assert_eq!(run.status, 2, "{}", run.stderr);
    assert!(run.stderr.contains("both input and output"), "{}", run.stderr);
}

#[test]
fn help_and_completions() {
    for args in [
        &["help"][..],
        &["--help"],
        &["help", "convert"],
        &["convert", "--help"],
        &["mappings", "--help"],
        &["bench", "--help"],
    ] {
        let run = run(args);
        assert_eq!(run.status, 0, "{args:?}");
        assert!(run.stdout.contains("Examples:"), "{args:?}: {}", run.stdout);
    }
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let run = run(&["completions", shell]);
        assert_eq!(run.status, 0, "{}", run.stderr);
        assert!(run.stdout.contains("max-record-bytes"), "{shell}");
    }
    assert!(run(&["--version"]).stdout.starts_with("udmap "));
}

#[test]
fn progress_goes_to_stderr_and_only_when_asked_in_a_pipe() {
    let log = Generator::records(1, &Mix::default(), 300_000);
    let silent = run_with(&log, &["convert", "-", "-q", "-o", "/dev/null"]);
    assert_eq!(silent.stderr, "");
    // A line a second: with a slow feed there is at least one.
    let mut child = udmap()
        .args(["convert", "-", "-q", "-o", "/dev/null", "--progress", "always"])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command starts");
    let mut stdin = child.stdin.take().expect("stdin");
    for part in log.chunks(log.len() / 5) {
        std::io::Write::write_all(&mut stdin, part).expect("fed");
        std::thread::sleep(Duration::from_millis(400));
    }
    drop(stdin);
    let said = child.wait_with_output().expect("ended");
    let said = String::from_utf8_lossy(&said.stderr);
    assert!(said.contains("records") && said.contains("/s"), "{said}");
}

/// The worked example of docs/mapping.md: the table is right, and its slip is refused as it says.
#[test]
fn the_mapping_guide_shows_what_is() {
    let guide = fs::read_to_string(project("docs/mapping.md")).expect("docs/mapping.md");
    let block = |language: &str| {
        let start =
            guide.find(&format!("```{language}\n[mapping]")).expect("the example") + 4 + language.len();
        guide[start..start + guide[start..].find("```").expect("its end")].to_owned()
    };
    let folder = tempfile::tempdir().expect("a folder");
    let check = |table: String| {
        fs::write(folder.path().join("mine.toml"), table).expect("written");
        let run = udmap().current_dir(folder.path()).args(["mappings", "check", "mine.toml"]).output();
        crate::support::Run::of(&run.expect("the command starts"))
    };
    let right = check(block("toml"));
    assert_eq!(right.status, 0, "{}", right.stderr);
    let wrong = check(block("toml").replace("description", "descripton"));
    assert_eq!(wrong.status, 2);
    assert!(guide.contains(wrong.stderr.trim_end()), "{}", wrong.stderr);
}

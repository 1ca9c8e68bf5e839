//! Whole repositories given to `udmap validate` and `udmap test`: what is not theirs is named and left out.

use crate::support::{Run, project, run, udmap};
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::process::Command;

const GOOD: &str = r#"{"metadata":{"event_timestamp":"2024-01-01T00:00:00Z","event_type":"STATUS_UPDATE"},"principal":{"hostname":"h"}}"#;

/// A file below a folder, with the folders above it.
fn write(root: &Path, name: &str, bytes: impl AsRef<[u8]>) {
    let path = root.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

/// Runs the command in a folder.
pub(crate) fn run_in(folder: &Path, args: &[&str]) -> Run {
    Run::of(&udmap().current_dir(folder).args(args).output().unwrap())
}

/// Copies a folder of the project.
pub(crate) fn copy(from: &str, to: &Path) {
    let mut copy = Command::new("cp");
    assert!(copy.arg("-r").arg(project(from)).arg(to).status().unwrap().success());
}

/// Files as they are in content-hub besides the parsers: integrations, playbooks, indexes, images.
fn other_content(root: &Path) {
    for (name, text) in [
        (
            "README.md",
            "# Content\n\n```json\n{\"metadata\": {\"event_type\": \"X\"}, \"principal\": {}}\n```\n",
        ),
        ("pyproject.toml", "[project]\nname = \"x\"\n"),
        ("uv.lock", "version = 1\n"),
        (
            "content/parsers/third_party/COMMUNITY_INDEX.json",
            r#"[{"log_type":"AWS_EKS","metadata":{"product":"x"}}]"#,
        ),
        ("content/response_integrations/x/definition.yaml", "identifier: X\nparameters:\n  - name: URL\n"),
        ("content/response_integrations/x/actions/ping.py", "import json\n"),
        ("content/response_integrations/x/__init__.py", ""),
        ("content/response_integrations/x/tests/mock_data.json", r#"{"events":[{"id":"1"}],"error":null}"#),
        ("content/response_integrations/x/tests/config.json", "{}"),
        ("content/response_integrations/x/resources/logo.svg", "<svg/>"),
        ("content/response_integrations/x/pytest_output.txt", "=== 3 passed ===\n"),
        ("content/playbooks/x/trigger.yaml", "identifier: x\nconditions: []\n"),
        ("content/playbooks/x/widgets/w.yaml", "title: w\n"),
        ("content/playbooks/x/definition.json", r#"{"Steps":[{"Name":"x"}],"Overviews":[]}"#),
    ] {
        write(root, name, text);
    }
    write(root, "content/response_integrations/x/deps.zip", b"PK\x03\x04\x14\0\0\0");
    write(root, "content/response_integrations/x/resources/image.png", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR");
}

#[test]
fn content_hub_s_checkout_passes_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("hub");
    copy("fixtures/content-hub", &root);
    other_content(&root);
    let run = run_in(&root, &["validate", ".", "--report", "json=report.json"]);
    assert_eq!(run.status, 0, "{}{}", run.stdout, run.stderr);
    assert!(run.stderr.contains("25 events: 0 errors"), "{}", run.stderr);
    assert!(!run.stdout.contains("invalid-json"), "{}", run.stdout);
    let lines: Vec<&str> = run.stderr.lines().filter(|line| line.starts_with("left out: ")).collect();
    for (kind, first) in [
        ("5 files of raw logs", "AWS_EKS/cbn/testdata/raw_logs/default_log.json"),
        ("9 files of JSON of another kind", "COMMUNITY_INDEX.json"),
        ("3 files of YAML of another kind", "content/playbooks/x/trigger.yaml"),
        ("2 files of binary data", "content/response_integrations/x/deps.zip"),
        ("files of text of another kind", "LICENSE"),
    ] {
        let found = lines.iter().filter(|line| line.contains(kind)).count();
        assert!(found == 1 && lines.iter().any(|line| line.contains(first)), "{kind}: {lines:#?}");
    }
    assert_eq!(lines.len(), 5);
    let report: Value = serde_json::from_str(&fs::read_to_string(root.join("report.json")).unwrap()).unwrap();
    let left_out = report["left_out"].as_array().unwrap();
    assert_eq!(
        (left_out.len(), &left_out[0]["kind"], &left_out[0]["files"]),
        (5, &"raw logs".into(), &5.into())
    );

    // A report of an earlier run is JSON of another kind; a new error is found; a damaged file is not left out.
    assert_eq!(run_in(&root, &["validate", "."]).status, 0);
    write(&root, "content/parsers/X/cbn/testdata/expected_events/x_events.json", "{\"events\":[");
    let damaged = run_in(&root, &["validate", "."]);
    assert_eq!(damaged.status, 1);
    assert!(damaged.stdout.contains("error[invalid-json]"), "{}", damaged.stdout);

    // What has no metadata counts.
    let test = run_in(&root, &["test", "."]);
    assert_eq!(test.status, 1, "{}{}", test.stdout, test.stderr);
    assert!(test.stdout.contains("\nFAIL content/parsers/X/cbn/testdata/"), "{}", test.stdout);
    fs::remove_dir_all(root.join("content/parsers/X")).unwrap();
    // Cases are run by the parsers that they have; those of other tables without one are left out.
    let test = run_in(&root, &["test", "."]);
    assert_eq!(test.status, 0, "{}{}", test.stdout, test.stderr);
    assert!(test.stderr.contains("tested with their parsers: 5 cases"), "{}", test.stderr);
    for name in ["AWS_EKS", "IBM_B2B_INTEGRATOR", "KEYFACTOR", "ONFIDO", "SURICATA_EVE"] {
        let folder = root.join("content/parsers/third_party/community").join(name).join("cbn");
        fs::remove_file(folder.join(format!("default_{}.conf", name.to_lowercase()))).unwrap();
    }
    let test = run_in(&root, &["test", "."]);
    assert_eq!(test.status, 3, "{}{}", test.stdout, test.stderr);
    let types =
        "left out: 5 cases of other log types (AWS_EKS, IBM_B2B_INTEGRATOR, KEYFACTOR, ONFIDO, SURICATA_EVE)";
    assert!(test.stderr.contains(types), "{}", test.stderr);
    assert!(test.stderr.contains("are all of other log types than DUO_TELEPHONY"), "{}", test.stderr);

    // Among them, the cases of the table's log type are run.
    let parser = "content/parsers/third_party/community/DUO_TELEPHONY/cbn";
    write(&root, &format!("{parser}/metadata.json"), r#"{"log_type": "DUO_TELEPHONY"}"#);
    let record = r#"{"timestamp":1346172697,"phone":"+15035550100","context":"authentication","type":"sms","credits":1}"#;
    let log = serde_json::json!({ "raw_logs": { "entries": [{ "data": record }] } });
    write(&root, &format!("{parser}/testdata/raw_logs/default_log.json"), log.to_string());
    assert_eq!(run_in(&root, &["test", "."]).status, 1);
    assert_eq!(run_in(&root, &["test", ".", "--bless"]).status, 0);
    let test = run_in(&root, &["test", "."]);
    assert_eq!(test.status, 0, "{}{}", test.stdout, test.stderr);
    assert!(test.stderr.starts_with(&format!("1 case, 0 failed\n{types}")), "{}", test.stderr);
    assert!(test.stdout.starts_with(&format!("ok   {parser}/testdata/default\n")), "{}", test.stdout);
    let run = run_in(&root, &["validate", ".", "--strict"]);
    assert_eq!(run.status, 0, "{}{}", run.stdout, run.stderr);
    assert!(run.stderr.contains("26 events: 0 errors"), "{}", run.stderr);
}

#[test]
fn secops_toolkit_s_layout_passes_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("kit");
    copy("fixtures/secops-toolkit", &root);
    for (name, text) in [
        (".github/workflows/secops.yaml", "on: push\n"),
        ("main.py", "print()\n"),
        ("rules/x.yaml", "x:\n  enabled: true\n"),
        ("parsers/OTHER/parser.conf", "filter {\n"),
        ("parsers/OTHER/parser.yaml", "log_type: OTHER\n"),
        ("parsers/OTHER/logs/logs.txt", "<134>a log\n"),
        (
            "parsers/OTHER/events/logs.yaml",
            "# a comment\n\n- events:\n    - event:\n        metadata:\n          eventTimestamp: '2025-07-01T20:59:13Z'\n          eventType: GENERIC_EVENT\n",
        ),
    ] {
        write(&root, name, text);
    }
    let run = run_in(&root, &["validate", "."]);
    assert_eq!(run.status, 0, "{}{}", run.stdout, run.stderr);
    assert!(run.stderr.contains("12 events: 0 errors"), "{}", run.stderr);
    let raw = "left out: 2 files of raw logs (parsers/DUO_TELEPHONY/logs/quickstart.txt, parsers/OTHER/logs/logs.txt)";
    assert!(run.stderr.contains(raw), "{}", run.stderr);
    // The parser does not load; without it the case is left out.
    let test = run_in(&root, &["test", "."]);
    assert_eq!(test.status, 1, "{}{}", test.stdout, test.stderr);
    assert!(test.stdout.contains("FAIL parsers/OTHER/logs\n"), "{}", test.stdout);
    assert!(test.stdout.contains("    parsers/OTHER/parser.conf:2:1: expected"), "{}", test.stdout);
    fs::remove_file(root.join("parsers/OTHER/parser.conf")).unwrap();
    let test = run_in(&root, &["test", "."]);
    assert_eq!(test.status, 0, "{}{}", test.stdout, test.stderr);
    assert!(test.stdout.contains("ok   parsers/DUO_TELEPHONY/quickstart"), "{}", test.stdout);
    assert!(test.stderr.contains("left out: 1 case of other log types (OTHER)"), "{}", test.stderr);

    // The place of a finding is the line of the YAML file.
    let events = root.join("parsers/OTHER/events/logs.yaml");
    let wrong = fs::read_to_string(&events).unwrap().replace("GENERIC_EVENT", "NO_SUCH_TYPE");
    fs::write(&events, wrong).unwrap();
    let run = run_in(&root, &["validate", "."]);
    assert_eq!(run.status, 1);
    assert!(run.stdout.contains("parsers/OTHER/events/logs.yaml:7 (byte"), "{}", run.stdout);
}

/// The same values as the case in JSON that it was made of; `diff` reads YAML, too, and names its lines.
#[test]
fn the_case_in_yaml_has_the_events_of_quickstart() {
    let yaml = project("fixtures/secops-toolkit/parsers/DUO_TELEPHONY/events/quickstart.yaml");
    let quickstart = project("fixtures/quickstart/events.ndjson");
    let same = run(&["diff".as_ref(), yaml.as_os_str(), quickstart.as_os_str()]);
    assert_eq!(same.status, 0, "{}{}", same.stdout, same.stderr);
    assert!(same.stderr.starts_with("A: 11 events, B: 11 events; 11 in both"), "{}", same.stderr);

    let folder = tempfile::tempdir().unwrap();
    let text = fs::read_to_string(&yaml).unwrap();
    let line = 1 + text.lines().position(|line| line.contains("phoneNumbers")).unwrap();
    write(folder.path(), "a.yaml", text.replacen("+12125556707", "+1", 1));
    let other = run_in(folder.path(), &["diff", "a.yaml", quickstart.to_str().unwrap()]);
    assert_eq!(other.status, 1, "{}{}", other.stdout, other.stderr);
    let named = other
        .stdout
        .split("a.yaml:")
        .nth(1)
        .and_then(|rest| rest.split(|c: char| !c.is_ascii_digit()).next());
    let named: usize = named.unwrap().parse().unwrap();
    assert!(named > 1 && named <= line, "line {named}: {}", other.stdout);

    write(folder.path(), "b.yaml", "a: 1\n b: [");
    let wrong = run_in(folder.path(), &["diff", "b.yaml", quickstart.to_str().unwrap()]);
    assert_eq!(wrong.status, 2);
    assert!(wrong.stderr.contains("cannot read `b.yaml`, line 2: not valid YAML: "), "{}", wrong.stderr);
}

#[test]
fn a_file_that_is_named_is_checked() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    write(root, "a.conf", "filter {}");
    write(root, "b.yaml", "a: [");
    write(root, "c.json", "{\"a\":1}");
    let all = run_in(root, &["validate", "."]);
    assert_eq!(all.status, 3, "{}{}", all.stdout, all.stderr);
    assert!(
        all.stderr.contains("warning: there is no event in `.`: only files of other kinds"),
        "{}",
        all.stderr
    );
    assert_eq!(run_in(root, &["validate", "*", "--allow-empty"]).status, 0);
    for (name, code) in [("a.conf", "invalid-json"), ("b.yaml", "invalid-yaml"), ("c.json", "no-timestamp")] {
        let again = format!("./{name}");
        for inputs in [vec![name], vec![".", name], vec![name, "."], vec!["*", &again]] {
            let run = run_in(root, &[&["validate"], inputs.as_slice()].concat());
            assert_eq!(run.status, 1, "{name}: {}", run.stderr);
            assert!(run.stdout.contains(&format!("error[{code}]")), "{name}: {}", run.stdout);
        }
    }
}

/// Damaged, mistyped and misplaced files of events next to a good one: none may pass in silence.
#[test]
fn no_damaged_event_is_left_out() {
    let log = "a log line\n".repeat(20_000);
    let noise: Vec<u8> = (0..4096u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    let behind = |noise: &[u8]| [noise, b"\n", GOOD.replace("h\"", "\"").as_bytes()].concat();
    let yaml = b"events:\n- metadata:\n    event_type: USER_LOGIN\n  principal: {ip: [x]}\n".to_vec();
    let cases: Vec<(&str, Vec<u8>)> = vec![
        (
            "a.json",
            br#"[{"metadata":{"event_type":"USER_LOGIN"},"principal":{"ip":["x"]},"netwrk":{}}]"#.to_vec(),
        ),
        ("a.json", br#"[{"metadata":{"event_type":"USER_LOGIN"}}]"#.to_vec()),
        ("a.json", br#"{"Events":[{"metadata":{"event_type":"X"},"target":{}}]}"#.to_vec()),
        ("a.json", br#"{"udmEvents":[{"metadata":{"event_type":"X"},"target":{}}]}"#.to_vec()),
        ("a.json", br#"[{"Metadata":{"event_timestamp":"x","event_type":"X"},"principal":{}}]"#.to_vec()),
        (
            "a.yaml",
            b"events:\n- metadata:\n    vendor_name: A\n    product_name: B\n  principal: {ip: [x]}\n"
                .to_vec(),
        ),
        ("a.yaml", b"events:\n- principal:\n    hostname: x\n".to_vec()),
        ("layout/events/e1.json", b"{}".to_vec()),
        ("expected_events/sub/e1.json", b"{\"a\":1}".to_vec()),
        ("part-1", behind(&noise)),
        ("a.log", [log.as_bytes(), &behind(b"")].concat()),
        ("a.txt", [log.as_bytes(), &behind(b"")].concat()),
        ("x.txt", yaml.clone()),
        ("x.yaml.bak", yaml.clone()),
        ("x.yaml.GZ", yaml),
    ];
    for (name, bytes) in cases {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), "good.ndjson", GOOD);
        write(folder.path(), name, &bytes);
        // What makes a folder `events` one of a layout.
        fs::create_dir_all(folder.path().join("layout/logs")).unwrap();
        let run = run_in(folder.path(), &["validate", ".", "-q"]);
        assert!(matches!(run.status, 1 | 2) && !run.stderr.contains("left out"), "{name}: {run:?}");
    }
    // A folder of code may be called `events`, too.
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "good.ndjson", GOOD);
    write(folder.path(), "src/events/package.json", "{}");
    assert_eq!(run_in(folder.path(), &["validate", "."]).status, 0);
    // The folders above what is named say nothing.
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "events/repo/good.ndjson", GOOD);
    write(folder.path(), "events/repo/package.json", "{}");
    let repo = folder.path().join("events/repo");
    for input in [repo.to_str().unwrap().to_owned(), format!("{}/*", repo.display())] {
        assert_eq!(run_in(folder.path(), &["validate", &input]).status, 0, "{input}");
    }
}

/// A file is what it holds, whatever its name.
#[cfg(target_os = "linux")]
#[test]
fn names_that_are_not_utf8_are_left_out_as_others() {
    use std::os::unix::ffi::OsStrExt as _;
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "good.ndjson", GOOD);
    fs::write(folder.path().join(std::ffi::OsStr::from_bytes(b"\xff.md")), "x").unwrap();
    let run = run_in(folder.path(), &["validate", "."]);
    assert!(run.status == 0 && run.stderr.contains("left out: 1 file of text"), "{run:?}");
}

/// Every report tells what was not checked, and so does one line with `--quiet`.
#[test]
fn what_is_left_out_is_in_every_report() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    write(root, "good.ndjson", GOOD);
    write(root, "a.md", "x");
    write(root, "b<&.json", "{}");
    let reports = "json=r.json,markdown=r.md.tmp,junit=r.xml,sarif=r.sarif";
    let run = run_in(root, &["validate", ".", "-q", "--report", reports]);
    assert_eq!((run.status, &*run.stderr), (0, "left out: 2 files of other kinds\n"), "{run:?}");
    let text = |name: &str| fs::read_to_string(root.join(name)).unwrap();
    assert!(
        text("r.md.tmp").contains("- `left out: 1 file of text of another kind (a.md)`\n"),
        "{}",
        text("r.md.tmp")
    );
    let xml = text("r.xml");
    assert!(
        xml.contains("    <system-out>left out: 1 file of JSON of another kind (b&lt;&amp;.json)\n"),
        "{xml}"
    );
    let sarif: Value = serde_json::from_str(&text("r.sarif")).unwrap();
    let notes = sarif["runs"][0]["invocations"][0]["toolExecutionNotifications"].as_array().unwrap();
    assert!(notes.len() == 2 && notes[0]["level"] == "note", "{notes:?}");
    let json: Value = serde_json::from_str(&text("r.json")).unwrap();
    assert_eq!(json["left_out"].as_array().unwrap().len(), 2);
}

/// What readers of YAML take for different values is one finding; a YAML file in an archive is one, too.
#[test]
fn yaml_is_not_guessed() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let event = |more: &str| {
        format!(
            "metadata:\n  event_timestamp: 2024-01-01T00:00:00Z\n  event_type: STATUS_UPDATE\nprincipal:\n  hostname: h\n  {more}\n"
        )
    };
    for (more, status, said) in [
        ("port: 443", 0, ""),
        ("port: 0443", 1, "error[invalid-yaml] (the whole): `0443` without quotes"),
        ("port: !foo 443", 1, "error[invalid-yaml] (the whole): the tag `!foo` is not read"),
        ("user: {userid: 1e400, email_addresses: [y@x.org], first_name: y}", 0, ""),
    ] {
        write(root, "a.yaml", event(more));
        let run = run_in(root, &["validate", "a.yaml"]);
        assert!(run.status == status && run.stdout.contains(said), "{more}: {run:?}");
    }
    let mut archive = tar::Builder::new(Vec::new());
    for (name, text) in [("e.yaml", event("port: 443")), ("good.ndjson", GOOD.to_owned())] {
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        archive.append_data(&mut header, name, text.as_bytes()).unwrap();
    }
    write(root, "a.tar", archive.into_inner().unwrap());
    let run = run_in(root, &["validate", "a.tar"]);
    assert!(run.status == 1 && run.stdout.matches("error[").count() == 1, "{run:?}");
    assert!(
        run.stdout.contains("error[invalid-yaml] (the whole): YAML in an archive is not read"),
        "{run:?}"
    );
}

/// A log type that names no type leaves nothing out, and how it is written makes no difference.
#[test]
fn an_inexact_log_type_leaves_no_case_out() {
    for (log_type, status) in
        [("DUO_TELEPHONY ", 1), ("duo_telephony", 1), ("", 1), ("-", 1), ("OTHER", 3), (" other ", 3)]
    {
        let folder = tempfile::tempdir().unwrap();
        let metadata = serde_json::json!({ "log_type": log_type }).to_string();
        write(folder.path(), "p/cbn/metadata.json", metadata);
        let log = r#"{"raw_logs":{"entries":[{"data":"{}"}]}}"#;
        write(folder.path(), "p/cbn/testdata/raw_logs/a_log.json", log);
        let run = run_in(folder.path(), &["test", "p"]);
        assert_eq!(run.status, status, "{log_type}: {run:?}");
    }
}

/// From within a case, a parser's folder, or a folder of events.
#[test]
fn the_working_folder_may_be_anywhere() {
    let folder = tempfile::tempdir().unwrap();
    copy("fixtures/content-hub", &folder.path().join("hub"));
    copy("fixtures/secops-toolkit", &folder.path().join("kit"));
    copy("fixtures/quickstart", &folder.path().join("case"));
    for (place, validate, test) in [
        ("case", 0, "ok   ."),
        ("kit/parsers/DUO_TELEPHONY", 0, "ok   quickstart"),
        ("kit/parsers/DUO_TELEPHONY/events", 0, ""),
        ("hub/content/parsers/third_party/community/ONFIDO/cbn", 0, ""),
        ("hub/content/parsers/third_party/community/ONFIDO/cbn/testdata/expected_events", 0, ""),
        ("hub/content/parsers/third_party/community/ONFIDO/cbn/testdata/raw_logs", 3, ""),
    ] {
        let place = folder.path().join(place);
        let run = run_in(&place, &["validate", "."]);
        assert_eq!(run.status, validate, "{}: {}{}", place.display(), run.stdout, run.stderr);
        if !test.is_empty() {
            let run = run_in(&place, &["test", "."]);
            assert_eq!(run.status, 0, "{}: {}{}", place.display(), run.stdout, run.stderr);
            assert!(run.stdout.starts_with(test), "{}", run.stdout);
        }
    }
}

/// Streams of documents, compressed files, hostile files: in bounded memory and time, with one finding each.
#[test]
fn yaml_of_every_form() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let event = format!("- events:\n    - event: {GOOD}\n");
    let documents = format!("---\n{event}---\n{event}...\n");
    write(root, "two.yaml", &documents);
    write(root, "two.yaml.gz", {
        use std::io::Write as _;
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        gzip.write_all(documents.as_bytes()).unwrap();
        gzip.finish().unwrap()
    });
    write(root, "list.yml", format!("[{GOOD}, {GOOD}]"));
    let run = run_in(root, &["validate", "."]);
    assert_eq!(run.status, 0, "{}{}", run.stdout, run.stderr);
    assert!(run.stderr.starts_with("6 events: 0 errors"), "{}", run.stderr);

    let mut bomb = String::from("metadata: &a0 {eventTimestamp: x}\n");
    for n in 1..30 {
        bomb += &format!("a{n}: &a{n} [{}]\n", vec![format!("*a{}", n - 1); 9].join(","));
    }
    for hostile in
        [bomb, "[".repeat(1 << 20), format!("a: {}", "x".repeat(1 << 20)), "\t\u{1b}[31m: ::error".into()]
    {
        write(root, "hostile/events/x.yaml", hostile);
        fs::create_dir_all(root.join("hostile/logs")).unwrap();
        let run = run_in(root, &["validate", "hostile", "--max-event-bytes", "1000000"]);
        assert_eq!(run.status, 1, "{}", run.stderr);
        let codes =
            run.stdout.matches("error[invalid-yaml]").count() + run.stdout.matches("error[too-long]").count();
        assert_eq!(codes, 1, "{}", run.stdout);
        assert!(!run.stdout.contains('\u{1b}') && !run.stdout.contains("::error"), "{}", run.stdout);
    }
}

/// What docs/mapping.md says of the built-in tables' events.
#[test]
fn the_built_in_tables_events_pass_in_the_documented_profile() {
    let folder = tempfile::tempdir().unwrap();
    for table in ["duo_telephony", "duo_telephony_extended"] {
        for case in crate::goldens::cases() {
            let name = case.file_name().unwrap().to_str().unwrap().to_owned();
            let events = folder.path().join(format!("{table}/{name}/events.ndjson"));
            fs::create_dir_all(events.parent().unwrap()).unwrap();
            let input = crate::goldens::input(&case);
            let rejects = folder.path().join("rejects.tmp");
            let args = ["convert".as_ref(), input.as_os_str(), "-o".as_ref(), events.as_os_str()];
            let args = [
                &args[..],
                &["--mapping".as_ref(), table.as_ref(), "--rejects".as_ref(), rejects.as_os_str()],
            ];
            assert!(run(&args.concat()).status < 2);
        }
        // Its `files` count from its folder.
        let profile = folder.path().join("profile.toml");
        fs::copy(project("fixtures/udmap.toml"), &profile).unwrap();
        let of_table = folder.path().join(table);
        let strict = ["validate".as_ref(), of_table.as_os_str(), "--strict".as_ref()];
        let passed = run(&[&strict[..], &["--config".as_ref(), profile.as_os_str()]].concat());
        assert_eq!(passed.status, 0, "{}{}", passed.stdout, passed.stderr);
        assert!(!passed.stderr.starts_with("0 events"), "{}", passed.stderr);
        // Each exception is needed.
        let text = fs::read_to_string(&profile).unwrap();
        // The others are for other tables.
        for exception in text.split("[[allow]]").skip(1).filter(|text| !text.contains("\"*duo_")) {
            let without = folder.path().join("udmap.toml");
            fs::write(&without, text.replace(&format!("[[allow]]{exception}"), "")).unwrap();
            let failed = run(&[&strict[..], &["--config".as_ref(), without.as_os_str()]].concat());
            assert_eq!(failed.status, 1, "{exception}");
        }
    }
}

/// The same for the tables of the other logs, in the events of their cases.
#[test]
fn the_other_tables_events_pass_in_the_documented_profile() {
    let folder = tempfile::tempdir().unwrap();
    let cases = fs::read_dir(project("fixtures")).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<std::path::PathBuf> = cases
        .filter(|path| path.file_name().unwrap().to_str().unwrap().starts_with("duo_"))
        .flat_map(|table| {
            fs::read_dir(table).unwrap().map(|entry| entry.unwrap().path().join("events.ndjson"))
        })
        .filter(|path| fs::metadata(path).is_ok_and(|file| file.len() > 0))
        .collect();
    files.sort();
    assert!(files.len() > 30, "{}", files.len());
    let validate = |config: &std::path::Path| {
        let args = ["validate".as_ref(), "--strict".as_ref(), "--config".as_ref(), config.as_os_str()];
        run(&args.into_iter().chain(files.iter().map(|path| path.as_os_str())).collect::<Vec<_>>())
    };
    let profile = project("fixtures/udmap.toml");
    let passed = validate(&profile);
    assert_eq!(passed.status, 0, "{}{}", passed.stdout, passed.stderr);
    let text = fs::read_to_string(&profile).unwrap();
    let without = folder.path().join("udmap.toml");
    for exception in text.split("[[allow]]").skip(1).filter(|text| text.contains("\"*duo_")) {
        fs::write(&without, text.replace(&format!("[[allow]]{exception}"), "")).unwrap();
        assert_eq!(validate(&without).status, 1, "{exception}");
    }
}

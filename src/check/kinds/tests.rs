use super::*;
use std::fs;

const EVENT: &str = r#"{"metadata":{"event_timestamp":"2024-01-01T00:00:00Z","event_type":"STATUS_UPDATE"},"principal":{"hostname":"h"}}"#;

/// What `folder/name` is, if it holds this.
fn kind_in(folder: &Path, name: &str, text: &[u8]) -> Option<OtherKind> {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, text).unwrap();
    let name = path.to_str().unwrap().to_owned();
    let source = crate::store::list(&[name], &[]).unwrap().sources.remove(0);
    other_kind(&source, &path, path.strip_prefix(folder).unwrap())
}

fn kind(name: &str, text: impl AsRef<[u8]>) -> Option<OtherKind> {
    kind_in(tempfile::tempdir().unwrap().path(), name, text.as_ref())
}

#[test]
fn what_may_be_events_is_checked() {
    let pretty = format!("{:#}", serde_json::from_str::<serde_json::Value>(EVENT).unwrap());
    let camel = EVENT.replace("event_t", "eventT");
    let damaged = &EVENT[..EVENT.len() - 9];
    let cut = &EVENT[20..];
    let no_metadata = r#"{"principal":{"hostname":"h"},"target":{"ip":["::1"]}}"#;
    let cases: &[(&str, &str)] = &[
        // Whatever they hold.
        ("a.ndjson", "syslog"),
        ("a.jsonl", "{\"a\":1}"),
        ("a.ndjson.gz", "syslog"),
        ("a.NDJSON", "syslog"),
        ("events.ndjson", ""),
        ("input.ndjson", "{\"ts\":1}"),
        ("expected_events/a.json", "{}"),
        ("expected_events/a.json", "no JSON"),
        ("events/a.yaml", "a: 1"),
        ("events/a.yml", "[a"),
        // JSON that is broken, empty, or more than one value.
        ("a.json", ""),
        ("a.json", "{\"a\":1"),
        ("a.json", "syslog"),
        ("a.json", "{\"a\":1}\n{\"a\":2}"),
        ("a.json", "{\"a\":\"\\ud800\"}"),
        ("metadata.json", "{\"a\":1,}"),
        // Events, and what may have been some.
        ("a.json", EVENT),
        ("a.json", &camel),
        ("a.json", &pretty),
        ("a.json", damaged),
        ("a.json", no_metadata),
        ("a.json", r#"{"principal":{}}"#),
        ("a.json", r#"{"metadata":{"productName":"x","vendorName":"y"}}"#),
        ("a.json", r#"{"metadata":{"eventTimestamp":5}}"#),
        ("a.json", r#"[{"a":1},{"event":{"idm":{"readOnlyUdm":{}}}}]"#),
        ("a.json", r#"{"events":[]}"#),
        ("a.json", r#"[]"#),
        ("a.json", r#"{"events":[{"udm":{}}]}"#),
        ("a.json", r#"{"runParserResults":[]}"#),
        ("a.json", r#"{"inlineSource":{}}"#),
        ("deep.json", &format!(r#"{{"response":{{"data":[{EVENT}]}}}}"#)),
        ("\u{feff}.json", &format!("\u{feff}{EVENT}")),
        ("a.json", "PK\x03\x04\0\0\0\0"),
        ("a.yaml", "PK\x03\x04\0\0\0\0"),
        // Lines without a name of their own.
        ("part-0001", EVENT),
        ("part-0001", damaged),
        ("part-0001", cut),
        ("a.log", EVENT),
        ("a.txt", &format!("# a comment\n{EVENT}\n")),
        ("a.txt", "{\"a\":1}"),
        ("a.log", "[{\"a\":1}]"),
        ("a.log", "\0\0\0{\"a\":1}"),
        ("a.log.1", "{\"a\":1}"),
        ("a.conf", EVENT),
        ("a.events", "{\"a\":1}\n{\"a\":2}\n"),
        ("a.events", EVENT),
        // One certain sign is enough, in any spelling and wrapping.
        ("a.json", r#"[{"metadata":{"event_type":"USER_LOGIN"},"principal":{"ip":["x"]},"netwrk":{}}]"#),
        ("a.json", r#"[{"metadata":{"event_type":"USER_LOGIN"}}]"#),
        ("a.json", r#"[{"metadata":{"event_type":"Login"}}]"#),
        ("a.json", r#"{"Events":[{"metadata":{"event_type":"X"},"target":{}}]}"#),
        ("a.json", r#"{"udmEvents":[{"metadata":{"Product_Log_Id":"X"},"x":1}]}"#),
        ("a.json", r#"{"udm_events":[{"securityResult":[],"x":1}]}"#),
        ("a.json", r#"[{"Metadata":{"event_timestamp":"x","event_type":"X"},"principal":{}}]"#),
        ("a.json", r#"[{"src":{},"target":{},"network":{},"x":1}]"#),
        ("events/e1.json", "{}"),
        ("events/sub/e1.json.GZ", "{}"),
        ("expected_events/sub/e1.json", "{}"),
        ("expected_events/sub/e1.yml", "a: 1"),
        // Behind other bytes, and as text of another name.
        ("part-1", &format!("\u{1}\u{2}\u{3}PK\u{3}\u{4}\n{EVENT}\n")),
        ("a.log", &format!("{}{EVENT}\n", "a log\n".repeat(100_000))),
        ("a.txt", &format!("{}{{\"metadata\":{{\"product_name\":1}}}}\n", "a log\n".repeat(100_000))),
        ("x.txt", "events:\n- metadata:\n    event_type: USER_LOGIN\n  principal: {ip: [x]}\n"),
        ("x.yaml.bak", "events:\n- metadata:\n    event_type: USER_LOGIN\n"),
        ("x.yaml.GZ", "events:\n- metadata:\n    event_type: USER_LOGIN\n"),
        // YAML.
        ("a.yaml", "events:\n- metadata:\n    vendor_name: A\n    product_name: B\n  principal: {ip: [x]}\n"),
        ("a.yaml", "events:\n- principal:\n    hostname: x\n"),
        ("a.yaml", "events:\n- principal:\n    port: 0443\n"),
        ("a.yaml", "events:\n- metadata:\n    event_type: GENERIC_EVENT\n  on: 010\n"),
        ("a.yaml", "- events:\n    - event:\n        principal: {}\n"),
        ("a.yaml", "metadata:\n  eventType: GENERIC_EVENT\n"),
        ("a.yml", "{metadata: {\"eventTimestamp\" : x}}"),
        ("a.yaml", "- event:\n    idm:\n      read_only_udm: {}\n"),
        ("a.yaml.zst", "- event_timestamp: 'x\n"),
    ];
    for (name, text) in cases {
        let folder = tempfile::tempdir().unwrap();
        // It makes a folder `events` one of a layout.
        fs::create_dir(folder.path().join("logs")).unwrap();
        assert_eq!(kind_in(folder.path(), name, text.as_bytes()), None, "{name}: {text}");
    }
    assert_eq!(kind("events/package.json", "{}"), Some(OtherKind::Json));
}

#[test]
fn what_is_plainly_something_else_is_left_out() {
    use OtherKind::{Binary, Json, RawLog, Text, Yaml};
    let cases: &[(&str, &[u8], OtherKind)] = &[
        ("metadata.json", br#"{"log_type":"AWS_EKS","product":"AWS EKS"}"#, Json),
        ("a.json", b"{}", Json),
        ("a.json", b"\"text\"", Json),
        (
            "mock.json",
            br#"{"metadata":{"eventType":"DetectionSummaryEvent","offset":1},"event":{"a":1}}"#,
            Json,
        ),
        ("mock.json", br#"[{"Effect":"Allow","Principal":{"AWS":"x"},"target":{},"network":{}}]"#, Json),
        ("mock.json", br#"{"principal":5,"x":1}"#, Json),
        ("mock.json", br#"{"events":[{"id":1,"name":"x"}],"total":1e3}"#, Json),
        ("k8s.json", br#"{"kind":"Pod","metadata":{"name":"x"}}"#, Json),
        ("a.ipynb", br#"{"cells":[]}"#, Json),
        ("report.sarif", br#"{"version":"2.1.0","runs":[{"results":[]}]}"#, Json),
        ("raw_logs/a_log.json", br#"{"raw_logs":{"entries":[{"data":"{\"principal\":{}}"}]}}"#, RawLog),
        ("raw_logs/a_log.json.gz", br#"{"rawLogs":{"entries":[]}}"#, RawLog),
        ("playbook.yaml", b"name: x\nsteps: []\n", Yaml),
        ("workflow.yml", b"on: push\nmetadata: {name: x}\nvalue: eventTimestamp\n", Yaml),
        ("serverless.yml", b"events:\n  - s3:\n      event: s3:ObjectCreated\n", Yaml),
        ("broken.yaml", b"a: [", Yaml),
        ("parser.conf", b"filter {\n  mutate {}\n}", Text),
        ("README.md", b"# x\n\n```json\n{\"metadata\":{\"event_type\":\"X\"}}\n```\n", Text),
        ("LICENSE", b"Apache License", Text),
        ("main.py", b"", Text),
        ("a.toml", b"[section]\na = 1\n", Text),
        ("a.tmpl", b"{% if x %}", Text),
        ("a.css", b"{ color: red }", Text),
        ("a.txt", b"one\ntwo\n", Text),
        ("a.txt", b"the event_type of metadata; principal: x\n", Text),
        (
            "logs/crowdstrike.txt",
            br#"x {"metadata":{"eventType":"DetectionSummaryEvent"},"event":{}}"#,
            RawLog,
        ),
        ("app.log", b"<134>Jan  1 00:00:00 host app: x\n", RawLog),
        ("logs/a.txt", b"<134>Jan  1 00:00:00 host app: x\n", RawLog),
        ("a.zip", b"PK\x03\x04\0\0\0\0", Binary),
        ("a.png", b"\x89PNG\r\n\x1a\n\0\0\0\0", Binary),
        ("part-1", b"PK\x03\x04\0\0\0\0", Binary),
    ];
    for (name, text, expected) in cases {
        assert_eq!(kind(name, text), Some(*expected), "{name}: {}", String::from_utf8_lossy(text));
    }
}

/// What a case of `udmap test` holds besides its events is what the layout says, unless it looks like events.
#[test]
fn raw_logs_of_cases_are_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let case = folder.path();
    fs::write(case.join("events.ndjson"), EVENT).unwrap();
    assert_eq!(kind_in(case, "input.ndjson", b"{\"ts\":1}\n"), Some(OtherKind::RawLog));
    assert_eq!(kind_in(case, "input.gz", b"{\"ts\":1}\n"), Some(OtherKind::RawLog));
    assert_eq!(kind_in(case, "rejects.ndjson", b"{\"line\":1}\n"), Some(OtherKind::Rejects));
    assert_eq!(kind_in(case, "input.ndjson", EVENT.as_bytes()), None);
    assert_eq!(kind_in(case, "other.ndjson", b"{\"ts\":1}\n"), None);
    fs::create_dir(case.join("events")).unwrap();
    assert_eq!(kind_in(case, "logs/a.txt", b"{\"ts\":1}\n"), Some(OtherKind::RawLog));
    assert_eq!(kind_in(case, "logs/a.txt", EVENT.as_bytes()), None);
}

/// What is behind the first bytes counts, too; and what can't be read is checked, which says why.
#[test]
fn long_and_damaged_files() {
    let comment = "# x\n".repeat(HEAD_BYTES);
    assert_eq!(kind("a.yaml", format!("{comment}event_timestamp: x")), None);
    assert_eq!(kind("a.yaml", format!("{comment}a: x")), Some(OtherKind::Yaml));
    let others = "{\"a\":1},".repeat(HEAD_BYTES);
    assert_eq!(kind("a.json", format!("[{others}{EVENT}]")), None);
    assert_eq!(kind("a.json", format!("[{others}1]")), Some(OtherKind::Json));
    let mut packed = zstd::encode_all(others.as_bytes(), 1).unwrap();
    packed.truncate(packed.len() - 5);
    assert_eq!(kind("a.txt.zst", packed), None);
    let mut archive = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_size(2);
    archive.append_data(&mut header, "a.md", &b"x\n"[..]).unwrap();
    assert_eq!(kind("a.tar", archive.into_inner().unwrap()), None);
}

#[test]
fn each_kind_is_named_once() {
    let folder = tempfile::tempdir().unwrap();
    for n in 0..5 {
        fs::write(folder.path().join(format!("{n}.md")), "x").unwrap();
    }
    fs::write(folder.path().join("e.json"), EVENT).unwrap();
    let inputs = [folder.path().to_str().unwrap().to_owned(), format!("{}/4.md", folder.path().display())];
    let mut sources = crate::store::list(&inputs, &[]).unwrap().sources;
    let left_out = leave_out(&mut sources, &inputs);
    let name = folder.path().display();
    let line =
        format!("left out: 4 files of text of another kind ({name}/0.md, {name}/1.md, {name}/2.md, ...)");
    assert_eq!(left_out.lines().collect::<Vec<_>>(), [line]);
    assert_eq!(left_out.json()[0]["files"], 4);
    let kept: Vec<_> = sources.iter().map(|source| source.name().rsplit_once('/').unwrap().1).collect();
    // What was named itself is checked, whatever it is.
    assert_eq!(kept, ["4.md", "e.json"]);
}

//! Records, tables and names that are made to do harm.

use super::Server;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

fn server() -> (tempfile::TempDir, Server) {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(folder.path(), &[]);
    (folder, server)
}

#[test]
fn hostile_records_are_answered_as_others_are() {
    let (_folder, server) = server();
    let deep = format!("{}1{}", "{\"a\":".repeat(5_000), "}".repeat(5_000));
    let time = r#""ts":"2024-01-01T00:00:00Z""#;
    for (text, is_event) in [
        (format!("{{{time},\"context\":\"<script>alert(1)</script>\"}}"), true),
        (format!("{{{time},\"context\":\"\\u0000\\u001b[31m\\u202e\"}}"), true),
        (format!("{{{time},\"context\":\"\u{202e}\u{7f}\u{9b}\"}}"), true),
        (format!("{{{time},\"context\":\"\\ud800\"}}"), false),
        (format!("{{{time},\"context\":\"{}\"}}", "x".repeat((1 << 20) - 100)), true),
        (format!("{{{time},\"context\":\"{}\"}}", "é😀".repeat(200_000)), false),
        ("x".repeat(3 << 20), false),
        (deep, false),
        ("[".repeat(2_000_000), false),
        (format!("{{{time},\"phone\":\"x\",\"__proto__\":{{\"a\":1}},\"constructor\":\"x\",\"\":1}}"), true),
        (
            format!(
                "{{{time},\"phone\":\"x\",{}}}",
                (0..3_000).map(|n| format!("\"k{n}\":1")).collect::<Vec<_>>().join(",")
            ),
            true,
        ),
    ] {
        let begun = Instant::now();
        let ran = server.run_text(&text, 0);
        let shown: String = text.chars().take(60).collect();
        assert_eq!(ran["record"]["event"].is_object(), is_event, "{shown}: {}", ran["record"]["reject"]);
        assert_eq!(ran["record"]["reject"].is_null(), is_event, "{shown}");
        let raw = ran["record"]["raw"].as_str().expect("a text");
        assert!(raw.len() <= 64 << 10, "{}", raw.len());
        assert_eq!(
            ran["record"]["cut"],
            raw.len() < ran["record"]["length"].as_u64().expect("a length") as usize
        );
        for field in ran["record"]["left"].as_array().expect("a list") {
            assert!(field["value"].as_str().expect("a text").len() <= 4_100);
            if field["from"].is_u64() {
                assert_eq!(
                    super::part(&ran["record"]["raw"], &field["from"], &field["to"]).trim_matches('"'),
                    field["value"]
                );
            }
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "{shown}: {:?}", begun.elapsed());
        server.call(
            "profile",
            &json!({"sample": server.call("sample", &json!({"name": "x", "text": text}))["id"]}),
        );
    }
}

#[test]
fn bytes_that_are_not_text_have_no_places() {
    use base64::Engine as _;
    let (_folder, server) = server();
    let bytes = b"{\"ts\":\"2024-01-01T00:00:00Z\",\"context\":\"\xff\xfe\"}\n";
    let base64 = base64::prelude::BASE64_STANDARD.encode(bytes);
    let sample = server.call("sample", &json!({"name": "x", "base64": base64}));
    let ran = server.run(&server.table(), &sample["id"], 0);
    assert_eq!(ran["record"]["reject"]["reason"], "invalid-utf8");
    assert!(ran["record"]["raw"].as_str().is_some_and(|raw| raw.contains('\u{fffd}')));
}

#[test]
fn a_page_to_share_runs_nothing() {
    let (_folder, server) = server();
    let script = "</pre><script>alert(1)</script><img src=x onerror=alert(2)>";
    let text = json!({"ts": "2024-01-01T00:00:00Z", "context": script, script: script}).to_string();
    let table = format!("{}\n# {script}\n", server.table());
    let sample = server.call("sample", &json!({"name": script, "text": text}))["id"].clone();
    let golden = json!({"metadata": {"description": script}}).to_string();
    let html =
        server.call("share", &json!({"mapping": table, "sample": sample, "golden": golden}))["html"].clone();
    let html = html.as_str().expect("a text");
    assert!(html.starts_with("<!DOCTYPE html>") && html.contains("&lt;script&gt;alert(1)"));
    for live in ["<script", "<img", "<link rel=\"stylesheet", "http://", "https://"] {
        assert!(!html.contains(live), "{live}");
    }
}

#[test]
fn a_hostile_table_reads_no_other_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let outside = tempfile::tempdir().expect("a folder");
    let secret = outside.path().join("secret.toml");
    std::fs::write(&secret, "password = \"hunter2\"\n").expect("a file");
    std::fs::write(folder.path().join("notes.txt"), "password = \"hunter2\"\n").expect("a file");
    let server = Server::start(folder.path(), &[]);
    let sample = server.call("start", &json!({}))["sample"]["id"].clone();
    for name in [secret.to_str().expect("a path"), "../secret.toml", "notes.txt", "/etc/passwd", "/dev/zero"]
    {
        for table in [
            format!("[mapping]\nname = \"x\"\nextends = {}\n", json!(name)),
            format!(
                "[mapping]\nname = \"x\"\nextends = \"duo_telephony\"\n[[rule]]\nudm = \"principal.user.title\"\nfrom = \"a\"\nmap_file = {}\n",
                json!(name)
            ),
        ] {
            let ran = server.run(&table, &sample, 0);
            assert_ne!(ran["table"]["errors"], json!([]), "{table}");
            assert!(!ran.to_string().contains("hunter2"), "{ran}");
        }
    }
}

/// Who breaks off is not waited for.
#[test]
fn a_client_that_goes_away_leaves_nothing_behind() {
    let (_folder, server) = server();
    let text = "{\"a\":[1,2,{\"b\":\"c\"}],\"ts\":\"2024-01-01T00:00:00Z\"}\n".repeat(100_000);
    let sample = server.call("sample", &json!({"name": "x", "text": text}))["id"].clone();
    for _ in 0..12 {
        let body = json!({"sample": sample}).to_string();
        let request = format!(
            "POST /{}/api/profile HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            server.token,
            server.port,
            body.len()
        );
        let mut stream =
            std::net::TcpStream::connect(("127.0.0.1", server.port)).expect("the server listens");
        std::io::Write::write_all(&mut stream, request.as_bytes()).expect("it can be sent");
    }
    let begun = Instant::now();
    assert_eq!(
        server.call("fields", &json!({"query": "userid"}))["fields"][0]["path"],
        "principal.user.userid"
    );
    assert!(begun.elapsed() < Duration::from_secs(15), "{:?}", begun.elapsed());
}

#[test]
fn values_of_hostile_names_can_be_mapped() {
    let (_folder, server) = server();
    for name in ["a.b", "a\"b", "a'b", "a b ", "$", "[x]", "é", "a\u{202e}b", "\u{1}"] {
        let text = json!({"ts": "2024-01-01T00:00:00Z", "phone": "x", name: "found"}).to_string();
        let sample = server.call("sample", &json!({"name": "x", "text": text}))["id"].clone();
        let ran = server.run(&server.table(), &sample, 0);
        let field = &ran["record"]["left"][0]["field"];
        let asked = json!({"mapping": server.table(), "field": field, "udm": "principal.user.title", "value": "found"});
        let written = server.call("rule", &asked);
        let ran = server.run(written["mapping"].as_str().expect("a text"), &sample, 0);
        assert_eq!(ran["record"]["event"]["principal"]["user"]["title"], "found", "{name:?}: {written}");
        assert_eq!(ran["record"]["left"], Value::Array(Vec::new()), "{name:?}");
    }
}

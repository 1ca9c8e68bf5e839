//! Who is answered, and how.

use super::Server;
use crate::support::{names, udmap};
use serde_json::json;
use std::process::Command;

#[test]
fn who_does_not_know_the_token_gets_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(folder.path(), &[]);
    let other = "0".repeat(server.token.len());
    let shorter = &server.token[..server.token.len() - 1];
    for path in [
        "/".to_owned(),
        "/api/start".to_owned(),
        format!("/{other}/"),
        format!("/{other}/api/start"),
        format!("/{shorter}/"),
        format!("/{}", server.token),
        format!("//{}/", server.token),
        format!("/%{}/", server.token),
    ] {
        for method in ["GET", "POST"] {
            let answer = server.request(method, &path, &[("Content-Type", "application/json")], b"{}");
            assert_eq!(answer.status, 403, "{method} {path}");
            assert_eq!(answer.text(), "forbidden");
            assert!(answer.header("content-security-policy").is_some());
        }
    }
    assert!(server.token.len() >= 32 && server.token.bytes().all(|byte| byte.is_ascii_hexdigit()));
    assert_eq!(server.get("").status, 200);
    let second = Server::start(folder.path(), &[]);
    assert_ne!(server.token, second.token);
}

#[test]
fn other_sites_and_other_names_get_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(folder.path(), &[]);
    let (page, call) = (format!("/{}/", server.token), format!("/{}/api/start", server.token));
    let own = format!("127.0.0.1:{}", server.port);
    let local = format!("localhost:{}", server.port);
    let json = ("Content-Type", "application/json");
    let asked = |headers: &[(&str, &str)]| {
        let page = server.request("GET", &page, headers, b"").status;
        let call = server.request("POST", &call, &[headers, &[json]].concat(), b"{}").status;
        assert_eq!(page, call, "{headers:?}");
        page
    };
    assert_eq!(asked(&[("Host", &own)]), 200);
    assert_eq!(asked(&[("Host", &local), ("Origin", &format!("http://{local}"))]), 200);
    assert_eq!(asked(&[("Host", &own), ("Sec-Fetch-Site", "same-origin")]), 200);
    // DNS rebinding: the name of another site leads here.
    for host in ["evil.example", &format!("evil.example:{}", server.port), "127.0.0.1", "127.0.0.1:1"] {
        assert_eq!(asked(&[("Host", host)]), 403, "{host}");
    }
    for origin in ["http://evil.example", "null", &format!("https://{own}"), "http://127.0.0.1:1"] {
        assert_eq!(asked(&[("Host", &own), ("Origin", origin)]), 403, "{origin}");
    }
    assert_eq!(asked(&[("Host", &own), ("Sec-Fetch-Site", "cross-site")]), 403);
    // Two hosts, or none, are no name.
    let two =
        format!("GET {page} HTTP/1.1\r\nHost: {own}\r\nHost: evil.example\r\nConnection: close\r\n\r\n");
    assert!(matches!(server.send(two.as_bytes()).status, 400 | 403));
    let none = format!("GET {page} HTTP/1.0\r\n\r\n");
    assert_eq!(server.send(none.as_bytes()).status, 403);
}

#[test]
fn every_answer_is_kept_to_this_page() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(folder.path(), &[]);
    let pages =
        ["", "index.html", "app.js", "app.css", "LICENSES.txt", "nothing"].map(|path| server.get(path));
    let calls = [server.post("start", b"{}"), server.post("nothing", b"{}"), server.post("run", b"{")];
    for answer in pages.iter().chain(&calls) {
        let policy = answer.header("content-security-policy").expect("a policy");
        for rule in
            ["default-src 'none'; ", "script-src 'self'; ", "connect-src 'self'; ", "base-uri 'none'; "]
        {
            assert!(policy.contains(rule), "{policy}");
        }
        assert!(!policy.contains("unsafe") && !policy.contains("http"), "{policy}");
        assert!(policy.ends_with("frame-ancestors 'none'"), "{policy}");
        for (name, value) in [
            ("referrer-policy", "no-referrer"),
            ("x-content-type-options", "nosniff"),
            ("cache-control", "no-store"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
        ] {
            assert_eq!(answer.header(name), Some(value), "{}", answer.head);
        }
    }
    // The page has the nonce of its own answer, and no two answers have one.
    let nonce = |answer: &super::Answer| {
        let policy = answer.header("content-security-policy").expect("a policy");
        policy.split("'nonce-").nth(1).and_then(|rest| rest.split('\'').next()).expect("a nonce").to_owned()
    };
    assert!(pages[0].text().contains(&format!("content=\"{}\"", nonce(&pages[0]))));
    assert_ne!(nonce(&pages[0]), nonce(&pages[1]));
    let types =
        pages.iter().map(|answer| answer.header("content-type").unwrap_or_default()).collect::<Vec<_>>();
    assert_eq!(
        types[..4],
        [
            "text/html; charset=utf-8",
            "text/html; charset=utf-8",
            "text/javascript; charset=utf-8",
            "text/css; charset=utf-8"
        ]
    );
    let statuses = pages.iter().chain(&calls).map(|answer| answer.status).collect::<Vec<_>>();
    assert_eq!(statuses, [200, 200, 200, 200, 200, 404, 200, 404, 400]);
}

#[test]
fn a_call_is_json_by_post_and_bounded() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(folder.path(), &[]);
    let call = format!("/{}/api/start", server.token);
    for method in ["GET", "PUT", "OPTIONS"] {
        assert_eq!(server.request(method, &call, &[("Content-Type", "application/json")], b"").status, 405);
    }
    let page = format!("/{}/", server.token);
    assert_eq!(server.request("POST", &page, &[], b"{}").status, 405);
    for content_type in
        ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""]
    {
        let answer = server.request("POST", &call, &[("Content-Type", content_type)], b"{}");
        assert_eq!(answer.status, 415, "{content_type}");
    }
    let answer = server.request("POST", &call, &[("Content-Type", "Application/JSON; charset=utf-8")], b"{}");
    assert_eq!(answer.status, 200);
    // 64 MiB and a byte, of which not all is read.
    let long = format!(
        "POST /{}/api/sample HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        server.token,
        server.port,
        (64 << 20) + 1
    );
    let answer = server.send(&[long.as_bytes(), &b" ".repeat((64 << 20) + 1)].concat());
    assert_eq!(answer.status, 413, "{}", answer.text());
    let table = "x".repeat((1 << 20) + 1);
    let sample = server.call("start", &json!({}))["sample"]["id"].clone();
    let (status, error) = server.refused("run", &json!({"mapping": table, "sample": sample}));
    assert_eq!((status, error.contains("limit for a table")), (400, true), "{error}");
    for body in ["", "{", "[]", "{\"mapping\":1}", "null", "{\"mapping\":\"\\ud800\",\"sample\":\"s1\"}"] {
        assert_eq!(server.post("run", body.as_bytes()).status, 400, "{body}");
    }
    // It still answers.
    assert_eq!(server.get("").status, 200);
}

#[test]
fn the_server_listens_here_alone_and_stops_when_it_is_told_to() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(folder.path(), &[]);
    // The port is taken on 127.0.0.1 alone.
    let taken = udmap()
        .args(["serve", "--no-open", "--port", &server.port.to_string()])
        .current_dir(folder.path())
        .output()
        .expect("the command starts");
    assert_eq!(taken.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&taken.stderr).contains("cannot listen on 127.0.0.1"));
    assert!(std::net::TcpStream::connect(("127.0.0.2", server.port)).is_err());
    assert_eq!(server.call("quit", &json!({})), json!({}));
    let (status, stderr) = server.end();
    assert_eq!(status, Some(0), "{stderr}");

    let server = Server::start(folder.path(), &[]);
    let killed = Command::new("kill").args(["-INT", &server.child.id().to_string()]).status();
    assert!(killed.expect("kill starts").success());
    let (status, stderr) = server.end();
    assert_eq!(status, Some(0), "{stderr}");
    assert_eq!(names(folder.path()), [""; 0]);
}

/// A fault in the work of a request ends the server, and says so.
#[cfg(debug_assertions)]
#[test]
fn a_panic_does_not_pass_in_silence() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = udmap();
    command.env("UDMAP_PANIC", "serve").env_remove("RUST_BACKTRACE");
    let server = Server::start_as(command, folder.path(), &[]);
    let body = "POST /TOKEN/api/start HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}";
    let body = body.replace("TOKEN", &server.token).replace("PORT", &server.port.to_string());
    let mut stream = std::net::TcpStream::connect(("127.0.0.1", server.port)).expect("the server listens");
    std::io::Write::write_all(&mut stream, body.as_bytes()).expect("it can be sent");
    let (status, stderr) = server.end();
    assert_eq!(status, Some(2), "{stderr}");
    assert!(stderr.contains("a fault of udmap itself"), "{stderr}");
}

//! `udmap serve` over HTTP: who is answered, what each call gives, and what is written.

mod calls;
mod gate;
mod hostile;
mod saved;

use crate::support::udmap;
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A server that runs.
pub(crate) struct Server {
    child: Child,
    port: u16,
    token: String,
}

/// An answer to a request.
#[derive(Debug)]
struct Answer {
    status: u16,
    head: String,
    body: Vec<u8>,
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        let prefix = format!("{name}: ");
        self.head.lines().find_map(|line| line.strip_prefix(&prefix))
    }

    fn text(&self) -> String {
        String::from_utf8(self.body.clone()).expect("the body is text")
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("{}: {}", self.status, self.text()))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    /// Starts the command in this folder.
    fn start(folder: &Path, args: &[&str]) -> Server {
        Server::start_as(udmap(), folder, args)
    }

    fn start_as(mut command: Command, folder: &Path, args: &[&str]) -> Server {
        let mut child = command
            .args(["serve", "--no-open"])
            .args(args)
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the command starts");
        let mut url = String::new();
        BufReader::new(child.stdout.take().expect("stdout is piped")).read_line(&mut url).expect("a line");
        let parts: Option<(u16, String)> = url
            .strip_prefix("http://127.0.0.1:")
            .and_then(|rest| rest.trim_end().trim_end_matches('/').split_once('/'))
            .and_then(|(port, token)| Some((port.parse().ok()?, token.to_owned())));
        let Some((port, token)) = parts else {
            let mut stderr = String::new();
            let _ = child.stderr.take().map(|mut pipe| pipe.read_to_string(&mut stderr));
            panic!("no address: `{url}` {stderr}");
        };
        Server { child, port, token }
    }

    /// Sends these bytes; what comes back.
    fn send(&self, request: &[u8]) -> Answer {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).expect("the server listens");
        stream.set_read_timeout(Some(Duration::from_secs(60))).expect("a time limit");
        // A server that refuses early may close before all is sent.
        let _ = stream.write_all(request);
        let mut all = Vec::new();
        let _ = stream.read_to_end(&mut all);
        let end = all.windows(4).position(|four| four == b"\r\n\r\n").expect("a head");
        let head = String::from_utf8(all[..end].to_vec()).expect("a head of text");
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
        Answer { status, head: head.replace("\r\n", "\n"), body: all[end + 4..].to_vec() }
    }

    fn request(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let mut request = format!("{method} {path} HTTP/1.1\r\nConnection: close\r\n");
        if !headers.iter().any(|(name, _)| *name == "Host") {
            request += &format!("Host: 127.0.0.1:{}\r\n", self.port);
        }
        for (name, value) in headers {
            request += &format!("{name}: {value}\r\n");
        }
        if !body.is_empty() {
            request += &format!("Content-Length: {}\r\n", body.len());
        }
        self.send(&[request.as_bytes(), b"\r\n", body].concat())
    }

    fn get(&self, path: &str) -> Answer {
        self.request("GET", &format!("/{}/{path}", self.token), &[], b"")
    }

    fn post(&self, call: &str, body: &[u8]) -> Answer {
        let json = [("Content-Type", "application/json")];
        self.request("POST", &format!("/{}/api/{call}", self.token), &json, body)
    }

    /// The answer to a call, which succeeds.
    fn call(&self, call: &str, asked: &Value) -> Value {
        let answer = self.post(call, asked.to_string().as_bytes());
        assert_eq!(answer.status, 200, "{call}: {}", answer.text());
        answer.json()
    }

    /// The status and the message of a call that is refused.
    fn refused(&self, call: &str, asked: &Value) -> (u16, String) {
        let answer = self.post(call, asked.to_string().as_bytes());
        let error = answer.json()["error"].as_str().unwrap_or_else(|| panic!("{}", answer.text())).to_owned();
        assert_ne!(answer.status, 200);
        (answer.status, error)
    }

    /// What `run` says of a text, by the table that the server was started with.
    fn run_text(&self, text: &str, record: u64) -> Value {
        let sample = self.call("sample", &json!({"name": "pasted", "text": text}));
        self.run(&self.table(), &sample["id"], record)
    }

    fn run(&self, table: &str, sample: &Value, record: u64) -> Value {
        self.call("run", &json!({"mapping": table, "sample": sample, "record": record}))
    }

    /// The text of the table that the server was started with.
    fn table(&self) -> String {
        self.call("start", &json!({}))["mapping"]["text"].as_str().expect("a text").to_owned()
    }

    /// Waits until the process ends; its status, and its stderr.
    fn end(mut self) -> (Option<i32>, String) {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("it can be waited for") {
                let mut stderr = String::new();
                let _ = self.child.stderr.take().map(|mut pipe| pipe.read_to_string(&mut stderr));
                return (status.code(), stderr);
            }
            assert!(begun.elapsed() < Duration::from_secs(30), "it does not end");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// A part of a text, by UTF-16 code units, as the page takes it.
fn part(text: &Value, from: &Value, to: &Value) -> String {
    let units: Vec<u16> = text.as_str().expect("a text").encode_utf16().collect();
    let at = |at: &Value| usize::try_from(at.as_u64().expect("a place")).expect("it fits");
    String::from_utf16(&units[at(from)..at(to)]).expect("no half of a character")
}

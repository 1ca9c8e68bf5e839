//! Where the documents' commands run: a folder and buckets with what the examples name, a fake Duo and a fake SecOps.

use crate::collect::duo::{Duo, HOST, IKEY, SKEY, Switches, record};
use crate::collect::http::Server;
use crate::s3::{S3, SECRET};
use crate::send::{fake::Fake, tokens::service_account};
use crate::support::{project, udmap};
use flate2::{Compression, write::GzEncoder};
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use udmap::lab::{Generator, Mix};

/// The buckets that examples name.
const BUCKETS: [&str; 3] = ["acme-logs", "acme-udm", "acme-rejects"];

/// Texts of the examples that are other ones here: keys of the fake Duo, and what would never end.
const REPLACED: &[(&str, &str)] = &[
    // What README says to a machine with Rust alone; the command is built already.
    ("cargo run --release -- ", "udmap "),
    ("DIXXXXXXXXXXXXXXXXXX", IKEY),
    ("api-XXXXXXXX.duosecurity.com", HOST),
    ("/run/secrets/duo-skey", "duo-skey"),
    ("/run/secrets/secops-key.json", "secops-key.json"),
    // Seconds instead of minutes.
    ("udmap bench", "udmap bench --runs 1 --megabytes 1"),
    // A daemon.
    (" --every 1h", ""),
];

/// A parser that takes any log.
const PARSER: &str = r#"filter {
  mutate { replace => {
    "event.idm.read_only_udm.metadata.event_type" => "GENERIC_EVENT"
    "event.idm.read_only_udm.metadata.description" => "%{message}"
  } }
  mutate { merge => { "@output" => "event" } }
}"#;

/// A folder of its own for a document's commands.
pub(super) struct Scratch {
    folder: tempfile::TempDir,
    s3: Option<S3>,
    duo: Option<Server>,
    secops: Option<Fake>,
}

impl Scratch {
    /// With the servers that the document's commands need. S3 is not there if it is not installed.
    pub(super) fn new(s3: bool, duo: bool, secops: bool) -> Scratch {
        let folder = tempfile::tempdir().expect("a folder");
        for name in ["fixtures", "mappings"] {
            let copied = Command::new("cp").arg("-r").arg(project(name)).arg(folder.path()).status();
            assert!(copied.is_ok_and(|status| status.success()), "{name} can't be copied");
        }
        files(folder.path());
        let s3 = if s3 { S3::start() } else { None };
        if let Some(s3) = &s3 {
            for bucket in BUCKETS {
                make(s3, bucket);
            }
            for (i, log) in logs().iter().enumerate() {
                s3.put(BUCKETS[0], &format!("duo/2026/03/telephony-{i}.ndjson.gz"), &gzip(log));
            }
        }
        let secops = secops.then(Fake::start);
        if let Some(secops) = &secops {
            let key = service_account(&secops.url).to_string();
            fs::write(folder.path().join("secops-key.json"), key).expect("written");
        }
        Scratch { folder, s3, duo: duo.then(service), secops }
    }

    pub(super) fn has_s3(&self) -> bool {
        self.s3.is_some()
    }

    pub(super) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// A text of a document as it is run here.
    pub(super) fn here(&self, text: &str) -> String {
        let text = REPLACED.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to));
        text.replace("s3a://acme-logs/duo/", &self.path().join("dump").to_string_lossy())
            .replace("s3a://acme-", &self.path().join("s3a-").to_string_lossy())
    }

    /// A program with nothing in its environment but what it needs here.
    pub(super) fn program(&self, name: impl AsRef<Path>) -> Command {
        let udmap = PathBuf::from(udmap().get_program());
        let mut path = udmap.parent().expect("a folder").as_os_str().to_owned();
        path.push(":");
        path.push(std::env::var_os("PATH").unwrap_or_default());
        let mut command = Command::new(name.as_ref());
        command
            .env_clear()
            .envs(["JAVA_HOME", "LANG"].into_iter().filter_map(|name| Some((name, std::env::var_os(name)?))));
        command.env("PATH", path).env("HOME", self.path()).env("NO_COLOR", "1").current_dir(self.path());
        if let Some(s3) = &self.s3 {
            command.env("AWS_ENDPOINT_URL", &s3.endpoint).env("AWS_ALLOW_HTTP", "true");
            command.env("AWS_ACCESS_KEY_ID", "test").env("AWS_SECRET_ACCESS_KEY", SECRET);
            command.env("AWS_REGION", "eu-west-1");
        }
        if let Some(duo) = &self.duo {
            command.env("UDMAP_API_URL", &duo.url).env("UDMAP_ALLOW_ANY_HOST", "true");
            command.env("UDMAP_REQUEST_INTERVAL", "0").env("UDMAP_RETRY_WAIT", "1ms");
        }
        if let Some(secops) = &self.secops {
            command.env("UDMAP_SEND_API_URL", &secops.url);
        }
        command
    }
}

/// Logs of some records each, all of which can be converted.
fn logs() -> Vec<Vec<u8>> {
    let mix: Mix = "v2=3,v1=1".parse().expect("a mix");
    (0..3).map(|seed| Generator::records(seed, &mix, 40)).collect()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).expect("compressed");
    encoder.finish().expect("compressed")
}

/// The files that examples name.
fn files(folder: &Path) {
    let put = |name: &str, bytes: &[u8]| {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        fs::write(path, bytes).expect("written");
    };
    let logs = logs();
    for (i, log) in logs.iter().enumerate() {
        put(&format!("dump/2026/0{}/telephony-{i}.ndjson.gz", i + 1), &gzip(log));
    }
    put("telephony.ndjson", &logs[0]);
    put("telephony.ndjson.gz", &gzip(&logs[0]));
    put("duo-skey", SKEY.as_bytes());
    let events =
        udmap().arg("convert").arg(folder.join("telephony.ndjson")).arg("-q").output().expect("converted");
    put("events.ndjson", &events.stdout);
    put("before.ndjson.gz", &gzip(&events.stdout));
    put("after.ndjson.gz", &gzip(&events.stdout));
    // As a parser's output: with what the service adds.
    let events = String::from_utf8(events.stdout).expect("UTF-8");
    let added = r#"{"metadata":{"id":"AAAA","ingested_timestamp":"2026-03-10T12:00:00Z","#;
    put("parser-output.json", events.replace(r#"{"metadata":{"#, added).as_bytes());
    put("events/part-1.ndjson", events.as_bytes());
    let rows: Vec<String> = String::from_utf8_lossy(&logs[0])
        .lines()
        .map(|line| format!("\"{}\",a.ndjson\n", line.replace('"', "\"\"")))
        .collect();
    put("tables/logs.csv", format!("line,file\n{}", rows.concat()).as_bytes());
    put("parser.conf", PARSER.as_bytes());
    put("logs.txt", b"a\nb\n");
    let parser = folder.join("parsers/OKTA");
    fs::create_dir_all(&parser).expect("made");
    let google = project("fixtures/content-hub/content/parsers/third_party/community/KEYFACTOR/cbn");
    let copied = Command::new("cp").arg("-r").arg(google).arg(parser).status();
    assert!(copied.is_ok_and(|status| status.success()), "a parser can't be copied");
    put("mine.toml", b"[mapping]\nname = \"mine\"\nextends = \"duo_telephony\"\n");
}

/// Makes a bucket.
fn make(s3: &S3, bucket: &str) {
    let host = s3.endpoint.trim_start_matches("http://");
    let mut stream = TcpStream::connect(host).expect("connected");
    write!(
        stream,
        "PUT /{bucket} HTTP/1.1\r\nhost: {host}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
    )
    .expect("asked");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

/// A Duo with a record every ten minutes of the last day.
fn service() -> Server {
    let now = chrono::Utc::now().timestamp_millis();
    let duo = Duo::new(Switches::default());
    duo.add((0..140).map(|i| record((now - 180_000 - i * 600_000) * 1000, i as u64)));
    Server::start(duo)
}

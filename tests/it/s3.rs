//! A real S3 server for tests, moto's, and a way to it on which things go wrong.

use crate::support::{project, udmap};
use crate::tools::{Tool, need};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use object_store::ClientOptions;
use object_store::aws::{AmazonS3, AmazonS3Builder};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A made-up secret of a bucket.
pub(crate) const SECRET: &str = "bucketsecretbucketsecretbucketsecret0000";

/// How long a test's own requests wait.
const PATIENCE: Duration = Duration::from_secs(300);

/// moto's S3 with the buckets `logs` and `udm`; it ends with the test.
pub(crate) struct S3 {
    child: Child,
    said: Mutex<BufReader<ChildStdout>>,
    pub(crate) endpoint: String,
    address: SocketAddr,
}

/// Objects by their keys.
pub(crate) type Objects = BTreeMap<String, Vec<u8>>;

impl S3 {
    /// Starts it, if it is installed.
    pub(crate) fn start() -> Option<S3> {
        let mut command = Command::new(need(Tool::S3)?);
        command.arg(project("tests/s3/server.py")).stdin(Stdio::piped()).stdout(Stdio::piped());
        // It complains of clients that are killed.
        command.stderr(Stdio::null());
        let mut child = command.spawn().expect("the server starts");
        let mut said = BufReader::new(child.stdout.take().expect("stdout"));
        let mut port = String::new();
        said.read_line(&mut port).expect("a port");
        let endpoint = format!("http://127.0.0.1:{}", port.trim());
        let address = format!("127.0.0.1:{}", port.trim()).parse().expect("an address");
        Some(S3 { child, said: Mutex::new(said), endpoint, address })
    }

    pub(crate) fn store(&self, bucket: &str) -> AmazonS3 {
        let builder = AmazonS3Builder::new().with_endpoint(&self.endpoint);
        let builder = builder.with_region("us-east-1").with_access_key_id("test");
        // On a busy machine an answer takes its time.
        let patient = ClientOptions::new().with_allow_http(true).with_timeout(PATIENCE);
        let builder = builder.with_client_options(patient.with_connect_timeout(PATIENCE));
        builder.with_secret_access_key(SECRET).with_bucket_name(bucket).build().expect("a store")
    }

    fn ask(&self, command: &Value) -> Value {
        let mut said = self.said.lock().expect("nobody else failed");
        writeln!(self.child.stdin.as_ref().expect("stdin"), "{command}").expect("asked");
        let mut line = String::new();
        said.read_line(&mut line).expect("an answer");
        serde_json::from_str(&line).expect("JSON")
    }

    pub(crate) fn put(&self, bucket: &str, key: &str, bytes: &[u8]) {
        assert_eq!(self.ask(&json!({"put": [bucket, key, STANDARD.encode(bytes)]})), json!(true));
    }

    /// All objects of a bucket.
    pub(crate) fn all(&self, bucket: &str) -> Objects {
        let all: Vec<(String, String)> =
            serde_json::from_value(self.ask(&json!({"all": bucket}))).expect("objects");
        all.into_iter().map(|(key, bytes)| (key, STANDARD.decode(bytes).expect("base64"))).collect()
    }

    /// The command, with the environment of this server.
    pub(crate) fn udmap(&self) -> Command {
        at(&self.endpoint)
    }
}

/// The command, with a server's environment.
pub(crate) fn at(endpoint: &str) -> Command {
    let mut command = udmap();
    command.env("AWS_ENDPOINT_URL", endpoint).env("AWS_ALLOW_HTTP", "true").env("AWS_REGION", "us-east-1");
    command.env("AWS_ACCESS_KEY_ID", "test").env("AWS_SECRET_ACCESS_KEY", SECRET);
    command
}

impl Drop for S3 {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

/// What becomes of a request on the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// It goes through.
    Through,
    /// It is answered with this status and S3's words for it.
    Refused(u16, &'static str),
    /// The answer breaks off in the middle of its body.
    Cut,
    /// It goes through, but its answer is lost.
    Lost,
}

/// A request, as it comes by.
#[derive(Debug)]
pub(crate) struct Passing {
    pub(crate) method: String,
    /// With the query, as it is on the wire.
    pub(crate) target: String,
    /// How many came before it.
    pub(crate) number: u64,
}

/// A way to an S3 server on which things go wrong as `fate` says; it ends with the test.
pub(crate) struct Road {
    pub(crate) endpoint: String,
    stop: Arc<AtomicBool>,
    address: SocketAddr,
}

impl Road {
    pub(crate) fn to(s3: &S3, fate: impl Fn(&Passing) -> Way + Send + Sync + 'static) -> Road {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let stop = Arc::new(AtomicBool::new(false));
        let (stopped, server) = (Arc::clone(&stop), s3.address);
        let (fate, number) = (Arc::new(fate), Arc::new(AtomicU64::new(0)));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if stopped.load(SeqCst) {
                    return;
                }
                let (fate, number) = (Arc::clone(&fate), Arc::clone(&number));
                // Who is killed breaks the connection.
                std::thread::spawn(move || pass(stream?, server, &*fate, &number));
            }
        });
        Road { endpoint: format!("http://{address}"), stop, address }
    }
}

impl Drop for Road {
    fn drop(&mut self) {
        self.stop.store(true, SeqCst);
        let _ = TcpStream::connect(self.address);
    }
}

/// Passes one request on, and its answer back; the connection ends with it.
fn pass(
    client: TcpStream,
    server: SocketAddr,
    fate: &dyn Fn(&Passing) -> Way,
    number: &AtomicU64,
) -> std::io::Result<()> {
    let mut from = BufReader::new(client.try_clone()?);
    let mut to = client;
    let (mut head, mut length, mut target) = (Vec::new(), 0, (String::new(), String::new()));
    loop {
        let mut line = String::new();
        if from.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let lower = line.to_ascii_lowercase();
        if target.0.is_empty() {
            let mut words = line.split(' ').map(str::to_owned);
            target = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        }
        if let Some(value) = lower.strip_prefix("content-length:") {
            length = value.trim().parse().expect("a length");
        }
        if line == "\r\n" {
            head.extend_from_slice(b"connection: close\r\n\r\n");
            break;
        }
        if !lower.starts_with("connection:") {
            head.extend_from_slice(line.as_bytes());
        }
    }
    let mut body = vec![0; length];
    from.read_exact(&mut body)?;
    let passing = Passing { method: target.0, target: target.1, number: number.fetch_add(1, SeqCst) };
    let way = fate(&passing);
    if let Way::Refused(status, code) = way {
        let xml =
            format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>{code}</Message></Error>");
        let xml = if passing.method == "HEAD" { String::new() } else { xml };
        let text = "HTTP/1.1";
        return write!(
            to,
            "{text} {status} {code}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{xml}",
            xml.len()
        );
    }
    let mut upstream = TcpStream::connect(server)?;
    upstream.write_all(&head)?;
    upstream.write_all(&body)?;
    let mut answer = Vec::new();
    upstream.read_to_end(&mut answer)?;
    match way {
        Way::Lost => Ok(()),
        Way::Cut => {
            let body = answer.windows(4).position(|it| it == b"\r\n\r\n").map_or(0, |at| at + 4);
            to.write_all(&answer[..body + (answer.len() - body) / 2])
        }
        _ => to.write_all(&answer),
    }
}

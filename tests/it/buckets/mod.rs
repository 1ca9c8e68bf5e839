//! Buckets whose service says what no service should: settings, listings, lengths, refusals; and inputs that overlap.

mod answers;
mod connections;
mod listings;
mod repeated;
mod settings;

use crate::dump::finish;
use crate::s3::at;
use crate::support::Run;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) method: String,
    /// With the query.
    pub(crate) target: String,
    /// All header lines, in lower case.
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Asked {
    pub(crate) fn is_listing(&self) -> bool {
        self.target.contains("list-type=2")
    }
}

/// What becomes of an answer and its connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Then {
    /// The connection stays open.
    Stay(Vec<u8>),
    /// The connection is closed behind it, whether the answer says so or not.
    Close(Vec<u8>),
    /// The connection is closed without an answer.
    Drop,
}

/// A service on this machine that answers as it is told; it ends with the test.
pub(crate) struct Service {
    pub(crate) endpoint: String,
    pub(crate) asked: Arc<Mutex<Vec<Asked>>>,
    stop: Arc<AtomicBool>,
    address: SocketAddr,
}

impl Service {
    /// `answer` gives a whole answer, from its status line on.
    pub(crate) fn start(answer: impl Fn(&Asked) -> Vec<u8> + Send + Sync + 'static) -> Service {
        Service::with(None, move |asked, _| Then::Close(answer(asked)))
    }

    /// `answer` is told how many requests its connection brought before. With `tls`, connections are encrypted.
    pub(crate) fn with(
        tls: Option<Arc<ServerConfig>>,
        answer: impl Fn(&Asked, usize) -> Then + Send + Sync + 'static,
    ) -> Service {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let endpoint = format!("http{}://{address}", if tls.is_some() { "s" } else { "" });
        let stop = Arc::new(AtomicBool::new(false));
        let asked: Arc<Mutex<Vec<Asked>>> = Arc::default();
        let (stopped, all, answer) = (Arc::clone(&stop), Arc::clone(&asked), Arc::new(answer));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if stopped.load(SeqCst) {
                    return;
                }
                let (all, answer, tls) = (Arc::clone(&all), Arc::clone(&answer), tls.clone());
                std::thread::spawn(move || {
                    let stream = stream?;
                    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
                    let Some(tls) = tls else { return serve(stream, &all, &*answer) };
                    let connection = ServerConnection::new(tls).expect("settings that can be used");
                    serve(StreamOwned::new(connection, stream), &all, &*answer)
                });
            }
        });
        Service { endpoint, asked, stop, address }
    }

    pub(crate) fn count(&self, wanted: impl Fn(&Asked) -> bool) -> usize {
        self.asked.lock().expect("nobody failed").iter().filter(|asked| wanted(asked)).count()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.stop.store(true, SeqCst);
        let _ = TcpStream::connect(self.address);
    }
}

fn serve(
    stream: impl Read + Write,
    all: &Mutex<Vec<Asked>>,
    answer: &dyn Fn(&Asked, usize) -> Then,
) -> std::io::Result<()> {
    let mut from = BufReader::new(stream);
    for number in 0.. {
        let (mut first, mut head, mut length) = (String::new(), String::new(), 0);
        if from.read_line(&mut first)? == 0 {
            break;
        }
        loop {
            let mut line = String::new();
            from.read_line(&mut line)?;
            let line = line.trim_end().to_ascii_lowercase();
            if line.is_empty() {
                break;
            }
            if let Some(value) = line.strip_prefix("content-length:") {
                length = value.trim().parse().expect("a length");
            }
            head.push_str(&line);
            head.push('\n');
        }
        let mut body = vec![0; length];
        from.read_exact(&mut body)?;
        let mut words = first.split(' ').map(str::to_owned);
        let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let asked = Asked { method, target, head, body };
        let then = answer(&asked, number);
        all.lock().expect("nobody failed").push(asked);
        match then {
            Then::Stay(answered) => from.get_mut().write_all(&answered)?,
            Then::Close(answered) => return from.get_mut().write_all(&answered),
            Then::Drop => break,
        }
    }
    Ok(())
}

/// An answer with headers, `\r\n` behind each, and a body.
pub(crate) fn answer(status: u16, headers: &str, body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    let mut all = format!(
        "HTTP/1.1 {status} X\r\n{headers}content-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    )
    .into_bytes();
    all.extend_from_slice(body);
    all
}

/// S3's words for an error.
pub(crate) fn refusal(status: u16, code: &str, message: &str) -> Vec<u8> {
    let xml = format!(
        "<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>{message}</Message><RequestId>REQ1</RequestId></Error>"
    );
    answer(status, "content-type: application/xml\r\n", xml)
}

/// An entry of a listing.
pub(crate) fn entry(key: &str, size: &str) -> String {
    format!(
        "<Contents><Key>{key}</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified><ETag>\"e-{key}\"</ETag><Size>{size}</Size></Contents>"
    )
}

/// A whole listing around entries and what else it says.
pub(crate) fn listing(inside: &str) -> String {
    format!("<?xml version=\"1.0\"?><ListBucketResult><Name>b</Name>{inside}</ListBucketResult>")
}

/// An object, as GET and HEAD answer: all of it, or from the byte that is asked for.
pub(crate) fn object(asked: &Asked, key: &str, bytes: &[u8]) -> Vec<u8> {
    let from = asked
        .head
        .lines()
        .find_map(|line| line.strip_prefix("range: bytes=")?.split('-').next()?.parse().ok());
    let from: usize = from.unwrap_or(0);
    let mut headers = format!("etag: \"e-{key}\"\r\nlast-modified: Thu, 01 Jan 2026 00:00:00 GMT\r\n");
    let status = if asked.head.contains("range: bytes=") {
        headers.push_str(&format!("content-range: bytes {from}-{}/{}\r\n", bytes.len() - 1, bytes.len()));
        206
    } else {
        200
    };
    let all = answer(status, &headers, &bytes[from..]);
    let head = all.windows(4).position(|four| four == b"\r\n\r\n").expect("a head") + 4;
    if asked.method == "HEAD" { all[..head].to_vec() } else { all }
}

/// The command with a service's environment, and nothing of anybody's settings but what is in `home`.
fn command(endpoint: &str, home: &Path) -> Command {
    let mut command = at(endpoint);
    for name in ["AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR"] {
        command.env_remove(name);
    }
    for name in ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
        command.env_remove(name);
    }
    command.env("HOME", home);
    command
}

/// Converts `inputs` of the service at `endpoint` into a folder of its own, with settings changed.
pub(crate) fn convert(
    endpoint: &str,
    inputs: &[&str],
    change: impl Fn(&mut Command),
) -> (Run, tempfile::TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = command(endpoint, folder.path());
    command.arg("convert").args(inputs);
    command.arg("-o").arg(format!("{}/out/", folder.path().display()));
    change(&mut command);
    (finish(&mut command), folder)
}

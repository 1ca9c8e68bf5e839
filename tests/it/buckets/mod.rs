//! Buckets whose service says what no service should: settings, listings, lengths, refusals; and inputs that overlap.

mod answers;
mod listings;
mod repeated;
mod settings;

use crate::dump::finish;
use crate::s3::at;
use crate::support::Run;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
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
}

impl Asked {
    pub(crate) fn is_listing(&self) -> bool {
        self.target.contains("list-type=2")
    }
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
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let stop = Arc::new(AtomicBool::new(false));
        let asked: Arc<Mutex<Vec<Asked>>> = Arc::default();
        let (stopped, all, answer) = (Arc::clone(&stop), Arc::clone(&asked), Arc::new(answer));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if stopped.load(SeqCst) {
                    return;
                }
                let (all, answer) = (Arc::clone(&all), Arc::clone(&answer));
                std::thread::spawn(move || serve(stream?, &all, &*answer));
            }
        });
        Service { endpoint: format!("http://{address}"), asked, stop, address }
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
    stream: TcpStream,
    all: &Mutex<Vec<Asked>>,
    answer: &dyn Fn(&Asked) -> Vec<u8>,
) -> std::io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    let mut from = BufReader::new(stream.try_clone()?);
    let (mut first, mut head, mut length) = (String::new(), String::new(), 0);
    from.read_line(&mut first)?;
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
    let asked =
        Asked { method: words.next().unwrap_or_default(), target: words.next().unwrap_or_default(), head };
    let answered = answer(&asked);
    all.lock().expect("nobody failed").push(asked);
    let mut stream = stream;
    stream.write_all(&answered)
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

/// Converts `inputs` of the service at `endpoint` into a folder of its own, with settings changed.
pub(crate) fn convert(
    endpoint: &str,
    inputs: &[&str],
    change: impl Fn(&mut Command),
) -> (Run, tempfile::TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = at(endpoint);
    for name in ["AWS_PROFILE", "AWS_SESSION_TOKEN", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"] {
        command.env_remove(name);
    }
    command.env("HOME", folder.path()).arg("convert").args(inputs);
    command.arg("-o").arg(format!("{}/out/", folder.path().display()));
    change(&mut command);
    (finish(&mut command), folder)
}

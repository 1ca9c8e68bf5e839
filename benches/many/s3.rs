//! A bucket in memory that speaks as much of S3 as a dump needs: listings, GET, HEAD, and PUT on the condition that there
//! is nothing. Connections stay open, one thread each, so that the server is not what is measured.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, BufRead, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::ops::Bound;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How many keys a page of a listing holds, as on S3.
const PAGE: usize = 1000;

/// Buckets by name, and in each what is in it. The server lasts as long as the process.
#[derive(Debug, Clone, Default)]
pub(crate) struct Server(Arc<State>);

#[derive(Debug, Default)]
struct State {
    /// By bucket and key: `/bucket/key`.
    objects: Mutex<BTreeMap<String, Arc<[u8]>>>,
    /// How long each answer takes, in microseconds.
    latency: AtomicU64,
    requests: AtomicU64,
}

impl Server {
    /// Starts it; where it listens, as a URL.
    pub(crate) fn start(&self) -> io::Result<String> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let endpoint = format!("http://{}", listener.local_addr()?);
        let server = self.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let server = server.clone();
                // Who is gone needs no answer.
                std::thread::spawn(move || drop(server.serve(&stream)));
            }
        });
        Ok(endpoint)
    }

    pub(crate) fn put(&self, path: &str, bytes: &[u8]) {
        self.objects().insert(path.to_owned(), bytes.into());
    }

    /// How many objects are below a prefix, of those that are wanted.
    pub(crate) fn count(&self, prefix: &str, wanted: impl Fn(&str) -> bool) -> usize {
        self.objects().keys().filter(|path| path.starts_with(prefix) && wanted(path)).count()
    }

    /// Forgets what is below a prefix.
    pub(crate) fn clear(&self, prefix: &str) {
        self.objects().retain(|path, _| !path.starts_with(prefix));
    }

    /// From now on each answer takes so long.
    pub(crate) fn delay(&self, latency: Duration) {
        self.0.latency.store(u64::try_from(latency.as_micros()).unwrap_or(u64::MAX), Relaxed);
    }

    /// How many requests were answered.
    pub(crate) fn requests(&self) -> u64 {
        self.0.requests.load(Relaxed)
    }

    fn objects(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Arc<[u8]>>> {
        self.0.objects.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers one request after the other.
    fn serve(&self, stream: &TcpStream) -> io::Result<()> {
        stream.set_nodelay(true)?;
        let mut from = BufReader::with_capacity(1 << 16, stream);
        let (mut line, mut answer) = (String::new(), Vec::new());
        loop {
            let (mut length, mut if_none, mut range) = (0, false, None);
            line.clear();
            if from.read_line(&mut line)? == 0 {
                return Ok(());
            }
            let mut words = line.split(' ');
            let method = words.next().unwrap_or_default().to_owned();
            let target = words.next().unwrap_or_default().to_owned();
            loop {
                line.clear();
                from.read_line(&mut line)?;
                let Some((name, value)) = line.split_once(':') else { break };
                match name.to_ascii_lowercase().as_str() {
                    "content-length" => length = value.trim().parse().unwrap_or(0),
                    "if-none-match" => if_none = true,
                    "range" => range = value.trim().strip_prefix("bytes=").map(str::to_owned),
                    _ => {}
                }
            }
            let mut body = vec![0; length];
            from.read_exact(&mut body)?;
            let latency = Duration::from_micros(self.0.latency.load(Relaxed));
            if !latency.is_zero() {
                std::thread::sleep(latency);
            }
            self.0.requests.fetch_add(1, Relaxed);
            answer.clear();
            self.answer(&method, &target, (body, if_none, range.as_deref()), &mut answer);
            (&*stream).write_all(&answer)?;
        }
    }

    fn answer(
        &self,
        method: &str,
        target: &str,
        (body, if_none, range): (Vec<u8>, bool, Option<&str>),
        to: &mut Vec<u8>,
    ) {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let path = decoded(path);
        match method {
            "GET" if query.contains("list-type=2") => {
                let page = self.page(&path, query);
                whole(to, "200 OK", "content-type: application/xml\r\n", page.as_bytes(), true);
            }
            "GET" | "HEAD" => {
                let Some(object) = self.objects().get(&path).cloned() else {
                    return refused(to, "404 Not Found", "NoSuchKey", method);
                };
                let mut headers = described(&object);
                let Some(range) = range else {
                    return whole(to, "200 OK", &headers, &object, method == "GET");
                };
                let size = object.len();
                let (from, until) = match range.split_once('-') {
                    Some(("", last)) => (size.saturating_sub(last.parse().unwrap_or(0)), size),
                    Some((from, until)) => {
                        let until = until.parse::<usize>().map_or(size, |last| size.min(last + 1));
                        (from.parse().unwrap_or(0).min(until), until)
                    }
                    None => (0, size),
                };
                let _ = write!(headers, "content-range: bytes {from}-{}/{size}\r\n", until.saturating_sub(1));
                whole(to, "206 Partial Content", &headers, &object[from..until], method == "GET");
            }
            "PUT" => {
                let mut objects = self.objects();
                if if_none && objects.contains_key(&path) {
                    return refused(to, "412 Precondition Failed", "PreconditionFailed", method);
                }
                let headers = described(&body);
                objects.insert(path, body.into());
                whole(to, "200 OK", &headers, b"", true);
            }
            _ => refused(to, "501 Not Implemented", "NotImplemented", method),
        }
    }

    /// A page of a listing.
    fn page(&self, bucket: &str, query: &str) -> String {
        let of = |name: &str| {
            let found = query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
            found.map(decoded).unwrap_or_default()
        };
        let bucket = format!("/{}/", bucket.trim_matches('/'));
        let (prefix, after) = (format!("{bucket}{}", of("prefix")), of("continuation-token"));
        let first = if after.is_empty() {
            Bound::Included(prefix.clone())
        } else {
            Bound::Excluded(format!("{bucket}{after}"))
        };
        let objects = self.objects();
        let below =
            objects.range((first, Bound::Unbounded)).take_while(|(path, _)| path.starts_with(&prefix));
        let mut page = String::from("<?xml version=\"1.0\"?><ListBucketResult><Name>b</Name>");
        let (mut last, mut more) = ("", false);
        for (number, (path, object)) in below.enumerate() {
            if number == PAGE {
                more = true;
                break;
            }
            last = path.strip_prefix(&bucket).unwrap_or(path);
            let _ = write!(
                page,
                "<Contents><Key>{last}</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified>\
                 <ETag>{}</ETag><Size>{}</Size></Contents>",
                etag(object),
                object.len()
            );
        }
        let _ = write!(page, "<IsTruncated>{more}</IsTruncated>");
        if more {
            let _ = write!(page, "<NextContinuationToken>{last}</NextContinuationToken>");
        }
        page.push_str("</ListBucketResult>");
        page
    }
}

/// Some bytes of an object and its length: enough for objects that are written once.
fn etag(object: &[u8]) -> String {
    let some =
        object.iter().step_by(64).fold(0u64, |sum, byte| sum.wrapping_mul(31).wrapping_add((*byte).into()));
    format!("\"{some:x}-{:x}\"", object.len())
}

fn described(object: &[u8]) -> String {
    format!("etag: {}\r\nlast-modified: Thu, 01 Jan 2026 00:00:00 GMT\r\n", etag(object))
}

fn whole(to: &mut Vec<u8>, status: &str, headers: &str, body: &[u8], with_body: bool) {
    let _ = io::Write::write_fmt(
        to,
        format_args!("HTTP/1.1 {status}\r\n{headers}content-length: {}\r\n\r\n", body.len()),
    );
    if with_body {
        to.extend_from_slice(body);
    }
}

fn refused(to: &mut Vec<u8>, status: &str, code: &str, method: &str) {
    let body = format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>{code}</Message></Error>");
    whole(to, status, "content-type: application/xml\r\n", body.as_bytes(), method != "HEAD");
}

/// With percent signs and what follows them resolved.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, others @ ..] = rest {
        rest = others;
        match (first, others) {
            (b'%', [a, b, others @ ..]) => {
                let digit = |byte: &u8| char::from(*byte).to_digit(16).unwrap_or(0) as u8;
                bytes.push(digit(a) << 4 | digit(b));
                rest = others;
            }
            (b'+', _) => bytes.push(b' '),
            _ => bytes.push(*first),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

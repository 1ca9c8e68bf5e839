//! The least HTTP server that clients will speak with: on loopback, and with answers that go wrong on the way.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Error, ErrorKind, Read as _, Result, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;

/// The longest body that is read, in bytes.
const LONGEST: usize = 64 << 20;

/// How long a connection may be silent.
const PATIENCE: Duration = Duration::from_secs(120);

/// A request that has arrived.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: String,
    headers: HashMap<String, String>,
    pub(crate) body: Vec<u8>,
}

impl Request {
    /// A header by its name in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }
}

/// What is answered.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
    after: Duration,
    cut: bool,
}

impl Reply {
    pub(crate) fn new(status: u16, body: impl Into<Vec<u8>>) -> Reply {
        Reply { status, headers: Vec::new(), body: body.into(), after: Duration::ZERO, cut: false }
    }

    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Reply {
        self.headers.push((name, value.into()));
        self
    }

    pub(crate) fn status(&self) -> u16 {
        self.status
    }

    /// The answer comes later.
    pub(crate) fn after(mut self, time: Duration) -> Reply {
        self.after = time;
        self
    }

    /// The connection ends before the last bytes of the body.
    pub(crate) fn cut(mut self) -> Reply {
        self.cut = true;
        self
    }
}

/// Serves until the tests end, each connection on a thread of its own; the URL. Without a reply the connection ends.
pub(crate) fn serve(answer: impl Fn(&Request) -> Option<Reply> + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let answer = Arc::new(answer);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let answer = answer.clone();
            // A client that has gone is not a failure of the server's.
            std::thread::spawn(move || connection(&stream, &*answer));
        }
    });
    url
}

/// The requests of a connection, one after another.
fn connection(stream: &TcpStream, answer: &dyn Fn(&Request) -> Option<Reply>) -> Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_nodelay(true)?;
    let mut reader = BufReader::with_capacity(64 << 10, stream);
    while let Some(request) = read(&mut reader)? {
        let Some(reply) = answer(&request) else { break };
        std::thread::sleep(reply.after);
        write(stream, &reply)?;
        if reply.cut {
            break;
        }
    }
    Ok(())
}

fn wrong(what: &str) -> Error {
    Error::new(ErrorKind::InvalidData, what)
}

fn read(reader: &mut BufReader<&TcpStream>) -> Result<Option<Request>> {
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let mut words = line.split_whitespace().map(str::to_owned);
    let (Some(method), Some(target)) = (words.next(), words.next()) else { return Err(wrong("a request")) };
    let mut headers = HashMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let mut body = Vec::new();
    if let Some(length) = headers.get("content-length") {
        let length = length.parse().ok().filter(|length| *length <= LONGEST);
        body.resize(length.ok_or_else(|| wrong("a length"))?, 0);
        reader.read_exact(&mut body)?;
    } else if headers.contains_key("transfer-encoding") {
        body = chunks(reader)?;
    }
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    Ok(Some(Request { method, path: path.to_owned(), query: query.to_owned(), headers, body }))
}

fn chunks(reader: &mut BufReader<&TcpStream>) -> Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let length = usize::from_str_radix(line.trim(), 16).ok().filter(|length| *length <= LONGEST);
        let length = length.ok_or_else(|| wrong("a chunk"))?;
        let mut chunk = vec![0; length + 2];
        reader.read_exact(&mut chunk)?;
        if length == 0 {
            return Ok(body);
        }
        body.extend_from_slice(&chunk[..length]);
        if body.len() > LONGEST {
            return Err(wrong("too long"));
        }
    }
}

fn write(mut stream: &TcpStream, reply: &Reply) -> Result<()> {
    let missing = if reply.cut { 100 } else { 0 };
    let mut head =
        format!("HTTP/1.1 {} -\r\ncontent-length: {}\r\n", reply.status, reply.body.len() + missing);
    for (name, value) in &reply.headers {
        head += &format!("{name}: {value}\r\n");
    }
    let mut bytes = format!("{head}\r\n").into_bytes();
    bytes.extend_from_slice(&reply.body);
    stream.write_all(&bytes)
}

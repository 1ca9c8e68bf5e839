//! The fake Duo over HTTP, and the command that asks it.

use super::duo::{Duo, HOST, IKEY, SKEY};
use super::signature::Asked;
use crate::support::{Run, udmap};
use base64::Engine as _;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use udmap::jobs::collect::{NoAnswer, Response};

/// A made-up secret of a bucket.
pub(crate) const BUCKET_SECRET: &str = "bucketsecretbucketsecretbucketsecret0000";

pub(crate) struct Server {
    pub(crate) url: String,
    pub(crate) duo: Arc<Duo>,
    stop: Arc<AtomicBool>,
    address: std::net::SocketAddr,
}

impl Server {
    pub(crate) fn start(duo: Duo) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let (duo, stop) = (Arc::new(duo), Arc::new(AtomicBool::new(false)));
        let (served, stopped) = (Arc::clone(&duo), Arc::clone(&stop));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if stopped.load(Ordering::SeqCst) {
                    return;
                }
                let duo = Arc::clone(&served);
                // A client that is killed breaks the connection.
                std::thread::spawn(move || stream.and_then(|stream| serve(&duo, stream)));
            }
        });
        Server { url: format!("http://{address}"), duo, stop, address }
    }

    /// The command, told of this service and of places in `folder`.
    pub(crate) fn collect(&self, folder: &Path) -> Command {
        let mut command = bare();
        command.args(["duo-telephony", "--allow-any-host", "--api-url", &self.url]);
        command.args(["--request-interval", "0", "--retry-wait", "1ms"]);
        command.arg("--to").arg(folder.join("logs")).arg("--state").arg(folder.join("state.json"));
        command
    }
}

/// The command with keys in its environment.
pub(crate) fn bare() -> Command {
    let mut command = udmap();
    command.env("DUO_API_HOST", HOST).env("DUO_IKEY", IKEY).env("DUO_SKEY", SKEY);
    command.env("AWS_ACCESS_KEY_ID", "test").env("AWS_SECRET_ACCESS_KEY", BUCKET_SECRET).arg("collect");
    command
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        // Wakes the listener.
        drop(TcpStream::connect(self.address));
    }
}

fn serve(duo: &Duo, stream: TcpStream) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let (mut reader, mut writer) = (BufReader::new(stream.try_clone()?), stream);
    loop {
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line)? == 0 {
                return Ok(());
            }
            let line = line.trim_end().to_owned();
            if line.is_empty() {
                break;
            }
            lines.push(line);
        }
        let header = |name: &str| {
            let found = lines[1..].iter().filter_map(|line| line.split_once(": "));
            found
                .filter(|(key, _)| key.eq_ignore_ascii_case(name))
                .map(|(_, value)| value)
                .next()
                .unwrap_or_default()
        };
        let (method, target) = lines[0].split_once(' ').unwrap_or_default();
        let (path, query) =
            target.split(' ').next().unwrap_or_default().split_once('?').unwrap_or((target, ""));
        let (date, authorization) = (header("date"), header("authorization"));
        let asked = Asked { method, host: HOST, path, query, date, authorization };
        let answer = duo.answer(&asked, chrono::Utc::now().timestamp_millis());
        let (Response { status, retry_after, date, body }, cut) = match answer {
            Ok(response) => (response, false),
            // Cut in the middle of the body.
            Err(NoAnswer(why)) if why.contains("cut") => {
                (Response { status: 200, ..Response::default() }, true)
            }
            Err(_) => return Ok(()),
        };
        // A gateway that shows what it was asked.
        let body = match String::from_utf8(body) {
            Ok(text) if text.contains("{authorization}") => {
                text.replace("{authorization}", authorization).into_bytes()
            }
            Ok(text) => text.into_bytes(),
            Err(error) => error.into_bytes(),
        };
        let length = body.len() + if cut { 1000 } else { 0 };
        let mut head = format!("HTTP/1.1 {status} X\r\nContent-Length: {length}\r\n");
        for (name, value) in [("Date", date), ("Retry-After", retry_after)] {
            head += &value.map_or(String::new(), |value| format!("{name}: {value}\r\n"));
        }
        if (300..400).contains(&status) {
            head += "Location: http://127.0.0.1:1/elsewhere\r\n";
        }
        writer.write_all(head.as_bytes())?;
        writer.write_all(b"\r\n")?;
        writer.write_all(&body)?;
        if cut {
            writer.write_all(b"{\"stat\": \"OK\", ")?;
            return Ok(());
        }
    }
}

/// Ends a command; what it said holds no secret.
pub(crate) fn finish(command: &mut Command) -> Run {
    let run = Run::of(&command.output().expect("the command starts"));
    no_secret("stdout", run.stdout.as_bytes());
    no_secret("stderr", run.stderr.as_bytes());
    run
}

/// The beginning of every signature of these keys.
fn signature_start() -> String {
    let text = base64::engine::general_purpose::STANDARD.encode(format!("{IKEY}:"));
    text.trim_end_matches('=')[..24].to_owned()
}

/// No key and no signature stands in these bytes.
pub(crate) fn no_secret(what: &str, bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    for secret in [SKEY, IKEY, BUCKET_SECRET, &signature_start()] {
        assert!(!text.contains(secret), "{what} holds {secret}: {text}");
    }
}

/// All files below a folder with their content, decompressed, sorted; none holds a secret.
pub(crate) fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten() {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let bytes = std::fs::read(&path).expect("read");
            files.push((path.to_string_lossy().into_owned(), unpacked(&bytes)));
        }
    }
    files.sort();
    files.iter().for_each(|(name, bytes)| no_secret(name, bytes));
    files
}

pub(crate) fn unpacked(bytes: &[u8]) -> Vec<u8> {
    if !bytes.starts_with(b"\x1f\x8b") {
        return bytes.to_vec();
    }
    let mut text = Vec::new();
    std::io::Read::read_to_end(&mut flate2::read::MultiGzDecoder::new(bytes), &mut text).expect("gzip");
    text
}

/// All lines below a folder, sorted, without hidden files.
pub(crate) fn lines(folder: &Path) -> Vec<String> {
    let shown = files(folder)
        .into_iter()
        .filter(|(name, _)| !name.rsplit('/').next().is_some_and(|n| n.starts_with('.')));
    let mut lines: Vec<String> = shown
        .flat_map(|(_, bytes)| {
            String::from_utf8(bytes).expect("UTF-8").lines().map(str::to_owned).collect::<Vec<_>>()
        })
        .collect();
    lines.sort();
    lines
}

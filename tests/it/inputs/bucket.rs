//! A bucket `b` on this machine that speaks S3 as far as readers need it, with things that go wrong.

use crate::buckets::{Asked, Service, answer, listing, refusal};
use crate::dump::finish;
use crate::s3::at;
use crate::support::Run;
use std::collections::BTreeMap;
use std::process::Command;
use std::sync::{Arc, Mutex};

/// What becomes of the answer to a reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Through,
    /// It breaks off in the middle.
    Cut,
    /// The object is replaced before it is read.
    Replaced,
    /// The object is deleted before it is read.
    Deleted,
    /// The answer is a whole one of a third of the object, under the same ETag.
    Short,
}

/// Objects with the number of times that they were written.
type Objects = BTreeMap<String, (Vec<u8>, u32)>;

pub(super) struct Bucket {
    pub(super) service: Service,
    folder: tempfile::TempDir,
}

impl Bucket {
    pub(super) fn with(objects: &[(&str, &[u8])]) -> Bucket {
        Bucket::failing(objects, |_, _| Fate::Through)
    }

    /// `fate` is asked with the key and the number of readings of it so far.
    pub(super) fn failing(
        objects: &[(&str, &[u8])],
        fate: impl Fn(&str, u32) -> Fate + Send + Sync + 'static,
    ) -> Bucket {
        let objects: Objects =
            objects.iter().map(|(key, bytes)| ((*key).to_owned(), (bytes.to_vec(), 0))).collect();
        let (objects, readings) = (Arc::new(Mutex::new(objects)), Mutex::new(BTreeMap::<String, u32>::new()));
        let service = Service::start(move |asked| {
            if asked.is_listing() {
                return list(asked, &objects.lock().expect("nobody failed"));
            }
            let key = decoded(asked.target.split('?').next().unwrap_or_default().trim_start_matches("/b/"));
            let mut fated = Fate::Through;
            if asked.method == "GET" {
                let before = {
                    let mut readings = readings.lock().expect("nobody failed");
                    let count = readings.entry(key.clone()).or_default();
                    *count += 1;
                    *count - 1
                };
                fated = fate(&key, before);
            }
            let mut objects = objects.lock().expect("nobody failed");
            match fated {
                Fate::Through | Fate::Cut | Fate::Short => {}
                Fate::Replaced => {
                    if let Some((_, version)) = objects.get_mut(&key) {
                        *version += 1;
                    }
                }
                Fate::Deleted => drop(objects.remove(&key)),
            }
            let cut = fated == Fate::Cut;
            match objects.get(&key) {
                None => refusal(404, "NoSuchKey", "The specified key does not exist."),
                Some((bytes, version)) if fated == Fate::Short => {
                    read(asked, &key, &bytes[..bytes.len() / 3], *version, cut)
                }
                Some((bytes, version)) => read(asked, &key, bytes, *version, cut),
            }
        });
        Bucket { service, folder: tempfile::tempdir().expect("a folder") }
    }

    /// Runs the command with the environment of this bucket.
    pub(super) fn run(&self, args: &[&str]) -> Run {
        finish(&mut self.command(args))
    }

    pub(super) fn command(&self, args: &[&str]) -> Command {
        let mut command = at(&self.service.endpoint);
        for name in ["AWS_PROFILE", "AWS_SESSION_TOKEN", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"]
        {
            command.env_remove(name);
        }
        command.env("HOME", self.folder.path()).args(args);
        command
    }
}

fn etag(key: &str, version: u32) -> String {
    let key: String = key.chars().filter(char::is_ascii_alphanumeric).collect();
    format!("\"e-{key}-{version}\"")
}

fn list(asked: &Asked, objects: &Objects) -> Vec<u8> {
    let prefix = asked.target.split(['?', '&']).find_map(|pair| pair.strip_prefix("prefix="));
    let prefix = decoded(prefix.unwrap_or_default());
    let entries = objects.iter().filter(|(key, _)| key.starts_with(&prefix));
    let entries = entries.map(|(key, (bytes, version))| {
        let key_text = key.replace('&', "&amp;").replace('<', "&lt;");
        let (size, etag) = (bytes.len(), etag(key, *version));
        format!(
            "<Contents><Key>{key_text}</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified><ETag>{etag}</ETag><Size>{size}</Size></Contents>"
        )
    });
    answer(200, "", listing(&entries.collect::<String>()))
}

fn read(asked: &Asked, key: &str, bytes: &[u8], version: u32, cut: bool) -> Vec<u8> {
    let etag = etag(key, version);
    let header = |name: &str| asked.head.lines().find_map(|line| line.strip_prefix(name).map(str::to_owned));
    if header("if-match: ").is_some_and(|wanted| !wanted.eq_ignore_ascii_case(&etag)) {
        return refusal(412, "PreconditionFailed", "At least one of the pre-conditions did not hold");
    }
    let range = header("range: bytes=");
    let from: usize =
        range.as_ref().and_then(|range| range.split('-').next()?.parse().ok()).unwrap_or_default();
    let mut headers = format!("etag: {etag}\r\nlast-modified: Thu, 01 Jan 2026 00:00:00 GMT\r\n");
    let status = if range.is_some() { 206 } else { 200 };
    if range.is_some() {
        let (last, all) = (bytes.len() - 1, bytes.len());
        headers.push_str(&format!("content-range: bytes {from}-{last}/{all}\r\n"));
    }
    let mut all = answer(status, &headers, &bytes[from..]);
    let body = all.len() - (bytes.len() - from);
    if asked.method == "HEAD" {
        all.truncate(body);
    } else if cut {
        all.truncate(body + (bytes.len() - from) / 2);
    }
    all
}

/// Without the escapes of a URL.
fn decoded(text: &str) -> String {
    let (mut bytes, mut rest) = (Vec::new(), text.as_bytes());
    while let Some((first, after)) = rest.split_first() {
        let escape =
            after.get(..2).and_then(|two| u8::from_str_radix(std::str::from_utf8(two).ok()?, 16).ok());
        match (first, escape) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            _ => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8(bytes).expect("UTF-8")
}

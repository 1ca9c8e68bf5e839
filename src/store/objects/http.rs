//! What stands between a store and the network: it counts requests, keeps large objects from being
//! written over, and lets keys through that the object_store crate has no name for.
//!
//! S3 takes any key; the crate's paths have no empty part, no `.` or `..`, no control characters,
//! and neither `/` nor white space at the ends. Such keys are spelled another way inside
//! ([`spell`]) and get their own names back on the wire.

use super::odd::{Keys, Odd, is_odd};
use async_trait::async_trait;
use bytes::Bytes;
use futures_util::TryStreamExt as _;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpService,
    ReqwestConnector,
};
use object_store::{ClientOptions, HeaderValue};
use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Stands at the beginning of a part that is spelled in hexadecimal. No text has this character for
/// a purpose of its own: it is the last one, and no character at that.
pub(super) const MARK: char = '\u{10FFFF}';

/// How many requests of each kind were sent, tries included.
#[derive(Debug, Default)]
pub struct Requests {
    counts: [AtomicU64; 5],
}

/// The kinds of [`Requests`].
const KINDS: [&str; 5] = ["list", "get", "head", "put", "delete"];

impl Requests {
    fn count(&self, request: &HttpRequest) {
        let kind = match request.method().as_str() {
            "GET" if is_listing(request) => 0,
            "GET" => 1,
            "HEAD" => 2,
            "DELETE" => 4,
            // Of several parts: it begins, goes on and ends; or a deletion of many.
            "POST" if request.uri().query().is_some_and(|query| query.starts_with("delete")) => 4,
            _ => 3,
        };
        self.counts[kind].fetch_add(1, Ordering::Relaxed);
    }

    /// How many of each kind: `list`, `get`, `head`, `put`, `delete`.
    pub fn counts(&self) -> [(&'static str, u64); 5] {
        std::array::from_fn(|kind| (KINDS[kind], self.counts[kind].load(Ordering::Relaxed)))
    }
}

tokio::task_local! {
    /// The ETag that an object must have to be deleted, while it is.
    pub(crate) static ONLY_IF: String;
}

/// Makes clients that count their requests.
#[derive(Debug, Clone, Default)]
pub(crate) struct Connector {
    pub(crate) requests: Arc<Requests>,
    /// What requests of a bucket are signed with, once that is known.
    pub(crate) keys: Keys,
}

impl HttpConnector for Connector {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        let inner = ReqwestConnector::default().connect(options)?;
        Ok(HttpClient::new(Shim {
            inner,
            odd: Odd::new(Arc::clone(&self.keys)),
            requests: Arc::clone(&self.requests),
        }))
    }
}

#[derive(Debug)]
struct Shim {
    inner: HttpClient,
    odd: Odd,
    requests: Arc<Requests>,
}

#[async_trait]
impl HttpService for Shim {
    async fn call(&self, mut request: HttpRequest) -> Result<HttpResponse, HttpError> {
        self.requests.count(&request);
        if ends_parts(&request) {
            // An object of several parts is complete only if nothing stands there: what S3 knows,
            // and object_store has no switch for.
            request.headers_mut().insert("if-none-match", HeaderValue::from_static("*"));
        }
        if request.method().as_str() == "DELETE"
            && let Ok(Ok(etag)) = ONLY_IF.try_with(|etag| HeaderValue::from_str(etag))
        {
            request.headers_mut().insert("if-match", etag);
        }
        if is_odd(&request) {
            return self.odd.call(request).await;
        }
        let listing = is_listing(&request);
        let response = self.inner.execute(request).await?;
        if !listing || !response.status().is_success() {
            return Ok(response);
        }
        let (parts, body) = response.into_parts();
        let read = body.bytes_stream().try_fold(Vec::new(), |mut all, piece: Bytes| async move {
            all.extend_from_slice(&piece);
            Ok(all)
        });
        let text =
            String::from_utf8(read.await?).map_err(|error| HttpError::new(HttpErrorKind::Decode, error))?;
        Ok(HttpResponse::from_parts(parts, respell(&text).into_owned().into()))
    }
}

fn is_listing(request: &HttpRequest) -> bool {
    request.uri().query().is_some_and(|query| query.split('&').any(|pair| pair == "list-type=2"))
}

fn ends_parts(request: &HttpRequest) -> bool {
    let ends = |query: &str| query.split('&').any(|pair| pair.starts_with("uploadId="));
    request.method().as_str() == "POST" && request.uri().query().is_some_and(ends)
}

/// The crate's path for a key. A key that has one is its own.
pub(crate) fn spell(key: &str) -> Cow<'_, str> {
    let first = key.chars().next().is_some_and(char::is_whitespace);
    let last = key.chars().next_back().is_some_and(char::is_whitespace);
    let odd =
        |part: &str| matches!(part, "" | "." | "..") || part.chars().any(|c| c.is_control() || c == MARK);
    if !first && !last && !key.split('/').any(odd) {
        return Cow::Borrowed(key);
    }
    let count = key.split('/').count();
    let parts = key.split('/').enumerate().map(|(at, part)| {
        if odd(part) || first && at == 0 || last && at + 1 == count {
            let hex: String = part.bytes().map(|byte| format!("{byte:02x}")).collect();
            Cow::Owned(format!("{MARK}{hex}"))
        } else {
            Cow::Borrowed(part)
        }
    });
    Cow::Owned(parts.collect::<Vec<_>>().join("/"))
}

/// The key that a path stands for.
pub(crate) fn unspell(path: &str) -> Cow<'_, str> {
    if !path.contains(MARK) {
        return Cow::Borrowed(path);
    }
    let parts = path.split('/').map(|part| match part.strip_prefix(MARK) {
        None => part.to_owned(),
        Some(hex) => {
            let byte = |at: usize| hex.get(at..at + 2).and_then(|two| u8::from_str_radix(two, 16).ok());
            let bytes: Vec<u8> = (0..hex.len()).step_by(2).filter_map(byte).collect();
            String::from_utf8_lossy(&bytes).into_owned()
        }
    });
    Cow::Owned(parts.collect::<Vec<_>>().join("/"))
}

/// A listing whose keys are all paths.
fn respell(xml: &str) -> Cow<'_, str> {
    let (open, close) = ("<Key>", "</Key>");
    let mut made = String::new();
    let mut done = 0;
    let mut at = 0;
    while let Some(start) = xml[at..].find(open).map(|found| at + found + open.len()) {
        let Some(end) = xml[start..].find(close).map(|found| start + found) else { break };
        let key = unescape(&xml[start..end]);
        if let Cow::Owned(path) = spell(&key) {
            made.push_str(&xml[done..start]);
            // Hexadecimal digits, slashes, and parts as they were: only those need escapes.
            made.push_str(&path.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;"));
            done = end;
        }
        at = end;
    }
    if done == 0 {
        return Cow::Borrowed(xml);
    }
    made.push_str(&xml[done..]);
    Cow::Owned(made)
}

/// XML's five entities, and characters by number.
fn unescape(text: &str) -> Cow<'_, str> {
    if !text.contains('&') {
        return Cow::Borrowed(text);
    }
    let mut pieces = text.split('&');
    let mut made = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (name, rest) = piece.split_once(';').unwrap_or((piece, ""));
        let number = || match name.strip_prefix('#')?.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16).ok(),
            None => name[1..].parse().ok(),
        };
        let c = match name {
            "amp" => Some('&'),
            "lt" => Some('<'),
            "gt" => Some('>'),
            "quot" => Some('"'),
            "apos" => Some('\''),
            _ => number().and_then(char::from_u32),
        };
        match c {
            Some(c) => {
                made.push(c);
                made.push_str(rest);
            }
            None => {
                made.push('&');
                made.push_str(piece);
            }
        }
    }
    Cow::Owned(made)
}

#[cfg(test)]
mod tests {
    use super::*;
    use object_store::path::Path;

    #[test]
    fn every_key_has_a_path_of_its_own() {
        let plain = ["a", "a/b c/ü#%/x&y.gz", "a..b/...", "%2E%2E/x", "~/$"];
        let odd = ["a/../b", "..", "a//b", "/a", "a/", "a/./b", "a\u{1}b", " a", "a/b ", "\u{10FFFF}2e"];
        for key in plain {
            assert_eq!(spell(key), key);
        }
        for key in plain.into_iter().chain(odd) {
            let path = spell(key).into_owned();
            assert_eq!(Path::parse(&path).unwrap().as_ref(), path, "{key:?}");
            assert_eq!(unspell(&path), key);
        }
        let all: std::collections::HashSet<_> = plain.iter().chain(&odd).map(|key| spell(key)).collect();
        assert_eq!(all.len(), plain.len() + odd.len());
    }

    #[test]
    fn listings_are_respelled() {
        let xml = "<L><Contents><Key>a &amp; b</Key><Size>1</Size></Contents><Contents><Key>x&lt;/../b</Key></Contents><Key>c</Key></L>";
        let mark = MARK;
        let want = format!(
            "<L><Contents><Key>a &amp; b</Key><Size>1</Size></Contents><Contents><Key>x&lt;/{mark}2e2e/b</Key></Contents><Key>c</Key></L>"
        );
        assert_eq!(respell(xml), want);
        assert!(matches!(respell("<L><Key>a</Key></L>"), Cow::Borrowed(_)));
        assert_eq!(unescape("&#x1;&#65;&lt;&amp;lt;&bad;&"), "\u{1}A<&lt;&bad;&");
    }
}

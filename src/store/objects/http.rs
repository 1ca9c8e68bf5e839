//! What stands between a store and the network: it stays at the endpoint, checks what is answered, counts requests, keeps
//! large objects from being written over, and lets keys through that the object_store crate has no name for.
//!
//! S3 takes any key; the crate's paths have no empty part, no `.` or `..`, no control characters,
//! and neither `/` nor white space at the ends. Such keys are spelled another way inside
//! ([`spell`]) and get their own names back on the wire.

use super::answer::Answer;
use super::listing::{self, Page, Unfit};
use super::odd::{Keys, Odd, is_odd};
use super::service::Manner;
use super::settings::Wrong;
use super::told::Told;
use crate::store::error::ErrorKind;
use crate::text::{hex, unhex};
use async_trait::async_trait;
use futures_util::TryStreamExt as _;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpRequest, HttpResponse, HttpResponseBody, HttpService,
};
use object_store::{ClientConfigKey, ClientOptions, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client};
use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The longest page of a listing: of 1,000 keys, each character of which may be an escape of six.
const MOST_LISTED: usize = 32 << 20;
/// How much of an answer that refuses is read.
const MOST_REFUSED: usize = 1 << 20;
/// The most pages in a row that are empty and say that there is more: of many deleted objects.
const MOST_EMPTY: u64 = 1000;

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

/// Makes clients that stay where they are sent, check what they are answered, and count their requests.
#[derive(Debug, Clone)]
pub(crate) struct Connector {
    requests: Arc<Requests>,
    /// What requests of a bucket are signed with, once that is known.
    pub(super) keys: Keys,
    /// The longest time for one request; without one, a minute of silence.
    timeout: Option<Duration>,
    /// Trusted besides the system's.
    certificates: Vec<Certificate>,
    pem: Option<Arc<[u8]>>,
    /// Whether it is not the bucket that is asked, but who gives credentials.
    for_credentials: bool,
}

impl Connector {
    /// `pem` holds certificates to trust besides the system's.
    ///
    /// # Errors
    /// If those can't be read.
    pub(super) fn new(manner: &Manner, pem: Option<&[u8]>) -> Result<Connector, Wrong> {
        let certificates = Certificate::from_pem_bundle(pem.unwrap_or_default());
        let certificates = certificates.map_err(|error| {
            Wrong::new(format!("the certificates of `AWS_CA_BUNDLE` can't be read: {error}"))
        })?;
        Ok(Connector {
            requests: Arc::clone(&manner.requests),
            keys: Keys::default(),
            timeout: manner.timeout,
            certificates,
            pem: pem.map(Arc::from),
            for_credentials: false,
        })
    }

    /// For those who give credentials: near, or not there.
    pub(super) fn for_credentials(&self) -> Connector {
        Connector { timeout: Some(Duration::from_secs(10)), for_credentials: true, ..self.clone() }
    }

    fn client(&self, allow_http: bool) -> Result<Client, reqwest::Error> {
        let connect = Duration::from_secs(if self.for_credentials { 2 } else { 10 });
        let builder = Client::builder()
            .user_agent(concat!("udmap/", env!("CARGO_PKG_VERSION")))
            // Signatures and session tokens are for the endpoint that is set, and for nobody it names.
            .redirect(Policy::none())
            .https_only(!allow_http)
            .connect_timeout(connect)
            .tls_certs_merge(self.certificates.iter().cloned())
            // The length of an answer is that of the object.
            .no_gzip()
            .no_brotli()
            .no_zstd()
            .no_deflate();
        match self.timeout {
            Some(timeout) => builder.timeout(timeout),
            None => builder.read_timeout(Duration::from_secs(60)),
        }
        .build()
    }
}

impl HttpConnector for Connector {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        let allow_http =
            options.get_config_value(&ClientConfigKey::AllowHttp).is_some_and(|value| value == "true");
        let client = self.client(allow_http).map_err(|error| object_store::Error::Generic {
            store: "HTTP client",
            source: Box::new(error),
        })?;
        Ok(HttpClient::new(Shim {
            inner: HttpClient::new(client),
            odd: Odd::new(Arc::clone(&self.keys), self.pem.clone()),
            requests: Arc::clone(&self.requests),
            for_credentials: self.for_credentials,
            empty_pages: AtomicU64::new(0),
        }))
    }
}

#[derive(Debug)]
struct Shim {
    inner: HttpClient,
    odd: Odd,
    requests: Arc<Requests>,
    for_credentials: bool,
    /// Pages of a listing in a row that were empty and said that there is more.
    empty_pages: AtomicU64,
}

#[async_trait]
impl HttpService for Shim {
    async fn call(&self, mut request: HttpRequest) -> Result<HttpResponse, HttpError> {
        if self.for_credentials {
            let response = self.inner.execute(request).await?;
            return if response.status().is_success() {
                Ok(response)
            } else {
                refused(response, false).await
            };
        }
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
        if is_listing(&request) {
            return self.list(request).await;
        }
        self.requests.count(&request);
        let (head, ends) = (request.method().as_str() == "HEAD", ends_parts(&request));
        let looks = matches!(request.method().as_str(), "GET" | "HEAD" | "DELETE");
        let is_html = |kind: &str| kind.starts_with("text/html");
        let response = if is_odd(&request) {
            self.odd.call(request).await?
        } else {
            self.inner.execute(request).await?
        };
        if response.status().as_u16() == 304 {
            return Ok(response);
        }
        if !response.status().is_success() {
            return refused(response, head).await;
        }
        let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok());
        // Some services call the nothing that they answer to a deletion HTML.
        let says_something = response.status().as_u16() != 204 && header("content-length") != Some("0");
        if looks && says_something && header("etag").is_none() && header("content-type").is_some_and(is_html)
        {
            let why = "the answer is a page of HTML, and not from an object store";
            return Err(between(Told::new(ErrorKind::Service, why)).http());
        }
        if !ends {
            return Ok(response);
        }
        // S3 may find out that it can't when it has said yes.
        let (parts, body) = response.into_parts();
        let text = text(body, MOST_REFUSED).await?;
        if !text.contains("<Error>") {
            return Ok(HttpResponse::from_parts(parts, text.into()));
        }
        let answer = Answer::new(500, &parts.headers, &text, false);
        Ok(refusal(&answer))
    }
}

impl Shim {
    /// Asks for a page of a listing, and hands it on if it is one.
    async fn list(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let asked = |name: &str| {
            let query = request.uri().query().unwrap_or_default().as_bytes();
            url::form_urlencoded::parse(query)
                .find(|(key, _)| key == name)
                .map(|(_, value)| value.into_owned())
        };
        let azure = asked("comp").is_some();
        let (prefix, from) =
            (asked("prefix").unwrap_or_default(), asked("continuation-token").or(asked("marker")));
        let mut tries = 0;
        loop {
            self.requests.count(&request);
            let response = self.inner.execute(request.clone()).await?;
            if !response.status().is_success() {
                return refused(response, false).await;
            }
            let (parts, body) = response.into_parts();
            let text = text(body, MOST_LISTED).await?;
            let read = if azure {
                listing::azure(&text).map(|next| (next, text.clone(), false))
            } else {
                Page::read(&text, &prefix).map(|page| (page.next.clone(), page.plain(), page.is_empty()))
            };
            let why = match read {
                Ok((Some(next), ..)) if from.as_ref() == Some(&next) => {
                    "it goes on where it began: the same continuation token again".to_owned()
                }
                Ok((next, text, is_empty)) => {
                    let empty = next.is_some() && is_empty;
                    if !empty {
                        self.empty_pages.store(0, Ordering::Relaxed);
                    } else if self.empty_pages.fetch_add(1, Ordering::Relaxed) >= MOST_EMPTY {
                        let why = format!("the listing does not end: {MOST_EMPTY} pages without an object");
                        return Err(Told::new(ErrorKind::Service, why).http());
                    }
                    return Ok(HttpResponse::from_parts(parts, text.into()));
                }
                // What broke off on the way may be whole at the next try.
                Err(Unfit::Cut) if tries < 2 => {
                    tries += 1;
                    tokio::time::sleep(Duration::from_millis(200)).await;
                    continue;
                }
                Err(Unfit::Cut) => "it ends in the middle".to_owned(),
                Err(Unfit::Refusal) => {
                    // Answered as all other refusals, and not as if all were well.
                    let answer = Answer::new(500, &parts.headers, &text, false);
                    return Ok(refusal(&answer));
                }
                Err(Unfit::Other(why)) => why,
            };
            let told =
                Told::new(ErrorKind::Service, format!("the answer is not a listing of objects: {why}"));
            return Err(between(told).http());
        }
    }
}

/// What often is the cause of an answer that is not the service's.
fn between(told: Told) -> Told {
    told.with_hint("see that the endpoint speaks S3, and that no proxy or login page answers in its place")
}

/// A body as text, bounded.
async fn text(body: HttpResponseBody, most: usize) -> Result<String, HttpError> {
    let mut stream = body.bytes_stream();
    let mut all = Vec::new();
    while let Some(piece) = stream.try_next().await? {
        all.extend_from_slice(&piece);
        if all.len() > most {
            let why =
                format!("the answer is longer than {} MiB, which no answer of this kind is", most >> 20);
            return Err(between(Told::new(ErrorKind::Service, why)).http());
        }
    }
    String::from_utf8(all)
        .map_err(|_| between(Told::new(ErrorKind::Service, "the answer is not UTF-8")).http())
}

/// An answer that refuses, with all that is known of it as its body.
async fn refused(response: HttpResponse, head: bool) -> Result<HttpResponse, HttpError> {
    let (parts, body) = response.into_parts();
    let mut stream = body.bytes_stream();
    let mut start = Vec::new();
    // What can't be read does not matter: the status counts.
    while let Ok(Some(piece)) = stream.try_next().await {
        start.extend_from_slice(&piece);
        if start.len() > MOST_REFUSED {
            start.truncate(MOST_REFUSED);
            break;
        }
    }
    let answer = Answer::new(parts.status.as_u16(), &parts.headers, &String::from_utf8_lossy(&start), head);
    Ok(refusal(&answer))
}

/// Of a redirect the crate would keep nothing, and it knows of a time-out only by its status.
fn refusal(answer: &Answer) -> HttpResponse {
    let mut response = HttpResponse::new(answer.to_body().into());
    let status = match answer.status {
        300..=399 => 400,
        400 if answer.code.as_deref() == Some("RequestTimeout") => 408,
        status => status,
    };
    if let Ok(status) = status.try_into() {
        *response.status_mut() = status;
    }
    response
}

fn is_listing(request: &HttpRequest) -> bool {
    let is = |pair: &str| matches!(pair, "list-type=2" | "comp=list");
    request.method().as_str() == "GET" && request.uri().query().is_some_and(|query| query.split('&').any(is))
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
            Cow::Owned(format!("{MARK}{}", hex(part.as_bytes())))
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
        Some(hex) => String::from_utf8_lossy(&unhex(hex)).into_owned(),
    });
    Cow::Owned(parts.collect::<Vec<_>>().join("/"))
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
}

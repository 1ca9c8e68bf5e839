//! One HTTPS request and its whole answer: the only place that touches the network for Duo.

use super::Error;
use crate::store::why_no_answer;
use async_trait::async_trait;
use std::fmt;
use std::time::Duration;
use url::Url;

/// The most bytes of an answer that are read: 1,000 records of 256 KiB.
pub const MAX_ANSWER_BYTES: usize = 256 << 20;
/// How long connecting may take.
const CONNECT: Duration = Duration::from_secs(10);
/// How long the answer may be silent.
const SILENCE: Duration = Duration::from_secs(30);

/// A signed GET request.
#[derive(Clone)]
pub struct Request {
    /// The path with its leading `/`.
    pub path: String,
    /// The query, exactly as it was signed.
    pub query: String,
    /// The `Date` header.
    pub date: String,
    /// The `Authorization` header.
    pub authorization: String,
    /// How long the answer may take in all.
    pub timeout: Duration,
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("path", &self.path)
            .field("query", &self.query)
            .finish_non_exhaustive()
    }
}

/// The answer to a request, whatever its status.
#[derive(Debug, Clone, Default)]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// The `Retry-After` header.
    pub retry_after: Option<String>,
    /// The `Date` header.
    pub date: Option<String>,
    /// The whole body.
    pub body: Vec<u8>,
}

/// There is no (whole) answer; the text says why: refused, reset, timed out, cut, ...
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoAnswer(pub String);

/// Sends requests to Duo's API.
#[async_trait]
pub trait Transport: fmt::Debug + Send + Sync {
    /// Sends a request and reads the answer.
    ///
    /// # Errors
    /// If there is no whole answer.
    async fn get(&self, request: Request) -> Result<Response, NoAnswer>;
}

/// The real thing: HTTPS with certificates checked, and no redirect followed.
#[derive(Debug)]
pub struct Https {
    client: reqwest::Client,
    base: Url,
}

impl Https {
    /// Requests to the service at `base`; `extra_ca` is a PEM bundle of further certificate
    /// authorities to trust.
    ///
    /// # Errors
    /// If a certificate can't be read, or if the system's can't be had.
    pub fn new(base: Url, extra_ca: Option<&[u8]>) -> Result<Https, Error> {
        let mut builder = crate::store::http_client().connect_timeout(CONNECT).read_timeout(SILENCE);
        if let Some(pem) = extra_ca {
            let bad = |why: String| {
                let error = Error::config(format!("the extra certificate authority can't be used: {why}"));
                error.with_hint("DUO_CA_FILE (`--ca-file`) is a PEM file of certificates")
            };
            let certificates =
                reqwest::Certificate::from_pem_bundle(pem).map_err(|error| bad(why_no_answer(&error)))?;
            if certificates.is_empty() {
                return Err(bad("there is no certificate in it".into()));
            }
            builder = builder.tls_certs_merge(certificates);
        }
        let client = builder
            .build()
            .map_err(|error| Error::config(format!("TLS can't be set up: {}", why_no_answer(&error))))?;
        Ok(Https { client, base })
    }
}

#[async_trait]
impl Transport for Https {
    async fn get(&self, request: Request) -> Result<Response, NoAnswer> {
        let mut url = self.base.clone();
        url.set_path(&request.path);
        url.set_query(Some(&request.query));
        let no_answer = |error: reqwest::Error| NoAnswer(why_no_answer(&error));
        let sent = self
            .client
            .get(url)
            .header(reqwest::header::DATE, &request.date)
            .header(reqwest::header::AUTHORIZATION, &request.authorization)
            .header(reqwest::header::ACCEPT, "application/json")
            .timeout(request.timeout)
            .send()
            .await;
        let mut answer = sent.map_err(no_answer)?;
        let header =
            |name| answer.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let mut response = Response {
            status: answer.status().as_u16(),
            retry_after: header(reqwest::header::RETRY_AFTER),
            date: header(reqwest::header::DATE),
            body: Vec::new(),
        };
        // Exactly the room that is needed, where that is known: a page may be large.
        let length = answer.content_length().and_then(|n| usize::try_from(n).ok()).unwrap_or(0);
        response.body.reserve_exact(length.min(MAX_ANSWER_BYTES));
        while let Some(chunk) = answer.chunk().await.map_err(no_answer)? {
            if response.body.len() + chunk.len() > MAX_ANSWER_BYTES {
                let most = MAX_ANSWER_BYTES >> 20;
                return Err(NoAnswer(format!(
                    "the answer is longer than {most} MiB; ask for smaller pages (`--page-size`)"
                )));
            }
            response.body.extend_from_slice(&chunk);
        }
        Ok(response)
    }
}

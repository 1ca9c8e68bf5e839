//! What is between a store and the network: it stays at the endpoint, checks what is answered, counts requests, keeps
//! large objects from being written over, and lets keys through that the object_store crate has no name for.

use super::answer::Answer;
use super::carried::CarriedError;
use super::config::{ClientConfig, Requests, is_listing};
use super::given::SettingError;
use super::listing::{self, Page, Unfit};
use super::own::OWN;
use super::tls::{Tls, is_untrusted};
use super::unusual_keys::{Keys, UnusualKeys, is_unusual};
use crate::store::error::ErrorKind;
use async_trait::async_trait;
use futures_util::TryStreamExt as _;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpResponseBody,
    HttpService,
};
use object_store::{ClientConfigKey, ClientOptions, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client};
use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

/// The longest page of a listing: of 1,000 keys, each character of which may be an escape of six.
const MOST_LISTED: usize = 32 << 20;
/// How much of an answer that refuses is read.
const MOST_REFUSED: usize = 1 << 20;
/// The most pages in a row that are empty and say that there is more: of many deleted objects.
const MOST_EMPTY: u64 = 1000;

tokio::task_local! {
    /// What an object must be to be deleted, while it is.
    pub(crate) static ONLY_IF: OnlyIf;
}

/// The version that an object must have.
#[derive(Debug, Clone)]
pub(crate) struct OnlyIf {
    pub(crate) etag: String,
    /// Google's number of it.
    #[cfg_attr(
        not(feature = "gcs"),
        expect(dead_code, reason = "only Google Cloud Storage numbers versions")
    )]
    pub(crate) generation: Option<String>,
}

/// Whose requests they are: services differ in what their conditions are called, and where they have some.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Speaks {
    S3,
    #[cfg(feature = "gcs")]
    Google,
    #[cfg(feature = "azure")]
    Azure,
}

/// A client that stays at the endpoint: signatures and session tokens are for that, and for nobody it names. What it
/// is answered comes as it was sent.
pub(crate) fn http_client() -> reqwest::ClientBuilder {
    Client::builder()
        .user_agent(concat!("udmap/", env!("CARGO_PKG_VERSION")))
        .redirect(Policy::none())
        // The length of an answer is that of the object.
        .no_gzip()
        .no_brotli()
        .no_zstd()
        .no_deflate()
}

/// Why a request has no answer: what went wrong at the bottom, without the URL.
pub(crate) fn why_no_answer(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    match (error.is_timeout(), error.is_connect()) {
        (true, true) => "connecting timed out".into(),
        (true, false) => "no answer in time".into(),
        (false, true) => format!("cannot connect: {cause}"),
        _ => cause.to_string(),
    }
}

/// Makes clients that stay where they are sent, check what they are answered, and count their requests.
#[derive(Debug, Clone)]
pub(crate) struct Connector {
    requests: Arc<Requests>,
    /// What requests of a bucket are signed with, once that is known.
    pub(super) keys: Keys,
    /// What Azure's requests are signed with, once that is known.
    #[cfg(feature = "azure")]
    pub(super) azure: Arc<std::sync::OnceLock<object_store::azure::AzureCredentialProvider>>,
    speaks: Speaks,
    /// The longest time for one request; without one, a minute of silence.
    timeout: Option<Duration>,
    tls: Tls,
    /// Whether it is not the bucket that is asked, but who gives credentials.
    for_credentials: bool,
}

impl Connector {
    /// `pem` holds certificates to trust besides the system's.
    ///
    /// # Errors
    /// If those can't be read.
    pub(super) fn new(
        config: &ClientConfig,
        speaks: Speaks,
        pem: Option<&[u8]>,
    ) -> Result<Connector, SettingError> {
        Certificate::from_pem_bundle(pem.unwrap_or_default()).map_err(|error| {
            SettingError::new(format!("the certificates of `AWS_CA_BUNDLE` can't be read: {error}"))
        })?;
        Ok(Connector {
            requests: Arc::clone(&config.requests),
            keys: Keys::default(),
            #[cfg(feature = "azure")]
            azure: Arc::default(),
            speaks,
            timeout: config.timeout,
            tls: Tls::new(pem),
            for_credentials: false,
        })
    }

    /// For those who give credentials: near, or not there.
    pub(super) fn for_credentials(&self) -> Connector {
        Connector { timeout: Some(Duration::from_secs(10)), for_credentials: true, ..self.clone() }
    }

    fn client(&self, allow_http: bool) -> Result<Client, Box<dyn Error + Send + Sync>> {
        let connect = Duration::from_secs(if self.for_credentials { 2 } else { 10 });
        let mut tls = self.tls.config()?;
        tls.alpn_protocols = vec![b"http/1.1".to_vec()];
        let builder =
            http_client().https_only(!allow_http).connect_timeout(connect).tls_backend_preconfigured(tls);
        let builder = match self.timeout {
            Some(timeout) => builder.timeout(timeout),
            None => builder.read_timeout(Duration::from_secs(60)),
        };
        Ok(builder.build()?)
    }
}

impl HttpConnector for Connector {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        let allow_http =
            options.get_config_value(&ClientConfigKey::AllowHttp).is_some_and(|value| value == "true");
        let client = self
            .client(allow_http)
            .map_err(|source| object_store::Error::Generic { store: "HTTP client", source })?;
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        Ok(HttpClient::new(Interceptor {
            inner: HttpClient::new(client),
            number: NUMBER.fetch_add(1, Ordering::Relaxed),
            allow_http,
            unusual: UnusualKeys::new(Arc::clone(&self.keys), self.tls.clone()),
            connector: self.clone(),
            empty_pages: AtomicU64::new(0),
        }))
    }
}

#[derive(Debug)]
struct Interceptor {
    inner: HttpClient,
    /// No other one has it.
    number: usize,
    allow_http: bool,
    unusual: UnusualKeys,
    connector: Connector,
    /// Pages of a listing in a row that were empty and said that there is more.
    empty_pages: AtomicU64,
}

#[async_trait]
impl HttpService for Interceptor {
    async fn call(&self, mut request: HttpRequest) -> Result<HttpResponse, HttpError> {
        if self.connector.for_credentials {
            let response = self.execute(self.client(), request).await?;
            return if response.status().is_success() {
                Ok(response)
            } else {
                refused(response, false).await
            };
        }
        let deletes_one = self.with_conditions(&mut request).await?;
        if is_listing(&request) {
            return self.list(request).await;
        }
        self.connector.requests.count(&request);
        let (head, ends) = (request.method().as_str() == "HEAD", ends_parts(&request));
        #[cfg(not(feature = "azure"))]
        debug_assert!(!deletes_one);
        let looks = matches!(request.method().as_str(), "GET" | "HEAD" | "DELETE");
        let is_html = |kind: &str| kind.starts_with("text/html");
        let response = if is_unusual(&request) {
            self.unusual.call(request).await?
        } else {
            self.execute(self.client(), request).await?
        };
        if response.status().as_u16() == 304 {
            return Ok(response);
        }
        #[cfg(feature = "azure")]
        if deletes_one && response.status().is_success() {
            return Ok(super::azure::deleted());
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
            return Err(between(CarriedError::new(ErrorKind::Service, why)).http());
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

impl Interceptor {
    /// The client of the thread that makes the request, or the one for all of them.
    fn client(&self) -> HttpClient {
        let make = || self.connector.client(self.allow_http).map(HttpClient::new);
        let own = OWN.try_with(|own| own.get(self.number, make).ok());
        own.ok().flatten().unwrap_or_else(|| self.inner.clone())
    }

    /// Makes a request. That its service's certificate is not trusted does not change, so it is made once.
    async fn execute(&self, client: HttpClient, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        client.execute(request).await.map_err(|error| match is_untrusted(&error) {
            true => HttpError::new(HttpErrorKind::Unknown, error),
            false => error,
        })
    }

    /// Adds the conditions that the crate has no switch for: an object of several parts is complete only if there is none,
    /// and one that is deleted must be the one that was looked at. Whether a deletion of many became one of a single
    /// object.
    async fn with_conditions(&self, request: &mut HttpRequest) -> Result<bool, HttpError> {
        let only_if = ONLY_IF.try_with(OnlyIf::clone).ok();
        let value = |text: &str| {
            HeaderValue::from_str(text).map_err(|error| HttpError::new(HttpErrorKind::Unknown, error))
        };
        let absent = HeaderValue::from_static("*");
        let deletes = request.method().as_str() == "DELETE";
        match self.connector.speaks {
            Speaks::S3 if ends_parts(request) => {
                request.headers_mut().insert("if-none-match", absent);
            }
            Speaks::S3 => {
                if let (true, Some(only_if)) = (deletes, only_if) {
                    request.headers_mut().insert("if-match", value(&only_if.etag)?);
                }
            }
            #[cfg(feature = "gcs")]
            Speaks::Google => {
                if let (true, Some(generation)) = (deletes, only_if.and_then(|it| it.generation)) {
                    request.headers_mut().insert("x-goog-if-generation-match", value(&generation)?);
                }
            }
            #[cfg(feature = "azure")]
            Speaks::Azure => {
                let credentials = self.connector.azure.get();
                if super::azure::ends_parts(request) {
                    super::azure::with_header(request, "if-none-match", absent, credentials).await?;
                }
                if let Some(single) = super::azure::single_delete(request) {
                    *request = single;
                    // Signed for the batch, it needs a signature for itself in any case.
                    let etag = only_if.map_or_else(|| "*".to_owned(), |it| it.etag);
                    super::azure::with_header(request, "if-match", value(&etag)?, credentials).await?;
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

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
            self.connector.requests.count(&request);
            let response = self.execute(self.inner.clone(), request.clone()).await?;
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
                        return Err(CarriedError::new(ErrorKind::Service, why).http());
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
            let told = CarriedError::new(
                ErrorKind::Service,
                format!("the answer is not a listing of objects: {why}"),
            );
            return Err(between(told).http());
        }
    }
}

/// What often is the cause of an answer that is not the service's.
fn between(told: CarriedError) -> CarriedError {
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
            return Err(between(CarriedError::new(ErrorKind::Service, why)).http());
        }
    }
    String::from_utf8(all)
        .map_err(|_| between(CarriedError::new(ErrorKind::Service, "the answer is not UTF-8")).http())
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

fn ends_parts(request: &HttpRequest) -> bool {
    let ends = |query: &str| query.split('&').any(|pair| pair.starts_with("uploadId="));
    request.method().as_str() == "POST" && request.uri().query().is_some_and(ends)
}

//! How services are asked, and how often they were.

use object_store::client::HttpRequest;
use object_store::{BackoffConfig, RetryConfig};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// How a bucket is asked.
#[derive(Debug, Clone)]
pub(crate) struct ClientConfig {
    /// How often a request is tried again that failed for a reason that may pass.
    pub(crate) retries: usize,
    /// For how long.
    pub(crate) retry_for: Duration,
    /// The longest time for one request, its answer's body included. Without one, the longest
    /// silence is a minute.
    pub(crate) timeout: Option<Duration>,
    /// Whether requests go unsigned.
    pub(crate) anonymous: bool,
    /// Counts the requests.
    pub(crate) requests: Arc<Requests>,
}

impl Default for ClientConfig {
    /// Fewer and shorter tries than the crate's own three minutes: a run has a deadline.
    fn default() -> ClientConfig {
        let minute = Duration::from_secs(60);
        ClientConfig {
            retries: 6,
            retry_for: minute,
            timeout: Some(minute),
            anonymous: false,
            requests: Arc::default(),
        }
    }
}

impl ClientConfig {
    pub(super) fn retry(&self) -> RetryConfig {
        RetryConfig {
            backoff: BackoffConfig::default(),
            max_retries: self.retries,
            retry_timeout: self.retry_for,
        }
    }
}

/// How many requests of each kind were sent, tries included.
#[derive(Debug, Default)]
pub struct Requests {
    counts: [AtomicU64; 5],
}

/// The kinds of [`Requests`].
const KINDS: [&str; 5] = ["list", "get", "head", "put", "delete"];

impl Requests {
    pub(super) fn count(&self, request: &HttpRequest) {
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

/// Whether a request asks for a page of a listing.
pub(super) fn is_listing(request: &HttpRequest) -> bool {
    let is = |pair: &str| matches!(pair, "list-type=2" | "comp=list");
    request.method().as_str() == "GET" && request.uri().query().is_some_and(|query| query.split('&').any(is))
}

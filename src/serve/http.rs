//! The server: it listens on 127.0.0.1, asks each request for the token, and bounds what a request may take.

use super::answer::Refusal;
use super::api;
use super::gate::{Launch, Token, behind_token, is_own};
use super::state::State;
use super::web::{add_headers, asset};
use super::work::Work;
use anyhow::Context as _;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::header::{ALLOW, CONTENT_TYPE, HeaderValue, LOCATION};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

/// The longest body of a request: a sample in base64.
const MOST_BODY: usize = 64 << 20;
/// How long a client may take for the head of a request, and for its body.
const SLOWEST_HEAD: Duration = Duration::from_secs(10);
const SLOWEST_BODY: Duration = Duration::from_secs(60);
/// How many connections there may be at once.
const MOST_CONNECTIONS: usize = 128;
/// How many requests are read and worked on at once.
const MOST_AT_WORK: usize = 4;
/// How often the server looks whether it is to stop.
const TICK: Duration = Duration::from_millis(50);
/// How long answers that are under way may take then.
const LAST_ANSWERS: Duration = Duration::from_secs(2);

/// A server that listens, and serves when it is told to.
#[derive(Debug)]
pub(crate) struct Listening {
    listener: std::net::TcpListener,
    port: u16,
    token: Token,
    launch: Launch,
}

/// Listens on a port of 127.0.0.1; 0 for one that is free.
///
/// # Errors
/// If the port is taken.
pub(crate) fn listen(port: u16) -> anyhow::Result<Listening> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let listener =
        std::net::TcpListener::bind(address).with_context(|| format!("cannot listen on 127.0.0.1:{port}"))?;
    listener.set_nonblocking(true)?;
    let port = listener.local_addr()?.port();
    Ok(Listening { listener, port, token: Token::new()?, launch: Launch::new()? })
}

/// What each request needs.
struct Shared {
    state: Arc<State>,
    port: u16,
    token: Token,
    launch: Launch,
    at_work: Semaphore,
}

type Answer = Response<Full<Bytes>>;

impl Listening {
    /// The page's address.
    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/{}/", self.port, self.token.as_str())
    }

    /// An address that leads to the page once.
    pub(crate) fn launch_url(&self) -> String {
        format!("http://127.0.0.1:{}/{}/", self.port, self.launch.as_str())
    }

    /// Serves until it is told to stop.
    ///
    /// # Errors
    /// If the system can't listen any more.
    pub(crate) fn serve(self, state: State) -> anyhow::Result<()> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .max_blocking_threads(MOST_AT_WORK)
            .thread_name("serve")
            .enable_all()
            .build()?;
        let Listening { listener, port, token, launch } = self;
        let state = Arc::new(state);
        let shared = Shared { state, port, token, launch, at_work: Semaphore::new(MOST_AT_WORK) };
        let served = runtime.block_on(accept(listener, Arc::new(shared)));
        // What nobody waits for any more is left.
        runtime.shutdown_timeout(LAST_ANSWERS);
        served
    }
}

async fn accept(listener: std::net::TcpListener, shared: Arc<Shared>) -> anyhow::Result<()> {
    let listener = TcpListener::from_std(listener)?;
    let (end, ended) = watch::channel(false);
    let mut connections = JoinSet::new();
    let mut tick = tokio::time::interval(TICK);
    while !shared.state.stop.load(Relaxed) {
        tokio::select! {
            _ = tick.tick() => {}
            Some(_) = connections.join_next() => {}
            accepted = listener.accept(), if connections.len() < MOST_CONNECTIONS => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(connection(stream, Arc::clone(&shared), ended.clone()));
                }
                // One client went away, or there are no file descriptors for a while.
                Err(_) => tokio::time::sleep(TICK).await,
            },
        }
    }
    drop(listener);
    end.send_replace(true);
    let all = async { while connections.join_next().await.is_some() {} };
    let _ = tokio::time::timeout(LAST_ANSWERS, all).await;
    Ok(())
}

async fn connection(stream: TcpStream, shared: Arc<Shared>, mut ended: watch::Receiver<bool>) {
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| {
        let shared = Arc::clone(&shared);
        async move { Ok::<_, Infallible>(answer(&shared, request).await) }
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(SLOWEST_HEAD).max_buf_size(64 << 10);
    let mut serving = std::pin::pin!(http.serve_connection(TokioIo::new(stream), service));
    tokio::select! {
        // A client that breaks off is not the server's error.
        _ = &mut serving => {}
        // It changes once.
        _ = ended.changed() => {
            serving.as_mut().graceful_shutdown();
            let _ = serving.await;
        }
    }
}

async fn answer(shared: &Shared, request: Request<Incoming>) -> Answer {
    let Ok(nonce) = Token::new() else {
        return plain(StatusCode::INTERNAL_SERVER_ERROR, "no random bytes");
    };
    let mut answer = routed(shared, request, nonce.as_str()).await;
    add_headers(answer.headers_mut(), nonce.as_str());
    answer
}

async fn routed(shared: &Shared, request: Request<Incoming>, nonce: &str) -> Answer {
    let is_own = is_own(request.headers(), shared.port);
    if is_own && request.method() == Method::GET && shared.launch.take(request.uri().path()) {
        let mut answer = plain(StatusCode::SEE_OTHER, "");
        // A path of hexadecimal digits.
        if let Ok(page) = HeaderValue::from_str(&format!("/{}/", shared.token.as_str())) {
            answer.headers_mut().insert(LOCATION, page);
        }
        return answer;
    }
    let Some(path) = behind_token(&shared.token, request.uri().path()).filter(|_| is_own) else {
        return plain(StatusCode::FORBIDDEN, "forbidden");
    };
    let Some(call) = path.strip_prefix("api/").map(str::to_owned) else {
        let Some(asset) = asset(path, nonce) else { return plain(StatusCode::NOT_FOUND, "not found") };
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            return not_allowed("GET, HEAD");
        }
        return typed(StatusCode::OK, asset.content_type, asset.text.into_owned().into_bytes());
    };
    if request.method() != Method::POST {
        return not_allowed("POST");
    }
    // A form of another page can't send this type.
    let content_type = request.headers().get(CONTENT_TYPE).map(HeaderValue::as_bytes);
    let is_json = content_type.is_some_and(|given| {
        given
            .split(|byte| *byte == b';')
            .next()
            .is_some_and(|kind| kind.trim_ascii().eq_ignore_ascii_case(b"application/json"))
    });
    if !is_json {
        let refusal =
            Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "expected `Content-Type: application/json`");
        return refused(&refusal);
    }
    match called(shared, call, request.into_body()).await {
        Ok(json) => typed(StatusCode::OK, "application/json", json),
        Err(refusal) => refused(&refusal),
    }
}

async fn called(shared: &Shared, call: String, body: Incoming) -> Result<Vec<u8>, Refusal> {
    let gone = |_| Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "the server stops");
    let permit = shared.at_work.acquire().await.map_err(gone)?;
    let body = tokio::time::timeout(SLOWEST_BODY, Limited::new(body, MOST_BODY).collect()).await;
    let body = match body {
        Ok(Ok(body)) => body.to_bytes(),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            let error = format!("the request has more than {} MiB", MOST_BODY >> 20);
            return Err(Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, error));
        }
        Ok(Err(_)) => return Err(Refusal::bad("the request broke off")),
        Err(_) => return Err(Refusal::new(StatusCode::REQUEST_TIMEOUT, "the request is too slow")),
    };
    let (work, waiting) = Work::new();
    let state = Arc::clone(&shared.state);
    let called = tokio::task::spawn_blocking(move || api::call(&state, &call, &body, &work)).await;
    // Dropped before, when the client goes away: then the work ends, too.
    drop(waiting);
    drop(permit);
    // A panic has been told, and ends the process.
    called.unwrap_or_else(|_| Err(Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "a fault of udmap itself")))
}

fn not_allowed(methods: &'static str) -> Answer {
    let mut answer = plain(StatusCode::METHOD_NOT_ALLOWED, "method not allowed");
    answer.headers_mut().insert(ALLOW, HeaderValue::from_static(methods));
    answer
}

fn refused(refusal: &Refusal) -> Answer {
    typed(refusal.status, "application/json", refusal.json())
}

fn plain(status: StatusCode, text: &str) -> Answer {
    typed(status, "text/plain; charset=utf-8", text.as_bytes().to_vec())
}

fn typed(status: StatusCode, content_type: &'static str, body: Vec<u8>) -> Answer {
    let mut answer = Response::new(Full::new(Bytes::from(body)));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    answer
}

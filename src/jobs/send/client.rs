//! Sends one request until there is a definite answer: the same bytes each time.

use super::Error;
use super::answer::{MOST_KEPT, Refusal, Response, Verdict, judge};
use super::counts::{Counts, add};
use super::credentials::Credentials;
use super::pace::Pace;
use super::target::{Method, Target};
use crate::jobs::waiting::{Stop, jittered, random};
use crate::store::why_no_answer;
use bytes::Bytes;
use chrono::Utc;
use secrecy::ExposeSecret as _;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;
use url::Url;

/// How long connecting may take.
const CONNECT: Duration = Duration::from_secs(10);
/// How long an answer is waited for after the run was asked to stop.
const LAST: Duration = Duration::from_secs(10);
/// How much longer than the first wait the first wait after "too many requests" is.
const LIMITED: u32 = 30;
/// The longest wait after a failure, in first waits.
const LONGEST: u32 = 64;
/// The longest wait after "too many requests", in first waits: five minutes, as Google advises.
const LONGEST_LIMITED: u32 = 300;

/// A definite answer.
#[derive(Debug)]
pub(super) enum Sent {
    Accepted,
    /// Nothing of it was taken: what the service said.
    Refused(String),
    TooLarge(String),
}

/// There is no definite answer, and no more requests are to be made.
#[derive(Debug)]
pub(super) enum Ended {
    /// The run was asked to stop.
    Stopped,
    Failed(Error),
}

impl From<Error> for Ended {
    fn from(error: Error) -> Ended {
        Ended::Failed(error)
    }
}

/// How requests are made.
#[derive(Debug, Clone)]
pub struct Patience {
    /// How long an answer may take.
    pub timeout: Duration,
    /// The first wait after a failure; it doubles from time to time.
    pub retry_wait: Duration,
    /// How long one request is repeated.
    pub give_up: Duration,
}

/// Sends requests to one method.
#[derive(Debug)]
pub(super) struct Client {
    http: reqwest::Client,
    url: Url,
    pub(super) method: Method,
    pub(super) target: Target,
    pub(super) credentials: Credentials,
    pace: Pace,
    patience: Patience,
    /// Asked as soon as the run is to end.
    halt: Stop,
    counts: Arc<Counts>,
}

impl Client {
    pub(super) fn new(
        method: &Method,
        target: &Target,
        credentials: Credentials,
        rate: Option<u64>,
        patience: &Patience,
        halt: Stop,
        counts: Arc<Counts>,
    ) -> Result<Client, Error> {
        let builder = crate::store::http_client().connect_timeout(CONNECT).timeout(patience.timeout);
        let http = builder
            .build()
            .map_err(|error| Error::new(format!("TLS can't be set up: {}", why_no_answer(&error))))?;
        Ok(Client {
            http,
            url: target.method_url(method),
            method: method.clone(),
            target: target.clone(),
            credentials,
            pace: Pace::new(rate),
            patience: patience.clone(),
            halt,
            counts,
        })
    }

    /// Sends a body with this many events until SecOps says whether it took it. `again` says that an earlier run may have
    /// sent it.
    pub(super) async fn send(&self, body: &Bytes, events: u64, again: bool) -> Result<Sent, Ended> {
        let mut first = None;
        let (mut failures, mut limited, mut was_renewed) = (0, 0, false);
        let mut may_be_there = again;
        loop {
            self.wait_until(self.pace.turn(body.len())).await?;
            // What was waited for the rate before does not count.
            let begun = *first.get_or_insert_with(Instant::now);
            let token = match self.credentials.token().await {
                Ok(token) => token,
                Err(no) if !no.is_passing => return Err(no.error.into()),
                Err(no) => {
                    failures += 1;
                    self.back_off(begun, failures, false, None, &no.error.to_string()).await?;
                    continue;
                }
            };
            add(&self.counts.requests, 1);
            add(&self.counts.bytes, body.len() as u64);
            if std::mem::take(&mut may_be_there) {
                add(&self.counts.repeats, 1);
                add(&self.counts.repeated_events, events);
            }
            let request = self.ask(body.clone(), token.secret.expose_secret());
            let verdict = tokio::select! {
                biased;
                answer = request => match answer {
                    Ok(response) => {
                        let now = Utc::now().timestamp_millis();
                        judge(&response, now, &self.method, &self.target, &self.credentials.account())
                    }
                    Err(why) => Verdict::Unknown(why, None),
                },
                () = self.halted_for(LAST) => return Err(Ended::Stopped),
            };
            let shown = |what: &str| self.credentials.shown(what);
            let was_just_renewed = std::mem::replace(&mut was_renewed, false);
            match verdict {
                Verdict::Accepted => return Ok(Sent::Accepted),
                Verdict::Refused(why) => return Ok(Sent::Refused(shown(&why))),
                Verdict::TooLarge(why) => return Ok(Sent::TooLarge(shown(&why))),
                Verdict::Renew(refusal) if was_just_renewed => return Err(self.refused(&refusal).into()),
                Verdict::Renew(_) => {
                    self.credentials.renew(token.generation);
                    was_renewed = true;
                }
                Verdict::Fatal(refusal) => return Err(self.refused(&refusal).into()),
                Verdict::Limited(why, after) => {
                    limited += 1;
                    self.back_off(begun, limited, true, after, &shown(&why)).await?;
                }
                Verdict::Unknown(why, after) => {
                    failures += 1;
                    may_be_there = true;
                    self.back_off(begun, failures, false, after, &shown(&why)).await?;
                }
            }
        }
    }

    /// One request, and its answer. Without one, why.
    pub(super) async fn ask(&self, body: Bytes, token: &str) -> Result<Response, String> {
        let request = self
            .http
            .post(self.url.clone())
            .bearer_auth(token)
            .header(reqwest::header::CONTENT_TYPE, "application/json")
            .header(reqwest::header::ACCEPT, "application/json")
            .body(body);
        answer(request).await
    }

    /// Looks at the instance, which changes nothing.
    pub(super) async fn look(&self, token: &str) -> Result<Response, String> {
        let request = self.http.get(self.target.instance_url()).bearer_auth(token);
        answer(request.header(reqwest::header::ACCEPT, "application/json")).await
    }

    /// Waits after the `tries`th failure of its kind of a request that was first sent at `begun`.
    async fn back_off(
        &self,
        begun: Instant,
        tries: u32,
        is_limit: bool,
        after: Option<Duration>,
        why: &str,
    ) -> Result<(), Ended> {
        let (first, longest) = if is_limit { (LIMITED, LONGEST_LIMITED) } else { (1, LONGEST) };
        let times = first.saturating_mul(1 << (tries - 1).min(16)).min(longest);
        let wait = jittered(self.patience.retry_wait * times, random());
        // No sooner than was asked for, and not all at the same moment.
        let wait = after.map_or(wait, |after| jittered(after.max(self.patience.retry_wait), random() >> 3));
        if begun.elapsed() + wait > self.patience.give_up {
            let spent = begun.elapsed().as_secs();
            let error = Error::new(format!("{} took nothing for {spent} s: {why}", self.target.host()));
            return Err(error.with_hint("run it again: it continues where it stopped (`--give-up`)").into());
        }
        self.counts.say(format!("waiting {} s: {why}", wait.as_secs_f64().ceil()));
        if is_limit {
            self.pace.hold(wait);
        }
        self.wait_until(Instant::now() + wait).await
    }

    async fn wait_until(&self, time: Instant) -> Result<(), Ended> {
        let wait = time.saturating_duration_since(Instant::now());
        let is_asked = if wait.is_zero() {
            self.halt.is_asked()
        } else {
            tokio::select! {
                biased;
                () = self.halt.asked() => true,
                () = tokio::time::sleep(wait) => {
                    add(&self.counts.waited, wait.as_millis() as u64);
                    false
                }
            }
        };
        if is_asked { Err(Ended::Stopped) } else { Ok(()) }
    }

    async fn halted_for(&self, time: Duration) {
        self.halt.asked().await;
        tokio::time::sleep(time).await;
    }

    pub(super) fn refused(&self, refusal: &Refusal) -> Error {
        let what = self.credentials.shown(&refusal.what);
        let error = Error::new(format!("{} refuses the request: {what}", self.target.host()));
        match &refusal.hint {
            Some(hint) => error.with_hint(hint),
            None => error,
        }
    }
}

async fn answer(request: reqwest::RequestBuilder) -> Result<Response, String> {
    let mut answer = request.send().await.map_err(|error| why_no_answer(&error))?;
    let header = |name| answer.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let mut response = Response {
        status: answer.status().as_u16(),
        retry_after: header(reqwest::header::RETRY_AFTER),
        date: header(reqwest::header::DATE),
        body: Vec::new(),
    };
    while let Some(chunk) = answer.chunk().await.map_err(|error| why_no_answer(&error))? {
        let room = MOST_KEPT - response.body.len();
        response.body.extend_from_slice(&chunk[..chunk.len().min(room)]);
        if chunk.len() > room {
            break;
        }
    }
    Ok(response)
}

//! Asks Duo for pages: signed, at a gentle pace, again where that may help, never beyond the deadline.

use super::answer::{Again, Refusal, Verdict, judge};
use super::clock::{Clock, shown, sleep_or_stop};
use super::listener::{Listener, RunStep};
use super::logs::{Log, Next};
use super::sign::{self, Signature, Signed};
use super::state::offset_ms;
use super::transport::{NoAnswer, Request, Response, Transport};
use super::{Credentials, Error, ErrorKind};
use crate::jobs::waiting::{Stop, jittered, random};
use std::sync::Arc;
use std::time::Duration;

/// How long an answer may take.
const TIMEOUT: Duration = Duration::from_secs(120);
/// How often a request is repeated, at most.
const TRIES: u32 = 10;
/// The longest wait after a failure, in first waits: 64 s if that is one second.
const LONGEST: u32 = 64;
/// How much longer than the first wait the first wait after "too many requests" is.
const LIMITED: u32 = 30;
/// The longest wait after "too many requests", in first waits: five minutes.
const LONGEST_LIMITED: u32 = 300;
/// No longer than this is waited even if the service asks for it.
const MOST_AFTER: Duration = Duration::from_secs(3600);

/// What is asked for: one page of a window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Query {
    /// The first millisecond.
    pub from: i64,
    /// The last millisecond.
    pub to: i64,
    /// The most records of a page.
    pub limit: u32,
    /// Where the page before ended; `None` for the first.
    pub offset: Option<String>,
}

impl Query {
    /// The query as it is signed and sent: every page carries its whole window.
    pub(super) fn params(&self, log: &Log) -> String {
        let time = |ms: i64| ms.div_euclid(log.unit).to_string();
        let mut params = Vec::new();
        match log.next {
            Next::Told(name) => {
                params.extend([("mintime", time(self.from)), ("limit", self.limit.to_string())]);
                params.extend(self.offset.clone().map(|offset| (name, offset)));
            }
            Next::LastSecond => {
                let begin = self.offset.as_deref().and_then(offset_ms).unwrap_or(self.from);
                params.push(("mintime", time(begin)));
            }
        }
        if log.has_end {
            params.push(("maxtime", time(self.to)));
        }
        params.extend(log.sort.map(|order| ("sort", order.to_owned())));
        sign::canonical_params(params)
    }
}

/// An answer that is a page; [`judge`] reads it.
#[derive(Debug)]
pub(super) enum Answer {
    /// With the time by our clock at which the request was signed that was accepted, in ms.
    Page(Response, i64),
    /// The window begins too early.
    TooOld(String),
    /// The run was asked to stop while it waited.
    Stopped,
}

/// Asks for pages.
#[derive(Debug)]
pub(super) struct Client {
    pub(super) log: &'static Log,
    pub(super) credentials: Credentials,
    pub(super) transport: Arc<dyn Transport>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) signature: Signature,
    /// The first wait after a failure; it doubles from time to time.
    pub(super) retry_wait: Duration,
}

impl Client {
    /// Asks until there is a page, or an error that asking again won't mend. `deadline` is by the
    /// clock's [`elapsed`](Clock::elapsed). `requests` is counted up.
    pub(super) async fn page(
        &self,
        query: &Query,
        deadline: Option<Duration>,
        (stop, listener): (&Stop, &Listener),
        requests: &mut u64,
    ) -> Result<Answer, Error> {
        let retry = |why: &str, wait, failed| {
            let why = self.credentials.shown(why);
            listener.tell(self.log, &|| RunStep::Retry { why: why.to_string(), wait, failed });
        };
        let (mut signed_afresh, mut failures, mut limited) = (false, 0, 0);
        loop {
            *requests += 1;
            let signed_at = self.clock.now();
            let answer = tokio::select! {
                biased;
                // To ask without hearing the answer changes nothing.
                () = stop.asked() => return Ok(Answer::Stopped),
                answer = self.ask(query, signed_at, deadline) => answer,
            };
            let again = match answer {
                Err(NoAnswer(why)) => Again { why, limited: false, after: None },
                Ok(response) => match judge(self.log, &response, self.clock.now()) {
                    Verdict::Page(_) => return Ok(Answer::Page(response, signed_at)),
                    Verdict::TooOld(why) => return Ok(Answer::TooOld(self.credentials.shown(&why))),
                    Verdict::Again(again) => again,
                    Verdict::SignAfresh(refusal) if !signed_afresh => {
                        signed_afresh = true;
                        retry(&refusal.what, Duration::ZERO, 1);
                        continue;
                    }
                    Verdict::SignAfresh(refusal) | Verdict::Refused(refusal) => {
                        return Err(self.refused(refusal));
                    }
                    Verdict::Wrong(why) => {
                        return Err(Error::new(ErrorKind::Answer, self.credentials.shown(&why)));
                    }
                },
            };
            let tries = if again.limited { &mut limited } else { &mut failures };
            *tries += 1;
            let wait = self.wait(&again, *tries);
            let late = deadline.is_some_and(|deadline| self.clock.elapsed() + wait >= deadline);
            if failures + limited >= TRIES || late {
                return Err(self.gave_up(&again, failures + limited, late, wait));
            }
            retry(&again.why, wait, failures + limited);
            if sleep_or_stop(&*self.clock, stop, wait).await {
                return Ok(Answer::Stopped);
            }
        }
    }

    /// One request, signed at `now`, in ms.
    pub(super) async fn ask(
        &self,
        query: &Query,
        now: i64,
        deadline: Option<Duration>,
    ) -> Result<Response, NoAnswer> {
        let date = sign::date(now);
        let params = query.params(self.log);
        let signed = Signed {
            date: &date,
            method: "GET",
            host: self.credentials.host(),
            path: self.log.path,
            params: &params,
            body: b"",
            headers: &[],
        };
        let (ikey, skey) = (self.credentials.ikey(), self.credentials.skey());
        let authorization = sign::authorization(self.signature, &signed, ikey, skey);
        let left = deadline.map(|deadline| deadline.saturating_sub(self.clock.elapsed()));
        let timeout = left.map_or(TIMEOUT, |left| left.min(TIMEOUT));
        self.transport
            .get(Request { path: self.log.path.into(), query: params, date, authorization, timeout })
            .await
    }

    /// How long to wait after the `tries`th failure of its kind.
    fn wait(&self, again: &Again, tries: u32) -> Duration {
        let (first, longest) = if again.limited { (LIMITED, LONGEST_LIMITED) } else { (1, LONGEST) };
        let times = first.saturating_mul(1 << (tries - 1).min(16)).min(longest);
        let backoff = jittered(self.retry_wait * times, random());
        match again.after {
            Some(after) => jittered(after.min(MOST_AFTER), random()),
            None => backoff,
        }
    }

    pub(super) fn refused(&self, refusal: Refusal) -> Error {
        let what = self.credentials.shown(&refusal.what);
        let error = Error::new(ErrorKind::Refused, format!("Duo refuses the request: {what}"));
        match refusal.hint {
            Some(hint) => error.with_hint(hint),
            None => error,
        }
    }

    fn gave_up(&self, again: &Again, tries: u32, late: bool, wait: Duration) -> Error {
        let why = self.credentials.shown(&again.why);
        let tries = if tries == 1 { "one try".to_owned() } else { format!("{tries} tries") };
        let message = format!("no page from {} after {tries}: {why}", self.credentials.host());
        let error = Error::new(ErrorKind::Unavailable, message);
        match (late, again.limited) {
            (true, _) => {
                let until = shown(
                    self.clock.now().saturating_add(i64::try_from(wait.as_millis()).unwrap_or(i64::MAX)),
                );
                error.with_hint(format!(
                    "the next try at {until} would be too late for this run; the next run goes on"
                ))
            }
            (false, true) => error.with_hint("other programs may use the same integration: run less often"),
            (false, false) => error.with_hint("the next run goes on where this one stopped"),
        }
    }
}

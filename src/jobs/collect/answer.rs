//! What Duo's answer means: a page, a reason to ask again, or an error. Judged by HTTP status first.

use super::clock::difference;
use super::logs::Log;
use super::page::{self, Page, read_object};
use super::transport::Response;
use crate::jobs::waiting::retry_after;
use chrono::DateTime;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::time::Duration;

/// How much of each part of an error is kept, in bytes; less of it is shown.
const MOST_KEPT: usize = 4096;
/// A `Date` before this is that of a machine that does not know the time: 2010, in ms.
const FIRST_DATE: i64 = 1_262_304_000_000;
/// A refused signature is put down to clocks that differ by this, whatever the code, in ms.
const CLOCK_OFF: i64 = 120_000;

/// What is to be done about an answer.
#[derive(Debug)]
pub(super) enum Verdict<'a> {
    /// Take it.
    Page(Page<'a>),
    /// Ask again, after a while.
    Again(Again),
    /// Sign afresh and ask once more; after that it is an error.
    SignAfresh(Refusal),
    /// The window begins earlier than the service keeps records.
    TooOld(String),
    /// Give up.
    Refused(Refusal),
    /// The answer is not what the API promises, and won't be at the next try.
    Wrong(String),
}

/// A reason to ask again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Again {
    /// For a message.
    pub why: String,
    /// There were too many requests: wait longer.
    pub limited: bool,
    /// How long the service wants to be left alone.
    pub after: Option<Duration>,
}

/// A request that the service refuses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    /// For a message.
    pub what: String,
    /// What to do about it.
    pub hint: Option<String>,
}

/// Judges an answer that arrived at `now` (ms).
pub(super) fn judge<'a>(log: &Log, response: &'a Response, now: i64) -> Verdict<'a> {
    let body: Option<&RawValue> = serde_json::from_slice(&response.body).ok();
    let body: Option<PageBody<'_>> = body.and_then(read_object);
    let fail = body.as_ref().filter(|body| body.stat.as_deref() == Some("FAIL"));
    let said = said(response.status, fail, &response.body);
    // A failure under HTTP 200: the first digits of Duo's codes are those of HTTP.
    let status = match (response.status, fail.and_then(PageBody::code)) {
        (200, Some(code)) => u16::try_from(code / 100).unwrap_or(500),
        (200, None) if fail.is_some() => 500,
        (status, _) => status,
    };
    match status {
        200 => match body {
            Some(body) if body.stat.as_deref() == Some("OK") => match page::read(log, body.response) {
                Ok(page) => Verdict::Page(page),
                Err(why) => Verdict::Wrong(format!("Duo's answer has no page of {log} logs: {why}")),
            },
            _ => again(format!("the answer is not JSON of Duo's: {said}")),
        },
        429 => {
            let after = response.retry_after.as_deref().and_then(|text| retry_after(text, now));
            Verdict::Again(Again { why: said, limited: true, after })
        }
        408 | 425 | 500..=599 => {
            let after = response.retry_after.as_deref().and_then(|text| retry_after(text, now));
            Verdict::Again(Again { why: said, limited: false, after })
        }
        401 => {
            let code = fail.and_then(PageBody::code);
            let off = date(response).map(|theirs| now.saturating_sub(theirs));
            let hint = match off {
                Some(off)
                    if off.saturating_abs() >= CLOCK_OFF
                        || code == Some(40105) && off.saturating_abs() >= 1000 =>
                {
                    format!("this machine's clock is {}: set it (NTP)", difference(off))
                }
                _ if code == Some(40105) => "this machine's clock is off: set it (NTP)".into(),
                _ => "check DUO_IKEY, DUO_SKEY and DUO_API_HOST: all three are of one Admin API application"
                    .into(),
            };
            Verdict::SignAfresh(Refusal { what: said, hint: Some(hint) })
        }
        403 => {
            let hint = "the Admin API application lacks the permission `Grant read log`: set it in Duo's Admin Panel";
            Verdict::Refused(Refusal { what: said, hint: Some(hint.into()) })
        }
        400 if said.contains("180 days") => Verdict::TooOld(said),
        300..=399 => Verdict::Refused(Refusal {
            what: format!("a redirect, which is not followed ({said})"),
            hint: Some("check the API host, and what is between it and here".into()),
        }),
        _ => Verdict::Refused(Refusal { what: said, hint: None }),
    }
}

fn again(why: String) -> Verdict<'static> {
    Verdict::Again(Again { why, limited: false, after: None })
}

/// When the answer was given, by the service's clock, in ms: a whole second. Nothing if it does not say.
pub(super) fn date(response: &Response) -> Option<i64> {
    let time = DateTime::parse_from_rfc2822(response.date.as_deref()?.trim()).ok()?;
    Some(time.timestamp_millis()).filter(|ms| *ms >= FIRST_DATE)
}

/// Duo's answers, good or bad.
#[derive(Deserialize)]
struct PageBody<'a> {
    #[serde(borrow)]
    stat: Option<Cow<'a, str>>,
    #[serde(borrow)]
    response: Option<&'a RawValue>,
    #[serde(borrow)]
    code: Option<&'a RawValue>,
    #[serde(borrow)]
    message: Option<&'a RawValue>,
    #[serde(borrow)]
    message_detail: Option<&'a RawValue>,
}

impl PageBody<'_> {
    /// The code, an integer or one in a string.
    fn code(&self) -> Option<u32> {
        self.code?.get().trim_matches('"').parse().ok()
    }
}

/// The status with what the service says: its own words, not yet fit to be shown.
fn said(status: u16, fail: Option<&PageBody<'_>>, body: &[u8]) -> String {
    let words = match fail {
        Some(fail) => {
            let text = |raw: &&RawValue| {
                let kept = kept(raw.get());
                serde_json::from_str::<String>(kept).unwrap_or_else(|_| kept.to_owned())
            };
            let parts = [fail.code, fail.message, fail.message_detail];
            parts.iter().flatten().map(text).filter(|text| text != "null").collect::<Vec<_>>().join(": ")
        }
        None => String::from_utf8_lossy(&body[..body.len().min(MOST_KEPT)]).into_owned(),
    };
    match words.trim() {
        "" => format!("HTTP {status}"),
        words => format!("HTTP {status}: {words}"),
    }
}

/// The beginning of a text.
fn kept(text: &str) -> &str {
    let end = (0..=MOST_KEPT.min(text.len())).rev().find(|at| text.is_char_boundary(*at));
    &text[..end.unwrap_or(0)]
}

#[cfg(test)]
mod tests {
    use super::super::logs::LOGS;
    use super::super::page::MOST_ITEMS;
    use super::*;

    fn response(status: u16, body: &str) -> Response {
        Response { status, body: body.into(), ..Response::default() }
    }

    /// A verdict in a word or two.
    fn verdict(response: &Response) -> String {
        match judge(&LOGS[0], response, 0) {
            Verdict::Page(page) => format!("page {} {:?}", page.items.len(), page.next_offset),
            Verdict::Again(Again { limited, after, .. }) => {
                format!(
                    "again{}{}",
                    if limited { " limited" } else { "" },
                    after.map_or(String::new(), |a| format!(" {a:?}"))
                )
            }
            Verdict::SignAfresh(_) => "sign".into(),
            Verdict::TooOld(_) => "old".into(),
            Verdict::Refused(_) => "refused".into(),
            Verdict::Wrong(_) => "wrong".into(),
        }
    }

    #[test]
    fn verdicts() {
        let ok = |rest: &str| format!(r#"{{"stat":"OK","response":{rest}}}"#);
        let items = |metadata: &str| ok(&format!(r#"{{"items":[{{"a":1}}],"metadata":{metadata}}}"#));
        let table = [
            (200, items("{}"), "page 1 None"),
            (200, items("null"), "page 1 None"),
            (200, ok(r#"{"items":[]}"#), "page 0 None"),
            (200, items(r#"{"next_offset":null,"total_objects":3}"#), "page 1 None"),
            (200, items(r#"{"next_offset":""}"#), "page 1 None"),
            (200, items(r#"{"next_offset":[]}"#), "page 1 None"),
            (200, items(r#"{"next_offset":"1,a"}"#), r#"page 1 Some("1,a")"#),
            (200, items(r#"{"next_offset":["1","a"]}"#), r#"page 1 Some("1,a")"#),
            (200, items(r#"{"next_offset":[1,"a"]}"#), r#"page 1 Some("1,a")"#),
            (200, items(r#"{"next_offset":17}"#), r#"page 1 Some("17")"#),
            (200, items(r#"{"next_offset":{"a":1}}"#), "wrong"),
            (200, items(r#"{"next_offset":true}"#), "wrong"),
            (200, items(r#"{"next_offset":[[1]]}"#), "wrong"),
            (200, items(&format!(r#"{{"next_offset":"{}"}}"#, "1".repeat(1 << 20))), "wrong"),
            (200, items(&format!(r#"{{"next_offset":[{}1]}}"#, "1,".repeat(1 << 20))), "wrong"),
            (200, items(&format!(r#"{{"next_offset":{}}}"#, "[".repeat(1 << 20))), "again"),
            // What can't be read is not the end of the data.
            (200, items(r#""17""#), "wrong"),
            (200, items("[1]"), "wrong"),
            (200, r#"["OK",{"items":[]},null,null,null]"#.into(), "again"),
            (200, items(r#"{"next_offset":"1,a","next_offset":null}"#), "wrong"),
            (200, items(r#"{"total_objects":-1e400,"next_offset":"1,a"}"#), r#"page 1 Some("1,a")"#),
            (200, items(r#"{"total_objects":[{}],"next_offset":"1,a"}"#), r#"page 1 Some("1,a")"#),
            (200, ok(r#"{"items":{"a":1}}"#), "wrong"),
            (200, ok(r#"{"items":"x"}"#), "wrong"),
            (200, ok(r#"{"items":[],"items":[{}]}"#), "wrong"),
            (200, ok(&format!(r#"{{"items":[{}1]}}"#, "1,".repeat(MOST_ITEMS - 1))), "page 10000 None"),
            (200, ok(&format!(r#"{{"items":[{}1]}}"#, "1,".repeat(MOST_ITEMS))), "wrong"),
            (200, ok(&format!(r#"{{"items":[{}1{}]}}"#, "[".repeat(1 << 20), "]".repeat(1 << 20))), "page 1 None"),
            (200, ok("[]"), "wrong"),
            (200, ok(r#"[{"a":1}]"#), "wrong"),
            (200, ok("{}"), "wrong"),
            (200, r#"{"stat":"OK"}"#.into(), "wrong"),
            (200, "<html>busy</html>".into(), "again"),
            (200, r#"{"stat":"OK","response":{"items":[{"a"#.into(), "again"),
            (200, String::new(), "again"),
            (200, r#"{"stat":"FAIL","code":42901,"message":"Too Many Requests"}"#.into(), "again limited"),
            (200, r#"{"stat":"FAIL","code":"40103","message":"x"}"#.into(), "sign"),
            (200, r#"{"stat":"FAIL"}"#.into(), "again"),
            (429, r#"{"stat":"FAIL","code":42901,"message":"Too Many Requests"}"#.into(), "again limited"),
            (429, "slow down".into(), "again limited"),
            (500, "see ticket 429".into(), "again"),
            (400, r#"{"stat":"FAIL","code":40002,"message":"for 429 see the docs"}"#.into(), "refused"),
            (503, "\u{fffd}".into(), "again"),
            (401, r#"{"stat":"FAIL","code":40105,"message":"Bad request timestamp"}"#.into(), "sign"),
            (403, "Forbidden".into(), "refused"),
            (404, String::new(), "refused"),
            (302, String::new(), "refused"),
            (
                400,
                r#"{"stat":"FAIL","code":40002,"message":"Invalid request parameters","message_detail":"mintime must be within the past 180 days"}"#.into(),
                "old",
            ),
        ];
        for (status, body, expected) in table {
            assert_eq!(verdict(&response(status, &body)), expected, "{status} {}", kept(&body));
        }
        let limited = |after: &str| Response { retry_after: Some(after.into()), ..response(429, "") };
        assert_eq!(verdict(&limited("7")), "again limited 7s");
        assert_eq!(verdict(&limited("Thu, 01 Jan 1970 00:01:30 GMT")), "again limited 90s");
        assert_eq!(verdict(&limited("soon")), "again limited");
        assert_eq!(verdict(&Response { body: vec![0xff, b'{'], ..response(200, "") }), "again");
    }

    #[test]
    fn what_is_said_is_bounded() {
        let body = "\u{1b}é".repeat(1 << 20);
        let Verdict::Again(again) = judge(&LOGS[0], &response(500, &body), 0) else { panic!() };
        assert!(again.why.len() < MOST_KEPT + 20);
        let fail = format!(r#"{{"stat":"FAIL","code":40103,"message":"{}"}}"#, "é".repeat(1 << 20));
        let Verdict::SignAfresh(refusal) = judge(&LOGS[0], &response(401, &fail), 0) else { panic!() };
        assert!(refusal.what.len() < MOST_KEPT + 40);
        let fail = r#"{"stat":"FAIL","code":40103,"message":"Invalid signature","message_detail":null}"#;
        let Verdict::SignAfresh(refusal) = judge(&LOGS[0], &response(401, fail), 0) else { panic!() };
        assert_eq!(refusal.what, "HTTP 401: 40103: Invalid signature");
    }

    #[test]
    fn a_refused_signature_is_put_down_to_the_clock_if_that_is_off() {
        let hint = |code: u32, date: Option<&str>, now: i64| {
            let body = format!(r#"{{"stat":"FAIL","code":{code},"message":"no"}}"#);
            let answer = Response { date: date.map(str::to_owned), ..response(401, &body) };
            let Verdict::SignAfresh(refusal) = judge(&LOGS[0], &answer, now) else { panic!() };
            refusal.hint.unwrap()
        };
        const NOON: i64 = 1_773_144_000_000;
        let noon = Some("Tue, 10 Mar 2026 12:00:00 GMT");
        let clock = "this machine's clock is";
        assert_eq!(hint(40105, noon, NOON + 7_200_000), format!("{clock} 2 h ahead of Duo's: set it (NTP)"));
        assert_eq!(hint(40103, noon, NOON - 600_000), format!("{clock} 10 min behind Duo's: set it (NTP)"));
        assert_eq!(hint(40105, None, NOON), format!("{clock} off: set it (NTP)"));
        assert_eq!(hint(40105, Some("soon"), NOON), format!("{clock} off: set it (NTP)"));
        assert_eq!(hint(40105, noon, NOON), format!("{clock} off: set it (NTP)"));
        assert!(hint(40103, noon, NOON + 500).starts_with("check DUO_IKEY"));
        // A machine that does not know the time proves nothing.
        assert!(hint(40103, Some("Thu, 01 Jan 1970 00:00:00 GMT"), NOON).starts_with("check DUO_IKEY"));
    }
}

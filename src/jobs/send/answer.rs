//! What an answer of SecOps means. The HTTP status counts first, then what the error says of itself.

use super::target::{Method, Target};
use crate::jobs::waiting::retry_after;
use serde::Deserialize;
use std::time::Duration;

/// The most of an answer that is kept, in bytes: those of the service are short.
pub(super) const MOST_KEPT: usize = 1 << 20;

/// An answer.
#[derive(Debug, Clone, Default)]
pub(super) struct Response {
    pub(super) status: u16,
    pub(super) retry_after: Option<String>,
    pub(super) date: Option<String>,
    /// The first [`MOST_KEPT`] bytes of the body.
    pub(super) body: Vec<u8>,
}

/// What is to be done about an answer. All words are those of the service, and not yet fit to be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is in SecOps.
    Accepted,
    /// One or more of the events are refused, and none is in SecOps.
    Refused(String),
    /// The request is too large, and nothing of it is in SecOps.
    TooLarge(String),
    /// The rate limit: nothing was taken. Send the same once more, after this time.
    Limited(String, Option<Duration>),
    /// It is not known whether it was taken. Send the same once more, after this time.
    Unknown(String, Option<Duration>),
    /// The token is refused: renew it, once.
    Renew(Refusal),
    /// It would be refused again.
    Fatal(Refusal),
}

/// Why nothing more can be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) what: String,
    pub(super) hint: Option<String>,
}

/// An error as Google's APIs have it (AIP-193).
#[derive(Deserialize)]
struct Body {
    error: Status,
}

#[derive(Deserialize)]
struct Status {
    #[serde(default)]
    message: String,
    #[serde(default)]
    status: String,
    #[serde(default)]
    details: Vec<serde_json::Value>,
}

impl Status {
    /// The reason in `ErrorInfo`.
    fn reason(&self) -> Option<&str> {
        self.details.iter().find_map(|detail| detail.get("reason")?.as_str())
    }

    /// The first field that `BadRequest` names.
    fn field(&self) -> Option<&str> {
        self.details.iter().find_map(|detail| detail.get("fieldViolations")?.get(0)?.get("field")?.as_str())
    }

    /// Whether it says that the request is too large.
    fn is_too_large(&self) -> bool {
        let message = self.message.to_ascii_lowercase();
        ["payload size", "too large", "request size", "exceeds the limit", "size limit"]
            .iter()
            .any(|words| message.contains(words))
    }

    /// What the service says.
    fn words(&self) -> String {
        let reason = self.reason().map(|reason| format!(" ({reason})")).unwrap_or_default();
        let field = self.field().map(|field| format!(", field {field}")).unwrap_or_default();
        format!("{}{reason}{field}", if self.message.is_empty() { &self.status } else { &self.message })
    }
}

/// Judges an answer that arrived at `now` (ms) to a request that `account` made.
pub(super) fn judge(
    response: &Response,
    now: i64,
    method: &Method,
    target: &Target,
    account: &str,
) -> Verdict {
    let status = response.status;
    let error = serde_json::from_slice(&response.body).ok().map(|Body { error }| error);
    let said = match &error {
        Some(error) => format!("HTTP {status}: {}", error.words()),
        None => said(status, &response.body),
    };
    let fatal = |hint: String| Verdict::Fatal(Refusal { what: said.clone(), hint: Some(hint) });
    let after = || response.retry_after.as_deref().and_then(|text| retry_after(text, now));
    match (status, &error) {
        (200..=299, _) if is_empty(&response.body) => Verdict::Accepted,
        (200..=299, _) => Verdict::Fatal(Refusal {
            what: format!("expected an empty answer, found other words: {said}"),
            hint: Some("something between here and SecOps answers in its place: a proxy, or a login page".into()),
        }),
        (300..=399, _) => Verdict::Fatal(Refusal {
            what: format!("a redirect, which is not followed ({said})"),
            hint: Some(format!("check the host `{}`, and what is between it and here", target.host())),
        }),
        (413, _) => Verdict::TooLarge(said),
        (400, Some(error)) if error.is_too_large() => Verdict::TooLarge(said),
        (400, Some(error)) if error.status == "FAILED_PRECONDITION" => {
            fatal("the instance can't take it in its present state: the fault is not the events'".into())
        }
        (400, Some(_)) => Verdict::Refused(said),
        (400, None) => fatal("the answer is not one of SecOps: check the host, and what is between it and here".into()),
        (401, Some(error)) if error.reason() == Some("ACCESS_TOKEN_TYPE_UNSUPPORTED") => fatal(
            "SecOps takes no token of a user here (gcloud's login, an authorized_user file): use a service account, or \
             impersonate one (`gcloud auth application-default login --impersonate-service-account=ACCOUNT`)"
                .into(),
        ),
        (401, _) => Verdict::Renew(Refusal {
            what: said,
            hint: Some(format!("check the credentials of {account}, and this machine's clock")),
        }),
        (403, _) => fatal(format!(
            "grant {account} a role with the permission `{}` in the project (such as Chronicle API Editor), and check \
             that the Chronicle API is enabled there",
            method.permission()
        )),
        (404, _) => fatal(format!("check all four: {}", target.shown())),
        (429, _) => Verdict::Limited(said, after()),
        (408 | 500..=599, _) => Verdict::Unknown(said, after()),
        _ => Verdict::Fatal(Refusal { what: said, hint: None }),
    }
}

/// Whether a body says nothing: no bytes, or an object without members.
fn is_empty(body: &[u8]) -> bool {
    let solid: Vec<u8> = body.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).take(3).collect();
    solid.is_empty() || solid == b"{}"
}

fn said(status: u16, body: &[u8]) -> String {
    const MOST: usize = 4096;
    let words = String::from_utf8_lossy(&body[..body.len().min(MOST)]).into_owned();
    match words.trim() {
        "" => format!("HTTP {status}"),
        words => format!("HTTP {status}: {words}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(status: u16, body: &str, after: Option<&str>) -> String {
        let target = Target::new("p-1", "us", "inst-1", "v1", None).unwrap();
        let response = Response {
            status,
            body: body.into(),
            retry_after: after.map(str::to_owned),
            ..Response::default()
        };
        match judge(&response, 0, &Method::Events, &target, "`a@b`") {
            Verdict::Accepted => "accepted".into(),
            Verdict::Refused(_) => "refused".into(),
            Verdict::TooLarge(_) => "too large".into(),
            Verdict::Limited(_, after) => format!("limited {after:?}"),
            Verdict::Unknown(_, after) => format!("unknown {after:?}"),
            Verdict::Renew(_) => "renew".into(),
            Verdict::Fatal(refusal) => format!("fatal {}", refusal.hint.unwrap_or_default()),
        }
    }

    #[test]
    fn every_answer() {
        let error = |status: &str, message: &str| {
            format!(r#"{{"error":{{"status":"{status}","message":"{message}"}}}}"#)
        };
        let invalid = error("INVALID_ARGUMENT", "Request contains an invalid argument.");
        let table = [
            (200, String::new(), "accepted"),
            (200, "{}".into(), "accepted"),
            (200, " {\n}\n".into(), "accepted"),
            (204, String::new(), "accepted"),
            (200, "<html>login</html>".into(), "fatal something between"),
            (200, "{\"a\":1}".into(), "fatal something between"),
            (200, "{}{}".into(), "fatal something between"),
            (200, error("INVALID_ARGUMENT", "x"), "fatal something between"),
            (302, String::new(), "fatal check the host"),
            (400, invalid, "refused"),
            (
                400,
                error("INVALID_ARGUMENT", "Request payload size exceeds the limit: 4194304 bytes."),
                "too large",
            ),
            (400, error("FAILED_PRECONDITION", "x"), "fatal the instance"),
            (400, "<html>".into(), "fatal the answer is not"),
            (400, String::new(), "fatal the answer is not"),
            (413, "<html>".into(), "too large"),
            (401, error("UNAUTHENTICATED", "x"), "renew"),
            (
                401,
                r#"{"error":{"details":[{"@type":"x"},{"reason":"ACCESS_TOKEN_TYPE_UNSUPPORTED"}]}}"#.into(),
                "fatal SecOps takes no token of a user",
            ),
            (
                403,
                error("PERMISSION_DENIED", "x"),
                "fatal grant `a@b` a role with the permission `chronicle.events.import`",
            ),
            (
                404,
                "<html>".into(),
                "fatal check all four: project `p-1`, location `us`, instance `inst-1`, host `chronicle.us",
            ),
            (408, String::new(), "unknown None"),
            (429, String::new(), "limited None"),
            (500, String::new(), "unknown None"),
            (503, error("UNAVAILABLE", "x"), "unknown None"),
            (409, String::new(), "fatal "),
        ];
        for (status, body, expected) in table {
            let found = verdict(status, &body, None);
            assert!(found.starts_with(expected), "{status} {body}: {found}");
        }
        let named = r#"{"error":{"message":"bad","details":[{"fieldViolations":[{"field":"inline_source.events[3]"}]}]}}"#;
        let status: Body = serde_json::from_str(named).unwrap();
        assert_eq!(status.error.words(), "bad, field inline_source.events[3]");
        assert_eq!(verdict(429, "", Some("7")), "limited Some(7s)");
        assert_eq!(verdict(503, "", Some("Thu, 01 Jan 1970 00:00:09 GMT")), "unknown Some(9s)");
    }
}

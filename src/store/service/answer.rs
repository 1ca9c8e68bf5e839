//! What a service says when it refuses: its code, its words, and what can be done about it.
//!
//! The object_store crate keeps of an answer its status and body. So an answer that refuses gets a body of our own
//! ([`Answer::to_body`]) on its way to the crate, with what else is known of it, and [`Answer::within`] finds that in the
//! crate's error.

use super::carried::CarriedError;
use crate::store::error::{Doing, Error, ErrorKind, Object};
use crate::text::{escaped, shown_up_to};
use chrono::{DateTime, Utc};
use object_store::HeaderMap;
use quick_xml::Reader;
use quick_xml::events::Event;
use serde::{Deserialize, Serialize};

/// How much of a service's words is shown, in characters.
const MOST_SHOWN: usize = 1024;
/// A clock that is off by less is not what is wrong: services take 15 minutes, and answers need their time.
const SKEW: i64 = 240;
/// The beginning of a body of ours.
const MARK: &str = "{\"udmap_answer\":";

/// An answer that is not what was asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Answer {
    /// The HTTP status.
    pub(super) status: u16,
    /// The service's own code, as `NoSuchKey`.
    pub(super) code: Option<String>,
    message: Option<String>,
    request: Option<String>,
    /// The region that the bucket is in.
    region: Option<String>,
    /// The endpoint that the bucket wants to be asked at, or that a redirect leads to: without a query.
    elsewhere: Option<String>,
    /// By how many seconds the service's clock is ahead of this one's.
    ahead: Option<i64>,
    /// Whether the request was for a head, whose answer has no body.
    head: bool,
}

#[derive(Serialize, Deserialize)]
struct AnswerBody {
    udmap_answer: Answer,
}

impl Answer {
    /// From the parts of an answer; `body` may be cut, or anything.
    pub(super) fn new(status: u16, headers: &HeaderMap, body: &str, head: bool) -> Answer {
        let header = |name: &str| headers.get(name)?.to_str().ok().map(str::to_owned);
        let date = header("date").and_then(|date| DateTime::parse_from_rfc2822(&date).ok());
        let mut answer = Answer {
            status,
            request: header("x-amz-request-id").or_else(|| header("x-ms-request-id")),
            region: header("x-amz-bucket-region"),
            code: header("x-ms-error-code"),
            ahead: date.map(|date| (date.to_utc() - Utc::now()).num_seconds()),
            head,
            ..Answer::default()
        };
        let fields = fields(body);
        let field = |names: &[&str]| {
            let found = fields.iter().find(|(name, _)| names.contains(&name.as_str()));
            found.map(|(_, text)| text.trim().to_owned()).filter(|text| !text.is_empty())
        };
        answer.code = field(&["Code"]).or(answer.code);
        answer.message = field(&["Message"]);
        answer.request = field(&["RequestId"]).or(answer.request);
        answer.region = answer.region.or_else(|| field(&["Region"]));
        // Where a redirect leads may have a signature in its query.
        answer.elsewhere = field(&["Endpoint"])
            .or_else(|| header("location").filter(|at| !at.starts_with('/')))
            .map(|at| at.split(['?', '#']).next().unwrap_or_default().to_owned());
        if fields.is_empty() && !body.trim().is_empty() {
            answer.message = Some(body.trim().chars().take(MOST_SHOWN).collect());
        }
        answer
    }

    pub(super) fn to_body(&self) -> String {
        serde_json::to_string(&AnswerBody { udmap_answer: self.clone() }).unwrap_or_default()
    }

    /// The one inside an error of the crate, if there is one.
    pub(super) fn within(error: &object_store::Error) -> Option<Answer> {
        let text = error.to_string();
        let text = &text[text.rfind(MARK)?..];
        let body = serde_json::Deserializer::from_str(text).into_iter::<AnswerBody>().next()?;
        body.ok().map(|body| body.udmap_answer)
    }

    pub(super) fn is_redirect(&self) -> bool {
        (300..400).contains(&self.status)
    }

    fn code(&self) -> &str {
        self.code.as_deref().unwrap_or_default()
    }

    /// Whether the encryption's key is what is refused.
    fn is_kms(&self) -> bool {
        self.code().starts_with("KMS")
            || self.message.as_deref().is_some_and(|text| text.to_ascii_lowercase().contains("kms"))
    }

    fn is_skewed(&self) -> bool {
        let off = self.ahead.is_some_and(|ahead| ahead.abs() >= SKEW);
        self.code() == "RequestTimeTooSkewed"
            || (off && matches!(self.status, 400 | 401 | 403) && self.code.is_none())
    }

    fn is_elsewhere(&self) -> bool {
        self.is_redirect()
            || matches!(
                self.code(),
                "PermanentRedirect"
                    | "TemporaryRedirect"
                    | "AuthorizationHeaderMalformed"
                    | "IllegalLocationConstraintException"
            )
            || self.region.is_some() && self.status == 400
    }

    /// What was wrong, and what to do.
    fn judged(&self, doing: Doing) -> (ErrorKind, Option<String>) {
        use ErrorKind::{BadUrl, Changed, Denied, NoBucket, NotFound, Service};
        let hint = |text: &str| Some(text.to_owned());
        let looks = matches!(doing, Doing::Read | Doing::Remove);
        if self.is_skewed() {
            return (Denied, hint("set the clock of this machine, for example by NTP, and run again"));
        }
        if self.is_elsewhere() {
            let hint = match (&self.region, &self.elsewhere) {
                (Some(region), _) => format!(
                    "the bucket is in the region `{}`: set `AWS_REGION` to it (and no `AWS_ENDPOINT_URL` of another region)",
                    escaped(region)
                ),
                (None, Some(at)) => format!(
                    "requests stay at the endpoint that is set: if `{}` is the right one, set `AWS_ENDPOINT_URL` to it; \
                     else look for a proxy or portal in between",
                    escaped(at)
                ),
                (None, None) => "set `AWS_REGION` to the bucket's region".to_owned(),
            };
            return (BadUrl, Some(hint));
        }
        match self.code() {
            "NoSuchBucket" | "ContainerNotFound" => {
                (NoBucket, hint("create the bucket, or correct its name or region"))
            }
            "InvalidObjectState" => (
                Denied,
                hint(
                    "the object is archived (Glacier, Deep Archive): restore it first, for example with \
                      `aws s3api restore-object`, and run again when that is done",
                ),
            ),
            "SignatureDoesNotMatch" => (
                Denied,
                hint(
                    "`AWS_SECRET_ACCESS_KEY` does not belong to the key id, or was cut or changed when it was copied",
                ),
            ),
            "InvalidAccessKeyId" => (
                Denied,
                hint(
                    "`AWS_ACCESS_KEY_ID` is not known there: see that it was not deleted, and that temporary keys come \
                      with their `AWS_SESSION_TOKEN`",
                ),
            ),
            "ExpiredToken" | "ExpiredTokenException" | "TokenRefreshRequired" | "RequestExpired" => (
                Denied,
                hint("the session has expired: sign in again, and set the new keys and `AWS_SESSION_TOKEN`"),
            ),
            "InvalidToken" => (
                Denied,
                hint(
                    "`AWS_SESSION_TOKEN` does not belong to these keys: set all three anew, or unset it for lasting keys",
                ),
            ),
            "SlowDown" | "ServiceUnavailable" | "RequestLimitExceeded" | "Throttling" => {
                (Service, hint("the service asks to slow down: run again with fewer `--jobs`"))
            }
            "RequestTimeout" => {
                (Service, hint("the service waited for the request in vain: look at the network"))
            }
            "MethodNotAllowed" | "NotImplemented" => {
                (Service, hint("the service does not know this request: see that the endpoint speaks S3"))
            }
            _ if self.is_kms() => (
                Denied,
                hint(
                    "the object is encrypted with a key of KMS: the role needs kms:Decrypt to read and \
                      kms:GenerateDataKey to write with that key, and the key must be enabled",
                ),
            ),
            _ => match self.status {
                403 => (Denied, Some(needed(doing).to_owned())),
                401 => (Denied, hint("the credentials for the bucket are not accepted")),
                404 if looks => (NotFound, None),
                412 if looks => (Changed, None),
                407 | 511 => {
                    (Service, hint("something in between wants a login: look at the proxy's settings"))
                }
                400 if self.head => (
                    Denied,
                    hint(
                        "the answer to a HEAD request says no more; this one often means another region \
                          (`AWS_REGION`) or an expired session",
                    ),
                ),
                _ => (Service, None),
            },
        }
    }

    /// The answer in words.
    pub(super) fn words(&self) -> String {
        let mut text = format!("the service answered {}", self.status);
        if let Some(code) = &self.code {
            text.push_str(&format!(" {code}"));
        }
        match &self.message {
            Some(message) => text.push_str(&format!(": {message}")),
            None if self.is_redirect() => text.push_str(": a redirect, which is not followed"),
            None if self.head => text.push_str(", and no more to a HEAD request"),
            None => {}
        }
        if let Some(at) = &self.elsewhere {
            text.push_str(&format!(" (to {at})"));
        }
        if let (true, Some(ahead)) = (self.is_skewed(), self.ahead) {
            let way = if ahead > 0 { "behind" } else { "ahead of" };
            text.push_str(&format!(
                " (this machine's clock is {} {way} the service's)",
                time(ahead.unsigned_abs())
            ));
        }
        if let Some(request) = &self.request {
            text.push_str(&format!(" (request {request})"));
        }
        text
    }
}

/// What a role needs that was refused.
fn needed(doing: Doing) -> &'static str {
    match doing {
        Doing::Read => {
            "the role needs s3:GetObject on this object and s3:ListBucket on its bucket: without the latter S3 answers \
             403 for an object that is not there"
        }
        Doing::List => "the role needs s3:ListBucket on the bucket, for this prefix",
        Doing::Remove => "the role needs s3:DeleteObject on this object",
        _ => "the role needs s3:PutObject on this object",
    }
}

/// Seconds as a person says them.
fn time(seconds: u64) -> String {
    match (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60, seconds % 60) {
        (0, 0, 0, s) => format!("{s} s"),
        (0, 0, m, _) => format!("{m} min"),
        (0, h, m, _) => format!("{h} h {m} min"),
        (d, h, _, _) => format!("{d} d {h} h"),
    }
}

/// The texts of an error's XML by the names of their elements, as far as it goes.
fn fields(body: &str) -> Vec<(String, String)> {
    let mut reader = Reader::from_str(body);
    let (mut found, mut name, mut text) = (Vec::new(), String::new(), String::new());
    let mut inside = false;
    // Whatever comes: an error's document is small.
    for _ in 0..1000 {
        match reader.read_event() {
            Ok(Event::Start(start)) => {
                name = String::from_utf8_lossy(start.local_name().as_ref()).into_owned();
                inside |= name == "Error";
                text.clear();
            }
            Ok(Event::Text(piece)) => text.push_str(&piece.decode().unwrap_or_default()),
            Ok(Event::CData(piece)) => text.push_str(&piece.decode().unwrap_or_default()),
            Ok(Event::GeneralRef(piece)) => {
                text.push(super::listing::character(&piece).unwrap_or('\u{FFFD}'));
            }
            Ok(Event::End(_)) if inside && !name.is_empty() => {
                found.push((std::mem::take(&mut name), std::mem::take(&mut text)));
            }
            Ok(Event::Eof) | Err(_) => break,
            Ok(_) => {}
        }
    }
    found
}

/// An error of the crate as one of ours: what was wrong with `name`, and what to do.
pub(crate) fn translated(name: String, doing: Doing, error: &object_store::Error) -> Error {
    use object_store::Error::{NotFound, PermissionDenied, Precondition, Unauthenticated};
    let looks = matches!(doing, Doing::Read | Doing::Remove);
    let (kind, why, hint) = if let Some(told) = CarriedError::within(error) {
        (told.kind, told.why.clone(), told.hint.clone())
    } else if let Some(answer) = Answer::within(error) {
        let (kind, hint) = answer.judged(doing);
        (kind, answer.words(), hint)
    } else {
        let kind = match error {
            _ if is_no_bucket(error) => ErrorKind::NoBucket,
            NotFound { .. } if looks => ErrorKind::NotFound,
            Precondition { .. } if looks => ErrorKind::Changed,
            PermissionDenied { .. } | Unauthenticated { .. } => ErrorKind::Denied,
            _ => ErrorKind::Service,
        };
        let hint = matches!(error, PermissionDenied { .. }).then(|| needed(doing).to_owned());
        (kind, in_full(error), hint)
    };
    let why = match kind {
        ErrorKind::NotFound => "it is not there".to_owned(),
        ErrorKind::Changed => "it is no longer the one that was listed".to_owned(),
        _ => shown_up_to(&why, MOST_SHOWN),
    };
    let error = Error::new(Object::Named(name), doing, kind, why);
    match hint {
        Some(hint) => error.with_hint(hint),
        None => error,
    }
}

/// The crate's words, and the last cause if they don't have it.
fn in_full(error: &object_store::Error) -> String {
    let mut text = error.to_string();
    let mut cause: &dyn std::error::Error = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    let last = cause.to_string();
    if !text.contains(&last) {
        text.push_str(&format!(": {last}"));
    }
    text
}

/// Whether an error says that there is no such bucket.
pub(crate) fn is_no_bucket(error: &object_store::Error) -> bool {
    match Answer::within(error) {
        Some(answer) => matches!(answer.code(), "NoSuchBucket" | "ContainerNotFound"),
        // Of a store that was opened elsewhere.
        None => error.to_string().contains("<Code>NoSuchBucket</Code>"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use object_store::HeaderValue;

    fn refused(answer: &Answer) -> object_store::Error {
        let source = format!("Server returned non-2xx status code: {}", answer.to_body()).into();
        object_store::Error::Generic { store: "S3", source }
    }

    fn headers(all: &[(&'static str, &str)]) -> HeaderMap {
        all.iter()
            .map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_str(value).unwrap()))
            .collect()
    }

    fn error(code: &str, message: &str) -> String {
        format!(
            "<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>{message}</Message><RequestId>R1</RequestId><HostId>h</HostId></Error>"
        )
    }

    #[test]
    fn codes_are_told_with_their_words_and_what_to_do() {
        use Doing::{List, Read, Write};
        let table = [
            (403, "InvalidObjectState", Read, ErrorKind::Denied, "restore"),
            (403, "SignatureDoesNotMatch", Read, ErrorKind::Denied, "`AWS_SECRET_ACCESS_KEY`"),
            (403, "InvalidAccessKeyId", List, ErrorKind::Denied, "`AWS_ACCESS_KEY_ID`"),
            (400, "ExpiredToken", Read, ErrorKind::Denied, "sign in again"),
            (400, "InvalidToken", Read, ErrorKind::Denied, "`AWS_SESSION_TOKEN`"),
            (400, "KMS.DisabledException", Read, ErrorKind::Denied, "kms:Decrypt"),
            (403, "AccessDenied", Write, ErrorKind::Denied, "s3:PutObject"),
            (403, "AccessDenied", List, ErrorKind::Denied, "s3:ListBucket"),
            (403, "AccessDenied", Read, ErrorKind::Denied, "s3:GetObject"),
            (404, "NoSuchBucket", Read, ErrorKind::NoBucket, "create the bucket"),
            (503, "SlowDown", Read, ErrorKind::Service, "fewer `--jobs`"),
            (408, "RequestTimeout", Write, ErrorKind::Service, "network"),
            (403, "RequestTimeTooSkewed", Read, ErrorKind::Denied, "set the clock"),
            (400, "NewCode", Read, ErrorKind::Service, ""),
        ];
        for (status, code, doing, kind, hint) in table {
            let answer = Answer::new(status, &HeaderMap::new(), &error(code, "The words &amp; more"), false);
            let error = translated("s3://b/k".into(), doing, &refused(&answer));
            assert_eq!(error.kind(), kind, "{code}");
            assert!(error.hint().unwrap_or_default().contains(hint), "{code}: {:?}", error.hint());
            let words = format!("the service answered {status} {code}: The words & more (request R1)");
            assert!(error.to_string().ends_with(&words), "{error}");
        }
        let kms = Answer::new(403, &HeaderMap::new(), &error("AccessDenied", "no kms:Decrypt on arn"), false);
        let kms = translated("s3://b/k".into(), Read, &refused(&kms));
        assert!(kms.hint().unwrap().contains("kms:GenerateDataKey"));
        let gone = Answer::new(404, &HeaderMap::new(), &error("NoSuchKey", "no"), false);
        assert_eq!(translated("k".into(), Read, &refused(&gone)).kind(), ErrorKind::NotFound);
    }

    #[test]
    fn a_clock_that_is_off_is_told_by_how_much() {
        let date = (Utc::now() - chrono::TimeDelta::minutes(185)).to_rfc2822();
        for (body, head) in [(error("RequestTimeTooSkewed", "too large"), false), (String::new(), true)] {
            let answer = Answer::new(403, &headers(&[("date", &date)]), &body, head);
            let error = translated("k".into(), Doing::Read, &refused(&answer));
            assert!(error.to_string().contains("clock is 3 h 5 min ahead of the service's"), "{error}");
            assert!(error.hint().unwrap().contains("set the clock"));
        }
        let right = Answer::new(403, &headers(&[("date", &Utc::now().to_rfc2822())]), "", true);
        assert!(!translated("k".into(), Doing::Read, &refused(&right)).to_string().contains("clock"));
    }

    #[test]
    fn another_region_or_host_is_named_and_not_its_query() {
        let to = headers(&[
            ("x-amz-bucket-region", "eu-west-1"),
            ("location", "https://other.example/x?sig=SECRET"),
        ]);
        let malformed = "<Error><Code>AuthorizationHeaderMalformed</Code><Region>eu-west-1</Region></Error>";
        for answer in [
            Answer::new(301, &to, "", false),
            Answer::new(307, &to, "", true),
            Answer::new(400, &HeaderMap::new(), malformed, false),
        ] {
            let error = translated("k".into(), Doing::List, &refused(&answer));
            assert_eq!(error.kind(), ErrorKind::BadUrl);
            assert!(error.hint().unwrap().contains("`eu-west-1`: set `AWS_REGION`"), "{:?}", error.hint());
            assert!(!error.to_string().contains("SECRET"), "{error}");
        }
        let portal = headers(&[("location", "https://user:pw@portal.example/login?x=SECRET")]);
        let error = translated("k".into(), Doing::Read, &refused(&Answer::new(302, &portal, "", false)));
        assert!(error.to_string().contains("(to https://user:***@portal.example/login)"), "{error}");
        assert!(!format!("{error}{:?}", error.hint()).contains("pw"), "{error}");
    }

    #[test]
    fn what_is_no_error_of_a_service_is_shown_bounded_and_escaped() {
        let body = format!("<html>\u{1b}[31m{}", "x".repeat(100_000));
        let answer = Answer::new(502, &HeaderMap::new(), &body, false);
        let error = translated("k\u{1b}".into(), Doing::Read, &refused(&answer)).to_string();
        assert!(error.chars().count() < 1200 && !error.contains('\u{1b}'), "{error}");
        assert!(error.contains("502: <html>\\u{1b}[31mxxx"), "{error}");
    }
}

//! The parts of AWS that the function meets: Lambda's runtime API, Secrets Manager with its signatures checked, and as
//! much of S3 as conditional writes need.

use crate::http::{Reply, Request, serve};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

pub(super) const KEY_ID: &str = "ASIATESTTESTTESTTEST";
pub(super) const SECRET_KEY: &str = "testTESTtestTESTtestTESTtestTESTtestTEST";
pub(super) const TOKEN: &str = "a/session+token==";
pub(super) const SECRET_ARN: &str = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:duo-AbCdEf";

/// One event for the function.
#[derive(Debug)]
pub(super) struct Invocation {
    /// From when the function takes it to its deadline.
    pub(super) time: Duration,
    /// What it says.
    pub(super) event: Value,
}

/// Lambda's runtime API: hands out invocations one after the other, and takes what becomes of them.
pub(super) struct Runtime {
    url: String,
    results: Receiver<Result<Value, Value>>,
}

impl Runtime {
    pub(super) fn new(invocations: Vec<Invocation>) -> Runtime {
        let waiting = Mutex::new(VecDeque::from(invocations));
        let (sender, results) = channel();
        let sender = Mutex::new(sender);
        let url = serve(move |request| {
            let mut parts = request.path.strip_prefix("/2018-06-01/runtime/invocation/")?.split('/');
            let (id, what) = (parts.next()?, parts.next());
            let result = |body: &[u8]| serde_json::from_slice::<Value>(body).expect("JSON");
            match (request.method.as_str(), id, what) {
                ("GET", "next", None) => {
                    let Some(next) = waiting.lock().expect("not poisoned").pop_front() else {
                        // Nothing more: as Lambda does, it lets the function wait.
                        std::thread::sleep(Duration::from_secs(3600));
                        return None;
                    };
                    let deadline = SystemTime::now() + next.time;
                    let deadline = deadline.duration_since(UNIX_EPOCH).expect("after 1970").as_millis();
                    let event = next.event.to_string();
                    Some(
                        Reply::new(200, event)
                            .with("content-type", "application/json")
                            .with("lambda-runtime-aws-request-id", format!("request-{deadline}"))
                            .with("lambda-runtime-deadline-ms", deadline.to_string())
                            .with(
                                "lambda-runtime-invoked-function-arn",
                                "arn:aws:lambda:eu-west-1:1:function:udmap",
                            ),
                    )
                }
                ("POST", _, Some("response")) => {
                    sender.lock().expect("not poisoned").send(Ok(result(&request.body))).ok()?;
                    Some(Reply::new(202, ""))
                }
                ("POST", _, Some("error")) => {
                    sender.lock().expect("not poisoned").send(Err(result(&request.body))).ok()?;
                    Some(Reply::new(202, ""))
                }
                _ => Some(Reply::new(404, "")),
            }
        });
        Runtime { url, results }
    }

    /// `host:port`, as the function is told.
    pub(super) fn address(&self) -> &str {
        self.url.trim_start_matches("http://")
    }

    /// What became of the next invocation.
    pub(super) fn result(&self) -> Result<Value, Value> {
        self.results.recv_timeout(Duration::from_secs(120)).expect("the function answers")
    }
}

/// Secrets Manager with one secret. Its first answer is that it is not well.
pub(super) struct Secrets {
    url: String,
    asked: Arc<AtomicUsize>,
}

impl Secrets {
    pub(super) fn new(value: &str) -> Secrets {
        let (value, asked) = (value.to_owned(), Arc::new(AtomicUsize::new(0)));
        let count = asked.clone();
        let url = serve(move |request| {
            let refused = |kind: &str| {
                let body = json!({ "__type": kind, "Message": "no" }).to_string();
                Some(Reply::new(400, body).with("content-type", "application/x-amz-json-1.1"))
            };
            if count.fetch_add(1, Ordering::SeqCst) == 0 {
                return Some(Reply::new(503, ""));
            }
            if !is_signed(request, "secretsmanager") {
                return refused("InvalidSignatureException");
            }
            let body: Value = serde_json::from_slice(&request.body).ok()?;
            let target = request.header("x-amz-target")?;
            if (request.method.as_str(), target) != ("POST", "secretsmanager.GetSecretValue") {
                return refused("UnknownOperationException");
            }
            if body["SecretId"] != SECRET_ARN {
                return refused("com.amazonaws.secretsmanager#AccessDeniedException");
            }
            let body = json!({ "ARN": SECRET_ARN, "SecretString": value, "VersionStages": ["AWSCURRENT"] });
            Some(Reply::new(200, body.to_string()).with("content-type", "application/x-amz-json-1.1"))
        });
        Secrets { url, asked }
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// How often it was asked.
    pub(super) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

/// Whether a request's signature (version 4) is right: written from AWS's description, apart from the client's code.
fn is_signed(request: &Request, service: &str) -> bool {
    let check = || {
        let (_, parts) = request.header("authorization")?.split_once("AWS4-HMAC-SHA256 ")?;
        let part = |name: &str| parts.split(", ").find_map(|part| part.strip_prefix(name)?.strip_prefix('='));
        let (names, signature) = (part("SignedHeaders")?, part("Signature")?);
        let (time, scope) = (
            request.header("x-amz-date")?,
            format!("{}/eu-west-1/{service}/aws4_request", &request.header("x-amz-date")?[..8]),
        );
        let mut lines = vec![request.method.clone(), request.path.clone(), request.query.clone()];
        for name in names.split(';') {
            lines.push(format!("{name}:{}", request.header(name)?));
        }
        lines.extend([String::new(), names.to_owned(), hex(&Sha256::digest(&request.body))]);
        let canonical = hex(&Sha256::digest(lines.join("\n")));
        let mac = |key: &[u8], text: &str| {
            let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("any length");
            mac.update(text.as_bytes());
            mac.finalize().into_bytes().to_vec()
        };
        let key = [&time[..8], "eu-west-1", service, "aws4_request"]
            .iter()
            .fold(format!("AWS4{SECRET_KEY}").into_bytes(), |key, part| mac(&key, part));
        let expected = hex(&mac(&key, &format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n{canonical}")));
        let all = ["host", "x-amz-date", "x-amz-security-token", "x-amz-target"];
        let covered = all.iter().all(|name| names.split(';').any(|signed| signed == *name));
        let who = part("Credential")? == format!("{KEY_ID}/{scope}");
        Some(covered && who && request.header("x-amz-security-token")? == TOKEN && expected == signature)
    };
    check().unwrap_or(false)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// How conditions of writes are kept.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Conditions {
    Kept,
    /// `If-Match` counts for nothing.
    NoMatch,
    /// `If-None-Match` counts for nothing.
    NoNoneMatch,
    /// An ETag fits only without its quotes, as in some versions of Ceph.
    Unquoted,
    /// Kept, but nothing may be deleted.
    KeptWithoutDelete,
}

/// S3, as far as objects that are read, and written by condition.
pub(crate) struct Bucket {
    url: String,
    /// By `bucket/key`.
    objects: Arc<Mutex<BTreeMap<String, Vec<u8>>>>,
}

impl Bucket {
    pub(super) fn new() -> Bucket {
        Bucket::with(Conditions::Kept)
    }

    pub(crate) fn with(conditions: Conditions) -> Bucket {
        let objects: Arc<Mutex<BTreeMap<String, Vec<u8>>>> = Arc::default();
        let held = objects.clone();
        let url = serve(move |request| {
            let tag = |bytes: &[u8]| format!("\"{}\"", &hex(&Sha256::digest(bytes))[..32]);
            let name = request.path.trim_start_matches('/').replace("%3D", "=");
            let mut held = held.lock().expect("not poisoned");
            let is = held.get(&name).map(|bytes| tag(bytes));
            let refused = |status: u16, code: &str| {
                Some(Reply::new(status, format!("<Error><Code>{code}</Code><Message>no</Message></Error>")))
            };
            match request.method.as_str() {
                "GET" => match held.get(&name) {
                    Some(bytes) => Some(
                        Reply::new(200, bytes.clone())
                            .with("etag", tag(bytes))
                            .with("last-modified", "Thu, 01 Jan 2026 00:00:00 GMT"),
                    ),
                    None => refused(404, "NoSuchKey"),
                },
                "PUT" => {
                    let absent = request.header("if-none-match").is_none_or(|_| is.is_none());
                    let same = request.header("if-match").is_none_or(|wanted| match conditions {
                        Conditions::Unquoted => {
                            is.as_deref().is_some_and(|is| is.trim_matches('"') == wanted)
                        }
                        _ => is.as_deref() == Some(wanted),
                    });
                    if !absent && conditions != Conditions::NoNoneMatch
                        || !same && conditions != Conditions::NoMatch
                    {
                        return refused(412, "PreconditionFailed");
                    }
                    let reply = Reply::new(200, "").with("etag", tag(&request.body));
                    held.insert(name, request.body.clone());
                    Some(reply)
                }
                "DELETE" if conditions == Conditions::KeptWithoutDelete => refused(403, "AccessDenied"),
                "DELETE" => {
                    held.remove(&name);
                    Some(Reply::new(204, ""))
                }
                _ => refused(405, "MethodNotAllowed"),
            }
        });
        Bucket { url, objects }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// All objects by `bucket/key`.
    pub(crate) fn all(&self) -> BTreeMap<String, Vec<u8>> {
        self.objects.lock().expect("not poisoned").clone()
    }

    pub(crate) fn put(&self, name: &str, text: String) {
        self.objects.lock().expect("not poisoned").insert(name.to_owned(), text.into_bytes());
    }

    /// The lines of all objects whose names begin so.
    pub(super) fn lines(&self, prefix: &str) -> Vec<String> {
        let objects = self.objects.lock().expect("not poisoned");
        let texts = objects.iter().filter(|(name, _)| name.starts_with(prefix));
        texts
            .flat_map(|(_, bytes)| {
                String::from_utf8_lossy(bytes).lines().map(str::to_owned).collect::<Vec<_>>()
            })
            .collect()
    }
}

//! A SecOps that is not SecOps: its import methods behind tokens, all or nothing, with every fault that the real one,
//! or what is between, may have.

use super::strict::{self, Log};
use super::tokens::{Holder, Tokens};
use crate::http::{Reply, Request, serve};
use serde_json::json;
use std::collections::HashMap;
use std::io::Read as _;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

pub(crate) const PROJECT: &str = "acme-secops";
pub(crate) const LOCATION: &str = "eu";
pub(crate) const INSTANCE: &str = "0e1f2a3b-1111-2222-3333-444455556666";

/// The most bytes of a request, unpacked.
pub(crate) const MOST: usize = 4_000_000;

/// What goes wrong with a request.
#[derive(Debug, Clone)]
pub(crate) enum Fault {
    /// Nothing is taken, and this is the answer.
    Answer(Reply),
    /// Nothing is taken, and the connection ends.
    Reset,
    /// All is taken, and the connection ends without an answer.
    Lost,
    /// All is taken, and the answer breaks off.
    Cut,
    /// All is taken, and the answer comes this late.
    Late(Duration),
    /// The token is refused, whatever it is.
    BadToken,
}

/// A fault of this kind, as Google's APIs write it.
pub(crate) fn error(code: u16, status: &str, message: &str) -> Reply {
    let body = json!({"error": {"code": code, "message": message, "status": status}});
    Reply::new(code, body.to_string()).with("content-type", "application/json; charset=UTF-8")
}

/// "Try again later", at all.
pub(crate) fn unavailable() -> Fault {
    Fault::Answer(error(503, "UNAVAILABLE", "The service is currently unavailable."))
}

/// A request to import, before it is judged.
#[derive(Debug)]
pub(crate) struct Call<'a> {
    /// Counted from 1.
    pub(crate) number: u64,
    pub(crate) body: &'a [u8],
    pub(crate) authorization: &'a str,
}

/// Which fault a request meets.
type Plan = Box<dyn Fn(&Call<'_>) -> Option<Fault> + Send + Sync>;

/// An import that was asked for.
#[derive(Debug, Clone)]
pub(crate) struct Import {
    pub(crate) at: Instant,
    pub(crate) path: String,
    /// The body, unpacked.
    pub(crate) body: Vec<u8>,
    /// How many events or logs it holds, if it could be read.
    pub(crate) items: usize,
    /// What became of it: an HTTP status, and 0 for none.
    pub(crate) status: u16,
    /// Whether its events are in SecOps now.
    pub(crate) taken: bool,
}

#[derive(Default)]
struct Inner {
    plan: Option<Plan>,
    /// How many requests there were before the plan.
    since: usize,
    imports: Vec<Import>,
    events: Vec<Vec<u8>>,
    logs: Vec<Log>,
    other: Vec<String>,
    malformed: Vec<String>,
}

/// What is refused: the whole request with it, and nobody says which one it was.
type Refuses = Box<dyn Fn(&[u8]) -> bool + Send + Sync>;

/// How the service behaves.
pub(crate) struct Manner {
    pub(crate) refuses: Refuses,
    /// A request that is too large is a 400 with words, not a 413.
    pub(crate) too_large_is_400: bool,
    pub(crate) most: usize,
    /// Whether and how a refusal names an event: its place among `items`, given the true one.
    pub(crate) names: Option<fn(usize, usize) -> usize>,
    /// What is answered to one who looks at the instance, if not the instance.
    pub(crate) looked: Option<Reply>,
    /// By how many seconds the service's clock is ahead.
    pub(crate) ahead: i64,
}

impl Default for Manner {
    fn default() -> Manner {
        Manner {
            refuses: Box::new(is_marked),
            too_large_is_400: false,
            most: MOST,
            names: None,
            looked: None,
            ahead: 0,
        }
    }
}

/// Whether an event says of itself that it is to be refused.
pub(crate) fn is_marked(event: &[u8]) -> bool {
    memchr::memmem::find(event, b"refuse me").is_some()
}

struct Service {
    manner: Manner,
    tokens: Tokens,
    inner: Mutex<Inner>,
}

/// The fake; it ends with the tests.
#[derive(Clone)]
pub(crate) struct Fake {
    pub(crate) url: String,
    service: Arc<Service>,
}

impl Fake {
    pub(crate) fn start() -> Fake {
        Fake::with(Manner::default())
    }

    pub(crate) fn with(manner: Manner) -> Fake {
        let service = Arc::new(Service { manner, tokens: Tokens::new(), inner: Mutex::default() });
        let served = Arc::clone(&service);
        let url = serve(move |request| {
            let date = chrono::Utc::now() + chrono::Duration::seconds(served.manner.ahead);
            let date = date.format("%a, %d %b %Y %H:%M:%S GMT").to_string();
            served.answer(request).map(|reply| reply.with("date", date))
        });
        service.tokens.at(&url);
        Fake { url, service }
    }

    /// Faults from now on; requests are counted from 1 again.
    pub(crate) fn faults(&self, plan: impl Fn(&Call<'_>) -> Option<Fault> + Send + Sync + 'static) {
        let mut inner = self.service.inner();
        inner.plan = Some(Box::new(plan));
        inner.since = inner.imports.len();
    }

    /// How long tokens last that are given from now on.
    pub(crate) fn token_life(&self, life: Duration) {
        *self.service.tokens.life.lock().expect("not poisoned") = life;
    }

    /// For which kinds of credentials tokens were given.
    pub(crate) fn tokens(&self) -> Vec<&'static str> {
        self.service.tokens.asked.lock().expect("not poisoned").clone()
    }

    /// The events in SecOps, in the order of their arrival, with repeats.
    pub(crate) fn events(&self) -> Vec<Vec<u8>> {
        self.service.inner().events.clone()
    }

    /// The raw logs in SecOps.
    pub(crate) fn logs(&self) -> Vec<Log> {
        self.service.inner().logs.clone()
    }

    /// All that was asked of the import methods.
    pub(crate) fn imports(&self) -> Vec<Import> {
        self.service.inner().imports.clone()
    }

    /// How many there were.
    pub(crate) fn count(&self) -> usize {
        self.service.inner().imports.len()
    }

    /// Why bodies could not be read, but for events that are to be refused: faults of the sender.
    pub(crate) fn malformed(&self) -> Vec<String> {
        self.service.inner().malformed.clone()
    }

    /// Methods and paths of other requests.
    pub(crate) fn other(&self) -> Vec<String> {
        self.service.inner().other.clone()
    }

    /// How many requests were taken more than once, each counted as often as it was too many.
    pub(crate) fn repeats(&self) -> usize {
        let inner = self.service.inner();
        let mut known: HashMap<&[u8], usize> = HashMap::new();
        for import in inner.imports.iter().filter(|import| import.taken) {
            *known.entry(&import.body).or_default() += 1;
        }
        known.values().map(|times| times - 1).sum()
    }
}

impl Service {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().expect("not poisoned")
    }

    fn answer(&self, request: &Request) -> Option<Reply> {
        if let Some(reply) = self.tokens.answer(request) {
            return Some(reply);
        }
        let instance = format!("/projects/{PROJECT}/locations/{LOCATION}/instances/{INSTANCE}");
        let versions = ["/v1", "/v1beta", "/v1alpha"];
        let method = versions.iter().find_map(|it| request.path.strip_prefix(it)?.strip_prefix(&instance));
        let imports = request.path.ends_with(":import");
        if !imports {
            let line = format!("{} {}", request.method, request.path);
            self.inner().other.push(line);
        }
        let Some(method) = method else {
            if imports {
                self.note(request, &request.body, 0, 404);
            }
            return Some(error(404, "NOT_FOUND", "Requested entity was not found."));
        };
        if let ("GET", "") = (request.method.as_str(), method) {
            return Some(match self.tokens.holder(request.header("authorization")) {
                Ok(_) if self.manner.looked.is_some() => self.manner.looked.clone()?,
                Ok(_) => Reply::new(200, json!({"name": instance.trim_start_matches('/')}).to_string()),
                Err(why) => error(401, "UNAUTHENTICATED", &why),
            });
        }
        let log_type = method.strip_prefix("/logTypes/").and_then(|it| it.strip_suffix("/logs:import"));
        match (request.method.as_str(), method, log_type) {
            ("POST", "/events:import", None) => self.import(request, false),
            ("POST", _, Some(log_type)) if !log_type.contains('/') => self.import(request, true),
            _ => Some(error(404, "NOT_FOUND", "Method not found.")),
        }
    }

    /// Notes a request to import; its place.
    fn note(&self, request: &Request, body: &[u8], items: usize, status: u16) -> usize {
        let mut inner = self.inner();
        let (path, body) = (request.path.clone(), body.to_vec());
        inner.imports.push(Import { at: Instant::now(), path, body, items, status, taken: false });
        inner.imports.len() - 1
    }

    fn import(&self, request: &Request, raw: bool) -> Option<Reply> {
        let body = match request.header("content-encoding") {
            Some("gzip") => {
                let mut text = Vec::new();
                let mut reader = flate2::read::GzDecoder::new(&request.body[..]).take(8 * MOST as u64);
                reader.read_to_end(&mut text).ok()?;
                text
            }
            _ => request.body.clone(),
        };
        let place = self.note(request, &body, 0, 0);
        let authorization = request.header("authorization").unwrap_or_default();
        let fault = {
            let inner = self.inner();
            let number = (place - inner.since) as u64 + 1;
            inner.plan.as_ref().and_then(|plan| plan(&Call { number, body: &body, authorization }))
        };
        let (items, judged) = match &fault {
            Some(Fault::Reset) => return None,
            Some(Fault::Answer(reply)) => (0, Err(reply.clone())),
            Some(Fault::BadToken) => {
                (0, Err(unauthenticated("Request had invalid authentication credentials.")))
            }
            _ => self.judged(request, &body, raw),
        };
        let mut inner = self.inner();
        let Inner { imports, events, logs, .. } = &mut *inner;
        let import = &mut imports[place];
        import.items = items;
        match judged {
            Err(reply) => {
                import.status = reply.status();
                return Some(reply);
            }
            Ok(Taken::Events(taken)) => events.extend(taken),
            Ok(Taken::Logs(taken)) => logs.extend(taken),
        }
        import.taken = true;
        let reply = Reply::new(200, "{}\n").with("content-type", "application/json; charset=UTF-8");
        let reply = match fault {
            Some(Fault::Lost) => return None,
            Some(Fault::Cut) => return Some(reply.cut()),
            Some(Fault::Late(time)) => reply.after(time),
            _ => reply,
        };
        import.status = 200;
        Some(reply)
    }

    /// How many events or logs there are in a request, and what of them is taken, or else why not.
    fn judged(&self, request: &Request, body: &[u8], raw: bool) -> (usize, Result<Taken, Reply>) {
        match self.tokens.holder(request.header("authorization")) {
            Ok(Holder::Account) => {}
            Ok(Holder::User) => return (0, Err(unsupported_token())),
            Err(why) => return (0, Err(unauthenticated(&why))),
        }
        if body.len() > self.manner.most {
            let words = format!("Request payload size exceeds the limit: {} bytes.", self.manner.most);
            let reply = match self.manner.too_large_is_400 {
                true => error(400, "INVALID_ARGUMENT", &words),
                false => Reply::new(413, "<html><title>413 Request Entity Too Large</title></html>"),
            };
            return (0, Err(reply));
        }
        if !request.header("content-type").is_some_and(|it| it.starts_with("application/json")) {
            return (0, Err(error(415, "INVALID_ARGUMENT", "expected JSON")));
        }
        let (items, taken) = match raw {
            true => match strict::logs(body) {
                Ok(logs) => (logs.iter().map(|log| log.data.clone()).collect(), Ok(Taken::Logs(logs))),
                Err(at) => (Vec::new(), Err(at)),
            },
            false => match strict::events(body) {
                Ok(events) => {
                    let events: Vec<Vec<u8>> = events.iter().map(|event| event.as_bytes().to_vec()).collect();
                    (events.clone(), Ok(Taken::Events(events)))
                }
                Err(at) => (Vec::new(), Err(at)),
            },
        };
        let bad = match &taken {
            Ok(_) => items.iter().position(|item| (self.manner.refuses)(item)),
            Err((at, why)) => {
                self.inner().malformed.push(why.clone());
                *at
            }
        };
        let message = "Request contains an invalid argument.";
        let reply = match (taken, bad, self.manner.names) {
            (Ok(taken), None, _) if !items.is_empty() => return (items.len(), Ok(taken)),
            (_, Some(at), Some(names)) => {
                let field = format!("inline_source.events[{}].udm.metadata", names(at, items.len()));
                error(400, "INVALID_ARGUMENT", &format!("{message} {field}: invalid value"))
            }
            _ => error(400, "INVALID_ARGUMENT", message),
        };
        (items.len(), Err(reply))
    }
}

/// What a good request holds.
enum Taken {
    Events(Vec<Vec<u8>>),
    Logs(Vec<Log>),
}

fn unauthenticated(why: &str) -> Reply {
    error(401, "UNAUTHENTICATED", why)
}

/// A user's own token is not taken.
fn unsupported_token() -> Reply {
    let info = json!({
        "@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "ACCESS_TOKEN_TYPE_UNSUPPORTED",
        "domain": "googleapis.com", "metadata": {"service": "chronicle.googleapis.com"},
    });
    let error = json!({
        "code": 401, "message": "Request had invalid authentication credentials.", "status": "UNAUTHENTICATED",
        "details": [info],
    });
    Reply::new(401, json!({"error": error}).to_string())
}

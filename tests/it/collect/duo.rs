//! A Duo that is not Duo: it checks signatures and parameters, holds a timeline of records, and has
//! a switch for everything about which the real one is not known for sure, or may fail.

use super::signature::{Asked, is_right, parameters};
use chrono::{DateTime, SecondsFormat};
use std::collections::BTreeMap;
use std::sync::Mutex;
use udmap::jobs::collect::{NoAnswer, Response};

pub(crate) const HOST: &str = "api-test0000.duosecurity.com";
pub(crate) const IKEY: &str = "DITESTTESTTESTTEST00";
pub(crate) const SKEY: &str = "s3cr3ts3cr3ts3cr3ts3cr3ts3cr3ts3cr3t0000";
const DAY: i64 = 86_400_000;

/// What `next_offset` is at the end of the data.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum End {
    Absent,
    Null,
    /// Given with every page that has a record.
    Given,
}

/// What `next_offset` looks like.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Form {
    Text,
    List,
}

/// Which record `next_offset` names.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Cursor {
    /// The last one of the page; the next page begins after it.
    Last,
    /// The last one of the page; the next page begins with it.
    LastAgain,
    /// The first one of the next page.
    Next,
}

/// What goes wrong with a request.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Fault {
    /// A status and a body, and perhaps `Retry-After`.
    Answer(u16, String, Option<String>),
    /// The answer ends in the middle of its body, which JSON shows.
    CutJson,
    /// The connection ends in the middle of the body.
    CutBody,
    /// The connection ends without an answer.
    Reset,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Switches {
    pub(crate) end: End,
    pub(crate) form: Form,
    pub(crate) cursor: Cursor,
}

impl Default for Switches {
    fn default() -> Switches {
        Switches { end: End::Absent, form: Form::Text, cursor: Cursor::Last }
    }
}

/// How the service gives one of its logs; read apart from the collector's own rows.
#[derive(Debug)]
pub(crate) struct Endpoint {
    pub(crate) log: &'static str,
    pub(crate) path: &'static str,
    /// Version 1: `mintime` in seconds and nothing else, and a bare list of the earliest records.
    bare: bool,
    /// The name of the list in `response`.
    list: &'static str,
    /// The parameter that holds `next_offset`.
    offset: &'static str,
    limit: i64,
    /// It has the parameter `sort`, and gives the newest first without it.
    sorts: bool,
}

const fn version_2(log: &'static str, path: &'static str, list: &'static str) -> Endpoint {
    Endpoint { log, path, bare: false, list, offset: "next_offset", limit: 1000, sorts: true }
}

const fn version_1(log: &'static str, path: &'static str) -> Endpoint {
    Endpoint { log, path, bare: true, list: "", offset: "", limit: 1000, sorts: false }
}

pub(crate) static ENDPOINTS: [Endpoint; 6] = [
    version_2("telephony", "/admin/v2/logs/telephony", "items"),
    version_2("authentication", "/admin/v2/logs/authentication", "authlogs"),
    version_2("activity", "/admin/v2/logs/activity", "items"),
    version_1("administrator", "/admin/v1/logs/administrator"),
    version_1("offline-enrollment", "/admin/v1/logs/offline_enrollment"),
    Endpoint {
        offset: "offset",
        limit: 200,
        sorts: false,
        ..version_2("trust-monitor", "/admin/v1/trust_monitor/events", "events")
    },
];

#[derive(Debug, Clone)]
pub(crate) struct Record {
    /// Which log it is of.
    pub(crate) log: &'static str,
    /// When it was, in microseconds: what the service sorts by.
    pub(crate) us: i64,
    /// The service's own name for it.
    pub(crate) id: String,
    /// From when on it can be asked for, in ms.
    pub(crate) visible: i64,
    pub(crate) json: String,
}

/// What the header `Date` says.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Dated {
    /// The service's time.
    Right,
    /// Nothing: there is no such header.
    Not,
    /// Always the same time, in ms.
    At(i64),
    /// With each answer a minute less, from the service's time on.
    Back,
}

/// What to do with the nth request, counted from 1.
pub(crate) type Plan = Box<dyn Fn(u64) -> Option<Fault> + Send>;

#[derive(Default)]
struct Inner {
    /// Of each log, by time in ms and name.
    records: BTreeMap<&'static str, BTreeMap<(i64, String), Record>>,
    requests: u64,
    faults: Option<Plan>,
    log: Vec<String>,
}

pub(crate) struct Duo {
    pub(crate) switches: Switches,
    pub(crate) dated: Dated,
    /// Whether a log without the parameter `sort` comes with its newest records first.
    pub(crate) newest_first: bool,
    /// A log that this key may not read.
    pub(crate) forbidden: Option<&'static str>,
    /// Whether a signature that is minutes early or late is refused, as Duo does.
    pub(crate) checks_clocks: bool,
    inner: Mutex<Inner>,
}

impl std::fmt::Debug for Duo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Duo").field("switches", &self.switches).finish_non_exhaustive()
    }
}

pub(crate) fn iso(us: i64) -> String {
    let time = DateTime::from_timestamp_micros(us).expect("a time");
    time.to_rfc3339_opts(SecondsFormat::Micros, false)
}

/// A record as Duo sends them.
pub(crate) fn record(us: i64, n: u64) -> Record {
    let id = format!("{n:08x}-fe39-49e3-be29-217659663a74");
    let json = format!(
        r#"{{"context": "authentication", "credits": {}, "phone": "+1503555{:04}", "telephony_id": "{id}", "ts": "{}", "txid": "tx-{n}", "type": "sms"}}"#,
        n % 3,
        n % 10_000,
        iso(us)
    );
    Record { log: "telephony", us, id, visible: i64::MIN, json }
}

/// A record of a log, as Duo sends them.
pub(crate) fn record_of(log: &'static str, us: i64, n: u64) -> Record {
    let Record { id, visible, json, .. } = record(us, n);
    let (ms, seconds) = (us.div_euclid(1000), us.div_euclid(1_000_000));
    let whole = iso(seconds * 1_000_000).replace(".000000", "");
    let (us, json) = match log {
        "telephony" => (us, json),
        "authentication" => {
            let json = format!(
                r#"{{"access_device": {{"ip": "192.0.2.{}"}}, "isotimestamp": "{}", "timestamp": {seconds}, "txid": "{id}"}}"#,
                n % 250,
                iso(us)
            );
            (us, json)
        }
        "activity" => (
            us,
            format!(r#"{{"action": {{"name": "user_update"}}, "activity_id": "{id}", "ts": "{}"}}"#, iso(us)),
        ),
        "trust-monitor" => {
            (us, format!(r#"{{"sekey": "{id}", "surfaced_timestamp": {ms}, "type": "auth"}}"#))
        }
        // Whole seconds, and no name.
        _ => {
            let json = format!(
                r#"{{"action": "user_update", "description": "{{\"n\": {n}}}", "isotimestamp": "{whole}", "timestamp": {seconds}}}"#
            );
            (seconds * 1_000_000, json)
        }
    };
    Record { log, us, id, visible, json }
}

impl Duo {
    pub(crate) fn new(switches: Switches) -> Duo {
        Duo {
            switches,
            dated: Dated::Right,
            newest_first: false,
            forbidden: None,
            checks_clocks: true,
            inner: Mutex::default(),
        }
    }

    pub(crate) fn add(&self, records: impl IntoIterator<Item = Record>) {
        let mut inner = self.inner.lock().expect("not poisoned");
        for record in records {
            let at = (record.us.div_euclid(1000), record.id.clone());
            inner.records.entry(record.log).or_default().insert(at, record);
        }
    }

    /// Faults from now on; requests are counted from 1 again.
    pub(crate) fn faults(&self, plan: impl Fn(u64) -> Option<Fault> + Send + 'static) {
        let mut inner = self.inner.lock().expect("not poisoned");
        inner.requests = 0;
        inner.faults = Some(Box::new(plan));
    }

    /// The queries that came, and what became of them.
    pub(crate) fn log(&self) -> Vec<String> {
        self.inner.lock().expect("not poisoned").log.clone()
    }

    /// The lines of all records that were up to `ms`, sorted.
    pub(crate) fn lines(&self, ms: i64) -> Vec<String> {
        let inner = self.inner.lock().expect("not poisoned");
        let all = inner.records.values().flat_map(BTreeMap::values);
        let mut lines: Vec<String> =
            all.filter(|r| r.us.div_euclid(1000) <= ms).map(|r| r.json.clone()).collect();
        lines.sort();
        lines
    }

    /// Answers a request that arrives at `now` (ms).
    pub(crate) fn answer(&self, asked: &Asked<'_>, now: i64) -> Result<Response, NoAnswer> {
        let mut inner = self.inner.lock().expect("not poisoned");
        inner.requests += 1;
        let number = inner.requests;
        let fault = inner.faults.as_ref().and_then(|plan| plan(number));
        let (status, mut body) = self.page(&inner, asked, now);
        inner.log.push(format!("{} -> {status}", asked.query));
        let dated = match self.dated {
            Dated::Right => Some(now),
            Dated::Not => None,
            Dated::At(ms) => Some(ms),
            Dated::Back => Some(now - 60_000 * number as i64),
        };
        let date = dated.and_then(DateTime::from_timestamp_millis);
        let date = date.map(|date| date.format("%a, %d %b %Y %H:%M:%S GMT").to_string());
        let mut response = Response { status, retry_after: None, date, body: Vec::new() };
        match fault {
            None => {}
            Some(Fault::CutJson) => body.truncate(body.len() / 2),
            Some(Fault::CutBody) => return Err(NoAnswer("the body is cut".into())),
            Some(Fault::Reset) => return Err(NoAnswer("connection reset by peer".into())),
            Some(Fault::Answer(status, text, retry_after)) => {
                (response.status, response.retry_after, body) = (status, retry_after, text);
            }
        }
        response.body = body.into_bytes();
        Ok(response)
    }

    fn page(&self, inner: &Inner, asked: &Asked<'_>, now: i64) -> (u16, String) {
        let fail = |status: u16, code: u32, message: &str, detail: &str| {
            let body = format!(
                r#"{{"stat":"FAIL","code":{code},"message":"{message}","message_detail":"{detail}"}}"#
            );
            (status, body)
        };
        let asked_at = DateTime::parse_from_rfc2822(asked.date).map_or(0, |date| date.timestamp_millis());
        if self.checks_clocks && (asked_at - now).abs() > 300_000 {
            return fail(401, 40105, "Bad request timestamp", "");
        }
        if !is_right(asked, IKEY, SKEY) {
            return fail(401, 40103, "Invalid signature in request credentials", "");
        }
        let endpoint = ENDPOINTS.iter().find(|endpoint| asked.method == "GET" && asked.path == endpoint.path);
        let Some(endpoint) = endpoint else { return fail(404, 40401, "Resource not found", "") };
        if self.forbidden == Some(endpoint.log) {
            return fail(403, 40301, "Access forbidden", "");
        }
        let none = BTreeMap::new();
        let records = inner.records.get(endpoint.log).unwrap_or(&none);
        let parameters = parameters(asked.query);
        let get =
            |name: &str| parameters.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
        let number = |name: &str| get(name).and_then(|text| text.parse::<i64>().ok());
        if endpoint.bare {
            let [(_, _)] = &parameters[..] else {
                return fail(400, 40002, "Invalid request parameters", "mintime and nothing else");
            };
            let Some(min) = number("mintime").filter(|min| *min <= now / 1000) else {
                return fail(400, 40002, "Invalid request parameters", "mintime");
            };
            let found = records.range((min * 1000, String::new())..).map(|(_, record)| record);
            let items: Vec<&str> = found
                .filter(|record| record.visible <= now && record.us / 1000 <= now)
                .take(endpoint.limit as usize)
                .map(|record| record.json.as_str())
                .collect();
            return (200, format!(r#"{{"stat": "OK", "response": [{}]}}"#, items.join(", ")));
        }
        let (Some(min), Some(max)) = (number("mintime"), number("maxtime")) else {
            return fail(400, 40001, "Missing required request parameters", "mintime, maxtime");
        };
        if min >= max {
            return fail(400, 40002, "Invalid request parameters", "mintime must be less than maxtime");
        }
        if min <= now - 180 * DAY {
            return fail(
                400,
                40002,
                "Invalid request parameters",
                "mintime must be within the past 180 days",
            );
        }
        let limit = number("limit").unwrap_or(100);
        if !(1..=endpoint.limit).contains(&limit) {
            return fail(400, 40002, "Invalid request parameters", "limit");
        }
        let start = match get(endpoint.offset) {
            None => (min, String::new()),
            Some(offset) => match offset.split_once(',') {
                Some((ms, id)) if ms.parse::<i64>().is_ok() => (ms.parse().expect("a number"), id.to_owned()),
                _ => return fail(400, 40002, "Invalid request parameters", "next_offset"),
            },
        };
        let given = get(endpoint.offset).is_some();
        let after = given && self.switches.cursor == Cursor::Last;
        let backwards = !endpoint.sorts && self.newest_first;
        let found: Box<dyn Iterator<Item = (&(i64, String), &Record)>> = match backwards {
            false => Box::new(records.range(start.clone()..)),
            true if given => Box::new(records.range(..=start.clone()).rev()),
            true => Box::new(records.iter().rev()),
        };
        let mut found = found.filter(|(at, record)| {
            at.0 >= min && at.0 <= max && record.visible <= now && !(after && **at == start)
        });
        let ascending = !endpoint.sorts || get("sort") == Some("ts:asc");
        let mut all: Vec<_> = if ascending {
            found.by_ref().take(limit as usize + 1).collect()
        } else {
            found.collect::<Vec<_>>().into_iter().rev().collect()
        };
        let more = all.len() > limit as usize;
        let next = all.get(limit as usize).map(|(at, _)| (*at).clone());
        all.truncate(limit as usize);
        let last = all.last().map(|(at, _)| (*at).clone());
        let named = match (self.switches.cursor, more) {
            (Cursor::Next, true) => next,
            (Cursor::Next, false) if backwards => last.map(|(ms, _)| (ms, String::new())),
            (Cursor::Next, false) => last.map(|(ms, id)| (ms, format!("{id}~"))),
            (Cursor::Last | Cursor::LastAgain, _) => last,
        };
        let quoted = |(ms, id): (i64, String)| match self.switches.form {
            Form::Text => format!(r#""{ms},{id}""#),
            Form::List => format!(r#"["{ms}", "{id}"]"#),
        };
        let offset = match (more, self.switches.end, named) {
            (true, _, Some(at)) | (false, End::Given, Some(at)) => {
                format!(r#""next_offset": {}, "#, quoted(at))
            }
            (false, End::Null, _) => r#""next_offset": null, "#.into(),
            _ => String::new(),
        };
        let items: Vec<&str> = all.iter().map(|(_, record)| record.json.as_str()).collect();
        let body = format!(
            r#"{{"stat": "OK", "response": {{"{}": [{}], "metadata": {{{offset}"total_objects": {}}}}}}}"#,
            endpoint.list,
            items.join(", "),
            records.len()
        );
        (200, body)
    }
}

//! What a collector knows from run to run: one JSON object, replaced only by whom has read it.

use super::clock::shown;
use super::logs::Log;
use super::page::MOST_OFFSET;
use super::seen::{Key, Seen};
use super::{Credentials, Error, ErrorKind};
use crate::store::Compression;
use crate::text;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

/// The version of the state that is written here.
const VERSION: u64 = 1;
/// What a log's name begins with in a state.
const OWNER: &str = "duo-";
/// How many gaps are remembered.
const MOST_GAPS: usize = 50;
/// How many records are remembered: those of a page and of the overlap, or of a window without times.
pub(super) const MOST_RECENT: usize = 1_000_000;
/// The largest state, in bytes; each record that is remembered takes some 45.
pub(super) const MOST_BYTES: u64 = 64 << 20;
/// No time of a state is before this: 2010, in ms.
const FIRST: i64 = 1_262_304_000_000;

/// The state of a collector. All times are milliseconds since 1970.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct State {
    /// The state's version.
    udmap_state: u64,
    /// Which log is collected.
    log: String,
    /// The API host.
    pub(super) host: String,
    /// A digest of the integration key.
    account: String,
    /// The run that wrote it, a random number: tells two equal steps of two runs apart.
    pub(super) writer: String,
    /// The number of the next object.
    pub(super) sequence: u64,
    /// Up to here everything is collected; none before the first window is done.
    pub(super) watermark: Option<i64>,
    /// Up to here that is sure, if not up to the watermark: no answer told the service's time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) sure: Option<i64>,
    /// From here on `recent` is complete.
    pub(super) recent_from: Option<i64>,
    /// Whether the service begins a page with the last record of the page before, once that is known.
    pub(super) repeats_seam: Option<bool>,
    /// The window being collected.
    pub(super) window: Option<Window>,
    /// Times that could not be collected, the latest last.
    pub(super) gaps: Vec<Gap>,
    /// How many items of Duo's answers were not objects, so no records, and are nowhere else.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(super) not_records: u64,
    /// The records that may come again.
    pub(super) recent: Seen,
}

fn is_zero(n: &u64) -> bool {
    *n == 0
}

/// A window: frozen before its first object, so that every repetition asks the same.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Window {
    /// The first millisecond.
    pub(super) from: i64,
    /// The last millisecond.
    pub(super) to: i64,
    /// Up to here it is sure that everything is collected when the window is done, if that is not its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) sure: Option<i64>,
    /// The next window begins here.
    pub(super) keep_from: i64,
    /// The most records of a page.
    pub(super) limit: u32,
    /// Where the next page begins.
    pub(super) offset: Option<String>,
    /// How many pages are done.
    pub(super) page: u64,
    /// The earliest record of the page before; the window's start before the first page.
    pub(super) floor: i64,
    /// The last record of the page before.
    pub(super) last_key: Option<Key>,
    /// The page before, as one key.
    pub(super) last_page: Option<Key>,
    /// Whether the page before had as many records as it may.
    pub(super) full: bool,
    /// The day in the objects' keys.
    pub(super) day: String,
    /// The end of the objects' keys.
    pub(super) extension: String,
    /// Whether records get `host`, `eventtype` and `timestamp`.
    pub(super) decorate: bool,
}

/// A time in which the service's records were lost to us: it keeps them for 180 days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// The first millisecond.
    pub from: i64,
    /// The first millisecond after it.
    pub to: i64,
}

/// What tells whose state it is; each as its JSON text, `null` too.
#[derive(Deserialize)]
struct Head<'a> {
    #[serde(borrow, default, deserialize_with = "given")]
    udmap_state: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "given")]
    last_timestamp_ms: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "given")]
    last_offset: Option<&'a RawValue>,
}

fn given<'de: 'a, 'a, D: Deserializer<'de>>(deserializer: D) -> Result<Option<&'a RawValue>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}

/// A state that was read.
#[derive(Debug, PartialEq)]
pub(super) enum Loaded {
    /// One of ours.
    Ours(Box<State>),
    /// Made from the state of the collector that this one replaces.
    TakenOver(Box<State>),
}

impl State {
    /// The state before the first run.
    pub(super) fn new(log: &Log, credentials: &Credentials) -> State {
        State {
            udmap_state: VERSION,
            log: format!("{OWNER}{log}"),
            host: credentials.host().into(),
            account: credentials.id(),
            writer: String::new(),
            sequence: 0,
            watermark: None,
            sure: None,
            recent_from: None,
            repeats_seam: None,
            window: None,
            gaps: Vec::new(),
            not_records: 0,
            recent: Seen::default(),
        }
    }

    /// Reads a state, which `name` names in messages.
    pub(super) fn read(
        bytes: &[u8],
        name: &str,
        log: &Log,
        credentials: &Credentials,
    ) -> Result<Loaded, Error> {
        let bad = |what: String, hint: &str| {
            Err(Error::new(ErrorKind::State, format!("the state `{name}` {what}")).with_hint(hint))
        };
        let reset = "bring back the last good version; or, to begin anew, remove it and give `--since` the time up to \
                     which everything is delivered";
        let foreign = "give `--state` a place of its own";
        if bytes.len() as u64 > MOST_BYTES {
            return bad(format!("is larger than {} MiB", MOST_BYTES >> 20), foreign);
        }
        // Not as a tree: of a large state that would be many times its size.
        let head: Head<'_> = match serde_json::from_slice(bytes) {
            Ok(head) => head,
            Err(_) if bytes.iter().all(u8::is_ascii_whitespace) => return bad("is empty".into(), reset),
            Err(error) if error.is_eof() => return bad("is cut short".into(), reset),
            Err(error) if error.is_data() => return bad("belongs to something else".into(), foreign),
            Err(error) => return bad(format!("is not JSON: {error}"), foreign),
        };
        let Some(version) = head.udmap_state else {
            return match old_position(&head) {
                _ if !log.has_predecessor => bad("belongs to something else".into(), foreign),
                Ok(Some(ms)) => {
                    let mut state = State::new(log, credentials);
                    (state.watermark, state.recent_from) = (Some(ms), Some(ms));
                    Ok(Loaded::TakenOver(Box::new(state)))
                }
                Ok(None) => bad("belongs to something else".into(), foreign),
                Err(what) => bad(format!("of the earlier collector has no position: {what}"), reset),
            };
        };
        match version.get().parse::<u64>() {
            Ok(VERSION) => {}
            Ok(newer) if newer > VERSION => {
                let what = format!(
                    "was written by a newer udmap (version {newer} of the state, known is {VERSION})"
                );
                return bad(what, "run that udmap, or a newer one");
            }
            _ => return bad(format!("has no known version: {}", text::shown(version.get())), foreign),
        }
        let state: State = match serde_json::from_slice(bytes) {
            Ok(state) => state,
            Err(error) => return bad(format!("is damaged: {}", text::shown(&error.to_string())), reset),
        };
        if state.log.strip_prefix(OWNER) != Some(log.name) {
            let theirs = text::shown(&state.log);
            return bad(format!("is that of another log, `{theirs}`; this run's is `{OWNER}{log}`"), foreign);
        }
        if state.host != credentials.host() {
            let host = text::shown(&state.host);
            let what = format!("is that of another API host, {host}; this run's is {}", credentials.host());
            return bad(what, foreign);
        }
        if state.account != credentials.id() {
            let hint = "each integration has a state of its own; for a new key of the same account, remove the state and \
                        give `--since` the time up to which everything is delivered";
            return bad("is that of another integration key".into(), hint);
        }
        if let Err(what) = state.makes_sense() {
            return bad(format!("is damaged: {what}"), reset);
        }
        Ok(Loaded::Ours(Box::new(state)))
    }

    /// Whether its values are such as are written here. That a time has not come yet is judged elsewhere.
    fn makes_sense(&self) -> Result<(), String> {
        let time = |name: &str, ms: i64| match ms {
            FIRST.. => Ok(()),
            _ => Err(format!("`{name}` is {ms}, expected a time in milliseconds")),
        };
        self.watermark.map_or(Ok(()), |ms| time("watermark", ms))?;
        self.sure.map_or(Ok(()), |ms| time("sure", ms))?;
        self.recent_from.map_or(Ok(()), |ms| time("recent_from", ms))?;
        // Far from where adding one would overflow, and no run ever gets there.
        if self.sequence > 1 << 62 {
            return Err("`sequence` is too large".into());
        }
        let Some(window) = &self.window else { return Ok(()) };
        time("from", window.from)?;
        time("floor", window.floor)?;
        let inside = window.from..=window.to;
        if window.from >= window.to || !inside.contains(&window.keep_from) || window.floor > window.to {
            return Err("the times of its window are in no order".into());
        }
        if window.sure.is_some_and(|ms| !inside.contains(&ms)) {
            return Err("`sure` is outside of its window".into());
        }
        if !(1..=1000).contains(&window.limit) || window.page > 1 << 62 {
            return Err("`limit` or `page` of its window is out of range".into());
        }
        if window.offset.as_ref().is_some_and(|offset| offset.len() > MOST_OFFSET) {
            return Err(format!("`offset` has more than {MOST_OFFSET} bytes"));
        }
        // Both go into the names of objects.
        let day =
            window.day.len() == 10 && chrono::NaiveDate::parse_from_str(&window.day, "%Y-%m-%d").is_ok();
        if !day || Compression::of(&window.extension).is_none() {
            return Err("a window has no known `day` or `extension`".into());
        }
        Ok(())
    }

    /// The state as it is stored.
    pub(super) fn write(&self) -> Vec<u8> {
        // Numbers, texts and lists always serialize.
        let mut text = serde_json::to_vec(self).unwrap_or_default();
        text.push(b'\n');
        text
    }

    /// Records a gap.
    pub(super) fn gap(&mut self, from: i64, to: i64) {
        self.gaps.push(Gap { from, to });
        let more = self.gaps.len().saturating_sub(MOST_GAPS);
        self.gaps.drain(..more);
    }

    /// The key of the next object, below the prefix: all of it from the state.
    pub(super) fn key(&self, window: &Window) -> String {
        let (day, host, sequence, extension) = (&window.day, &self.host, self.sequence, &window.extension);
        let log = self.log.trim_start_matches(OWNER);
        format!("dt={day}/{log}-{host}-{sequence:010}{extension}")
    }
}

impl Gap {
    /// `2026-01-01T00:00:00Z to 2026-01-02T00:00:00Z`.
    pub fn shown(&self) -> String {
        format!("{} to {}", shown(self.from), shown(self.to))
    }
}

/// The position in the state of the collector that this one replaces: `last_timestamp_ms`, the time
/// of its last record, and `last_offset`, where its paging stood. The earlier of the two counts.
/// Nothing if it is another sort of state.
fn old_position(head: &Head<'_>) -> Result<Option<i64>, String> {
    if head.last_timestamp_ms.is_none() && head.last_offset.is_none() {
        return Ok(None);
    }
    let value = |raw: Option<&RawValue>| -> Option<Value> {
        let raw = raw?.get();
        if raw.len() > MOST_OFFSET { None } else { serde_json::from_str(raw).ok() }
    };
    let number = |value: &Value| match value {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    let time = value(head.last_timestamp_ms).as_ref().and_then(number);
    let offset = match value(head.last_offset) {
        Some(Value::String(text)) => offset_ms(&text),
        Some(Value::Array(parts)) => parts.first().and_then(number),
        _ => None,
    };
    let ms = time
        .into_iter()
        .chain(offset)
        .min()
        .ok_or("neither `last_timestamp_ms` nor `last_offset` has one")?;
    // Between 2010 and 2100: seconds or microseconds would lie far outside.
    if !(FIRST..4_102_444_800_000).contains(&ms) {
        return Err(format!("{ms} is not a time in milliseconds"));
    }
    Ok(Some(ms))
}

/// The time in an offset (`1666714065304,5bf1a860-...`).
pub(super) fn offset_ms(offset: &str) -> Option<i64> {
    offset.split(',').next()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::super::logs::LOGS;
    use super::*;

    fn credentials(host: &str, ikey: &str) -> Credentials {
        Credentials::new(host, &ikey.into(), &"secret".into(), true).unwrap()
    }

    #[test]
    fn only_ones_own_state_is_taken() {
        let mine = credentials("api-1.duosecurity.com", "DI1");
        let mut state = State::new(&LOGS[0], &mine);
        state.recent.arrive(Key::named(&["a"]), 17);
        let bytes = state.write();
        assert_eq!(State::read(&bytes, "s", &LOGS[0], &mine).unwrap(), Loaded::Ours(Box::new(state)));

        let text = String::from_utf8(bytes.clone()).unwrap();
        let table = [
            (bytes[..bytes.len() / 2].to_vec(), "is cut short"),
            (b"".to_vec(), "is empty"),
            (b" \n".to_vec(), "is empty"),
            (b"\x1f\x8b".to_vec(), "is not JSON"),
            (b"{\"a\":1}".to_vec(), "belongs to something else"),
            (b"[]".to_vec(), "belongs to something else"),
            (text.replace("\"udmap_state\":1", "\"udmap_state\":2").into(), "newer udmap"),
            (text.replace("\"udmap_state\":1", "\"udmap_state\":\"x\"").into(), "no known version"),
            (text.replace("duo-telephony", "duo-auth").into(), "another log"),
            (text.replace("\"sequence\":0", "\"sequence\":-1").into(), "is damaged"),
            (text.replace("\"sequence\":0,", "").into(), "is damaged"),
        ];
        for (bytes, words) in table {
            let error = State::read(&bytes, "s3://b/s", &LOGS[0], &mine).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::State);
            assert!(error.to_string().contains(words) && error.hint().is_some(), "{error}");
            assert!(error.to_string().starts_with("the state `s3://b/s` "), "{error}");
        }
        for (other, words) in [
            (credentials("api-2.duosecurity.com", "DI1"), "another API host"),
            (credentials("api-1.duosecurity.com", "DI2"), "another integration key"),
        ] {
            let error = State::read(&bytes, "s", &LOGS[0], &other).unwrap_err();
            assert!(error.to_string().contains(words), "{error}");
        }
        assert!(!text.contains("DI1") && !text.contains("secret"));
    }

    /// A state that was forged or damaged is refused, whatever is in it.
    #[test]
    fn values_that_no_run_writes_are_refused() {
        let mine = credentials("api-1.duosecurity.com", "DI1");
        let mut state = State::new(&LOGS[0], &mine);
        (state.watermark, state.recent_from) = (Some(FIRST + 9), Some(FIRST));
        state.window = Some(Window {
            from: FIRST,
            to: FIRST + 9_000,
            sure: None,
            keep_from: FIRST + 4_000,
            limit: 1000,
            offset: Some("1,a".into()),
            page: 1,
            floor: FIRST,
            last_key: None,
            last_page: None,
            full: true,
            day: "2026-03-10".into(),
            extension: ".ndjson.gz".into(),
            decorate: false,
        });
        let good = serde_json::to_value(&state).unwrap();
        assert!(State::read(good.to_string().as_bytes(), "s", &LOGS[0], &mine).is_ok());
        let long = "1".repeat(MOST_OFFSET + 1);
        let table = [
            ("/watermark", Value::from(-5)),
            ("/watermark", Value::from(i64::MIN)),
            ("/watermark", Value::from(1_773_144_000)),
            ("/watermark", Value::from(u64::MAX)),
            ("/watermark", Value::from(1.5)),
            ("/recent_from", Value::from(i64::MIN)),
            ("/sequence", Value::from(u64::MAX)),
            ("/window/from", Value::from(i64::MIN)),
            ("/window/to", Value::from(FIRST)),
            ("/window/to", Value::from(i64::MIN)),
            ("/window/keep_from", Value::from(i64::MAX)),
            ("/window/floor", Value::from(i64::MIN)),
            ("/window/floor", Value::from(i64::MAX)),
            ("/window/sure", Value::from(i64::MAX)),
            ("/window/limit", Value::from(0)),
            ("/window/limit", Value::from(u32::MAX)),
            ("/window/page", Value::from(u64::MAX)),
            ("/window/offset", Value::from(long)),
            ("/window/day", Value::from("../../../tmp")),
            ("/window/day", Value::from("2026-3-10/")),
            ("/window/day", Value::from("")),
            ("/window/extension", Value::from("/../x")),
        ];
        for (at, value) in table {
            let mut forged = good.clone();
            match forged.pointer_mut(at) {
                Some(place) => *place = value.clone(),
                None => forged["window"]["sure"] = value.clone(),
            }
            let error = State::read(forged.to_string().as_bytes(), "s", &LOGS[0], &mine)
                .expect_err(&format!("{at} {value}"));
            assert!(error.to_string().contains("is damaged") && error.hint().is_some(), "{error}");
        }
    }

    #[test]
    fn the_old_lambdas_state_is_taken_over() {
        let mine = credentials("api-1.duosecurity.com", "DI1");
        let table = [
            (r#"{"last_offset":null,"last_timestamp_ms":1773057600123}"#, Some(1_773_057_600_123)),
            (
                r#"{"last_offset":"1773057600100,5bf1","last_timestamp_ms":1773057600123}"#,
                Some(1_773_057_600_100),
            ),
            (
                r#"{"last_offset":["1773057600100","5bf1"],"last_timestamp_ms":"1773057600123"}"#,
                Some(1_773_057_600_100),
            ),
            (r#"{"last_timestamp_ms":1773057600123,"more":1}"#, Some(1_773_057_600_123)),
            (r#"{"last_offset":"1773057600100,5bf1"}"#, Some(1_773_057_600_100)),
            (r#"{"last_offset":null,"last_timestamp_ms":null}"#, None),
            (r#"{"last_timestamp_ms":1773057600}"#, None),
            (r#"{"last_timestamp_ms":0}"#, None),
        ];
        for (text, expected) in table {
            match (State::read(text.as_bytes(), "s", &LOGS[0], &mine), expected) {
                (Ok(Loaded::TakenOver(state)), Some(ms)) => {
                    assert_eq!((state.watermark, state.recent_from), (Some(ms), Some(ms)), "{text}");
                }
                (Err(error), None) => assert!(error.to_string().contains("earlier collector"), "{error}"),
                (got, _) => panic!("{text}: {got:?}"),
            }
        }
    }
}

//! What a collector knows from run to run: one JSON object, replaced only by whom has read it.

use super::clock::shown;
use super::seen::{Key, Seen};
use super::{Account, Error, ErrorKind};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The version of the state that is written here.
const VERSION: u64 = 1;
/// Whose state it is.
const LOG: &str = "duo-telephony";
/// How many gaps are remembered.
const MOST_GAPS: usize = 50;

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
    /// From here on `recent` is complete.
    pub(super) recent_from: Option<i64>,
    /// Whether the service begins a page with the last record of the page before, once that is known.
    pub(super) repeats_seam: Option<bool>,
    /// The window being collected.
    pub(super) window: Option<Window>,
    /// Times that could not be collected, the latest last.
    pub(super) gaps: Vec<Gap>,
    /// The records that may come again.
    pub(super) recent: Seen,
}

/// A window: frozen before its first request, so that every repetition asks the same.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Window {
    /// The first millisecond.
    pub(super) from: i64,
    /// The last millisecond.
    pub(super) to: i64,
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
    pub(super) fn new(account: &Account) -> State {
        State {
            udmap_state: VERSION,
            log: LOG.into(),
            host: account.host().into(),
            account: account.id(),
            writer: String::new(),
            sequence: 0,
            watermark: None,
            recent_from: None,
            repeats_seam: None,
            window: None,
            gaps: Vec::new(),
            recent: Seen::default(),
        }
    }

    /// Reads a state, which `name` names in messages.
    pub(super) fn read(bytes: &[u8], name: &str, account: &Account) -> Result<Loaded, Error> {
        let bad = |what: String, hint: &str| {
            Err(Error::new(ErrorKind::State, format!("the state `{name}` {what}")).with_hint(hint))
        };
        let reset = "bring back the last good version; or, to begin anew, remove it and give `--since` the time up to \
                     which everything is delivered";
        let foreign = "give `--state` a place of its own";
        let value: Value = match serde_json::from_slice(bytes) {
            Ok(value) => value,
            Err(_) if bytes.iter().all(u8::is_ascii_whitespace) => return bad("is empty".into(), reset),
            Err(error) if error.is_eof() => return bad("is cut short".into(), reset),
            Err(error) => return bad(format!("is not JSON: {error}"), foreign),
        };
        let Some(version) = value.get("udmap_state") else {
            return match old_position(&value) {
                Ok(Some(ms)) => {
                    let mut state = State::new(account);
                    (state.watermark, state.recent_from) = (Some(ms), Some(ms));
                    Ok(Loaded::TakenOver(Box::new(state)))
                }
                Ok(None) => bad("belongs to something else".into(), foreign),
                Err(what) => bad(format!("of the earlier collector has no position: {what}"), reset),
            };
        };
        match version.as_u64() {
            Some(VERSION) => {}
            Some(newer) if newer > VERSION => {
                let what = format!(
                    "was written by a newer udmap (version {newer} of the state, known is {VERSION})"
                );
                return bad(what, "run that udmap, or a newer one");
            }
            _ => return bad(format!("has no known version: {version}"), foreign),
        }
        let state: State = match serde_json::from_value(value) {
            Ok(state) => state,
            Err(error) => return bad(format!("is damaged: {error}"), reset),
        };
        if state.log != LOG {
            return bad(format!("is that of another log, `{}`", state.log), foreign);
        }
        if state.host != account.host() {
            let what =
                format!("is that of another API host, {}; this run's is {}", state.host, account.host());
            return bad(what, foreign);
        }
        if state.account != account.id() {
            let hint = "each integration has a state of its own; for a new key of the same account, remove the state and \
                        give `--since` the time up to which everything is delivered";
            return bad("is that of another integration key".into(), hint);
        }
        if let Some(window) = &state.window
            && crate::store::Compression::of(&window.extension).is_none()
        {
            return bad("is damaged: a window has no known `extension`".into(), reset);
        }
        Ok(Loaded::Ours(Box::new(state)))
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
        format!("dt={day}/telephony-{host}-{sequence:010}{extension}")
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
/// Nothing if it is no such state.
fn old_position(value: &Value) -> Result<Option<i64>, String> {
    if value.get("last_timestamp_ms").is_none() && value.get("last_offset").is_none() {
        return Ok(None);
    }
    let number = |value: &Value| match value {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    let time = value.get("last_timestamp_ms").and_then(number);
    let offset = match value.get("last_offset") {
        Some(Value::String(text)) => offset_ms(text),
        Some(Value::Array(parts)) => parts.first().and_then(number),
        _ => None,
    };
    let ms = time
        .into_iter()
        .chain(offset)
        .min()
        .ok_or("neither `last_timestamp_ms` nor `last_offset` has one")?;
    // Between 2010 and 2100: seconds or microseconds would lie far outside.
    if !(1_262_304_000_000..4_102_444_800_000).contains(&ms) {
        return Err(format!("{ms} is no time in milliseconds"));
    }
    Ok(Some(ms))
}

/// The time in an offset (`1666714065304,5bf1a860-...`).
pub(super) fn offset_ms(offset: &str) -> Option<i64> {
    offset.split(',').next()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(host: &str, ikey: &str) -> Account {
        Account::new(host, &ikey.into(), &"secret".into(), true).unwrap()
    }

    #[test]
    fn only_ones_own_state_is_taken() {
        let mine = account("api-1.duosecurity.com", "DI1");
        let mut state = State::new(&mine);
        state.recent.arrive(Key::named(&["a"]), 17);
        let bytes = state.write();
        assert_eq!(State::read(&bytes, "s", &mine).unwrap(), Loaded::Ours(Box::new(state)));

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
            let error = State::read(&bytes, "s3://b/s", &mine).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::State);
            assert!(error.to_string().contains(words) && error.hint().is_some(), "{error}");
            assert!(error.to_string().starts_with("the state `s3://b/s` "), "{error}");
        }
        for (other, words) in [
            (account("api-2.duosecurity.com", "DI1"), "another API host"),
            (account("api-1.duosecurity.com", "DI2"), "another integration key"),
        ] {
            let error = State::read(&bytes, "s", &other).unwrap_err();
            assert!(error.to_string().contains(words), "{error}");
        }
        assert!(!text.contains("DI1") && !text.contains("secret"));
    }

    #[test]
    fn the_old_lambdas_state_is_taken_over() {
        let mine = account("api-1.duosecurity.com", "DI1");
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
            match (State::read(text.as_bytes(), "s", &mine), expected) {
                (Ok(Loaded::TakenOver(state)), Some(ms)) => {
                    assert_eq!((state.watermark, state.recent_from), (Some(ms), Some(ms)), "{text}");
                }
                (Err(error), None) => assert!(error.to_string().contains("earlier collector"), "{error}"),
                (got, _) => panic!("{text}: {got:?}"),
            }
        }
    }
}

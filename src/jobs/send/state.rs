//! What a run knows of earlier ones: one JSON document, replaced only by one who has read it.
//!
//! The cut points of an input follow from its lines, from the limits that are frozen here, and from what is noted: where
//! it ended when a last short range was sent, and where a range was split. So a range that is not done is made again
//! exactly as it was.

use super::Error;
use super::ranges::Ranges;
use super::target::{Method, RawLogs};
use crate::text;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::ops::Range;

/// The version of the state, and of the rules by which inputs are cut.
const VERSION: u64 = 1;
/// The largest state, in bytes; an input takes some 200.
pub(super) const MOST_BYTES: u64 = 64 << 20;

/// A state.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct State {
    udmap_send: u64,
    /// The instance.
    to: String,
    /// What is sent.
    method: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    logs: Option<Logs>,
    pub(super) batch_events: u64,
    pub(super) batch_bytes: u64,
    /// When the first run began, in ms: the time of collection of raw logs.
    pub(super) begun: i64,
    /// The run that wrote it, a random number.
    pub(super) writer: String,
    /// How many events SecOps has accepted in all runs.
    pub(super) accepted: u64,
    /// How many were rejected, by SecOps or before.
    pub(super) rejected: u64,
    /// How long the file of rejects was.
    pub(super) rejects_bytes: u64,
    pub(super) inputs: BTreeMap<String, InputState>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Logs {
    log_type: String,
    namespace: Option<String>,
    labels: Vec<(String, String)>,
    forwarder: Option<String>,
}

/// What is known of an input. Lines count from 1.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct InputState {
    /// How far it is known.
    pub(super) known: Known,
    /// The line where the first range begins: before it all is done.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(super) base: u64,
    /// Lines behind it where a range begins because the input ended before them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) ends: Vec<u64>,
    /// Lines where a range was split.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) cuts: Vec<u64>,
    /// What is in SecOps, or among the rejects.
    pub(super) done: Ranges,
    /// The version of the object, once its end was noted: where all of it is done, it need not be read again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) version: Option<String>,
}

/// The beginning of an input.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Known {
    /// How many lines.
    pub(super) lines: u64,
    /// How many bytes, after decompression.
    pub(super) bytes: u64,
    /// A digest of them.
    pub(super) digest: String,
}

impl InputState {
    /// Notes that these lines are done. `known` is the beginning of the input that ends with their range.
    pub(super) fn done(&mut self, lines: Range<u64>, known: &Known) {
        self.know(known);
        self.done.add(lines.clone());
        // Within what is done, nothing is cut any more.
        let Some(whole) = self.done.around(lines.start) else { return };
        self.cuts.retain(|cut| !(whole.start < *cut && *cut < whole.end));
        // Nor do the ends before count, up to the last one, from which ranges are counted.
        if whole.start == 1 {
            let passed = self.ends.partition_point(|end| *end <= whole.end);
            self.base = self.ends.drain(..passed).next_back().unwrap_or(self.base);
        }
    }

    /// Whether all of this version of an object is done.
    pub(super) fn is_done(&self, version: Option<&str>) -> bool {
        version.is_some() && self.version.as_deref() == version && self.done.holds(&(1..self.known.lines + 1))
    }

    /// Notes that a range is split before this line.
    pub(super) fn cut(&mut self, line: u64) {
        if let Err(at) = self.cuts.binary_search(&line) {
            self.cuts.insert(at, line);
        }
    }

    /// Notes that the input ended there when its last range was sent.
    pub(super) fn end(&mut self, known: &Known, version: Option<&str>) {
        self.know(known);
        self.version = version.map(str::to_owned);
        if let Err(at) = self.ends.binary_search(&(known.lines + 1)) {
            self.ends.insert(at, known.lines + 1);
        }
    }

    fn know(&mut self, known: &Known) {
        if known.lines >= self.known.lines {
            self.known = known.clone();
        }
    }

    fn makes_sense(&self) -> bool {
        let ordered = |lines: &[u64]| lines.windows(2).all(|two| two[0] < two[1]);
        let last = self.known.lines + 1;
        self.done.makes_sense()
            && ordered(&self.ends)
            && ordered(&self.cuts)
            && last < 1 << 62
            && self.done.around(last).is_none()
            && self.ends.iter().all(|line| (self.base + 1..=last).contains(line))
            && (self.base <= 1 || self.done.holds(&(1..self.base)))
    }
}

impl State {
    /// The state before the first run.
    pub(super) fn new(to: String, method: &Method, batch_events: u64, batch_bytes: u64, begun: i64) -> State {
        State {
            udmap_send: VERSION,
            to,
            method: method.name().to_owned(),
            logs: logs(method),
            batch_events,
            batch_bytes,
            begun,
            writer: String::new(),
            accepted: 0,
            rejected: 0,
            rejects_bytes: 0,
            inputs: BTreeMap::new(),
        }
    }

    /// Reads a state, which `name` names in messages.
    pub(super) fn read(bytes: &[u8], name: &str, to: &str, method: &Method) -> Result<State, Error> {
        #[derive(Deserialize)]
        struct Head {
            udmap_send: Option<u64>,
        }
        let bad =
            |what: String, hint: &str| Err(Error::new(format!("the state `{name}` {what}")).with_hint(hint));
        let foreign = "give `--state` a place of its own";
        let reset = "bring back the last good version; without it, all of the input would be sent once more";
        match serde_json::from_slice(bytes) {
            Ok(Head { udmap_send: Some(VERSION) }) => {}
            Ok(Head { udmap_send: Some(newer) }) if newer > VERSION => {
                return bad(
                    format!("was written by a newer udmap (version {newer})"),
                    "run that udmap, or a newer one",
                );
            }
            Err(error) if error.is_eof() => return bad("is empty or cut short".into(), reset),
            Err(error) if error.is_syntax() => return bad(format!("is not JSON: {error}"), foreign),
            _ => return bad("belongs to something else".into(), foreign),
        }
        let state: State = match serde_json::from_slice(bytes) {
            Ok(state) => state,
            Err(error) => return bad(format!("is damaged: {}", text::shown(&error.to_string())), reset),
        };
        let limits = state.batch_events > 0 && state.batch_bytes > 0;
        if !limits || !state.inputs.values().all(InputState::makes_sense) {
            return bad("is damaged: its numbers are in no order".into(), reset);
        }
        let own = "each target has a state of its own: give `--state` another place";
        if state.to != to {
            return bad(format!("is that of another target, `{}`; this run's is `{to}`", state.to), own);
        }
        if state.method != method.name() || state.logs != logs(method) {
            let hint = "events and raw logs, each type of log, and other labels have a state of their own: give \
                        `--state` another place";
            return bad("is that of another sort of data, or of other labels".into(), hint);
        }
        Ok(state)
    }

    /// The state as it is stored.
    pub(super) fn write(&self) -> Vec<u8> {
        // Numbers, texts and lists always serialize.
        let mut text = serde_json::to_vec(self).unwrap_or_default();
        text.push(b'\n');
        text
    }
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde asks for a reference.
fn is_zero(n: &u64) -> bool {
    *n == 0
}

fn logs(method: &Method) -> Option<Logs> {
    let Method::Logs(RawLogs { log_type, namespace, labels, forwarder }) = method else { return None };
    Some(Logs {
        log_type: log_type.clone(),
        namespace: namespace.clone(),
        labels: labels.clone(),
        forwarder: forwarder.clone(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(lines: u64) -> Known {
        Known { lines, bytes: lines * 10, digest: "d".into() }
    }

    #[test]
    fn what_was_split_stays_split_until_it_is_done() {
        let mut input = InputState::default();
        [501, 251, 126].into_iter().for_each(|line| input.cut(line));
        input.done(1..126, &known(1000));
        assert_eq!(input.cuts, [126, 251, 501]);
        input.done(126..251, &known(1000));
        assert_eq!(input.cuts, [251, 501]);
        input.done(501..1001, &known(1000));
        assert_eq!(input.cuts, [251, 501]);
        input.done(251..501, &known(900));
        assert_eq!((input.cuts.len(), input.known.lines), (0, 1000));
        assert!(!input.is_done(Some("v")));
        input.end(&known(1000), Some("v"));
        input.end(&known(1000), Some("v"));
        assert!(input.is_done(Some("v")) && !input.is_done(Some("w")) && !input.is_done(None));
        assert_eq!((input.base, input.ends.as_slice()), (0, [1001].as_slice()));
        // What is done up to an end leaves only the last of the ends.
        input.end(&known(1200), None);
        input.done(1001..1201, &known(1200));
        assert_eq!((input.base, input.ends.len()), (1201, 0));
        assert!(input.makes_sense());
    }

    #[test]
    fn only_ones_own_state_is_taken() {
        let method = Method::Events;
        let mut state = State::new("projects/p".into(), &method, 1000, 2_000_000, 7);
        state.inputs.entry("/a".into()).or_default().done(1..5, &known(4));
        let bytes = state.write();
        let read = |bytes: &[u8], to: &str, method: &Method| State::read(bytes, "s", to, method);
        assert_eq!(read(&bytes, "projects/p", &method).unwrap(), state);
        let logs =
            Method::Logs(RawLogs { log_type: "X".into(), namespace: None, labels: vec![], forwarder: None });
        assert!(read(&bytes, "projects/q", &method).unwrap_err().to_string().contains("another target"));
        assert!(read(&bytes, "projects/p", &logs).unwrap_err().to_string().contains("another sort"));
        let text = String::from_utf8(bytes).unwrap();
        for (bad, words) in [
            (text.replace("\"udmap_send\":1", "\"udmap_send\":2"), "newer udmap"),
            (text.replace("\"udmap_send\":1", "\"udmap_state\":1"), "something else"),
            (text.replace("[[1,5]]", "[[5,1]]"), "damaged"),
            (text.replace("[[1,5]]", "[[1,6]]"), "damaged"),
            (text.replace("\"batch_events\":1000", "\"batch_events\":0"), "damaged"),
            (text[..50].to_owned(), "cut short"),
            (String::new(), "cut short"),
            ("[]".into(), "something else"),
            ("x".into(), "not JSON"),
        ] {
            let error = read(bad.as_bytes(), "projects/p", &method).unwrap_err();
            assert!(error.to_string().contains(words) && error.hint().is_some(), "{bad}: {error}");
        }
    }
}

//! What a comparison finds, counted by field, with samples.

use super::event_source::SourceText;
use super::kept_texts::KeptTexts;
use super::unmatched::Unmatched;
use crate::check::compare::{How, Meaning, Side, each_place};
use crate::check::findings::{Findings, Issue};
use crate::check::groups::{GroupKey, Groups};
use crate::check::paths::general;
use crate::check::room::Room;
use crate::check::validate::Severity;
use crate::text::{cut, escaped, shown};
use std::io;

/// The path of what concerns an event as a whole.
const WHOLE: &str = "event";
/// How many characters of a value are kept as a sample.
const MOST_OF_A_SAMPLE: usize = 4_000;

/// What a comparison finds.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) findings: Findings,
    names: [Vec<String>; 2],
    /// The differences that are new, with samples of both values.
    pub(crate) fields: Groups<Sample>,
    pub(crate) events: [u64; 2],
    pub(crate) equal: u64,
    pub(crate) pairs: u64,
    pub(crate) bytes: u64,
}

/// A difference with both values.
#[derive(Debug)]
pub(crate) struct Sample {
    pub(crate) path: String,
    /// The value of each side, and where it is.
    pub(crate) sides: [Option<(String, String)>; 2],
}

impl Sample {
    fn bytes(&self) -> usize {
        let side = |side: &Option<(String, String)>| {
            side.as_ref().map_or(0, |(value, place)| value.len() + place.len())
        };
        self.path.len() + self.sides.iter().map(side).sum::<usize>()
    }
}

impl Report {
    pub(super) fn new(findings: Findings, samples: usize) -> Report {
        Report {
            findings,
            names: [const { Vec::new() }; 2],
            fields: Groups::new(samples, Room::new(usize::MAX)),
            events: [0; 2],
            equal: 0,
            pairs: 0,
            bytes: 0,
        }
    }

    /// What to call the texts of both sides, by their numbers.
    pub(super) fn name(&mut self, texts: &[Vec<SourceText>; 2]) {
        self.names = texts.each_ref().map(|side| side.iter().map(|text| text.name.clone()).collect());
    }

    pub(super) fn failed(&mut self, failure: String) {
        self.findings.failures.push(failure);
    }

    /// Adds a difference, unless the baseline knows it.
    fn add(&mut self, issue: Issue, sample: Sample) {
        let key = issue.key();
        if self.findings.add_decided(issue) {
            self.fields.add(key, 1, Some((sample.bytes(), sample)));
        }
    }

    fn at<'n>(names: &'n [Vec<String>; 2], event: &Unmatched) -> (&'n str, u64, u64) {
        (&names[event.side as usize][event.source as usize], event.line, event.byte)
    }

    /// Two events that belong together and differ.
    pub(super) fn pair(&mut self, a: &Unmatched, b: &Unmatched, event_a: &Meaning, event_b: &Meaning) {
        self.pairs += 1;
        let names = std::mem::take(&mut self.names);
        let place = |event: &Unmatched| {
            format!("{}:{}", names[event.side as usize][event.source as usize], event.line)
        };
        each_place(event_a, event_b, &mut |path, how, values| {
            let key = GroupKey { severity: Severity::Error, code: how.name(), path: general(path) };
            if !self.tells(&key) {
                return self.count(key, 1);
            }
            let (value_a, value_b) = values();
            let (place_a, place_b) = (place(a), place(b));
            let side = |value: &Option<String>, place: &str| {
                value.as_deref().map(|value| (cut(value, MOST_OF_A_SAMPLE).into_owned(), place.to_owned()))
            };
            let sides = [side(&value_a, &place_a), side(&value_b, &place_b)];
            let word = |value: &Option<String>| value.as_deref().map_or("nothing".to_owned(), shown);
            let message = match how {
                How::Order => format!(
                    "the same elements in another order: {} in A, {} in B",
                    word(&value_a),
                    word(&value_b)
                ),
                _ => format!("{} in A ({place_a}), {} in B ({place_b})", word(&value_a), word(&value_b)),
            };
            let sample = Sample { path: path.to_owned(), sides };
            let at = Report::at(&names, if how == How::OnlyA { a } else { b });
            let whole = |value: &'_ Option<String>| value.clone().unwrap_or_default();
            let content = [whole(&value_a), whole(&value_b)];
            let content = [content[0].as_str(), content[1].as_str()];
            self.add(Issue::difference(how.name(), path, at, message, &content), sample);
        });
        self.names = names;
    }

    /// A copy of an event of which the other side has fewer copies.
    pub(super) fn copy(
        &mut self,
        event: &Unmatched,
        counts: [u32; 2],
        texts: &mut KeptTexts,
    ) -> io::Result<()> {
        let [in_a, in_b] = counts;
        self.whole("doubled", event, format!("the event is {in_a} times in A and {in_b} times in B"), texts)
    }

    /// An event without a counterpart.
    pub(super) fn alone(&mut self, event: &Unmatched, texts: &mut KeptTexts) -> io::Result<()> {
        let (code, set) = match event.side {
            Side::A => ("only-in-a", "A"),
            Side::B => ("only-in-b", "B"),
        };
        self.whole(code, event, format!("the event is only in {set}"), texts)
    }

    fn whole(
        &mut self,
        code: &'static str,
        event: &Unmatched,
        message: String,
        texts: &mut KeptTexts,
    ) -> io::Result<()> {
        let names = std::mem::take(&mut self.names);
        let mut sample = Sample { path: WHOLE.to_owned(), sides: [None, None] };
        // What the event is, is asked only where it is told to somebody.
        let mut content = String::new();
        if self.fields.takes(&whole(code)) || self.findings.asks_for_content() {
            let mut text = Vec::new();
            texts.get(event.text, &mut text)?;
            let text = String::from_utf8_lossy(&text);
            content = text.split_whitespace().collect::<Vec<_>>().join(" ");
            // White space between values says nothing; some more text than is kept makes up for it.
            let text: String = text.chars().take(4 * MOST_OF_A_SAMPLE).collect();
            let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
            let text = cut(&text, MOST_OF_A_SAMPLE).into_owned();
            let place = format!("{}:{}", names[event.side as usize][event.source as usize], event.line);
            sample.sides[event.side as usize] = Some((text, place));
        }
        let at = Report::at(&names, event);
        self.add(Issue::difference(code, WHOLE, at, message, &[&content]), sample);
        self.names = names;
        Ok(())
    }

    /// Whether somebody is told what one more difference of this kind is, and not only how many there are.
    fn tells(&self, key: &GroupKey) -> bool {
        self.fields.takes(key) || self.findings.groups.takes(key) || self.findings.asks_for_content()
    }

    fn count(&mut self, key: GroupKey, count: u64) {
        self.fields.add(key.clone(), count, None);
        self.findings.add_unlisted(key, count);
    }

    /// What is too much to be listed, of events as a whole.
    pub(super) fn unlisted(&mut self, code: &'static str, count: u64) {
        if count > 0 {
            self.count(whole(code), count);
        }
    }

    /// Something that is not an event, or a record that makes none.
    pub(super) fn unreadable(&mut self, side: Side, source: &str, line: u64, byte: u64, why: &str) {
        let mut sample = Sample { path: WHOLE.to_owned(), sides: [None, None] };
        sample.sides[side as usize] = Some((why.to_owned(), format!("{source}:{line}")));
        let set = if side == Side::A { "A" } else { "B" };
        let message = format!("no event in {set}: {}", escaped(why));
        self.add(Issue::difference("no-event", WHOLE, (source, line, byte), message, &[why]), sample);
    }
}

/// Differences of events as a whole.
fn whole(code: &'static str) -> GroupKey {
    GroupKey { severity: Severity::Error, code, path: WHOLE.to_owned() }
}

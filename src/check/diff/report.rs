//! What a comparison finds, counted by field, with samples.

use super::kept_texts::KeptTexts;
use super::unmatched::Unmatched;
use crate::check::compare::{Difference, How, Meaning, Side, each_difference};
use crate::check::findings::{Findings, Issue, Room};
use crate::check::validate::Severity;
use crate::text::{cut, escaped, shown};
use std::collections::BTreeMap;
use std::io;

/// The path of what concerns an event as a whole.
const WHOLE: &str = "event";
/// How many fields are counted one by one; unknown names could be without end.
const MOST_PATHS: usize = 10_000;
/// How many bytes their paths may have in all.
const MOST_PATH_BYTES: usize = 4 << 20;

/// How many characters of a value are kept as a sample.
const MOST_OF_A_SAMPLE: usize = 4_000;

/// What a comparison finds.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) findings: Findings,
    names: [Vec<String>; 2],
    samples: usize,
    /// Room for the texts of samples.
    room: Room,
    /// By path, without its indexes, and code.
    pub(crate) fields: BTreeMap<(String, &'static str), Differences>,
    path_bytes: usize,
    pub(crate) events: [u64; 2],
    pub(crate) equal: u64,
    pub(crate) pairs: u64,
    pub(crate) bytes: u64,
}

/// The differences of one kind in one field.
#[derive(Debug, Default)]
pub(crate) struct Differences {
    pub(crate) count: u64,
    pub(crate) samples: Vec<Sample>,
}

/// One of them.
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
    pub(super) fn new(names: [Vec<String>; 2], most: usize, samples: usize) -> Report {
        Report {
            findings: Findings::new("diff", most),
            names,
            samples,
            room: Room::new(usize::MAX),
            fields: BTreeMap::new(),
            path_bytes: 0,
            events: [0; 2],
            equal: 0,
            pairs: 0,
            bytes: 0,
        }
    }

    pub(super) fn failed(&mut self, failure: String) {
        self.findings.failures.push(failure);
    }

    fn differences(&mut self, path: String, code: &'static str) -> &mut Differences {
        if self.fields.contains_key(&(path.clone(), code)) {
        } else if self.fields.len() < MOST_PATHS && self.path_bytes < MOST_PATH_BYTES {
            self.path_bytes += path.len();
        } else {
            return self.fields.entry(("(other fields)".to_owned(), code)).or_default();
        }
        self.fields.entry((path, code)).or_default()
    }

    fn add(&mut self, code: &'static str, path: &str, message: String, at: (&str, u64, u64), sample: Sample) {
        let (samples, general) = (self.samples, general(path));
        let mut room = self.room.clone();
        let differences = self.differences(general, code);
        differences.count += 1;
        if differences.samples.len() < samples && room.take(sample.bytes()) {
            differences.samples.push(sample);
        }
        self.room = room;
        self.findings.add(Issue::difference(code, path, at, message));
    }

    fn at<'n>(names: &'n [Vec<String>; 2], event: &Unmatched) -> (&'n str, u64, u64) {
        (&names[event.side as usize][event.source as usize], event.line, event.byte)
    }

    /// Two events that belong together and differ.
    pub(super) fn pair(&mut self, a: &Unmatched, b: &Unmatched, event_a: &Meaning, event_b: &Meaning) {
        self.pairs += 1;
        let names = std::mem::take(&mut self.names);
        let (place_a, place_b) = {
            let place = |event: &Unmatched| {
                format!("{}:{}", names[event.side as usize][event.source as usize], event.line)
            };
            (place(a), place(b))
        };
        each_difference(event_a, event_b, &mut |Difference { path, how, a: value_a, b: value_b }| {
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
            let sample = Sample { path: path.clone(), sides };
            let at = Report::at(&names, if how == How::OnlyA { a } else { b });
            self.add(how.name(), &path, message, at, sample);
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
        if self
            .fields
            .get(&(WHOLE.to_owned(), code))
            .is_none_or(|differences| differences.samples.len() < self.samples)
        {
            let text = texts.get(event.text)?;
            let text = String::from_utf8_lossy(&text);
            // White space between values says nothing; some more text than is kept makes up for it.
            let text: String = text.chars().take(4 * MOST_OF_A_SAMPLE).collect();
            let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
            let text = cut(&text, MOST_OF_A_SAMPLE).into_owned();
            let place = format!("{}:{}", names[event.side as usize][event.source as usize], event.line);
            sample.sides[event.side as usize] = Some((text, place));
        }
        self.add(code, WHOLE, message, Report::at(&names, event), sample);
        self.names = names;
        Ok(())
    }

    /// What is too much to be listed, of events as a whole.
    pub(super) fn unlisted(&mut self, code: &'static str, count: u64) {
        if count > 0 {
            self.differences(WHOLE.to_owned(), code).count += count;
            self.findings.count(Severity::Error, code, count);
        }
    }

    /// Something that is not an event, or a record that makes none.
    pub(super) fn unreadable(&mut self, side: Side, source: &str, line: u64, byte: u64, why: &str) {
        let mut sample = Sample { path: WHOLE.to_owned(), sides: [None, None] };
        sample.sides[side as usize] = Some((why.to_owned(), format!("{source}:{line}")));
        let set = if side == Side::A { "A" } else { "B" };
        let message = format!("no event in {set}: {}", escaped(why));
        self.add("no-event", WHOLE, message, (source, line, byte), sample);
    }
}

/// `path` with `[]` for every index, so that fields are counted together.
fn general(path: &str) -> String {
    let mut general = String::with_capacity(path.len());
    let mut inside = false;
    for c in path.chars() {
        match c {
            '[' => {
                inside = true;
                general.push('[');
            }
            ']' => {
                inside = false;
                general.push(']');
            }
            _ if inside => {}
            c => general.push(c),
        }
    }
    general
}

//! What a comparison found, counted by field, with samples.

use super::left::Left;
use super::side::Spool;
use crate::check::compare::{Difference, How, Meaning, Side, each_difference};
use crate::check::validate::Severity;
use crate::report::findings::{Findings, Item, Room};
use crate::report::summary::{counted, grouped};
use crate::text::{cut, escaped, shown, shown_up_to};
use anstyle::{AnsiColor, Style};
use serde_json::json;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// The path of what concerns an event as a whole.
pub(super) const WHOLE: &str = "event";
/// How many fields are told apart; unknown names could be without end.
const MOST_PATHS: usize = 10_000;
/// How many bytes their paths may have in all.
const MOST_PATH_BYTES: usize = 4 << 20;

/// How many characters of a value are kept as a sample.
const MOST_OF_A_SAMPLE: usize = 4_000;
/// How many of them are shown to a person.
const MOST_SHOWN: usize = 200;

/// The books of a comparison.
#[derive(Debug)]
pub(super) struct Book {
    pub(super) findings: Findings,
    names: [Vec<String>; 2],
    samples: usize,
    /// How many findings are kept at most.
    pub(super) most: usize,
    /// Room for the texts of samples.
    room: Room,
    by_path: BTreeMap<(String, &'static str), Stat>,
    path_bytes: usize,
    pub(super) events: [u64; 2],
    pub(super) equal: u64,
    pub(super) pairs: u64,
    pub(super) bytes: u64,
}

#[derive(Debug, Default)]
struct Stat {
    count: u64,
    samples: Vec<Sample>,
}

#[derive(Debug)]
struct Sample {
    path: String,
    sides: [Option<(String, String)>; 2],
}

impl Sample {
    fn bytes(&self) -> usize {
        let side = |side: &Option<(String, String)>| {
            side.as_ref().map_or(0, |(value, place)| value.len() + place.len())
        };
        self.path.len() + self.sides.iter().map(side).sum::<usize>()
    }
}

impl Book {
    pub(super) fn new(names: [Vec<String>; 2], most: usize, samples: usize) -> Book {
        Book {
            findings: Findings::new("diff", most),
            names,
            samples,
            most,
            room: Room::new(usize::MAX),
            by_path: BTreeMap::new(),
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

    fn stat(&mut self, path: String, code: &'static str) -> &mut Stat {
        if self.by_path.contains_key(&(path.clone(), code)) {
        } else if self.by_path.len() < MOST_PATHS && self.path_bytes < MOST_PATH_BYTES {
            self.path_bytes += path.len();
        } else {
            return self.by_path.entry(("(other fields)".to_owned(), code)).or_default();
        }
        self.by_path.entry((path, code)).or_default()
    }

    fn add(&mut self, code: &'static str, path: &str, message: String, at: (&str, u64, u64), sample: Sample) {
        let (samples, general) = (self.samples, general(path));
        let mut room = self.room.clone();
        let stat = self.stat(general, code);
        stat.count += 1;
        if stat.samples.len() < samples && room.take(sample.bytes()) {
            stat.samples.push(sample);
        }
        self.room = room;
        self.findings.add(Item::difference(code, path, at, message));
    }

    fn at<'n>(names: &'n [Vec<String>; 2], left: &Left) -> (&'n str, u64, u64) {
        (&names[left.side as usize][left.source as usize], left.line, left.byte)
    }

    /// Two events that belong together and differ.
    pub(super) fn pair(&mut self, a: &Left, b: &Left, event_a: &Meaning, event_b: &Meaning) {
        self.pairs += 1;
        let names = std::mem::take(&mut self.names);
        let (place_a, place_b) = {
            let place =
                |left: &Left| format!("{}:{}", names[left.side as usize][left.source as usize], left.line);
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
            let at = Book::at(&names, if how == How::OnlyA { a } else { b });
            self.add(how.name(), &path, message, at, sample);
        });
        self.names = names;
    }

    /// A copy of an event of which the other side has fewer.
    pub(super) fn copy(&mut self, left: &Left, counts: [u32; 2], spool: &mut Spool) -> anyhow::Result<()> {
        let [in_a, in_b] = counts;
        self.whole("doubled", left, format!("the event is {in_a} times in A and {in_b} times in B"), spool)
    }

    /// An event without a counterpart.
    pub(super) fn alone(&mut self, left: &Left, spool: &mut Spool) -> anyhow::Result<()> {
        let (code, set) = match left.side {
            Side::A => ("only-in-a", "A"),
            Side::B => ("only-in-b", "B"),
        };
        self.whole(code, left, format!("the event is only in {set}"), spool)
    }

    fn whole(
        &mut self,
        code: &'static str,
        left: &Left,
        message: String,
        spool: &mut Spool,
    ) -> anyhow::Result<()> {
        let names = std::mem::take(&mut self.names);
        let mut sample = Sample { path: WHOLE.to_owned(), sides: [None, None] };
        if self.by_path.get(&(WHOLE.to_owned(), code)).is_none_or(|stat| stat.samples.len() < self.samples) {
            let text = spool.get(left.kept.0, left.kept.1 as usize)?;
            let text = String::from_utf8_lossy(&text);
            // White space between values tells nothing; some more text than is kept makes up for it.
            let text: String = text.chars().take(4 * MOST_OF_A_SAMPLE).collect();
            let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
            let text = cut(&text, MOST_OF_A_SAMPLE).into_owned();
            let place = format!("{}:{}", names[left.side as usize][left.source as usize], left.line);
            sample.sides[left.side as usize] = Some((text, place));
        }
        self.add(code, WHOLE, message, Book::at(&names, left), sample);
        self.names = names;
        Ok(())
    }

    /// What is too much to be listed, of events as a whole.
    pub(super) fn unlisted(&mut self, code: &'static str, count: u64) {
        if count > 0 {
            self.stat(WHOLE.to_owned(), code).count += count;
            self.findings.count(Severity::Error, code, count);
        }
    }

    /// Something that is no event, or a record that makes none.
    pub(super) fn unreadable(&mut self, side: Side, source: &str, line: u64, byte: u64, why: &str) {
        let mut sample = Sample { path: WHOLE.to_owned(), sides: [None, None] };
        sample.sides[side as usize] = Some((why.to_owned(), format!("{source}:{line}")));
        let set = if side == Side::A { "A" } else { "B" };
        let message = format!("no event in {set}: {}", escaped(why));
        self.add("no-event", WHOLE, message, (source, line, byte), sample);
    }

    /// Everything for a machine.
    pub(super) fn json(&self) -> serde_json::Map<String, serde_json::Value> {
        let fields: Vec<_> = self
            .by_path
            .iter()
            .map(|((path, code), stat)| {
                let samples: Vec<_> = stat
                    .samples
                    .iter()
                    .map(|sample| {
                        let side = |side: usize| {
                            sample.sides[side]
                                .as_ref()
                                .map(|(value, place)| json!({"value": value, "at": place}))
                        };
                        json!({"path": sample.path, "a": side(0), "b": side(1)})
                    })
                    .collect();
                json!({"path": path, "code": code, "count": stat.count, "samples": samples})
            })
            .collect();
        let all = json!({
            "events_a": self.events[0], "events_b": self.events[1], "equal": self.equal,
            "pairs_that_differ": self.pairs, "fields": fields,
        });
        all.as_object().cloned().unwrap_or_default()
    }

    /// Everything for a person, the most frequent first.
    pub(super) fn text(&self) -> String {
        let (bold, dim) = (Style::new().bold(), Style::new().dimmed());
        let (red, green) = (AnsiColor::Red.on_default(), AnsiColor::Green.on_default());
        let mut text = String::new();
        let mut stats: Vec<_> = self.by_path.iter().collect();
        stats.sort_by_key(|(_, stat)| std::cmp::Reverse(stat.count));
        for ((path, code), stat) in stats {
            // Writing to a string can't fail.
            let count = counted(stat.count, "time");
            let _ = writeln!(text, "{bold}{}{bold:#}  {code}  {count}", escaped(path));
            for sample in &stat.samples {
                if sample.path != *path {
                    let _ = writeln!(text, "  {dim}{}{dim:#}", escaped(&sample.path));
                }
                for (mark, style, side) in [('-', red, &sample.sides[0]), ('+', green, &sample.sides[1])] {
                    if let Some((value, place)) = side {
                        // What a parser says comes to its cause in the end.
                        let most = if *code == "no-event" { usize::MAX } else { MOST_SHOWN };
                        let (value, place) = (shown_up_to(value, most), escaped(place));
                        let _ = writeln!(text, "  {style}{mark} {value}{style:#}  {dim}{place}{dim:#}");
                    }
                }
            }
            if stat.count > stat.samples.len() as u64 {
                let _ = writeln!(
                    text,
                    "  {dim}... and {} more{dim:#}",
                    grouped(stat.count - stat.samples.len() as u64)
                );
            }
        }
        text
    }
}

/// `path` with `[]` for every index, so that fields are counted together.
pub(super) fn general(path: &str) -> String {
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

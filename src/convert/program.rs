//! An event's text as a program: constant pieces and, between them, values.
//!
//! All records that have the same fields (and the same ones among them that are addresses) get the
//! same constants. So the walk over the plan is recorded once for each such set.

use super::event::{self, Target};
use crate::columns::Sample;
use crate::mapping::{Plan, TextKind, Time};
use crate::record::scan::{MOST_SLOTS, STRANGER};
use crate::record::{Reason, RecordError};
use crate::simd::Template;
use crate::time::{Reading, TimeForm, TimeReading};

/// What the events of records with the same fields look like.
#[derive(Debug, Clone)]
pub(super) struct Program {
    /// The values are slots, from [`FIRST_TIME`] on times, and from [`FIRST_MADE`] on what is made of fields.
    pub(super) template: Template,
    /// The times that there are.
    pub(super) times: Vec<TimeStep>,
    /// The values whose texts must be of a kind.
    pub(super) checked: Vec<(usize, TextKind)>,
    pub(super) event_type: usize,
    /// What it was made for.
    pub(super) has: Has,
    /// How many events it made.
    pub(super) events: u64,
    /// How many records had a time outside of the range that was asked for.
    pub(super) outside: u64,
}

/// A time of an event, and what gives it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct TimeStep {
    /// Its number in the plan.
    pub(super) time: usize,
    pub(super) slot: usize,
    pub(super) form: TimeForm,
}

/// What records have that get the same constants.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(super) struct Has {
    /// The fields that are present, by slot.
    pub(super) present: u64,
    /// Those of them that are addresses.
    pub(super) ips: u64,
    /// What there is of what the plan makes of fields, in its order.
    pub(super) made: u64,
}

/// The number of the first time among the values.
pub(super) const FIRST_TIME: usize = MOST_SLOTS;
/// The number of the first value that is made of fields: behind the times.
pub(super) const FIRST_MADE: usize = 128;

impl Program {
    /// The program for records that have this; of `lists`, which are made of fields too, all elements are one value.
    /// Nothing if such a record is rejected, or may be.
    pub(super) fn new(plan: &Plan, has: Has, lists: u64, before: &[u8], after: &[u8]) -> Option<Program> {
        let first_made = plan.projection.paths().len();
        let present = |slot: usize| match slot.checked_sub(first_made) {
            None => has.present >> slot & 1 == 1,
            Some(made) => has.made >> made & 1 == 1,
        };
        // The plan has readings with a name alone.
        let named = |(slot, reading): &(usize, TimeReading)| Some((*slot, reading.named()?));
        let first = |time: &Time| time.from.iter().find(|(slot, _)| present(*slot)).and_then(named);
        let times: Vec<Option<(usize, Reading)>> = plan.times.iter().map(first).collect();
        if plan.times.iter().zip(&times).any(|(time, found)| time.required && found.is_none()) {
            return None;
        }
        // It is another log's, or may be: none of those that say so is present.
        if has.present & STRANGER != 0 {
            return None;
        }
        let is_ip = |slot: usize| has.ips >> slot & 1 == 1;
        let known = Known { present: &present, is_ip: &is_ip, count: &|_| 1, rest: 0, has_bad: false };
        let recorder = Recorder::record(plan, known, lists, before, after)?;
        let event_type = event::event_type(plan, &recorder);
        let Recorder { text, values, checked, .. } = recorder;
        let starts = [0].into_iter().chain(values.iter().map(|(end, _)| *end));
        let pieces: Vec<(&[u8], u8)> = starts
            .clone()
            .zip(&values)
            .map(|(start, (end, value))| (&text[start..*end], *value as u8))
            .collect();
        let template = Template::new(&pieces, &text[starts.last().unwrap_or(0)..]);
        let step = |(time, from): (usize, Option<(usize, Reading)>)| {
            from.map(|(slot, reading)| TimeStep { time, slot, form: TimeForm::Any(reading) })
        };
        let times = times.into_iter().enumerate().filter_map(step);
        Some(Program { template, times: times.collect(), checked, event_type, has, events: 0, outside: 0 })
    }
}

/// What the events of some records have in common.
#[derive(Clone, Copy)]
pub(super) struct Known<'a> {
    /// Whether a slot has a value,
    pub(super) present: &'a dyn Fn(usize) -> bool,
    /// whether that is an address,
    pub(super) is_ip: &'a dyn Fn(usize) -> bool,
    /// and how many it has.
    pub(super) count: &'a dyn Fn(usize) -> usize,
    /// How many fields are put nowhere.
    pub(super) rest: usize,
    /// Whether there are fields that can't be taken.
    pub(super) has_bad: bool,
}

/// An event of a record of which this is known, with a `0` for each of its values.
pub(super) fn sample(plan: &Plan, known: Known<'_>, before: &[u8], after: &[u8]) -> Sample {
    let mut sample = Sample { text: Vec::new(), values: Vec::new() };
    if let Some(Recorder { text, values, .. }) = Recorder::record(plan, known, 0, before, after) {
        let mut start = 0;
        for (end, _) in values {
            sample.text.extend_from_slice(&text[start..end]);
            sample.values.push(sample.text.len());
            sample.text.push(b'0');
            start = end;
        }
        sample.text.extend_from_slice(&text[start..]);
    }
    sample
}

/// Records a walk.
struct Recorder<'a> {
    plan: &'a Plan,
    known: Known<'a>,
    /// What is made of fields and is all of a list.
    lists: u64,
    /// The constants, one after the other.
    text: Vec<u8>,
    /// Where in the text values stand, and which.
    values: Vec<(usize, usize)>,
    checked: Vec<(usize, TextKind)>,
}

impl<'a> Recorder<'a> {
    /// Records the whole event.
    fn record(
        plan: &'a Plan,
        known: Known<'a>,
        lists: u64,
        before: &[u8],
        after: &[u8],
    ) -> Option<Recorder<'a>> {
        let (text, values, checked) = Default::default();
        let mut recorder = Recorder { plan, known, lists, text, values, checked };
        recorder.constant(before);
        event::walk(plan, &mut recorder).ok()?;
        recorder.constant(after);
        Some(recorder)
    }

    fn value(&mut self, value: usize) {
        self.values.push((self.text.len(), value));
    }

    /// A text of no slot: only samples have such.
    fn text(&mut self) {
        self.constant(b"\"");
        self.value(usize::MAX);
        self.constant(b"\"");
    }
}

impl Target for Recorder<'_> {
    type Mark = (usize, usize);

    fn present(&self, slot: usize) -> bool {
        (self.known.present)(slot)
    }

    fn is_ip(&self, slot: usize) -> bool {
        (self.known.is_ip)(slot)
    }

    fn count(&self, slot: usize) -> usize {
        if self.present(slot) { (self.known.count)(slot) } else { 0 }
    }

    fn holds(&self, _: usize, _: &str) -> bool {
        // Only asked of what is made of fields, for counts of events.
        false
    }

    fn has_time(&self, time: usize) -> bool {
        self.plan.times[time].from.iter().any(|(slot, _)| self.present(*slot))
    }

    fn constant(&mut self, json: &[u8]) {
        self.text.extend_from_slice(json);
    }

    fn field(&mut self, slot: usize, _: usize, kind: TextKind) -> Result<bool, RecordError> {
        let made = slot.checked_sub(self.plan.projection.paths().len());
        let is_list = made.is_some_and(|made| self.lists >> made & 1 == 1);
        let quoted = matches!(kind, TextKind::Text | TextKind::Integer { quoted: true, .. }) && !is_list;
        let quote: &[u8] = if quoted { b"\"" } else { b"" };
        let value = made.map_or(slot, |made| FIRST_MADE + made);
        self.constant(quote);
        self.value(value);
        if kind != TextKind::Text {
            self.checked.push((value, kind));
        }
        self.constant(quote);
        // Recording can't fail; it only has the signature of writing.
        if self.text.len() > u32::MAX as usize {
            Err(RecordError::new(Reason::TooLong, ""))
        } else {
            Ok(true)
        }
    }

    fn rest(&self) -> usize {
        self.known.rest
    }

    fn rest_name(&mut self, _: usize) {
        self.text();
    }

    fn rest_text(&mut self, _: usize) {
        self.text();
    }

    fn bad_fields(&mut self) -> bool {
        if self.known.has_bad {
            self.text();
        }
        self.known.has_bad
    }

    fn time(&mut self, time: usize) {
        self.constant(b"\"");
        self.value(FIRST_TIME + time);
        self.constant(b"Z\"");
    }

    fn mark(&self) -> Self::Mark {
        (self.text.len(), self.values.len())
    }

    fn back(&mut self, (text, values): Self::Mark) {
        self.text.truncate(text);
        self.values.truncate(values);
    }
}

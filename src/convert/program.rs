//! An event's text as a program: constant pieces and, between them, values.
//!
//! All records that have the same fields (and the same ones among them that are addresses) get the
//! same constants. So the walk over the plan is recorded once for each such set.

use super::event::{self, Target};
use crate::mapping::{Kind, Plan};
use crate::record::time::Reading;
use crate::record::{Fault, Reason};

/// What the events of records with the same fields look like.
#[derive(Debug, Clone)]
pub(super) struct Program {
    /// The constants of all steps, one after the other, and a block more.
    pub(super) constants: Vec<u8>,
    pub(super) steps: Vec<Step>,
    /// The times, by their number in the plan: the slot that gives each.
    pub(super) times: Vec<Option<(usize, Reading)>>,
    /// Slots that are read otherwise than as texts: they must not have been rewritten for JSON.
    pub(super) plain: u64,
    pub(super) event_type: usize,
    /// How many events it made.
    pub(super) events: u64,
}

/// A constant and the value behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) start: u32,
    pub(super) len: u32,
    pub(super) value: Take,
}

/// The value of a [`Step`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Take {
    Nothing,
    /// A slot's text.
    Slot(usize),
    /// A slot's text, if it is one of this kind.
    Checked(usize, Kind),
    Time(usize),
}

impl Program {
    /// The program for records with these slots present, of which those in `ips` are addresses.
    /// Nothing if such a record is rejected.
    pub(super) fn new(plan: &Plan, present: u64, ips: u64, before: &[u8], after: &[u8]) -> Option<Program> {
        let has = |slot: usize| present >> slot & 1 == 1;
        let times: Vec<Option<(usize, Reading)>> =
            plan.times.iter().map(|time| time.from.iter().find(|(slot, _)| has(*slot)).copied()).collect();
        if plan.times.iter().zip(&times).any(|(time, found)| time.required && found.is_none()) {
            return None;
        }
        let mut recorder =
            Recorder { present, ips, times: &times, constants: Vec::new(), steps: Vec::new(), from: 0 };
        recorder.constant(before);
        event::walk(plan, &mut recorder).ok()?;
        recorder.constant(after);
        recorder.step(Take::Nothing);
        let event_type = event::event_type(plan, &recorder);
        let Recorder { mut constants, steps, .. } = recorder;
        constants.resize(constants.len() + crate::raw::BLOCK, 0);
        let mut plain = times.iter().flatten().fold(0, |plain, (slot, _)| plain | 1 << slot);
        for step in &steps {
            if let Take::Checked(slot, _) = step.value {
                plain |= 1 << slot;
            }
        }
        Some(Program { constants, steps, times, plain, event_type, events: 0 })
    }
}

/// Records a walk.
struct Recorder<'a> {
    present: u64,
    ips: u64,
    times: &'a [Option<(usize, Reading)>],
    constants: Vec<u8>,
    steps: Vec<Step>,
    /// Where the constant begins that has no value behind it yet.
    from: usize,
}

impl Recorder<'_> {
    fn step(&mut self, value: Take) {
        let (start, len) = (self.from as u32, (self.constants.len() - self.from) as u32);
        self.steps.push(Step { start, len, value });
        self.from = self.constants.len();
    }
}

impl Target for Recorder<'_> {
    type Mark = (usize, usize, usize);

    fn present(&self, slot: usize) -> bool {
        self.present >> slot & 1 == 1
    }

    fn is_ip(&self, slot: usize) -> bool {
        self.ips >> slot & 1 == 1
    }

    fn has_time(&self, time: usize) -> bool {
        self.times[time].is_some()
    }

    fn constant(&mut self, json: &[u8]) {
        self.constants.extend_from_slice(json);
    }

    fn field(&mut self, slot: usize, kind: Kind) -> Result<(), Fault> {
        let quoted = matches!(kind, Kind::Text | Kind::Integer { quoted: true, .. });
        let quote: &[u8] = if quoted { b"\"" } else { b"" };
        self.constant(quote);
        self.step(if kind == Kind::Text { Take::Slot(slot) } else { Take::Checked(slot, kind) });
        self.constant(quote);
        // Recording can't fail; it only has the signature of writing.
        if self.constants.len() > u32::MAX as usize { Err(Fault::new(Reason::TooLong, "")) } else { Ok(()) }
    }

    fn time(&mut self, time: usize) {
        self.constant(b"\"");
        self.step(Take::Time(time));
        self.constant(b"\"");
    }

    fn mark(&self) -> Self::Mark {
        (self.constants.len(), self.steps.len(), self.from)
    }

    fn back(&mut self, (constants, steps, from): Self::Mark) {
        self.constants.truncate(constants);
        self.steps.truncate(steps);
        self.from = from;
    }
}

//! Chunks of lines at full speed: the scanner's values put into programs.
//!
//! A line that the scanner is not sure of, or whose event needs more than splicing, goes to the
//! exact path, in its place. So this path decides nothing but how fast it goes.

use super::program::{Program, Take};
use super::{Batch, Converter};
use crate::mapping::Plan;
use crate::raw::{self, Cpu, Level, Out, Work};
use crate::record::forms::Form;
use crate::record::scan::{MOST_SLOTS, Outcome, Scanner};
use crate::record::time::{Clock, TIME_BYTES};
use std::collections::HashMap;
use std::net::IpAddr;

/// How many times an event may hold.
const MOST_TIMES: usize = 4;
/// How many programs are kept; records beyond them go the exact way.
const MOST_PROGRAMS: usize = 4096;

/// What one worker has learnt.
#[derive(Debug, Clone)]
pub(super) struct Fast {
    level: Level,
    scanner: Scanner,
    clock: Clock,
    programs: Vec<Option<Program>>,
    by_fields: HashMap<(u64, u64), usize>,
    /// The program that was used last, with its fields.
    last: ((u64, u64), usize),
    /// Slots whose values are tested for being addresses.
    tested: u64,
}

impl Fast {
    /// Nothing if the plan has more fields or times than this path can hold.
    pub(super) fn new(plan: &Plan, level: Level) -> Option<Fast> {
        let scanner = Scanner::new(&plan.wanted, &plan.forms.marks())?;
        if plan.times.len() > MOST_TIMES {
            return None;
        }
        let tested = plan.tested().into_iter().fold(0, |tested, slot| tested | 1 << slot);
        Some(Fast {
            level,
            scanner,
            clock: Clock::new(),
            programs: Vec::new(),
            by_fields: HashMap::new(),
            last: ((0, 0), usize::MAX),
            tested,
        })
    }

    /// Adds what the programs made to the books, and empties them.
    fn settle(&mut self, batch: &mut Batch, converter: &Converter) {
        for (&(present, _), &id) in &self.by_fields {
            let Some(program) = &mut self.programs[id] else { continue };
            let events = std::mem::take(&mut program.events);
            if events > 0 {
                let shape = converter.shape(&|slot| present >> slot & 1 == 1);
                batch.count(Form::Bare, Some(shape), events);
                batch.tally.events += events;
                batch.tally.by_event_type[program.event_type].events += events;
            }
        }
    }
}

/// The lines of one chunk.
pub(super) struct Lines<'a> {
    pub(super) fast: &'a mut Fast,
    pub(super) converter: &'a Converter,
    pub(super) bytes: &'a [u8],
    pub(super) offset: u64,
    pub(super) line: u64,
    pub(super) batch: &'a mut Batch,
}

impl Lines<'_> {
    pub(super) fn convert(self) {
        raw::with_cpu(self.fast.level, self);
    }
}

impl Work for Lines<'_> {
    type Output = ();

    #[inline(always)]
    fn run<C: Cpu>(self, cpu: C) {
        let Lines { fast, converter, bytes, offset, line, batch } = self;
        let mut out = Out::new(std::mem::take(&mut batch.events));
        // The line number is counted when a line needs it.
        let (mut counted, mut number) = (0, line);
        let mut at = 0;
        while at < bytes.len() {
            match fast.scanner.line(cpu, bytes, at) {
                Outcome::Record { end, present }
                    if end - at <= converter.max_record_bytes
                        && fast.event(converter, bytes, end - at, present, &mut out) =>
                {
                    at = end;
                }
                Outcome::Blank { end } => {
                    batch.tally.blank += 1;
                    at = end;
                }
                _ => {
                    number += memchr::memchr_iter(b'\n', &bytes[counted..at]).count() as u64;
                    let end = memchr::memchr(b'\n', &bytes[at..]).map_or(bytes.len(), |i| at + i + 1);
                    batch.events = out.into_bytes();
                    converter.line(&bytes[at..end], offset + at as u64, number, batch);
                    out = Out::new(std::mem::take(&mut batch.events));
                    counted = at;
                    at = end;
                }
            }
        }
        batch.events = out.into_bytes();
        fast.settle(batch, converter);
    }
}

impl Fast {
    /// Writes the event of the record that was just read; `false`, and nothing written, if that
    /// needs the exact path.
    #[inline(always)]
    fn event(
        &mut self,
        converter: &Converter,
        bytes: &[u8],
        len: usize,
        present: u64,
        out: &mut Out,
    ) -> bool {
        let Fast { scanner, clock, programs, by_fields, last, tested, .. } = self;
        let rewritten = scanner.rewritten & present;
        let mut ips = 0u64;
        let mut tested = *tested & present;
        if tested & rewritten != 0 {
            return false;
        }
        while tested != 0 {
            let slot = tested.trailing_zeros() as usize;
            tested &= tested - 1;
            let span = scanner.spans[slot];
            let text = &bytes[span.start as usize..][..span.len as usize];
            ips |= u64::from(is_ip(text)) << slot;
        }
        let key = (present, ips);
        let id = if last.0 == key && last.1 != usize::MAX {
            last.1
        } else {
            let known = by_fields.get(&key).copied();
            let Some(id) = known.or_else(|| program(programs, by_fields, converter, key)) else {
                return false;
            };
            *last = (key, id);
            id
        };
        let Some(program) = &mut programs[id] else { return false };
        if program.plain & rewritten != 0 {
            return false;
        }
        let mut times = [([0u8; TIME_BYTES], 0usize); MOST_TIMES];
        for ((text, len), time) in times.iter_mut().zip(&program.times) {
            let Some((slot, reading)) = *time else { continue };
            let span = scanner.spans[slot];
            match clock.convert(&bytes[span.start as usize..][..span.len as usize], reading, text) {
                Some(written) => *len = written,
                None => return false,
            }
        }
        for step in &program.steps {
            if let Take::Checked(slot, kind) = step.value {
                let span = scanner.spans[slot];
                let text = std::str::from_utf8(&bytes[span.start as usize..][..span.len as usize]);
                if text.is_ok_and(|text| kind.refuses(text).is_some()) {
                    return false;
                }
            }
        }
        // Each value lies in the record or, rewritten, in the scratch.
        let values = (len + scanner.scratch.len()) * program.steps.len().min(8);
        out.reserve(program.constants.len() + values + TIME_BYTES * MOST_TIMES);
        for step in &program.steps {
            out.push(&program.constants[step.start as usize..], step.len as usize);
            match step.value {
                Take::Nothing => {}
                Take::Time(time) => out.push(&times[time].0, times[time].1),
                Take::Slot(slot) | Take::Checked(slot, _) => {
                    let span = scanner.spans[slot];
                    let from = if rewritten >> slot & 1 == 1 { &scanner.scratch[..] } else { bytes };
                    out.push(&from[span.start as usize..], span.len as usize);
                }
            }
        }
        program.events += 1;
        true
    }
}

/// Makes the program for these fields.
#[cold]
#[inline(never)]
fn program(
    programs: &mut Vec<Option<Program>>,
    by_fields: &mut HashMap<(u64, u64), usize>,
    converter: &Converter,
    key: (u64, u64),
) -> Option<usize> {
    if programs.len() == MOST_PROGRAMS {
        return None;
    }
    programs.push(Program::new(&converter.plan, key.0, key.1, converter.before, converter.after));
    by_fields.insert(key, programs.len() - 1);
    Some(programs.len() - 1)
}

/// Whether `text` is an IPv4 or IPv6 address.
#[inline(always)]
fn is_ip(text: &[u8]) -> bool {
    let possible = |b: &u8| b.is_ascii_hexdigit() || matches!(b, b':' | b'.');
    text.iter().all(possible) && std::str::from_utf8(text).is_ok_and(|text| text.parse::<IpAddr>().is_ok())
}

const _: () = assert!(MOST_SLOTS <= u64::BITS as usize);

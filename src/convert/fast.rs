//! Chunks of lines at full speed: the scanner's values put into programs.
//!
//! A line that the scanner is not sure of, or whose event needs more than splicing, goes to the
//! exact path, in its place. So this path decides nothing but how fast it goes.

#[cfg(test)]
mod tests;

use super::batch::Batch;
use super::exact::Exact;
use super::made::Makers;
use super::program::{FIRST_TIME, Has, Program};
use super::range::{TextRange, TimeRange};
use crate::mapping::{Plan, TextKind};
use crate::record::FieldPath;
use crate::record::formats::Format;
use crate::record::frame;
use crate::record::scan::{MOST_SLOTS, OWN_BYTES, RecordFound, Scanner, TopKeys};
use crate::simd::{self, ByteSpan, Cpu, CpuLevel, PaddedInput, VALUES, Work};
use crate::time::{SECONDS_BYTES, TIME_BYTES, TimeForm, TimestampCopier};
use std::collections::HashMap;
use std::net::IpAddr;

/// How many times an event may hold.
const MOST_TIMES: usize = OWN_BYTES / TIME_BYTES;
/// How many programs are kept; records beyond them go the exact way.
const MOST_PROGRAMS: usize = 1024;
/// How many of them are found without a search.
const AT_HAND: usize = 256;

/// How far ahead of a record input is asked for: some ten records.
const AHEAD: usize = 2048;

/// What is known of records that look alike.
#[derive(Debug, Clone)]
struct Kin {
    /// The number of the program that this was made from.
    id: usize,
    /// The slots that are tested for addresses.
    tested: u64,
    /// Their program, with the forms that their times have.
    program: Program,
}

/// Records with this note, of which this is made, and with these addresses; the number of their [`Kin`], from 1 on.
#[derive(Debug, Clone, Copy, Default)]
struct Near {
    note: usize,
    made: u64,
    ips: u64,
    kin: usize,
}

/// What one worker has learnt.
#[derive(Debug, Clone)]
pub(super) struct Fast {
    level: CpuLevel,
    scanner: Scanner,
    copier: TimestampCopier,
    programs: Vec<Option<Program>>,
    by_fields: HashMap<Has, usize>,
    /// Programs used recently, by a hash of their fields.
    at_hand: [(Has, usize); AT_HAND],
    /// By the scanner's notes, from 1 on.
    kin: Vec<Kin>,
    /// Those of records that look alike, but of which something else is made, by a hash of that.
    near: [Near; AT_HAND],
    /// The number of a program's [`Kin`] for records with this note.
    by_note: HashMap<(usize, usize), usize>,
    /// Slots of which one says that a record is the mapping's own,
    any: u64,
    /// and those that say nothing more if it does.
    aside: u64,
    /// The slots whose texts say whose record it is, and what they say in the mapping's own.
    own: Vec<(usize, Vec<Vec<u8>>)>,
    /// The range that an event's own time is to be in, if not all are, and which of its times that is.
    range: Option<TextRange>,
    own_time: usize,
    /// Slots whose values are tested for being addresses.
    tested: u64,
    makers: Makers,
}

impl Fast {
    /// Nothing if the plan has more fields or times than this path can hold, or makes of fields what it can't make.
    pub(super) fn new(plan: &Plan, level: CpuLevel, range: TimeRange) -> Option<Fast> {
        if plan.projection.paths().len() > MOST_SLOTS
            || plan.times.len() > MOST_TIMES
            || plan.has_time_formats()
            || plan.projection.rest().is_some()
        {
            return None;
        }
        let own = &plan.formats.own;
        // What says whose a record is, is read with what is mapped, as far as there is room.
        let mut fields = plan.projection.clone();
        for path in own.fields.iter().map(|(path, _)| path).chain(&own.any) {
            if fields.paths().len() < MOST_SLOTS {
                // One that overlaps with a mapped field is not read.
                let _ = fields.add(path);
            }
        }
        let slots = |paths: &mut dyn Iterator<Item = &FieldPath>| {
            paths.filter_map(|path| fields.slot(path)).fold(0, |slots, slot| slots | 1 << slot)
        };
        let telling: u64 = slots(&mut own.fields.iter().map(|(path, _)| path));
        let any: u64 = slots(&mut own.any.iter());
        let mapped = (1 << plan.projection.paths().len()) - 1;
        let known = (!own.any.is_empty()).then(|| own.known.clone());
        let top = TopKeys { exact: plan.formats.marks(&fields), known };
        let scanner = Scanner::new(&fields, &top, telling, mapped | telling)?;
        let makers = Makers::new(plan, scanner.texts())?;
        let mapped = scanner.texts().iter().fold(mapped, |mapped, list| mapped | 1 << list.last);
        let tested = plan.tested().into_iter().fold(0, |tested, slot| tested | 1 << slot);
        Some(Fast {
            level,
            scanner,
            copier: TimestampCopier::new(),
            programs: Vec::new(),
            by_fields: HashMap::new(),
            at_hand: [(Has::default(), usize::MAX); AT_HAND],
            kin: Vec::new(),
            near: [Near::default(); AT_HAND],
            by_note: HashMap::new(),
            any,
            aside: !(mapped | telling),
            own: own
                .fields
                .iter()
                .filter_map(|(path, own)| {
                    Some((fields.slot(path)?, own.iter().map(|text| text.clone().into_bytes()).collect()))
                })
                .collect(),
            makers,
            range: (!range.is_all()).then(|| range.text()),
            own_time: plan.times.iter().position(|time| time.required)?,
            tested,
        })
    }

    /// Adds what the programs made to the books, and empties them.
    fn settle(&mut self, batch: &mut Batch, exact: &Exact) {
        let kin = self.kin.iter_mut().map(|kin| &mut kin.program);
        for program in self.programs.iter_mut().flatten().chain(kin) {
            let events = std::mem::take(&mut program.events);
            let outside = std::mem::take(&mut program.outside);
            if events + outside > 0 {
                let shape = exact.shape(0, &|slot| program.has.present >> slot & 1 == 1);
                batch.count(Format::Plain, Some(shape), events + outside);
                batch.counts.events += events;
                batch.counts.outside += outside;
                // Nothing comes of the lines of those.
                batch.uneven |= outside > 0;
                batch.counts.by_event_type[program.event_type].events += events;
            }
        }
    }
}

/// The lines of one chunk.
pub(super) struct Lines<'a> {
    pub(super) fast: &'a mut Fast,
    pub(super) exact: &'a Exact,
    /// The lines, and whatever may be read behind them: what is too near to the end for whole
    /// blocks goes the exact way.
    pub(super) bytes: &'a [u8],
    /// Where the lines end.
    pub(super) end: usize,
    /// Where in the stream they begin.
    pub(super) offset: u64,
    /// The number of the first, from 1.
    pub(super) line: u64,
    pub(super) batch: &'a mut Batch,
}

impl Lines<'_> {
    /// Converts them; how many they were.
    pub(super) fn convert(self) -> u64 {
        simd::with_cpu(self.fast.level, self)
    }
}

impl Work for Lines<'_> {
    type Output = u64;

    #[inline(always)]
    fn run<C: Cpu>(self, cpu: C) -> u64 {
        let Lines { fast, exact, bytes, end, offset, line, batch } = self;
        let mut number = line;
        let mut at = 0;
        let input = PaddedInput::new(bytes);
        while at < end {
            input.fetch(at + AHEAD);
            // What can be read behind the lines is not theirs.
            let most = (end - at).min(exact.max_record_bytes);
            if let Some(length) = fast.event(cpu, exact, input, at, most, batch) {
                number += 1;
                at += length;
                continue;
            }
            // No record begins with white space, unless somebody means it.
            if bytes[at] <= b' ' {
                let (lines, length) = frame::blank_lines(&bytes[at..end]);
                if length > 0 {
                    batch.counts.blank += lines;
                    number += lines;
                    at += length;
                    continue;
                }
            }
            let line_end = memchr::memchr(b'\n', &bytes[at..end]).map_or(end, |i| at + i + 1);
            exact.line(&bytes[at..line_end], offset + at as u64, number, batch);
            number += 1;
            at = line_end;
        }
        fast.settle(batch, exact);
        number - line
    }
}

/// Whether `text` is one of these, the case of ASCII letters aside.
#[cold]
fn is_one_of(own: &[Vec<u8>], text: &[u8]) -> bool {
    own.iter().any(|own| own.eq_ignore_ascii_case(text))
}

impl Fast {
    /// Writes the event of the record that begins at `start`, if its line is no longer than `most`; how
    /// long that is. Nothing, and nothing written, if that needs the exact path.
    #[inline(always)]
    fn event<C: Cpu>(
        &mut self,
        cpu: C,
        exact: &Exact,
        input: PaddedInput<'_>,
        start: usize,
        most: usize,
        batch: &mut Batch,
    ) -> Option<usize> {
        // A layout would need to say more than a program knows of lists.
        if batch.layouts.is_some() && !self.makers.is_empty() {
            return None;
        }
        let RecordFound { end, mut present, formed, note, values, scratch } =
            self.scanner.record(cpu, input, start)?;
        if end - start > most {
            return None;
        }
        // A respelled text that still has escapes is neither an address nor a time nor a number: the
        // code that reads it as one finds the backslash.
        let number = note.as_deref().map_or(0, |note| *note as usize);
        let made = match self.makers.is_empty() {
            true => 0,
            false => self.makers.make(present, input, values, scratch)?,
        };
        let kin = match self.kin.get(number.wrapping_sub(1)) {
            None => None,
            Some(kin) => {
                let ips = addresses(kin.tested, input, values, scratch);
                match (kin.program.has.made, kin.program.has.ips) == (made, ips) {
                    true => Some(number),
                    false => {
                        let near = &self.near[at_hand(number as u64, ips, made)];
                        ((near.note, near.made, near.ips) == (number, made, ips)).then_some(near.kin)
                    }
                }
            }
        };
        let program = match kin.and_then(|number| self.kin.get_mut(number.wrapping_sub(1))) {
            Some(kin) => &mut kin.program,
            None => {
                if present & self.any != 0 {
                    present &= !self.aside;
                }
                let tested = self.tested & present;
                let ips = addresses(tested, input, values, scratch);
                let has = Has { present, ips, made };
                let lists = self.makers.lists;
                let id = find(&mut self.at_hand, &mut self.programs, &mut self.by_fields, exact, has, lists)?;
                let program = self.programs[id].as_mut()?;
                for (slot, own) in self.own.iter().filter(|(slot, _)| present >> slot & 1 == 1) {
                    let text = values[*slot].text(input, scratch);
                    // Nearly always it is the first, spelled as in the table.
                    if own.first().is_none_or(|own| own != text) && !is_one_of(own, text) {
                        return None;
                    }
                }
                if let Some(note) = note {
                    let known = self.by_note.get(&(number, id)).copied();
                    if known.is_none() && self.kin.len() < MOST_PROGRAMS {
                        let mut program = Program { events: 0, outside: 0, ..program.clone() };
                        for step in program.times.iter_mut().filter(|step| formed >> step.slot & 1 == 1) {
                            step.form = step.form.of_texts_like(values[step.slot].text(input, scratch));
                        }
                        // Several shapes may have the same fields, and their times the same forms.
                        let same = |kin: &Kin| (kin.id, &kin.program.times) == (id, &program.times);
                        let at = self.kin.iter().position(same).unwrap_or(self.kin.len());
                        if at == self.kin.len() {
                            self.kin.push(Kin { id, tested, program });
                        }
                        if number == 0 {
                            *note = at as u32 + 1;
                        }
                        self.by_note.insert((*note as usize, id), at + 1);
                    }
                    if let Some(kin) = known {
                        self.near[at_hand(number as u64, ips, made)] = Near { note: number, made, ips, kin };
                    }
                }
                program
            }
        };
        for step in &program.times {
            let span = values[step.slot % VALUES];
            values[(FIRST_TIME + step.time) % VALUES] = match step.form {
                // What UDM has is a part of the text.
                TimeForm::Iso { fraction } => span.cut(self.copier.iso_known(span.block(input)?, fraction)?),
                form => {
                    // What was respelled lies behind the caller's own part of the scratch.
                    let (own, respelled) = scratch.split_first_chunk_mut::<OWN_BYTES>()?;
                    let own = own.as_chunks_mut::<TIME_BYTES>().0.get_mut(step.time)?;
                    let len = match form {
                        TimeForm::Any(reading) => {
                            let text = span.text_behind(input, OWN_BYTES, respelled);
                            self.copier.convert(text, reading, own)?
                        }
                        _ => {
                            cpu.write(self.copier.seconds(span.block(input)?.first_chunk()?), own);
                            SECONDS_BYTES
                        }
                    };
                    ByteSpan::of_scratch(step.time * TIME_BYTES, len)
                }
            };
        }
        if let Some(range) = &self.range
            && !range.holds(values[FIRST_TIME + self.own_time].text(input, scratch))
        {
            program.outside += 1;
            return Some(end - start);
        }
        for (slot, kind) in &program.checked {
            if !is_of_kind(values[*slot].text(input, scratch), *kind) {
                return None;
            }
        }
        program.template.append(&mut batch.events, input, scratch, values);
        program.events += 1;
        if let Some(layouts) = &mut batch.layouts {
            exact.lay_out(0, layouts, &[program.has.present, program.has.ips], batch.events.len());
        }
        Some(end - start)
    }
}

/// Those of the slots that hold addresses.
#[inline(always)]
fn addresses(slots: u64, input: PaddedInput<'_>, values: &[ByteSpan; VALUES], scratch: &[u8]) -> u64 {
    let (mut left, mut ips) = (slots, 0);
    while left != 0 {
        let slot = left.trailing_zeros() as usize;
        left &= left - 1;
        ips |= u64::from(is_ip(values[slot].text(input, scratch))) << slot;
    }
    ips
}

/// The program for these fields.
#[inline(always)]
fn find(
    near: &mut [(Has, usize); AT_HAND],
    programs: &mut Vec<Option<Program>>,
    by_fields: &mut HashMap<Has, usize>,
    exact: &Exact,
    has: Has,
    lists: u64,
) -> Option<usize> {
    let near = &mut near[at_hand(has.present, has.ips, has.made)];
    if near.0 != has || near.1 == usize::MAX {
        let id = match by_fields.get(&has) {
            Some(id) => *id,
            None => program(programs, by_fields, exact, has, lists)?,
        };
        *near = (has, id);
    }
    Some(near.1)
}

/// Where among [`AT_HAND`] such records are.
#[inline(always)]
fn at_hand(alike: u64, ips: u64, made: u64) -> usize {
    let mixed = alike ^ ips.rotate_left(32) ^ made.rotate_left(16);
    (mixed.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as usize % AT_HAND
}

/// Makes the program for these fields.
#[cold]
#[inline(never)]
fn program(
    programs: &mut Vec<Option<Program>>,
    by_fields: &mut HashMap<Has, usize>,
    exact: &Exact,
    has: Has,
    lists: u64,
) -> Option<usize> {
    if programs.len() == MOST_PROGRAMS {
        return None;
    }
    programs.push(Program::new(exact.plan(0), has, lists, exact.before, exact.after));
    by_fields.insert(has, programs.len() - 1);
    Some(programs.len() - 1)
}

/// Whether `text` is a value of this kind.
#[inline(always)]
fn is_of_kind(text: &[u8], kind: TextKind) -> bool {
    // Up to nine digits are within the range of every integer.
    let short = !text.is_empty() && text.len() <= 9 && text.iter().all(u8::is_ascii_digit);
    let plain = short && (text[0] != b'0' || text.len() == 1);
    match kind {
        TextKind::Text => true,
        TextKind::Integer { min, max, .. } if plain && min <= 0 && max > 999_999_999 => true,
        TextKind::Float if plain => true,
        _ => std::str::from_utf8(text).is_ok_and(|text| kind.refuses(text).is_none()),
    }
}

/// Whether `text` is an IPv4 or IPv6 address.
#[inline(always)]
fn is_ip(text: &[u8]) -> bool {
    let possible = |b: &u8| b.is_ascii_hexdigit() || matches!(b, b':' | b'.');
    text.iter().all(possible) && std::str::from_utf8(text).is_ok_and(|text| text.parse::<IpAddr>().is_ok())
}

const _: () = assert!(MOST_SLOTS <= u64::BITS as usize);

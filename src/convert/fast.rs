//! Chunks of lines at full speed: the scanner's values put into programs.
//!
//! A line that the scanner is not sure of, or whose event needs more than splicing, goes to the
//! exact path, in its place. So this path decides nothing but how fast it goes.

use super::batch::Batch;
use super::exact::Exact;
use super::program::{FIRST_TIME, Program};
use crate::mapping::{Plan, TextKind};
use crate::record::formats::Format;
use crate::record::frame;
use crate::record::scan::{MOST_SLOTS, OWN_BYTES, Scanner};
use crate::simd::{self, ByteSpan, Cpu, CpuLevel, PaddedInput, VALUES, Work, Write};
use crate::time::{TIME_BYTES, TimestampCopier};
use std::collections::HashMap;
use std::net::IpAddr;

/// How many times an event may hold.
const MOST_TIMES: usize = OWN_BYTES / TIME_BYTES;
/// How many programs are kept; records beyond them go the exact way.
const MOST_PROGRAMS: usize = 1024;
/// How many of them are found without a search.
const AT_HAND: usize = 64;

/// What a program is made for: the slots that are present, and those of them that are addresses.
type Has = (u64, u64);

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
    /// Slots whose values are tested for being addresses.
    tested: u64,
}

impl Fast {
    /// Nothing if the plan has more fields or times than this path can hold.
    pub(super) fn new(plan: &Plan, level: CpuLevel) -> Option<Fast> {
        let scanner = Scanner::new(&plan.projection, &plan.formats.marks(&plan.projection))?;
        if plan.times.len() > MOST_TIMES {
            return None;
        }
        let tested = plan.tested().into_iter().fold(0, |tested, slot| tested | 1 << slot);
        Some(Fast {
            level,
            scanner,
            copier: TimestampCopier::new(),
            programs: Vec::new(),
            by_fields: HashMap::new(),
            at_hand: [((0, 0), usize::MAX); AT_HAND],
            tested,
        })
    }

    /// Adds what the programs made to the books, and empties them.
    fn settle(&mut self, batch: &mut Batch, exact: &Exact) {
        for (&(present, _), &id) in &self.by_fields {
            let Some(program) = &mut self.programs[id] else { continue };
            let events = std::mem::take(&mut program.events);
            if events > 0 {
                let shape = exact.shape(&|slot| present >> slot & 1 == 1);
                batch.count(Format::Plain, Some(shape), events);
                batch.counts.events += events;
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
            let mut next = None;
            if let Some(input) = input
                && let Some((record_end, present)) = fast.scanner.record(cpu, input, at)
                // What can be read behind the lines is not theirs.
                && record_end <= end
                && record_end - at <= exact.max_record_bytes
                && fast.event(cpu, exact, input, present, batch)
            {
                next = Some(record_end);
            }
            if let Some(next) = next {
                number += 1;
                at = next;
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
    /// Writes the event of the record that was just read; `false`, and nothing written, if that
    /// needs the exact path.
    #[inline(always)]
    fn event<C: Cpu>(
        &mut self,
        cpu: C,
        exact: &Exact,
        input: PaddedInput<'_>,
        present: u64,
        batch: &mut Batch,
    ) -> bool {
        let Fast { scanner, copier, programs, by_fields, at_hand, tested, .. } = self;
        let (values, scratch) = scanner.values();
        // A respelled text that still has escapes is neither an address nor a time nor a number: the
        // code that reads it as one finds the backslash.
        let mut ips = 0u64;
        let mut tested = *tested & present;
        while tested != 0 {
            let slot = tested.trailing_zeros() as usize;
            tested &= tested - 1;
            ips |= u64::from(is_ip(values[slot].text(input, scratch))) << slot;
        }
        let has = (present, ips);
        let hash = (present ^ ips.rotate_left(32)).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 58;
        let near = &mut at_hand[hash as usize % AT_HAND];
        if near.0 != has || near.1 == usize::MAX {
            let known = by_fields.get(&has).copied();
            let Some(id) = known.or_else(|| program(programs, by_fields, exact, has)) else {
                return false;
            };
            *near = (has, id);
        }
        let Some(program) = &mut programs[near.1] else { return false };
        for (slot, own) in &program.own {
            let text = values[*slot].text(input, scratch);
            // Nearly always it is the first, spelled as in the table.
            if own.first().is_none_or(|own| own != text) && !is_one_of(own, text) {
                return false;
            }
        }
        for (slot, kind) in &program.checked {
            if !is_of_kind(values[*slot].text(input, scratch), *kind) {
                return false;
            }
        }
        for &(n, slot, reading) in &program.times {
            // What was respelled lies behind the caller's own part of the scratch.
            let Some((own, respelled)) = scratch.split_at_mut_checked(OWN_BYTES) else { return false };
            let Some(own) = own.as_chunks_mut::<TIME_BYTES>().0.get_mut(n) else { return false };
            let text = values[slot % VALUES].text_behind(input, OWN_BYTES, respelled);
            let Some(len) = copier.convert(text, reading, own) else { return false };
            values[(FIRST_TIME + n) % VALUES] = ByteSpan::of_scratch(n * TIME_BYTES, len);
        }
        cpu.apart(Write { template: &program.template, out: &mut batch.events, input, scratch, values });
        program.events += 1;
        if let Some(layouts) = &mut batch.layouts {
            exact.lay_out(layouts, &[has.0, has.1], batch.events.len());
        }
        true
    }
}

/// Makes the program for these fields.
#[cold]
#[inline(never)]
fn program(
    programs: &mut Vec<Option<Program>>,
    by_fields: &mut HashMap<Has, usize>,
    exact: &Exact,
    has: Has,
) -> Option<usize> {
    if programs.len() == MOST_PROGRAMS {
        return None;
    }
    programs.push(Program::new(&exact.plan, has.0, has.1, exact.before, exact.after));
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

#[cfg(test)]
mod tests {
    use crate::convert::{Converter, Engine, Options};
    use crate::mapping::Mapping;

    const TABLE: &str = r#"
[mapping]
name = "small"
log_type = "SMALL"

[[rule]]
udm = "metadata.event_timestamp"
time = [{ from = "timestamp", read = "epoch-seconds" }, { from = "ts", read = "iso8601" }]

[[rule]]
udm = "metadata.event_type"
value = "GENERIC_EVENT"

[[rule]]
udm = "principal.hostname"
from = "host"
when = "not-ip"

[[rule]]
udm = "principal.ip[]"
from = "host"
when = "ip"

[[rule]]
udm = "principal.user.userid"
from = "phone"

[[rule]]
udm = "network.sent_bytes"
from = "credits"
"#;

    /// Whole records through all of the fast path, few enough for Miri, and a small table; the
    /// integration tests have the many.
    #[test]
    fn records_become_the_events_of_the_exact_path() {
        let good = "{\"phone\":\"+1\",\"credits\":12,\"host\":\"h\",\"timestamp\":1584718692}\n";
        let log = [
            good,
            good,
            "{\"phone\":\"a \\\"b\\\" \u{e9}\",\"x\":[1.5,{}],\"ts\":\"2023-03-21T22:34:49.466370+00:00\"}\r\n",
            "{\"phone\":\"+1\",\"credits\":012,\"host\":\"h\",\"timestamp\":1584718692}\n",
            "{\"phone\":\"more than one block of thirty-two bytes\",\"credits\":1,\"host\":\"::1\",\"timestamp\":1584718692}\n",
            " \n",
            "{\"phone\":\"more than one block of thirty-two bytes\",\"credits\":1,\"host\":\"::1\",\"timestamp\":1584718692300}\n",
            good,
            good.trim_end(),
        ];
        let log = log.concat();
        let mapping = Mapping::load("small.toml", TABLE, &|_| Err(String::new())).unwrap();
        let chunks: &[usize] =
            if cfg!(miri) { &[150, 10_000] } else { &[1, 64, 100, 150, 300, 1000, 10_000] };
        for &chunk_bytes in chunks {
            // Enough of them for the tight layout.
            let more = if chunk_bytes < 10_000 { 0 } else { 40 };
            let log = good.repeat(more) + &log;
            let convert = |engine| {
                Converter::new(&mapping, &Options { engine, chunk_bytes, ..Options::default() })
                    .convert(log.as_bytes())
            };
            let exact = convert(Engine::Exact);
            assert_eq!((exact.counts.events, exact.counts.rejects), (6 + more as u64, 2));
            for engine in Engine::ALL.into_iter().filter(|engine| engine.is_available()) {
                let got = convert(engine);
                assert!(got.events == exact.events, "{engine:?} {chunk_bytes}");
                assert_eq!(got.rejects, exact.rejects, "{engine:?} {chunk_bytes}");
                assert_eq!(got.counts, exact.counts, "{engine:?} {chunk_bytes}");
            }
        }
    }
}

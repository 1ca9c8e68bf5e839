//! A comparison from its inputs to its report.

use super::digests::{Digest, Same, digest, each_same};
use super::event_source::{EventSource, SideReader, SourceText};
use super::passes::Passes;
use super::report::Report;
use super::second_read::{OnDisk, extra, read_again};
use crate::check::compare::{Rules, Side};
use crate::check::findings::Findings;
use crate::check::mistaken::Mistaken;
use crate::check::reading::Reading;
use crate::check::room::Room;
use crate::convert::pipeline::{Framed, Piece};
use crate::store::sort::Sorter;
use std::io;

/// How two sets are compared.
#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) rules: Rules,
    pub(crate) reading: Reading,
    /// How many samples of each difference are kept.
    pub(crate) samples: usize,
    /// See what is not events, or, of A's raw logs, not a raw log.
    pub(crate) mistaken: [Mistaken; 2],
}

/// How many of the units of a chunk that are not events are listed.
const MOST_UNREADABLE: usize = 5_000;

/// Compares two sets of events, in two readings and in bounded memory, and adds what is new to `findings`. Inputs that can't be read are among the
/// report's failures; then nothing is compared.
///
/// # Errors
/// When a temporary file can't be written or read, and when an input changes or fails at the second reading.
pub(crate) fn diff(
    a: &EventSource,
    b: &EventSource,
    options: &Options,
    findings: Findings,
) -> anyhow::Result<Report> {
    let mut findings = findings;
    a.sources.iter().chain(&b.sources).for_each(|source| findings.checked.add(source.name()));
    let mut report = Report::new(findings, options.samples);
    let mut digests = Sorter::default();
    let texts = [
        first_read(Side::A, a, options, &mut digests, &mut report)?,
        first_read(Side::B, b, options, &mut digests, &mut report)?,
    ];
    report.name(&texts);
    if report.findings.failures.is_empty() {
        let mut extras = Sorter::default();
        each_same(digests, &mut |same| unequal(same, &mut extras, &mut report))?;
        let mut passes = Passes::new();
        let mut sets = OnDisk::new(&options.rules, &mut report);
        read_again([a, b], &texts, extras, &mut passes, &mut sets)?;
        passes.run(&mut sets)?;
    }
    Ok(report)
}

/// Takes off what both sides have.
fn unequal(same: &Same, extras: &mut Sorter<21>, report: &mut Report) -> io::Result<()> {
    report.equal += same.in_both();
    for side in [Side::A, Side::B] {
        for place in same.extra(side) {
            extras.push(extra(place, same.counts))?;
        }
        let code = match (same.in_both() > 0, side) {
            (true, _) => "doubled",
            (false, Side::A) => "only-in-a",
            (false, Side::B) => "only-in-b",
        };
        report.unlisted(code, same.not_listed(side));
    }
    Ok(())
}

/// What is in a chunk.
struct DiffPart {
    digests: Vec<Digest>,
    /// The first of what is not an event, as far as there is room: line, byte, reason.
    unreadable: Vec<(u64, u64, String)>,
    /// How many more there are.
    more: u64,
}

/// The first reading of a side: the digest of every event. Returns the texts that were read, by their numbers.
fn first_read(
    side: Side,
    from: &EventSource,
    options: &Options,
    digests: &mut Sorter<29>,
    report: &mut Report,
) -> anyhow::Result<Vec<SourceText>> {
    let work = |reader: &mut SideReader<'_>, chunk: Framed<'_>| {
        let mut part = DiffPart { digests: Vec::new(), unreadable: Vec::new(), more: 0 };
        let mut room = Room::new(MOST_UNREADABLE);
        let text = (chunk.text.number, &*chunk.text.name);
        options.mistaken[side as usize].look(text, chunk.bytes, chunk.body, from.limit);
        from.each(chunk.bytes, chunk.body, reader, &mut |at| {
            let meaning = match at.event {
                Ok((_, meaning)) => meaning,
                Err(why) if room.take(why.len()) => return part.unreadable.push((at.line, at.byte, why)),
                Err(_) => return part.more += 1,
            };
            part.digests.push(digest(meaning.digest(), side, chunk.text.number, at.byte));
        });
        part
    };
    let mut texts: Vec<SourceText> = Vec::new();
    options.reading.run(&from.sources, &|| SideReader::new(&options.rules), &work, &mut |piece| {
        match piece {
            Piece::Failed(_, error) => report.failed(error.to_string()),
            Piece::End(text, bytes) => {
                texts.resize_with(texts.len().max(text.number + 1), Default::default);
                texts[text.number] = SourceText { source: text.input, name: text.name.to_string() };
                report.bytes += bytes;
            }
            Piece::Part(text, part) => {
                report.events[side as usize] += part.digests.len() as u64;
                for digest in part.digests.drain(..) {
                    digests.push(digest)?;
                }
                for (line, byte, why) in part.unreadable.drain(..) {
                    report.unreadable(side, &text.name, line, byte, &why);
                }
                report.unlisted("no-event", part.more);
            }
        }
        Ok(())
    })?;
    Ok(texts)
}

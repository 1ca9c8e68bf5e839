//! The second reading of the inputs: the texts of events that are not in both sets alike.

use super::digests::Place;
use super::event_source::{EventSource, SideReader, SourceText};
use super::kept_texts::KeptTexts;
use super::passes::{Passes, Sets};
use super::report::Report;
use super::unmatched::Unmatched;
use crate::check::compare::{Keys, Meaning, MeaningReader, Rules, Side};
use crate::convert::CHUNK_BYTES;
use crate::record::frame::Framer;
use crate::store::sort::{Sorted, Sorter};
use crate::store::store_error;
use crate::text::{NextText, escaped};
use std::io::{self, Read};
use std::iter::Peekable;

/// An extra event by its place: side, text, byte, and how many each set has of it.
pub(super) type Extra = [u8; 21];

/// An event at this place, of which the sets have this many.
pub(super) fn extra(place: &Place, counts: [u64; 2]) -> Extra {
    let count = |n: u64| u32::try_from(n).unwrap_or(u32::MAX).to_be_bytes();
    let mut extra = [0; 21];
    extra[..13].copy_from_slice(place);
    extra[13..17].copy_from_slice(&count(counts[0]));
    extra[17..].copy_from_slice(&count(counts[1]));
    extra
}

/// The side's number, and the text's.
fn text_of(extra: &Extra) -> (usize, u32) {
    (usize::from(extra[0]).min(1), u32::from_be_bytes(extra[1..5].try_into().unwrap_or_default()))
}

fn byte_of(extra: &Extra) -> u64 {
    u64::from_be_bytes(extra[5..13].try_into().unwrap_or_default())
}

fn counts_of(extra: &Extra) -> [u32; 2] {
    [13, 17].map(|from| u32::from_be_bytes(extra[from..from + 4].try_into().unwrap_or_default()))
}

/// The sets of a comparison: texts in a file, and the report.
#[derive(Debug)]
pub(super) struct OnDisk<'r> {
    pub(super) texts: KeptTexts,
    rules: &'r Rules,
    pub(super) report: &'r mut Report,
    /// What reads the texts of each side.
    readers: [MeaningReader<'r>; 2],
    /// The text of each side that was read last.
    read: [Vec<u8>; 2],
}

impl<'r> OnDisk<'r> {
    pub(super) fn new(rules: &'r Rules, report: &'r mut Report) -> OnDisk<'r> {
        let readers = [MeaningReader::new(rules), MeaningReader::new(rules)];
        OnDisk { texts: KeptTexts::default(), rules, report, readers, read: Default::default() }
    }
}

impl Sets for OnDisk<'_> {
    fn meaning(&mut self, event: &Unmatched) -> anyhow::Result<Meaning> {
        let text = &mut self.read[event.side as usize];
        self.texts.get(event.text, text)?;
        Ok(self.readers[event.side as usize].read_owned(text)?)
    }

    fn pair(&mut self, a: &Unmatched, b: &Unmatched) -> anyhow::Result<()> {
        let ([text_a, text_b], [of_a, of_b]) = (&mut self.read, &mut self.readers);
        self.texts.get(a.text, text_a)?;
        self.texts.get(b.text, text_b)?;
        self.report.pair(a, b, of_a.read(text_a)?, of_b.read(text_b)?);
        Ok(())
    }

    fn alone(&mut self, event: &Unmatched) -> anyhow::Result<()> {
        Ok(self.report.alone(event, &mut self.texts)?)
    }
}

/// Reads the inputs again for the events in `extra`. Copies of what the other side has go straight into the report,
/// the others wait in `passes`.
pub(super) fn read_again(
    sides: [&EventSource; 2],
    texts: &[Vec<SourceText>; 2],
    extra: Sorter<21>,
    passes: &mut Passes,
    sets: &mut OnDisk<'_>,
) -> anyhow::Result<()> {
    let mut extra = extra.sorted()?.peekable();
    while let Some(first) = next(&mut extra)? {
        let (side, number) = text_of(&first);
        let (from, texts) = (sides[side], &texts[side]);
        let source = texts.get(number as usize).map_or(0, |text| text.source);
        // The members of one archive follow one another.
        let number = u32::try_from(texts.partition_point(|text| text.source < source))?;
        let last = u32::try_from(texts.partition_point(|text| text.source <= source))?;
        let of_source = |extra: &Extra| {
            let (its_side, text) = text_of(extra);
            its_side == side && (number..last).contains(&text)
        };
        let mut again = SecondRead { from, input: from.open(source)?, side, texts, number, is_member: false };
        again.read(&of_source, &mut extra, passes, sets)?;
        // What was there at the first reading is not found again.
        if next(&mut extra)?.is_some_and(|extra| of_source(&extra)) {
            return Err(changed(from.sources[source].name()));
        }
    }
    Ok(())
}

fn changed(name: &str) -> anyhow::Error {
    anyhow::anyhow!("`{}` changed while it was read", escaped(name))
}

/// A source that is read again.
struct SecondRead<'a> {
    from: &'a EventSource,
    input: Box<dyn Read>,
    side: usize,
    texts: &'a [SourceText],
    /// The number of the text that is being read.
    number: u32,
    is_member: bool,
}

impl SecondRead<'_> {
    /// Reads on as long as an event is due that is one `of_source`.
    fn read(
        &mut self,
        of_source: &dyn Fn(&Extra) -> bool,
        extra: &mut Peekable<Sorted<21>>,
        passes: &mut Passes,
        sets: &mut OnDisk<'_>,
    ) -> anyhow::Result<()> {
        let new_framer = || Framer::new(self.from.limit, CHUNK_BYTES);
        let mut framer = new_framer();
        let (mut reader, mut buffer) = (SideReader::new(sets.rules), Vec::new());
        loop {
            let chunk = match framer.next(&mut self.input, std::mem::take(&mut buffer)) {
                Ok(Some(chunk)) => chunk,
                Ok(None) => return Ok(()),
                Err(error) => {
                    let text = NextText::of(error).map_err(store_error)?;
                    if let Some(failed) = text.failed {
                        return Err(store_error(failed));
                    }
                    if next(extra)?.is_none_or(|due| !of_source(&due)) {
                        return Ok(());
                    }
                    self.number += u32::from(self.is_member);
                    self.is_member = true;
                    if self.texts.get(self.number as usize).is_none_or(|known| known.name != text.name) {
                        return Err(changed(&text.name));
                    }
                    framer = new_framer();
                    continue;
                }
            };
            let Some(due) = next(extra)?.filter(of_source) else { return Ok(()) };
            let here = |extra: &Extra| text_of(extra) == (self.side, self.number);
            if text_of(&due) < (self.side, self.number) {
                return Err(changed(&self.texts[text_of(&due).1 as usize].name));
            }
            if !here(&due) || byte_of(&due) >= chunk.body.end() {
                buffer = chunk.bytes;
                continue;
            }
            let mut failed = Ok(());
            self.from.each(&chunk.bytes, &chunk.body, &mut reader, &mut |at| {
                let result = (|| -> anyhow::Result<()> {
                    let Some(due) = next(extra)?.filter(here) else { return Ok(()) };
                    let (Ok((text, meaning)), true) = (at.event, at.byte == byte_of(&due)) else {
                        return Ok(());
                    };
                    let keys = Keys::of(meaning);
                    let side = if self.side == 0 { Side::A } else { Side::B };
                    let text = (sets.texts.keep(text)?, u32::try_from(text.len())?);
                    let source = self.number;
                    let event = Unmatched { side, source, line: at.line, byte: at.byte, text, keys };
                    let counts = counts_of(&due);
                    if counts.contains(&0) {
                        passes.add(&event)?;
                    } else {
                        sets.report.copy(&event, counts, &mut sets.texts)?;
                    }
                    extra.next();
                    Ok(())
                })();
                if failed.is_ok() {
                    failed = result;
                }
            });
            failed?;
            buffer = chunk.bytes;
        }
    }
}

/// The one that is due.
fn next(extra: &mut Peekable<Sorted<21>>) -> io::Result<Option<Extra>> {
    match extra.next_if(Result::is_err) {
        Some(Err(error)) => Err(error),
        _ => Ok(extra.peek().and_then(|extra| extra.as_ref().ok()).copied()),
    }
}

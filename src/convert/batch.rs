//! What a part of the input became: events, rejects and counts.

use super::counts::Counts;
use super::reject::Reject;
use crate::columns::Layouts;
use crate::record::RecordError;
use crate::record::formats::Format;
use crate::record::frame::Unit;

/// What a part of the input became, in the order of the input.
#[derive(Debug, Clone)]
pub struct Batch {
    /// The events, one a line, each ended by a newline.
    pub events: Vec<u8>,
    /// The records that could not be converted.
    pub rejects: Vec<Reject>,
    /// The counts of this part.
    pub counts: Counts,
    /// Where in its input this part ends, in bytes after decompression.
    pub end: u64,
    /// Where among the events each reject has its place.
    places: Vec<usize>,
    /// What each event looks like, if somebody wants to know.
    pub(super) layouts: Option<Layouts>,
    /// How many lines are to be added to the line numbers of what comes behind it.
    pub(super) lines: u64,
    /// Whether a line that is not blank gave anything but one record.
    pub(super) uneven: bool,
}

impl Batch {
    /// An empty batch, with the counts of nothing.
    pub(super) fn new(counts: Counts) -> Batch {
        Batch {
            events: Vec::new(),
            rejects: Vec::new(),
            counts,
            end: 0,
            places: Vec::new(),
            layouts: None,
            lines: 0,
            uneven: false,
        }
    }

    /// What each record became, in the order of the input: an event without its newline, or a reject.
    pub fn records(&self) -> impl Iterator<Item = Result<&[u8], &Reject>> {
        let mut at = At::default();
        std::iter::from_fn(move || self.record(&mut at))
    }

    /// What each event looks like, for the columns of a table; nothing unless the converter was made
    /// [with columns](super::Converter::with_columns).
    pub fn layouts(&self) -> Option<&Layouts> {
        self.layouts.as_ref()
    }

    /// Where among the bytes of the events each reject has its place.
    pub fn reject_places(&self) -> &[usize] {
        &self.places
    }

    /// The next record.
    pub(super) fn record(&self, at: &mut At) -> Option<Result<&[u8], &Reject>> {
        if self.places.get(at.reject) == Some(&at.event) {
            at.reject += 1;
            return self.rejects.get(at.reject - 1).map(Err);
        }
        let events = &self.events[at.event..];
        let end = memchr::memchr(b'\n', events)?;
        at.event += end + 1;
        Some(Ok(&events[..end]))
    }

    /// Numbers the lines of the rejects from this one on, when the batch's turn has come: `before`
    /// lines were counted before it.
    pub(super) fn number(&mut self, from: usize, before: &mut u64) {
        self.rejects[from..].iter_mut().for_each(|reject| reject.line += *before);
        *before += std::mem::take(&mut self.lines);
    }

    /// Gives all rejects their places behind the events.
    pub(super) fn put_rejects_last(&mut self) {
        self.places.fill(self.events.len());
    }

    /// Empties the batch, keeping its buffers.
    pub(super) fn clear(&mut self) {
        self.events.clear();
        self.rejects.clear();
        self.places.clear();
        self.counts.clear();
        self.layouts.iter_mut().for_each(Layouts::clear);
        self.uneven = false;
    }

    /// Counts records of this form and shape.
    pub(super) fn count(&mut self, format: Format, shape: Option<&str>, records: u64) {
        self.counts.records += records;
        *self.counts.by_format.entry(format).or_default() += records;
        let shape = shape.unwrap_or("unreadable");
        match self.counts.by_shape.get_mut(shape) {
            Some(count) => *count += records,
            None => drop(self.counts.by_shape.insert(shape.to_owned(), records)),
        }
    }

    pub(super) fn reject(
        &mut self,
        error: RecordError,
        format: Format,
        shape: Option<&str>,
        place: &Unit,
        raw: &[u8],
    ) {
        self.count(format, shape, 1);
        self.counts.rejects += 1;
        *self.counts.by_reason.entry(error.reason).or_default() += 1;
        self.places.push(self.events.len());
        self.rejects.push(Reject {
            reason: error.reason,
            message: error.message,
            line: place.line,
            offset: place.offset,
            length: place.length,
            raw: raw.to_vec(),
            table: None,
        });
    }
}

/// How far a batch's records were passed.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct At {
    /// The byte of the events.
    event: usize,
    /// The number of the reject.
    reject: usize,
}

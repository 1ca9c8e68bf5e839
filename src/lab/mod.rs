//! Synthetic Duo logs, the same bytes for the same seed and mix.
//!
//! A [`Generator`] writes one line after the other; a [`Mix`] says how many are plain records of
//! Duo's two API versions and how many are odd, broken or wrapped. Nothing here looks at a clock:
//! the records' own time starts at 2019-06-01 and goes forward some seconds a record (ten on
//! average, so a million records span four months); at the year 2100 it starts again. With a [`Calendar`] they are
//! spread over a range instead, most of them in working hours.
//!
//! What must become of a line is known beforehand: [`Generator::reason`] names the reject reason
//! of the last line, or `None` where every record in it must convert. What the rules leave
//! open (a leap second, a date without a time, a year of five digits, blanks around an epoch number)
//! is in no line.

mod authentication;
mod awkward;
pub(crate) mod bench;
mod broken;
mod builder;
mod calendar;
mod fields;
mod mix;
#[cfg(test)]
mod tests;
mod wrapped;

pub use calendar::Calendar;
pub use mix::{Mix, MixError};

use builder::RecordBuilder;
use fields::{RecordSource, Rng};
use mix::RecordKind;

/// Writes synthetic logs, line by line.
///
/// ```
/// # use udmap::lab::{Generator, Mix};
/// let log = Generator::records(7, &Mix::default(), 1000);
/// assert_eq!(log, Generator::records(7, &Mix::default(), 1000));
/// ```
#[derive(Debug)]
pub struct Generator {
    mix: Mix,
    rng: Rng,
    source: RecordSource,
    builder: RecordBuilder,
    scratch: Vec<u8>,
    reason: Option<&'static str>,
    /// How many records were made.
    made: u64,
}

impl Generator {
    /// A generator at the start of its stream.
    pub fn new(seed: u64, mix: &Mix) -> Self {
        let mut rng = Rng::new(seed);
        let source = RecordSource::new(&mut rng);
        Self {
            mix: mix.clone(),
            rng,
            source,
            builder: RecordBuilder::default(),
            scratch: Vec::new(),
            reason: None,
            made: 0,
        }
    }

    /// The same for `records` records that are spread over a calendar, in the order of time. Awkward and broken ones may
    /// have odd times instead.
    #[must_use]
    pub fn spread(mut self, calendar: Calendar, records: u64) -> Self {
        self.source.spread(calendar, records);
        self
    }

    /// Appends one line with its newline, holding at most `most` records, and returns how many.
    ///
    /// A line that must be rejected counts as one record. So does an envelope or array without
    /// records, though nothing comes of it: the count is at least 1, so that a loop up to a
    /// wanted number ends. A `most` of 0 is taken as 1.
    pub fn line(&mut self, most: u64, out: &mut Vec<u8>) -> u64 {
        let Self { mix, rng, source, builder, scratch, reason, made } = self;
        *reason = None;
        source.number = *made;
        let mut count = 1;
        match mix.draw(rng) {
            RecordKind::V2 => {
                builder.v2(&source.next(rng));
                builder.write(rng, out);
            }
            RecordKind::V1 => {
                builder.v1(&source.next(rng));
                builder.write(rng, out);
            }
            RecordKind::Awkward => awkward::line(rng, source, builder, out),
            RecordKind::Shuffled => {
                builder.either(&source.next(rng), rng);
                builder.shuffle(rng);
                builder.write(rng, out);
            }
            RecordKind::Broken => *reason = Some(broken::line(rng, source, builder, scratch, out)),
            RecordKind::Authentication => authentication::record(&source.next(rng), rng, out),
            RecordKind::Wrapped => count = wrapped::line(rng, source, builder, most, out),
        }
        out.push(b'\n');
        *made += count;
        count
    }

    /// Why the last line must be rejected, as the reject file's short code; `None` if every
    /// record in it must convert, or if there is no line yet.
    pub fn reason(&self) -> Option<&'static str> {
        self.reason
    }

    /// The first `n` records of a stream, as counted by [`Generator::line`].
    pub fn records(seed: u64, mix: &Mix, n: u64) -> Vec<u8> {
        let mut generator = Self::new(seed, mix);
        let mut out = Vec::new();
        let mut left = n;
        while left > 0 {
            left -= generator.line(left, &mut out);
        }
        out
    }
}

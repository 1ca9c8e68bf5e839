//! Arrow arrays of events.

use super::layout::{Layout, Place, Source, unescaped};
use super::layouts::{EventLayout, Layouts};
use super::text_column::TextColumn;
use super::times::Times;
use super::{COLUMNS, TIME, name};
use arrow_array::ArrayRef;
use arrow_array::builder::{StringBuilder, TimestampMicrosecondBuilder};
use arrow_buffer::NullBuffer;
use arrow_schema::{ArrowError, DataType, Field, TimeUnit};
use std::borrow::Cow;
use std::sync::Arc;

const UTC: &str = "UTC";
/// How many rows are looked at at once.
const ROWS: usize = 1024;
/// The layout of a row without an event.
const NO_EVENT: usize = usize::MAX;

/// Makes Arrow arrays of events: the event as JSON and, if they are wanted, the [`COLUMNS`].
#[derive(Debug)]
pub struct Builder {
    events: StringBuilder,
    /// The time, and the others.
    columns: Option<(TimestampMicrosecondBuilder, Vec<TextColumn>)>,
    reader: Times,
    /// Which rows are events.
    is_event: Vec<bool>,
    bytes: usize,
    rows: Vec<Row>,
    places: Vec<Place>,
}

/// A row among those that are looked at.
#[derive(Debug, Clone, Copy)]
struct Row {
    /// The number of its layout, or [`NO_EVENT`].
    layout: usize,
    /// Its first place.
    places: usize,
}

impl Builder {
    /// With the columns, or the event alone.
    pub fn new(with_columns: bool) -> Builder {
        let columns = || {
            let times = TimestampMicrosecondBuilder::new().with_timezone(UTC);
            (times, COLUMNS.map(|_| TextColumn::default()).into())
        };
        Builder {
            events: StringBuilder::new(),
            columns: with_columns.then(columns),
            reader: Times::default(),
            is_event: Vec::new(),
            bytes: 0,
            rows: Vec::new(),
            places: Vec::new(),
        }
    }

    /// The fields of what [`finish`](Self::finish) gives: the event, the time, and [`COLUMNS`].
    pub fn fields(with_columns: bool) -> Vec<Field> {
        let mut fields = vec![Field::new("event", DataType::Utf8, true)];
        if with_columns {
            let kind = DataType::Timestamp(TimeUnit::Microsecond, Some(UTC.into()));
            fields.push(Field::new(name(TIME), kind, true));
            fields.extend(COLUMNS.iter().map(|path| Field::new(name(path), DataType::Utf8, true)));
        }
        fields
    }

    /// The rows so far.
    pub fn len(&self) -> usize {
        self.is_event.len()
    }

    /// Whether it has no rows.
    pub fn is_empty(&self) -> bool {
        self.is_event.is_empty()
    }

    /// Which of the rows are events.
    pub fn is_event(&self) -> &[bool] {
        &self.is_event
    }

    /// The bytes of the events so far, with a newline each.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Adds the events of a batch, and a row of nulls at each of these places among their bytes.
    ///
    /// # Errors
    /// If the layouts are not those of the events.
    pub fn push(&mut self, events: &[u8], layouts: &Layouts, nulls: &[usize]) -> Result<(), ArrowError> {
        let text = utf8(events)?;
        let (mut start, mut nulls) = (0, nulls.iter().peekable());
        for part in layouts.events().chunks(ROWS) {
            for EventLayout { layout, end } in part {
                while nulls.next_if(|at| **at <= start).is_some() {
                    self.no_event();
                }
                self.event(text, start..*end, *layout, layouts.known())?;
                start = *end;
            }
            self.columns(text, layouts.known())?;
        }
        nulls.for_each(|_| self.no_event());
        self.columns(text, layouts.known())?;
        if start == text.len() { Ok(()) } else { Err(unlike()) }
    }

    /// Adds some of a batch's events, the first of which begins at `start`.
    #[cfg_attr(not(feature = "parquet"), allow(dead_code, reason = "only the Parquet writer cuts batches"))]
    pub(super) fn push_some(
        &mut self,
        text: &str,
        mut start: usize,
        events: &[EventLayout],
        known: &[Option<Layout>],
    ) -> Result<(), ArrowError> {
        for EventLayout { layout, end } in events {
            self.event(text, start..*end, *layout, known)?;
            start = *end;
        }
        self.columns(text, known)
    }

    fn no_event(&mut self) {
        self.events.append_null();
        self.rows.push(Row { layout: NO_EVENT, places: 0 });
    }

    fn event(
        &mut self,
        text: &str,
        range: std::ops::Range<usize>,
        layout: usize,
        known: &[Option<Layout>],
    ) -> Result<(), ArrowError> {
        self.rows.push(Row { layout, places: self.places.len() });
        if self.columns.is_some() {
            let layout = known.get(layout).and_then(Option::as_ref);
            let found = layout.and_then(|it| it.places(text.as_bytes(), range.start, &mut self.places));
            found.ok_or_else(unlike)?;
        }
        let event = text.get(range).and_then(|event| event.strip_suffix('\n')).ok_or_else(unlike)?;
        self.bytes += event.len() + 1;
        self.events.append_value(event);
        Ok(())
    }

    /// Adds the columns of the rows that were looked at.
    fn columns(&mut self, text: &str, known: &[Option<Layout>]) -> Result<(), ArrowError> {
        let Builder { columns, reader, rows, places, is_event, .. } = self;
        if let Some((times, texts)) = columns {
            // The layouts of these rows, which then have their numbers among these.
            let (mut used, mut numbers) = (Vec::new(), vec![NO_EVENT; known.len()]);
            for row in rows.iter_mut().filter(|row| row.layout != NO_EVENT) {
                let number = &mut numbers[row.layout];
                if *number == NO_EVENT {
                    *number = used.len();
                    used.extend(&known[row.layout]);
                }
                row.layout = *number;
            }
            let mut sources: Vec<&Source> = used.iter().map(|it| &it.sources[COLUMNS.len()]).collect();
            for row in rows.iter() {
                times.append_option(value(row, &sources, places, text).and_then(|text| reader.micros(&text)));
            }
            for (column, texts) in texts.iter_mut().enumerate() {
                sources.clear();
                sources.extend(used.iter().map(|layout| &layout.sources[column]));
                let stays = match sources.first() {
                    None => texts.is_one_text(),
                    Some(Source::Value(_)) => false,
                    Some(first) => {
                        sources.iter().all(|it| it == first) && texts.stays_the_same(first.constant())
                    }
                };
                if !stays {
                    let texts = texts.rows(is_event);
                    rows.iter().for_each(|row| texts.append_option(value(row, &sources, places, text)));
                }
            }
        }
        is_event.extend(rows.drain(..).map(|row| row.layout != NO_EVENT));
        places.clear();
        Ok(())
    }

    /// The rows as arrays, of the types of [`fields`](Self::fields); the builder is empty then.
    ///
    /// # Errors
    /// If Arrow does not take them.
    pub fn finish(&mut self) -> Result<Vec<ArrayRef>, ArrowError> {
        let mut arrays: Vec<ArrayRef> = vec![Arc::new(self.events.finish())];
        let count = self.is_event.len();
        if let Some((times, texts)) = &mut self.columns {
            arrays.push(Arc::new(times.finish()));
            let events = NullBuffer::from(&self.is_event[..]);
            let events = Some(&events).filter(|events| events.null_count() > 0);
            for column in texts {
                arrays.push(Arc::new(column.finish(count, events)?));
            }
        }
        self.is_event.clear();
        self.bytes = 0;
        Ok(arrays)
    }
}

/// What a row has in a column.
fn value<'a>(row: &Row, sources: &[&'a Source], places: &[Place], text: &'a str) -> Option<Cow<'a, str>> {
    match sources.get(row.layout)? {
        Source::Nothing => None,
        Source::Constant(text) => Some(Cow::Borrowed(text)),
        Source::Value(n) => {
            let place = places.get(row.places + n)?;
            let raw = text.get(place.start..place.end)?;
            if place.is_escaped { unescaped(raw) } else { Some(Cow::Borrowed(raw)) }
        }
    }
}

/// The events as a text.
pub(super) fn utf8(events: &[u8]) -> Result<&str, ArrowError> {
    std::str::from_utf8(events).map_err(|error| ArrowError::from_external_error(Box::new(error)))
}

pub(super) fn unlike() -> ArrowError {
    ArrowError::InvalidArgumentError("an event is not of its layout".into())
}

//! What converts: a mapping's plan, with what its threads have learnt of the records.

use super::batch::Batch;
use super::counts::Counts;
use super::exact::Exact;
use super::fast::{Fast, Lines};
use super::inputs::next_in;
use super::options::{Engine, Envelope, FieldNames, Options};
use super::pipeline::Spare;
use crate::columns::Layouts;
use crate::mapping::{EventStyle, Mapping, Plan};
use crate::record::formats::TablesLeft;
use crate::record::frame::{ChunkBody, Framer};
use crate::sync::lock;
use std::sync::Mutex;

/// Buffers that are larger than this many chunks are not kept from one run to the next.
const MOST_KEPT: usize = 8;

/// Converts records into UDM events by one mapping.
///
/// It may be used on many threads at once. Best make one and keep it: what it has seen of the records makes it faster.
#[derive(Debug)]
pub struct Converter {
    pub(super) exact: Exact,
    chunk_bytes: usize,
    engine: Engine,
    /// Whether batches say what each event looks like.
    columns: bool,
    /// The fast path as it begins.
    fast: Option<Box<Fast>>,
    /// The fast path as threads have left it, one for each that was at work at once.
    left: Mutex<Vec<Box<Fast>>>,
    /// Buffers that runs have left: the next one needs no others. Many inputs are smaller than what it takes to make them.
    pub(super) spares: Mutex<Vec<Spare<Batch>>>,
}

/// A thread's own fast path, which goes back to the converter in the end.
#[derive(Debug)]
pub(super) struct Learnt<'c> {
    fast: Option<Box<Fast>>,
    converter: &'c Converter,
}

impl Drop for Learnt<'_> {
    fn drop(&mut self) {
        // What a panic has left half done is not used again.
        if let Some(fast) = self.fast.take().filter(|_| !std::thread::panicking()) {
            lock(&self.converter.left).push(fast);
        }
    }
}

/// A clone begins anew: it has seen no record.
impl Clone for Converter {
    fn clone(&self) -> Converter {
        Converter {
            exact: self.exact.clone(),
            chunk_bytes: self.chunk_bytes,
            engine: self.engine,
            columns: self.columns,
            fast: self.fast.clone(),
            left: Mutex::default(),
            spares: Mutex::default(),
        }
    }
}

impl Converter {
    /// A converter for `mapping`.
    pub fn new(mapping: &Mapping, options: &Options) -> Converter {
        let camel = options.field_names == FieldNames::Camel;
        let style = EventStyle { camel, namespace: options.namespace.as_deref(), labels: &options.labels };
        let (before, after): (&[u8], &[u8]) = match (options.envelope, camel) {
            (Envelope::Bare, _) => (b"", b"\n"),
            (Envelope::Event, false) => (b"{\"event\":{\"idm\":{\"read_only_udm\":", b"}}}\n"),
            (Envelope::Event, true) => (b"{\"event\":{\"idm\":{\"readOnlyUdm\":", b"}}}\n"),
        };
        let tables = Plan::tables(mapping, style);
        // Of several tables each record is read the exact way.
        let fast = match &tables.all[..] {
            [plan] => {
                options.engine.level().and_then(|level| Fast::new(plan, level, options.range)).map(Box::new)
            }
            _ => None,
        };
        let mut first_event_types = vec![0];
        for plan in &tables.all {
            first_event_types.push(first_event_types.last().unwrap_or(&0) + plan.event_types.len());
        }
        Converter {
            engine: if fast.is_some() { options.engine.resolved() } else { Engine::Exact },
            columns: false,
            fast,
            left: Mutex::default(),
            spares: Mutex::default(),
            exact: Exact {
                tables,
                first_event_types,
                before,
                after,
                max_record_bytes: options.max_record_bytes.max(1),
                range: options.range,
            },
            chunk_bytes: options.chunk_bytes.max(1),
        }
    }

    /// The same, but its batches have [`Layouts`](crate::columns::Layouts), which tables are made with.
    #[must_use]
    pub fn with_columns(self) -> Converter {
        // What is kept of earlier runs has no layouts.
        Converter { columns: true, spares: Mutex::default(), ..self }
    }

    /// The compiled tables: those of a set, or one.
    pub fn plans(&self) -> &[Plan] {
        &self.exact.tables.all
    }

    /// The engine that is at work, never [`Engine::Auto`]: what was asked for, or, where the
    /// machine lacks it or the mapping has too many fields for it, what took its place.
    pub fn engine(&self) -> Engine {
        self.engine
    }

    /// The counts of nothing yet, for this converter's events.
    pub fn counts(&self) -> Counts {
        Counts::new(self.plans())
    }

    /// Converts everything in `input`: a record, or any number of them.
    ///
    /// The result is the same as that of reading `input` as a stream.
    pub fn convert(&self, input: &[u8]) -> Batch {
        let mut batch = self.batch();
        self.convert_into(&mut self.learnt(), input, &mut batch);
        batch
    }

    /// Converts everything in `input` into an empty batch.
    pub(super) fn convert_into(&self, learnt: &mut Learnt<'_>, input: &[u8], batch: &mut Batch) {
        self.convert_left(learnt, input, self.exact.tables.left(), batch);
    }

    /// The same for records of the tables that are left.
    pub(super) fn convert_left(
        &self,
        learnt: &mut Learnt<'_>,
        input: &[u8],
        left: TablesLeft,
        batch: &mut Batch,
    ) {
        let mut framer = self.framer();
        let (mut buffer, mut lines) = (Vec::new(), 0);
        // Reading from a slice can't fail.
        while let Ok(Some(held)) = next_in(&mut framer, input, std::mem::take(&mut buffer)) {
            let known = batch.rejects.len();
            let (bytes, body) = held.parts();
            self.units_left(learnt, bytes, body, left, batch);
            batch.number(known, &mut lines);
            buffer = held.into_buffer();
        }
        batch.counts.bytes_in = input.len() as u64;
        batch.end = batch.counts.bytes_in;
    }

    /// Converts the units that lie at the beginning of `bytes`, adding to `batch`.
    pub(super) fn convert_units(
        &self,
        learnt: &mut Learnt<'_>,
        bytes: &[u8],
        body: &ChunkBody,
        batch: &mut Batch,
    ) {
        self.units_left(learnt, bytes, body, self.exact.tables.left(), batch);
    }

    /// The same for records of the tables that are left.
    fn units_left(
        &self,
        learnt: &mut Learnt<'_>,
        bytes: &[u8],
        body: &ChunkBody,
        left: TablesLeft,
        batch: &mut Batch,
    ) {
        let before = batch.events.len();
        batch.lines = match (body, &mut learnt.fast) {
            (&ChunkBody::Lines { offset, line, end }, Some(fast)) => {
                Lines { fast, exact: &self.exact, bytes, end, offset, line, batch }.convert()
            }
            _ => {
                self.exact.units(bytes, body, left, batch);
                0
            }
        };
        batch.counts.bytes_out += (batch.events.len() - before) as u64;
        batch.end = body.end();
    }

    /// The fast path counts the lines that it converts.
    pub(super) fn framer(&self) -> Framer {
        let framer = Framer::new(self.exact.max_record_bytes, self.chunk_bytes);
        if self.fast.is_some() { framer.without_lines() } else { framer }
    }

    /// About how many bytes are converted at a time.
    pub(super) fn chunk_bytes(&self) -> usize {
        self.chunk_bytes
    }

    /// Buffers for a thread.
    pub(super) fn spare(&self) -> Spare<Batch> {
        lock(&self.spares).pop().unwrap_or_default()
    }

    /// Takes back a thread's buffers, unless a record made them large.
    pub(super) fn keep(&self, mut spare: Spare<Batch>) {
        let most = MOST_KEPT * self.chunk_bytes;
        let Some(batch) = &mut spare.part else { return };
        batch.clear();
        if batch.events.capacity() <= most && spare.buffer.capacity() <= most {
            lock(&self.spares).push(spare);
        }
    }

    /// An empty batch.
    pub(super) fn batch(&self) -> Batch {
        let mut batch = Batch::new(self.counts());
        batch.layouts = self.columns.then(Layouts::default);
        batch
    }

    /// What a thread needs to convert.
    pub(super) fn learnt(&self) -> Learnt<'_> {
        let left = lock(&self.left).pop();
        Learnt { fast: left.or_else(|| self.fast.clone()), converter: self }
    }
}

//! From records to UDM events: a mapping's plan applied to whatever arrives.
//!
//! [`Converter::convert`] takes a byte slice, [`Converter::convert_inputs`] any number of readers,
//! on as many threads as wanted. Both give [`Batch`]es: events as NDJSON, and the records that
//! could not be converted as [`Reject`]s. Nothing here opens a file or looks at a clock.

mod again;
mod batch;
mod event;
mod fast;
mod lineage;
mod parallel;
mod program;
mod queue;
mod reject;
mod rows;
mod session;
mod source;
mod tally;
mod trace;

pub use batch::Batch;
pub use lineage::{Filled, Lineage, Silent};
pub use parallel::{Input, Piece, Stop};
pub use reject::Reject;
pub use rows::Each;
pub use session::Session;
pub use tally::{EventTypeCount, Tally};
pub use trace::Traced;

use crate::mapping::{EventStyle, Mapping, Plan};
use crate::record::frame::Framer;
use crate::simd::Level;
use fast::Fast;

/// SecOps' own limit for a log line: 1 MiB.
pub const MAX_RECORD_BYTES: usize = 1 << 20;

/// How many bytes of input make a chunk: small records can become events ten times their size, so
/// what comes of a chunk stays within a few MiB.
pub const CHUNK_BYTES: usize = 128 * 1024;

/// How events are spelled and what is added to them.
#[derive(Debug, Clone)]
pub struct Options {
    /// The spelling of field names.
    pub field_names: FieldNames,
    /// What stands around an event.
    pub envelope: Envelope,
    /// For `principal.namespace`, wherever a principal stands: the feed's asset namespace.
    pub namespace: Option<String>,
    /// Keys and values for `metadata.ingestion_labels`: the feed's ingestion labels.
    pub labels: Vec<(String, String)>,
    /// The longest record, in bytes; longer ones are rejected. At least 1.
    pub max_record_bytes: usize,
    /// How many bytes of input are converted at a time, about. At least 1. The results don't depend
    /// on it; memory does.
    pub chunk_bytes: usize,
    /// How records are read and events written. The results don't depend on it; speed does.
    pub engine: Engine,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            field_names: FieldNames::default(),
            envelope: Envelope::default(),
            namespace: None,
            labels: Vec::new(),
            max_record_bytes: MAX_RECORD_BYTES,
            chunk_bytes: CHUNK_BYTES,
            engine: Engine::default(),
        }
    }
}

/// How records are read and events written: all engines give the same events, rejects and books.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Engine {
    /// The fastest that this machine has.
    #[default]
    Auto,
    /// The fast path with AVX-512 (F, BW, VL).
    Avx512,
    /// The fast path with AVX2.
    Avx2,
    /// The fast path with plain integers.
    Portable,
    /// The reference: every record is read by serde_json.
    Exact,
}

impl Engine {
    /// Every engine.
    pub const ALL: [Engine; 5] =
        [Engine::Auto, Engine::Avx512, Engine::Avx2, Engine::Portable, Engine::Exact];

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Engine::Auto => "auto",
            Engine::Avx512 => "avx512",
            Engine::Avx2 => "avx2",
            Engine::Portable => "portable",
            Engine::Exact => "exact",
        }
    }

    /// Whether this machine has the instructions for it. An engine that it lacks is replaced by
    /// the next best.
    pub fn is_available(self) -> bool {
        match self {
            Engine::Avx512 => Level::best() == Level::Avx512,
            Engine::Avx2 => Level::best() >= Level::Avx2,
            Engine::Auto | Engine::Portable | Engine::Exact => true,
        }
    }

    /// What runs in its place on this machine.
    fn resolved(self) -> Engine {
        let mut from_here = Engine::ALL.into_iter().skip_while(|engine| *engine != self);
        from_here.find(|engine| *engine != Engine::Auto && engine.is_available()).unwrap_or(Engine::Exact)
    }

    /// The instructions of its fast path; nothing if it has none.
    fn level(self) -> Option<Level> {
        match self {
            Engine::Auto => Some(Level::best()),
            Engine::Avx512 => Some(Level::Avx512),
            Engine::Avx2 => Some(Level::Avx2),
            Engine::Portable => Some(Level::Portable),
            Engine::Exact => None,
        }
    }
}

/// The spelling of UDM's field names in events. SecOps takes both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FieldNames {
    /// `event_type`, as in rules and in UDM search.
    #[default]
    Snake,
    /// `eventType`, protobuf's canonical JSON.
    Camel,
}

/// What stands around an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Envelope {
    /// Nothing: the line is the event.
    #[default]
    Bare,
    /// `{"event":{"idm":{"read_only_udm":...}}}`, as parsers give it.
    Event,
}

/// Converts records into UDM events by one mapping.
#[derive(Debug)]
pub struct Converter {
    plan: Plan,
    before: &'static [u8],
    after: &'static [u8],
    max_record_bytes: usize,
    chunk_bytes: usize,
    engine: Engine,
    /// The fast path as it begins; each batch has its own.
    fast: Option<Box<Fast>>,
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
        let plan = Plan::new(mapping, style);
        let fast = options.engine.level().and_then(|level| Fast::new(&plan, level)).map(Box::new);
        Converter {
            engine: if fast.is_some() { options.engine.resolved() } else { Engine::Exact },
            fast,
            plan,
            before,
            after,
            max_record_bytes: options.max_record_bytes.max(1),
            chunk_bytes: options.chunk_bytes.max(1),
        }
    }

    /// The compiled mapping.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The engine that is at work, never [`Engine::Auto`]: what was asked for, or, where the
    /// machine lacks it or the mapping has too many fields for it, what took its place.
    pub fn engine(&self) -> Engine {
        self.engine
    }

    /// The fast path counts the lines that it converts.
    fn framer(&self) -> Framer {
        let framer = Framer::new(self.max_record_bytes, self.chunk_bytes);
        if self.fast.is_some() { framer.without_lines() } else { framer }
    }

    /// An empty account for this converter's events.
    pub fn tally(&self) -> Tally {
        Tally::new(&self.plan)
    }
}

//! What a conversion may be told.

use super::range::TimeRange;
use crate::simd::CpuLevel;
use crate::time::Instant;

/// SecOps' own limit for a log line: 1 MiB.
pub const MAX_RECORD_BYTES: usize = 1 << 20;

/// How many bytes of input make a chunk: small records can become events ten times their size, so
/// what comes of a chunk stays within a few MiB.
pub const CHUNK_BYTES: usize = 128 * 1024;

/// How events are written, what is added to them, how records are read, and which of them count.
///
/// ```
/// use udmap::convert::{Envelope, Options};
///
/// let options = Options::default().envelope(Envelope::Event).label("env", "prod");
/// ```
#[derive(Debug, Clone)]
pub struct Options {
    pub(crate) field_names: FieldNames,
    pub(crate) envelope: Envelope,
    pub(crate) namespace: Option<String>,
    pub(crate) labels: Vec<(String, String)>,
    pub(crate) max_record_bytes: usize,
    pub(crate) chunk_bytes: usize,
    pub(crate) engine: Engine,
    /// Which records are converted.
    pub(crate) range: TimeRange,
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
            range: TimeRange::default(),
        }
    }
}

impl Options {
    /// The style of field names: [`FieldNames::Snake`] unless set.
    #[must_use]
    pub fn field_names(self, field_names: FieldNames) -> Options {
        Options { field_names, ..self }
    }

    /// What is written around an event: nothing unless set.
    #[must_use]
    pub fn envelope(self, envelope: Envelope) -> Options {
        Options { envelope, ..self }
    }

    /// The feed's asset namespace: the `namespace` of every `principal`.
    #[must_use]
    pub fn namespace(self, namespace: impl Into<String>) -> Options {
        Options { namespace: Some(namespace.into()), ..self }
    }

    /// Adds one of the feed's ingestion labels, for `metadata.ingestion_labels`.
    #[must_use]
    pub fn label(mut self, key: impl Into<String>, value: impl Into<String>) -> Options {
        self.labels.push((key.into(), value.into()));
        self
    }

    /// The longest record, in bytes, at least 1: [`MAX_RECORD_BYTES`] unless set. Longer ones are rejected.
    #[must_use]
    pub fn max_record_bytes(self, max_record_bytes: usize) -> Options {
        Options { max_record_bytes, ..self }
    }

    /// About how many bytes of input are converted at a time, at least 1: [`CHUNK_BYTES`] unless set. Memory
    /// depends on it; the results don't.
    #[must_use]
    pub fn chunk_bytes(self, chunk_bytes: usize) -> Options {
        Options { chunk_bytes, ..self }
    }

    /// Only records of this time or later are converted: all unless set. The time is that of the event. Others are
    /// [counted](super::Counts::outside), and are neither events nor rejects. A record whose time can't be read is a
    /// reject as ever.
    #[must_use]
    pub fn records_since(self, since: Instant) -> Options {
        Options { range: TimeRange { since: Some(since), ..self.range }, ..self }
    }

    /// Only records before this time are converted, see [`records_since`](Self::records_since).
    #[must_use]
    pub fn records_until(self, until: Instant) -> Options {
        Options { range: TimeRange { until: Some(until), ..self.range }, ..self }
    }

    /// How records are read: [`Engine::Auto`] unless set. Speed depends on it; the results don't.
    #[must_use]
    pub fn engine(self, engine: Engine) -> Options {
        Options { engine, ..self }
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
            Engine::Avx512 => CpuLevel::best() == CpuLevel::Avx512,
            Engine::Avx2 => CpuLevel::best() >= CpuLevel::Avx2,
            Engine::Auto | Engine::Portable | Engine::Exact => true,
        }
    }

    /// What runs in its place on this machine.
    pub(super) fn resolved(self) -> Engine {
        let mut from_here = Engine::ALL.into_iter().skip_while(|engine| *engine != self);
        from_here.find(|engine| *engine != Engine::Auto && engine.is_available()).unwrap_or(Engine::Exact)
    }

    /// The instructions of its fast path; nothing if it has none.
    pub(super) fn level(self) -> Option<CpuLevel> {
        match self {
            Engine::Auto => Some(CpuLevel::best()),
            Engine::Avx512 => Some(CpuLevel::Avx512),
            Engine::Avx2 => Some(CpuLevel::Avx2),
            Engine::Portable => Some(CpuLevel::Portable),
            Engine::Exact => None,
        }
    }
}

/// The style of UDM's field names in events. SecOps takes both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FieldNames {
    /// `event_type`, as in rules and in UDM search.
    #[default]
    Snake,
    /// `eventType`, protobuf's canonical JSON.
    Camel,
}

impl FieldNames {
    /// Each spelling with its name in settings.
    pub const ALL: [(&'static str, FieldNames); 2] =
        [("snake", FieldNames::Snake), ("camel", FieldNames::Camel)];
}

/// What is written around an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Envelope {
    /// Nothing: the line is the event.
    #[default]
    Bare,
    /// `{"event":{"idm":{"read_only_udm":...}}}`, as parsers give it.
    Event,
}

impl Envelope {
    /// Each form with its name in settings.
    pub const ALL: [(&'static str, Envelope); 2] = [("bare", Envelope::Bare), ("event", Envelope::Event)];
}

//! What a conversion writes: events, and rejects if there are some and they are kept. If the input is a reject file, also
//! where the record of each event came from.

use super::entry::{Kind, OutputObject};
use super::place::Target;
use super::{Context, Format};
use crate::columns::Layouts;
use crate::convert::{Batch, RejectAt};
use crate::store::objects::{BlockingStore, StagedFile, Upload};
use crate::store::{BlockCompressor, Compression, Error};
use aws_lc_rs::digest;
use std::io::{self, Write};

/// Outputs under way. Dropped before they are finished, they never were.
#[derive(Debug)]
pub(super) struct Outputs {
    events: Side,
    rejects: Option<Side>,
    /// Of reject files: a line for each event.
    sources: Option<Side>,
    /// Events so far.
    count: u64,
    format: Format,
    threads: usize,
    line: Vec<u8>,
    /// What must not be written, only measured.
    dry: bool,
    expected: u64,
    failed: bool,
}

/// One of the outputs.
#[derive(Debug)]
struct Side {
    kind: Kind,
    store: BlockingStore,
    key: String,
    /// Begun when there is something to write.
    encoder: Option<Encoder>,
    /// Bytes of text written so far, or rows.
    at: u64,
}

#[derive(Debug)]
enum Encoder {
    Lines(Box<BlockCompressor<Destination>>),
    #[cfg(feature = "parquet")]
    Parquet(Box<crate::columns::Table<Destination>>),
}

/// Where bytes go in the end.
#[derive(Debug)]
enum Destination {
    Upload(Box<Upload>),
    /// Nowhere: they are counted and digested.
    Measure {
        digest: Digest,
        size: u64,
    },
}

struct Digest(digest::Context);

impl std::fmt::Debug for Digest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Digest")
    }
}

/// How far outputs have come, in bytes of text, or in rows of a table.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct OutputMark {
    pub(super) events: u64,
    pub(super) rejects: u64,
    pub(super) sources: u64,
}

/// The key of an output by its identity: below which target, for which input.
pub(super) fn key(target: &Target, relative: &str, id: &str, kind: Kind, format: Format) -> String {
    super::name::output(&target.prefix, relative, id, &ending(kind, format), !target.store.is_remote())
}

fn ending(kind: Kind, format: Format) -> String {
    match kind {
        Kind::Events => format.ending().to_owned(),
        Kind::Rejects => format!(".rejects{}", format.of_rejects().extension()),
        // Not `.ndjson`: it would be taken for a part of the manifest.
        Kind::Sources => ".sources.jsonl".to_owned(),
    }
}

/// How keys of outputs of a kind may end: in this format, or in any.
pub(super) fn endings(kind: Kind, format: Option<Format>) -> Vec<String> {
    let all = Compression::KINDS.map(Format::Lines);
    let mut endings: Vec<String> = match format {
        Some(format) => vec![ending(kind, format)],
        None => all.into_iter().map(|format| ending(kind, format)).collect(),
    };
    if format.is_none() && kind == Kind::Events {
        endings.push(".parquet".to_owned());
    }
    endings
}

/// What the keys of all rejects of one input have in common, whatever its version and the mapping; nothing if a key is not
/// that of rejects, or that of a pack's.
pub(super) fn stem_of_rejects(key: &str) -> Option<&str> {
    let rest = endings(Kind::Rejects, None).iter().find_map(|ending| key.strip_suffix(ending.as_str()))?;
    let (stem, id) = rest.rsplit_once('.')?;
    let is_id = id.len() == 16 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    let name = stem.rsplit('/').next().unwrap_or(stem);
    (is_id && name != "pack").then_some(stem)
}

impl Outputs {
    /// Outputs for an input (or the first one of a pack) at `relative`, identified by `id`. About
    /// `expected` bytes come in; large ones are compressed on `threads`.
    pub(super) fn new(
        context: &Context<'_>,
        relative: &str,
        id: &str,
        expected: u64,
        threads: usize,
    ) -> Outputs {
        let format = context.settings.format;
        let side = |target: &Target, kind| Side {
            kind,
            store: target.store.clone(),
            key: key(target, relative, id, kind, format),
            encoder: None,
            at: 0,
        };
        Outputs {
            events: side(&context.output, Kind::Events),
            rejects: context.rejects.as_ref().map(|target| side(target, Kind::Rejects)),
            sources: context.settings.from_rejects.then(|| side(&context.sources, Kind::Sources)),
            count: 0,
            format,
            threads,
            line: Vec::new(),
            dry: false,
            expected: expected.saturating_mul(16),
            failed: false,
        }
    }

    /// Outputs that are not written, only measured; rejects among them if they were `kept`.
    pub(super) fn measured(context: &Context<'_>, format: Format, kept: bool, threads: usize) -> Outputs {
        let side = |kind| Side {
            kind,
            store: context.output.store.clone(),
            key: String::new(),
            encoder: None,
            at: 0,
        };
        Outputs {
            events: side(Kind::Events),
            rejects: kept.then(|| side(Kind::Rejects)),
            sources: context.settings.from_rejects.then(|| side(Kind::Sources)),
            count: 0,
            format,
            threads,
            line: Vec::new(),
            dry: true,
            expected: 0,
            failed: false,
        }
    }

    /// Whether rejects are written.
    pub(super) fn keep_rejects(&self) -> bool {
        self.rejects.is_some()
    }

    /// Whether they could not be written.
    pub(super) fn failed(&self) -> bool {
        self.failed
    }

    /// How far they are.
    pub(super) fn mark(&self) -> OutputMark {
        let at = |side: &Option<Side>| side.as_ref().map_or(0, |side| side.at);
        OutputMark { events: self.events.at, rejects: at(&self.rejects), sources: at(&self.sources) }
    }

    /// Writes what came of a reject taken back.
    pub(super) fn write_again(&mut self, reject: &RejectAt<'_>, batch: &Batch) -> io::Result<()> {
        let written = self.write_both(reject.source, batch).and_then(|()| {
            let Some(side) = &mut self.sources else { return Ok(()) };
            self.line.clear();
            reject.write_events(self.count, batch, &mut self.line);
            self.count += batch.counts.events;
            let settings = (Format::Lines(Compression::None), self.threads, self.dry, self.expected);
            if self.line.is_empty() { Ok(()) } else { side.write(&self.line, None, settings) }
        });
        self.failed |= written.is_err();
        written
    }

    /// Writes what came of a part of the input called `source`.
    pub(super) fn write(&mut self, source: &str, batch: &Batch) -> io::Result<()> {
        let written = self.write_both(source, batch);
        self.failed |= written.is_err();
        written
    }

    fn write_both(&mut self, source: &str, batch: &Batch) -> io::Result<()> {
        let settings = (self.format, self.threads, self.dry, self.expected);
        self.events.write(&batch.events, batch.layouts(), settings)?;
        if let Some(side) = &mut self.rejects
            && !batch.rejects.is_empty()
        {
            self.line.clear();
            batch.rejects.iter().for_each(|reject| reject.write_json(source, &mut self.line));
            let settings = (Format::Lines(self.format.of_rejects()), self.threads, self.dry, self.expected);
            side.write(&self.line, None, settings)?;
        }
        Ok(())
    }

    /// Puts them in their places: what is there then, and files that wait for their names.
    /// There are events always, of whatever length, and rejects if there were some.
    pub(super) fn finish(mut self) -> Result<(Vec<OutputObject>, Waiting), Error> {
        let (mut outputs, mut pending) = (Vec::new(), Vec::new());
        let settings = (self.format, self.threads, self.dry, self.expected);
        if let Err(error) = self.events.begin(settings) {
            return Err(self.events.error(error));
        }
        for side in [Some(self.events), self.rejects, self.sources].into_iter().flatten() {
            let Side { kind, store, key, encoder, .. } = side;
            let Some(encoder) = encoder else { continue };
            let name = store.name(&key);
            let sink = match encoder {
                Encoder::Lines(blocks) => blocks.finish(),
                #[cfg(feature = "parquet")]
                Encoder::Parquet(table) => table.finish(),
            };
            let sink = sink.map_err(|error| Error::of_writing(&name, error))?;
            let (size, sha256) = match sink {
                Destination::Measure { digest, size } => (size, crate::text::hex(digest.0.finish().as_ref())),
                Destination::Upload(upload) => {
                    let stored = upload.finish()?;
                    pending.extend(stored.staged.map(|pending| (store.clone(), pending)));
                    (stored.size, stored.sha256)
                }
            };
            outputs.push(OutputObject { kind, url: name, key, size, sha256, offset: None, length: None });
        }
        Ok((outputs, pending))
    }

    /// The error behind one of [`Outputs::write`].
    pub(super) fn error(&self, error: io::Error) -> Error {
        self.events.error(error)
    }
}

/// Files that wait for their names, with where they are.
pub(super) type Waiting = Vec<(BlockingStore, StagedFile)>;

type Settings = (Format, usize, bool, u64);

impl Side {
    fn begin(&mut self, (format, threads, dry, expected): Settings) -> io::Result<&mut Encoder> {
        if self.encoder.is_none() {
            let sink = if dry {
                Destination::Measure { digest: Digest(digest::Context::new(&digest::SHA256)), size: 0 }
            } else {
                Destination::Upload(Box::new(self.store.write(&self.key, expected)?))
            };
            self.encoder = Some(match format {
                Format::Lines(compression) => {
                    Encoder::Lines(Box::new(BlockCompressor::new(sink, compression, threads)))
                }
                #[cfg(feature = "parquet")]
                Format::Parquet => Encoder::Parquet(Box::new(crate::columns::Table::new(sink)?)),
            });
        }
        match &mut self.encoder {
            Some(encoder) => Ok(encoder),
            None => Err(io::Error::other("no encoder")),
        }
    }

    fn write(&mut self, text: &[u8], layouts: Option<&Layouts>, settings: Settings) -> io::Result<()> {
        #[cfg(not(feature = "parquet"))]
        let _ = layouts;
        let (written, length) = match self.begin(settings)? {
            Encoder::Lines(blocks) => (blocks.write_all(text), text.len()),
            #[cfg(feature = "parquet")]
            Encoder::Parquet(table) => (table.push(text, layouts), memchr::memchr_iter(b'\n', text).count()),
        };
        self.at += length as u64;
        written
    }

    fn error(&self, error: io::Error) -> Error {
        Error::of_writing(&self.store.name(&self.key), error)
    }
}

impl Write for Destination {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Destination::Upload(upload) => upload.write(bytes),
            Destination::Measure { digest, size } => {
                digest.0.update(bytes);
                *size += bytes.len() as u64;
                Ok(bytes.len())
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

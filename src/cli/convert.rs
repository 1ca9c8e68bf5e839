//! `udmap convert`: logs in, UDM events out.

use super::events::EventSink;
use super::outputs::Outputs;
use super::spelling::Spelling;
use super::{DONE, FAILED, REJECTS, mappings, nothing, progress};
use crate::convert::{Converter, Counts, Engine, Input, MAX_RECORD_BYTES, Options, Piece, Reject};
use crate::report::summary::{Examples, Summary, counted};
use crate::store::store_error;
use crate::store::{self, Listing, Sink, Source};
use crate::text::escaped;
use anyhow::{anyhow, bail};
use std::io::{self, BufRead as _, Read, Write as _};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

/// Convert telephony logs into UDM events, one a line.
///
/// Inputs are files, folders (all files in them, hidden ones aside, in the order of their names), glob patterns, and
/// `-` for stdin; plain or compressed with gzip, zstd, bzip2, xz, lz4 or snappy, in UTF-8 or UTF-16, or a tar archive of
/// such files, which is told from the content. A file holds records as NDJSON, in a JSON array, in envelopes of Duo's Admin API, as CEF or key="value" lines, or
/// pretty-printed JSON.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Exit status:
  0  all converted
  1  done, with more rejects than --max-rejects, or with single objects that failed
  2  could not do it: usage, input or output, mapping, interrupted, or a fault of udmap itself
  3  nothing was found: no file, or not one record in all inputs (`--allow-empty` makes it 0)

A file is written beside its name and renamed when it is whole: an interrupted run leaves nothing under the final \
name. An input that can't be read to its end is reported, and the others are converted all the same.

Examples:
  udmap convert telephony.ndjson                        events to stdout
  udmap convert 'dump/**/*.gz' -o events.ndjson.zst --rejects rejects.ndjson
  aws s3 cp s3://bucket/key - | udmap convert - --envelope event --field-names camel
  udmap convert s3://bucket/logs/ -o s3://other/udm/ --rejects s3://other/rejects/ --include '*.gz' --max-age 180d
  udmap convert rejects.ndjson --from-rejects -o mended.ndjson --rejects rejects-2.ndjson
  udmap convert dump/ --mapping my.toml --namespace corp --label env=prod --summary summary.json -o events.ndjson")]
pub(super) struct Args {
    /// Files, folders, glob patterns, or `-` for stdin; s3://bucket/prefix/ and its like.
    #[arg(value_name = "INPUT", required = true)]
    pub(super) inputs: Vec<String>,

    /// Where the events go: a file (compressed if it ends in .gz or .zst), or `-` for stdout. A folder or the URL of a
    /// prefix gets an output for each input, exactly once.
    #[arg(short, long, value_name = "FILE|DIR|URL", default_value = "-")]
    pub(super) output: String,

    /// How events are written [default: parquet if the output ends in .parquet, else ndjson].
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub(super) output_format: Option<super::events::OutputFormat>,

    /// Where the records go that can't be converted, as NDJSON with place, reason and bytes.
    #[arg(long, value_name = "FILE|DIR|URL")]
    pub(super) rejects: Option<String>,

    /// Where the summary goes, as JSON.
    #[arg(long, value_name = "FILE")]
    pub(super) summary: Option<String>,

    /// The mapping table: a built-in one's name, or a file (see `udmap mappings`).
    #[arg(long, value_name = "NAME|FILE", default_value = "duo_telephony")]
    pub(super) mapping: String,

    #[command(flatten)]
    pub(super) spelling: Spelling,

    /// How many threads convert [default: the number of cores].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(super) threads: Option<u16>,

    /// How many rejects still count as success.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(super) max_rejects: u64,

    /// Inputs are reject files: convert the `raw` in each line again, mended or not. What is rejected again keeps its
    /// source and its place.
    #[arg(long)]
    pub(super) from_rejects: bool,

    /// The longest record, in bytes; longer ones are rejected [SecOps' own limit: 1 MiB].
    #[arg(long, value_name = "N", default_value_t = MAX_RECORD_BYTES as u64,
          value_parser = clap::value_parser!(u64).range(1..=1 << 30))]
    pub(super) max_record_bytes: u64,

    /// How records are read: the fastest way that this machine has, one of them, or by the reference reader. The
    /// results are the same.
    #[arg(long, value_name = "ENGINE", default_value = "auto", value_parser = super::engine())]
    pub(super) engine: Engine,

    /// Whether to show progress on stderr: on a terminal, always, or never.
    #[arg(long, value_enum, value_name = "WHEN", default_value = "auto")]
    pub(super) progress: progress::When,

    /// No summary on stderr.
    #[arg(short, long)]
    pub(super) quiet: bool,

    #[command(flatten)]
    pub(super) allow_empty: super::nothing::AllowEmpty,

    #[command(flatten)]
    pub(super) dump: super::dump::Dump,
}

/// How many inputs that could not be read are named on stderr.
const MOST_FAILURES: usize = 20;

impl Args {
    /// How records are converted.
    pub(super) fn options(&self) -> Options {
        Options {
            // At most 2^30, so it fits.
            max_record_bytes: self.max_record_bytes as usize,
            engine: self.engine,
            ..self.spelling.options()
        }
    }

    /// On how many threads.
    pub(super) fn threads(&self) -> usize {
        self.threads.map_or_else(|| std::thread::available_parallelism().map_or(1, usize::from), usize::from)
    }
}

pub(super) fn run(args: &Args) -> anyhow::Result<u8> {
    if super::dump::is_meant(args)? {
        if args.from_rejects {
            bail!(
                "`--from-rejects` writes one file: give `-o` a file, and name reject files or folders of them as inputs"
            );
        }
        return super::dump::run(args);
    }
    let mapping = mappings::load(&args.mapping)?;
    let converter = Converter::new(&mapping, &args.options());
    let listing = list(args)?;
    if !args.quiet {
        tell_skipped(&listing);
    }
    let mut run = Run::start(args, &listing.sources)?;
    let counts = if args.from_rejects {
        run.again(&converter, &listing.sources)
    } else {
        let inputs: Vec<_> = listing.sources.iter().map(|source| run.input(source)).collect();
        converter.run(inputs, args.threads(), |piece| run.take(piece))?
    };
    run.end(mapping.name(), listing.sources.len(), counts)
}

/// The inputs, none of which is written over.
fn list(args: &Args) -> anyhow::Result<Listing> {
    let mut outputs = Outputs::default();
    outputs.add("--output", &args.output)?;
    outputs.add_if("--rejects", args.rejects.as_deref())?;
    outputs.add_if("--summary", args.summary.as_deref())?;
    outputs.spare("--mapping", &args.mapping)?;
    outputs.list("INPUT", &args.inputs)
}

/// Says what of the folders is not read.
fn tell_skipped(listing: &Listing) {
    for (n, what) in [
        (listing.skipped_hidden, "hidden file or folder"),
        (listing.skipped_outputs, "own output"),
        (listing.skipped_special, "special file"),
    ] {
        if n > 0 {
            say!(
                "note: skipped {} in folders",
                counted(n, what).replace("file or folders", "files or folders")
            );
        }
    }
    if listing.skipped_repeated > 0 {
        say!(
            "note: skipped {} listed before, by another input or a link",
            counted(listing.skipped_repeated, "file")
        );
    }
}

/// A conversion that is under way.
struct Run<'a> {
    args: &'a Args,
    events: EventSink,
    rejects: Option<Sink>,
    summary: Option<Sink>,
    progress: progress::Progress,
    read: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
    start: Instant,
    examples: Examples,
    failures: Vec<String>,
    /// What to do about them.
    hints: Vec<String>,
    /// The source and the byte up to which everything was written.
    reached: Option<(String, u64)>,
    records: u64,
    rejected: u64,
    /// Rejects taken back of which only the beginning is there.
    in_part: u64,
    line: Vec<u8>,
    /// Why the run was stopped.
    ended: Option<Ended>,
}

enum Ended {
    Interrupted,
    /// The reader of stdout has had enough.
    PipeClosed,
    Failed(anyhow::Error),
}

impl<'a> Run<'a> {
    fn start(args: &'a Args, sources: &[Source]) -> anyhow::Result<Run<'a>> {
        let create = |target: &Option<String>| target.as_deref().map(Sink::create).transpose();
        let total = sources.iter().map(Source::size).sum::<Option<u64>>();
        let events = EventSink::create(&args.output, args.output_format)?;
        let (rejects, summary) = (create(&args.rejects)?, create(&args.summary)?);
        // Only now: to open a named pipe waits for its reader, and heeds nothing.
        let stop = Arc::new(AtomicBool::new(false));
        super::heed_signals(&stop)?;
        Ok(Run {
            args,
            events,
            rejects,
            summary,
            progress: progress::Progress::new(args.progress, total, store::is_stdout(&args.output)),
            read: Arc::default(),
            stop,
            start: Instant::now(),
            examples: Examples::default(),
            failures: Vec::new(),
            hints: Vec::new(),
            reached: None,
            records: 0,
            rejected: 0,
            in_part: 0,
            line: Vec::new(),
            ended: None,
        })
    }

    fn input(&self, source: &Source) -> Input<'static> {
        let (read, stop) = (Arc::clone(&self.read), Arc::clone(&self.stop));
        let name = source.name().to_owned();
        let source = source.clone();
        Input::open(name, move || Ok(source.open(read, stop)?.with_members()))
    }

    /// Writes one piece of the result.
    fn take(&mut self, piece: Piece<'_>) -> ControlFlow<()> {
        match piece {
            Piece::Batch { source, batch } => {
                if let Err(error) = self.write(source, batch) {
                    let error = store_error(error);
                    let closed = error.downcast_ref().is_some_and(store::Error::is_broken_pipe);
                    self.ended = Some(match closed {
                        true if store::is_stdout(&self.args.output) => Ended::PipeClosed,
                        // Events were not what its reader had enough of.
                        true => Ended::Failed(anyhow!("{error}; no file was written")),
                        false => Ended::Failed(error),
                    });
                    return ControlFlow::Break(());
                }
                self.reached = Some((source.to_owned(), batch.end));
                self.records += batch.counts.records;
                self.rejected += batch.counts.rejects;
                self.progress.update(self.read.load(Ordering::Relaxed), self.records, self.rejected);
            }
            Piece::Failed { error, .. } if store::is_stopped(&error) => {
                self.ended = Some(Ended::Interrupted);
                return ControlFlow::Break(());
            }
            Piece::Failed { error, .. } => {
                let hint = store::Error::in_io(&error).and_then(store::Error::hint);
                if let Some(hint) = hint.filter(|hint| !self.hints.iter().any(|it| it == hint))
                    && self.hints.len() < MOST_FAILURES
                {
                    self.hints.push(hint.to_owned());
                }
                self.failures.push(error.to_string());
            }
        }
        if self.stop.load(Ordering::Relaxed) {
            self.ended = Some(Ended::Interrupted);
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    }

    /// Converts what is in reject files, one after the other.
    fn again(&mut self, converter: &Converter, sources: &[Source]) -> Counts {
        let mut counts = converter.counts();
        for source in sources {
            let mut bytes = 0;
            let ended = self.again_one(converter, source, &mut counts, &mut bytes);
            counts.bytes_in += bytes;
            match ended {
                Ok(ControlFlow::Continue(())) => {}
                Ok(ControlFlow::Break(())) => break,
                Err(error) => {
                    if self.take(Piece::Failed { source: source.name(), error }).is_break() {
                        break;
                    }
                }
            }
        }
        counts
    }

    /// Converts what is in one reject file; how many bytes it has.
    fn again_one(
        &mut self,
        converter: &Converter,
        source: &Source,
        counts: &mut Counts,
        bytes: &mut u64,
    ) -> io::Result<ControlFlow<()>> {
        let input = source.open(Arc::clone(&self.read), Arc::clone(&self.stop))?;
        let mut input = io::BufReader::with_capacity(1 << 16, input);
        // A byte takes up to six in JSON; the rest is for the other fields.
        let most = 6 * self.args.max_record_bytes + (1 << 16);
        let mut line = Vec::new();
        for number in 1u64.. {
            line.clear();
            let length = input.by_ref().take(most).read_until(b'\n', &mut line)? as u64;
            *bytes += length;
            if length == 0 {
                break;
            }
            let no_reject = |why: &str| {
                io::Error::other(format!(
                    "cannot take rejects back from `{}`: line {number} is not a reject: {why}",
                    source.name()
                ))
            };
            if length == most {
                return Err(no_reject("it is too long for one (`--max-record-bytes`)"));
            }
            if line.trim_ascii().is_empty() {
                counts.blank += 1;
                continue;
            }
            let (name, batch) = converter.convert_reject(&line).map_err(|why| no_reject(&why))?;
            counts.add(&batch.counts);
            let in_part = |reject: &&Reject| (reject.raw.len() as u64) < reject.length;
            self.in_part += batch.rejects.iter().filter(in_part).count() as u64;
            if self.take(Piece::Batch { source: &name, batch: &batch }).is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    fn write(&mut self, source: &str, batch: &crate::convert::Batch) -> io::Result<()> {
        self.events.write(&batch.events)?;
        match &mut self.rejects {
            None => self.examples.add(source, &batch.rejects),
            Some(sink) => {
                for reject in &batch.rejects {
                    self.line.clear();
                    reject.write_json(source, &mut self.line);
                    sink.write_all(&self.line)?;
                }
            }
        }
        Ok(())
    }

    /// Puts the files in their places and says how it went.
    fn end(self, mapping: &str, inputs: usize, counts: crate::convert::Counts) -> anyhow::Result<u8> {
        self.progress.clear();
        let interrupted = match self.ended {
            Some(Ended::PipeClosed) => return Ok(DONE),
            Some(Ended::Failed(error)) => return Err(error),
            Some(Ended::Interrupted) => true,
            None => false,
        };
        if interrupted {
            let far = match &self.reached {
                Some((source, end)) => format!("up to byte {end} of `{}`", escaped(source)),
                None => "before the first record".to_owned(),
            };
            let kept = if store::is_stdout(&self.args.output) { "" } else { "; no file was left" };
            say!("interrupted: {} converted, {far}{kept}", counted(self.records, "record"));
            return Ok(FAILED);
        }
        let exit_status = match (self.failures.is_empty(), counts.rejects > self.args.max_rejects) {
            (false, _) => FAILED,
            (true, true) => REJECTS,
            (true, false) if counts.records == 0 => self.args.allow_empty.status(),
            (true, false) => DONE,
        };
        let summary = Summary {
            mapping: mapping.to_owned(),
            inputs,
            stored_bytes: self.read.load(Ordering::Relaxed),
            counts,
            examples: self.examples,
            failures: self.failures,
            elapsed: self.start.elapsed(),
            output: if store::is_stdout(&self.args.output) {
                "stdout".to_owned()
            } else {
                self.args.output.clone()
            },
            rejects_to: self.args.rejects.clone(),
            exit_status,
        };
        match self.events.finish() {
            Err(error) if error.is_broken_pipe() => return Ok(DONE),
            other => other?,
        }
        self.rejects.map(Sink::finish).transpose()?;
        if let Some(mut sink) = self.summary {
            sink.write_all(&summary.json()).map_err(store_error)?;
            sink.finish()?;
        }
        for failure in summary.failures.iter().take(MOST_FAILURES) {
            say!("{}error{:#}: {}", super::RED, super::RED, escaped(failure));
        }
        if let Some(more @ 1..) = summary.failures.len().checked_sub(MOST_FAILURES) {
            say!("... and {more} more inputs could not be read; `--summary` names them all");
        }
        for hint in &self.hints {
            say!("hint: {hint}");
        }
        if !self.args.quiet {
            let _ = anstream::stderr().write_all(summary.text().as_bytes());
        }
        if self.in_part > 0 {
            say!(
                "warning: {} there only in part and can't be converted: convert the inputs again with a larger \
                 `--max-record-bytes`",
                if self.in_part == 1 {
                    "1 record is".to_owned()
                } else {
                    format!("{} records are", self.in_part)
                }
            );
        }
        let what = match inputs {
            0 => "nothing was found to convert: there is no file in the inputs".to_owned(),
            _ => {
                format!("nothing was found to convert: not one record in {}", counted(inputs as u64, "input"))
            }
        };
        nothing::warn(exit_status, &what);
        Ok(exit_status)
    }
}

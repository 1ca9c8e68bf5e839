//! `udmap convert` to one file.

use super::args::{Args, DumpArgs};
use crate::check::mistaken::Mistaken;
use crate::cli::events::EventOutput;
use crate::cli::mistaken::hint_no_raw_log;
use crate::cli::outputs::Outputs;
use crate::cli::{DONE, FAILED, RED, REJECTS, heed_signals, inputs, nothing, progress, terminal};
use crate::convert::{Batch, Counts, Input, Piece, RejectAt, RejectSources};
use crate::report::summary::{Examples, Summary, counted};
use crate::store::{self, Listing, Output, Source, store_error};
use crate::text::escaped;
use anyhow::anyhow;
use std::io::{self, Write as _};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

/// How many inputs that could not be read are named on stderr.
const MOST_FAILURES: usize = 20;

/// The inputs, none of which is written over.
pub(super) fn list(args: &Args) -> anyhow::Result<Listing> {
    let mut outputs = Outputs::default();
    outputs.add("--output", &args.output)?;
    outputs.add_if("--rejects", args.rejects.as_deref())?;
    outputs.add_if("--sources", args.sources.as_deref())?;
    outputs.add_if("--summary", args.summary.as_deref())?;
    outputs.spare("--mapping", &args.mapping)?;
    let DumpArgs { include, exclude, no_sign_request, .. } = &args.dump;
    outputs.list("INPUT", &args.inputs, &inputs::list_options(include, exclude, *no_sign_request))
}

/// A conversion that is under way.
pub(super) struct Run<'a> {
    pub(super) args: &'a Args,
    events: EventOutput,
    rejects: Option<Output>,
    /// Where it goes from where each event's record came, of rejects taken back.
    sources: Option<Output>,
    summary: Option<Output>,
    progress: progress::Progress,
    pub(super) read: Arc<AtomicU64>,
    pub(super) stop: Arc<AtomicBool>,
    start: Instant,
    examples: Examples,
    reject_sources: RejectSources,
    failures: Vec<String>,
    /// What to do about them.
    hints: Vec<String>,
    /// The source and the byte up to which everything was written.
    reached: Option<(String, u64)>,
    records: u64,
    rejected: u64,
    /// Events so far, where their sources are kept.
    events_written: u64,
    /// Rejects taken back of which only the beginning is there.
    pub(super) in_part: u64,
    /// Sees events among the inputs.
    mistaken: Mistaken,
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
    pub(super) fn start(args: &'a Args, sources: &[Source]) -> anyhow::Result<Run<'a>> {
        let create = |target: &Option<String>| target.as_deref().map(Output::create).transpose();
        let total = sources.iter().map(Source::size).sum::<Option<u64>>();
        let events =
            EventOutput::create(&args.output, args.output_format, args.dump.compress, args.threads())?;
        let (rejects, summary) = (create(&args.rejects)?, create(&args.summary)?);
        let sources = create(&args.sources)?;
        // Only now: to open a named pipe waits for its reader, and heeds nothing.
        let stop = Arc::new(AtomicBool::new(false));
        heed_signals(&stop)?;
        Ok(Run {
            args,
            events,
            rejects,
            sources,
            summary,
            progress: progress::Progress::new(args.progress, total, store::is_stdout(&args.output)),
            read: Arc::default(),
            stop,
            start: Instant::now(),
            examples: Examples::default(),
            reject_sources: RejectSources::default(),
            failures: Vec::new(),
            hints: Vec::new(),
            reached: None,
            records: 0,
            rejected: 0,
            events_written: 0,
            in_part: 0,
            mistaken: Mistaken::for_raw_logs(),
            line: Vec::new(),
            ended: None,
        })
    }

    pub(super) fn input(&self, source: &Source) -> Input<'static> {
        let (read, stop) = (Arc::clone(&self.read), Arc::clone(&self.stop));
        let name = source.name().to_owned();
        let source = source.clone();
        Input::open(name, move || Ok(source.open(read, stop)?.with_members()))
    }

    /// Writes one piece of the result.
    pub(super) fn take(&mut self, piece: Piece<'_>) -> ControlFlow<()> {
        match piece {
            Piece::Batch { source, batch } => {
                if let Err(error) = self.write(source, batch) {
                    return self.unwritten(error);
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

    /// Writes where the records of the events in `batch` came from, if that is kept.
    pub(super) fn take_sources(&mut self, reject: &RejectAt<'_>, batch: &Batch) -> ControlFlow<()> {
        let Some(sink) = &mut self.sources else { return ControlFlow::Continue(()) };
        self.line.clear();
        reject.write_events(self.events_written, batch, &mut self.line);
        self.events_written += batch.counts.events;
        match sink.write_all(&self.line) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => self.unwritten(error),
        }
    }

    /// Ends the run because an output can't be written.
    fn unwritten(&mut self, error: io::Error) -> ControlFlow<()> {
        let error = store_error(error);
        let closed = error.downcast_ref().is_some_and(store::Error::is_broken_pipe);
        self.ended = Some(match closed {
            true if store::is_stdout(&self.args.output) => Ended::PipeClosed,
            // Events were not what its reader had enough of.
            true => Ended::Failed(anyhow!("{error}; no file was written")),
            false => Ended::Failed(error),
        });
        ControlFlow::Break(())
    }

    fn write(&mut self, source: &str, batch: &Batch) -> io::Result<()> {
        self.events.write(batch)?;
        self.reject_sources.add(source, &batch.rejects);
        if let Some(reject) = batch.rejects.first() {
            self.mistaken.look_at(source, &reject.raw);
        }
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
    pub(super) fn end(self, mapping: &str, listing: &Listing, counts: Counts) -> anyhow::Result<u8> {
        let inputs = listing.sources.len();
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
        let (records, outside) = (counts.records, counts.outside);
        let exit_status = match (self.failures.is_empty(), counts.rejects > self.args.max_rejects) {
            (false, _) => FAILED,
            (true, true) => REJECTS,
            (true, false) if counts.records == counts.outside => self.args.allow_empty.status(),
            (true, false) => DONE,
        };
        let mut reject_sources = self.reject_sources;
        if let Some(file) = &self.args.rejects {
            reject_sources.kept_in(file);
        }
        let summary = Summary {
            mapping: mapping.to_owned(),
            inputs,
            stored_bytes: self.read.load(Ordering::Relaxed),
            counts,
            examples: self.examples,
            reject_sources,
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
        self.rejects.map(Output::finish).transpose()?;
        self.sources.map(Output::finish).transpose()?;
        if let Some(mut sink) = self.summary {
            sink.write_all(&summary.json()).map_err(store_error)?;
            sink.finish()?;
        }
        for failure in summary.failures.iter().take(MOST_FAILURES) {
            say!("{}error{:#}: {}", RED, RED, escaped(failure));
        }
        if let Some(more @ 1..) = summary.failures.len().checked_sub(MOST_FAILURES) {
            say!("... and {more} more inputs could not be read; `--summary` names them all");
        }
        for hint in &self.hints {
            say!("hint: {hint}");
        }
        if !self.args.quiet {
            terminal::say_text(&summary.text());
            hint_no_raw_log(self.mistaken.found());
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
            0 if listing.skipped_filtered > 0 => {
                let named = nothing::named(&self.args.inputs);
                inputs::nothing_wanted(listing.skipped_filtered, &named)
            }
            0 => "nothing was found to convert: there is no file in the inputs".to_owned(),
            _ if outside > 0 => nothing::all_outside(records, &counted(inputs as u64, "input")),
            _ => {
                format!("nothing was found to convert: not one record in {}", counted(inputs as u64, "input"))
            }
        };
        nothing::warn(exit_status, &what);
        Ok(exit_status)
    }
}

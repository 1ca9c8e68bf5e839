//! `udmap convert` over whole prefixes: an output for each input, exactly once.

use super::args::{Args, DumpArgs};
use crate::cli::events::OutputFormat;
use crate::cli::failures::tell_failures;
use crate::cli::outputs::Outputs;
use crate::cli::{DONE, FAILED, REJECTS, heed_signals, mappings, nothing, progress, terminal};
use crate::convert::Counts;
use crate::jobs::dump::{self, Progress};
use crate::report::dump as report;
use crate::report::summary::{Examples, Summary, counted};
use crate::store::objects::Access;
use crate::store::{Output, store_error};
use crate::text::escaped;
use anyhow::{Context as _, bail};
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::Instant;

/// Says that a run is done when it is dropped.
struct Done<'a>(&'a AtomicBool);

impl Drop for Done<'_> {
    fn drop(&mut self) {
        self.0.store(true, Relaxed);
    }
}

pub(super) fn run(args: &Args) -> anyhow::Result<u8> {
    spare(args)?;
    let mapping = mappings::load(&args.mapping)?;
    let options = args.options(true)?;
    let converter = OutputFormat::of(args.output_format, "")?.converter(&mapping, &options);
    let settings = args.settings(&mapping, &options)?;
    let summary = args.summary.as_deref().map(Output::create).transpose()?;
    let stop = Arc::new(AtomicBool::new(false));
    heed_signals(&stop)?;
    let access = Access::new(args.dump.no_sign_request, Arc::clone(&stop)).context("cannot start threads")?;
    let progress = Progress::default();
    if args.dump.dry_run {
        let plan = dump::plan(&settings, &converter, &access, &progress)?;
        if let Some(summary) = summary {
            write(summary, &report::plan_json(&plan))?;
        }
        terminal::say_text(&report::plan_text(&plan));
        return Ok(if tell_failures(&progress) { FAILED } else { found_nothing(args, &progress, None) });
    }
    let start = Instant::now();
    let done = AtomicBool::new(false);
    let whole = std::thread::scope(|scope| {
        scope.spawn(|| progress::watch(args.progress, &progress, &done));
        // Whatever happens: a display is not to be waited for.
        let _done = Done(&done);
        dump::run(&settings, &converter, &access, &progress)
    })?;
    let counts = progress.counts().unwrap_or_else(|| converter.counts());
    let failed = tell_failures(&progress);
    // Those of what was done before are rejects as well: as long as nothing is fixed, they are told again.
    let rejects = counts.rejects.saturating_add(progress.known_rejects.load(Relaxed));
    let exit_status = match (whole && !failed, rejects > args.max_rejects) {
        (false, _) => FAILED,
        (true, true) => REJECTS,
        (true, false) => found_nothing(args, &progress, Some(&counts)),
    };
    let report = report::Report {
        summary: Summary {
            mapping: mapping.name().to_owned(),
            inputs: usize::try_from(progress.converted.load(Relaxed)).unwrap_or(usize::MAX),
            stored_bytes: progress.read.load(Relaxed),
            counts,
            examples: Examples::of(progress.examples()),
            reject_sources: progress.reject_sources(),
            failures: Vec::new(),
            elapsed: start.elapsed(),
            output: args.output.clone(),
            rejects_to: args.rejects.clone(),
            exit_status,
        },
        progress: &progress,
        requests: access.requests().counts(),
        whole,
    };
    if let Some(summary) = summary {
        write(summary, &report.json())?;
    }
    if !args.quiet || !whole {
        terminal::say_text(&report.text());
    }
    Ok(exit_status)
}

/// Refuses a summary that would be written over an input, or that the next run would read as one.
fn spare(args: &Args) -> anyhow::Result<()> {
    let Some(summary) = &args.summary else { return Ok(()) };
    let mut outputs = Outputs::default();
    outputs.add("--summary", summary)?;
    outputs.spare("--mapping", &args.mapping)?;
    if crate::store::is_stdout(summary) {
        return Ok(());
    }
    let DumpArgs { manifest, include, exclude, .. } = &args.dump;
    let Some(path) = real(Path::new(summary)) else { return Ok(()) };
    let targets = [Some(&args.output), args.rejects.as_ref(), manifest.as_ref()];
    let own = |target: &String| real(Path::new(target)).is_some_and(|target| path.starts_with(target));
    if targets.into_iter().flatten().any(own) {
        return Ok(());
    }
    for input in args.inputs.iter().filter(|input| !input.contains("://")) {
        outputs.spare("INPUT", input)?;
        let folder = fs::canonicalize(input).ok().filter(|input| input.is_dir());
        let Some(key) =
            folder.and_then(|folder| Some(path.strip_prefix(folder).ok()?.to_string_lossy().into_owned()))
        else {
            continue;
        };
        let any = |patterns: &[glob::Pattern]| patterns.iter().any(|pattern| pattern.matches(&key));
        if (include.is_empty() || any(include)) && !any(exclude) {
            bail!(
                "`--summary` lies in the input `{}`, and the next run would read it: write it elsewhere, or leave it \
                 out with `--exclude '{}'`",
                escaped(input),
                escaped(&glob::Pattern::escape(&key))
            );
        }
    }
    Ok(())
}

/// Where a file is or will be: through links, as far as there is something.
fn real(path: &Path) -> Option<PathBuf> {
    let path = std::path::absolute(path).ok()?;
    path.ancestors()
        .find_map(|there| Some(fs::canonicalize(there).ok()?.join(path.strip_prefix(there).ok()?)))
}

/// The exit status of a run without failures: whether it found an object, and in all of them a record, as
/// far as they were `read`.
fn found_nothing(args: &Args, progress: &Progress, read: Option<&Counts>) -> u8 {
    let get = |count: &AtomicU64| count.load(Relaxed);
    let inputs: Vec<String> = args.inputs.iter().map(|it| format!("`{}`", escaped(it))).take(10).collect();
    let inputs = inputs.join(", ");
    let what = if get(&progress.listed) > 0 {
        let known = [&progress.known_records, &progress.known_outside].map(get);
        let all = read.map(|it| [it.records.saturating_add(known[0]), it.outside.saturating_add(known[1])]);
        let objects = counted(get(&progress.listed), "object");
        match all {
            Some([0, _]) => format!("not one record in {objects}"),
            Some([records, outside]) if records == outside => nothing::all_outside(records, &objects),
            _ => return DONE,
        }
    } else if get(&progress.filtered) > 0 {
        format!(
            "none of the {} below {inputs} is wanted by `--include`, `--exclude`, `--since`, `--until` and `--max-age`",
            counted(get(&progress.filtered), "object")
        )
    } else if get(&progress.own) > 0 {
        format!("there is no object below {inputs} but outputs of this command")
    } else {
        format!("there is no object below {inputs}")
    };
    let status = args.allow_empty.status();
    nothing::warn(status, &what);
    status
}

fn write(mut sink: Output, bytes: &[u8]) -> anyhow::Result<()> {
    sink.write_all(bytes).map_err(store_error)?;
    Ok(sink.finish()?)
}

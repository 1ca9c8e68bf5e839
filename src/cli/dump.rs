//! `udmap convert` over whole prefixes: an output for each input, exactly once.

use super::convert::Args as Convert;
use super::events::OutputFormat;
use super::outputs::Outputs;
use super::{DONE, FAILED, REJECTS, mappings, nothing, progress};
use crate::convert::Converter;
use crate::jobs::dump::{self, Account, After, Filter, Format, Settings};
use crate::report::dump as report;
use crate::report::summary::{Examples, Summary, counted};
use crate::store::objects::Access;
use crate::store::store_error;
use crate::store::{Compression, Sink};
use crate::text::escaped;
use crate::time::duration;
use anyhow::{Context as _, bail};
use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// For outputs below a folder or a URL.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "With an output for each input")]
pub(super) struct Dump {
    /// Where the manifest goes [default: manifest/ below the output].
    #[arg(long, value_name = "DIR|URL")]
    manifest: Option<String>,

    /// How outputs are compressed: gzip, zstd or none.
    #[arg(long, value_name = "HOW", default_value = "gzip", value_parser = compression)]
    compress: Compression,

    /// Only inputs that match, by their keys below the prefix; `*` matches `/`, too. May be given several times.
    #[arg(long, value_name = "GLOB", value_parser = pattern)]
    include: Vec<glob::Pattern>,

    /// No inputs that match.
    #[arg(long, value_name = "GLOB", value_parser = pattern)]
    exclude: Vec<glob::Pattern>,

    /// Only inputs last changed at this time or later: 2026-03-01, 2026-03-01T12:00:00Z, or how long ago (30d).
    #[arg(long, value_name = "WHEN", value_parser = when)]
    since: Option<DateTime<Utc>>,

    /// Only inputs last changed before this time.
    #[arg(long, value_name = "WHEN", value_parser = when)]
    until: Option<DateTime<Utc>>,

    /// Only inputs last changed at most so long ago: 180d.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    max_age: Option<Duration>,

    /// What becomes of inputs whose outputs and manifest are durable and have been read back.
    #[arg(long, value_enum, value_name = "WHAT", default_value = "keep")]
    after_success: AfterArg,

    /// Pack inputs, so many bytes of them as they are stored, into one output: 64MB, 1GiB.
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pack: Option<u64>,

    /// How many inputs are converted at once [default: 16 with a bucket, else the number of cores].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    jobs: Option<u16>,

    /// About how much memory inputs under way may take.
    #[arg(long, value_name = "SIZE", default_value = "256MiB", value_parser = size)]
    memory: u64,

    /// Say what would be done, and what that costs in requests and bytes.
    #[arg(long)]
    dry_run: bool,

    /// Send requests unsigned, for public buckets.
    #[arg(long)]
    no_sign_request: bool,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum AfterArg {
    /// They stay.
    Keep,
    /// They are deleted.
    Delete,
    /// They are deleted, and so are folders that are left empty.
    DeleteEmpty,
}

/// Says that a run is done when it is dropped.
struct Done<'a>(&'a AtomicBool);

impl Drop for Done<'_> {
    fn drop(&mut self) {
        self.0.store(true, Relaxed);
    }
}

/// Whether the outputs go below a folder or the URL of a prefix.
pub(super) fn is_meant(args: &Convert) -> anyhow::Result<bool> {
    let output = &args.output;
    let url = output.contains("://");
    if url && !output.ends_with('/') {
        let last = output.rsplit('/').next().unwrap_or_default();
        if [".ndjson", ".json", ".jsonl", ".gz", ".zst", ".parquet"]
            .iter()
            .any(|ending| last.ends_with(ending))
        {
            let output = escaped(output);
            bail!(
                "`{output}` looks like an object: below a URL each input gets an output of its own; give a prefix \
                   that ends in `/`"
            );
        }
    }
    if url || output.ends_with('/') || Path::new(output).is_dir() {
        return Ok(true);
    }
    let Dump {
        manifest, include, exclude, since, until, max_age, after_success, pack, jobs, dry_run, ..
    } = &args.dump;
    let only = [
        ("--manifest", manifest.is_some()),
        ("--include", !include.is_empty()),
        ("--exclude", !exclude.is_empty()),
        ("--since", since.is_some()),
        ("--until", until.is_some()),
        ("--max-age", max_age.is_some()),
        ("--after-success", !matches!(after_success, AfterArg::Keep)),
        ("--pack", pack.is_some()),
        ("--jobs", jobs.is_some()),
        ("--dry-run", *dry_run),
    ];
    if let Some((name, _)) = only.into_iter().find(|(_, given)| *given) {
        bail!(
            "`{name}` goes with an output for each input: give `-o` a folder (`out/`) or a URL (`s3://bucket/udm/`)"
        );
    }
    if let Some(input) = args.inputs.iter().find(|input| input.contains("://")) {
        let input = escaped(input);
        bail!(
            "`{input}` is converted into an output for each object: give `-o` a folder (`out/`) or a URL \
               (`s3://bucket/udm/`)"
        );
    }
    Ok(false)
}

pub(super) fn run(args: &Convert) -> anyhow::Result<u8> {
    spare(args)?;
    let mapping = mappings::load(&args.mapping)?;
    let options = args.options();
    let converter = Converter::new(&mapping, &options);
    let format = format(args.output_format, args.dump.compress)?;
    let settings = settings(args, mapping.name(), dump::fingerprint(&mapping, &options, format), format)?;
    let summary = args.summary.as_deref().map(Sink::create).transpose()?;
    let stop = Arc::new(AtomicBool::new(false));
    super::heed_signals(&stop)?;
    let access = Access::new(args.dump.no_sign_request, Arc::clone(&stop)).context("cannot start threads")?;
    let account = Account::default();
    if args.dump.dry_run {
        let plan = dump::plan(&settings, &converter, &access, &account)?;
        if let Some(summary) = summary {
            write(summary, &report::plan_json(&plan))?;
        }
        anstream::eprint!("{}", report::plan_text(&plan));
        return Ok(match tell_failures(&account) {
            DONE => found_nothing(args, &account, None),
            failed => failed,
        });
    }
    let start = Instant::now();
    let done = AtomicBool::new(false);
    let whole = std::thread::scope(|scope| {
        scope.spawn(|| progress::watch(args.progress, &account, &done));
        // Whatever happens: a display is not to be waited for.
        let _done = Done(&done);
        dump::run(&settings, &converter, &access, &account)
    })?;
    let tally = account.tally().unwrap_or_else(|| converter.tally());
    let failed = tell_failures(&account) != DONE;
    // Those of what was done before are rejects as well: whoever fixes nothing is told again.
    let rejects = tally.rejects.saturating_add(account.known_rejects.load(Relaxed));
    let exit_status = match (whole, failed || rejects > args.max_rejects) {
        (false, _) => FAILED,
        (true, true) => REJECTS,
        (true, false) => found_nothing(args, &account, Some(tally.records)),
    };
    let report = report::Report {
        summary: Summary {
            mapping: mapping.name().to_owned(),
            inputs: usize::try_from(account.converted.load(Relaxed)).unwrap_or(usize::MAX),
            stored_bytes: account.read.load(Relaxed),
            tally,
            examples: Examples::of(account.examples()),
            failures: Vec::new(),
            elapsed: start.elapsed(),
            output: args.output.clone(),
            rejects_to: args.rejects.clone(),
            exit_status,
        },
        account: &account,
        requests: access.requests().counts(),
        whole,
    };
    if let Some(summary) = summary {
        write(summary, &report.json())?;
    }
    if !args.quiet || !whole {
        anstream::eprint!("{}", report.text());
    }
    Ok(exit_status)
}

/// Refuses a summary that would be written over an input, or that the next run would read as one.
fn spare(args: &Convert) -> anyhow::Result<()> {
    let Some(summary) = &args.summary else { return Ok(()) };
    let mut outputs = Outputs::default();
    outputs.add("--summary", summary)?;
    outputs.spare("--mapping", &args.mapping)?;
    if crate::store::is_stdout(summary) {
        return Ok(());
    }
    let Dump { manifest, include, exclude, .. } = &args.dump;
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
fn found_nothing(args: &Convert, account: &Account, read: Option<u64>) -> u8 {
    let get = |count: &AtomicU64| count.load(Relaxed);
    let inputs: Vec<String> = args.inputs.iter().map(|it| format!("`{}`", escaped(it))).take(10).collect();
    let inputs = inputs.join(", ");
    let what = if get(&account.listed) > 0 {
        let records = read.map(|read| read.saturating_add(get(&account.known_records)));
        match records {
            Some(0) => format!("not one record in {}", counted(get(&account.listed), "object")),
            _ => return DONE,
        }
    } else if get(&account.filtered) > 0 {
        format!(
            "none of the {} below {inputs} is wanted by `--include`, `--exclude`, `--since`, `--until` and `--max-age`",
            counted(get(&account.filtered), "object")
        )
    } else if get(&account.own) > 0 {
        format!("there is no object below {inputs} but outputs of this command")
    } else {
        format!("there is no object below {inputs}")
    };
    let status = args.allow_empty.status();
    nothing::warn(status, &what);
    status
}

/// How outputs are written.
pub(super) fn format(given: Option<OutputFormat>, compress: Compression) -> anyhow::Result<Format> {
    Ok(match OutputFormat::of(given, "")? {
        #[cfg(feature = "parquet")]
        OutputFormat::Parquet => Format::Parquet,
        _ => Format::Lines(compress),
    })
}

fn settings(args: &Convert, mapping: &str, fingerprint: String, format: Format) -> anyhow::Result<Settings> {
    let Dump { manifest, include, exclude, since, until, max_age, after_success, pack, jobs, memory, .. } =
        &args.dump;
    if let Some(rejects) = &args.rejects
        && !rejects.contains("://")
        && !rejects.ends_with('/')
        && !Path::new(rejects).is_dir()
        && Path::new(rejects).extension().is_some()
    {
        bail!(
            "`{rejects}` is no folder: with an output for each input, `--rejects` is a folder or a URL, too"
        );
    }
    if args.inputs.iter().any(|input| input == "-") {
        bail!("stdin has no name to call an output by: give `-o` a file");
    }
    let remote = args
        .inputs
        .iter()
        .chain([&args.output])
        .any(|text| text.split_once("://").is_some_and(|(scheme, _)| scheme != "file"));
    let threads = args.threads();
    let youngest = max_age
        .map(|age| TimeDelta::from_std(age).ok().and_then(|age| Utc::now().checked_sub_signed(age)))
        .map(|at| at.unwrap_or(DateTime::<Utc>::MIN_UTC));
    Ok(Settings {
        inputs: args.inputs.clone(),
        output: args.output.clone(),
        rejects: args.rejects.clone(),
        manifest: manifest.clone(),
        filter: Filter {
            include: include.clone(),
            exclude: exclude.clone(),
            since: (*since).max(youngest),
            until: *until,
        },
        after: match after_success {
            AfterArg::Keep => After::Keep,
            AfterArg::Delete => After::Delete,
            AfterArg::DeleteEmpty => After::DeleteEmpty,
        },
        jobs: jobs.map_or(if remote { 16.max(threads) } else { threads }, usize::from),
        threads,
        memory: *memory,
        format,
        pack: *pack,
        mapping: mapping.to_owned(),
        fingerprint,
    })
}

/// Names what failed, by cause; the exit status of that.
pub(super) fn tell_failures(account: &Account) -> u8 {
    for (cause, failures) in account.failures() {
        for words in failures.shown.iter().take(report::MOST_FAILURES) {
            say!("{}error{:#}: {}", super::RED, super::RED, escaped(words));
        }
        if let Some(more @ 1..) = failures.count.checked_sub(report::MOST_FAILURES as u64) {
            say!("... and {more} more ({})", cause.name());
        }
        if let Some(hint) = failures.hint {
            say!("hint: {}", escaped(&hint));
        }
    }
    if account.failed() > 0 { REJECTS } else { DONE }
}

pub(super) fn write(mut sink: Sink, bytes: &[u8]) -> anyhow::Result<()> {
    sink.write_all(bytes).map_err(store_error)?;
    Ok(sink.finish()?)
}

pub(super) fn compression(text: &str) -> Result<Compression, String> {
    let found = Compression::ALL.into_iter().find(|(name, _)| name.eq_ignore_ascii_case(text));
    found.map(|(_, it)| it).ok_or_else(|| "wanted is one of gzip, zstd, none".into())
}

fn pattern(text: &str) -> Result<glob::Pattern, String> {
    glob::Pattern::new(text).map_err(|error| error.to_string())
}

fn when(text: &str) -> Result<DateTime<Utc>, String> {
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Ok(time.to_utc());
    }
    if let Ok(day) = NaiveDate::parse_from_str(text, "%Y-%m-%d") {
        return Ok(day.and_time(NaiveTime::MIN).and_utc());
    }
    let wanted = || "wanted is a time (2026-03-10T12:00:00Z) or how long ago (36h)".to_owned();
    let ago = duration(text).map_err(|_| wanted())?;
    let ago = TimeDelta::from_std(ago).map_err(|_| wanted())?;
    Utc::now().checked_sub_signed(ago).ok_or_else(wanted)
}

/// A number of bytes with a unit.
pub(super) fn size(text: &str) -> Result<u64, String> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let unit: u64 = match text[digits..].trim().to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" | "kb" => 1_000,
        "m" | "mb" => 1_000_000,
        "g" | "gb" => 1_000_000_000,
        "kib" => 1 << 10,
        "mib" => 1 << 20,
        "gib" => 1 << 30,
        _ => return Err("wanted is a number of bytes: 500000, 64MB, 1GiB".into()),
    };
    let number: u64 = text[..digits].parse().map_err(|_| "wanted is a number of bytes: 64MB".to_owned())?;
    number.checked_mul(unit).filter(|bytes| *bytes > 0).ok_or_else(|| "wanted is more, or less".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_times() {
        let table = [("1", 1), ("64MB", 64_000_000), ("1GiB", 1 << 30), ("5 kib", 5120)];
        for (text, bytes) in table {
            assert_eq!(size(text), Ok(bytes), "{text}");
        }
        for text in ["", "MB", "0", "1.5GB", "-1", "99999999999999999999", "18446744073709551615GB", "1é"] {
            assert!(size(text).is_err(), "{text}");
        }
        assert_eq!(when("2026-03-10"), when("2026-03-10T01:00:00+01:00"));
        assert!(
            when("36h").unwrap() < Utc::now() && when("yesterday").is_err() && when("99999999w").is_err()
        );
    }
}

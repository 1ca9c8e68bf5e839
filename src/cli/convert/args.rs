//! What `udmap convert` is told.

use crate::cli::events::OutputFormat;
use crate::cli::progress;
use crate::cli::record_range::RecordRange;
use crate::cli::spelling::Spelling;
use crate::convert::{Engine, MAX_RECORD_BYTES, Options};
use crate::jobs::dump::{After, Filter, JOBS, Settings};
use crate::jobs::settings::{compression, instant, pattern, size, time};
use crate::mapping::Mapping;
use crate::store::Compression;
use crate::text::escaped;
use anyhow::bail;
use chrono::{DateTime, TimeDelta, Utc};
use std::path::Path;
use std::time::Duration;

/// Convert logs into UDM events, one a line.
///
/// Inputs are files, folders (all files in them, hidden ones aside, in the order of their names), glob patterns, URLs, and
/// `-` for stdin; plain or compressed with gzip, zstd, bzip2, xz, lz4 or snappy, in UTF-8 or UTF-16, or a tar archive of
/// such files; the content decides which. A file holds records as NDJSON, in a JSON array, in envelopes of Duo's Admin
/// API, as CEF or key="value" lines, or pretty-printed JSON.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Exit status:
  0  all converted
  1  done, with more rejects than --max-rejects
  2  could not do it: usage, mapping, interrupted, or a fault of udmap itself; or an input could not be read to its end,
     or an output not be written: each is named, and the others are converted all the same
  3  nothing was found: no file, or not one record in all inputs (`--allow-empty` makes it 0)

Output goes to a temporary file that is renamed when complete: an interrupted run leaves nothing under the final name.

Examples:
  udmap convert telephony.ndjson                        events to stdout
  udmap convert 'dump/**/*.gz' -o events.ndjson.zst --rejects rejects.ndjson
  aws s3 cp s3://bucket/key - | udmap convert - --envelope event --field-names camel
  udmap convert s3://bucket/logs/ -o s3://other/udm/ --rejects s3://other/rejects/ --include '*.gz' --max-age 180d
  udmap convert rejects.ndjson --from-rejects -o mended.ndjson --rejects rejects-2.ndjson
  udmap convert s3://other/rejects/ --from-rejects -o s3://other/mended/ --rejects s3://other/rejects-2/
  udmap convert dump/ --records-since 2026-03-01 --records-until 2026-04-01 -o march.ndjson
  udmap convert dump/ --mapping my.toml --namespace corp --label env=prod --summary summary.json -o events.ndjson")]
pub(in crate::cli) struct Args {
    /// Files, folders, glob patterns, or `-` for stdin; s3://bucket/prefix/ and its like.
    #[arg(value_name = "INPUT", required = true)]
    pub(super) inputs: Vec<String>,

    /// Where the events go: a file (compressed if it ends in .gz or .zst), or `-` for stdout. A folder or the URL of a
    /// prefix gets an output for each input, exactly once.
    #[arg(short, long, value_name = "FILE|DIR|URL", default_value = "-")]
    pub(super) output: String,

    /// How events are written [default: parquet if the output ends in .parquet, else ndjson].
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub(super) output_format: Option<OutputFormat>,

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

    /// Inputs are reject files, or folders and prefixes of them: convert the `raw` in each line again, mended or not. What
    /// is rejected again keeps its source and its place.
    #[arg(long)]
    pub(super) from_rejects: bool,

    /// Where it goes, with --from-rejects, which event comes from which source, line and byte, as NDJSON. With an output
    /// for each input that is always kept, in sources/ below the manifest.
    #[arg(long, value_name = "FILE", requires = "from_rejects")]
    pub(super) sources: Option<String>,

    /// The longest record, in bytes; longer ones are rejected [SecOps' own limit: 1 MiB].
    #[arg(long, value_name = "N", default_value_t = MAX_RECORD_BYTES as u64,
          value_parser = clap::value_parser!(u64).range(1..=1 << 30))]
    pub(super) max_record_bytes: u64,

    #[command(flatten)]
    pub(super) records: RecordRange,

    /// How records are read: the fastest way that this machine has, one of them, or by the reference reader. The
    /// results are the same.
    #[arg(long, value_name = "ENGINE", default_value = "auto", value_parser = crate::cli::engine())]
    pub(super) engine: Engine,

    /// Whether to show progress on stderr: on a terminal, always, or never.
    #[arg(long, value_enum, value_name = "WHEN", default_value = "auto")]
    pub(super) progress: progress::When,

    /// No summary on stderr.
    #[arg(short, long)]
    pub(super) quiet: bool,

    #[command(flatten)]
    pub(super) allow_empty: crate::cli::nothing::AllowEmpty,

    #[command(flatten)]
    pub(super) dump: DumpArgs,
}

/// For outputs below a folder or a URL.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "With an output for each input")]
pub(super) struct DumpArgs {
    /// Where the manifest goes [default: manifest/ below the output].
    #[arg(long, value_name = "DIR|URL")]
    pub(super) manifest: Option<String>,

    /// How outputs are compressed: gzip, gzip:small (a tenth smaller, four times the time), zstd, zstd:N (1 to 19) or
    /// none [default: gzip, or what the name of one file says].
    #[arg(long, help_heading = None, value_name = "HOW", value_parser = compression)]
    pub(super) compress: Option<Compression>,

    /// Only inputs that match, by their keys below the prefix; `*` matches `/`, too. May be given several times.
    #[arg(long, help_heading = None, value_name = "GLOB", value_parser = pattern)]
    pub(super) include: Vec<glob::Pattern>,

    /// No inputs that match.
    #[arg(long, help_heading = None, value_name = "GLOB", value_parser = pattern)]
    pub(super) exclude: Vec<glob::Pattern>,

    /// Only inputs last changed at this time or later: 2026-03-01, 2026-03-01T12:00:00Z, or how long ago (30d).
    #[arg(long, value_name = "WHEN", value_parser = instant)]
    pub(super) since: Option<DateTime<Utc>>,

    /// Only inputs last changed before this time.
    #[arg(long, value_name = "WHEN", value_parser = instant)]
    pub(super) until: Option<DateTime<Utc>>,

    /// Only inputs last changed at most this long ago: 180d.
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(super) max_age: Option<Duration>,

    /// What happens to inputs whose outputs and manifest are durable and have been read back.
    #[arg(long, value_enum, value_name = "WHAT", default_value = "keep")]
    pub(super) after_success: AfterArg,

    /// Pack inputs into outputs of about this many bytes of input, as it is stored: 64MB, 1GiB.
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub(super) pack: Option<u64>,

    /// How many inputs are converted at once [default: 16 with a bucket, else the number of cores].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(super) jobs: Option<u16>,

    /// Approximate memory for inputs being converted; further inputs wait.
    #[arg(long, value_name = "SIZE", default_value = "256MiB", value_parser = size)]
    pub(super) memory: u64,

    /// Say what would be done, and what that costs in requests and bytes.
    #[arg(long)]
    pub(super) dry_run: bool,

    /// Send requests unsigned, for public buckets.
    #[arg(long, help_heading = None)]
    pub(super) no_sign_request: bool,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub(super) enum AfterArg {
    /// They stay.
    Keep,
    /// They are deleted.
    Delete,
    /// They are deleted, and so are folders that are left empty.
    DeleteEmpty,
}

impl Args {
    /// Whether the outputs go below a folder or the URL of a prefix, one for each input.
    ///
    /// # Errors
    /// If options are given that only go with the other one.
    pub(super) fn is_dump(&self) -> anyhow::Result<bool> {
        let output = &self.output;
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
        let DumpArgs { manifest, since, until, max_age, after_success, pack, jobs, dry_run, .. } = &self.dump;
        let only = [
            ("--manifest", manifest.is_some()),
            ("--since", since.is_some()),
            ("--until", until.is_some()),
            ("--max-age", max_age.is_some()),
            ("--after-success", !matches!(after_success, AfterArg::Keep)),
            ("--pack", pack.is_some()),
            ("--jobs", jobs.is_some()),
            ("--dry-run", *dry_run),
        ];
        if let Some((name, _)) = only.into_iter().find(|(_, given)| *given) {
            if matches!(name, "--since" | "--until") {
                bail!(
                    "`{name}` is about when inputs were last changed, and goes with an output for each input\nhint: for \
                     the records' own time give `--records-{}`",
                    &name[2..]
                );
            }
            bail!(
                "`{name}` goes with an output for each input: give `-o` a folder (`out/`) or a URL (`s3://bucket/udm/`)"
            );
        }
        Ok(false)
    }

    /// How records are converted.
    ///
    /// # Errors
    /// If the range of their time is empty or, for a dump, another one at each run.
    pub(super) fn options(&self, dump: bool) -> anyhow::Result<Options> {
        Ok(Options {
            // At most 2^30, so it fits.
            max_record_bytes: self.max_record_bytes as usize,
            engine: self.engine,
            range: if dump { self.records.fixed()? } else { self.records.range()? },
            ..self.spelling.options()
        })
    }

    /// On how many threads.
    pub(super) fn threads(&self) -> usize {
        self.threads.map_or_else(|| std::thread::available_parallelism().map_or(1, usize::from), usize::from)
    }

    /// The settings of a run with an output for each input.
    pub(super) fn settings(&self, mapping: &Mapping, options: &Options) -> anyhow::Result<Settings> {
        let dump = &self.dump;
        if self.sources.is_some() {
            bail!(
                "`--sources` goes with one file: with an output for each input, they are in `sources/` below the manifest"
            );
        }
        if let Some(rejects) = &self.rejects
            && !rejects.contains("://")
            && !rejects.ends_with('/')
            && !Path::new(rejects).is_dir()
            && Path::new(rejects).extension().is_some()
        {
            bail!(
                "`{}` is not a folder: with an output for each input, `--rejects` is a folder or a URL, too",
                escaped(rejects)
            );
        }
        if self.inputs.iter().any(|input| input == "-") {
            bail!("stdin has no name to call an output by: give `-o` a file");
        }
        let format = OutputFormat::of_dump(self.output_format, dump.compress.unwrap_or_default())?;
        let mut settings = Settings::new(mapping, options, format, &self.output);
        if self.from_rejects {
            settings = settings.from_rejects();
        }
        let remote = |text: &String| text.split_once("://").is_some_and(|(scheme, _)| scheme != "file");
        let remote = self.inputs.iter().chain([&self.output]).any(remote);
        settings.threads = self.threads();
        settings.jobs = match dump.jobs {
            Some(jobs) => usize::from(jobs),
            None if remote => JOBS.max(settings.threads),
            None => settings.threads,
        };
        settings.inputs.clone_from(&self.inputs);
        settings.rejects.clone_from(&self.rejects);
        settings.manifest.clone_from(&dump.manifest);
        let youngest = dump
            .max_age
            .map(|age| TimeDelta::from_std(age).ok().and_then(|age| Utc::now().checked_sub_signed(age)))
            .map(|at| at.unwrap_or(DateTime::<Utc>::MIN_UTC));
        settings.filter = Filter {
            include: dump.include.clone(),
            exclude: dump.exclude.clone(),
            since: dump.since.max(youngest),
            until: dump.until,
        };
        settings.after = match dump.after_success {
            AfterArg::Keep => After::Keep,
            AfterArg::Delete => After::Delete,
            AfterArg::DeleteEmpty => After::DeleteEmpty,
        };
        settings.memory = dump.memory;
        settings.pack = dump.pack;
        Ok(settings)
    }
}

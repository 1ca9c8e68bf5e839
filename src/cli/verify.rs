//! `udmap verify`: a manifest of `udmap convert` compared with what is there.

use super::events::OutputFormat;
use super::failures::tell_failures;
use super::record_range::RecordRange;
use super::spelling::Spelling;
use super::{DONE, FAILED, REJECTS, mappings, nothing, terminal};
use crate::convert::{MAX_RECORD_BYTES, Options};
use crate::jobs::dump::{self, Progress, Settings, Verified};
use crate::jobs::settings::{compression, size};
use crate::report::dump as report;
use crate::store::Compression;
use crate::store::objects::Access;
use anyhow::Context as _;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// Check what `udmap convert` wrote against its manifest: every output is read and its digest compared.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Exit status:
  0  everything was checked, and is as the manifest says
  1  something is not, or could not be checked: each is named
  2  could not do it: usage, manifest, mapping, or interrupted
  3  there is no manifest

Examples:
  udmap verify s3://other/udm/manifest/
  udmap verify s3://other/udm/manifest/20260310T120000Z-1a2b3c4d/ --deep")]
pub(super) struct Args {
    /// A manifest: a part of one, or all below a folder or a URL's prefix.
    #[arg(value_name = "MANIFEST")]
    manifest: String,

    /// Convert the inputs again, too, and compare; with the mapping and the options that they were converted with.
    #[arg(long)]
    deep: bool,

    /// Do not look at the inputs: for those that go on purpose, or that may not be read from here.
    #[arg(long, conflicts_with = "deep")]
    outputs_only: bool,

    #[command(flatten)]
    allow_empty: nothing::AllowEmpty,

    /// The mapping table: a built-in one's name, or a file.
    #[arg(long, value_name = "NAME|FILE", default_value = "duo_telephony")]
    mapping: String,

    #[command(flatten)]
    spelling: Spelling,

    #[command(flatten)]
    records: RecordRange,

    /// The inputs are reject files, which `udmap convert --from-rejects` converted.
    #[arg(long)]
    from_rejects: bool,

    /// The longest record, in bytes.
    #[arg(long, value_name = "N", default_value_t = MAX_RECORD_BYTES as u64,
          value_parser = clap::value_parser!(u64).range(1..=1 << 30))]
    max_record_bytes: u64,

    /// How outputs are compressed: gzip, zstd or none, at any level.
    #[arg(long, value_name = "HOW", default_value = "gzip", value_parser = compression)]
    compress: Compression,

    /// How events are written.
    #[arg(long, value_enum, value_name = "FORMAT")]
    output_format: Option<OutputFormat>,

    /// How many inputs are checked at once.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024), default_value_t = 16)]
    jobs: u16,

    /// Approximate memory for inputs being converted; further inputs wait.
    #[arg(long, value_name = "SIZE", default_value = "256MiB", value_parser = size)]
    memory: u64,

    /// Send requests unsigned, for public buckets.
    #[arg(long)]
    no_sign_request: bool,

    /// Say nothing if everything is right.
    #[arg(short, long)]
    quiet: bool,
}

pub(super) fn run(args: &Args) -> anyhow::Result<u8> {
    let mapping = mappings::load(&args.mapping)?;
    // At most 2^30, so it fits.
    let max_record_bytes = args.max_record_bytes as usize;
    let options = Options { max_record_bytes, range: args.records.fixed()?, ..args.spelling.options() };
    let converter = OutputFormat::of(args.output_format, "")?.converter(&mapping, &options);
    let format = OutputFormat::of_dump(args.output_format, args.compress)?;
    let stop = Arc::new(AtomicBool::new(false));
    super::heed_signals(&stop)?;
    let access = Access::new(args.no_sign_request, Arc::clone(&stop)).context("cannot start threads")?;
    // Nothing is written.
    let mut settings = Settings::new(&mapping, &options, format, ".");
    if args.from_rejects {
        settings = settings.from_rejects();
    }
    settings.jobs = usize::from(args.jobs);
    settings.memory = args.memory;
    let (progress, verified) = (Progress::default(), Verified::default());
    let whole = dump::verify(
        &args.manifest,
        dump::Depth { deep: args.deep, outputs_only: args.outputs_only },
        &settings,
        &converter,
        &access,
        &progress,
        &verified,
    )?;
    tell_failures(&progress);
    let (failed, unchecked) = verified.failed(&progress);
    let status = match (whole, failed > 0 || unchecked > 0) {
        (false, _) => FAILED,
        (true, true) => REJECTS,
        (true, false) if verified.is_nothing() => {
            let status = args.allow_empty.status();
            nothing::warn(status, &format!("there is no manifest below `{}`", args.manifest));
            return Ok(status);
        }
        (true, false) => DONE,
    };
    if !args.quiet || status != DONE {
        terminal::say_text(&report::verified_text(&verified, args.deep, (failed, unchecked), whole));
    }
    Ok(status)
}

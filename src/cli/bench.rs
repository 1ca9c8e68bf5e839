//! `udmap bench`: how fast this machine converts, and how fast it could at best.

use super::{DONE, mappings, nothing};
use crate::convert::{Converter, Engine, Options};
use crate::lab::Mix;
use crate::lab::bench::{input, machine, measure};
use crate::report::bench::Report;
use anyhow::bail;
use std::io::{ErrorKind, Write as _};
use std::time::Duration;

/// Measure how fast this machine converts: synthetic logs, or your own.
///
/// Measured are, for each number of threads: converting in memory (one input with one thread is read where it lies;
/// otherwise inputs are read through a buffer, as `convert` does it); the bound, which is to read the same
/// input once, in the widest way, and to write as many bytes as the events take into a buffer that stays in the cache;
/// and, where the inputs are files, the whole way from the files (which by then are in the page cache) to /dev/null,
/// and reading (with decompression) alone. Compressed files are decompressed once for the runs in memory.
///
/// All are run in turns, so that a machine that changes its pace changes it for all of them. Shown are medians, with
/// the slowest and the fastest run.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Exit status:
  0  measured, whatever became of the records: rejects are counted and shown
  2  could not do it: usage, input, or mapping
  3  nothing to measure: no file, or not one record (`--allow-empty` makes it 0)

Inputs are held in memory, up to --megabytes after decompression. What is longer is cut behind the last line that fits, \
and that is said. An input under 16 MB is converted several times a run.

Examples:
  udmap bench
  udmap bench telephony.ndjson.gz --threads 1,2,4
  udmap bench dump/ --mapping my.toml --seconds 30 --json
  udmap bench --engine exact --megabytes 16 --runs 3")]
pub(super) struct Args {
    /// Files, folders, glob patterns, URLs of objects and prefixes, or `-` for stdin [default: synthetic logs, the same
    /// every time].
    #[arg(value_name = "FILE")]
    inputs: Vec<String>,

    /// The mapping table: a built-in one's name, or a file (see `udmap mappings`).
    #[arg(long, value_name = "NAME|FILE", default_value = "duo_telephony")]
    mapping: String,

    /// How records are read: the fastest way that this machine has, one of them, or by the reference reader.
    #[arg(long, value_name = "ENGINE", default_value = "auto", value_parser = super::engine())]
    engine: Engine,

    /// The numbers of threads to measure [default: 1 and the number of cores].
    #[arg(long, value_name = "N,...", value_delimiter = ',', value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Vec<u16>,

    /// How long to measure, about, in seconds; at least 5 runs of each are made.
    #[arg(long, value_name = "S", default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..=3600))]
    seconds: u16,

    /// How many runs of each to make instead, an odd number: then the median is one of them.
    #[arg(long, value_name = "N", conflicts_with = "seconds", value_parser = clap::value_parser!(u16).range(1..))]
    runs: Option<u16>,

    /// How much input to hold and measure, in MB after decompression [default: 256, of synthetic logs 64].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=16_384))]
    megabytes: Option<u16>,

    #[command(flatten)]
    allow_empty: nothing::AllowEmpty,

    /// Print the numbers as JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args) -> anyhow::Result<u8> {
    let runs = match args.runs {
        Some(runs) if runs.is_multiple_of(2) => {
            bail!("`--runs {runs}` is even: give an odd number, so that the median is one of the runs")
        }
        Some(runs) => measure::Runs::Number(runs.into()),
        None => measure::Runs::Time(Duration::from_secs(args.seconds.into())),
    };
    let mapping = mappings::load(&args.mapping)?;
    let converter = Converter::new(&mapping, &Options { engine: args.engine, ..Options::default() });
    let material = if args.inputs.is_empty() {
        let mix = Mix::of_log_type(mapping.log_type());
        input::Material::synthetic(args.megabytes.map_or(64_000_000, megabytes), mix)
    } else {
        input::Material::load(&args.inputs, args.megabytes.map_or(256_000_000, megabytes))?
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let mut threads: Vec<usize> = args.threads.iter().copied().map(usize::from).collect();
    if threads.is_empty() {
        threads = vec![1, cores];
    }
    threads.sort_unstable();
    threads.dedup();

    let figures = match material.len() {
        0 => None,
        _ => measure::measure(&converter, &material, &threads, runs)?,
    };
    let Some(figures) = figures else {
        let what = format!("there is nothing to measure: not one record in {}", input::quoted(&args.inputs));
        let status = args.allow_empty.status();
        nothing::warn(status, &what);
        return Ok(status);
    };
    let report = Report {
        udmap: env!("CARGO_PKG_VERSION"),
        mapping: mapping.name().to_owned(),
        engine: converter.engine().name(),
        cpu: machine::cpu(),
        cores,
        input: material.describe(&figures.counts),
        passes: figures.passes,
        runs: figures.runs,
        memory: figures.memory,
        files: figures.files,
    };
    match args.json {
        true => print(&report.json()),
        false => print(super::terminal::for_stdout(&report.text()).as_bytes()),
    }
}

/// This many million bytes.
fn megabytes(n: u16) -> usize {
    usize::from(n) * 1_000_000
}

/// Prints to stdout, without colours where there is no terminal. A reader that closes the pipe is
/// not an error.
fn print(text: &[u8]) -> anyhow::Result<u8> {
    crate::store::stdout_is_open()?;
    let mut stdout = anstream::stdout().lock();
    match stdout.write_all(text).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(anyhow::Error::new(error).context("cannot write to stdout"))
        }
        _ => Ok(DONE),
    }
}

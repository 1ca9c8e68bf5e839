//! `udmap profile`: what is in a log.

use super::inputs::{InputOptions, ListedInputs};
use super::mistaken::hint_no_raw_log;
use super::nothing::{self, AllowEmpty};
use super::outputs::Outputs;
use super::reports::{now, print_all, print_data, print_failures};
use super::{DONE, FAILED, mappings, terminal};
use crate::check::mistaken::Mistaken;
use crate::check::profile as check;
use crate::check::reading::{self, Reading};
use crate::convert::MAX_RECORD_BYTES;
use crate::report::profile::{page, text};
use crate::report::summary::bytes;
use crate::store::store_error;
use crate::store::{self, Output};
use crate::text::escaped_json;
use std::io::Write as _;
use std::time::Instant;

/// Show what is in a log: shapes, fields with types and values, times, and what the mapping uses of it.
///
/// Memory stays small whatever the log's size: distinct values beyond 500 a field are estimated (within some 2%).
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Exit status:
  0  done, whatever is in the log
  2  could not do it: usage, mapping, or input
  3  there is not one record (`--allow-empty` makes it 0)

Examples:
  udmap profile telephony.ndjson
  udmap profile 'dump/**/*.gz' --html profile.html
  udmap profile dump/ --json | jq '.fields[] | select(.read == false) | .name'")]
pub(super) struct Args {
    /// Files, folders, glob patterns, or `-` for stdin; s3://bucket/prefix/ and its like.
    #[arg(value_name = "INPUT", required = true)]
    inputs: Vec<String>,

    #[command(flatten)]
    wanted: InputOptions,

    /// The mapping table: a built-in one's name, or a file.
    #[arg(long, value_name = "NAME|FILE", default_value = "duo_telephony")]
    mapping: String,

    /// Write a page with charts to this file; it needs no network.
    #[arg(long, value_name = "FILE")]
    html: Option<String>,

    /// Print JSON instead of tables.
    #[arg(long)]
    json: bool,

    /// Leave out the fields' values, which may be personal data.
    #[arg(long)]
    no_values: bool,

    /// How many threads read [default: the number of cores].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,

    #[command(flatten)]
    allow_empty: AllowEmpty,

    /// No tables on stdout and no summary on stderr.
    #[arg(short, long)]
    quiet: bool,
}

pub(super) fn run(args: &Args) -> anyhow::Result<u8> {
    let mapping = mappings::load(&args.mapping)?;
    let start = Instant::now();
    let mut outputs = Outputs::default();
    outputs.add_if("--html", args.html.as_deref())?;
    outputs.add_if("--json", args.json.then_some("-"))?;
    outputs.spare("--mapping", &args.mapping)?;
    let inputs = args.wanted.list(&outputs, "INPUT", &args.inputs)?;
    if !args.quiet {
        ListedInputs::tell_skipped(&[&inputs]);
    }
    let reading = Reading { threads: reading::threads(args.threads), limit: MAX_RECORD_BYTES, yaml: false };
    let mistaken = Mistaken::for_raw_logs();
    let mut profile = check::profile(&mapping, &inputs.sources, &reading, !args.no_values, &mistaken)?;
    profile.seconds = start.elapsed().as_secs_f64();
    let (seconds, total) = (profile.seconds, profile.bytes);
    if let Some(file) = &args.html {
        let mut sink = Output::create(file)?;
        sink.write_all(page(&profile, &now()).as_bytes()).map_err(store_error)?;
        sink.finish()?;
    }
    if args.json {
        print_data(&escaped_json(serde_json::to_string_pretty(&profile)? + "\n"))?;
    } else if !args.quiet && !args.html.as_deref().is_some_and(store::is_stdout) {
        print_all(&text(&profile, terminal::stdout_width().unwrap_or(usize::MAX)))?;
    }
    print_failures(&profile.failures);
    if !args.quiet {
        let rate = bytes((total as f64 / seconds.max(1e-9)) as u64);
        say!("read {} in {seconds:.2} s, {rate}/s", bytes(total));
        if !profile.rejects.is_empty() {
            hint_no_raw_log(mistaken.found());
        }
    }
    let exit_status = match (profile.failures.is_empty(), profile.records) {
        (false, _) => FAILED,
        (true, 0) => args.allow_empty.status(),
        (true, _) => DONE,
    };
    nothing::warn(exit_status, &inputs.nothing("record"));
    Ok(exit_status)
}

//! `udmap prune`: outputs that later ones have superseded.

use super::failures::tell_failures;
use super::{DONE, FAILED, REJECTS, nothing, terminal};
use crate::jobs::dump::{self, Pick, Progress, Pruned, Task, Which};
use crate::report::dump as report;
use crate::store::Output;
use crate::store::objects::Access;
use crate::text::escaped_json;
use anyhow::Context as _;
use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// List the outputs that later ones have superseded, and remove them: after an input changed, or with another
/// mapping or other options, `udmap convert` writes new outputs next to the old ones.
#[derive(Debug, clap::Args)]
#[command(
    after_long_help = "What is listed goes to stdout, one JSON object a line: `{\"url\":..,\"kind\":\"events\",..}`.

Exit status:
  0  done
  1  something stays that is superseded, or is not what the manifest says: each is named
  2  could not do it: usage, manifest, or interrupted
  3  there is no manifest

Examples:
  udmap prune s3://other/udm/
  udmap prune s3://other/udm/ --delete
  udmap prune s3://other/udm/ --list current > current.ndjson"
)]
pub(super) struct Args {
    /// A whole manifest, or the place of the outputs with one in its `manifest/`.
    #[arg(value_name = "MANIFEST|OUTPUT")]
    manifest: String,

    /// Remove the superseded outputs, if what superseded them is there and right.
    #[arg(long, conflicts_with = "list")]
    delete: bool,

    /// What is listed.
    #[arg(long, value_enum, value_name = "WHAT", default_value = "superseded")]
    list: ListArg,

    /// Where the list goes [default: stdout].
    #[arg(short, long, value_name = "FILE", default_value = "-", hide_default_value = true)]
    output: String,

    /// How many outputs are looked at at once.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024), default_value_t = 16)]
    jobs: u16,

    #[command(flatten)]
    allow_empty: nothing::AllowEmpty,

    /// Send requests unsigned, for public buckets.
    #[arg(long)]
    no_sign_request: bool,

    /// No summary on stderr.
    #[arg(short, long)]
    quiet: bool,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum ListArg {
    /// Outputs that later ones have superseded, and that still exist.
    Superseded,
    /// The others: what is to be read.
    Current,
}

pub(super) fn run(args: &Args) -> anyhow::Result<u8> {
    let stop = Arc::new(AtomicBool::new(false));
    super::heed_signals(&stop)?;
    let access = Access::new(args.no_sign_request, Arc::clone(&stop)).context("cannot start threads")?;
    let (progress, pruned) = (Progress::default(), Pruned::default());
    let task = Task {
        manifest: &args.manifest,
        which: match args.list {
            ListArg::Superseded => Which::Superseded,
            ListArg::Current => Which::Current,
        },
        delete: args.delete,
        jobs: usize::from(args.jobs),
    };
    let mut sink = Output::create(&args.output)?;
    let mut each = |pick: &Pick<'_>| {
        // Texts and numbers always serialize.
        let mut line = escaped_json(serde_json::to_string(pick).unwrap_or_default());
        line.push('\n');
        sink.write_all(line.as_bytes()).map_err(|error| crate::store::Error::of_writing(&args.output, error))
    };
    let whole = dump::prune(task, &access, &progress, &pruned, &mut each)?;
    if whole {
        sink.finish()?;
    }
    let failed = tell_failures(&progress);
    if whole && !failed && pruned.parts.load(Relaxed) == 0 {
        let status = args.allow_empty.status();
        nothing::warn(status, &format!("there is no manifest below `{}`", args.manifest));
        return Ok(status);
    }
    if !args.quiet || !whole {
        terminal::say_text(&report::pruned_text(&pruned, args.delete, whole));
    }
    Ok(match (whole, failed) {
        (false, _) => FAILED,
        (true, true) => REJECTS,
        (true, false) => DONE,
    })
}

//! `udmap explain`: where each field of an event comes from.

use super::mappings;
use super::nothing::{self, AllowEmpty};
use super::outputs::Outputs;
use super::reports::{print_all, print_data};
use super::spelling::Spelling;
use super::{DONE, REJECTS};
use crate::check::explain::{self as check, Explanation};
use crate::report::explain::{page, section, text};
use crate::report::summary::counted;
use crate::store::store_error;
use crate::store::{self, Output};
use crate::text::{escaped, escaped_json};
use anyhow::bail;
use std::io::Write as _;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

/// Show where each UDM field comes from: the rule and its line, the raw field and its bytes, what was done.
///
/// Also shown: the rules that gave nothing, with the reason, and the raw fields that no rule reads.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Exit status:
  0  every record makes an event
  1  a record is rejected (and explained)
  2  could not do it: usage, mapping, input, or no record at that line
  3  there is not one record (`--allow-empty` makes it 0)

Examples:
  udmap explain telephony.ndjson:12
  head -1 telephony.ndjson | udmap explain
  udmap explain telephony.ndjson:12 --json | jq .fields
  udmap explain telephony.ndjson --max-records 5 --html explain.html")]
pub(super) struct Args {
    /// A file, perhaps with the line of the record, or `-` for stdin.
    #[arg(value_name = "FILE[:LINE]", default_value = "-")]
    input: String,

    /// The mapping table: a built-in one's name, or a file.
    #[arg(long, value_name = "NAME|FILE", default_value = "duo_telephony")]
    mapping: String,

    #[command(flatten)]
    spelling: Spelling,

    /// How many records are explained at most, where no line is named.
    #[arg(long, value_name = "N", default_value_t = 20)]
    max_records: usize,

    /// Print JSON, an object a record.
    #[arg(long)]
    json: bool,

    /// Write a page to this file instead of printing; `-` for stdout.
    #[arg(long, value_name = "FILE", conflicts_with = "json")]
    html: Option<String>,

    #[command(flatten)]
    allow_empty: AllowEmpty,
}

pub(super) fn run(args: &Args) -> anyhow::Result<u8> {
    let mapping = mappings::load(&args.mapping)?;
    let (input, line) = split(&args.input)?;
    let mut outputs = Outputs::default();
    outputs.add_if("--html", args.html.as_deref())?;
    outputs.spare("--mapping", &args.mapping)?;
    outputs.spare("FILE", input)?;
    let listing = store::list(&[input.to_owned()], &[])?;
    let [source] = &listing.sources[..] else {
        bail!("`{}` holds {} files; name one", escaped(input), listing.sources.len())
    };
    let mut input = source.open(Arc::default(), Arc::default())?;
    let (mut explained, mut rejected, mut more) = (0, false, false);
    let (mut sections, mut printed) = (String::new(), Ok(()));
    let mut each = |record: Explanation| {
        if line.is_none() && explained == args.max_records {
            more = true;
            return ControlFlow::Break(());
        }
        explained += 1;
        rejected |= record.is_reject();
        if args.html.is_some() {
            sections += &section(&record);
        } else {
            printed = print(&record, args.json);
        }
        if printed.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    };
    check::explain(&mapping, &args.spelling.options(), source.name(), &mut input, line, &mut each)
        .map_err(store_error)?;
    printed?;
    if let (Some(line), 0) = (line, explained) {
        bail!("no record begins at line {line} of `{}`", escaped(source.name()));
    }
    if let Some(file) = &args.html {
        let mut sink = Output::create(file)?;
        sink.write_all(page(&sections, mapping.name(), more).as_bytes()).map_err(store_error)?;
        sink.finish()?;
    }
    if more {
        say!(
            "note: only the first {} are explained; name a line (`FILE:LINE`) or give `--max-records`",
            counted(args.max_records as u64, "record")
        );
    }
    let exit_status = match (rejected, explained) {
        (true, _) => REJECTS,
        (false, 0) if !more => args.allow_empty.status(),
        (false, _) => DONE,
    };
    nothing::warn(exit_status, &format!("there is no record in `{}`", args.input));
    Ok(exit_status)
}

fn print(record: &Explanation, json: bool) -> anyhow::Result<()> {
    if json { print_data(&escaped_json(record.json() + "\n")) } else { print_all(&text(record)) }
}

/// `FILE:LINE` in its parts, unless there is a file of the whole name.
fn split(input: &str) -> anyhow::Result<(&str, Option<u64>)> {
    match input.rsplit_once(':') {
        Some((file, line)) if !Path::new(input).exists() && line.bytes().all(|b| b.is_ascii_digit()) => {
            match line.parse() {
                Ok(line @ 1..) => Ok((file, Some(line))),
                _ => bail!("`{}` is not a line: lines count from 1", escaped(line)),
            }
        }
        _ => Ok((input, None)),
    }
}

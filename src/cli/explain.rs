//! `udmap explain`: where each field of an event comes from.

use super::mappings;
use super::nothing::{self, AllowEmpty};
use super::outputs::Outputs;
use super::reports::{print_all, print_data};
use super::spelling::Spelling;
use super::{DONE, REJECTS};
use crate::convert::{Converter, Engine, MAX_RECORD_BYTES, Options};
use crate::record::frame::Framer;
use crate::report::explain::{Explained, page, section, text};
use crate::report::summary::counted;
use crate::store::store_error;
use crate::store::{self, Sink};
use crate::text::{escaped, escaped_json};
use anyhow::bail;
use std::io::Write as _;
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
    let converter = Converter::new(&mapping, &Options { engine: Engine::Exact, ..args.spelling.options() });
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
    let mut framer = Framer::new(MAX_RECORD_BYTES, 128 * 1024);
    let (mut explained, mut rejected, mut more, mut behind) = (0, false, false, false);
    let (mut sections, mut result) = (String::new(), Ok(()));
    while let Some(chunk) = framer.next(&mut input, Vec::new()).map_err(store_error)? {
        converter.trace(&chunk.bytes, &chunk.body, &mut |record| {
            let at = record.line;
            behind |= line.is_some_and(|line| line < at);
            if result.is_err() || line.is_some_and(|line| line != at) {
            } else if line.is_none() && explained == args.max_records {
                more = true;
            } else {
                explained += 1;
                let record = Explained::of(&converter, &mapping, source.name(), at, record);
                rejected |= record.reject.is_some();
                if args.html.is_some() {
                    sections += &section(&record);
                } else {
                    result = print(&record, args.json);
                }
            }
        });
        if result.is_err() || more || behind {
            break;
        }
    }
    result?;
    if let (Some(line), 0) = (line, explained) {
        bail!("no record begins at line {line} of `{}`", escaped(source.name()));
    }
    if let Some(file) = &args.html {
        let mut sink = Sink::create(file)?;
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

fn print(record: &Explained, json: bool) -> anyhow::Result<()> {
    if json {
        print_data(&escaped_json(serde_json::to_string(record)? + "\n"))
    } else {
        print_all(&text(record))
    }
}

/// `FILE:LINE` in its parts, unless there is a file of the whole name.
fn split(input: &str) -> anyhow::Result<(&str, Option<u64>)> {
    match input.rsplit_once(':') {
        Some((file, line)) if !Path::new(input).exists() && line.bytes().all(|b| b.is_ascii_digit()) => {
            match line.parse() {
                Ok(line @ 1..) => Ok((file, Some(line))),
                _ => bail!("`{}` is no line: lines count from 1", escaped(line)),
            }
        }
        _ => Ok((input, None)),
    }
}

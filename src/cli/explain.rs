//! `udmap explain`: where each field of an event comes from.

use super::mappings;
use super::outputs::Outputs;
use super::reports::{print_all, print_data};
use super::spelling::Spelling;
use super::{DONE, REJECTS, store_error};
use crate::convert::{Converter, Engine, MAX_RECORD_BYTES, Options};
use crate::record::frame::Framer;
use crate::report::explain::{Explained, page, text};
use crate::report::summary::counted;
use crate::store::{self, Sink};
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
        bail!("`{input}` holds {} files; name one", listing.sources.len())
    };
    let mut input = source.open(Arc::default(), Arc::default())?;
    let mut framer = Framer::new(MAX_RECORD_BYTES, 128 * 1024);
    let (mut records, mut lines, mut more) = (Vec::new(), 0, false);
    while let Some(chunk) = framer.next(&mut input, Vec::new()).map_err(store_error)? {
        lines += converter.trace(&chunk.bytes, &chunk.body, &mut |record| {
            let at = record.line + lines;
            if line.is_some_and(|line| line != at) {
            } else if line.is_none() && records.len() == args.max_records {
                more = true;
            } else {
                records.push(Explained::of(&converter, &mapping, source.name(), at, record));
            }
        });
        if more || line.is_some_and(|line| line < lines + 1 && !records.is_empty()) {
            break;
        }
    }
    if let (Some(line), true) = (line, records.is_empty()) {
        bail!("no record begins at line {line} of `{}`", source.name());
    }
    if let Some(file) = &args.html {
        let mut sink = Sink::create(file)?;
        sink.write_all(page(&records, mapping.name(), more).as_bytes()).map_err(store_error)?;
        sink.finish()?;
    } else {
        for record in &records {
            if args.json {
                print_data(&format!("{}\n", serde_json::to_string(record)?))?;
            } else {
                print_all(&text(record))?;
            }
        }
    }
    if more {
        anstream::eprintln!(
            "note: only the first {} are explained; name a line (`FILE:LINE`) or give `--max-records`",
            counted(args.max_records as u64, "record")
        );
    }
    Ok(if records.iter().any(|record| record.reject.is_some()) { REJECTS } else { DONE })
}

/// `FILE:LINE` in its parts, unless there is a file of the whole name.
fn split(input: &str) -> anyhow::Result<(&str, Option<u64>)> {
    match input.rsplit_once(':') {
        Some((file, line)) if !Path::new(input).exists() && line.bytes().all(|b| b.is_ascii_digit()) => {
            match line.parse() {
                Ok(line @ 1..) => Ok((file, Some(line))),
                _ => bail!("`{line}` is no line: lines count from 1"),
            }
        }
        _ => Ok((input, None)),
    }
}

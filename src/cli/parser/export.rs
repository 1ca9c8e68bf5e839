//! `udmap parser export`: a mapping table as a parser.

use crate::cbn::{Parser, export};
use crate::cli::mappings::{load, print};
use crate::store::{Output, store_error};
use crate::text::escaped;
use anyhow::{Context as _, bail};
use std::io::Write as _;

/// Write a mapping table as a parser.
///
/// Its events are those of `udmap convert` with the table. What can't be the same is said in the parser's header. A table
/// with a rule that a parser can't say is refused, with the rule's line.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Exit status:
  0  done
  2  could not do it: usage, a faulty table, or one with a rule that a parser can't say

Examples:
  udmap parser export --mapping duo_telephony
  udmap parser export --mapping mine.toml -o mine.conf")]
pub(super) struct Args {
    /// The mapping table: a built-in one, or a file.
    #[arg(short, long, value_name = "NAME|FILE")]
    mapping: String,

    /// The file to write; `-` is stdout.
    #[arg(short, long, value_name = "FILE", default_value = "-")]
    output: String,
}

pub(super) fn run(args: &Args) -> anyhow::Result<u8> {
    let mapping = load(&args.mapping)?;
    let text = export(&mapping)
        .with_context(|| format!("`{}` can't be written as a parser", escaped(&args.mapping)))?;
    // What the platform would not take is not handed out.
    let parser = Parser::read(&text)
        .with_context(|| format!("`{}` as a parser does not load", escaped(&args.mapping)))?;
    if let Some(warning) = parser.warnings().first() {
        bail!("`{}` as a parser has a fault: {}", escaped(&args.mapping), warning.message);
    }
    if args.output == "-" {
        return print(&text);
    }
    let mut output = Output::create(&args.output)?;
    output.write_all(text.as_bytes()).map_err(store_error)?;
    output.finish()?;
    Ok(crate::cli::DONE)
}

//! `udmap generate`: reproducible synthetic telephony logs.

use super::{DONE, FAILED};
use crate::lab::{Generator, Mix};
use crate::store::store_error;
use crate::store::{Error, Output};
use std::io::Write as _;

/// Make synthetic Duo telephony logs, the same for the same seed.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Kinds of the mix:
  v1        records of Duo's Admin API v1, as its Python client hands them on
  v2        records of Duo's Admin API v2
  awkward   right but unusual: escapes, unicode, duplicate keys, nulls, odd numbers and times, ...
  shuffled  v1 and v2 with keys in random order
  broken    lines that must be rejected, for every reason there is
  wrapped   envelopes, arrays, CEF and key=\"value\" lines

Examples:
  udmap generate --records 1000000 --seed 7 -o million.ndjson.gz
  udmap generate --records 200 --seed 1 --mix v1=1,v2=1,broken=2 | udmap convert -")]
pub(super) struct Args {
    /// How many records to make.
    #[arg(long, value_name = "N")]
    records: u64,
    /// The seed: the same seed and mix give the same bytes.
    #[arg(long, value_name = "S", default_value_t = 0)]
    seed: u64,
    /// Which kinds of record, with weights (1 where none is given).
    #[arg(long, value_name = "KIND[=N],...", default_value_t = Mix::default())]
    mix: Mix,
    /// Where to write: a file (compressed if it ends in .gz or .zst), or `-` for stdout.
    #[arg(short, long, value_name = "FILE", default_value = "-")]
    output: String,
}

/// How many bytes to gather before writing.
const BLOCK: usize = 256 * 1024;

pub(super) fn run(args: &Args) -> anyhow::Result<u8> {
    match write(args) {
        Ok(()) => Ok(DONE),
        // The reader has closed the pipe.
        Err(error) if error.downcast_ref().is_some_and(Error::is_broken_pipe) => Ok(DONE),
        Err(error) => {
            super::report(&error);
            Ok(FAILED)
        }
    }
}

fn write(args: &Args) -> anyhow::Result<()> {
    let mut sink = Output::create(&args.output)?;
    let mut generator = Generator::new(args.seed, &args.mix);
    let mut block = Vec::with_capacity(BLOCK + BLOCK / 8);
    let mut left = args.records;
    while left > 0 {
        left -= generator.line(left, &mut block).min(left);
        if block.len() >= BLOCK || left == 0 {
            sink.write_all(&block).map_err(store_error)?;
            block.clear();
        }
    }
    sink.finish()?;
    Ok(())
}

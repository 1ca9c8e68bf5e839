//! `udmap generate`: reproducible synthetic logs.

use super::{DONE, FAILED};
use crate::jobs::settings::{Moment, moment};
use crate::lab::{Calendar, Generator, Mix};
use crate::store::store_error;
use crate::store::{Error, Output};
use crate::time::Instant;
use anyhow::bail;
use std::io::Write as _;

/// Make synthetic Duo logs, the same for the same seed.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Kinds of the mix:
  v1        records of Duo's Admin API v1, as its Python client hands them on
  v2        records of Duo's Admin API v2
  awkward   right but unusual: escapes, unicode, duplicate keys, nulls, odd numbers and times, ...
  shuffled  v1 and v2 with keys in random order
  broken    lines that must be rejected, for every reason there is
  wrapped   envelopes, arrays, CEF and key=\"value\" lines
  authentication  records of Duo's authentication log

Examples:
  udmap generate --records 1000000 --seed 7 -o million.ndjson.gz
  udmap generate --records 500000 --from 2025-01-01 --until 2026-01-01 --utc-offset +01:00 -o year.ndjson.gz
  udmap generate --records 200 --seed 1 --mix v1=1,v2=1,broken=2 | udmap convert -")]
pub(super) struct Args {
    /// How many records to make.
    #[arg(long, value_name = "N")]
    records: u64,
    /// The seed: the same seed and mix give the same bytes.
    #[arg(long, value_name = "S", default_value_t = 0)]
    seed: u64,
    /// Which kinds of record, with weights (1 where none is given) [default: v2=70,v1=25,awkward=5; with --from,
    /// v2=75,v1=25: awkward and broken records may have odd times].
    #[arg(long, value_name = "KIND[=N],...")]
    mix: Option<Mix>,
    /// Spread the records over a range that begins at this time, most of them in working hours: 2025-01-01, or
    /// 2025-01-01T06:00:00Z.
    #[arg(long, value_name = "WHEN", value_parser = fixed, requires = "until")]
    from: Option<Instant>,
    /// Where that range ends, itself not in it.
    #[arg(long, value_name = "WHEN", value_parser = fixed, requires = "from")]
    until: Option<Instant>,
    /// How far local time is ahead of UTC, for working hours: +01:00.
    #[arg(long, value_name = "+HH:MM", value_parser = utc_offset, requires = "from", default_value = "+00:00",
          allow_hyphen_values = true)]
    utc_offset: i32,
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

/// A time that is the same at every run.
fn fixed(text: &str) -> Result<Instant, String> {
    match moment(text)? {
        Moment { at, relative: false } => Ok(at),
        _ => {
            Err("expected a date or a time such as `2025-01-01`: the same command gives the same bytes"
                .into())
        }
    }
}

/// `+01:00` in seconds.
fn utc_offset(text: &str) -> Result<i32, String> {
    let seconds = || {
        let (sign, digits) = match text.split_at_checked(1)? {
            ("+", digits) => (1, digits),
            ("-", digits) => (-1, digits),
            _ => return None,
        };
        let (hours, minutes) = digits.split_once(':')?;
        let number = |text: &str, most: i32| -> Option<i32> {
            let digits = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
            text.parse().ok().filter(|number| digits && *number <= most)
        };
        Some(sign * (number(hours, 23)? * 3600 + number(minutes, 59)? * 60))
    };
    if text == "Z" { Ok(0) } else { seconds().ok_or_else(|| "expected `+01:00`, `-05:30` or `Z`".to_owned()) }
}

fn write(args: &Args) -> anyhow::Result<()> {
    let default = || if args.from.is_some() { Mix::plain() } else { Mix::default() };
    let mut generator = Generator::new(args.seed, &args.mix.clone().unwrap_or_else(default));
    if let (Some(from), Some(until)) = (args.from, args.until) {
        let Some(calendar) = Calendar::new(from, until, args.utc_offset) else {
            let (from, until) = (from.to_rfc3339(), until.to_rfc3339());
            bail!("expected `--from` at least a second before `--until`, found {from} and {until}");
        };
        generator = generator.spread(calendar, args.records);
    }
    let mut sink = Output::create(&args.output)?;
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

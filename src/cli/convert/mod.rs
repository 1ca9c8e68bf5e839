//! `udmap convert`: logs in, UDM events out, to one file or to an output for each input.

mod again;
mod args;
mod dump;
mod file;

pub(super) use args::Args;

use super::events::OutputFormat;
use super::{inputs, mappings};
use file::Run;

pub(super) fn run(args: &Args) -> anyhow::Result<u8> {
    if args.is_dump()? {
        return dump::run(args);
    }
    let mapping = mappings::load(&args.mapping)?;
    let converter =
        OutputFormat::of(args.output_format, &args.output)?.converter(&mapping, &args.options(false)?);
    let listing = file::list(args)?;
    if !args.quiet {
        inputs::tell_skipped(&listing);
    }
    let mut run = Run::start(args, &listing.sources)?;
    let counts = if args.from_rejects {
        run.again(&converter, &listing.sources)
    } else {
        let inputs: Vec<_> = listing.sources.iter().map(|source| run.input(source)).collect();
        converter.run(inputs, args.threads(), |piece| run.take(piece))?
    };
    run.end(mapping.name(), &listing, counts)
}

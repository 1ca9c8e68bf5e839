//! `udmap completions`: shell completions.

use super::DONE;
use clap::CommandFactory;
use std::io::Write as _;

/// Print completions for a shell.
///
/// For bash: `udmap completions bash > ~/.local/share/bash-completion/completions/udmap`
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The shell.
    shell: clap_complete::Shell,
}

pub(super) fn run(args: &Args) -> anyhow::Result<u8> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut super::Args::command(), "udmap", &mut script);
    let mut sink = crate::store::Sink::create("-")?;
    sink.write_all(&script).map_err(crate::store::store_error)?;
    sink.finish()?;
    Ok(DONE)
}

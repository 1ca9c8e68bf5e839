//! `udmap parser`: Google SecOps' parsers, offline.

mod check;
mod run;
mod test;

use crate::cbn::Parser;
use crate::report::summary::counted;
use crate::store::{Source, list};
use crate::text::escaped;
use anyhow::{Context as _, anyhow, bail};
use std::io::Read as _;
use std::sync::Arc;

/// The most bytes of a parser's text.
const MOST: u64 = 16 << 20;

/// Check, run and test Google SecOps' parsers, offline.
///
/// A parser is the configuration that makes UDM events of raw logs (Google calls the language CBN: Logstash's filter
/// section, remade). There is no public specification of it: this is a reading from Google's documents and from Google's
/// own parsers.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Examples:
  udmap parser check parsers/
  udmap parser run default_okta.conf logs.txt
  udmap parser run mine.conf raw_logs/default_log.json --explain
  udmap parser test parsers/")]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Check(Box<check::Args>),
    Run(Box<run::Args>),
    Test(Box<test::Args>),
}

pub(super) fn run(args: &Args) -> anyhow::Result<u8> {
    match &args.command {
        Command::Check(args) => check::run(args),
        Command::Run(args) => run::run(args),
        Command::Test(args) => test::run(args),
    }
}

/// The text of a parser.
fn text_of(source: &Source) -> anyhow::Result<String> {
    let mut bytes = Vec::new();
    source.open(Arc::default(), Arc::default())?.take(MOST + 1).read_to_end(&mut bytes)?;
    let name = escaped(source.name());
    if bytes.len() as u64 > MOST {
        bail!("`{name}` is larger than {} MiB: it can't be a parser", MOST >> 20);
    }
    String::from_utf8(bytes).ok().with_context(|| format!("`{name}` is not UTF-8"))
}

/// The parser of a file.
fn load(name: &str) -> anyhow::Result<Parser> {
    let sources = list(&[name.to_owned()], &[])?.sources;
    let [source] = &sources[..] else {
        bail!("expected one parser, found {} in `{}`", counted(sources.len() as u64, "file"), escaped(name));
    };
    Parser::read(&text_of(source)?).map_err(|error| {
        if let Some(hint) = error.hint {
            say!("hint: {hint}");
        }
        anyhow!("{}:{error}", escaped(name))
    })
}

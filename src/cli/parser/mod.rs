//! `udmap parser`: Google SecOps' parsers, offline.

mod check;
mod export;
mod load;
mod run;
mod test;

#[cfg(feature = "serve")]
pub(super) use load::text_of;

/// Check, run, test and write Google SecOps' parsers, offline.
///
/// A parser is the configuration that makes UDM events of raw logs (Google calls the language CBN: Logstash's filter
/// section, remade). There is no public specification of it: this is a reading from Google's documents and from Google's
/// own parsers.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Examples:
  udmap parser check parsers/
  udmap parser run default_okta.conf logs.txt
  udmap parser run mine.conf raw_logs/default_log.json --explain
  udmap parser test parsers/
  udmap parser export --mapping duo_telephony -o duo_telephony.conf")]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Check(Box<check::Args>),
    Run(Box<run::Args>),
    Test(Box<test::Args>),
    Export(export::Args),
}

pub(super) fn run(args: &Args) -> anyhow::Result<u8> {
    match &args.command {
        Command::Check(args) => check::run(args),
        Command::Run(args) => run::run(args),
        Command::Test(args) => test::run(args),
        Command::Export(args) => export::run(args),
    }
}

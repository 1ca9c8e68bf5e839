//! The command line: one file a command. Only here are the parts put together.

/// Says something on stderr. Where nobody can be told, the work goes on: `eprintln!` would panic.
macro_rules! say {
    ($($text:tt)*) => { crate::cli::terminal::say(format_args!($($text)*)) };
}

mod baselines;
mod bench;
mod case_inputs;
mod case_run;
mod cases;
mod collect;
mod collecting;
mod completions;
mod config;
mod convert;
mod diff;
#[cfg(feature = "send")]
mod dump_outputs;
mod engine;
mod environment;
mod errors;
mod events;
mod explain;
mod failures;
mod fields;
mod generate;
mod inputs;
mod looked;
mod mappings;
mod mistaken;
mod nothing;
mod outputs;
#[cfg(feature = "parser")]
mod parser;
mod profile;
mod progress;
mod prune;
mod reading;
mod record_range;
mod reports;
#[cfg(feature = "send")]
mod send;
#[cfg(feature = "send")]
mod send_to;
#[cfg(feature = "send")]
mod sending;
#[cfg(feature = "serve")]
mod serve;
mod severities;
mod signals;
mod spelling;
mod status;
mod style;
mod terminal;
mod validate;
mod verify;

use crate::text::escaped_lines;
use clap::{CommandFactory as _, Parser, Subcommand};
use engine::engine;
use errors::report;
use signals::heed as heed_signals;
use status::{DONE, FAILED, NOTHING, REJECTS};
use std::io::Write as _;
use std::process::ExitCode;
use style::{RED, YELLOW};

/// Turns Duo logs into Google SecOps UDM events.
#[derive(Debug, Parser)]
#[command(name = "udmap", version, max_term_width = 100, propagate_version = true)]
#[command(
    long_about = "Turns the logs of Duo, a multi-factor authentication, into Google SecOps UDM events, by mapping \
tables kept as data. Every record becomes one event or one reject; nothing is lost.",
    after_long_help = "Exit status:
  0  all converted
  1  done, with rejects (`convert --max-rejects N` tolerates N), errors, or differences
  2  could not do it: usage, input or output, mapping, interrupted, or a fault of udmap itself
  3  nothing was found to work on: no file, no object, not one record (`--allow-empty` makes it 0)

Examples:
  udmap convert telephony.ndjson
  udmap convert dump/ -o events.ndjson.gz --rejects rejects.ndjson
  udmap convert s3://bucket/duo-telephony/ -o s3://other/udm/ --rejects s3://other/rejects/
  udmap collect duo-telephony --to s3://bucket/duo-telephony/ --state s3://bucket/state/duo-telephony.json
  udmap send events.ndjson --project P --location us --instance ID --state send.json --rejects refused.ndjson
  udmap mappings show duo_telephony
  udmap validate events.ndjson
  udmap test fixtures
  udmap diff before.ndjson after.ndjson
  udmap explain telephony.ndjson:12
  udmap profile telephony.ndjson --html profile.html
  udmap serve telephony.ndjson --mapping mine.toml
  udmap generate --records 1000 --seed 1 | udmap convert - -o events.ndjson"
)]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Convert(Box<convert::Args>),
    Collect(Box<collect::Args>),
    #[cfg(feature = "send")]
    Send(Box<send::Args>),
    Verify(verify::Args),
    Prune(prune::Args),
    Generate(generate::Args),
    Mappings(mappings::Args),
    Fields(fields::Args),
    Validate(Box<validate::Args>),
    Test(Box<cases::Args>),
    Diff(Box<diff::Args>),
    Explain(explain::Args),
    Profile(profile::Args),
    #[cfg(feature = "parser")]
    Parser(parser::Args),
    #[cfg(feature = "serve")]
    Serve(serve::Args),
    Bench(bench::Args),
    Completions(completions::Args),
    #[command(hide = true)]
    Man(completions::Man),
}

/// Looks whether stdout is open. To be called before std's runtime begins, which opens /dev/null in its place.
pub fn look_at_stdout() {
    crate::store::look_at_stdout();
}

/// Runs the command that the process was started with.
///
/// A panic on any thread ends the process with status 2, and so what is in the making never gets its final name.
pub fn main() -> ExitCode {
    crate::panics::watch(|| signals::leave(FAILED));
    let result = signals::listen().map_err(anyhow::Error::from).and_then(|()| run());
    let status = result.unwrap_or_else(|error| {
        report(&error);
        // The reader of stdout has closed it.
        let closed = error.downcast_ref().is_some_and(crate::store::Error::is_broken_pipe);
        if closed { DONE } else { FAILED }
    });
    while crate::panics::happened() > 0 {
        // Another thread is about to end the process.
        std::thread::park();
    }
    ExitCode::from(status)
}

fn run() -> anyhow::Result<u8> {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(told) => return tell(&told),
    };
    crate::panics::provoke("main");
    match args.command {
        Command::Convert(args) => convert::run(&args),
        Command::Collect(args) => collect::run(&args),
        #[cfg(feature = "send")]
        Command::Send(args) => send::run(&args),
        Command::Verify(args) => verify::run(&args),
        Command::Prune(args) => prune::run(&args),
        Command::Generate(args) => generate::run(&args),
        Command::Mappings(args) => mappings::run(&args),
        Command::Fields(args) => fields::run(&args),
        Command::Validate(args) => validate::run(&args),
        Command::Test(args) => cases::run(&args),
        Command::Diff(args) => diff::run(&args),
        Command::Explain(args) => explain::run(&args),
        Command::Profile(args) => profile::run(&args),
        #[cfg(feature = "parser")]
        Command::Parser(args) => parser::run(&args),
        #[cfg(feature = "serve")]
        Command::Serve(args) => serve::run(&args),
        Command::Bench(args) => bench::run(&args),
        Command::Completions(args) => completions::run(&args, Args::command()),
        Command::Man(args) => completions::man(&args, Args::command()),
    }
}

/// Prints help, the version, or what is wrong with the arguments.
fn tell(told: &clap::Error) -> anyhow::Result<u8> {
    if told.use_stderr() {
        // A usage error repeats what was given, which may come from file names.
        let _ = write!(std::io::stderr(), "{}", escaped_lines(&told.render().to_string()));
        return Ok(FAILED);
    }
    crate::store::stdout_is_open()?;
    match told.print() {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(anyhow::Error::new(error).context("cannot write to stdout"))
        }
        _ => Ok(DONE),
    }
}

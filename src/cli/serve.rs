//! `udmap serve`: a local page to write tables on.

use super::{DONE, heed_signals};
use crate::mapping::builtin_text;
use crate::mapping::files;
use crate::report::summary::counted;
use crate::serve::{Opened, Sample, State, best_table, listen};
use crate::store::{self, Output, store_error};
use crate::text::escaped;
use crate::time::Instant;
use anyhow::{Context as _, bail};
use std::io::{IsTerminal as _, Write as _};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// What the page opens with if no file is named.
const EXAMPLE: &str = include_str!("../../fixtures/quickstart/input.ndjson");
const EXAMPLE_NAME: &str = "example.ndjson";

/// Write a mapping table on a local page, and see at each key stroke what it makes of records.
///
/// The page shows raw records, the table, and the UDM events, and which bytes each value comes from. It is served on
/// 127.0.0.1 alone, under an address that nobody can guess, and asks no other machine for anything. Only what is saved
/// on the page is written. Ctrl-C stops it.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Exit status:
  0  stopped
  2  could not do it: usage, mapping, input, or the port is taken

Examples:
  udmap serve
  udmap serve telephony.ndjson
  udmap serve --mapping mine.toml logs/
  udmap serve --mapping mine.toml --parser okta.conf okta.ndjson
  udmap serve telephony.ndjson --no-open --port 8080")]
pub(super) struct Args {
    /// Records to open with: a file, a folder, a glob pattern, a URL, or `-` for stdin [default: an example].
    #[arg(value_name = "FILE")]
    file: Option<String>,

    /// The mapping table: a built-in one's name, or a file [default: the built-in table that takes most of the records].
    #[arg(long, value_name = "NAME|FILE")]
    mapping: Option<String>,

    /// A parser of Google SecOps', whose events are compared with the table's.
    #[cfg(feature = "parser")]
    #[arg(long, value_name = "CONF")]
    parser: Option<String>,

    /// The port [default: one that is free].
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    port: u16,

    /// Open no browser. None is opened either if stderr is not a terminal.
    #[arg(long)]
    no_open: bool,
}

pub(super) fn run(args: &Args) -> anyhow::Result<u8> {
    let sample = sample(args)?;
    let name = args.mapping.as_deref().unwrap_or_else(|| best_table(&sample));
    let text = files::read(name)?;
    let file = builtin_text(name).is_none().then(|| name.to_owned());
    let mapping = Opened { name: name.to_owned(), text, file };
    let Some(now) = Instant::of(chrono::Utc::now()) else { bail!("this machine's clock is wrong") };
    let stop = Arc::new(AtomicBool::new(false));
    let folder = std::env::current_dir().context("cannot tell the working folder")?;
    let is_example = args.file.is_none();
    let state = State::new(mapping, parser(args)?, sample, is_example, folder, now, Arc::clone(&stop));
    let listening = listen(args.port)?;
    heed_signals(&stop)?;
    let url = listening.url();
    let mut stdout = Output::create("-")?;
    writeln!(stdout, "{url}").map_err(store_error)?;
    stdout.finish()?;
    say!("The page is at this address until Ctrl-C. Who knows the address can use it: keep it to yourself.");
    if !args.no_open && std::io::stderr().is_terminal() {
        open(&listening.launch_url());
    }
    listening.serve(state)?;
    Ok(DONE)
}

/// The records that the page opens with.
fn sample(args: &Args) -> anyhow::Result<Sample> {
    let Some(file) = &args.file else {
        let example = vec![(EXAMPLE_NAME.to_owned(), EXAMPLE.as_bytes().to_vec())];
        return Ok(Sample::of_files(EXAMPLE_NAME, example));
    };
    let listing = store::list(std::slice::from_ref(file), &[])?;
    if listing.sources.is_empty() {
        bail!("expected a file of records, found none in `{}`", escaped(file));
    }
    let sample = Sample::of_sources(file, !store::is_stdout(file), &listing.sources);
    if let Some(failure) = sample.failures().first() {
        let more = sample.failures().len() as u64 - 1;
        let more = if more > 0 { format!(", and {} more", counted(more, "failure")) } else { String::new() };
        say!("warning: {}{more}", escaped(failure));
    }
    Ok(sample)
}

#[cfg(feature = "parser")]
fn parser(args: &Args) -> anyhow::Result<Option<Opened>> {
    let Some(name) = &args.parser else { return Ok(None) };
    let sources = store::list(std::slice::from_ref(name), &[])?.sources;
    let [source] = &sources[..] else {
        bail!("expected one parser, found {} in `{}`", counted(sources.len() as u64, "file"), escaped(name));
    };
    let text = super::parser::text_of(source)?;
    let file = (!store::is_url(name)).then(|| name.clone());
    Ok(Some(Opened { name: name.clone(), text, file }))
}

#[cfg(not(feature = "parser"))]
fn parser(_: &Args) -> anyhow::Result<Option<Opened>> {
    Ok(None)
}

/// Opens a browser, if there is one. Without it, the address is all that is needed.
fn open(url: &str) {
    let (program, arguments): (&str, &[&str]) = if cfg!(target_os = "macos") {
        ("open", &[])
    } else if cfg!(windows) {
        ("rundll32", &["url.dll,FileProtocolHandler"])
    } else if ["DISPLAY", "WAYLAND_DISPLAY"].iter().any(|name| std::env::var_os(name).is_some()) {
        ("xdg-open", &[])
    } else {
        return;
    };
    let mut command = Command::new(program);
    command.args(arguments).arg(url).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    if let Ok(mut child) = command.spawn() {
        std::thread::spawn(move || child.wait());
    }
}

//! `udmap completions`: shell completions, and the man pages, both made from the options themselves.

use super::status::DONE;
use crate::check::validate::{Code, Severity};
use crate::mapping::builtin_mappings;
use crate::report::findings::Kind;
use clap::builder::{PossibleValuesParser, ValueHint};
use clap::{Arg, Command};
use clap_complete::Shell;
use std::io::Write as _;
use std::path::PathBuf;

/// Print completions for a shell.
///
/// They complete commands, options, and values: names of built-in tables, codes, severities, formats and files.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Examples:
  udmap completions bash > ~/.local/share/bash-completion/completions/udmap
  udmap completions zsh > ~/.zfunc/_udmap            # a folder that is in $fpath
  udmap completions fish > ~/.config/fish/completions/udmap.fish")]
pub(super) struct Args {
    /// The shell.
    shell: Shell,
}

/// Write the man pages, one for each command, into a folder.
#[derive(Debug, clap::Args)]
pub(super) struct Man {
    /// The folder; it must exist.
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

/// Prints the script for `command`, which is all of udmap.
pub(super) fn run(args: &Args, command: Command) -> anyhow::Result<u8> {
    let mut sink = crate::store::Output::create("-")?;
    sink.write_all(script(args.shell, command).as_bytes()).map_err(crate::store::store_error)?;
    sink.finish()?;
    Ok(DONE)
}

/// Writes the pages of `command`, which is all of udmap.
pub(super) fn man(args: &Man, command: Command) -> anyhow::Result<u8> {
    clap_mangen::generate_to(command, &args.folder)
        .map_err(|error| anyhow::anyhow!("cannot write man pages to `{}`: {error}", args.folder.display()))?;
    Ok(DONE)
}

/// The completion script. What clap leaves open is added: files next to names, and words with `=`.
fn script(shell: Shell, command: Command) -> String {
    let mut command = command.mut_subcommands(with_values);
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command, "udmap", &mut script);
    let mut script = String::from_utf8_lossy(&script).into_owned();
    let tables: Vec<&str> = builtin_mappings().collect();
    let tables = tables.join(" ");
    match shell {
        Shell::Bash => script.push_str(include_str!("completions.bash")),
        Shell::Zsh => {
            let either = format!(r#": _alternative "tables\:table\:({tables})" "files\:file\:_files""#);
            script = script.replace(&format!(":({tables})"), &either);
            // Behind `junit=`, without a space, comes a file.
            let kinds = kinds().join(" ");
            let file = format!(r#":{{compset -P "*=" && _files || compadd -S "" - {kinds}}}"#);
            script = script.replace(&format!(":({kinds})"), &file);
        }
        Shell::Fish => {
            // `-F`: files, too.
            let first = tables.split(' ').next().unwrap_or_default();
            script = script.replace(&format!("-r -f -a \"{first}"), &format!("-r -F -a \"{first}"));
            script += "complete -c udmap -n \"__fish_udmap_using_subcommand mappings; \
                and __fish_seen_subcommand_from show check\"";
            script += &format!(" -a \"{tables}\"\n");
        }
        _ => {}
    }
    script
}

/// Tells which values the options of a command take. Only for the scripts: parsing and help stay as they are.
fn with_values(command: Command) -> Command {
    command.mut_args(value_of).mut_subcommands(with_values)
}

fn value_of(arg: Arg) -> Arg {
    let values = |arg: Arg, values: Vec<String>| arg.value_parser(PossibleValuesParser::new(values));
    let listed = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect();
    let name = arg.get_value_names().and_then(|names| names.first()).map(ToString::to_string);
    match (arg.get_id().as_str(), name.as_deref().unwrap_or_default()) {
        ("compress", _) => values(arg, listed(&["gzip", "gzip:small", "zstd", "zstd:3", "none"])),
        ("signature", _) => values(arg, listed(&["v5", "v2-sha512", "v2-sha1"])),
        (_, "NAME|FILE") => values(arg, builtin_mappings().map(ToOwned::to_owned).collect()),
        (_, "CODE") => {
            values(arg, Code::all().map(|code| code.name().to_owned()).chain(["all".to_owned()]).collect())
        }
        (_, "CODE=LEVEL") => values(arg, severities()),
        (_, "KIND=FILE") => values(arg, kinds()),
        (_, "DIR") => arg.value_hint(ValueHint::DirPath),
        (_, name)
            if ["FILE", "DIR", "INPUT", "EVENTS", "MANIFEST", "GLOB"]
                .iter()
                .any(|part| name.contains(part)) =>
        {
            arg.value_hint(ValueHint::AnyPath)
        }
        _ => arg,
    }
}

fn severities() -> Vec<String> {
    let levels = Severity::ALL.map(|(name, _)| name);
    Code::all().flat_map(|code| levels.map(|level| format!("{}={level}", code.name()))).collect()
}

fn kinds() -> Vec<String> {
    Kind::ALL.map(|(name, _)| format!("{name}=")).to_vec()
}

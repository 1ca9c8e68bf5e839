//! `udmap mappings`: lists, shows and checks mapping tables. Also where commands load theirs.

use super::{DONE, FAILED};
use crate::mapping::{Content, Mapping, When};
use crate::mapping::{builtin_mappings, files};
use crate::store::store_error;
use crate::store::{Error, Output};
use crate::text::escaped;
use std::fmt::Write as _;
use std::io::Write as _;

/// List, show and check mapping tables.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Examples:
  udmap mappings
  udmap mappings show duo_telephony
  udmap mappings show duo_telephony --source > my.toml
  udmap mappings check my.toml")]
pub(super) struct Args {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// List the built-in tables.
    List,
    /// Show the rules of a table.
    Show {
        /// A built-in table's name, or a file.
        #[arg(value_name = "NAME|FILE")]
        table: String,
        /// Print the table file itself.
        #[arg(long)]
        source: bool,
    },
    /// Check tables against UDM's schema; exit 2 if one is faulty.
    Check {
        /// Built-in tables' names, or files.
        #[arg(value_name = "NAME|FILE", required = true)]
        tables: Vec<String>,
    },
}

pub(super) fn run(args: &Args) -> anyhow::Result<u8> {
    match &args.command {
        None | Some(Command::List) => print(&list()),
        Some(Command::Show { table, source: true }) => print(&files::load(table)?.text),
        Some(Command::Show { table, source: false }) => print(&show(&load(table)?)),
        Some(Command::Check { tables }) => {
            let mut status = DONE;
            for table in tables {
                match load(table) {
                    Ok(mapping) => {
                        let rules = mapping.rules().len();
                        let (table, name) = (escaped(table), escaped(mapping.name()));
                        print(&format!("{table}: `{name}` is right, {rules} rules\n"))?;
                    }
                    Err(error) => {
                        super::report(&error);
                        status = FAILED;
                    }
                }
            }
            Ok(status)
        }
    }
}

/// The table called `name`: built-in, or in a file.
pub(super) fn load(name: &str) -> anyhow::Result<Mapping> {
    Ok(files::load(name)?.mapping)
}

/// Prints to stdout; a reader that closes the pipe is not an error.
fn print(text: &str) -> anyhow::Result<u8> {
    let mut sink = Output::create("-")?;
    match sink.write_all(text.as_bytes()).map_err(store_error).and_then(|()| Ok(sink.finish()?)) {
        Err(error) if !error.downcast_ref().is_some_and(Error::is_broken_pipe) => Err(error),
        _ => Ok(DONE),
    }
}

fn list() -> String {
    let mut text = String::new();
    let names: Vec<&str> = builtin_mappings().collect();
    let wide = names.iter().map(|name| name.len()).max().unwrap_or(0);
    for mapping in names.iter().filter_map(|name| Mapping::builtin(name)) {
        // Writing to a string can't fail.
        let _ = writeln!(text, "{:wide$}  {}  {}", mapping.name(), mapping.log_type(), mapping.description());
    }
    text
}

/// The rules as a table: UDM field, what it gets, and where the rule is.
fn show(mapping: &Mapping) -> String {
    let mut text = String::new();
    // Writing to a string can't fail.
    let (name, log_type) = (escaped(mapping.name()), escaped(mapping.log_type()));
    let _ = writeln!(text, "{name}  {log_type}\n{}", escaped(mapping.description()));
    if let Some(base) = mapping.extends() {
        let _ = writeln!(text, "builds on {}", escaped(base));
    }
    let _ = writeln!(text);
    let rows: Vec<[String; 3]> = mapping
        .rules()
        .iter()
        .map(|rule| {
            let mut content = rule.content.to_string();
            if let Some(label) = &rule.label {
                content = format!("{{key: \"{label}\", value: {content}}}");
            }
            match rule.when {
                Some(When::Ip) => content.push_str(", if it is an IP address"),
                Some(When::NotIp) => content.push_str(", if it is not an IP address"),
                None => {}
            }
            if let (Content::Cases(_), Some(order)) = (&rule.content, rule.order) {
                let _ = write!(content, " (order {order})");
            }
            [rule.target.to_string(), content, format!("{}:{}", rule.file(), rule.line())]
        })
        .collect();
    let wide = rows.iter().map(|row| row[0].len()).max().unwrap_or(0);
    for [target, content, place] in rows {
        let _ = writeln!(text, "{target:wide$}  <-  {}  # {}", escaped(&content), escaped(&place));
    }
    text
}

//! `udmap mappings`: lists, shows and checks mapping tables. Also where commands load theirs.

use super::reports::Reports;
use super::terminal::for_stdout;
use super::{DONE, FAILED};
use crate::check::findings::Issue;
use crate::check::own_tests;
use crate::mapping::files::LoadError;
use crate::mapping::{BAD_FIELDS_AT, Content, Mapping, MappingError, Problem, SetTable, TableSet};
use crate::mapping::{builtin_mappings, files};
use crate::store::store_error;
use crate::store::{Error, Output};
use crate::text::escaped;
use std::fmt::Write as _;
use std::io::Write as _;
use std::time::Instant;

/// The format of table files as a JSON Schema.
const TABLE_SCHEMA: &str = include_str!("../../schema/mapping_table.json");

/// List, show and check mapping tables.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Examples:
  udmap mappings
  udmap mappings show duo_telephony
  udmap mappings show duo_telephony --source > my.toml
  udmap mappings check my.toml
  udmap mappings schema > mapping-table.json")]
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
    /// Print a JSON Schema of the table format, for editors.
    Schema,
    /// Check tables against UDM's schema, and run the test cases in them; exit 2 if one is faulty.
    Check {
        /// Built-in tables' names, or files.
        #[arg(value_name = "NAME|FILE", required = true)]
        tables: Vec<String>,

        #[command(flatten)]
        reports: Reports,
    },
}

pub(super) fn run(args: &Args) -> anyhow::Result<u8> {
    match &args.command {
        None | Some(Command::List) => print(&for_stdout(&list())),
        Some(Command::Show { table, source: true }) => print(&files::load(table)?.text),
        Some(Command::Show { table, source: false }) => print(&for_stdout(&show(&load(table)?))),
        Some(Command::Schema) => print(TABLE_SCHEMA),
        Some(Command::Check { tables, reports }) => check(tables, reports),
    }
}

/// Checks tables, and says on stdout which are right.
fn check(tables: &[String], reports: &Reports) -> anyhow::Result<u8> {
    let outputs = reports.outputs()?;
    tables.iter().try_for_each(|table| outputs.spare("NAME|FILE", table))?;
    let mut findings = reports.findings("mappings check");
    let start = Instant::now();
    for table in tables {
        findings.begin(table, table);
        let begun = Instant::now();
        match load(table).and_then(|mapping| tested(table, mapping)) {
            Ok(mapping) if reports.on_stdout() => drop(mapping),
            Ok(mapping) => {
                let parts = match mapping.set() {
                    Some(set) => format!("{} tables", set.tables.len()),
                    None => format!("{} rules", mapping.rules().len()),
                };
                let (table, name) = (escaped(table), escaped(mapping.name()));
                let tests = match mapping.tests().len() {
                    0 => String::new(),
                    1 => ", 1 test".to_owned(),
                    tests => format!(", {tests} tests"),
                };
                print(&for_stdout(&format!("{table}: `{name}` is right, {parts}{tests}\n")))?;
            }
            Err(error) => {
                super::report(&error);
                match error.downcast_ref() {
                    Some(LoadError::Faulty { error, .. }) => {
                        error.problems().iter().for_each(|problem| findings.add(issue(problem)))
                    }
                    _ => findings.failures.push(format!("{error:#}")),
                }
            }
        }
        findings.end(begun.elapsed().as_secs_f64());
    }
    findings.finish();
    findings.seconds = start.elapsed().as_secs_f64();
    let faulty = findings.total() > 0 || !findings.failures.is_empty();
    findings.exit_status = if faulty { FAILED } else { DONE };
    reports.write(&findings)?;
    Ok(findings.exit_status)
}

/// A table whose test cases pass.
fn tested(name: &str, mapping: Mapping) -> anyhow::Result<Mapping> {
    let failing = |error: MappingError| {
        let what = match error.problems().len() {
            1 => "a test case that fails".to_owned(),
            cases => format!("{cases} test cases that fail"),
        };
        LoadError::Faulty { name: name.to_owned(), what, error }
    };
    own_tests::run(&mapping).map_err(failing)?;
    Ok(mapping)
}

/// What is wrong with a table as a finding.
fn issue(problem: &Problem) -> Issue {
    let (message, line) = (problem.message(), problem.line() as u64);
    Issue {
        column: problem.column() as u64,
        advice: problem.suggestion().unwrap_or_default().to_owned().into(),
        ..Issue::difference("invalid-mapping", "", (problem.file(), line, 0), message.to_owned(), &[message])
    }
}

/// The table called `name`: built-in, or in a file.
pub(super) fn load(name: &str) -> anyhow::Result<Mapping> {
    Ok(files::load(name)?.mapping)
}

/// Prints to stdout; a reader that closes the pipe is not an error.
pub(super) fn print(text: &str) -> anyhow::Result<u8> {
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
        let log_type = if mapping.set().is_some() { "a set of tables" } else { mapping.log_type() };
        let _ = writeln!(text, "{:wide$}  {log_type}  {}", mapping.name(), mapping.description());
    }
    text
}

/// The tables of a set in their order, each with what makes a record its own.
fn show_set(set: &TableSet, text: &mut String) {
    let fields: Vec<String> = set.log_fields.iter().map(|path| format!("`{path}`")).collect();
    if !fields.is_empty() {
        // Writing to a string can't fail.
        let _ = writeln!(text, "{} names the log", escaped(&fields.join(", else ")));
    }
    let _ = writeln!(text);
    for (number, SetTable { mapping, log, own }) in (1..).zip(&set.tables) {
        let _ = writeln!(text, "{number}. {}  {}", escaped(mapping.name()), escaped(mapping.log_type()));
        if !log.is_empty() {
            let _ = writeln!(text, "   named {}", escaped(&log.join(", ")));
        }
        for condition in own {
            let _ = writeln!(text, "   or if {}", escaped(&condition.to_string()));
        }
    }
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
    if let Some(set) = mapping.set() {
        show_set(set, &mut text);
        return text;
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
            if let Some(when) = rule.when {
                let _ = write!(content, ", if it is {}", when.words());
            }
            if !rule.only_if.is_empty() {
                let _ = write!(content, ", if {}", rule.only_if);
            }
            if let (Content::Cases(_), Some(order)) = (&rule.content, rule.order) {
                let _ = write!(content, " (order {order})");
            }
            [rule.target.to_string(), content, format!("{}:{}", rule.file(), rule.line())]
        })
        .collect();
    let rest = mapping.rest().map(|rest| {
        let mut content = "each field that no rule takes".to_owned();
        if !rest.prefix.is_empty() {
            let _ = write!(content, ", its name after \"{}\"", rest.prefix);
        }
        if !rest.except.is_empty() {
            let except: Vec<String> = rest.except.iter().map(ToString::to_string).collect();
            let _ = write!(content, ", except {}", except.join(", "));
        }
        [rest.target.to_string(), content, format!("{}:{}", rest.file(), rest.line())]
    });
    let bad = mapping.notes_bad_fields().then(|| {
        let content = "the fields that can't be taken".to_owned();
        [BAD_FIELDS_AT.to_owned(), content, "on_bad_field".to_owned()]
    });
    let rows: Vec<[String; 3]> = rows.into_iter().chain(rest).chain(bad).collect();
    let wide = rows.iter().map(|row| row[0].len()).max().unwrap_or(0);
    for [target, content, place] in rows {
        let _ = writeln!(text, "{target:wide$}  <-  {}  # {}", escaped(&content), escaped(&place));
    }
    text
}

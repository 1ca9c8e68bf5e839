//! The reports that checking commands write: the options, and writing them.

use super::outputs::Outputs;
use super::terminal;
use crate::check::findings::Findings;
use crate::report::findings::{Kind, annotations};
use crate::store::store_error;
use crate::store::{self, Output};
use crate::text::escaped;
use std::io::Write as _;

/// Where reports go, and which findings are in them.
#[derive(Debug, clap::Args)]
pub(super) struct Reports {
    /// Write a report: KIND is junit, sarif, json, markdown or gitlab (code quality), FILE may be `-` for stdout.
    /// Several are separated by commas, or the option is given several times.
    #[arg(long = "report", value_name = "KIND=FILE", value_delimiter = ',', value_parser = report)]
    reports: Vec<(Kind, String)>,

    /// Print findings as GitHub's annotations, too, and add a summary to the job's.
    #[arg(long)]
    github: bool,

    /// Show every finding, instead of three of each kind.
    #[arg(long)]
    pub(super) all: bool,

    /// How many findings are kept for reports and shown; all are counted.
    #[arg(long, value_name = "N", default_value_t = 5000)]
    pub(super) max_findings: usize,
}

fn report(text: &str) -> Result<(Kind, String), String> {
    let names: Vec<&str> = Kind::ALL.iter().map(|(name, _)| *name).collect();
    let wanted = || format!("a report is KIND=FILE, with KIND one of {}", names.join(", "));
    let (name, file) = text.split_once('=').ok_or_else(wanted)?;
    let kind = Kind::ALL.iter().find(|(known, _)| *known == name).ok_or_else(wanted)?;
    if file.is_empty() { Err(wanted()) } else { Ok((kind.1, file.to_owned())) }
}

impl Reports {
    /// Whether stdout belongs to a report.
    pub(super) fn on_stdout(&self) -> bool {
        self.reports.iter().any(|(_, file)| store::is_stdout(file))
    }

    /// What is written. Refuses what can't be, before the work is done.
    pub(super) fn outputs(&self) -> anyhow::Result<Outputs> {
        let mut outputs = Outputs::default();
        for (kind, file) in &self.reports {
            let name = Kind::ALL.iter().find(|(_, known)| known == kind).map_or("", |(name, _)| name);
            outputs.add(&format!("--report {name}"), file)?;
        }
        if self.github {
            let summary = std::env::var("GITHUB_STEP_SUMMARY").ok();
            outputs.add_if("GITHUB_STEP_SUMMARY", summary.as_deref().filter(|file| !file.is_empty()))?;
        }
        Ok(outputs)
    }

    /// Nothing found yet.
    pub(super) fn findings(&self, command: &'static str) -> Findings {
        let mut findings = Findings::new(command, self.max_findings);
        findings.all = self.all;
        findings
    }

    /// Writes them all.
    pub(super) fn write(&self, findings: &Findings) -> anyhow::Result<()> {
        for (kind, file) in &self.reports {
            write_file(file, &kind.text(findings))?;
        }
        if self.github {
            print_data(&annotations(findings))?;
            if let Some(summary) = std::env::var_os("GITHUB_STEP_SUMMARY") {
                let mut file = std::fs::OpenOptions::new().append(true).create(true).open(summary)?;
                file.write_all(Kind::Markdown.text(findings).as_bytes())?;
            }
        }
        Ok(())
    }
}

/// Writes a whole file.
pub(super) fn write_file(file: &str, text: &str) -> anyhow::Result<()> {
    let mut sink = Output::create(file)?;
    sink.write_all(text.as_bytes()).map_err(store_error)?;
    Ok(sink.finish()?)
}

/// The time at which a page is made.
pub(super) fn now() -> String {
    chrono::Utc::now().format("%Y-%m-%d %H:%M UTC").to_string()
}

/// Says on stderr which inputs could not be read.
pub(super) fn print_failures(failures: &[String]) {
    for failure in failures {
        say!("{}error{:#}: {}", super::RED, super::RED, escaped(failure));
    }
}

/// Prints to stdout for a person: as wide as a terminal is, without colours where nobody sees them.
pub(super) fn print_all(text: &str) -> anyhow::Result<()> {
    store::stdout_is_open()?;
    let mut stdout = anstream::stdout();
    let text = terminal::for_stdout(text);
    done(stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()))
}

/// Prints to stdout for a machine: every byte as it is (what takes colours out takes some control
/// characters, too).
pub(super) fn print_data(text: &str) -> anyhow::Result<()> {
    store::stdout_is_open()?;
    let mut stdout = std::io::stdout();
    done(stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()))
}

/// A reader that has had enough is not an error.
fn done(written: std::io::Result<()>) -> anyhow::Result<()> {
    match written {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}
